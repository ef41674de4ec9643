"""The three displays of progress say the same, each to its own reader."""

import io
import json
import re
from pathlib import Path

import pytest

from audit.cli.collection_events import Reported
from audit.cli.progress import Mode, progress_display, progress_line
from audit.collection.progress import Progress, Widest

HALF = Progress(
    planned=10,
    done=5,
    answered=4,
    errored=1,
    in_flight=2,
    limit=8,
    requests=9,
    retries=3,
    tokens=1234,
    tokens_estimated=True,
    elapsed_s=61.0,
    left_s=3725.0,
    oldest_waiting_s=2.2,
)
WHOLE = HALF.model_copy(update={"done": 10, "answered": 9, "usd": 0.5, "left_s": 0.0})


def shown(mode: Mode, *reports: Progress) -> str:
    """What a display writes."""
    stream = io.StringIO()
    with progress_display(mode, stream) as show:
        for report in reports:
            show(report)
    return stream.getvalue()


def test_ndjson_is_one_object_a_report() -> None:
    """A program reads every report back exactly."""
    lines = shown("ndjson", HALF, WHOLE).splitlines()
    assert [Reported.model_validate(json.loads(line)).progress for line in lines] == [HALF, WHOLE]
    assert [json.loads(line)["event"] for line in lines] == ["progress", "progress"]


def test_every_field_of_a_line_is_described() -> None:
    """A program's author finds each field of a line of progress in the reference, and no other."""
    page = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
    table = page.read_text(encoding="utf-8").split("## Progress as JSON")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(Progress.model_fields)


def test_plain_shows_the_first_and_the_last() -> None:
    """Plain lines come seldom, but the last state is always told, once."""
    assert shown("plain", HALF, HALF, WHOLE).splitlines() == [progress_line(HALF), progress_line(WHOLE)]
    assert shown("plain", HALF).splitlines() == [progress_line(HALF)]
    assert shown("plain") == ""


def test_a_line_says_what_matters() -> None:
    """Unknown prices and estimates are labelled, outcomes that did not occur are left out."""
    assert progress_line(HALF) == (
        "5/10 done, answered 4, errored 1, in flight 2/8, about 1234 tokens, price not known, retries 3, "
        "1 h 2 min left"
    )
    assert "about $0.5000" in progress_line(WHOLE)
    assert "left" not in progress_line(WHOLE)
    known = HALF.model_copy(update={"kwh_low": 0.00123, "kwh_high": 0.0045})
    assert "price not known, 0.00123 to 0.0045 kWh" in progress_line(known)
    assert "kWh" not in progress_line(HALF)


@pytest.mark.parametrize(
    "words", ["5 of 10 (50%)", "errored 1", "2 of at most 8, the oldest for 2 s", "1 min 1 s"]
)
def test_the_panel_shows_the_same(words: str) -> None:
    """The panel holds every figure."""
    assert words in shown("rich", HALF)


def test_a_conversation_that_broke_off_keeps_nobody_from_the_end() -> None:
    """What will not be asked any more counts as settled, and is told apart from what is done."""
    over = HALF.model_copy(update={"done": 8, "broken_off": 2, "limit": 0, "in_flight": 0})
    assert "8 and 2 that will not be asked of 10 (100%)" in shown("rich", over)
    assert "in flight" not in shown("rich", over) + progress_line(over)  # as of batches


def test_nothing_planned_is_no_division() -> None:
    """An empty plan shows as such."""
    assert "nothing planned" in shown("rich", Progress(planned=0, done=0))


LEAST = HALF.model_copy(
    update={
        "widest": Widest(
            measure="favourable_rate",
            unit="rate",
            attribute="gender",
            signal="explicit",
            group="wom\x1b[31men",
            reference_group="[red]men",
            point=-0.04,
            ci_low=-0.151,
            ci_high=0.071,
            level=0.95,
            margin=0.05,
            templates=34,
            outputs=136,
        )
    }
)


def test_what_is_known_least_is_told_with_its_interval() -> None:
    """In points for rates, with the margin and without a verdict; names of a spec steer no terminal."""
    line = progress_line(LEAST)
    assert line.endswith(
        "known least: favourable_rate, gender, wom[31men against [red]men (explicit): "
        "-4.0 points [-15.1, +7.1] of 34 templates, margin 5; no verdict yet"
    )
    assert "-4.0 points [-15.1, +7.1]" in " ".join(shown("rich", LEAST).split())
    assert "known least" not in progress_line(HALF)
