import copy
import math
import time
import warnings
from dataclasses import dataclass, field, replace
from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skmeta._inputs import check_number
from skmeta._limits import OutOfTime, time_limit
from skmeta._tables import read_table
from skmeta._threads import one_thread
from skmeta.metafeatures._groups import COMPUTE_GROUP, TaskView
from skmeta.metafeatures._registry import select_features

# Fourth powers of numbers within these bounds neither overflow nor vanish.
_SMALLEST, _LARGEST = 1e-60, 1e60


@dataclass(frozen=True)
class ExtractionReport:
    """What happened while meta-features were computed.

    Parameters
    ----------
    guarded : dict of str to str
        Meta-features whose value is not what the formula gave, and why.
    seconds : dict of str to float
        Wall time of each group. What several groups need counts for the first.
    """

    guarded: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)


class MetaFeatureExtractor(BaseEstimator):
    """Describe a classification task by a fixed number of finite numbers.

    The same columns come out for every table, so that tasks can be compared.
    Nothing depends on the order of rows, columns or classes, on the names of
    categories, or (but for `zero_frac` and the group scale) on units, other than by
    which rows are sampled. Moments see all rows; what needs sorting sees at most
    20,000, chosen by content [1]_.

    Parameters
    ----------
    groups : iterable of {"general", "missing", "statistical", "information", \
            "landmarking", "accuracy_landmarking", "model", "complexity", "scale"}, \
            default=None
        Groups to compute; None means all those of `level`.
    level : {"fast", "full", "complete"}, default="fast"
        Which groups None stands for. ``"fast"`` trains no model; ``"full"`` adds
        landmarks [2]_: how well simple learners rank 600 rows; that is what knowledge
        bases hold. ``"complete"`` adds what they score on 1,000 rows and how that
        grows with the rows, the shape of a decision tree, and how the classes lie
        among each other; not ``"scale"``, which depends on units.
    categorical_features : array-like of int, str or bool, default=None
        Columns that are categorical besides those of string, object, category
        and bool dtype: positions, names or a mask. Has no effect on sparse
        matrices.
    random_state : int, RandomState instance or None, default=0
        Changes which rows are sampled, and their folds. None means 0: two calls
        always agree.
    time_limit : float, default=None
        Seconds for computing, once the table is read. What is not done by then has its
        default, and the report says so; a single long call into compiled code ends
        first. None is no limit.

    Attributes
    ----------
    meta_features_ : ndarray of float64 of shape (n_meta_features,)
        In the order of `get_feature_names_out`.
    report_ : ExtractionReport
        Which values were guarded, and the seconds of each group.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str of shape (n_columns,)
        Their names, if the table is a frame and all names are strings.

    References
    ----------
    .. [1] A. Rivolli, L. Garcia, C. Soares, J. Vanschoren, A. de Carvalho,
       "Meta-features for meta-learning", Knowledge-Based Systems 240, 2022.
    .. [2] B. Pfahringer, H. Bensusan, C. Giraud-Carrier, "Meta-Learning by
       Landmarking Various Learning Algorithms", ICML 2000.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmeta.metafeatures import MetaFeatureExtractor
    >>> extractor = MetaFeatureExtractor(groups=["general"])
    >>> extractor.fit(*load_iris(return_X_y=True)).meta_features_[:3]
    array([150.,   4.,   3.])
    >>> extractor.get_feature_names_out()[:3].tolist()
    ['nr_inst', 'nr_attr', 'nr_class']
    """

    def __init__(
        self,
        groups=None,
        level="fast",
        categorical_features=None,
        random_state=0,
        time_limit=None,
    ):
        self.groups = groups
        self.level = level
        self.categorical_features = categorical_features
        self.random_state = random_state
        self.time_limit = time_limit

    def fit(self, X, y):
        """Compute the meta-features of a task.

        Parameters
        ----------
        X : DataFrame, ndarray, list of rows or sparse matrix \
                of shape (n_rows, n_columns)
            Anything that `read_table` reads. Infinities count as missing.
        y : array-like of shape (n_rows,)
            Classes of any type. Rows without a class form one of their own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X has no rows or no columns, if y has another length, more than
            one column or labels that cannot be hashed, or if a group, the level
            or a categorical feature is unknown.
        """
        features = select_features(self.groups, self.level)
        check_number("time_limit", self.time_limit, Real, "a number of seconds > 0")
        with (
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
            # The eigenvalues of 500 columns took 3 s for 0.02 s without.
            one_thread(),
        ):
            warnings.simplefilter("ignore")
            table = self._read(X)
            classes = read_classes(y)
            _check_sizes(table, classes)
            view = TaskView(
                replace(table, numeric=_scale_extremes(table.numeric)),
                classes,
                _seed(self.random_state),
            )
            deadline = np.inf
            if self.time_limit is not None:
                deadline = time.monotonic() + self.time_limit
            self.meta_features_, self.report_ = _extract(view, features, deadline)
        self._remember_columns(X, table)
        return self

    def get_feature_names_out(self, input_features=None):
        """Return the names of the meta-features, known before any data is.

        Parameters
        ----------
        input_features : ignored
            Present for scikit-learn's sake.

        Returns
        -------
        names : ndarray of str objects of shape (n_meta_features,)
        """
        features = select_features(self.groups, self.level)
        return np.array([feature.name for feature in features], dtype=object)

    def _read(self, X):
        table = read_table(X)
        if self.categorical_features is None or sparse.issparse(X):
            return table
        named = _positions(self.categorical_features, X, table.n_columns)
        if np.isin(named, table.categorical_columns).all():
            return table
        categorical = np.union1d(table.categorical_columns, named)
        return read_table(X, categorical, table.date_columns)

    def _remember_columns(self, X, table):
        self.n_features_in_ = table.n_columns
        names = list(getattr(X, "columns", ()))
        if names and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_


def _positions(categorical_features, X, n_columns):
    wanted = np.asarray(categorical_features)
    if wanted.size == 0:
        return np.empty(0, dtype=np.int64)
    if wanted.dtype.kind == "b" and wanted.shape == (n_columns,):
        return np.flatnonzero(wanted)
    if wanted.dtype.kind in "iu" and np.isin(wanted, np.arange(n_columns)).all():
        return wanted.ravel().astype(np.int64)
    names = list(getattr(X, "columns", ()))
    if names and all(name in names for name in wanted.tolist()):
        return np.flatnonzero([name in wanted.tolist() for name in names])
    raise ValueError(
        f"categorical_features must be positions below {n_columns}, names of "
        f"columns or a mask of length {n_columns}, got: {categorical_features!r}."
    )


def read_classes(y):
    """Give classes numbers in the order in which they appear; missing is one.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Classes of any type.

    Returns
    -------
    codes : ndarray of int64 of shape (n_rows,)

    Raises
    ------
    ValueError
        If it has more than one column or labels that cannot be hashed.
    """
    if isinstance(y, pd.DataFrame):
        y = y.iloc[:, 0] if y.shape[1] == 1 else y
    elif not isinstance(y, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        # A list as objects: numpy would turn [1, "a"] into strings.
        y = np.array(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(f"y must have one column, got an array of shape: {y.shape}.")
    try:
        codes = pd.factorize(y, use_na_sentinel=True)[0]
    except TypeError as error:
        raise ValueError(
            f"y must hold numbers, strings or other hashable labels, got: {error}. "
            f"Convert the labels to strings."
        ) from error
    codes = np.where(codes < 0, codes.max(initial=-1) + 1, codes)
    return codes.astype(np.int64)


def _check_sizes(table, y):
    if table.n_rows == 0 or table.n_columns == 0:
        raise ValueError(
            f"X must have at least one row and one column, got shape: "
            f"({table.n_rows}, {table.n_columns})."
        )
    if len(y) != table.n_rows:
        raise ValueError(
            f"X and y must have the same number of rows, got: {table.n_rows} "
            f"and {len(y)}."
        )


def _seed(random_state):
    if random_state is None:
        return 0
    if isinstance(random_state, Integral):
        return int(random_state)
    # A copy, so that the caller's generator stays where it is.
    return int(check_random_state(copy.deepcopy(random_state)).randint(2**31))


def _scale_extremes(numeric):
    """Bring columns of extreme magnitude near 1; no meta-feature sees units.

    Powers of two lose no digit.
    """
    if sparse.issparse(numeric):
        magnitude = np.abs(numeric.data)
        if not _is_extreme(magnitude).any():
            return numeric
        column = np.repeat(np.arange(numeric.shape[1]), np.diff(numeric.indptr))
        largest = np.zeros(numeric.shape[1])
        np.fmax.at(largest, column, magnitude)
        exponent = np.where(_is_extreme(largest), np.frexp(largest)[1], 0)
        numeric.data = np.ldexp(numeric.data, -exponent[column])
        return numeric
    if numeric.size == 0:
        return numeric
    largest = np.fmax(np.fmax.reduce(numeric, axis=0), -np.fmin.reduce(numeric, axis=0))
    for j in np.flatnonzero(_is_extreme(largest)):
        numeric[:, j] = np.ldexp(numeric[:, j], -np.frexp(largest[j])[1])
    return numeric


def _is_extreme(magnitude):
    return (magnitude > _LARGEST) | ((magnitude < _SMALLEST) & (magnitude > 0))


def _extract(view, features, deadline):
    """Compute the groups that features belong to; a failure is only reported."""
    values, reasons, seconds = {}, {}, {}
    for group in dict.fromkeys(feature.group for feature in features):
        start = time.perf_counter()
        left = None if deadline == np.inf else deadline - time.monotonic()
        try:
            with time_limit(left):
                values.update(COMPUTE_GROUP[group](view))
        except OutOfTime:
            if time.monotonic() < deadline:
                raise  # the limit was another one, around all of this
            reasons[group] = "the time was over"
        except Exception as error:
            reasons[group] = f"{type(error).__name__}: {error}"
        seconds[group] = time.perf_counter() - start

    guarded, result = {}, {}
    for feature in features:
        if feature.log1p_of is not None:
            result[feature.name] = math.log1p(result[feature.log1p_of])
            continue
        raw = float(values.get(feature.name, np.nan))
        result[feature.name], reason = _guard(raw, feature)
        if reason:
            guarded[feature.name] = reasons.get(feature.group, reason)
    return np.array(list(result.values())), ExtractionReport(guarded, seconds)


def _guard(raw, feature):
    """Return a value that is finite and in range, and why it had to change."""
    if math.isnan(raw):
        return float(feature.default), "not defined for this table"
    # Not np.clip, which for single numbers took a tenth of a small table's time.
    value = float(min(max(raw, feature.low), feature.high))
    if abs(value - raw) > 1e-9:
        return value, f"outside [{feature.low:g}, {feature.high:g}]: {raw:g}"
    return value, None
