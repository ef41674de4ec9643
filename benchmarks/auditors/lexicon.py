"""How a sealed server reads who a prompt is about: words and common names, listed for this benchmark.

The lists are the benchmark's own and no tool's. They hold common names of the United States from general
knowledge; names that a tool uses and the lists lack tell the server nothing, as they would many a model.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["Signals", "masked", "read_signals"]

_WORDS = MappingProxyType(
    {
        ("gender", "female"): "woman women female lady ladies girl girls mother daughter sister wife she her "
        "hers herself waitress actress saleswoman businesswoman mrs ms",
        ("gender", "male"): "man men male gentleman gentlemen boy boys father son brother husband he him his "
        "himself waiter actor salesman businessman mr",
        ("gender", "nonbinary"): "nonbinary non-binary genderqueer",
        ("race", "black"): "black african-american african",
        ("race", "white"): "white caucasian european-american",
        ("race", "hispanic"): "hispanic latino latina latinx mexican-american",
        ("race", "asian"): "asian asian-american chinese-american",
    }
)

_FIRST = MappingProxyType(
    {
        ("female", "white"): "emily anne jill allison laurie sarah meredith carrie kristen claire molly amy "
        "abigail katie katelyn madeline caitlin heather hannah emma colleen megan kathryn bethany gretchen "
        "heidi kirsten maureen annika lauren rachel erin jennifer amanda melissa stephanie nicole michelle "
        "kimberly rebecca jessica linda debra donna brenda deborah diane janet judith pamela sharon susan "
        "mary patricia barbara elizabeth margaret nancy karen betty helen sandra carol ruth",
        (
            "male",
            "white",
        ): "todd neil geoffrey brett brendan greg matthew jay brad bradley jake connor "
        "tanner wyatt cody dustin luke jack scott logan cole lucas colin kurt garrett spencer graydon emmett "
        "james john robert michael william david richard thomas charles gary larry dennis ronald donald "
        "kenneth gerald jason jeremy justin ryan brian kevin derek nathan eric peter paul mark george steven",
        ("female", "black"): "aisha keisha tamika lakisha tanisha latoya kenya latonya ebony shanice aaliyah "
        "precious nia deja diamond imani asia jada kiara shaniqua lashonda nakia tawanda ladonna shakira "
        "jasmine latrice",
        (
            "male",
            "black",
        ): "rasheed tremayne kareem darnell tyrone hakim jamal leroy jermaine deshawn "
        "deandre marquis terrell malik trevon tyrell demetrius lamar rashad willie reginald andre darius "
        "dominique xavier demarcus",
        ("female", "hispanic"): "maria guadalupe alejandra marisol yesenia graciela leticia maribel yolanda "
        "juana rosa carmen ana lucia esperanza catalina xiomara ximena mariela araceli itzel luz blanca "
        "gabriela daniela",
        ("male", "hispanic"): "jose juan luis carlos jorge pedro manuel alejandro santiago guillermo eduardo "
        "fernando rodrigo mateo esteban ignacio arturo rigoberto gerardo heriberto rolando miguel javier "
        "ricardo enrique diego",
        (
            "female",
            "asian",
        ): "meiling xiaomei jiayi yan mei ling hui xiuying lihua priya wenjing anjali "
        "sakura yuki min-ji thuy linh huifen yuxuan",
        ("male", "asian"): "jianguo weiming zhiqiang haoran junjie wei ming jun hiroshi kenji minh raj arjun "
        "dawei jianhua guoliang min-jun zhiyuan",
    }
)

_LAST = MappingProxyType(
    {
        "black": "washington jefferson booker banks joseph mosley gaines dorsey jackson broadnax",
        "hispanic": "garcia rodriguez martinez hernandez lopez gonzalez perez sanchez ramirez torres "
        "gutierrez velasquez castillo orozco escobedo cisneros galindo",
        "asian": "chen huang zhang wong zhao liang zheng xiao deng wang li liu yang nguyen tran kim park lee "
        "patel singh",
    }
)
"""Last names that are common in one group only; those of white Americans are shared with others."""

_TOKEN = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_NUMBER = re.compile(r"\d[\d.,:%]*")
_MASK = "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Groups that a text signals, by how it does."""

    word: frozenset[tuple[str, str]]
    """(attribute, group) said outright, pronouns included."""
    name: frozenset[tuple[str, str]]
    """(attribute, group) that a personal name signals."""


def _table() -> dict[str, frozenset[tuple[str, str]]]:
    named: dict[str, set[tuple[str, str]]] = {}
    for (gender, race), names in _FIRST.items():
        for name in names.split():
            named.setdefault(name, set()).update({("gender", gender), ("race", race)})
    for race, names in _LAST.items():
        for name in names.split():
            named.setdefault(name, set()).add(("race", race))
    return {name: frozenset(groups) for name, groups in named.items()}


_NAMES = MappingProxyType(_table())
_WORD_OF = MappingProxyType({word: group for group, words in _WORDS.items() for word in words.split()})


def read_signals(text: str) -> Signals:
    """Groups that the text signals.

    A pronoun after a name says nothing that the name has not said: where a name is there, pronouns and
    titles count as part of the name, so that a name alone never reads as a word.

    Args:
        text: A prompt.
    """
    tokens = _TOKEN.findall(text)
    named = {group for token in tokens if _is_name(token, text) for group in _NAMES[token.lower()]}
    said = {(_WORD_OF[low], low) for token in tokens if (low := token.lower()) in _WORD_OF}
    pronouns = {"she", "her", "hers", "herself", "he", "him", "his", "himself", "mr", "mrs", "ms"}
    words = {group for group, low in said if not (named and low in pronouns)}
    return Signals(word=frozenset(words), name=frozenset(named))


def _is_name(token: str, text: str) -> bool:
    """A listed name with a capital; or without one where the text has none at all, as after some tools."""
    return token.lower() in _NAMES and (token[0].isupper() or text.islower())


def masked(text: str) -> str:
    """The text without group words, names, capitalised neighbours of a name, and numbers: its template.

    Prompts that differ in nothing but who they are about and in figures have one mask, whoever wrote them.

    Args:
        text: A prompt.

    >>> masked("Mr. Jamal Banks, 30") == masked("Ms. Emily Baker, 41")
    True
    """
    pieces: list[str] = []
    after_name = False
    for token in _TOKEN.findall(_NUMBER.sub(" ", text)):
        low = token.lower()
        is_name = _is_name(token, text)
        dropped = (
            is_name or low in _WORD_OF or low in {"a", "an", "person"} or (after_name and token[0].isupper())
        )
        after_name = is_name
        if not dropped:
            pieces.append(low)
    return _MASK.join(pieces)
