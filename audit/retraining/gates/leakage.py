"""Leakage: no example may come from what measures the repair.

Lineage comes first: whatever was made from a template or goal of the audit is out, however it is worded. Then
texts: with identity and numbers masked, a prompt is compared with every prompt of the audit by the Jaccard
similarity of its pairs of neighbouring words. A request under a technique is taken as it was before it: the
frame that two requests share makes them no twins, and an encoding hides none. An audit has few different
masked texts, so the similarity is computed exactly, through an index of those pairs; an estimate of it
(MinHash) would only add misses. Pairs find rewordings that longer runs miss, and prompts that merely speak of
the same things share few of them (docs/explanation/retraining.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil

import numpy as np

from audit.retraining.gates.base import Gate
from audit.retraining.masking import mask, shingles
from audit.retraining.records import Example
from audit.retraining.techniques import decoded
from probes.records import Prompt
from probes.seeds import derive

__all__ = ["NEAR_TWIN", "AuditMaterial", "duplicates", "lineage", "near_twins", "read_audit"]

NEAR_TWIN = 0.3
"""Jaccard similarity of masked pairs of words from which two prompts count as near-twins."""


class AuditMaterial:
    """What the audit used, in the form the leakage gates need: built from one pass over the prompts."""

    def __init__(self) -> None:
        """Start empty."""
        self.templates: set[str] = set()
        self._texts: dict[str, frozenset[str]] = {}
        self._index: _Index | None = None

    def add(self, prompt: Prompt) -> None:
        """Take one audit prompt into account."""
        self.templates.add(prompt.template)
        technique = prompt.tags.get("technique")
        said = [*(message.content for message in prompt.messages), *prompt.further]
        masked = mask("\n".join(decoded(text, technique) for text in said), name=prompt.name)
        if masked not in self._texts:
            self._texts[masked] = shingles(masked)
            self._index = None

    def nearest(self, masked: str) -> float:
        """Jaccard similarity of a masked text to the nearest audit prompt; 0 where none is a near-twin."""
        if masked in self._texts:
            return 1.0
        if self._index is None:
            self._index = _Index(tuple(self._texts.values()))
        return self._index.nearest(shingles(masked))


class _Index:
    """Which texts hold which pairs of words."""

    def __init__(self, texts: Sequence[frozenset[str]]) -> None:
        holding: dict[str, list[int]] = defaultdict(list)
        for place, parts in enumerate(texts):
            for part in parts:
                holding[part].append(place)
        self._texts = texts
        self._sizes = np.array([len(parts) for parts in texts], dtype=np.int64)
        self._holding = {part: np.array(places, dtype=np.int64) for part, places in holding.items()}

    def nearest(self, parts: frozenset[str]) -> float:
        """The largest similarity of `NEAR_TWIN` or more; 0 if there is none.

        The commonest pairs are not looked up, so many that they alone make no near-twin: they are counted as
        shared, and only texts that could reach the threshold so are compared (prefix filtering, Chaudhuri,
        Ganti & Kaushik 2006, ICDE). What is left out by that is left out rightly.
        """
        known = [self._holding[part] for part in parts if part in self._holding]
        known.sort(key=len)
        spared = min(len(known), ceil(NEAR_TWIN * len(parts)) - 1)
        looked_up = known[: len(known) - spared]
        if not looked_up:
            return 0.0
        shared = np.bincount(np.concatenate(looked_up), minlength=len(self._sizes))
        most = np.minimum(np.where(shared > 0, shared + spared, 0), self._sizes)
        possible = np.flatnonzero(most >= NEAR_TWIN * (len(parts) + self._sizes - most))
        found = max((_jaccard(parts, self._texts[place]) for place in possible.tolist()), default=0.0)
        return found if found >= NEAR_TWIN else 0.0


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


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
