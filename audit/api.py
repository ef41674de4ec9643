"""Everything the command line does, for programs: one function a command, plain data in and out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from audit.analyzers.base import AnalyzerInfo
from audit.atomic import write_text
from audit.attached_labels import attached_labels
from audit.audited import BASELINE, TARGET
from audit.catalogue import (
    check_targets,
    list_analyzers,
    list_probes,
    list_targets,
    make_probe,
    show_analyzer,
    show_probe,
    show_target,
)
from audit.collecting import collect
from audit.compare import Side, changes
from audit.comparing import compare
from audit.drift import drifts_of
from audit.errors import IncompleteError
from audit.estimates.benchmarks import benchmark_scores
from audit.estimates.correction import Corrections
from audit.estimates.frame import Readings, absent
from audit.estimates.group_rates import group_rates
from audit.estimates.measures import Measure, measure_of
from audit.estimates.omnibus import omnibus
from audit.estimates.outcomes import outcomes
from audit.estimates.prices import merit_prices
from audit.estimates.rates import rates
from audit.estimates.reply_distances import reply_distances
from audit.estimates.word_associations import reply_associations
from audit.exporting import export_run
from audit.findings import findings
from audit.findings.document import RunDocument, Unread
from audit.gates import GateResult, check_gate
from audit.planned_costs import planned_costs
from audit.planned_run import Run, open_run
from audit.proposals import propose
from audit.raters import rater_uses
from audit.records import Change, Estimate, Omnibus
from audit.repair import Training, retrain, train
from audit.repaired.comparison import Comparison
from audit.reporting import write_comparison_report, write_run_report
from audit.review.events import import_reviews as import_review
from audit.review.events import review_summary
from audit.review.sampling import export_sample as export_review
from audit.runs import analyzer_context, build_analyzers, create_run, measures_of, preview_plan, score
from audit.spec import Spec, load_spec
from audit.stating import corrections_of, load_document, views_of
from audit.until_decided import View

__all__ = [
    "Comparison",
    "Run",
    "Training",
    "check_targets",
    "collect",
    "compare",
    "create_run",
    "export_review",
    "export_run",
    "find",
    "gate",
    "import_review",
    "list_analyzers",
    "list_probes",
    "list_targets",
    "load_document",
    "load_spec",
    "make_probe",
    "open_run",
    "planned_costs",
    "preview_plan",
    "propose",
    "retrain",
    "review_summary",
    "score",
    "show_analyzer",
    "show_probe",
    "show_target",
    "train",
    "write_comparison_report",
    "write_run_report",
]


def find(run: Run, *, calibrations: Sequence[Path] = ()) -> RunDocument:
    """Estimate everything, find what the data support, and write `findings.json`.

    Args:
        run: The run.
        calibrations: Files that `evenhand analyzers check --json` printed, each for the analyzer it names;
            they go before those that the spec attaches.

    Returns:
        The document that was written.

    Raises:
        IncompleteError: An analyzer of the spec has not read every output.
        StoreError: Somebody changed the prompts since they were planned.
        InputError: A file of labels is missing or malformed, of another analyzer or version, or fits no
            answer.
    """
    analyzers = build_analyzers(run.spec, analyzer_context(run.spec, run.root), run.where)
    run.check_prompts()
    with run.store(read_only=True) as store:
        for analyzer in analyzers:
            if next(store.exchanges(analyzer.info.name, analyzer.info.version), None) is not None:
                raise IncompleteError(
                    f"{run.folder.path}: {analyzer.info.name} has not read every output",
                    next_step=f"evenhand score {run.folder.path}",
                )
        counts = {role: store.counts(role, run.spec.repeats) for role in run.roles}
        facts = {role: json.loads(store.get_meta(f"target.{role}") or "{}") for role in run.roles}
        measures = measures_of(analyzers, run.spec.gate)
        corrections = corrections_of(run, analyzers, calibrations)
        views, sequel = views_of(run, store, measures, corrections, counts)
    labels = attached_labels(run, corrections[TARGET], views[TARGET].readings.outputs)
    infos = {analyzer.info.name: analyzer.info for analyzer in analyzers}
    view = views[TARGET]
    target = _side(view, run.spec, measures, infos, corrections[TARGET])
    replies = (view.readings, run.folder.path, TARGET)
    apart = view.stated(lambda at: reply_distances(*replies, at))
    worded = view.stated(lambda at: reply_associations(*replies, at, seed=run.spec.seed))
    target = Side(readings=target.readings, estimates=[*target.estimates, *apart, *worded])
    against: tuple[Change, ...] = ()
    if BASELINE in views:
        # The labels are of the target's answers: how the analyzer errs on another model's is not known.
        baseline = _side(views[BASELINE], run.spec, measures, infos, corrections[BASELINE])
        against = tuple(changes(baseline, target, view.judgement, stops=view.stops))
    document = RunDocument(
        run=run.spec.name,
        seed=run.spec.seed,
        spec_sha256=run.plan.spec_sha256,
        prompts_sha256=run.plan.prompts_sha256,
        analyzers=target.readings.versions,
        targets=facts,
        counts=counts if sequel is None else dict(sequel.counts),
        versions=run.plan.versions,
        estimates=tuple(target.estimates),
        group_rates=tuple(
            rate
            for measure in measures
            # Of a comparison of people the disparity says both groups' shares.
            if measure.compare_groups and measure.unit == "rate" and not measure.between
            for rate in view.stated(partial(group_rates, view.frame_of(measure), measure))
        ),
        omnibus=tuple(_wholes(view, run.spec.seed, measures, corrections[TARGET])),
        outcomes=outcomes(view.frame_of, view.judgement, stops=view.stops),
        findings=tuple(findings(target.estimates, target.readings.measure)),
        raters=rater_uses(run.folder.raters),
        unread=tuple(_unread(target.readings, measures)),
        labels=labels,
        against_baseline=against,
        sequential=None if sequel is None else sequel.report,
        drift=drifts_of(run, facts),
    )
    write_text(run.folder.findings, document.model_dump_json(indent=1) + "\n")
    return document


def gate(run: Run, document: RunDocument) -> list[GateResult]:
    """What the spec's gate says of a run's estimates."""
    return check_gate(run.spec.gate, document.estimates)


def _side(
    view: View,
    spec: Spec,
    measures: Sequence[Measure],
    infos: Mapping[str, AnalyzerInfo],
    corrections: Corrections,
) -> Side:
    frame_of, judgement = view.frame_of, view.judgement
    estimates: list[Estimate] = [
        *view.compared,
        *view.stated(partial(merit_prices, frame_of, view.compared)),
        *rates(frame_of, judgement, measures=measures, corrections=corrections, stops=view.stops),
        *view.stated(lambda at: benchmark_scores(frame_of, at, seed=spec.seed)),
    ]
    return Side(
        readings=view.readings, estimates=[_noted(estimate, infos, corrections) for estimate in estimates]
    )


def _wholes(view: View, seed: int, measures: Sequence[Measure], corrections: Corrections) -> list[Omnibus]:
    return view.stated(
        lambda at: omnibus(view.frame_of, at, seed=seed, measures=measures, labelled=corrections.attached)
    )


def _noted(estimate: Estimate, infos: Mapping[str, AnalyzerInfo], corrections: Corrections) -> Estimate:
    """The estimate with what its analyzer says a reader must know."""
    measure = measure_of(estimate)
    info = None if measure is None or measure.analyzer is None else infos.get(measure.analyzer)
    if measure is None or info is None:
        return estimate
    said = info.notes
    if info.unmeasured is not None and corrections.rates_of(measure) is None:
        said = (info.unmeasured, *said)
    return estimate.model_copy(update={"notes": said}) if said else estimate


def _unread(readings: Readings, measures: Sequence[Measure]) -> Iterator[Unread]:
    for measure in measures:
        if measure.analyzer is None:
            continue
        cut = readings.partly(measure)
        for probe, rows in readings.measure(measure).groupby("probe", observed=True, sort=True):
            missing = int(absent(rows).sum())
            outside = int(rows["outside"].sum()) if "outside" in rows else 0
            partly = int(rows["output"].isin(cut).sum()) if cut else 0
            if missing or partly or outside:
                yield Unread(
                    measure=measure.name,
                    probe=str(probe),
                    answers=len(rows) - outside,
                    unread=missing,
                    partly=partly,
                    outside=outside,
                )
