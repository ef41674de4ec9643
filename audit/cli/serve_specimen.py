"""`evenhand serve-specimen`: specimens, hostile and faulty models as an OpenAI-compatible server."""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from audit.cli.console import say, warn
from audit.cli.options import json_option
from audit.cli.streams import write_out
from audit.errors import InputError
from audit.serving.declaring import read_targets
from audit.serving.hosts import is_loopback
from audit.serving.server import ServeOptions, serve
from audit.serving.shelves import alone_in

__all__ = ["serve_specimen"]

_LENDER_SEED = 7


@click.command("serve-specimen")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    help="Serve only this: a model's name, NAME={type: ...} or NAME=SPEC; may be repeated.",
)
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that keeps files, batches, jobs and models; a temporary one if absent.",
)
@click.option(
    "--trainable",
    "lender",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the model behind the name trainable; a biased lender is trained if absent.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Root seed of answers and faults.",
)
@click.option("--api-key-env", help="NAME of the environment variable that holds the key to ask for.")
@click.option(
    "--max-body-mb",
    default=16,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Largest body of a request in MiB, uploads apart.",
)
@click.option(
    "--max-upload-mb",
    default=200,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Largest file in MiB.",
)
@click.option(
    "--job-seconds",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 86_400),
    help="Seconds that a batch or a fine-tuning job takes at least.",
)
@click.option(
    "--batch-window-seconds",
    default=86_400.0,
    show_default=True,
    type=click.FloatRange(0, 86_400),
    help="Seconds after which a batch expires; clients may only ask for 24h.",
)
@json_option
def serve_specimen(
    port: int,
    host: str,
    targets: tuple[str, ...],
    folder: Path | None,
    lender: Path | None,
    seed: int,
    api_key_env: str | None,
    max_body_mb: int,
    max_upload_mb: int,
    job_seconds: float,
    batch_window_seconds: float,
    as_json: bool,
) -> None:
    """Serve specimens, hostile and faulty models as an OpenAI-compatible server.

    Rehearse an audit against it before you spend anything on a real endpoint. It runs until it is
    stopped with Ctrl-C. GET /v1/models lists the models, and each name says what is behind it.
    """
    if not is_loopback(host):
        warn(f"--host {host}: every machine that reaches this address can use the server and its disk")
    names, declared = read_targets(targets)
    if lender is not None:
        _check_lender(lender)
    with _kept_in(folder) as kept:
        options = ServeOptions(
            host=host,
            port=port,
            folder=kept,
            root=Path(),
            train_lender=_train_lender,
            lender=lender,
            names=names,
            declared=declared,
            secrets=os.environ,
            seed=seed,
            key=_key(api_key_env),
            most_bytes=max_body_mb * 2**20,
            most_upload_bytes=max_upload_mb * 2**20,
            job_s=job_seconds,
            batch_window_s=batch_window_seconds,
        )
        asyncio.run(serve(options, lambda base_url: _listening(base_url, kept, as_json=as_json)))
    say("stopped")


def _check_lender(folder: Path) -> None:
    """Refuse a folder without a model now, rather than the first request for it."""
    from audit.targets.trainable.decision_model import load  # noqa: PLC0415 - as below

    load(folder)


def _train_lender(folder: Path) -> None:
    from audit.demo.history import train_lender  # noqa: PLC0415 - heavy, and only the first to ask it waits

    train_lender(folder, seed=_LENDER_SEED)


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "")
    if not key:
        raise InputError(
            f"--api-key-env: environment variable {variable} is not set",
            next_step=f"export {variable}=..., then give the command again",
        )
    return key


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        with alone_in(folder):
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="evenhand-serve-") as made:
        say(f"files, batches and models lie in {made} until the server stops; --data DIR keeps them")
        yield Path(made)


def _listening(base_url: str, folder: Path, *, as_json: bool) -> None:
    if as_json:
        # One line, so that whoever starts the server need not know when the document ends.
        write_out(json.dumps({"base_url": base_url, "data": str(folder)}) + "\n")
    say(f"serving {base_url}; Ctrl-C stops it")
