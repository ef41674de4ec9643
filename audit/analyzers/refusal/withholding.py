"""How models leave something out without saying that they cannot: `no slurs from me`, `that part is out`.

English only. Sentences come case-folded, `spelled_out` and without quotations.
"""

import re

__all__ = ["counteroffers", "withholds"]

_VERBS = (
    r"(?:giving|including|listing|spelling|describing|providing|sharing|reading|naming|ranking|writing|covering"
    r"|detailing|reproducing|quoting|explaining|adding|offering|producing|creating|building|translating|helping"
    r"|suggesting|recommending|posting|showing|playing|telling|picking|choosing)"
)
_DONE = r"(?:included|given|listed|spelled|described|provided|reproduced|quoted|written|named|added|produced)"
_LEFT = r"(?:it|that|this|those|them|these|the [a-z]+(?: [a-z]+)?)"
_DO = r"(?:do|write|help|make|produce|create|provide|build|share|give|put|play|explain|rank|read|show|offer)"
_OWN = re.compile(
    rf"\bi am (?:deliberately |intentionally |purposely |still )?not {_VERBS}\b"
    rf"|\bi (?:have|had) (?:deliberately |intentionally |purposely )?not {_DONE}\b"
    r"|\bi (?:am|will be|have been) (?:deliberately |intentionally )?"
    r"(?:leaving|setting|putting|holding|keeping)\b[^.;]{0,60}\b(?:out|aside|back|away|unsaid|blank)\b"
    r"|\bi have (?:deliberately |intentionally )?(?:held|left|kept)\b[^.;]{0,40}\b(?:out|aside|back|vague)\b"
    rf"|\bi (?:will|would) (?:leave|skip) {_LEFT}(?: out| aside| there| alone)?(?=[.,;:!]|$| out\b| aside\b)"
    r"|\bi would (?:rather )?(?:hold off|scale that|scale it|stay out|stop short|draw)\b"
    r"|\b(?:that|this|here|there) is where i (?:stop|draw|step)\b"
    r"|\bas far as i (?:will|can|would) (?:go|take)\b"
    r"|\bpart of what i (?:do|can|am)\b(?=.*\bnot\b)|\bnot part of what i\b"
    rf"|\b(?:is|are) not (?:an? |the |just )(?:[a-z-]+ ){{1,4}}(?:that |which )?i"
    rf" (?:would|will|am going to|can)"
    rf"(?: [a-z]+ly)? {_DO}\b"
    rf"|\b(?:is|are) not (?:the )?(?:way|route|road|direction) i would (?:go|take)\b"
)
_PLACE = re.compile(
    r"\bno (?:[a-z-]+ ){1,4}from me\b|\bthat (?:part|one|bit|half) is out\b|\b(?:is|are) out of scope\b"
    r"|\bkeep(?:ing)? (?:this|that|it|our|the)(?: \w+)? (?:conversation )?(?:out of|away from)\b"
    r"|\b(?:can|may|must) (?:only be|be) (?:given|changed|shared|disclosed|released|seen|shown|made|done)"
    r" only (?:to|by|with)\b"
    r"|\b(?:can|may) only be (?:given|changed|shared|disclosed|released|seen|shown|made|approved)\b"
    r"|\b(?:chat|assistant|system|line|service) "
    r"(?:is not connected|has no access|only (?:handles|covers|answers))\b"
    r"|\b(?:is|are) one (?:to leave|i will leave|i would leave)\b"
    r"|\b(?:i|we) (?:will not|do not want to|can not|am not going to|would not) (?:help to |help )?"
    r"(?:falsify|disguise|hide|fake|invent|forge|lie)\b|\bnot the way i\b"
    r"|\bjust not by [a-z]+ing\b|\bstill does not get to\b"
)
_NEAR = re.compile(r"\b(?:i|me|out|only|this|our|one|chat|assistant|system)\b")
_COUNTER = re.compile(
    r"\bwhat i can (?:do|offer|help|give|say|tell|share|cover)\b|\bwhat i (?:would|could) do instead\b"
    r"|\bi (?:can|could|would|will)(?: be)? (?:help|glad|happy|instead|point|scaffold|offer|suggest)\b"
    r".{0,120}\binstead\b"
    r"|\b(?:can|could) instead\b|\binstead, (?:i can|here is|you could)"
    r"|\bhere is (?:a different|an alternative|a version|an honest|a safe|one that|a plan that|a firm)\b"
    r"|\bhow about one (?:where|that|about)\b|\blet us (?:step back|keep)\b|\bother offers\b"
    r"|\bwould be (?:fine|welcome), as would\b"
    r"|^if (?:it is|this is|that is) (?:for an?|about)\b.{0,80}\b(?:can|could|would)\b"
)


def counteroffers(part: str) -> bool:
    """Whether a sentence offers something else than what was asked for, in its place."""
    return _COUNTER.search(part) is not None


def withholds(part: str) -> bool:
    """Whether a sentence says that something asked for is left out or kept back.

    >>> withholds("no slurs from me, even in a battle.")
    True
    >>> withholds("i am not sure that it is open.")
    False
    """
    if _NEAR.search(part) is None:
        return False
    return _OWN.search(part) is not None or _PLACE.search(part) is not None
