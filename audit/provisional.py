"""A process beside a run that is being asked: which comparison is known least, as of the answers so far.

    python -m audit.provisional RUN

It writes a line of JSON (`Widest`) whenever that has changed, and ends when its standard input does. It reads
a copy of the run's store, at the lowest priority and for a twentieth of the time at most, and asks nobody:
analyzers that ask models, survey all replies or are slow read nothing here. What it tells is shown and
nothing rests on it: no verdict, no stop, no file.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from audit.analyzers.base import Analyzer, Surveyor
from audit.audited import TARGET
from audit.collection.progress import Widest
from audit.estimates.contrasts import POOLED
from audit.estimates.disparities import disparities
from audit.estimates.frame import Readings
from audit.estimates.measures import Measure
from audit.planned_run import Run, open_run
from audit.records import Estimate, Verdict
from audit.runs import analyzers_of, measures_of
from audit.scoring import score_outputs
from audit.store.snapshot import Snapshot
from probes.records import Norm

__all__ = ["main", "quick_analyzers", "still_asked", "widest", "widest_of_run"]

_SHARE = 0.05
_SHORTEST_WAIT_S = 5.0


def main() -> None:
    """Tell what is known least of the run named on the command line, again and again."""
    os.nice(19)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    run = open_run(Path(sys.argv[1]))
    analyzers = quick_analyzers(run)
    measures = measures_of(analyzers)
    with (
        TemporaryDirectory(prefix="evenhand-provisional-") as folder,
        closing(Snapshot(run.folder.path, Path(folder))) as snapshot,
    ):
        told: Widest | None = None
        while True:
            began = time.monotonic()
            snapshot.refresh()
            found = widest_of_run(run, snapshot, analyzers, measures)
            if found is not None and found != told:
                sys.stdout.write(f"{found.model_dump_json()}\n")
                sys.stdout.flush()
                told = found
            took = time.monotonic() - began
            if _ended(max(_SHORTEST_WAIT_S, took / _SHARE)):
                return


def quick_analyzers(run: Run) -> list[Analyzer]:
    """The analyzers of a run that read a reply by itself, at once and asking nobody."""
    return [
        one
        for one in analyzers_of(run)
        if not (one.info.asks or one.info.hosts or one.info.slow or isinstance(one, Surveyor))
    ]


def widest_of_run(
    run: Run, snapshot: Snapshot, analyzers: Sequence[Analyzer], measures: Sequence[Measure]
) -> Widest | None:
    """What is known least of the audited target, of the answers in a snapshot; None if nothing is known yet.

    Args:
        run: The run.
        snapshot: Its copy, which keeps the scores.
        analyzers: Which read it.
        measures: Which are compared.
    """
    score_outputs(snapshot.store, analyzers)
    if TARGET not in snapshot.store.targets():
        return None
    readings = Readings(snapshot.store.frame(TARGET))
    found = disparities(readings.measure, run.spec.judgement, seed=run.spec.seed, measures=measures)
    return widest(found if run.plan.sequential is None else still_asked(found))


def still_asked(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Those on the most templates of their domain: a comparison that was decided early is not asked on.

    Args:
        estimates: Disparities of a run that asks until decided.
    """
    most: dict[tuple[str, str, str], int] = {}
    for one in estimates:
        place = (one.probe, one.domain, one.language)
        most[place] = max(most.get(place, 0), one.n_clusters)
    return [one for one in estimates if one.n_clusters == most[one.probe, one.domain, one.language]]


def widest(estimates: Iterable[Estimate]) -> Widest | None:
    """The disparity whose interval is the longest in margins of concern; None if none has an interval.

    Measures have units of their own, and the margin of concern is what makes them comparable. Only what must
    not differ counts, of enough templates to be measured; comparisons that the run was made for are preferred
    to others, and those over all domains to those of one.

    Args:
        estimates: Those of a run.
    """
    known = [
        one
        for one in estimates
        if one.norm is Norm.MUST_NOT_DIFFER and one.verdict is not Verdict.NOT_MEASURED
        if one.ci_low is not None and one.ci_high is not None and one.margin
    ]
    made_for = [one for one in known if one.primary] or known
    candidates = [one for one in made_for if one.domain == POOLED] or made_for
    return Widest.of(max(candidates, key=_in_margins)) if candidates else None


def _in_margins(estimate: Estimate) -> float:
    """Length of an interval in margins of concern."""
    if estimate.ci_low is None or estimate.ci_high is None or not estimate.margin:
        return 0.0
    return (estimate.ci_high - estimate.ci_low) / estimate.margin


def _ended(seconds: float) -> bool:
    """Whether standard input ends within a time: then nobody listens any more."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable)


if __name__ == "__main__":
    main()
