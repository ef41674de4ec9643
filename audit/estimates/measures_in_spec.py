"""Names of measures in a spec: a threshold for a measure that does not exist would hold for nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from audit.errors import SpecError
from audit.estimates.benchmarks import SCORES
from audit.estimates.distances import DISTANCES, EXCESSES
from audit.estimates.measures import Measure
from audit.estimates.prices import PRICED
from audit.estimates.word_associations import ASSOCIATIONS
from audit.gate_conditions import condition_of
from audit.spec import Spec

__all__ = ["check_measures_named"]


def check_measures_named(spec: Spec, measures: Sequence[Measure], where: str) -> None:
    """Refuse thresholds for measures that do not exist: they would silently hold for nothing.

    Args:
        spec: The spec.
        measures: The built-in measures and those that the spec's analyzers declare.
        where: Name of the spec file, for messages.

    Raises:
        SpecError: One line for every unknown name, and for every name that two measures have.
    """
    compared = [measure.name for measure in measures if measure.compare_groups]
    limited = [measure.name for measure in measures if measure.limit]
    every = [*(measure.name for measure in measures), *SCORES, *PRICED, *DISTANCES, *EXCESSES]
    every += [f"{name}{kind}" for name in ASSOCIATIONS for kind in ("", "_excess")]
    problems = [
        *(
            f"{where}: analyzers: measure {name!r} is declared by an analyzer, but there is one already"
            for name, count in sorted(Counter(every).items())
            if count > 1
        ),
        *_unknown(f"{where}: judgement.margins", spec.judgement.margins, [*compared, *EXCESSES]),
        *_unknown(
            f"{where}: judgement.non_inferiority_margins",
            spec.judgement.non_inferiority_margins,
            [measure.name for measure in measures if measure.limit or not measure.compare_groups],
        ),
        *_unknown(f"{where}: judgement.rate_limits", spec.judgement.rate_limits, limited),
        *(
            line
            for index, rule in enumerate(spec.judgement.primary)
            for line in _unknown(f"{where}: judgement.primary[{index}].measure", [rule.measure], compared)
        ),
        *(
            line
            for index, rule in enumerate(spec.gate)
            for line in _unknown(f"{where}: gate[{index}].measure", [rule.measure], every)
        ),
        *_out_of_reach(spec, {one.name for one in measures if one.unit == "rate"}, where),
    ]
    if problems:
        raise SpecError("\n".join(problems))


def _out_of_reach(spec: Spec, rates: Collection[str], where: str) -> Iterator[str]:
    """Margins and thresholds that no rate can reach, such as points in place of fractions."""
    judgement = spec.judgement
    for key, margins in (
        ("margins", judgement.margins),
        ("non_inferiority_margins", judgement.non_inferiority_margins),
    ):
        for name, value in margins.items():
            if name in rates and value >= 1:
                yield (
                    f"{where}: judgement.{key}.{name}: must be below 1, a fraction; got {value:g} "
                    f"({value:g} points are {value / 100:g})"
                )
    for index, rule in enumerate(spec.gate):
        value = condition_of(rule).value
        if rule.measure in rates and abs(value) >= 1:
            yield (
                f"{where}: gate[{index}].fail_if: rates and their differences lie between -1 and 1; "
                f"got {rule.fail_if!r} ({value:g} points are {value / 100:g})"
            )


def _unknown(place: str, given: Iterable[str], accepted: Sequence[str]) -> Iterator[str]:
    for name in given:
        if name not in accepted:
            near = get_close_matches(name, accepted, n=3)
            meant = f" (did you mean {' or '.join(near)}?)" if near else ""
            yield f"{place}: no measure {name!r}{meant}; accepted: {', '.join(accepted)}"
