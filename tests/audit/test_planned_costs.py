"""What a plan will take of time and energy."""

import asyncio
from pathlib import Path

import pytest

from audit import api
from audit.drift import few_rounds
from audit.planned_costs import PlannedCost, planned_costs
from audit.spec import Spec, parse_spec
from tests.servers.processes import stub_server

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


def test_canaries_are_in_what_a_plan_takes(tmp_path: Path) -> None:
    """Twelve rounds of four prompts are 48 requests more, with their tokens, of a target that has a host."""
    plain, path = spec_of(_HOSTED, tmp_path)
    made, _ = api.propose(path, None)
    (without,) = planned_costs(plain, made, path)
    (with_them,) = planned_costs(plain.model_copy(update={"canaries": 12}), made, path)
    assert (without.canaries, with_them.canaries) == (0, 48)
    assert with_them.outputs == without.outputs
    more = with_them.prompt_tokens_low - without.prompt_tokens_low
    assert 12 * 4 * 40 / 5 < more < 12 * 4 * 100 / 5
    assert with_them.reply_tokens_low - without.reply_tokens_low == 48
    local, _ = spec_of(_SPECIMEN, tmp_path)
    (unchanging,) = planned_costs(local.model_copy(update={"canaries": 12}), made, path)
    assert unchanging.canaries == 0, "what runs here cannot be exchanged, and is not asked"


_TALK = """\
version: 1
name: talk
seed: 3
target: {{type: openai, base_url: "{url}", model: plain{system}}}
probes: [{{use: public/table, path: talk.csv, prompt: prompt, further: [next, last], options: options}}]
analyzers: [decision]
"""


@pytest.mark.parametrize("system", ["", ", system: Answer as briefly as you can in plain English."])
def test_what_a_conversation_takes_lies_in_the_range_planned(tmp_path: Path, system: str) -> None:
    """Replies that are sent again count at the length of replies; a pilot's own count narrows the range."""
    rows = "".join(f"Client {n} asks for a loan.,Why is that?,Lend or not?,yes|no\n" for n in range(20))
    (tmp_path / "talk.csv").write_text(f"prompt,next,last,options\n{rows}", encoding="utf-8")
    path = tmp_path / "spec.yaml"
    with stub_server() as url:
        path.write_text(_TALK.format(url=url, system=system), encoding="utf-8")
        spec = parse_spec(path.read_text(encoding="utf-8"), str(path))
        made, _ = api.propose(path, None)
        (planned,) = planned_costs(spec, made, path)
        run = api.create_run(spec, tmp_path / "run", root=tmp_path, where=str(path))
        asyncio.run(api.collect(run, secrets={}))
    with run.store(read_only=True) as store:
        answers = list(store.answers(["target"]))
    (again,) = planned_costs(spec, made, path, tmp_path / "run")
    counted = [output.usage for _, output in answers if output.usage is not None]
    assert len(answers) == len(counted) == planned.outputs == 60
    replies = sum(usage.completion_tokens or 0 for usage in counted)
    prompts = sum(usage.prompt_tokens or 0 for usage in counted)
    for cost in (planned, again):
        assert cost.reply_tokens_low <= replies <= cost.reply_tokens_high
    assert again.prompt_tokens_low <= prompts <= again.prompt_tokens_high
    assert "as the pilot's were counted" in again.prompts
    width = again.prompt_tokens_high / again.prompt_tokens_low
    assert width < planned.prompt_tokens_high / planned.prompt_tokens_low


@pytest.mark.parametrize(
    ("rounds", "params", "needed"),
    [(0, {}, None), (7, {}, "8"), (8, {}, None), (4, {"temperature": 0}, "5"), (5, {"temperature": 0}, None)],
)
def test_too_few_rounds_of_canaries_are_told(
    rounds: int, params: dict[str, object], needed: str | None
) -> None:
    """Rounds in which no change of answers could be seen are a sentence with how many could."""
    told = few_rounds(rounds, {"params": params})
    assert (told is None) == (needed is None)
    assert needed is None or (told or "").endswith(f"need {needed}")
