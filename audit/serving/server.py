"""Starting the server, saying where it is, and stopping it without losing anything."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from audit.errors import InputError
from audit.serving.answering import Answering
from audit.serving.application import Access, application
from audit.serving.batch_answers import Answerers
from audit.serving.batch_endpoints import BatchEndpoints
from audit.serving.batches import Batches
from audit.serving.counting import Counting
from audit.serving.files import FileEndpoints, Files
from audit.serving.fine_tuning import Jobs
from audit.serving.hosts import is_loopback
from audit.serving.inference import Inference
from audit.serving.job_endpoints import JobEndpoints
from audit.serving.models import Models, ModelsOptions
from audit.serving.moderations import Moderations
from audit.serving.pacing import Pace

__all__ = ["ServeOptions", "serve"]

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
    most_upload_bytes: int = 200 * 2**20
    """Largest file."""
    job_s: float = 1.0
    """Seconds that a batch or a fine-tuning job takes at least."""
    batch_window_s: float = 86_400.0
    """Seconds after which a batch expires."""


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
    parts = _parts(options, models)
    access = Access(key=options.key, local=is_loopback(options.host), most_bytes=options.most_bytes)
    groups = (
        FileEndpoints(parts.files, options.most_upload_bytes),
        BatchEndpoints(parts.batches),
        JobEndpoints(parts.jobs),
    )
    app = application(access, parts.inference, models, parts.counting, groups)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, options)
        parts.batches.resume()
        parts.jobs.resume()
        listening(_base_url(runner, options.host))
        await stop.wait()
    finally:
        await runner.cleanup()
        await parts.batches.aclose()
        await parts.jobs.aclose()
        await models.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the routes need."""

    counting: Counting
    inference: Inference
    files: Files
    batches: Batches
    jobs: Jobs


def _parts(options: ServeOptions, models: Models) -> _Parts:
    answering = Answering(models, options.seed, time.time)
    counting = Counting()
    inference = Inference(answering, Moderations(models, answering, options.seed), counting)
    pace = Pace(least_s=options.job_s, window_s=options.batch_window_s, now=time.time)
    files = Files(options.folder / "files", time.time)
    answerers = Answerers(
        by_endpoint={
            "/v1/chat/completions": inference.chat,
            "/v1/responses": inference.response,
            "/v1/moderations": inference.moderation,
        },
        check_model=models.find,
    )
    return _Parts(
        counting=counting,
        inference=inference,
        files=files,
        batches=Batches(options.folder / "batches", files, answerers, pace),
        jobs=Jobs(options.folder / "jobs", files, models, pace),
    )


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
