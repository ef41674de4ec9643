"""Atomic writes: old content or new, never half of it, and no litter."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from audit.atomic import write_bytes, write_text
from audit.errors import InputError


@contextmanager
def _nobody() -> Iterator[None]:
    """Without the rights of root, if it is root who runs the tests."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_content_is_replaced_whole(tmp_path: Path) -> None:
    """A write makes missing folders, replaces what was there, and leaves nothing beside it."""
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "old and longer")
    write_text(path, "né\n")
    assert path.read_bytes() == "né\n".encode()
    assert [one.name for one in path.parent.iterdir()] == ["file.txt"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """What is no regular file, such as a device, stays what it is and gets the content."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(pipe, "told\n")
        assert os.read(reading, 100) == b"told\n"
    finally:
        os.close(reading)
    assert pipe.is_fifo()


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    """The file is as readable as the user's other files, not private to the writer."""
    write_bytes(tmp_path / "atomic", b"x")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_refusal_of_the_system_is_one_line_and_keeps_the_old_content(tmp_path: Path) -> None:
    """A path that cannot be replaced is named, and no temporary file stays."""
    blocked = tmp_path / "folder"
    blocked.mkdir()
    (blocked / "inside").write_text("kept")
    with pytest.raises(InputError, match="folder: cannot be written: ") as caught:
        write_text(blocked, "x")
    assert caught.value.next_step is not None
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(InputError, match="cannot be written"):
        write_text(blocked / "inside" / "file", "x")
    assert (blocked / "inside").read_text() == "kept"


def test_folder_without_permission_is_named() -> None:
    """A folder that may not be written is an error of the user's, in one line."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with _nobody(), pytest.raises(InputError, match="cannot be written: Permission denied"):
            write_text(folder / "file", "x")
        assert list(folder.iterdir()) == []


def test_a_symbolic_link_stays_and_what_it_names_is_replaced(tmp_path: Path) -> None:
    """Whoever keeps a file elsewhere finds the new content there, also where it did not exist yet."""
    real, link = tmp_path / "elsewhere.json", tmp_path / "findings.json"
    link.symlink_to(real)
    for text in ("new", "newer"):
        write_text(link, text)
        assert link.is_symlink()
        assert real.read_text() == text
    assert sorted(one.name for one in tmp_path.iterdir()) == ["elsewhere.json", "findings.json"]
