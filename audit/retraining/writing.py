"""From findings to a folder of retraining files: examples, gates, split, files, card."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from audit.atomic import write_text
from audit.errors import InputError
from audit.records import Finding
from audit.retraining.card import render_card
from audit.retraining.examples import cells_of, make_examples
from audit.retraining.formats import PREFERENCE_FORMATS, least_rows, write
from audit.retraining.gates import apply_gates, read_audit
from audit.retraining.records import (
    Example,
    Format,
    Manifest,
    RetrainingFile,
    RetrainingFiles,
    RetrainingOptions,
    Split,
)
from audit.validation import problem_lines
from probes.data import file_sha256
from probes.records import Prompt
from probes.seeds import derive

__all__ = ["CARD", "MANIFEST", "assign_splits", "read_retraining_files", "write_retraining_files"]

CARD = "RETRAINING_CARD.md"
MANIFEST = "retraining.json"
_SPLITS: tuple[Split, ...] = ("train", "validation")


def write_retraining_files(
    findings: Sequence[Finding], audit_prompts: Iterable[Prompt], out: Path, options: RetrainingOptions
) -> RetrainingFiles:
    """Writes the files that repair what an audit found.

    Args:
        findings: Findings of the audit; those that cannot be repaired are listed with the reason.
        audit_prompts: Every prompt of the audit: none of them, nor a near-twin, gets into a file.
        out: Folder for files, sidecars, card and manifest.
        options: How many examples, which formats, which seed.

    Returns:
        The folder and its manifest; the same arguments give the same bytes.

    Raises:
        InputError: No finding can be repaired, no example passed the gates, or the folder cannot be
            written.
    """
    cells, left_out = cells_of(findings)
    if not cells:
        reasons = "; ".join(left_out) or "there are no findings"
        raise InputError(f"nothing to repair: {reasons}")
    kept, gates = apply_gates(make_examples(cells, options), read_audit(audit_prompts))
    if not kept:
        refused = ", ".join(f"{gate.gate} {gate.refused}" for gate in gates if gate.refused)
        raise InputError(f"no example passed the gates; refused by {refused or 'none, as none was made'}")
    examples = assign_splits(kept, options)
    files, not_written = _write_files(examples, out, options)
    manifest = Manifest(
        seed=options.seed,
        findings=tuple(sorted({found for ids in cells.values() for found in ids})),
        left_out=left_out,
        kinds=dict(sorted(Counter(example.origin.kind.value for example in examples).items())),
        gates=gates,
        files=tuple(files),
        not_written=tuple(not_written),
    )
    claims = {finding.id: finding.claim for finding in findings}
    write_text(out / CARD, render_card(manifest, examples, claims))
    write_text(
        out / MANIFEST, json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    )
    return RetrainingFiles(folder=out, manifest=manifest)


def read_retraining_files(folder: Path) -> RetrainingFiles:
    """The retraining files of a folder, each checked against its checksum.

    Raises:
        InputError: The manifest or a file is missing, malformed or changed.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise InputError(problem_lines(error, str(path))[0]) from error
    for file in manifest.files:
        for name, expected in ((file.path, file.sha256), (file.provenance, file.provenance_sha256)):
            if not (folder / name).is_file():
                raise InputError(f"{folder / name}: no such file, though {MANIFEST} lists it")
            if file_sha256(folder / name) != expected:
                raise InputError(f"{folder / name}: checksum differs from {MANIFEST}: the file was changed")
    return RetrainingFiles(folder=folder, manifest=manifest)


def assign_splits(examples: Sequence[Example], options: RetrainingOptions) -> list[Example]:
    """The examples with their split: whole templates are held out, never single rows.

    Args:
        examples: Examples that passed the gates.
        options: `validation_share` of the templates of each probe and domain, and the seed.

    Returns:
        The same examples in the same order; train always keeps a template.
    """
    templates: dict[tuple[str, str], set[str]] = defaultdict(set)
    for example in examples:
        templates[example.origin.probe, example.origin.domain].add(example.origin.template)
    held_out: set[str] = set()
    for key in sorted(templates):
        order = sorted(templates[key], key=lambda template: derive(options.seed, "split", template))
        held_out.update(order[: min(round(options.validation_share * len(order)), len(order) - 1)])
    return [
        example.model_copy(update={"origin": example.origin.model_copy(update={"split": "validation"})})
        if example.origin.template in held_out
        else example
        for example in examples
    ]


def _write_files(
    examples: Sequence[Example], out: Path, options: RetrainingOptions
) -> tuple[list[RetrainingFile], list[str]]:
    files, not_written = [], []
    for file_format in sorted(set(options.formats)):
        for split in _SPLITS:
            rows = [example for example in examples if example.origin.split == split]
            if file_format in PREFERENCE_FORMATS:
                rows = [example for example in rows if example.rejected is not None]
            if len(rows) >= least_rows(Format(file_format)):
                files.append(write(out, _mixed(rows, options.seed), file_format, split))
            else:
                needed = least_rows(file_format)
                not_written.append(
                    f"{split}.{file_format}.jsonl: {len(rows)} rows; the format needs {needed}"
                )
    _clear_others(out, files)
    return files, not_written


def _clear_others(out: Path, files: Sequence[RetrainingFile]) -> None:
    """Remove files of an earlier writing, which the new card and manifest do not speak of."""
    kept = {name for file in files for name in (file.path, file.provenance)}
    for file_format in Format:
        for split in _SPLITS:
            for suffix in ("jsonl", "provenance.jsonl"):
                name = f"{split}.{file_format.value}.{suffix}"
                if name not in kept:
                    (out / name).unlink(missing_ok=True)


def _mixed(rows: Sequence[Example], seed: int) -> list[Example]:
    """Rows in a fixed mixed order, so that a trainer that reads in order meets every kind early."""
    return sorted(rows, key=lambda example: derive(seed, "row", example.id))
