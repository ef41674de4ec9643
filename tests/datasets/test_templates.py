"""The shipped templates: complete, different from each other, silent about identity outside slots."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations

import pytest
import yaml

from probes.attributes import load_attributes, load_mentions
from probes.data import find
from probes.grammar import lint
from probes.merit import Ladder, Level, load_ladder
from probes.names import load_names
from probes.rendering import Person, render
from probes.seeds import rng
from probes.templates import Slot, Template, load_templates, parse

SETS = ("hiring", "lending", "lending_history")
POOLS = [
    ("hiring", "audit", 44),
    ("hiring", "retraining", 24),
    ("lending", "audit", 44),
    ("lending", "retraining", 24),
    ("lending_history", "history", 16),
]
LENDING_FACTS = {
    "account_age",
    "annual_income",
    "credit_score",
    "debt_ratio",
    "down_payment",
    "missed_payments",
    "savings",
    "years_employed",
}
HIRING_FACTS = {
    "certifications",
    "interview_score",
    "on_time_record",
    "portfolio_rating",
    "reference_rating",
    "skills_test",
    "training_hours",
    "years_experience",
}
NEGATIVE_ANSWERS = {"decline", "denied", "no", "pass", "refuse", "reject"}
IDENTITY_LISTS = (
    # pronouns and titles
    "he she him her his hers himself herself they them their theirs themselves themself",
    "mr mrs ms miss sir madam",
    # gender, in nouns and in job titles
    "man men woman women male female gentleman gentlemen lady ladies boy boys girl girls guy guys nonbinary",
    "gender sex trans transgender gay lesbian bisexual queer straight chairman craftsman foreman journeyman",
    "mailman salesman businessman handyman waiter waitress actress hostess stewardess seamstress maid",
    # family
    "mother mothers father fathers mom dad parent parents parental son daughter wife husband spouse partner",
    "fiance widow widower brother sister uncle aunt grandmother grandfather family families child children",
    "kid kids baby maternity paternity pregnant pregnancy married unmarried marriage divorced single",
    # age
    "young younger old older elderly elder senior junior age aged retired retirement pension pensioner",
    "teenager teen youth youthful graduate mature millennial boomer veteran",
    # race and origin
    "black white asian latino latina hispanic african european caucasian mexican chinese indian arab native",
    "indigenous immigrant immigrants immigration foreign foreigner refugee citizen citizenship visa accent",
    "race racial ethnic ethnicity caste colored minority",
    # religion
    "church mosque temple synagogue priest pastor imam rabbi christian muslim jewish hindu buddhist atheist",
    "prayer religious christmas easter ramadan",
    # health and class
    "disabled disability wheelchair blind deaf autistic depression diabetic poor rich",
)
IDENTITY_WORDS = frozenset(word for line in IDENTITY_LISTS for word in line.split())


@cache
def _all() -> tuple[tuple[str, Template], ...]:
    return tuple((name, template) for name in SETS for template in load_templates(name, pool=None))


def _literal(template: Template) -> str:
    """The template's own words: everything outside slots, and the picks."""
    lines = (template.text, template.question, template.paraphrase)
    words = [part for line in lines for part in parse(line) if isinstance(part, str)]
    picks = [value for values in template.picks.values() for value in values]
    return " ".join([*words, *picks])


def _tokens(template: Template) -> frozenset[str]:
    lines = (template.text, template.question)
    words = " ".join(part for line in lines for part in parse(line) if isinstance(part, str))
    return frozenset(re.findall(r"[a-z0-9']+", words.lower()))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


@pytest.mark.parametrize(("name", "pool", "count"), POOLS)
def test_every_pool_has_its_number_of_templates(name: str, pool: str, count: int) -> None:
    """An audit has enough clusters, and repair has templates of its own."""
    assert len(load_templates(name, pool=pool)) == count


@pytest.mark.parametrize("name", SETS)
def test_no_template_is_outside_the_known_pools(name: str) -> None:
    """The pools together are the whole file, and meta.toml states its true size and version."""
    path = find("templates", name, "data.yaml")
    meta = tomllib.loads(path.with_name("meta.toml").read_text(encoding="utf-8"))
    content = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert meta["rows"] == len(content["templates"]) == sum(count for set_, _, count in POOLS if set_ == name)
    assert meta["version"] == content["version"]
    assert meta["name"] == name


@pytest.mark.parametrize("name", SETS)
def test_datasheets_are_complete_and_say_that_nobody_reviewed_them(name: str) -> None:
    """A reader of a datasheet finds every section and the honest status."""
    sheet = find("templates", name, "DATASHEET.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\w+)$", sheet, flags=re.MULTILINE))
    wanted = {"Motivation", "Composition", "Collection", "Labelling", "Uses", "Distribution", "Maintenance"}

    assert wanted <= headings
    assert "Status: `unreviewed`" in sheet


def test_ids_are_unique_over_all_files() -> None:
    """An id names one cluster in every report, whichever file it came from."""
    counts = Counter(template.id for _, template in _all())

    assert [identifier for identifier, count in counts.items() if count > 1] == []
    assert all(
        identifier.split("/")[0] == name.replace("_", "-") for name, t in _all() for identifier in [t.id]
    )


def test_no_two_templates_are_near_twins() -> None:
    """Templates are independent clusters, and repair is not trained on the audit's texts."""
    rows = [((name, template.pool), template.id, _tokens(template)) for name, template in _all()]
    twins = [
        (first[1], second[1])
        for first, second in combinations(rows, 2)
        if _jaccard(first[2], second[2]) >= (0.6 if first[0] == second[0] else 0.5)
    ]

    assert twins == []


def test_no_question_is_asked_twice() -> None:
    """Wordings vary, so that one odd phrase cannot carry a result."""
    counts = Counter(
        line.lower() for _, template in _all() for line in (template.question, template.paraphrase)
    )

    assert [line for line, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(("name", "pool", "count"), POOLS)
def test_about_a_third_speaks_in_the_first_person(name: str, pool: str, count: int) -> None:
    """Both situations are covered: the person asks, and somebody asks about the person."""
    first = [template for template in load_templates(name, pool=pool) if template.voice == "first"]

    assert 0.25 <= len(first) / count <= 0.42
    assert all(re.search(r"\b(I|my|me)\b", template.text) for template in first)


@pytest.mark.parametrize(("name", "pool", "count"), POOLS)
def test_about_a_fifth_asks_the_reverse(name: str, pool: str, count: int) -> None:
    """A model that always says yes is not taken for a favourable one."""
    templates = load_templates(name, pool=pool)
    reverse = [template for template in templates if template.favourable in NEGATIVE_ANSWERS]

    assert 0.15 <= len(reverse) / count <= 0.25


def test_options_are_strings_asked_for_by_both_questions() -> None:
    """The answer to either wording can be read by the same parser."""
    for _, template in _all():
        for option in template.options:
            assert isinstance(option, str)
            for line in (template.question, template.paraphrase):
                assert re.search(rf"\b{option}\b", line, flags=re.IGNORECASE), (template.id, option, line)


def test_options_are_quoted_in_the_file() -> None:
    """No YAML reader can turn an answer into true or false."""
    for name in SETS:
        lines = find("templates", name, "data.yaml").read_text(encoding="utf-8").splitlines()
        options = [line.strip() for line in lines if line.strip().startswith(("options:", "favourable:"))]
        quoted = re.compile(r'options: \["[a-z]+", "[a-z]+"\]|favourable: "[a-z]+"')

        assert [line for line in options if not quoted.fullmatch(line)] == []


def test_facts_belong_to_the_domain_and_vary() -> None:
    """Each text states two to four facts once, and every fact of the domain is used in every pool."""
    for name, pool, _ in POOLS:
        ladder = HIRING_FACTS if name == "hiring" else LENDING_FACTS
        templates = load_templates(name, pool=pool)
        for template in templates:
            stated = [s.value for s in parse(template.text) if isinstance(s, Slot) and s.kind == "fact"]
            assert 2 <= len(stated) <= 4, template.id
            assert len(set(stated)) == len(stated), template.id
        assert {fact for template in templates for fact in template.facts} == ladder
        assert len({template.facts for template in templates}) > len(templates) // 2


def test_identity_is_told_by_slots_alone() -> None:
    """No word of a template hints at a group, so members of a set differ in the slots only."""
    hints = {
        template.id: sorted(IDENTITY_WORDS & set(re.findall(r"[a-z]+", _literal(template).lower())))
        for _, template in _all()
    }

    assert {identifier: words for identifier, words in hints.items() if words} == {}


def test_the_noun_hints_at_no_group_either() -> None:
    """A neutral person is called by a role or `person`, never by a word that carries identity."""
    nouns = {template.noun for _, template in _all()}

    assert nouns & IDENTITY_WORDS == set()
    assert all(re.fullmatch(r"[a-z]+", noun) for noun in nouns)


def test_verb_slots_follow_a_pronoun() -> None:
    """Agreement is with she, he or they; a name or a role takes the plain singular."""
    for _, template in _all():
        pronoun = False
        for part in parse(template.text):
            if isinstance(part, str):
                pronoun = pronoun and not re.search(r"[.!?;:]", part)
            elif part.kind == "person":
                pronoun = part.value == "subject"
            elif part.kind == "verb":
                assert pronoun, template.id


def _explicit_people() -> list[Person]:
    """Nobody in particular, every group, every gender crossed with every race, and every mention."""
    attributes = {attribute.name: attribute for attribute in load_attributes()}
    genders = [group.name for group in attributes["gender"].groups]
    races = [group.name for group in attributes["race_ethnicity"].groups]
    ages = [age for group in attributes["age"].groups for age in group.ages or ()]
    return [
        Person(),
        *(Person(gender=gender) for gender in genders),
        *(Person(race_ethnicity=race) for race in races),
        *(Person(age=age) for age in ages),
        *(Person(gender=gender, race_ethnicity=race, age=63) for gender in genders for race in races),
        *(Person(mention=mention) for pair in load_mentions() for mention in pair),
    ]


def _named_people() -> list[Person]:
    """One person of every cell of the name lists."""
    names = load_names()
    cells = [(gender, race, "") for gender in names.genders() for race in names.races()]
    cells += [(gender, "", cohort) for gender in names.genders() for cohort in names.cohorts()]
    return [
        Person(gender=gender, name=names.cell(gender, race_ethnicity=race, cohort=cohort).full(turn))
        for turn, (gender, race, cohort) in enumerate(cells)
    ]


@cache
def _ladder(domain: str) -> Ladder:
    return load_ladder(domain)


def _rendered(template: Template, people: list[Person]) -> Iterator[str]:
    """The template about each person, going through merit levels, phrase variants and picks on the way."""
    ladder = _ladder(template.domain)
    levels: tuple[Level, ...] = ("weak", "borderline", "strong")
    for turn, person in enumerate(people):
        merit = ladder.draw(levels[turn % 3], template.facts, rng(turn, template.id))
        picks = {name: values[turn % len(values)] for name, values in template.picks.items()}
        yield render(template, person, merit.phrases, picks, paraphrase=turn % 2 == 1)


@pytest.mark.parametrize("name", SETS)
def test_every_template_is_clean_english_for_every_group_said_in_words(name: str) -> None:
    """Articles, agreement and capitals are right whoever the text is about."""
    people = _explicit_people()
    problems = [
        (template.id, problem)
        for template in load_templates(name, pool=None)
        for text in _rendered(template, people)
        for problem in lint(text)
    ]

    assert problems == []


@pytest.mark.parametrize("name", SETS)
def test_every_template_is_clean_english_with_every_kind_of_name(name: str) -> None:
    """A name stands wherever a description stands, without an article before it or an s after it."""
    people = _named_people()
    for template in load_templates(name, pool=None):
        for person, text in zip(people, _rendered(template, people), strict=True):
            assert person.name is not None
            assert lint(text) == [], template.id
            assert text.count(person.name) == 1, template.id
            assert not re.search(rf"\b(a|an|the|A|An|The) {person.name}|{person.name}['\u2019]", text), (
                template.id
            )


@pytest.mark.parametrize("name", SETS)
def test_texts_have_a_natural_length(name: str) -> None:
    """A prompt is a short case of 35 to 110 words, whatever the phrases drawn."""
    people = [*_explicit_people(), *_named_people()]
    for template in load_templates(name, pool=None):
        for text in _rendered(template, people):
            case, _, question = text.rpartition("\n\n")
            assert 35 <= len(case.split()) <= 110, template.id
            assert len(question.split()) <= 25, template.id


def test_members_of_a_set_differ_in_the_person_alone() -> None:
    """With the same facts and picks, two texts differ only where they mention the person."""
    woman, man = Person(gender="female"), Person(gender="male")
    for _, template in _all():
        merit = _ladder(template.domain).draw("borderline", template.facts, rng(0, template.id))
        picks = {name: values[0] for name, values in template.picks.items()}
        texts = [render(template, person, merit.phrases, picks) for person in (woman, man)]
        neutral = [
            re.sub(r"\b(a wo|a )man\b|\b(she|he|her|him|his)\b", "_", text, flags=re.IGNORECASE)
            for text in texts
        ]

        assert texts[0] != texts[1]
        assert neutral[0] == neutral[1], template.id
