"""Every gate, in the order in which candidates meet them."""

from pathlib import Path

from audit.analyzers.base import AnalyzerContext
from audit.plugins import build_analyzer
from audit.retraining.gates.base import Gate
from audit.retraining.gates.content import direction, held_out, lengths, norms
from audit.retraining.gates.leakage import AuditMaterial, duplicates, lineage, near_twins
from audit.retraining.gates.plain_text import plain_text
from audit.retraining.gates.quality import GATING, personal_data, quality
from audit.retraining.held_out import HeldOut

__all__ = ["all_gates"]


def all_gates(material: AuditMaterial, kept_back: HeldOut | None = None) -> tuple[Gate, ...]:
    """The gates in their order, all of which are on.

    Args:
        material: What the audit used.
        kept_back: What no example may touch; None: nothing is held out.
    """
    analyzers = {
        name: build_analyzer(name, {}, AnalyzerContext(root=Path()), where="gates") for name in GATING
    }
    return (
        norms(),
        held_out(kept_back or HeldOut({})),
        plain_text(),
        lineage(material),
        near_twins(material),
        direction(),
        quality(analyzers),
        personal_data(analyzers),
        lengths(),
        duplicates(),
    )
