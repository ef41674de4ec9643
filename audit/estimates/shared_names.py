"""Names as a sample where a value compares people of both groups: each name bears on all of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.name_arms import FEW_NAMES, LEAST_NAMES
from audit.statistics.arguments import Codes, Flags, Vector
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.paired import PairedDifferences
from audit.statistics.shared_members import Members, shared_member_cluster

__all__ = ["SharedNames", "shared_interval", "shared_names"]

_SEPARATOR = "; "


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedNames:
    """One entry a complete set: its influence, its template and everybody who is compared in it."""

    influence: Vector
    """On the mean template difference, shape (S,); it sums to 0."""
    template: Codes
    """Code of its template, shape (S,)."""
    names: tuple[frozenset[str], ...]
    """First and last names of all its people, S of them; a last name that the whole set shares is left out,
    since what both sides have cancels."""
    fewest: int
    """First names on the side that has fewest."""


def shared_names(
    paired: PairedDifferences, sets: Codes, is_group: Flags, names: "pd.Series[str]"
) -> SharedNames:
    """The names of each complete set.

    Args:
        paired: The differences of the sets.
        sets: Dense code of each row's set, shape (n,).
        is_group: Whether the row's counted side is of the group, shape (n,).
        names: Names of each row's counted side, joined by `; `.
    """
    rows = pd.DataFrame({"set": sets, "side": is_group, "name": names.to_numpy()}).drop_duplicates()
    people: dict[int, list[tuple[bool, str, str]]] = {}
    for one, side, said in zip(rows["set"], rows["side"], rows["name"], strict=True):
        for full in str(said).split(_SEPARATOR):
            first, _, last = full.rpartition(" ")
            people.setdefault(int(one), []).append((bool(side), first or last, last if first else ""))
    here = [people[int(code)] for code in paired.sets]
    firsts = [{first for one in here for side, first, _ in one if side is which} for which in (False, True)]
    return SharedNames(
        influence=paired.set_influence,
        template=paired.clusters[paired.set_clusters],
        names=tuple(_apart(one) for one in here),
        fewest=min(len(one) for one in firsts),
    )


def shared_interval(tables: Sequence[SharedNames], *, point: float, level: float) -> ClusterEstimate:
    """Interval of a contrast over strata; sets that share a template or a name are not independent.

    Args:
        tables: The sets of each stratum, all of them weighing alike.
        point: The estimate.
        level: Nominal coverage, a fraction in (0, 1).

    Raises:
        NotMeasuredError: A side has one first name only, or templates do not differ.
    """
    fewest = min(table.fewest for table in tables)
    if fewest < LEAST_NAMES:
        raise NotMeasuredError(
            f"names as a sample need at least {LEAST_NAMES} first names in each group; got 1"
        )
    found = shared_member_cluster(
        np.concatenate([table.influence for table in tables]) / len(tables),
        np.concatenate([table.template for table in tables]),
        np.concatenate([np.full(table.template.size, place) for place, table in enumerate(tables)]),
        Members(of=[names for table in tables for names in table.names], fewest=fewest),
        point=point,
        level=level,
    )
    if fewest >= FEW_NAMES:
        return found
    said = f"{found.interval.method}; few names ({fewest} in a group)"
    return replace(found, interval=replace(found.interval, method=said))


def _apart(people: Sequence[tuple[bool, str, str]]) -> frozenset[str]:
    lasts = [{last for side, _, last in people if side is which} for which in (False, True)]
    # A space before keeps a last name apart from a first name that is spelt alike.
    own = {f" {last}" for last in lasts[0] ^ lasts[1] if last}
    return frozenset({*(first for _, first, _ in people), *own})
