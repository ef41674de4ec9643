"""Options of the `openai` target: which server and model, how it is asked, and where the key is."""

from types import MappingProxyType
from typing import Annotated, Final, Literal, Self
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import Field, JsonValue, field_validator, model_validator

from probes.base import Options

__all__ = [
    "OPENAI_HOST",
    "EnvironmentName",
    "OpenAIOptions",
    "OpenAIParams",
    "TokenParameter",
    "host_of",
    "open_headers",
    "web_address",
]

TokenParameter = Literal["max_tokens", "max_completion_tokens"]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""Name of an environment variable."""

_AUTO: Final = "auto"
OPENAI_HOST = "api.openai.com"
_PORTS = MappingProxyType({"http": 80, "https": 443})
_SECRET_HEADERS = ("authorization", "key", "token", "secret", "cookie")


def web_address(given: str) -> str:
    """A server's address as a spec gives it.

    Raises:
        ValueError: It is no address, or holds a user, a password or a query.
    """
    try:
        parts = urlsplit(given)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = SplitResult("", "", "", "", "")
    if not usable:
        raise ValueError("must be an address such as http://127.0.0.1:8000/v1")
    if parts.query or parts.fragment:
        extra = f"?{parts.query}" if parts.query else f"#{parts.fragment}"
        raise ValueError(f"must be an address without {extra}; parameters have a key of their own, if any")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password: name a variable in api_key_env instead")
    return given


def host_of(base_url: str) -> str:
    """The host of a server's address, as `host:port`.

    >>> host_of("https://api.openai.com/v1")
    'api.openai.com:443'
    """
    parts = urlsplit(base_url)
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{parts.port or _PORTS[parts.scheme]}"


def open_headers(given: dict[str, str], instead: str) -> dict[str, str]:
    """Headers as a spec gives them; one that looks like a secret is refused, since the spec is stored.

    Args:
        given: Names and values.
        instead: Option that takes the name of a variable instead.

    Raises:
        ValueError: A header would store a secret.
    """
    for name in sorted(given):
        if any(word in name.lower() for word in _SECRET_HEADERS):
            raise ValueError(f"header {name} would store a secret: name a variable in {instead} instead")
    return given


class OpenAIParams(Options):
    """Decoding settings; those left out are not sent, so the server's defaults hold."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Longest answer in tokens; sent under the name token_parameter says."
    )
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The same limit by its newer name; give one of the two."
    )
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    stop: tuple[str, ...] | None = None
    reasoning_effort: str | None = None
    seed: int | None = Field(
        default=None,
        description="Sent as it is with every request, instead of one for each prompt and repeat.",
    )
    extra_body: dict[str, JsonValue] = Field(
        default_factory=dict, description="Further keys of the request, such as a server's own settings."
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("give max_tokens or max_completion_tokens, not both")
        taken = sorted({"model", "messages", "input", "stream", "n"} & set(self.extra_body))
        if taken:
            raise ValueError(f"extra_body must not hold {', '.join(taken)}: the target sets them")
        return self

    @property
    def limit(self) -> int | None:
        """Longest answer in tokens, under whichever name it was given."""
        return self.max_tokens if self.max_tokens is not None else self.max_completion_tokens


class OpenAIOptions(Options):
    """One model on one OpenAI-compatible server."""

    base_url: str = Field(default=f"https://{OPENAI_HOST}/v1", description="Usually ends in /v1.")
    model: Annotated[str, Field(min_length=1)]
    api: Literal["chat", "responses"] = Field(
        default="chat", description="Chat completions, or the Responses interface."
    )
    api_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,40}$")] | None = Field(
        default=None,
        description="Azure's dated interface: base_url is the resource's address and model the name of the "
        "deployment.",
    )
    api_key_env: EnvironmentName | None = Field(
        default=None, description="Name of the environment variable that holds the key, never the key."
    )
    key_header: Literal["auto", "authorization", "api-key"] = Field(
        default="auto",
        description="Header that carries the key; auto is api-key with api_version, else authorization.",
    )
    params: OpenAIParams = OpenAIParams()
    token_parameter: Literal["auto"] | TokenParameter = Field(
        default="auto",
        description="Name under which the limit of tokens is sent; auto asks again by the other name once "
        "if the server rejects the first, and remembers.",
    )
    system: str | None = Field(default=None, description="System prompt put before every conversation.")
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    max_in_flight: Annotated[int, Field(ge=1, le=4096)] = 16
    send_seed: bool = Field(default=True, description="Set false for servers that reject `seed`.")
    logprobs: bool = Field(default=False, description="Ask for the log-probability of every answered token.")
    headers: dict[str, str] = Field(
        default_factory=dict, description="Further headers; never a key, since the spec is stored."
    )
    headers_env: dict[str, EnvironmentName] = Field(
        default_factory=dict, description="Further headers whose values are held by variables named here."
    )

    @field_validator("base_url")
    @classmethod
    def _address(cls, given: str) -> str:
        return web_address(given)

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, given: dict[str, str]) -> dict[str, str]:
        return open_headers(given, "headers_env")

    @model_validator(mode="after")
    def _key_named(self) -> Self:
        if self.api_key_env is None and urlsplit(self.base_url).hostname == OPENAI_HOST:
            raise ValueError(f"{OPENAI_HOST} needs api_key_env, the name of the variable that holds the key")
        return self

    @model_validator(mode="after")
    def _known_to_responses(self) -> Self:
        if self.api != "responses":
            return self
        params = self.params
        unknown = [
            name
            for name in ("frequency_penalty", "presence_penalty", "stop", "seed")
            if getattr(params, name) is not None
        ]
        if unknown:
            raise ValueError(f"api: responses knows no {', '.join(unknown)}; remove from params")
        if self.token_parameter != _AUTO:
            raise ValueError("api: responses has one name for the limit of tokens; remove token_parameter")
        return self

    @property
    def key_name(self) -> Literal["authorization", "api-key"]:
        """The header that carries the key."""
        if self.key_header != _AUTO:
            return self.key_header
        return "authorization" if self.api_version is None else "api-key"

    @property
    def path(self) -> str:
        """What follows base_url, the query included.

        Azure's dated interface has a deployment in the path of chat completions; its undated one
        (`/openai/v1`) is like any other server's.
        """
        end = "/responses" if self.api == "responses" else "/chat/completions"
        if self.api_version is None:
            return end
        given = urlsplit(self.base_url).path.rstrip("/")
        missing = ""
        if not given.endswith("/v1") and "/openai/deployments/" not in given:
            missing = "" if given.endswith("/openai") else "/openai"
            missing += "" if self.api == "responses" else f"/deployments/{quote(self.model, safe='')}"
        return f"{missing}{end}?api-version={self.api_version}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the variables that hold the key and secret headers."""
        named = (self.api_key_env,) if self.api_key_env else ()
        return tuple(dict.fromkeys((*named, *self.headers_env.values())))

    @property
    def host(self) -> str:
        """The only host that is contacted, as `host:port`."""
        return host_of(self.base_url)

    @property
    def first_token_parameter(self) -> TokenParameter:
        """The name under which the limit of tokens is tried first.

        OpenAI's own models of today reject `max_tokens`, many compatible servers know nothing else.
        """
        if self.token_parameter != _AUTO:
            return self.token_parameter
        newer = self.params.max_completion_tokens is not None or self.host.startswith(OPENAI_HOST)
        return "max_completion_tokens" if newer else "max_tokens"
