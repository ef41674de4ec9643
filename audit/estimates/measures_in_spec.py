"""Names of measures in a spec: a threshold for a measure that does not exist would hold for nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from audit.errors import SpecError
from audit.estimates.benchmarks import SCORES
from audit.estimates.distances import DISTANCES, EXCESSES
from audit.estimates.measures import Measure
from audit.estimates.prices import PRICED
from audit.estimates.word_associations import ASSOCIATIONS
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
    ]
    if problems:
        raise SpecError("\n".join(problems))


def _unknown(place: str, given: Iterable[str], accepted: Sequence[str]) -> Iterator[str]:
    for name in given:
        if name not in accepted:
            yield f"{place}: no measure {name!r}; accepted: {', '.join(accepted)}"
