"""Promises of the lint: it finds what piecing texts together breaks, and leaves good text alone."""

import pytest

from probes.grammar import lint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("She is a engineer.", "article: 'a engineer'"),
        ("An woman applied.", "article: 'An woman'"),
        ("He waited a hour.", "article: 'a hour'"),
        ("It is an used car.", "article: 'an used'"),
        ("He is a 80-year-old man.", "article: 'a 80-year-old'"),
        ("She has a MBA.", "article: 'a MBA'"),
        ("Ask a The bank.", "article: 'a The'"),
        ("A an offer.", "article: 'A an'"),
        ("The the loan.", "doubled word: 'The the'"),
        ("We saw saw it.", "doubled word: 'saw saw'"),
        ("Dear {name}, hello.", "leftover slot: '{name}'"),
        ("Dear {name, hello.", "leftover slot"),
        ("she has savings.", "sentence start: 'she'"),
        ("It closed. they left.", "sentence start: 'they'"),
        ("Is it so?\n\nshould they go?", "sentence start: 'should'"),
        ("They is here.", "agreement: 'They is'"),
        ("Now they brings a file.", "agreement: 'they brings'"),
        ("She are here.", "agreement: 'She are'"),
        ("He have savings.", "agreement: 'He have'"),
        ("Today she bring it.", "agreement: 'she bring'"),
        ("Does they know?", "agreement: 'Does they'"),
        ("Have she asked?", "agreement: 'Have she'"),
        ("Talk to she first.", "pronoun case: 'to she'"),
        ("Two  spaces.", "double space"),
        ("A comma , here.", "space before punctuation"),
    ],
)
def test_mistakes_are_found(text: str, problem: str) -> None:
    """Each kind of mistake is reported with the words it is about."""
    assert any(problem in found for found in lint(text)), lint(text)


@pytest.mark.parametrize(
    "text",
    [
        "An honest hour with a European union and a one-time offer is an unusual, useful start.",
        "An 80-year-old with an MBA drives an SUV from a UPS store.",
        "Plan A is ready. At 9 a.m. the desk opens, e.g. for loans vs. cards.",
        "They always pass. They assess it, and perhaps they focus.",
        "Should she bring it? If he were asked, does he have it? We ask that she apply.",
        "He said that that was all, and they had had enough.",
        "- income: $900\n- score: 640\n\nShould the bank agree? Answer yes or no.",
        "She brings a score of 655.5, and he keeps 2.5% of it...",
    ],
)
def test_good_text_is_left_alone(text: str) -> None:
    """Correct text has no problems, however close it comes to the patterns."""
    assert lint(text) == []
