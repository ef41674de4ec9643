"""Asking the audited model cases set aside for retraining, for repairs in its own words."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit import api
from audit.errors import NothingToRepairError, StoreError
from audit.planned_run import planned_before
from audit.records import Finding
from audit.retraining.records import RetrainingOptions
from audit.retraining.strategies.cases import domains_to_repair
from audit.retraining.strategies.request_consistency import SafetyConsistency
from audit.spec import Judgement, Spec
from probes.bias.decisions import DecisionsProbe
from probes.safety.benign import BenignProbe
from probes.safety.harmful import HarmfulProbe

__all__ = ["own_answers"]

_REQUESTS = (HarmfulProbe.info.name, BenignProbe.info.name)
_PER_TEMPLATE = 150
"""Examples for which one further set a template is asked."""


def own_answers(
    run: api.Run,
    findings: Sequence[Finding],
    folder: Path,
    options: RetrainingOptions,
    *,
    secrets: Mapping[str, str],
) -> api.Run:
    """The run in which the target of an audit answers fresh cases, made or gone on with.

    It is an ordinary run, so it keeps to the limits of the audit's spec, loses nothing when it is stopped,
    and can be looked at. Asked are counterfactual sets of what was found, and each case without a group;
    where the audit may ask harmful requests, other ones and harmless ones that look like them, plain.

    Args:
        run: The audit.
        findings: What it found.
        folder: Folder of the new run.
        options: How many examples are wanted, and the seed.
        secrets: Environment variables, of which the target reads those that it names.

    Raises:
        NothingToRepairError: No finding is about decisions, or harmful compliance, that can be repaired.
        StoreError: The folder holds another run.
        KeyboardInterrupt: Asking was interrupted; what was answered is kept.
    """
    spec = _spec(run.spec, findings, options)
    try:
        asked = planned_before(spec, folder, None)
    except StoreError as error:
        raise StoreError(str(error), next_step="name another folder for the model's own answers") from error
    if asked is None:
        asked = api.create_run(spec, folder, root=run.root, where=str(folder))
    if asyncio.run(api.collect(asked, secrets=secrets)).interrupted:
        raise KeyboardInterrupt
    return asked


def _spec(audit: Spec, findings: Sequence[Finding], options: RetrainingOptions) -> Spec:
    decided = _decisions(findings, options)
    if not decided and not _complied(findings):
        raise NothingToRepairError(
            "no finding is about decisions, or compliance with harmful requests, that can be repaired in the "
            "model's own words"
        )
    requests = () if audit.authorised_by is None else _REQUESTS
    changed = {
        **audit.model_dump(mode="json"),
        "name": f"{audit.name[:80]}, own answers",
        "seed": options.seed,
        "baseline": None,
        "repeats": 1,
        "canaries": 0,
        "probes": [*decided, *({"use": name, "pool": "retraining"} for name in requests)],
        "analyzers": [*(["decision"] if decided else []), *(["refusal"] if requests else [])],
        "judgement": Judgement().model_dump(mode="json"),
        "gate": [],
    }
    return Spec.model_validate(changed)


def _decisions(findings: Sequence[Finding], options: RetrainingOptions) -> list[dict[str, object]]:
    domains, attributes, signals = set[str](), set[str](), set[str]()
    for finding in findings:
        found = domains_to_repair(finding.estimate)
        if not isinstance(found, str):
            domains.update(found)
            attributes.add(finding.estimate.attribute or "")
            signals.add(str(finding.estimate.signal))
    if not domains:
        return []
    probe = {
        "use": DecisionsProbe.info.name,
        "pool": "retraining",
        "domains": sorted(domains),
        "attributes": sorted(one for one in attributes if "*" not in one),
        "crossed": sorted(one.split("*") for one in attributes if "*" in one),
        "signals": sorted(signals),
        "placebos": ["paraphrase"],
        "sets_per_template": 1 + options.max_examples // _PER_TEMPLATE,
    }
    return [probe]


def _complied(findings: Sequence[Finding]) -> bool:
    """Whether a finding is about compliance with harmful requests."""
    repair = SafetyConsistency()
    return any(not isinstance(repair.cells(finding), str) for finding in findings)
