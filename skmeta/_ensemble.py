"""Several fitted candidates as one classifier."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skmeta._decision import log_probabilities

_N_STEPS = 25


def greedy_ensemble(
    probabilities, y, max_members, *, first=None, sample_weight=None, shares=None
):
    """Choose weights of candidates by their probabilities out of fold [1]_.

    Candidates are added one at a time, again if they are the best to add, and
    the prefix with the lowest log loss counts.

    Parameters
    ----------
    probabilities : ndarray of shape (n_candidates, n_rows, n_classes)
        Of models that were not fitted on the row.
    y : ndarray of int of shape (n_rows,)
        Class numbers.
    max_members : int
        Most candidates with a weight.
    first : int, default=None
        The candidate to begin with. None is the one with the lowest log loss.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights of the rows in the log loss.
    shares : ndarray of shape (n_candidates, n_limits), default=None
        The part of each limit that a candidate takes. Those with a weight take no
        more than 1 together.

    Returns
    -------
    weights : ndarray of shape (n_candidates,)
        Non-negative, multiples of one part; they sum to 1.

    References
    ----------
    .. [1] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble Selection
       from Libraries of Models", ICML 2004.
    """
    # The log loss of a mean needs the probability of the true class alone.
    of_truth = probabilities[:, np.arange(len(y)), y].astype(np.float64)
    total = np.zeros(len(y))
    counts = np.zeros(len(probabilities), dtype=np.int64)
    lowest, best = np.inf, counts
    for step in range(1, _N_STEPS + 1):
        means = (total + of_truth) / step
        losses = np.average(-log_probabilities(means), axis=1, weights=sample_weight)
        if np.count_nonzero(counts) == max_members:
            losses[counts == 0] = np.inf
        if shares is not None and step > 1:
            taken = shares[counts > 0].sum(axis=0)
            losses[(counts == 0) & (taken + shares > 1).any(axis=1)] = np.inf
        # Rounded, so that the last bit does not decide between equals.
        chosen = int(np.round(losses, 10).argmin())
        if step == 1 and first is not None:
            chosen = first
        total += of_truth[chosen]
        counts[chosen] += 1
        if losses[chosen] < lowest - 1e-9:
            lowest, best = losses[chosen], counts.copy()
    return best / best.sum()


def align(probabilities, known, classes):
    """Return the probabilities of all classes, 0 for those that are not known.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_known)
        Of a classifier that has seen some of the classes.
    known, classes : ndarray of shape (n_known,) and (n_classes,)
        Those, and all; sorted.

    Returns
    -------
    aligned : ndarray of shape (n_rows, n_classes)
    """
    if len(known) == len(classes):
        return probabilities
    aligned = np.zeros((len(probabilities), len(classes)))
    aligned[:, np.searchsorted(classes, known)] = probabilities
    return aligned


def least_probability(class_weights):
    """Return the probability from which on the second of two classes is the label.

    Parameters
    ----------
    class_weights : ndarray of shape (2,)
        Probabilities are multiplied by these; where both are alike then, the first
        class is the label.

    Returns
    -------
    threshold : float
    """
    first, second = class_weights
    return float(np.nextafter(first / (first + second), 1.0))


def _members_have(method):
    def check(ensemble):
        for estimator in ensemble.estimators:
            getattr(estimator, method)  # raises the reason
        return True

    return check


class WeightedEnsemble(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Weighted mean of probabilities, and labels by weighted classes.

    Parameters
    ----------
    estimators : list of classifiers
        The members.
    weights : ndarray of shape (n_members,), default=None
        Non-negative; None weighs all alike.
    class_weights : ndarray of shape (n_classes,), default=None
        Probabilities are multiplied by these for `predict`, and for that alone.
        None predicts the most probable class.
    n_jobs : int, default=None
        Members fitted at the same time, as in joblib.

    Attributes
    ----------
    estimators_ : list of classifiers
        The members, fitted.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    n_features_in_, feature_names_in_
        Those of the first member, where it has them.
    """

    def __init__(self, estimators, weights=None, class_weights=None, n_jobs=None):
        self.estimators = estimators
        self.weights = weights
        self.class_weights = class_weights
        self.n_jobs = n_jobs

    def fit(self, X, y, **fit_params):
        """Fit every member on all rows.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Anything that the members take.
        y : array-like of shape (n_rows,)
            Classes.
        **fit_params : dict
            Given to each member.

        Returns
        -------
        self
        """
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_clone)(estimator, X, y, fit_params)
            for estimator in self.estimators
        )
        return self.use(fitted)

    def use(self, fitted):
        """Take members that are fitted already.

        Parameters
        ----------
        fitted : list of classifiers
            In the order of `estimators`. What one of them has never seen of the
            classes has the probability 0 there.

        Returns
        -------
        self
        """
        self.estimators_ = list(fitted)
        first = self.estimators_[0]
        self.classes_ = np.unique(
            np.concatenate([estimator.classes_ for estimator in self.estimators_])
        )
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(first, name):
                setattr(self, name, getattr(first, name))
        return self

    @available_if(_members_have("predict_proba"))
    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns of `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
        """
        check_is_fitted(self)
        if len(self.estimators_) == 1:
            return self.estimators_[0].predict_proba(X)
        probabilities = [
            align(
                _in_double_precision(estimator.predict_proba(X)),
                estimator.classes_,
                self.classes_,
            )
            for estimator in self.estimators_
        ]
        # As `VotingClassifier` does it, of float64 to the last bit: ties are common.
        return np.average(probabilities, axis=0, weights=self.weights)

    @available_if(_members_have("predict_proba"))
    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns of `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_rows, n_classes)
        """
        check_is_fitted(self)
        if len(self.estimators_) == 1:
            return self.estimators_[0].predict_log_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns of `fit`.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
        """
        probabilities = self.predict_proba(X)
        if self.class_weights is not None and len(self.classes_) == 2:
            is_second = probabilities[:, 1] >= least_probability(self.class_weights)
            return self.classes_[is_second.astype(np.int64)]
        if self.class_weights is not None:
            probabilities = probabilities * self.class_weights
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimators_")


def _in_double_precision(probabilities):
    """Return probabilities that sum to 1 as float64.

    Those of XGBoost are float32 and sum to 1 as such, which is not near enough for
    `log_loss` once they are float64, as a mean is.
    """
    if probabilities.dtype != np.float32:
        return probabilities
    probabilities = probabilities.astype(np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _fit_clone(estimator, X, y, fit_params):
    return clone(estimator).fit(X, y, **fit_params)
