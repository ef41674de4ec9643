"""A part of the wordings: the same under every seed, and nothing in common with the other parts."""

import pytest

from audit.planning import Planner
from audit.spec import Spec, parse_spec
from audit.wordings import Part
from probes.bias.decisions import DecisionsOptions, DecisionsProbe

_SPEC = """\
version: 1
name: part
seed: {seed}
target: {{type: specimen}}
probes: [{{use: bias/decisions, domains: [lending]}}]
analyzers: [decision]
"""


def _templates(seed: int, wordings: str | None) -> set[str]:
    spec = parse_spec(_SPEC.format(seed=seed), "spec.yaml").model_copy(update={"wordings": wordings})
    probe = DecisionsProbe(DecisionsOptions(domains=("lending",)))
    return {prompt.template for prompt in Planner(spec, [probe]).prompts()}


def test_parts_have_nothing_in_common_and_make_the_whole() -> None:
    """Two halves of the templates are apart, about alike, and all of them together."""
    whole, first, second = (_templates(1, part) for part in (None, "1/2", "2/2"))
    assert first | second == whole
    assert not first & second
    assert min(len(first), len(second)) >= 12


def test_a_part_does_not_depend_on_the_seed() -> None:
    """What one run asked under one seed another part does not ask under any."""
    assert _templates(1, "1/2") == _templates(2, "1/2")


@pytest.mark.parametrize("given", ["3/2", "0/2", "1", "1/0", "1/2/3", "one half", "1/100"])
def test_what_is_no_part_is_refused(given: str) -> None:
    """A part is one of several, and anything else is told with what is accepted."""
    with pytest.raises(ValueError, match="one part of at most 99, such as `1/2`"):
        Part.read(given)
    with pytest.raises(ValueError, match="one part of at most 99"):
        Spec.model_validate(
            {
                "version": 1,
                "name": "x",
                "target": {"type": "specimen"},
                "probes": [{"use": "bias/decisions"}],
                "analyzers": [{"use": "decision"}],
                "wordings": given,
            }
        )
