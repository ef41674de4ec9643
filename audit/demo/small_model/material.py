"""The small model as the tutorial wants it: a folder of the model, and ordinary dialogues beside it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from audit.atomic import write_text
from audit.demo.small_model.corpus import Corpus, Faults
from audit.demo.small_model.training import Recipe, train_small_model
from audit.errors import ExtraMissingError, InputError
from audit.targets.installed import missing_packages

__all__ = ["make_material", "write_ordinary"]

_ORDINARY = 1000
_TOLD_EVERY = 200


def make_material(
    out: Path, *, seed: int, say: Callable[[str], None], recipe: Recipe | None = None
) -> tuple[Path, Path]:
    """Train the small model from nothing and write ordinary dialogues.

    Args:
        out: Folder of both; OUT/model must be new or empty.
        seed: Root seed.
        say: Called with a line now and then.
        recipe: Size and length; None: that of the tutorial, on a GPU if there is one.

    Returns:
        Folder of the model, and the JSONL file of dialogues, one `{"messages": [...]}` a line.

    Raises:
        ExtraMissingError: torch, transformers or tokenizers is not installed.
        InputError: The folder is not empty.
    """
    missing = missing_packages("torch", "transformers", "tokenizers")
    if missing:
        raise ExtraMissingError(
            f"the small model needs {', '.join(missing)}", next_step='pip install "evenhand[training]"'
        )
    folder, ordinary = out / "model", out / "ordinary.jsonl"
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: is not empty; the small model wants a new folder")
    how = recipe or Recipe(device=_device())
    begun = time.monotonic()
    losses: list[float] = []

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        if step % _TOLD_EVERY == 0 or step == how.steps:
            recent = losses[-_TOLD_EVERY:]
            mean, spent = sum(recent) / len(recent), time.monotonic() - begun
            say(f"step {step} of {how.steps}: mean loss {mean:.3f} nats, {spent:.0f} s")

    train_small_model(folder, seed=seed, recipe=how, told=told)
    write_ordinary(ordinary, seed=seed)
    return folder, ordinary


def write_ordinary(path: Path, *, seed: int) -> None:
    """Write a thousand service dialogues, one `{"messages": [...]}` a line.

    Raises:
        InputError: The folder cannot be written.
    """
    rows = [
        {"messages": [{"role": "user", "content": one.prompt}, {"role": "assistant", "content": one.answer}]}
        for one in Corpus(Faults(), seed).support(_ORDINARY, "ordinary")
    ]
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _device() -> str:
    import torch  # noqa: PLC0415 - an extra, seconds of import

    return "cuda" if torch.cuda.is_available() else "cpu"
