"""One audit of realistic size, such as 81 contrasts, of which one group's are true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from audit.spec import Judgement
from audit.statistics import benjamini_hochberg, noise_floor, weighted_benjamini_hochberg
from benchmarks.calibration.designs import paired_arms
from benchmarks.power.alone import ROOT, Found
from benchmarks.power.oracle import oracle_p
from probes.seeds import rng

__all__ = ["Planted", "Tested", "at_once", "family", "weights"]

SIDE_OUTCOMES = 2
"""Unreadable and missing answers: tested for the same groups, in each of two domains and pooled."""
PLACEBOS = 3
RATE = 0.05
EXCHANGES = 400
LEAST_TEMPLATES = 12

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """Stratified t over equal strata, for many contrasts at once."""

    point: Vector
    p_value: Vector
    reach: Vector
    """Half the length of the 95 % interval."""


def at_once(differences: Vector, strata: int) -> Tested:
    """What `stratified_t` gives for every contrast, shape (k, T), strata of equal size in turn.

    Without what `stratified_t` adds where few templates of a stratum differ from the rest.
    A contrast without any spread has p = 1: it can only be an empty one here.
    """
    cut = differences.reshape(*differences.shape[:-1], strata, -1)
    n = cut.shape[-1]
    parts = cut.var(axis=-1, ddof=1) / n / strata**2
    variance = parts.sum(axis=-1)
    point = cut.mean(axis=(-1, -2))
    df = variance**2 / np.maximum((parts**2).sum(axis=-1) / (n - 1), 1e-300)
    error = np.sqrt(np.maximum(variance, 1e-300))
    p_value = np.where(variance > 0, 2 * stdtr(np.maximum(df, 1), -np.abs(point) / error), 1.0)
    return Tested(point=point, p_value=p_value, reach=stdtrit(np.maximum(df, 1), 0.975) * error)


def weights(family_size: int, primary: Sequence[int]) -> Vector:
    """Weights of a family whose primary contrasts share the default share of the rate."""
    share = Judgement().primary_share
    chosen = np.isin(np.arange(family_size), primary)
    return np.asarray(np.where(chosen, share / chosen.sum(), (1 - share) / (~chosen).sum()) * family_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What a simulated run asks, and where its gap is."""

    templates: int
    """In two domains of half of them each."""
    repeats: int
    gap: float
    """True difference of rates of the planted contrasts."""
    primary: int = 9
    """Pooled contrasts of decisions; 9 are 5 groups said in words and 4 signalled by names."""
    planted: int = 1
    """How many of them have the gap: the same group by one signal, or by two."""


def family(asked: Planted, *, simulations: int) -> Found:
    """How often a run calls the first planted contrast a disparity, and its realised false discovery rate.

    Columns: all contrasts weighing alike; primary contrasts by default; the planted contrasts declared
    primary; the oracle under the default weights. A disparity needs the adjusted p, an interval
    without 0 and more than the noise floor of three placebos; the oracle needs the first only.
    """
    stream = rng(
        ROOT, "family", asked.templates, asked.repeats, round(1000 * asked.gap), asked.primary, asked.planted
    )
    runs = [_run(stream, asked) for _ in range(simulations)]
    names = ("equal weights", "default", "declared", "oracle", "false share")
    return dict(zip(names, np.mean(runs, axis=0).tolist(), strict=True))


def _run(stream: np.random.Generator, asked: Planted) -> list[float]:
    templates, repeats, planted = asked.templates, asked.repeats, asked.planted
    true = paired_arms(stream, (planted, templates), repeats, gap=asked.gap).differences
    null = paired_arms(stream, (asked.primary - planted, templates), repeats).differences
    pooled = np.concatenate([true, null])
    whole = at_once(pooled, 2)
    halves = np.stack(np.split(pooled, 2, axis=-1), axis=1).reshape(2 * asked.primary, -1)
    measured = halves.shape[-1] >= LEAST_TEMPLATES
    singles = at_once(halves, 1).p_value if measured else np.zeros(0)
    side = stream.random(SIDE_OUTCOMES * asked.primary * (3 if measured else 1))
    rest = np.concatenate([singles, side])
    p_values = np.concatenate([whole.p_value, rest])
    truth = np.arange(p_values.size) < planted
    if measured:
        truth[asked.primary : asked.primary + 2 * planted] = True
    default, declared = (weights(p_values.size, range(count)) for count in (asked.primary, planted))
    adjusted = [
        benjamini_hochberg(p_values),
        weighted_benjamini_hochberg(p_values, default),
        weighted_benjamini_hochberg(p_values, declared),
    ]
    floor = _floor(stream, templates, repeats) if min(one[0] for one in adjusted) <= RATE else 0.0
    shown = abs(whole.point[0]) > max(floor, whole.reach[0])
    informed = np.concatenate([oracle_p(pooled, repeats), rest])
    oracle = weighted_benjamini_hochberg(informed, default)[0] <= RATE
    called = adjusted[1] <= RATE
    false = float((called & ~truth).sum() / max(1, called.sum()))
    return [*(float(shown and one[0] <= RATE) for one in adjusted), float(oracle), false]


def _floor(stream: np.random.Generator, templates: int, repeats: int) -> float:
    placebos = paired_arms(stream, (PLACEBOS, templates), repeats).differences
    return max(noise_floor(row, rng=stream, exchanges=EXCHANGES) for row in placebos)
