"""Runs inside LangFair's own environment: `ResponseGenerator` over some prompts, one response each.

Reads `{"base_url": …, "texts": […], "in_flight": …}` on standard input. LangFair asks everything at once;
the connections of its client are what keeps it to the calls in flight that the others may have.
"""

import asyncio
import json
import sys
from typing import Any

import httpx
from langchain_openai import ChatOpenAI
from langfair.generator import ResponseGenerator

_PATIENCE_S = 600.0


async def main(given: dict[str, Any]) -> None:
    """Ask every prompt once."""
    limits = httpx.Limits(max_connections=given["in_flight"], max_keepalive_connections=given["in_flight"])
    client = httpx.AsyncClient(limits=limits, timeout=_PATIENCE_S)
    llm = ChatOpenAI(
        base_url=given["base_url"], api_key="none", model="stub", temperature=0.7, http_async_client=client
    )
    generator = ResponseGenerator(langchain_llm=llm)
    said = await generator.generate_responses(prompts=given["texts"], count=1, show_progress_bars=False)
    if len(said["data"]["response"]) != len(given["texts"]):
        raise RuntimeError("LangFair gave fewer responses than prompts")


asyncio.run(main(json.load(sys.stdin)))
