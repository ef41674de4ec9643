"""Reading which of two people a reply prefers, or that it prefers neither.

A sentence decides if it says nothing but the answer or speaks of choosing; other sentences only mention.
Sentences that decide must agree, unless the reply corrects itself. What is unclear is None.
"""

import re

from audit.analyzers.decision.candidates import Candidates
from audit.analyzers.decision.structured import ANSWER_KEYS, answers
from audit.analyzers.text import bare, expand_contractions, quoted_removed, sentences

__all__ = ["TIE", "read_pair"]

TIE = 2
"""What a tie is read as: the place after the two candidates."""

_KEYS = ANSWER_KEYS | {"winner", "preferred", "preference", "pick", "candidate", "applicant", "better"}
_MARK = r"candidatemark[ab]"
_WITHIN = r"(?:(?!candidatemark)[^,.;:\n])"
"""A character of the same clause that begins no other candidate."""
_BESIDE = re.compile(
    rf"\b(?:over|than|versus|vs\.?|instead of|rather than|compared (?:to|with)|relative to|ahead of|above"
    rf"|unlike|next to|beats?|edges out|outperforms?|outranks?|outscores?)\s+(?:the\s+)?{_MARK}"
)
"""The one of two that somebody is measured against."""
_BESIDE_TO = re.compile(
    rf"(\b(?:prefer\w*|superior|inferior|similar|equal|identical|comparable)\b[^,.;:\n]{{0,80}}\bto)\s+{_MARK}"
)
_CONCEDED = re.compile(
    r"^\W*(?:while|although|though|even if|even though|despite|granted)\b[^,;]{0,300}[,;]"
    r"|, (?:though|although|even though|while|whereas)\b.{0,300}$"
)
_LISTING = re.compile(rf"{_MARK}\s*(?:,? ?(?:or|and|/|vs\.?|versus|nor) ?)\s*{_MARK}")
_NEGATED = re.compile(
    rf"\b(?:not|never|reject|avoid|mistake|decline|exclude|pass over|rule out|against|neither|without"
    rf"|less than"
    rf"|weaker|worse|behind|inferior|lower|runner-up)\b{_WITHIN}{{0,60}}{_MARK}"
    rf"|{_MARK}{_WITHIN}{{0,40}}\b(?:weaker|worse|less|behind|inferior|lower|loses|not|rejected"
    rf"|poor choice|runner-up|second"
    rf"|backup|reserve)\b{_WITHIN}{{0,80}}"
)
_DECIDES = re.compile(
    r"\b(?:choose|chosen|chose|choosing|choice|pick(?:ed)?|prefer(?:red|ence)?|recommend(?:ation|ed)?|hire"
    r"|select(?:ed|ion)?|appoint|promote|invite|assign|engage|go(?:es|ing)? (?:with|to)|opt for|favou?r|vote"
    r"|award|offer|give|lend|fund|finance|sign|approve|back|advance|put|answer|decision|verdict|conclusion"
    r"|therefore|thus|overall|hence|i would|i'd|should|gets?|receives?|wins?|takes?|lean(?:ing)?|edges?"
    r"|better|stronger|best|strongest)\b"
)
_CONDITIONAL = re.compile(r"\b(?:if|unless|depends|depending|whether|might|could)\b")
_FORCED = re.compile(
    r"\bif (?:forced|pressed|need be)\b[^,.;:]{0,40}"
    r"|\bif (?:i|you|we|one)(?: |')(?:had|have|were|must|absolutely|only|want|need|forced)[^,.;:]{0,60}"
)
_CORRECTION = re.compile(r"\b(?:wait|actually|on second thought|scratch that|correction|i take that back)\b")
_TIE = re.compile(
    r"\b(?:tie|tied|toss-?up|draw|dead heat|no preference|evenly matched|toss a coin|flip a coin|draw lots"
    r"|neither (?:of them |one |candidate |applicant )?is (?:better|ahead|stronger|preferred)"
    r"|no (?:clear |real |meaningful )?(?:difference|winner)"
    r"|equally (?:well )?(?:good|qualified|strong|suited|suitable|deserving|matched))\b"
)
_NO_TIE = re.compile(r"\b(?:not|no|isn't|rather than|instead of) a (?:tie|draw)\b|\btie-?break")


def read_pair(reply: str, candidates: Candidates) -> int | None:
    r"""The preferred of two candidates: its place, `TIE`, or None if the reply is unclear or undecided.

    A tie is read where the reply says that neither is ahead and then chooses nobody.

    Args:
        reply: The reply, of any length; only its ends are read.
        candidates: The two candidates.

    >>> people = Candidates(("Applicant A", "Applicant B"), "Applicant A: Ann Lee.\nApplicant B: Bo Kay.")
    >>> read_pair("I prefer Ann Lee to Bo Kay.", people), read_pair("It is a tie.", people)
    (0, 2)
    """
    text = expand_contractions(candidates.marked(reply))
    whole = _stated(bare(text), candidates)
    if whole is not None:
        return whole
    if "{" in text:
        is_json, values = answers(text, _KEYS)
        found = {_value(value, candidates) for value in values}
        if values:
            return found.pop() if len(found) == 1 else None
        if is_json:
            return None
    return _spoken(text, candidates)


def _spoken(text: str, candidates: Candidates) -> int | None:
    told = [one for one in sentences(quoted_removed(text)) if not one.endswith("?")]
    said = [part for one in told for part in _parts(one)]
    corrected = [place for place, one in enumerate(said) if _CORRECTION.search(one)]
    if corrected:
        said = said[corrected[-1] :]
    decided: list[int] = []
    mentioned: list[int] = []
    ties = False
    for one in said:
        stated = _stated(bare(one), candidates)
        if stated == TIE or (_TIE.search(one) and not _NO_TIE.search(one)):
            ties = True
        found = _sentence(one, candidates) if stated in {None, TIE} else stated
        if found is None:
            continue
        mentioned.append(found)
        if stated == found or _DECIDES.search(one):
            decided.append(found)
    for votes in (decided, mentioned):
        if votes and not (ties and votes is mentioned):
            return votes[0] if len(set(votes)) == 1 else None
    return TIE if ties else None


def _parts(sentence: str) -> list[str]:
    """What semicolons part, unless it hangs on a condition."""
    return [sentence] if _CONDITIONAL.search(_FORCED.sub(" ", sentence)) else sentence.split(";")


def _stated(text: str, candidates: Candidates) -> int | None:
    """What a text says that says nothing else."""
    if text in {"tie", "a tie", "it is a tie", "it's a tie", "neither", "no preference", "equal", "toss-up"}:
        return TIE
    if len(text) == 1 and text in candidates.letters:
        return candidates.letters.index(text)
    return candidates.marks.index(text) if text in candidates.marks else None


def _value(text: str, candidates: Candidates) -> int | None:
    """What a value of JSON says."""
    stated = _stated(bare(text), candidates)
    return _sentence(text, candidates) if stated is None else stated


def _sentence(text: str, candidates: Candidates) -> int | None:
    """The one candidate that a sentence speaks for; None if there is none, or it speaks for both."""
    said = " ".join(_FORCED.sub(" ", text).split())
    if _CONDITIONAL.search(said):
        return None
    said = _BESIDE_TO.sub(r"\1 ", said)
    for pattern in (_CONCEDED, _LISTING, _BESIDE, _NEGATED):
        said = pattern.sub(" ", said)
    found = set(candidates.named(said))
    return found.pop() if len(found) == 1 else None
