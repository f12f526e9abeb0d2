"""Fit and score candidates in parallel; failures come back as data."""

import pickle
import time
from dataclasses import dataclass, field, replace
from traceback import format_exc

import numpy as np
from scipy import sparse
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import get_scorer
from sklearn.utils.parallel import delayed

from skmeta._ensemble import align
from skmeta._footprint import Footprint, FootprintLimit, typical
from skmeta._limits import OutOfTime, memory_limit, time_limit
from skmeta._messages import error_line
from skmeta._schedule import Schedule
from skmeta._text import TextMemo
from skmeta._workers import Workers, calm, persist, received, this_process

# Seconds that workers get to stop by themselves, before they are ended.
_GRACE = 0.2

STOPPED = "Stopped: the time was over."
ASKED_FOR = "Stopped: the callback asked for it."
_CUT = "Interrupted before all splits were done."
INTERRUPTED = "Interrupted."
SCORING_FAILED = "scoring failed: "


@dataclass(frozen=True)
class Evaluations:
    """What came of the candidates that were tried, in the order recommended.

    Parameters
    ----------
    scores : ndarray of shape (n_tried, n_splits)
        Greater is better; NaN where the candidate failed.
    fit_seconds, score_seconds : ndarray of shape (n_tried, n_splits)
        Wall-clock seconds of each fold.
    text_seconds : ndarray of shape (n_tried, n_splits)
        Those among them that texts took. For the next candidate they may be
        remembered, so that it takes none.
    errors : tuple of (str or None)
        The first traceback of each candidate, None where it did not fail.
    probabilities : tuple of (list of ndarray or None)
        For each candidate, those of the rows tested in each split, shape
        (n_test_rows, n_classes). None if it failed or they were not wanted.
    models : tuple of (list or None)
        For each candidate, the fitted models of the splits, as they are or
        pickled. None if they were not wanted.
    plain_scores : ndarray of shape (n_tried, n_splits)
        Of the scorer, where `scores` are those of a judge.
    footprints : tuple of (Footprint or None)
        What the models of the splits take, if it is limited.
    interrupted : bool, default=False
        Whether the user stopped the evaluation before its end.
    """

    scores: np.ndarray
    fit_seconds: np.ndarray
    score_seconds: np.ndarray
    text_seconds: np.ndarray
    errors: tuple
    probabilities: tuple
    models: tuple
    plain_scores: np.ndarray
    footprints: tuple
    interrupted: bool = False

    @classmethod
    def untested(cls, n_candidates, n_splits):
        """Return what is known of candidates that were not tried: nothing."""
        unknown = np.full((n_candidates, n_splits), np.nan)
        nothing = (None,) * n_candidates
        return cls(
            scores=unknown,
            fit_seconds=unknown,
            score_seconds=unknown,
            text_seconds=unknown,
            errors=nothing,
            probabilities=nothing,
            models=nothing,
            plain_scores=unknown,
            footprints=nothing,
        )

    def followed_by(self, later):
        """Return these evaluations and, after them, later ones on the same splits."""
        return Evaluations(
            np.concatenate([self.scores, later.scores]),
            np.concatenate([self.fit_seconds, later.fit_seconds]),
            np.concatenate([self.score_seconds, later.score_seconds]),
            np.concatenate([self.text_seconds, later.text_seconds]),
            self.errors + later.errors,
            self.probabilities + later.probabilities,
            self.models + later.models,
            np.concatenate([self.plain_scores, later.plain_scores]),
            self.footprints + later.footprints,
            later.interrupted,
        )

    @property
    def mean_scores(self):
        """Mean over splits, NaN for a candidate that failed on any of them."""
        return _over_splits(np.mean, self.scores)


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
    text_seconds: float
    error: str | None
    probabilities: np.ndarray | None = None
    model: object = None
    plain_score: float = np.nan
    footprint: Footprint | None = None

    @property
    def seconds(self):
        return self.fit_seconds + self.score_seconds


@dataclass(frozen=True)
class Work:
    """What the evaluations of all candidates have in common.

    Parameters
    ----------
    X : table of shape (n_rows, n_columns)
        DataFrame, array, sparse matrix or list.
    y : array-like of shape (n_rows,)
        Target.
    splits : sequence of (train, test)
        Row numbers. Without any, nothing is fitted and no score is known.
    scorer : callable
        ``scorer(estimator, X, y)`` gives a float, greater is better.
    fit_params, score_params : dict, default=None
        Given to ``fit`` and to the scorer. What has one value per row is split
        like the rows.
    classes : ndarray of shape (n_classes,), default=None
        All classes. With them each fold predicts probabilities, which are kept.
        A scorer of scikit-learn then sees an estimator that gives those and the
        most probable class; a function of the user's sees the estimator, since
        it may ask for predictions of other rows.
    class_weights : ndarray of shape (n_classes,), default=None
        What probabilities are multiplied by for the labels that a scorer of
        scikit-learn sees.
    memory_limit : float, default=None
        Megabytes that a fit may take.
    largest_model : float, default=0
        Bytes up to which the fitted models of the folds are kept. Where they need
        not come from another process their size does not matter; 0 keeps none.
    footprint_limit : FootprintLimit, optional
        What a model may take. A candidate that takes more keeps its scores and has
        an error; where there is a deadline it gets no further splits.

    Attributes
    ----------
    texts : TextMemo
        What texts became.
    process : tuple
        Where this was made.
    """

    X: object
    y: object
    splits: list
    scorer: object
    fit_params: dict | None = None
    score_params: dict | None = None
    classes: np.ndarray | None = None
    class_weights: np.ndarray | None = None
    memory_limit: float | None = None
    largest_model: float = 0
    footprint_limit: FootprintLimit = field(default_factory=FootprintLimit)
    texts: TextMemo = field(default_factory=TextMemo, init=False)
    process: tuple = field(default_factory=this_process, init=False)


def evaluate_candidates(
    candidates,
    work,
    *,
    workers=None,
    schedule=None,
    expected_seconds=None,
    object_to=None,
    on_candidate=None,
    judge=None,
):
    """Cross-validate candidates in the order given.

    Parameters
    ----------
    candidates : sequence of estimators
        Unfitted; each split fits a clone.
    work : Work
        The rows, the splits and the scorer.
    workers : Workers, default=None
        Who does it; None takes those of a ``parallel_config`` around the call. The
        result does not depend on them, unless there is a deadline.
    schedule : Schedule, default=None
        Knows the deadline. Then candidates and folds that would end after it are
        not started, those that run over it are stopped, and so are those that take
        much longer than expected.
    expected_seconds : sequence of float, default=None
        Of a fold of each candidate, to fit and to score; NaN if nobody knows.
    object_to : callable, default=None
        ``object_to(scores)`` is given the scores of the splits that a candidate
        has so far, NaN for the others, and returns why it is not worth the rest,
        or None. Only called where there is a deadline.
    on_candidate : callable, default=None
        ``on_candidate(index, scores, seconds, error)`` is called in this
        process whenever a candidate has all its splits, or gets no more. If it is
        true no further ones are begun.
    judge : callable, default=None
        ``judge(probabilities)`` gives the score of each split instead of the
        scorer, from what all splits of a candidate have predicted.

    Returns
    -------
    Evaluations
        Of the candidates that were started.
    """
    n_splits = len(work.splits)
    if n_splits == 0:
        return Evaluations.untested(len(candidates), 0)
    schedule = Schedule(None) if schedule is None else schedule
    if expected_seconds is None:
        expected_seconds = [np.nan] * len(candidates)
    results = _Results(
        n_splits, schedule, expected_seconds, object_to, judge, on_candidate,
        work.footprint_limit,
    )  # fmt: skip

    def calls(indices, stand_in):
        for index in indices:
            seconds = expected_seconds[index] * results.pace()
            if not schedule.has_time_for(seconds, n_splits):
                return
            for fold in range(n_splits):
                if not results.wants(index, fold):
                    break
                if results.is_to_end:
                    if fold > 0:
                        results.give_up(index, ASKED_FOR)
                    return
                limit = schedule.limit(seconds)
                if limit is not None and limit <= 0:
                    if fold > 0:
                        results.give_up(index, STOPPED)
                    return
                results.note_start(index, fold)
                candidate = candidates[index]
                yield delayed(_calmly)(stand_in, index, fold, candidate, limit)

    workers = workers or Workers()

    def run(indices):
        _collect(calls(indices, workers.share(work)), workers, schedule, results)

    persist(list(range(len(candidates))), run, results, workers)
    return results.merge()


def _collect(calls, workers, schedule, results):
    """Let calls be done and collect their results, until they end or the time does."""
    limit = schedule.left_to_try() + _GRACE if schedule.is_limited else None
    try:
        with calm(), time_limit(limit):
            for result in workers.run(calls):
                results.add(result)
    except OutOfTime:
        # Joblib has ended the workers, and what they were busy with.
        workers.close()
        for index in results.under_way():
            results.give_up(index, STOPPED)
    except KeyboardInterrupt:
        workers.close()
        results.interrupted = True
        if not results.has_complete():
            raise


class _Results:
    """What has come of candidates so far, and what follows from it.

    Tasks are made in one thread and results come in another, so that each method
    works on what is there when it is called.
    """

    def __init__(
        self,
        n_splits,
        schedule,
        expected_seconds,
        object_to,
        judge,
        on_candidate,
        footprint_limit,
    ):
        self._n_splits = n_splits
        self._schedule = schedule
        self._expected_seconds = expected_seconds
        self._object_to = object_to
        self._judge = judge
        self._on_candidate = on_candidate
        self._footprint_limit = footprint_limit
        self._folds = {}
        self._n_started = {}
        self._reasons = {}  # why a candidate gets no more folds
        self._reported = set()
        self.is_to_end = False  # as whoever is told of candidates wants
        self.interrupted = False

    @property
    def started(self):
        """The candidates of which a fold was started."""
        return list(self._n_started)

    @property
    def is_over(self):
        """Whether no further candidates are to be tried."""
        return self.interrupted or self.is_to_end

    def pace(self):
        """Return how many times as long as expected folds took, and at least 1."""
        ratios = [
            result.seconds / max(self._expected_seconds[index], 1e-3)
            for index, folds in list(self._folds.items())
            for result in list(folds.values())
        ]
        known = [ratio for ratio in ratios if ratio > 0]
        # One imagined fold was as fast as expected.
        return max(1.0, float(np.exp(np.sum(np.log(known)) / (len(known) + 1))))

    def note_start(self, index, fold):
        self._n_started[index] = fold + 1

    def forget(self, indices):
        """Take candidates for not started."""
        for index in indices:
            del self._n_started[index]
            self._folds.pop(index, None)

    def wants(self, index, fold):
        """Say whether a candidate is worth its next fold; always without deadline."""
        if index in self._reasons:
            return False
        done = list(self._folds.get(index, {}).values())
        if not self._schedule.is_limited or not done:
            return True
        if any(result.error for result in done):
            return False
        seconds = np.mean([result.seconds for result in done])
        n_left = self._n_splits - fold
        if not self._schedule.has_time_for(seconds, n_left):
            self.give_up(
                index,
                f"Given up after {fold} of {self._n_splits} splits: the rest would "
                f"not have ended in time.",
            )
            return False
        objection = self._footprint_limit.excess(_footprint(done))
        if objection is not None:
            self.give_up(index, objection)
            return False
        if self._object_to is None:
            return True
        scores = np.full(self._n_splits, np.nan)
        for result in done:
            scores[result.fold] = result.plain_score
        objection = self._object_to(scores)
        if objection is not None:
            self.give_up(index, objection)
        return objection is None

    def add(self, result):
        """Take the result of a fold."""
        folds = self._folds.setdefault(result.candidate, {})
        folds[result.fold] = result
        if len(folds) < self._n_splits:
            if self._schedule.is_limited and result.error:
                self._report(result.candidate)
            return
        if self._judge is not None:
            _judge(folds, self._judge)
        self._report(result.candidate)

    def give_up(self, index, reason):
        """Note why a candidate gets no more folds."""
        self._reasons.setdefault(index, reason)
        self._report(index)

    def under_way(self):
        """Return the candidates of which a fold that was started has no result."""
        return [
            index
            for index, n_started in list(self._n_started.items())
            if len(self._folds.get(index, {})) < n_started
            and index not in self._reasons
        ]

    def has_complete(self):
        """Say whether a candidate has all its folds, and nothing against it."""
        return any(
            self._footprint_limit.excess(_footprint(folds.values())) is None
            and not any(result.error for result in folds.values())
            for folds in map(self._folds.get, self._complete())
        )

    def _complete(self):
        return [i for i, folds in self._folds.items() if len(folds) == self._n_splits]

    def _report(self, index):
        if self._on_candidate is None or index in self._reported:
            return
        self._reported.add(index)
        folds = self._folds.get(index, {})
        scores, seconds, error = _summary(folds, self._n_splits)
        error = self._reasons.get(index, error)
        if error is None:
            error = self._footprint_limit.excess(_footprint(folds.values()))
        self.is_to_end |= bool(self._on_candidate(index, scores, seconds, error))

    def merge(self):
        """Put results in the order of candidates and folds, however they arrived."""
        # After an interruption those under way at the end are no rows.
        tried = self._complete() if self.interrupted else self._n_started
        n_tried = max(tried, default=-1) + 1
        arrays = np.full((5, n_tried, self._n_splits), np.nan)
        scores, plain_scores, fit_seconds, score_seconds, text_seconds = arrays
        errors = [None] * n_tried
        probabilities, models = [None] * n_tried, [None] * n_tried
        footprints = [None] * n_tried
        for index in range(n_tried):
            folds = self._folds.get(index, {})
            for fold, result in folds.items():
                scores[index, fold] = result.score
                plain_scores[index, fold] = result.plain_score
                fit_seconds[index, fold] = result.fit_seconds
                score_seconds[index, fold] = result.score_seconds
                text_seconds[index, fold] = result.text_seconds
            errors[index] = _summary(folds, self._n_splits)[2]
            if len(folds) < self._n_splits and errors[index] is None:
                errors[index] = self._reasons.get(index, _CUT)
            footprints[index] = _footprint(folds.values())
            if errors[index] is None:
                errors[index] = self._footprint_limit.excess(footprints[index])
            if errors[index] is None:
                ordered = [folds[fold] for fold in range(self._n_splits)]
                probabilities[index] = [result.probabilities for result in ordered]
                if all(result.model is not None for result in ordered):
                    models[index] = [result.model for result in ordered]
            elif self.interrupted and len(folds) < self._n_splits:
                scores[index] = np.nan
        return Evaluations(
            scores,
            fit_seconds,
            score_seconds,
            text_seconds,
            tuple(errors),
            tuple(probabilities),
            tuple(models),
            plain_scores,
            tuple(footprints),
            self.interrupted,
        )


def _judge(folds, judge):
    """Replace the scores of a candidate that has all its folds."""
    if any(result.error for result in folds.values()):
        return
    try:
        scores = judge([folds[fold].probabilities for fold in sorted(folds)])
    except Exception:
        folds[0] = replace(folds[0], score=np.nan, error=format_exc())
        return
    for fold, score in enumerate(scores):
        folds[fold] = replace(folds[fold], score=float(score))


def _summary(folds, n_splits):
    scores = np.full(n_splits, np.nan)
    for fold, result in folds.items():
        scores[fold] = result.score
    ordered = [folds[fold] for fold in sorted(folds)]
    seconds = sum(result.seconds for result in ordered)
    error = next((result.error for result in ordered if result.error), None)
    return scores, seconds, error


def _footprint(results):
    """Return what the models of folds take, None if none of them was measured."""
    measured = [each.footprint for each in results if each.footprint]
    return typical(measured) if measured else None


def _calmly(stand_in, *arguments):
    with calm():
        return _fit_and_score(received(stand_in), *arguments)


def _fit_and_score(work, index, fold, candidate, limit):
    """Return one fold's result; a failed fit is recorded, not raised."""
    train, test = work.splits[fold]
    start = time.perf_counter()
    fitted, score, probabilities, model = start, np.nan, None, None
    footprint = ended = None
    text_seconds = work.texts.seconds
    try:
        with (
            memory_limit(work.memory_limit),
            time_limit(limit),
            work.texts.in_use(),
            calm(),  # again, where an interruption is not yet an error of the fit
        ):
            estimator = clone(candidate)
            estimator.fit(
                take_rows(work.X, train),
                take_rows(work.y, train),
                **params_of_rows(work.fit_params, train, len(work.y)),
            )
            fitted = time.perf_counter()
            score, probabilities = _score_fold(work, estimator, test)
            error, ended = None, time.perf_counter()
            if not np.isfinite(score):
                error, score = f"The scorer gave {score} instead of a number.", np.nan
            else:
                if work.largest_model:
                    model = _model_to_keep(estimator, work)
                if work.footprint_limit:
                    row = take_rows(work.X, test[:1])
                    footprint = work.footprint_limit.measure(estimator, row)
    except OutOfTime:
        error = f"Stopped after {time.perf_counter() - start:.1f} seconds."
    except (Exception, SystemExit):
        error = format_exc()
    ended = ended or time.perf_counter()
    fitted = fitted if fitted > start else ended
    return _FoldResult(
        index,
        fold,
        np.nan if error else score,
        fitted - start,
        ended - fitted,
        work.texts.seconds - text_seconds,
        error,
        probabilities,
        model,
        np.nan if error else score,
        footprint,
    )


def _score_fold(work, estimator, test):
    """Return the score of a fitted model, and the probabilities if they are wanted."""
    X_test, y_test = take_rows(work.X, test), take_rows(work.y, test)
    params = params_of_rows(work.score_params, test, len(work.y))
    if work.classes is None:
        return _score(work.scorer, estimator, X_test, y_test, params), None
    probabilities = estimator.predict_proba(X_test)
    scored = estimator
    if asks_for_predictions_only(work.scorer):
        weights = work.class_weights
        if weights is not None:
            weights = weights[np.searchsorted(work.classes, estimator.classes_)]
        scored = Prediction(estimator.classes_, probabilities, weights)
    score = _score(work.scorer, scored, X_test, y_test, params)
    if not np.isfinite(probabilities).all():
        raise ValueError("predict_proba gave NaN or infinity.")
    return score, align(probabilities, estimator.classes_, work.classes)


def _model_to_keep(estimator, work):
    """Return a model as it is, or as bytes if it goes to another process.

    Pickled here and not by joblib: nobody can know its size before. What cannot be
    pickled, such as a lambda, is not kept.
    """
    if this_process() == work.process:
        return estimator
    try:
        pickled = pickle.dumps(estimator, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        return None
    return pickled if len(pickled) <= work.largest_model else None


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


def score_prediction(scorer, prediction, y, rows, score_params):
    """Score a prediction for some rows as `evaluate_candidates` does.

    Parameters
    ----------
    scorer : callable
        One of those that ask for predictions only: it is not given the table, of which
        a copy would have to be made.
    prediction : Prediction
        For the rows.
    y : ndarray of shape (n_rows,)
        Classes of all rows.
    rows : ndarray of int
        The positions of those that were predicted.
    score_params : dict
        Given to the scorer.

    Returns
    -------
    score : float
    """
    params = params_of_rows(score_params, rows, len(y))
    return _score(scorer, prediction, rows, take_rows(y, rows), params)


def _score(scorer, estimator, X, y, score_params):
    """Score, or say that it was the scorer that failed and not the fit."""
    try:
        return float(_score_as_it_can(scorer, estimator, X, y, score_params))
    except Exception as error:
        raise RuntimeError(
            f"{SCORING_FAILED}{type(error).__name__}: {error_line(error)}"
        ) from error


def _score_as_it_can(scorer, estimator, X, y, score_params):
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


def fit_all(candidates, work, rows=None, workers=None, seconds=None):
    """Fit candidates on all rows, or on some.

    Parameters
    ----------
    candidates : sequence of estimators
        Unfitted; clones are fitted.
    work : Work
        The rows, their classes, and the limit of memory.
    rows : ndarray of int, default=None
        Those to be fitted on; None is all.
    workers : Workers, default=None
        Who does it; None takes those of a ``parallel_config`` around the call.
    seconds : float, default=None
        After which what is not done is stopped.

    Returns
    -------
    outcomes : list of (estimator or None, str or None)
        What was fitted, and the error in one line if it failed; `INTERRUPTED` if
        the user did not let it end.
    """
    workers = workers or Workers()
    # With a limit even a single one goes to another process, which can be ended;
    # without, it would only lose time on its way.
    if len(candidates) == 1 and seconds is None:
        workers = Workers(1)
    outcomes = _Outcomes(len(candidates))
    limit = None if seconds is None else seconds + _GRACE

    def calls(indices, stand_in):
        for index in indices:
            outcomes.started.append(index)
            candidate = candidates[index]
            yield delayed(_fit_calmly)(stand_in, index, candidate, rows, seconds)

    def run(indices):
        for index, *outcome in workers.run(calls(indices, workers.share(work))):
            outcomes.of[index] = tuple(outcome)

    try:
        with calm(), time_limit(limit):
            persist(list(range(len(candidates))), run, outcomes, workers)
    except OutOfTime:
        workers.close()
    except KeyboardInterrupt:
        workers.close()
        outcomes.interrupt()
    return outcomes.of


class _Outcomes:
    """What has come of fits so far, in the form that `persist` takes."""

    is_over = False

    def __init__(self, n_fits):
        self.of = [(None, STOPPED)] * n_fits
        self.started = []

    def under_way(self):
        return [index for index in self.started if self.of[index] == (None, STOPPED)]

    def forget(self, indices):
        self.started = [index for index in self.started if index not in indices]

    def give_up(self, index, reason):
        self.of[index] = None, reason

    def interrupt(self):
        """Note that what was not fitted by now will not be."""
        self.of = [(None, INTERRUPTED) if o[0] is None else o for o in self.of]


def _fit_calmly(stand_in, index, candidate, rows, seconds):
    work = received(stand_in)
    X, y, params = work.X, work.y, work.fit_params or {}
    try:
        with (
            calm(),
            memory_limit(work.memory_limit),
            time_limit(seconds),
            work.texts.in_use(),
        ):
            if rows is not None:
                params = params_of_rows(params, rows, len(y))
                X, y = take_rows(X, rows), take_rows(y, rows)
            return index, clone(candidate).fit(X, y, **params), None
    except OutOfTime:
        return index, None, STOPPED
    except Exception as error:
        return index, None, f"{type(error).__name__}: {error_line(error)}"


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


def params_of_rows(params, rows, n_rows):
    """Return parameters in which what has a value per row is that of some rows.

    Parameters
    ----------
    params : dict or None
        Given to ``fit`` or to a scorer. None as a value is left out.
    rows : ndarray of int
        The rows.
    n_rows : int
        How many there are in all.

    Returns
    -------
    params : dict
    """

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
    has_failed = [error is not None for error in evaluations.errors]
    results["rank_test_score"] = _ranks(
        np.where(has_failed, np.nan, evaluations.mean_scores)
    )
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
