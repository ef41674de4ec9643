"""Audits simulated by template: the same answers judged once at the end, at planned looks, and by bets."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from audit.looks import SequentialRule
from audit.statistics.betting import betting_sequence
from audit.statistics.group_sequential import GroupSequential, group_sequential
from audit.statistics.multiplicity import benjamini_hochberg
from benchmarks.calibration.designs import paired_arms

__all__ = [
    "DISPARITY",
    "EQUIVALENT",
    "LEVEL",
    "OPEN",
    "Cell",
    "Family",
    "Outcome",
    "bets",
    "default_boundaries",
    "family",
    "fixed",
    "looks",
    "smallest_fixed",
    "tails",
]

LEVEL = 0.95
LEAST_TEMPLATES = 12
OPEN, DISPARITY, EQUIVALENT = 0, 1, 2

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A design, the gap that is true, and the margin of concern."""

    templates: int
    repeats: int
    gap: float
    margin: float

    def differences(self, rng: np.random.Generator, audits: int) -> Vector:
        """Template differences of many audits, shape (audits, templates)."""
        return paired_arms(rng, (audits, self.templates), self.repeats, gap=self.gap).differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of every audit."""

    decided: Codes
    """0 open, 1 disparity, 2 equivalent, shape (audits,)."""
    share: Vector
    """Share of the planned templates that was asked, shape (audits,)."""

    def rate(self, what: int) -> float:
        """Share of audits with one outcome."""
        return float((self.decided == what).mean())


def tails(differences: Vector, n: int, margin: float) -> tuple[Vector, Vector]:
    """One-sided p against 0 in the direction seen, and the larger p of TOST, of the first n templates."""
    part = differences[..., :n]
    point = np.abs(part.mean(axis=-1))
    error = part.std(axis=-1, ddof=1) / np.sqrt(n)
    return stdtr(n - 1, -point / error), stdtr(n - 1, (point - margin) / error)


def fixed(differences: Vector, cell: Cell, *, n: int | None = None) -> Outcome:
    """One analysis when the first n templates (all by default) are in."""
    count = n or cell.templates
    against, inside = tails(differences, count, cell.margin)
    decided = np.where(against <= (1 - LEVEL) / 2, DISPARITY, np.where(inside <= 1 - LEVEL, EQUIVALENT, OPEN))
    return Outcome(decided=decided, share=np.full(len(differences), count / cell.templates))


def looks(
    differences: Vector,
    cell: Cell,
    boundaries: GroupSequential | None = None,
    equivalence: GroupSequential | None = None,
) -> Outcome:
    """The rule of `evenhand run --until-decided` for one comparison.

    With `equivalence` its error rate is spent by those boundaries instead, at the same looks.
    """
    design = boundaries or default_boundaries()
    decided = np.zeros(len(differences), dtype=np.int64)
    share = np.ones(len(differences))
    for look, fraction in enumerate(design.fractions, start=1):
        n = int(np.ceil(fraction * cell.templates - 1e-9))
        if n < LEAST_TEMPLATES:
            continue
        against, inside = tails(differences, n, cell.margin)
        nominal = design.nominal_alpha((1 - LEVEL) / 2, look)
        alike = 2 * nominal if equivalence is None else equivalence.nominal_alpha(1 - LEVEL, look)
        now = np.where(against <= nominal, DISPARITY, np.where(inside <= alike, EQUIVALENT, OPEN))
        new = (decided == OPEN) & (now != OPEN)
        decided[new], share[new] = now[new], n / cell.templates
    return Outcome(decided=decided, share=share)


def bets(differences: Vector, cell: Cell) -> Outcome:
    """Betting on template differences, looked at after every one."""
    decided = np.zeros(len(differences), dtype=np.int64)
    share = np.ones(len(differences))
    for row, values in enumerate(differences):
        found = betting_sequence(values, level=LEVEL)
        crossed = found.e_values >= 1 / (1 - LEVEL)
        within = (found.low > -cell.margin) & (found.high < cell.margin)
        for outcome, when in ((DISPARITY, crossed), (EQUIVALENT, within)):
            first = int(when.argmax()) + 1 if when.any() else cell.templates + 1
            if first <= cell.templates and (decided[row] == OPEN or first < share[row] * cell.templates):
                decided[row], share[row] = outcome, first / cell.templates
    return Outcome(decided=decided, share=share)


def smallest_fixed(differences: Vector, cell: Cell, power: float) -> float | None:
    """Share of the templates with which one analysis decides as often; None if all do not suffice."""
    for n in range(LEAST_TEMPLATES, cell.templates + 1):
        if 1 - fixed(differences, cell, n=n).rate(OPEN) >= power:
            return n / cell.templates
    return None


def default_boundaries() -> GroupSequential:
    """Those of the product."""
    rule = SequentialRule()
    return group_sequential(rule.looks, shape=rule.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """False discoveries of a family with several true gaps, and share of true ones found."""

    false_share: float
    """Mean share of false ones among the disparities (0 if there is none): the realised FDR."""
    found: float
    """Mean share of the true gaps found."""
    calls: float
    """Mean share of the templates asked, over comparisons."""


def family(
    rng: np.random.Generator,
    *,
    audits: int,
    templates: int,
    repeats: int,
    gaps: tuple[float, ...],
    boundaries: GroupSequential,
) -> Family:
    """Comparisons of several groups with one reference, decided at planned looks by the family's rule."""
    false, found, calls = [], [], []
    truth = np.array(gaps) != 0
    for _ in range(audits):
        differences = _groups(rng, templates, repeats, gaps)
        best, share, picked = np.ones(len(gaps)), np.ones(len(gaps)), np.zeros(len(gaps), dtype=bool)
        for look, fraction in enumerate(boundaries.fractions, start=1):
            n = int(np.ceil(fraction * templates - 1e-9))
            if n < LEAST_TEMPLATES:
                continue
            against, _ = tails(differences, n, 1.0)
            for row in np.flatnonzero(~picked):
                best[row] = min(best[row], 2 * boundaries.p_value(float(against[row]), look))
            new = ~picked & (benjamini_hochberg(best) <= 1 - LEVEL)
            picked |= new
            share[new] = n / templates
        false.append((picked & ~truth).sum() / max(1, picked.sum()))
        found.append(picked[truth].mean() if truth.any() else np.nan)
        calls.append(share.mean())
    return Family(
        false_share=float(np.mean(false)),
        found=float(np.mean(found)) if truth.any() else 0.0,
        calls=float(np.mean(calls)),
    )


def _groups(rng: np.random.Generator, templates: int, repeats: int, gaps: tuple[float, ...]) -> Vector:
    """Template differences of groups that share a reference, shape (groups, templates)."""
    # Rates on a plain scale, so that a gap is the same in every template up to its own slope.
    base = rng.uniform(0.35, 0.65, size=templates)
    reference = rng.binomial(repeats, base) / repeats
    slopes = 0.1 * rng.uniform(-1, 1, size=(len(gaps), templates))
    rates = np.clip(base - np.array(gaps)[:, np.newaxis] + slopes, 0, 1)
    return np.asarray(rng.binomial(repeats, rates) / repeats - reference)
