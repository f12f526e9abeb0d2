import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted


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
        Where those of `numeric` that are dates stand in the user's table.
    """

    numeric: np.ndarray
    codes: np.ndarray
    levels: tuple
    numeric_columns: np.ndarray
    categorical_columns: np.ndarray
    date_columns: np.ndarray

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
        Numeric dtypes, dates and durations are numbers; bool, string, object
        and category dtypes are categories. An object column that holds only
        numbers is numeric, and so is a column of an array of strings when
        every cell reads as a number.
    categorical_columns : array-like of int, default=None
        Positions of columns to treat as categories whatever their dtype; all
        others are then treated as numbers, and what cannot be read as a number
        is missing. None decides by dtype.
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
    if sparse.issparse(X):
        if only_numbers:
            return _read_sparse(X)
        X = X.toarray()
    if _is_plain_numeric_array(X) and only_numbers:
        return _read_numeric_array(X)

    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
    columns = [_without_arrow(frame.iloc[:, j]) for j in range(frame.shape[1])]
    if categorical_columns is None and _is_text_array(X):
        # One string dtype for all columns is how numpy holds a mixed table.
        columns = [_numbers_if_all_are(column) for column in columns]
    if categorical_columns is None:
        is_category = np.array([_is_category(column) for column in columns], dtype=bool)
    else:
        is_category = np.isin(np.arange(len(columns)), categorical_columns)
    numeric_columns = np.flatnonzero(~is_category)
    categorical_columns = np.flatnonzero(is_category)

    numeric = np.empty((len(frame), len(numeric_columns)), order="F")
    is_date = np.zeros(len(numeric_columns), dtype=bool)
    for target, j in enumerate(numeric_columns):
        column = _with_plain_dates(columns[j], parse_text=j in date_columns)
        is_date[target] = _is_date(column.dtype)
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
        none,
    )


def _is_text_array(X):
    return isinstance(X, np.ndarray) and X.dtype.kind in "US"


def _numbers_if_all_are(column):
    numbers = pd.to_numeric(column, errors="coerce")
    return column if numbers.isna().any() else numbers


def _without_arrow(column):
    """Return dates and durations of Arrow as those of NumPy, all else as it is."""
    if isinstance(column.dtype, pd.ArrowDtype):
        if issubclass(column.dtype.type, (datetime.date, pd.Timestamp)):
            return pd.to_datetime(column.astype(object), errors="coerce", utc=True)
        if issubclass(column.dtype.type, datetime.timedelta):
            return column.astype("timedelta64[us]")
    return column


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
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
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
    # Microseconds reach to the year 290,000, nanoseconds only to 2262.
    seconds = values.astype(values.dtype.kind + "8[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(values), np.nan, seconds)


def _to_codes(column):
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy(dtype=np.int64)
        return codes, _plain(column.cat.categories)
    try:
        codes, levels = pd.factorize(column, use_na_sentinel=True)
    except TypeError as error:
        raise TypeError(
            f"Every cell must be a number or a category; argument must be a string "
            f"or a number, got column {column.name!r} with cells that are neither: "
            f"{error}. Convert or drop the column."
        ) from error
    # Sorted by type first, since 1 < "a" has no answer.
    order = sorted(range(len(levels)), key=lambda i: _sorting_key(levels[i]))
    rank = np.empty(len(levels) + 1, dtype=np.int64)
    rank[order] = np.arange(len(levels))
    rank[-1] = -1  # what codes of -1, missing, point at
    return rank[codes], _plain(levels)[order]


def _sorting_key(level):
    if isinstance(level, (bool, np.bool_, int, float, np.number)):
        return 0, level, ""
    return 1, 0, str(level)


def _plain(levels):
    """Return levels as objects, which compare alike whatever dtype they had."""
    return pd.Index(np.asarray(levels, dtype=object), dtype=object)


class TableEncoder(TransformerMixin, BaseEstimator):
    """Turn any table into what a base learner takes.

    Columns are numbers or categories as `read_table` finds them in the rows
    given to `fit`. Constant and all-missing columns are dropped.

    Parameters
    ----------
    categories : {"native", "ordinal", "one_hot"}, default="ordinal"
        ``"native"`` gives a DataFrame with category dtypes when there are
        categories (an array when there are none), for learners that split on
        categories themselves. ``"ordinal"`` gives the position of the level.
        ``"one_hot"`` gives an indicator for each level.
    impute : bool, default=False
        Fill missing numbers with the median and add an indicator for each
        column where some were missing in `fit`. Otherwise they stay NaN.
    scale : {None, "standard", "robust", "quantile"}, default=None
        What is done to numbers: zero mean and unit variance; median and
        interquartile range followed by a smooth clipping to (-3, 3) [1]_; or
        quantiles mapped to a normal distribution. Numbers of a sparse matrix
        are in each case divided by their deviation only, so that zeros stay.
    max_levels : int, default=254
        The most frequent levels of a column that are told apart; the others
        share one.
    dense : bool, default=True
        Give a dense array even for sparse input or many indicators.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.
    numeric_columns_, categorical_columns_ : ndarray of int64
        Positions of the columns in use.

    References
    ----------
    .. [1] D. Holzmueller, L. Grinsztajn, I. Steinwart, "Better by Default:
       Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data", NeurIPS 2024.
    """

    def __init__(
        self,
        categories="ordinal",
        impute=False,
        scale=None,
        max_levels=254,
        dense=True,
    ):
        self.categories = categories
        self.impute = impute
        self.scale = scale
        self.max_levels = max_levels
        self.dense = dense

    def fit(self, X, y=None):
        """Learn the kinds, levels and scales of the columns.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Anything that `read_table` reads.
        y : ignored
            Present for scikit-learn's sake.

        Returns
        -------
        self
        """
        self._learn(X)
        return self

    def fit_transform(self, X, y=None):
        """Learn from a table and return it encoded.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Anything that `read_table` reads.
        y : ignored
            Present for scikit-learn's sake.

        Returns
        -------
        encoded : ndarray, sparse array or DataFrame of shape (n_rows, n_encoded)
        """
        return self._encode(*self._learn(X))

    def transform(self, X):
        """Return a table encoded as the one given to `fit` was.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns of `fit`. Levels that `fit` has not seen count as
            missing.

        Returns
        -------
        encoded : ndarray, sparse array or DataFrame of shape (n_rows, n_encoded)
        """
        check_is_fitted(self)
        table = read_table(X, self._all_categorical_, self._dates_)
        if table.n_columns != self.n_features_in_:
            raise ValueError(
                f"X has {table.n_columns} features, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input."
            )
        return self._encode(self._numbers_in_use(table), self._known_codes(table))

    def _learn(self, X):
        if self.categories not in ("native", "ordinal", "one_hot"):
            raise ValueError(
                f"categories must be one of ['native', 'ordinal', 'one_hot'], "
                f"got: {self.categories!r}."
            )
        table = read_table(X)
        self._is_sparse_ = sparse.issparse(table.numeric)
        self.n_features_in_ = table.n_columns
        self._all_categorical_ = table.categorical_columns
        self._dates_ = table.date_columns
        self._numeric_in_use_ = _informative_numbers(table.numeric)
        self.numeric_columns_ = table.numeric_columns[self._numeric_in_use_]
        self._learn_levels(table)
        numeric, codes = self._numbers_in_use(table), self._known_codes(table)
        self._numeric_steps_ = self._make_numeric_steps(numeric)
        self._indicators_ = self._make_indicators(codes)
        return numeric, codes

    def _learn_levels(self, table):
        self._categorical_in_use_, self._code_of_level_ = [], []
        self._n_codes_ = []
        for j, levels in enumerate(table.levels):
            counts = np.bincount(table.codes[:, j] + 1, minlength=len(levels) + 1)
            if (counts > 0).sum() < 2:  # constant, counting missing as a value
                continue
            code_of_level, n_codes = _number_levels(levels, counts[1:], self.max_levels)
            self._categorical_in_use_.append(j)
            self._code_of_level_.append(code_of_level)
            self._n_codes_.append(n_codes)
        self.categorical_columns_ = table.categorical_columns[self._categorical_in_use_]

    def _numbers_in_use(self, table):
        """Return the numbers, sparse if and only if they were so in `fit`."""
        numeric = table.numeric
        if len(self._numeric_in_use_) < numeric.shape[1]:
            numeric = numeric[:, self._numeric_in_use_]
        if self._is_sparse_:
            return sparse.csc_array(numeric)
        return numeric.toarray() if sparse.issparse(numeric) else numeric

    def _known_codes(self, table):
        """Return codes as numbered in `fit`: -1 missing, -2 never seen."""
        known = np.empty((table.n_rows, len(self._categorical_in_use_)), dtype=np.int64)
        for target, j in enumerate(self._categorical_in_use_):
            code_of_level = self._code_of_level_[target]
            translation = np.array(
                [code_of_level.get(_label(level), -2) for level in table.levels[j]]
                + [-1],
                dtype=np.int64,
            )
            known[:, target] = translation[table.codes[:, j]]
        return known

    def _make_numeric_steps(self, numeric):
        steps = []
        if self.impute or sparse.issparse(numeric):
            steps.append(SimpleImputer(strategy="median", add_indicator=self.impute))
        if self.scale is not None:
            steps.extend(_scaling_steps(self.scale, numeric))
        if not steps or numeric.shape[1] == 0:
            return None
        return make_pipeline(*steps).fit(numeric)

    def _make_indicators(self, codes):
        if self.categories != "one_hot" or codes.shape[1] == 0:
            return None
        return OneHotEncoder(
            handle_unknown="ignore",
            # Indicators are nearly all zero: above some 64 of them a dense
            # array costs more than it saves.
            sparse_output=not self.dense and sum(self._n_codes_) > 64,
        ).fit(codes)

    def _encode(self, numeric, codes):
        if self._numeric_steps_ is not None:
            numeric = self._numeric_steps_.transform(numeric)
        if self.dense and sparse.issparse(numeric):
            numeric = numeric.toarray()
        if sparse.issparse(numeric):
            numeric = sparse.csr_array(numeric)
        if codes.shape[1] == 0:
            return numeric if numeric.shape[1] else np.zeros((numeric.shape[0], 1))
        if self.categories == "native":
            return self._native_frame(numeric, codes)
        if self.categories == "one_hot":
            return _beside(numeric, self._indicators_.transform(codes))
        ordinal = codes.astype(np.float64)
        if self.impute:
            ordinal[ordinal < 0] = -1.0
        else:
            ordinal[ordinal < 0] = np.nan
        return _beside(numeric, ordinal)

    def _native_frame(self, numeric, codes):
        columns = {f"number_{j}": numeric[:, j] for j in range(numeric.shape[1])}
        for j, n_codes in enumerate(self._n_codes_):
            columns[f"category_{j}"] = pd.Categorical.from_codes(
                np.maximum(codes[:, j], -1), categories=np.arange(n_codes)
            )
        return pd.DataFrame(columns)


def _informative_numbers(numeric):
    """Return the positions of columns with at least two values, missing being one."""
    if numeric.shape[0] == 0 or numeric.shape[1] == 0:
        return np.arange(numeric.shape[1])
    if sparse.issparse(numeric):
        return _informative_sparse_numbers(numeric)
    # A missing first cell makes every comparison below come out unequal, so an
    # all-missing column has to be told apart first.
    all_missing = np.isnan(numeric).all(axis=0)
    varies = (numeric != numeric[0]).any(axis=0)
    return np.flatnonzero(varies & ~all_missing)


def _informative_sparse_numbers(numeric):
    stored = np.diff(numeric.indptr)
    filled = np.flatnonzero(stored)
    if len(filled) == 0:
        return filled
    # The starts of empty columns would give each the first cell of the next one.
    starts = numeric.indptr[:-1][filled]
    lowest = np.fmin.reduceat(numeric.data, starts)
    highest = np.fmax.reduceat(numeric.data, starts)
    n_missing = np.add.reduceat(np.isnan(numeric.data).astype(np.int64), starts)
    has_zeros = stored[filled] < numeric.shape[0]
    lowest = np.where(has_zeros, np.fmin(lowest, 0), lowest)
    highest = np.where(has_zeros, np.fmax(highest, 0), highest)
    all_missing = n_missing == numeric.shape[0]
    return filled[((lowest < highest) | (n_missing > 0)) & ~all_missing]


def _number_levels(levels, counts, max_levels):
    """Give the seen levels numbers in their order; the rarest share the last."""
    seen = np.flatnonzero(counts)
    if len(seen) > max_levels:
        by_frequency = seen[np.argsort(-counts[seen], kind="stable")]
        frequent = np.sort(by_frequency[: max_levels - 1])
        rare = by_frequency[max_levels - 1 :]
    else:
        frequent, rare = seen, np.empty(0, dtype=np.int64)
    code_of_level = {_label(levels[i]): code for code, i in enumerate(frequent)}
    for i in rare:
        code_of_level.setdefault(_label(levels[i]), len(frequent))
    return code_of_level, len(frequent) + bool(len(rare))


def _label(level):
    """Return a level as text, so that 1, 1.0 and "1" are one category.

    Which of them a cell becomes depends on what else stands in the column when
    it is read from a file.
    """
    if isinstance(level, (float, np.floating)) and level.is_integer():
        return str(int(level))
    return str(level)


def _scaling_steps(scale, numeric):
    if scale not in ("standard", "robust", "quantile"):
        raise ValueError(
            f"scale must be None or one of ['standard', 'robust', 'quantile'], "
            f"got: {scale!r}."
        )
    if sparse.issparse(numeric):
        return [StandardScaler(with_mean=False)]
    if scale == "standard":
        return [StandardScaler()]
    if scale == "robust":
        return [RobustScaler(), FunctionTransformer(_clip_smoothly)]
    return [
        QuantileTransformer(
            n_quantiles=min(1000, numeric.shape[0]),
            output_distribution="normal",
            random_state=0,
        )
    ]


def _clip_smoothly(numeric):
    return numeric / np.sqrt(1.0 + (numeric / 3.0) ** 2)


def _beside(left, right):
    if left.shape[1] == 0:
        return right
    if sparse.issparse(left) or sparse.issparse(right):
        return sparse.hstack([left, right], format="csr")
    return np.hstack([left, right])
