"""A server with a Batch API on loopback: files, batches and their results; runs as a script.

    python -m tests.servers.stub_batches --polls 1 --fate completed --pause 0.005

prints one line, `{"base_url": "http://127.0.0.1:PORT/v1"}`, and serves until it is killed.
A batch has ended once it was asked for `--polls` times; `--fate` says how. Of the fates, `partly` leaves
every fourth request without a result and rejects every fifth, and `hostile` writes lines of other shapes.
`--pause` is slept before and after every change, so that whoever submits can be killed on either side of it.
`GET /log` gives the batches that were made, in order, each with its tag and its requests.
"""

import argparse
import asyncio
import json
import sys
from itertools import count

from aiohttp import web

Line = dict[str, object]


class Batches:
    """The server's files and batches."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Nothing is there yet."""
        self.polls = int(arguments.polls)
        self.fate = str(arguments.fate)
        self.pause = float(arguments.pause)
        self.create_status = int(arguments.create_status)
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Line] = {}
        self.asked: dict[str, int] = {}
        self.numbers = count(1)

    async def upload(self, request: web.Request) -> web.Response:
        """Keep a file."""
        form = await request.post()
        assert form["purpose"] == "batch"
        field = form["file"]
        assert isinstance(field, web.FileField)
        name = f"file-{next(self.numbers)}"
        self.files[name] = field.file.read()
        await asyncio.sleep(self.pause)
        return web.json_response({"id": name, "object": "file"})

    async def content(self, request: web.Request) -> web.Response:
        """A file's bytes."""
        return web.Response(body=self.files[request.match_info["id"]])

    async def create(self, request: web.Request) -> web.Response:
        """Make a batch of a file."""
        body = await request.json()
        if self.create_status:
            return web.json_response({"error": {"message": "no room"}}, status=self.create_status)
        await asyncio.sleep(self.pause)
        name = f"batch-{next(self.numbers)}"
        lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "completion_window": body["completion_window"],
            "input_file_id": body["input_file_id"],
            "metadata": body.get("metadata"),
            "created_at": 2_000_000_000 + len(self.batches),
            "status": "validating",
            "lines": lines,
        }
        self.asked[name] = 0
        await asyncio.sleep(self.pause)
        return web.json_response(self._shown(name))

    async def retrieve(self, request: web.Request) -> web.Response:
        """A batch, which comes closer to its end every time."""
        name = request.match_info["id"]
        self.asked[name] += 1
        batch = self.batches[name]
        if self.asked[name] >= self.polls and "ended" not in batch:
            batch["ended"] = True
            self._end(batch)
        await asyncio.sleep(self.pause)
        return web.json_response(self._shown(name))

    async def listed(self, request: web.Request) -> web.Response:
        """A page of batches, the newest first."""
        names = list(reversed(self.batches))
        after = request.query.get("after")
        start = names.index(after) + 1 if after else 0
        limit = min(3, int(request.query["limit"]))
        page = names[start : start + limit]
        more = start + limit < len(names)
        return web.json_response({"data": [self._shown(name) for name in page], "has_more": more})

    async def logged(self, _: web.Request) -> web.Response:
        """What was submitted."""
        told = [
            {"tag": batch["metadata"], "lines": batch["lines"], "asked": self.asked[name]}
            for name, batch in self.batches.items()
        ]
        return web.json_response(told)

    def _shown(self, name: str) -> Line:
        return {key: value for key, value in self.batches[name].items() if key not in {"lines", "ended"}}

    def _end(self, batch: Line) -> None:
        lines = batch["lines"]
        assert isinstance(lines, list)
        batch["status"] = "completed" if self.fate in {"partly", "hostile"} else self.fate
        if self.fate == "failed":
            batch["errors"] = {"data": [{"code": "invalid", "message": "line 1: the model is unknown"}]}
            return
        answered, rejected = [], []
        for number, line in enumerate(lines):
            cut = self.fate != "completed" and number % 4 == 3
            if self.fate == "partly" and number % 5 == 4:
                rejected.append(_rejected(line))
            elif not cut:
                answered.append(_answered(line, hostile=self.fate == "hostile"))
        batch["output_file_id"] = self._kept(answered)
        if rejected:
            batch["error_file_id"] = self._kept(rejected)
        batch["request_counts"] = {
            "total": len(lines),
            "completed": len(answered),
            "failed": len(lines) - len(answered),
        }

    def _kept(self, lines: list[str]) -> str:
        name = f"file-{next(self.numbers)}"
        self.files[name] = "\n".join(lines).encode()
        return name


def _answered(line: Line, *, hostile: bool) -> str:
    body = line["body"]
    assert isinstance(body, dict)
    text = f"echo: {body['messages'][-1]['content']}"
    if hostile:
        text = "\x1b[31m\u2028\ud83d</script>=1+1"
    message = {"role": "assistant", "content": text}
    completion = {
        "id": "c",
        "model": body["model"],
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    }
    response = {"status_code": 200, "request_id": "r", "body": completion}
    told = json.dumps({"custom_id": line["custom_id"], "response": response, "error": None})
    if not hostile:
        return told
    foreign = ['{"custom_id": 7}', "[]", "{torn", '{"custom_id": "x.0.0.0"}', "[" * 100_000]
    return "\n".join([told, told, *foreign])


def _rejected(line: Line) -> str:
    response = {"status_code": 400, "body": {"error": {"message": "too long", "code": "length"}}}
    return json.dumps({"custom_id": line["custom_id"], "response": response, "error": None})


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until killed."""
    batches = Batches(arguments)
    application = web.Application(client_max_size=2**30)
    application.add_routes(
        [
            web.post("/v1/files", batches.upload),
            web.get("/v1/files/{id}/content", batches.content),
            web.post("/v1/batches", batches.create),
            web.get("/v1/batches", batches.listed),
            web.get("/v1/batches/{id}", batches.retrieve),
            web.get("/log", batches.logged),
        ]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"base_url": f"http://127.0.0.1:{port}/v1"}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--polls", default=1)
    parser.add_argument("--fate", default="completed")
    parser.add_argument("--pause", default=0.0)
    parser.add_argument("--create-status", default=0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
