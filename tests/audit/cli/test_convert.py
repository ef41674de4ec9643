"""What `evenhand analyzers convert` promises on the command line."""

import json
from pathlib import Path

import pytest

from audit.cli.main import main
from tests.audit.tiny_classifier import write_tiny


def run(*words: str) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as stop:
        main(["analyzers", "convert", *words])
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.mark.parametrize("text", ["no checkpoint", "junk\n", "", "(dict", "hello"])
@pytest.mark.parametrize("more", [(), ("--allow-unsafe",)])
def test_a_file_that_is_no_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, more: tuple[str, ...]
) -> None:
    """Nothing is written, the file is named, and the exit code is 2."""
    note = tmp_path / "note.ckpt"
    note.write_text(text, "utf-8")
    assert run(str(note), *more, "--out", str(tmp_path / "out")) == 2
    assert "note.ckpt" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_becomes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files are named, for people with the line of the spec that uses them."""
    write_tiny(tmp_path)
    words = (str(tmp_path / "tiny.ckpt"), "--config", str(tmp_path / "bert"))
    assert run(*words, "--out", str(tmp_path / "safe"), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"config.json", "evenhand.json", "model.safetensors"} <= set(found["files"])
    assert run(str(tmp_path / "safe"), "--out", str(tmp_path / "again")) == 0
    assert "use: detoxify, checkpoint: " in capsys.readouterr().err
