"""What is known least is told as the findings would state it, while the run is still being asked."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from audit import api
from audit.collection.progress import Progress, Widest
from audit.planned_run import open_run
from audit.provisional import quick_analyzers, still_asked, widest, widest_of_run
from audit.records import Estimate, Verdict
from audit.runs import measures_of
from audit.spec import parse_spec
from audit.store.snapshot import Snapshot
from audit.watching import watching
from probes.records import Norm

SPEC = """\
version: 1
name: watched
seed: 5
target: {type: specimen, favourable_rate: 0.6, gaps: {gender: {female: -0.2}}}
repeats: 2
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender, age]
    signals: [explicit]
    placebos: [resample]
    merit: [borderline]
    templates: 16
analyzers: [decision, repetition]
"""


def estimate(group: str, length: float | None, **fields: object) -> Estimate:
    """A disparity with an interval of some length around 0."""
    shape: dict[str, object] = {
        "kind": "disparity",
        "measure": "favourable_rate",
        "unit": "rate",
        "probe": "bias/decisions",
        "domain": "all",
        "attribute": "gender",
        "group": group,
        "reference_group": "men",
        "norm": Norm.MUST_NOT_DIFFER,
        "point": None if length is None else 0.0,
        "ci_low": None if length is None else -length / 2,
        "ci_high": None if length is None else length / 2,
        "margin": 0.05,
        "method": "cluster-t",
        "n_outputs": 100,
        "n_clusters": 40,
        "verdict": Verdict.INCONCLUSIVE,
    }
    return Estimate.model_validate(shape | fields)


def chosen(*estimates: Estimate) -> str | None:
    """The group of what is told."""
    found = widest(estimates)
    return None if found is None else found.group


def test_lengths_are_compared_in_margins_of_concern() -> None:
    """Points, salaries and cosines meet only there."""
    salary = estimate("salary", 4000.0, unit="number", margin=2000.0)
    assert chosen(estimate("women", 0.2), estimate("others", 0.1), salary) == "women"
    assert chosen(estimate("others", 0.05), salary) == "salary"


@pytest.mark.parametrize(
    "beside",
    [
        estimate("other", 0.9, norm=Norm.MAY_DIFFER),
        estimate("other", 0.9, verdict=Verdict.NOT_MEASURED),
        estimate("other", 0.9, margin=None),
        estimate("other", 0.9, domain="lending"),
        estimate("other", None, verdict=Verdict.NOT_MEASURED),
    ],
)
def test_what_decides_nothing_is_left_out(beside: Estimate) -> None:
    """Nobody waits for an allowed difference, a handful of templates or a domain beside the whole."""
    assert chosen(estimate("women", 0.1), beside) == "women"


def test_comparisons_that_the_run_is_for_come_first() -> None:
    """Whatever else it can be cut into is wider and of less interest."""
    assert chosen(estimate("women", 0.1, primary=True), estimate("other", 0.9)) == "women"
    assert chosen() is None


def test_what_was_decided_early_is_not_what_is_known_least() -> None:
    """A run until decided asks on about the others only, and it is they that one waits for."""
    decided, open_ = estimate("decided", 0.9, n_clusters=14), estimate("open", 0.1)
    assert chosen(decided, open_) == "decided"
    assert chosen(*still_asked([decided, open_])) == "open"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> api.Run:
    """A run that was asked and not scored."""
    folder = tmp_path_factory.mktemp("provisional")
    made = api.create_run(parse_spec(SPEC, "spec.yaml"), folder / "run", root=folder, where="spec.yaml")
    asyncio.run(api.collect(made, secrets={}))
    return made


@pytest.fixture(scope="module")
def told(run: api.Run, tmp_path_factory: pytest.TempPathFactory) -> Widest:
    """What is told of all its answers."""
    analyzers = quick_analyzers(run)
    with closing(Snapshot(run.folder.path, tmp_path_factory.mktemp("copy"))) as snapshot:
        found = widest_of_run(run, snapshot, analyzers, measures_of(analyzers))
    assert found is not None
    return found


def test_analyzers_that_need_all_replies_do_not_take_part(run: api.Run) -> None:
    """A survey of half the replies says something else than one of all."""
    assert [one.info.name for one in quick_analyzers(run)] == ["decision"]


def test_it_is_what_the_findings_state_of_the_same_answers(run: api.Run, told: Widest) -> None:
    """Neither more nor less, and the run had not been scored before."""
    api.score(run)
    stated = [Widest.of(one) for one in api.find(run).estimates if one.ci_low is not None and one.margin]
    assert told in stated


def test_a_display_is_told_and_the_process_ends_with_the_run(run: api.Run, told: Widest) -> None:
    """The same figures arrive through the process beside the run, which is gone afterwards."""
    shown: list[Progress] = []
    with watching(run, shown.append, after_s=0.0) as show:
        assert show is not None
        until = time.monotonic() + 60
        while time.monotonic() < until and not (shown and shown[-1].widest):
            show(Progress(planned=1, done=0, elapsed_s=1.0))
            time.sleep(0.1)
    assert shown[-1].widest == told
    assert not _beside(run)


def test_nothing_is_started_for_a_short_run_or_for_nobody(run: api.Run) -> None:
    """A run of seconds and a run without a display cost nothing more."""
    shown: list[Progress] = []
    with watching(run, shown.append) as show, watching(run, None) as nobody:
        assert show is not None
        assert nobody is None
        show(Progress(planned=1, done=0, elapsed_s=9.0))
        assert not _beside(run)
    assert shown == [Progress(planned=1, done=0, elapsed_s=9.0)]


def test_it_ends_by_itself_when_the_run_is_killed(run: api.Run) -> None:
    """Whoever listened is gone without a word; no process and no copy stays behind."""
    program = (
        "import sys, time; from pathlib import Path; from audit.planned_run import open_run; "
        "from audit.watching import watching; from audit.collection.progress import Progress\n"
        "run, tell = open_run(Path(sys.argv[1])), lambda now: print(bool(now.widest), flush=True)\n"
        "with watching(run, tell, after_s=0) as s:\n"
        "    while True: s(Progress(planned=1, done=0, elapsed_s=1)); time.sleep(.1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(run.folder.path)], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            if line.strip() == "True":
                break
        assert _beside(run)
        os.kill(process.pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while _beside(run) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _beside(run)


def _beside(run: api.Run) -> list[str]:
    """Command lines of the processes beside a run."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "audit.provisional" in words and str(run.folder.path) in words:
            found.append(" ".join(words))
    return found


def test_a_folder_is_opened_as_any_stage_does(run: api.Run) -> None:
    """The process has only the folder's name to go by."""
    assert open_run(run.folder.path).spec == run.spec
