"""The `openai` target: any model behind an OpenAI-compatible address, by chat completions or Responses.

OpenAI, Azure, vLLM, llama.cpp, Ollama, `transformers serve` and most gateways speak it. The SDK does the
transport; retries are the runner's alone, since a retry hidden here would be billed and counted by nobody.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from pydantic import JsonValue

from audit.records import Output, Request
from audit.targets.base import (
    RateRoom,
    TargetContext,
    TargetError,
    TargetInfo,
    output_for,
)
from audit.targets.finish import CONTENT_FILTER
from audit.targets.openai_api.client import open_client, request_options
from audit.targets.openai_api.errors import error_body, is_filtered, status_error, told_limits
from audit.targets.openai_api.limits import rate_room
from audit.targets.openai_api.options import OpenAIOptions, TokenParameter
from audit.targets.openai_api.payloads import payload_for
from audit.targets.openai_api.replies import ErrorBody, output_of, read_chat
from audit.targets.openai_api.responses import read_response
from audit.targets.openai_api.transport import transport_error
from audit.targets.variables import require_variables
from probes.base import Options as PluginOptions

if TYPE_CHECKING:
    from audit.targets.openai_api.direct import DirectClient, PlainResponse

__all__ = ["OpenAITarget"]

_BAD_REQUEST, _UNPROCESSABLE = 400, 422
_CHAT = "chat"
_OTHER: Mapping[TokenParameter, TokenParameter] = MappingProxyType(
    {
        "max_tokens": "max_completion_tokens",
        "max_completion_tokens": "max_tokens",
    }
)


class OpenAITarget:
    """Asks one model on one server.

    Do not use one object in two event loops without `aclose` between: its connections belong to the first.
    """

    Options: ClassVar[type[PluginOptions]] = OpenAIOptions

    def __init__(self, options: OpenAIOptions, context: TargetContext) -> None:
        """Keep the options; nothing is contacted, and the SDK loads at the first `generate`.

        Args:
            options: The validated options of the spec.
            context: Name, and the key under the variable that `api_key_env` names.
        """
        self._options = options
        self._secrets = {name: context.secrets.get(name, "") for name in options.secrets}
        self._secret = self._secrets.get(options.api_key_env or "", "")
        self._path = options.path
        self._client: DirectClient | None = None
        self._token_parameter = options.first_token_parameter
        self._limits: Mapping[str, str] | None = None
        self._place = f"{options.host} (model {options.model!r})"
        decoding = options.params.model_dump_json(exclude_none=True)
        self.room: RateRoom | None = None
        """What the server said of its limits with its last answer."""
        self.info = TargetInfo(
            name=context.name,
            deterministic=False,
            max_in_flight=options.max_in_flight,
            hosts=(options.host,),
            takes_seed=options.send_seed and options.api == _CHAT,
            facts={
                "type": "openai",
                "model": options.model,
                "base_url": options.base_url,
                "params": decoding,
                **({} if options.api == _CHAT else {"api": options.api}),
                **({} if options.api_version is None else {"api_version": options.api_version}),
                **({} if options.system is None else {"system": options.system}),
            },
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:
        """The variables that hold the key and secret headers, as far as they are named."""
        return options.secrets if isinstance(options, OpenAIOptions) else ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order.

        Every prompt, turn and repeat is sent a seed of its own: a server draws alike from equal seeds, and
        replies to unlike prompts would then lean the same way.

        Args:
            requests: Any number of them; they are asked at the same time.
            seed: The run's root seed.

        Returns:
            Outputs with the key of their requests. A content filter on the prompt is a refused output.

        Raises:
            RetryableTargetError: No connection, a timeout, a rate limit, a server error, a cut response.
            FatalTargetError: The key, the quota, the model or the address is wrong.
            TargetError: The server rejects the request, or answers without a choice or output.
        """
        client = self.connected()
        if len(requests) == 1:
            return [await self._ask(client, requests[0], seed)]
        return await asyncio.gather(*(self._ask(client, request, seed) for request in requests))

    def observed(self) -> Mapping[str, str]:
        """Name of the limit of tokens that the server takes, and the limits that its last response told."""
        limited = self._options.params.limit is not None and self._options.api == _CHAT
        token = {"token_parameter": self._token_parameter} if limited else {}
        return {**token, **(self._limits or {})}

    async def aclose(self) -> None:
        """Close the connections; a later `generate` opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def connected(self) -> "DirectClient":
        """The client, opened when first used.

        Raises:
            FatalTargetError: A variable that the options name is not set.
        """
        if self._client is not None:
            return self._client
        options = self._options
        named = dict.fromkeys(self._secrets, "headers_env")
        if options.api_key_env is not None:
            named[options.api_key_env] = "api_key_env"
        require_variables(self._place, self._secrets, named)
        secret_headers = {name: self._secrets[variable] for name, variable in options.headers_env.items()}
        headers = {**options.headers, **secret_headers}
        self._client = open_client(
            options.base_url, self._secret, options.timeout_s, headers, options.key_name
        )
        return self._client

    async def _ask(self, client: "DirectClient", request: Request, seed: int) -> Output:
        tried = self._token_parameter
        started = time.perf_counter()
        try:
            response = await self._post(client, payload_for(self._options, request, seed, tried))
        except _RejectedError as rejected:
            if not self._try_other_name(rejected, tried):
                return self._filtered(rejected, request)
            started = time.perf_counter()
            try:
                other = payload_for(self._options, request, seed, _OTHER[tried])
                response = await self._post(client, other)
            except _RejectedError as again:
                return self._filtered(again, request)
            self._token_parameter = _OTHER[tried]
        latency = time.perf_counter() - started
        self.room = rate_room(response.headers)
        read = read_chat if self._options.api == _CHAT else read_response
        reply = read(response.content, self._place)
        if reply.error is not None:
            raise self._wrapped_error(reply.error, response)
        if self._limits is None or (self.room is not None and not self._limits):  # Once: people read them.
            self._limits = told_limits(response.headers)
        return output_of(
            reply,
            request,
            self.info.name,
            self._place,
            latency_s=latency,
            request_id=response.headers.get("x-request-id"),
        )

    async def _post(self, client: "DirectClient", payload: dict[str, JsonValue]) -> "PlainResponse":
        import openai  # noqa: PLC0415 - as above

        limit = self._options.timeout_s
        try:
            async with asyncio.timeout(limit):
                # The plain response: the SDK's own parsing lets fields of any shape pass as if checked.
                return await client.post_plain(self._path, payload, request_options(self._options.key_name))
        except openai.APIStatusError as error:
            body = error_body(error.response.content)
            if error.status_code in {_BAD_REQUEST, _UNPROCESSABLE}:
                raise _RejectedError(error.status_code, body) from error
            raise self._status_error(error.status_code, body, error.response.headers) from error
        except (openai.APIConnectionError, TimeoutError) as error:
            raise transport_error(error, limit, self._place) from error

    def _try_other_name(self, rejected: "_RejectedError", tried: TokenParameter) -> bool:
        options = self._options
        if options.api != _CHAT or options.token_parameter in _OTHER or options.params.limit is None:
            return False
        body = rejected.body
        return body.param == tried or (body.param is None and tried in (body.message or ""))

    def _filtered(self, rejected: "_RejectedError", request: Request) -> Output:
        """A refused output if the provider's content filter stopped the prompt; else the error is raised."""
        if not is_filtered(rejected.body):
            raise self._status_error(rejected.status, rejected.body, {}) from rejected
        return output_for(request, self.info.name, finish_reason=CONTENT_FILTER)

    def _wrapped_error(self, body: ErrorBody, response: "PlainResponse") -> TargetError:
        code = str(body.code or "")
        # Gateways put the upstream status into `code`; without one, asking again is the cautious reading.
        status = int(code) if len(code) == 3 and code.isascii() and code.isdecimal() else 502  # noqa: PLR2004 - digits of a status
        return self._status_error(status, body, response.headers)

    def _status_error(self, status: int, body: ErrorBody, headers: Mapping[str, str]) -> TargetError:
        return status_error(status, body, headers, place=self._place, secrets=tuple(self._secrets.values()))


class _RejectedError(Exception):
    """Status 400 or 422, before it is known whether another spelling of the request would do."""

    def __init__(self, status: int, body: ErrorBody) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body
