"""The run store: what it is given survives, and nothing half-done does."""

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import InputError, StoreError
from audit.records import Outcome, Output, Score, Usage
from audit.store.schema import output_from, output_row, prompt_from, prompt_row
from audit.store.store import Store
from probes.records import Prompt


def make_prompt(number: int, *, template: str = "t", set_id: str | None = None) -> Prompt:
    """A valid prompt whose content depends on its number."""
    return Prompt.make(
        messages=[{"role": "user", "content": f"Question {number}, with ünïcödé?"}],
        probe="bias/decisions",
        template=template,
        domain="lending",
        expectation={"kind": "choice", "options": ("yes", "no"), "favourable": "yes"},
        set_id=set_id,
        arm=None if set_id is None else "counterfactual",
        attribute="gender",
        group="women" if number % 2 else "men",
        reference="men",
        signal="explicit",
        norm="must_not_differ",
        name=f"Name {number}",
        source_id=f"row-{number}",
        tags={"merit": "high", "a": "b"},
    )


def make_output(prompt: Prompt, *, target: str = "target", attempt: int = 0, **fields: object) -> Output:
    """An answered output of a prompt, unless the fields say otherwise."""
    shape = {"target": target, "prompt_id": prompt.id, "attempt": attempt, "text": "yes", **fields}
    return Output.model_validate(shape)


def score(
    output: int, *, version: str = "1", measure: str = "favourable", value: float | None = 1.0
) -> Score:
    """A score of the analyzer `decision`."""
    return Score(
        output=output, analyzer="decision", version=version, measure=measure, value=value, label="yes"
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, open for writing."""
    with Store.create(tmp_path / "run") as made:
        yield made


PROMPTS = [make_prompt(number) for number in range(4)]


def test_prompts_come_back_as_they_were(store: Store) -> None:
    """Every field of a prompt survives, in the order of the plan."""
    assert store.add_prompts(iter(PROMPTS)) == 4
    assert list(store.prompts()) == PROMPTS
    assert store.prompt_count() == 4
    assert store.prompt(PROMPTS[2].id) == PROMPTS[2]


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FLOATS = st.floats(0, 1e6)


TOKENS = st.none() | st.integers(0, 10**9)


@given(
    output=st.builds(
        Output,
        target=st.just("target"),
        prompt_id=st.just("p"),
        text=TEXTS,
        error=TEXTS,
        refusal=TEXTS,
        finish_reason=TEXTS,
        latency_s=st.none() | FLOATS,
        usage=st.none() | st.builds(Usage, prompt_tokens=TOKENS, completion_tokens=st.integers(0, 10**9)),
        logprobs=st.none() | st.lists(FLOATS, max_size=3).map(tuple),
        cached=st.booleans(),
    )
)
@settings(max_examples=60)
def test_outputs_come_back_as_they_were(output: Output) -> None:
    """Any output a target may give survives the file format, hostile text included."""
    with closing(sqlite3.connect(":memory:")) as connection:
        row = output_row(output)
        marks = ", ".join("?" * len(row))
        assert output_from(connection.execute(f"SELECT {marks}", row).fetchone()) == output


def test_prompt_rows_reverse() -> None:
    """A prompt's row holds all of it."""
    assert prompt_from(prompt_row(PROMPTS[1])) == PROMPTS[1]


def test_a_failed_plan_leaves_nothing(store: Store) -> None:
    """A plan that fails half-way leaves no prompt behind, and the store stays usable."""

    def broken() -> Iterator[Prompt]:
        yield from PROMPTS[:3]
        raise RuntimeError("the probe broke")

    with pytest.raises(RuntimeError, match="the probe broke"):
        store.add_prompts(broken())
    assert store.prompt_count() == 0
    with pytest.raises(StoreError, match=rf"prompt {PROMPTS[0].id} of probe bias/decisions .* planned twice"):
        store.add_prompts([*PROMPTS, PROMPTS[0]])
    assert store.prompt_count() == 0
    assert store.add_prompts(PROMPTS) == 4


def test_a_killed_plan_leaves_nothing(tmp_path: Path) -> None:
    """A process killed while planning leaves a store without prompts, which can be planned again."""
    script = """
import os, signal, sys
from pathlib import Path
from audit.store.store import Store
from probes.records import Prompt
def prompts():
    for number in range(20000):
        if number == 15000:
            os.kill(os.getpid(), signal.SIGKILL)
        yield Prompt.make(messages=[{"role": "user", "content": str(number) * 100}], probe="p", template="t",
                          domain="d", expectation={"kind": "open"})
Store.create(Path(sys.argv[1])).add_prompts(prompts())
"""
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == -9
    with Store.open(tmp_path) as store:
        assert store.prompt_count() == 0
        assert store.add_prompts(PROMPTS) == 4


def test_outputs_are_stored_once(store: Store) -> None:
    """An output that is stored already, or belongs to no prompt, is refused with its whole batch."""
    store.add_prompts(PROMPTS)
    store.add_outputs([make_output(PROMPTS[0])])
    with pytest.raises(StoreError, match="repeat 0, attempt 0 is stored already"):
        store.add_outputs([make_output(PROMPTS[1]), make_output(PROMPTS[0])])
    with pytest.raises(StoreError, match="belongs to no planned prompt"):
        store.add_outputs([make_output(make_prompt(99))])
    assert store.counts("target", 1).answered == 1


def test_acknowledged_outputs_survive_a_kill(tmp_path: Path) -> None:
    """What add_outputs returned for is there after the process is killed."""
    with Store.create(tmp_path) as store:
        store.add_prompts(PROMPTS)
    script = """
import os, signal, sys
from pathlib import Path
from audit.records import Output
from audit.store.store import Store
store = Store.open(Path(sys.argv[1]))
store.add_outputs([Output(target="target", prompt_id=sys.argv[2], text="kept")])
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path), PROMPTS[0].id], check=False)
    with Store.open(tmp_path) as store:
        assert [output.text for _, output in store.outputs("target", PROMPTS[0].id)] == ["kept"]


def test_pending_is_what_has_no_answer(store: Store) -> None:
    """Only outputs never asked for, or only with errors, are asked; attempts count the earlier ones."""
    store.add_prompts(PROMPTS)
    store.add_outputs(
        [
            make_output(PROMPTS[0]),
            make_output(PROMPTS[1], text=None, error="no route"),
            make_output(PROMPTS[1], text=None, error="no route", attempt=1),
            make_output(PROMPTS[2], text=None, refusal="no"),
            make_output(PROMPTS[0], target="baseline", text=""),
        ]
    )
    asked = {(target, r.prompt_id, r.attempt) for target, r in store.pending(["target", "baseline"], 1, 7)}
    assert asked == {
        ("target", PROMPTS[1].id, 2),
        ("target", PROMPTS[3].id, 0),
        *(("baseline", prompt.id, 0) for prompt in PROMPTS[1:]),
    }
    assert sum(1 for _ in store.pending(["target"], 3, 7)) == 2 + 4 + 4


def test_a_later_answer_supersedes_errors(store: Store) -> None:
    """Counts, table and look-ups use the latest attempt; the earlier one stays in the file."""
    store.add_prompts(PROMPTS)
    store.add_outputs([make_output(PROMPTS[0], text=None, error="no route")])
    store.add_outputs([make_output(PROMPTS[0], attempt=1)])
    counts = store.counts("target", 2)
    assert (counts.planned, counts.answered, counts.errored, counts.not_asked) == (8, 1, 0, 7)
    assert store.frame("target")["outcome"].tolist() == ["answered"]
    [(number, latest)] = store.outputs("target", PROMPTS[0].id)
    assert latest.attempt == 1
    assert store.output(number) == latest
    assert store.output(number - 1).error == "no route"


def balanced_plan() -> list[Prompt]:
    """Three templates of very different size, in sets of two."""
    sizes = {"large": 60, "middle": 20, "small": 4}
    numbers = iter(range(1000))
    return [
        make_prompt(next(numbers), template=template, set_id=f"{template}-{index}")
        for template, size in sizes.items()
        for index in range(size)
        for _ in range(2)
    ]


@given(seed=st.integers(0, 2**32), stop=st.integers(1, 168))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_pending_is_balanced_and_keeps_sets_together(
    seed: int, stop: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Wherever asking stops, templates are done to about the same fraction, and no set is torn."""
    plan = balanced_plan()
    by_id = {prompt.id: prompt for prompt in plan}
    with Store.create(tmp_path_factory.mktemp("run")) as store:
        store.add_prompts(plan)
        asked = list(store.pending(["target", "baseline"], 1, seed))
        assert asked == list(store.pending(["target", "baseline"], 1, seed))
    assert [target for target, _ in asked] == ["target", "baseline"] * len(plan)
    order = [by_id[request.prompt_id] for _, request in asked[::2]]
    assert len({prompt.id for prompt in order}) == len(plan)
    changes = sum(first.set_id != second.set_id for first, second in pairwise(order))
    assert changes == len(plan) / 2 - 1
    sizes = Counter(prompt.template for prompt in plan)
    done = Counter(prompt.template for prompt in order[:stop])
    for template, size in sizes.items():
        assert abs(done[template] - size * stop / len(plan)) <= 6


def test_order_depends_on_the_seed(store: Store) -> None:
    """Another seed gives another order, of the same requests."""
    store.add_prompts(balanced_plan())
    one, two = (list(store.pending(["target"], 1, seed)) for seed in (1, 2))
    assert one != two
    assert sorted(r.prompt_id for _, r in one) == sorted(r.prompt_id for _, r in two)


def test_exchanges_are_read_once_a_version(store: Store) -> None:
    """A text comes until its analyzer version has read it, also if it had nothing to say."""
    store.add_prompts(PROMPTS)
    store.add_outputs(
        [
            make_output(PROMPTS[0]),
            make_output(PROMPTS[1], finish_reason="length"),
            make_output(PROMPTS[2], text=None, error="x"),
        ]
    )
    [batch] = store.exchanges("decision", "1")
    assert [exchange.messages for exchange in batch] == [prompt.messages for prompt in PROMPTS[:2]]
    first, second = (exchange.output for exchange in batch)
    store.add_scores("decision", "1", [first, second], [score(first)])
    assert list(store.exchanges("decision", "1")) == []
    assert store.scores(first) == [score(first)]
    assert [e.output for b in store.exchanges("decision", "2", "target") for e in b] == [first, second]
    assert list(store.exchanges("decision", "2", "baseline")) == []
    store.add_scores("decision", "2", [first], [score(first, version="2", measure="other", value=None)])
    assert [kept.measure for kept in store.scores(first)] == ["other"]
    assert [e.output for b in store.exchanges("decision", "2") for e in b] == [second]


def test_scores_of_others_are_refused(store: Store) -> None:
    """A score of another analyzer or output stores nothing; one given twice is a store error."""
    store.add_prompts(PROMPTS)
    store.add_outputs([make_output(PROMPTS[0])])
    with pytest.raises(ValueError, match="not what it was asked"):
        store.add_scores("decision", "1", [1], [score(2)])
    with pytest.raises(StoreError, match="scores of analyzer decision do not fit"):
        store.add_scores("decision", "1", [1], [score(1), score(1)])
    assert store.scores(1) == []
    assert len(list(store.exchanges("decision", "1"))) == 1


def test_frame_has_a_row_a_score_and_one_for_the_silent(store: Store) -> None:
    """The table follows the plan's order and keeps outputs without a score countable."""
    store.add_prompts(PROMPTS)
    store.add_outputs(
        [make_output(PROMPTS[2], refusal="no"), make_output(PROMPTS[1]), make_output(PROMPTS[0], repeat=1)]
    )
    store.add_scores("decision", "1", [2, 3], [score(2), score(2, measure="other", value=None), score(3)])
    frame = store.frame("target")
    assert frame["prompt_id"].tolist() == [PROMPTS[n].id for n in (0, 1, 1, 2)]
    assert frame["measure"].tolist()[:3] == ["favourable", "favourable", "other"]
    assert frame["measure"].isna().tolist() == [False, False, False, True]
    assert frame["value"].isna().tolist() == [False, False, True, True]
    assert frame["grp"].tolist() == ["men", "women", "women", "men"]
    assert frame["repeat"].tolist() == [1, 0, 0, 0]
    assert frame["outcome"].tolist() == ["answered", "answered", "answered", "refused"]
    assert frame["set_id"].isna().all()
    assert frame["tags"].cat.categories.tolist() == ['{"a": "b", "merit": "high"}']
    assert frame["expects"].unique().tolist() == ["choice"]
    assert store.frame("nobody").empty
    assert list(store.frame("nobody").columns) == list(frame.columns)


def test_meta_targets_and_exchange(store: Store) -> None:
    """Small look-ups give what was kept, and a clear error for what is not there."""
    store.set_meta("spec", "a")
    store.set_meta("spec", "b")
    assert store.get_meta("spec") == "b"
    assert store.get_meta("other") is None
    store.add_prompts(PROMPTS)
    assert store.targets() == []
    store.add_outputs([make_output(PROMPTS[0], target=name) for name in ("target", "baseline")])
    store.add_outputs([])
    assert store.targets() == ["baseline", "target"]
    assert store.exchange(1).reply == "yes"
    for look_up in (lambda: store.exchange(9), lambda: store.output(9), lambda: store.prompt("none")):
        with pytest.raises(InputError, match=r"run\.sqlite: no "):
            look_up()


def test_latencies_leave_out_what_took_no_call(store: Store) -> None:
    """Seconds of answers come back, without errors, outputs of a cache, and those whose time is not known."""
    store.add_prompts(PROMPTS)
    assert store.latencies("target").tolist() == []
    store.add_outputs(
        [
            make_output(PROMPTS[0], latency_s=0.5),
            make_output(PROMPTS[1], latency_s=None),
            make_output(PROMPTS[2], latency_s=9.0, text=None, error="no"),
            make_output(PROMPTS[3], latency_s=0.01, cached=True),
            make_output(PROMPTS[0], target="baseline", latency_s=2.0),
        ]
    )
    assert store.latencies("target").tolist() == [0.5]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is told so; a reader is not held back and sees what is stored."""
    with Store.create(tmp_path) as store:
        with pytest.raises(
            StoreError, match=rf"another process \(number {os.getpid()}\) is writing this run"
        ):
            Store.open(tmp_path)
        store.add_prompts(PROMPTS)
        with Store.open(tmp_path, read_only=True) as reader:
            assert reader.prompt_count() == 4
            with pytest.raises(StoreError, match="read-only"):
                reader.set_meta("a", "b")
    with Store.open(tmp_path) as again:
        assert again.prompt_count() == 4
        again.close()


def test_wrong_files_are_named(tmp_path: Path) -> None:
    """A missing, foreign, garbled, newer or already used file is one clear line."""
    with pytest.raises(StoreError, match="no such file"):
        Store.open(tmp_path / "missing")
    with Store.create(tmp_path / "newer") as store:
        store.set_meta("schema_version", "99")
    with pytest.raises(StoreError, match="store version 99"):
        Store.open(tmp_path / "newer")
    with pytest.raises(StoreError, match="there is a run here already"):
        Store.create(tmp_path / "newer")
    (tmp_path / "garbled").mkdir()
    (tmp_path / "garbled" / "run.sqlite").write_bytes(b"no database at all " * 100)
    with pytest.raises(StoreError, match="not an SQLite file"):
        Store.open(tmp_path / "garbled")
    (tmp_path / "foreign").mkdir()
    with closing(sqlite3.connect(tmp_path / "foreign" / "run.sqlite")) as other:
        other.execute("CREATE TABLE t(a)")
    with pytest.raises(StoreError, match="no run store"):
        Store.open(tmp_path / "foreign", read_only=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        Store.create(tmp_path / "file")


def test_a_store_without_tables_is_made_anew(tmp_path: Path) -> None:
    """What a process killed while creating leaves behind is no obstacle."""
    (tmp_path / "run.sqlite").touch()
    with Store.create(tmp_path) as store:
        assert store.prompt_count() == 0


def test_a_full_file_keeps_what_was_stored(store: Store) -> None:
    """When the disk is full the error says so, the batch is undone, and all before it is there."""
    store.add_prompts(PROMPTS)
    store.add_outputs([make_output(PROMPTS[0])])
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full; everything stored before is kept"):
        store.add_outputs([make_output(PROMPTS[n], text="x" * 100_000) for n in (1, 2)])
    assert store.counts("target", 1).answered == 1
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.add_outputs([make_output(PROMPTS[1])])
    assert store.counts("target", 1).answered == 2


def test_a_full_disk_keeps_what_was_stored(small_disk: Path) -> None:
    """On a really full disk nothing acknowledged is lost, and after making room the run goes on."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 100_000)
    acknowledged = 0
    plan = [make_prompt(number) for number in range(200)]
    with Store.create(small_disk / "run") as store:
        store.add_prompts(plan)
        problem = ""
        for prompt in plan:
            try:
                store.add_outputs([make_output(prompt, text="y" * 5000)])
            except StoreError as error:
                problem = str(error)
                break
            acknowledged += 1
    assert "the disk is full" in problem
    assert acknowledged > 5
    ballast.unlink()
    with Store.open(small_disk / "run") as store:
        assert store.counts("target", 1).answered == acknowledged
        store.add_outputs([make_output(plan[acknowledged])])


def test_reading_leaves_nothing_beside_the_store_and_changes_nothing_in_it(tmp_path: Path) -> None:
    """A run that is at rest is one file after it was read too, and a reader's statements cannot write."""
    with Store.create(tmp_path) as store:
        store.add_prompts([make_prompt(1)])
    before = (tmp_path / "run.sqlite").read_bytes()
    with Store.open(tmp_path, read_only=True) as store:
        assert [one.id for one in store.prompts()] == [make_prompt(1).id]
        with pytest.raises(StoreError, match="read-only"):
            store.set_meta("target.target", "{}")
    assert {path.name for path in tmp_path.iterdir()} == {"run.sqlite", "run.lock"}
    assert (tmp_path / "run.sqlite").read_bytes() == before


def test_a_read_only_disk_can_be_read(small_disk: Path) -> None:
    """A closed run on a disk that cannot be written opens for reading, and only for that."""
    with Store.create(small_disk / "run") as store:
        store.add_prompts(PROMPTS)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(small_disk / "run", read_only=True) as store:
        assert store.prompt_count() == 4
        assert sum(1 for _ in store.pending(["target"], 1, 7)) == 4
    with pytest.raises(StoreError, match="Read-only file system"):
        Store.open(small_disk / "run")


@pytest.mark.slow
def test_a_big_plan_streams(tmp_path: Path) -> None:
    """Planning and asking 60,000 prompts takes a quarter of what holding them all would."""
    script = """
import resource, sys
from pathlib import Path
from audit.store.store import Store
from probes.records import Prompt
def prompts(count):
    for number in range(count):
        yield Prompt.make(messages=[{"role": "user", "content": f"{number} " + "x" * 300}], probe="p",
                          template=f"t{number % 97}", domain="d", expectation={"kind": "open"},
                          set_id=f"s{number // 2}")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with Store.create(Path(sys.argv[1])) as store:
    before = peak()
    store.add_prompts(prompts(60_000))
    asked = sum(1 for _ in store.pending(["target"], 1, 7))
sys.exit(f"{asked} {peak() - before:.0f}")
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=False, capture_output=True, text=True
    )
    asked, megabytes = ended.stderr.split()
    assert int(asked) == 60_000
    assert float(megabytes) < 40  # 10 as they stream, and 164 where they are held


def test_outcomes_of_the_funnel(store: Store) -> None:
    """Each outcome is counted under its own name, and the funnel adds up."""
    plan = [make_prompt(number) for number in range(6)]
    store.add_prompts(plan)
    shapes: list[dict[str, object]] = [
        {},
        {"refusal": "no"},
        {"finish_reason": "length"},
        {"text": " "},
        {"text": None, "error": "x"},
    ]
    outputs = [
        Output.model_validate({"target": "target", "prompt_id": prompt.id, "text": "yes", **shape})
        for prompt, shape in zip(plan, shapes, strict=False)
    ]
    store.add_outputs(outputs)
    counts = store.counts("target", 1)
    assert [getattr(counts, outcome.value) for outcome in Outcome] == [1, 1, 1, 1, 1]
    assert counts.not_asked == 1
