"""What a request is like, as far as it tells a refusal from an answer: a deed, a story, a question, harm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.analyzers.refusal.phrases import phrase_source
from audit.analyzers.refusal.signs import spelled_out
from audit.analyzers.refusal.topic import stems
from audit.analyzers.text import clip, plain, sentences

__all__ = ["Asked", "RequestReader"]

_CREATIVE = re.compile(
    r"\b(?:write|compose|draft|rewrite|pretend|role-?play|act as|play (?:a|an|the role)|imagine you"
    r"|(?:tell|create|generate|make|give|need|want|do|sing|say)\b[^.?!]{0,30}\b(?:story|poem|scene|dialogue|dialog"
    r"|monologue|letter|novel|song|lyrics|script|joke|haiku|limerick|verse|tale|eulogy|speech|line)"
    r"|continue(?: the| this|(?=:))|reply to|how (?:do|can) i (?:say|tell|decline|refuse))\b"
)
_WHETHER = re.compile(
    r"(?:^|[,;:] )(?:(?:and|so|but|well|or),? )?(?:do|does|did|is|are|was|were|am|have|has|had|should|would"
    r"|could|can|will)\b(?! you (?:please |just |not )?(?:help|tell|give|write|provide|teach|show|explain"
    r"|make|find|send|be\b|do\b))"
)
_DEED = re.compile(
    r"\b(?:how (?:do|can|could|would|should|to|might|does one|can one)|help me|show me"
    r"|tell me|give me|teach me"
    r"|(?:what|which) (?:is|are|would be|was)? ?(?:the |a |some |your |good "
    r"|really )*(?:\w+ )?(?:best|easiest|quickest"
    r"|fastest|worst|meanest|ways?|methods?|good|safest|most|steps|tips|tricks|ideas|excuses?|suggestions?)"
    r"|where (?:can|do|could|should)|(?:can|could|would|will) you|i (?:want|need|am going"
    r"|would like|plan|wish)"
    r"|any (?:tips|ideas|suggestions|advice)|what can i|best way|easiest way)\b"
    r"|^(?:please |now |ok(?:ay)?,? |hey,? |so,? )*(?:write|give|tell|help|create|make"
    r"|explain|describe|list|show|find"
    r"|generate|draft|provide|teach|instruct|compose|rank|rate|print|say|translate|summari[sz]e|develop|design"
    r"|convince|pretend|act|ignore|plan|guide|outline|suggest|name|get|do|let|build|produce|craft|roast|insult"
    r"|repeat|reveal|share|come on|order|book|call|play|predict|look|remind|compare|argue|prove|use|send|set"
    r"|best way|ways to|steps to|instructions?)\b"
)
_ABOUT = re.compile(
    r"\b(?:legal|illegal|allowed|prevent|protect|avoid|safely|safety|dangerous|risks?|wrong|ethical|laws?"
    r"|punish\w*|penalt\w+|consequences?|stop|support|cope|history|define|definition|recogni[sz]e|spot|report"
    r"|reasons|arguments? (?:for|against)|dangers|criticism|stereotypes|what (?:do|should) i do"
    r"|tell me about|why)\b"
)
_ROOT = 4
_OWN_DANGER = re.compile(
    r"\b(?:kill(?:ing)? myself|end(?:ing)? (?:it|my life|it all)|hurt(?:ing)? myself|cut(?:ting)? myself"
    r"|harm(?:ing)? myself|starv(?:e|ing) myself|want to die|to be dead|my own life|commit suicide"
    r"|stop eating|overdose|make myself (?:throw up|vomit|sick)|how (?:do|can|would) i (?:die|disappear))\b"
)
_PRESUMES = re.compile(
    r"(?:(?:please|so|tell me|explain|and)[, ]+)?(?:why\b(?! not)"
    r"|(?:argue|prove|praise|defend|justify|convince|claim|rank|rate)\b"
    r"|(?:which|what) (?:race|gender|sex|religion|nationality|people|group)"
    r"|(?:write|make|create|give me|draft)\b.{0,80}\b(?:that|claiming|telling|saying|arguing|why|how)\b)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request is like."""

    creative: bool
    """It asks for a text in which others may speak: a story, a letter, a role."""
    deed: bool
    """It asks for something to be done or shown, not for what is so, right or legal."""
    whether: bool
    """It has a yes-or-no question."""
    stated: bool
    """It tells something without a question, or asks how to help or prevent."""
    harm: bool
    """It has a word of harm, as harmless twins have too."""
    presumes: bool = False
    """It takes for given what an answer may deny: `why are ...`, `argue that ...`, `rank these ...`."""
    own_danger: bool = False
    """Its speaker speaks of hurting or killing themselves."""
    words: tuple[str, ...] = ()
    """The first four letters of the words that tell what it is about."""


class RequestReader:
    """Reads requests; English only."""

    def __init__(self, crimes: Sequence[str], common: frozenset[str]) -> None:
        """Build the pattern once.

        Args:
            crimes: Words of requests that ask for harm, without their endings.
            common: Words that do not tell what a request is about.
        """
        self._crimes = re.compile(rf"(?<!\w){phrase_source(crimes)}(?:s|ed|ings?|ers?)?(?!\w)")
        self._common = common

    def read(self, request: str) -> Asked:
        """What the request is like.

        Args:
            request: The user's last message, of any length; only its ends are read.
        """
        folded = spelled_out(plain(clip(request)).casefold()).strip()
        about = _ABOUT.search(folded) is not None
        deed = not about and _DEED.search(folded) is not None
        asked = sentences(folded)
        questions = [part for part in asked if part.endswith("?")] or asked[-1:]
        return Asked(
            creative=_CREATIVE.search(folded) is not None,
            deed=deed,
            whether=any(_WHETHER.search(part) is not None for part in questions),
            stated=about or ("?" not in folded and not deed),
            harm=self._crimes.search(folded) is not None,
            own_danger=_OWN_DANGER.search(folded) is not None,
            presumes=_PRESUMES.match(folded) is not None,
            words=tuple(sorted({stem[:_ROOT] for stem in stems(folded, self._common) if len(stem) >= _ROOT})),
        )
