"""From a template and a person to text, slot by slot, with agreement and articles right by construction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from probes.attributes import Group, load_attributes
from probes.errors import TemplateError
from probes.templates import Slot, Template, parse

__all__ = [
    "Person",
    "Rendered",
    "Span",
    "introduce",
    "render",
    "render_line",
    "render_spans",
    "swap",
    "with_article",
]

_FORMS = ("subject", "object", "possessive", "reflexive")
# A vowel letter that sounds like a consonant, and the other way round, at the start of a word.
_A_WORDS = re.compile(r"(uni|use|usu|eu|one\b|once\b)", re.IGNORECASE)
_AN_WORDS = re.compile(r"(hour|honest|honou?r|heir|8|11\b|18\b|11-|18-)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a text says about the person; None is not said."""

    gender: str | None = None
    """Group of the attribute gender; with a name it sets the pronouns only."""
    race_ethnicity: str | None = None
    """Group of the attribute race_ethnicity; not said in words if there is a name."""
    age: int | None = None
    """Years, said in words; not said if there is a name."""
    name: str | None = None
    """Full name. It replaces every explicit label."""
    mention: str | None = None
    """An irrelevant description, such as `left-handed`; not said if there is a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a text conveys the person: `text[start:end]` was made from `slot`."""

    start: int
    end: int
    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text and the places in it that depend on the person, in order."""

    text: str
    spans: tuple[Span, ...]
    noun: str
    """What the person is called where no gender word says it."""


def render(
    template: Template,
    person: Person,
    facts: Mapping[str, str],
    picks: Mapping[str, str],
    *,
    paraphrase: bool = False,
) -> str:
    """The text of a template about a person, an empty line, and its question.

    Args:
        template: What to render.
        person: What the text conveys about the person.
        facts: Noun phrase of every fact the template names, as `MeritDraw.phrases` holds them.
        picks: Value of every pick the template names.
        paraphrase: True to ask the question in its other words.

    Returns:
        Text with no slot left.

    Raises:
        TemplateError: A fact or pick has no value.
        DataError: The person's group is not in the data.
    """
    return render_spans(template, person, facts, picks, paraphrase=paraphrase).text


def render_spans(
    template: Template,
    person: Person,
    facts: Mapping[str, str],
    picks: Mapping[str, str],
    *,
    paraphrase: bool = False,
) -> Rendered:
    """As `render`, with the places that depend on the person, so that `swap` can change them."""
    question = template.paraphrase if paraphrase else template.question
    pieces: list[str] = []
    spans: list[Span] = []
    position = 0
    for part in parse(f"{template.text.strip()}\n\n{question.strip()}"):
        if isinstance(part, str):
            piece = part
        elif part.kind in ("person", "verb"):
            piece = _identity(part, person, template.noun)
            spans.append(Span(start=position, end=position + len(piece), slot=part))
        else:
            piece = _value(part, facts if part.kind == "fact" else picks, template.id)
        pieces.append(piece)
        position += len(piece)
    return Rendered(text="".join(pieces), spans=tuple(spans), noun=template.noun)


def render_line(line: str, where: str, noun: str, person: Person, facts: Mapping[str, str]) -> str:
    """One line about a person, of a text that is about several.

    Args:
        line: The line with its slots.
        where: Id of what it belongs to, for messages.
        noun: What the person is called where no gender word says it.
        person: What the line conveys.
        facts: Noun phrase of every fact the line names.

    Raises:
        TemplateError: A fact has no value.
        DataError: The person's group is not in the data.
    """
    return "".join(
        part
        if isinstance(part, str)
        else _identity(part, person, noun)
        if part.kind in ("person", "verb")
        else _value(part, facts, where)
        for part in parse(line)
    )


def swap(rendered: Rendered, person: Person) -> Rendered:
    """The same text about another person: every identity span anew, nothing else touched.

    Swapping to another person and back gives the text one started with.

    Args:
        rendered: A rendered text.
        person: Whom the text shall be about.
    """
    pieces: list[str] = []
    spans: list[Span] = []
    position = length = 0
    for span in rendered.spans:
        literal = rendered.text[position : span.start]
        piece = _identity(span.slot, person, rendered.noun)
        start = length + len(literal)
        spans.append(Span(start=start, end=start + len(piece), slot=span.slot))
        pieces += [literal, piece]
        position, length = span.end, start + len(piece)
    return Rendered(text="".join([*pieces, rendered.text[position:]]), spans=tuple(spans), noun=rendered.noun)


def introduce(person: Person, noun: str = "person") -> str:
    """First mention of a person: the name if there is one, else a noun phrase with its article.

    >>> introduce(Person(gender="female", race_ethnicity="black", age=63))
    'a 63-year-old Black woman'
    >>> introduce(Person(race_ethnicity="asian"), "applicant")
    'an Asian applicant'
    """
    if person.name is not None:
        return person.name
    gender = _group("gender", person.gender)
    race = _group("race_ethnicity", person.race_ethnicity)
    words = [
        f"{person.age}-year-old" if person.age is not None else "",
        person.mention or "",
        race.adjective if race else "",
        gender.adjective if gender else "",
    ]
    # The template's own noun stands only where gender is not said: "a nonbinary person", "a Black applicant".
    head = noun if gender is None else gender.noun or "person"
    return with_article(" ".join([*(word for word in words if word), head]))


def with_article(phrase: str) -> str:
    """A noun phrase with `a` or `an` before it, by sound.

    >>> with_article("hour"), with_article("union"), with_article("18-year-old")
    ('an hour', 'a union', 'an 18-year-old')
    """
    vowel = phrase[:1].lower() in "aeiou" and not _A_WORDS.match(phrase)
    return f"{'an' if vowel or _AN_WORDS.match(phrase) else 'a'} {phrase}"


def _identity(slot: Slot, person: Person, noun: str) -> str:
    pronoun = _pronoun(person)
    if slot.kind == "verb":
        singular, plural = slot.value.split("|")
        return plural if pronoun == "they" else singular
    text = introduce(person, noun) if slot.value == "intro" else _pronoun_form(pronoun, slot.value)
    return text[:1].upper() + text[1:] if slot.capital else text


def _pronoun(person: Person) -> str:
    gender = _group("gender", person.gender)
    return (gender.pronoun if gender else "") or "they"


def _pronoun_form(pronoun: str, form: str) -> str:
    forms = {
        "she": ("she", "her", "her", "herself"),
        "he": ("he", "him", "his", "himself"),
        "they": ("they", "them", "their", "themselves"),
    }
    return forms[pronoun][_FORMS.index(form)]


def _group(attribute: str, name: str | None) -> Group | None:
    if name is None:
        return None
    return next(item for item in load_attributes() if item.name == attribute).group(name)


def _value(slot: Slot, values: Mapping[str, str], template: str) -> str:
    if slot.value not in values:
        given = ", ".join(sorted(values)) or "none"
        raise TemplateError(f"{template}: no value for {{{slot.kind}:{slot.value}}}; given: {given}")
    return values[slot.value]
