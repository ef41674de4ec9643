"""Reading a user's files: same rows from every format, and one clear line when something is wrong."""

import hashlib
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from probes.errors import DataError
from probes.public.files import Row, provenance, read_rows, text_of, validated

ROWS = [{"id": "a", "prompt": "Hello, there"}, {"id": "b", "prompt": "Zwei\nZeilen: ü"}]


def _csv(folder: Path) -> Path:
    path = folder / "rows.csv"
    path.write_text('id,prompt\na,"Hello, there"\nb,"Zwei\nZeilen: ü"\n', encoding="utf-8-sig", newline="")
    return path


def _jsonl(folder: Path) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n\n".join(json.dumps(row) for row in ROWS) + "\n", encoding="utf-8")
    return path


def _parquet(folder: Path) -> Path:
    pytest.importorskip("pyarrow")
    arrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    path = folder / "rows.parquet"
    parquet.write_table(arrow.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("write", [_csv, _jsonl, _parquet])
def test_every_format_gives_the_same_rows(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    """A table means the same whatever its format, line breaks and accents included."""
    rows = list(read_rows(write(tmp_path), columns=["prompt"]))
    assert [dict(row.cells) for row in rows] == ROWS


@pytest.mark.parametrize("write", [_csv, _jsonl, _parquet])
def test_a_missing_column_is_named_with_those_present(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    """The error says which file, which columns are missing and which are there."""
    path = write(tmp_path)
    with pytest.raises(DataError) as caught:
        list(read_rows(path, columns=["prompt", "group", "set"]))
    assert str(caught.value) == f"{path}: missing columns 'group', 'set'; columns present: 'id', 'prompt'"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "missing column 'p'; columns present: none"),
        ("a.csv", b"p,p\n1,2\n", "the header names a column twice"),
        ("a.csv", b"p,q\n1\n", "row 2: 1 cells; the header has 2"),
        ("a.csv", b'p\n"a"b\n', "row 2: "),
        ("a.csv", b"p\n\xff\n", "not UTF-8 text"),
        ("a.jsonl", b"{'p': 1}\n", "row 1: not JSON"),
        ("a.jsonl", b"[1]\n", "row 1: must be an object; got list"),
        ("a.parquet", b"nothing of the kind", "not a Parquet file"),
        ("a.txt", b"p\n", "format '.txt' is not accepted; accepted: .csv, .jsonl, .parquet"),
    ],
)
def test_malformed_files_are_named_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """A broken file gives one line with the file, the row and the cause."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_rows(path, columns=["p"]))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A wrong path fails before anything is asked, and again while reading."""
    path = tmp_path / "absent.csv"
    with pytest.raises(DataError, match=r"absent\.csv: no such file"):
        provenance(path, source="x", licence="y")
    with pytest.raises(DataError, match=r"absent\.csv: cannot be read: No such file"):
        list(read_rows(path, columns=[]))


def test_a_format_that_cannot_be_read_is_refused_early(tmp_path: Path) -> None:
    """A spec that names a spreadsheet fails before anything is asked."""
    path = tmp_path / "rows.xlsx"
    path.touch()
    with pytest.raises(
        DataError, match=r"format '\.xlsx' is not accepted; accepted: \.csv, \.jsonl, \.parquet"
    ):
        provenance(path, source="x", licence="y")


def test_blank_lines_of_a_csv_are_no_rows(tmp_path: Path) -> None:
    """A trailing blank line is not an empty prompt."""
    path = tmp_path / "a.csv"
    path.write_text("p\n\nx\n\n", encoding="utf-8")
    assert [row.cells for row in read_rows(path, columns=["p"])] == [{"p": "x"}]


def test_provenance_has_the_checksum_and_no_folder(tmp_path: Path) -> None:
    """The record identifies the file by content and tells nothing about the machine."""
    path = _csv(tmp_path)
    facts = provenance(path, source="user file", licence="CC0")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts == {"file": "rows.csv", "sha256": digest, "source": "user file", "licence": "CC0"}


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who lacks the optional library is told what to install."""
    path = tmp_path / "rows.parquet"
    path.touch()
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r'pip install "evenhand\[parquet\]"'):
        list(read_rows(path, columns=[]))


def test_reading_does_not_hold_the_file(tmp_path: Path) -> None:
    """The first row is there before a later, broken one is looked at."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"p": "x"}\nbroken\n', encoding="utf-8")
    rows = read_rows(path, columns=["p"])
    assert next(rows).cells == {"p": "x"}
    with pytest.raises(DataError, match="row 2"):
        next(rows)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"p": "  "}, "row 3: p is empty"),
        ({"p": None}, "row 3: p must be text or a number; got None"),
        ({"p": True}, "row 3: p must be text or a number; got True"),
        ({"q": "x"}, "missing column 'p'"),
    ],
)
def test_a_cell_without_text_is_an_error(cells: dict[str, object], message: str) -> None:
    """Missing is never an empty prompt."""
    with pytest.raises(DataError) as caught:
        text_of(Path("t.csv"), Row(3, cells), "p")
    assert str(caught.value).startswith(f"t.csv: {message}")


def test_cells_are_read_as_trimmed_text() -> None:
    """Numbers become text, and outer white space goes."""
    assert text_of(Path("t.csv"), Row(1, {"p": 7}), "p") == "7"
    assert text_of(Path("t.csv"), Row(1, {"p": " x "}), "p") == "x"


class _Shape(BaseModel):
    label: int


def test_a_wrong_value_is_named_with_row_and_key() -> None:
    """A malformed row says where it is, which key is wrong and what was there."""
    with pytest.raises(DataError, match=r"t\.csv: row 4: label: .*; got 'x'"):
        validated(Path("t.csv"), Row(4, {"label": "x"}), _Shape)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", "row 2: not JSON: nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "row 2: not JSON: a number has too many digits"),
    ],
)
def test_json_beyond_what_python_reads_is_named_in_one_line(tmp_path: Path, line: str, problem: str) -> None:
    """Neither depth nor a huge number ends in anything but the file, the row and the reason."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(DataError, match=problem) as raised:
        list(read_rows(path, columns=["a"]))
    assert str(path) in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
