"""Turning a failed validation into one line a problem: file, key, value received, values accepted."""

from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["problem_lines"]

_SHOWN_CHARACTERS = 60


def problem_lines(error: ValidationError, where: str, model: type[BaseModel] | None = None) -> list[str]:
    """One line for every problem of a failed validation.

    Args:
        error: What pydantic raised.
        where: The file, and the key inside it that was validated, such as `spec.yaml: target`.
        model: What was validated; if given, the message about an unknown key lists the known ones.

    Returns:
        Lines such as `spec.yaml: judgement.level: Input should be less than 1; got 95`.
    """
    return [
        f"{_join(where, _key(problem['loc']))}: {_reason(problem, model)}"
        for problem in error.errors()
        if not _follows(problem, error.errors())
    ]


def _follows(problem: ErrorDetails, problems: Sequence[ErrorDetails]) -> bool:
    """True if a list is called too short only because an entry of it, which has its own line, was refused."""
    place = problem["loc"]
    return problem["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in problems
    )


def _reason(problem: ErrorDetails, model: type[BaseModel] | None) -> str:
    if problem["type"] == "extra_forbidden":
        if model is None:
            return "unknown key; remove it or correct its name"
        return f"unknown key; accepted: {', '.join(_accepted(model, problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return "required key is missing"
    said = problem["msg"].removeprefix("Value error, ")
    # What a whole mapping is refused for names its keys already.
    told = problem["type"] == "value_error" and isinstance(problem["input"], dict)
    return said if told else f"{said}; got {_shown(problem['input'])}"


def _accepted(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that the part of a model at a location knows."""
    for part in location:
        field = model.model_fields.get(str(part))
        inner = None if field is None else _model_in(field.annotation)
        # The place in a list, and the tag of a choice of models, are no keys.
        model = inner or model
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _key(location: tuple[int | str, ...]) -> str:
    parts: list[str] = []
    for part in location:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        else:
            parts.append(f".{part}" if parts else part)
    return "".join(parts)


def _join(where: str, key: str) -> str:
    if not key:
        return where
    if ": " in where:
        return f"{where}.{key}" if not key.startswith("[") else f"{where}{key}"
    return f"{where}: {key}"


def _shown(received: object) -> str:
    text = repr(received)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
