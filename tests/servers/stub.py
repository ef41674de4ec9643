"""An OpenAI-compatible server on loopback whose behaviour is told by the model's name; runs as a script.

    python -m tests.servers.stub --latency 0.05 --error-rate 0.01 --seed 3

prints one line, `{"base_url": "http://127.0.0.1:PORT/v1"}`, and serves until it is killed.
Which model names there are is in `_BEHAVIOURS`, `ODD_COMPLETIONS` and `JUDGES`; every other name answers
`echo: <last user message>`. `/v1/moderations` answers too, by `MODERATIONS`, `/v1/responses` by `RESPONSES`,
`/openai/…` as Azure's paths do, and `/plain/…` by a protocol of its own.
Rates are drawn from a hash of the request and of how often it was seen, so runs can be repeated.
`GET /log` gives the requests seen, `GET /most` the most that were in flight, `POST /reset` forgets both.
"""

import argparse
import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from tests.servers.stub_bodies import Body, completion, error, last_user
from tests.servers.stub_plain import plain_reply
from tests.servers.stub_raters import JUDGES, MODERATIONS, moderated
from tests.servers.stub_responses import ODD_COMPLETIONS, RESPONSES, responded


class Stub:
    """The server's state: its faults and what it has seen."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Take the faults from the command line."""
        self.latency = float(arguments.latency)
        self.retry_after = str(arguments.retry_after)
        self.seed = int(arguments.seed)
        self.rates = (
            (_rate_limited, float(arguments.rate_limit_rate)),
            (_server_error, float(arguments.error_rate)),
            (_malformed_json, float(arguments.malformed_rate)),
        )
        self.log: list[dict[str, object]] = []
        self.seen: Counter[str] = Counter()
        self.in_flight = 0
        self.most = 0
        self.current: web.Request
        self.asked_before = False

    async def complete(self, request: web.Request) -> web.Response:
        """Answer one chat completion."""
        raw = await request.read()
        body = json.loads(raw)
        authorization = request.headers.get("Authorization", "")
        self.log.append(
            {
                "body": body,
                "raw": raw.decode("latin-1"),
                "authorization": authorization,
                "headers": sorted(request.headers),
                "path": request.path_qs,
                "api_key": request.headers.get("api-key", ""),
            }
        )
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            self.current = request
            if request.path.endswith("/responses"):
                return RESPONSES.get(str(body["model"]), responded)(body)
            return await self._answer(raw, body)
        finally:
            self.in_flight -= 1

    async def _answer(self, raw: bytes, body: Body) -> web.Response:
        behaviour = _BEHAVIOURS.get(str(body["model"]))
        if behaviour is not None:
            return await behaviour(self, body)
        odd = ODD_COMPLETIONS.get(str(body["model"]))
        if odd is not None:
            return odd(body)
        digest = hashlib.sha256(raw + str(self.seed).encode()).hexdigest()
        self.seen[digest] += 1
        draw = hashlib.sha256(f"{digest} {self.seen[digest]}".encode()).digest()
        point = int.from_bytes(draw[:8], "big") / 2**64
        for fault, rate in self.rates:
            if point < rate:
                return await fault(self, body)
            point -= rate
        return await self._rated(body)

    async def _rated(self, body: Body) -> web.Response:
        judge = JUDGES.get(str(body["model"]))
        return await _echo(self, body) if judge is None else judge(body)

    async def plain(self, request: web.Request) -> web.StreamResponse:
        """Answer by a protocol of its own."""
        raw = await request.read()
        sent = json.loads(raw) if raw else None
        self.log.append({"body": sent, "headers": sorted(request.headers), "path": request.path_qs})
        if request.match_info["name"] == "hang":
            await asyncio.sleep(60)
        return await plain_reply(request, sent)

    async def moderate(self, request: web.Request) -> web.Response:
        """Answer one call to the moderation endpoint."""
        raw = await request.read()
        body = json.loads(raw)
        self.log.append({"body": body, "authorization": request.headers.get("Authorization", "")})
        self.seen[hashlib.sha256(raw).hexdigest()] += 1
        self.asked_before = self.seen[hashlib.sha256(raw).hexdigest()] > 1
        await asyncio.sleep(self.latency)
        fault = _MODERATION_FAULTS.get(str(body["model"]))
        if fault is not None and not (fault is _rate_limited and self.asked_before):
            return await fault(self, body)
        return MODERATIONS.get(str(body["model"]), moderated)(body)

    async def logged(self, _: web.Request) -> web.Response:
        """The requests seen so far."""
        return web.json_response(self.log)

    async def peak(self, _: web.Request) -> web.Response:
        """The most requests that were in flight at once."""
        return web.json_response(self.most)

    async def reset(self, _: web.Request) -> web.Response:
        """Forget what was seen."""
        self.log.clear()
        self.seen.clear()
        self.most = 0
        return web.json_response(None)


async def _echo(_: Stub, body: Body) -> web.Response:
    logprobs = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -0.25}]}
    further: dict[str, object] = {"logprobs": logprobs} if body.get("logprobs") else {}
    return completion(body, {"role": "assistant", "content": f"echo: {last_user(body)}"}, further=further)


async def _null_content(_: Stub, body: Body) -> web.Response:
    return completion(body, {"role": "assistant", "content": None})


async def _reasoning(_: Stub, body: Body) -> web.Response:
    return completion(body, {"content": None, "reasoning_content": "First, I weigh the file."}, "length")


async def _refusal(_: Stub, body: Body) -> web.Response:
    return completion(body, {"content": None, "refusal": "I can't help with that."})


async def _filtered_answer(_: Stub, body: Body) -> web.Response:
    return completion(body, {"content": "It is"}, "content_filter")


async def _filtered_prompt(_: Stub, __: Body) -> web.Response:
    return error(400, "The prompt was filtered.", code="content_filter")


async def _parts(_: Stub, body: Body) -> web.Response:
    return completion(body, {"content": [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]})


async def _bare(_: Stub, __: Body) -> web.Response:
    return web.json_response({"choices": [{"message": {"content": "bare"}}]})


async def _no_choices(_: Stub, __: Body) -> web.Response:
    return web.json_response({"choices": []})


async def _error_in_200(_: Stub, __: Body) -> web.Response:
    return web.json_response({"error": {"message": "upstream is overloaded", "code": 503}})


async def _malformed_json(_: Stub, __: Body) -> web.Response:
    return web.Response(text='{"choices": [{"message": {"content": "cu', content_type="application/json")


async def _wrong_shape(_: Stub, __: Body) -> web.Response:
    return web.json_response({"choices": {"message": "not a list"}})


async def _html(_: Stub, __: Body) -> web.Response:
    return web.Response(text="<html>Welcome to the proxy</html>", content_type="text/html")


async def _rate_limited(stub: Stub, __: Body) -> web.Response:
    return error(429, "Too many requests.", {"Retry-After": stub.retry_after})


async def _no_quota(_: Stub, __: Body) -> web.Response:
    return error(429, "You exceeded your current quota.", code="insufficient_quota")


async def _server_error(_: Stub, __: Body) -> web.Response:
    return web.Response(text="<h1>Internal server error</h1>", status=500)


async def _bad_key(stub: Stub, __: Body) -> web.Response:
    return error(401, f"Incorrect API key provided: {stub.log[-1]['authorization']}")


async def _forbidden(_: Stub, __: Body) -> web.Response:
    return error(403, "Not allowed.")


async def _absent(_: Stub, body: Body) -> web.Response:
    return error(404, f"The model `{body['model']}` does not exist.")


async def _redirect(_: Stub, __: Body) -> web.Response:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/elsewhere"})


async def _bad_request(_: Stub, __: Body) -> web.Response:
    return error(400, "messages are too long")


async def _hang(_: Stub, body: Body) -> web.Response:
    await asyncio.sleep(60)
    return await _echo(_, body)


async def _newer_name(stub: Stub, body: Body) -> web.Response:
    if "max_tokens" in body:
        said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return error(400, said, param="max_tokens", code="unsupported_parameter")
    return await _echo(stub, body)


async def _newer_name_filtered(stub: Stub, body: Body) -> web.Response:
    return await (_newer_name if "max_tokens" in body else _filtered_prompt)(stub, body)


async def _drops(stub: Stub, _: Body) -> web.Response:
    transport = stub.current.transport
    if transport is not None:
        transport.close()
    return web.Response()


async def _cut_off(stub: Stub, _: Body) -> web.Response:
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(stub.current)
    await answer.write(b'{"choices": [')
    return await _drops(stub, _)


async def _older_name(stub: Stub, body: Body) -> web.Response:
    if "max_completion_tokens" in body:
        return web.json_response({"detail": "max_completion_tokens: extra fields not permitted"}, status=400)
    return await _echo(stub, body)


_BEHAVIOURS: Mapping[str, Callable[[Stub, Body], Awaitable[web.Response]]] = MappingProxyType(
    {
        "null-content": _null_content,
        "reasoning": _reasoning,
        "refusal": _refusal,
        "filtered-answer": _filtered_answer,
        "filtered-prompt": _filtered_prompt,
        "parts": _parts,
        "bare": _bare,
        "no-choices": _no_choices,
        "error-in-200": _error_in_200,
        "malformed-json": _malformed_json,
        "wrong-shape": _wrong_shape,
        "html": _html,
        "rate-limited": _rate_limited,
        "no-quota": _no_quota,
        "server-error": _server_error,
        "bad-key": _bad_key,
        "forbidden": _forbidden,
        "absent": _absent,
        "redirect": _redirect,
        "bad-request": _bad_request,
        "hang": _hang,
        "newer-name": _newer_name,
        "older-name": _older_name,
        "newer-name-filtered": _newer_name_filtered,
        "drops": _drops,
        "cut-off": _cut_off,
    }
)


_MODERATION_FAULTS: Mapping[str, Callable[[Stub, Body], Awaitable[web.Response]]] = MappingProxyType(
    {
        "rate-limited-once": _rate_limited,
        "malformed": _malformed_json,
        "bad-key": _bad_key,
        "server-error": _server_error,
    }
)


async def _serve(arguments: argparse.Namespace) -> None:
    stub = Stub(arguments)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", stub.complete)
    app.router.add_post("/v1/responses", stub.complete)
    app.router.add_post("/openai/{path:.*}", stub.complete)
    app.router.add_route("*", "/plain/{name}", stub.plain)
    app.router.add_post("/v1/moderations", stub.moderate)
    app.router.add_get("/log", stub.logged)
    app.router.add_get("/most", stub.peak)
    app.router.add_post("/reset", stub.reset)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", arguments.port)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"base_url": f"http://127.0.0.1:{port}/v1"}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Read the command line and serve until killed."""
    parser = argparse.ArgumentParser(description="OpenAI-compatible stub server on loopback")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share answered with status 500")
    parser.add_argument("--rate-limit-rate", type=float, default=0.0, help="share answered with status 429")
    parser.add_argument("--retry-after", default="1", help="Retry-After of a 429, in seconds or as a date")
    parser.add_argument("--malformed-rate", type=float, default=0.0, help="share answered with a cut body")
    parser.add_argument("--seed", type=int, default=0, help="seed of the rates")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
