"""Where the project's own data lives: inside the wheel, or in the checkout of an editable install."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

from probes.errors import DataError

__all__ = ["absence", "data_root", "data_sets", "file_sha256", "find", "read_yaml"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Safe either way; the one in C reads our lists ten times as fast."""


def data_root() -> Path:
    """The folder that holds the shipped data sets.

    Returns:
        `probes/_data` in an installed wheel, else `datasets/` of the checkout.

    Raises:
        DataError: Neither exists, so the installation is broken.
    """
    here = Path(__file__).resolve().parent
    for candidate in (here / "_data", here.parent / "datasets"):
        if candidate.is_dir():
            return candidate
    raise DataError(f"shipped data is missing: no {here / '_data'} and no {here.parent / 'datasets'}")


def find(kind: str, name: str, file: str) -> Path:
    """Path of one shipped data file, `datasets/<kind>/<name>/<file>`.

    Raises:
        DataError: There is no such file.
    """
    path = data_root() / kind / name / file
    if not path.is_file():
        raise DataError(f"no shipped data file {kind}/{name}/{file} under {data_root()}")
    return path


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whoever reads a file knows its form
    """What a YAML file of a data set holds, made of plain values only.

    Raises:
        OSError: The file cannot be read.
        yaml.YAMLError: It is no YAML.
    """
    return yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - a safe loader


def data_sets() -> list[Path]:
    """Every shipped data set's folder, sorted; each holds data, DATASHEET.md and meta.toml."""
    return sorted(path.parent for path in data_root().glob("*/*/meta.toml"))


def absence(path: Path) -> str:
    """Why a path is no file that can be read, in words."""
    return "is a folder; a file is needed" if path.is_dir() else "no such file"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
