"""The `openai` target: any model behind an OpenAI-compatible chat-completions address.

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
    FatalTargetError,
    RetryableTargetError,
    TargetContext,
    TargetError,
    TargetInfo,
)
from audit.targets.openai_client import open_client, transport_problem
from audit.targets.openai_errors import error_body, status_error
from audit.targets.openai_options import OpenAIOptions, TokenParameter
from audit.targets.openai_replies import Completion, ErrorBody, output_fields, read_completion
from probes.base import Options as PluginOptions
from probes.seeds import derive

if TYPE_CHECKING:
    import httpx2
    import openai

__all__ = ["OpenAITarget"]

_SEEDS = 2**31
_BAD_REQUEST = 400
_OTHER: Mapping[TokenParameter, TokenParameter] = MappingProxyType(
    {
        "max_tokens": "max_completion_tokens",
        "max_completion_tokens": "max_tokens",
    }
)


class OpenAITarget:
    """Asks one model on one server; see `OpenAIOptions`.

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
        self._secret = context.secrets.get(options.api_key_env, "") if options.api_key_env else ""
        self._client: openai.AsyncOpenAI | None = None
        self._token_parameter = options.first_token_parameter
        self._place = f"{options.host} (model {options.model!r})"
        decoding = options.params.model_dump_json(exclude_none=True)
        self.info = TargetInfo(
            name=context.name,
            deterministic=False,
            max_in_flight=options.max_in_flight,
            hosts=(options.host,),
            facts={
                "type": "openai",
                "model": options.model,
                "base_url": options.base_url,
                "params": decoding,
                **({} if options.system is None else {"system": options.system}),
            },
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:
        """The variable that holds the key, if one is named."""
        named = options.api_key_env if isinstance(options, OpenAIOptions) else None
        return (named,) if named else ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order.

        The seed sent depends on the root seed and the repeat only: prompts that are compared with each
        other share it, as far as the server honours it.

        Args:
            requests: Any number of them; they are asked at the same time.
            seed: The run's root seed.

        Returns:
            Outputs with the key of their requests. A content filter on the prompt is a refused output.

        Raises:
            RetryableTargetError: No connection, a timeout, a rate limit, a server error, a cut response.
            FatalTargetError: The key, the quota, the model or the address is wrong.
            TargetError: The server rejects the request, or answers without a choice.
        """
        client = self._connected()
        if len(requests) == 1:
            return [await self._ask(client, requests[0], seed)]
        return await asyncio.gather(*(self._ask(client, request, seed) for request in requests))

    async def aclose(self) -> None:
        """Close the connections; a later `generate` opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connected(self) -> "openai.AsyncOpenAI":
        if self._client is not None:
            return self._client
        variable = self._options.api_key_env
        if variable and not self._secret:
            raise FatalTargetError(
                f"{self._place}: environment variable {variable} is not set; set it, or remove api_key_env"
            )
        options = self._options
        self._client = open_client(options.base_url, self._secret, options.timeout_s, options.headers)
        return self._client

    async def _ask(self, client: "openai.AsyncOpenAI", request: Request, seed: int) -> Output:
        tried = self._token_parameter
        started = time.perf_counter()
        try:
            response = await self._post(client, self._payload(request, seed, tried))
        except _RejectedError as rejected:
            if not self._try_other_name(rejected, tried):
                return self._filtered(rejected, request)
            started = time.perf_counter()
            try:
                response = await self._post(client, self._payload(request, seed, _OTHER[tried]))
            except _RejectedError as again:
                return self._filtered(again, request)
            self._token_parameter = _OTHER[tried]
        latency = time.perf_counter() - started
        completion = read_completion(response.content, self._place)
        if completion.error is not None and not completion.choices:
            raise self._wrapped_error(completion, response)
        output = output_fields(completion, request, self.info.name, self._place)
        request_id = response.headers.get("x-request-id") or output.request_id
        return output.model_copy(update={"latency_s": latency, "request_id": request_id})

    async def _post(self, client: "openai.AsyncOpenAI", payload: dict[str, JsonValue]) -> "httpx2.Response":
        import httpx2  # noqa: PLC0415 - comes with the SDK, which loads when first used
        import openai  # noqa: PLC0415 - as above

        limit = self._options.timeout_s
        try:
            async with asyncio.timeout(limit):
                # The plain response: the SDK's own parsing lets fields of any shape pass as if checked.
                return await client.post("/chat/completions", cast_to=httpx2.Response, body=payload)
        except openai.APIStatusError as error:
            body = error_body(error.response.content)
            if error.status_code == _BAD_REQUEST:
                raise _RejectedError(body) from error
            raise status_error(
                error.status_code, body, error.response.headers, place=self._place, secret=self._secret
            ) from error
        except (openai.APIConnectionError, TimeoutError) as error:
            what, unreachable = transport_problem(error, limit)
            raise RetryableTargetError(f"{self._place}: {what}", unreachable=unreachable) from error

    def _payload(self, request: Request, seed: int, token_parameter: TokenParameter) -> dict[str, JsonValue]:
        options = self._options
        messages: list[JsonValue] = [{"role": m.role, "content": m.content} for m in request.messages]
        if options.system is not None:
            messages.insert(0, {"role": "system", "content": options.system})
        payload: dict[str, JsonValue] = {"model": options.model, "messages": messages}
        payload.update(
            options.params.model_dump(
                mode="json",
                exclude_none=True,
                exclude={"extra_body", "seed", "max_tokens", "max_completion_tokens"},
            )
        )
        if options.params.limit is not None:
            payload[token_parameter] = options.params.limit
        if options.params.seed is not None:
            payload["seed"] = options.params.seed
        elif options.send_seed:
            payload["seed"] = derive(seed, "openai", request.repeat) % _SEEDS
        if options.logprobs:
            payload["logprobs"] = True
        return {**payload, **options.params.extra_body}

    def _try_other_name(self, rejected: "_RejectedError", tried: TokenParameter) -> bool:
        if self._options.token_parameter in _OTHER or self._options.params.limit is None:
            return False
        body = rejected.body
        return body.param == tried or (body.param is None and tried in (body.message or ""))

    def _filtered(self, rejected: "_RejectedError", request: Request) -> Output:
        """A refused output if the provider's content filter stopped the prompt; else the error is raised."""
        if rejected.body.code != "content_filter":
            raise status_error(
                _BAD_REQUEST, rejected.body, {}, place=self._place, secret=self._secret
            ) from rejected
        return Output(
            target=self.info.name,
            prompt_id=request.prompt_id,
            turn=request.turn,
            repeat=request.repeat,
            attempt=request.attempt,
            finish_reason="content_filter",
        )

    def _wrapped_error(self, completion: Completion, response: "httpx2.Response") -> TargetError:
        body = completion.error or ErrorBody()
        code = str(body.code or "")
        # Gateways put the upstream status into `code`; without one, asking again is the cautious reading.
        status = int(code) if len(code) == 3 and code.isascii() and code.isdecimal() else 502  # noqa: PLR2004 - digits of a status
        return status_error(status, body, response.headers, place=self._place, secret=self._secret)


class _RejectedError(Exception):
    """Status 400, before it is known whether another spelling of the request would do."""

    def __init__(self, body: ErrorBody) -> None:
        super().__init__(body.message)
        self.body = body
