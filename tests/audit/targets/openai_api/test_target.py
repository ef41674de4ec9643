"""The openai target against a real server process: every odd answer ends as a record or a clear error."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from audit.records import Outcome, Output, Request
from audit.targets.base import (
    FatalTargetError,
    RetryableTargetError,
    TargetContext,
    TargetError,
)
from audit.targets.check import probe_call
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from audit.targets.request_template import request_seed
from tests.audit.targets.openai_asking import bodies, outputs_of, target_for
from tests.servers.processes import fetch_json, post

Ask = Callable[..., Request]
_LIMITS = {"max_tokens", "max_completion_tokens"}


@pytest.fixture(autouse=True)
def fresh_log(stub_url: str) -> None:
    """Every test sees its own requests only."""
    post(stub_url, "/reset")


def test_answer_is_recorded_in_full(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """Text, usage, model, fingerprint, request id, latency and log-probabilities reach the output."""
    (output,) = outputs_of(target_for(stub_url, context, logprobs=True), [ask("hello", repeat=3)])
    assert output.text == "echo: hello"
    assert (output.prompt_id, output.repeat, output.target) == ("p1", 3, "target")
    assert output.usage is not None
    assert (output.usage.prompt_tokens, output.usage.completion_tokens) == (7, 3)
    assert (output.model, output.fingerprint, output.request_id) == ("echo-0001", "fp_stub", "req-1")
    assert output.latency_s is not None
    assert output.logprobs == (-0.5, -0.25)
    assert output.outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("model", "text", "outcome"),
    [
        ("null-content", None, Outcome.EMPTY),
        ("reasoning", None, Outcome.EMPTY),
        ("refusal", None, Outcome.REFUSED),
        ("filtered-answer", "It is", Outcome.REFUSED),
        ("filtered-prompt", None, Outcome.REFUSED),
        ("parts", "in parts", Outcome.ANSWERED),
        ("bare", "bare", Outcome.ANSWERED),
        ("think-tags", "Yes.", Outcome.ANSWERED),
        ("think-tag-closed", "Yes.", Outcome.ANSWERED),
        ("think-tag-open", None, Outcome.EMPTY),
        ("thinking-parts", "Yes.", Outcome.ANSWERED),
        ("refusal-part", "", Outcome.REFUSED),
        ("gemini-filter", "It is", Outcome.REFUSED),
        ("mistral-cut", "It is", Outcome.TRUNCATED),
        ("azure-filtered", None, Outcome.REFUSED),
        ("flagged", None, Outcome.REFUSED),
        ("null-message", None, Outcome.EMPTY),
    ],
)
def test_odd_answers_keep_their_outcome(
    model: str, text: str | None, outcome: Outcome, stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """Null content, refusals, filters, parts and missing usage are recorded as what they are."""
    (output,) = outputs_of(target_for(stub_url, context, model=model), [ask("hello")])
    assert output.text == text
    assert output.outcome is outcome
    assert output.error is None
    if model == "bare":
        assert output.usage is None


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("rate-limited", RetryableTargetError, "429"),
        ("server-error", RetryableTargetError, "500"),
        ("malformed-json", RetryableTargetError, "malformed"),
        ("wrong-shape", RetryableTargetError, "choices"),
        ("html", RetryableTargetError, "malformed"),
        ("error-in-200", RetryableTargetError, "overloaded"),
        ("no-quota", FatalTargetError, "quota"),
        ("bad-key", FatalTargetError, "api_key_env"),
        ("forbidden", FatalTargetError, "permissions"),
        ("absent", FatalTargetError, "base_url"),
        ("redirect", FatalTargetError, "redirects to http://127.0.0.1:9/elsewhere"),
        ("bad-request", TargetError, "too long"),
        ("invalid", TargetError, "Missing role"),
        ("no-seed", FatalTargetError, "set send_seed: false"),
        ("no-system", TargetError, "No such role"),
        ("engine-abort", RetryableTargetError, "broke the answer off"),
        ("no-choices", TargetError, "no choices"),
    ],
)
def test_errors_are_mapped(
    model: str, kind: type[TargetError], said: str, stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """Each failure has the kind that tells the runner what to do, in one line naming host and model."""
    with pytest.raises(TargetError) as raised:
        outputs_of(target_for(stub_url, context, model=model), [ask("hello")])
    assert type(raised.value) is kind
    message = str(raised.value)
    assert said in message
    assert "\n" not in message
    assert "127.0.0.1:" in message
    assert model in message
    assert len(bodies(stub_url)) == 1


def test_retry_after_reaches_the_runner(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """The wait that the server asks for is passed on in seconds."""
    with pytest.raises(RetryableTargetError) as raised:
        outputs_of(target_for(stub_url, context, model="rate-limited"), [ask("hello")])
    assert raised.value.retry_after_s == 1.0
    assert not raised.value.unreachable


def test_no_server_is_unreachable(context: TargetContext, ask: Ask) -> None:
    """A refused connection says so, which the runner's circuit breaker counts."""
    with pytest.raises(RetryableTargetError, match="no connection") as raised:
        outputs_of(target_for("http://127.0.0.1:9/v1", context), [ask("hello")])
    assert raised.value.unreachable


def test_a_hanging_server_times_out(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """No answer within timeout_s is retryable, and not the same as no server."""
    with pytest.raises(RetryableTargetError, match="timeout_s") as raised:
        outputs_of(target_for(stub_url, context, model="hang", timeout_s=0.3), [ask("hello")])
    assert not raised.value.unreachable


def test_key_is_sent_and_never_shown(stub_url: str, tmp_path: Path, ask: Ask) -> None:
    """The key goes to the server by header only; an error that echoes it shows asterisks."""
    secret = "plain-secret-4711"  # noqa: S105 - made up for this test
    context = TargetContext(name="target", root=tmp_path, secrets={"MY_KEY": secret})
    target = target_for(stub_url, context, api_key_env="MY_KEY", model="bad-key")
    assert OpenAITarget.secret_names(target._options) == ("MY_KEY",)
    with pytest.raises(FatalTargetError) as raised:
        outputs_of(target, [ask("hello")])
    log = cast("list[dict[str, object]]", fetch_json(stub_url, "/log"))
    assert log[0]["authorization"] == f"Bearer {secret}"
    assert secret not in str(raised.value)
    assert "***" in str(raised.value)
    assert secret not in repr(target.info)


def test_missing_key_is_fatal_before_anything_is_sent(
    stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """A variable that is named but not set stops the run with its name."""
    with pytest.raises(FatalTargetError, match="MY_KEY is not set"):
        outputs_of(target_for(stub_url, context, api_key_env="MY_KEY"), [ask("hello")])
    assert bodies(stub_url) == []


def test_environment_of_the_sdk_does_not_leak(
    stub_url: str, context: TargetContext, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Organisation, project and key meant for another service are not sent to this one."""
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-environment")
    outputs_of(target_for(stub_url, context), [ask("hello")])
    entry = cast("list[dict[str, list[str]]]", fetch_json(stub_url, "/log"))[0]
    assert "from-environment" not in str(entry["authorization"])
    assert not {"openai-organization", "openai-project"} & {name.lower() for name in entry["headers"]}


def test_every_prompt_and_repeat_has_a_seed_of_its_own(
    stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """No two prompts share a seed, since a server draws alike from equal ones, and none changes by itself."""
    requests = [ask("a", prompt_id="a"), ask("b", prompt_id="b"), ask("a", prompt_id="a", repeat=1)]
    outputs = outputs_of(target_for(stub_url, context), requests)
    assert [output.text for output in outputs] == ["echo: a", "echo: b", "echo: a"]
    seeds = sorted(str(body["seed"]) for body in bodies(stub_url))
    assert seeds == sorted(str(request_seed(7, request)) for request in requests)
    assert len(set(seeds)) == 3


def test_parameters_are_sent_and_unset_ones_are_not(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """The request holds the spec's decoding settings, the system prompt and nothing else."""
    params = {"temperature": 0.7, "max_tokens": 9, "extra_body": {"top_k": 5}}
    target = target_for(stub_url, context, params=params, system="Be brief.", send_seed=False)
    outputs_of(target, [ask("hello")])
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    expected = {"model": "echo", "messages": messages, "temperature": 0.7, "max_tokens": 9, "top_k": 5}
    assert bodies(stub_url) == [expected]


@pytest.mark.parametrize(
    ("model", "first", "second"),
    [
        ("newer-name", "max_tokens", "max_completion_tokens"),
        ("older-name", "max_completion_tokens", "max_tokens"),
    ],
)
def test_name_of_the_token_limit_is_learned(
    model: str, first: str, second: str, stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """One rejected spelling is asked again by the other name, once, and the answer is remembered."""
    target = target_for(stub_url, context, model=model, params={first: 5})

    async def twice() -> None:
        for _ in range(2):
            (output,) = await target.generate([ask("hello")], seed=7)
            assert output.text == "echo: hello"
        await target.aclose()

    asyncio.run(twice())
    assert [first in body for body in bodies(stub_url)] == [True, False, False]
    assert [body.get(second) for body in bodies(stub_url)] == [None, 5, 5]


def test_a_filter_after_the_other_name_is_still_a_refusal(
    stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """A prompt that is filtered when asked by the other name is refused, as any filtered prompt is."""
    target = target_for(stub_url, context, model="newer-name-filtered", params={"max_tokens": 5})
    (output,) = outputs_of(target, [ask("hello")])
    assert output.outcome is Outcome.REFUSED
    assert [sorted(set(body) & _LIMITS) for body in bodies(stub_url)] == [
        ["max_tokens"],
        ["max_completion_tokens"],
    ]


@pytest.mark.parametrize("model", ["drops", "cut-off"])
def test_a_broken_connection_is_not_an_absent_server(
    model: str, stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """A connection that breaks before or inside the answer is retryable and not unreachable."""
    with pytest.raises(RetryableTargetError, match="broke off") as raised:
        outputs_of(target_for(stub_url, context, model=model), [ask("hello")])
    assert not raised.value.unreachable


def test_a_fixed_seed_and_openai_itself(context: TargetContext, stub_url: str, ask: Ask) -> None:
    """A seed of the spec is sent as it is; OpenAI's own host gets the newer name of the token limit."""
    outputs_of(target_for(stub_url, context, params={"seed": 5}), [ask("hello")])
    assert bodies(stub_url)[0]["seed"] == 5
    options = OpenAIOptions.model_validate({"model": "m", "api_key_env": "KEY"})
    assert {options.first_token_parameter} == {"max_completion_tokens"}
    assert options.host == "api.openai.com:443"


def test_a_fixed_token_name_is_not_changed(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """With an explicit token_parameter a rejection stays a rejection."""
    options = {"params": {"max_tokens": 5}, "token_parameter": "max_tokens"}
    with pytest.raises(TargetError, match="max_tokens"):
        outputs_of(target_for(stub_url, context, model="newer-name", **options), [ask("hello")])
    assert len(bodies(stub_url)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base_url": "ftp://x/v1"}, "must be an address"),
        ({"base_url": "http://h:99999/v1"}, "must be an address"),
        ({"base_url": "http://h/v1?key=1"}, "must be an address"),
        ({"base_url": "http://user:pw@host/v1"}, "must not hold a user"),
        ({"base_url": "https://api.openai.com/v1"}, "needs api_key_env"),
        ({"headers": {"api-key": "x"}}, "would store a secret"),
        ({"params": {"max_tokens": 1, "max_completion_tokens": 1}}, "not both"),
        ({"params": {"extra_body": {"stream": True}}}, "stream"),
        ({"params": {"temperature": 3}}, "less than or equal to 2"),
        ({"temperature": 1}, "Extra inputs"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    """An option that cannot work, or would store a secret, is refused before anything is sent."""
    with pytest.raises(ValidationError, match=said):
        OpenAIOptions.model_validate({"base_url": "http://h/v1", "model": "m", **options})


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("https://example.org/v1", "example.org:443"),
        ("http://[::1]/v1", "[::1]:80"),
    ],
)
def test_host_is_declared(base_url: str, host: str, context: TargetContext) -> None:
    """`doctor --network` can list the one host with its port before anything is contacted."""
    assert target_for(base_url, context).info.hosts == (host,)


def test_probe_call_is_one_request(stub_url: str, context: TargetContext) -> None:
    """The check of a target sends exactly one request through generate."""
    target = target_for(stub_url, context)

    async def check() -> Output:
        output = await probe_call(target)
        await target.aclose()
        return output

    assert "ready" in (asyncio.run(check()).text or "")
    assert len(bodies(stub_url)) == 1


def test_many_requests_run_at_once(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """Requests given together are in flight together and come back in order."""
    requests = [ask(f"t{i}", prompt_id=f"p{i}") for i in range(50)]
    outputs = outputs_of(target_for(stub_url, context), requests)
    assert [output.text for output in outputs] == [f"echo: t{i}" for i in range(50)]
    most = fetch_json(stub_url, "/most")
    assert isinstance(most, int)
    assert most > 1


def test_sdk_loads_only_when_asked() -> None:
    """Importing and constructing the target does not load the SDK, so the command line starts fast."""
    program = (
        "import sys; from pathlib import Path; from audit.targets.base import TargetContext;"
        "from audit.targets.openai_api.target import OpenAITarget as T;"
        "options = T.Options.model_validate({'base_url': 'http://h/v1', 'model': 'm'});"
        "T(options, TargetContext(name='t', root=Path()));"
        "print(sorted({'openai', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
