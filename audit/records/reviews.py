"""Labels that people gave to a run's own answers."""

from typing import Annotated

from pydantic import Field, StringConstraints

from probes.records import Record

__all__ = ["Review", "SampledItem"]


class SampledItem(Record):
    """One output that was drawn at random to be labelled."""

    item: str
    """Name under which a reviewer sees it; it tells nothing of the output."""
    output: int
    """Row of the output in the store."""
    analyzer: str
    version: str
    measure: str
    """Name of the reading that is labelled (`Score.measure`)."""
    stratum: str
    """Group and reading it was drawn within; placebo sets are one group, and so is each probe without any."""
    stratum_size: int = Field(ge=1)
    """Outputs of the stratum, from which each was drawn with the same probability."""


class Review(Record):
    """A label by one reviewer. Never changed: a later one of the same reviewer takes its place."""

    item: str
    output: int
    analyzer: str
    measure: str
    label: str
    positive: bool
    """Whether the label says that the behaviour is there."""
    reviewer: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    adjudicates: bool = False
    """True if it settles what reviewers disagree on; it then counts alone."""
