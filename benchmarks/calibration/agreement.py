"""Calibration of agreement between two raters."""

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics import cohen_kappa, gwet_ac1, krippendorff_alpha, raw_agreement
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ROOT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["agreement_shares", "agreements"]

Vector = npt.NDArray[np.float64]


def agreements(simulations: int) -> list[Cell]:
    """How often the nominal 95 % intervals contain the true agreement of two raters.

    Each rater misreads a tenth of the replies; "share" is how many are truly positive, and a tenth of the
    ratings is missing. Templates differ in how often raters misread, so their replies go together; "repeats"
    is replies a template.
    """
    cells = []
    for share in (0.5, 0.1):
        for templates, replies in ((12, 10), (30, 1), (30, 10), (100, 1), (100, 10)):
            stream = rng(ROOT, "agreement", templates, replies, int(100 * share))
            cluster = np.repeat(np.arange(templates), replies)
            inside = []
            for _ in range(simulations):
                error = stream.beta(0.5, 4.5, (templates, 2))[cluster]
                truth = stream.random((cluster.size, 1)) < share
                ratings = (truth ^ (stream.random((cluster.size, 2)) < error)).astype(np.float64)
                ratings[stream.random(ratings.shape) < 0.1] = np.nan
                inside.append(_agreement_holds(ratings, cluster, share))
            cell = Cell(templates=templates, repeats=replies, note=f"share {share:.1f}")
            names = ("kappa", "AC1", "alpha", "alpha, replies as clusters")
            cell.average(names, [one for one in inside if one is not None])
            cells.append(cell)
    return cells


def _agreement_holds(
    ratings: Vector, cluster: npt.NDArray[np.int64], share: float
) -> tuple[bool, ...] | None:
    """Which intervals contain the truth; None if the ratings have no variety to measure."""
    disagreement = 2 * 0.1 * 0.9
    seen = share * 0.9 + (1 - share) * 0.1
    chance = 2 * seen * (1 - seen)
    kappa, ac1 = 1 - disagreement / chance, 1 - disagreement / (1 - chance)
    try:
        return (
            holds(cohen_kappa(ratings, cluster=cluster).interval, kappa),
            holds(gwet_ac1(ratings, categories=[0, 1], cluster=cluster).interval, ac1),
            holds(krippendorff_alpha(ratings, cluster=cluster).interval, kappa),
            holds(krippendorff_alpha(ratings).interval, kappa),
        )
    except NotMeasuredError:
        return None


def agreement_shares(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of the plain share of agreement contains it.

    Two raters each misread a tenth of the replies, more in some templates; "repeats" is replies a template.
    """
    cells = []
    for templates, replies in ((12, 10), (30, 1), (30, 10), (100, 10)):
        stream = rng(ROOT, "shares", templates, replies)
        cluster = np.repeat(np.arange(templates), replies)
        inside = []
        for _ in range(simulations):
            error = stream.beta(0.5, 4.5, (templates, 2))[cluster]
            ratings = (stream.random((cluster.size, 2)) < error).astype(np.float64)
            found = [raw_agreement(ratings, cluster=by).interval for by in (None, cluster)]
            inside.append([holds(one, 0.82) for one in found])
        cell = Cell(templates=templates, repeats=replies)
        cell.average(("replies as clusters", "agreement"), inside)
        cells.append(cell)
    return cells
