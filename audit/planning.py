"""Making the plan of a run, and its prompts, before any is sent."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate

from audit.analyzers.base import AnalyzerInfo
from audit.errors import SpecError
from audit.estimates.measures import Measure, beyond_any, first_measures, known_measures
from audit.looks import SequentialRule
from audit.plan import (
    ASSUMED_RATE,
    ASSUMED_SLOPE_SD,
    POWER,
    Cell,
    Detectable,
    Plan,
    RaterPlan,
    hashed_of,
)
from audit.spec import Spec, dump_spec
from audit.statistics.power import clusters_needed, smallest_detectable
from audit.token_estimates import ASSUMED_REPLY_TOKENS, CHARACTERS_A_TOKEN
from probes.base import Probe
from probes.records import Arm, Prompt
from probes.seeds import rng

__all__ = ["Planner", "check_authorised", "variance_is_assumed"]

_PACKAGES = ("evenhand", "numpy", "scipy", "pandas", "scikit-learn", "fairlearn", "openai", "pydantic")


class Planner:
    """Makes the prompts of a spec one by one, and the plan once they have all gone by."""

    def __init__(self, spec: Spec, probes: Sequence[Probe], analyzers: Sequence[AnalyzerInfo] = ()) -> None:
        """Keep what to plan.

        Args:
            spec: The spec.
            probes: Its probes, in the order of the spec.
            analyzers: What its analyzers say of themselves; what they ask of models is planned too.
        """
        self._analyzers = analyzers
        self._kinds: Counter[str] = Counter()
        self._kind_characters: Counter[str] = Counter()
        self._spec = spec
        self._probes = probes
        self._cells: Counter[_Key] = Counter()
        self._templates: dict[_Key, set[str]] = {}
        self._first: dict[tuple[str, bool, bool, bool], tuple[str, ...]] = {}
        self._measures = known_measures(declared for info in analyzers for declared in info.declared)
        self._hash = hashlib.sha256()
        self._characters = 0
        self._prompts = 0
        self._turns: Counter[int] = Counter()
        self._tags: set[str] = set()

    def prompts(self) -> Iterator[Prompt]:
        """Every prompt of the plan, streaming; each is counted as it goes by.

        Raises:
            SpecError: Two probes of the spec make the same prompt.
        """
        uses = Counter(probe.use for probe in self._spec.probes)
        seen: set[str] = set()
        part = self._spec.part
        for index, probe in enumerate(self._probes):
            use = self._spec.probes[index].use
            for prompt in probe.prompts(rng(self._spec.seed, "probe", use, index)):
                if part is not None and not part.holds(prompt):
                    continue
                # An id holds its probe's name, so only a probe that is named twice can ask the same twice.
                if uses[use] > 1 and prompt.id in seen:
                    raise SpecError(
                        f"probes[{index}]: asks the same prompts as an earlier entry of {use}; "
                        "remove it or give it other options"
                    )
                if uses[use] > 1:
                    seen.add(prompt.id)
                self._count(prompt)
                yield prompt

    def plan(self, sequential: SequentialRule | None = None) -> Plan:
        """The plan; complete once `prompts` is exhausted.

        Args:
            sequential: When the run looks at its answers; None if it asks everything planned.

        Raises:
            SpecError: The spec's probes make no prompt at all.
        """
        if self._prompts == 0:
            raise SpecError("the probes of this spec make no prompt: widen their options")
        targets = 1 if self._spec.baseline is None else 2
        outputs_a_turn = self._spec.repeats * targets
        calls = tuple(self._turns[turn] * outputs_a_turn for turn in sorted(self._turns))
        replies = sum(turn * prompts for turn, prompts in self._turns.items())
        tokens = self._characters / CHARACTERS_A_TOKEN + replies * ASSUMED_REPLY_TOKENS
        return Plan(
            name=self._spec.name,
            seed=self._spec.seed,
            spec_sha256=hashlib.sha256(dump_spec(self._spec).encode()).hexdigest(),
            prompts_sha256=self._hash.hexdigest(),
            prompts=self._prompts,
            repeats=self._spec.repeats,
            targets=targets,
            requests=sum(calls),
            calls_by_turn=calls if len(calls) > 1 else (),
            prompt_tokens=round(tokens * outputs_a_turn),
            raters=tuple(self._raters(outputs_a_turn)),
            cells=tuple(self._listed()),
            detectable=tuple(self._detectable()),
            probe_versions={probe.info.name: probe.info.version for probe in self._probes},
            sources=self._sources(),
            versions={name: _version(name) for name in _PACKAGES},
            sequential=sequential,
        )

    @property
    def tags(self) -> frozenset[str]:
        """Names of the tags of the prompts that went by."""
        return frozenset(self._tags)

    def _sources(self) -> dict[str, dict[str, str]]:
        """What is known of every file that a probe reads; a probe used twice is told apart by its place."""
        uses = Counter(probe.info.name for probe in self._probes)
        return {
            name if uses[name] == 1 else f"{name} (probes[{index}])": dict(source)
            for index, probe in enumerate(self._probes)
            for name in [probe.info.name]
            if isinstance(source := getattr(probe, "provenance", None), Mapping)
        }

    def _raters(self, outputs_a_prompt: int) -> Iterator[RaterPlan]:
        for info in self._analyzers:
            for asks in info.asks:
                calls = asks.calls * outputs_a_prompt
                prompts = sum(self._kinds[kind] for kind in asks.expects)
                read = sum(self._kind_characters[kind] for kind in asks.expects) * asks.with_prompt
                tokens = (read + prompts * asks.characters) / CHARACTERS_A_TOKEN
                yield RaterPlan(
                    analyzer=info.name,
                    model=asks.model,
                    calls=math.ceil(prompts * calls / asks.batch),
                    prompt_tokens=round((tokens + prompts * ASSUMED_REPLY_TOKENS) * calls),
                )

    def _count(self, prompt: Prompt) -> None:
        self._prompts += 1
        self._tags.update(prompt.tags)
        self._kinds[prompt.expectation.kind] += 1
        said = _characters_said(prompt)
        judged = said[prompt.judged_turn] + prompt.judged_turn * ASSUMED_REPLY_TOKENS * CHARACTERS_A_TOKEN
        self._kind_characters[prompt.expectation.kind] += round(judged)
        self._hash.update(hashed_of(prompt))
        self._characters += sum(said)
        self._turns.update(range(prompt.turns))
        placebo = None if prompt.placebo is None else prompt.placebo.value
        key = _Key(
            probe=prompt.probe,
            domain=prompt.domain,
            attribute=prompt.attribute or placebo,
            signal=prompt.signal,
            arm=prompt.arm,
            group=prompt.group,
            technique=prompt.tags.get("technique"),
            expects=prompt.expectation.kind,
            measures=self._measures_of(prompt),
        )
        self._cells[key] += 1
        self._templates.setdefault(key, set()).add(prompt.template)

    def _listed(self) -> Iterator[Cell]:
        for key in sorted(self._cells, key=_Key.order):
            yield Cell(
                probe=key.probe,
                domain=key.domain,
                attribute=key.attribute,
                signal=key.signal,
                arm=key.arm,
                group=key.group,
                technique=key.technique,
                prompts=self._cells[key],
                templates=len(self._templates[key]),
                expects=key.expects,
                measures=key.measures,
            )

    def _measures_of(self, prompt: Prompt) -> tuple[str, ...]:
        """Names of the measures that the prompt's group is compared on first."""
        if prompt.arm is not Arm.COUNTERFACTUAL:
            return ()
        expected = prompt.expectation
        alike = (
            expected.kind,
            expected.ordered,
            expected.favourable is None,
            expected.answer is None,
        )
        if alike not in self._first:
            names = [info.name for info in self._analyzers]
            found = first_measures(expected, self._measures, names)
            self._first[alike] = tuple(one.name for one in found)
        return self._first[alike]

    def _detectable(self) -> Iterator[Detectable]:
        """One entry a contrast and measure; its groups share templates, so the smallest cell rules."""
        smallest: dict[tuple[str, str, str, str, str], tuple[int, float]] = {}
        for cell in self._listed():
            if cell.attribute is None or cell.signal is None:
                continue
            here = (cell.templates, cell.prompts * self._spec.repeats / cell.templates)
            for measure in cell.measures:
                key = (cell.probe, cell.domain, cell.attribute, cell.signal, measure)
                smallest[key] = min(smallest.get(key, here), here)
        by_name = {one.name: one for one in self._measures}
        for (probe, domain, attribute, signal, measure), (templates, answers) in sorted(smallest.items()):
            if templates < 2:  # noqa: PLR2004 - one template has no spread, so no size can be promised
                continue
            asked = by_name[measure]
            known = variance_is_assumed(asked)
            size = self._smallest(templates, answers) if known else None
            needed = None
            if size is not None and beyond_any(size, asked.unit):
                needed = self._needed(asked.margin_by(self._spec.judgement) or 1.0, answers)
            yield Detectable(
                probe=probe,
                domain=domain,
                attribute=attribute,
                signal=signal,
                templates=templates,
                measure=measure,
                unit=asked.unit,
                smallest_detectable=size,
                templates_needed=needed,
                assumed_slope_sd=ASSUMED_SLOPE_SD if known else None,
                assumed_rate=ASSUMED_RATE if known else None,
            )

    def _needed(self, difference: float, answers: float) -> int:
        """Templates that see a difference of rates, each with so many answers a group."""
        return clusters_needed(
            difference,
            slope_sd=ASSUMED_SLOPE_SD,
            noise_sd=math.sqrt(2 * ASSUMED_RATE * (1 - ASSUMED_RATE)),
            repeats=max(1, round(answers)),
            level=self._spec.judgement.level,
            power=POWER,
        )

    def _smallest(self, templates: int, answers: float) -> float:
        """Smallest difference of rates that so many templates see, each with so many answers a group."""
        size = smallest_detectable(
            templates,
            slope_sd=ASSUMED_SLOPE_SD,
            noise_sd=math.sqrt(2 * ASSUMED_RATE * (1 - ASSUMED_RATE)),
            repeats=max(1, round(answers)),
            level=self._spec.judgement.level,
            power=POWER,
        )
        return round(size, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """What the prompts of one cell share."""

    probe: str
    domain: str
    attribute: str | None
    signal: str | None
    arm: str | None
    group: str | None
    technique: str | None
    expects: str
    measures: tuple[str, ...]

    def order(self) -> tuple[str, ...]:
        """Where the cell stands in the plan."""
        facts = (self.probe, self.domain, self.attribute, self.signal, self.arm, self.group, self.technique)
        return (*(fact or "" for fact in facts), self.expects, *self.measures)


def _characters_said(prompt: Prompt) -> list[int]:
    """By turn: characters of all that the prompt says up to it, since a turn sends them all."""
    first = sum(len(message.content) for message in prompt.messages)
    return list(accumulate((len(text) for text in prompt.further), initial=first))


def variance_is_assumed(measure: Measure) -> bool:
    """Whether a plan without a pilot assumes how a measure varies: single answers that are counted or not."""
    return measure.unit == "rate" and measure.over_repeats is None


def check_authorised(spec: Spec, probes: Sequence[Probe], where: str) -> None:
    """Refuse attack probes that nobody authorised.

    Raises:
        SpecError: A probe attacks guardrails and the spec does not say `authorised_by`.
    """
    targets = [part for part in (spec.target, spec.baseline) if part is not None]
    asked = any(part.type != "recorded" for part in targets)  # Recorded replies were had before.
    attacks = sorted(
        {
            probe.info.name
            for probe in probes
            if probe.info.attack or (asked and getattr(probe, "attack", False))
        }
    )
    if attacks and spec.authorised_by is None:
        raise SpecError(
            f"{where}: authorised_by is required because {', '.join(attacks)} asks for harmful content; "
            "give the name of who allows this on the target",
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
