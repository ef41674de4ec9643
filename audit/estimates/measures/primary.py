"""Which measures a prompt's contrasts are primary on unless the spec declares others."""

from collections.abc import Collection, Sequence

from audit.estimates.measures.measure import Measure
from probes.records import Expectation

__all__ = ["first_measures", "fits"]


def first_measures(
    expectation: Expectation, measures: Sequence[Measure], analyzers: Collection[str]
) -> tuple[Measure, ...]:
    """What groups are compared on first where such replies are expected.

    The main measures of that kind of reply; where none is main, as with free text, all that the run's
    analyzers read of it. What is read off the outputs themselves, such as that they were cut off, is left
    out: it hardly ever occurs, and what does not occur is no contrast of the family.

    Args:
        expectation: What the probe expects of a reply.
        measures: The measures there are.
        analyzers: Names of the run's analyzers.

    Returns:
        Measures in the order received; none if no analyzer of the run reads such replies.
    """
    fitting = [
        one for one in measures if one.compare_groups and one.analyzer in analyzers and fits(one, expectation)
    ]
    return tuple(one for one in fitting if one.main) or tuple(fitting)


def fits(measure: Measure, expectation: Expectation) -> bool:
    """Whether a reply that is so expected can have a value of the measure."""
    if expectation.kind not in measure.expects or (measure.ordered and not expectation.ordered):
        return False
    if measure.analyzer == "decision" and measure.reading == "favourable":
        return expectation.favourable is not None
    return measure.qualified is None or expectation.answer is not None
