"""What a repair took: time, tokens, money and energy, as its trainer noted them; unknown stays unknown."""

import json
import math
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from audit.errors import InputError
from audit.validation import problem_lines
from probes.records import Record

__all__ = ["RepairCost", "amount_words", "read_repair_cost"]

_WHOLE = 1000
_NOTED = "training.json"
_Amount = Annotated[float, Field(ge=0)] | None


class RepairCost(Record):
    """What training took; None: nobody noted it."""

    trainer: str
    seconds: _Amount = None
    tokens: _Amount = None
    usd: _Amount = None
    energy_kwh: _Amount = None
    energy_source: Annotated[str, Field(max_length=400)] | None = None
    """What metered or estimated it, with its version."""


def read_repair_cost(folder: Path) -> RepairCost:
    """What the trainer of a model noted.

    Args:
        folder: Folder of the trained model, with its `training.json`.

    Raises:
        InputError: The trainer noted nothing there, or what stands there is malformed.
    """
    path = folder / _NOTED
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path}: is no JSON: {error}") from error
    trainer = said.get("trainer") if isinstance(said, dict) else None
    if not isinstance(trainer, dict):
        raise InputError(f"{path}: trainer: missing, or no object; accepted: what a trainer wrote")
    phases = said.get("phases")
    each = [one.get("tokens") for one in phases if isinstance(one, dict)] if isinstance(phases, list) else []
    tokens = said.get("trained_tokens")
    if tokens is None and each and all(isinstance(one, int) for one in each):
        tokens = sum(each)
    known = {key: said.get(key) for key in ("seconds", "usd", "energy_kwh", "energy_source")}
    try:
        return RepairCost.model_validate({"trainer": trainer.get("name"), "tokens": tokens, **known})
    except ValidationError as error:
        raise InputError(problem_lines(error, str(path))[0]) from error


def amount_words(value: float | None) -> str:
    """An amount with three digits or all whole ones, so that a little is not told as nothing.

    >>> amount_words(0.00002), amount_words(12.5), amount_words(1234.5), amount_words(0.0)
    ('0.00002', '12.5', '1,234', '0')
    >>> amount_words(None)
    'unknown'
    """
    if value is None:
        return "unknown"
    if value >= _WHOLE:
        return f"{value:,.0f}"
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(value)))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
