from dataclasses import dataclass

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
        The distinct values of each categorical column, in order of appearance.
    numeric_columns, categorical_columns : ndarray of int64
        Where the columns of `numeric` and `codes` stand in the user's table.
    """

    numeric: np.ndarray
    codes: np.ndarray
    levels: tuple
    numeric_columns: np.ndarray
    categorical_columns: np.ndarray

    @property
    def n_rows(self):
        """Number of rows."""
        return self.numeric.shape[0]

    @property
    def n_columns(self):
        """Number of columns of the user's table."""
        return len(self.numeric_columns) + len(self.categorical_columns)


def read_table(X, categorical_columns=None):
    """Split a table into numbers and coded categories, without learning from it.

    Parameters
    ----------
    X : DataFrame, ndarray, list of rows or sparse matrix of shape (n_rows, n_columns)
        Numeric dtypes, dates and durations are numbers; bool, string, object
        and category dtypes are categories. An object column that holds only
        numbers is numeric, and so is a column of an array of strings when
        every cell reads as a number.
    categorical_columns : array-like of int, default=None
        Positions of columns to treat as categories whatever their dtype; all
        others are then treated as numbers, and what cannot be read as a number
        is missing. None decides by dtype.

    Returns
    -------
    Table

    Raises
    ------
    TypeError
        If a cell holds something that is neither a number nor a category, such
        as a dict.
    """
    if sparse.issparse(X):
        return _read_sparse(X)
    if _is_plain_numeric_array(X) and categorical_columns is None:
        return _read_numeric_array(X)

    frame = _to_frame(X)
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    if categorical_columns is None:
        is_category = np.array([_is_category(column) for column in columns], dtype=bool)
    else:
        is_category = np.isin(np.arange(len(columns)), categorical_columns)
    numeric = np.empty((len(frame), int((~is_category).sum())), order="F")
    for target, j in enumerate(np.flatnonzero(~is_category)):
        numeric[:, target] = _to_numbers(columns[j])
    codes = np.empty((len(frame), int(is_category.sum())), dtype=np.int64, order="F")
    levels = []
    for target, j in enumerate(np.flatnonzero(is_category)):
        codes[:, target], column_levels = _to_codes(columns[j])
        levels.append(column_levels)
    return Table(
        numeric,
        codes,
        tuple(levels),
        np.flatnonzero(~is_category),
        np.flatnonzero(is_category),
    )


def _is_plain_numeric_array(X):
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "iuf"


def _read_numeric_array(X):
    numeric = X.astype(np.float64)  # always a copy: the user's array stays as it is
    numeric[np.isinf(numeric)] = np.nan
    return _only_numbers(numeric)


def _read_sparse(X):
    numeric = sparse.csc_array(X, dtype=np.float64, copy=True)
    numeric.data[np.isinf(numeric.data)] = np.nan
    return _only_numbers(numeric)


def _only_numbers(numeric):
    n_rows, n_columns = numeric.shape
    none = np.empty(0, dtype=np.int64)
    return Table(
        numeric,
        np.empty((n_rows, 0), dtype=np.int64),
        (),
        np.arange(n_columns),
        none,
    )


def _to_frame(X):
    if isinstance(X, pd.DataFrame):
        return X
    if isinstance(X, np.ndarray):
        frame = pd.DataFrame(X)
        if X.dtype.kind in "US":
            # One string dtype for all columns is how numpy holds a mixed table.
            frame = frame.apply(_numbers_if_all_are)
        return frame
    return pd.DataFrame(X)


def _numbers_if_all_are(column):
    numbers = pd.to_numeric(column, errors="coerce")
    return column if numbers.isna().any() else numbers


_NUMBER_KINDS = {"integer", "floating", "mixed-integer-float", "decimal"}
_CATEGORY_KINDS = {"string", "boolean", "categorical", "mixed", "mixed-integer", "bytes"}
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
    if dtype == object:
        return _kind(column) not in _NUMBER_KINDS | _DATE_KINDS | {"empty"}
    return not isinstance(dtype, pd.PeriodDtype)


def _is_date(dtype):
    return pd.api.types.is_datetime64_any_dtype(
        dtype
    ) or pd.api.types.is_timedelta64_dtype(dtype)


def _to_numbers(column):
    """Return a column as float64, with NaN for what is missing or infinite."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif column.dtype == object and _kind(column) in _DATE_KINDS:
        column = _parse_dates(column)
    if _is_date(column.dtype):
        numbers = _to_seconds(column)
    elif pd.api.types.is_complex_dtype(column.dtype):
        raise ValueError(f"Complex data not supported, got column {column.name!r}.")
    elif column.dtype == object or isinstance(column.dtype, pd.CategoricalDtype):
        numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
    else:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.array(numbers, dtype=np.float64)
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def _parse_dates(column):
    if _kind(column).startswith("timedelta"):
        return pd.to_timedelta(column)
    return pd.to_datetime(column, errors="coerce", utc=True)


def _to_seconds(column):
    """Return dates as seconds since 1970 and durations as seconds."""
    values = column.to_numpy()
    if values.dtype == object:  # dates with a time zone
        values = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    nanoseconds_wide = values.dtype.kind + "8[ns]"
    seconds = values.astype(nanoseconds_wide).astype(np.int64) / 1e9
    return np.where(np.isnat(values), np.nan, seconds)


def _to_codes(column):
    try:
        codes, levels = pd.factorize(column, use_na_sentinel=True)
    except TypeError as error:
        raise TypeError(
            f"Every cell must be a number or a category; argument must be a string "
            f"or a number, got column {column.name!r} with cells that are neither: "
            f"{error}. Convert or drop the column."
        ) from error
    # Plain objects compare alike whatever dtype the next table brings them in.
    return codes, pd.Index(np.asarray(levels, dtype=object), dtype=object)
