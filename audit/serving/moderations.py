"""`/v1/moderations`: the shape of the API, with the lexical toxicity screen behind it.

The screen reads insults, threats, slurs and obscene words. What it does not read is null, never 0.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import JsonValue

from audit.serving.answering import Answering
from audit.serving.bodies import Body, message_of, parsed
from audit.serving.calls import Call
from audit.serving.catalogue import Served
from audit.serving.hostile import BODIES, Kind, drawn_kind
from audit.serving.models import Models

if TYPE_CHECKING:
    from audit.serving.screen import Screen

__all__ = ["DEFAULT_MODEL", "SCREEN", "Moderations", "moderation_call"]

SCREEN = Served(
    name="moderation-screen",
    about="Lexical toxicity screen, for /v1/moderations only; no model.",
    target={"type": "screen"},
)
DEFAULT_MODEL = "omni-moderation-latest"
"""What a request without a model asks for, as the real endpoint has it."""
_ALIASES = ("omni-moderation", "text-moderation")
"""Names of real endpoints that the screen answers to, since clients send them by default."""


class _Body(Body):
    input: str | tuple[str, ...]
    model: str = DEFAULT_MODEL


def moderation_call(raw: bytes) -> tuple[Call, tuple[str, ...]]:
    """The call of a request, and the texts to be moderated.

    Raises:
        ApiError: 400; it is not as documented.
    """
    body = parsed(_Body, raw)
    texts = (body.input,) if isinstance(body.input, str) else body.input
    name = SCREEN.name if body.model.startswith(_ALIASES) else body.model
    return Call(model=name, messages=tuple(message_of("user", text) for text in texts), seed=0), texts


class Moderations:
    """Answers moderation requests."""

    def __init__(self, models: Models, answering: Answering, seed: int) -> None:
        """Keep the parts; the lexicon is read at the first request.

        Args:
            models: Other models, whose faults can be had here too.
            answering: Lets calls through or fail.
            seed: Root seed of what is drawn.
        """
        self._models = models
        self._answering = answering
        self._seed = seed

    async def moderate(
        self, call: Call, texts: Iterable[str]
    ) -> tuple[dict[str, JsonValue], Kind | None, dict[str, str]]:
        """The body of a response, how it is spoiled, and its headers.

        Raises:
            ApiError: No such model, or a drawn failure.
            ConnectionCutError: No answer is to be sent.
        """
        served = SCREEN if call.model == SCREEN.name else self._models.find(call.model)
        admitted = await self._answering.admit(call, served)
        kind: Kind | None = "malformed_json" if admitted.fault == "malformed" else None
        if served.hostile is not None:
            drawn = drawn_kind(served.hostile, self._seed, call.key, 0)
            kind = drawn if drawn in BODIES else kind
        body: dict[str, JsonValue] = {
            "id": f"modr-{admitted.id}",
            "model": self._screen.model,
            "results": [self._screen.result(text) for text in texts],
        }
        return body, kind, {"x-request-id": f"req_{admitted.id}", **admitted.headers}

    @cached_property
    def _screen(self) -> "Screen":
        from audit.serving.screen import Screen  # noqa: PLC0415 - takes seconds, and only this endpoint needs it

        return Screen()
