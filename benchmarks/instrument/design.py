"""The audits that are simulated: one spec a run, for the specimen with a planted gap."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.records import Estimate
from audit.spec import Spec
from probes.records import Signal
from probes.seeds import derive

__all__ = ["FULL", "GAPS", "PLANTED", "ROOT", "Design", "spec_of", "truth_of"]

ROOT = 20261
GAPS = (0.0, 0.05, 0.10, 0.20)
"""Points that the planted group is less often decided for, as fractions."""
PLANTED = ("favourable_rate", "gender", "female")
"""Measure, attribute and group of the planted contrast."""
_MOVED = ("favourable_rate", "true_positive_rate", "false_positive_rate")
"""Measures of the planted group that the gap moves as much; everything else has no true difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """An audit but for its seed and its gap."""

    domains: tuple[str, ...] = ("lending", "hiring")
    attributes: tuple[str, ...] = ("gender", "race_ethnicity")
    signals: tuple[Signal, ...] = (Signal.EXPLICIT, Signal.NAME)
    placebos: tuple[str, ...] = ("resample", "name_swap", "paraphrase", "mention")
    merit: tuple[str, ...] = ("weak", "borderline", "strong")
    templates: int | None = None
    """At most that many a domain; None for all that are shipped."""
    repeats: int = 2
    faults: Mapping[str, object] = field(default_factory=dict)
    """Options of the specimen besides gaps and `wording_seed`."""


FULL = Design(
    templates=30,
    faults={
        "favourable_rate": 0.6,
        "merit_effect": 0.05,
        "template_sd": 0.06,
        "slope_sd": 0.07,
        "unparsed_rate": 0.03,
        "empty_rate": 0.01,
    },
)
"""The audit of the published table: 30 of the templates of each domain, drawn anew for each run.

The spreads are as large as the specimen accepts beside a gap of 20 points: every probability stays within
[0, 1], so that the planted gap is exact. All 44 templates would take a third more time."""


def spec_of(design: Design, *, gap: float, run: int) -> Spec:
    """The spec of one run: its number decides prompts, answers, and how wordings react to groups.

    Args:
        design: What is asked, and the specimen's other faults.
        gap: Points planted against the planted group, a fraction, at least 0.
        run: Number of the run. Runs of one number and several gaps share their prompts.
    """
    seed = derive(ROOT, "run", run) % 2**32
    _, attribute, group = PLANTED
    # Groups listed with 0 have slopes over wordings too, so contrasts without a gap are no easier.
    gaps = {
        "gender": {"female": 0.0, "nonbinary": 0.0},
        "race_ethnicity": {"asian": 0.0, "black": 0.0, "hispanic": 0.0},
    }
    gaps[attribute][group] = -gap
    listed = {name: groups for name, groups in gaps.items() if name in design.attributes}
    return Spec.model_validate(
        {
            "version": 1,
            "name": "instrument",
            "seed": seed,
            "target": {
                "type": "specimen",
                "gaps": listed,
                "wording_seed": derive(seed, "wordings"),
                **design.faults,
            },
            "repeats": design.repeats,
            "probes": [
                {
                    "use": "bias/decisions",
                    "domains": list(design.domains),
                    "attributes": list(design.attributes),
                    "signals": [signal.value for signal in design.signals],
                    "placebos": list(design.placebos),
                    "merit": list(design.merit),
                    "templates": design.templates,
                }
            ],
            "analyzers": ["decision"],
        }
    )


def truth_of(estimate: Estimate, gap: float) -> float:
    """The true disparity that an estimate is about, as a fraction; exactly what was planted."""
    # The gap is the same for the qualified and the others, so both of their rates fall by it.
    moved = estimate.measure in _MOVED and (estimate.attribute, estimate.group) == PLANTED[1:]
    return -gap if moved else 0.0
