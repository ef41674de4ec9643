"""The http target against a real server process with a protocol of its own."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from audit.records import Outcome, Output, Request, Usage
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetContext, TargetError
from audit.targets.plain_http.options import HttpOptions
from audit.targets.plain_http.target import HttpTarget
from audit.targets.request_template import request_seed
from probes.records import Message
from tests.audit.targets.openai_asking import outputs_of
from tests.servers.processes import fetch_json, post

Ask = Callable[..., Request]
_ANSWER = "data.answers.0.text"
_GATE = "gate-secret-1"
QUERY = {"q": "{prompt}", "s": "{seed}"}


@pytest.fixture(autouse=True)
def fresh_log(stub_url: str) -> None:
    """Every test sees its own requests only."""
    post(stub_url, "/reset")


@pytest.fixture
def target(stub_url: str, tmp_path: Path) -> Callable[..., HttpTarget]:
    """Makes a target of the stub's own protocol."""

    def make(name: str, **options: object) -> HttpTarget:
        given = {"url": stub_url.removesuffix("/v1") + f"/plain/{name}", "body": {"question": "{prompt}"}}
        context = TargetContext(name="target", root=tmp_path, secrets={"GATE": _GATE})
        return HttpTarget(HttpOptions.model_validate({**given, "answer": _ANSWER, **options}), context)

    return make


def sent(stub_url: str) -> Mapping[str, object]:
    """The one request that the server saw."""
    (entry,) = cast("list[Mapping[str, object]]", fetch_json(stub_url, "/log"))
    return entry


def test_answer_is_read_where_the_spec_says(target: Callable[..., HttpTarget], ask: Ask) -> None:
    """Text, reason, tokens, model and request id reach the output; impossible tokens are missing."""
    places = {"finish": "ended", "prompt_tokens": "used.in", "completion_tokens": "used.out", "model": "by"}
    made = target("answer", **places)
    (output,) = outputs_of(made, [ask("loans", repeat=2)])
    assert (output.text, output.outcome, output.repeat) == ("about: loans", Outcome.TRUNCATED, 2)
    assert output.usage == Usage(prompt_tokens=5, completion_tokens=None)
    assert (output.model, output.request_id) == ("own-model", "req-9")
    assert output.latency_s is not None


def test_template_is_filled_without_building_json(
    target: Callable[..., HttpTarget], ask: Ask, stub_url: str
) -> None:
    """Quotes and holes in a prompt stay text, lists stay lists, and numbers numbers."""
    hostile = '"}, {system} \\ {seed}\n{{prompt}}'
    body = {
        "chat": "{messages}",
        "say": "Q: {prompt} A:",
        "options": [{"seed": "{seed}", "n": "r{repeat}", "literal": "{{prompt}}"}, 1.5, None],
        "first": "{system}",
    }
    outputs_of(target("x", body=body, answer="sent.say", system="Be brief."), [ask(hostile, repeat=1)])
    seed = request_seed(7, ask("x", repeat=1))
    assert sent(stub_url)["body"] == {
        "chat": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": hostile}],
        "say": f"Q: {hostile} A:",
        "options": [{"seed": seed, "n": "r1", "literal": "{prompt}"}, 1.5, None],
        "first": "Be brief.",
    }
    assert isinstance(seed, int)


def test_get_sends_a_query(target: Callable[..., HttpTarget], ask: Ask) -> None:
    """A GET carries the prompt as a parameter, encoded."""
    made = target("x", method="GET", body=None, query=QUERY, answer="query.q")
    (output,) = outputs_of(made, [ask("a & b = {seed} ü")])
    assert output.text == "a & b = {seed} ü"
    seed = request_seed(7, ask("x"))
    (output,) = outputs_of(target("x", method="GET", body=None, query=QUERY, answer="query.s"), [ask("a")])
    assert output.text == str(seed)


@pytest.mark.parametrize(
    ("name", "options", "text", "outcome"),
    [
        ("refused", {"refusal": "blocked"}, None, Outcome.REFUSED),
        ("empty", {}, None, Outcome.EMPTY),
        ("text", {"answer": None}, "ol\ufffd \x1b[31mred", Outcome.ANSWERED),
    ],
)
def test_replies_without_a_text_keep_their_outcome(
    name: str,
    options: dict[str, object],
    text: str | None,
    outcome: Outcome,
    target: Callable[..., HttpTarget],
    ask: Ask,
) -> None:
    """A refusal object, a null answer and a reply that is no JSON are recorded as what they are."""
    (output,) = outputs_of(target(name, **options), [ask("hello")])
    assert (output.text, output.outcome) == (text, outcome)


@pytest.mark.parametrize(
    ("name", "options", "kind", "said"),
    [
        ("busy", {}, RetryableTargetError, "503: busy"),
        ("page", {}, RetryableTargetError, "malformed reply"),
        ("hang", {"timeout_s": 0.3}, RetryableTargetError, "timeout_s"),
        ("denied", {"headers_env": {"x-gate": "GATE"}}, FatalTargetError, r"bad gate \*\*\*.*headers_env"),
        ("moved", {}, FatalTargetError, "redirects to http://127.0.0.1:9/elsewhere"),
        ("failed", {"error": "problem", "headers_env": {"x-gate": "GATE"}}, TargetError, r"no, \*\*\*"),
        ("elsewhere", {}, TargetError, "no text at answer data.answers.0.text; at data.answers is a list of"),
        ("x", {"answer": "sent"}, TargetError, "no text at answer sent; at sent are the keys"),
        ("endless", {"answer": None}, TargetError, "longer than"),
        ("x", {"headers_env": {"x-gate": "OTHER"}}, FatalTargetError, "OTHER is not set"),
    ],
)
def test_failures_are_mapped(
    name: str,
    options: dict[str, object],
    kind: type[TargetError],
    said: str,
    target: Callable[..., HttpTarget],
    ask: Ask,
) -> None:
    """Each failure has the kind that tells the runner what to do, in one printable line."""
    with pytest.raises(TargetError, match=said) as raised:
        outputs_of(target(name, **options), [ask("hello")])
    assert type(raised.value) is kind
    message = str(raised.value)
    assert message.isprintable()
    assert _GATE not in message
    if name == "busy":
        assert cast("RetryableTargetError", raised.value).retry_after_s == 3.0


def test_no_server_is_unreachable(context: TargetContext, ask: Ask) -> None:
    """A refused connection says so, which the runner's circuit breaker counts."""
    options = HttpOptions.model_validate({"url": "http://127.0.0.1:9/x", "body": "{prompt}"})
    with pytest.raises(RetryableTargetError, match="no connection") as raised:
        outputs_of(HttpTarget(options, context), [ask("hello")])
    assert raised.value.unreachable


def test_no_cookie_ties_requests_together(target: Callable[..., HttpTarget], ask: Ask, stub_url: str) -> None:
    """A session that the server opens for one prompt is not sent along with the next."""
    made = target("answer")

    async def twice() -> list[Output]:
        try:
            return [(await made.generate([ask("a")], seed=1))[0] for _ in range(2)]
        finally:
            await made.aclose()

    assert len(asyncio.run(twice())) == 2
    log = cast("list[Mapping[str, list[str]]]", fetch_json(stub_url, "/log"))
    assert not any("Cookie" in entry["headers"] for entry in log)


def test_a_conversation_needs_a_hole_for_each_part(target: Callable[..., HttpTarget], ask: Ask) -> None:
    """No message is dropped in silence because a template has no room for it."""
    turns = (
        Message(role="user", content="a"),
        Message(role="assistant", content="b"),
        Message(role="user", content="c"),
    )
    many = ask("x").model_copy(update={"messages": turns})
    with pytest.raises(TargetError, match="3 messages"):
        outputs_of(target("answer"), [many])
    told = ask("x").model_copy(update={"messages": (Message(role="system", content="s"), turns[0])})
    with pytest.raises(TargetError, match=r"no \{system\}"):
        outputs_of(target("answer"), [told])
    (output,) = outputs_of(target("x", body={"m": "{messages}"}, answer="sent.m.1.content"), [many])
    assert output.text == "b"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"body": {"q": "{query}"}}, r"got {query}"),
        ({"body": {"q": "hello"}}, "nothing would be asked"),
        ({"body": {"q": "{prompt}"}, "system": "s"}, "neither {system}"),
        ({"body": {"q": "all {messages}"}}, "must stand alone"),
        ({"method": "GET"}, "GET sends no body"),
        ({"method": "GET", "body": None, "query": {"q": "{messages}"}}, "is a list"),
        ({"finish": "x"}, "give answer too"),
        ({"headers": {"X-Api-Key": "k"}}, "name a variable in headers_env"),
        ({"url": "https://h/x?key=1"}, "must be an address"),
        ({"answer": ""}, "at least 1"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    """A template that cannot carry the question, or a secret in it, is refused before anything is sent."""
    with pytest.raises(ValidationError, match=said):
        HttpOptions.model_validate({"url": "http://h/x", "body": {"q": "{prompt}"}, **options})


def test_host_is_declared(target: Callable[..., HttpTarget]) -> None:
    """`doctor --network` can list the one host, and no secret is among the facts."""
    made = target("x", headers_env={"x-gate": "GATE"})
    assert made.info.hosts[0].startswith("127.0.0.1:")
    assert HttpTarget.secret_names(made._options) == ("GATE",)
    assert _GATE not in repr(made.info)
