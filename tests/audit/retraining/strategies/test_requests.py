"""What the safety strategies make passes the gates it is to pass."""

import pytest

from audit.retraining.gates.every import all_gates
from audit.retraining.gates.leakage import read_audit
from audit.retraining.gates.line import GateLine
from audit.retraining.held_out import HeldOut
from audit.retraining.records import RetrainingOptions
from audit.retraining.strategies.base import Cell, Making, Strategy
from audit.retraining.strategies.requests import (
    BenignContrast,
    HarmfulContrast,
    OverRefusalRepair,
    SafetyRepair,
)
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.harmful import HarmfulOptions, HarmfulProbe
from probes.seeds import rng

_TECHNIQUES = ("roleplay", "fiction", "prefix_injection", "refusal_suppression", "style_injection", "base64")


@pytest.mark.parametrize(
    ("strategy", "probe", "requests"),
    [
        (SafetyRepair(), "safety/harmful", 48),
        (BenignContrast(), "safety/harmful", 192),
        (OverRefusalRepair(), "safety/benign", 48),
        (HarmfulContrast(), "safety/benign", 48),
    ],
    ids=lambda value: getattr(getattr(value, "info", None), "name", value),
)
def test_no_clean_candidate_is_refused(strategy: Strategy, probe: str, requests: int) -> None:
    """Of all requests set aside, plain and under techniques, the gates refuse none beside a whole audit."""
    audit = [
        *HarmfulProbe(HarmfulOptions(techniques=_TECHNIQUES)).prompts(rng(1)),
        *BenignProbe(BenignOptions(techniques=_TECHNIQUES)).prompts(rng(1)),
    ]
    making = Making(options=RetrainingOptions(), held_out=HeldOut({}))
    line = GateLine(all_gates(read_audit(audit)))
    made = [
        example
        for technique in ("none", *_TECHNIQUES)
        for example in strategy.examples(
            Cell(probe=probe, domain="all", technique=technique), ("f",), 200, making
        )
    ]
    assert len(made) == requests * (1 + len(_TECHNIQUES))
    kept = list(line.passed(made))
    assert [row for result in line.results() for row in result.refused_rows] == []
    assert len(kept) == len(made)
