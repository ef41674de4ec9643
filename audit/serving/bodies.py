"""JSON bodies of requests as clients send them, checked."""

import json
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.serving.api_errors import invalid, refused_body
from probes.records import Message

__all__ = ["Body", "Metadata", "Role", "TextPart", "message_of", "parsed"]

Role = Literal["system", "developer", "user", "assistant"]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=16),
]
_MostText = Annotated[str, Field(max_length=4_000_000)]


class Body(BaseModel):
    """A body of which unknown keys are ignored, as compatible servers do."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class TextPart(Body):
    """A part of a message; only text is read."""

    type: Literal["text", "input_text", "output_text"]
    text: _MostText


_Parsed = TypeVar("_Parsed", bound=BaseModel)


def parsed(model: type[_Parsed], raw: bytes) -> _Parsed:
    """A request body as the documented object.

    Args:
        model: Its class.
        raw: The bytes.

    Raises:
        ApiError: 400; it is not JSON, or not of that shape.
    """
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise invalid(
            "We could not parse the JSON body of your request. The API expects a JSON payload.", code=None
        ) from error
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refused_body(error) from error


def message_of(role: Role, content: str | tuple[TextPart, ...] | None) -> Message:
    """One message of a conversation; parts are joined, and developers speak as the system does."""
    text = content if isinstance(content, str) else "".join(part.text for part in content or ())
    known = "system" if role == "developer" else role
    return Message(role=known, content=text)
