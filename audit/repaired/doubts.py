"""What runs that can be compared leave in doubt: what was not answered, and which model was asked."""

from collections.abc import Mapping, Sequence

from audit.findings.document import RunDocument

__all__ = ["doubts"]

_IDENTITY = ("model_sha256", "model")
"""Facts of a target that tell one model from another, the surer one first."""
_SAME_MODEL = ("base", "prompt_only")
"""Runs that are to ask the model of the run before."""

_SHOWN = 60


def doubts(documents: Mapping[str, RunDocument]) -> tuple[str, ...]:
    """A line for each doubt, in the order of the runs.

    Args:
        documents: What each run found: `before`, `after`, and `base` and `prompt_only` where they are given.
    """
    found = []
    for name, document in documents.items():
        counts = document.counts["target"]
        if counts.missing or counts.errored:
            found.append(
                f"the run {name} is incomplete: {counts.missing} of {counts.planned} outputs not asked and "
                f"{counts.errored} errored; only what both runs answered is compared"
            )
    return (*found, *_other_models(documents))


def _other_models(documents: Mapping[str, RunDocument]) -> Sequence[str]:
    before = documents["before"].targets["target"]
    found = []
    for name in _SAME_MODEL:
        asked = documents[name].targets["target"] if name in documents else before
        fact = next((one for one in _IDENTITY if one in before and one in asked), None)
        if fact is not None and before[fact] != asked[fact]:
            found.append(
                f"the run {name} asked another model than the run before ({fact} {asked[fact][:_SHOWN]}, not "
                f"{before[fact][:_SHOWN]}), so what it shows is not of the model that was repaired"
            )
    return found
