"""What each name adds to the error of a contrast, where names signal the group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Flags, Vector
from audit.statistics.codes import count_codes, dense_codes, joined_codes
from audit.statistics.crossed import CrossedNames
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.multi_way import multi_way_cluster

__all__ = ["FEW_NAMES", "LEAST_NAMES", "NameArms", "name_arms", "name_codes", "named_interval"]

LEAST_NAMES = 2
"""Names an arm needs to be a sample of names."""

FEW_NAMES = 15
"""Below this many names an arm, the method says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameArms:
    """One entry an arm of a complete set: its influence, its template and its name."""

    influence: Vector
    """On the mean template difference, shape (2 S,); it sums to 0 over the arms of each group."""
    weight: Vector
    """Of the arm in that difference, below 0 for the reference's, shape (2 S,)."""
    template: Codes
    """Code of its template, shape (2 S,)."""
    names: Codes
    """Codes of its first and its last name, shape (2 S, 2); the first S are of the reference's arm."""


def name_codes(names: Sequence[str]) -> Codes:
    """Codes of first and last names, shape (n, 2): a full name is split at its last space.

    A name of one word has no last name: it is its own, so that it shares none with another.
    """
    split = [name.rpartition(" ") for name in names]
    first = [before or last for before, _, last in split]
    # A space keeps a first name that stands alone apart from a last name that is spelt alike.
    last = [last if before else f" {last}" for before, _, last in split]
    if not split:
        return np.empty((0, 2), dtype=np.int64)
    return np.column_stack([np.unique(part, return_inverse=True)[1] for part in (first, last)])


def named_interval(tables: Sequence[NameArms], *, point: float, level: float) -> ClusterEstimate:
    """Interval of a contrast over strata, clustered by template, first name and last name.

    Last names are a dimension where they differ within a set, say something that first names do not,
    and either arm has two or more: what both arms share cancels, and one name is no sample.

    Args:
        tables: The arms of each stratum, all of them weighing alike.
        point: The estimate.
        level: Nominal coverage, a fraction in (0, 1).

    Raises:
        NotMeasuredError: An arm has one first name only, or templates do not differ.
    """
    names = np.concatenate([table.names for table in tables])
    is_group = np.concatenate([np.repeat([False, True], len(table.names) // 2) for table in tables])
    fewest = [min(count_codes(column[is_group == arm]) for arm in (False, True)) for column in names.T]
    if fewest[0] < LEAST_NAMES:
        raise NotMeasuredError("names as a sample need at least 2 first names in each group; got 1")
    varies = any(np.any(np.diff(table.names[:, 1].reshape(2, -1), axis=0)) for table in tables)
    pairs = count_codes(joined_codes([dense_codes(column) for column in names.T]))
    unique = [count_codes(column) for column in names.T]
    own = varies and fewest[1] >= LEAST_NAMES and not pairs == unique[0] == unique[1]
    found = multi_way_cluster(
        np.concatenate([table.influence for table in tables]) / len(tables),
        np.concatenate([table.template for table in tables]),
        np.concatenate([np.full(table.template.size, place) for place, table in enumerate(tables)]),
        names=CrossedNames(
            of=list(names.T) if own else [names[:, 0]],
            weights=np.concatenate([table.weight for table in tables]) / len(tables),
        ),
        point=point,
        level=level,
    )
    few = min(fewest[: 1 + own])
    if few >= FEW_NAMES:
        return found
    said = f"{found.interval.method}; few names ({few} in a group)"
    return replace(found, interval=replace(found.interval, method=said))


def name_arms(values: Vector, template: Codes, sets: Codes, is_group: Flags, names: Codes) -> NameArms:
    """Influence of each set's arm on the mean template difference, with its template and name.

    The arm of set s of template t has weight 1 / (sets of t x templates); its influence is that
    weight times its distance from the arm's own mean, negative for the reference arm. A set counts if both
    arms have a value; the name of an arm is that of its first row with one.

    Args:
        values: One value a row, nan if missing, shape (n,).
        template: Code of the row's template, shape (n,).
        sets: Dense code of the row's counterfactual set, shape (n,).
        is_group: True for rows of the group, shape (n,).
        names: Codes of the row's first and last name, shape (n, 2).
    """
    present = np.flatnonzero(~np.isnan(values))
    arm = 2 * sets[present] + is_group[present]
    cells = 2 * (int(sets.max()) + 1)
    counts = np.bincount(arm, minlength=cells).reshape(-1, 2)
    sums = np.bincount(arm, weights=values[present], minlength=cells).reshape(-1, 2)
    complete = np.flatnonzero((counts > 0).all(axis=1))
    template_of, names_of = np.zeros(cells, dtype=np.int64), np.zeros((cells, 2), dtype=np.int64)
    # Backwards, so that the first row of an arm is the one that stays.
    template_of[arm[::-1]] = template[present[::-1]]
    names_of[arm[::-1]] = names[present[::-1]]
    templates, place = np.unique(template_of.reshape(-1, 2)[complete, 0], return_inverse=True)
    weight = 1.0 / (np.bincount(place, minlength=templates.size)[place] * templates.size)
    means = sums[complete] / counts[complete]
    centred = (means - (means * weight[:, np.newaxis]).sum(axis=0)) * weight[:, np.newaxis]
    return NameArms(
        influence=np.concatenate([-centred[:, 0], centred[:, 1]]),
        weight=np.concatenate([-weight, weight]),
        template=np.tile(templates[place], 2),
        names=names_of.reshape(-1, 2, 2)[complete].transpose(1, 0, 2).reshape(-1, 2),
    )
