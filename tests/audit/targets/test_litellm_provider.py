"""The litellm target through the real library, against a real server process."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from audit.records import Outcome, Request
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetContext, TargetError
from audit.targets.installed import missing_packages
from audit.targets.litellm_provider import LiteLLMOptions, LiteLLMTarget
from audit.targets.openai_api.bodies import LONGEST_BODY
from audit.targets.request_template import request_seed
from tests.audit.targets.openai_asking import bodies, outputs_of
from tests.servers.endless import MOST_UNREAD, serving
from tests.servers.processes import fetch_json, post

Ask = Callable[..., Request]
_KEY = "plain-secret-4711"
pytestmark = [
    pytest.mark.skipif(bool(missing_packages("litellm")), reason="the extra litellm is not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the library leaves connections to the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses what others have given up
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def fresh_log(stub_url: str) -> None:
    """Every test sees its own requests only."""
    post(stub_url, "/reset")


@pytest.fixture
def target(stub_url: str, tmp_path: Path) -> Callable[..., LiteLLMTarget]:
    """Makes a target of the stub, by the library's provider `openai`."""

    def make(name: str = "echo", **options: object) -> LiteLLMTarget:
        given = {"model": f"openai/{name}", "api_base": stub_url, "secrets_env": {"api_key": "MY_KEY"}}
        context = TargetContext(name="target", root=tmp_path, secrets={"MY_KEY": _KEY})
        return LiteLLMTarget(LiteLLMOptions.model_validate({**given, **options}), context)

    return make


def test_answer_is_recorded_in_full(target: Callable[..., LiteLLMTarget], ask: Ask, stub_url: str) -> None:
    """Settings, system prompt, seed and key reach the server, and what it says reaches the output."""
    params = {"temperature": 0.5, "max_tokens": 9}
    made = target(params=params, system="Be brief.", send_seed=True, arguments={"extra_body": {"top_k": 5}})
    (output,) = outputs_of(made, [ask("hello", repeat=2)])
    assert (output.text, output.repeat, output.outcome) == ("echo: hello", 2, Outcome.ANSWERED)
    assert output.usage is not None
    assert (output.usage.prompt_tokens, output.usage.completion_tokens) == (7, 3)
    assert (output.model, output.fingerprint) == ("echo-0001", "fp_stub")
    (body,) = bodies(stub_url)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    seed = request_seed(7, ask("hello", repeat=2))
    assert body == {"model": "echo", "messages": messages, **params, "seed": seed, "top_k": 5}
    log = cast("list[dict[str, object]]", fetch_json(stub_url, "/log"))
    assert log[0]["authorization"] == f"Bearer {_KEY}"
    assert _KEY not in repr(made.info)


@pytest.mark.parametrize(
    ("model", "text", "outcome"),
    [
        ("null-content", None, Outcome.EMPTY),
        ("refusal", None, Outcome.REFUSED),
        ("filtered-answer", "It is", Outcome.REFUSED),
        ("think-tags", "Yes.", Outcome.ANSWERED),
    ],
)
def test_odd_answers_keep_their_outcome(
    model: str, text: str | None, outcome: Outcome, target: Callable[..., LiteLLMTarget], ask: Ask
) -> None:
    """Null content, refusals, filters and reasoning are recorded as what they are."""
    (output,) = outputs_of(target(model), [ask("hello")])
    assert ((output.text or None), output.outcome) == (text, outcome)


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("rate-limited", RetryableTargetError, "429: Too many requests"),
        ("server-error", RetryableTargetError, "500"),
        ("bad-key", FatalTargetError, r"401: Incorrect API key provided: \*\*\*"),
        ("no-quota", FatalTargetError, "quota is used up"),
        ("absent", FatalTargetError, "404: The model `absent` does not exist"),
        ("bad-request", TargetError, "400: messages are too long"),
    ],
)
def test_errors_are_mapped_and_nothing_is_asked_twice(
    model: str,
    kind: type[TargetError],
    said: str,
    target: Callable[..., LiteLLMTarget],
    ask: Ask,
    stub_url: str,
) -> None:
    """Each failure has the kind that tells the runner what to do, and the library retries nothing."""
    with pytest.raises(TargetError, match=said) as raised:
        outputs_of(target(model), [ask("hello")])
    assert type(raised.value) is kind
    assert _KEY not in str(raised.value)
    assert len(bodies(stub_url)) == 1
    if model == "rate-limited":
        assert cast("RetryableTargetError", raised.value).retry_after_s == 1.0


@pytest.mark.parametrize("provider", ["openai", "deepseek"])
@pytest.mark.parametrize("model", ["endless", "endless-error", "bomb"])
def test_a_reply_without_end_is_an_error_after_a_known_length(
    provider: str, model: str, context: TargetContext, ask: Ask
) -> None:
    """By the SDK's client and by the library's own, plain and packed, it is given up and not asked again."""

    async def run() -> None:
        async with serving() as (url, server):
            options = LiteLLMOptions.model_validate(
                {
                    "model": f"{provider}/{model}",
                    "api_base": url,
                    "timeout_s": 30,
                    "secrets_env": {"api_key": "MY_KEY"},
                }
            )
            target = LiteLLMTarget(options, replace(context, secrets={"MY_KEY": _KEY}))
            try:
                with pytest.raises(TargetError, match=f"longer than {LONGEST_BODY} bytes") as raised:
                    await target.generate([ask("hello")], seed=1)
            finally:
                await target.aclose()
            assert not isinstance(raised.value, RetryableTargetError)
            assert server.sent <= LONGEST_BODY + MOST_UNREAD

    asyncio.run(run())


def test_a_packed_reply_is_read(context: TargetContext, ask: Ask) -> None:
    """A server that packs its replies is understood."""

    async def run() -> None:
        async with serving() as (url, _):
            options = {"model": "openai/packed", "api_base": url, "secrets_env": {"api_key": "MY_KEY"}}
            known = replace(context, secrets={"MY_KEY": _KEY})
            target = LiteLLMTarget(LiteLLMOptions.model_validate(options), known)
            (output,) = await target.generate([ask("hello")], seed=1)
            await target.aclose()
            assert output.text == "yes"

    asyncio.run(run())


def test_no_server_and_no_provider(target: Callable[..., LiteLLMTarget], ask: Ask) -> None:
    """A refused connection counts as absent, and an unknown provider stops the run."""
    with pytest.raises(RetryableTargetError) as raised:
        outputs_of(target(api_base="http://127.0.0.1:9/v1"), [ask("hello")])
    assert raised.value.unreachable
    with pytest.raises(FatalTargetError, match="knows no such provider"):
        outputs_of(target(model="nosuch/x"), [ask("hello")])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "gpt"}, "model"),
        ({"api_base": None}, "give api_base, or hosts"),
        ({"arguments": {"num_retries": 3}}, "must not hold num_retries"),
        ({"arguments": {"aws_secret_access_key": "x"}}, "name a variable in secrets_env"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    """A secret in the spec, hosts that nobody named and the library's own retries are refused."""
    with pytest.raises(ValidationError, match=said):
        LiteLLMOptions.model_validate({"model": "openai/m", "api_base": "http://h/v1", **options})


def test_hosts_are_those_of_the_spec(context: TargetContext, ask: Ask) -> None:
    """`doctor --network` lists what the spec names; a variable that is not set stops the run."""
    host = "bedrock-runtime.eu-central-1.amazonaws.com:443"
    options = LiteLLMOptions.model_validate(
        {"model": "bedrock/m", "hosts": [host], "secrets_env": {"aws_secret_access_key": "AWS_S"}}
    )
    made = LiteLLMTarget(options, context)
    assert made.info.hosts == (host,)
    assert LiteLLMTarget.secret_names(options) == ("AWS_S",)
    with pytest.raises(FatalTargetError, match="AWS_S is not set"):
        outputs_of(made, [ask("hello")])
