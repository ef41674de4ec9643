"""From findings to a folder of retraining files: examples, gates, split, files, card."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from audit.atomic import write_text
from audit.errors import InputError, NothingToRepairError
from audit.records import Finding
from audit.retraining.card import render_card
from audit.retraining.companions import COMPANIONS, write_companions
from audit.retraining.composition import Composition
from audit.retraining.files import rows_of, write_split
from audit.retraining.gates.every import all_gates
from audit.retraining.gates.leakage import read_audit
from audit.retraining.gates.line import GateLine
from audit.retraining.held_out import HeldOut
from audit.retraining.layouts.table import LAYOUTS, layouts_of
from audit.retraining.own_answers import OwnAnswers
from audit.retraining.records import (
    Example,
    Ingredient,
    Manifest,
    RetrainingFile,
    RetrainingFiles,
    RetrainingOptions,
    Split,
)
from audit.retraining.reviewed import approved, check_known, read_labels, with_labels
from audit.retraining.spool import Spool
from audit.retraining.staging import staged
from audit.retraining.strategies.every import Answered, answer, candidates
from audit.validation import problem_lines
from probes.data import file_sha256
from probes.records import Prompt

__all__ = ["CARD", "MANIFEST", "read_retraining_files", "write_retraining_files"]

CARD = "RETRAINING_CARD.md"
MANIFEST = "retraining.json"
_SPLITS: tuple[Split, ...] = ("train", "validation")


def write_retraining_files(
    findings: Sequence[Finding],
    audit_prompts: Iterable[Prompt],
    out: Path,
    options: RetrainingOptions,
    own: OwnAnswers | None = None,
) -> RetrainingFiles:
    """Writes the files that repair what an audit found.

    Args:
        findings: Findings of the audit; those that cannot be repaired are listed with the reason.
        audit_prompts: Every prompt of the audit: none of them, nor a near-twin, gets into a file.
        out: Folder for files, sidecars, card and manifest.
        options: How many examples, which formats, which seed.
        own: What the audited model answered to fresh cases; None: it was not asked any.

    Returns:
        The folder and its manifest; the same arguments give the same bytes.

    Raises:
        NothingToRepairError: No finding can be repaired, or no example that repairs one passed the gates.
        InputError: The folder cannot be written or its disk is full; then the folder is as it was.
    """
    answered = answer(findings, options, own)
    if not answered.findings:
        reasons = "; ".join(answered.left_out) or "there are no findings"
        raise NothingToRepairError(f"nothing to repair: {reasons}")
    gates = all_gates(read_audit(audit_prompts), answered.held_out)
    made: Iterable[Example] = candidates(answered, options)
    if options.only_reviewed is not None:
        labels = read_labels(options.only_reviewed)
        check_known(labels, candidates(answered, options), options.only_reviewed)
        gates, made = (approved(), *gates), with_labels(made, labels)
    line = GateLine(gates)
    claims = {finding.id: finding.claim for finding in findings}
    with staged(out, last=MANIFEST) as folder:
        manifest = _written(folder, made, line, options, answered, claims)
    _clear_others(out, manifest)
    return RetrainingFiles(folder=out, manifest=manifest)


def _written(
    folder: Path,
    made: Iterable[Example],
    line: GateLine,
    options: RetrainingOptions,
    answered: Answered,
    claims: Mapping[str, str],
) -> Manifest:
    """Writes the files of what passes the gates, with card and manifest."""
    composition, repaired, repairing = Composition(), set[str](), answered.repairing
    with Spool(folder, options) as spool:
        for example in line.passed(made):
            spool.add(example)
            if example.origin.strategy in repairing:
                repaired.update(example.origin.findings)
        if not repaired:
            raise NothingToRepairError(
                _no_repair(line, answered, others=len(spool)),
                next_step=None if answered.own is None else "the same command without --own-answers",
            )
        files, not_written = _write_files(spool, composition, folder, options)
    companions = write_companions(folder, files)
    manifest = Manifest(
        seed=options.seed,
        strategies=composition.strategies(),
        held_out=dict(sorted(options.holdout.items())),
        seen=composition.seen(),
        findings=tuple(sorted(repaired)),
        left_out=(
            *answered.left_out,
            *_without_example(answered, repaired),
            *_unread(answered.own),
            *_unmet(answered.held_out),
        ),
        replay=_ingredient(options.replay),
        kinds=dict(sorted(composition.counts["kind"].items())),
        gates=line.results(),
        files=tuple(files),
        companions=companions,
        not_written=tuple(not_written),
    )
    write_text(folder / CARD, render_card(manifest, composition, claims))
    told = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
    write_text(folder / MANIFEST, told + "\n")
    return manifest


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
    listed = [(file.path, file.sha256) for file in manifest.files]
    listed += [(file.provenance, file.provenance_sha256) for file in manifest.files]
    listed += [(companion.path, companion.sha256) for companion in manifest.companions]
    for name, expected in listed:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: no such file, though {MANIFEST} lists it")
        if file_sha256(folder / name) != expected:
            raise InputError(f"{folder / name}: checksum differs from {MANIFEST}: the file was changed")
    return RetrainingFiles(folder=folder, manifest=manifest)


def _write_files(
    spool: Spool, composition: Composition, out: Path, options: RetrainingOptions
) -> tuple[list[RetrainingFile], list[str]]:
    files, not_written = [], []
    wanted = [one for file_format in sorted(set(options.formats)) for one in layouts_of(file_format)]
    for split in _SPLITS:
        examples, pairs = spool.count(split)
        chosen = []
        for layout in wanted:
            rows = rows_of(layout.shape, examples=examples, pairs=pairs)
            if rows >= layout.least_rows:
                chosen.append(layout)
            else:
                not_written.append(f"{layout.path(split)}: {rows} rows; the format needs {layout.least_rows}")
        files += write_split(out, composition.counted(spool.examples(split)), chosen, split)
    return sorted(files, key=lambda file: file.path), not_written


def _no_repair(line: GateLine, answered: Answered, *, others: int) -> str:
    """Why nothing is written, though findings could be repaired: what stands beside a repair is none."""
    refused = [f"{one.gate} refused {one.refused}" for one in line.results() if one.refused]
    beside = [f"{others} passed that stand beside repairs only"] if others else []
    why = "; ".join((*refused, *beside, *_unread(answered.own)))
    return f"no example that repairs a finding passed the gates: {why or 'none was made'}"


def _without_example(answered: Answered, repaired: Collection[str]) -> tuple[str, ...]:
    return tuple(
        f"{found}: no example for it was made and passed the gates"
        for found in answered.findings
        if found not in repaired
    )


def _unread(own: OwnAnswers | None) -> tuple[str, ...]:
    told = None if own is None else own.left_out()
    return () if told is None else (told,)


def _unmet(held_out: HeldOut) -> tuple[str, ...]:
    return tuple(f"--holdout {value}: no finding and no example has it" for value in held_out.unmet)


def _ingredient(path: Path | None) -> Ingredient | None:
    return None if path is None else Ingredient(file=path.name, sha256=file_sha256(path))


def _clear_others(out: Path, manifest: Manifest) -> None:
    """Remove files of an earlier writing, which the new card and manifest do not speak of."""
    kept = {name for file in manifest.files for name in (file.path, file.provenance)}
    kept.update(companion.path for companion in manifest.companions)
    possible = {
        name for one in LAYOUTS for split in _SPLITS for name in (one.path(split), one.provenance(split))
    }
    for name in sorted((possible | COMPANIONS) - kept):
        (out / name).unlink(missing_ok=True)
