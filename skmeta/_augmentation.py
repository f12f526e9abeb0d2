"""Augmentation: rows made up for a fit, or weighed anew, and nothing at predictions."""

from numbers import Real

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    has_fit_parameter,
    validate_data,
)

from skmeta._encoding import check_choice

# Whole numbers in a range of so many are taken for codes of categories, between which
# there is nothing.
_MOST_CODES = 20

# As in the paper on SMOTE; fewer where a class has fewer rows.
_N_NEIGHBORS = 5


def _estimator_has(method):
    """Return whether the fitted estimator, else the one given, has a method."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class AugmentedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a classifier on rows made up besides those given, or weighed anew.

    Rows are made up in `fit` alone: inside of cross-validation those that are tested
    are never among them, and predictions are of the rows given.

    Parameters
    ----------
    estimator : classifier
        Fitted on what comes of the rows.
    policy : str, default="oversample"
        With *s* the strength:

        - ``"class_weights"``: a class with the share *q* of the weight of all rows is
          weighed by `q ** -s`, with which all together weigh as before.
        - ``"oversample"``: rows of rare classes are repeated until no class has less
          than *s* times the rows of the largest.
        - ``"smote"``: as many are put between a row and one of its five nearest
          neighbours of the same class [1]_. Needs the package imbalanced-learn.
        - ``"noise"``: each row comes a second time, with normal noise of *s* standard
          deviations of each column [2]_.
        - ``"mixup"``: each row comes a second time, mixed with another one in the
          proportions *u* and 1 - *u*, and with one of their two classes, drawn with
          these probabilities; *u* is of a Beta(*s*, *s*) distribution [3]_.
    strength : float, default=None
        How much of it. None is 1 for class weights, 0.5 for ``"oversample"`` and
        ``"smote"``, 0.1 for ``"noise"`` and 0.2 for ``"mixup"``.
    random_state : int, RandomState or None, default=None
        Seeds what is drawn. `estimator` has a seed of its own.

    Attributes
    ----------
    estimator_ : classifier
        Fitted.
    classes_ : ndarray of shape (n_classes,)
        Classes.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where the table had them.

    Notes
    -----
    ``"smote"`` and ``"noise"`` know categories, which are those of pandas, and whole
    numbers in a range of 20, such as codes and indicators. SMOTE gives the one that
    most neighbours have [1]_, noise leaves them as they are, as it does the zeros of a
    sparse matrix. Where numbers are missing, rows of SMOTE have the median.

    With sample weights a row that is made up has that of the row it comes from: in the
    mean of both for ``"mixup"``, in the mean of the class for ``"smote"``.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: Synthetic
       Minority Over-sampling Technique", JAIR 16, 2002.
    .. [2] C. M. Bishop, "Training with Noise is Equivalent to Tikhonov
       Regularization", Neural Computation 7, 1995.
    .. [3] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical
       Risk Minimization", ICLR 2018.

    Examples
    --------
    Weighed by classes, what is rare is found more often:

    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from skmeta import AugmentedClassifier
    >>> X, y = make_classification(1000, weights=[0.95], random_state=0)
    >>> linear = LogisticRegression()
    >>> weighed = AugmentedClassifier(linear, "class_weights")
    >>> for clf in (linear, weighed):
    ...     print(f"{cross_val_score(clf, X, y, scoring='recall').mean():.2f}")
    0.76
    0.89
    """

    def __init__(
        self, estimator, policy="oversample", *, strength=None, random_state=None
    ):
        self.estimator = estimator
        self.policy = policy
        self.strength = strength
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Make up rows, or weigh them, and fit the classifier.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Of numbers, and of categories if it is a DataFrame of pandas.
        y : array-like of shape (n_rows,)
            Classes.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            If the policy is ``"smote"`` and imbalanced-learn is not installed.
        ValueError
            If a parameter or the table cannot be used.
        """
        strength = self._check_parameters()
        X, y = self._check_rows(X, y)
        weights = sample_weight
        if weights is not None:
            weights = column_or_1d(weights).astype(np.float64)
            check_consistent_length(X, weights)
        self.classes_, codes = np.unique(y, return_inverse=True)
        random_state = check_random_state(self.random_state)
        augment, _ = POLICIES[self.policy]
        X, codes, weights = augment(X, codes, weights, strength, random_state)
        fit_params = {} if weights is None else {"sample_weight": weights}
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(X, self.classes_[codes], **fit_params)
        return self

    def _check_parameters(self):
        """Return the strength."""
        check_choice("policy", self.policy, list(POLICIES))
        if self.policy == "class_weights" and not has_fit_parameter(
            self.estimator, "sample_weight"
        ):
            raise ValueError(
                f"estimator must take sample_weight for policy='class_weights', got: "
                f"{type(self.estimator).__name__}, which does not. policy='oversample' "
                f"needs none."
            )
        if self.strength is None:
            return POLICIES[self.policy][1]
        if not isinstance(self.strength, Real) or not 0 < self.strength < np.inf:
            raise ValueError(
                f"strength must be a finite number > 0 or None, got: {self.strength!r}."
            )
        return self.strength

    def _check_rows(self, X, y):
        if not hasattr(X, "iloc"):
            X, y = validate_data(
                self, X, y, accept_sparse="csr", ensure_all_finite="allow-nan"
            )
        else:
            validate_data(self, X, skip_check_array=True)
            y = column_or_1d(y, warn=True)
            check_consistent_length(X, y)
        check_classification_targets(y)
        return X, y

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Return the margins of the classifier.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        margins : ndarray of shape (n_rows,) or (n_rows, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        of_estimator = get_tags(self.estimator)
        tags.input_tags = of_estimator.input_tags
        tags.classifier_tags = of_estimator.classifier_tags
        return tags


# What the policies do: each takes a table, the numbers of its rows' classes, their
# weights or None, the strength and a `RandomState`, and returns the first three.


def _weigh_classes(X, codes, weights, strength, random_state):
    weights = np.ones(len(codes)) if weights is None else weights
    if not weights.any():
        return X, codes, weights  # the classifier says what it thinks of that
    of_class = np.bincount(codes, weights)
    # A class of no weight has none afterwards.
    factors = np.where(of_class > 0, of_class, 1.0) ** -strength
    balanced = weights * factors[codes]
    return X, codes, balanced * (weights.sum() / balanced.sum())


def _oversample(X, codes, weights, strength, random_state):
    rows = [np.arange(len(codes))]
    for code, n_more in _count_lacking(codes, strength):
        own = random_state.permutation(np.flatnonzero(codes == code))
        rows.append(np.resize(own, n_more))  # over and over again
    rows = np.concatenate(rows)
    X = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
    return X, codes[rows], None if weights is None else weights[rows]


def _count_lacking(codes, share):
    """Yield classes with less than a share of the rows of the largest, and how many."""
    counts = np.bincount(codes)
    lacking = np.ceil(share * counts.max()).astype(np.int64) - counts
    for code in np.flatnonzero(lacking > 0):
        yield code, lacking[code]


def _smote(X, codes, weights, strength, random_state):
    numbers, is_category = _as_numbers(X)
    lacking = list(_count_lacking(codes, strength))
    if not lacking:
        return X, codes, weights
    given = SimpleImputer(strategy="median", keep_empty_features=True).fit_transform(
        numbers
    )
    # What lies between two rows is the same on any scale, but not which are near.
    deviations = _deviations(given)
    scales = np.where(is_category | (deviations == 0), 1.0, deviations)
    given = _times_columns(given, 1 / scales)
    made = []
    for code, n_more in lacking:
        own = np.flatnonzero(codes == code)
        if len(own) == 1:  # has no neighbour
            made.append(given[np.repeat(own, n_more)])
            continue
        sampler = _make_sampler(
            is_category,
            sampling_strategy={code: len(own) + n_more},
            k_neighbors=min(_N_NEIGHBORS, len(own) - 1),
            random_state=random_state.randint(2**31 - 1),
        )
        made.append(sampler.fit_resample(given, codes)[0][len(codes) :])
    X = _like(X, _stack([numbers, _times_columns(_stack(made), scales)]))
    made_codes = np.repeat(*np.transpose(lacking))
    if weights is not None:
        of_class = np.bincount(codes, weights) / np.bincount(codes)
        weights = np.concatenate([weights, of_class[made_codes]])
    return X, np.concatenate([codes, made_codes]), weights


def _make_sampler(is_category, **params):
    try:
        from imblearn import over_sampling
    except ImportError as error:
        raise ImportError(
            "policy='smote' requires imbalanced-learn. Install it with: "
            "pip install imbalanced-learn"
        ) from error
    if is_category.all():
        return over_sampling.SMOTEN(**params)
    if is_category.any():
        which = np.flatnonzero(is_category).tolist()
        return over_sampling.SMOTENC(categorical_features=which, **params)
    return over_sampling.SMOTE(**params)


def _add_noise(X, codes, weights, strength, random_state):
    numbers, is_category = _as_numbers(X)
    scales = strength * np.where(is_category, 0.0, _deviations(numbers))
    made = numbers.copy()
    if sparse.issparse(made):  # zeros stay
        noise = random_state.normal(size=made.nnz)
        made.data = made.data + scales[made.indices] * noise
    else:
        made = made + scales * random_state.normal(size=made.shape)
    X = _like(X, _stack([numbers, made]))
    return X, np.tile(codes, 2), None if weights is None else np.tile(weights, 2)


def _mix(X, codes, weights, strength, random_state):
    if hasattr(X, "iloc") and any(map(_is_categorical, X.dtypes)):
        raise ValueError(
            "X must hold numbers for policy='mixup', got: categories, of which nothing "
            "lies in between. Encode them as indicators (OneHotEncoder)."
        )
    numbers, _ = _as_numbers(X)
    n_rows = len(codes)
    other = random_state.permutation(n_rows)
    share = random_state.beta(strength, strength, size=n_rows)
    own, rest = sparse.diags(share), sparse.diags(1 - share)
    X = _like(X, _stack([numbers, own @ numbers + rest @ numbers[other]]))
    is_own = random_state.uniform(size=n_rows) < share
    codes = np.concatenate([codes, np.where(is_own, codes, codes[other])])
    if weights is not None:
        mixed = share * weights + (1 - share) * weights[other]
        weights = np.concatenate([weights, mixed])
    return X, codes, weights


# The function of each policy, and its strength unless told otherwise.
POLICIES = {
    "class_weights": (_weigh_classes, 1.0),
    "oversample": (_oversample, 0.5),
    "smote": (_smote, 0.5),
    "noise": (_add_noise, 0.1),
    "mixup": (_mix, 0.2),
}


def row_growth(estimator, y):
    """Return how many rows are learned from for each that is given.

    Parameters
    ----------
    estimator : classifier
        Unfitted. Any `AugmentedClassifier` inside of it counts.
    y : array-like of shape (n_rows,)
        Classes.

    Returns
    -------
    growth : float
        1 where no rows are made up.
    """
    for part in (estimator, *estimator.get_params().values()):
        if not isinstance(part, AugmentedClassifier):
            continue
        if part.policy in ("noise", "mixup"):
            return 2.0
        if part.policy in ("oversample", "smote"):
            codes = np.unique(y, return_inverse=True)[1]
            n_more = sum(n for _, n in _count_lacking(codes, part._check_parameters()))
            return 1.0 + n_more / len(codes)
    return 1.0


# Tables as numbers, and back


def _as_numbers(X):
    """Return a table as numbers, and which of its columns are categories."""
    if sparse.issparse(X):
        numbers = sparse.csr_array(X, dtype=np.float64)
        cells = numbers.data
        is_broken = np.bincount(
            numbers.indices, cells != np.rint(cells), minlength=X.shape[1]
        )
        highest, lowest = (
            extreme(axis=0).toarray().ravel() for extreme in (numbers.max, numbers.min)
        )
        return numbers, (is_broken == 0) & (highest - lowest < _MOST_CODES)
    if hasattr(X, "iloc"):
        numbers = np.column_stack([_column_as_numbers(X, j) for j in range(X.shape[1])])
        is_category = np.array([_is_categorical(dtype) for dtype in X.dtypes])
    else:
        numbers, is_category = X.astype(np.float64), np.zeros(X.shape[1], dtype=bool)
    known = np.nan_to_num(numbers)
    is_whole = (known == np.rint(known)).all(axis=0)
    return numbers, is_category | (is_whole & (np.ptp(known, axis=0) < _MOST_CODES))


def _column_as_numbers(X, j):
    """Return numbers as they are, and of categories their codes, -1 for missing."""
    column = X.iloc[:, j]
    if _is_categorical(column.dtype):
        return column.cat.codes.to_numpy(dtype=np.float64)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise ValueError(
            f"X must hold numbers and categories to make up rows, got: the column "
            f"{X.columns[j]!r} of {column.dtype}. Encode it before."
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _is_categorical(dtype):
    return isinstance(dtype, pd.CategoricalDtype)


def _like(X, numbers):
    """Return numbers as a table of the kind that they come from."""
    if not hasattr(X, "iloc"):
        return numbers
    columns = {
        name: pd.Categorical.from_codes(numbers[:, j].astype(np.int64), dtype=dtype)
        if _is_categorical(dtype)
        else numbers[:, j]
        for j, (name, dtype) in enumerate(X.dtypes.items())
    }
    return pd.DataFrame(columns)


def _stack(parts):
    if any(map(sparse.issparse, parts)):
        return sparse.csr_array(sparse.vstack(parts))
    return np.vstack(parts)


def _times_columns(numbers, factors):
    product = numbers @ sparse.diags(factors)
    return sparse.csr_array(product) if sparse.issparse(numbers) else product


def _deviations(numbers):
    """Return the standard deviation of what is known of each column."""
    if not sparse.issparse(numbers):
        is_known = ~np.isnan(numbers).all(axis=0)
        deviations = np.zeros(numbers.shape[1])
        deviations[is_known] = np.nanstd(numbers[:, is_known], axis=0)
        return deviations
    numbers = sparse.csr_array(numbers)
    cells = np.nan_to_num(numbers.data)
    sums = [
        np.bincount(numbers.indices, cells**power, minlength=numbers.shape[1])
        for power in (1, 2)
    ]
    mean, mean_of_squares = np.array(sums) / numbers.shape[0]
    return np.sqrt(np.maximum(mean_of_squares - mean**2, 0.0))
