"""Who a reply speaks of, where a prompt lists candidates: their letters, labels and names become marks.

A prompt lists its candidates one a line, as `Applicant A: …`. A reply may call them by label, by letter, by
name, or by what the line says first of them. All of these become one made-up word each, so that the readers
of choices and rankings look for nothing else.
"""

import re
from collections.abc import Sequence

from audit.analyzers.text import clip, plain, without_reasoning

__all__ = ["Candidates"]

_NAME = re.compile(r"([A-Z][\w'-]*) ([A-Z][\w'-]*)\b")
_FIRST_WORD = re.compile(r"(?:an?|the) ([\w-]{2,40})\b", re.IGNORECASE)
_ORDINALS = (("first", "former"), ("second", "latter"))
# A capital A is an article at the start of a sentence, so a verb, a mark or another letter must follow it.
_AFTER_A = (
    r"(?=[^\S\n]*(?:$|\n|[^\w\s])|\s+[B-D]\b|\s+(?:over|than|because|since|is|has|had|would|should|gets|wins"
    r"|first|second|third|fourth|last|then|or|and|vs)\b)"
)
_AFTER_LETTER = r"(?!\w)"
_EDGE_PROMPT = 8000


class Candidates:
    """The candidates of one prompt, and what replies may call them."""

    def __init__(self, labels: Sequence[str], prompt: str) -> None:
        """Read the prompt's list.

        Args:
            labels: What the candidates are called, such as `Applicant A`, in the order of the options.
            prompt: The user's last message.
        """
        self.marks = tuple(f"candidatemark{chr(ord('a') + place)}" for place in range(len(labels)))
        """The made-up word of each candidate, in the order of the labels."""
        self.letters = "".join(label[-1].lower() if label[-2:-1] == " " else " " for label in labels)
        """The letter of each candidate, in lower case; a space where the label ends with none."""
        self._patterns = tuple(
            re.compile(pattern, flags)
            for pattern, flags in self._all(labels, [_line(label, prompt) for label in labels])
        )
        self._mark = re.compile(r"\bcandidatemark([a-z])\b")

    def marked(self, reply: str) -> str:
        """A reply, clipped and without its reasoning, in lower case, with a mark for every mention."""
        text = plain(clip(without_reasoning(reply)))
        for pattern in self._patterns:
            text = pattern.sub(self._of, text)
        return text.casefold()

    def named(self, text: str) -> list[int]:
        """Places of the candidates that a marked text mentions, in order, repeated ones too."""
        found = [ord(match.group(1)) - ord("a") for match in self._mark.finditer(text)]
        return [place for place in found if place < len(self.marks)]

    def _of(self, match: re.Match[str]) -> str:
        group = match.lastgroup or ""
        return f" {self.marks[int(group[1:])]} "

    @staticmethod
    def _all(labels: Sequence[str], lines: Sequence[str]) -> list[tuple[str, int]]:
        """Patterns in the order in which they are tried; the group of a match says whose it is."""
        places = range(len(labels))
        # A label of one word, such as a first name, has no noun before it, and no letter.
        nouns = [label.rpartition(" ")[0] for label in labels]
        letters = [label.rpartition(" ")[2] for label in labels]
        noun = re.escape(nouns[0] or "candidate")
        called = rf"(?:{noun}|candidate|applicant|option|choice|person)"
        before = [rf"{called}\W{{0,3}}" if one else rf"(?:{called}\W{{0,3}})?" for one in nouns]
        by_label = [rf"(?P<a{i}>\b(?:the )?{before[i]}{re.escape(letters[i])}\b(?!'))" for i in places]
        names = [match.groups() if (match := _NAME.match(line)) else None for line in lines]
        by_name = []
        for i, name in enumerate(names):
            others = {part for other in names if other is not None and other is not name for part in other}
            if name is not None:
                alone = [re.escape(part) for part in name if part not in others and len(part) > 1]
                said = [re.escape(" ".join(name)), *alone]
                by_name.append(rf"(?P<n{i}>\b(?:(?:mr|ms|mrs|mx)\.? )?(?:{'|'.join(said)})\b)")
        firsts = [match.group(1).lower() if (match := _FIRST_WORD.match(line)) else "" for line in lines]
        by_first = [
            rf"(?P<f{i}>\bthe {re.escape(word)}(?: {noun}| person| applicant| candidate)?\b)"
            for i, word in enumerate(firsts)
            if word and firsts.count(word) == 1
        ]
        by_order = (
            [
                rf"(?P<o{i}>\bthe (?:{first} (?:one|{called})|{other})\b)"
                for i, (first, other) in enumerate(_ORDINALS)
            ]
            if len(labels) == len(_ORDINALS)
            else []
        )
        by_letter = [
            rf"(?P<l{i}>(?<![\w'])(?:\(|\[)?{letter}{_AFTER_A if letter == 'A' else _AFTER_LETTER})"
            for i, letter in enumerate(map(re.escape, letters))
        ]
        # What is longest goes first, so that no part of it is taken for something else.
        return [
            *(("|".join(found), re.IGNORECASE) for found in (by_label, by_name, by_first, by_order) if found),
            ("|".join(by_letter), 0),
        ]


def _line(label: str, prompt: str) -> str:
    """What the prompt says of a candidate; empty if it does not list the label."""
    found = re.search(rf"^{re.escape(label)}: (.{{1,400}})$", prompt[-_EDGE_PROMPT:], re.MULTILINE)
    return found.group(1) if found else ""
