"""Deciding comparisons at planned looks, and stating each as of the look that ended it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED
from audit.estimates.correction import Corrections
from audit.estimates.design import Key, LookDesign
from audit.estimates.disparities import disparities
from audit.estimates.measures import MEASURES, Measure
from audit.looks import Place, SequentialRule
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from audit.statistics.group_sequential import group_sequential
from probes.records import Arm

__all__ = ["Decisions", "Stated", "key_of", "touches"]

FrameOf = Callable[[Measure], pd.DataFrame]
"""Gives the rows of a measure."""

_DECIDED = frozenset({Verdict.DISPARITY, Verdict.EQUIVALENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A comparison as of one look."""

    look: int
    estimate: Estimate

    @property
    def decided(self) -> bool:
        """Whether it was decided either way."""
        return self.estimate.verdict in _DECIDED


@dataclass(slots=True)
class _Side:
    """What is known of one target's comparisons."""

    corrections: Corrections
    stated: dict[Key, Stated] = field(default_factory=dict)
    p_values: dict[Key, float] = field(default_factory=dict)
    """Smallest repeated p-value so far."""
    ended: set[Key] = field(default_factory=set)
    """Decided, or without new answers: looked at no more."""


class Decisions:
    """Looks at a run's answers one planned look after the other, for each of its targets.

    A comparison ends at the look that decides it, or at the last look for which its prompts were asked.
    It is stated as of then: answers that come in later, because another comparison needs
    the same prompts, change it no more. Its p-value counts in the family until the end.
    """

    def __init__(
        self,
        rule: SequentialRule,
        judgement: Judgement,
        *,
        seed: int,
        roles: Iterable[str] = ("target",),
        measures: Sequence[Measure] = MEASURES,
        corrections: Mapping[str, Corrections] | None = None,
    ) -> None:
        """Nothing has been looked at.

        Args:
            rule: When to look, and what keeps the run asking.
            judgement: Thresholds declared in the spec.
            seed: Root seed of the run.
            roles: Names of the targets; prompts are asked until all of them are decided.
            measures: Which to state.
            corrections: What is known of the analyzers' errors, by role.
        """
        self.boundaries = group_sequential(rule.looks, shape=rule.shape)
        self.looks_made = 0
        self._rule = rule
        self._judgement = judgement
        self._seed = seed
        self._measures = measures
        known = corrections or {}
        self._sides = {role: _Side(corrections=known.get(role, Corrections())) for role in roles}
        self._seen: set[Key] = set()
        self._primary: set[Key] = set()

    def look(self, frames: Mapping[str, FrameOf]) -> None:
        """Look at the answers up to the next look.

        Args:
            frames: Rows of the templates of all looks up to this one, by role.
        """
        self.looks_made += 1
        for role, side in self._sides.items():
            for estimate in self._estimates(frames[role], side, whole_family=True):
                key = key_of(estimate)
                self._seen.add(key)
                if estimate.primary:
                    self._primary.add(key)
                if key in side.ended:
                    continue
                side.stated[key] = Stated(look=self.looks_made, estimate=estimate)
                if estimate.p_value is not None and estimate.n_clusters >= MINIMUM_TEMPLATES:
                    side.p_values[key] = estimate.p_value
                if side.stated[key].decided:
                    side.ended.add(key)
        self._end_unasked()

    def needed(self, place: Place) -> bool:
        """Whether some comparison still needs a prompt of this kind; what none is about is always needed."""
        touching = [key for key in self._leading() if touches(key, place)]
        return not touching or not all(self._is_decided(key) for key in touching)

    @property
    def settled(self) -> bool:
        """Whether every comparison that the run asks for, of which there are some, is decided."""
        leading = self._leading()
        return bool(leading) and all(self._is_decided(key) for key in leading)

    def leading(self, estimate: Estimate) -> bool:
        """Whether the run goes on asking for this comparison's sake."""
        return key_of(estimate) in self._leading()

    def final(self, frames: Mapping[int, FrameOf], role: str) -> list[Stated]:
        """Every comparison of one target as of the look that ended it, judged in the family of the whole run.

        Args:
            frames: Rows of one target up to each look made, by number of the look.
            role: The target.

        Returns:
            In the order of `disparities`; empty before the first look.
        """
        if not self.looks_made:
            return []
        side, last = self._sides[role], self.looks_made
        at_last = list(self._estimates(frames[last], side, known=True))
        adjusted = {key_of(one): one.p_adjusted for one in at_last}
        latest = {key_of(one): one for one in at_last}
        # What ended without being decided is judged again, in the family as it is at the end.
        earlier = {
            stated.look for stated in side.stated.values() if not stated.decided and stated.look < last
        }
        again = {
            (look, key_of(one)): one
            for look in sorted(earlier)
            for one in self._estimates(frames[look], side, look=look, adjusted=adjusted)
        }
        return [
            self._ended(side.stated[key], latest[key], adjusted[key], again.get((side.stated[key].look, key)))
            for key in latest
        ]

    def _ended(
        self, stated: Stated, latest: Estimate, p_adjusted: float | None, again: Estimate | None
    ) -> Stated:
        found = stated.estimate
        if stated.look == self.looks_made and not stated.decided:
            found = latest
        elif again is not None and not stated.decided:
            found = again
        else:
            early = stated.decided and stated.look < len(self._rule.looks)
            told = {"p_adjusted": p_adjusted, "early_look": stated.look if early else None}
            found = found.model_copy(update=told)
        spoiled = latest.verdict is Verdict.NOT_MEASURED and found.verdict is not Verdict.NOT_MEASURED
        if spoiled:  # Negative controls and missing answers count with all that is known in the end.
            update = {
                "verdict": Verdict.NOT_MEASURED,
                "material": False,
                "reasons": latest.reasons,
                "controls": latest.controls,
            }
            found = found.model_copy(update=update)
        return Stated(look=stated.look, estimate=found)

    def _estimates(
        self,
        frame_of: FrameOf,
        side: _Side,
        *,
        look: int | None = None,
        whole_family: bool = False,
        known: bool = False,
        adjusted: Mapping[Key, float | None] | None = None,
    ) -> list[Estimate]:
        design = LookDesign(
            boundaries=self.boundaries,
            look=look or self.looks_made,
            earlier=side.p_values,
            ended=frozenset(side.p_values) if known else frozenset(side.ended),
            whole_family=whole_family,
            adjusted=adjusted,
        )
        return disparities(
            frame_of,
            self._judgement,
            seed=self._seed,
            design=design,
            measures=self._measures,
            corrections=side.corrections,
        )

    def _leading(self) -> list[Key]:
        every = self._rule.decide == "every" or not self._primary
        return sorted(self._seen if every else self._primary)

    def _is_decided(self, key: Key) -> bool:
        return all(key in side.stated and side.stated[key].decided for side in self._sides.values())

    def _end_unasked(self) -> None:
        """End the comparisons whose group is asked about no more: they get no new answers."""
        leading = self._leading()
        decided = {key for key in leading if self._is_decided(key)}
        for side in self._sides.values():
            for key in side.stated.keys() - side.ended:
                # The same question as one that is asked for: its prompts go on while that one is open.
                needing = [other for other in leading if _shares_prompts(key, other)]
                if needing and decided.issuperset(needing):
                    side.ended.add(key)


def key_of(estimate: Estimate) -> Key:
    """The key of an estimated disparity, as `seed_names` of its contrast."""
    return (
        estimate.measure,
        estimate.probe,
        estimate.domain,
        estimate.language,
        str(estimate.attribute),
        str(estimate.group),
        str(estimate.reference_group),
        str(estimate.signal),
        str(None),
    )


_, _PROBE, _DOMAIN, _LANGUAGE, _ATTRIBUTE, _GROUP, _REFERENCE, _SIGNAL = range(8)


def touches(key: Key, place: Place) -> bool:
    """Whether a comparison uses a prompt's answers, in itself or as its negative control."""
    if key[_PROBE] != place.probe:
        return False
    if not (_alike(key[_DOMAIN], place.domain) and _alike(key[_LANGUAGE], place.language)):
        return False
    if place.arm is Arm.PLACEBO:
        return place.signal is None or str(place.signal) == key[_SIGNAL]
    same = (str(place.attribute), str(place.signal)) == (key[_ATTRIBUTE], key[_SIGNAL])
    return place.arm is Arm.COUNTERFACTUAL and same and place.group in {key[_GROUP], key[_REFERENCE]}


def _shares_prompts(key: Key, other: Key) -> bool:
    if any(key[part] != other[part] for part in (_PROBE, _ATTRIBUTE, _GROUP, _REFERENCE, _SIGNAL)):
        return False
    return all(_alike(key[part], other[part]) for part in (_DOMAIN, _LANGUAGE))


def _alike(one: str, other: str) -> bool:
    return POOLED in {one, other} or one == other
