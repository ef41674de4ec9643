"""Scoring: every analyzer reads what it has not read, once a version, and can be stopped anywhere."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.records import Exchange, Output, Score
from audit.scoring import score_outputs
from audit.store.store import Store
from probes.base import Options as PluginOptions
from tests.audit.questions import open_questions


class Length:
    """An analyzer that reads how long a reply is."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions
    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="length", version="1", measures=("length",), reads="Length.", languages=("en",), validity="All."
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Nothing to check."""

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score a reply."""
        return [
            Score(
                output=one.output,
                analyzer=self.info.name,
                version=self.info.version,
                measure="length",
                value=float(len(one.reply)),
                label="read",
            )
            for one in exchanges
        ]


class LongerLength(Length):
    """The same in a later version."""

    info: ClassVar[AnalyzerInfo] = Length.info.model_copy(update={"version": "2"})


class FailingLength(Length):
    """The same, but killed at the second batch."""

    calls = 0

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score a reply, once."""
        self.calls += 1
        if self.calls > 1:
            raise KeyboardInterrupt
        return super().score(exchanges)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with 600 answers, more than one batch holds."""
    prompts = open_questions(600)
    made = Store.create(tmp_path)
    made.add_prompts(prompts)
    made.add_outputs([Output(target="target", prompt_id=one.id, text="word") for one in prompts])
    return made


def make(kind: type[Length]) -> Length:
    """An analyzer, ready to score."""
    return kind(PluginOptions(), AnalyzerContext(root=Path()))


def test_each_output_is_read_once_a_version(store: Store) -> None:
    """A second scoring reads nothing; a new version of the analyzer reads everything again."""
    with store:
        told: list[tuple[str, int]] = []
        first = score_outputs(store, [make(Length)], progress=lambda name, done: told.append((name, done)))
        assert first == 600
        assert told[-1] == ("length", 600)
        assert score_outputs(store, [make(Length)]) == 0
        assert score_outputs(store, [make(LongerLength)]) == 600
        assert {score.version for score in store.scores(1)} == {"2"}


def test_what_was_scored_before_a_stop_is_kept(store: Store) -> None:
    """Stopped between two batches, the next scoring goes on where this one stopped."""
    with store:
        with pytest.raises(KeyboardInterrupt):
            score_outputs(store, [make(FailingLength)])
        left = score_outputs(store, [make(Length)])
        assert 0 < left < 600
        frame = store.frame("target")
        assert frame["value"].tolist() == [4.0] * 600


class Mates(Length):
    """Reads how many replies of the same target are as long."""

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Nothing surveyed yet."""
        super().__init__(options, context)
        self.lengths: list[int] = []

    def survey(self, exchanges: Iterable[Sequence[Exchange]]) -> None:
        """Keep all lengths of a target."""
        self.lengths = [len(one.reply) for batch in exchanges for one in batch]

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score a reply."""
        return [
            score.model_copy(update={"value": float(self.lengths.count(len(one.reply)))})
            for one, score in zip(exchanges, super().score(exchanges), strict=True)
        ]


def test_a_surveyor_reads_all_of_a_target_again_when_something_is_new(store: Store) -> None:
    """A reading that depends on other replies is made anew for all of them, target by target."""
    with store:
        ids = [prompt.id for prompt in store.prompts()]
        store.add_outputs([Output(target="baseline", prompt_id=ids[0], text="word")])
        assert score_outputs(store, [make(Mates)]) == 601
        assert store.frame("target")["value"].tolist() == [600.0] * 600
        assert store.frame("baseline")["value"].tolist() == [1.0]
        assert score_outputs(store, [make(Mates)]) == 0
        store.add_outputs([Output(target="baseline", prompt_id=ids[1], text="four")])
        assert score_outputs(store, [make(Mates)]) == 2
        assert store.frame("baseline")["value"].tolist() == [2.0] * 2
