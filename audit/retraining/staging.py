"""Writing a set of files so that a folder holds the old set or the new one, and nothing half-written.

The files are written to a folder inside, on the same disk, and take their places once all of them are whole;
that needs no more room. The one that vouches for the others comes last, so that a process killed in between
leaves a set that says itself that it does not fit together.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audit.atomic import NEXT_STEP, replacing
from audit.errors import InputError

__all__ = ["staged"]

_UNFINISHED = ".unfinished"


@contextmanager
def staged(out: Path, *, last: str) -> Iterator[Path]:
    """A folder whose files go to `out` when the block ends.

    If the block raises, they are gone, with the folders that were made for them, and what lay in `out` before
    is as it was.

    Args:
        out: Where the files go; made if missing.
        last: Name of the file that comes last.

    Raises:
        InputError: The folder cannot be written or another process writes there, or the disk is full; the
            message names files as in `out`.
    """
    missing = [one for one in (out, *out.parents) if not one.exists()]
    folder = out / _UNFINISHED
    with _alone(out):
        try:
            try:
                shutil.rmtree(folder, ignore_errors=True)  # Of a process that was killed.
                folder.mkdir()
            except OSError as error:
                raise InputError(
                    f"{out}: cannot be written: {error.strerror or error}", next_step=NEXT_STEP
                ) from error
            yield folder
            _placed(folder, out, last)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            for one in missing:
                with suppress(OSError):
                    one.rmdir()  # Only if nobody else has put something there.
            if isinstance(error, InputError) and str(folder) in str(error):
                kept = "nothing was left there" if missing else "what lay in the folder before is kept"
                told = f"; {kept}" if isinstance(error.__cause__, OSError) else ""
                raise InputError(
                    str(error).replace(str(folder), str(out)) + told, next_step=error.next_step
                ) from error
            raise
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keeps other processes from writing there meanwhile; the system lets go when this one dies."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written: {error.strerror or error}", next_step=NEXT_STEP
        ) from error
    try:
        with suppress(OSError):  # Some disks know no locks.
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"{out}: another process is writing files there",
                    next_step="wait until it ends, or choose another folder",
                ) from error
        yield
    finally:
        os.close(handle)


def _placed(folder: Path, out: Path, last: str) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        _refuse_blocked(out / path.relative_to(folder), out)  # All of them, before the first one is moved.
    for path in sorted(files, key=lambda one: (one.name == last, str(one))):
        to = out / path.relative_to(folder)
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            if not to.is_symlink():
                path.replace(to)
                continue
        except OSError as error:
            raise InputError(
                f"{to}: cannot be written: {error.strerror or error}", next_step=NEXT_STEP
            ) from error
        with replacing(to) as written, path.open("rb") as read:  # What it names may lie on another disk.
            shutil.copyfileobj(read, written)


def _refuse_blocked(to: Path, out: Path) -> None:
    blocking = to if to.is_dir() else next((one for one in to.parents if one.is_file()), None)
    if blocking is not None:
        found, wanted = ("folder", "file") if blocking.is_dir() else ("file", "folder")
        raise InputError(
            f"{blocking}: is a {found}; a {wanted} has to stand there, and nothing in {out} was changed",
            next_step=f"move {blocking} away or choose another folder, then run the same command again",
        )
