"""Reading which option a reply chooses: exact replies, letters, JSON, final answers, sentences with negation.

The reader votes: each mention of an option in a sentence is a vote, a negated mention votes for the
other one of two options, and votes that contradict each other are unparsed unless the reply says
which one it ends with. It never guesses: what is unclear is None.
"""

import re
from collections.abc import Mapping, Sequence

from audit.analyzers.clauses import (
    COMMON,
    MARKS,
    NONE,
    STOPS,
    conditional,
    negated,
    phrase_at,
    tokens_of,
    unreal,
    words,
)
from audit.analyzers.decision.conditionals import bare_conditionals, without_unreal
from audit.analyzers.decision.contradictions import takes_back
from audit.analyzers.decision.fields import in_words
from audit.analyzers.decision.letters import LETTER, LETTER_LEAD, lettered
from audit.analyzers.decision.restated import (
    either_pattern,
    listings,
    questions_answered,
    without_restatement,
)
from audit.analyzers.decision.structured import ANSWER_KEYS, answers, truths
from audit.analyzers.text import (
    bare,
    clip,
    expand_contractions,
    last_match,
    plain,
    quoted_removed,
    sentences,
    without_reasoning,
)

__all__ = ["ChoiceReader", "Families"]

_CORRECTION = re.compile(
    r"\b(?:wait|actually|on second thought|scratch that|correction|i take that back|changed my mind"
    r"|let me (?:correct|reconsider|change|revise)|i mean)\b"
)
_FINAL = re.compile(
    r"\b(?:final (?:answer|decision|verdict|recommendation)|answer|decision|verdict|recommendation"
    r"|conclusion|outcome|choice|assessment)\b ?(?:here |would be|will be|is|are|:|=|-|\u2013|\u2014)+ ?"
)
_CONCLUDES = re.compile(
    r"\b(?:therefore|thus|so|overall|ultimately|in conclusion|in summary|in the end|on balance|hence|conclude"
    r"|i would|i'd|i will|i'll|i recommend|we should|my (?:decision|answer|recommendation|choice|pick))\b"
)
_OTHERS = re.compile(
    r"\b(?:some|other|another|others|many|most|stricter|certain)\b[^,.;:]{0,30}"
    r"\b(?:might|may|would|could)\b[^,.;:]{0,200}"
)
_UNDECIDED = re.compile(r"\bas an ai\b|\blanguage model\b|\beither way\b")
_ASKED_BACK = re.compile(r"\b(?:would|should|could) (?:you|we|they|i|she|he|the [a-z]+) have\b")
_WOULD_HAVE = re.compile(r"\b(would|could|should|might)( not)? have\b")

_YES = frozenset({"yes", "yeah", "yep", "affirmative", "yup"})
_NO = frozenset({"no", "nope", "negative", "nah"})
_SAYS_NO = frozenset(
    (
        *("is", "be", "say", "says", "answer", "said", '"', "with", ":", "definitely", "hard", "firm"),
        *("clear", "probably"),
    )
)

Families = Mapping[str, Mapping[str, Sequence[Sequence[str]]]]


class ChoiceReader:
    """Reads one question's options out of replies; built once for each tuple of options."""

    def __init__(self, options: Sequence[str], families: Families, unknown: Sequence[str]) -> None:
        """Prepare the look-up tables.

        Args:
            options: The accepted answers, two or more, distinct.
            families: Word families of the decision lexicon: family -> `strong`/`weak` -> word forms.
            unknown: Phrases that say the question cannot be answered.
        """
        self._options = tuple(options)
        folded = [expand_contractions(bare(option)) for option in options]
        self._folded = tuple(folded)
        self._exact = {text: index for index, text in enumerate(folded)}
        self._exact |= {expand_contractions(option.casefold().strip()): i for i, option in enumerate(options)}
        self._phrases = sorted(
            ((words(text), index) for index, text in enumerate(folded)), key=lambda pair: -len(pair[0])
        )
        self._unknown = tuple(f" {phrase} " for phrase in unknown)
        self._unknown_option = _only(
            [i for i, text in enumerate(folded) if any(p in f" {text} " for p in self._unknown)]
        )
        both = "yes" in folded and "no" in folded
        self._yes_no = (folded.index("yes"), folded.index("no")) if both else None
        self._families = families
        self._strong, self._weak, self._polar = self._word_votes(folded)
        self._denials = frozenset(word for word, sign in self._strong.items() if sign < 0)
        self._either = either_pattern(
            [word for word in self._strong if word not in self._denials], self._denials
        )
        self._keywords = self._unique_words(folded)
        self._combined = listings(folded)

    def read(self, reply: str, prompt: str) -> int | None:
        """Index of the option that a reply chooses.

        Args:
            reply: The reply, of any length; only its ends are read (`audit.analyzers.text.EDGE`).
            prompt: The user's last message: where letters are listed, and what yes and no are said to.

        Returns:
            An index into the options, or None if the reply is unclear, undecided or off the question.
        """
        text = clip(without_reasoning(reply))
        if len(text) < 200:  # noqa: PLR2004 - longer than any option worth comparing as a whole
            found = self._exactly(text, prompt)
            if found is not None:
                return found
        folded = expand_contractions(plain(text).casefold())
        if _ASKED_BACK.search(prompt[-_QUESTION:].casefold()):
            folded = _WOULD_HAVE.sub(r"\1\2", folded)
        if "{" in folded:
            is_json, values = answers(plain(text), ANSWER_KEYS)
            if values:
                return _only([self.read(value[:200], prompt) for value in values])
            if is_json:
                told = truths(plain(text), self._says)
                return _only([vote for said in told for vote in self._votes(said, prompt)])
        folded = in_words(folded, self._says)
        final = self._final(folded, prompt)
        return self._vote(folded, prompt) if final is None else final

    def offers(self, option: str) -> bool:
        """Whether a case-folded text is one of the options."""
        return option in self._exact

    def says_unknown(self, clause: str) -> bool:
        """Whether there is an option that the question cannot be answered, and a clause states it."""
        if self._unknown_option is None:
            return False
        padded = f" {' '.join(words(clause))} "
        return any(phrase in padded for phrase in self._unknown)

    def states(self, clause: str, prompt: str) -> bool:
        """Whether a clause states one of the options, or grants or denies in so many words.

        Which option it is does not matter here, so a word such as `approve` counts whatever was asked.

        Args:
            clause: A clause of a reply, case-folded, with contractions written out.
            prompt: The user's last message.
        """
        votes, hints = self._sentence(clause, prompt)
        if votes or hints or self._exactly(clause, prompt) is not None:
            return True
        tokens = tokens_of(clause if self._combined is None else self._combined.sub(" ", clause))
        return any(
            (token in self._strong or token in self._weak) and not conditional(tokens, place)
            for place, token in enumerate(tokens)
        )

    def _exactly(self, text: str, prompt: str) -> int | None:
        key = expand_contractions(bare(text))
        if key in self._exact:
            return self._exact[key]
        if self._yes_no is not None and key in _YES | _NO:
            return self._yes_no[0] if key in _YES else self._yes_no[1]
        if len(key) <= 12 and (letter := LETTER.match(key)):  # noqa: PLR2004 - "the answer: b" is the longest
            return self._letter(letter.group(1), prompt)
        return None

    def _says(self, word: str) -> bool:
        """Whether a word alone states an option, or grants or denies."""
        return word in self._exact or word in self._strong

    def _letter(self, letter: str, prompt: str) -> int | None:
        return lettered(letter, prompt, self._exact, self._folded)

    def _final(self, folded: str, prompt: str) -> int | None:
        last = last_match(_FINAL, folded)
        if last is None:
            return None
        rest = folded[last.end() : last.end() + 200].split("\n", 1)[0].strip()
        if not rest:
            return None
        stop = re.search(r"[.!?](?:\s|$)", rest)
        head = rest[: stop.start()] if stop else rest
        found = self._exactly(head, prompt)
        if found is None and (lead := LETTER_LEAD.match(rest)):
            found = self._letter(lead.group(1) or lead.group(2) or lead.group(3), prompt)
        return found if found is not None else _only(self._votes(head, prompt))

    def _lead(self, sentence: str, prompt: str) -> int | None:
        head = re.split(r"[,.;:!\-\u2013\u2014\u2026\n]", sentence, maxsplit=1)[0]
        if len(head) < len(sentence) and (found := self._exactly(head, "")) is not None:
            return found
        if lead := LETTER_LEAD.match(sentence):
            return self._letter(lead.group(1) or lead.group(2) or lead.group(3), prompt)
        return None

    def _vote(self, folded: str, prompt: str) -> int | None:
        said = [part for part in sentences(quoted_removed(folded)) if not _UNDECIDED.search(part)]
        told = [(_OTHERS.sub(" ", part), affirmed) for part, affirmed in questions_answered(said, _YES, _NO)]
        if not told:
            return None
        parts = [part for part, affirmed in told if affirmed is None]
        lead = self._lead(parts[0], prompt) if told[0][1] is None else None
        strong: list[int] = []
        weak: list[int] = []
        conclusion: int | None = None
        for part, affirmed in told:
            votes, hints = self._sentence(part, prompt)
            if affirmed is not None:
                strong += self._answered([vote for _, vote in votes], affirmed=affirmed)
                continue
            strong += [vote for _, vote in votes]
            weak += [vote for _, vote in hints]
            single = _only([vote for _, vote in votes])
            if single is not None and _CONCLUDES.search(part):
                conclusion = single
        if lead is not None and _only([lead, *strong]) == lead:
            return lead
        if strong and (only := _only(strong)) is not None:
            return only
        if not strong:
            bare = [
                vote for part in bare_conditionals(parts, self._strong) for vote in self._votes(part, prompt)
            ]
            return _only(bare or weak)
        return self._conflict(parts, prompt, lead, conclusion)

    def _answered(self, votes: Sequence[int], *, affirmed: bool) -> list[int]:
        """What a yes or no to the reply's own question votes for."""
        asked = _only(votes)
        if asked is None or affirmed:
            return [] if asked is None else [asked]
        return [1 - asked] if len(self._options) == 2 else []  # noqa: PLR2004 - the other of two

    def _conflict(
        self, parts: Sequence[str], prompt: str, lead: int | None, conclusion: int | None
    ) -> int | None:
        joined = " ".join(parts)
        last = last_match(_CORRECTION, joined)
        if last is not None:
            return _only(self._votes(joined[last.end() :], prompt))
        if lead is not None and takes_back(parts, lead, lambda clause: self._votes(clause, prompt)):
            return None
        if lead is None or conclusion is None or lead == conclusion:
            return conclusion if lead is None else lead
        return None

    def _votes(self, sentence: str, prompt: str) -> list[int]:
        """Strong votes of a sentence, in order."""
        return [vote for _, vote in self._sentence(sentence, prompt)[0]]

    def _sentence(self, sentence: str, prompt: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Strong and weak votes of a sentence, each as (position, option)."""
        if self._combined is not None:
            sentence = self._combined.sub(" ", sentence)
        sentence = without_unreal(without_restatement(sentence))
        if self._either is not None:
            sentence = self._either.sub(" ", sentence)
        if self._unknown_option is not None and self.says_unknown(sentence):
            return [(0, self._unknown_option)], []
        tokens = tokens_of(sentence)
        strong = self._phrase_votes(tokens)
        weak: list[tuple[int, int]] = []
        for position, token in enumerate(tokens):
            sign = self._strong.get(token)
            hint = self._weak.get(token)
            if self._yes_no is not None and self._says_yes_no(tokens, position):
                strong.append((position, self._yes_no[0] if token in _YES else self._yes_no[1]))
            elif sign is not None and (polar := self._polarity(prompt)) is not None:
                strong += self._signed(tokens, position, sign, polar)
            elif hint is not None and (polar := self._polarity(prompt)) is not None:
                weak += self._signed(tokens, position, hint, polar)
        if not strong and self._keywords:
            strong = self._keyword_votes(tokens)
        return strong, weak

    def _signed(
        self, tokens: Sequence[str], position: int, sign: int, polar: tuple[int, int]
    ) -> list[tuple[int, int]]:
        if conditional(tokens, position) or unreal(tokens, position):
            return []
        if negated(tokens, position, self._denials if sign > 0 else NONE):
            sign = -sign
        return [(position, polar[0] if sign > 0 else polar[1])]

    def _phrase_votes(self, tokens: Sequence[str]) -> list[tuple[int, int]]:
        """Votes of whole option texts, longest first, each token counted once."""
        places = [place for place, token in enumerate(tokens) if token not in MARKS]
        said = [tokens[place] for place in places]
        used: set[int] = set()
        votes: list[tuple[int, int]] = []
        for phrase, option in self._phrases:
            if not phrase or (len(phrase) == 1 and (phrase[0] in _NO or phrase[0] in self._strong)):
                continue
            for start in range(len(said)):
                matched = () if start in used else phrase_at(said, start, phrase)
                if matched:
                    used.update(matched)
                    votes += self._exclusive(tokens, places[start], option)
        return votes

    def _exclusive(self, tokens: Sequence[str], place: int, option: int) -> list[tuple[int, int]]:
        if conditional(tokens, place) or unreal(tokens, place):
            return []
        if not negated(tokens, place, NONE):
            return [(place, option)]
        return [(place, 1 - option)] if len(self._options) == 2 else []  # noqa: PLR2004 - the other of two

    def _keyword_votes(self, tokens: Sequence[str]) -> list[tuple[int, int]]:
        votes: list[tuple[int, int]] = []
        for place, token in enumerate(tokens):
            if token in self._keywords:
                votes += self._exclusive(tokens, place, self._keywords[token])
        return votes

    def _says_yes_no(self, tokens: Sequence[str], position: int) -> bool:
        token = tokens[position]
        if token in _YES:
            return True
        if token not in _NO:
            return False
        after = tokens[position + 1] if position + 1 < len(tokens) else "."
        before = tokens[position - 1] if position else "."
        return (
            after in STOPS
            or before == "a"
            or (after == "wait" and before in STOPS)
            or (before in _SAYS_NO and after in {"because", "as", "since"})
        )

    def _polarity(self, prompt: str) -> tuple[int, int] | None:
        """What an action word says to a yes/no question: nothing unless it asks about granting."""
        if self._yes_no is None:
            return self._polar
        asked = words(expand_contractions(prompt[-_QUESTION:].casefold()))
        signs = {sign for word in asked if (sign := self._strong.get(word)) is not None}
        return self._yes_no if signs == {1} and _TURNS.isdisjoint(asked) else None

    def _word_votes(
        self, folded: Sequence[str]
    ) -> tuple[dict[str, int], dict[str, int], tuple[int, int] | None]:
        """Word -> +1 or -1 for strong and weak words, and which options these signs stand for."""
        signs = [self._sign(text) for text in folded]
        polar = (signs.index(1), signs.index(-1)) if signs.count(1) == 1 and signs.count(-1) == 1 else None
        if polar is None and self._yes_no is None:
            return {}, {}, None
        tables: list[dict[str, int]] = []
        for strength in ("strong", "weak"):
            table: dict[str, int] = {}
            for family, sign in (("favour", 1), ("disfavour", -1)):
                table |= {form: sign for forms in self._families[family][strength] for form in forms}
            tables.append(table)
        return tables[0], tables[1], polar

    def _sign(self, text: str) -> int:
        """+1 for an option such as `approve`, -1 for `decline` and `do not approve`, 0 for others."""
        told = words(text)
        for family, sign in (("favour", 1), ("disfavour", -1)):
            forms = {form for group in self._families[family]["strong"] for form in group}
            if any(word in forms for word in told[:4]):
                return -sign if "not" in told[:3] or told[0] == "no" else sign
        return 0

    def _unique_words(self, folded: Sequence[str]) -> dict[str, int]:
        """Words that stand in one option only: how replies shorten options that are phrases."""
        if self._polar is not None or self._yes_no is not None:
            return {}
        table: dict[str, list[int]] = {}
        for index, text in enumerate(folded):
            for word in set(words(text)) - COMMON:
                table.setdefault(word, []).append(index)
        return {
            word: owners[0] for word, owners in sorted(table.items()) if len(owners) == 1 and len(word) > 1
        }


_QUESTION = 300
_TURNS = frozenset({"not", "never", "without", "down", "against", "withhold", "away", "out", "over"})
"""Words that may turn a question about granting into one about denying."""


def _only(votes: Sequence[int | None]) -> int | None:
    """The vote if all agree and none is missing, else None."""
    return votes[0] if votes and all(vote == votes[0] for vote in votes) else None
