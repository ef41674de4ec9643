"""Two runs of one plan side by side: whether they can be compared, and all that is stated then."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from audit.compare import Side
from audit.errors import InputError
from audit.estimates.measures import measure_of
from audit.findings.document import RunDocument
from audit.planned_run import Run
from audit.records import Change
from audit.repaired.comparison import Comparison
from audit.repaired.outcomes import Beside, beside, finding_outcomes
from audit.repaired.reach import ReachCell, reach
from audit.retraining.gates.quality import GATING
from audit.retraining.records import Manifest
from audit.review.events import review_labels
from audit.spec import Judgement
from audit.stating import changes_of, load_document

__all__ = ["compare"]


def compare(
    before: Run,
    after: Run,
    *,
    base: Run | None = None,
    prompt_only: Run | None = None,
    files: Manifest | None = None,
) -> Comparison:
    """Two runs of one plan, paired by prompt; change = after - before.

    Args:
        before: The earlier run.
        after: The later run; its judgement holds.
        base: A second audit of the earlier model: what repeating alone changes.
        prompt_only: The earlier model with an instruction and nothing else: a repair that costs nothing.
        files: What the retraining files say of themselves: tells what they touched, and what gated them.

    Returns:
        The changes, or why the runs cannot be compared.

    Raises:
        InputError: A run is given in two places that ask for two runs.
    """
    _refuse_one_twice(before, after, base=base, prompt_only=prompt_only)
    names = {"before": before, "after": after, "base": base, "prompt_only": prompt_only}
    runs = {name: run for name, run in names.items() if run is not None}
    documents = {name: load_document(run) for name, run in runs.items()}
    found = Comparison(
        before=str(before.folder.path),
        after=str(after.folder.path),
        changes=(),
        not_comparable=_why_not_comparable(documents),
        documents=documents,
    )
    if found.not_comparable is not None:
        return found
    pairing = _Pairing(runs, documents, after.spec.judgement)
    changes = pairing.changes("before", "after")
    return replace(
        found,
        changes=changes,
        outcomes=finding_outcomes(documents["before"], documents["after"], changes),
        beside=pairing.beside(changes),
        cells=() if files is None else pairing.cells(files),
        gated={} if files is None else _gated(changes),
    )


def _refuse_one_twice(before: Run, after: Run, **further: Run | None) -> None:
    """Refuses a run as its own repeat or repair: it would show that nothing changes by chance."""
    places = {"BEFORE": before, "AFTER": after}
    given = {f"--{name.replace('_', '-')}": run for name, run in further.items() if run is not None}
    for name, run in given.items():
        for place, other in places.items():
            if run.folder.path.resolve() == other.folder.path.resolve():
                raise InputError(
                    f"{name}: {run.folder.path} is {place} itself; accepted: another run of the same spec"
                )


class _Pairing:
    """The runs of a comparison, any two of them paired by prompt."""

    def __init__(
        self, runs: Mapping[str, Run], documents: Mapping[str, RunDocument], judgement: Judgement
    ) -> None:
        self._documents = documents
        self._judgement = judgement
        self._sides = {
            name: Side(
                readings=run.readings(), estimates=documents[name].estimates, reviews=review_labels(run)
            )
            for name, run in runs.items()
        }

    def changes(self, one: str, other: str) -> tuple[Change, ...]:
        """From one run to another; none where one is not given."""
        if not {one, other} <= set(self._sides):
            return ()
        both = (self._documents[one], self._documents[other])
        return tuple(changes_of(self._sides[one], self._sides[other], self._judgement, both))

    def beside(self, changes: Sequence[Change]) -> tuple[Beside, ...]:
        """What a repeat and an instruction changed, where there are such runs."""
        if not {"base", "prompt_only"} & set(self._sides):
            return ()
        return beside(
            changes,
            base=self.changes("before", "base"),
            prompt_only=self.changes("before", "prompt_only"),
            against_prompt_only=self.changes("prompt_only", "after"),
        )

    def cells(self, files: Manifest) -> tuple[ReachCell, ...]:
        """Changes by what the retraining files touched, where no run stopped early."""
        if any(one.sequential is not None for one in self._documents.values()):
            return ()
        sides = (self._sides["before"].readings, self._sides["after"].readings)
        return reach(*sides, files.seen, level=self._judgement.level)


def _gated(stated: Sequence[Change]) -> dict[str, str]:
    found = {}
    for change in stated:
        measure = measure_of(change)
        if measure is not None and measure.analyzer is not None and measure.analyzer in GATING:
            found[measure.name] = measure.analyzer
    return found


def _why_not_comparable(documents: Mapping[str, RunDocument]) -> str | None:
    before = documents["before"]
    reasons = (_apart(before, document, name) for name, document in documents.items())
    return next((reason for reason in reasons if reason is not None), None)


def _apart(before: RunDocument, after: RunDocument, called: str) -> str | None:
    if before.prompts_sha256 != after.prompts_sha256:
        return f"the runs before and {called} asked different prompts: run one spec (probes and seed) on both"
    for name, document in (("before", before), (called, after)):
        for role, drift in document.drift.items():
            if drift.drifted:
                return f"the endpoint of the {role} of the run {name} changed meanwhile: {drift.reasons[0]}"
    if before.analyzers != after.analyzers:
        return f"the outputs were read by different analyzers: {_readers_apart(before, after, called)}"
    return None


def _readers_apart(before: RunDocument, after: RunDocument, called: str) -> str:
    """Each analyzer that is not the same on both sides, and how to make it the same."""
    one, other = before.analyzers, after.analyzers
    named = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    said = [
        f"{name} {one.get(name, 'none')} in before and {other.get(name, 'none')} in {called}"
        for name in named
    ]
    if one.keys() == other.keys():
        return f"{', '.join(said)}; score the older run again (evenhand score RUN, evenhand findings RUN)"
    return f"{', '.join(said)}; name the same analyzers in both specs"
