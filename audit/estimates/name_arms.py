"""What each name adds to the error of a contrast, where names signal the group."""

from dataclasses import dataclass

import numpy as np

from audit.statistics.arguments import Codes, Flags, Vector

__all__ = ["NameArms", "name_arms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameArms:
    """One entry an arm of a complete set: its influence, its template and its name."""

    influence: Vector
    """On the mean template difference, shape (2 S,); it sums to 0 over the arms of each group."""
    template: Codes
    """Code of its template, shape (2 S,)."""
    name: Codes
    """Code of its name, shape (2 S,)."""


def name_arms(values: Vector, template: Codes, sets: Codes, is_group: Flags, name: Codes) -> NameArms:
    """Influence of each set's arm on the mean template difference, with its template and name.

    The arm of set s of template t has weight 1 / (sets of t x templates); its influence is that
    weight times its distance from the arm's own mean, negative for the reference arm. A set counts if both
    arms have a value; the name of an arm is that of its first row with one.

    Args:
        values: One value a row, nan if missing, shape (n,).
        template: Code of the row's template, shape (n,).
        sets: Dense code of the row's counterfactual set, shape (n,).
        is_group: True for rows of the group, shape (n,).
        name: Code of the row's name, shape (n,).
    """
    present = np.flatnonzero(~np.isnan(values))
    arm = 2 * sets[present] + is_group[present]
    cells = 2 * (int(sets.max()) + 1)
    counts = np.bincount(arm, minlength=cells).reshape(-1, 2)
    sums = np.bincount(arm, weights=values[present], minlength=cells).reshape(-1, 2)
    complete = np.flatnonzero((counts > 0).all(axis=1))
    template_of, name_of = np.zeros(cells, dtype=np.int64), np.zeros(cells, dtype=np.int64)
    # Backwards, so that the first row of an arm is the one that stays.
    template_of[arm[::-1]] = template[present[::-1]]
    name_of[arm[::-1]] = name[present[::-1]]
    templates, place = np.unique(template_of.reshape(-1, 2)[complete, 0], return_inverse=True)
    weight = 1.0 / (np.bincount(place, minlength=templates.size)[place] * templates.size)
    means = sums[complete] / counts[complete]
    centred = (means - (means * weight[:, np.newaxis]).sum(axis=0)) * weight[:, np.newaxis]
    return NameArms(
        influence=np.concatenate([-centred[:, 0], centred[:, 1]]),
        template=np.tile(templates[place], 2),
        name=name_of.reshape(-1, 2)[complete].T.ravel(),
    )
