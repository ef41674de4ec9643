"""The openai target against llama.cpp, through llama-cpp-python's server, with weights made on the spot.

Skipped where `llama_cpp` and `gguf` are not installed; docs/how-to/audit-an-endpoint.md says which versions
were tried.
"""

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit import api
from audit.spec import parse_spec
from audit.targets.base import FatalTargetError, TargetContext
from audit.targets.check import TargetCheck, check_target, probe_call
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from tests.servers.tiny_gguf import build_tiny_gguf, llama_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("llama_cpp", "gguf")),
        reason="llama-cpp-python[server] and gguf are not installed",
    ),
]

SPEC = """\
version: 1
name: llama
seed: 3
target: {{type: openai, base_url: "{url}", model: tiny, params: {{max_tokens: 8, temperature: 0.7}}}}
probes: [{{use: public/table, path: asked.csv, prompt: first, further: [then]}}]
analyzers: [refusal]
limits: {{error_rate: 0.5}}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a server with a window of 512 tokens."""
    folder = tmp_path_factory.mktemp("llama")
    with llama_server(build_tiny_gguf(folder / "tiny.gguf"), folder / "server.log") as address:
        yield address


def target_for(url: str, **options: object) -> OpenAITarget:
    """A target of the server."""
    given = {"base_url": url, "model": "tiny", "params": {"max_tokens": 8, "temperature": 0.7}, **options}
    return OpenAITarget(OpenAIOptions.model_validate(given), TargetContext(name="target", root=Path()))


def checked(target: OpenAITarget) -> TargetCheck:
    """What a check finds."""

    async def run() -> TargetCheck:
        try:
            return await check_target(target)
        finally:
            await target.aclose()

    return asyncio.run(run())


def test_a_check_says_what_the_server_can_do(url: str) -> None:
    """Usage, the model's name and honoured seeds are found; log-probabilities come only with their number."""
    found = checked(target_for(url, logprobs=True))
    assert found.output is not None
    assert (found.output.error, found.seed) == (None, "honoured")
    assert found.output.model == "tiny"
    assert found.output.usage is not None
    assert found.output.logprobs is None
    told = checked(
        target_for(url, logprobs=True, params={"max_tokens": 8, "extra_body": {"top_logprobs": 1}})
    )
    assert told.output is not None
    assert told.output.logprobs is not None
    assert all(value <= 0 for value in told.output.logprobs)


def test_conversations_and_a_full_window(url: str, tmp_path: Path) -> None:
    """Every turn grows the prompt that is counted; one too long for the window is an error, and says so."""
    (tmp_path / "asked.csv").write_text(f"first,then\nHello,Why?\nBye,Why?\n{'x' * 600},\n")
    spec = parse_spec(SPEC.format(url=url), "spec.yaml")
    run = api.create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    with run.store(read_only=True) as store:
        counts = store.counts("target", 1)
        assert (counts.planned, counts.errored, counts.not_asked) == (5, 1, 0)
        for prompt in store.prompts():
            outputs = [output for _, output in store.outputs("target", prompt.id)]
            if prompt.further:
                sent = [output.usage.prompt_tokens or 0 for output in outputs if output.usage is not None]
                assert 0 < sent[0] < sent[1]
            else:
                assert outputs[0].error is not None
                assert "maximum context length is 512 tokens" in outputs[0].error


def test_a_wrong_address_stops_with_what_to_change(url: str) -> None:
    """The commonest mistake is told in one line."""
    target = target_for(url.removesuffix("/v1"))

    async def run() -> None:
        try:
            await probe_call(target)
        finally:
            await target.aclose()

    with pytest.raises(FatalTargetError, match="it usually ends in /v1"):
        asyncio.run(run())
