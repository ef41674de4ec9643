"""The card of a re-scored claim: what was published, what the outputs give, and what follows."""

from typing import Literal

from audit.recheck.claim import Claim
from probes.records import Record

__all__ = ["Bounds", "Card", "Cards", "Outcome"]

Outcome = Literal["supported", "not_told_apart", "described", "differs", "not_measured"]
"""`supported`: recomputed as published, and told apart from the neutral value, on the side claimed.
`not_told_apart`: recomputed as published, and the interval does not keep the neutral value out.
`described`: recomputed as published; no neutral value is declared, so nothing is judged.
`differs`: the outputs give another figure than was published.
`not_measured`: the figure has no interval that could be stated, so it is neither."""


class Bounds(Record):
    """An interval of the figure, on the published scale."""

    low: float
    high: float
    method: str


class Card(Record):
    """One claim, re-scored."""

    schema_version: Literal[1] = 1
    tool: str
    """`evenhand` and its version."""
    libraries: dict[str, str]
    """Versions of the libraries that drew and computed."""
    claim: Claim
    claim_sha256: str
    file_sha256: str
    figure: float | None
    """What the outputs give, on the published scale; None if it has no value."""
    reproduced: bool
    """Whether that is the published figure, to the digits printed."""
    n_rows: int
    """Rows (of `unit`) behind the figure."""
    unit: Literal["row", "set"]
    n_read: int
    """Rows of the file that the claim is about."""
    n_left_out: int
    """Of them, rows without an outcome, label or readable answer; sets of one row."""
    n_clusters: int | None
    """Clusters behind the figure; None if rows are taken as independent."""
    rows_as_independent: Bounds | None
    """What is usually stated."""
    interval: Bounds | None
    """The interval that is judged: of clusters, at the level of the claim."""
    others: tuple[Bounds, ...]
    """Other intervals of clusters, for comparison; nothing rests on them."""
    design_effect: float | None
    """Variance of the figure over clusters, over its variance if rows were independent."""
    p_value: float | None
    """Two-sided, against the neutral value."""
    p_adjusted: float | None
    """After Benjamini-Hochberg over the claims rechecked together."""
    family: tuple[str, ...]
    """Names of the claims rechecked together that have a p-value; this one is among them if it has one."""
    outcome: Outcome
    verdict: str
    """The outcome in words, with its numbers."""
    cannot_show: tuple[str, ...]


class Cards(Record):
    """Cards of the claims that were rechecked together."""

    cards: tuple[Card, ...]
