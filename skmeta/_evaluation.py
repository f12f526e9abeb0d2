"""Fit and score candidates in parallel; failures come back as data."""

import os
import time
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from traceback import format_exc

import numpy as np
from scipy import sparse
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import get_scorer
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Evaluations:
    """What came of the candidates that were tried, in the order recommended.

    Parameters
    ----------
    scores : ndarray of shape (n_tried, n_splits)
        Greater is better; NaN where the candidate failed.
    fit_seconds, score_seconds : ndarray of shape (n_tried, n_splits)
        Wall-clock seconds of each fold.
    errors : tuple of (str or None)
        The first traceback of each candidate, None where it did not fail.
    interrupted : bool
        Whether the user stopped the evaluation before its end.
    probabilities : tuple of (list of ndarray or None)
        For each candidate that did not fail, those of the rows tested in each
        split, shape (n_test_rows, n_classes). Empty if they were not wanted.
    """

    scores: np.ndarray
    fit_seconds: np.ndarray
    score_seconds: np.ndarray
    errors: tuple
    interrupted: bool = False
    probabilities: tuple = ()

    @classmethod
    def none(cls, n_splits):
        """Return what there is before anything was tried."""
        nothing = np.empty((0, n_splits))
        return cls(nothing, nothing, nothing, ())

    def followed_by(self, later):
        """Return these evaluations and, after them, later ones on the same splits."""
        return Evaluations(
            np.concatenate([self.scores, later.scores]),
            np.concatenate([self.fit_seconds, later.fit_seconds]),
            np.concatenate([self.score_seconds, later.score_seconds]),
            self.errors + later.errors,
            later.interrupted,
            self.probabilities + later.probabilities,
        )

    @property
    def mean_scores(self):
        """Mean over splits, NaN for a candidate that failed on any of them."""
        return _over_splits(np.mean, self.scores)

    @property
    def best_index(self):
        """Position of the best candidate, the first one among equals.

        Without splits nothing was compared, and the first one it is.
        """
        means = self.mean_scores
        return 0 if np.isnan(means).all() else int(np.nanargmax(means))


def _over_splits(summary, values):
    """Summarize each row, as NaN where there are no splits at all."""
    n_candidates, n_splits = values.shape
    return summary(values, axis=1) if n_splits else np.full(n_candidates, np.nan)


@dataclass(frozen=True)
class _FoldResult:
    candidate: int
    fold: int
    score: float
    fit_seconds: float
    score_seconds: float
    error: str | None
    probabilities: np.ndarray | None = None


def evaluate_candidates(
    candidates,
    X,
    y,
    splits,
    scorer,
    *,
    n_jobs=None,
    fit_params=None,
    score_params=None,
    deadline=None,
    clock=time.monotonic,
    on_candidate=None,
    classes=None,
    judge=None,
):
    """Cross-validate candidates in the order given.

    Parameters
    ----------
    candidates : sequence of estimators
        Unfitted; each split fits a clone.
    X : table of shape (n_rows, n_columns)
        DataFrame, array, sparse matrix or list.
    y : array-like of shape (n_rows,)
        Target.
    splits : sequence of (train, test)
        Row numbers. Without any, nothing is fitted and no score is known.
    scorer : callable
        ``scorer(estimator, X, y)`` gives a float, greater is better.
    n_jobs : int or None, default=None
        As in joblib; a ``parallel_config`` around the call is obeyed. The
        result does not depend on it.
    fit_params, score_params : dict, default=None
        Given to ``fit`` and to the scorer. What has one value per row is split
        like the rows.
    deadline : float, default=None
        Reading of `clock` after which no further candidate is started. The
        first one always is; one that was started gets all its splits.
    clock : callable, default=time.monotonic
        Seconds from any origin.
    on_candidate : callable, default=None
        ``on_candidate(index, scores, seconds, error)`` is called in this
        process whenever a candidate has all its splits.
    classes : ndarray of shape (n_classes,), default=None
        All classes. With them each fold predicts probabilities, which are kept.
        A scorer of scikit-learn then sees an estimator that gives those and the
        most probable class; a function of the user's sees the estimator, since
        it may ask for predictions of other rows.
    judge : callable, default=None
        ``judge(probabilities)`` gives the score of each split instead of the
        scorer, from what all splits of a candidate have predicted.

    Returns
    -------
    Evaluations
        Of the candidates that were started.
    """
    if not splits:
        nothing = np.empty((len(candidates), 0))
        return Evaluations(nothing, nothing, nothing, (None,) * len(candidates))
    work = (
        delayed(_calmly)(
            os.getpid(),
            index,
            fold,
            candidate,
            X,
            y,
            train,
            test,
            scorer,
            fit_params,
            score_params,
            classes,
        )
        for index, candidate in _until(deadline, clock, candidates)
        for fold, (train, test) in enumerate(splits)
    )
    # Only as much is dispatched as can run, so that `_until` looks at the clock
    # when a worker is free and not all at once in the beginning.
    parallel = Parallel(
        n_jobs=n_jobs,
        pre_dispatch="n_jobs",
        batch_size=1,
        return_as="generator_unordered",
    )
    results, interrupted = {}, False
    try:
        with calm():
            for result in parallel(work):
                folds = results.setdefault(result.candidate, {})
                folds[result.fold] = result
                if len(folds) < len(splits):
                    continue
                if judge is not None:
                    _judge(folds, judge)
                if on_candidate is not None:
                    on_candidate(result.candidate, *_summary(folds))
    except KeyboardInterrupt:
        interrupted = True
        results = {
            i: folds for i, folds in results.items() if len(folds) == len(splits)
        }
        if not results:
            raise
    return _merge(results, len(splits), interrupted)


def _until(deadline, clock, candidates):
    for index, candidate in enumerate(candidates):
        if index > 0 and deadline is not None and clock() >= deadline:
            return
        yield index, candidate


def _judge(folds, judge):
    """Replace the scores of a candidate that has all its folds."""
    if _summary(folds)[2] is not None:
        return
    try:
        scores = judge([folds[fold].probabilities for fold in sorted(folds)])
    except Exception:
        folds[0] = replace(folds[0], score=np.nan, error=format_exc())
        return
    for fold, score in enumerate(scores):
        folds[fold] = replace(folds[fold], score=float(score))


def _summary(folds):
    ordered = [folds[fold] for fold in sorted(folds)]
    scores = np.array([result.score for result in ordered])
    seconds = sum(result.fit_seconds + result.score_seconds for result in ordered)
    error = next((result.error for result in ordered if result.error), None)
    return scores, seconds, error


def _merge(results, n_splits, interrupted):
    """Put results in the order of candidates and folds, however they arrived.

    After an interruption the candidates left may have gaps between them: those
    that did not finish are rows without a score.
    """
    n_tried = max(results) + 1
    scores, fit_seconds, score_seconds = np.full((3, n_tried, n_splits), np.nan)
    errors = ["Interrupted before all splits were done."] * n_tried
    probabilities = [None] * n_tried
    for index, folds in results.items():
        for fold, result in folds.items():
            scores[index, fold] = result.score
            fit_seconds[index, fold] = result.fit_seconds
            score_seconds[index, fold] = result.score_seconds
        errors[index] = _summary(folds)[2]
        if errors[index] is None:
            probabilities[index] = [folds[i].probabilities for i in range(n_splits)]
    return Evaluations(
        scores,
        fit_seconds,
        score_seconds,
        tuple(errors),
        interrupted,
        tuple(probabilities),
    )


def _calmly(parent, *arguments):
    """Fit and score one fold; in a process of its own, calm that first.

    Threads share filters and thread limits with the process that is calm already:
    each changing and restoring them would leave them changed in the end.
    """
    with nullcontext() if os.getpid() == parent else calm():
        return _fit_and_score(*arguments)


def _fit_and_score(
    index, fold, candidate, X, y, train, test, scorer, fit_params, score_params, classes
):
    """Return one fold's result; a failed fit is recorded, not raised."""
    start = time.perf_counter()
    fitted, probabilities = start, None
    try:
        estimator = clone(candidate)
        estimator.fit(
            take_rows(X, train),
            take_rows(y, train),
            **_params_of_rows(fit_params, train, len(y)),
        )
        fitted = time.perf_counter()
        X_test, y_test = take_rows(X, test), take_rows(y, test)
        params = _params_of_rows(score_params, test, len(y))
        if classes is None:
            score = float(_score(scorer, estimator, X_test, y_test, params))
        else:
            probabilities = estimator.predict_proba(X_test)
            scored = estimator
            if asks_for_predictions_only(scorer):
                scored = Prediction(estimator.classes_, probabilities)
            score = float(_score(scorer, scored, X_test, y_test, params))
            probabilities = _align(probabilities, estimator.classes_, classes)
        error = None
        if not np.isfinite(score):
            error, score = f"The scorer gave {score} instead of a number.", np.nan
    except Exception:
        score, error = np.nan, format_exc()
    ended = time.perf_counter()
    fitted = fitted if fitted > start else ended
    return _FoldResult(
        index, fold, score, fitted - start, ended - fitted, error, probabilities
    )


def asks_for_predictions_only(scorer):
    """Say whether a scorer is one of scikit-learn's, or made by `make_scorer`.

    Parameters
    ----------
    scorer : callable
        ``scorer(estimator, X, y)``.

    Returns
    -------
    answer : bool
    """
    return isinstance(scorer, type(get_scorer("accuracy")))


class Prediction(ClassifierMixin, BaseEstimator):
    """What a classifier predicts for certain rows, in the form of a classifier.

    So that a scorer sees several labellings of one prediction.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        All classes.
    probabilities : ndarray of shape (n_rows, n_classes)
        Of the rows that the scorer is given.
    class_weights : ndarray of shape (n_classes,), default=None
        What probabilities are multiplied by for labels.
    """

    def __init__(self, classes, probabilities, class_weights=None):
        self.classes = classes
        self.probabilities = probabilities
        self.class_weights = class_weights

    @property
    def classes_(self):
        """All classes."""
        return self.classes

    def predict_proba(self, X):
        """Return the probabilities."""
        return self.probabilities

    def predict(self, X):
        """Return the class with the greatest weighted probability."""
        probabilities = self.probabilities
        if self.class_weights is not None:
            probabilities = probabilities * self.class_weights
        return self.classes[probabilities.argmax(axis=1)]

    def __sklearn_is_fitted__(self):
        return True


def _align(probabilities, known, classes):
    """Return the probabilities of all classes, also of those that are not known."""
    if not np.isfinite(probabilities).all():
        raise ValueError("predict_proba gave NaN or infinity.")
    if len(known) == len(classes):
        return probabilities
    aligned = np.zeros((len(probabilities), len(classes)))
    aligned[:, np.searchsorted(classes, known)] = probabilities
    return aligned


def score_prediction(scorer, prediction, X, y, rows, score_params):
    """Score a prediction for some rows as `evaluate_candidates` does.

    Parameters
    ----------
    scorer : callable
        ``scorer(estimator, X, y)`` gives a float.
    prediction : Prediction
        For the rows.
    X, y : table and ndarray
        All rows and their classes.
    rows : ndarray of int
        The positions of those that were predicted.
    score_params : dict
        Given to the scorer.

    Returns
    -------
    score : float
    """
    params = _params_of_rows(score_params, rows, len(y))
    X, y = take_rows(X, rows), take_rows(y, rows)
    return float(_score(scorer, prediction, X, y, params))


def _score(scorer, estimator, X, y, score_params):
    """Score with weights where the scorer takes them, without where it does not.

    A scorer made from a metric without ``sample_weight`` has it in its own
    signature all the same: only the call tells.
    """
    try:
        return scorer(estimator, X, y, **score_params)
    except TypeError as error:
        if "sample_weight" not in score_params or "sample_weight" not in str(error):
            raise
        rest = {k: v for k, v in score_params.items() if k != "sample_weight"}
        return scorer(estimator, X, y, **rest)


def fit_all(candidates, X, y, fit_params, n_jobs=None):
    """Fit candidates on all rows.

    Parameters
    ----------
    candidates : sequence of estimators
        Unfitted; clones are fitted.
    X, y : table and ndarray
        All rows and their classes.
    fit_params : dict
        Given to ``fit``.
    n_jobs : int or None, default=None
        As in joblib.

    Returns
    -------
    outcomes : list of (estimator or None, str or None)
        What was fitted, and the error in one line if it failed.
    """
    with calm():
        return Parallel(n_jobs=n_jobs)(
            delayed(_fit_calmly)(os.getpid(), candidate, X, y, fit_params)
            for candidate in candidates
        )


def _fit_calmly(parent, candidate, X, y, fit_params):
    with nullcontext() if os.getpid() == parent else calm():
        try:
            return clone(candidate).fit(X, y, **fit_params), None
        except Exception as error:
            first_line = str(error).partition("\n")[0]
            return None, f"{type(error).__name__}: {first_line}"


@contextmanager
def calm():
    """Fit without chatter, and with one thread: parallelism is over candidates.

    The number of threads changes the order of additions in BLAS, and with it
    the last bit: a result would depend on `n_jobs`. And OpenMP threads that wait
    for each other on a busy machine take a hundred times longer than one.
    """
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        # Convergence, collinear columns, small classes: such a candidate shows
        # by its score. Deprecations must be seen.
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category=category)
        yield


def take_rows(data, rows):
    """Return the rows of a table, a target or a list.

    Parameters
    ----------
    data : DataFrame, Series, ndarray, sparse matrix or list
        What has rows.
    rows : ndarray of int
        Their positions.

    Returns
    -------
    subset : same type as `data`
    """
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    if sparse.issparse(data):
        return data.tocsr()[rows]
    if hasattr(data, "shape"):
        return data[rows]
    return [data[row] for row in rows]


def _params_of_rows(params, rows, n_rows):
    def part(value):
        is_text = isinstance(value, (str, bytes))
        has_rows = hasattr(value, "__len__") and not is_text and len(value) == n_rows
        return take_rows(value, rows) if has_rows else value

    return {
        name: part(value) for name, value in (params or {}).items() if value is not None
    }


def make_cv_results(evaluations, params):
    """Arrange evaluations as `GridSearchCV.cv_results_` does.

    Parameters
    ----------
    evaluations : Evaluations
        Of the candidates tried.
    params : sequence of dict
        The parameters of each of them.

    Returns
    -------
    cv_results : dict of str to (ndarray, masked array or list)
        The keys of `GridSearchCV` for a single metric, in its order.
    """
    results = {}
    for name, seconds in [
        ("fit_time", evaluations.fit_seconds),
        ("score_time", evaluations.score_seconds),
    ]:
        results[f"mean_{name}"] = _over_splits(np.mean, seconds)
        results[f"std_{name}"] = _over_splits(np.std, seconds)
    for name in dict.fromkeys(name for values in params for name in values):
        results[f"param_{name}"] = _masked_column(
            [p.get(name, _ABSENT) for p in params]
        )
    results["params"] = list(params)
    for split, scores in enumerate(evaluations.scores.T):
        results[f"split{split}_test_score"] = scores
    results["mean_test_score"] = evaluations.mean_scores
    results["std_test_score"] = _over_splits(np.std, evaluations.scores)
    results["rank_test_score"] = _ranks(evaluations.mean_scores)
    return results


_ABSENT = object()


def _masked_column(values):
    mask = np.array([value is _ABSENT for value in values])
    present = [value for value in values if value is not _ABSENT]
    try:
        dtype = np.array(present).dtype
    except ValueError:  # lists of different lengths
        dtype = np.dtype(object)
    if dtype.kind not in "biuf" or any(isinstance(v, (list, tuple)) for v in present):
        dtype = np.dtype(object)
    column = np.ma.MaskedArray(np.empty(len(values), dtype=dtype), mask=mask)
    for i, value in enumerate(values):
        if value is not _ABSENT:
            column[i] = value
    return column


def _ranks(means):
    """Rank from 1, the best; equals share the better rank, failures the last."""
    if np.isnan(means).all():
        return np.ones(len(means), dtype=np.int32)
    filled = np.where(np.isnan(means), np.nanmin(means) - 1, means)
    return rankdata(-filled, method="min").astype(np.int32)
