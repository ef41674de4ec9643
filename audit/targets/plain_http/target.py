"""The `http` target: anything that takes a JSON request and gives a JSON or plain reply.

For applications, gateways and servers with a protocol of their own. Nothing of a request is kept between
requests: no cookie, no session; redirects are not followed.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from audit.records import Output, Request, Usage
from audit.targets.base import (
    RetryableTargetError,
    TargetContext,
    TargetError,
    TargetInfo,
    output_for,
)
from audit.targets.finish import broke_off, finish_reason, split_reasoning
from audit.targets.half_characters import whole_characters
from audit.targets.openai_api.bodies import BodyTooLongError, bounded
from audit.targets.openai_api.errors import error_body, status_error, without_secrets
from audit.targets.openai_api.transport import transport_error
from audit.targets.plain_http.json_paths import MISSING, Missing, find, shown, there
from audit.targets.plain_http.options import HttpOptions
from audit.targets.request_template import fill, holes
from audit.targets.variables import require_variables
from probes.base import Options as PluginOptions

if TYPE_CHECKING:
    import aiohttp

__all__ = ["HttpTarget"]

_GOOD = range(200, 300)
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_REMEDIES: Mapping[int, str] = MappingProxyType(
    {
        401: "the credentials were rejected: check the variables that headers_env names",
        402: "the account has no credit left",
        403: "these credentials may not use this address: check the account's permissions",
        404: "no such address: check url",
        405: "the address does not take this method: check method",
    }
)


class _Asked(BaseModel):
    """A filled template; what stood alone in the query as a number is a text there."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    body: JsonValue
    query: dict[str, str]


class _Received(NamedTuple):
    body: bytes
    request_id: str | None
    latency_s: float


class HttpTarget:
    """Asks an address with a JSON request made from a template.

    Do not use one object in two event loops without `aclose` between: its connections belong to the first.
    """

    Options: ClassVar[type[PluginOptions]] = HttpOptions

    def __init__(self, options: HttpOptions, context: TargetContext) -> None:
        """Keep the options; nothing is contacted.

        Args:
            options: The validated options of the spec.
            context: Name, and the secrets that `headers_env` names.
        """
        self._options = options
        self._secrets = {name: context.secrets.get(name, "") for name in options.headers_env.values()}
        self._session: aiohttp.ClientSession | None = None
        self._place = f"{options.host}"
        found = set(holes([*options.query.values(), options.body]))
        self.info = TargetInfo(
            name=context.name,
            deterministic=options.deterministic,
            max_in_flight=options.max_in_flight,
            hosts=(options.host,),
            takes_seed="seed" in found,
            one_message=None if "messages" in found else "{messages} in the template",
            no_system=None if found & {"messages", "system"} else "{messages} or {system} in the template",
            facts={
                "type": "http",
                "url": options.url,
                "method": options.method,
                "query": json.dumps(options.query, sort_keys=True),
                "body": json.dumps(options.body, sort_keys=True),
                "answer": shown(options.answer) if options.answer else "the whole reply",
                **({} if options.system is None else {"system": options.system}),
            },
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:
        """The variables that hold secret headers."""
        named = options.headers_env.values() if isinstance(options, HttpOptions) else ()
        return tuple(dict.fromkeys(named))

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order; they are asked at the same time.

        Raises:
            RetryableTargetError: No connection, a timeout, a rate limit, a server error, a cut reply.
            FatalTargetError: The credentials or the address are wrong.
            TargetError: The request is rejected, or the reply has no answer where one should stand.
        """
        session = self._opened()
        return await asyncio.gather(*(self._ask(session, request, seed) for request in requests))

    async def aclose(self) -> None:
        """Close the connections; a later `generate` opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> "aiohttp.ClientSession":
        import aiohttp  # noqa: PLC0415 - loads in a quarter of a second, and only what is asked needs it

        if self._session is None:
            named = dict.fromkeys(self._secrets, "it from headers_env")
            require_variables(self._place, self._secrets, named)
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),  # a session of the server would tie prompts together
                connector=aiohttp.TCPConnector(limit=0),  # the runner's limit is the only one
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    async def _ask(self, session: "aiohttp.ClientSession", request: Request, seed: int) -> Output:
        options = self._options
        asked = fill({"body": options.body, "query": dict(options.query)}, request, seed, options.system)
        received = await self._sent(session, _Asked.model_validate(asked))
        if options.answer is None:
            text = received.body.decode("utf-8", "replace")
            return output_for(
                request,
                self.info.name,
                text=text,
                latency_s=received.latency_s,
                request_id=received.request_id,
            )
        return self._read(received, request)

    async def _sent(self, session: "aiohttp.ClientSession", asked: "_Asked") -> _Received:
        import aiohttp  # noqa: PLC0415 - as above

        options, limit = self._options, self._options.timeout_s
        secret = {name: self._secrets[variable] for name, variable in options.headers_env.items()}
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(limit),
                session.request(
                    options.method,
                    options.url,
                    params=asked.query,
                    json=asked.body if options.body is not None else None,
                    headers={**options.headers, **secret},
                    allow_redirects=False,
                ) as response,
            ):
                content = await bounded(response.content.iter_any())
        except (aiohttp.ClientError, TimeoutError, OSError, BodyTooLongError) as error:
            raise transport_error(error, limit, self._place) from error
        if response.status not in _GOOD:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise status_error(
                response.status,
                error_body(content),
                headers,
                place=self._place,
                secrets=tuple(self._secrets.values()),
                remedies=_REMEDIES,
            )
        return _Received(content, response.headers.get("x-request-id"), time.perf_counter() - started)

    def _read(self, received: _Received, request: Request) -> Output:
        options = self._options
        try:
            reply = _JSON.validate_json(whole_characters(received.body))
        except ValidationError as error:
            raise RetryableTargetError(
                f"{self._place}: malformed reply of {len(received.body)} bytes: no JSON"
            ) from error
        failed = _text(reply, options.error)
        if failed:
            raise TargetError(f"{self._place}: {self._masked(failed)}")
        refusal, ended = _text(reply, options.refusal), _text(reply, options.finish)
        if broke_off(ended):
            raise RetryableTargetError(f"{self._place}: the server broke the answer off ({ended!r})")
        counted = (_count(reply, options.prompt_tokens), _count(reply, options.completion_tokens))
        parts = split_reasoning(self._answer(reply, refused=bool(refusal)))
        return output_for(
            request,
            self.info.name,
            text=parts.text,
            reasoning=_text(reply, options.reasoning) or parts.reasoning,
            finish_reason=finish_reason(ended),
            refusal=refusal or None,
            usage=None
            if counted == (None, None)
            else Usage(prompt_tokens=counted[0], completion_tokens=counted[1]),
            latency_s=received.latency_s,
            request_id=received.request_id,
            model=_text(reply, options.model),
        )

    def _answer(self, reply: JsonValue, *, refused: bool) -> str | None:
        path = self._options.answer or ()
        found = find(reply, path)
        if found is None or isinstance(found, str):
            return found
        if refused and isinstance(found, Missing):
            return None
        said = f"the reply has no text at answer {shown(path)}; {there(reply, path)}"
        raise TargetError(self._masked(f"{self._place}: {said}"))

    def _masked(self, text: str) -> str:
        return without_secrets(text, tuple(self._secrets.values()))


def _text(reply: JsonValue, path: tuple[int | str, ...] | None) -> str | None:
    """What stands at a path as a text; None where nothing stands, or something empty."""
    found = MISSING if path is None else find(reply, path)
    if isinstance(found, Missing) or found in (None, False, "", [], {}):
        return None
    return found if isinstance(found, str) else json.dumps(found, sort_keys=True)


def _count(reply: JsonValue, path: tuple[int | str, ...] | None) -> int | None:
    found = MISSING if path is None else find(reply, path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
