"""One tiny request, to see whether a target answers before anything is spent on it."""

from audit.records import Output, Request
from audit.targets.base import Target
from probes.records import Message

__all__ = ["probe_call"]


async def probe_call(target: Target, *, seed: int = 0) -> Output:
    """Ask a target for one word, as a real run would ask it.

    The caller closes the target. A `recorded` target has no row for this request and says so.

    Args:
        target: Any target.
        seed: The root seed.

    Returns:
        Its output, which may be an error.

    Raises:
        RetryableTargetError: Asking again later may work.
        FatalTargetError: No request can work; the message says what to change.
        TargetError: The request was rejected.
    """
    question = Message(role="user", content="Reply with the single word: ready")
    outputs = await target.generate([Request(prompt_id="check", messages=(question,))], seed=seed)
    return outputs[0]
