import warnings
from dataclasses import replace
from functools import partial
from numbers import Number

import numpy as np
import pandas as pd
import sklearn
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils.validation import check_is_fitted

from skmeta._column_kinds import find_kinds, informative_numbers
from skmeta._tables import (
    as_frame,
    as_table,
    find_durations,
    has_infinite_numbers,
    is_missing_mark,
    is_plain,
    looks_like_date,
    may_hold_strings,
    positions_of_levels,
    read_numbers,
    read_table,
)
from skmeta._text import learn_texts, transform_texts

_MAX_TARGET_CLASSES = 5
_N_COMPONENTS = 30
# What becomes of a date, and how many there are of all but the first before they begin
# again.
DATE_PARTS = ("year", "month", "day", "day_of_week", "hour")
CYCLES = (12, 31, 7, 24)
# Databases hold booleans as numbers, and in a column of both True is 1 to pandas.
OTHER_LABEL = {"True": "1", "False": "0", "1": "True", "0": "False"}
# Below that many, reading cells one by one is faster than setting up arrays.
_FEW_ROWS = 20

# What pandas infers of objects among which there are numbers.
_KINDS_OF_NUMBERS = {
    "complex", "decimal", "floating", "integer", "mixed", "mixed-integer",
    "mixed-integer-float",
}  # fmt: skip
# Steps inside hand on arrays and sparse matrices whatever the user set globally.
_with_arrays = config_context(transform_output="default")


class TableEncoder(TransformerMixin, BaseEstimator):
    """Turn any table into what a base learner takes.

    Columns are numbers, dates, categories or text as found in the rows given to
    `fit`. Constant and all-missing columns, row numbers and ids are ignored,
    which `columns_` says.

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
        With a scale, parts of a date are cycles: sine and cosine.
    max_levels : int, default=254
        The most frequent levels of a column that are told apart; the others
        share one.
    dense : bool, default=True
        Give a dense array even for sparse input or many indicators.
    text : {"components", "ngrams"}, default="components"
        What becomes of free text: the weights of its n-grams, sparse if `dense`
        allows it, or at most 30 principal components of them [2]_, for learners
        that need few dense columns.
    target_levels : int or None, default=None
        A categorical column with more levels than this is replaced by how often
        rows of its level have each class, estimated on other rows in
        `fit_transform` [3]_. Needs `y` of at most five classes. None never does
        so.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.
    numeric_columns_, categorical_columns_, target_columns_, text_columns_ : ndarray
        Positions of the columns in use. Dates count as numbers;
        `target_columns_` are categories that become shares of classes.
    columns_ : DataFrame
        What was made of each column of the table, in its order: `name`, `kind`
        ("number", "date", "category", "text" or "ignored") and the `reason` if it is
        ignored, or a category only because its dtype says so.

    References
    ----------
    .. [1] D. Holzmueller, L. Grinsztajn, I. Steinwart, "Better by Default:
       Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data", NeurIPS 2024.
    .. [2] S. Deerwester et al., "Indexing by Latent Semantic Analysis", 1990.
    .. [3] D. Micci-Barreca, "A Preprocessing Scheme for High-Cardinality
       Categorical Attributes", 2001.
    """

    def __init__(
        self,
        categories="ordinal",
        impute=False,
        scale=None,
        max_levels=254,
        dense=True,
        text="components",
        target_levels=None,
    ):
        self.categories = categories
        self.impute = impute
        self.scale = scale
        self.max_levels = max_levels
        self.dense = dense
        self.text = text
        self.target_levels = target_levels

    @_with_arrays
    def fit(self, X, y=None):
        """Learn the kinds, levels and scales of the columns.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Anything that `read_table` reads.
        y : array-like of shape (n_rows,), default=None
            Classes. Only `target_levels` needs them.

        Returns
        -------
        self
        """
        self._learn(X, y)
        return self

    @_with_arrays
    def fit_transform(self, X, y=None):
        """Learn from a table and return it encoded.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Anything that `read_table` reads.
        y : array-like of shape (n_rows,), default=None
            Classes. Only `target_levels` needs them.

        Returns
        -------
        encoded : ndarray, sparse array or DataFrame of shape (n_rows, n_encoded)
        """
        return self._assemble(*self._learn(X, y))

    @_with_arrays
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
        X = as_table(X)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input."
            )
        numbers = read_numbers(X, self.numeric_columns_, self._dates_, self._durations_)
        if self._is_sparse_:
            numbers = sparse.csc_array(numbers)
        elif sparse.issparse(numbers):
            numbers = numbers.toarray()
        numbers = self._with_date_parts(numbers)
        for step in self._numeric_steps_:
            numbers = step.transform(numbers)

        blocks = [numbers]
        if self.target_columns_.size:
            codes = self._look_up(X, self.target_columns_, self._target_codes_)
            blocks.append(self._target_steps_.transform(codes))
        columns = _take(X, self.text_columns_)
        for column, steps in zip(columns, self._text_steps_, strict=True):
            blocks.append(transform_texts(steps, _texts(column)))
        codes = self._look_up(X, self.categorical_columns_, self._code_of_level_)
        return self._assemble(blocks, codes)

    def find_misread(self, X):
        """Return cells of another type than in `fit`, which count as missing.

        Words where numbers or dates were, and numbers where words were.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix
            As `as_table` gives it, with the columns of `fit`.

        Returns
        -------
        misread : dict of (str or int) to object
            By name of the column, one of its cells.
        """
        if is_plain(X):
            return {}
        dtypes = list(X.dtypes)
        found = {}
        for j in self.numeric_columns_:
            if not pd.api.types.is_numeric_dtype(dtypes[j]):
                found[j] = self._unread_text(X.iloc[:, j], j)
        known = dict(zip(self.categorical_columns_, self._code_of_level_, strict=True))
        if self.target_columns_.size:
            known |= zip(self.target_columns_, self._target_codes_, strict=True)
        columns = [*self.text_columns_, *known]
        words = [j for j in columns if j not in self._with_numbers_]
        objects = [j for j in words if pd.api.types.is_object_dtype(dtypes[j])]
        # All at once: taking a column out of a frame costs as much as reading it.
        all_cells = X.iloc[:, objects].to_numpy(dtype=object).T if objects else ()
        numbers = dict(zip(objects, map(_numbers_among, all_cells), strict=True))
        for j in words:
            if _holds_numbers(dtypes[j]):
                numbers[j] = X.iloc[:, j].dropna().unique().tolist()
            cells, levels = numbers.get(j, []), known.get(j, {})
            found[j] = [cell for cell in cells if _code_of(cell, levels) == -2]
        return {self._names_[j]: cells[0] for j, cells in found.items() if cells}

    def _unread_text(self, column, j):
        """Return the strings in a column of numbers or dates that are none."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.remove_unused_categories().cat.categories
        if not may_hold_strings(column.dtype):
            return []
        is_date, is_duration = j in self._dates_, j in self._durations_
        strings = (cell for cell in column.tolist() if isinstance(cell, str))
        strings = [
            cell
            for cell in dict.fromkeys(strings)
            if not is_missing_mark(cell)
            and not (is_date and looks_like_date(cell))  # to read them takes time
        ]
        if not strings:
            return []
        numbers = read_numbers(
            pd.DataFrame({j: pd.Series(strings, dtype=object)}),
            np.array([0]),
            date_columns=[0] if is_date else [],
            duration_columns=[0] if is_duration else [],
        )
        return [strings[i] for i in np.flatnonzero(np.isnan(numbers[:, 0]))]

    @property
    def columns_(self):
        """What was made of each column of the table."""
        check_is_fitted(self)
        return pd.DataFrame(
            {"name": self._names_, "kind": self._kinds_, "reason": self._reasons_}
        )

    def _learn(self, X, y):
        """Learn everything; return blocks of numbers and the codes of the rows."""
        check_choice("categories", self.categories, ["native", "ordinal", "one_hot"])
        check_choice("scale", self.scale, [None, "standard", "robust", "quantile"])
        check_choice("text", self.text, ["components", "ngrams"])
        X = as_table(X)
        table = read_table(X)
        self.n_features_in_ = table.n_columns
        self._is_sparse_ = sparse.issparse(table.numeric)
        self._dates_ = table.date_columns
        self._is_array_ = isinstance(X, np.ndarray)
        # For an array or a sparse matrix that of all columns.
        self._dtypes_ = (X.dtype,) if is_plain(X) else table.dtypes
        self._names_ = list(getattr(X, "columns", range(table.n_columns)))
        self._kinds_, self._reasons_ = find_kinds(table)
        self._with_numbers_ = {
            j
            for j, levels in zip(table.categorical_columns, table.levels, strict=True)
            if _holds_numbers(table.dtypes[j]) or _infer(levels) in _KINDS_OF_NUMBERS
        }
        classes = self._classes_to_count(y)
        self._place_columns(table, classes is not None)
        self._has_infinite_ = has_infinite_numbers(X, self.numeric_columns_)
        self._durations_ = find_durations(X, self.numeric_columns_)

        numbers = self._numbers_in_use(table)
        table = replace(table, numeric=None)  # lets go of a copy of all columns
        numbers = self._learn_date_parts(numbers)
        self._numeric_steps_ = self._make_numeric_steps(numbers)
        for step in self._numeric_steps_:
            # Here, where each lets go of what the one before has made: it may be large.
            numbers = _fit_transform(step, numbers)
        blocks = [numbers]
        if self.target_columns_.size:
            blocks.append(self._learn_targets(table, classes))
        self._text_steps_ = []
        for j in np.searchsorted(table.categorical_columns, self.text_columns_):
            # Not as strings of Arrow, which hold no halves of characters.
            texts = np.array([*map(str, table.levels[j]), ""], dtype=object)
            texts = texts[table.codes[:, j]]
            steps, encoded = self._learn_text(texts)
            self._text_steps_.append(steps)
            blocks.append(encoded)
        codes, self._code_of_level_, n_codes = _number_columns(
            table,
            self.categorical_columns_,
            self.max_levels,
            count_missing=self.categories == "one_hot",
        )
        self._category_dtypes_ = [pd.CategoricalDtype(np.arange(n)) for n in n_codes]
        self._indicators_ = self._make_indicators(codes, sum(n_codes))
        return blocks, codes

    def _classes_to_count(self, y):
        """Return the number of each row's class if levels may be replaced by them."""
        if y is None or self.target_levels is None:
            return None
        _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
        # Five folds need a class of five rows.
        is_useful = 2 <= len(counts) <= _MAX_TARGET_CLASSES and counts.max() >= 5
        return classes if is_useful else None

    def _place_columns(self, table, has_classes):
        """Note which columns are numbers, text, categories or shares of classes."""
        is_number = np.isin(self._kinds_, ["number", "date"])
        is_category = self._kinds_ == "category"
        has_many_levels = np.zeros(table.n_columns, dtype=bool)
        if has_classes:
            n_levels = [len(np.unique(codes[codes >= 0])) for codes in table.codes.T]
            has_many_levels[table.categorical_columns] = (
                np.array(n_levels) > self.target_levels
            )
        self.numeric_columns_ = np.flatnonzero(is_number)
        self.text_columns_ = np.flatnonzero(self._kinds_ == "text")
        self.target_columns_ = np.flatnonzero(is_category & has_many_levels)
        self.categorical_columns_ = np.flatnonzero(is_category & ~has_many_levels)

    def _numbers_in_use(self, table):
        in_use = np.searchsorted(table.numeric_columns, self.numeric_columns_)
        is_all = len(in_use) == table.numeric.shape[1]
        return table.numeric if is_all else table.numeric[:, in_use]

    def _learn_date_parts(self, numbers):
        is_date = np.isin(self.numeric_columns_, self._dates_)
        as_cycles = self.scale is not None
        self._date_parts_ = [
            (i, informative_numbers(_date_parts(numbers[:, i], as_cycles)))
            for i in np.flatnonzero(is_date)
        ]
        return self._with_date_parts(numbers)

    def _with_date_parts(self, numbers):
        if not self._date_parts_:
            return numbers
        as_cycles = self.scale is not None
        parts = [
            _date_parts(numbers[:, i], as_cycles)[:, vary]
            for i, vary in self._date_parts_
        ]
        return np.asfortranarray(np.hstack([numbers, *parts]))

    def _make_numeric_steps(self, numbers):
        """Return what is done to numbers, one step after the other."""
        if numbers.shape[1] == 0:
            return []
        steps = _scaling_steps(self.scale, numbers)
        if self.impute or sparse.issparse(numbers):
            # In place, since the numbers are a copy of the user's already.
            imputer = SimpleImputer(
                strategy="median", add_indicator=self.impute, copy=False
            )
            steps.insert(0, imputer)
        return steps

    def _learn_targets(self, table, classes):
        codes, self._target_codes_, _ = _number_columns(
            table, self.target_columns_, np.inf, count_missing=True
        )
        steps = [_target_encoder()]
        if self.scale is not None:
            steps.append(StandardScaler())
        self._target_steps_ = make_pipeline(*steps)
        with warnings.catch_warnings():
            # A class of fewer rows than folds is in fewer of them, which is well.
            warnings.filterwarnings("ignore", "The least populated class")
            return self._target_steps_.fit_transform(codes, classes)

    def _learn_text(self, texts):
        """Return fitted steps and what they make of the texts."""
        if self.text == "ngrams":
            return learn_texts(texts)
        steps, encoded = learn_texts(texts, _N_COMPONENTS)
        if self.scale is None:
            return steps, encoded
        scaler = StandardScaler()
        encoded = scaler.fit_transform(encoded)
        return make_pipeline(*(step for _, step in steps.steps), scaler), encoded

    def _look_up(self, X, positions, code_of_level):
        """Return codes as numbered in `fit`: -1 missing, -2 never seen.

        Missing has a code like a level where it counts as one.
        """
        codes = np.empty((X.shape[0], len(positions)), dtype=np.int64)
        for target, column in enumerate(_take(X, positions)):
            codes[:, target] = _codes_of(column, code_of_level[target])
        return codes

    def _make_indicators(self, codes, n_indicators):
        if self.categories != "one_hot" or codes.shape[1] == 0:
            return None
        return OneHotEncoder(
            handle_unknown="ignore",
            # Indicators are nearly all zero: above some 64 of them a dense
            # array costs more than it saves.
            sparse_output=not self.dense and n_indicators > 64,
        ).fit(codes)

    def _assemble(self, blocks, codes):
        """Join blocks of numbers and the codes of categories."""
        if codes.shape[1] == 0:
            encoded = self._side_by_side(blocks)
            return encoded if encoded.shape[1] else np.zeros((encoded.shape[0], 1))
        if self.categories == "native":
            return self._native_frame(self._side_by_side(blocks), codes)
        if self.categories == "one_hot":
            return self._side_by_side([*blocks, _indicators(self._indicators_, codes)])
        ordinal = codes.astype(np.float64)
        ordinal[ordinal < 0] = -1.0 if self.impute else np.nan
        return self._side_by_side([*blocks, ordinal])

    def _side_by_side(self, blocks):
        """Join blocks at once, as `ColumnTransformer` does."""
        blocks = [block for block in blocks if block.shape[1]] or blocks[:1]
        if not any(sparse.issparse(block) for block in blocks):
            return np.hstack(blocks) if len(blocks) > 1 else blocks[0]
        if self.dense:
            return np.hstack([b.toarray() if sparse.issparse(b) else b for b in blocks])
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))

    def _native_frame(self, numbers, codes):
        columns = {f"number_{j}": numbers[:, j] for j in range(numbers.shape[1])}
        for j, dtype in enumerate(self._category_dtypes_):
            columns[f"category_{j}"] = pd.Categorical.from_codes(
                np.maximum(codes[:, j], -1), dtype=dtype
            )
        return pd.DataFrame(columns)


def check_choice(name, value, choices):
    """Raise an error if a parameter is none of what it may be."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got: {value!r}.")


def _holds_numbers(dtype):
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    return pd.api.types.is_numeric_dtype(dtype)


def _infer(cells):
    return pd.api.types.infer_dtype(cells, skipna=True)


def _numbers_among(cells):
    """Return the different numbers in an array of objects."""
    if _infer(cells) not in _KINDS_OF_NUMBERS:
        return []  # which takes a tenth of looking at each cell
    numbers = [
        cell
        for cell in cells.tolist()
        if isinstance(cell, Number) and not isinstance(cell, bool) and cell == cell
    ]
    return list(dict.fromkeys(numbers))


def _take(X, positions):
    """Return columns as a list."""
    if len(positions) == 0:
        return []
    frame = as_frame(X)
    if len(positions) < frame.shape[1] / 4:
        return [frame.iloc[:, j] for j in positions]
    columns = [column for _, column in frame.items()]  # costs less for each
    return [columns[j] for j in positions]


def _texts(column):
    return ["" if _is_missing(cell) else str(cell) for cell in column.tolist()]


def _is_missing(cell):
    is_nan = isinstance(cell, (float, np.generic)) and cell != cell
    return is_nan or cell is None or cell is pd.NA or cell is pd.NaT


def _date_parts(seconds, as_cycles):
    """Return year, month, day, weekday and hour of seconds since 1970.

    As cycles all but the year are sine and cosine, so that December is next to
    January.
    """
    known = ~np.isnan(seconds)
    days = np.floor(seconds[known] / 86_400).astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    parts = np.full((len(seconds), 5), np.nan)
    parts[known] = np.column_stack(
        [
            years.astype(np.int64) + 1970,
            (months - years).astype(np.int64) + 1,
            (days - months).astype(np.int64) + 1,
            (days.astype(np.int64) + 3) % 7,  # 1970 began on a Thursday
            seconds[known] % 86_400 // 3_600,
        ]
    )
    if not as_cycles:
        return parts
    angles = 2 * np.pi * parts[:, 1:] / CYCLES
    return np.hstack([parts[:, :1], np.sin(angles), np.cos(angles)])


def _target_encoder():
    # TODO: remove the first when scikit-learn >= 1.9
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9):
        return TargetEncoder(cv=5, shuffle=True, random_state=0)
    return TargetEncoder(cv=StratifiedKFold(5, shuffle=True, random_state=0))


def _number_columns(table, positions, max_levels, count_missing=False):
    """Return codes of columns, the code of each level, and the number of codes.

    Missing may count as a level, which is then the first.
    """
    all_codes = np.empty((len(table.codes), len(positions)), dtype=np.int64)
    code_of_level, n_codes = [], []
    where = np.searchsorted(table.categorical_columns, positions)
    for target, j in enumerate(where):
        labels = [None, *map(label_of, table.levels[j])]
        counts = np.bincount(table.codes[:, j] + 1, minlength=len(labels))
        if not count_missing:
            counts[0] = 0
        known = _number_levels(labels, counts, max_levels)
        codes = [known.get(None, -1), *(known.get(label, -2) for label in labels[1:])]
        all_codes[:, target] = np.array(codes)[table.codes[:, j] + 1]
        code_of_level.append(known)
        n_codes.append(len(set(known.values())))
    return all_codes, code_of_level, n_codes


def _codes_of(column, code_of_level):
    """Return codes of a column's cells: -2 never seen, -1 missing if no level."""
    missing = code_of_level.get(None, -1)
    if len(column) <= _FEW_ROWS:
        return [
            missing if _is_missing(cell) else _code_of(cell, code_of_level)
            for cell in column.tolist()
        ]
    positions, levels = positions_of_levels(column)
    codes = [_code_of(level, code_of_level) for level in levels]
    return np.array([*codes, missing], dtype=np.int64)[positions]


def _code_of(level, code_of_level):
    label = label_of(level)
    code = code_of_level.get(label)
    if code is None:
        code = code_of_level.get(OTHER_LABEL.get(label, label), -2)
    return code


def _indicators(encoder, codes):
    """Return what the fitted `OneHotEncoder` gives, for few rows faster."""
    if len(codes) > _FEW_ROWS:
        return encoder.transform(codes)
    columns = [codes[:, [j]] == known for j, known in enumerate(encoder.categories_)]
    indicators = np.hstack(columns).astype(np.float64)
    return sparse.csr_matrix(indicators) if encoder.sparse_output else indicators


def _number_levels(labels, counts, max_levels):
    """Give labels that occur numbers in their order; the rarest share the last.

    As with scikit-learn's encoders, of equally frequent ones the last are told apart,
    and where there are just as many as may be the rarest has the last number.
    """
    occurs = {}
    for i in np.flatnonzero(counts):
        occurs[labels[i]] = occurs.get(labels[i], 0) + counts[i]
    is_rare = np.zeros(len(occurs), dtype=bool)
    if len(occurs) >= max_levels:
        by_frequency = np.argsort(list(occurs.values()), kind="stable")
        is_rare[by_frequency[: len(occurs) - (max_levels - 1)]] = True
    codes = np.where(is_rare, np.sum(~is_rare), np.cumsum(~is_rare) - 1)
    return dict(zip(occurs, codes.tolist(), strict=True))


def label_of(level):
    """Return a level as text, so that 1, 1.0, "1" and b"1" are one category.

    Which of them a cell becomes depends on what else stands in the column when
    it is read from a file.
    """
    if isinstance(level, (float, np.floating)) and level.is_integer():
        return str(int(level))
    if isinstance(level, bytes):
        return level.decode(errors="backslashreplace")
    return str(level)


def _fit_transform(step, numbers):
    wants_medians = isinstance(step, SimpleImputer) and not sparse.issparse(numbers)
    step.fit(_medians(numbers) if wants_medians else numbers)
    return step.transform(numbers)


def _scaling_steps(scale, numeric):
    if scale is None:
        return []
    if sparse.issparse(numeric):
        return [StandardScaler(with_mean=False, copy=False)]
    if scale == "standard":
        return [StandardScaler(copy=False)]
    if scale == "robust":
        return [RobustScaler(copy=False), *_smooth_clipping()]
    return [
        QuantileTransformer(
            n_quantiles=min(1000, numeric.shape[0]),
            output_distribution="normal",
            random_state=0,
            copy=False,
        )
    ]


def _medians(numeric):
    """Return two rows to which an imputer fits as it does to all.

    The medians, and NaN where cells are missing. On all rows it would hold four
    copies of them.
    """
    rows = np.empty((2, numeric.shape[1]))
    for j in range(numeric.shape[1]):
        known = numeric[~np.isnan(numeric[:, j]), j]
        rows[:, j] = np.median(known)
        if len(known) < len(numeric):
            rows[1, j] = np.nan
    return rows


def _smooth_clipping():
    """Return steps that give x / sqrt(1 + (x / 3)^2), which is 3 sin(arctan(x / 3)).

    Made of NumPy's functions, so that scikit-learn alone can do the same.
    """
    shrink, grow = partial(np.multiply, 1 / 3), partial(np.multiply, 3.0)
    return [FunctionTransformer(step) for step in (shrink, np.arctan, np.sin, grow)]
