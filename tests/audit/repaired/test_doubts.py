"""What leaves a comparison in doubt is told: missing answers, and another model where the same is meant."""

from types import SimpleNamespace
from typing import cast

from audit.findings.document import RunDocument
from audit.repaired.doubts import doubts


def _document(*, missing: int = 0, errored: int = 0, **facts: str) -> RunDocument:
    """As much of a document as is read: counts and the facts of the target."""
    counts = SimpleNamespace(planned=10, missing=missing, errored=errored)
    found = SimpleNamespace(counts={"target": counts}, targets={"target": facts})
    return cast("RunDocument", found)


def test_what_was_not_answered_is_told_of_each_run() -> None:
    """A run that stopped, or whose requests failed, is named with how many; a whole one is not."""
    found = doubts({"before": _document(errored=1), "after": _document(missing=4), "base": _document()})
    assert [line.partition(";")[0] for line in found] == [
        "the run before is incomplete: 0 of 10 outputs not asked and 1 errored",
        "the run after is incomplete: 4 of 10 outputs not asked and 0 errored",
    ]


def test_a_repeat_of_another_model_is_told() -> None:
    """The model after may be another one; that of a repeat or an instruction may not, wherever it runs."""
    one = _document(model="a", model_sha256="1", base_url="http://x")
    elsewhere = _document(model="b", model_sha256="1", base_url="http://y")
    other = _document(model="a", model_sha256="2", base_url="http://x")
    assert doubts({"before": one, "after": other, "base": elsewhere, "prompt_only": elsewhere}) == ()
    (told,) = doubts({"before": one, "after": other, "base": other, "prompt_only": elsewhere})
    assert told.startswith("the run base asked another model than the run before (model_sha256 2, not 1)")
    assert doubts({"before": _document(call="f"), "after": one, "base": _document(call="g")}) == ()
