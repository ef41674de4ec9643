"""The openai target by the Responses interface, on Azure's paths, and with secret headers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from audit.records import Outcome, Request, Usage
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetContext, TargetError
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.replies import read_chat
from audit.targets.openai_api.responses import read_response
from audit.targets.openai_api.target import OpenAITarget
from probes.records import Message
from tests.audit.targets.openai_asking import bodies, outputs_of, target_for
from tests.servers.processes import fetch_json, post

Ask = Callable[..., Request]
_KEY = "plain-secret-4711"
_CONVERSATION = (
    Message(role="user", content="My name is Ada."),
    Message(role="assistant", content="Hello Ada."),
    Message(role="user", content="What is my name?"),
)


@pytest.fixture(autouse=True)
def fresh_log(stub_url: str) -> None:
    """Every test sees its own requests only."""
    post(stub_url, "/reset")


@pytest.fixture
def keyed(tmp_path: Path) -> TargetContext:
    """A context that holds a key."""
    return TargetContext(name="target", root=tmp_path, secrets={"MY_KEY": _KEY, "GATE": "gate-secret-1"})


def entries(stub_url: str) -> list[Mapping[str, object]]:
    """The requests that the server saw."""
    return cast("list[Mapping[str, object]]", fetch_json(stub_url, "/log"))


def test_responses_are_asked_and_read(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """By `api: responses` the same question goes in that interface's words and comes back as one output."""
    params = {"temperature": 0.5, "max_tokens": 20, "reasoning_effort": "low", "extra_body": {"top_k": 5}}
    target = target_for(stub_url, context, api="responses", params=params, system="Be brief.", logprobs=True)
    (output,) = outputs_of(target, [ask("hello")])
    assert (output.text, output.finish_reason, output.outcome) == ("echo: hello", "stop", Outcome.ANSWERED)
    assert output.usage == Usage(prompt_tokens=7, completion_tokens=3)
    assert (output.model, output.request_id, output.logprobs) == ("echo-0001", "resp_1", (-0.5,))
    assert target.info.facts["api"] == "responses"
    assert bodies(stub_url) == [
        {
            "model": "echo",
            "input": [{"role": "user", "content": "hello"}],
            "instructions": "Be brief.",
            "store": False,
            "temperature": 0.5,
            "max_output_tokens": 20,
            "reasoning": {"effort": "low"},
            "include": ["message.output_text.logprobs"],
            "top_k": 5,
        }
    ]


@pytest.mark.parametrize(
    ("model", "text", "outcome"),
    [
        ("reasoned", "Yes.", Outcome.ANSWERED),
        ("refused", None, Outcome.REFUSED),
        ("cut", "It is", Outcome.TRUNCATED),
        ("thought-only", None, Outcome.EMPTY),
        ("filtered", "It is", Outcome.REFUSED),
    ],
)
def test_responses_keep_their_outcome(
    model: str, text: str | None, outcome: Outcome, stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """Reasoning, refusals, cuts and filters of a response are recorded as what they are."""
    (output,) = outputs_of(target_for(stub_url, context, api="responses", model=model), [ask("hello")])
    assert (output.text, output.outcome, output.error) == (text, outcome, None)


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("failed", RetryableTargetError, "slow down"),
        ("cut-body", RetryableTargetError, "malformed"),
        ("no-output", TargetError, "no output"),
        ("unknown-key", FatalTargetError, "remove temperature from params"),
    ],
)
def test_failed_responses_are_mapped(
    model: str, kind: type[TargetError], said: str, stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """A response that failed has the kind that tells the runner what to do."""
    target = target_for(stub_url, context, api="responses", model=model, params={"max_tokens": 5})
    with pytest.raises(TargetError, match=said) as raised:
        outputs_of(target, [ask("hello")])
    assert type(raised.value) is kind
    assert len(bodies(stub_url)) == 1


def test_reasoning_stands_apart_from_the_text() -> None:
    """Reasoning is read from every place that servers put it, and never into the text."""
    responses = (
        b'{"status":"completed","output":[{"type":"reasoning","summary":[{"type":"s","text":"hm"}]},'
        b'{"type":"message","content":[{"type":"output_text","text":"Yes."}]}]}'
    )
    assert (read_response(responses, "h").text, read_response(responses, "h").reasoning) == ("Yes.", "hm")
    for message in (
        b'{"content":"Yes.","reasoning_content":"hm"}',
        b'{"content":"Yes.","reasoning":"hm"}',
        b'{"content":[{"type":"thinking","thinking":[{"text":"hm"}]},{"type":"text","text":"Yes."}]}',
        b'{"content":[{"type":"thinking","thinking":"hm","signature":"x"},{"type":"text","text":"Yes."}]}',
        b'{"content":"<think>hm</think>Yes."}',
        b'{"content":"<think>hm</think>Yes."}',
    ):
        reply = read_chat(b'{"choices":[{"message":' + message + b"}]}", "h")
        assert (reply.text, reply.reasoning) == ("Yes.", "hm")


@pytest.mark.parametrize(
    ("base", "api", "path"),
    [
        ("", "chat", "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"),
        ("/openai", "chat", "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"),
        ("/openai/deployments/d", "chat", "/openai/deployments/d/chat/completions?api-version=2024-10-21"),
        ("", "responses", "/openai/responses?api-version=2024-10-21"),
        ("/openai/v1", "chat", "/openai/v1/chat/completions?api-version=2024-10-21"),
    ],
)
def test_azure_is_asked_at_its_paths(
    base: str, api: str, path: str, stub_url: str, keyed: TargetContext, ask: Ask
) -> None:
    """With api_version the deployment stands in the path and the key in the api-key header alone."""
    options = {"base_url": stub_url.removesuffix("/v1") + base, "model": "my gpt", "api": api}
    target = target_for(stub_url, keyed, **options, api_version="2024-10-21", api_key_env="MY_KEY")
    (output,) = outputs_of(target, [ask("hello")])
    assert output.text == "echo: hello"
    (entry,) = entries(stub_url)
    assert (entry["path"], entry["api_key"], entry["authorization"]) == (path, _KEY, "")
    assert target.info.facts["api_version"] == "2024-10-21"
    assert _KEY not in repr(target.info)


def test_header_of_the_key_can_be_chosen(stub_url: str, keyed: TargetContext, ask: Ask) -> None:
    """A token of an identity provider goes to Azure as a bearer, a gateway's key as api-key."""
    for header, api_key, bearer in (("authorization", "", f"Bearer {_KEY}"), ("api-key", _KEY, "")):
        post(stub_url, "/reset")
        outputs_of(target_for(stub_url, keyed, api_key_env="MY_KEY", key_header=header), [ask("hello")])
        (entry,) = entries(stub_url)
        assert (entry["api_key"], entry["authorization"]) == (api_key, bearer)


def test_secret_headers_come_from_variables(stub_url: str, keyed: TargetContext, ask: Ask) -> None:
    """A header's secret is named in the spec, sent to the server, and masked where the server echoes it."""
    target = target_for(stub_url, keyed, headers_env={"Authorization": "GATE"}, model="bad-key")
    assert OpenAITarget.secret_names(target._options) == ("GATE",)
    with pytest.raises(FatalTargetError) as raised:
        outputs_of(target, [ask("hello")])
    (entry,) = entries(stub_url)
    assert entry["authorization"] == "gate-secret-1"
    assert "gate-secret-1" not in str(raised.value)
    absent = target_for(stub_url, keyed, headers_env={"x-gate": "OTHER"})
    with pytest.raises(FatalTargetError, match=r"OTHER is not set.*headers_env"):
        outputs_of(absent, [ask("hello")])


def test_impossible_numbers_count_as_absent(stub_url: str, context: TargetContext, ask: Ask) -> None:
    """A text is not lost to a usage of -1, a null log-probability or an id that is no text."""
    (output,) = outputs_of(target_for(stub_url, context, model="odd-numbers"), [ask("hello")])
    assert output.text == "odd"
    assert (output.usage, output.logprobs, output.model, output.request_id) == (None, None, None, None)


def test_a_framework_that_lists_wrong_keys_is_understood(
    stub_url: str, context: TargetContext, ask: Ask
) -> None:
    """A 422 that names the limit of tokens among its details is asked again by the other name."""
    target = target_for(stub_url, context, model="fastapi", params={"max_completion_tokens": 5})
    (output,) = outputs_of(target, [ask("hello")])
    assert output.text == "by the older name"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_turns_of_the_assistant_are_sent(api: str, stub_url: str, context: TargetContext, ask: Ask) -> None:
    """A conversation goes as it is, with its roles, and no tool is offered."""
    request = ask("x").model_copy(update={"messages": _CONVERSATION})
    outputs_of(target_for(stub_url, context, api=api), [request])
    (body,) = bodies(stub_url)
    sent = body["messages" if api == "chat" else "input"]
    assert sent == [message.model_dump() for message in _CONVERSATION]
    assert "tools" not in body


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api": "responses", "params": {"stop": ["x"], "seed": 1}}, "knows no stop, seed"),
        ({"api": "responses", "token_parameter": "max_tokens"}, "remove token_parameter"),
        ({"params": {"extra_body": {"input": "x"}}}, "extra_body must not hold input"),
        ({"api_version": "2024 10"}, "api_version"),
    ],
)
def test_options_that_cannot_work_are_named(options: dict[str, object], said: str) -> None:
    """What the Responses interface does not know is refused before anything is sent."""
    with pytest.raises(ValidationError, match=said):
        OpenAIOptions.model_validate({"base_url": "http://h/v1", "model": "m", **options})
