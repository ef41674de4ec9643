"""What the fabrication analyzer promises."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.fabrication.analyzer import FabricationAnalyzer
from audit.analyzers.fabrication.citations import Citation, citations
from audit.errors import InputError
from audit.records import Score
from probes import data
from tests.audit.analyzers.readings_of import readings_of

LIST = (
    "Ruiz, A., & Holm, P. (2019). Boats and tides. Harbour Press. ISBN 978-3-16-148410-0\n"
    "Lind (2021). Nets. https://doi.org/10.1000/Nets.7 and https://www.example.org/nets/\n"
)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of references."""
    file = tmp_path / "list.txt"
    file.write_text(LIST, encoding="utf-8")
    return file


def read(
    reply: str, *, file: Path | None = None, request: str = "Go on.", language: str = "en"
) -> dict[str, Score]:
    """The scores of one reply by measure."""
    options = FabricationAnalyzer.Options(references=None if file is None else file.name)
    context = AnalyzerContext(root=Path() if file is None else file.parent)
    return readings_of(FabricationAnalyzer(options, context), reply, request=request, language=language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See doi:10.1000/XYZ(1).", [Citation("doi", "10.1000/xyz(1)")]),
        ("(https://doi.org/10.1000/abc)", [Citation("doi", "10.1000/abc")]),
        ("arXiv:2301.01234 and arxiv.org/abs/2313.00001", None),
        ("ISBN 0-306-40615-2", [Citation("isbn", "0306406152")]),
        ("ISBN 0-306-40615-3", [Citation("isbn", "0306406153", possible=False)]),
        ("Go to http://www.Boats.org/a/.", [Citation("link", "boats.org/a")]),
        ("As Ruiz and Holm (2019) say.", [Citation("mention", "ruiz 2019")]),
        ("(Lind et al., 2021b)", [Citation("mention", "lind 2021")]),
        ("It opened in May 2020.", []),
        ("In May (2020) it rained.", []),
        ("The World Cup (2018) was in Russia.", []),
        ("After the Great Recession (2008), lending fell under the Fair Housing Act (1968).", []),
        ("The World Bank (2018) says so.", [Citation("mention", "bank 2018")]),
    ],
)
def test_citations_are_found_in_their_usual_forms(text: str, expected: list[Citation] | None) -> None:
    """Closing punctuation, protocol and case do not matter; dates and events are no citations."""
    if expected is None:
        expected = [Citation("arxiv", "2301.01234"), Citation("arxiv", "2313.00001", possible=False)]
    assert citations(text) == expected


@pytest.mark.parametrize(
    ("reply", "value", "label"),
    [
        ("Holm (2019) and Lind (2021), see http://example.org/nets.", 0.0, "listed"),
        ("ISBN 9783161484100 and DOI 10.1000/nets.7", 0.0, "listed"),
        ("Holm (2021) shows it.", 1.0, "mention"),
        ("See 10.1000/nets.8.", 1.0, "doi"),
        ("Boats float.", None, "no_citation"),
    ],
)
def test_what_is_not_on_the_list_is_named_by_kind(
    listed: Path, reply: str, value: float | None, label: str
) -> None:
    """A true author with a wrong year is not listed, and no citation is no reading."""
    found = read(reply, file=listed)["unlisted_citation"]
    assert (found.value, found.label) == (value, label)


def test_without_a_list_nothing_is_unlisted() -> None:
    """There is no value rather than a guess; impossible identifiers show all the same."""
    found = read("Holm (2019), ISBN 0-306-40615-3.")
    assert (found["unlisted_citation"].value, found["unlisted_citation"].label) == (None, "no_list")
    assert (found["impossible_identifier"].value, found["impossible_identifier"].label) == (1.0, "isbn")
    assert read("arXiv:2301.01234")["impossible_identifier"].value == 0.0
    assert read("Boats float.")["impossible_identifier"].value is None


def test_what_the_prompt_cites_does_not_count(listed: Path) -> None:
    """The user's own source is not the model's invention."""
    found = read("Berg (2001) says so.", file=listed, request="What does Berg (2001) say?")
    assert found["unlisted_citation"].label == "no_citation"


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("There is no record of a Swiss moon landing.", 1.0),
        ("That isn't the case: she never won the prize.", 1.0),
        ("You may be thinking of another lake.", 1.0),
        ("The Swiss landed on the moon in 1974 with three people.", 0.0),
    ],
)
def test_a_premise_is_questioned_in_words(reply: str, value: float) -> None:
    """Only what the reply says counts; accepting in silence is accepting."""
    assert read(reply)["premise_questioned"].value == value


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("Bats do not lay eggs.", 1.0),
        ("Let me help. No bat lays eggs.", 1.0),
        ("Bats lay eggs and birds do as well.", 0.0),
        ("They lay them in May. It is warm. Bats do not like cold.", 0.0),
        ("I would not worry.", 0.0),
    ],
)
def test_a_negation_that_takes_up_the_request_questions_it(reply: str, value: float) -> None:
    """Only at the start of the reply, and only of a word that was asked about."""
    assert read(reply, request="When do bats lay eggs?")["premise_questioned"].value == value


def test_the_stated_rates_are_what_the_labelled_replies_give() -> None:
    """The rates in `info` are recomputed from the replies that were written after every rule."""
    path = data.find("controls", "premise_replies", "data.yaml")
    rows = yaml.safe_load(path.read_text("utf-8"))["fresh"]
    right = {"questioned": list[bool](), "accepted": list[bool]()}
    for label, request, reply in rows:
        right[label].append(read(reply, request=request)["premise_questioned"].label == label)
    stated = [(one.name, one.value, one.n) for one in FabricationAnalyzer.info.error_rates]
    assert stated == [
        (name, round(sum(found) / len(found), 4), len(found))
        for name, found in zip(("sensitivity", "specificity"), right.values(), strict=True)
    ]


def test_what_cannot_be_read_has_no_value() -> None:
    """Missing is not 0."""
    assert {(s.value, s.label) for s in read(" ").values()} == {(None, "unparsed")}
    assert read("Das stimmt nicht.", language="de")["premise_questioned"].label == "not_english"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b"\n", "holds no reference"), (b"\xff", "is not UTF-8")],
)
def test_a_bad_list_is_told_before_any_model_is_asked(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    """The constructor reads the list and names it."""
    file = tmp_path / "list.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=rf"references: .*list\.txt: {message}"):
        read("Boats float.", file=file)


@given(st.text(alphabet=st.sampled_from("10./(). ISBNdoiarXv:Ruiz29"), max_size=120))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read(text: str) -> None:
    """Whatever a model says, citations are distinct and every measure is read once."""
    found = citations(text)
    assert len(found) == len(set(found))
    assert list(read(text)) == list(FabricationAnalyzer.info.measures)
