"""Shipped data: found in the wheel or the checkout, and named when it is missing."""

import hashlib
from pathlib import Path

import pytest
import yaml

from probes.data import data_root, data_sets, file_sha256, find, read_yaml
from probes.errors import DataError


def test_every_data_set_has_its_three_files() -> None:
    """Each listed data set holds data, a datasheet and its facts, and the list is sorted."""
    sets = data_sets()
    assert sets == sorted(sets)
    for folder in sets:
        assert (folder / "meta.toml").is_file()
        assert (folder / "DATASHEET.md").is_file(), folder
        assert folder.parents[1] == data_root()


def test_file_is_found_or_named() -> None:
    """A file that is not shipped is an error that says which and where."""
    path = find("goals", "benign_en", "data.csv")
    assert path.is_file()
    with pytest.raises(DataError, match=r"no shipped data file goals/benign_xx/data\.csv under "):
        find("goals", "benign_xx", "data.csv")


def test_checksum_is_of_the_bytes(tmp_path: Path) -> None:
    """The checksum is SHA-256, hexadecimal."""
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert file_sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_yaml_is_read_as_plain_safe_yaml() -> None:
    """Whichever parser is at hand, a shipped file holds the same."""
    paths = sorted(data_root().glob("*/*/*.yaml"))
    assert paths
    for path in paths:
        assert read_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8")), path


def test_yaml_that_would_run_code_is_refused(tmp_path: Path) -> None:
    """A tag that stands for a call is an error and is not called."""
    (tmp_path / "x.yaml").write_text("a: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(yaml.YAMLError):
        read_yaml(tmp_path / "x.yaml")
