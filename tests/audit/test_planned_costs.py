"""What a plan will take of time and energy."""

import asyncio
from pathlib import Path

import pytest

from audit import api
from audit.planned_costs import PlannedCost, planned_costs
from audit.spec import Spec, parse_spec

_SPEC = """\
version: 1
name: costs
seed: 3
target: {target}
probes:
  - {{use: bias/decisions, domains: [lending], attributes: [gender], signals: [explicit], templates: 12}}
analyzers: [decision]
"""
_SPECIMEN = "{type: specimen}"
_HOSTED = (
    "{type: openai, base_url: 'https://api.openai.com/v1', model: gpt-4o-mini, max_in_flight: 10, "
    "api_key_env: SOME_KEY}"
)


def spec_of(target: str, home: Path) -> tuple[Spec, Path]:
    """A spec in a file."""
    path = home / "spec.yaml"
    path.write_text(_SPEC.format(target=target), encoding="utf-8")
    return parse_spec(path.read_text(encoding="utf-8"), str(path)), path


def costs(target: str, home: Path, pilot: Path | None = None) -> tuple[PlannedCost, int]:
    """What the target of a spec will take, and its outputs."""
    spec, path = spec_of(target, home)
    made, _ = api.propose(path, None)
    (cost,) = planned_costs(spec, made, path, pilot)
    return cost, made.requests


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose outputs took 0.2 s each, but for one in ten that took 2 s."""
    home = tmp_path_factory.mktemp("pilot")
    spec, path = spec_of(_SPECIMEN, home)
    run = api.create_run(spec, home / "run", root=home, where=str(path))
    asyncio.run(api.collect(run, secrets={}))
    with run.store() as store, store.transaction() as connection:
        connection.execute("UPDATE outputs SET latency_s = CASE WHEN id % 10 = 0 THEN 2.0 ELSE 0.2 END")
    return run.folder.path


def test_minutes_follow_from_the_pilot(pilot: Path, tmp_path: Path) -> None:
    """Ten calls at once take the outputs' waiting times over ten, from the usual one to a slow one."""
    cost, outputs = costs(_HOSTED, tmp_path, pilot)
    assert (cost.in_flight, cost.outputs) == (10, outputs)
    assert cost.minutes_low == pytest.approx(outputs * 0.2 / 10 / 60)
    assert cost.minutes_high == pytest.approx(outputs * 2.0 / 10 / 60)


def test_nothing_known_is_not_zero(tmp_path: Path) -> None:
    """Without a pilot there are no minutes, and of a model in no table no energy."""
    cost, _ = costs(_SPECIMEN, tmp_path)
    assert (cost.minutes_low, cost.minutes_high) == (None, None)
    assert (cost.kwh_low, cost.kwh_high, cost.energy_source) == (None, None, None)


def test_energy_is_a_range_by_a_named_table(pilot: Path, tmp_path: Path) -> None:
    """Energy of a known model grows from the shortest to the longest replies, and names its table."""
    pytest.importorskip("ecologits")
    alone, outputs = costs(_HOSTED, tmp_path)
    assert alone.energy_source is not None
    assert alone.energy_source.startswith("ecologits ")
    assert alone.kwh_low is not None
    assert alone.kwh_high is not None
    assert 0 < alone.kwh_low / outputs < alone.kwh_high / outputs < 1e-3
    piloted, _ = costs(_HOSTED, tmp_path, pilot)
    assert piloted.kwh_high is not None
    assert piloted.kwh_high < alone.kwh_high
