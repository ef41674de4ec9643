"""Calibration of merit-equivalent prices."""

from math import sqrt

import numpy as np
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics import MeritContrasts, merit_contrasts, merit_price
from benchmarks.calibration.designs import DESIGNS, ROOT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["price_rows", "prices"]


def prices(simulations: int) -> list[Cell]:
    """How often the nominal 95 % set of a merit-equivalent price contains it, by how sharp the slope is.

    "t" is the true slope over its standard error. The delta method gives an interval always, and where
    merit hardly moves the outcome it is wrong about that; "bounded" is how often Fieller's set is one.
    """
    cells = []
    for templates in (12, 30, 100):
        for strength in (10.0, 4.0, 1.0):
            stream = rng(ROOT, "price", templates, int(strength))
            slope = strength * sqrt(1e-5 / templates)
            found = []
            for _ in range(simulations):
                noise = stream.multivariate_normal([0, 0], [[0.01, 2e-4], [2e-4, 1e-5]], templates)
                gaps, slopes = -0.1 + noise[:, 0], slope + noise[:, 1]
                price = merit_price(gaps, slopes)
                error = float((gaps + price.point * slopes).std(ddof=1)) / sqrt(templates) / abs(price.slope)
                reach = float(stdtrit(templates - 1, 0.975)) * error
                inside = abs(price.point - 0.1 / slope) <= reach
                found.append((inside, price.contains(0.1 / slope), price.kind == "interval"))
            cell = Cell(templates=templates, repeats=1, note=f"t = {strength:.0f}")
            names = ("delta method", "Fieller", "bounded")
            cell.average(names, found)
            cells.append(cell)
    return cells


def price_rows(simulations: int) -> list[Cell]:
    """How often the 95 % set of a price contains it, from rows on a ladder of merit; the price is 50 or 0.

    Yes-or-no outcomes whose chance rises by 1 point a unit of merit and is lower for the group by that
    price, more in some templates; "repeats" is answers a rung and arm. A run states the price where the
    set is an interval: "stated" is how often, of all audits, and the second column what those contain.
    """
    ladder = np.array([0.0, 10.0, 20.0])
    cells = []
    for price in (50.0, 0.0):
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "price rows", templates, repeats, int(price))
            merit = np.tile(np.repeat(ladder, 2), templates)
            is_group = np.tile([True, False], 3 * templates)
            cluster = np.repeat(np.arange(templates), 6)
            inside = []
            for _ in range(simulations):
                level = stream.uniform(0.55, 0.6, templates)[cluster]
                gap = 0.01 * price + 0.04 * (2 * stream.random(templates)[cluster] - 1)
                rate = level + 0.01 * merit - gap * is_group
                values = stream.binomial(repeats, rate) / repeats
                inside.append(_row_price_holds(merit_contrasts(values, merit, is_group, cluster), price))
            cell = Cell(templates=templates, repeats=repeats, note=f"price {price:g}")
            cell.average(("price from rows", "where stated", "stated"), inside)
            cells.append(cell)
    return cells


def _row_price_holds(contrasts: MeritContrasts, price: float) -> tuple[float, float, bool]:
    """Whether the set contains the price, the same for intervals alone, and whether it is one."""
    try:
        found = merit_price(contrasts.gaps, contrasts.slopes)
    except NotMeasuredError:
        return np.nan, np.nan, False
    stated = found.kind == "interval" and found.slope > 0
    held = float(found.contains(price))
    return held, held if stated else np.nan, stated
