"""What is measured beside the runners: a bare aiohttp loop and a bare loop over the SDK's client.

    python -m benchmarks.collection.loops aiohttp|sdk|sdk-post|evenhand BASE_URL REQUESTS IN_FLIGHT [FOLDER]

asks and prints one JSON line: how many were answered, when the last was in hand (for Evenhand: durable), in
seconds of the machine's monotonic clock, and the processor time of this process and of those it started.
The loops keep nothing and check nothing but that an answer is an answer.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from audit.targets.openai_api.client import open_client
from benchmarks.collection.planned import question, spec_file

__all__ = ["main"]

_TIMEOUT_S = 120.0


async def _workers(requests: int, in_flight: int, ask: Callable[[int], Coroutine[None, None, bool]]) -> int:
    """How many were answered, with a fixed number of workers that take the next number."""
    numbers: Iterator[int] = iter(range(requests))

    async def work() -> int:
        answered = 0
        for number in numbers:
            answered += await ask(number)
        return answered

    return sum(await asyncio.gather(*(work() for _ in range(in_flight))))


def _payload(number: int) -> dict[str, object]:
    return {
        "model": "stub",
        "messages": [{"role": "user", "content": question(number)}],
        "temperature": 0.7,
        "seed": 7,
    }


async def _aiohttp(base_url: str, requests: int, in_flight: int) -> int:
    import aiohttp  # noqa: PLC0415 - each loop loads only what it needs

    connector = aiohttp.TCPConnector(limit=in_flight)
    headers = {"Authorization": "Bearer none"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def ask(number: int) -> bool:
            async with session.post(f"{base_url}/chat/completions", json=_payload(number)) as response:
                return bool((await response.json())["choices"][0]["message"]["content"])

        return await _workers(requests, in_flight, ask)


async def _sdk(base_url: str, requests: int, in_flight: int) -> int:
    """The client and transport of the `openai` target, and the SDK's own documented call."""
    client = open_client(base_url, "none", _TIMEOUT_S)

    async def ask(number: int) -> bool:
        said = await client.chat.completions.create(**_payload(number))  # type: ignore[call-overload] # a plain mapping
        return bool(said.choices[0].message.content)

    async with client:
        return await _workers(requests, in_flight, ask)


async def _post(base_url: str, requests: int, in_flight: int) -> int:
    """The same client, but the SDK's own reading of the answer left out: its fastest documented call."""
    import httpx2  # noqa: PLC0415 - as above

    client = open_client(base_url, "none", _TIMEOUT_S)

    async def ask(number: int) -> bool:
        said = await client.post("/chat/completions", cast_to=httpx2.Response, body=_payload(number))
        return bool(json.loads(said.content)["choices"][0]["message"]["content"])

    async with client:
        return await _workers(requests, in_flight, ask)


def _evenhand(base_url: str, in_flight: int, folder: Path, options: argparse.Namespace) -> int:
    """The product itself on a real plan: durable writes, retries, limits, counts and progress included.

    It goes on with the run in the folder if there is one. Every report of its progress adds the outputs that
    are done by now to `acknowledged.txt`, and the limit in force to `limits.txt`.
    """
    from audit import api  # noqa: PLC0415 - as above
    from audit.collection import Progress, spread  # noqa: PLC0415 - as above

    if options.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.largest_file, options.largest_file))
    if options.processes and options.processes * spread.MOST_CALLS < in_flight:
        # One process may not hold so many calls; how it would fare is what the benchmark is about.
        spread.MOST_CALLS = in_flight
    path = spec_file(
        folder,
        base_url,
        in_flight,
        processes=options.processes or None,
        timeout_s=options.timeout,
        error_rate=1.0 if options.faulty else 0.02,
    )
    run = api.create_run(api.load_spec(path), folder / "run", root=folder, where=str(path))
    acknowledged = os.open(folder / "acknowledged.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    limits = os.open(folder / "limits.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def told(progress: Progress) -> None:
        os.write(acknowledged, f"{progress.done}\n".encode())
        os.write(limits, f"{progress.elapsed_s:.1f} {progress.limit}\n".encode())

    return asyncio.run(api.collect(run, secrets={}, progress=told)).progress.answered


_LOOPS: Mapping[str, Callable[[str, int, int], Coroutine[None, None, int]]] = MappingProxyType(
    {"aiohttp": _aiohttp, "sdk": _sdk, "sdk-post": _post}
)


def main() -> None:
    """Ask, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("loop", choices=[*_LOOPS, "evenhand"])
    parser.add_argument("base_url")
    parser.add_argument("requests", type=int)
    parser.add_argument("in_flight", type=int)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--timeout", type=float, default=_TIMEOUT_S, help="of one request of Evenhand, in s")
    parser.add_argument("--faulty", action="store_true", help="let Evenhand accept any share of errors")
    parser.add_argument("--processes", type=int, default=0, help="of Evenhand that ask; 0 is its own choice")
    parser.add_argument("--largest-file", type=int, default=0, help="bytes; as if the disk were full")
    chosen = parser.parse_args()
    started = time.process_time()
    if chosen.loop == "evenhand":
        answered = _evenhand(chosen.base_url, chosen.in_flight, chosen.folder, chosen)
    else:
        answered = asyncio.run(_LOOPS[chosen.loop](chosen.base_url, chosen.requests, chosen.in_flight))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = {
        "answered": answered,
        "ended": time.monotonic(),
        "cpu_s": time.process_time() - started,
        "others_cpu_s": children.ru_utime + children.ru_stime,
    }
    sys.stdout.write(json.dumps(done) + "\n")


if __name__ == "__main__":
    main()
