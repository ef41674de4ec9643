"""Labels attached to a run, each with how many of them fit it: those that do not are told, not dropped."""

from collections.abc import Iterator

import pandas as pd

from audit.errors import InputError
from audit.estimates.correction import Corrections
from audit.estimates.error_rates import ErrorRates
from audit.findings.document import AttachedLabels
from audit.planned_run import Run
from audit.review.events import review_labels, unplaced_labels

__all__ = ["attached_labels"]

_AT_LOOKS = "a run until decided is not corrected by them: they were drawn from all its answers, not by look"


def attached_labels(run: Run, corrections: Corrections, outputs: pd.DataFrame) -> tuple[AttachedLabels, ...]:
    """What labels there are, in the order in which they are taken, and how many fit.

    Args:
        run: The run.
        corrections: What they can correct of its target.
        outputs: Its answers: columns `output` and `language`.

    Raises:
        InputError: Of a file of labels, or of people's labels of a reading, none fits.
    """
    found = (*_by_people(run, outputs), *_by_checks(corrections, outputs))
    for one in found:
        if not one.n_fitting and _AT_LOOKS not in one.unfit:
            place = run.folder.reviews if one.source == "review" else one.labels
            raise InputError(
                f"{place}: none of its {one.n_given} labels of {one.analyzer}, {one.reading}, fits this run: "
                f"{'; '.join(one.unfit)}",
                next_step=f"evenhand review {run.folder.path} --export FILE --analyzer {one.analyzer}"
                if one.source == "review"
                else "give labels of answers such as these, or leave the file out",
            )
    return found


def _by_people(run: Run, outputs: pd.DataFrame) -> Iterator[AttachedLabels]:
    known = frozenset(int(one) for one in outputs["output"])
    labels = {(one.analyzer, one.reading): one for one in review_labels(run)}
    unplaced = unplaced_labels(run, known)
    for analyzer, reading in {**labels, **dict.fromkeys(sorted(unplaced))}:
        mine = labels.get((analyzer, reading))
        placed = 0 if mine is None else sum(output in known for output in mine.outputs)
        strays = unplaced[analyzer, reading]
        unfit = [f"{strays} of answers that were not drawn in this run"] if strays else []
        if run.plan.sequential is not None and placed:
            unfit.append(_AT_LOOKS)
        yield AttachedLabels(
            source="review",
            analyzer=analyzer,
            reading=reading,
            labels="none of this run" if mine is None else mine.source,
            n_labels=placed,
            n_given=placed + strays,
            n_fitting=0 if _AT_LOOKS in unfit else placed,
            unfit=tuple(unfit),
            groups=(),
        )


def _by_checks(corrections: Corrections, outputs: pd.DataFrame) -> Iterator[AttachedLabels]:
    languages = frozenset(str(one) for one in outputs["language"].unique())
    for rates in corrections.rates:
        elsewhere = rates.elsewhere(languages)
        groups = {cell.group for cell in rates.cells if cell.group is not None}
        yield AttachedLabels(
            source="calibration",
            analyzer=rates.analyzer,
            reading=rates.reading,
            labels=rates.source,
            n_labels=rates.total,
            n_given=rates.total + rates.unread,
            n_fitting=rates.total - sum(elsewhere.values()),
            unfit=tuple(_why(rates, elsewhere)),
            groups=tuple(sorted(groups)),
        )


def _why(rates: ErrorRates, elsewhere: dict[str | None, int]) -> Iterator[str]:
    if rates.unread:
        yield f"{rates.unread} of answers that {rates.analyzer} could not read"
    for language, count in sorted(elsewhere.items(), key=lambda one: one[0] or ""):
        told = "that name no language, as the others do" if language is None else f"in {language}"
        yield f"{count} {told}" + ("" if language is None else ", which no prompt is in")
