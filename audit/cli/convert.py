"""`evenhand analyzers convert`: a checkpoint as files that cannot carry code."""

from pathlib import Path
from typing import cast

import click

from audit.analyzers.detoxify.convert import Backend, convert_checkpoint
from audit.analyzers.detoxify.engine import FACTS_FILE
from audit.cli.console import data, say
from audit.cli.options import json_option

__all__ = ["convert"]

BACKENDS = ("torch", "onnx", "onnx-int8")


@click.command("convert")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write; made if it does not exist.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the base model's configuration and tokenizer.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    type=click.Choice(BACKENDS),
    default=("torch",),
    show_default=True,
    help="What will run it; may be given several times.",
)
@click.option(
    "--allow-unsafe",
    is_flag=True,
    help="Unpickle a checkpoint that cannot be read safely, which runs any code it carries.",
)
@json_option
def convert(
    checkpoint: Path,
    out: Path,
    config: Path | None,
    backends: tuple[str, ...],
    allow_unsafe: bool,
    as_json: bool,
) -> None:
    """Convert a Detoxify checkpoint to safetensors and JSON, so that loading it runs no code.

    CHECKPOINT is a file in Detoxify's format, or a folder that was converted before.
    """
    chosen = cast("tuple[Backend, ...]", backends)
    folder = convert_checkpoint(checkpoint, out, config=config, backends=chosen, allow_unsafe=allow_unsafe)
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    if as_json:
        data({"folder": str(folder), "facts": FACTS_FILE, "files": files})
        return
    say(f"{folder}: {', '.join(files)}")
    say(f"in a spec: {{use: detoxify, checkpoint: {folder}, backend: {backends[-1]}}}")
