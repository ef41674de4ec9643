"""Reading columns of CSV and Parquet files in chunks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.errors import InputError
from audit.tables import chunks
from audit.tables.chunks import read_chunks


def column(path: Path, name: str) -> list[str]:
    """All cells of a column."""
    found: list[str] = []
    for chunk in read_chunks(path, texts=[name]):
        texts = chunk.texts[name]
        found += [texts.texts[code] for code in texts.codes]
    return found


def numbers(path: Path, name: str) -> list[float]:
    """All cells of a column of numbers."""
    return [cell for chunk in read_chunks(path, texts=(), numbers=[name]) for cell in chunk.numbers[name]]


def test_csv_cells_are_texts_without_spaces(tmp_path: Path) -> None:
    """Leading zeros, NA and None stay what the file says; spaces around a value do not make a group."""
    path = tmp_path / "a.csv"
    path.write_text('\ufeffg,y\n 01,1\nNA,0\nNone,1\n"a, b" ,0\n,1\n', encoding="utf-8")
    assert column(path, "g") == ["01", "NA", "None", "a, b", ""]


def test_codes_keep_their_zeros(tmp_path: Path) -> None:
    """A column that looks like numbers is still read to the letter."""
    path = tmp_path / "a.csv"
    path.write_text("g,y\n01,1\n1,0\n1.0,0\n")
    assert column(path, "g") == ["01", "1", "1.0"]


def test_parquet_cells_are_the_texts_a_csv_file_would_have(tmp_path: Path) -> None:
    """Whole floats have no decimal point, truth values are small, null and nan are missing."""
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame(
        {
            "number": [1.0, 2.5, float("nan")],
            "truth": [True, False, None],
            "text": pd.Categorical([" a", None, "b"]),
        }
    )
    frame.to_parquet(path)
    assert column(path, "number") == ["1", "2.5", ""]
    assert column(path, "truth") == ["true", "false", ""]
    assert column(path, "text") == ["a", "", "b"]


def test_numbers_are_read_alike_from_both_kinds(tmp_path: Path) -> None:
    """A score is the same number wherever it stands, and a missing one is nan."""
    frame = pd.DataFrame({"s": [0.1, 1e-300, None, -3.0]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"s": ["0.1", "1e-300", "", "-3"]}).to_parquet(tmp_path / "text.parquet")
    wanted = [0.1, 1e-300, np.nan, -3.0]
    for name in ("a.csv", "a.parquet", "text.parquet"):
        np.testing.assert_array_equal(numbers(tmp_path / name, "s"), wanted)


def test_chunks_cover_the_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file longer than a chunk is read whole, in order."""
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    frame = pd.DataFrame({"g": list("abcabcab")})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        found = list(read_chunks(tmp_path / name, texts=["g"]))
        assert [(chunk.first_row, chunk.rows) for chunk in found] == [(1, 3), (4, 3), (7, 2)]
        assert column(tmp_path / name, "g") == list("abcabcab")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"g\n1\n", "accepted: .csv, .parquet"),
        ("a.csv", b"", "missing column 'g', 's'; columns present: none"),
        ("a.csv", b"h;i\n1;2\n", "present: 'h;i'; cells seem to be separated by ';', and a comma is needed"),
        ("a.csv", b"g,g,s\n1,2,3\n", "more than once"),
        ("a.csv", b"g,s\n1,2\n1,2,3\n", "line 3: has 3 cells, and the header has 2"),
        ("a.csv", b"g,s\n1,2,3\n", "line 2: has 3 cells, and the header has 2"),
        ("a.csv", b'g,s\n1,2\n"1,2\n3,4\n', "line 3: a quotation mark is opened and never closed"),
        ("a.csv", b"g,s\n\xff\xfe,2\n", "not UTF-8"),
        ("a.csv", b"g,s\na,1\nb,high\n", "row 2: column 's' must be a finite number or empty; got 'high'"),
        ("a.csv", b"g,s\na,inf\n", "got 'inf'"),
        ("a.parquet", b"g,s\n", "cannot be read as Parquet"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """What is wrong with a file is said in one line that names it."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_chunks(path, texts=["g"], numbers=["s"]))
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A path without a file is not an empty table."""
    with pytest.raises(InputError, match="no such file"):
        list(read_chunks(tmp_path / "none.csv", texts=["g"]))


def test_an_infinite_score_in_parquet_is_refused(tmp_path: Path) -> None:
    """Infinity has no place in a ranking, and the row is named."""
    pd.DataFrame({"s": [1.0, float("inf")]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="row 2: column 's'"):
        numbers(tmp_path / "a.parquet", "s")


def test_parquet_columns_that_hold_no_cells_are_named(tmp_path: Path) -> None:
    """A list or a record in a cell is refused in one line with the column."""
    path = tmp_path / "a.parquet"
    for cells in ([[1], [2]], [{"a": 1}, {"a": 2}]):
        pd.DataFrame({"s": cells}).to_parquet(path)
        for texts, numbers_of in (("s",), ()), ((), ("s",)):
            with pytest.raises(InputError, match=r"a\.parquet: column 's' must hold texts, numbers or truth"):
                list(read_chunks(path, texts=texts, numbers=numbers_of))


def test_bytes_are_texts_and_long_whole_numbers_are_rounded(tmp_path: Path) -> None:
    """Some programs write texts as bytes; whole numbers of 60 bits rank people as those of a CSV file do."""
    path = tmp_path / "a.parquet"
    pd.DataFrame({"g": [b"\xc3\xa4", b"b"], "s": [2**60 + 1, 3]}).to_parquet(path)
    (chunk,) = read_chunks(path, texts=("g",), numbers=("s",))
    assert chunk.texts["g"].texts == ("ä", "b")
    assert chunk.numbers["s"].tolist() == [2.0**60, 3.0]
