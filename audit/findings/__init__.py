"""From estimates to findings: claims in words, severity by rubric, evidence by id."""

from audit.estimates.ids import finding_id
from audit.findings.claims import claim
from audit.findings.select import findings

__all__ = ["claim", "finding_id", "findings"]
