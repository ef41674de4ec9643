"""RETRAINING_CARD.md: what a folder of retraining files is, for whoever decides to train on it."""

import re
from collections.abc import Iterable, Mapping, Sequence

from audit.retraining.composition import Composition
from audit.retraining.records import Manifest

__all__ = ["render_card"]

_LIMITS = (
    "Examples come from templates written for this project, in English; they are no sample of real cases.",
    "A repair says nothing about attributes that were not trained: audit all of them again.",
    "Training on any file can change refusals, over-refusal and usefulness: measure them before and after.",
    "Names signal a group to readers; they do not say what a person is.",
    "Rejected answers to harmful requests are withheld: the placeholder teaches a form, not content.",
    "Decisions follow a rule that is blind to the group; it is made up, not a lender's or an employer's.",
)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""What ends a line, steers a terminal or reorders what is shown."""
_OWN_ROWS = "Ordinary rows come from {file} (SHA-256 {sha256}), and their answers are as they stand there."
_FILES = """Each file has a sidecar that says where every row came from.
Files of preferences carry a direction guard: a checksum of each answer, so that swapped columns are refused
before training."""


def render_card(manifest: Manifest, composition: Composition, claims: Mapping[str, str]) -> str:
    """The card as Markdown.

    Args:
        manifest: What was written.
        composition: What the examples that were written consist of.
        claims: What each finding says, by its id.

    Returns:
        Text that ends with a line break; the same arguments give the same text.
    """
    parts = [
        "# Retraining files",
        _summary(composition.examples, len(manifest.findings)),
        "## Findings",
        _list(f"{found}: {claims[found]}" for found in manifest.findings),
        *(["Not repaired, or not used:", _list(manifest.left_out)] if manifest.left_out else []),
        "## Examples",
        _counts("kind", composition),
        _counts("strategy", composition),
        _counts("attribute", composition),
        _counts("group", composition),
        _counts("merit level", composition),
        _counts("technique", composition),
        "## Sources of the answers",
        _counts("source", composition),
        _lengths(composition),
        *([] if manifest.replay is None else [_OWN_ROWS.format(**manifest.replay.model_dump())]),
        "## Split",
        "Whole templates are held out for validation, never single rows.",
        _held_out(manifest),
        _counts("split", composition),
        "## Gates",
        "In this order; each gate saw what the one before let through.",
        _table(
            ("gate", "refuses", "checked", "passed", "refused"),
            [(g.gate, g.rule, str(g.checked), str(g.passed), str(g.refused)) for g in manifest.gates],
        ),
        *[f"Refused by {g.gate}:\n\n{_list(g.refused_rows)}" for g in manifest.gates if g.refused],
        "## Files",
        _FILES,
        _table(
            ("file", "format", "rows", "SHA-256"),
            [(f.path, f.format.value, str(f.rows), f.sha256) for f in manifest.files],
        ),
        *(
            ["Beside them:", _list(f"{c.path} ({c.format})" for c in manifest.companions)]
            if manifest.companions
            else []
        ),
        *(["Not written:", _list(manifest.not_written)] if manifest.not_written else []),
        "## Licence",
        _counts("licence", composition),
        "## Limits",
        _list(_LIMITS),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(examples: int, findings: int) -> str:
    found = "1 finding" if findings == 1 else f"{findings} findings"
    return (
        f"{examples} examples made from {found} of an audit, to train the audited model further and make "
        "what was found smaller. Repeat the same audit afterwards."
    )


def _held_out(manifest: Manifest) -> str:
    if not manifest.held_out:
        return "Nothing is held out for the second audit but its own templates, names and requests."
    listed = (f"{key}: {', '.join(values)}" for key, values in sorted(manifest.held_out.items()))
    return "Held out for the second audit, besides its own templates, names and requests:\n\n" + _list(listed)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_one_line(line)}" for line in lines) or "- none"


def _counts(what: str, composition: Composition) -> str:
    counted = composition.counts[what]
    return _table((what, "examples"), [(value, str(counted[value])) for value in sorted(counted)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(_one_line(c).replace("|", "\\|") for c in line) + " |" for line in lines
    )


def _one_line(text: str) -> str:
    """A text that others chose, such as a licence or the name of a group, without what would end its line."""
    return _CONTROL.sub(" ", text)


def _lengths(composition: Composition) -> str:
    if not composition.pairs:
        return "No example has a rejected answer."
    chosen = composition.chosen_characters / composition.pairs
    rejected = composition.rejected_characters / composition.pairs
    return (
        f"Mean length in characters, over {composition.pairs} pairs: preferred answers {chosen:.0f}, "
        f"rejected answers {rejected:.0f}."
    )
