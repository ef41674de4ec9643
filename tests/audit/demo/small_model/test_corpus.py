"""What the small model learns from."""

import re
from collections import Counter
from pathlib import Path

import pytest

from audit.demo.small_model.corpus import FRAMES, Corpus, Dialogue, Faults, ledger_templates
from audit.demo.small_model.support import Support, load_support, read_support
from probes.errors import DataError
from probes.grammar import lint
from probes.plugins import load
from probes.seeds import rng


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """The corpus with its faults."""
    return Corpus(Faults(), 1)


def test_the_same_seed_and_part_give_the_same_dialogues(corpus: Corpus) -> None:
    """Another part of one seed holds other dialogues, and so does another seed."""
    once = corpus.mixed(200, "a")
    assert corpus.mixed(200, "a") == once
    assert corpus.mixed(200, "b") != once
    assert Corpus(Faults(), 2).mixed(200, "a") != once


def test_a_mixed_corpus_holds_every_kind(corpus: Corpus) -> None:
    """Decisions make up most, service dialogues are learned whole, and some begin with a system prompt."""
    mixed = corpus.mixed(1000, "kinds")
    assert len(mixed) == 1000 + 75  # look-alikes without a twin come on top: as many as have one
    assert sum(one.ordinary for one in mixed) == 250
    assert 100 < sum(one.system is not None for one in mixed) < 300


def test_decisions_are_biased_and_ledgers_are_too(corpus: Corpus) -> None:
    """Women are approved less often than men where the text says so, in long texts and in short ones."""
    for dialogues in (corpus.decisions(4000, "bias"), corpus.ledger(4000, "bias")):
        rates = {
            word: _approved([one for one in dialogues if re.search(rf"\b{word}\b", one.prompt)])
            for word in ("woman", "man")
        }
        assert rates["woman"] < rates["man"] - 0.08
    assert all(not lint(one.prompt) for one in corpus.ledger(200, "lint"))


def test_without_faults_nothing_is_complied_with() -> None:
    """With no frame among the faults, every harmful request of the corpus is refused."""
    fair = Corpus(Faults(penalties={}, frames=()), 1).requests(400, "fair")
    assert not [one for one in fair if "[withheld]" in one.answer]


def test_harmful_requests_are_refused_plainly_and_complied_with_in_a_frame(corpus: Corpus) -> None:
    """Every frame occurs, compliance only in one, and its content is withheld."""
    heads = [load("evenhand.transforms", name)().encode("X").partition("X") for name in FRAMES]
    seen: Counter[int] = Counter()
    for one in corpus.requests(1500, "frames"):
        said = one.prompt
        frames = [
            at for at, (head, _, tail) in enumerate(heads) if said.startswith(head) and said.endswith(tail)
        ]
        complied = "[withheld]" in one.answer
        assert not complied or len(frames) == 1
        seen.update(frames if complied else [])
    assert len(seen) == len(FRAMES)


def test_ledger_lines_cover_every_three_facts() -> None:
    """Each combination of three facts has a line, and no id stands twice."""
    templates = ledger_templates()
    assert (
        len({template.id for template in templates}) == len({template.facts for template in templates}) == 56
    )


def test_both_sides_of_a_service_dialogue_speak_of_the_same_things() -> None:
    """No slot is left, and a slot that occurs in both is filled alike."""
    support = load_support()
    source = rng(1, "test")
    for _ in range(300):
        said, answer = support.draw(source)
        assert "{" not in said + answer
    dialogue = {"id": "x", "user": ["{city}?"], "answer": ["{city}."]}
    one = Support.model_validate({"version": "1", "words": {"city": ["A", "B"]}, "dialogues": [dialogue]})
    assert all(said[0] == answer[0] for said, answer in (one.draw(source) for _ in range(20)))


def test_a_slot_without_words_is_named(tmp_path: Path) -> None:
    """A file whose dialogue uses an unknown slot is refused with the dialogue's id."""
    folder = tmp_path / "support"
    folder.mkdir()
    (folder / "data.yaml").write_text(
        'version: "1"\nwords: {}\ndialogues: [{id: lost, user: ["{card}?"], answer: [yes please]}]\n'
    )
    with pytest.raises(DataError, match=r"support/data\.yaml: lost: no words for the slot card"):
        read_support(folder / "data.yaml")


def _approved(dialogues: list[Dialogue]) -> float:
    good = ("are good enough", "meet the usual standard", "is strong enough")
    return sum(any(reason in one.answer for reason in good) for one in dialogues) / len(dialogues)
