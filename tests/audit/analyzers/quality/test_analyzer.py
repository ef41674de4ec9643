"""What the quality analyzer promises."""

import csv
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.measured import held_out
from audit.analyzers.quality.analyzer import QualityAnalyzer
from audit.analyzers.quality.language import LanguageReader
from audit.analyzers.quality.readability import reading_grade, syllables
from audit.records import Score
from probes import data
from tests.audit.analyzers.readings_of import readings_of

PUBLIC = Path(__file__).resolve().parents[5] / "shared" / "data" / "multijail" / "MultiJail.csv"
TEXT = "The clerk read the form. She asked two short questions. Then she signed it, and we went home. " * 3


@cache
def shipped() -> QualityAnalyzer:
    """The analyzer."""
    return QualityAnalyzer(QualityAnalyzer.Options(), AnalyzerContext(root=Path()))


@cache
def reader() -> LanguageReader:
    """The language reader with the shipped lists."""
    return LanguageReader(data.find("lexicons", "languages", "stop_words.yaml"))


def read(reply: str, *, language: str = "en") -> dict[str, Score]:
    """The scores of one reply by measure."""
    return readings_of(shipped(), reply, language=language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Please send the papers to the office before the end of the week.", "en"),
        ("No sé qué hacer con la casa de mi tío, porque está muy vieja.", "es"),
        ("Je ne sais pas ce que nous allons faire avec la maison.", "fr"),
        ("Ich weiß nicht, was wir mit dem alten Haus machen sollen.", "de"),
        ("Eu não sei o que fazer com a casa do meu tio, mas é muito boa.", "pt"),
        ("Nie wiem, co zrobić z tym starym domem, ale jest bardzo ładny.", "pl"),
        ("Jag vet inte vad vi ska göra med det gamla huset.", "sv"),
        ("これは古い家です。", "ja"),
        ("这是一座老房子。", "zh"),
        ("이것은 오래된 집입니다.", "ko"),
        ("यह एक पुराना घर है।", "hi"),
        ("هذا بيت قديم.", "ar"),
        ("Qwx zzt brr.", None),
        ("12 + 7 = 19", None),
        ("Ok.", None),
    ],
)
def test_the_language_of_a_sentence_is_read_or_left_open(text: str, language: str | None) -> None:
    """What is too short or fits nothing has no language, rather than the likeliest one."""
    assert reader().read(text) == language


def test_a_reply_in_another_language_is_noticed() -> None:
    """The value is 0, the label names the language, and what is not on the list has no value."""
    found = read("Ich weiß nicht, was wir mit dem alten Haus machen sollen.")
    assert (found["in_language"].value, found["in_language"].label) == (0.0, "de")
    assert (found["courteous"].value, found["courteous"].label) == (None, "not_english")
    assert read(TEXT)["in_language"].value == 1.0
    assert read(TEXT, language="en-GB")["in_language"].value == 1.0
    assert read(TEXT, language="xh")["in_language"].value is None
    assert read("Ok.")["in_language"].value is None


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("我很乐意帮助您。请告诉我您需要什么信息。", "zh"),
        ("ご質問ありがとうございます。詳しい内容を教えてください。", "ja"),
        ("ยินดีให้ความช่วยเหลือ กรุณาบอกรายละเอียดเพิ่มเติม", "th"),
        ("ຍິນດີຕ້ອນຮັບ", "lo"),
    ],
)
def test_a_script_without_spaces_has_characters_and_no_words(reply: str, language: str) -> None:
    """What stands between spaces there is a line and no word, so it is not counted."""
    found = read(reply, language=language)
    assert (found["words"].value, found["words"].label) == (None, "no_spaces")
    assert found["characters"].value == len("".join(reply.split()))
    assert read(reply * 40)["reading_grade"].label == "not_english"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("- item one\n- item two", 4.0),
        ("* **Bold** point\n\n---\n\n1. first", 4.0),
        ("Yes \u2014 we can .", 3.0),
        ("don't co-sign 3.5 %", 3.0),
        ("\U0001f600 \U0001f600", 0.0),
        ("यह एक घर है", 4.0),
    ],
)
def test_marks_between_spaces_are_no_words(reply: str, words: float) -> None:
    """A reply that is written as a list is not longer than the same words in a row."""
    assert read(reply)["words"].value == words


def test_a_few_foreign_words_are_counted_as_words() -> None:
    """An English or a Korean reply keeps its words, also with a Chinese name in it."""
    assert read("The word 房子 means house.")["words"].value == 5.0
    assert read("이것은 오래된 집입니다.", language="ko")["words"].value == 3.0


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("Thank you for asking. Please wait.", "please, thanks"),
        ("Dear Ann, your loan is declined.", "greeting"),
        ("Your loan is declined.", "none"),
        ('He said "thank you" and left.', "none"),
        ("I'm sorry to hear that. Good luck!", "sympathy, wish"),
    ],
)
def test_words_of_courtesy_are_named_by_kind(reply: str, label: str) -> None:
    """Whoever doubts the reading sees what made it, and quoted courtesy is not the model's."""
    found = read(reply)["courteous"]
    assert (found.label, found.value) == (label, float(label != "none"))


def test_the_grade_is_the_published_formula() -> None:
    """Nine sentences and 54 words of 57 syllables give 0.39 * 6 + 11.8 * 57 / 54 - 15.59."""
    words = TEXT.replace(".", "").replace(",", "").split()
    assert (len(words), sum(map(syllables, words))) == (54, 57)
    assert reading_grade(TEXT) == pytest.approx(0.39 * 54 / 9 + 11.8 * 57 / 54 - 15.59, abs=1e-4)


def test_hard_text_has_a_higher_grade_and_short_text_none() -> None:
    """Long words in long sentences need more schooling; a sentence alone has no grade."""
    hard = "Administrative considerations notwithstanding, institutional responsibilities necessitate "
    easy, difficult = reading_grade(TEXT), reading_grade(hard * 8 + ".")
    assert easy is not None
    assert difficult is not None
    assert difficult > easy + 10
    assert reading_grade("Short.") is None
    assert read("Short and plain, and that is all.")["reading_grade"].label == "too_short"


def test_code_is_not_read() -> None:
    """A program inside a reply changes neither its grade nor its courtesy."""
    assert reading_grade(TEXT + "\n```\nsuperlongidentifier = administrative(considerations)\n```\n") == (
        reading_grade(TEXT)
    )


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("make", 1),
        ("makes", 1),
        ("wanted", 2),
        ("asked", 1),
        ("people", 2),
        ("safety", 2),
        ("idea", 3),
        ("being", 2),
    ],
)
def test_syllables_follow_the_ear(word: str, count: int) -> None:
    """Silent endings do not count, and vowels that part do."""
    assert syllables(word) == count


def test_an_empty_reply_has_no_value() -> None:
    """Missing is not 0."""
    assert {(s.value, s.label) for s in read(" ").values()} == {(None, "unparsed")}


@pytest.mark.skipif(not PUBLIC.is_file(), reason="the public prompts are not beside the project")
def test_the_stated_rate_on_the_public_set_holds() -> None:
    """The first accuracy in `info` is recomputed from the held-out half of MultiJail."""
    right = of = 0
    with PUBLIC.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle):
            for tag in ("en", "zh", "it", "vi", "ar", "ko", "th", "bn", "sw"):
                if row[tag].strip() and held_out(row[tag], one_in=2):
                    of += 1
                    right += reader().read(row[tag]) == tag
    stated = shipped().info.error_rates[0]
    assert (stated.value, stated.n) == (round(right / of, 4), of)


def test_the_languages_in_info_are_those_it_can_give() -> None:
    """The description follows the data."""
    assert shipped().info.languages == reader().languages


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_has_four_scores(text: str) -> None:
    """Whatever a model says, every measure is read once."""
    assert list(read(text)) == list(shipped().info.measures)
