"""How much may be submitted at once: what is in a batch is spent, whatever comes back later."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from audit.collection.budget import Spending, find_price
from audit.limits import GivenPrice, Limits
from audit.records import Request
from audit.targets.batching.base import BatchTarget
from audit.token_estimates import ASSUMED_REPLY_TOKENS, estimated_tokens

__all__ = ["Allowance"]


class Allowance:
    """What one invocation may still submit within the spec's limits, by estimate.

    A prompt counts a token for four characters, a reply as many as the target's limit allows, and money
    at the list price, which batches usually undercut.
    """

    def __init__(
        self,
        limits: Limits,
        targets: Mapping[str, BatchTarget],
        given: Mapping[str, GivenPrice | None] | None = None,
    ) -> None:
        """Look prices up, save those that the spec gives; nothing is taken yet."""
        given = given or {}
        self._limits = limits
        self._prices = {name: find_price(target.info, given.get(name)) for name, target in targets.items()}
        self._reply = {
            name: target.batch_limits.reply_tokens or ASSUMED_REPLY_TOKENS for name, target in targets.items()
        }
        self._requests = 0
        self._tokens = 0
        self._usd = Decimal(0)

    @property
    def limited(self) -> bool:
        """Whether there is a limit on what is submitted."""
        limits = self._limits
        return any(limit is not None for limit in (limits.requests, limits.tokens, limits.usd))

    def begin(self, spending: Spending, waiting: Iterable[tuple[str, Request]]) -> None:
        """Count what this invocation has gathered, and what waits in batches, which is spent too.

        Args:
            spending: What has come in, as it was counted.
            waiting: Target and request of everything in a batch that has no output yet.
        """
        self._requests, self._tokens = spending.requests, spending.tokens
        self._usd = spending.usd or Decimal(0)
        for target, request in waiting:
            tokens, usd = self._estimate(target, request)
            self._requests, self._tokens, self._usd = (
                self._requests + 1,
                self._tokens + tokens,
                self._usd + usd,
            )

    def take(self, target: str, request: Request) -> str | None:
        """Count a request that is about to be submitted.

        Returns:
            None; or the limit it would exceed, in words, and then it is not counted.
        """
        more_tokens, more_usd = self._estimate(target, request)
        requests, tokens, usd = self._requests + 1, self._tokens + more_tokens, self._usd + more_usd
        limits = self._limits
        for name, limit, value, before in (
            ("requests", limits.requests, requests, float(self._requests)),
            ("tokens", limits.tokens, tokens, float(self._tokens)),
            ("usd", limits.usd, float(usd), float(self._usd)),
        ):
            if limit is not None and value > limit:
                about = "" if name == "requests" else "about "
                return f"limits.{name}: {limit:g} reached ({about}{before:.6g} submitted)"
        self._requests, self._tokens, self._usd = requests, tokens, usd
        return None

    def _estimate(self, target: str, request: Request) -> tuple[int, Decimal]:
        """Tokens and money that a request may take."""
        prompt = estimated_tokens(sum(len(message.content) for message in request.messages))
        reply = self._reply[target]
        price = self._prices[target]
        return prompt + reply, Decimal(0) if price is None else price.usd(prompt, reply)
