"""The check of a target: what it can do, found by a few requests to a real server."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.records import Output, Request
from audit.targets.base import Target, TargetContext, TargetInfo, output_for
from audit.targets.batching.file import BatchFileOptions, BatchFileTarget
from audit.targets.check import TargetCheck, check_target
from audit.targets.recorded.target import RecordedOptions, RecordedTarget
from audit.targets.specimen.faults import SpecimenOptions
from audit.targets.specimen.target import SpecimenTarget
from tests.audit.targets.openai_asking import bodies, target_for
from tests.servers.processes import post


@pytest.fixture(autouse=True)
def fresh_log(stub_url: str) -> None:
    """Every test sees its own requests only."""
    post(stub_url, "/reset")


def checked(target: Target, *, once: bool = False) -> TargetCheck:
    """What a check finds, in an event loop of its own."""

    async def run() -> TargetCheck:
        try:
            return await check_target(target, seed=7, once=once)
        finally:
            await target.aclose()

    return asyncio.run(run())


class _Seeded:
    """Answers by what it is told to depend on."""

    def __init__(self, *, on_repeat: bool, on_count: bool) -> None:
        self.info = TargetInfo(name="target", deterministic=False)
        self._on_repeat, self._on_count = on_repeat, on_count
        self._count = 0

    @classmethod
    def secret_names(cls, options: object) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        self._count += 1
        parts = (seed, requests[0].repeat * self._on_repeat, self._count * self._on_count)
        return [output_for(requests[0], "target", text=str(parts))]

    async def aclose(self) -> None:
        return None


@pytest.mark.parametrize(
    ("on_repeat", "on_count", "found"),
    [(True, False, "honoured"), (False, False, "texts_do_not_vary"), (True, True, "not_honoured")],
)
def test_seeds_are_told_from_three_answers(on_repeat: bool, on_count: bool, found: str) -> None:  # noqa: FBT001 - parametrised
    """Equal seeds with equal texts mean something only where another seed gives another text."""
    assert checked(_Seeded(on_repeat=on_repeat, on_count=on_count)).seed == found


def test_quirks_of_a_server_are_found(stub_url: str, context: TargetContext) -> None:
    """The name of the token limit and the rate limits that are known are told; -1 is unknown."""
    target = target_for(stub_url, context, model="newer-name", params={"max_tokens": 5}, logprobs=True)
    found = checked(target)
    assert found.output is not None
    assert found.output.text == "echo: Reply with the single word: ready"
    assert found.observed == {
        "token_parameter": "max_completion_tokens",
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-reset-requests": "6m0s",
    }
    assert found.seed == "texts_do_not_vary"
    assert (found.output.usage, found.output.logprobs) != (None, None)
    assert len(bodies(stub_url)) == 5  # one of them by the other name


def test_one_question_is_asked_where_more_tell_nothing(stub_url: str, context: TargetContext) -> None:
    """By `once`, for a deterministic target and after an error, seeds are not tried."""
    found = checked(target_for(stub_url, context), once=True)
    assert (found.seed, len(bodies(stub_url))) == ("not_tried", 1)
    assert checked(SpecimenTarget(SpecimenOptions(), context)).seed == "not_tried"
    failed = checked(target_for(stub_url, context, model="bad-request"))
    assert (failed.seed, failed.seconds) == ("not_tried", None)
    assert failed.output is not None
    assert "messages are too long" in (failed.output.error or "")


def test_what_answers_no_question_is_looked_at_instead(context: TargetContext, tmp_path: Path) -> None:
    """A recorded file is read and a folder of batches looked at, and neither counts as a failure."""
    (tmp_path / "log.jsonl").write_text('{"prompt_id": "a", "text": "Yes."}\n')
    here = replace(context, root=tmp_path)
    recorded = checked(RecordedTarget(RecordedOptions(path=Path("log.jsonl")), here))
    assert (recorded.output, recorded.observed["rows"]) == (None, "1")
    batches = BatchFileTarget(BatchFileOptions(folder="sub/../out", model="m"), here)
    found = checked(batches)
    assert found.output is None
    assert found.observed["folder"] == str(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        checked(batches)
