"""Shapes, colours and hatches of the report: told apart in grey, and by people who do not see all colours.

Source:
    Okabe and Ito (2008), Color Universal Design.
"""

from audit.records import Verdict

__all__ = [
    "BAND",
    "FAINT",
    "INK",
    "LIMIT",
    "LINES",
    "MARKS",
    "MOST_SLOPES",
    "STATES",
]

INK, FAINT, BAND, LIMIT = "#1c2330", "#5b6472", "#dfe3ea", "#8a5a00"
_VERMILLION, _GREEN, _BLUE, _BROWN = "#D55E00", "#009E73", "#0072B2", "#6b5300"

MARKS: dict[str, tuple[str, str, bool]] = {
    Verdict.DISPARITY: ("D", _VERMILLION, True),
    Verdict.EXCEEDS: ("^", _VERMILLION, True),
    Verdict.EQUIVALENT: ("o", _GREEN, True),
    Verdict.WITHIN: ("v", _GREEN, True),
    Verdict.INCONCLUSIVE: ("o", _BROWN, False),
    Verdict.OBSERVED: ("s", _BLUE, False),
    "smaller": ("v", _GREEN, True),
    "larger": ("^", _VERMILLION, True),
    "reversed": ("D", _VERMILLION, True),
    "no_material_change": ("s", _BLUE, False),
}
"""matplotlib's marker, colour, and whether it is filled, by verdict; macros.html.j2 draws the same ones."""

LINES: dict[str, tuple[float, ...]] = {
    "smaller": (),
    "larger": (),
    "reversed": (),
    "inconclusive": (4, 3),
    "no_material_change": (1, 2),
}
"""Dashes of a line, in points, by the verdict of a change."""

STATES = (
    ("answered", _BLUE, ""),
    ("refused", "#E69F00", "///"),
    ("truncated", "#56B4E9", "..."),
    ("empty", "#CC79A7", "\\\\\\"),
    ("errored", _VERMILLION, "xxx"),
    ("not_asked", "#ffffff", ""),
    ("decided_early", _GREEN, "---"),
    ("broken_off", "#F0E442", "xx"),
)
"""Parts of the count funnel, with colour and hatch; the last two only where there are any."""

MOST_SLOPES = 24
"""Lines of a slope plot; more cannot be told apart."""
