"""Every fault, quirk and hostile reply through the real SDK."""

import json
import time

import openai
import pytest

from audit.serving.faults import FaultyOptions, drawn_fault
from tests.audit.serving.conftest import ASKED
from tests.servers.processes import fetch_json


def _ask(client: openai.OpenAI, model: str, **further: object) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": ASKED}], extra_body=further
    )


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("faulty-rate-limited", openai.RateLimitError, "rate_limit_exceeded"),
        ("faulty-no-quota", openai.RateLimitError, "insufficient_quota"),
        ("faulty-server-error", openai.InternalServerError, None),
        ("faulty-bad-key", openai.AuthenticationError, "invalid_api_key"),
        ("faulty-forbidden", openai.PermissionDeniedError, "forbidden"),
        ("quirk-filter-azure", openai.BadRequestError, "content_filter"),
    ],
)
def test_a_fault_is_the_error_that_the_sdk_knows(
    client: openai.OpenAI, model: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    """Each failing status reaches the client as its own kind of error."""
    with pytest.raises(error) as raised:
        _ask(client, model)
    assert raised.value.code == code


def test_a_rate_limit_says_how_long_to_wait(client: openai.OpenAI) -> None:
    """A 429 has Retry-After and the rate-limit headers, with durations."""
    with pytest.raises(openai.RateLimitError) as raised:
        _ask(client, "faulty?rate_limited=1&retry_after_s=90")
    headers = raised.value.response.headers
    assert headers["retry-after"] == "90"
    assert headers["x-ratelimit-reset-requests"] == "1m30s"


def test_a_metered_model_takes_no_more_than_its_allowance(client: openai.OpenAI) -> None:
    """Requests and tokens beyond the limit a minute are refused, and the headers count down."""
    model = "faulty?requests_per_minute=2"
    first = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": ASKED}]
    )
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    _ask(client, model)
    with pytest.raises(openai.RateLimitError, match="requests per min"):
        _ask(client, model)
    _ask(client, "faulty?tokens_per_minute=700")
    with pytest.raises(openai.RateLimitError, match="tokens per min"):
        _ask(client, "faulty?tokens_per_minute=700")


def test_a_dropped_connection_has_no_answer(client: openai.OpenAI) -> None:
    """The client sees a broken connection, not a status."""
    with pytest.raises(openai.APIConnectionError):
        _ask(client, "faulty-dropped")


def test_a_dropped_stream_breaks_off_in_its_middle(client: openai.OpenAI) -> None:
    """A client that streams has a part of the answer when the connection ends."""
    stream = client.chat.completions.create(
        model="faulty-dropped", messages=[{"role": "user", "content": ASKED}], stream=True
    )
    said = []

    def listen() -> None:
        for chunk in stream:
            said.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came before the end counts

    with pytest.raises(openai.APIConnectionError):
        listen()
    assert any(said)


def test_stalls_and_latency_take_their_time(client: openai.OpenAI) -> None:
    """A stalled answer comes late or, for an impatient client, not at all."""
    started = time.monotonic()
    _ask(client, "faulty?latency_s=0.2&stalled=1&stall_s=0.3")
    assert time.monotonic() - started >= 0.5
    with pytest.raises(openai.APITimeoutError):
        _ask(client.with_options(timeout=0.5), "faulty-stalled")


@pytest.mark.parametrize("model", ["faulty-malformed", "hostile-malformed-json", "hostile-html-page"])
def test_a_broken_body_is_no_json(client: openai.OpenAI, model: str) -> None:
    """A body that is cut or another page cannot be parsed."""
    with pytest.raises(json.JSONDecodeError):
        _ask(client, model)


def test_shares_are_drawn_by_the_seed_and_hold() -> None:
    """Faults come as often as they should, and in the same places under the same seed."""
    options = FaultyOptions(rate_limited=0.1, server_error=0.05, dropped=0.05)
    drawn = [drawn_fault(options, 3, f"call {number}", 0) for number in range(4000)]
    again = [drawn_fault(options, 3, f"call {number}", 0) for number in range(4000)]
    other = [drawn_fault(options, 4, f"call {number}", 0) for number in range(4000)]
    assert drawn == again != other
    # Three standard errors of a share of 0.1 and 0.05 in 4000 draws.
    assert abs(drawn.count("rate_limited") / 4000 - 0.1) < 0.0143
    assert abs(drawn.count("dropped") / 4000 - 0.05) < 0.0104
    assert drawn.count(None) > 3000


def test_what_failed_can_be_asked_again() -> None:
    """A fault is drawn anew when the same is asked again, so that retries can succeed."""
    options = FaultyOptions(server_error=0.5)
    assert len({drawn_fault(options, 3, "call", time) for time in range(20)}) == 2


def test_quirks_show_where_real_servers_show_them(client: openai.OpenAI) -> None:
    """Refusal field, filters, reasoning, parts and missing usage have the shapes of real servers."""
    refused = _ask(client, "quirk-refusal-field").choices[0].message
    assert (refused.content, bool(refused.refusal)) == (None, True)
    assert _ask(client, "quirk-filter-openai").choices[0].finish_reason == "content_filter"
    azure = _ask(client, "quirk-filter-azure-answer").choices[0]
    assert azure.finish_reason == "content_filter"
    assert getattr(azure, "content_filter_results")["violence"]["filtered"] is True  # noqa: B009 - no typed field
    assert getattr(_ask(client, "quirk-reasoning").choices[0].message, "reasoning_content", "")
    assert isinstance(_ask(client, "quirk-content-parts").choices[0].message.content, list)
    assert _ask(client, "quirk-no-usage").usage is None
    assert not _ask(client, "quirk-error-in-200").choices
    with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
        _ask(client, "quirk-max-completion-tokens-only", max_tokens=5)
    with pytest.raises(openai.BadRequestError, match="not permitted"):
        _ask(client, "quirk-max-tokens-only", max_completion_tokens=5)


def test_reasoning_uses_up_the_limit_first(client: openai.OpenAI) -> None:
    """A reasoning model with too low a limit gives no content at all."""
    choice = _ask(client, "quirk-reasoning", max_completion_tokens=5).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("length", "")


def test_hostile_texts_arrive_as_they_are(client: openai.OpenAI) -> None:
    """Control characters, scripts, formulas and half characters reach the client unchanged."""

    def said(kind: str) -> str | None:
        return _ask(client, f"hostile-{kind}").choices[0].message.content

    assert "\x1b[2J" in (said("control-characters") or "")
    assert "<script>" in (said("script") or "")
    assert (said("formula") or "").startswith("=HYPERLINK")
    assert "\ud800" in (said("broken-unicode") or "")
    assert len(said("huge") or "") == 1_000_000
    assert said("null-content") is None
    assert said("empty") == ""
    with pytest.raises(UnicodeDecodeError):
        said("invalid-utf8")


def test_a_hostile_model_varies_and_an_option_chooses(client: openai.OpenAI) -> None:
    """The kind is drawn for each reply from those that the name lists."""
    model = "hostile?kinds=[html, orders]"
    said = [_ask(client, model, seed=seed).choices[0].message.content or "" for seed in range(12)]
    assert {"<h1>" in one for one in said} == {True, False}
    assert all("<h1>" in one or "Ignore all" in one for one in said)


def test_counts_tell_what_was_answered_twice(client: openai.OpenAI, served_url: str) -> None:
    """A client can prove that it asked nothing again that had been answered."""
    model = "specimen?empty_rate=0.125"
    for seed in (1, 2, 2):
        _ask(client, model, seed=seed)
    shown = fetch_json(served_url, "/evenhand/requests")
    assert isinstance(shown, dict)
    counts = shown["models"][model]
    assert counts == {"requests": 3, "distinct": 2, "answered": 3, "answered_again": 1, "failures": {}}
