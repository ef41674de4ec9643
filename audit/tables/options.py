"""What to audit of a decision table: which columns say what, and by which rules."""

import math
from dataclasses import dataclass

from audit.errors import InputError

__all__ = [
    "LARGEST_EXCLUDED_SHARE",
    "MOST_GROUP_COLUMNS",
    "TableOptions",
    "decides_nothing",
    "says_nothing",
]

LARGEST_EXCLUDED_SHARE = 0.02
"""Share of the audit data below which a category may be left out of impact ratios (6 RCNY 5-301 (d))."""

MOST_GROUP_COLUMNS = 5

_UNKNOWN_VALUES = frozenset({"", "?", "n/a", "nan", "null", "unknown", "(unknown)"})
_WRITTEN_FOR_NOTHING = frozenset({"na", "<na>", "#n/a", "nat", "none"})
"""What programs write for a cell without a value; of a group, such as a disability, it may say something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """Everything an audit of a decision table is told; checked when made.

    Raises:
        InputError: Options contradict each other or are out of range; the message names the option.

    Source:
        The largest share that may be left out: 6 RCNY 5-301 (d), rules of Local Law 144 of New York City.
    """

    outcome: str
    """Column of the decision."""
    favourable: tuple[str, ...]
    """Values of that column that are favourable to the person; every other value is not."""
    groups: tuple[str, ...]
    """Columns of protected attributes, each audited apart."""
    label: str | None = None
    """Column of what turned out to be right, in the outcome's terms."""
    label_favourable: tuple[str, ...] = ()
    """Favourable values of the label; those of the outcome if empty."""
    cluster: str | None = None
    """Column that says which rows belong together, such as the employer or the applicant."""
    score: str | None = None
    """Column of a number that ranks people, for scoring rates."""
    references: tuple[str, ...] = ()
    """Groups that others are compared with: `value`, or `column=value` if several columns have it."""
    exclude_below: float | None = None
    """Share of a table below which a category is left out of impact ratios."""
    justification: str | None = None
    """Why they are left out; printed with their counts and rates."""
    intersections: bool = False
    """Audit the crossing of all group columns too."""
    margin: float = 0.05
    """Smallest difference of rates that matters, a fraction in (0, 1)."""
    unknown: tuple[str, ...] = ()
    """Further values of group columns that mean that the category is not known."""

    def __post_init__(self) -> None:
        """Check the options against each other."""
        self._check_columns()
        self._check_exclusion()
        if not (math.isfinite(self.margin) and 0 < self.margin < 1):
            raise InputError(f"--margin must be a fraction between 0 and 1; got {self.margin:g}")

    def _check_columns(self) -> None:
        if not self.groups or not self.favourable:
            raise InputError("at least one --group column and one --favourable value are needed")
        if len(self.groups) > MOST_GROUP_COLUMNS:
            raise InputError(f"--group: at most {MOST_GROUP_COLUMNS} columns; got {len(self.groups)}")
        roles = [self.outcome, *self.groups]
        roles += [name for name in (self.label, self.cluster, self.score) if name is not None]
        for name in sorted(set(roles)):
            if roles.count(name) > 1:
                raise InputError(
                    f"column {name!r} is named {roles.count(name)} times; outcome, groups, label, cluster "
                    "and score must be different columns"
                )
        if self.label is None and self.label_favourable:
            raise InputError("--label-favourable needs --label, the column it is a value of")
        if self.intersections and len(self.groups) == 1:
            raise InputError(f"--intersections needs at least two --group columns; got {self.groups[0]!r}")

    def _check_exclusion(self) -> None:
        given = self.justification is not None and bool(self.justification.strip())
        if self.exclude_below is None:
            if self.justification is not None:
                raise InputError("--justification needs --exclude-below, the share it justifies")
            return
        if not 0 < self.exclude_below <= LARGEST_EXCLUDED_SHARE:
            raise InputError(
                f"--exclude-below must be above 0 and at most {LARGEST_EXCLUDED_SHARE:g}, the share under "
                f"which Local Law 144 lets a category be left out; got {self.exclude_below:g}"
            )
        if not given:
            raise InputError(
                "--exclude-below needs --justification: why categories are left out of impact ratios",
                next_step='add --justification "..." or leave --exclude-below out',
            )


def says_nothing(value: str) -> bool:
    """Whether a cell's text means that nothing is known: empty, `?`, n/a, nan, null or unknown.

    >>> says_nothing("Unknown"), says_nothing("none")
    (True, False)
    """
    return value.lower() in _UNKNOWN_VALUES


def decides_nothing(value: str) -> bool:
    """Whether the text of a decision or label means that there is none, as programs write a missing cell too.

    >>> decides_nothing("NA"), decides_nothing("None"), decides_nothing("no")
    (True, True, False)
    """
    return says_nothing(value) or value.lower() in _WRITTEN_FOR_NOTHING
