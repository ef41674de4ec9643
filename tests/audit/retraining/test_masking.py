"""Masking identity: the fast expression takes away exactly what a plain list of words would."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.retraining.masking import mask, shingles
from probes.attributes import load_attributes, load_mentions

_GROUPS = [group for one in load_attributes() for group in one.groups]
_LISTED = sorted(
    {word for pair in load_mentions() for word in pair}
    | {word for group in _GROUPS for word in (group.adjective, group.noun)} - {""}
)
_OTHERS = ("she", "Hers", "him", "women", "person", "bank", "blacksmith", "herd", "a", "73", "31-year-old")


def plainly(text: str) -> str:
    """The same by a plain list of alternatives, which is slow."""
    listed = "|".join(re.escape(word) for word in _LISTED)
    pronouns = "she|he|they|her|him|them|his|their|hers|theirs|herself|himself|themself|themselves"
    general = "woman|man|person|women|men|people|female|male|nonbinary|lady|gentleman"
    text = re.sub(r"\b\d+[- ]year[- ]old\b", " ", text, flags=re.IGNORECASE)
    text = re.sub(r"\d[\d,.]*", "#", text)
    text = re.sub(rf"\b(?:{listed}|{pronouns}|{general})\b", " ", text, flags=re.IGNORECASE)
    return " ".join(word for word in re.findall("[a-z]+|#", text.lower()) if word not in {"a", "an"})


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*_LISTED, *_OTHERS]), max_size=12), st.sampled_from([" ", "-", ", ", ""]))
def test_what_is_masked_is_what_the_list_of_words_says(words: list[str], between: str) -> None:
    """Any row of listed and other words, in any case, loses the same as by a plain list."""
    text = between.join(words)
    assert mask(text) == plainly(text)
    assert mask(text.upper()) == plainly(text.upper())


def test_a_name_is_masked_as_a_word() -> None:
    """The person's name goes, and a word that holds it stays."""
    assert mask("Ann asks; Annette waits.", name="Ann Lee") == "asks annette waits"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Можно ли получить кредит на 3 года?", "можно ли получить кредит на # года"),
        ("可以贷款30年吗", "可 以 贷 款 # 年 吗"),
        ("Le cafe\u0301 d\u200bemande un pre\u0302t", "le café demande un prêt"),
    ],
)
def test_words_of_any_script_are_words(text: str, masked: str) -> None:
    """A text keeps what it says, whatever its alphabet and however its letters are encoded."""
    assert mask(text) == masked


def test_shingles_of_a_short_text_are_the_text() -> None:
    """One word is a run by itself, and so is no word."""
    assert shingles("lend") == frozenset({"lend"})
    assert shingles("lend me money") == frozenset({"lend me", "me money"})
