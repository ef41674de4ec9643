"""What the server was asked, counted, so that a client can prove that it asked nothing twice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import JsonValue

__all__ = ["Counting"]

_MOST_REMEMBERED = 2_000_000


@dataclass(slots=True)
class _OfModel:
    """Counts of one model."""

    requests: int = 0
    answered: int = 0
    answered_again: int = 0
    """Answers to what had been answered before, by all that a call sets."""
    failures: Counter[str] = field(default_factory=Counter)
    known: dict[str, bool] = field(default_factory=dict)
    """Key of a call to whether it was answered."""

    def shown(self) -> dict[str, JsonValue]:
        return {
            "requests": self.requests,
            "distinct": len(self.known),
            "answered": self.answered,
            "answered_again": self.answered_again,
            "failures": dict(sorted(self.failures.items())),
        }


class Counting:
    """Counts calls to models and requests to endpoints."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._in_flight = 0
        self.forget()

    def forget(self) -> None:
        """Start again; what is being served still is."""
        self._models: dict[str, _OfModel] = {}
        self._endpoints: Counter[str] = Counter()
        self._most = self._in_flight

    def asked(self, model: str, key: str) -> None:
        """A call to a model has come in.

        Args:
            model: The name as asked for.
            key: What tells the call from another.
        """
        counts = self._models.setdefault(model, _OfModel())
        counts.requests += 1
        counts.known.setdefault(key, False)
        if len(counts.known) > _MOST_REMEMBERED:
            counts.known.pop(next(iter(counts.known)))

    def answered(self, model: str, key: str) -> None:
        """A call was answered."""
        counts = self._models.setdefault(model, _OfModel())
        counts.answered += 1
        counts.answered_again += counts.known.get(key, False)
        counts.known[key] = True

    def failed(self, model: str, what: str) -> None:
        """A call was not answered.

        Args:
            model: The name as asked for.
            what: The failure's status or name.
        """
        self._models.setdefault(model, _OfModel()).failures[what] += 1

    @contextmanager
    def in_flight(self, endpoint: str) -> Iterator[None]:
        """A request is being served.

        Args:
            endpoint: Method and route.
        """
        self._endpoints[endpoint] += 1
        self._in_flight += 1
        self._most = max(self._most, self._in_flight)
        try:
            yield
        finally:
            self._in_flight -= 1

    def shown(self) -> dict[str, JsonValue]:
        """All counts; the request that asks for them is none of them."""
        return {
            "endpoints": dict(sorted(self._endpoints.items())),
            "in_flight": self._in_flight,
            "most_in_flight": self._most,
            "models": {name: counts.shown() for name, counts in sorted(self._models.items())},
        }
