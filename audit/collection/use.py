"""What a run has used so far, read from what it stored: tokens, money and energy, and what is unknown.

The sums are kept in the store now and then, with the last output that is in them, so that only later ones
have to be added. Where a price or an energy is of another source than it was then, all are added up anew.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from audit.collection.energy import Energy, find_energy
from audit.collection.prices import Price, find_price
from audit.limits import GivenPrice
from audit.records.canaries import CANARY_PROMPTS, CanaryAnswer
from audit.store.file import connected, values_of
from audit.targets.base import TargetInfo
from audit.token_estimates import CHARACTERS_A_TOKEN, estimated_tokens
from probes.records import Record

__all__ = ["TargetUse", "UseCounter", "target_uses"]

_PAGE = 1000
_KEY = "use."
"""Key of the sums of a target, which follows it."""

_SIZES = """SELECT
    coalesce(o.prompt_tokens, (SELECT (sum(length(json_extract(m.value, '$.content')))
        + coalesce((SELECT sum(length(f.value)) FROM json_each(p.further) f WHERE f.key < o.turn), 0)
        + coalesce((SELECT sum(length(e.text)) FROM main.outputs e WHERE o.turn > 0 AND e.target = o.target
            AND e.prompt_id = o.prompt_id AND e.repeat = o.repeat AND e.turn < o.turn), 0)
        + :letters - 1) / :letters
        FROM prompts p, json_each(p.messages) m WHERE p.id = o.prompt_id), 0) AS sent,
    coalesce(o.completion_tokens, (length(o.text) + :letters - 1) / :letters, 0) AS came,
    o.prompt_tokens IS NULL OR o.completion_tokens IS NULL AS estimated,
    round(o.latency_s, 1) AS latency,
    count(*)
    FROM main.outputs o NOT INDEXED
    WHERE o.id > :after AND o.id <= :upto AND o.target = :target AND o.cached = 0
    AND (o.error IS NULL OR o.prompt_tokens IS NOT NULL OR o.completion_tokens IS NOT NULL)
    GROUP BY sent, came, estimated, latency"""
"""Every attempt counts, superseded ones too: they were paid for. Errors without usage are counted apart."""
_OTHERS = """SELECT total(cached), total(cached = 0 AND error IS NOT NULL AND prompt_tokens IS NULL
    AND completion_tokens IS NULL) FROM main.outputs NOT INDEXED
    WHERE id > :after AND id <= :upto AND target = :target"""


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
    cached: int = 0
    errored: int = 0
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


class _Kept(Record):
    """Sums as they are kept."""

    upto: int
    """Row number of the last output that is in them."""
    price_source: str | None
    energy_source: str | None
    sums: _Sums


class UseCounter:
    """Adds up what the outputs of some targets took."""

    def __init__(self, targets: Mapping[str, TargetInfo], given: Mapping[str, GivenPrice | None]) -> None:
        """Look prices and energy up.

        Args:
            targets: What was asked, by the name under which its outputs are stored.
            given: Prices that the spec gives, by the same names.
        """
        self._targets = dict(sorted(targets.items()))
        self._prices = {name: find_price(info, given.get(name)) for name, info in self._targets.items()}
        self._energies = {name: find_energy(info) for name, info in self._targets.items()}

    def uses(self, connection: sqlite3.Connection) -> dict[str, TargetUse]:
        """What each target's outputs took, from what is kept and the outputs since."""
        return {name: self._use(name, self._counted(connection, name).sums) for name in self._targets}

    def keep(self, connection: sqlite3.Connection) -> None:
        """Keep the sums up to the last output, in the transaction that is open."""
        for name in self._targets:
            connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                (_KEY + name, self._counted(connection, name).model_dump_json()),
            )

    def canary_uses(self, answers: Iterable[CanaryAnswer]) -> dict[str, TargetUse]:
        """What each target's canaries took, which are in no store; targets without canaries are left out."""
        sums: dict[str, _Sums] = {}
        for one in answers:
            if one.target not in self._targets:
                continue
            mine = sums.setdefault(one.target, _Sums())
            if one.error is not None:
                mine.errored += 1
                continue
            sent, came = one.prompt_tokens, one.completion_tokens
            size = (
                estimated_tokens(len(CANARY_PROMPTS[one.prompt])) if sent is None else sent,
                estimated_tokens(len(one.text or "")) if came is None else came,
                sent is None or came is None,
                one.latency_s,
                1,
            )
            mine.add(size, self._prices[one.target], self._energies[one.target])
        return {name: self._use(name, mine) for name, mine in sorted(sums.items())}

    def _counted(self, connection: sqlite3.Connection, name: str) -> _Kept:
        price, energy = self._prices[name], self._energies[name]
        sources = (None if price is None else price.source, None if energy is None else energy.source)
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM outputs").fetchone()
        row = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY + name,)).fetchone()
        kept = None if row is None else _Kept.model_validate_json(row[0])
        if kept is None or (kept.price_source, kept.energy_source) != sources or kept.upto > last:
            kept = _Kept(upto=0, price_source=sources[0], energy_source=sources[1], sums=_Sums())
        sums, since = (
            kept.sums,
            {"after": kept.upto, "upto": last, "target": name, "letters": CHARACTERS_A_TOKEN},
        )
        cursor = connection.execute(_SIZES, since)
        while page := cursor.fetchmany(_PAGE):
            for size in page:
                sums.add(size, price, energy)
        cached, errored = connection.execute(_OTHERS, since).fetchone()
        sums.cached += int(cached)
        sums.errored += int(errored)
        return kept.model_copy(update={"upto": last})

    def _use(self, name: str, sums: _Sums) -> TargetUse:
        price, energy = self._prices[name], self._energies[name]
        return TargetUse(
            model=self._targets[name].facts.get("model"),
            outputs=sums.outputs,
            cached=sums.cached,
            errored=sums.errored,
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


def target_uses(database: Path, counter: UseCounter) -> dict[str, TargetUse]:
    """What each target's stored outputs took.

    Args:
        database: The run's store; it may be open for writing elsewhere.
        counter: Knows the targets and their prices.

    Raises:
        StoreError: The store cannot be read.
    """
    with values_of(database), closing(connected(database, "ro")) as connection:
        return counter.uses(connection)
