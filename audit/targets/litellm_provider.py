"""The `litellm` target: any provider that the LiteLLM library reaches, such as Bedrock or Vertex.

The library does nothing but the call: its retries, its caches, its price list from the network and its
reading of `.env` files are off. Where `openai` fits, it is the shorter way: one library less, and errors
as the server words them.
"""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from audit.errors import ExtraMissingError
from audit.records import Output, Request
from audit.targets.base import (
    FatalTargetError,
    RetryableTargetError,
    TargetContext,
    TargetError,
    TargetInfo,
    output_for,
)
from audit.targets.finish import CONTENT_FILTER
from audit.targets.installed import missing_packages
from audit.targets.litellm_bodies import bound_replies, too_long
from audit.targets.openai_api.bodies import LONGEST_BODY, BodyTooLongError
from audit.targets.openai_api.errors import is_filtered, status_error
from audit.targets.openai_api.options import EnvironmentName, host_of, web_address
from audit.targets.openai_api.replies import ErrorBody, output_of, read_chat
from audit.targets.request_template import conversation, request_seed
from audit.targets.variables import require_variables
from probes.base import Options as PluginOptions

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["LiteLLMOptions", "LiteLLMParams", "LiteLLMTarget"]

_SERVER_ERROR = 500
_OWN = ("model", "messages", "stream", "n", "timeout", "max_retries", "num_retries", "api_base", "seed")
_SECRET_WORDS = ("key", "secret", "token", "credential", "password")
_NOT_CONNECTED = ("ConnectError", "ClientConnectorError", "ConnectionRefusedError", "gaierror")


class LiteLLMParams(PluginOptions):
    """Decoding settings; those left out are not sent."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: tuple[str, ...] | None = None
    reasoning_effort: str | None = None


class LiteLLMOptions(PluginOptions):
    """One model of one provider."""

    model: Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")] = Field(
        description="provider/model, as LiteLLM names them."
    )
    api_base: str | None = Field(default=None, description="Address of the provider, if it is your own.")
    hosts: tuple[Annotated[str, Field(pattern=r"^[^\s:/]+:[0-9]{1,5}$")], ...] = Field(
        default=(),
        description="Hosts that the provider is reached at, as host:port; needed without api_base.",
    )
    secrets_env: dict[str, EnvironmentName] = Field(
        default_factory=dict,
        description="Argument of the library -> variable that holds its value, such as api_key: MY_KEY.",
    )
    arguments: dict[str, JsonValue] = Field(
        default_factory=dict, description="Further arguments of the library, such as aws_region_name."
    )
    params: LiteLLMParams = LiteLLMParams()
    system: str | None = Field(default=None, description="System prompt put before every conversation.")
    send_seed: bool = Field(default=False, description="Send a seed; many providers reject it.")
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    max_in_flight: Annotated[int, Field(ge=1, le=4096)] = 8

    @field_validator("api_base")
    @classmethod
    def _address(cls, given: str | None) -> str | None:
        return None if given is None else web_address(given)

    @model_validator(mode="after")
    def _known_hosts(self) -> Self:
        if self.api_base is None and not self.hosts:
            raise ValueError(
                "give api_base, or hosts (such as bedrock-runtime.eu-central-1.amazonaws.com:443): a run "
                "says which hosts it contacts"
            )
        taken = sorted(set(_OWN) & {*self.arguments, *self.secrets_env})
        if taken:
            held = ", ".join(taken)
            raise ValueError(f"arguments and secrets_env must not hold {held}: the target sets them")
        secret = sorted(name for name in self.arguments if any(word in name for word in _SECRET_WORDS))
        if secret:
            raise ValueError(f"arguments must not hold {secret[0]}, a secret: name a variable in secrets_env")
        return self


class LiteLLMTarget:
    """Asks one model of one provider through LiteLLM."""

    Options: ClassVar[type[PluginOptions]] = LiteLLMOptions

    def __init__(self, options: LiteLLMOptions, context: TargetContext) -> None:
        """Keep the options; nothing is contacted, and the library loads at the first `generate`.

        Raises:
            ExtraMissingError: LiteLLM is not installed.
        """
        if missing_packages("litellm"):
            raise ExtraMissingError(
                "target litellm needs litellm", next_step='pip install "evenhand[litellm]"'
            )
        self._options = options
        self._secrets = {
            name: context.secrets.get(variable, "") for name, variable in options.secrets_env.items()
        }
        self._library: ModuleType | None = None
        hosts = (host_of(options.api_base),) if options.api_base is not None else options.hosts
        self._place = f"{hosts[0]} (model {options.model!r})"
        self.info = TargetInfo(
            name=context.name,
            deterministic=False,
            max_in_flight=options.max_in_flight,
            hosts=hosts,
            takes_seed=options.send_seed,
            facts={
                "type": "litellm",
                "model": options.model,
                "params": options.params.model_dump_json(exclude_none=True),
                **({} if options.api_base is None else {"base_url": options.api_base}),
                **({} if options.system is None else {"system": options.system}),
            },
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:
        """The variables that hold secrets."""
        named = options.secrets_env.values() if isinstance(options, LiteLLMOptions) else ()
        return tuple(dict.fromkeys(named))

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order; they are asked at the same time.

        Raises:
            RetryableTargetError: No connection, a timeout, a rate limit, a server error.
            FatalTargetError: The key, the quota, the model or a setting is wrong.
            TargetError: The provider rejects the request.
        """
        library = self._loaded()
        return await asyncio.gather(*(self._ask(library, request, seed) for request in requests))

    async def aclose(self) -> None:
        """Close the connections that the library keeps."""
        library, self._library = self._library, None
        if library is not None:
            await library.close_litellm_async_clients()

    def _loaded(self) -> "ModuleType":
        if self._library is None:
            held = {self._options.secrets_env[name]: value for name, value in self._secrets.items()}
            require_variables(self._place, held, dict.fromkeys(held, "it from secrets_env"))
            self._library = _library()
        return self._library

    async def _ask(self, library: "ModuleType", request: Request, seed: int) -> Output:
        options = self._options
        further: dict[str, object] = {"api_base": options.api_base} if options.api_base is not None else {}
        if options.send_seed:
            further["seed"] = request_seed(seed, request)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(options.timeout_s):
                response = await library.acompletion(
                    model=options.model,
                    messages=conversation(request, options.system),
                    timeout=options.timeout_s,
                    max_retries=0,
                    num_retries=0,
                    **options.params.model_dump(exclude_none=True),
                    **options.arguments,
                    **self._secrets,
                    **further,
                )
        except TimeoutError as error:
            raise RetryableTargetError(
                f"{self._place}: no answer within {options.timeout_s:g} s (timeout_s)"
            ) from error
        except library.exceptions.ContentPolicyViolationError:
            return output_for(request, self.info.name, finish_reason=CONTENT_FILTER)
        except Exception as error:
            if (endless := too_long(error)) is not None:
                raise TargetError(f"{self._place}: {endless}") from error
            if not hasattr(error, "status_code") and not isinstance(error, library.exceptions.APIError):
                raise
            if is_filtered(_body(error)):
                return output_for(request, self.info.name, finish_reason=CONTENT_FILTER)
            raise self._mapped(library, error) from error
        latency = time.perf_counter() - started
        body = json.dumps(response.model_dump(warnings=False), default=str).encode()
        if len(body) > LONGEST_BODY:
            raise TargetError(f"{self._place}: {BodyTooLongError()}")
        reply = read_chat(body, self._place)
        return output_of(reply, request, self.info.name, self._place, latency_s=latency)

    def _mapped(self, library: "ModuleType", error: Exception) -> TargetError:
        """The library's error as one of ours; it has the status that the provider answered with."""
        body = _body(error)
        status = int(getattr(error, "status_code", _SERVER_ERROR) or _SERVER_ERROR)
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        mapped = status_error(
            status,
            body,
            {str(name).lower(): str(value) for name, value in headers.items()},
            place=self._place,
            secrets=tuple(self._secrets.values()),
        )
        if isinstance(error, library.exceptions.UnsupportedParamsError):
            return FatalTargetError(f"{mapped}; every request sends it: remove it from params, or send_seed")
        if isinstance(mapped, RetryableTargetError):
            return RetryableTargetError(
                str(mapped), retry_after_s=mapped.retry_after_s, unreachable=_unreachable(error)
            )
        if "LLM Provider NOT provided" in str(error):
            return FatalTargetError(f"{self._place}: LiteLLM knows no such provider; check model")
        return mapped


def _library() -> "ModuleType":
    """LiteLLM, told before it loads to fetch nothing, read no file of variables and no endless reply."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm  # noqa: PLC0415 - seconds of import, and an extra

    library: Any = litellm
    library.suppress_debug_info = True  # else it prints advice at every error
    library.telemetry = False
    bound_replies(library)
    return library  # type: ignore[no-any-return] # a module


def _body(error: Exception) -> ErrorBody:
    """What the provider said, without the names of the library's own classes before it."""
    said = str(getattr(error, "message", error))
    code = getattr(error, "code", None)
    kind = getattr(error, "type", None)
    message = said.rpartition("Exception - ")[2]
    quota = "insufficient_quota" if "exceeded your current quota" in said else None
    return ErrorBody(
        message=message,
        code=quota or (str(code) if code is not None else None),
        type=kind if isinstance(kind, str) else None,
    )


def _unreachable(error: BaseException | None) -> bool:
    """Whether no connection was made, going by the errors behind the library's."""
    seen = 0
    while error is not None and seen < 10:  # noqa: PLR2004 - a chain is not endless, but may be a ring
        if type(error).__name__ in _NOT_CONNECTED:
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
