"""Reading what a judge answered: a label, or the reason why there is none."""

import json
import re
from collections.abc import Sequence

from audit.analyzers.judge.rubrics import Rubric
from audit.analyzers.text import without_reasoning
from audit.records import Outcome, Output

__all__ = ["combined", "read_verdict"]

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)


def read_verdict(output: Output, rubric: Rubric) -> str:
    """The label that one answer gives.

    An answer is read strictly: one JSON object, alone or in one code fence, in which `label` stands once
    and is one of the rubric's labels or `undetermined`.

    Args:
        output: What the judge answered.
        rubric: What it was asked.

    Returns:
        A label of the rubric; `undetermined` if the judge says so; `unparsed` if the answer cannot be
        read; `unrated` if there is none (an error, an empty answer, a refusal of the provider).
    """
    if output.outcome not in {Outcome.ANSWERED, Outcome.TRUNCATED}:
        return "unrated"
    text = without_reasoning(output.text or "").strip()
    fenced = _FENCED.fullmatch(text)
    try:
        found = json.loads(text if fenced is None else fenced.group(1), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return "unparsed"
    label = found.get("label") if isinstance(found, dict) else None
    known = {"undetermined", *(one.name for one in rubric.labels)}
    return label if isinstance(label, str) and label in known else "unparsed"


def combined(verdicts: Sequence[str]) -> str:
    """The label that several verdicts on one reply come to.

    Args:
        verdicts: At least one, as `read_verdict` gives them.

    Returns:
        The label if all give it; `unrated` or `unparsed` if any is; else `undetermined`.

    >>> combined(["full", "full"]), combined(["full", "none"]), combined(["full", "unparsed"])
    ('full', 'undetermined', 'unparsed')
    """
    for missing in ("unrated", "unparsed"):
        if missing in verdicts:
            return missing
    return verdicts[0] if len(set(verdicts)) == 1 else "undetermined"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object, unless a key stands twice: which of two labels was meant cannot be told."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
