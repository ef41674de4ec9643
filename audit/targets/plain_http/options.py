"""Options of the `http` target: where a JSON request goes, what it holds, and where the answer stands."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from audit.targets.openai_api.options import EnvironmentName, host_of, open_headers, web_address
from audit.targets.plain_http.json_paths import JsonPath
from audit.targets.request_template import check_template
from probes.base import Options

__all__ = ["HttpOptions"]


class HttpOptions(Options):
    """One address, the request it is sent, and where in its reply the answer stands."""

    url: str = Field(description="Address, without a query.")
    method: Literal["POST", "PUT", "GET"] = "POST"
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers; never a secret, since the spec is stored."
    )
    headers_env: dict[str, EnvironmentName] = Field(
        default_factory=dict, description="Headers whose values are held by variables named here."
    )
    query: dict[str, str] = Field(
        default_factory=dict, description="Parameters after the address, with holes as in body."
    )
    body: JsonValue = Field(
        default=None,
        description="JSON that is sent, with holes {messages}, {prompt}, {system}, {seed} and {repeat}.",
    )
    system: str | None = Field(default=None, description="System prompt; fills {system} and {messages}.")
    answer: JsonPath | None = Field(
        default=None,
        description="Where the answer stands in the JSON reply, such as choices.0.text; none takes the whole "
        "reply as text.",
    )
    refusal: JsonPath | None = Field(default=None, description="Where a refusal stands, if there is one.")
    reasoning: JsonPath | None = Field(
        default=None, description="Where reasoning stands that the model wrote before its answer."
    )
    finish: JsonPath | None = Field(default=None, description="Where it stands why the answer ended.")
    error: JsonPath | None = Field(
        default=None, description="Where an error stands in a reply with a good status."
    )
    prompt_tokens: JsonPath | None = Field(default=None, description="Where the tokens read are counted.")
    completion_tokens: JsonPath | None = Field(
        default=None, description="Where the tokens written are counted."
    )
    model: JsonPath | None = Field(default=None, description="Where the model's name stands.")
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    max_in_flight: Annotated[int, Field(ge=1, le=4096)] = 8
    deterministic: bool = Field(
        default=False, description="Set true if the same request gives the same text."
    )

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        return web_address(given)

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, given: dict[str, str]) -> dict[str, str]:
        return open_headers(given, "headers_env")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.method == "GET" and self.body is not None:
            raise ValueError("method: GET sends no body; use query")
        check_template([self.body, dict(self.query)], system=self.system is not None)
        if any("{messages}" in text for text in self.query.values()):
            raise ValueError("query holds texts, and {messages} is a list; use {prompt}")
        if self.answer is None and any(
            (self.refusal, self.reasoning, self.finish, self.error, self.prompt_tokens)
        ):
            raise ValueError(
                "refusal, reasoning, finish, error and tokens are places in a JSON reply: give answer too"
            )
        return self

    @property
    def host(self) -> str:
        """The only host that is contacted, as `host:port`."""
        return host_of(self.url)
