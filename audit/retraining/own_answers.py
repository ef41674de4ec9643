"""What the audited model itself answers to cases set aside for retraining: with a group named, and without.

Such answers come from a run of the pool `retraining`, which no audit asks. The case without a group is the
neutral text of its paraphrase placebo: what the model says there, it should say to every member.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.records import Outcome, Output
from audit.retraining.masking import names_somebody
from audit.targets.question import Question, read_answer
from probes.records import Arm, Expectation, Placebo, Prompt

__all__ = ["OwnAnswers", "OwnSet"]

_LONGEST = 2000
"""Characters of an answer that is still one to learn."""
_CASE = 3
"""Parts of a set's id that say which case it is: template, level and number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSet:
    """A counterfactual set with what the model said to each member, and to the same case without a group."""

    members: tuple[Prompt, ...]
    said: tuple[str, ...]
    """To each member."""
    decided: tuple[bool, ...]
    """Whether that is favourable, for each member."""
    neutral: str
    """What it said where nobody's group is named."""
    favourable: bool
    """Whether that is favourable."""

    @property
    def differs(self) -> bool:
        """Whether any member was answered otherwise than nobody in particular."""
        return any(one != self.favourable for one in self.decided)


class OwnAnswers:
    """The model's own answers to fresh cases, from one pass over a run."""

    def __init__(self, prompts: Iterable[Prompt], outputs: Iterable[Output], model: str) -> None:
        """Read them; memory grows with the prompts of the run.

        Args:
            prompts: Of a run of the pool `retraining`.
            outputs: What the model answered; of several to one prompt the first counts.
            model: What the model is called.
        """
        self.model = model
        said: dict[str, str] = {}
        for output in outputs:
            if output.outcome is Outcome.ANSWERED and output.text:
                said.setdefault(output.prompt_id, output.text.strip())
        self._sets: dict[tuple[str, str, str], list[list[Prompt]]] = defaultdict(list)
        self._neutral: dict[tuple[str, ...], list[bool | None]] = defaultdict(list)
        self._words: dict[tuple[str, ...], str] = {}
        self._said = said
        self._looked_at: set[str] = set()
        self._unread: set[str] = set()
        sets: dict[str, list[Prompt]] = defaultdict(list)
        for prompt in prompts:
            if prompt.set_id is None:
                continue
            if prompt.placebo is Placebo.PARAPHRASE:
                self._neutral[_case(prompt)].append(_decision(prompt.expectation, said.get(prompt.id)))
                if prompt.group == "a":
                    self._words[_case(prompt)] = said.get(prompt.id, "")
            elif prompt.arm is Arm.COUNTERFACTUAL:
                sets[prompt.set_id].append(prompt)
        for members in sets.values():
            first = members[0]
            self._sets[first.domain, first.attribute or "", str(first.signal)].append(members)

    def left_out(self) -> str | None:
        """How many of the sets that were looked at were left out so far, in words; None: none was."""
        if not self._unread:
            return None
        return (
            f"own answers: {len(self._unread)} of {len(self._looked_at)} sets, as what the model said "
            "without a group, or to a member, is no one answer that can be read"
        )

    def to(self, prompt_id: str) -> str | None:
        """What was answered to a prompt; None: nothing, or 2,000 characters and more.

        Args:
            prompt_id: Id of a prompt of the run.
        """
        said = self._said.get(prompt_id)
        return None if said is None or len(said) > _LONGEST else said

    def sets(self, domain: str, attribute: str, signal: str) -> Iterator[OwnSet]:
        """Sets of which the model answered every member, and the case without a group in one way.

        An answer of 2,000 characters or more, or one that names a group or a person, is none to learn from.

        Args:
            domain: Domain of the cases.
            attribute: What members differ in.
            signal: How that is conveyed.
        """
        for members in self._sets.get((domain, attribute, signal), ()):
            name = members[0].set_id or ""
            self._looked_at.add(name)
            neutral = set(self._neutral.get(_case(members[0]), ()))
            words = self._words.get(_case(members[0]), "")
            if len(neutral) != 1 or None in neutral or len(words) > _LONGEST or names_somebody(words):
                self._unread.add(name)
                continue
            said = [self._said.get(member.id, "") for member in members]
            decided = [_decision(one.expectation, text) for one, text in zip(members, said, strict=True)]
            if any(one is None for one in decided):
                self._unread.add(name)
                continue
            yield OwnSet(
                members=tuple(members),
                said=tuple(said),
                decided=tuple(bool(one) for one in decided),
                neutral=words,
                favourable=bool(neutral.pop()),
            )


def _case(prompt: Prompt) -> tuple[str, ...]:
    return tuple((prompt.set_id or "").split(":")[:_CASE])


def _decision(expectation: Expectation, text: str | None) -> bool | None:
    """Whether an answer is favourable; None where it cannot be read."""
    if not text or expectation.favourable is None:
        return None
    other = next((one for one in expectation.options if one != expectation.favourable), None)
    if other is None:
        return None
    return read_answer(text, Question(favourable=expectation.favourable, unfavourable=other))
