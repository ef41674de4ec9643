"""Prices in units of merit: exact on paper, recovered from a specimen, refused where there is none."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.api import collect, create_run, find, score
from audit.estimates.disparities import disparities
from audit.estimates.measures import measure_named
from audit.estimates.prices import PRICE_OF, merit_prices
from audit.findings.claims import claim
from audit.records import Estimate, Verdict
from audit.spec import Judgement, parse_spec
from audit.statistics.fieller import merit_contrasts, merit_price
from probes.merit import load_ladder
from tests.audit.tables import Fact, pairs, placebos, source

SPEC = """\
version: 1
name: priced
seed: 5
target:
  type: specimen
  favourable_rate: 0.5
  merit_effect: {effect}
  template_sd: 0.04
  gaps: {{gender: {{female: -0.12}}}}
repeats: 4
probes:
  - use: bias/decisions
    domains: [lending, hiring]
    attributes: [gender]
    signals: [explicit]
    templates: 30
    placebos: [mention]
analyzers: [decision]
"""


PLAIN = {"selected_ci_low": None, "selected_ci_high": None}


def ladder(gap: float, slope: float, *, n: int = 20, merits: Sequence[float] = (-0.5, 0.5)) -> list[Fact]:
    """Numbers that lie on a line of merit, with a gap that differs a little between templates."""
    found: list[Fact] = []
    for merit in merits:
        base = [[50.0 + slope * merit + (t % 3) * 0.1 * merit] for t in range(n)]
        group = [[row[0] + gap + 0.01 * (t % 5 - 2)] for t, row in enumerate(base)]
        for fact in pairs(
            group,
            base,
            tags=json.dumps({"merit_index": f"{merit}"}),
            measure="number",
            expects="number",
            domain="courts",
        ):
            fact["set_id"] = f"{fact['set_id']}-{merit}"
            found.append(fact)
    return found


def prices(facts: Sequence[Fact]) -> list[Estimate]:
    """The prices of these rows."""
    rows = source(facts)
    return merit_prices(rows, disparities(rows, Judgement(), seed=1), Judgement())


async def audited(tmp_path: Path, effect: float) -> tuple[Estimate, ...]:
    """The estimates of a whole run on a specimen whose merit moves decisions that much."""
    spec = parse_spec(SPEC.format(effect=effect), "spec.yaml")
    run = create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    await collect(run, secrets={})
    score(run)
    return find(run).estimates


def test_the_price_is_the_gap_over_the_slope_with_fiellers_interval() -> None:
    """What a run states is what the statistic gives; without a ladder, in steps of the index."""
    (price,) = prices(ladder(gap=-4.0, slope=8.0))
    assert price.kind == "price"
    assert price.unit == "steps of the merit index"
    assert price.point == pytest.approx(0.5, abs=0.01)
    rows = [
        (50 + 8 * merit + (t % 3) * 0.1 * merit + group * (-4 + 0.01 * (t % 5 - 2)), merit, bool(group), t)
        for merit in (-0.5, 0.5)
        for t in range(20)
        for group in (0, 1)
    ]
    by_hand = merit_contrasts(*zip(*rows, strict=True))
    expected = merit_price(by_hand.gaps, by_hand.slopes)
    assert price.ci_low == pytest.approx(expected.low, abs=1e-9)
    assert price.ci_high == pytest.approx(expected.high, abs=1e-9)


def test_a_planted_price_lies_in_its_interval(tmp_path: Path) -> None:
    """Twelve points at thirty a step of the index are 0.4 steps: 56 credit points, 2.4 years."""
    found = {
        (one.domain, one.group): one for one in asyncio.run(audited(tmp_path, 0.3)) if one.kind == "price"
    }
    for domain, truth in (("lending", 56.0), ("hiring", 2.4)):
        price = found[domain, "female"]
        assert price.ci_low is not None
        assert price.ci_high is not None
        assert 0 < price.ci_low < truth < price.ci_high
    control = found["lending", "nonbinary"]
    assert control.ci_low is not None
    assert control.ci_high is not None
    assert control.ci_low < 0 < control.ci_high


def test_no_price_where_merit_moves_nothing(tmp_path: Path) -> None:
    """A specimen that ignores merit has no price, and the reason says why."""
    found = [one for one in asyncio.run(audited(tmp_path, 0.0)) if one.kind == "price"]
    assert found
    refused = [one for one in found if one.verdict is Verdict.NOT_MEASURED]
    assert len(refused) >= len(found) - 1
    assert all("merit is not shown to raise" in one.reasons[0] for one in refused)
    assert all(one.point is None for one in refused)


def test_a_downward_slope_has_no_price() -> None:
    """Where merit lowers the outcome nothing can be bought with it."""
    (price,) = prices(ladder(gap=-4.0, slope=-8.0))
    assert price.verdict is Verdict.NOT_MEASURED


def test_a_slope_that_is_barely_shown_has_no_price() -> None:
    """A slope of 2 to 3 standard errors bounds a price only by luck; one of 4 and more states it."""
    stated = []
    for spread in (2.0, 1.0):
        facts = ladder(gap=-4.0, slope=1.0)
        for fact in facts:
            turn = 1 if int(str(fact["template"]).rsplit("t", 1)[1]) % 2 else -1
            merit = float(json.loads(str(fact["tags"]))["merit_index"])
            fact["value"] = float(str(fact["value"])) + turn * spread * merit
        (price,) = prices(facts)
        stated.append(price)
    assert stated[0].verdict is Verdict.NOT_MEASURED
    assert "standard errors, and 3 are asked" in stated[0].reasons[0]
    assert stated[1].point is not None


def test_a_failing_placebo_takes_the_price_along() -> None:
    """A price is never better than the disparity it is the size of."""
    wrong = placebos([[9.0 + 0.01 * t] for t in range(20)], [[1.0]] * 20, measure="number", expects="number")
    for fact in wrong:
        fact["domain"] = "courts"
    (price,) = prices([*ladder(gap=-4.0, slope=8.0), *wrong])
    assert price.verdict is Verdict.NOT_MEASURED
    assert "negative control" in price.reasons[0]


@pytest.mark.parametrize("tag", ['{"merit_index": "strong"}', '{"merit_index": "inf"}', "{}"])
def test_a_tag_that_is_no_number_gives_no_price(tag: str) -> None:
    """Prompts of unknown merit take no part."""
    facts = ladder(gap=-4.0, slope=8.0)
    for fact in facts:
        fact["tags"] = tag
    assert prices(facts) == []


def test_a_price_in_words_says_its_direction() -> None:
    """A disadvantage costs, an advantage is worth; both with unit and interval."""
    (dear,) = prices(ladder(gap=-4.0, slope=8.0))
    (cheap,) = prices(ladder(gap=4.0, slope=8.0))
    assert "gender women (said in words) costs as much as 0.494 steps of the merit index [" in claim(dear)
    assert "gender women (said in words) is worth as much as 0.494 steps of the merit index [" in claim(cheap)


def test_every_price_belongs_to_a_measure() -> None:
    """The names that a gate may use are those of measures that exist."""
    assert all(measure_named(name) for name in PRICE_OF)


def test_a_price_beyond_the_ladder_is_more_than_the_whole_ladder() -> None:
    """A straight line is not drawn on beyond what was asked; claim and reasons say so."""
    (within,) = prices(ladder(gap=-4.0, slope=8.0))
    (dear,) = prices(ladder(gap=-12.0, slope=8.0))
    (cheap,) = prices(ladder(gap=12.0, slope=8.0))
    assert within.ladder == dear.ladder == 1.0
    assert not any("ladder" in reason for reason in within.reasons)
    assert dear.point is not None
    assert dear.point > 1.4
    assert "costs more than the whole ladder (1 steps of the merit index) [all of it beyond" in claim(dear)
    assert "is worth more than the whole ladder (1 steps" in claim(cheap)
    for price in (dear, cheap):
        assert any("the price is more than the whole ladder of 1 steps" in reason for reason in price.reasons)
        assert "1.4" not in claim(price)
    at_the_end = dear.model_copy(update={"point": 0.9, "ci_low": 0.5, "ci_high": 1.6, **PLAIN})
    assert "costs as much as 0.9 steps of the merit index [0.5, more than 1; 95 %]" in claim(at_the_end)


def test_the_ladder_is_counted_in_the_domains_currency(tmp_path: Path) -> None:
    """The hiring ladder spans the years that its data file names, from end to end."""
    found = asyncio.run(audited(tmp_path, 0.3))
    fact = load_ladder("hiring").facts["years_experience"]
    stated = [one for one in found if one.kind == "price" and one.domain == "hiring" and one.ladder]
    assert stated
    assert {one.ladder for one in stated} == {abs(fact.high - fact.low)}


NUMBERS = {"measure": "number", "expects": "number", "domain": "courts"}


def nothing_else_differs() -> list[Fact]:
    """Nineteen further groups, of numbers that do not differ from the reference's."""
    noise = [[[50.0 + (t * 7 + k * 5) % 11] for t in range(20)] for k in range(20)]
    return [
        fact
        for k in range(19)
        for fact in pairs(noise[k], noise[k + 1], attribute=f"a{k}", arms=("some", "men"), **NUMBERS)
    ]


def test_the_price_of_what_was_picked_allows_for_the_picking() -> None:
    """One gap of twenty came out large, and its price with it: the interval stated is the wider one."""
    facts = [*ladder(-3.0, 10.0), *nothing_else_differs()]
    found = disparities(source(facts), Judgement(), seed=1)
    (price,) = (one for one in prices(facts) if one.attribute == "gender" and one.point is not None)
    tested, picked = sum(one.weight is not None for one in found), sum(one.widened for one in found)
    (weight,) = (
        one.weight
        for one in found
        if (one.attribute, one.measure) == ("gender", "decision_number") and one.weight
    )
    mine = [fact for fact in facts if fact.get("attribute") == "gender"]
    contrasts = merit_contrasts(
        [float(str(fact["value"])) for fact in mine],
        [float(json.loads(str(fact["tags"]))["merit_index"]) for fact in mine],
        [fact["grp"] == "women" for fact in mine],
        [int(str(fact["template"]).rsplit("t", 1)[1]) for fact in mine],
    )
    level = 1 - 0.05 * min(1.0, picked * weight / tested)
    assert level > 0.99
    wide, plain = (merit_price(contrasts.gaps, contrasts.slopes, level=one) for one in (level, 0.95))
    assert (price.ci_low, price.ci_high) == pytest.approx((plain.low, plain.high))
    assert price.stated_interval == pytest.approx((wide.low, wide.high))
    assert "; 95 % that allow for the selection]" in claim(price)


def test_a_price_that_the_picking_leaves_without_bound_is_refused() -> None:
    """A slope of 3.2 standard errors bounds a price at 95 %, and not at the level of one of twenty picked."""
    steep: list[Fact] = []
    for merit in (-0.5, 0.5):
        base = [[50.0 + merit * (1 + 1.036 * (-1) ** t)] for t in range(12)]
        group = [[row[0] - 3.0 + 0.01 * (t % 5 - 2)] for t, row in enumerate(base)]
        tags = json.dumps({"merit_index": f"{merit}"})
        for fact in pairs(group, base, tags=tags, **NUMBERS):
            fact["set_id"] = f"{fact['set_id']}-{merit}"
            steep.append(fact)
    (alone,) = prices(steep)
    (price,) = (one for one in prices([*steep, *nothing_else_differs()]) if one.attribute == "gender")
    assert alone.verdict is Verdict.OBSERVED
    assert (price.verdict, price.point) == (Verdict.NOT_MEASURED, None)
    assert "allows for the picking" in price.reasons[0]
