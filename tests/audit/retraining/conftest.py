"""Findings, audit prompts and files that the tests of retraining share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.records import Estimate, Finding, Severity, Verdict
from audit.retraining.records import RetrainingFiles, RetrainingOptions
from audit.retraining.writing import write_retraining_files
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Norm, Prompt, Signal
from probes.seeds import rng

MakeFinding = Callable[..., Finding]


@pytest.fixture(scope="session")
def make_finding() -> MakeFinding:
    """Makes a finding: a gender disparity in lending unless told otherwise."""

    def make(finding_id: str = "f-gender", **changes: object) -> Finding:
        fields: dict[str, object] = {
            "kind": "disparity",
            "measure": "favourable",
            "unit": "rate",
            "probe": "bias/decisions",
            "domain": "lending",
            "attribute": "gender",
            "group": "female",
            "reference_group": "male",
            "signal": Signal.EXPLICIT,
            "norm": Norm.MUST_NOT_DIFFER,
            "point": -0.12,
            "method": "cluster-t",
            "n_outputs": 264,
            "n_clusters": 44,
            "verdict": Verdict.DISPARITY,
        }
        return Finding(
            id=finding_id,
            claim="women are approved less often than men",
            severity=Severity.HIGH,
            severity_reason="size",
            estimate=Estimate.model_validate({**fields, **changes}),
            evidence=(),
            does_not_show="why",
            next_step="retrain",
        )

    return make


@pytest.fixture(scope="session")
def rate_finding(make_finding: MakeFinding) -> MakeFinding:
    """Makes a finding about a safety rate above its limit."""

    def make(finding_id: str, probe: str, **changes: object) -> Finding:
        none = {"attribute": None, "group": None, "reference_group": None, "signal": None, "norm": None}
        rate = {"kind": "rate", "measure": "refusal", "domain": "all", "verdict": Verdict.EXCEEDS}
        return make_finding(finding_id, probe=probe, **{**none, **rate, **changes})

    return make


@pytest.fixture(scope="session")
def audit_prompts() -> list[Prompt]:
    """A small audit of lending."""
    options = DecisionsOptions(domains=("lending",), signals=("explicit",), placebos=())
    return list(DecisionsProbe(options).prompts(rng(11, "audit")))


@pytest.fixture(scope="session")
def files(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path_factory: pytest.TempPathFactory
) -> RetrainingFiles:
    """Files that repair one gender finding."""
    out: Path = tmp_path_factory.mktemp("retraining")
    return write_retraining_files(
        [make_finding()], audit_prompts, out, RetrainingOptions(max_examples=120, seed=1)
    )


@pytest.fixture(scope="session")
def refusal_files(rate_finding: MakeFinding, tmp_path_factory: pytest.TempPathFactory) -> RetrainingFiles:
    """Files that repair harmful compliance only."""
    out: Path = tmp_path_factory.mktemp("refusals")
    return write_retraining_files(
        [rate_finding("h", "safety/harmful")], [], out, RetrainingOptions(max_examples=40)
    )
