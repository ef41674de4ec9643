"""How far a repair reaches, on two learned lenders: cells partition the prompts and say what was touched."""

import asyncio
from pathlib import Path

import pytest

from audit.api import collect, open_run, score
from audit.demo.history import train_lender
from audit.estimates.frame import Readings
from audit.repaired.reach import ReachCell, reach
from audit.runs import create_run
from audit.spec import parse_spec

pytestmark = pytest.mark.slow

_SPEC = """\
version: 1
name: lender
seed: 3
target: {type: trainable, path: MODEL}
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [SIGNAL]
    placebos: [paraphrase]
    sets_per_template: 2
analyzers: [decision]
"""


@pytest.fixture(scope="module")
def lenders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scored runs of a biased lender and of a fair one, with the signal told and by name."""
    home = tmp_path_factory.mktemp("lenders")
    train_lender(home / "biased", seed=1, n=2000)
    train_lender(home / "fair", seed=1, n=2000, penalties={})
    for signal in ("explicit", "name"):
        for model in ("biased", "fair"):
            spec = parse_spec(_SPEC.replace("MODEL", model).replace("SIGNAL", signal), "spec.yaml")
            run = create_run(spec, home / f"{model}-{signal}", root=home, where="spec.yaml")
            asyncio.run(collect(run, secrets={}))
            score(run)
    return home


def _pair(folder: Path, signal: str) -> tuple[Readings, Readings]:
    return open_run(folder / f"biased-{signal}").readings(), open_run(folder / f"fair-{signal}").readings()


def _women(cells: tuple[ReachCell, ...]) -> list[ReachCell]:
    return [one for one in cells if (one.measure, one.group) == ("favourable_rate", "female")]


def test_cells_partition_the_prompts_and_say_what_was_touched(lenders: Path) -> None:
    """Seen and unseen templates together are all prompts, and a set that is partly seen is mixed."""
    before, after = _pair(lenders, "explicit")
    (whole,) = _women(reach(before, after, {}, level=0.95))
    assert (whole.template, whole.identity, whole.trained) == ("unseen", "unseen", False)
    assert whole.before is not None
    assert whole.after is not None
    assert whole.change == pytest.approx(whole.after - whole.before)
    outputs = before.outputs
    templates = sorted(set(outputs[outputs["arm"] == "counterfactual"]["template"]))
    half = templates[: len(templates) // 2]
    seen = {"template": half, "group": ["female"], "attribute": ["gender"]}
    first, second = _women(reach(before, after, seen, level=0.95))
    assert {first.template, second.template} == {"seen", "unseen"}
    assert {first.identity, second.identity} == {"mixed"}
    assert first.trained
    assert second.trained
    assert first.n_prompts + second.n_prompts == whole.n_prompts


def test_identities_are_names_where_prompts_have_them(lenders: Path) -> None:
    """A group that the files hold makes no name seen; with every name given the identities are seen."""
    before, after = _pair(lenders, "name")
    groups = _women(reach(before, after, {"group": ["female", "male"]}, level=0.95))
    assert {one.identity for one in groups} == {"unseen"}
    names = sorted(set(before.outputs["name"].dropna()))
    named = _women(reach(before, after, {"name": names}, level=0.95))
    assert {one.identity for one in named} == {"seen"}
    assert sum(one.n_prompts for one in named) == sum(one.n_prompts for one in groups)
