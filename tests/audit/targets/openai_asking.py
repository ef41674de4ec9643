"""What the tests of the openai target share: a target of the stub server, and what the server saw."""

import asyncio
from collections.abc import Sequence
from typing import cast

from audit.records import Output, Request
from audit.targets.base import Target, TargetContext
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from tests.servers.processes import fetch_json

__all__ = ["bodies", "outputs_of", "target_for"]


def target_for(stub_url: str, context: TargetContext, **options: object) -> OpenAITarget:
    """A target of the stub server."""
    given = {"base_url": stub_url, "model": "echo", **options}
    return OpenAITarget(OpenAIOptions.model_validate(given), context)


def outputs_of(target: Target, requests: Sequence[Request], *, seed: int = 7) -> Sequence[Output]:
    """What a target answers, in an event loop of its own."""

    async def run() -> Sequence[Output]:
        try:
            return await target.generate(requests, seed=seed)
        finally:
            await target.aclose()

    return asyncio.run(run())


def bodies(stub_url: str) -> list[dict[str, object]]:
    """Bodies of the requests that the server saw."""
    log = cast("list[dict[str, dict[str, object]]]", fetch_json(stub_url, "/log"))
    return [entry["body"] for entry in log]
