"""What a plan will take of tokens, money, time and energy, as ranges, before anything is asked."""

import math
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from audit.audited import BASELINE, TARGET, build_targets, prices_of
from audit.collection.budget import find_price
from audit.collection.energy import find_energy
from audit.pilot import reply_tokens
from audit.plan import Plan
from audit.planned_run import open_run
from audit.planned_tokens import Counted, counted_tokens, planned_tokens
from audit.records.canaries import CANARY_PROMPTS
from audit.spec import Spec
from audit.targets.base import TargetInfo
from probes.records import Record

__all__ = ["PlannedCost", "planned_costs"]

_SLOW = 0.95
"""Quantile of the pilot's waiting times that stands for a slow server."""

_Range = tuple[float, float]


class PlannedCost(Record):
    """What all outputs of one target will take, as a range, before any is asked."""

    role: str
    """`target` or `baseline`."""
    outputs: int
    canaries: int = 0
    """Requests besides, which see whether the endpoint changes; what they take is in the ranges."""
    prompt_tokens_low: int
    """With a token for five characters, the high end with one for three, or as the pilot's were counted; the
    model's own replies that come before a later turn are as long as replies are taken to be."""
    prompt_tokens_high: int
    reply_tokens_low: int
    reply_tokens_high: int
    prompts: str = "5 to 3 characters each"
    """Where the length of a token of the prompts is from, in words."""
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
    """Mean length of a reply, estimated from its characters."""
    counted: Counted | None = None
    """Its tokens as the server counted them."""
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
    found = []
    for role, target in targets.items():
        section = sections[role]
        options = {} if section is None else section.options()
        canaries = spec.canaries * len(CANARY_PROMPTS) if target.info.hosts else 0
        tokens = planned_tokens(plan, canaries, options, known.reply_tokens, known.counted)
        price = find_price(target.info, given[role])
        usd = None
        if price is not None:
            usd = tuple(
                round(float(price.usd(sent, came)), 6)
                for sent, came in zip(tokens.prompts, tokens.replies, strict=True)
            )
        minutes = _minutes(outputs + canaries, target.info.max_in_flight, known.latency_s)
        energy_source, kwh = _energy(target.info, outputs + canaries, tokens.reply, known.latency_s)
        found.append(
            PlannedCost(
                role=role,
                outputs=outputs,
                canaries=canaries,
                prompt_tokens_low=tokens.prompts[0],
                prompt_tokens_high=tokens.prompts[1],
                reply_tokens_low=tokens.replies[0],
                reply_tokens_high=tokens.replies[1],
                prompts=tokens.prompts_from,
                replies=tokens.replies_from,
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
        counted = counted_tokens(store.answers([TARGET]))
    took = None
    if len(seconds):
        half, slow = np.quantile(seconds, (0.5, _SLOW))
        took = (float(half), float(slow))
    return _Pilot(reply_tokens=reply_tokens(run), latency_s=took, counted=counted)


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
