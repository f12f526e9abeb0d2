import datetime
import re
import reprlib
from dataclasses import dataclass
from operator import methodcaller

import numpy as np
import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class Table:
    """A user's table in the two forms that computation needs.

    Parameters
    ----------
    numeric : ndarray or CSC array of shape (n_rows, n_numeric)
        Numbers, dates and durations as float64. NaN is missing; infinities
        have become NaN. Sparse when the table came as a sparse matrix.
    codes : ndarray of int64 of shape (n_rows, n_categorical)
        Categorical, string and boolean columns: position of each cell's value
        in `levels`, -1 where it is missing.
    levels : tuple of pandas.Index
        The distinct values of each categorical column: in the order of the
        categories for a category dtype, otherwise sorted.
    numeric_columns, categorical_columns : ndarray of int64
        Where the columns of `numeric` and `codes` stand in the user's table.
    date_columns : ndarray of int64
        Where those of `numeric` that are dates, and not durations, stand in the
        user's table.
    dtypes : tuple
        Of each column of the user's table. Empty for an array or a sparse
        matrix of numbers, whose dtype says nothing of a column.
    """

    numeric: np.ndarray
    codes: np.ndarray
    levels: tuple
    numeric_columns: np.ndarray
    categorical_columns: np.ndarray
    date_columns: np.ndarray
    dtypes: tuple = ()

    @property
    def n_rows(self):
        """Number of rows."""
        return self.numeric.shape[0]

    @property
    def n_columns(self):
        """Number of columns of the user's table."""
        return len(self.numeric_columns) + len(self.categorical_columns)


def read_table(X, categorical_columns=None, date_columns=()):
    """Split a table into numbers and coded categories, without learning from it.

    Parameters
    ----------
    X : DataFrame, ndarray, list of rows or sparse matrix of shape (n_rows, n_columns)
        Of pandas or polars. Numeric dtypes, dates and durations are numbers;
        bool, string, object and category dtypes are categories. An object column
        that holds only numbers is numeric. So is a column of strings, in a frame
        or an array, when every cell reads as a number or as a date from the year
        to the day or further (``2024-01-31 18:30``), apart from marks for a
        missing value such as ``"?"``; numbers with a leading zero stay codes.
    categorical_columns : array-like of int, default=None
        Positions of columns to treat as categories whatever their dtype; all
        others are then treated as numbers, and what cannot be read as a number
        is missing. None decides by dtype and cells.
    date_columns : array-like of int, default=()
        Positions of columns whose strings are read as dates, which is how a file
        may hold them.

    Returns
    -------
    Table

    Raises
    ------
    TypeError
        If a cell holds something that is neither a number nor a category, such
        as a dict.
    """
    only_numbers = categorical_columns is None or len(categorical_columns) == 0
    X = as_table(X)
    if is_plain(X) and only_numbers:
        numeric = read_numbers(X, np.arange(X.shape[1]))
        return _only_numbers(numeric)

    frame = as_frame(X)
    columns = [_without_arrow(column) for _, column in frame.items()]
    if categorical_columns is None:
        columns = [_as_read(column) for column in columns]
        is_category = np.array([_is_category(column) for column in columns], dtype=bool)
    else:
        is_category = np.isin(np.arange(len(columns)), categorical_columns)
    numeric_columns = np.flatnonzero(~is_category)
    categorical_columns = np.flatnonzero(is_category)

    numeric = np.empty((len(frame), len(numeric_columns)), order="F")
    is_date = np.zeros(len(numeric_columns), dtype=bool)
    for target, j in enumerate(numeric_columns):
        column = _with_plain_dates(columns[j], parse_text=j in date_columns)
        is_date[target] = pd.api.types.is_datetime64_any_dtype(column.dtype)
        numeric[:, target] = _to_numbers(column)
    codes = np.empty((len(frame), len(categorical_columns)), dtype=np.int64, order="F")
    levels = []
    for target, j in enumerate(categorical_columns):
        codes[:, target], column_levels = _to_codes(columns[j])
        levels.append(column_levels)
    return Table(
        numeric,
        codes,
        tuple(levels),
        numeric_columns,
        categorical_columns,
        numeric_columns[is_date],
        tuple(frame.dtypes),
    )


def as_table(X):
    """Return a table as a DataFrame of pandas, an array or a sparse matrix.

    Parameters
    ----------
    X : table
        Anything that `read_table` reads.

    Returns
    -------
    table : DataFrame, ndarray or sparse matrix
        An array only if it is one of real numbers.
    """
    X = without_polars(X)
    return X if isinstance(X, pd.DataFrame) or is_plain(X) else pd.DataFrame(X)


def is_plain(X):
    """Say whether a table is an array of real numbers or a sparse matrix."""
    is_array = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "iuf"
    return is_array or sparse.issparse(X)


def as_frame(X):
    """Return what `as_table` gives as a DataFrame."""
    if sparse.issparse(X):
        X = X.toarray()
    return X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)


def read_numbers(X, positions, date_columns=(), duration_columns=()):
    """Return columns of a table as float64, with NaN for what is no finite number.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix
        As `as_table` gives it.
    positions : ndarray of int64 of shape (n_numeric,)
        The columns to read.
    date_columns, duration_columns : array-like of int, default=()
        Those whose strings are dates or durations.

    Returns
    -------
    numeric : ndarray or CSC array of shape (n_rows, n_numeric)
        Never shares memory with the table.
    """
    if sparse.issparse(X):
        numeric = sparse.csc_array(X, dtype=np.float64, copy=True)
        if len(positions) < X.shape[1]:
            numeric = numeric[:, positions]
        numeric.data[np.isinf(numeric.data)] = np.nan
        return numeric
    if is_plain(X):
        selected = X if len(positions) == X.shape[1] else X[:, positions]
        # Always a copy: the user's array stays as it is.
        numeric = selected.astype(np.float64, copy=selected is X)
        numeric[np.isinf(numeric)] = np.nan
        return numeric

    numeric = np.empty((len(X), len(positions)), order="F")
    dtypes = list(X.dtypes)
    is_simple = np.array([_is_simple(dtypes[j]) for j in positions], dtype=bool)
    simple = np.flatnonzero(is_simple)
    if len(simple):
        # All at once: taking a column out of a frame costs as much as a thousand
        # of its cells.
        all_simple = len(simple) == X.shape[1]
        selected = X if all_simple else X.iloc[:, positions[simple]]
        numeric[:, simple] = selected.to_numpy(dtype=np.float64)
        numeric[np.isinf(numeric)] = np.nan
    for target in np.flatnonzero(~is_simple):
        j = positions[target]
        column = _without_arrow(X.iloc[:, j])
        dates = _with_plain_dates(column, parse_text=j in date_columns)
        numeric[:, target] = _to_numbers(dates)
        if j in duration_columns:
            durations = _to_seconds(_parse_durations(column))
            is_text = np.isnan(numeric[:, target])  # what is a number is seconds
            numeric[is_text, target] = durations[is_text]
    return numeric


def has_infinite_numbers(X, positions):
    """Say whether any cell is infinite that `read_numbers` would give as missing.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix
        As `as_table` gives it.
    positions : ndarray of int64 of shape (n_numeric,)
        The columns looked at: of a frame only those with a dtype of numbers.

    Returns
    -------
    has_infinite : bool
    """
    if sparse.issparse(X):
        return bool(np.isinf(X.data).any())
    if is_plain(X):
        return X.dtype.kind == "f" and bool(np.isinf(X[:, positions]).any())
    return any(
        bool(np.isinf(_to_floats(X.iloc[:, j])).any())
        for j in positions
        if pd.api.types.is_float_dtype(X.dtypes.iloc[j])
    )


def find_durations(X, positions):
    """Return which columns hold durations.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix
        As `as_table` gives it.
    positions : ndarray of int64 of shape (n_numeric,)
        The columns looked at.

    Returns
    -------
    durations : list of int
    """
    if is_plain(X):
        return []
    return [j for j in positions if _holds_durations(X.iloc[:, j])]


def _holds_durations(column):
    if pd.api.types.is_object_dtype(column.dtype):
        return _kind(column).startswith("timedelta")
    return pd.api.types.is_timedelta64_dtype(column.dtype)


def _to_floats(column):
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _is_simple(dtype):
    return isinstance(dtype, np.dtype) and dtype.kind in "iuf"


def _only_numbers(numeric):
    n_rows, n_columns = numeric.shape
    none = np.empty(0, dtype=np.int64)
    return Table(
        numeric,
        np.empty((n_rows, 0), dtype=np.int64),
        (),
        np.arange(n_columns),
        none,
        none,
    )


def without_polars(X):
    """Return a frame of polars as one of pandas, all else as it is.

    Column by column, which needs no pyarrow.
    """
    # Asked by name, so that polars need not be there.
    is_polars = type(X).__module__.partition(".")[0] == "polars"
    if is_polars and hasattr(X, "collect"):  # a LazyFrame
        X = X.collect()
    if not is_polars or not hasattr(X, "columns"):
        return X
    columns = [_column_from_polars(X[name]) for name in X.columns]
    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(X.height))
    return frame.set_axis(list(X.columns), axis=1)


def _column_from_polars(column):
    dtype = column.dtype
    if dtype.is_numeric() and not dtype.is_decimal():
        return pd.Series(column.to_numpy())
    if str(dtype).startswith(("Date", "Duration")):
        return pd.Series(column.to_numpy())  # in UTC where there is a time zone
    cells = pd.Series(column.to_list(), dtype=object)
    if str(dtype).startswith("Enum"):
        return cells.astype(pd.CategoricalDtype(dtype.categories.to_list()))
    return cells.astype("category") if str(dtype).startswith("Categorical") else cells


def _without_arrow(column):
    """Return dates and durations of Arrow as those of NumPy, all else as it is."""
    if isinstance(column.dtype, pd.ArrowDtype):
        if issubclass(column.dtype.type, (datetime.date, pd.Timestamp)):
            return pd.to_datetime(column.astype(object), errors="coerce", utc=True)
        if issubclass(column.dtype.type, datetime.timedelta):
            return column.astype("timedelta64[us]")
    return column


# How files say that there is no value.
_MISSING_MARK = re.compile(r"(|[?.]|--?|#?n/a|na|nan|null|none|\\n)", re.IGNORECASE)
_LEADING_ZERO = re.compile(r"[+-]?0\d")
# Largest integer up to which float64 tells all apart: longer ones are codes.
_LARGEST_NUMBER = 2.0**53
# Year first: other orders of day and month cannot be told from each other.
_ISO_DATE = re.compile(
    r"\d{4}([-/])\d{2}\1\d{2}"
    r"([T ]\d{2}:\d{2}(:\d{2}([.]\d{1,9})?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?)?"
)


def _as_read(column):
    """Return strings that are numbers or dates as such, all else as it is."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or not may_hold_strings(dtype):
        return column
    try:
        distinct = column.dropna().unique().tolist()
    except TypeError:  # cells that cannot be hashed, about which `_to_codes` complains
        return column
    said = [cell for cell in distinct if not is_missing_mark(cell)]
    if not any(isinstance(cell, str) for cell in distinct) or not said:
        return column
    if all(looks_like_date(cell) for cell in said):
        dates = _parse_dates(pd.Series(said, dtype=object))
        return column if dates.isna().any() else _parse_dates(column)
    if _read_as_numbers(said):
        return pd.to_numeric(column.astype(object), errors="coerce")
    return column


def may_hold_strings(dtype):
    """Say whether cells of a column with this dtype may be strings."""
    return pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)


def is_missing_mark(cell):
    """Say whether a cell is how files say that there is no value."""
    return isinstance(cell, str) and bool(_MISSING_MARK.fullmatch(cell.strip()))


def looks_like_date(cell):
    """Say whether a cell is written as a date is, from the year on."""
    return isinstance(cell, str) and _ISO_DATE.fullmatch(cell.strip()) is not None


def _read_as_numbers(cells):
    for cell in cells[:1]:  # spares most columns of words the reading of all cells
        if isinstance(cell, str) and not any(map(str.isdigit, cell)):
            return False
    if not all(
        isinstance(cell, (str, int, float)) and not isinstance(cell, bool)
        for cell in cells
    ):
        return False
    if any(isinstance(cell, str) and _LEADING_ZERO.match(cell) for cell in cells):
        return False
    numbers = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce")
    return bool((numbers.abs() < _LARGEST_NUMBER).all())


_NUMBER_KINDS = {"integer", "floating", "mixed-integer-float", "decimal"}
_DATE_KINDS = {"datetime64", "datetime", "date", "timedelta64", "timedelta"}


def _kind(column):
    """Return what an object column holds, as pandas infers it from the cells."""
    return pd.api.types.infer_dtype(column, skipna=True)


def _is_category(column):
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return True
    if pd.api.types.is_numeric_dtype(dtype) or _is_date(dtype):
        return False
    if pd.api.types.is_object_dtype(dtype):
        return _kind(column) not in _NUMBER_KINDS | _DATE_KINDS | {"empty"}
    return not isinstance(dtype, pd.PeriodDtype)


def _is_date(dtype):
    return pd.api.types.is_datetime64_any_dtype(
        dtype
    ) or pd.api.types.is_timedelta64_dtype(dtype)


def _with_plain_dates(column, parse_text):
    """Return dates in whatever form as those of NumPy, all else as it is."""
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.dt.to_timestamp()
    if _is_date(column.dtype):
        return column
    is_object = pd.api.types.is_object_dtype(column.dtype)
    if parse_text or (is_object and _kind(column) in _DATE_KINDS):
        return _parse_dates(column)
    return column


def _to_numbers(column):
    """Return a column as float64, with NaN for what is missing or infinite."""
    if _is_date(column.dtype):
        numbers = _to_seconds(column)
    elif pd.api.types.is_complex_dtype(column.dtype):
        raise ValueError(f"Complex data not supported, got column {column.name!r}.")
    elif pd.api.types.is_numeric_dtype(column.dtype):
        numbers = _to_floats(column)
    else:
        numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
    numbers = np.array(numbers, dtype=np.float64)
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def _parse_dates(column):
    if _kind(column).startswith("timedelta"):
        return _parse_durations(column)
    if _kind(column) == "period":  # which lose their dtype in a row that is a Series
        column = column.map(methodcaller("to_timestamp"), na_action="ignore")
    # Each cell by itself, so that a row means the same alone as among others.
    return pd.to_datetime(column, errors="coerce", utc=True, format="mixed")


def _parse_durations(column):
    return pd.to_timedelta(column.astype(object), errors="coerce")


def _to_seconds(column):
    """Return dates as seconds since 1970 and durations as seconds."""
    values = column.to_numpy()
    if values.dtype == object:  # dates with a time zone
        values = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    # Microseconds reach to the year 290,000, nanoseconds only to 2262.
    seconds = values.astype(values.dtype.kind + "8[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(values), np.nan, seconds)


def _to_codes(column):
    codes, levels = positions_of_levels(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return codes.astype(np.int64), _plain(levels)
    # Sorted by type first, since 1 < "a" has no answer.
    order = sorted(range(len(levels)), key=lambda i: _sorting_key(levels[i]))
    rank = np.empty(len(levels) + 1, dtype=np.int64)
    rank[order] = np.arange(len(levels))
    rank[-1] = -1  # what codes of -1, missing, point at
    return rank[codes], _plain(levels)[order]


def positions_of_levels(column):
    """Return codes of a column's cells, -1 where missing, and the levels they count.

    Parameters
    ----------
    column : Series
        Of any dtype.

    Returns
    -------
    codes : ndarray of int of shape (n_rows,)
    levels : Index or array
        Those of a category dtype, otherwise as they appear.

    Raises
    ------
    TypeError
        If a cell holds something that is neither a number nor a category.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.array.codes, column.array.categories
    try:
        return pd.factorize(column, use_na_sentinel=True)
    except TypeError as error:
        cell = next((c for c in column if not pd.api.types.is_hashable(c)), None)
        # scikit-learn's checks look for "argument must be ... string ... number".
        raise TypeError(
            f"Every cell of the table given as argument must be a string, a number, a "
            f"date or missing, got: {type(cell).__name__} in column "
            f"{column.name!r}, {reprlib.repr(cell)}. Make columns of what it holds, "
            f"make it text by astype(str), or drop the column."
        ) from error


def _sorting_key(level):
    if isinstance(level, (bool, np.bool_, int, float, np.number)):
        return 0, level, ""
    return 1, 0, str(level)


def _plain(levels):
    """Return levels as objects, which compare alike whatever dtype they had."""
    return pd.Index(np.asarray(levels, dtype=object), dtype=object)
