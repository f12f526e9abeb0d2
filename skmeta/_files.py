"""The user's tables as files: CSV and parquet."""

import warnings
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from skmeta._tables import is_missing_mark

SUFFIXES = (".csv", ".parquet", ".pq")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
# Of cells of a CSV file, the usual one first.
_SEPARATORS = ",;\t|"
_ROWS_LOOKED_AT = 20
_DECIMAL_COMMA = r" *[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d+)?([eE][+-]?\d+)? *"


def read_file(path):
    """Read a table from a CSV or parquet file.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` (also compressed, as in ``.csv.gz``), ``.parquet`` or
        ``.pq``. Cells of CSV are separated by commas, semicolons, tabs or bars,
        whatever makes the most of the first rows. If not by commas, numbers may have
        these: a column in which one has is read so, points as those of thousands.

    Returns
    -------
    frame : DataFrame of shape (n_rows, n_columns)
        With at least one row and one column.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If a parquet file is asked for without pyarrow.
    ValueError
        If the file is of another kind, cannot be read or holds no rows.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No file {str(path)!r}. Check the path.")
    frame = _read(path)
    if frame.empty:
        raise ValueError(
            f"{path.name} must hold at least one row and one column, "
            f"got: {frame.shape[0]} rows and {frame.shape[1]} columns."
        )
    return frame


def _read(path):
    suffixes = [suffix.lower() for suffix in path.suffixes]
    try:
        if suffixes and suffixes[-1] in (".parquet", ".pq"):
            with _naming_pyarrow():
                return pd.read_parquet(path)
        if suffixes[-1:] == [".csv"] or (
            suffixes[-2:-1] == [".csv"] and (suffixes[-1] in _COMPRESSED)
        ):
            return _read_csv(path)
    except ImportError:
        raise
    except pd.errors.EmptyDataError as error:
        raise ValueError(
            f"{path.name} must hold a header and at least one row, got: an empty file."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} must be encoded as UTF-8, got: {error}. Save it as UTF-8."
        ) from error
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"{path.name} must have no more cells in a row than in its header, got a "
            f"longer one. Quote cells that hold the separator."
        ) from error
    except Exception as error:
        raise ValueError(
            f"{path.name} cannot be read as a table: {_first_line(error)}. "
            f"Check that it is the kind of file that its name says."
        ) from error
    raise ValueError(
        f"A table must be a file that ends in one of {list(SUFFIXES)}, "
        f"got: {path.name!r}."
    )


def check_output(path, suffixes=None):
    """Raise unless a file can be written there, before work is done for it.

    Parameters
    ----------
    path : str or Path
        File that will be written.
    suffixes : tuple of str, default=None
        What it may end in; None allows anything.

    Raises
    ------
    FileNotFoundError
        If its directory is not there.
    IsADirectoryError
        If it is a directory.
    ValueError
        If it ends in something else.
    """
    path = Path(path)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"No directory {str(path.absolute().parent)!r} to write {path.name!r} to. "
            f"Create it first."
        )
    if path.is_dir():
        raise IsADirectoryError(
            f"The output must be a file, got the directory {str(path)!r}."
        )
    if suffixes is not None and path.suffix.lower() not in suffixes:
        raise ValueError(
            f"The output must be a file that ends in one of {list(suffixes)}, "
            f"got: {path.name!r}."
        )


def write_file(frame, path):
    """Write a table to a CSV or parquet file, without its index.

    Parameters
    ----------
    frame : DataFrame
        What to write.
    path : str or Path
        Ends in ``.csv``, ``.parquet`` or ``.pq``.

    Raises
    ------
    ImportError
        If a parquet file is asked for without pyarrow.
    OSError
        If the file cannot be written.
    ValueError
        If the path ends otherwise.
    """
    check_output(path, SUFFIXES)
    if Path(path).suffix.lower() == ".csv":
        frame.to_csv(path, index=False)
    else:
        with _naming_pyarrow():
            frame.to_parquet(path, index=False)


def _first_line(error):
    return str(error).partition("\n")[0].strip().rstrip(".")


def _read_csv(path):
    with warnings.catch_warnings():
        # Rows with more cells than the header would lose one without a word.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        separator = _find_separator(path)
        frame = pd.read_csv(path, sep=separator, index_col=False)
    return frame if separator == "," else frame.apply(_read_decimal_commas)


def _find_separator(path):
    """Return what separates the most cells of the first rows, in doubt a comma."""

    def count_cells(separator):
        try:
            rows = pd.read_csv(
                path, sep=separator, nrows=_ROWS_LOOKED_AT, index_col=False
            )
        except (pd.errors.ParserError, pd.errors.ParserWarning):
            return 0
        return rows.count().sum() if rows.shape[1] > 1 else 0

    return max(_SEPARATORS, key=count_cells)


def _read_decimal_commas(column):
    """Return a column of numbers with decimal commas as numbers, others as they are."""
    cells = column.dropna()
    if not pd.api.types.is_string_dtype(cells):
        return column
    cells = cells[[not is_missing_mark(cell) for cell in cells]]
    has_commas = cells.str.contains(",").any()
    if not has_commas or not cells.str.fullmatch(_DECIMAL_COMMA).all():
        return column
    points = column.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return pd.to_numeric(points, errors="coerce")


@contextmanager
def _naming_pyarrow():
    try:
        yield
    except ImportError as error:
        raise ImportError(
            "Parquet files require pyarrow. "
            "Install it with: pip install skmeta[parquet]"
        ) from error
