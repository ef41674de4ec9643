"""Names in a spec that its plan must ask about: primary contrasts, controls and rules of the gate."""

from collections.abc import Collection, Iterator, Sequence

from audit.errors import SpecError
from audit.estimates.contrasts import POOLED
from audit.estimates.measures import Measure
from audit.gate_names import Compared, ComparedGroups, gate_problems
from audit.plan import Plan
from audit.spec import Spec

__all__ = ["check_named_in_plan"]


def check_named_in_plan(
    spec: Spec,
    plan: Plan,
    tags: Collection[str],
    groups: ComparedGroups,
    measures: Sequence[Measure],
    where: str,
) -> None:
    """Refuse what a spec names and its plan does not ask about: it would hold for nothing, in silence.

    Args:
        spec: The spec.
        plan: Its plan.
        tags: Names of the tags of its prompts.
        groups: What its prompts compare.
        measures: The built-in measures and those that the spec's analyzers declare.
        where: Name of the spec file, for messages.

    Raises:
        SpecError: One line for every such name.
    """
    problems = [
        *_of_primary(spec, groups.found),
        *_of_controls(spec, tags),
        *gate_problems(spec, plan, groups.found, measures),
    ]
    if problems:
        raise SpecError("\n".join(f"{where}: {line}" for line in problems))


def _of_primary(spec: Spec, asked: Collection[Compared]) -> Iterator[str]:
    """Primary contrasts that the plan does not ask about: their share of the rate would be lost."""
    for index, rule in enumerate(spec.judgement.primary):
        domain = None if rule.domain == POOLED else rule.domain
        wanted = {**rule.model_dump(include={"probe", "attribute", "group", "signal"}), "domain": domain}
        given = {key: value for key, value in wanted.items() if value is not None}
        if not any(all(getattr(cell, key) == value for key, value in given.items()) for cell in asked):
            said = ", ".join(f"{key} {value!r}" for key, value in given.items())
            known = {key: sorted({str(getattr(cell, key)) for cell in asked}) for key in given}
            accepted = "; ".join(f"{key}: {', '.join(values)}" for key, values in known.items())
            yield (
                f"judgement.primary[{index}]: the plan asks nothing about {said or 'groups'}"
                f"; it asks about {accepted or 'no groups at all'}"
            )


def _of_controls(spec: Spec, tags: Collection[str]) -> Iterator[str]:
    """Controls for what no prompt is tagged with: every table would be as without them."""
    unknown = [name for name in spec.judgement.control_features if name not in tags]
    if unknown:
        yield (
            f"judgement.control_features: no prompt has the tag {', '.join(map(repr, unknown))}; "
            f"accepted: {', '.join(sorted(tags)) or 'none, since no prompt has a tag'}"
        )
