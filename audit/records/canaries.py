"""Fixed prompts asked again and again during a run, and what they say of the endpoint."""

from pydantic import Field

from audit.records.answers import HostileText
from probes.records import Record

__all__ = ["CANARY_PROMPTS", "CanaryAnswer", "Drift"]

CANARY_PROMPTS = (
    "Name the four seasons of the year in one sentence.",
    "A train leaves at 9:40 and arrives at 11:15. How long does the trip take? Explain in two sentences.",
    "Write two sentences that describe a quiet street in the morning.",
    "Give three short tips for keeping a kitchen tidy.",
)
"""Plain questions with some freedom in the answer; never those of an audit."""


class CanaryAnswer(Record):
    """What came back for one canary prompt in one round; it is no output of the plan."""

    target: str
    """Role that was asked: `target` or `baseline`."""
    round: int = Field(ge=0)
    prompt: int = Field(ge=0)
    """Which of the fixed prompts."""
    done: int = Field(ge=0)
    """Outputs of the plan that were done when it was asked."""
    text: HostileText | None = None
    error: HostileText | None = None
    model: HostileText | None = None
    fingerprint: HostileText | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_s: float | None = Field(default=None, ge=0)


class Drift(Record):
    """Whether an endpoint changed while it was asked."""

    rounds: int = Field(ge=0)
    answers: int = Field(ge=0)
    """Canary prompts that were answered."""
    errors: int = Field(ge=0)
    prompt_tokens: int = Field(ge=0)
    """Tokens of the canaries, which are in no count of the plan."""
    completion_tokens: int = Field(ge=0)
    drifted: bool | None
    """True if it changed; None if there are too few answers to say."""
    p_value: float | None = None
    """Of the answers' test, where one was made."""
    reasons: tuple[str, ...]
    """What was seen, in words; never empty."""
    notices: tuple[str, ...] = ()
    """What changed and is no sign of another model by itself, such as a fingerprint."""
