"""A moderation endpoint (`/v1/moderations`) as a target: a text goes in, its categories come back as JSON.

It is no target that a spec can name: it answers nobody. As a target it gets the pace, the retries and
the limits that every other call has.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from audit.records import Output, Request
from audit.targets.base import RetryableTargetError, TargetContext, TargetError, TargetInfo
from audit.targets.half_characters import whole_characters
from audit.targets.openai_api.client import open_client
from audit.targets.openai_api.errors import error_body, status_error
from audit.targets.openai_api.options import host_of
from audit.targets.openai_api.transport import transport_error
from audit.targets.variables import require_variables
from probes.base import Options as PluginOptions

if TYPE_CHECKING:
    import openai

__all__ = ["Moderation", "ModerationEndpoint", "ModerationSettings"]


class ModerationSettings(PluginOptions):
    """Which endpoint is asked, and how."""

    base_url: str
    model: str
    api_key_env: str | None
    timeout_s: float
    max_in_flight: int
    batch_size: int


class Moderation(BaseModel):
    """What the endpoint says of one text; categories it does not know are absent or None, never 0."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    flagged: StrictBool
    categories: dict[str, StrictBool | None]
    category_scores: dict[str, Annotated[float, Field(ge=0, le=1)] | None] = Field(default_factory=dict)


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    results: list[Moderation]
    model: str | None = None
    id: str | None = None


class ModerationEndpoint:
    """Asks one moderation model; the last message of each request is what it moderates.

    Do not use one object in two event loops without `aclose` between.
    """

    def __init__(self, settings: ModerationSettings, context: TargetContext) -> None:
        """Keep the settings; nothing is contacted.

        Args:
            settings: Which endpoint, and how.
            context: Name, and the key under the variable that `api_key_env` names.
        """
        self._settings = settings
        self._secret = context.secrets.get(settings.api_key_env, "") if settings.api_key_env else ""
        self._client: openai.AsyncOpenAI | None = None
        host = host_of(settings.base_url)
        self._place = f"{host} (model {settings.model!r})"
        self.info = TargetInfo(
            name=context.name,
            deterministic=False,
            batch_size=settings.batch_size,
            max_in_flight=settings.max_in_flight,
            hosts=(host,),
            facts={"type": "moderation", "model": settings.model, "base_url": settings.base_url},
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:
        """The variable that holds the key, if one is named."""
        named = options.api_key_env if isinstance(options, ModerationSettings) else None
        return (named,) if named else ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:  # noqa: ARG002 - the seam asks for it
        """One output for each request, in order, whose text is a `Moderation` as JSON.

        Raises:
            RetryableTargetError: No connection, a timeout, a rate limit, a server error, a malformed body.
            FatalTargetError: The key, the quota, the model or the address is wrong.
            TargetError: The server rejects the request, or answers for another number of texts.
        """
        started = time.perf_counter()
        body, request_id = await self._post([request.messages[-1].content for request in requests])
        latency = time.perf_counter() - started
        response = self._read(body)
        if len(response.results) != len(requests):
            given = len(response.results)
            raise TargetError(f"{self._place}: the response holds {given} results for {len(requests)} texts")
        return [
            Output(
                target=self.info.name,
                prompt_id=request.prompt_id,
                turn=request.turn,
                repeat=request.repeat,
                attempt=request.attempt,
                text=json.dumps(result.model_dump(mode="json"), sort_keys=True),
                finish_reason="stop",
                latency_s=latency,
                request_id=request_id or response.id,
                model=response.model,
            )
            for request, result in zip(requests, response.results, strict=True)
        ]

    async def aclose(self) -> None:
        """Close the connections; a later `generate` opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connected(self) -> "openai.AsyncOpenAI":
        settings = self._settings
        if self._client is None:
            if settings.api_key_env:
                named = {settings.api_key_env: self._secret}
                require_variables(self._place, named, dict.fromkeys(named, "api_key_env"))
            self._client = open_client(settings.base_url, self._secret, settings.timeout_s)
        return self._client

    async def _post(self, texts: Sequence[str]) -> tuple[bytes, str | None]:
        import openai  # noqa: PLC0415 - takes most of a second, and only what is asked needs it

        client, limit = self._connected(), self._settings.timeout_s
        try:
            async with asyncio.timeout(limit):
                # The raw response: the SDK's own parsing lets fields of any shape pass as if checked.
                response = await client.moderations.with_raw_response.create(
                    model=self._settings.model, input=list(texts)
                )
        except openai.APIStatusError as error:
            body, headers = error_body(error.response.content), error.response.headers
            raise status_error(
                error.status_code, body, headers, place=self._place, secrets=(self._secret,)
            ) from error
        except (openai.APIConnectionError, TimeoutError) as error:
            raise transport_error(error, limit, self._place) from error
        return response.content, response.headers.get("x-request-id")

    def _read(self, body: bytes) -> _Response:
        try:
            return _Response.model_validate_json(whole_characters(body))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in problem["loc"]) or "the body"
            raise RetryableTargetError(
                f"{self._place}: malformed response of {len(body)} bytes: {where}: {problem['msg']}"
            ) from error
