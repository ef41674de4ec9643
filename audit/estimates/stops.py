"""What a stop that depends on the answers does to quantities that are stated once, after it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from audit.records import Change, Estimate, GroupRate, Omnibus
from audit.spec import Judgement
from audit.statistics.group_sequential import GroupSequential

__all__ = ["Stops", "at_look"]

Stateable = TypeVar("Stateable", Estimate, GroupRate, Omnibus)
Restateable = TypeVar("Restateable", Estimate, GroupRate, Omnibus, Change)


def at_look(judgement: Judgement, boundaries: GroupSequential, look: int) -> Judgement:
    """Thresholds for quantities that are not compared over looks, of probes that were stopped after one.

    A stop depends on the answers, so also an overall rate or a change is stated at the nominal
    level of the look after which something was left out. Spending grows in proportion to the error rate,
    so the same step for the false discovery rate is on the safe side.

    Args:
        judgement: Thresholds declared in the spec.
        boundaries: Of the run's looks.
        look: Number of the look.
    """
    level = boundaries.level(judgement.level, look)
    rate = 2 * boundaries.nominal_alpha(min(1.0, judgement.false_discovery_rate) / 2, look)
    return judgement.model_copy(update={"level": level, "false_discovery_rate": rate})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """Probes from which something was left out after a look.

    Only their answers depend on when the run stopped. A probe that is asked in full has one analysis at
    the end, whatever became of the others, so nothing is paid for looks at it.
    """

    boundaries: GroupSequential
    look: int
    """The look at whose level they are stated."""
    probes: frozenset[str]

    def judgement(self, judgement: Judgement, probe: str) -> Judgement:
        """Thresholds of what is stated of a probe."""
        return at_look(judgement, self.boundaries, self.look) if probe in self.probes else judgement

    def p_value(self, one_sided: float, probe: str) -> float:
        """The one-sided p-value of a probe, valid at whichever look it was stopped after."""
        return self.boundaries.p_value(one_sided, self.look) if probe in self.probes else one_sided

    def level(self, level: float, probe: str) -> float:
        """Nominal level of a probe's interval that is to hold at `level` at whichever look it was stopped."""
        return self.boundaries.level(level, self.look) if probe in self.probes else level

    def restated(self, found: Restateable, probe: str, level: float) -> Restateable:
        """A quantity computed at `judgement`, with the level that it has over all looks."""
        if probe not in self.probes:
            return found
        note = f"repeated interval at look {self.look} of {len(self.boundaries.fractions)}"
        return found.model_copy(update={"level": level, "method": f"{found.method}; {note}"})

    def stated(
        self, compute: Callable[[Judgement], Iterable[Stateable]], judgement: Judgement
    ) -> list[Stateable]:
        """Quantities that do not share a family, each at the thresholds of its probe.

        Args:
            compute: Gives the quantities at any thresholds.
            judgement: Thresholds declared in the spec.
        """
        found = [one for one in compute(judgement) if one.probe not in self.probes]
        late = [
            one for one in compute(at_look(judgement, self.boundaries, self.look)) if one.probe in self.probes
        ]
        return found + [self.restated(one, one.probe, judgement.level) for one in late]
