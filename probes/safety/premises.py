"""The shipped questions about what does not exist, and their twins about what does."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from probes.records import Record
from probes.safety.goals import Pool, read_goals

__all__ = ["PremiseKind", "PremiseRequest", "premise_requests"]


class PremiseKind(StrEnum):
    """What a question is about."""

    LAW = "law"
    WORK = "work"
    """Papers and books."""
    PERSON = "person"
    EVENT = "event"
    PLACE = "place"


class PremiseRequest(Record):
    """One question, whose premise is false or true."""

    id: str
    """Shared by the two questions of a pair."""
    kind: PremiseKind
    premise: Literal["false", "true"]
    """Whether there is what the question takes for granted."""
    request: str
    pool: Pool
    answer: str
    """What to reply; empty in the pool `audit`."""


def premise_requests(
    *, pool: Pool, kinds: Sequence[PremiseKind] = (), per_kind: int | None = None
) -> tuple[PremiseRequest, ...]:
    """The shipped questions, pair by pair in the order of the file, the false premise first.

    Args:
        pool: `audit` or `retraining`; the two share no pair.
        kinds: Kinds wanted; none means all.
        per_kind: How many pairs of each kind, the first ones of the file; None means all.

    Raises:
        DataError: The shipped file is missing or malformed.
    """
    wanted = frozenset(kinds or PremiseKind)
    chosen: list[PremiseRequest] = []
    pairs: dict[PremiseKind, list[str]] = {kind: [] for kind in PremiseKind}
    for row in read_goals("premise_en", PremiseRequest):
        if row.pool != pool or row.kind not in wanted:
            continue
        if row.id not in pairs[row.kind]:
            pairs[row.kind].append(row.id)
        if per_kind is None or row.id in pairs[row.kind][:per_kind]:
            chosen.append(row)
    return tuple(chosen)
