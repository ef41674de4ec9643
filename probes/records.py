"""What a probe makes: prompts, and the facts about them that later stages need.

Everything here is written to disk, so every class is a frozen pydantic model that rejects
unknown keys and numbers that are not finite.
"""

import hashlib
import json
import re
from enum import StrEnum
from math import isfinite
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "Arm",
    "Expectation",
    "Message",
    "Norm",
    "Placebo",
    "ProbeInfo",
    "Prompt",
    "Record",
    "Signal",
    "storable",
]


def storable(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 file can hold, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Record(BaseModel):
    """Base of everything that is written to disk: frozen, strict about keys, finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="null")


_TIE = "tie"
_BOTH = 2
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+")


class Arm(StrEnum):
    """Which kind of set a prompt belongs to."""

    COUNTERFACTUAL = "counterfactual"
    """The members of the set differ in a protected attribute and in nothing else."""
    PLACEBO = "placebo"
    """The members differ as a counterfactual set does, but within one group: the noise floor."""


class Placebo(StrEnum):
    """Kinds of placebo set (see `Arm.PLACEBO`)."""

    RESAMPLE = "resample"
    """The same prompt asked twice (A/A)."""
    NAME_SWAP = "name_swap"
    """Two names that signal the same group."""
    PARAPHRASE = "paraphrase"
    """The same meaning in other words."""
    MENTION = "mention"
    """An irrelevant attribute said aloud, as an explicit label is."""


class Signal(StrEnum):
    """How a prompt conveys the group; signals are never pooled."""

    EXPLICIT = "explicit"
    NAME = "name"
    PROXY = "proxy"
    DIALECT = "dialect"


class Norm(StrEnum):
    """Whether a difference between groups of this attribute is allowed in this domain."""

    MUST_NOT_DIFFER = "must_not_differ"
    """A disparity is a finding by itself, and may be repaired."""
    MUST_JUSTIFY = "must_justify"
    """A disparity is an observation that somebody has to justify."""
    MAY_DIFFER = "may_differ"
    """A disparity is expected; it is reported as an observation."""


class Message(Record):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Expectation(Record):
    """What the probe expects of a reply: all an analyzer learns besides the conversation.

    It never says which group the prompt is about: scoring is blind.
    """

    kind: Literal["choice", "number", "refuse", "comply", "correct", "open", "pair", "ranking"]
    """`choice`: one of `options`. `number`: within `low` and `high`. `refuse`: a harmful request.
    `comply`: a harmless one. `correct`: one that takes something wrong for granted. `open`: free text.
    `pair`: which of two people, the `options`, is preferred. `ranking`: the order of several people, the
    `options`."""
    options: tuple[str, ...] = ()
    """The accepted answers of a choice, as they are to be read, such as `("yes", "no")`."""
    ordered: bool = False
    """True if the options stand in order, the least first, such as levels of urgency."""
    favourable: str | None = None
    """The option that is good for the person concerned."""
    answer: str | None = None
    """The option that a rule blind to the protected attribute gives, if there is one; for a number the
    number, which may have thousands separators (`1,000`)."""
    side: tuple[str, ...] = ()
    """Of a pair or ranking: the options whose success is counted. Which group they are of it does not say."""
    low: float | None = None
    """Smallest accepted number."""
    high: float | None = None
    """Largest accepted number."""

    @model_validator(mode="after")
    def _can_be_scored(self) -> Self:
        if self.kind == "number":
            self._check_answer()
        elif self.kind in {"pair", "ranking"}:
            self._check_sides()
        return self

    @property
    def number(self) -> float | None:
        """The number that the rule gives; None without an answer, or if it is no number."""
        if self.answer is None or _NUMBER.fullmatch(self.answer.strip()) is None:
            return None
        number = float(self.answer.strip().replace(",", ""))
        return number if isfinite(number) else None

    def _check_answer(self) -> None:
        if self.answer is not None and self.number is None:
            raise ValueError(
                f"answer of a number must be a number, such as 1000, 1,000 or 2.5; got {self.answer!r}"
            )

    def _check_sides(self) -> None:
        people = tuple(option for option in self.options if option != _TIE)
        fits = len(people) == _BOTH if self.kind == "pair" else len(people) >= _BOTH
        if not fits or len(set(people)) < len(people):
            needed = "two different people" if self.kind == "pair" else "two or more different people"
            raise ValueError(
                f"options of a {self.kind} must name {needed}; got {', '.join(self.options) or 'none'}"
            )
        if not set(self.side) or not set(self.side) < set(people):
            raise ValueError(
                f"side of a {self.kind} must name some of {', '.join(people)}, but not all; "
                f"got {', '.join(self.side) or 'none'}"
            )


class Prompt(Record):
    """One conversation to send, with the facts that make it countable.

    Make one with `Prompt.make`, which computes the id.
    """

    id: str
    """First 20 hexadecimal digits of the SHA-256 of messages, probe, template, set, arm, group and name, and
    of the further turns if there are any."""
    messages: tuple[Message, ...] = Field(min_length=1)
    further: tuple[str, ...] = ()
    """What the user says next, each after the model's own reply to what was said before."""
    judged: int | None = Field(default=None, ge=0)
    """The turn whose reply is judged, 0 for the reply to `messages`; None for the last."""
    probe: str
    """Name of the probe, such as `bias/decisions`."""
    template: str
    """The cluster: prompts that share a template are not independent."""
    domain: str
    """The setting, such as `lending`; for safety probes the harm category."""
    language: str = "en"
    """BCP 47 tag of the prompt's language."""
    expectation: Expectation
    set_id: str | None = None
    """Counterfactual or placebo set; its members are compared with each other only."""
    arm: Arm | None = None
    placebo: Placebo | None = None
    """Kind of placebo; given exactly when `arm` is `placebo`."""
    attribute: str | None = None
    """Protected attribute that varies in the set; crossed ones are joined by `*`. None in placebo sets."""
    group: str | None = None
    """This member's group (crossed: joined by `*`); in placebo sets `a` or `b`. Of a comparison the group of
    the people on the counted side (`Expectation.side`); the others are of the set's other group."""
    reference: str | None = None
    """The group the others of this set are compared with; in placebo sets `a`."""
    signal: Signal | None = None
    """How the group is conveyed; for a placebo set the signal whose noise it measures, or None for all."""
    norm: Norm | None = None
    name: str | None = None
    """The personal name used, if any: a second cluster. Of a comparison the names of the people on the
    counted side, joined by `; `."""
    source_id: str | None = None
    """Id of the row of a public or user's file that this prompt was made from."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Further facts, such as `merit`, `technique` or `goal`; never shown to targets and analyzers."""

    @classmethod
    def make(cls, **fields: object) -> Self:
        """A validated prompt whose id is computed from its content.

        Args:
            fields: Every field but `id`.

        Returns:
            The prompt.
        """
        draft = cls.model_validate({"id": "", **fields})
        identity: list[object] = [
            [[m.role, m.content] for m in draft.messages],
            draft.probe,
            draft.template,
            draft.set_id,
            draft.arm,
            draft.placebo,
            draft.group,
            draft.name,
            draft.source_id,
        ]
        if draft.further:  # Left out otherwise, so that prompts of one turn keep their ids.
            identity.append([list(draft.further), draft.judged_turn])
        digest = hashlib.sha256(json.dumps(identity, ensure_ascii=False).encode()).hexdigest()
        judged = None if draft.judged == len(draft.further) else draft.judged  # One prompt, one record.
        return draft.model_copy(update={"id": digest[:20], "judged": judged})

    @property
    def turns(self) -> int:
        """How many replies one conversation has."""
        return 1 + len(self.further)

    @property
    def judged_turn(self) -> int:
        """The turn whose reply is judged, counted from 0."""
        return len(self.further) if self.judged is None else self.judged

    @model_validator(mode="after")
    def _has_the_judged_turn(self) -> Self:
        if self.judged_turn > len(self.further):
            raise ValueError(f"judged must be a turn from 0 to {len(self.further)}; got {self.judged}")
        return self


class ProbeInfo(Record):
    """What a probe is, for a reader who decides whether to use it."""

    name: str
    version: str
    """Changes whenever the prompts it makes change."""
    measures: str
    """What it measures, in one sentence."""
    harms: tuple[str, ...]
    languages: tuple[str, ...]
    source: str
    """Where the material comes from: a paper, or `written for this project`."""
    licence: str
    cannot_show: str
    """What a result of this probe does not show."""
    attack: bool = False
    """True if it asks for harm or attacks guardrails: the spec must then say `authorised_by`."""
