"""The user's tables as files: CSV, TSV and parquet."""

import warnings
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from skmeta._messages import first_line, warn
from skmeta._tables import is_missing_mark

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
# Of cells of a CSV file, the usual one first.
_SEPARATORS = ",;\t|"
# What spreadsheets write, that of which one can be sure first. UTF-16 begins with a
# mark; in Windows-1252 nearly all bytes are characters.
_ENCODINGS = ("utf-8", "utf-16", "cp1252")
_ROWS_LOOKED_AT = 20
_DECIMAL_COMMA = r" *[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d+)?([eE][+-]?\d+)? *"


def read_file(path):
    """Read a table from a CSV, TSV or parquet file.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` or ``.tsv`` (also compressed, as in ``.csv.gz``),
        ``.parquet`` or ``.pq``. Cells of CSV are separated by commas, semicolons, tabs
        or bars, whatever makes the most of the first rows, those of TSV by tabs. If
        not by commas, numbers may have these: a column in which one has is read so,
        points as those of thousands. Text is UTF-8, or UTF-16 with its mark, or else
        taken for Windows-1252.

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
    IsADirectoryError
        If it is a directory.
    ValueError
        If the file is of another kind, cannot be read or holds no rows.

    Warns
    -----
    SkmetaWarning
        If text is taken for Windows-1252.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(
            f"A table must be a file that ends in one of {list(SUFFIXES)}, got the "
            f"directory {str(path)!r}. Give a file in it."
        )
    if not path.is_file():
        raise FileNotFoundError(f"No file {str(path)!r}. Check the path.")
    frame = _read(path)
    if frame.empty:
        raise ValueError(
            f"{path.name} must hold at least one row and one column, "
            f"got: {frame.shape[0]} rows and {frame.shape[1]} columns."
        )
    return frame


def is_table_name(path):
    """Say whether a file is named as a table is, compressed or not.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    answer : bool
    """
    return _kind(Path(path)) in SUFFIXES


def _kind(path):
    """Return what a file ends in, besides how it is compressed."""
    suffixes = ["", *(suffix.lower() for suffix in path.suffixes)]
    return suffixes[-2] if suffixes[-1] in _COMPRESSED else suffixes[-1]


def _read(path):
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            with _naming_pyarrow():
                return pd.read_parquet(path)
        kind = _kind(path)
        if kind in (".csv", ".tsv"):
            return _read_text(path, "\t" if kind == ".tsv" else None)
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
            f"{path.name} cannot be read as a table: {first_line(error)}. "
            f"Check that it is the kind of file that its name says."
        ) from error
    raise ValueError(
        f"A table must be a file that ends in one of {list(SUFFIXES)}, "
        f"got: {path.name!r}."
    )


def check_output(path, suffixes=None, inputs=()):
    """Raise unless a file can be written there, before work is done for it.

    Parameters
    ----------
    path : str or Path
        File that will be written.
    suffixes : tuple of str, default=None
        What it may end in; None allows anything.
    inputs : sequence of (str, Path or None), default=()
        Files that it must not be, None for one that is not given.

    Raises
    ------
    FileNotFoundError
        If its directory is not there.
    IsADirectoryError
        If it is a directory.
    ValueError
        If it ends in something else, or is one of the inputs.
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
    for given in inputs:
        if given is not None and _is_same_file(path, Path(given)):
            raise ValueError(
                f"The output must be a file that is not an input, got: {str(path)!r}, "
                f"by which {str(given)!r} would be lost. Write to another file."
            )


def _is_same_file(path, other):
    if path.exists() and other.exists():
        return path.samefile(other)
    return path.resolve() == other.resolve()  # such as a journal that is to be made


def write_file(frame, path):
    """Write a table to a CSV, TSV or parquet file, without its index.

    Parameters
    ----------
    frame : DataFrame
        What to write.
    path : str or Path
        Ends in ``.csv``, ``.tsv``, ``.parquet`` or ``.pq``.

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
    separator = {".csv": ",", ".tsv": "\t"}.get(Path(path).suffix.lower())
    if separator is not None:
        frame.to_csv(path, index=False, sep=separator)
    else:
        with _naming_pyarrow():
            frame.to_parquet(path, index=False)


def _read_text(path, separator):
    """Read CSV, in whatever encoding; None finds the separator."""
    failed = None
    for encoding in _ENCODINGS:
        try:
            frame = _read_csv(path, separator, encoding)
        except UnicodeError as error:
            failed = failed or error
            continue
        if encoding == "cp1252":
            warn(
                f"{path.name} is not encoded as UTF-8 and was read as Windows-1252. If "
                f"letters with accents are others now, save it as UTF-8."
            )
        return frame
    raise failed


def _read_csv(path, separator, encoding):
    with warnings.catch_warnings():
        # Rows with more cells than the header would lose one without a word.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        if separator is None:
            separator = _find_separator(path, encoding)
        frame = pd.read_csv(path, sep=separator, index_col=False, encoding=encoding)
    return frame if separator == "," else frame.apply(_read_decimal_commas)


def _find_separator(path, encoding):
    """Return what separates the most cells of the first rows, in doubt a comma."""

    def count_cells(separator):
        try:
            rows = pd.read_csv(
                path,
                sep=separator,
                nrows=_ROWS_LOOKED_AT,
                index_col=False,
                encoding=encoding,
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
            "Parquet files require pyarrow. Install it with: pip install pyarrow"
        ) from error
