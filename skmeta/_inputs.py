"""Check what the user gives, and say what is wrong with it."""

import inspect
import os
import reprlib
import warnings
from collections.abc import Mapping
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from skmeta._evaluation import asks_for_predictions_only
from skmeta._messages import brief, first_line, warn
from skmeta._tables import without_polars

_ROWS_SCORED = 2_000

# What the names of scikit-learn's metrics of quantities begin with, and what serves
# for classes.
_OF_QUANTITIES = (
    "r2", "explained_variance", "max_error", "d2_absolute", "neg_max_error",
    "neg_mean_", "neg_median_", "neg_root_mean_",
)  # fmt: skip
_OF_CLASSES = (
    "'balanced_accuracy', 'f1_macro', 'roc_auc_ovr_weighted' and 'neg_log_loss'"
)


def make_seed(random_state):
    """Return an integer seed for everything random in one fit.

    Parameters
    ----------
    random_state : int, RandomState, Generator or None
        None draws fresh entropy from the operating system; NumPy's global
        generator is never touched.

    Returns
    -------
    seed : int
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    if isinstance(random_state, Integral) and 0 <= random_state < 2**32:
        return int(random_state)
    for draw in ("integers", "randint"):  # of a Generator, of a RandomState
        if hasattr(random_state, draw):
            return int(getattr(random_state, draw)(2**31 - 1))
    raise ValueError(
        f"random_state must be an integer from 0 to 2**32 - 1, a Generator, a "
        f"RandomState or None, got: {brief(random_state)}."
    )


def with_seeds(estimator, seed):
    """Return a clone in which every `random_state` that is None is a seed.

    Parameters
    ----------
    estimator : estimator
        Its parts are looked at too.
    seed : int
        What they are set to.

    Returns
    -------
    estimator : estimator
    """
    unset = {
        name: seed
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return clone(estimator).set_params(**unset)


def check_number(name, value, kind, allowed):
    """Raise an error unless a parameter is None or a positive number.

    Parameters
    ----------
    name : str
        Of the parameter.
    value : object
        What was given.
    kind : type
        Such as `numbers.Integral`.
    allowed : str
        What it must be, for the message.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if value is None:
        return
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number or not value > 0:
        raise ValueError(f"{name} must be {allowed} or None, got: {brief(value)}.")


def check_weights(sample_weight):
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"sample_weight must be one finite, non-negative number per row, got: "
            f"{reprlib.repr(sample_weight)}. Classes count alike with "
            f"scoring='balanced_accuracy', or with the weights of "
            f"sklearn.utils.class_weight.compute_sample_weight('balanced', y)."
        ) from error
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            f"sample_weight must be one finite, non-negative number per row, got: "
            f"shape {weights.shape}, {(~(weights >= 0)).sum()} negative or missing."
        )
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number, got: all zero."
        )
    return weights


def check_lengths(n_rows, **given):
    """Raise an error unless there is a value for each row.

    Parameters
    ----------
    n_rows : int
        Of the table.
    **given : array-like or None
        By name.

    Raises
    ------
    ValueError
        If something has another length.
    """
    for name, values in given.items():
        if isinstance(values, str):
            raise ValueError(
                f"{name} must have a value for each of the {n_rows} rows of X, got the "
                f"string {values!r}. If it names a column, give its values, "
                f"X[{values!r}]."
            )
        try:
            n_values = len(values)
        except TypeError:
            n_values = reprlib.repr(values)
        if values is not None and n_values != n_rows:
            raise ValueError(
                f"{name} must have a value for each of the {n_rows} rows of X, got: "
                f"{n_values}."
            )


def check_splitter(cv):
    """Raise an error unless scikit-learn can make splits of something.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        The user's.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if isinstance(cv, (str, bool, type)):
        can_split = False
    elif isinstance(cv, Integral):
        can_split = cv >= 2
    else:
        can_split = cv is None or hasattr(cv, "split") or hasattr(cv, "__iter__")
    if not can_split:
        raise ValueError(
            f"cv must be an integer >= 2, a splitter such as StratifiedKFold(5), a "
            f"list of (train, test) or None, got: {brief(cv)}. One holdout is "
            f"StratifiedShuffleSplit(1, test_size=0.2)."
        )


def check_table(estimator, X, *, reset):
    """Check a table and note its columns, without changing its cells.

    Parameters
    ----------
    estimator : estimator
        Where they are noted.
    X : table of shape (n_rows, n_columns)
        The user's.
    reset : bool
        Whether to note the columns; otherwise they must be those noted before.

    Returns
    -------
    X : DataFrame, ndarray or sparse matrix

    Raises
    ------
    ValueError
        If it is no table, or has other columns.
    """
    X = without_polars(X)
    if X is None or isinstance(X, (str, bytes, os.PathLike, Mapping)):
        shown = type(X).__name__ if isinstance(X, Mapping) else repr(X)
        raise TypeError(
            f"X must be a table: a DataFrame, an array or a sparse matrix, got: "
            f"{shown:.80}. A file is read by pandas.read_csv, a dict of columns by "
            f"pandas.DataFrame."
        )
    if _is_mixed_list(X):
        X = pd.DataFrame(X)
    if not hasattr(X, "iloc"):
        _check_array(X)
        return validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse=["csr", "csc", "coo"],
            dtype=None,
            ensure_all_finite=False,
        )
    if len(X.shape) != 2:
        raise ValueError(
            f"X must be a table with rows and columns, got: {brief(X)}. Reshape your "
            f"data: a row of a DataFrame is X.iloc[[0]], a column X[[name]]."
        )
    if min(X.shape) < 1:
        raise ValueError(
            f"X must have at least one row and one column, got: "
            f"{X.shape[0]} sample(s) and {X.shape[1]} feature(s)."
        )
    names = list(X.columns)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if len(set(names)) < len(names):
        raise ValueError(
            f"X must have columns of different names, got more than once: "
            f"{twice[:5]}. Rename them, for instance by X.columns = range(X.shape[1])."
        )
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return X


def _check_array(X):
    """Raise an error for what scikit-learn would print in full."""
    n_dimensions = getattr(X, "ndim", 2)
    if n_dimensions != 2:
        how = "X.reshape(1, -1) is one row, X.reshape(-1, 1) one column"
        if n_dimensions > 2:
            how = "X.reshape(len(X), -1) makes one row of each part"
        raise ValueError(
            f"Expected 2D array, rows and columns, got: {brief(X)}. Reshape your data: "
            f"{how}."
        )
    if getattr(getattr(X, "dtype", None), "kind", None) == "c":
        raise ValueError(
            f"Complex data not supported, got: {brief(X)}. Give real and imaginary "
            f"parts as columns of their own."
        )


def check_target(y, X, *, may_be_one=False):
    """Check the classes of the rows of a table.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        The user's.
    X : table of shape (n_rows, n_columns)
        A checked one.
    may_be_one : bool, default=False
        Whether one class will do.

    Returns
    -------
    y : ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If it is missing, or has another length, missing values, or too few classes.
    """
    if y is None:
        raise ValueError(
            "fit requires y to be passed, but the target y is None. Give the class of "
            "each row."
        )
    _warn_of_order(y, X)
    y = _without_nullable(y)
    try:
        shape = np.asarray(y).shape
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"y must be the class of each row, got: {reprlib.repr(y)}. Of several "
            f"labels a row has to have one."
        ) from error
    if len(shape) != 1 and shape[1:] != (1,):
        got = f"shape {shape}" if shape else reprlib.repr(y)
        raise ValueError(
            f"y must be the class of each row, got: {got}. Of a DataFrame give the "
            f"column, X[name], and of indicators the largest, y.argmax(axis=1)."
        )
    if len(shape) == 2:
        # As `column_or_1d` does, but at the user's line.
        warn(
            "A column-vector y was passed when a 1d array was expected. Please change "
            "the shape of y to (n_samples, ), for example using ravel().",
            DataConversionWarning,
        )
    y = column_or_1d(y)
    check_lengths(X.shape[0], y=y)
    if pd.isna(y).any():
        raise ValueError(
            "y must have a class for every row, got: missing values (NaN). "
            "Leave those rows out."
        )
    if y.dtype == object and len({isinstance(label, str) for label in y}) > 1:
        raise ValueError(
            "y must have classes of one type, got: strings and other values. "
            "Convert them, for instance by astype(str)."
        )
    if isinstance(y[0], bytes):
        raise ValueError(
            f"y must hold numbers, strings or booleans, got: bytes, {y[0]!r}. Convert "
            f"them, for instance by np.char.decode(np.asarray(y, bytes))."
        )
    if y.dtype == object and not isinstance(y[0], str):
        y = pd.Series(y).infer_objects().to_numpy()  # numbers from a mixed table
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError(
            f"y must have a class for every row, got: infinity in {np.isinf(y).sum()} "
            f"rows. Leave those rows out."
        )
    _check_kind(y)
    if not may_be_one and (y == y[0]).all():
        raise ValueError(
            f"y must have at least two classes, got: one class, {str(y[0])!r}."
        )
    _warn_of_classes(y)
    return y


def _warn_of_order(y, X):
    """Say so if rows are matched by position, though not by what they are called."""
    if not (isinstance(y, pd.Series) and isinstance(X, pd.DataFrame)):
        return
    of_y, of_X = y.index, X.index
    if of_y.nlevels > 1 or of_y.dtype != of_X.dtype or of_y.equals(of_X):
        return
    if len(of_y) == len(of_X) and set(of_y) == set(of_X) and of_X.is_unique:
        warn(
            "y has the index of X in another order, and its values are taken by "
            "position. If that is right, give y.to_numpy(); if they are to be taken by "
            "index, y.loc[X.index]."
        )


def _check_kind(y):
    """Raise an error if values are no classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of many classes, which we say ourselves
        kind = type_of_target(y)
    if kind == "continuous":
        raise ValueError(
            f"y must hold classes, got: continuous numbers such as "
            f"{y[y % 1 != 0][0].item()!r}. For a quantity use a regressor, or make "
            f"classes of ranges by pandas.qcut or of values by astype(str)."
        )
    if kind == "unknown":
        raise ValueError(
            f"y must hold numbers, strings or booleans, got: {type(y[0]).__name__}, "
            f"{reprlib.repr(y[0])}. Convert them, for instance by astype(str)."
        )


def _warn_of_classes(y):
    """Say so if classes look like values of a quantity, or like none."""
    if y.dtype.kind in "OU":
        n_empty = np.count_nonzero(y == "")
        if n_empty:
            warn(
                f"y is an empty string in {n_empty} of {len(y)} rows, which is taken "
                f"for a class. If their class is not known, leave these rows out."
            )
    n_classes = len(pd.unique(y))
    if n_classes > 20 and len(y) < 5 * n_classes:
        what, advice = "numbers", "are values of a quantity, use a regressor"
        if y.dtype.kind in "mM":
            what = "dates or durations"
        elif y.dtype.kind in "OU":
            what, advice = "strings", "name the rows, take another column"
        warn(
            f"y has {n_classes} different {what} in {len(y)} rows, and each is taken "
            f"for a class. If they {advice}."
        )


def _without_nullable(y):
    """Return a column of pandas' nullable or Arrow dtypes as NumPy's plain ones."""
    if hasattr(getattr(y, "dtype", None), "numpy_dtype") and not y.isna().any():
        return y.to_numpy(dtype=y.dtype.numpy_dtype)
    return y


def _is_mixed_list(X):
    """Say whether X is a list of rows that an array would turn into text."""
    if not isinstance(X, (list, tuple)) or not X or not isinstance(X[0], (list, tuple)):
        return False
    return any(isinstance(cell, str) or cell is None for row in X for cell in row)


class TakesTables:
    """Says to scikit-learn that any table may be given, as it is."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _check_signature(scorer):
    """Raise an error if a scorer is a function of true and predicted classes."""
    try:
        signature = inspect.signature(scorer)
    except (TypeError, ValueError):
        return  # it does not say
    try:
        signature.bind("estimator", "X", "y")
    except TypeError:
        raise ValueError(
            f"scoring must be the name of a metric or be called as "
            f"scoring(estimator, X, y), got: {scorer!r}, which takes {signature}. Wrap "
            f"a function of true and predicted classes in sklearn.metrics.make_scorer."
        ) from None


def check_groups(groups):
    """Raise an error if a row has no group.

    Parameters
    ----------
    groups : array-like of shape (n_rows,) or None
        The user's.
    """
    if groups is None:
        return
    missing = pd.isna(pd.Series(list(groups), dtype=object)).to_numpy()
    if missing.any():
        raise ValueError(
            f"groups must have a value for every row, got: {missing.sum()} missing "
            f"ones, the first in row {missing.argmax()}. Give these rows groups of "
            f"their own."
        )
    kinds = sorted({type(group).__name__ for group in groups})
    if len(kinds) > 1 and "str" in kinds:
        raise ValueError(f"groups must be of one type, got: {', '.join(kinds)}.")


def check_scored_splits(splits, scorer, y, codes, scoring):
    """Raise an error if a scorer cannot score a split that lacks a class.

    No candidate would have a score.

    Parameters
    ----------
    splits : list of (train, test)
        Row numbers.
    scorer : callable
    y, codes : ndarray of shape (n_rows,)
        Classes, and their numbers.
    scoring : str, callable or None
        As the user gave it, for the message.
    """
    if not asks_for_predictions_only(scorer):
        return
    seen = set()  # since leaving out one row makes many splits of a few kinds
    for number, (train, test) in enumerate(splits):
        learned, tested = np.unique(codes[train]), np.unique(codes[test])
        kind = learned.tobytes(), tested.tobytes()
        if np.array_equal(learned, tested) or kind in seen:
            continue
        seen.add(kind)
        baseline = DummyClassifier().fit(np.zeros((len(train), 1)), y[train])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                score = scorer(baseline, np.zeros((len(test), 1)), y[test])
            reason = "" if np.isfinite(score) else f"it gives {score}"
        except (AttributeError, TypeError):
            return  # it wants what only some classifiers have, or weights
        except Exception as error:
            reason = first_line(error)
        if reason:
            raise ValueError(
                f"cv must give splits that can be scored by {scoring!r}, got: split "
                f"{number}, which has {len(learned)} classes to learn from and "
                f"{len(tested)} to test ({reason}). Give one that keeps the shares of "
                f"the classes, such as StratifiedKFold(shuffle=True), or "
                f"StratifiedGroupKFold where there are groups; or a metric of labels, "
                f"such as 'balanced_accuracy'."
            )


def check_scorer(scorer, y, scoring):
    """Raise an error if a scorer cannot score these classes.

    Found before hours are spent on candidates. What is not scikit-learn's may ask for
    more than predictions, and is only looked at.

    Parameters
    ----------
    scorer : callable
    y : ndarray of shape (n_rows,)
        Classes.
    scoring : str or callable
        As the user gave it, for the message.
    """
    if not asks_for_predictions_only(scorer):
        _check_signature(scorer)
        return
    is_of_quantities = isinstance(scoring, str) and scoring.startswith(_OF_QUANTITIES)
    first = np.unique(y, return_index=True)[1]
    rows = np.union1d(first, np.arange(min(len(y), _ROWS_SCORED)))
    X = np.zeros((len(rows), 1))
    try:
        scorer(DummyClassifier().fit(X, y[rows]), X, y[rows])
    except (AttributeError, TypeError):
        return  # it wants what only some classifiers have, or weights
    except Exception as error:
        advice = (
            "For two classes that are not 0 and 1 there are 'balanced_accuracy', "
            "'f1_macro', 'roc_auc' and 'neg_log_loss', or name the one that counts: "
            f"make_scorer(f1_score, pos_label={y[first[-1:]].tolist()[0]!r})."
        )
        if len(first) > 2:
            advice = f"For more than two classes there are {_OF_CLASSES}."
        if is_of_quantities:
            advice = f"This is one of quantities; for classes there are {_OF_CLASSES}."
        raise ValueError(
            f"scoring must be a metric for these {len(first)} classes, got: "
            f"{scoring!r} ({first_line(error)}). {advice}"
        ) from error
    if is_of_quantities:
        warn(
            f"{scoring!r} is a metric of quantities, for which it takes the numbers of "
            f"the classes. If these are only names, use {_OF_CLASSES}."
        )
