"""The page about the instrument: the fixed text of page.md with the tables of these runs."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.instrument.design import GAPS, ROOT, Design
from benchmarks.instrument.sections import alarms, intervals, nulls, unplanted, verdicts
from benchmarks.instrument.told import Told

__all__ = ["render"]

STAR = " *"


def render(told: Sequence[Told], design: Design) -> str:
    """The page in Markdown.

    Args:
        told: Every run.
        design: What was asked in each.
    """
    text = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    tables = {"intervals": intervals(told), "nulls": nulls(told), "alarms": alarms(told)}
    promised = sum(table.promised for table in tables.values())
    starred = sum(table.text.count(STAR) for table in tables.values())
    return text.format(
        runs=len({one.run for one in told}),
        seed=ROOT,
        gaps=_listed([f"{100 * gap:.0f}" for gap in GAPS]),
        asked=_asked(design),
        contrasts=len(told[0].contrasts),
        starred="None" if starred == 0 else starred,
        promised=promised,
        verdicts=verdicts(told),
        unplanted=unplanted(told),
        **{name: table.text for name, table in tables.items()},
        **design.faults,
    )


def _asked(design: Design) -> str:
    """The options of the probe, in words."""
    templates = "all templates" if design.templates is None else f"{design.templates} templates"
    attributes = [attribute.replace("_", "/") for attribute in design.attributes]
    return "; ".join(
        [
            f"{templates} of each domain ({_listed(design.domains)})",
            _listed(attributes),
            f"signals {_listed([signal.value for signal in design.signals])}",
            f"merit {_listed(design.merit)}",
            f"placebos {_listed([placebo.replace('_', ' ') for placebo in design.placebos])}",
            f"{design.repeats} repeats",
        ]
    )


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
