"""One run, stage by stage: plan, collect, score, find, report. Each reads the store and can be run again."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from audit import __version__
from audit.analyzers.base import Analyzer, AnalyzerContext
from audit.atomic import write_text
from audit.audited import build_targets, prices_of
from audit.calibrations import check_attached
from audit.carried import Shapes
from audit.collection.budget import refuse_unknown_spending
from audit.collection.every_target import refuse_rounds_of_batches
from audit.collection.progress import Progress
from audit.errors import InputError, SpecError, StoreError
from audit.estimates.measures import Measure, known_measures
from audit.estimates.measures_in_spec import check_measures_named
from audit.gate_conditions import thresholds_of
from audit.gate_names import ComparedGroups
from audit.looks import SequentialRule
from audit.named_in_plan import check_named_in_plan
from audit.plan import Plan
from audit.planned_run import Run, facts_in, planned_before, quarantine_salt
from audit.planning import Planner, check_authorised
from audit.plugins import build_analyzer, build_probe
from audit.raters import TargetRaters
from audit.run_folder import RunFolder
from audit.scoring import score_outputs
from audit.screening import QuarantineScreen
from audit.spec import GateRule, Spec, dump_spec, load_spec
from audit.store.file import LOCK_FILE, connected, failures, locked
from audit.store.order import order_seed
from audit.store.store import Store
from audit.targets.base import Target
from probes.base import Probe

__all__ = [
    "analyzer_context",
    "analyzers_of",
    "build_analyzers",
    "build_probes",
    "create_run",
    "measures_of",
    "preview_plan",
    "score",
    "scoring_analyzers",
]


def build_probes(spec: Spec, root: Path, where: str) -> list[Probe]:
    """The probes of a spec, in its order.

    Raises:
        SpecError: A probe is unknown, or its options are not accepted.
    """
    probes = [
        build_probe({"use": probe.use, **probe.options()}, root=root, where=f"{where}: probes[{index}]")
        for index, probe in enumerate(spec.probes)
    ]
    check_authorised(spec, probes, where)
    return probes


def measures_of(analyzers: Sequence[Analyzer], gate: Sequence[GateRule] = ()) -> tuple[Measure, ...]:
    """The built-in measures and those that these analyzers declare.

    Args:
        analyzers: Those of the run.
        gate: Rules of the spec, whose thresholds the estimates are tested against.
    """
    known = known_measures(declared for one in analyzers for declared in one.info.declared)
    tested = thresholds_of(gate)
    return tuple(replace(one, thresholds=tested[one.name]) if one.name in tested else one for one in known)


def analyzer_context(spec: Spec, root: Path, secrets: Mapping[str, str] | None = None) -> AnalyzerContext:
    """What the analyzers of a spec are given where nothing will be scored."""
    return AnalyzerContext(
        root=root,
        secrets=secrets or {},
        raters=TargetRaters(root=root, secrets=secrets or {}, seed=spec.seed),
        audited=(spec.target,) if spec.baseline is None else (spec.target, spec.baseline),
    )


def build_analyzers(spec: Spec, context: AnalyzerContext, where: str) -> list[Analyzer]:
    """The analyzers of a spec, in its order; nothing is contacted.

    Raises:
        SpecError: An analyzer is unknown, or its options are not accepted.
    """
    return [
        build_analyzer(analyzer.use, analyzer.options(), context, where=f"{where}: analyzers[{index}]")
        for index, analyzer in enumerate(spec.analyzers)
    ]


def analyzers_of(run: Run) -> list[Analyzer]:
    """The analyzers of a run, to be asked what they are; nothing is contacted.

    Raises:
        SpecError: As for `build_analyzers`.
    """
    return build_analyzers(run.spec, analyzer_context(run.spec, run.root), run.where)


def preview_plan(spec_path: Path) -> Plan:
    """The plan of a spec, without writing anything.

    Raises:
        SpecError: The spec is malformed, its analyzers cannot be made, or its probes make no prompt.
    """
    spec = load_spec(spec_path)
    analyzers = build_analyzers(spec, analyzer_context(spec, spec_path.parent), str(spec_path))
    measures = measures_of(analyzers)
    check_measures_named(spec, measures, str(spec_path))
    labels = check_attached(spec, analyzers, spec_path.parent, str(spec_path))
    probes = build_probes(spec, spec_path.parent, str(spec_path))
    planner = Planner(spec, probes, [one.info for one in analyzers])
    groups, shapes = ComparedGroups(), Shapes()
    for _ in groups.passing(shapes.passing(planner.prompts())):
        pass
    plan = planner.plan()
    # A plan may be made where the target cannot be; `doctor` and `run` say what it lacks.
    targets: dict[str, Target] = {}
    with suppress(InputError):
        targets = build_targets(spec, spec_path.parent, str(spec_path), {})
    infos = {key: one.info for key, one in targets.items()}
    refuse_unknown_spending(spec.limits, infos, prices_of(spec), str(spec_path))
    shapes.refuse(infos, str(spec_path))
    check_named_in_plan(spec, plan, planner.tags, groups, measures, str(spec_path))
    for file in labels:
        file.refuse_other_languages(groups.languages)
    return plan


def create_run(
    spec: Spec, out: Path, *, root: Path, where: str, sequential: SequentialRule | None = None
) -> Run:
    """Plan a run into a folder, or go on with the same plan already there.

    Args:
        spec: The spec.
        out: The run's folder; made if it does not exist.
        root: Folder that the spec's relative paths are relative to.
        where: Name of the spec file, for messages.
        sequential: When the run looks at its answers to stop early; None if it asks everything planned.

    Raises:
        SpecError: The probes or the analyzers cannot be made.
        StoreError: The folder holds a run of another spec (the message names the lines that differ), or
            of another rule of looks.
    """
    before = planned_before(spec, out, sequential)
    if before is not None:
        return before
    folder = RunFolder(out)
    if out.exists() and any(out.iterdir()) and not folder.database.exists():
        raise InputError(f"{out}: is not empty and holds no run", next_step="choose another --out folder")
    # Now, since a mistake found after the answers were paid for could not be mended without asking again.
    # Everything a spec names is made once before anything is written: a mistake leaves no folder behind.
    analyzers = build_analyzers(spec, analyzer_context(spec, root), where)
    measures = measures_of(analyzers)
    check_measures_named(spec, measures, where)
    labels = check_attached(spec, analyzers, root, where)
    targets = build_targets(spec, root, where, {})
    refuse_rounds_of_batches(targets, sequential)
    infos = {key: one.info for key, one in targets.items()}
    refuse_unknown_spending(spec.limits, infos, prices_of(spec), where)
    planner = Planner(spec, build_probes(spec, root, where), [one.info for one in analyzers])
    groups, shapes = ComparedGroups(), Shapes()
    _clear_unfinished(folder)
    with _all_or_nothing(folder), Store.create(out) as store:
        store.add_prompts(groups.passing(shapes.passing(planner.prompts())))
        store.keep_order(order_seed(spec.seed))
        plan = planner.plan(sequential).model_copy(update={"facts_sha256": facts_in(folder)})
        shapes.refuse(infos, where)
        check_named_in_plan(spec, plan, planner.tags, groups, measures, where)
        for file in labels:
            file.refuse_other_languages(groups.languages)
        # Relative, so that a run and its spec can move together.
        store.set_meta("root", os.path.relpath(root.resolve(), out.resolve()))
        store.set_meta("evenhand", __version__)
    write_text(folder.spec, dump_spec(spec))
    write_text(folder.plan, plan.model_dump_json(indent=2) + "\n")
    return Run(folder=folder, spec=spec, plan=plan, root=root)


def score(
    run: Run,
    *,
    secrets: Mapping[str, str] | None = None,
    progress: Callable[[str, int], None] | None = None,
    asked: Callable[[Progress], None] | None = None,
) -> int:
    """Score what the spec's analyzers have not read yet.

    Args:
        run: The run.
        secrets: Environment variables; an analyzer reads only those that its part of the spec names.
        progress: Called after each batch with the analyzer's name and how many outputs it has read.
        asked: Told a few times a second how far a model is that an analyzer asks.

    Returns:
        How many outputs were read, counted once an analyzer.
    """
    with run.store() as store:
        return score_outputs(store, scoring_analyzers(run, store, secrets, asked=asked), progress=progress)


def scoring_analyzers(
    run: Run,
    store: Store,
    secrets: Mapping[str, str] | None,
    *,
    asked: Callable[[Progress], None] | None = None,
) -> list[Analyzer]:
    """The analyzers of a run, ready to score into its open store; the rest is as for `score`."""
    context = analyzer_context(run.spec, run.root, secrets)
    raters = TargetRaters(
        root=run.root,
        keep=run.folder.raters,
        secrets=context.secrets,
        seed=run.spec.seed,
        screen=QuarantineScreen(quarantine_salt(store)).quarantine,
        progress=asked,
        resume=f"evenhand resume {run.folder.path}",
    )
    return build_analyzers(run.spec, replace(context, raters=raters), run.where)


@contextmanager
def _all_or_nothing(folder: RunFolder) -> Iterator[None]:
    """Leave no folder of a plan that is refused once its prompts are known."""
    new = not folder.path.exists()
    try:
        yield
    except (InputError, SpecError):
        _clear_unfinished(folder)
        if new:
            (folder.path / LOCK_FILE).unlink(missing_ok=True)
            with suppress(OSError):  # somebody may have put something there meanwhile
                folder.path.rmdir()
        raise


def _clear_unfinished(folder: RunFolder) -> None:
    """Remove a plan that was not finished; it holds nothing that was asked or paid for.

    Raises:
        StoreError: Another process is planning here, or has just planned and may be asking already; or
            answers are stored, so that the plan was finished once and has been lost since.
    """
    if not folder.database.exists():
        return
    lock = locked(folder.path)
    try:
        if folder.plan.exists():
            raise StoreError(
                f"{folder.path}: another process has just planned a run here",
                next_step=f"evenhand resume {folder.path}",
            )
        if _holds_outputs(folder):
            raise StoreError(
                f"{folder.path}: holds outputs, but its plan.json is missing; nothing was changed",
                next_step="put plan.json and spec.yaml back, or choose another --out folder",
            )
        for suffix in ("", "-wal", "-shm"):
            folder.database.with_name(folder.database.name + suffix).unlink(missing_ok=True)
    finally:
        os.close(lock)


def _holds_outputs(folder: RunFolder) -> bool:
    with failures(folder.database), closing(connected(folder.database, "ro")) as connection:
        # A process that was killed early leaves a file without tables.
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outputs'").fetchone() is None:
            return False
        return connection.execute("SELECT 1 FROM outputs LIMIT 1").fetchone() is not None
