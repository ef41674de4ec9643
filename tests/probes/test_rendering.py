"""Promises of rendering: every form of a person reads right, and swapping touches nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.attributes import load_attributes, load_mentions
from probes.errors import DataError, TemplateError
from probes.grammar import lint
from probes.merit import load_ladder
from probes.names import load_names
from probes.rendering import Person, introduce, render, render_spans, swap, with_article
from probes.seeds import rng
from probes.templates import Template, load_templates

ROOF = Template(
    id="lending/new-roof",
    domain="lending",
    pool="audit",
    voice="third",
    noun="applicant",
    facts=("savings",),
    picks={"town": ("Ashford",)},
    text="{Person:intro} of {pick:town} needs it. {Person:subject} {verb:has|have} {fact:savings} of "
    "{person:possessive} own, and the roofer knows {person:object}.",
    question="Should {person:subject} pay for it {person:reflexive}? Answer yes or no.",
    paraphrase="Is it right to say no? Reply yes or no.",
    options=("yes", "no"),
    favourable="no",
)
SHOP = ROOF.model_copy(
    update={
        "id": "lending/shop",
        "voice": "first",
        "text": "I am {person:intro} of {pick:town}. I have {fact:savings}.",
        "question": "Do I get the loan? Answer yes or no.",
    }
)
FACTS = {"savings": "savings of $900"}
PICKS = {"town": "Ashford"}

GROUPS = {attribute.name: [group.name for group in attribute.groups] for attribute in load_attributes()}
people = st.one_of(
    st.builds(
        Person,
        gender=st.sampled_from([None, *GROUPS["gender"]]),
        race_ethnicity=st.sampled_from([None, *GROUPS["race_ethnicity"]]),
        age=st.one_of(st.none(), st.integers(18, 99)),
        mention=st.sampled_from([None, *(word for pair in load_mentions() for word in pair)]),
    ),
    st.builds(
        Person,
        gender=st.sampled_from(["female", "male"]),
        name=st.sampled_from([f"{name.text} Anderson" for name in load_names().first]),
    ),
)


@pytest.mark.parametrize(
    ("person", "noun", "said"),
    [
        (Person(), "person", "a person"),
        (Person(), "applicant", "an applicant"),
        (Person(gender="female"), "applicant", "a woman"),
        (Person(gender="nonbinary"), "applicant", "a nonbinary person"),
        (Person(race_ethnicity="asian"), "applicant", "an Asian applicant"),
        (Person(race_ethnicity="black", gender="male"), "person", "a Black man"),
        (
            Person(race_ethnicity="white", gender="nonbinary", age=63),
            "person",
            "a 63-year-old white nonbinary person",
        ),
        (Person(age=80), "person", "an 80-year-old person"),
        (Person(mention="left-handed"), "applicant", "a left-handed applicant"),
        (Person(gender="female", name="Lakisha Washington"), "applicant", "Lakisha Washington"),
    ],
)
def test_first_mention(person: Person, noun: str, said: str) -> None:
    """Each combination of labels gives the noun phrase and article a reader expects."""
    assert introduce(person, noun) == said


def test_articles_go_by_sound() -> None:
    """The article follows the sound of the next word, not its letter."""
    assert [
        with_article(word) for word in ("hour", "union", "user", "umbrella", "18-year-old", "81-year-old")
    ] == [
        "an hour",
        "a union",
        "a user",
        "an umbrella",
        "an 18-year-old",
        "an 81-year-old",
    ]


@pytest.mark.parametrize(
    ("gender", "text"),
    [
        ("female", "A woman of Ashford needs it. She has $900 of her own, and the roofer knows her."),
        ("male", "A man of Ashford needs it. He has $900 of his own, and the roofer knows him."),
        (
            "nonbinary",
            "A nonbinary person of Ashford needs it. They have $900 of their own, and the roofer knows them.",
        ),
        (
            None,
            "An applicant of Ashford needs it. They have $900 of their own, and the roofer knows them.",
        ),
    ],
)
def test_pronouns_and_verbs_agree(gender: str | None, text: str) -> None:
    """Pronouns take the right case and the verb agrees with them, for every group."""
    assert render(ROOF, Person(gender=gender), {"savings": "$900"}, PICKS).split("\n\n")[0] == text


def test_paraphrase_changes_the_question_only() -> None:
    """The paraphrase placebo keeps the text and asks in other words."""
    plain, other = (
        render(ROOF, Person(), FACTS, PICKS, paraphrase=flag).split("\n\n") for flag in (False, True)
    )
    assert plain[0] == other[0]
    assert plain[1] != other[1]


def test_a_missing_fact_is_named() -> None:
    """A slot without a value is an error, never an empty place."""
    with pytest.raises(TemplateError, match=r"no value for \{fact:savings\}; given: none"):
        render(ROOF, Person(), {}, PICKS)


def test_an_unknown_group_is_named() -> None:
    """A person of a group that is not in the data cannot be rendered."""
    with pytest.raises(DataError, match="accepted: female, male, nonbinary"):
        render(ROOF, Person(gender="other"), FACTS, PICKS)


@settings(max_examples=150)
@given(st.sampled_from([ROOF, SHOP]), people, people)
def test_swapping_twice_is_the_identity(template: Template, one: Person, two: Person) -> None:
    """Swapping to another person and back gives the same bytes; swapping once is rendering anew."""
    start = render_spans(template, one, FACTS, PICKS)
    there = swap(start, two)
    assert there == render_spans(template, two, FACTS, PICKS)
    assert swap(there, one) == start


LADDERS = {domain: load_ladder(domain) for domain in ("lending", "hiring")}
SHIPPED = tuple(
    template
    for name in ("lending", "hiring", "lending_history")
    for template in load_templates(name, pool=None)
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SHIPPED), people, st.integers(0, 10**6), st.booleans())
def test_shipped_templates_lint_clean(
    template: Template,
    person: Person,
    seed: int,
    paraphrase: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    """Every shipped template is clean English for every person, fact and wording."""
    source = rng(seed, "test")
    draw = LADDERS[template.domain].draw("borderline", template.facts, source)
    picks = {key: values[int(source.integers(len(values)))] for key, values in template.picks.items()}
    assert lint(render(template, person, draw.phrases, picks, paraphrase=paraphrase)) == []
