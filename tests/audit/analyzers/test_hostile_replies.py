"""Model output is hostile: the analyzers of leaks, quality and copies read it in linear time too."""

import time

import pytest

from audit.analyzers.base import Analyzer, AnalyzerContext
from audit.analyzers.copying.memorization import MemorizationAnalyzer
from audit.analyzers.fabrication.analyzer import FabricationAnalyzer
from audit.analyzers.leakage.analyzer import LeakageAnalyzer
from audit.analyzers.quality.analyzer import QualityAnalyzer
from audit.analyzers.tone.sentiment import SentimentAnalyzer
from audit.records import Exchange
from probes.records import Expectation, Message

UNITS = (
    *(
        "a",
        " ",
        "\n",
        "1",
        "1 ",
        "+1",
        "+1 ",
        "1-",
        "a@",
        "a.",
        "AA11 ",
        "eyJ",
        "sk-",
        "password is ",
        "(",
        '"x',
    ),
    *(
        "10.1000/",
        "http://",
        "Ab (2019",
        "Ab et al., ",
        "ISBN 1",
        "not bad ",
        "i can not ",
        "```",
        "\u4e2d",
        "\xe9",
    ),
)


@pytest.fixture(scope="module")
def analyzers(tmp_path_factory: pytest.TempPathFactory) -> list[Analyzer]:
    """The analyzers, with a training file made of hostile units."""
    root = tmp_path_factory.mktemp("files")
    (root / "train.txt").write_text("\n\n".join(unit * 200 for unit in UNITS), encoding="utf-8")
    return [
        FabricationAnalyzer(FabricationAnalyzer.Options(), AnalyzerContext(root=root)),
        LeakageAnalyzer(LeakageAnalyzer.Options(), AnalyzerContext(root=root)),
        MemorizationAnalyzer(MemorizationAnalyzer.Options(path="train.txt"), AnalyzerContext(root=root)),
        QualityAnalyzer(QualityAnalyzer.Options(), AnalyzerContext(root=root)),
        SentimentAnalyzer(SentimentAnalyzer.Options(), AnalyzerContext(root=root)),
    ]


def seconds(analyzers: list[Analyzer], text: str) -> float:
    """Processor time of reading a text after a system message and a request."""
    messages = (Message(role="system", content="Stay calm."), Message(role="user", content="Go on."))
    exchange = Exchange(output=0, messages=messages, reply=text, expectation=Expectation(kind="open"))
    start = time.process_time()
    for analyzer in analyzers:
        analyzer.score([exchange])
    return time.process_time() - start


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text_is_read_in_bounded_time(analyzers: list[Analyzer], unit: str) -> None:
    """Doubling a text at most doubles the time and a half, beyond a floor that the clock can see."""
    # The shortest of three: a collection of garbage is no reading.
    half, full = (
        min(seconds(analyzers, (unit * size)[:size]) for _ in range(3)) for size in (40_000, 80_000)
    )
    assert full <= max(2.5 * half, 0.4)
