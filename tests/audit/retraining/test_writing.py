"""The one entry: from findings to a folder of files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from audit.errors import InputError, NothingToRepairError
from audit.records import Finding, Verdict
from audit.retraining.layouts.table import layout
from audit.retraining.reading import validate
from audit.retraining.records import DEFAULT_FORMATS, Format, RetrainingFiles, RetrainingOptions
from audit.retraining.strategies.every import answer, candidates
from audit.retraining.writing import CARD, MANIFEST, read_retraining_files, write_retraining_files
from probes.data import file_sha256
from probes.records import Prompt

MakeFinding = Callable[..., Finding]


def _notes(files: RetrainingFiles, split: str) -> list[dict[str, object]]:
    path = files.folder / f"{split}.trl-sft.provenance.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_listed_file_is_there_and_valid(files: RetrainingFiles) -> None:
    """Each file of the manifest exists, is valid and has the stated rows and checksum."""
    assert {file.format for file in files.manifest.files} == set(DEFAULT_FORMATS)
    for file in files.manifest.files:
        assert validate(files.folder / file.path, layout(file.format, file.shape)) == file.rows
        assert file_sha256(files.folder / file.path) == file.sha256


def test_reading_gives_what_was_written(files: RetrainingFiles) -> None:
    """A folder read again says the same as when it was written."""
    assert read_retraining_files(files.folder) == files


def test_same_inputs_same_bytes(
    files: RetrainingFiles, make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Writing again gives the same bytes in every file, card and manifest included."""
    write_retraining_files(
        [make_finding()], audit_prompts, tmp_path, RetrainingOptions(max_examples=120, seed=1)
    )
    names = sorted(path.name for path in files.folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert all((files.folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_a_hold_out_that_holds_nothing_is_told_and_an_unknown_technique_refused(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Whoever misspells what is to be held out does not believe that it was."""
    holdout = {"domain": ("lendign",), "template": ("lending-approval-1",), "attribute": ("age",)}
    options = RetrainingOptions(max_examples=60, seed=1, holdout=holdout)
    findings = [make_finding(), make_finding("f-age", attribute="age", group="old", reference_group="young")]
    manifest = write_retraining_files(findings, audit_prompts, tmp_path, options).manifest
    told = [line for line in manifest.left_out if line.startswith("--holdout")]
    assert "--holdout domain=lendign: no finding and no example has it" in told
    assert not any("attribute=age" in line for line in told)
    options = RetrainingOptions(holdout={"technique": ("role-play",)})
    with pytest.raises(InputError, match=r"--holdout technique=role-play: unknown; accepted: .*roleplay"):
        write_retraining_files([make_finding()], audit_prompts, tmp_path, options)


def test_files_without_a_repair_are_not_written(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Ordinary requests alone make nothing smaller: where every repair is refused, the gates say so."""
    options = RetrainingOptions(max_examples=60, seed=1, holdout={"group": ("male",)})
    with pytest.raises(NothingToRepairError, match=r"whole-groups refused \d+; 6 passed that stand beside"):
        write_retraining_files([make_finding()], audit_prompts, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_a_finding_without_an_example_is_not_listed_as_answered(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """A finding whose every example a gate refused stands among what was left out."""
    findings = [make_finding("a"), make_finding("b", domain="hiring")]
    refused = [
        example.origin.template
        for example in candidates(answer(findings, RetrainingOptions()), RetrainingOptions(max_examples=2000))
        if example.origin.domain == "hiring"
    ]
    options = RetrainingOptions(max_examples=60, seed=1, holdout={"template": tuple(sorted(set(refused)))})
    manifest = write_retraining_files(findings, audit_prompts, tmp_path, options).manifest
    assert manifest.findings == ("a",)
    assert "b: no example for it was made and passed the gates" in manifest.left_out


def test_no_file_of_an_earlier_writing_stays(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Fewer formats in the same folder leave only what the card speaks of, and files of others alone."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    findings = [make_finding()]
    write_retraining_files(findings, audit_prompts, tmp_path, RetrainingOptions(max_examples=120, seed=1))
    options = RetrainingOptions(max_examples=120, seed=2, formats=(Format.TRL_SFT,))
    written = write_retraining_files(findings, audit_prompts, tmp_path, options).manifest.files
    listed = {name for file in written for name in (file.path, file.provenance)}
    assert {path.name for path in tmp_path.iterdir()} == listed | {CARD, MANIFEST, "notes.txt"}


def test_splits_share_no_template(files: RetrainingFiles) -> None:
    """No template stands in both splits, and a set is never torn apart."""
    train, validation = _notes(files, "train"), _notes(files, "validation")
    assert validation
    assert not {note["template"] for note in train} & {note["template"] for note in validation}
    assert not {note["set_id"] for note in train} & {note["set_id"] for note in validation} - {None}


def test_every_row_says_where_it_came_from(files: RetrainingFiles) -> None:
    """Each row's sidecar line names finding, template, source, seed, licence, and the row's checksum."""
    for note in _notes(files, "train"):
        assert note["findings"] == ["f-gender"]
        assert note["source"] == "ground_truth"
        assert (note["seed"], note["licence"], note["split"]) == (1, "Apache-2.0", "train")
        assert len(str(note["sha256"])) == 64


def test_the_card_tells_the_counts(files: RetrainingFiles) -> None:
    """The card lists findings, every gate, every file with its checksum, and what the files cannot do."""
    card = (files.folder / CARD).read_text(encoding="utf-8")
    assert "- f-gender: " in card
    for gate in files.manifest.gates:
        assert f"| {gate.gate} |" in card
    for file in files.manifest.files:
        assert f"| {file.path} | {file.format.value} | {file.rows} | {file.sha256} |" in card
    assert "## Limits" in card


def test_the_card_keeps_what_others_chose_to_its_line(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """A claim about a group of somebody's own rows neither begins a heading nor steers a terminal."""
    hostile = make_finding().model_copy(update={"claim": "women\n# Approved\x1b[31m\u202e"})
    write_retraining_files([hostile], audit_prompts, tmp_path, RetrainingOptions(max_examples=20, seed=1))
    assert "- f-gender: women # Approved [31m \n" in (tmp_path / CARD).read_text(encoding="utf-8")


def test_formats_with_too_few_rows_are_told(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """A hosted format that would fall below its minimum is not written, and card and manifest say so."""
    options = RetrainingOptions(max_examples=20, seed=1)
    files = write_retraining_files([make_finding()], audit_prompts, tmp_path, options)
    assert any(line.startswith("validation.openai-sft.jsonl:") for line in files.manifest.not_written)
    assert "Not written:" in (tmp_path / CARD).read_text(encoding="utf-8")


def test_nothing_to_repair_is_an_error(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Without a finding that may be repaired nothing is written, and the reason is told."""
    unclear = make_finding("f-unclear", verdict=Verdict.INCONCLUSIVE)
    with pytest.raises(InputError, match="f-unclear: the verdict is inconclusive"):
        write_retraining_files([unclear], audit_prompts, tmp_path, RetrainingOptions())
    with pytest.raises(InputError, match="there are no findings"):
        write_retraining_files([], audit_prompts, tmp_path, RetrainingOptions())
    assert not (tmp_path / MANIFEST).exists()


def test_all_refused_is_an_error(
    make_finding: MakeFinding, files: RetrainingFiles, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """If the gates let nothing through, nothing is written, and the gate is named."""
    templates = sorted(
        {str(note["template"]) for split in ("train", "validation") for note in _notes(files, split)}
    )
    leaked = [audit_prompts[0].model_copy(update={"template": template}) for template in templates]
    with pytest.raises(InputError, match="lineage"):
        write_retraining_files([make_finding()], leaked, tmp_path, RetrainingOptions(max_examples=12, seed=1))


def test_changed_folders_are_refused(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """A changed or missing file, and a missing or malformed manifest, are each one clear error."""
    options = RetrainingOptions(max_examples=20, formats=(Format.TRL_SFT,))
    written = write_retraining_files([make_finding()], audit_prompts, tmp_path, options)
    path = tmp_path / written.manifest.files[0].path
    content = path.read_bytes()
    path.write_bytes(content + b"\n")
    with pytest.raises(InputError, match="checksum differs"):
        read_retraining_files(tmp_path)
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_retraining_files(tmp_path)
    (tmp_path / MANIFEST).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="required key is missing"):
        read_retraining_files(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_retraining_files(tmp_path / "none")


def test_options_are_checked() -> None:
    """A share above its limit is refused at the door."""
    with pytest.raises(ValidationError, match=r"less than or equal to 0\.5"):
        RetrainingOptions(validation_share=0.9)
