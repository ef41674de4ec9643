"""Batches on the command line: submit and leave, and gather later."""

from pathlib import Path

from tests.audit.cli.conftest import SPEC, Command
from tests.servers.processes import stub_server


def test_a_run_is_left_and_resumed(home: Path, evenhand: Command) -> None:
    """`run` submits and exits with 3 and the command that goes on; `resume` gathers and reports."""
    with stub_server("--polls", "2", module="stub_batches") as url:
        spec = SPEC.replace(
            "{type: recorded, path: said.jsonl, by: source_id}",
            f"{{type: openai_batch, base_url: '{url}', model: m}}",
        ).replace("[decision]", "[refusal]")
        (home / "spec.yaml").write_text(spec)
        left = evenhand("run", "spec.yaml", "--out", "made")
        assert left.code == 3, left.err
        assert "24 outputs wait in 1 batch" in left.err
        assert left.err.rstrip().endswith("next: evenhand resume made")
        assert not (home / "made" / "report.html").exists()
        assert evenhand("resume", "made").code == 3
        ended = evenhand("resume", "made", "--wait")
    assert ended.code == 0, ended.err
    assert "planned 24 = answered 24" in ended.err
    assert (home / "made" / "report.html").exists()


def test_rounds_and_batches_do_not_go_together(home: Path, evenhand: Command) -> None:
    """A run until decided needs answers before it asks on, so it refuses batches before any is sent."""
    spec = SPEC.replace(
        "{type: recorded, path: said.jsonl, by: source_id}", "{type: batch_file, folder: files, model: m}"
    )
    (home / "spec.yaml").write_text(spec)
    refused = evenhand("run", "spec.yaml", "--out", "made", "--until-decided")
    assert refused.code == 2
    assert "asks in rounds" in refused.err
    assert not (home / "files").exists()
    assert not (home / "made").exists()
