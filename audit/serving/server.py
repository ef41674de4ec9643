"""Starting the server, saying where it is, and stopping it without losing anything."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from audit.errors import InputError
from audit.serving.answering import Answering
from audit.serving.application import Access, application
from audit.serving.counting import Counting
from audit.serving.inference import Inference
from audit.serving.models import Models, ModelsOptions

__all__ = ["ServeOptions", "is_loopback", "serve"]

_LOGGER = logging.getLogger(__name__)
_BACKLOG = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where to listen, what to serve, and what the world gives."""

    host: str
    port: int
    """0 takes a free one."""
    folder: Path
    """Where files, batches, jobs and fine-tuned models lie."""
    root: Path
    """Folder that relative paths of declared targets are relative to."""
    train_lender: Callable[[Path], None]
    """Makes the model behind `trainable`."""
    lender: Path | None = None
    """Folder of another model to put behind `trainable`."""
    names: tuple[str, ...] = ()
    declared: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    key: str | None = None
    most_bytes: int = 16 * 2**20
    """Largest body of a request, uploads apart."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(options: ServeOptions, listening: Callable[[str], None]) -> None:
    """Serve until the process is told to stop.

    Args:
        options: Where, what and how.
        listening: Called once with the base URL, when requests are taken.

    Raises:
        InputError: The address cannot be had, or a declared target is wrong.
        SpecError: As above.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    models = Models(
        ModelsOptions(
            root=options.root,
            lender=options.lender or options.folder / "models" / "trainable",
            train_lender=options.train_lender,
            clock=time.monotonic,
            names=options.names,
            declared=options.declared,
            secrets=options.secrets,
        )
    )
    counting = Counting()
    inference = Inference(Answering(models, options.seed, time.time), counting)
    access = Access(key=options.key, local=is_loopback(options.host), most_bytes=options.most_bytes)
    runner = web.AppRunner(application(access, inference, models, counting), shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, options)
        listening(_base_url(runner, options.host))
        await stop.wait()
    finally:
        await runner.cleanup()
        await models.aclose()


async def _listen(runner: web.AppRunner, options: ServeOptions) -> None:
    try:
        await web.TCPSite(runner, options.host, options.port, backlog=_BACKLOG).start()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise InputError(
            f"--host {options.host} --port {options.port}: cannot listen there: {why}",
            next_step="evenhand serve-specimen --port 0",
        ) from error


def _base_url(runner: web.AppRunner, host: str) -> str:
    port = runner.addresses[0][1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
