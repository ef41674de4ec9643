"""How many tokens a plan will take, as ranges, before anything is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor

from audit.plan import Plan
from audit.records import Output, Request
from audit.records.canaries import CANARY_PROMPTS
from audit.token_estimates import ASSUMED_REPLY_TOKENS, CHARACTERS_A_TOKEN

__all__ = ["Counted", "PlannedTokens", "counted_tokens", "planned_tokens"]

_MOST_CHARACTERS = 5.0
"""In a token of plain English; other languages and code have fewer."""
_FEWEST_CHARACTERS = 3.0
_ABOUT = 0.1
"""By how much what was counted in a pilot may differ from what comes."""
_REPLY_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""Names under which `params` of a target may limit a reply."""

_Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a server counted in a pilot."""

    characters_a_token: float
    """Of prompts, with whatever the server puts around them."""
    reply_tokens: float
    """Mean of a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTokens:
    """Tokens of all calls of one target, canaries among them."""

    prompts: tuple[int, int]
    replies: tuple[int, int]
    reply: _Range
    """Of one reply."""
    prompts_from: str
    """Where the length of a token of the prompts is from, in words."""
    replies_from: str
    """Where the length of the replies is from, in words."""


def counted_tokens(answers: Iterable[tuple[Request, Output]]) -> Counted | None:
    """What a server counted; None if it counted nothing.

    Args:
        answers: Outputs with what was asked.
    """
    characters = sent = replies = came = 0
    for request, output in answers:
        usage = output.usage
        if usage is None or not usage.prompt_tokens or usage.completion_tokens is None:
            continue
        characters += sum(len(message.content) for message in request.messages)
        sent += usage.prompt_tokens
        came += usage.completion_tokens
        replies += 1
    if not characters or not replies:
        return None
    return Counted(characters_a_token=characters / sent, reply_tokens=came / replies)


def planned_tokens(
    plan: Plan,
    canaries: int,
    options: Mapping[str, object],
    pilot_reply: float | None,
    counted: Counted | None,
) -> PlannedTokens:
    """Tokens that one target of a plan will take.

    Args:
        plan: The plan.
        canaries: Requests besides, of the fixed prompts.
        options: Of the target; `params` may limit a reply.
        pilot_reply: Mean length of a reply of a pilot, estimated from its characters.
        counted: What the pilot's server counted.
    """
    outputs = plan.requests // plan.targets
    # A later turn sends the replies before it again; the plan holds them at the length it assumes.
    again = sum(turn * calls for turn, calls in enumerate(plan.calls_by_turn)) // plan.targets
    own = (plan.prompt_tokens / plan.targets - again * ASSUMED_REPLY_TOKENS) * CHARACTERS_A_TOKEN
    own += canaries / len(CANARY_PROMPTS) * sum(map(len, CANARY_PROMPTS))
    system = options.get("system")
    if counted is None and isinstance(system, str):  # The pilot's count has what stands around its prompts.
        own += (outputs + canaries) * len(system)
    prompts_from, characters = _token_of(counted)
    replies_from, reply = _reply(pilot_reply, counted, options)
    return PlannedTokens(
        prompts=(
            floor(own / characters[1] + again * reply[0]),
            ceil(own / characters[0] + again * reply[1]),
        ),
        replies=(ceil((outputs + canaries) * reply[0]), ceil((outputs + canaries) * reply[1])),
        reply=reply,
        prompts_from=prompts_from,
        replies_from=replies_from,
    )


def _token_of(counted: Counted | None) -> tuple[str, _Range]:
    """Where the length of a token of a prompt is from, and its range in characters."""
    if counted is None:
        most, fewest = _MOST_CHARACTERS, _FEWEST_CHARACTERS
        return f"{most:g} to {fewest:g} characters each", (fewest, most)
    return f"as the pilot's were counted, give or take {_ABOUT:.0%}", (
        counted.characters_a_token / (1 + _ABOUT),
        counted.characters_a_token / (1 - _ABOUT),
    )


def _reply(
    pilot_reply: float | None, counted: Counted | None, options: Mapping[str, object]
) -> tuple[str, _Range]:
    """Where the length of a reply is from, and its range in tokens."""
    if counted is not None:
        mean = counted.reply_tokens
        said = f"as long as the pilot's were counted, give or take {_ABOUT:.0%}"
        return said, (mean * (1 - _ABOUT), mean * (1 + _ABOUT))
    if pilot_reply is not None:
        written = pilot_reply * CHARACTERS_A_TOKEN
        return "as long as the pilot's", (written / _MOST_CHARACTERS, written / _FEWEST_CHARACTERS)
    params = options.get("params")
    limits = params if isinstance(params, Mapping) else {}
    for name in _REPLY_LIMITS:
        limit = limits.get(name)
        if isinstance(limit, int):
            return f"up to {name}: {limit}", (1.0, float(limit))
    return f"assumed up to {ASSUMED_REPLY_TOKENS} tokens, since the spec sets no limit", (
        1.0,
        float(ASSUMED_REPLY_TOKENS),
    )
