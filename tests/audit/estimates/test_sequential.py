"""Deciding comparisons at planned looks."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from audit.estimates.disparities import disparities
from audit.estimates.measures import Measure, measure_named
from audit.estimates.sequential import Decisions, key_of
from audit.estimates.stops import at_look
from audit.looks import Place, SequentialRule
from audit.records import Verdict
from audit.spec import Judgement
from audit.statistics.group_sequential import group_sequential
from probes.records import Arm, Signal
from tests.audit.estimates.test_correction import READ, labelled, values
from tests.audit.tables import pairs, source

RULE = SequentialRule(looks=(0.25, 0.5, 0.75, 1.0))
TEMPLATES = 80
RATE = measure_named("favourable_rate")
FrameOf = Callable[[Measure], pd.DataFrame]


def place(group: str, *, arm: Arm = Arm.COUNTERFACTUAL, domain: str = "d", signal: str = "explicit") -> Place:
    """A prompt of the simulated plan."""
    return Place(
        prompt_id="x",
        probe="p",
        template="t",
        domain=domain,
        language="en",
        arm=arm,
        attribute="a" if arm is Arm.COUNTERFACTUAL else None,
        group=group,
        signal=Signal(signal),
        look=1,
    )


def answers(gaps: Mapping[str, float], *, seed: int = 5, domains: tuple[str, ...] = ("d",)) -> pd.DataFrame:
    """Yes/no answers of groups that differ from the reference by their gap, 20 a template and group."""
    stream = np.random.Generator(np.random.PCG64(seed))
    facts = {"probe": "p", "language": "en", "attribute": "a", "signal": "explicit", "arm": "counterfactual"}
    facts |= {"norm": "must_not_differ", "reference": "r"}
    return pd.DataFrame(
        [
            {**facts, "domain": domain, "template": f"t{t}", "set_id": f"{domain}{t}", "grp": group}
            | {"value": float(value), "rank": t}
            for domain in domains
            for t in range(TEMPLATES)
            for group, gap in {"r": 0.0, **gaps}.items()
            for value in stream.random(20) < 0.6 - gap
        ]
    ).assign(name=None, placebo=None)


def up_to(frame: pd.DataFrame, look: int) -> FrameOf:
    """The rows of one measure up to a look."""

    def frame_of(measure: Measure) -> pd.DataFrame:
        cut = frame[frame["rank"] < TEMPLATES * RULE.looks[look - 1]]
        return cut if measure.name == RATE.name else cut.iloc[:0]

    return frame_of


def decided(frame: pd.DataFrame, **options: object) -> Decisions:
    """Decisions after every look, or until settled."""
    decisions = Decisions(RULE, Judgement(smallest_disparity_of_concern=0.1), seed=1, **options)  # type: ignore[arg-type] # tests say which options
    while decisions.looks_made < len(RULE.looks) and not decisions.settled:
        decisions.look({"target": up_to(frame, decisions.looks_made + 1)})
    return decisions


def final(frame: pd.DataFrame, decisions: Decisions) -> dict[str, tuple[int, Verdict]]:
    """Look and verdict by group."""
    frames = {look: up_to(frame, look) for look in range(1, decisions.looks_made + 1)}
    return {
        f"{one.estimate.group} {one.estimate.domain}": (one.look, one.estimate.verdict)
        for one in decisions.final(frames, "target")
    }


def test_large_gaps_and_clear_nulls_end_early() -> None:
    """A gap of 30 points and one of 0 are decided before all templates are asked, each at its own look."""
    frame = answers({"g": 0.3, "h": 0.0})
    decisions = decided(frame)
    assert decisions.settled
    found = final(frame, decisions)
    assert found["g d"] == (1, Verdict.DISPARITY)
    assert found["h d"][1] is Verdict.EQUIVALENT
    assert 1 < found["h d"][0] < 4


def test_two_references_of_a_group_are_decided_apart() -> None:
    """What one reference decides neither ends nor states the comparison with the other."""
    far, near = answers({"g": 0.3}), answers({"g": 0.0}, seed=6)
    other = near.assign(
        reference="q", grp=near["grp"].replace("r", "q"), set_id=near["set_id"].map(lambda one: f"q{one}")
    )
    frame = pd.concat([far, other], ignore_index=True)
    decisions = decided(frame)
    frames = {look: up_to(frame, look) for look in range(1, decisions.looks_made + 1)}
    told = {one.estimate.reference_group: one for one in decisions.final(frames, "target")}
    assert told["r"].estimate.verdict is Verdict.DISPARITY
    assert told["q"].estimate.verdict is Verdict.EQUIVALENT
    assert told["r"].look < told["q"].look
    first = Decisions(RULE, Judgement(smallest_disparity_of_concern=0.1), seed=1)
    first.look({"target": up_to(frame, 1)})
    assert not first.needed(place("r"))
    assert first.needed(place("q"))


def test_what_is_decided_is_not_needed_and_the_rest_is() -> None:
    """Prompts of a decided group are left out; reference, placebos and open groups are asked on."""
    frame = answers({"g": 0.3, "h": 0.05})
    decisions = Decisions(RULE, Judgement(), seed=1)
    assert decisions.needed(place("g"))
    assert not decisions.settled
    decisions.look({"target": up_to(frame, 1)})
    assert not decisions.needed(place("g"))
    assert decisions.needed(place("h"))
    assert decisions.needed(place("r"))
    assert decisions.needed(place("a", arm=Arm.PLACEBO))
    assert decisions.needed(place("g", signal="name"))
    both = decided(answers({"g": 0.3}))
    assert not both.needed(place("r"))
    assert not both.needed(place("a", arm=Arm.PLACEBO))
    assert both.needed(place("a", arm=Arm.PLACEBO, signal="name"))


def test_pooled_comparisons_lead_unless_every_one_is_to_be_decided() -> None:
    """Single domains do not keep a run asking; with `every` they do."""
    frame = answers({"g": 0.16}, domains=("d", "e"))
    primary = decided(frame)
    pooled, single = final(frame, primary)["g all"], final(frame, primary)["g d"]
    assert pooled[1] is Verdict.DISPARITY
    assert primary.settled
    every = Decisions(RULE.model_copy(update={"decide": "every"}), Judgement(), seed=1)
    while every.looks_made < 4 and not every.settled:
        every.look({"target": up_to(frame, every.looks_made + 1)})
    assert every.looks_made >= primary.looks_made
    assert single[0] <= pooled[0]


def test_a_comparison_without_new_answers_is_looked_at_no_more() -> None:
    """One that rides along keeps the look at which its prompts were last asked, whatever comes later."""
    frame = answers({"g": 0.2, "h": 0.03}, domains=("d", "e"))
    decisions = decided(frame)
    found = final(frame, decisions)
    assert found["g all"][0] < decisions.looks_made
    assert found["g d"][0] <= found["g all"][0]


def test_a_second_target_keeps_prompts_asked() -> None:
    """What is decided for the target is still asked while the baseline's comparison is open."""
    clear, close = answers({"g": 0.3}), answers({"g": 0.08})
    decisions = Decisions(RULE, Judgement(), seed=1, roles=("target", "baseline"))
    decisions.look({"target": up_to(clear, 1), "baseline": up_to(close, 1)})
    assert decisions.needed(place("g"))
    assert not decisions.settled
    frames = {1: up_to(clear, 1)}
    (stated,) = decisions.final(frames, "target")
    assert stated.decided


def test_nothing_is_stated_before_the_first_look() -> None:
    """Without a complete look there is no estimate, rather than one at no level."""
    assert Decisions(RULE, Judgement(), seed=1).final({}, "target") == []


def test_stated_intervals_are_those_of_their_look() -> None:
    """Method and interval belong to the deciding look, and later answers do not move them."""
    frame = answers({"g": 0.3, "h": 0.05})
    decisions = decided(frame)
    assert decisions.looks_made > 1
    frames = {look: up_to(frame, look) for look in range(1, decisions.looks_made + 1)}
    stated = {one.estimate.group: one for one in decisions.final(frames, "target")}
    assert stated["g"].estimate.n_clusters == 20
    assert "look 1 of 4" in stated["g"].estimate.method
    assert stated["h"].estimate.n_clusters == 20 * stated["h"].look
    assert decisions.leading(stated["g"].estimate)
    assert key_of(stated["g"].estimate)[0] == "favourable_rate"


def test_other_quantities_get_the_level_of_a_look() -> None:
    """Thresholds at a look are stricter than the declared ones, most at the first."""
    boundaries = group_sequential(RULE.looks)
    judged = [at_look(Judgement(), boundaries, look) for look in (1, 4)]
    assert judged[0].level > judged[1].level > 0.95
    assert judged[0].false_discovery_rate < judged[1].false_discovery_rate < 0.05
    assert judged[1].smallest_disparity_of_concern == pytest.approx(0.05)


def test_what_labels_correct_is_corrected_at_every_look_too() -> None:
    """A run that is looked at several times states and judges the corrected figure, as any other."""
    frame_of = source(pairs(values(12), values(6), **READ))
    known = {"target": labelled(women=(80, 20, 90, 10), men=(90, 10, 98, 2))}
    decisions = Decisions(SequentialRule(looks=(0.5, 1.0)), Judgement(), seed=1, corrections=known)
    decisions.look({"target": frame_of})
    decisions.look({"target": frame_of})
    stated = decisions.final({1: frame_of, 2: frame_of}, "target")
    found = next(one.estimate for one in stated if one.estimate.measure == "toxicity_rate")
    raw = disparities(frame_of, Judgement(), seed=1)
    read = next(one for one in raw if one.measure == "toxicity_rate")
    assert found.correction is not None
    assert found.correction.raw_point == read.point
    # As read, too, the interval holds at every look, so it is wider than that of a single one.
    assert None not in (found.correction.raw_ci_low, found.correction.raw_ci_high, read.ci_low, read.ci_high)
    assert (found.correction.raw_ci_low or 0) < (read.ci_low or 0)
    assert (found.correction.raw_ci_high or 0) > (read.ci_high or 0)
    assert found.point != pytest.approx(read.point)
