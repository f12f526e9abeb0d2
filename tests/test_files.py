import os

import numpy as np
import pandas as pd
import pytest

from skmeta._files import read_file, write_file
from skmeta.exceptions import SkmetaWarning


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "number": [1.5, np.nan, -3.0],
            "count": [1, 2, 3],
            "text": ["a, b", 'say "yes"', "ü"],
        }
    )


def test_csv_round_trip(frame, tmp_path):
    """A table written as CSV is read back equal, and no index joins it."""
    path = tmp_path / "table.csv"
    write_file(frame, path)
    pd.testing.assert_frame_equal(read_file(path), frame)


def test_compressed_csv_is_read(frame, tmp_path):
    """A CSV file may be compressed."""
    path = tmp_path / "table.csv.gz"
    frame.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_file(path), frame)


def test_tsv(frame, tmp_path):
    """Cells are separated by tabs, however many commas are in them."""
    frame["text"] = ["a, b, c, d", "e, f, g, h", "ü, 1,5"]
    write_file(frame, tmp_path / "table.tsv")
    pd.testing.assert_frame_equal(read_file(tmp_path / "table.tsv"), frame)
    frame.to_csv(tmp_path / "table.tsv.gz", index=False, sep="\t")
    pd.testing.assert_frame_equal(read_file(tmp_path / "table.tsv.gz"), frame)


def test_other_encodings_than_utf_8(frame, tmp_path):
    """What older spreadsheets write is read, with a warning where that is a guess."""
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False, encoding="utf-16")
    pd.testing.assert_frame_equal(read_file(path), frame)
    frame.to_csv(path, index=False, encoding="cp1252")
    with pytest.warns(SkmetaWarning, match=r"table\.csv is not .* as Windows-1252"):
        pd.testing.assert_frame_equal(read_file(path), frame)
    path.write_bytes(b"a,b\n1,\xe9\x81\n")
    with pytest.raises(ValueError, match="must be encoded as UTF-8"):
        read_file(path)


@pytest.mark.parametrize("ending", [".parquet", ".pq"])
def test_parquet_round_trip(frame, tmp_path, ending):
    """Parquet keeps dtypes that CSV would lose."""
    pytest.importorskip("pyarrow")
    frame["kind"] = pd.Categorical(["x", "y", "x"], categories=["y", "x"])
    path = tmp_path / f"table{ending}"
    write_file(frame, path)
    pd.testing.assert_frame_equal(read_file(path), frame)


@pytest.mark.parametrize("as_path", [str, os.fspath, lambda path: path])
def test_path_may_be_a_string_and_in_capitals(frame, tmp_path, as_path):
    """Paths are strings or Path objects, and endings have no case."""
    path = tmp_path / "TABLE.CSV"
    write_file(frame, as_path(path))
    assert read_file(as_path(path)).shape == frame.shape


def test_columns_are_kept_in_order(tmp_path):
    """Names come back as written, also those that look like numbers."""
    path = tmp_path / "table.csv"
    write_file(pd.DataFrame([[1, 2, 3]], columns=["z", "7", "a b"]), path)
    assert read_file(path).columns.tolist() == ["z", "7", "a b"]


def test_missing_file(tmp_path):
    """A path without a file is named in the error."""
    with pytest.raises(FileNotFoundError, match=r"No file '.*absent\.csv'"):
        read_file(tmp_path / "absent.csv")


def test_directory_is_not_a_file(tmp_path):
    """A directory is no table, whatever its name."""
    directory = tmp_path / "table.csv"
    directory.mkdir()
    with pytest.raises(IsADirectoryError, match=r"directory '.*table\.csv'"):
        read_file(directory)


@pytest.mark.parametrize("content", [b"", b"\n\n\n"])
def test_empty_csv(tmp_path, content):
    """A file without a header says that it is empty."""
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"table\.csv must hold .* an empty file"):
        read_file(path)


def test_header_without_rows(tmp_path):
    """A header alone is no table: the error counts rows and columns."""
    path = tmp_path / "table.csv"
    path.write_text("a,b\n")
    with pytest.raises(ValueError, match=r"got: 0 rows and 2 columns"):
        read_file(path)


def test_parquet_without_rows(tmp_path):
    """A parquet file without rows is refused like a CSV file without rows."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "table.parquet"
    write_file(pd.DataFrame({"a": [], "b": []}), path)
    with pytest.raises(ValueError, match=r"got: 0 rows and 2 columns"):
        read_file(path)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".pq"])
@pytest.mark.parametrize(
    "garbage", [b"\x80\x81\xfe\xff\x00" * 40, b"\x00" * 200], ids=["binary", "zeros"]
)
def test_garbage_is_one_clear_error(tmp_path, ending, garbage):
    """Whatever the reader stumbles over, the error names the file."""
    if ending in (".parquet", ".pq"):
        pytest.importorskip("pyarrow")
    path = tmp_path / f"table{ending}"
    path.write_bytes(garbage)
    with pytest.raises(ValueError, match=r"table\..* (cannot be read|must)"):
        read_file(path)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize(
    ("separator", "decimal"), [(";", ","), (";", "."), ("\t", ","), ("|", ".")]
)
def test_separators_and_decimal_commas(tmp_path, separator, decimal, ending):
    """What a spreadsheet writes in other countries is the same table."""
    frame = pd.DataFrame(
        {"of m, n": [1.5, -2.0, None], "n": [1, 2, 3], "text": ["a,b", "1,5", "c"]}
    )
    path = tmp_path / f"table{ending}"
    frame.to_csv(path, index=False, sep=separator, decimal=decimal)
    pd.testing.assert_frame_equal(read_file(path), frame)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ('"a;b;c",y\n1,x\n2,z\n', {"a;b;c": [1, 2], "y": ["x", "z"]}),
        ("type|a|b,y\n3,x\n4,z\n", {"type|a|b": [3, 4], "y": ["x", "z"]}),
        ('"height, m";y\n1,5;x\n2;z\n', {"height, m": [1.5, 2.0], "y": ["x", "z"]}),
        ('"a, b, c"\ty\n1.5\tx\n2\tz\n', {"a, b, c": [1.5, 2.0], "y": ["x", "z"]}),
    ],
)  # fmt: skip
def test_marks_in_the_header(tmp_path, text, columns):
    """It is not the header alone that says what separates cells."""
    path = tmp_path / "table.csv"
    path.write_text(text)
    pd.testing.assert_frame_equal(read_file(path), pd.DataFrame(columns))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "?", "2,5", "-1"], [1.5, np.nan, 2.5, -1.0]),
        (["1,5E+03", ",5", "1.234,56", "-"], [1500.0, 0.5, 1234.56, np.nan]),
        (["1.5", "2.25", "3"], [1.5, 2.25, 3.0]),
        (["1,5", "1,5,2"], ["1,5", "1,5,2"]),
    ],
)
def test_columns_of_decimal_commas(tmp_path, cells, expected):
    """Each column is read for itself: with commas, points, or as words."""
    path = tmp_path / "table.csv"
    path.write_text("x;points\n" + "".join(f"{cell};0.5\n" for cell in cells))
    frame = pd.DataFrame({"x": expected, "points": 0.5})
    pd.testing.assert_frame_equal(read_file(path), frame)


def test_ragged_csv(tmp_path):
    """A row with too many cells is an error of one line."""
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(ValueError, match="Expected 2 fields in line 3") as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["table.xlsx", "table", "csv", "table.txt"])
def test_wrong_ending(frame, tmp_path, name):
    """Reading and writing refuse the same endings with the same words."""
    path = tmp_path / name
    path.write_text("a,b\n1,2\n")
    expected = r"ends in one of \['\.csv', '\.tsv', '\.parquet', '\.pq'\]"
    with pytest.raises(ValueError, match=expected):
        read_file(path)
    with pytest.raises(ValueError, match=expected):
        write_file(frame, path)
    assert path.read_text() == "a,b\n1,2\n"


def test_parquet_without_pyarrow(frame, tmp_path, monkeypatch):
    """Without pyarrow the error says how to install it."""

    def refuse(*args, **kwargs):
        raise ImportError("Unable to find a usable engine.")

    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setattr(pd, "read_parquet", refuse)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", refuse)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        read_file(path)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        write_file(frame, path)
