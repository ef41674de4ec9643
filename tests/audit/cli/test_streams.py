"""Standard output and error that are closed or full: data is whole or said to be lost, and audits go on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"{sys.executable} -m audit"
NO_ROOM = "error: standard output: No space left on device"

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")


def shell(home: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell, in the folder of the tests."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["init", "init --json", "probes list --json"])
def test_data_that_finds_no_room_is_one_line_and_an_error(home: Path, command: str, unbuffered: str) -> None:
    """A full disk behind standard output is said, with what to do, whether Python buffers or not."""
    done = shell(home, f"{PROGRAM} {command} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [NO_ROOM, "next: let it go elsewhere, and give the command again"]


def test_data_is_whole_where_the_stream_takes_parts(home: Path) -> None:
    """A file that has room for a part of the document is told of; a slow pipe gets all of it."""
    cut = shell(home, f"ulimit -f 1; {PROGRAM} probes list --json > cut.json", PYTHONUNBUFFERED="1")
    assert cut.returncode == 2
    assert cut.stderr.splitlines()[0] == "error: standard output: File too large"
    whole = shell(home, f"{PROGRAM} init --schema | (sleep 0.5; cat)", PYTHONUNBUFFERED="1")
    assert json.loads(whole.stdout)["title"]


def test_closed_standard_output_is_one_line_where_there_is_data(home: Path) -> None:
    """Nowhere to print to is an error of the commands that print, and of no other."""
    done = shell(home, f"{PROGRAM} probes list --json >&-")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: standard output: is closed"
    assert shell(home, f"{PROGRAM} run spec.yaml --out run >&-").returncode == 0


@pytest.mark.parametrize(
    ("where", "mode"),
    [("2>&-", "--json"), ("2>/dev/full", ""), (">&- 2>&- <&-", ""), ("2> >(true)", "--json")],
)
def test_an_audit_does_not_end_because_nobody_can_read_how_it_goes(home: Path, where: str, mode: str) -> None:
    """With standard error closed, full or left the run is complete; messages do not end up in its store."""
    done = shell(home, f"{PROGRAM} run spec.yaml --out run {mode} {where}")
    assert done.returncode == 0
    assert (home / "run" / "report.html").exists()
    assert shell(home, f"{PROGRAM} findings run --json").returncode == 0
    assert b"planned 24" not in b"".join(one.read_bytes() for one in (home / "run").glob("*.sqlite*"))
    if mode:
        assert json.loads(done.stdout)["counts"]["answered"] == 24


def test_what_is_wrong_keeps_its_exit_code_where_nobody_can_read_it(home: Path) -> None:
    """Errors that cannot be shown still end with 2."""
    assert shell(home, f"{PROGRAM} run nothing.yaml --out run 2>&-").returncode == 2
