"""Leakage: no example may come from what measures the repair.

Lineage comes first: whatever was made from a template or goal of the audit is out, however it is worded. Then
texts: with identity and numbers masked, a prompt is compared with every prompt of the audit by the Jaccard
similarity of its runs of four words. A request under a technique is taken as it was before it: the frame that
two requests share makes them no twins, and an encoding hides none. An audit has few different masked texts,
so the similarity is computed exactly, through an index of those runs; an estimate of it (MinHash) would only
add misses.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from audit.retraining.gates.base import Gate
from audit.retraining.masking import mask, shingles
from audit.retraining.records import Example
from audit.retraining.techniques import decoded
from probes.records import Prompt
from probes.seeds import derive

__all__ = ["NEAR_TWIN", "AuditMaterial", "duplicates", "lineage", "near_twins", "read_audit"]

NEAR_TWIN = 0.5
"""Jaccard similarity of masked four-word shingles from which two prompts count as near-twins."""


class AuditMaterial:
    """What the audit used, in the form the leakage gates need: built from one pass over the prompts."""

    def __init__(self) -> None:
        """Start empty."""
        self.templates: set[str] = set()
        self._texts: set[str] = set()
        self._shingles: dict[str, list[int]] = defaultdict(list)
        self._sizes: list[int] = []

    def add(self, prompt: Prompt) -> None:
        """Take one audit prompt into account."""
        self.templates.add(prompt.template)
        technique = prompt.tags.get("technique")
        said = [*(message.content for message in prompt.messages), *prompt.further]
        masked = mask("\n".join(decoded(text, technique) for text in said), name=prompt.name)
        if masked in self._texts:
            return
        self._texts.add(masked)
        parts = shingles(masked)
        for part in parts:
            self._shingles[part].append(len(self._sizes))
        self._sizes.append(len(parts))

    def nearest(self, masked: str) -> float:
        """Jaccard similarity of a masked text to the nearest audit prompt, in [0, 1]; 1 for an exact twin."""
        if masked in self._texts:
            return 1.0
        parts = shingles(masked)
        common: Counter[int] = Counter()
        for part in parts:
            common.update(self._shingles.get(part, ()))
        return max(
            (shared / (len(parts) + self._sizes[at] - shared) for at, shared in common.items()), default=0.0
        )


def read_audit(prompts: Iterable[Prompt]) -> AuditMaterial:
    """The audit's prompts, streamed once; memory grows with the number of different masked texts."""
    material = AuditMaterial()
    for prompt in prompts:
        material.add(prompt)
    return material


def lineage(material: AuditMaterial) -> Gate:
    """Refuses what was made from a template or goal of the audit, and rewrites of it."""

    def reason(example: Example) -> str | None:
        template = example.origin.template
        return f"template {template} is part of the audit" if template in material.templates else None

    return Gate(name="lineage", rule="examples from a template or goal of the audit", reason=reason)


def near_twins(material: AuditMaterial) -> Gate:
    """Refuses prompts that say nearly what an audit prompt says; each masked text is looked up once."""
    known: dict[int, float] = {}

    def reason(example: Example) -> str | None:
        technique = example.origin.technique
        text = "\n".join(decoded(message.content, technique) for message in example.messages)
        masked = mask(text, name=example.origin.name)
        # A million masked texts would not fit in memory; two digests are alike with chance 3 in 10^8.
        key = derive(0, masked)
        if key not in known:
            known[key] = material.nearest(masked)
        near = known[key]
        return f"similarity {near:.2f} to an audit prompt" if near >= NEAR_TWIN else None

    return Gate(
        name="near-twins",
        rule=f"prompts within {NEAR_TWIN} of an audit prompt, identity masked",
        reason=reason,
    )


def duplicates() -> Gate:
    """Refuses the second of two identical prompts; members of a set differ, so sets stay whole."""
    seen: set[int] = set()

    def reason(example: Example) -> str | None:
        key = derive(0, *(part for message in example.messages for part in (message.role, message.content)))
        if key in seen:
            return "the same prompt stands in the files already"
        seen.add(key)
        return None

    return Gate(name="duplicates", rule="prompts that stand in the files already", reason=reason)
