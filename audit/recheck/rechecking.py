"""Re-scoring published claims from released outputs, and recomputing the cards that say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from audit import __version__
from audit.errors import InputError, NotMeasuredError
from audit.recheck.card import Bounds, Card
from audit.recheck.claim import Claim, LoadedClaim
from audit.recheck.counts import Counted, count_rows
from audit.recheck.words import cannot_show, verdict_of
from audit.statistics import (
    benjamini_hochberg,
    cluster_bootstrap,
    cluster_jackknife,
    equal_clusters_interval,
    equal_clusters_p_value,
)
from audit.statistics.arguments import Vector
from audit.validation import problem_lines
from probes.data import file_sha256
from probes.seeds import rng

__all__ = ["Recomputed", "read_card", "recheck", "recompute"]

_LEAST_CLUSTERS = 12
"""Clusters below which no interval is stated, as for templates everywhere else."""

_MOST_CLUSTERS = 5_000
"""Clusters above which the bootstrap beside the interval is left out: it would say the same, later."""

_AGREEMENT = 1e-9
"""Difference of two recomputations, as a fraction of their size, that rounding explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """One claim's figure and intervals before the claims are looked at together."""

    loaded: LoadedClaim
    file_sha256: str
    counted: Counted
    figure: float | None
    rows: Bounds | None
    interval: Bounds | None
    others: tuple[Bounds, ...]
    design_effect: float | None
    p_value: float | None
    open_why: str | None
    """Why no interval can be stated; None if one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clustered:
    """The figure over clusters."""

    interval: Bounds | None = None
    """The one that is judged."""
    others: tuple[Bounds, ...] = ()
    """Those beside it."""
    error: float | None = None
    """Standard error, unscaled."""
    p_value: float | None = None
    why: str | None = None
    """Why there is no interval; None if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """A card that was read, beside the one that the data give now."""

    stated: Card
    found: Card
    differences: tuple[str, ...]
    """One line a difference; empty if they agree."""


def recheck(loaded: Sequence[LoadedClaim], folders: Sequence[Path]) -> tuple[Card, ...]:
    """Re-score claims from released outputs, with p-values adjusted over all of them.

    Args:
        loaded: The claims, each of another name.
        folders: Where the files of released outputs lie, at least one; looked through in order.

    Returns:
        One card a claim, in order.

    Raises:
        InputError: Two claims share a name, or a file is missing, is another than the claim's, or cannot be
            read as the claim says.
        DataError: A file of a benchmark's own format is malformed.
    """
    names = [one.claim.name for one in loaded]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"claims must have different names; {', '.join(twice)} is there more than once")
    measured = [_measure(one, folders) for one in loaded]
    tested = [one for one in measured if one.p_value is not None]
    adjusted = benjamini_hochberg([one.p_value or 0.0 for one in tested])
    by_name = {one.loaded.claim.name: float(p) for one, p in zip(tested, adjusted, strict=True)}
    family = tuple(one.loaded.claim.name for one in tested)
    return tuple(_card(one, by_name.get(one.loaded.claim.name), family) for one in measured)


def read_card(path: Path) -> Card:
    """A card from its JSON file.

    Raises:
        InputError: It is no card, or one of another version.
    """
    try:
        return Card.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise InputError("\n".join(problem_lines(error, str(path), Card))) from error


def recompute(card: Card, folders: Sequence[Path]) -> Recomputed:
    """Compute a card again from the claim it carries, and say where it differs.

    The adjusted p-value is taken as stated, since it depends on claims that are not in the card.

    Args:
        card: What is checked.
        folders: Where the file of released outputs lies, at least one; looked through in order.

    Raises:
        InputError: The file is missing, is another than the card's, or cannot be read as the claim says.
    """
    if card.claim.file.sha256 is None:
        known = card.claim.file.model_copy(update={"sha256": card.file_sha256})
        pinned = card.claim.model_copy(update={"file": known})
    else:
        pinned = card.claim
    measured = _measure(LoadedClaim(claim=pinned, sha256=card.claim_sha256), folders)
    found = _card(measured, card.p_adjusted, card.family).model_copy(update={"claim": card.claim})
    return Recomputed(stated=card, found=found, differences=_differences(card, found))


def _differences(stated: Card, found: Card) -> tuple[str, ...]:
    skipped = {"tool", "libraries"}
    one, other = (card.model_dump(mode="json", exclude=skipped) for card in (stated, found))
    lines = []
    for key, value in one.items():
        if not _alike(value, other[key]):
            lines.append(f"{key}: the card says {value!r}; the data give {other[key]!r}")
    if stated.p_value is not None and stated.p_adjusted is not None and stated.p_adjusted < stated.p_value:
        lines.append(f"p_adjusted: {stated.p_adjusted!r} is below the p-value {stated.p_value!r}")
    return tuple(lines)


def _alike(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _AGREEMENT * max(1.0, abs(one))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return one == other


def _measure(loaded: LoadedClaim, folders: Sequence[Path]) -> _Measured:
    claim = loaded.claim
    path, checksum = _released_file(claim, folders)
    counted = count_rows(path, claim)
    point = float(counted.statistic(counted.counts.sum(axis=0, keepdims=True))[0])
    known = np.isfinite(point)
    rows, spread = _rows_as_independent(counted, claim) if known else (None, None)
    found = _clustered(counted, claim) if known else _Clustered()
    effect = None
    if counted.clusters is not None and found.error is not None and spread:
        effect = (found.error / spread) ** 2
    return _Measured(
        loaded=loaded,
        file_sha256=checksum,
        counted=counted,
        figure=point * claim.scale if known else None,
        rows=rows,
        interval=found.interval,
        others=found.others,
        design_effect=effect,
        p_value=found.p_value,
        open_why=found.why,
    )


def _released_file(claim: Claim, folders: Sequence[Path]) -> tuple[Path, str]:
    """The claim's file and its checksum; of several of one name the first whose checksum is the claim's."""
    there = [path for path in (folder / claim.file.path for folder in folders) if path.is_file()]
    if not there:
        tried = ", ".join(str(folder / claim.file.path) for folder in folders)
        where = f"; it was released at {claim.file.source}" if claim.file.source else ""
        raise InputError(f"{tried}: no such file; claim {claim.name} needs it{where}")
    found = [(path, file_sha256(path)) for path in there]
    for path, checksum in found:
        if claim.file.sha256 in {None, checksum}:
            return path, checksum
    path, checksum = found[0]
    raise InputError(
        f"{path}: is not the file that claim {claim.name} is about: its SHA-256 is {checksum}, "
        f"and must be {claim.file.sha256}"
    )


def _rows_as_independent(counted: Counted, claim: Claim) -> tuple[Bounds | None, float | None]:
    """Percentile interval of rows drawn one by one, and their standard error, unscaled.

    Rows with the same counts are drawn together, which is the same draw and needs no row of its own.
    """
    kinds, times = np.unique(counted.counts, axis=0, return_counts=True)
    total = int(times.sum())
    draws = rng(claim.seed, "recheck", "rows", claim.name)
    drawn = draws.multinomial(total, times / total, size=claim.resamples).astype(np.float64)
    values = counted.statistic(drawn @ kinds)
    values = values[np.isfinite(values)]
    if values.size < 0.95 * claim.resamples or total < 2:  # noqa: PLR2004 - as for clusters
        return None, None
    low, high = np.quantile(values, [(1 - claim.level) / 2, (1 + claim.level) / 2])
    method = f"percentile bootstrap of {counted.unit}s as if independent ({claim.resamples} resamples)"
    return _bounds(low, high, claim, method), float(values.std(ddof=1))


def _clustered(counted: Counted, claim: Claim) -> _Clustered:
    sums, names = _cluster_sums(counted)
    n = sums.shape[0]
    unit = f"{counted.unit}s" if counted.clusters is None else "clusters"
    if n < _LEAST_CLUSTERS:
        return _Clustered(why=f"there are {n} {unit}, and at least {_LEAST_CLUSTERS} are needed")
    missing = ~np.isfinite(counted.statistic(sums.sum(axis=0, keepdims=True) - sums))
    if missing.any():
        which = f"cluster {names[int(np.argmax(missing))]!r}" if names else f"one of the {unit}"
        return _Clustered(
            why=f"without {which} the figure has no value, since it alone holds a whole group, or all that "
            "the figure is divided by; how far the figure depends on it cannot be seen"
        )
    null = (claim.null or 0.0) / claim.scale
    try:
        found = cluster_jackknife(
            counted.statistic, sums, null=null, level=claim.level, bounds=counted.bounds
        )
    except NotMeasuredError:
        own = counted.statistic(sums)
        if not np.isfinite(own).all() or float(np.ptp(own)) > _AGREEMENT:
            return _Clustered(
                why=f"the figure is the same whichever of the {n} {unit} is left out, though they are not "
                "all alike, so no spread can be seen"
            )
        return _degenerate(counted, claim, n, unit)
    return _Clustered(
        interval=_bounds(found.interval.low, found.interval.high, claim, found.interval.method),
        others=() if counted.clusters is None else _bootstraps(counted, claim, sums),
        error=found.standard_error,
        p_value=None if claim.null is None else found.p_value,
    )


def _degenerate(counted: Counted, claim: Claim, n: int, unit: str) -> _Clustered:
    """A bound where all clusters agree on a value that has a smallest and a largest; else nothing."""
    point = float(counted.statistic(counted.counts.sum(axis=0, keepdims=True))[0])
    if counted.bounds is None:
        return _Clustered(
            why=f"all {n} {unit} agree, so no spread can be seen, and the figure has no smallest and largest "
            "value that would bound it"
        )
    found = equal_clusters_interval(point, n, bounds=counted.bounds, level=claim.level)
    p_value = None
    if claim.null is not None:
        null = claim.null / claim.scale
        p_value = equal_clusters_p_value(point, n, bounds=counted.bounds, null=null)
    return _Clustered(interval=_bounds(found.low, found.high, claim, found.method), p_value=p_value)


def _cluster_sums(counted: Counted) -> tuple[Vector, tuple[str, ...]]:
    """Counts summed within each cluster, and the clusters' names; rows as independent have none."""
    if counted.clusters is None:
        return counted.counts, ()
    # Not an array of texts: it would give each of them the room of the longest.
    places = {name: place for place, name in enumerate(sorted(set(counted.clusters)))}
    codes = np.array([places[name] for name in counted.clusters], dtype=np.int64)
    columns = [np.bincount(codes, weights=column) for column in counted.counts.T]
    return np.column_stack(columns).astype(np.float64), tuple(places)


def _bootstraps(counted: Counted, claim: Claim, sums: Vector) -> tuple[Bounds, ...]:
    if sums.shape[0] > _MOST_CLUSTERS:
        return ()
    found = []
    methods: tuple[Literal["percentile", "bca"], ...] = ("percentile", "bca")
    for method in methods:
        try:
            estimate = cluster_bootstrap(
                lambda weights: counted.statistic(weights @ sums),
                sums.shape[0],
                resamples=claim.resamples,
                rng=rng(claim.seed, "recheck", "clusters", claim.name),
                level=claim.level,
                method=method,
            )
        except NotMeasuredError:
            continue
        one = estimate.interval
        found.append(_bounds(one.low, one.high, claim, one.method))
    return tuple(found)


def _bounds(low: float, high: float, claim: Claim, method: str) -> Bounds:
    return Bounds(low=float(low) * claim.scale, high=float(high) * claim.scale, method=method)


def _card(measured: _Measured, p_adjusted: float | None, family: tuple[str, ...]) -> Card:
    claim, counted = measured.loaded.claim, measured.counted
    figure = measured.figure
    n_clusters = None if counted.clusters is None else len(set(counted.clusters))
    slack = claim.rounding * (1 + 1e-9) + 1e-12 * abs(claim.figure)
    reproduced = figure is not None and abs(figure - claim.figure) <= slack
    outcome, verdict = verdict_of(
        claim, figure, measured.interval, p_adjusted, why=measured.open_why, reproduced=reproduced
    )
    return Card(
        tool=f"evenhand {__version__}",
        libraries={name: version(name) for name in ("numpy", "pandas", "scipy")},
        claim=claim,
        claim_sha256=measured.loaded.sha256,
        file_sha256=measured.file_sha256,
        figure=figure,
        reproduced=reproduced,
        n_rows=counted.counts.shape[0],
        unit="set" if counted.unit == "set" else "row",
        n_read=counted.read,
        n_left_out=counted.left_out,
        n_clusters=n_clusters,
        rows_as_independent=measured.rows,
        interval=measured.interval,
        others=measured.others,
        design_effect=measured.design_effect,
        p_value=measured.p_value,
        p_adjusted=p_adjusted,
        family=family,
        outcome=outcome,
        verdict=verdict,
        cannot_show=cannot_show(claim, clustered=n_clusters is not None),
    )
