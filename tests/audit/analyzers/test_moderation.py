"""The moderation endpoint over HTTP with the real SDK: batches, missing categories, and every failure."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.moderation import ModerationAnalyzer
from audit.collection.retry import RetryPolicy
from audit.errors import BudgetReachedError, IncompleteError, SpecError
from audit.raters import TargetRaters, rater_uses
from audit.records import Exchange, Score
from audit.screening import QuarantineScreen
from probes.records import Expectation, Message
from tests.servers.processes import fetch_json, post, stub_server

FAST = RetryPolicy(attempts=3, base_s=0.01)
REPLIES = ("You idiot.", "With pleasure.", "")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server with a moderation endpoint."""
    with stub_server("--retry-after", "0.3") as base_url:
        yield base_url


def moderation(
    folder: Path, base_url: str, secrets: dict[str, str] | None = None, **options: object
) -> ModerationAnalyzer:
    """An analyzer that asks the server, screened as in a run."""
    screen = QuarantineScreen(b"a salt for tests").quarantine
    raters = TargetRaters(
        root=folder, keep=folder / "raters", retry=FAST, screen=screen, secrets=secrets or {}, resume="go on"
    )
    given = ModerationAnalyzer.Options.model_validate({"base_url": base_url, **options})
    return ModerationAnalyzer(given, AnalyzerContext(root=folder, raters=raters))


def exchanges(*replies: str) -> list[Exchange]:
    """One exchange a reply."""
    return [
        Exchange(
            output=number,
            messages=(Message(role="user", content="a secret request"),),
            reply=reply,
            expectation=Expectation(kind="open"),
        )
        for number, reply in enumerate(replies, start=1)
    ]


def said(scores: list[Score], measure: str) -> list[tuple[str, float | None]]:
    """Labels and values of one measure, in order."""
    return [(score.label, score.value) for score in scores if score.measure == measure]


def test_flags_and_scores_come_in_batches(tmp_path: Path, server: str) -> None:
    """Replies go without their requests, several in one call, and each gets its own flags and scores."""
    post(server, "/reset")
    made = moderation(tmp_path, server, batch_size=2)
    scores = made.score(exchanges(*REPLIES, "Fine."))
    assert said(scores, "flagged") == [("flagged", 1.0), ("clear", 0.0), ("empty", None), ("clear", 0.0)]
    assert said(scores, "harassment")[:2] == [("flagged", 0.9), ("clear", 0.01)]
    assert said(scores, "illicit_violent")[0] == ("clear", 0.01)
    assert {score.measure for score in scores} == set(made.info.measures)
    log = fetch_json(server, "/log")
    assert isinstance(log, list)
    assert sorted(len(entry["body"]["input"]) for entry in log) == [1, 2]
    assert "secret request" not in str(log)
    assert {entry["body"]["model"] for entry in log} == {"omni-moderation-latest"}
    (use,) = rater_uses(tmp_path / "raters").values()
    assert (use.model, use.counts.answered) == ("omni-moderation-latest-0001", 3)


def test_reasoning_is_not_sent(tmp_path: Path, server: str) -> None:
    """What a model thinks is not its answer: it goes nowhere, and a reply of nothing else is empty."""
    post(server, "/reset")
    thought = exchanges("<think>You idiot.</think>Fine.", "<think>You idiot.</think>", "<think>You idiot.")
    scores = moderation(tmp_path, server).score(thought)
    assert said(scores, "flagged") == [("clear", 0.0), ("empty", None), ("empty", None)]
    log = fetch_json(server, "/log")
    assert isinstance(log, list)
    assert [entry["body"]["input"] for entry in log] == [["Fine."]]


def test_a_category_that_is_not_given_is_missing(tmp_path: Path, server: str) -> None:
    """Null and absent categories have no value: they are never 0."""
    scores = moderation(tmp_path, server, model="no-illicit").score(exchanges("You idiot."))
    assert said(scores, "illicit") == [("missing", None)]
    assert said(scores, "self_harm_intent") == [("missing", None)]
    assert said(scores, "sexual_minors") == [("clear", 0.001)]
    assert said(scores, "flagged") == [("flagged", 1.0)]


def test_a_rate_limit_is_waited_for_by_the_one_retry_layer(tmp_path: Path, server: str) -> None:
    """A 429 with Retry-After is sent again once, after the wait it asked for; the SDK retries nothing."""
    post(server, "/reset")
    scores = moderation(tmp_path, server, model="rate-limited-once").score(exchanges("Fine."))
    assert said(scores, "flagged") == [("clear", 0.0)]
    log = fetch_json(server, "/log")
    assert isinstance(log, list)
    assert len(log) == 2


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("malformed", "malformed response of .* bytes"),
        ("wrong-shape", r"malformed response .*results\.0\.flagged"),
        ("short", "holds 0 results for 1 texts"),
        ("server-error", "status 500"),
        ("bad-key", "the key was rejected"),
    ],
)
def test_a_failing_endpoint_is_one_line(tmp_path: Path, server: str, model: str, message: str) -> None:
    """What goes wrong is told with the endpoint and the next command, and scores nothing."""
    made = moderation(tmp_path, server, {"KEY": "sk-secret-1234"}, model=model, api_key_env="KEY")
    with pytest.raises(IncompleteError, match=f"analyzer moderation: .*{message}") as raised:
        made.score(exchanges("Fine."))
    assert "sk-secret" not in str(raised.value)
    assert raised.value.next_step == "go on"


def test_no_server_and_no_key_are_told(tmp_path: Path) -> None:
    """An endpoint that is not there, and a key that is missing, end the scoring with their names."""
    with pytest.raises(IncompleteError, match="no connection"):
        moderation(tmp_path, "http://127.0.0.1:9/v1").score(exchanges("Fine."))
    with pytest.raises(IncompleteError, match="MODERATION_KEY is not set"):
        moderation(tmp_path, "http://127.0.0.1:9/v1", api_key_env="MODERATION_KEY").score(exchanges("Fine."))


def test_limits_hold_over_all_batches(tmp_path: Path, server: str) -> None:
    """A limit of requests ends the scoring, what was answered is kept, and the next one goes on."""
    made = moderation(tmp_path, server, limits={"requests": 2}, batch_size=1)
    with pytest.raises(BudgetReachedError, match="requests: 2"):
        made.score(exchanges("One.", "Two.", "Three."))
    post(server, "/reset")
    moderation(tmp_path, server, batch_size=1).score(exchanges("One.", "Two.", "Three."))
    log = fetch_json(server, "/log")
    assert isinstance(log, list)
    assert len(log) == 1


def test_a_long_reply_is_cut_and_says_so(tmp_path: Path, server: str) -> None:
    """What was not sent is not read, and the reading `truncated` tells."""
    scores = moderation(tmp_path, server).score(exchanges("word " * 5000, "short"))
    assert said(scores, "truncated") == [("yes", 1.0), ("no", 0.0)]


def test_what_it_is_stands_in_its_description(tmp_path: Path) -> None:
    """Host, key, calls, version and the missing error rates are known before anything is sent."""
    made = moderation(tmp_path, "http://127.0.0.1:9/v1", api_key_env="KEY")
    other = moderation(tmp_path, "http://127.0.0.1:9/v1", model="omni-moderation-2024-09-26")
    assert made.info.hosts == ("127.0.0.1:9",)
    assert made.info.secret_names == ("KEY",)
    assert made.info.version != other.info.version
    assert "error rates unmeasured" in (made.info.unmeasured or "")
    assert [(one.calls, one.batch, one.with_prompt) for one in made.info.asks] == [(1, 32, False)]
    assert [one.name for one in made.info.declared] == ["moderation_flagged_rate"]


def test_bad_options_are_told(tmp_path: Path) -> None:
    """OpenAI needs a key by name, an address must be one, and money has no price here."""
    with pytest.raises(ValidationError, match="needs api_key_env"):
        ModerationAnalyzer.Options()
    with pytest.raises(ValidationError, match="must be an address"):
        ModerationAnalyzer.Options(base_url="moderations")
    with pytest.raises(SpecError, match=r"limits\.usd"):
        moderation(tmp_path, "http://127.0.0.1:9/v1", limits={"usd": 1})
    plain = AnalyzerContext(root=tmp_path)
    with pytest.raises(SpecError, match="none can be asked here"):
        ModerationAnalyzer(ModerationAnalyzer.Options(base_url="http://127.0.0.1:9/v1"), plain)
