"""The user's tables as files: CSV and parquet."""

import warnings
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

SUFFIXES = (".csv", ".parquet", ".pq")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
# Of cells of a CSV file, the usual one first.
_SEPARATORS = ",;\t|"
# All of a column: whole numbers among them are written without one.
_DECIMAL_COMMA = r" *[+-]?\d+(,\d+)? *"


def read_file(path):
    """Read a table from a CSV or parquet file.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` (also compressed, as in ``.csv.gz``), ``.parquet`` or
        ``.pq``. Cells of CSV are separated by commas, semicolons, tabs or bars, as
        the header shows; if not by commas, these may be those of decimals.

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
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise ValueError(
            f"{path.name} must have no more cells in a row than in its header, got: "
            f"{_first_line(error)}. Quote cells that hold the separator."
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
    separator = _find_separator(path)
    with warnings.catch_warnings():
        # Rows with more cells than the header would lose one without a word.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(path, sep=separator, index_col=False)
        if separator != "," and _has_decimal_commas(frame):
            frame = pd.read_csv(path, sep=separator, index_col=False, decimal=",")
    return frame


def _find_separator(path):
    """Return what separates the most cells of the header, a comma in case of doubt."""
    header = ",".join(pd.read_csv(path, nrows=0).columns)
    return max(_SEPARATORS, key=header.count)


def _has_decimal_commas(frame):
    texts = frame.select_dtypes(exclude="number")
    columns = [cells.dropna().astype(str) for _, cells in texts.items()]
    return any(
        len(cells) > 0 and cells.str.fullmatch(_DECIMAL_COMMA).all()
        for cells in columns
    )


@contextmanager
def _naming_pyarrow():
    try:
        yield
    except ImportError as error:
        raise ImportError(
            "Parquet files require pyarrow. "
            "Install it with: pip install skmeta[parquet]"
        ) from error
