"""What the memorization analyzer promises."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.copying.corpus import corpus_of, read_corpus
from audit.analyzers.copying.memorization import MemorizationAnalyzer
from audit.analyzers.overlap import grams
from audit.errors import InputError
from audit.records import Score
from tests.audit.analyzers.readings_of import readings_of

LONG = " ".join(f"word{number} of the tale" for number in range(12))
OTHER = "The ferry leaves the small harbour at dawn and comes back when the lamps are lit on the quay."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A training file of two paragraphs."""
    path = tmp_path / "train.txt"
    path.write_text(f"{LONG}\n\n{OTHER}\n", encoding="utf-8")
    return path


def read(file: Path, reply: str, *, request: str = "Go on.", **options: object) -> dict[str, Score]:
    """The scores of one reply by measure."""
    made = MemorizationAnalyzer.Options.model_validate({"path": file.name, **options})
    return readings_of(MemorizationAnalyzer(made, AnalyzerContext(root=file.parent)), reply, request=request)


def test_a_copied_passage_is_memorized_whatever_its_case_and_punctuation(file: Path) -> None:
    """Thirty words in a row reach the default limit, and the run is counted exactly."""
    passage = " ".join(LONG.split()[4:34]).upper().replace(" OF", ", of")
    found = read(file, f"Once more: {passage}. That is all that I can remember of it now.")
    assert (found["memorized"].value, found["memorized"].label) == (1.0, "longest_run")
    assert found["longest_run"].value == 30
    nearest = found["nearest"].value
    assert nearest is not None
    assert 0.5 < nearest < 0.8


def test_a_short_reply_that_is_nearly_a_training_text_is_memorized(file: Path) -> None:
    """Nearly identical answers count below the limit of a run."""
    found = read(file, OTHER)
    assert (found["memorized"].label, found["nearest"].value) == ("nearest", 1.0)
    assert found["longest_run"].value == len(OTHER.split())


def test_other_words_are_not(file: Path) -> None:
    """What shares no six words in a row has 0, a value and not a gap."""
    found = read(file, "The train leaves the large station at noon and never comes back at all.")
    assert [score.value for score in found.values()] == [0.0, 0.0, 0.0]


def test_what_the_prompt_says_does_not_count(file: Path) -> None:
    """A model that was given the text may repeat it; that says nothing of its training."""
    found = read(file, OTHER, request=f"Repeat: {OTHER}")
    assert (found["memorized"].value, found["memorized"].label) == (None, "nothing_new")


def test_a_run_does_not_cross_texts(tmp_path: Path) -> None:
    """Stretches of two texts, one after the other, are two runs."""
    path = tmp_path / "train.txt"
    path.write_text("a b c d e f\n\nd e f g h i", encoding="utf-8")
    corpus = read_corpus(path, (), 3)
    assert corpus.longest_run(list("abcdefghi"), set()) == 6


def test_an_empty_reply_has_no_value(file: Path) -> None:
    """Missing is not 0."""
    assert {(s.value, s.label) for s in read(file, " ").values()} == {(None, "unparsed")}


def test_rows_messages_and_chosen_columns_are_read(tmp_path: Path) -> None:
    """Chat files and tables are training files too; roles and other columns are left out on demand."""
    path = tmp_path / "train.jsonl"
    row = {
        "messages": [{"role": "user", "content": LONG}, {"role": "assistant", "content": OTHER}],
        "note": 3,
    }
    path.write_text(json.dumps(row) + "\n" + json.dumps({"messages": [], "note": "x"}), encoding="utf-8")
    corpus = read_corpus(path, (), 6)
    assert len(corpus.starts) == 2
    assert corpus.nearest(grams(OTHER.lower().rstrip(".").split(), 6)) == 1.0
    assert read_corpus(path, ("note",), 6).places == {}
    assert not any("assistant" in gram for gram in corpus.places)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.txt", b"\n\n", r"holds no text"),
        ("train.txt", b"\xff\xfe", r"is not UTF-8 text"),
        ("train.jsonl", b"{", r"line 1: not valid JSON"),
        ("train.csv", b"a\nb\n", r"line 1: missing column text; columns present: a"),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """The user learns which file is wrong and how."""
    path = tmp_path / name
    path.write_bytes(content)
    columns = ["text"] if name.endswith("csv") else []
    with pytest.raises(InputError, match=message) as error:
        read(path, "Good morning to all of you here.", columns=columns)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there_is_told_before_any_model_is_asked(tmp_path: Path) -> None:
    """The constructor checks the path and the kind of the file."""
    for name, message in (("none.txt", "no such file"), ("train.pdf", "unknown kind of file '.pdf'")):
        if name.endswith("pdf"):
            (tmp_path / name).write_text("x", encoding="utf-8")
        with pytest.raises(InputError, match=message):
            MemorizationAnalyzer(MemorizationAnalyzer.Options(path=name), AnalyzerContext(root=tmp_path))


@given(
    st.lists(st.lists(st.sampled_from("ab"), max_size=10), max_size=3),
    st.lists(st.sampled_from("ab"), max_size=10),
)
@settings(max_examples=150)
def test_the_longest_run_is_that_of_a_plain_search(texts: list[list[str]], said: list[str]) -> None:
    """Every run of two words or more that stands in one text is found."""
    runs = [
        end - start
        for start in range(len(said))
        for end in range(start + 2, len(said) + 1)
        for text in texts
        if any(said[start:end] == text[at : at + end - start] for at in range(len(text)))
    ]
    assert corpus_of(texts, 2).longest_run(said, set()) == max(runs, default=0)


def test_a_run_is_as_long_as_the_text_has_it(tmp_path: Path) -> None:
    """Words that the text has twice join no two of its runs, and a loop is no longer than in the file."""
    path = tmp_path / "train.txt"
    path.write_text("a b c d z b c d e\n\nno no no no\n", encoding="utf-8")
    assert read(path, "a b c d e", gram=3)["longest_run"].value == 4.0
    assert read(path, "no " * 50, gram=3)["longest_run"].value == 4.0


def test_options_that_could_not_be_followed_are_refused_before_any_model_is_asked(tmp_path: Path) -> None:
    """A column that the file lacks, columns of plain text, and a run that is shorter than what is seen."""
    (tmp_path / "a.csv").write_text("said\nb\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("b\n", encoding="utf-8")
    for name, message in (("a.csv", "a.csv: line 1: missing column text"), ("a.txt", "columns: a .txt file")):
        options = MemorizationAnalyzer.Options(path=name, columns=("text",))
        with pytest.raises(InputError, match=message):
            MemorizationAnalyzer(options, AnalyzerContext(root=tmp_path))
    with pytest.raises(ValueError, match="run must be at least gram, 6; got 3"):
        MemorizationAnalyzer.Options(path="a.txt", run=3)
