"""A set of files in a folder is the old one or the new one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import InputError, NothingToRepairError
from audit.records import Finding
from audit.retraining.records import Format, RetrainingOptions
from audit.retraining.staging import staged
from audit.retraining.writing import MANIFEST, read_retraining_files, write_retraining_files
from probes.records import Prompt

MakeFinding = Callable[..., Finding]


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def _stopped(out: Path) -> None:
    with staged(out, last="m.json") as folder:
        (folder / "m.json").write_bytes(b"half")
        raise KeyboardInterrupt


def test_a_block_that_ends_puts_its_files_in_place(tmp_path: Path) -> None:
    """Files, also those in folders, stand where they belong; nothing unfinished stays."""
    out = tmp_path / "a" / "out"
    with staged(out, last="m.json") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "x").write_bytes(b"x")
        (folder / "m.json").write_bytes(b"m")
        assert not (out / "m.json").exists()
    assert _contents(out) == {"sub/x": b"x", "m.json": b"m"}
    assert sorted(one.name for one in out.iterdir()) == ["m.json", "sub"]


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Neither a new file nor a folder made for it stays, and an old file is as it was."""
    out = tmp_path / "out"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            _stopped(out / "deep")
        assert not out.exists()
    out.mkdir()
    (out / "m.json").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        _stopped(out)
    assert _contents(out) == {"m.json": b"old"}


def test_a_file_that_is_a_link_is_written_through_it(tmp_path: Path) -> None:
    """What somebody keeps elsewhere goes on being kept there."""
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.write_bytes(b"old")
    out.mkdir()
    (out / "m.json").symlink_to(elsewhere)
    with staged(out, last="m.json") as folder:
        (folder / "m.json").write_bytes(b"new")
    assert (elsewhere.read_bytes(), (out / "m.json").is_symlink()) == (b"new", True)


@pytest.mark.parametrize(("blocked", "by"), [("z", "folder"), ("a/b", "file")])
def test_a_file_that_has_no_place_leaves_all_as_it_was(tmp_path: Path, blocked: str, by: str) -> None:
    """A folder where a file has to stand, or the other way round, is found before the first file is moved."""
    (tmp_path / "m.json").write_bytes(b"old")
    blocking = tmp_path / blocked.partition("/")[0]
    if by == "folder":
        blocking.mkdir()
    else:
        blocking.write_bytes(b"mine")
    kept = _contents(tmp_path)

    def write() -> None:
        with staged(tmp_path, last="m.json") as folder:
            for name in ("m.json", "c", blocked):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(b"new")

    with pytest.raises(InputError, match=f"^{blocking}: is a {by}; "):
        write()
    assert _contents(tmp_path) == kept


def test_two_writers_of_one_folder_do_not_mix_their_files(tmp_path: Path) -> None:
    """The second one is refused, and leaves what the first one has not finished."""
    with staged(tmp_path, last="m.json") as folder:
        (folder / "m.json").write_bytes(b"first")
        with pytest.raises(InputError, match="another process is writing files there"):
            _stopped(tmp_path)
    assert _contents(tmp_path) == {"m.json": b"first"}


def test_what_cannot_be_read_elsewhere_is_told_as_it_is(tmp_path: Path) -> None:
    """A failure that is not about the folder says nothing of the folder, and stays of its kind."""

    def fail() -> None:
        with staged(tmp_path / "out", last="m.json"):
            raise NothingToRepairError("replay.jsonl: cannot be read") from OSError(2, "no such file")

    with pytest.raises(NothingToRepairError, match=r"^replay\.jsonl: cannot be read$"):
        fail()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("small_disk", ["200k", "460k"], indirect=True, ids=["examples", "files"])
def test_a_full_disk_is_one_line_with_the_file_and_keeps_the_old_files(
    make_finding: MakeFinding, audit_prompts: list[Prompt], small_disk: Path
) -> None:
    """Whatever fills the disk, the line names what could not be written, and the smaller set before stays."""
    out = small_disk / "files"
    few = RetrainingOptions(max_examples=20, seed=1, formats=(Format.TRL_SFT,))
    before = write_retraining_files([make_finding()], audit_prompts, out, few)
    kept = _contents(out)
    many = RetrainingOptions(max_examples=400, seed=2)
    with pytest.raises(InputError, match="No space left on device") as caught:
        write_retraining_files([make_finding()], audit_prompts, out, many)
    assert str(caught.value).startswith(str(out))
    assert ".unfinished" not in str(caught.value)
    assert str(caught.value).endswith("what lay in the folder before is kept")
    assert caught.value.next_step is not None
    assert _contents(out) == kept
    assert read_retraining_files(out) == before
    assert MANIFEST in kept
