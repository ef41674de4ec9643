"""A JSON template with holes for what is asked, filled without ever building JSON out of text.

    {messages}   the conversation, as a list of role and content; stands alone
    {prompt}     the text of the only user message
    {system}     the system prompt of the spec and of the conversation
    {seed}       a whole number for this prompt and repeat; alone a number, within a text its digits
    {repeat}     which of several outputs for one prompt, from 0; as for seed

Two braces stand for one: `{{prompt}}` is sent as `{prompt}`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import JsonValue

from audit.records import Request
from audit.targets.base import TargetError
from probes.seeds import derive

__all__ = ["check_template", "conversation", "fill", "holes", "only_prompt", "request_seed", "system_text"]

_SEEDS = 2**31
_HOLE = re.compile(r"\{\{([a-z_]+)\}\}|\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    seed: int
    system: str | None


def check_template(template: JsonValue, *, system: bool) -> None:
    """Refuse a template that could not carry what is asked.

    Args:
        template: The body, query or both.
        system: Whether the spec has a system prompt.

    Raises:
        ValueError: A hole is unknown, the question has none, or the system prompt has none.
    """
    found = set(holes(template))
    unknown = sorted(found - set(_HOLES))
    if unknown:
        accepted = ", ".join(f"{{{name}}}" for name in _HOLES)
        raise ValueError(f"holes must be among {accepted}; got {{{unknown[0]}}} (write two braces for one)")
    if not found & {"prompt", "messages"}:
        raise ValueError("body or query must hold {prompt} or {messages}, or nothing would be asked")
    if system and not found & {"system", "messages"}:
        raise ValueError("system is given, but body and query hold neither {system} nor {messages}")
    if any("{messages}" in text and text != "{messages}" for text in _texts(template)):
        raise ValueError("{messages} is a list: it must stand alone, as the whole text of a value")


def fill(template: JsonValue, request: Request, seed: int, system: str | None) -> JsonValue:
    """The template with its holes filled; what fills one is never searched for holes.

    Args:
        template: As checked by `check_template`.
        request: What is asked.
        seed: The run's root seed.
        system: The system prompt of the spec.

    Raises:
        TargetError: The template has no hole for a part of the conversation.
    """
    found = set(holes(template))
    if "messages" not in found:
        only_prompt(request, "the template has {prompt} alone; use {messages}")
        if "system" not in found and any(message.role == "system" for message in request.messages):
            raise TargetError("the conversation has a system message, and the template no {system}")
    return _filled(template, _Asked(request, seed, system))


def holes(template: JsonValue) -> Iterator[str]:
    """Names of the holes of a template."""
    for text in _texts(template):
        yield from (hole for _, hole in _HOLE.findall(text) if hole)


def only_prompt(request: Request, otherwise: str) -> str:
    """The text of the only message but for a system message before it.

    Args:
        request: What is asked.
        otherwise: What to say, after the number of messages, if there are several.

    Raises:
        TargetError: There are several.
    """
    said = [message for message in request.messages if message.role != "system"]
    if len(said) != 1 or said[0].role != "user":
        raise TargetError(f"there are {len(said)} messages, and {otherwise}")
    return said[0].content


def conversation(request: Request, system: str | None) -> list[JsonValue]:
    """The messages as JSON, the spec's system prompt first."""
    first: list[JsonValue] = [] if system is None else [{"role": "system", "content": system}]
    return first + [{"role": message.role, "content": message.content} for message in request.messages]


def system_text(request: Request, system: str | None) -> str:
    """The system prompts of spec and conversation as one text; empty without any."""
    own = [message.content for message in request.messages if message.role == "system"]
    return "\n\n".join(([] if system is None else [system]) + own)


def request_seed(seed: int, request: Request) -> int:
    """A seed below 2**31 for one prompt, turn and repeat.

    Not one for all prompts: a server draws alike from equal seeds, and replies to unlike prompts would then
    lean the same way, which no interval over templates covers.
    """
    return derive(seed, "request", request.prompt_id, request.turn, request.repeat) % _SEEDS


_HOLES: Mapping[str, Callable[[_Asked], JsonValue]] = MappingProxyType(
    {
        "messages": lambda asked: conversation(asked.request, asked.system),
        "prompt": lambda asked: only_prompt(asked.request, "{prompt} holds one"),
        "system": lambda asked: system_text(asked.request, asked.system),
        "seed": lambda asked: request_seed(asked.seed, asked.request),
        "repeat": lambda asked: asked.request.repeat,
    }
)


def _filled(template: JsonValue, asked: _Asked) -> JsonValue:
    if isinstance(template, dict):
        return {key: _filled(value, asked) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, asked) for value in template]
    if not isinstance(template, str):
        return template
    alone = _HOLE.fullmatch(template)
    if alone is not None and alone[2]:
        return _HOLES[alone[2]](asked)
    return _HOLE.sub(lambda hole: f"{{{hole[1]}}}" if hole[1] else str(_HOLES[hole[2]](asked)), template)


def _texts(template: JsonValue) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict):
        for value in template.values():
            yield from _texts(value)
    elif isinstance(template, list):
        for value in template:
            yield from _texts(value)
