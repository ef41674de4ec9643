"""What a plan will take of tokens, money, time and energy, as ranges, before anything is asked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path

import numpy as np

from audit.audited import BASELINE, TARGET, build_targets, prices_of
from audit.collection.budget import find_price
from audit.collection.energy import find_energy
from audit.pilot import reply_tokens
from audit.plan import Plan
from audit.planned_run import open_run
from audit.spec import Spec
from audit.targets.base import TargetInfo
from audit.token_estimates import ASSUMED_REPLY_TOKENS, CHARACTERS_A_TOKEN
from probes.records import Record

__all__ = ["PlannedCost", "planned_costs"]

_MOST_CHARACTERS = 5.0
"""In a token of plain English; other languages and code have fewer."""
_FEWEST_CHARACTERS = 3.0
_REPLY_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""Names under which `params` of a target may limit a reply."""
_SLOW = 0.95
"""Quantile of the pilot's waiting times that stands for a slow server."""

_Range = tuple[float, float]


class PlannedCost(Record):
    """What all outputs of one target will take, as a range, before any is asked."""

    role: str
    """`target` or `baseline`."""
    outputs: int
    prompt_tokens_low: int
    """With a token for five characters; the high end with one for three."""
    prompt_tokens_high: int
    reply_tokens_low: int
    reply_tokens_high: int
    replies: str
    """Where the length of the replies is from, in words."""
    usd_low: float | None
    """Price in US dollars, without retries; None where no price is known."""
    usd_high: float | None
    price_source: str | None
    """The price table with its version, or the spec with its date."""
    in_flight: int
    """Calls that may wait at once; a server that refuses has fewer."""
    minutes_low: float | None
    """If each call takes as long as half of the pilot's took at most, and `in_flight` always wait."""
    minutes_high: float | None
    """The same with what 95 % of them took at most; None, both, without a pilot that knows how long."""
    kwh_low: float | None
    """Energy of the replies in kWh; None where model, provider or table is not known."""
    kwh_high: float | None
    energy_source: str | None
    """The table of energies with its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pilot:
    """What an earlier run tells of the next."""

    reply_tokens: float | None = None
    """Mean length of a reply."""
    latency_s: _Range | None = None
    """Seconds that half of the outputs, and 95 % of them, took at most."""


def planned_costs(
    spec: Spec, plan: Plan, spec_path: Path, pilot: Path | None = None
) -> tuple[PlannedCost, ...]:
    """What a plan will take, by target; what judges ask is in `plan.raters`.

    Args:
        spec: The spec.
        plan: Its plan.
        spec_path: The spec file, from which paths are relative.
        pilot: An earlier run whose replies tell how long they are and how long they take.
    """
    known = _Pilot() if pilot is None else _piloted(pilot)
    targets = build_targets(spec, spec_path.parent, str(spec_path), {})
    sections = {TARGET: spec.target, BASELINE: spec.baseline}
    given = prices_of(spec)
    outputs = plan.requests // plan.targets
    prompt = plan.prompt_tokens / plan.targets * CHARACTERS_A_TOKEN
    sent = floor(prompt / _MOST_CHARACTERS), ceil(prompt / _FEWEST_CHARACTERS)
    found = []
    for role, target in targets.items():
        section = sections[role]
        replies, came = _replies(known.reply_tokens, {} if section is None else section.options())
        price = find_price(target.info, given[role])
        ends = tuple((sent[end], ceil(outputs * came[end])) for end in (0, 1))
        usd = None if price is None else tuple(round(float(price.usd(*end)), 6) for end in ends)
        minutes = _minutes(outputs, target.info.max_in_flight, known.latency_s)
        energy_source, kwh = _energy(target.info, outputs, came, known.latency_s)
        found.append(
            PlannedCost(
                role=role,
                outputs=outputs,
                prompt_tokens_low=sent[0],
                prompt_tokens_high=sent[1],
                reply_tokens_low=ends[0][1],
                reply_tokens_high=ends[1][1],
                replies=replies,
                usd_low=None if usd is None else usd[0],
                usd_high=None if usd is None else usd[1],
                price_source=None if price is None else price.source,
                in_flight=target.info.max_in_flight,
                minutes_low=None if minutes is None else minutes[0],
                minutes_high=None if minutes is None else minutes[1],
                kwh_low=None if kwh is None else kwh[0],
                kwh_high=None if kwh is None else kwh[1],
                energy_source=energy_source,
            )
        )
    return tuple(found)


def _piloted(folder: Path) -> _Pilot:
    run = open_run(folder)
    with run.store(read_only=True) as store:
        seconds = store.latencies(TARGET)
    took = None
    if len(seconds):
        half, slow = np.quantile(seconds, (0.5, _SLOW))
        took = (float(half), float(slow))
    return _Pilot(reply_tokens=reply_tokens(run), latency_s=took)


def _minutes(outputs: int, in_flight: int, latency_s: _Range | None) -> _Range | None:
    """Minutes if as many calls wait as may; of few outputs, the time of one call."""
    if latency_s is None:
        return None
    low, high = (max(outputs / in_flight, min(outputs, 1)) * seconds / 60 for seconds in latency_s)
    return low, high


def _energy(
    info: TargetInfo, outputs: int, reply: _Range, latency_s: _Range | None
) -> tuple[str | None, _Range | None]:
    """The table, and kWh of all replies from the shortest ones to the longest; None twice if it is not known.

    Where nobody knows how long a reply takes, it takes as long as the model needs by the table.
    """
    energy = find_energy(info)
    if energy is None:
        return None, None
    latency = (math.inf, math.inf) if latency_s is None else latency_s
    low = energy.kwh(ceil(reply[0]), latency[0])[0] * outputs
    high = energy.kwh(ceil(reply[1]), latency[1])[1] * outputs
    return energy.source, (low, high)


def _replies(mean: float | None, options: Mapping[str, object]) -> tuple[str, tuple[float, float]]:
    """Where the length of a reply is from, and its range in tokens."""
    if mean is not None:
        characters = mean * CHARACTERS_A_TOKEN
        return "as long as the pilot's", (characters / _MOST_CHARACTERS, characters / _FEWEST_CHARACTERS)
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
