"""Model output is hostile: no analyzer's time may grow faster than the text."""

import time
from pathlib import Path

import pytest

from audit.analyzers.base import Analyzer, AnalyzerContext
from audit.analyzers.decision.analyzer import DecisionAnalyzer
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.analyzers.toxicity.analyzer import LexicalToxicityAnalyzer
from audit.records import Exchange
from audit.screening import QuarantineScreen
from probes.records import Expectation, Message

UNITS = (
    "a",
    " ",
    "\n",
    "-",
    ". ",
    "1",
    "1,",
    "1.",
    "8/",
    "{",
    '{"a":',
    "[",
    '"x',
    "f*",
    "i d ",
    "not ",
    "i can not ",
    "no ",
    "yes or ",
    "as an ai ",
    "answer: ",
    "<think>",
    "some may ",
    "approve ",
    "\xe9",
    "\u4e2d",
    "aaab",
    "12 years ",
)
EXPECTATIONS = (
    Expectation(kind="choice", options=("yes", "no")),
    Expectation(kind="number", low=0, high=10),
    Expectation(kind="open"),
)


@pytest.fixture(scope="module")
def analyzers() -> list[Analyzer]:
    """The analyzers that need no download."""
    root = Path()
    return [
        DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=root)),
        RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=root)),
        LexicalToxicityAnalyzer(LexicalToxicityAnalyzer.Options(), AnalyzerContext(root=root)),
    ]


def seconds(analyzers: list[Analyzer], unit: str, size: int) -> float:
    """The least time of two runs over a text of repeated units."""
    text = (unit * (size // len(unit) + 1))[:size]
    exchanges = [
        Exchange(
            output=0,
            messages=(Message(role="user", content="Yes or no?"),),
            reply=text,
            expectation=expectation,
        )
        for expectation in EXPECTATIONS
    ]
    took: list[float] = []
    for _ in range(2):
        start = time.process_time()
        for analyzer in analyzers:
            analyzer.score(exchanges)
        took.append(time.process_time() - start)
    return min(took)


@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_hostile_text_is_read_in_bounded_time(analyzers: list[Analyzer], unit: str) -> None:
    """Doubling a text at most doubles the time and a half, beyond a floor that the clock can see."""
    half, full = seconds(analyzers, unit, 500_000), seconds(analyzers, unit, 1_000_000)
    assert full <= max(2.5 * half, 0.4)


@pytest.mark.parametrize("unit", ["a ", "1 ", "12 year ", "child ", "1-", "\u00e9"])
def test_the_quarantine_screen_reads_a_megabyte_in_linear_time(unit: str) -> None:
    """The screen reads all of a text, so its time follows the length, and no more."""
    screen = QuarantineScreen(b"salt for the test")
    took: list[float] = []
    for size in (250_000, 500_000):
        start = time.process_time()
        screen.quarantine((unit * size)[:size])
        took.append(time.process_time() - start)
    assert took[1] <= max(2.5 * took[0], 0.4)
