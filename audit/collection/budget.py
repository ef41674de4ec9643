"""Where collection stops: minutes, tokens, requests and money, and the share of errors.

A run's limits hold over all its invocations (see `audit.ledger`); what is given here is what is left of
them. What is on its way counts as expected, so that tokens, money and energy exceed a limit by little, and
at most by what was in flight; requests never do.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec

from audit.collection.energy import find_energy
from audit.collection.prices import Price, find_price
from audit.errors import SpecError
from audit.limits import GivenPrice, Limits, ReachedLimit
from audit.records import Outcome, Output, Request
from audit.targets.base import TargetInfo
from audit.token_estimates import estimated_tokens

__all__ = ["ErrorShare", "Price", "Spending", "find_price", "refuse_unknown_spending"]

_GIVE_PRICE = "give `price` beside the model in the spec, or set limits.tokens or limits.requests instead"
_OTHER_LIMIT = "set limits.tokens or limits.requests instead"
_GET_ENERGY = f'pip install "evenhand[energy]", or {_OTHER_LIMIT}'


def refuse_unknown_spending(
    limits: Limits, targets: Mapping[str, TargetInfo], given: Mapping[str, GivenPrice | None], where: str
) -> None:
    """Refuse a limit in money or energy where what is asked has no known price, or energy.

    Args:
        limits: Those of the spec.
        targets: What is asked, by name.
        given: Prices that the spec gives, by the same names.
        where: Name of the spec file, for messages.

    Raises:
        SpecError: Names file, limit and model.
    """
    prices = {} if limits.usd is None else {k: find_price(one, given.get(k)) for k, one in targets.items()}
    energy = {} if limits.kwh is None else {k: find_energy(one) for k, one in targets.items()}
    _refuse_unknown(limits, targets, prices, energy, f"{where}: ")


def _refuse_unknown(
    limits: Limits,
    targets: Mapping[str, TargetInfo],
    prices: Mapping[str, object],
    energy: Mapping[str, object],
    where: str = "",
) -> None:
    get_energy = _OTHER_LIMIT if find_spec("ecologits") else _GET_ENERGY
    checked: tuple[tuple[str, Mapping[str, object], str, str, str], ...] = (
        ("usd", prices, "price", "has a price, published or in the spec", _GIVE_PRICE),
        ("kwh", energy, "energy", "is in the table of ecologits", get_energy),
    )
    for limit, known, what, accepted, next_step in checked:
        value = getattr(limits, limit)
        for name, found in known.items():
            if value is not None and found is None:
                model = targets[name].facts.get("model", "unnamed")
                raise SpecError(
                    f"{where}limits.{limit}: got {value}, but no {what} is known for model {model!r} of "
                    f"{name}; accepted where every model {accepted}",
                    next_step=next_step,
                )


class Spending:
    """What one collection has used of its limits."""

    def __init__(
        self,
        limits: Limits,
        targets: Mapping[str, TargetInfo],
        clock: Callable[[], float],
        given: Mapping[str, GivenPrice | None] | None = None,
    ) -> None:
        """Look prices and energy up and start the clock.

        Args:
            limits: What may still be used.
            targets: What is asked, by name.
            clock: Seconds that only grow.
            given: Prices that the spec gives, by the same names.

        Raises:
            SpecError: There is a limit in money or energy and a target of which it is not known.
        """
        self._limits = limits
        self._clock = clock
        self._start = clock()
        given = given or {}
        self._prices = {name: find_price(info, given.get(name)) for name, info in sorted(targets.items())}
        self._energy = {name: find_energy(info) for name, info in sorted(targets.items())}
        self.requests = 0
        self.tokens = 0
        self.estimated = False
        self.usd: Decimal | None = None if None in self._prices.values() else Decimal(0)
        self.kwh: tuple[float, float] | None = None if None in self._energy.values() else (0.0, 0.0)
        self._spent = 0
        _refuse_unknown(limits, targets, self._prices, self._energy)

    def reached(self, waiting: int = 0) -> ReachedLimit | None:
        """The limit that is reached; None if there is room.

        Args:
            waiting: Requests on their way. They count as much as the mean of those that came back, so that
                what they bring hardly goes beyond a limit; while none has come back, they count nothing.
        """
        minutes = (self._clock() - self._start) / 60
        used: dict[str, float] = {
            "minutes": minutes,
            "requests": self.requests,
            "tokens": self.tokens,
            "usd": float(self.usd or 0),
            "kwh": 0.0 if self.kwh is None else self.kwh[1],
        }
        for name, value in used.items():
            limit = getattr(self._limits, name)
            by_output = name in {"tokens", "usd", "kwh"}
            coming = waiting * value / self._spent if by_output and self._spent else 0.0
            if limit is not None and value + coming >= limit:
                estimated = name == "kwh" or (by_output and self.estimated)
                return ReachedLimit(name=name, limit=limit, used=value, coming=coming, estimated=estimated)
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

    def came(self, requests: int) -> None:
        """Count requests that were sent before this invocation and have ended in it."""
        self.requests += requests

    def requests_left(self) -> int | None:
        """Requests that may still be sent; None if there is no limit."""
        return None if self._limits.requests is None else max(0, self._limits.requests - self.requests)

    def spent(self, request: Request, output: Output) -> None:
        """Count what an output took; a cached one, or an errored one without usage, took nothing known."""
        usage = output.usage
        if output.cached or (output.error is not None and usage is None):
            return
        prompt = None if usage is None else usage.prompt_tokens
        completion = None if usage is None else usage.completion_tokens
        self.estimated = self.estimated or prompt is None or completion is None
        if prompt is None:
            prompt = estimated_tokens(sum(len(message.content) for message in request.messages))
        if completion is None:
            completion = estimated_tokens(len(output.text or ""))
        self._spent += 1
        self.tokens += prompt + completion
        price, energy = self._prices[output.target], self._energy[output.target]
        if price is not None and self.usd is not None:
            self.usd += price.usd(prompt, completion)
        if energy is not None and self.kwh is not None and output.latency_s is not None:
            low, high = energy.kwh(completion, output.latency_s)
            self.kwh = self.kwh[0] + low, self.kwh[1] + high


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
