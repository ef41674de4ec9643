"""Where collection stops: minutes, tokens, requests and money, and the share of errors.

Limits hold for one invocation (`run` or `resume`): going on after a limit was reached is a person's
decision to spend as much again. What is on its way when a limit is reached is still waited for, so
tokens and money may exceed it by at most what was in flight; requests never do.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from audit.errors import SpecError
from audit.records import Outcome, Output, Request
from audit.spec import Limits
from audit.targets.base import TargetInfo

__all__ = ["ErrorShare", "Price", "Spending", "find_price"]

_CHARACTERS_A_TOKEN = 4
"""Rough length of a token of English, for estimates only. Source: OpenAI's tokenizer page."""
_MILLION = 1_000_000


class Price:
    """What a model's tokens cost, from the price table shipped with genai-prices (offline, dated)."""

    def __init__(self, model: str, address: str | None) -> None:
        """Look a model up.

        Args:
            model: Its name; a fine-tuned one (`ft:base:…`) has the price of its base model, the
                nearest that is published.
            address: The endpoint's base URL; None to go by the model's name alone.

        Raises:
            LookupError: The table has no such model at this provider.
        """
        self._model = model.split(":")[1] if model.startswith("ft:") else model
        self._address = address
        self.usd(_MILLION, 0)

    def usd(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Price of one output, in US dollars."""
        from genai_prices import Usage, calc_price  # noqa: PLC0415 - a second of import, only where money counts

        usage = Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens)
        return calc_price(usage, self._model, provider_api_url=self._address).total_price


def find_price(info: TargetInfo) -> Price | None:
    """The price of what a target's facts name (`model`, and `base_url` if it has one); None if unknown."""
    model = info.facts.get("model")
    if not model or not info.hosts:
        return None
    try:
        return Price(model, info.facts.get("base_url"))
    except LookupError:
        return None


class Spending:
    """What this invocation has used of its limits."""

    def __init__(self, limits: Limits, targets: Mapping[str, TargetInfo], clock: Callable[[], float]) -> None:
        """Look prices up and start the clock.

        Raises:
            SpecError: There is a limit in money and a target whose price is not known.
        """
        self._limits = limits
        self._clock = clock
        self._start = clock()
        self._prices = {name: find_price(info) for name, info in sorted(targets.items())}
        self.requests = 0
        self.tokens = 0
        self.estimated = False
        self.usd: Decimal | None = Decimal(0)
        for name, price in self._prices.items():
            if price is None:
                self.usd = None
                if limits.usd is not None:
                    model = targets[name].facts.get("model", "unnamed")
                    raise SpecError(
                        f"limits.usd: got {limits.usd}, but no price is known for model {model!r} of {name}; "
                        "accepted where every model has a published price",
                        next_step="remove limits.usd, or set limits.tokens or limits.requests instead",
                    )

    def reached(self) -> str | None:
        """The limit that is reached, in words; None if there is room."""
        limits = self._limits
        minutes = (self._clock() - self._start) / 60
        used: tuple[tuple[str, float | None, float], ...] = (
            ("minutes", limits.minutes, minutes),
            ("tokens", limits.tokens, self.tokens),
            ("requests", limits.requests, self.requests),
            ("usd", limits.usd, 0.0 if self.usd is None else float(self.usd)),
        )
        for name, limit, value in used:
            if limit is not None and value >= limit:
                about = "about " if self.estimated and name in {"tokens", "usd"} else ""
                return f"limits.{name}: {limit:g} reached ({about}{value:.6g} used)"
        return None

    def seconds_left(self) -> float | None:
        """Seconds until the limit in minutes; None if there is none."""
        if self._limits.minutes is None:
            return None
        return max(0.0, self._limits.minutes * 60 - (self._clock() - self._start))

    def take_requests(self, wanted: int) -> bool:
        """Count requests about to be sent, retries too.

        Returns:
            False, and nothing is counted, if they would exceed the limit.
        """
        left = self.requests_left()
        if left is not None and wanted > left:
            return False
        self.requests += wanted
        return True

    def requests_left(self) -> int | None:
        """Requests that may still be sent; None if there is no limit."""
        return None if self._limits.requests is None else max(0, self._limits.requests - self.requests)

    def spent(self, request: Request, output: Output) -> None:
        """Count an output's tokens and price; a cached one, or an errored one without usage, has none."""
        usage = output.usage
        if output.cached or (output.error is not None and usage is None):
            return
        prompt = None if usage is None else usage.prompt_tokens
        completion = None if usage is None else usage.completion_tokens
        self.estimated = self.estimated or prompt is None or completion is None
        if prompt is None:
            prompt = _estimate("".join(message.content for message in request.messages))
        if completion is None:
            completion = _estimate(output.text or "")
        self.tokens += prompt + completion
        price = self._prices[output.target]
        if price is not None and self.usd is not None:
            self.usd += price.usd(prompt, completion)


def _estimate(text: str) -> int:
    """Roughly how many tokens a text has."""
    return math.ceil(len(text) / _CHARACTERS_A_TOKEN)


class ErrorShare:
    """Whether too many of one target's last outputs are errors."""

    def __init__(self, limit: float, *, window: int = 100, at_least: int = 20) -> None:
        """Watch the last outputs.

        Args:
            limit: Largest accepted share, a fraction in (0, 1].
            window: How many of the last outputs count.
            at_least: Outputs before any verdict.
        """
        self._limit = limit
        self._last: deque[bool] = deque(maxlen=window)
        self._at_least = at_least
        self._errored = 0
        self._finished = 0
        self.example: str | None = None

    def add(self, outputs: Sequence[Output]) -> None:
        """Count finished outputs."""
        for output in outputs:
            errored = output.outcome is Outcome.ERRORED
            self._last.append(errored)
            self._finished += 1
            self._errored += errored
            self.example = output.error or self.example

    def exceeded(self) -> str | None:
        """What is wrong, in words, while collecting; None if all is well or too little is known."""
        if len(self._last) < self._at_least or sum(self._last) <= self._limit * len(self._last):
            return None
        return self._words(sum(self._last), len(self._last))

    def exceeded_at_end(self) -> str | None:
        """What is wrong, in words, of all outputs of this invocation, however few."""
        if self._errored <= self._limit * self._finished:
            return None
        return self._words(self._errored, self._finished)

    def _words(self, errored: int, finished: int) -> str:
        return (
            f"limits.error_rate: {errored} of the last {finished} outputs errored, "
            f"accepted are {self._limit:.0%}; the last error: {self.example}"
        )
