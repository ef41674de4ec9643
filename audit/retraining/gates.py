"""Gates: what may not go into a retraining file, and how many examples each gate refused.

An example that trains a repair must not come from what measures it, must not teach a difference
that the norms allow, and must point in the right direction.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from audit.retraining.masking import mask, shingles
from audit.retraining.records import Example, GateResult, Kind, SourceKind
from audit.targets.question import Question, read_answer
from probes.records import Norm, Prompt

__all__ = ["LENGTH_RATIO", "NEAR_TWIN", "AuditMaterial", "apply_gates", "read_audit"]

NEAR_TWIN = 0.5
"""Jaccard similarity of masked four-word shingles from which two prompts count as near-twins."""

LENGTH_RATIO = 3.0
"""Chosen and rejected answers may differ in length by this factor at most."""

_SHOWN = 20
_SENSITIVE_DOMAINS = frozenset({"healthcare", "health", "law", "legal", "self_harm", "self-harm"})
_Reason = Callable[[Example], str | None]


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
        masked = mask(_text(prompt), name=prompt.name)
        if masked in self._texts:
            return
        self._texts.add(masked)
        parts = shingles(masked)
        for part in parts:
            self._shingles[part].append(len(self._sizes))
        self._sizes.append(len(parts))

    def nearest(self, text: str, *, name: str | None) -> float:
        """Jaccard similarity to the nearest audit prompt after masking, in [0, 1]; 1 for an exact twin."""
        masked = mask(text, name=name)
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


def apply_gates(
    examples: Sequence[Example], material: AuditMaterial
) -> tuple[list[Example], tuple[GateResult, ...]]:
    """Examples that pass every gate, in their order, and what each gate refused.

    Gates run in the order of the result; each sees what the one before let through. Whole groups
    come last: a member refused anywhere takes its set with it.

    Args:
        examples: Candidates.
        material: What the audit used.

    Returns:
        Examples that passed, and one result a gate.
    """
    twins = _TwinGate(material)
    gates: list[tuple[str, str, _Reason]] = [
        (
            "norms",
            "differences that the norms allow, and sensitive domains without a rule or reviewer",
            _norm,
        ),
        ("lineage", "examples from a template or goal of the audit", lambda e: _lineage(e, material)),
        ("near-twins", f"prompts within {NEAR_TWIN} of an audit prompt, identity masked", twins.reason),
        ("direction", "answers that are not the expected one, or rejected ones that are", _direction),
        ("lengths", f"preferred and rejected answers that differ {LENGTH_RATIO:g}-fold in length", _lengths),
        ("duplicates", "prompts that stand in the files already", _Duplicates().reason),
    ]
    kept, results = list(examples), []
    for gate, rule, reason in gates:
        kept, result = _run(kept, gate, rule, reason)
        results.append(result)
    kept, result = _whole_groups(kept)
    return kept, (*results, result)


def _run(
    examples: Sequence[Example], gate: str, rule: str, reason: _Reason
) -> tuple[list[Example], GateResult]:
    kept, refused = [], []
    for example in examples:
        why = reason(example)
        if why is None:
            kept.append(example)
        else:
            refused.append(f"{example.id}: {why}")
    return kept, _result(gate, rule, len(examples), refused)


def _result(gate: str, rule: str, checked: int, refused: Sequence[str]) -> GateResult:
    shown = list(refused[:_SHOWN])
    if len(refused) > _SHOWN:
        shown.append(f"and {len(refused) - _SHOWN} more")
    return GateResult(
        gate=gate,
        rule=rule,
        checked=checked,
        passed=checked - len(refused),
        refused=len(refused),
        refused_rows=tuple(shown),
    )


def _norm(example: Example) -> str | None:
    origin = example.origin
    if origin.kind is Kind.COUNTERFACTUAL and origin.norm is not Norm.MUST_NOT_DIFFER:
        return f"norm of {origin.attribute} in {origin.domain} is {origin.norm}"
    trusted = origin.source in {SourceKind.GROUND_TRUTH, SourceKind.REVIEWER}
    # A refusal or a harmless answer states no fact of the domain; a decision does.
    decision = origin.kind in {Kind.COUNTERFACTUAL, Kind.REPLAY}
    if decision and origin.domain in _SENSITIVE_DOMAINS and not trusted:
        return f"domain {origin.domain} needs ground truth or a reviewer; got {origin.source}"
    return None


def _lineage(example: Example, material: AuditMaterial) -> str | None:
    template = example.origin.template
    return f"template {template} is part of the audit" if template in material.templates else None


class _TwinGate:
    """Near-twin search that asks once for each masked text: members of a set share theirs."""

    def __init__(self, material: AuditMaterial) -> None:
        self._material = material
        self._known: dict[str, float] = {}

    def reason(self, example: Example) -> str | None:
        text = "\n".join(message.content for message in example.messages)
        masked = mask(text, name=example.origin.name)
        if masked not in self._known:
            self._known[masked] = self._material.nearest(text, name=example.origin.name)
        near = self._known[masked]
        return f"similarity {near:.2f} to an audit prompt" if near >= NEAR_TWIN else None


class _Duplicates:
    """Refuses the second of two identical prompts; members of a set differ, so sets stay whole."""

    def __init__(self) -> None:
        self._seen: set[tuple[tuple[str, str], ...]] = set()

    def reason(self, example: Example) -> str | None:
        key = tuple((message.role, message.content) for message in example.messages)
        if key in self._seen:
            return "the same prompt stands in the files already"
        self._seen.add(key)
        return None


def _direction(example: Example) -> str | None:
    expected = example.expectation
    if expected.kind != "choice":
        return None
    if expected.answer is None or len(expected.options) != 2:  # noqa: PLR2004 - a decision has two options
        return "no rule says which answer is right"
    other = next(option for option in expected.options if option != expected.answer)
    question = Question(favourable=expected.answer, unfavourable=other)
    if read_answer(example.answer, question) is not True:
        return f"the answer does not say {expected.answer!r}, which the rule gives"
    if example.rejected is not None and read_answer(example.rejected, question) is not False:
        return f"the rejected answer does not say {other!r}"
    return None


def _lengths(example: Example) -> str | None:
    if example.rejected is None:
        return None
    lengths = sorted((len(example.answer), len(example.rejected)))
    if lengths[1] > LENGTH_RATIO * lengths[0]:
        return f"preferred answer has {len(example.answer)} characters, rejected {len(example.rejected)}"
    return None


def _whole_groups(examples: Sequence[Example]) -> tuple[list[Example], GateResult]:
    members: dict[str, set[str | None]] = defaultdict(set)
    answers: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        if example.origin.set_id is not None:
            members[example.origin.set_id].add(example.origin.group)
            answers[example.origin.set_id].add(example.answer)

    def reason(example: Example) -> str | None:
        origin = example.origin
        if origin.kind is not Kind.COUNTERFACTUAL:
            return None
        if origin.set_id is None or len(members[origin.set_id]) != origin.set_size:
            return f"set {origin.set_id} is not whole"
        return "members of a set have different answers" if len(answers[origin.set_id]) > 1 else None

    return _run(examples, "whole-groups", "members of counterfactual sets that are not whole", reason)


def _text(prompt: Prompt) -> str:
    return "\n".join(message.content for message in prompt.messages)
