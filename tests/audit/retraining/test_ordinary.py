"""The user's own ordinary rows beside repairs: a drawn share, gated like all else, with their origin."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.records import Finding
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions
from audit.retraining.writing import write_retraining_files
from probes.data import file_sha256
from probes.records import Prompt

MakeFinding = Callable[..., Finding]


def rows(path: Path, said: list[tuple[str, str]]) -> Path:
    """A file of dialogues."""
    lines = [
        json.dumps({"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]})
        for q, a in said
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def asked(number: int) -> tuple[str, str]:
    """An ordinary dialogue."""
    return f"When does branch {number} open on day {number % 7}?", f"Branch {number} opens at nine."


def written(findings: list[Finding], prompts: list[Prompt], out: Path, **options: object) -> RetrainingFiles:
    """Files, and the provenance of their rows."""
    wanted = {"max_examples": 100, "formats": (Format.TRL_SFT, Format.TRL_DPO), **options}
    return write_retraining_files(findings, prompts, out, RetrainingOptions.model_validate(wanted))


def origins(files: RetrainingFiles) -> list[dict[str, object]]:
    """Sidecar lines of the supervised files of both splits."""
    return [
        json.loads(line)
        for file in files.manifest.files
        if file.format is Format.TRL_SFT
        for line in (files.folder / file.provenance).read_text(encoding="utf-8").splitlines()
    ]


def test_a_share_of_the_file_takes_the_place_of_shipped_requests(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """The share is kept, a part is held out, licence and checksum are said, and nothing shipped is there."""
    path = rows(tmp_path / "own.jsonl", [asked(number) for number in range(400)])
    options = {"replay": path, "replay_share": 0.4, "replay_licence": "CC0-1.0"}
    files = written([make_finding()], audit_prompts, tmp_path / "out", **options)
    told = origins(files)
    counts = Counter((one["strategy"], one["source"], one["licence"]) for one in told)
    assert counts["replay_file", "user_row", "CC0-1.0"] == 40
    assert {name for name, _, _ in counts} == {"replay_file", "counterfactual_augmentation"}
    assert len(told) > 95
    assert {one["split"] for one in told if one["source"] == "user_row"} == {"train", "validation"}
    assert files.manifest.replay is not None
    assert files.manifest.replay.model_dump() == {"file": "own.jsonl", "sha256": file_sha256(path)}
    assert "own.jsonl" in (files.folder / "RETRAINING_CARD.md").read_text(encoding="utf-8")
    again = written([make_finding()], audit_prompts, tmp_path / "again", **options)
    assert again.manifest == files.manifest


def test_rows_pass_the_gates_like_all_others(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """A prompt of the audit, a needless refusal, somebody's data and a second copy do not get in."""
    said = [
        (audit_prompts[0].messages[0].content, "Yes."),
        ("How do I close an account?", "I'm sorry, but I can't help with that request."),
        ("Whom do I write to?", "Write to jane.doe@example.org, 555-867-5309."),
        ("Is it open?", "It is open."),
        ("Is it open?", "It is open."),
    ]
    path = rows(tmp_path / "own.jsonl", said)
    files = written([make_finding()], audit_prompts, tmp_path / "out", replay=path, replay_share=0.2)
    refused = {gate.gate: gate.refused for gate in files.manifest.gates if gate.refused}
    assert refused == {"near-twins": 1, "quality": 1, "personal-data": 1, "duplicates": 1}
    assert sum(one["source"] == "user_row" for one in origins(files)) == 1


def test_a_row_that_a_wanted_format_does_not_take_is_named_where_it_stands(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """A format that wants turns names the line of the user's file; one that does not takes the row."""
    said = [{"role": role, "content": f"hello {role}"} for role in ("user", "user", "assistant")]
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"messages": said}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"own\.jsonl:1: llama-factory-sft wants user and assistant in turn"):
        written([make_finding()], audit_prompts, tmp_path / "out", replay=path, formats=(*Format,))
    assert origins(written([make_finding()], audit_prompts, tmp_path / "out", replay=path))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "own.jsonl"),
        ("", "0 rows"),
        ('{"messages": []}\n', "own.jsonl:1"),
        ('{"messages": [{"role": "user", "content": "x"}]}\n', "own.jsonl:1"),
        ("{\n", "own.jsonl:1"),
    ],
)
def test_a_file_that_is_none_is_named_with_its_line(
    make_finding: MakeFinding, tmp_path: Path, content: str | None, says: str
) -> None:
    """Missing, empty and malformed files are refused in one line, and nothing is written."""
    path = tmp_path / "own.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=says) as caught:
        written([make_finding()], [], tmp_path / "out", replay=path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "retraining.json").exists()
