"""The shorter way of the SDK's client: the same request on the wire, and the same errors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx2
import openai
import pytest
from pydantic import JsonValue

from audit.records import Request
from audit.targets.openai_api.client import open_client, request_options
from audit.targets.openai_api.direct import DirectClient
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.payloads import payload_for
from audit.targets.openai_api.transport import transport_problem
from probes.records import Message
from tests.servers.processes import fetch_json, post

PATH = "/chat/completions"


def body(model: str, text: str = "Grüße 🙂 \x00") -> dict[str, JsonValue]:
    """A payload for the stub."""
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def log_of(base_url: str) -> list[dict[str, Any]]:
    """What the stub was asked."""
    log = fetch_json(base_url, "/log")
    assert isinstance(log, list)
    return log


def using(base_url: str, use: Callable[[DirectClient], Awaitable[None]], *, key: str = "sk-abc") -> None:
    """Let a coroutine use a client that has learned its way."""

    async def around() -> None:
        async with open_client(base_url, key, 0.5, {"x-own": "1"}) as client:
            await client.post_plain(PATH, body("plain"), {})
            assert client._ways is not None
            assert PATH in client._ways
            await use(client)

    asyncio.run(around())


def test_later_requests_are_signed_and_addressed_as_the_sdks_own(stub_url: str) -> None:
    """Key, further headers and body reach the server alike by both ways."""
    post(stub_url, "/reset")

    async def use(client: DirectClient) -> None:
        again = await client.post_plain(PATH, body("plain"), {})
        assert json.loads(again.content)["choices"][0]["message"]["content"] == "echo: Grüße 🙂 \x00"
        assert again.headers["content-type"].startswith("application/json")

    using(stub_url, use)
    first, second = log_of(stub_url)
    assert first == second
    assert second["authorization"] == "Bearer sk-abc"
    assert "x-own" in map(str.lower, second["headers"])


@pytest.mark.parametrize(
    ("api", "params"),
    [
        ("chat", {}),
        ("chat", {"temperature": 0.7, "top_p": 1.0, "max_tokens": 300, "stop": ["\n", "\u2028", "</s>"]}),
        ("chat", {"temperature": 1e-7, "presence_penalty": -0.0, "seed": 2**31 - 1}),
        (
            "chat",
            {"extra_body": {"top_k": 5, "nested": {"a": [1.5, None, True, '\x7f\x1b\\"'], "ü": "€ 🙂"}}},
        ),
        ("chat", {"reasoning_effort": "low", "max_completion_tokens": 9}),
        ("responses", {"temperature": 0.7, "max_tokens": 300, "reasoning_effort": "low"}),
        ("responses", {"extra_body": {"metadata": {"ü": "€ 🙂 </s>"}}}),
    ],
)
def test_both_ways_send_the_same_bytes(
    stub_url: str, api: Literal["chat", "responses"], params: dict[str, Any]
) -> None:
    """A body is the same byte for byte, whether the SDK builds the request or it is repeated."""
    post(stub_url, "/reset")
    options = OpenAIOptions.model_validate(
        {"base_url": stub_url, "model": "plain", "api": api, "params": params, "system": "Be brief.\t☃"}
    )
    request = Request(prompt_id="p", messages=(Message(role="user", content="Grüße 🙂 \x00 \u2028 </x>"),))
    payload = payload_for(options, request, 7, "max_tokens")

    async def use(client: DirectClient) -> None:
        path = PATH if api == "chat" else "/responses"
        await client.post(path, cast_to=httpx2.Response, body=payload)
        await client.post_plain(path, payload, {})
        await client.post_plain(path, payload, {})

    using(stub_url, use)
    theirs, *ours = (one["raw"] for one in log_of(stub_url)[1:])
    assert len(ours) == 2
    assert set(ours) == {theirs}


@pytest.mark.parametrize(
    "model",
    ["bad-request", "bad-key", "forbidden", "absent", "rate-limited", "server-error", "redirect"],
)
def test_a_failing_status_is_the_sdks_own_error(stub_url: str, model: str) -> None:
    """Class, status, message, body and headers are those that the SDK gives."""

    async def use(client: DirectClient) -> None:
        with pytest.raises(openai.APIStatusError) as theirs:
            await client.post(PATH, cast_to=httpx2.Response, body=body(model))
        with pytest.raises(openai.APIStatusError) as ours:
            await client.post_plain(PATH, body(model), {})
        assert type(ours.value) is type(theirs.value)
        assert str(ours.value) == str(theirs.value)
        assert ours.value.response.content == theirs.value.response.content
        assert ours.value.response.headers.get("retry-after") == theirs.value.response.headers.get(
            "retry-after"
        )
        assert ours.value.body == theirs.value.body

    using(stub_url, use)


@pytest.mark.parametrize("model", ["drops", "cut-off", "hang"])
def test_a_broken_connection_is_a_connection_error(stub_url: str, model: str) -> None:
    """Whatever breaks below HTTP ends as the SDK's connection error, with its cause."""

    async def use(client: DirectClient) -> None:
        with pytest.raises(openai.APIConnectionError) as broken:
            await client.post_plain(PATH, body(model), {})
        assert broken.value.__cause__ is not None

    using(stub_url, use)


def test_a_first_reply_that_is_no_http_is_a_connection_error() -> None:
    """What answers by another protocol fails as a connection does, also before a way is learned."""

    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, open_client(f"http://127.0.0.1:{port}/v1", "sk-abc", 0.5, {}) as client:
            with pytest.raises(openai.APIConnectionError) as broken:
                await client.post_plain(PATH, body("plain"), {})
        assert transport_problem(broken.value, 0.5) == ("the reply is no HTTP", False)

    asyncio.run(run())


def test_no_bearer_is_sent_where_another_header_carries_the_key(stub_url: str) -> None:
    """Azure's way of signing holds for later requests too."""
    post(stub_url, "/reset")

    async def around() -> None:
        async with open_client(stub_url, "sk-abc", 5.0, None, "api-key") as client:
            for _ in range(2):
                await client.post_plain(PATH, body("plain"), request_options("api-key"))

    asyncio.run(around())
    log = log_of(stub_url)
    assert [entry["authorization"] for entry in log] == ["", ""]
    assert all("api-key" in map(str.lower, entry["headers"]) for entry in log)
