"""Going on with a run: the same is pending as without the short cut, and counts are those of the outputs."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from audit.records import Output, Request
from audit.store.order import keep_asked, order_seed, read_pending
from audit.store.store import Store
from probes.records import Prompt
from probes.seeds import rng
from tests.audit.questions import open_questions

SEED = order_seed(7)
COUNT = 1500
TARGETS = ("baseline", "target")
PROMPTS = open_questions(COUNT, templates=7, members=2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A plan of three pages, with its order."""
    made = Store.create(tmp_path)
    made.add_prompts(PROMPTS)
    made.keep_order(SEED)
    return made


def pending(store: Store, targets: Sequence[str] = TARGETS, repeats: int = 2) -> list[tuple[str, Request]]:
    """What is still to ask."""
    return list(store.pending(targets, repeats, SEED))


def answer(store: Store, asked: Sequence[tuple[str, Request]], draws: np.random.Generator) -> None:
    """Answer requests; one in fifty fails."""
    store.add_outputs(
        [
            Output(
                target=target,
                prompt_id=request.prompt_id,
                repeat=request.repeat,
                attempt=request.attempt,
                **({"error": "busy"} if draws.random() < 0.02 else {"text": "yes"}),
            )
            for target, request in asked
        ]
    )


def keep(store: Store, pages: int | None = None, targets: Sequence[str] = TARGETS) -> list[int]:
    """Keep where everything was asked, and give the places."""
    with store.transaction() as connection:
        keep_asked(connection, targets, 2, SEED, pages)
    kept = store.get_meta("asked")
    return [] if kept is None else list(json.loads(kept)["places"])


def without_short_cut(store: Store, targets: Sequence[str] = TARGETS) -> list[tuple[str, Request]]:
    """What is still to ask, by looking at every place."""
    kept = store.get_meta("asked")
    with store.transaction() as connection:
        connection.execute("DELETE FROM meta WHERE key = 'asked'")
    found = pending(store, targets)
    if kept is not None:
        store.set_meta("asked", kept)
    return found


def test_what_is_pending_does_not_depend_on_the_short_cut(store: Store) -> None:
    """Wherever a run stops, the same requests are pending, the errored ones of the asked part first."""
    draws = rng(3, "pending")
    with store:
        while whole := without_short_cut(store):
            for targets in (TARGETS, ("target",)):
                of_these = [(target, request) for target, request in whole if target in targets]
                short = pending(store, targets)
                key = [
                    (target, request.prompt_id, request.repeat, request.attempt) for target, request in short
                ]
                assert sorted(map(repr, short)) == sorted(map(repr, of_these))
                assert len(set(key)) == len(key)
                fresh = [one for one in short if not one[1].attempt]
                assert fresh == [one for one in of_these if not one[1].attempt]
            asked = pending(store)[: int(draws.integers(1, 1400))]
            answer(store, asked, draws)
            keep(store, pages=int(draws.integers(0, 4)))
        assert keep(store) == [COUNT, COUNT]
        assert pending(store) == []


def test_the_short_cut_skips_what_was_asked(store: Store) -> None:
    """With it, nothing of the pages that were asked is read again."""
    with store:
        first = pending(store)
        answer(store, first[:1300], rng(1, "none"))
        assert keep(store) == [512, 0]
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        spent = []
        for cut in (True, False):
            if not cut:
                with store.transaction() as connection:
                    connection.execute("DELETE FROM meta WHERE key = 'asked'")
            connected, steps = store._own_connection, 0
            with connected() as connection:
                connection.set_progress_handler(count, 100)
                requests = read_pending(connection, TARGETS, 2, SEED)
                assert next(request for _, request in requests if not request.attempt) == first[1300][1]
                spent.append(steps)
        assert spent[0] < spent[1]


def test_a_batch_holds_the_short_cut_back(store: Store) -> None:
    """What is in a batch may be pending again, so nothing is kept meanwhile; nor for other targets."""
    with store:
        answer(store, [one for one in pending(store) if one[0] == "target"][:600], rng(1, "none"))
        assert keep(store, targets=("target",)) == [512, 0]
        assert len(pending(store, ("baseline",))) == 2 * COUNT
        with store.transaction() as connection:
            connection.execute("DELETE FROM meta WHERE key = 'asked'")
            connection.execute("INSERT INTO batches VALUES ('b', 'target', NULL, 1, 0.0, 'intended', NULL)")
            connection.execute(
                "INSERT INTO batch_requests VALUES ('target', ?, 0, 1, 0, 'b')", (PROMPTS[0].id,)
            )
        assert keep(store, targets=("target",)) == []


def test_new_prompts_drop_the_short_cut(store: Store) -> None:
    """Prompts that are added later are pending, wherever the order puts them."""
    with store:
        answer(store, pending(store), rng(1, "none"))
        keep(store)
        more = Prompt.make(
            messages=[{"role": "user", "content": "One more"}],
            probe="p",
            template="t0",
            domain="d",
            expectation={"kind": "open"},
        )
        store.add_prompts([more])
        store.keep_order(SEED)
        assert [one.prompt_id for _, one in pending(store) if not one.attempt] == [more.id] * 4


def test_counts_are_those_of_the_latest_attempts(store: Store) -> None:
    """However often an output was tried again, the count is that of a look at every output."""
    draws = rng(5, "attempts")
    with store:
        for _ in range(4):
            answer(store, pending(store)[:900], draws)
            with closing(sqlite3.connect(store.path)) as connection:
                rows = connection.execute(
                    "SELECT target, outcome, count(*) FROM outputs o WHERE attempt = (SELECT max(attempt)"
                    " FROM outputs l WHERE l.target = o.target AND l.prompt_id = o.prompt_id"
                    " AND l.repeat = o.repeat) GROUP BY 1, 2"
                ).fetchall()
            looked = {(target, outcome): count for target, outcome, count in rows}
            for target in TARGETS:
                counts = store.counts(target, 2)
                assert counts.answered == looked.get((target, "answered"), 0)
                assert counts.errored == looked.get((target, "errored"), 0)
                assert counts.not_asked == 2 * COUNT - counts.answered - counts.errored
