"""The page about the speed of statistics: the fixed text of page.md with the figures of one run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "RESAMPLES",
    "TABLE_CLUSTERS",
    "TABLE_GROUPS",
    "TABLE_RESAMPLES",
    "TABLE_ROWS",
    "Found",
    "Measured",
    "page",
]

RESAMPLES = 2_000
TABLE_ROWS = 100_000
TABLE_GROUPS = 8
TABLE_CLUSTERS = 500
TABLE_RESAMPLES = 200

Found = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What every part measured, seconds and GiB."""

    main: Found
    """The audit of a million outputs."""
    clustered: Found
    """Our intervals of a selection rate by group."""
    fairlearn: Found
    """Those of fairlearn, of the same table."""
    audits: Sequence[Found]
    """The same audit by number of outputs."""


def page(found: Measured) -> str:
    """The page in Markdown."""
    main, ours, theirs = found.main, found.clustered, found.fairlearn
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            outputs=main["outputs"],
            comparisons=main["comparisons"],
            resamples=RESAMPLES,
            verdicts=main["verdicts_s"],
            ratios=main["resamples_s"],
            together=main["seconds"],
            peak=main["peak_gib"],
            alone=main["table_gib"],
            groups=TABLE_GROUPS,
            clusters=TABLE_CLUSTERS,
            rows=TABLE_ROWS,
            drawn=TABLE_RESAMPLES,
            ours=ours["seconds"],
            theirs=theirs["seconds"],
            times=theirs["seconds"] / ours["seconds"],
            our_width=100 * ours["width"],
            their_width=100 * theirs["width"],
            sizes="\n".join(_size(one) for one in found.audits),
        )
    )


def _size(found: Found) -> str:
    cells = (
        f"{found['outputs']:,.0f}",
        f"{found['seconds']:.1f}",
        f"{found['seconds'] / found['outputs'] * 1e6:.1f}",
        f"{found['peak_gib']:.2f}",
        f"{found['table_gib']:.2f}",
    )
    return f"| {' | '.join(cells)} |"
