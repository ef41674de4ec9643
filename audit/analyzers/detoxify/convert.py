"""Converting a Detoxify checkpoint once, so that reading it later runs no code that it may carry."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from audit.analyzers.detoxify.engine import FACTS_FILE
from audit.analyzers.detoxify.model import load_checkpoint, load_folder, require_extra
from audit.analyzers.detoxify.onnx import ONNX_FILES, require_onnx, write_int8, write_onnx
from audit.errors import InputError

__all__ = ["Backend", "convert_checkpoint"]

Backend: TypeAlias = Literal["torch", "onnx", "onnx-int8"]


def convert_checkpoint(
    path: Path,
    out: Path,
    *,
    config: Path | None = None,
    backends: Sequence[Backend] = ("torch",),
    allow_unsafe: bool = False,
) -> Path:
    """Rewrite a Detoxify checkpoint as a folder of safetensors weights and JSON, which cannot carry code.

    Args:
        path: Checkpoint in Detoxify's own format, or a folder that was converted before.
        out: Folder to write; made if missing. It may be the converted folder itself.
        config: Folder with the base model's configuration and tokenizer.
        backends: What will run it; for ONNX Runtime a graph is written beside the weights.
        allow_unsafe: Whether to unpickle a checkpoint that cannot be read safely; only for one you trust.

    Returns:
        The folder, to be given as the analyzer's `checkpoint`.

    Raises:
        ExtraMissingError: A library that it needs is not installed.
        InputError: The checkpoint cannot be read, or the folder cannot be written.
    """
    require_extra()
    graphs = set(backends) - {"torch"}
    if graphs:
        require_onnx(writing=True)
    if path.is_dir():
        engine = load_folder(path)
    else:
        engine = load_checkpoint(path, config, allow_unsafe=allow_unsafe, allow_download=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        engine.model.save_pretrained(out)
        engine.tokenizer.save_pretrained(out)
        if graphs:
            write_onnx(engine.model, engine.facts, out / ONNX_FILES["onnx"])
        if "onnx-int8" in graphs:
            write_int8(out / ONNX_FILES["onnx"], out / ONNX_FILES["onnx-int8"])
        (out / FACTS_FILE).write_text(engine.facts.model_dump_json(indent=1) + "\n", "utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from error
    return out
