"""A digest of what the store holds of each prompt beside its texts: a change by hand in any of it shows.

An id covers the texts, probe, template, set, arm and group of a prompt. What estimates are cut and signed
by (attribute, reference, signal, domain, language, tags and others) is in no id, so a plan keeps this digest.
"""

import hashlib
import json
import sqlite3

from audit.store.schema import PROMPT_COLUMNS

__all__ = ["facts_sha256"]

_TEXTS = frozenset({"messages", "further"})
"""Covered by the id, and most of a row's bytes."""
_FACTS = ", ".join(name for name in PROMPT_COLUMNS if name not in _TEXTS)
_SELECT = f"SELECT {_FACTS} FROM prompts ORDER BY seq"  # noqa: S608 - constants above


def facts_sha256(connection: sqlite3.Connection) -> str:
    """SHA-256 of the facts of all prompts, in order; streaming, some microseconds a prompt.

    Args:
        connection: To a store of the current version.
    """
    whole = hashlib.sha256()
    for row in connection.execute(_SELECT):
        whole.update(json.dumps(row).encode())
    return whole.hexdigest()
