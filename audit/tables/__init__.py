"""Audits of decisions that have been made: rates, impact ratios and verdicts from a CSV or Parquet file."""

from audit.tables.assembly import audit_table
from audit.tables.document import TableDocument
from audit.tables.options import TableOptions
from audit.tables.page import write_document

__all__ = ["TableDocument", "TableOptions", "audit_table", "write_document"]
