"""One contrast asked alone: how often each test finds a planted gap."""

import numpy as np
import numpy.typing as npt

from audit.statistics import cluster_t_interval, equivalence_of, sign_flip_test
from benchmarks.calibration.counting import naive_p
from benchmarks.calibration.designs import ALPHA, UNIT, paired_arms
from benchmarks.power.oracle import best_linear_p, oracle_p
from probes.seeds import rng

__all__ = ["ROOT", "Found", "alone", "equivalent"]

ROOT = 20263
MARGIN = 0.05
FLIPS = 999
ENOUGH = 100

Vector = npt.NDArray[np.float64]
Found = dict[str, float]
"""Share of simulated audits, by test."""


def alone(templates: int, repeats: int, gap: float, *, simulations: int) -> Found:
    """Power of ours, of the oracles and of the naive test at 5 %, one contrast.

    Ours is what a run asks of a contrast: sign flips pass 5 %, and the cluster-t interval leaves out 0.
    """
    stream = rng(ROOT, "alone", templates, repeats, round(1000 * gap))
    arms = paired_arms(stream, (simulations, templates), repeats, gap=gap)
    rows = arms.differences
    return {
        "ours": float(np.mean([_ours(row, stream) for row in rows])),
        "oracle": float(np.mean(oracle_p(rows, repeats) <= ALPHA)),
        "best weights": float(np.mean(best_linear_p(rows, arms.levels, repeats, gap or 0.1) <= ALPHA)),
        "naive": float(np.mean(naive_p(arms, repeats) <= ALPHA)),
    }


def equivalent(templates: int, repeats: int, gap: float, *, simulations: int) -> float:
    """How often two one-sided tests call a true gap equivalent, at a margin of 5 points."""
    stream = rng(ROOT, "equivalent", templates, repeats, round(1000 * gap))
    rows = paired_arms(stream, (simulations, templates), repeats, gap=gap).differences
    found = [equivalence_of(cluster_t_interval(row, bounds=UNIT), margin=MARGIN) for row in rows]
    return float(np.mean([one.equivalent for one in found]))


def _ours(row: Vector, stream: np.random.Generator) -> bool:
    found = cluster_t_interval(row, bounds=UNIT)
    if found.interval.low <= 0 <= found.interval.high:
        return False
    p_value = found.p_value
    if not found.degenerate:
        p_value = sign_flip_test(row, flips=FLIPS, rng=stream, enough=ENOUGH).mid_p_value
    return p_value <= ALPHA
