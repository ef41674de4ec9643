"""Batches: every request is submitted once and collected once, whatever becomes of the batch."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.collection.batches import Gathered, collect_batches
from audit.collection.progress import Progress
from audit.collection.retry import RetryPolicy
from audit.collection.runner import CollectionPlan
from audit.errors import BatchesWaitingError, BudgetReachedError, IncompleteError, TargetUnreachableError
from audit.records import Counts
from audit.spec import Limits
from audit.store.batches import BatchBook
from audit.store.store import Store
from audit.targets.base import TargetContext
from audit.targets.batching.base import BatchTarget
from audit.targets.batching.file import BatchFileOptions, BatchFileTarget
from audit.targets.batching.openai_api import OpenAIBatchOptions, OpenAIBatchTarget
from probes.records import Prompt
from tests.audit.questions import open_questions
from tests.servers.processes import fetch_json, stub_server

PROMPTS = 25


@contextmanager
def batch_server(*arguments: str) -> Iterator[str]:
    """A running server with a Batch API."""
    with stub_server(*arguments, module="stub_batches") as url:
        yield url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A planned run, and nothing asked yet."""
    with Store.create(tmp_path / "run") as made:
        made.add_prompts(
            Prompt.make(
                messages=[{"role": "user", "content": f"Question {number}, with ünïcödé?"}],
                probe="p",
                template=f"t{number % 5}",
                domain="d",
                expectation={"kind": "open"},
            )
            for number in range(PROMPTS)
        )
        yield made


def collect(
    store: Store,
    url: str,
    *,
    size: int = 10,
    wait: bool = False,
    names: tuple[str, ...] = ("target",),
    **how: object,
) -> Gathered:
    """One invocation over HTTP."""

    async def invoked() -> Gathered:
        options = OpenAIBatchOptions(base_url=url, model="m", batch_requests=size)
        targets = {
            name: OpenAIBatchTarget(options, TargetContext(name=name, root=store.path.parent))
            for name in names
        }
        settings = {"repeats": 1, "seed": 7, "retry": RetryPolicy(attempts=2, base_s=0.01), **how}
        try:
            return await collect_batches(store, targets, CollectionPlan(**settings), wait=wait)  # type: ignore[arg-type]
        finally:
            for target in targets.values():
                await target.aclose()

    return asyncio.run(invoked())


def counts(store: Store, name: str = "target") -> Counts:
    """The funnel of a target."""
    return store.counts(name, 1)


def submitted(url: str) -> Counter[str]:
    """How often each request was submitted."""
    log = fetch_json(url, "/log")
    assert isinstance(log, list)
    return Counter(line["custom_id"] for batch in log for line in batch["lines"])


def test_what_is_submitted_is_left_and_gathered_by_the_next_invocation(store: Store) -> None:
    """The first invocation submits and leaves, the next one gathers, and nothing is submitted twice."""
    seen: list[Progress] = []
    with batch_server("--polls", "2") as url:
        first = collect(store, url)
        assert isinstance(first.error, BatchesWaitingError)
        assert "25 outputs wait in 3 batches" in str(first.error)
        assert first.error.exit_code == 3
        second = collect(store, url)
        assert isinstance(second.error, BatchesWaitingError)
        assert "validating" in str(second.error)
        last = collect(store, url, progress=seen.append)
        assert last.error is None
        assert set(submitted(url).values()) == {1}
        assert len(submitted(url)) == PROMPTS
    assert counts(store).answered == PROMPTS
    assert (last.progress.answered, last.progress.tokens) == (PROMPTS, PROMPTS * 10)
    assert seen[-1].left_s is not None
    for prompt in store.prompts():
        ((_, output),) = store.outputs("target", prompt.id)
        assert output.text == f"echo: {prompt.messages[-1].content}"
        assert output.usage is not None
    assert not (store.path.parent / "batches").exists()


def test_target_and_baseline_are_submitted_alike(store: Store) -> None:
    """Under a limit both are asked the same prompts; one asked of one of them pairs with nothing."""
    with batch_server() as url:
        reached = collect(store, url, names=("target", "baseline"), limits=Limits(requests=20))
        assert isinstance(reached.error, BatchesWaitingError), "what waits is to be gathered first"
        assert str(reached.error).endswith("; limits.requests: 20 reached (20 submitted)")
        assert sum(submitted(url).values()) == 20
        assert set(submitted(url).values()) == {2}
        # Asking how far they are spends nothing; only what is in frees the next share.
        again = collect(store, url, names=("target", "baseline"), limits=Limits(requests=20))
        assert isinstance(again.error, BudgetReachedError)
        assert counts(store).answered == counts(store, "baseline").answered == 10


def test_waiting_batches_are_not_paid_for_again(store: Store) -> None:
    """While batches wait under a limit, asking how far they are submits nothing."""
    with batch_server("--polls", "9") as url:
        collect(store, url, limits=Limits(tokens=1000))
        before = submitted(url)
        assert 0 < len(before) < PROMPTS
        told = collect(store, url, limits=Limits(tokens=1000))
        assert isinstance(told.error, BatchesWaitingError)
        assert submitted(url) == before


def test_what_was_gathered_and_what_waits_counts_against_a_limit(store: Store) -> None:
    """Whoever gathers submits no second share of the limit; beside waiting batches only the rest goes out."""
    with batch_server() as url:
        collect(store, url, limits=Limits(requests=10))
        gathered = collect(store, url, limits=Limits(requests=10))
        assert isinstance(gathered.error, BudgetReachedError)
        assert (counts(store).answered, gathered.progress.requests) == (10, 10)
        assert sum(submitted(url).values()) == 10
    with batch_server("--polls", "9") as url:
        collect(store, url, limits=Limits(requests=6))
        assert len(submitted(url)) == 6
        collect(store, url, limits=Limits(requests=8))
        assert len(submitted(url)) == 8


def test_waiting_ends_with_the_batches(store: Store) -> None:
    """With `wait` an invocation stays until all is gathered."""
    with batch_server("--polls", "1") as url:
        assert collect(store, url, wait=True).error is None
    assert counts(store).answered == PROMPTS


@pytest.mark.parametrize("fate", ["expired", "cancelled", "partly"])
def test_what_a_batch_did_not_answer_is_errored_with_the_reason(store: Store, fate: str) -> None:
    """What an ended batch holds is kept; the rest is errored, and asked again when nothing waits."""
    with batch_server("--fate", fate) as url:
        collect(store, url, size=100)
        ended = collect(store, url, size=100)
        assert isinstance(ended.error, IncompleteError)
        assert "limits.error_rate" in str(ended.error)
        funnel = counts(store)
        assert funnel.answered + funnel.errored == PROMPTS
        assert funnel.errored == (10 if fate == "partly" else 6)
        reasons = {
            output.error
            for prompt in store.prompts()
            for _, output in store.outputs("target", prompt.id)
            if output.error
        }
        said = "completed" if fate == "partly" else fate
        assert any(said in reason and "no result for this request" in reason for reason in reasons)
        assert fate != "partly" or any("status 400: length: too long" in reason for reason in reasons)
        assert set(submitted(url).values()) == {1}
        collect(store, url, size=100)
        assert len(submitted(url)) == PROMPTS + funnel.errored


def test_a_batch_that_failed_says_why(store: Store) -> None:
    """A batch that its provider rejects as a whole leaves errored outputs with the provider's words."""
    with batch_server("--fate", "failed") as url:
        collect(store, url)
        ended = collect(store, url)
    assert isinstance(ended.error, IncompleteError)
    assert "line 1: the model is unknown" in str(ended.error)
    assert counts(store).errored == PROMPTS


def test_hostile_results_are_kept_as_text_and_counted_once(store: Store) -> None:
    """Doubled, torn and foreign lines are left out, and a reply with control characters is a reply."""
    with batch_server("--fate", "hostile") as url:
        collect(store, url, size=100, limits=Limits(error_rate=1))
        assert collect(store, url, size=100, limits=Limits(error_rate=1)).error is None
    assert (counts(store).answered, counts(store).errored) == (19, 6)


def test_a_batch_whose_id_was_never_kept_is_found_by_its_tag(store: Store) -> None:
    """A process killed between the submission and the note of it leaves nothing to be submitted twice."""
    with batch_server("--polls", "2") as url:
        collect(store, url, size=5)
        with store.transaction() as connection:
            connection.execute("UPDATE batches SET batch = NULL, state = 'intended'")
        told = collect(store, url, size=5)
        assert isinstance(told.error, BatchesWaitingError)
        assert collect(store, url, size=5).error is None
        assert set(submitted(url).values()) == {1}
    assert counts(store).answered == PROMPTS


def test_a_batch_that_was_never_submitted_is_submitted(store: Store) -> None:
    """A process killed before the submission leaves the same requests to be submitted, under the same tag."""
    keys = [(prompt.id, 0, 0, 0) for prompt in store.prompts()]
    BatchBook(store).intend("0" * 24, "target", keys[:7], 0.0)
    with batch_server() as url:
        collect(store, url, size=100)
        log = fetch_json(url, "/log")
        assert isinstance(log, list)
        assert log[0]["tag"] == {"evenhand": "0" * 24}
        assert sorted(line["custom_id"] for line in log[0]["lines"]) == sorted(
            f"{key[0]}.0.0.0" for key in keys[:7]
        )
        assert len(submitted(url)) == PROMPTS
        assert set(submitted(url).values()) == {1}


@pytest.mark.parametrize(("status", "error"), [(400, TargetUnreachableError), (401, TargetUnreachableError)])
def test_a_batch_that_is_not_taken_leaves_its_requests_pending(
    store: Store, status: int, error: type[Exception]
) -> None:
    """A rejected submission is one line, and its requests are asked by the next invocation."""
    with batch_server("--create-status", str(status)) as url, pytest.raises(error, match="not taken"):
        collect(store, url)
    assert counts(store).not_asked == PROMPTS
    with batch_server() as url:
        collect(store, url)
        assert len(submitted(url)) == PROMPTS


def test_a_submission_whose_fate_is_unknown_is_looked_up_later(store: Store) -> None:
    """A server that fails while it takes a batch is asked by the next invocation whether it did."""
    with batch_server("--create-status", "500") as url, pytest.raises(IncompleteError, match="found out"):
        collect(store, url, size=100)
    assert len(BatchBook(store).open("target")) == 1
    with batch_server() as url:
        collect(store, url, size=100)
        assert set(submitted(url).values()) == {1}


def collect_files(store: Store, folder: Path) -> Gathered:
    """One invocation with files instead of a server."""
    options = BatchFileOptions(folder=str(folder), model="m", params={"max_tokens": 9}, file_requests=20)
    target = BatchFileTarget(options, TargetContext(name="target", root=store.path.parent))
    assert isinstance(target, BatchTarget)
    return asyncio.run(collect_batches(store, {"target": target}, CollectionPlan(repeats=1, seed=7)))


def answer(file: Path, *, leave_out: int = 0) -> None:
    """Write results for a file of requests, as `vllm run-batch` does."""
    lines = []
    for text in file.read_text().splitlines():
        line = json.loads(text)
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        assert line["body"]["max_tokens"] == 9
        said = {"choices": [{"message": {"content": line["body"]["messages"][-1]["content"]}}]}
        response = {"status_code": 200, "request_id": "vllm-1", "body": said}
        lines.append(
            json.dumps({"id": "vllm-2", "custom_id": line["custom_id"], "response": response, "error": None})
        )
    kept = lines[: len(lines) - leave_out]
    file.with_name(file.stem + ".results.jsonl").write_text("".join(line + "\n" for line in kept))


def test_requests_go_out_as_files_and_come_back_as_files(store: Store, tmp_path: Path) -> None:
    """Files are written once, results are read as far as they are there, and a run ends when all are."""
    folder = tmp_path / "files"
    told = collect_files(store, folder)
    assert isinstance(told.error, BatchesWaitingError)
    files = sorted(folder.glob("*.jsonl"))
    assert all(f"{file} waits for {file.stem}.results.jsonl" in str(told.error) for file in files)
    assert "waits for" in str(collect_files(store, folder).error)
    assert [len(file.read_text().splitlines()) for file in files] in ([20, 5], [5, 20])
    answer(files[0])
    answer(files[1], leave_out=2)
    told = collect_files(store, folder)
    assert "2 outputs wait in 1 batch" in str(told.error)
    assert counts(store).answered == PROMPTS - 2
    answer(files[1])
    assert collect_files(store, folder).error is None
    assert counts(store).answered == PROMPTS
    assert sorted(folder.glob("*[0-9a-f].jsonl")) == files


def test_lines_of_results_that_are_of_no_use_are_named(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits learns which lines name no request and why, and so does whoever lacks an output."""
    folder = tmp_path / "files"
    collect_files(store, folder)
    for file in sorted(folder.glob("*.jsonl")):
        answer(file, leave_out=2)
    results = min(folder.glob("*.results.jsonl"))
    good = results.read_text()
    results.write_text('{"custom_id": "elsewhere"}\n\n' + good + '{"cut": \n')
    collect_files(store, folder)
    last = good.count("\n") + 3
    said = (
        f"{results.name}: 2 lines name no request: line 1 (custom_id 'elsewhere' is none that was sent), "
        f"line {last} (Invalid JSON: EOF while parsing a value at column 7)"
    )
    errors = [
        output.error
        for prompt in store.prompts()
        for _, output in store.outputs("target", prompt.id)
        if output.error
    ]
    assert [f"{said}; it holds no result for this request" in error for error in errors] == [True, True]
    assert caplog.messages == [said]


def test_a_file_that_was_taken_away_is_asked_again(store: Store, tmp_path: Path) -> None:
    """Whoever gives a file up removes it: what it lacks is errored, and comes again in another file."""
    folder = tmp_path / "files"
    collect_files(store, folder)
    for file in folder.glob("*.jsonl"):
        file.unlink()
    told = collect_files(store, folder)
    assert "was taken away" in str(told.error)
    collect_files(store, folder)
    again = [line for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(again) == PROMPTS
    assert all(json.loads(line)["custom_id"].endswith(".0.0.1") for line in again)


@pytest.mark.parametrize("wait", [False, True])
def test_a_conversation_has_a_batch_for_each_turn(
    tmp_path: Path, *, wait: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn is submitted once the turn before it was answered, with that answer in its history."""
    monkeypatch.setattr("audit.collection.batches._FIRST_WAIT_S", 0.05)
    with Store.create(tmp_path / "run") as store, batch_server() as url:
        store.add_prompts(open_questions(3, further=["Why?", "And then?"]))
        last = collect(store, url, wait=wait)
        for _ in range(0 if wait else 3):
            last = collect(store, url)
        assert last.error is None
        assert set(submitted(url).values()) == {1}
        assert len(submitted(url)) == 9
        assert (counts(store).answered, counts(store).missing) == (9, 0)
        for prompt in store.prompts():
            texts = [output.text for _, output in store.outputs("target", prompt.id)]
            assert texts == [f"echo: {prompt.messages[0].content}", "echo: Why?", "echo: And then?"]
            said = store.conversation(store.outputs("target", prompt.id)[2][1])
            assert [one.content for one in said][1:] == [texts[0], "Why?", texts[1], "And then?"]
