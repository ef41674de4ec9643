"""What a spec audits: its targets by role, who asks them, and what they cost."""

from collections.abc import Mapping
from pathlib import Path

from audit.collection.spread import processes_of, spread
from audit.limits import GivenPrice
from audit.plugins import build_target
from audit.spec import Spec, TargetSpec
from audit.targets.base import Target, TargetContext

__all__ = ["BASELINE", "TARGET", "asking_targets", "build_targets", "prices_of"]

BASELINE = "baseline"
TARGET = "target"


def build_targets(spec: Spec, root: Path, where: str, secrets: Mapping[str, str]) -> dict[str, Target]:
    """The targets of a spec by role, each to be asked by this process; nothing is contacted yet.

    Raises:
        SpecError: A target type is unknown, or its options are not accepted.
    """
    targets = {
        role: build_target(
            {"type": section.type, **section.options()},
            TargetContext(name=role, root=root, secrets=secrets),
            where=f"{where}: {role}",
        )
        for role, section in _sections(spec).items()
    }
    for role, section in _sections(spec).items():
        processes_of(section, targets[role], f"{where}: {role}")
    return targets


def asking_targets(spec: Spec, root: Path, where: str, secrets: Mapping[str, str]) -> dict[str, Target]:
    """The targets of a spec by role, each to be asked by as many processes as it needs; none is started yet.

    Raises:
        SpecError: As for `build_targets`.
    """
    sections = _sections(spec)
    return {
        role: spread(
            target,
            sections[role],
            TargetContext(name=role, root=root, secrets=secrets),
            where=f"{where}: {role}",
        )
        for role, target in build_targets(spec, root, where, secrets).items()
    }


def _sections(spec: Spec) -> dict[str, TargetSpec]:
    return {TARGET: spec.target} | ({} if spec.baseline is None else {BASELINE: spec.baseline})


def prices_of(spec: Spec) -> dict[str, GivenPrice | None]:
    """Prices that the spec gives, by role."""
    return {TARGET: spec.target.price, BASELINE: None if spec.baseline is None else spec.baseline.price}
