"""The openai target against a real model server: `transformers serve` with a model made on the spot."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from audit.records import Output, Request
from audit.targets.base import FatalTargetError, TargetContext, TargetError
from audit.targets.check import probe_call
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from probes.records import Message
from tests.servers.tiny_model import build_saying_model, build_tiny_model, transformers_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny model."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return build_tiny_model(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="module")
def base_url(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that answers with the tiny model."""
    with transformers_server(model, tmp_path_factory.mktemp("hub") / "cache") as address:
        yield address


def target_for(base_url: str, model: str, **options: object) -> OpenAITarget:
    """A target of the server."""
    given = {"base_url": base_url, "model": model, "params": {"max_tokens": 6, "temperature": 0.7}, **options}
    return OpenAITarget(OpenAIOptions.model_validate(given), TargetContext(name="target", root=Path()))


def test_a_real_server_answers(base_url: str, model: Path) -> None:
    """Several prompts at once come back in order, with text, usage and the model's name."""
    target = target_for(base_url, str(model), system="Answer briefly.")
    question = Message(role="user", content="Should the bank approve this loan? Answer yes or no.")
    requests = [Request(prompt_id=f"p{i}", messages=(question,)) for i in range(3)]

    async def run() -> Sequence[Output]:
        outputs = await target.generate(requests, seed=7)
        checked = await probe_call(target)
        await target.aclose()
        return [*outputs, checked]

    outputs = asyncio.run(run())
    assert [output.prompt_id for output in outputs] == ["p0", "p1", "p2", "check"]
    for output in outputs:
        assert output.error is None
        assert output.text is not None
        assert output.model is not None
        assert output.usage is not None
        assert output.usage.completion_tokens is not None
        assert 0 < output.usage.completion_tokens <= 6
        assert output.latency_s is not None


def test_a_wrong_address_stops_with_what_to_change(base_url: str, model: Path) -> None:
    """The commonest mistake, a base_url without /v1, is told in one line."""
    target = target_for(base_url.removesuffix("/v1"), str(model))

    async def run() -> None:
        try:
            await probe_call(target)
        finally:
            await target.aclose()

    with pytest.raises(TargetError, match="it usually ends in /v1") as raised:
        asyncio.run(run())
    assert isinstance(raised.value, FatalTargetError)


def test_a_real_server_is_audited_from_the_command_line(base_url: str, model: Path, tmp_path: Path) -> None:
    """A spec with `type: openai` goes from start to report, every planned output accounted for."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"""\
version: 1
name: tiny-model
seed: 3
target:
  type: openai
  base_url: {base_url}
  model: {model}
  params: {{max_tokens: 4, temperature: 0.7}}
  max_in_flight: 4
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [explicit]
    merit: [borderline]
    templates: 12
analyzers: [decision, refusal, toxicity]
""",
        encoding="utf-8",
    )
    run = tmp_path / "run"
    command = [sys.executable, "-m", "audit", "run", str(spec), "--out", str(run), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    # Four words of random weights decide nothing, so that nothing can be read in them.
    assert done.returncode == (3 if "could be read in no answer" in done.stderr else 0), done.stderr
    document = json.loads(done.stdout)
    counts = document["counts"]
    assert counts["planned"] == 12 * (3 + 6)
    assert sum(value for name, value in counts.items() if name != "planned") == counts["planned"]
    assert counts["errored"] == counts["not_asked"] == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "tiny-model" in page
    assert "Content-Security-Policy" in page


def test_replies_to_many_prompts_are_drawn_independently(tmp_path: Path) -> None:
    """A server that honours seeds gives both of two equally likely answers over the prompts of one repeat."""
    model = build_saying_model(tmp_path / "saying", {" Yes.": 0.5, " No.": 0.5})
    requests = [
        Request(prompt_id=f"p{i}", messages=(Message(role="user", content=f"Case {i}: approve?"),))
        for i in range(30)
    ]
    with transformers_server(model, tmp_path / "cache") as base_url:
        target = target_for(base_url, str(model), params={"temperature": 1.0, "max_tokens": 6})

        async def run() -> Sequence[Output]:
            outputs = await target.generate(requests, seed=7)
            await target.aclose()
            return outputs

        said = [output.text for output in asyncio.run(run())]
    assert 5 <= said.count(" Yes.") <= 25  # outside with a chance of 6 in 100,000
    assert said.count(" Yes.") + said.count(" No.") == 30
