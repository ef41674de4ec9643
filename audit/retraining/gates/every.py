"""Every gate, in the order in which candidates meet them."""

from pathlib import Path

from audit.analyzers.base import AnalyzerContext
from audit.plugins import build_analyzer
from audit.retraining.gates.base import Gate
from audit.retraining.gates.content import direction, lengths, norms
from audit.retraining.gates.leakage import AuditMaterial, duplicates, lineage, near_twins
from audit.retraining.gates.quality import GATING, personal_data, quality

__all__ = ["all_gates"]


def all_gates(material: AuditMaterial) -> tuple[Gate, ...]:
    """The gates in their order, all of which are on.

    Args:
        material: What the audit used.
    """
    analyzers = {
        name: build_analyzer(name, {}, AnalyzerContext(root=Path()), where="gates") for name in GATING
    }
    return (
        norms(),
        lineage(material),
        near_twins(material),
        direction(),
        quality(analyzers),
        personal_data(analyzers),
        lengths(),
        duplicates(),
    )
