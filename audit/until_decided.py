"""Running until decided: which prompts are asked at each look, and what may be said when the run stops.

Everything is worked out anew from the store: which looks are complete, what each decided and what
was left out for it. Nothing else is remembered, so a run that was killed goes on to the same decisions.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd

from audit.audited import TARGET
from audit.collection.rounds import Round
from audit.estimates.correction import Corrections
from audit.estimates.disparities import disparities
from audit.estimates.frame import Readings
from audit.estimates.measures import Measure
from audit.estimates.sequential import Decisions, Stated, key_of, touches
from audit.estimates.stops import Stops
from audit.looks import Comparison, Place, SequentialReport, SequentialRule, places
from audit.planned_run import Run
from audit.records import Counts, Estimate, GroupRate, Omnibus
from audit.spec import Judgement
from audit.store.store import Store
from probes.records import Arm

__all__ = ["Looking", "Sequel", "View"]

FrameOf = Callable[[Measure], pd.DataFrame]
Stateable = TypeVar("Stateable", Estimate, GroupRate, Omnibus)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of one target may be used for what, and at which thresholds."""

    readings: Readings
    """Every answer."""
    compared: tuple[Estimate, ...]
    """Disparities, with verdicts."""
    frame_of: FrameOf
    """Rows for everything else."""
    judgement: Judgement
    """Thresholds declared in the spec."""
    stops: Stops | None = None
    """What was left out; None if nothing was."""

    def stated(self, compute: Callable[[Judgement], Iterable[Stateable]]) -> list[Stateable]:
        """Quantities besides the disparities, each at the thresholds of its probe.

        Args:
            compute: Gives the quantities at any thresholds.
        """
        return (
            list(compute(self.judgement))
            if self.stops is None
            else self.stops.stated(compute, self.judgement)
        )


class _Rows:
    """The answers of one target, cut by look."""

    def __init__(self, readings: Readings, look_of: Mapping[str, int]) -> None:
        self.readings = readings
        self._look_of = look_of
        self._known: dict[str, tuple[pd.DataFrame, np.ndarray[tuple[int], np.dtype[np.int64]]]] = {}
        outputs = readings.outputs
        errored = outputs["outcome"] == "errored"
        self.answers = Counter(outputs["prompt_id"].astype(str))
        self.errors = Counter(outputs["prompt_id"][errored].astype(str))

    def up_to(self, look: int) -> FrameOf:
        """The rows of the templates of looks up to one."""

        def frame_of(measure: Measure) -> pd.DataFrame:
            frame, looks = self._measure(measure)
            return frame[looks <= look]

        return frame_of

    def whole(self, last: Mapping[str, int]) -> FrameOf:
        """The rows of templates from which nothing was left out, given the last such look of some probes."""

        def frame_of(measure: Measure) -> pd.DataFrame:
            frame, looks = self._measure(measure)
            ends = np.array([last.get(str(name), np.iinfo(np.int64).max) for name in frame["probe"]])
            return frame[looks <= ends] if len(frame) else frame

        return frame_of

    def _measure(self, measure: Measure) -> tuple[pd.DataFrame, np.ndarray[tuple[int], np.dtype[np.int64]]]:
        if measure.name not in self._known:
            frame = self.readings.measure(measure)
            looks = np.array([self._look_of[str(name)] for name in frame["prompt_id"]], dtype=np.int64)
            self._known[measure.name] = (frame, looks)
        return self._known[measure.name]


@dataclass(slots=True)
class _Memory:
    """What a collection has asked for already in this invocation."""

    issued: int = 0
    """Largest look whose prompts were handed out: errors of it were tried again."""
    left_out: set[str] = field(default_factory=set)


class Looking:
    """Looks at a run's answers, and says round by round what is still to ask."""

    def __init__(
        self,
        run: Run,
        rule: SequentialRule,
        store: Store,
        *,
        measures: Sequence[Measure],
        corrections: Mapping[str, Corrections],
        read: Callable[[], object] | None = None,
    ) -> None:
        """Read the plan; nothing is looked at yet.

        Args:
            run: The run.
            rule: Its rule of looks.
            store: Its store, which stays open.
            measures: Which to state.
            corrections: What is known of the analyzers' errors, by role.
            read: Scores what is not scored yet; needed to collect.
        """
        self._read = read
        self.run = run
        self.rule = rule
        self._store = store
        self._last = len(rule.looks)
        self._memory = _Memory()
        self.places = places(store.prompts(), rule, run.spec.seed)
        self._look_of = {place.prompt_id: place.look for place in self.places}
        self._turns_of = {place.prompt_id: place.turns for place in self.places if place.turns > 1}
        self.measures = measures
        self.corrections = corrections
        self.decisions = Decisions(
            rule,
            run.spec.judgement,
            seed=run.spec.seed,
            roles=run.roles,
            measures=measures,
            corrections=corrections,
        )
        self._weighed = 0

    @property
    def left_out(self) -> frozenset[str]:
        """Ids of the prompts that are not asked, because what needs them is decided."""
        return frozenset(self._memory.left_out)

    def following(self) -> Round:
        """The next round of a collection: all prompts up to the next look, but those that are decided."""
        if self._read is not None:
            self._read()
        rows = self.rows()
        self._catch_up(rows, retrying=True)
        current = self._current()
        chosen = [
            place.prompt_id
            for place in self.places
            if place.look <= current and place.prompt_id not in self._memory.left_out
        ]
        open_ = [one for one in chosen if not self._complete(one, rows, retrying=self._fresh(one))]
        self._memory.issued = current
        return Round(prompts=frozenset(chosen if open_ else ()), skipped=sum(self.not_needed(rows).values()))

    def catch_up(self, rows: Mapping[str, _Rows]) -> None:
        """Look at every look whose answers are all in."""
        self._catch_up(rows, retrying=False)

    def rows(self) -> dict[str, _Rows]:
        """What is stored now, by role."""
        return {role: _Rows(Readings(self._store.frame(role)), self._look_of) for role in self.run.roles}

    def not_needed(self, rows: Mapping[str, _Rows]) -> dict[str, int]:
        """Outputs never asked for that will not be, by role."""
        repeats = self.run.spec.repeats
        return {
            role: sum(
                max(0, repeats - side.answers.get(one, 0)) * self._turns_of.get(one, 1)
                for one in self._memory.left_out
            )
            for role, side in rows.items()
        }

    def _catch_up(self, rows: Mapping[str, _Rows], *, retrying: bool) -> None:
        self._weigh()
        while self.decisions.looks_made < self._last and not self.decisions.settled:
            look = self.decisions.looks_made + 1
            wanted = [
                place.prompt_id
                for place in self.places
                if place.look == look and place.prompt_id not in self._memory.left_out
            ]
            if not all(self._complete(one, rows, retrying=retrying and self._fresh(one)) for one in wanted):
                return
            self.decisions.look({role: side.up_to(look) for role, side in rows.items()})
            self._weigh()

    def _weigh(self) -> None:
        """Settle which prompts of the next look (of all that remain, once decided) are left out."""
        until = self._current()
        for place in self.places:
            if self._weighed < place.look <= until and not self.decisions.needed(place):
                self._memory.left_out.add(place.prompt_id)
        self._weighed = max(self._weighed, until)

    def _current(self) -> int:
        made = self.decisions.looks_made
        return self._last if self.decisions.settled else min(made + 1, self._last)

    def _fresh(self, prompt_id: str) -> bool:
        """Whether this invocation has not asked for a prompt yet, so that its errors are tried again."""
        return self._look_of[prompt_id] > self._memory.issued

    def _complete(self, prompt_id: str, rows: Mapping[str, _Rows], *, retrying: bool) -> bool:
        repeats = self.run.spec.repeats
        return all(
            side.answers.get(prompt_id, 0) - (side.errors.get(prompt_id, 0) if retrying else 0) >= repeats
            for side in rows.values()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequel:
    """What a sequential run may state, as far as it has come."""

    views: Mapping[str, View]
    counts: Mapping[str, Counts]
    report: SequentialReport

    @classmethod
    def of(cls, looking: Looking, counts: Mapping[str, Counts]) -> "Sequel":
        """Look at everything that is in, and state it.

        Args:
            looking: At a run whose outputs are all scored.
            counts: The count funnel by role.
        """
        run, rule = looking.run, looking.rule
        rows = looking.rows()
        looking.catch_up(rows)
        made = looking.decisions.looks_made
        skipped = looking.not_needed(rows)
        told = {
            role: count.model_copy(update={"decided_early": skipped[role]}) for role, count in counts.items()
        }
        stated = {
            role: looking.decisions.final({look: side.up_to(look) for look in range(1, made + 1)}, role)
            for role, side in rows.items()
        }
        ends = _ends(looking)
        views = {
            role: _view(looking, run.spec.judgement, side, tuple(one.estimate for one in stated[role]), ends)
            for role, side in rows.items()
        }
        return cls(
            views=views,
            counts=told,
            report=SequentialReport(
                rule=rule,
                looks_made=made,
                planned=sum(count.planned for count in told.values()),
                asked=sum(count.planned - count.not_asked for count in told.values()),
                saved=sum(skipped.values()),
                rate_look=min(ends.values(), default=None),
                stopped_probes=tuple(sorted(ends)),
                lost=_lost(looking, run, rows[TARGET], stated[TARGET]),
                comparisons=tuple(_comparison(one, looking) for one in stated[TARGET]),
            ),
        )


def _ends(looking: Looking) -> dict[str, int]:
    """The last look with all its prompts, of each probe from which something was left out."""
    ends: dict[str, int] = {}
    for place in looking.places:
        if place.prompt_id in looking.left_out:
            ends[place.probe] = min(ends.get(place.probe, place.look), place.look)
    return {probe: look - 1 for probe, look in ends.items()}


def _view(
    looking: Looking,
    judgement: Judgement,
    rows: _Rows,
    compared: tuple[Estimate, ...],
    ends: Mapping[str, int],
) -> View:
    if not ends:
        return View(
            readings=rows.readings,
            compared=compared,
            frame_of=rows.readings.measure,
            judgement=judgement,
        )
    return View(
        readings=rows.readings,
        compared=compared,
        frame_of=rows.whole(ends),
        judgement=judgement,
        stops=Stops(boundaries=looking.decisions.boundaries, look=min(ends.values()), probes=frozenset(ends)),
    )


def _lost(looking: Looking, run: Run, rows: _Rows, stated: list[Stated]) -> int | None:
    """Comparisons asked for that were left open, and that one analysis of the same answers would decide."""
    decisions = looking.decisions
    if decisions.settled:
        return 0
    if decisions.looks_made < len(decisions.boundaries.fractions):
        return None
    open_ = {key_of(one.estimate) for one in stated if decisions.leading(one.estimate) and not one.decided}
    fixed = disparities(
        rows.up_to(decisions.looks_made),
        run.spec.judgement,
        seed=run.spec.seed,
        measures=looking.measures,
        corrections=looking.corrections.get(TARGET, Corrections()),
    )
    return sum(
        key_of(one) in open_ and Stated(look=decisions.looks_made, estimate=one).decided for one in fixed
    )


def _comparison(stated: Stated, looking: Looking) -> Comparison:
    found = stated.estimate
    return Comparison(
        measure=found.measure,
        probe=found.probe,
        domain=found.domain,
        language=found.language,
        attribute=found.attribute,
        group=found.group,
        signal=found.signal,
        leading=looking.decisions.leading(found),
        verdict=found.verdict,
        decided=stated.decided,
        look=stated.look,
        templates=found.n_clusters,
        planned_templates=_planned(found, looking.places),
    )


def _planned(estimate: Estimate, all_places: list[Place]) -> int:
    key = key_of(estimate)
    return len(
        {
            (place.domain, place.language, place.template)
            for place in all_places
            if place.arm is Arm.COUNTERFACTUAL and place.group == estimate.group and touches(key, place)
        }
    )
