"""What may be stated of a run: by one analysis of everything, or as of the looks of a run until decided."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from audit.analyzers.base import Analyzer
from audit.audited import TARGET
from audit.calibrations import attached_rates, given_rates
from audit.compare import Side, changes
from audit.errors import InputError
from audit.estimates.correction import Corrections
from audit.estimates.correction_band import KnownErrors
from audit.estimates.disparities import disparities
from audit.estimates.frame import Readings
from audit.estimates.measures import Measure
from audit.estimates.stops import Stops
from audit.findings.document import RunDocument
from audit.looks import SequentialRule
from audit.planned_run import Run
from audit.records import Change, Counts
from audit.review.events import review_labels
from audit.runs import measures_of, scoring_analyzers
from audit.scoring import score_outputs
from audit.spec import Judgement, Spec
from audit.statistics.group_sequential import group_sequential
from audit.store.store import Store
from audit.until_decided import Looking, Sequel, View

__all__ = ["changes_of", "corrections_of", "load_document", "looking", "views_of"]


def corrections_of(
    run: Run, analyzers: Sequence[Analyzer], calibrations: Sequence[Path]
) -> dict[str, Corrections]:
    """What is known of the analyzers' errors, by role.

    The labels are of the target's answers: how an analyzer errs on another model's is not known.

    Args:
        run: The run.
        analyzers: Its analyzers.
        calibrations: Files given on the command line.
    """
    known = KnownErrors(shipped={analyzer.info.name: analyzer.info.error_rates for analyzer in analyzers})
    rates = (
        *given_rates(run.spec, analyzers, calibrations, "--calibration"),
        *attached_rates(run.spec, analyzers, run.root, run.where),
    )
    # A review's sample was drawn from all answers of a run: it does not fit the part that a look has.
    reviews = review_labels(run) if run.plan.sequential is None else ()
    return {
        role: Corrections(rates=rates, reviews=reviews, known=known)
        if role == TARGET
        else Corrections(known=known)
        for role in run.roles
    }


def views_of(
    run: Run,
    store: Store,
    measures: Sequence[Measure],
    corrections: Mapping[str, Corrections],
    counts: Mapping[str, Counts],
) -> tuple[Mapping[str, View], Sequel | None]:
    """What may be stated of each target, and how a run until decided went.

    Args:
        run: The run.
        store: Its store, every output of which is scored.
        measures: Which to state.
        corrections: What is known of the analyzers' errors, by role.
        counts: The count funnel by role.
    """
    rule = run.plan.sequential
    if rule is not None:
        sequel = Sequel.of(Looking(run, rule, store, measures=measures, corrections=corrections), counts)
        return sequel.views, sequel
    return {
        role: _fixed(Readings(store.frame(role)), run.spec, measures, corrections[role]) for role in run.roles
    }, None


def _fixed(readings: Readings, spec: Spec, measures: Sequence[Measure], corrections: Corrections) -> View:
    compared = disparities(
        readings.measure, spec.judgement, seed=spec.seed, measures=measures, corrections=corrections
    )
    return View(
        readings=readings, compared=tuple(compared), frame_of=readings.measure, judgement=spec.judgement
    )


def load_document(run: Run) -> RunDocument:
    """What a run found earlier.

    Raises:
        InputError: `evenhand findings` has not been run, or the file is damaged.
    """
    path = run.folder.findings
    try:
        return RunDocument.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no findings yet", next_step=f"evenhand findings {run.folder.path}"
        ) from error
    except ValueError as error:
        raise InputError(
            f"{path}: is damaged or of another version: {str(error).splitlines()[0]}",
            next_step=f"evenhand findings {run.folder.path}",
        ) from error


def changes_of(
    before: Side, after: Side, judgement: Judgement, documents: tuple[RunDocument, RunDocument]
) -> list[Change]:
    """Changes; those of probes that a run until decided stopped early hold at whichever look that was.

    Args:
        before: The earlier run.
        after: The later one.
        judgement: Thresholds of the later one.
        documents: What both found.
    """
    return changes(before, after, judgement, stops=_stops(judgement, documents))


def _stops(judgement: Judgement, documents: tuple[RunDocument, RunDocument]) -> Stops | None:
    """The probes that either run stopped early, at the stricter level of the two."""
    stopped = [
        Stops(
            boundaries=group_sequential(report.rule.looks, shape=report.rule.shape),
            look=report.rate_look,
            probes=frozenset(report.stopped_probes),
        )
        for report in (document.sequential for document in documents)
        if report is not None and report.rate_look is not None
    ]
    if not stopped:
        return None
    strictest = max(stopped, key=lambda one: one.boundaries.level(judgement.level, one.look))
    return replace(strictest, probes=frozenset().union(*(one.probes for one in stopped)))


def looking(run: Run, rule: SequentialRule, store: Store, secrets: Mapping[str, str]) -> Looking:
    """Looks for a collection: scores what came in and says what is still to ask.

    Args:
        run: The run.
        rule: When it looks.
        store: Its store, open for writing.
        secrets: Environment variables; an analyzer reads only those that its part of the spec names.
    """
    analyzers = scoring_analyzers(run, store, secrets)
    return Looking(
        run,
        rule,
        store,
        measures=measures_of(analyzers),
        corrections=corrections_of(run, analyzers, ()),
        read=lambda: score_outputs(store, analyzers),
    )
