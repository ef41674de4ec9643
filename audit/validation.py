"""Turning a failed validation into one line a problem: file, key, value received, values accepted."""

from pydantic import ValidationError

__all__ = ["problem_lines"]

_SHOWN_CHARACTERS = 60


def problem_lines(error: ValidationError, where: str) -> list[str]:
    """One line for every problem of a failed validation.

    Args:
        error: What pydantic raised.
        where: The file, and the key inside it that was validated, such as `spec.yaml: target`.

    Returns:
        Lines such as `spec.yaml: judgement.level: Input should be less than 1; got 95`.
    """
    return [
        _line(problem["loc"], problem["msg"], problem["type"], problem["input"], where)
        for problem in error.errors()
    ]


def _line(location: tuple[int | str, ...], message: str, kind: str, received: object, where: str) -> str:
    key = _key(location)
    place = _join(where, key)
    if kind == "extra_forbidden":
        return f"{place}: unknown key; remove it or correct its name"
    if kind == "missing":
        return f"{place}: required key is missing"
    reason = message.removeprefix("Value error, ")
    return f"{place}: {reason}; got {_shown(received)}"


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
