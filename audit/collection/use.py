"""What a run has used so far, read from what it stored: tokens, money and energy, and what is unknown."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from audit.collection.energy import Energy, find_energy
from audit.collection.prices import Price, find_price
from audit.limits import GivenPrice
from audit.store_file import connected, failures
from audit.targets.base import TargetInfo
from probes.records import Record

__all__ = ["TargetUse", "target_uses"]

_PAGE = 1000

_SIZES = """SELECT
    coalesce(o.prompt_tokens, (SELECT (sum(length(json_extract(m.value, '$.content'))) + 3) / 4
        FROM prompts p, json_each(p.messages) m WHERE p.id = o.prompt_id), 0) AS sent,
    coalesce(o.completion_tokens, (length(o.text) + 3) / 4, 0) AS came,
    o.prompt_tokens IS NULL OR o.completion_tokens IS NULL AS estimated,
    round(o.latency_s, 1) AS latency,
    count(*)
    FROM outputs o WHERE o.target = ? AND o.cached = 0
    AND (o.error IS NULL OR o.prompt_tokens IS NOT NULL OR o.completion_tokens IS NOT NULL)
    GROUP BY sent, came, estimated, latency"""
"""Every attempt counts, superseded ones too: they were paid for. Errors without usage are counted apart."""
_OTHERS = """SELECT total(cached), total(cached = 0 AND error IS NOT NULL AND prompt_tokens IS NULL
    AND completion_tokens IS NULL) FROM outputs WHERE target = ?"""


class TargetUse(Record):
    """What the outputs of one target took, over all invocations."""

    model: str | None = None
    """As the target names it; None if it has no model."""
    outputs: int = Field(ge=0)
    """Outputs that were asked for and came back with a text or a count, superseded attempts included."""
    cached: int = Field(ge=0)
    """Outputs from a cache: they took nothing."""
    errored: int = Field(ge=0)
    """Outputs that ended in an error without a count of tokens: what they took is not known and in no sum."""
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    estimated: int = Field(ge=0)
    """Outputs whose tokens are an estimate, a token for four characters, for want of the provider's count."""
    usd: float | None = Field(ge=0)
    """Price in US dollars; None if it is not known."""
    price_source: str | None
    """The price table with its version, or the spec with its date; None if there is no price."""
    kwh_low: float | None = Field(ge=0)
    """Low end of the energy in kWh, an estimate; None if it is not known."""
    kwh_high: float | None = Field(ge=0)
    energy_source: str | None
    """The table of energy with its version."""
    without_latency: int = Field(default=0, ge=0)
    """Outputs without a latency: they are in no sum of energy."""


@dataclass(slots=True)
class _Sums:
    outputs: int = 0
    prompt: int = 0
    completion: int = 0
    estimated: int = 0
    without_latency: int = 0
    usd: Decimal = Decimal(0)
    low: float = 0.0
    high: float = 0.0

    def add(self, row: Sequence[float | None], price: Price | None, energy: Energy | None) -> None:
        sent, came, number = (int(row[place] or 0) for place in (0, 1, 4))
        latency = row[3]
        self.outputs += number
        self.prompt += number * sent
        self.completion += number * came
        self.estimated += number * bool(row[2])
        if price is not None:
            self.usd += price.total([(sent, came, number)])
        if latency is None:
            self.without_latency += number
        elif energy is not None:
            low, high = energy.kwh(came, latency)
            self.low += number * low
            self.high += number * high


def target_uses(
    database: Path, targets: Mapping[str, TargetInfo], given: Mapping[str, GivenPrice | None]
) -> dict[str, TargetUse]:
    """What each target's stored outputs took.

    Args:
        database: The run's store; it may be open for writing elsewhere.
        targets: What was asked, by the name under which its outputs are stored.
        given: Prices that the spec gives, by the same names.

    Raises:
        StoreError: The store cannot be read.
    """
    found = {}
    with failures(database):
        connection = connected(database, "ro")
        try:
            for name, info in sorted(targets.items()):
                found[name] = _use(connection, info, name, given.get(name))
        finally:
            connection.close()
    return found


def _use(connection: sqlite3.Connection, info: TargetInfo, name: str, given: GivenPrice | None) -> TargetUse:
    price, energy = find_price(info, given), find_energy(info)
    sums = _Sums()
    for row in _rows(connection, name):
        sums.add(row, price, energy)
    cached, errored = connection.execute(_OTHERS, (name,)).fetchone()
    return TargetUse(
        model=info.facts.get("model"),
        outputs=sums.outputs,
        cached=int(cached),
        errored=int(errored),
        prompt_tokens=sums.prompt,
        completion_tokens=sums.completion,
        estimated=sums.estimated,
        usd=None if price is None else float(sums.usd),
        price_source=None if price is None else price.source,
        kwh_low=None if energy is None else sums.low,
        kwh_high=None if energy is None else sums.high,
        energy_source=None if energy is None else energy.source,
        without_latency=0 if energy is None else sums.without_latency,
    )


def _rows(connection: sqlite3.Connection, name: str) -> Iterator[Sequence[float | None]]:
    cursor = connection.execute(_SIZES, (name,))
    while page := cursor.fetchmany(_PAGE):
        yield from page
