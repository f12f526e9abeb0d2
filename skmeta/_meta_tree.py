"""A decision tree whose leaves name the classifier to trust."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skmeta._base_learners import TaskSize, make_estimator
from skmeta._configuration import Configuration
from skmeta._ensemble import align
from skmeta._evaluation import take_rows
from skmeta._inputs import (
    TakesTables,
    check_number,
    check_splitter,
    check_table,
    check_target,
    make_seed,
)
from skmeta._workers import calm

# Classifiers of different kinds: a tree chooses between what errs in different places.
DEFAULT_CLASSIFIERS = {
    "linear": Configuration("logistic_regression", {"C": 1.0}),
    "naive_bayes": Configuration("gaussian_nb", {"var_smoothing": 1e-9}),
    "neighbours": Configuration("k_nearest_neighbors", {"n_neighbors": 10}),
    "tree": Configuration("decision_tree", {"min_samples_leaf": 5}),
    "boosting": Configuration("hist_gradient_boosting", {"min_samples_leaf": 20}),
}


# Base classifiers that do not take some tables say so themselves.
class MetaDecisionTreeClassifier(
    TakesTables, MetaEstimatorMixin, ClassifierMixin, BaseEstimator
):
    """Choose for each row the classifier to trust, by a decision tree [1]_.

    The inner nodes of a meta decision tree ask for properties of the class
    distributions that the base classifiers predict for the row, and its leaves name the
    one whose prediction counts. It is learned from predictions out of fold.

    The properties are, for each base classifier, ``highest_probability`` and
    ``entropy`` (in bits), and for decision trees ``weight``, the share of the training
    rows that the distribution was estimated from. A split is the one after which the
    best classifiers of the two sides are right most often. A subtree stays if it is
    right on more rows than the single best classifier there, by `n_errors` standard
    errors.

    Parameters
    ----------
    estimators : list of (str, classifier), default=None
        Names and base classifiers with ``predict_proba``. None takes a linear model,
        naive Bayes, nearest neighbours, a decision tree and boosting, which prepare
        the table as `MetaLearnerClassifier` does.
    cv : int, cross-validation generator or iterable, default=5
        Folds of which the predictions are made that the tree learns from.
    max_depth : int or None, default=4
        Most questions before a leaf.
    min_samples_leaf : int, default=20
        Least rows of a leaf.
    n_errors : float, default=2.0
        Standard errors, of the difference between two classifiers on the same rows,
        that a subtree must gain; 0 keeps every gain.
    n_jobs : int or None, default=None
        Base classifiers and folds fitted at the same time, as in joblib.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the default base classifiers.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes.
    names_ : list of str
        Of the base classifiers.
    estimators_ : list of classifiers
        Fitted on all rows.
    properties_ : list of str
        What the tree may ask for.
    n_leaves_, depth_ : int
        Size of the tree. One leaf is the single best classifier.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where the table had them.

    See Also
    --------
    sklearn.ensemble.StackingClassifier : Weighs the classifiers alike for all rows, if
        its last one is linear.
    MetaLearnerClassifier : Chooses classifiers by the table.

    References
    ----------
    .. [1] L. Todorovski, S. Dzeroski, "Combining Classifiers with Meta Decision
       Trees", Machine Learning 50, 2003.

    Examples
    --------
    Where naive Bayes is not sure, a decision tree is more often right:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmeta import MetaDecisionTreeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    >>> estimators = [("nb", GaussianNB()), ("tree", tree)]
    >>> clf = MetaDecisionTreeClassifier(estimators, n_errors=1).fit(X, y)
    >>> print(clf.export_text())
    highest_probability of nb <= 0.997
      trust tree: 33 rows, right on 21
    highest_probability of nb > 0.997
      trust nb: 536 rows, right on 520
    """

    def __init__(
        self,
        estimators=None,
        *,
        cv=5,
        max_depth=4,
        min_samples_leaf=20,
        n_errors=2.0,
        n_jobs=None,
        random_state=None,
    ):
        self.estimators = estimators
        self.cv = cv
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.n_errors = n_errors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X, y):
        """Learn which classifier to trust where, and fit all of them.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Whatever the base classifiers take.
        y : array-like of shape (n_rows,)
            Classes.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter, the table or its classes cannot be used.
        """
        self._check_parameters()
        X = check_table(self, X, reset=True)
        y = check_target(y, X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.names_, estimators = self._name_estimators(X)
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y))
        parts = [*splits, (np.arange(len(y)), None)]
        outcomes = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_part)(estimator, X, y, *part, self.classes_)
            for part in parts
            for estimator in estimators
        )
        n_estimators = len(estimators)
        self.estimators_ = [fitted for fitted, *_ in outcomes[-n_estimators:]]
        properties, is_right = [], []
        for fold, (_, test) in enumerate(splits):
            of_fold = outcomes[fold * n_estimators : (fold + 1) * n_estimators]
            properties.append(np.hstack([values for _, _, values in of_fold]))
            labels = np.array([p.argmax(axis=1) for _, p, _ in of_fold]).T
            is_right.append(labels == codes[test, np.newaxis])
        self.properties_ = [
            f"{what} of {name}"
            for name, estimator in zip(self.names_, self.estimators_, strict=True)
            for what in _names_of_properties(estimator)
        ]
        self._tree = _grow(
            np.vstack(properties),
            np.vstack(is_right),
            np.inf if self.max_depth is None else self.max_depth,
            self.min_samples_leaf,
            self.n_errors,
        )
        self.n_leaves_, self.depth_ = self._tree.n_leaves, self._tree.depth
        return self

    def _check_parameters(self):
        check_number("max_depth", self.max_depth, Integral, "an integer >= 1")
        if not isinstance(self.min_samples_leaf, Integral) or self.min_samples_leaf < 1:
            raise ValueError(
                f"min_samples_leaf must be an integer >= 1, got: "
                f"{self.min_samples_leaf!r}."
            )
        if not self.n_errors >= 0:
            raise ValueError(f"n_errors must be a number >= 0, got: {self.n_errors!r}.")
        check_splitter(self.cv)

    def _name_estimators(self, X):
        if self.estimators is None:
            seed, size = make_seed(self.random_state), TaskSize(*X.shape)
            return list(DEFAULT_CLASSIFIERS), [
                make_estimator(each, size, seed)
                for each in DEFAULT_CLASSIFIERS.values()
            ]
        if not self.estimators:
            raise ValueError(
                "estimators must be pairs of name and classifier, got none."
            )
        if not all(isinstance(e, tuple) and len(e) == 2 for e in self.estimators):
            raise ValueError(
                f"estimators must be pairs of name and classifier, such as "
                f"('nb', GaussianNB()), got: {self.estimators!r}."
            )
        names, estimators = map(list, zip(*self.estimators, strict=True))
        silent = [
            name
            for name, estimator in self.estimators
            if not hasattr(estimator, "predict_proba")
        ]
        if silent:
            raise ValueError(
                f"estimators must have predict_proba, which {silent} have not. Wrap "
                f"them in sklearn.calibration.CalibratedClassifierCV."
            )
        return names, estimators

    def predict_proba(self, X):
        """Return the class distribution of the classifier trusted for each row.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
        """
        trusted, probabilities = self._trust(X)
        return probabilities[trusted, np.arange(len(trusted))]

    def predict(self, X):
        """Return the most probable class of the classifier trusted for each row.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        y : ndarray of shape (n_rows,)
        """
        labels = self.predict_proba(X).argmax(axis=1)
        return self.classes_[labels]

    def trusted(self, X):
        """Return the name of the classifier trusted for each row.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        names : ndarray of str of shape (n_rows,)
        """
        trusted, _ = self._trust(X)
        return np.array(self.names_)[trusted]

    def _trust(self, X):
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        described = [_describe(e, X, self.classes_) for e in self.estimators_]
        properties = np.hstack([values for _, values in described])
        trusted = np.empty(len(properties), dtype=np.int64)
        self._tree.apply(properties, np.arange(len(properties)), trusted)
        return trusted, np.array([probabilities for probabilities, _ in described])

    def export_text(self):
        """Return the tree as text.

        Returns
        -------
        text : str
        """
        check_is_fitted(self)
        return "\n".join(self._tree.write(self.properties_, self.names_))


def _fit_part(estimator, X, y, train, test, classes):
    """Return a model fitted on some rows, and what it says of the others, if any."""
    with calm():
        fitted = clone(estimator).fit(take_rows(X, train), y[train])
        if test is None:
            return fitted, None, None
        return None, *_describe(fitted, take_rows(X, test), classes)


def _describe(estimator, X, classes):
    """Return the class distributions that a model predicts, and their properties."""
    probabilities = align(estimator.predict_proba(X), estimator.classes_, classes)
    logs = np.log2(probabilities, where=probabilities > 0, out=0.0 * probabilities)
    values = [probabilities.max(axis=1), -(probabilities * logs).sum(axis=1)]
    tree = _tree_of(estimator)
    if tree is not None:
        n_rows = tree.tree_.weighted_n_node_samples
        values.append((n_rows / n_rows[0])[tree.apply(_prepared(estimator, X))])
    return probabilities, np.column_stack(values)


def _names_of_properties(estimator):
    names = ["highest_probability", "entropy"]
    return names if _tree_of(estimator) is None else [*names, "weight"]


def _tree_of(estimator):
    """Return the decision tree that an estimator is, or ends with."""
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return last if hasattr(last, "tree_") else None


def _prepared(estimator, X):
    return estimator[:-1].transform(X) if isinstance(estimator, Pipeline) else X


@dataclass
class _Node:
    """A leaf, or a question: rows with at most the threshold go to `below`."""

    trusted: int
    n_rows: int
    n_right: int
    column: int | None = None
    threshold: float | None = None
    below: object = None
    above: object = None

    @property
    def is_leaf(self):
        return self.column is None

    @property
    def n_leaves(self):
        return 1 if self.is_leaf else self.below.n_leaves + self.above.n_leaves

    @property
    def depth(self):
        return 0 if self.is_leaf else 1 + max(self.below.depth, self.above.depth)

    def apply(self, properties, rows, trusted):
        """Note for some rows which classifier is trusted."""
        if self.is_leaf:
            trusted[rows] = self.trusted
            return
        is_below = properties[rows, self.column] <= self.threshold
        self.below.apply(properties, rows[is_below], trusted)
        self.above.apply(properties, rows[~is_below], trusted)

    def write(self, properties, names):
        """Return the lines of this node and those under it."""
        if self.is_leaf:
            return [
                f"trust {names[self.trusted]}: {self.n_rows} rows, right on "
                f"{self.n_right}"
            ]
        lines = []
        for sign, node in (("<=", self.below), (">", self.above)):
            lines.append(f"{properties[self.column]} {sign} {self.threshold:.3f}")
            lines += ["  " + line for line in node.write(properties, names)]
        return lines


def _grow(properties, is_right, max_depth, min_samples_leaf, n_errors):
    """Return the tree that is right most often, pruned.

    Parameters
    ----------
    properties : ndarray of shape (n_rows, n_properties)
        What may be asked.
    is_right : ndarray of bool of shape (n_rows, n_classifiers)
        Which classifier is right on each row.
    max_depth, min_samples_leaf, n_errors : float
        As `MetaDecisionTreeClassifier` takes them.

    Returns
    -------
    node : _Node
    """
    counts = is_right.sum(axis=0)
    best = int(counts.argmax())
    leaf = _Node(best, len(is_right), int(counts[best]))
    if max_depth == 0 or len(is_right) < 2 * min_samples_leaf:
        return leaf
    split = _best_split(properties, is_right, min_samples_leaf)
    if split is None:
        return leaf
    column, threshold = split
    is_below = properties[:, column] <= threshold
    below, above = (
        _grow(
            properties[side], is_right[side], max_depth - 1, min_samples_leaf, n_errors
        )
        for side in (is_below, ~is_below)
    )
    node = _Node(best, leaf.n_rows, leaf.n_right, column, threshold, below, above)
    trusted = np.empty(len(is_right), dtype=np.int64)
    node.apply(properties, np.arange(len(is_right)), trusted)
    of_tree = is_right[np.arange(len(is_right)), trusted]
    gain = np.sum(of_tree) - leaf.n_right
    # Of rows that only one of two is right on, each is so with the same chance.
    error = np.sqrt(np.sum(of_tree != is_right[:, best]))
    return node if gain > n_errors * error else leaf


def _best_split(properties, is_right, min_samples_leaf):
    """Return column and threshold after which the best on each side are right most."""
    most, best = -1, None
    total = is_right.sum(axis=0)
    last = len(is_right) - min_samples_leaf
    for column, values in enumerate(properties.T):
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        below = np.cumsum(is_right[order], axis=0)
        n_right = below.max(axis=1) + (total - below).max(axis=1)
        ends = np.flatnonzero(np.diff(ordered) > 0)  # the last row of each side
        ends = ends[(ends + 1 >= min_samples_leaf) & (ends < last)]
        if len(ends) == 0:
            continue
        end = ends[n_right[ends].argmax()]
        if n_right[end] > most:
            most = n_right[end]
            middle = (ordered[end] + ordered[end + 1]) / 2
            # Halfway between two neighbouring numbers there is none.
            best = column, float(min(middle, np.nextafter(ordered[end + 1], -np.inf)))
    return best
