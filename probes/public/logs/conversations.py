"""Messages as the tools write them, turned into conversations; what is no text is refused by name."""

import json
from collections.abc import Mapping
from typing import Literal, cast

from probes.public.logs.entries import UnreadableError, cut
from probes.records import Message, storable

__all__ = ["conversation", "said", "spoken"]

Role = Literal["system", "user", "assistant"]
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
}
_TEXTS = frozenset({"text", "input_text", "output_text"})
_SILENT = frozenset({"reasoning", "thinking"})
"""Parts that a model writes for itself: they belong to no reply."""


def conversation(value: object) -> tuple[Message, ...]:
    """The conversation that a value holds.

    Args:
        value: A text, the JSON text of a list of messages, a list of messages, or one message.

    Raises:
        UnreadableError: It holds no message, or one that is no text or of a role that cannot be asked.
    """
    if isinstance(value, str):
        listed = _listed(value)
        if listed is None:
            return (Message(role="user", content=storable(value)),)
        value = listed
    if isinstance(value, Mapping):
        value = value["data"] if isinstance(value.get("data"), list) else [value]
    if not isinstance(value, list) or not value:
        raise UnreadableError(f"holds no messages; got {cut(value)}")
    return tuple(_message(one) for one in value)


def spoken(value: object) -> tuple[tuple[Message, ...], str | None]:
    """A whole conversation, parted into what was asked and the last reply.

    Returns:
        The messages before the last, and its text if it is the assistant's; else all of them and None.

    Raises:
        UnreadableError: As for `conversation`.
    """
    found = conversation(value)
    if found[-1].role == "assistant" and len(found) > 1:
        return found[:-1], found[-1].content
    return found, None


def said(content: object) -> str | None:
    """The text of a message's content, parts joined by line ends; None if there is none.

    Raises:
        UnreadableError: A part is no text, such as a picture.
    """
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        raise UnreadableError(f"content must be a text or a list of parts; got {cut(content)}")
    texts = []
    for part in content:
        kind = str(part.get("type", "text")) if isinstance(part, Mapping) else None
        if kind in _SILENT:
            continue
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping) and kind in _TEXTS and isinstance(part.get("text"), str):
            texts.append(str(part["text"]))
        else:
            raise UnreadableError(f"content has a part that is no text: {cut(kind or part)}")
    return "\n".join(texts) if texts else None


def _listed(text: str) -> list[object] | None:
    """The messages that a text spells out as JSON, as chat templates do; None if it is an ordinary text."""
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_chat = isinstance(value, list) and all(isinstance(one, dict) and "role" in one for one in value)
    return cast("list[object]", value) if is_chat and value else None


def _message(value: object) -> Message:
    if not isinstance(value, Mapping) or not isinstance(value.get("role"), str):
        raise UnreadableError(f"a message must have a role and a content; got {cut(value)}")
    role = _ROLES.get(str(value["role"]).lower())
    if role is None:
        raise UnreadableError(f"a message has the role {cut(value['role'])}, which cannot be asked")
    content = said(value.get("content"))
    if content is None:
        raise UnreadableError(f"a message of the {role} has no text")
    return Message(role=role, content=storable(content))
