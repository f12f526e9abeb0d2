import inspect
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

from skmeta._evaluation import (
    INTERRUPTED,
    Evaluations,
    Work,
    evaluate_candidates,
    fit_all,
    make_cv_results,
    take_rows,
)
from skmeta._schedule import Schedule
from skmeta._workers import Workers, calm

N_ROWS = 12
X = np.arange(2.0 * N_ROWS).reshape(N_ROWS, 2)
Y = np.arange(N_ROWS) % 2
SPLITS = list(StratifiedKFold(3).split(X, Y))


class ConstantScoreClassifier(ClassifierMixin, BaseEstimator):
    """Remembers what it was given; `asked_score` gives it the score it asks for."""

    def __init__(self, score=0.5, layers=None):
        self.score = score
        self.layers = layers

    def fit(self, X, y, sample_weight=None, tag=None):
        self.classes_ = np.unique(y)
        self.rows_ = np.asarray(X)[:, 0] / 2
        self.weights_ = sample_weight
        self.tag_ = tag
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


class AlwaysFailingClassifier(ConstantScoreClassifier):
    """Raises in every fit."""

    def fit(self, X, y, **fit_params):
        raise ValueError("Nobody can learn this.")


class FailingWithoutTheFirstRowClassifier(ConstantScoreClassifier):
    """Raises in the one fold that holds the first row out."""

    def fit(self, X, y, **fit_params):
        super().fit(X, y, **fit_params)
        if 0 not in self.rows_:
            raise ValueError("The first row is missing.")
        return self


class InterruptingClassifier(ConstantScoreClassifier):
    """Stands for a user who presses Ctrl-C in the fold without the first row."""

    def fit(self, X, y, **fit_params):
        super().fit(X, y, **fit_params)
        if 0 not in self.rows_:
            raise KeyboardInterrupt
        return self


class ChattyClassifier(ConstantScoreClassifier):
    """Prints and warns while it learns."""

    def fit(self, X, y, **fit_params):
        print("Epoch 1 of 1")
        warnings.warn("This has not converged.", UserWarning, stacklevel=1)
        warnings.warn("Something was divided by zero.", RuntimeWarning, stacklevel=1)
        return super().fit(X, y, **fit_params)


class DeprecatedClassifier(ConstantScoreClassifier):
    """Warns that it will go away."""

    def fit(self, X, y, **fit_params):
        warnings.warn("This will go away.", FutureWarning, stacklevel=1)
        return super().fit(X, y, **fit_params)


def asked_score(estimator, X, y):
    return estimator.score


def mean_of_rows(estimator, X, y):
    """Tells folds apart: the mean number of the rows held out."""
    return np.mean(np.asarray(X)[:, 0] / 2)


def evaluate(*candidates, **options):
    """Evaluate doubles on twelve rows in three folds."""
    known = {"X": X, "y": Y, "splits": SPLITS, "scorer": asked_score} | options
    names = {each.name for each in fields(Work)}
    work = Work(**{name: known.pop(name) for name in names & known.keys()})
    with Workers(known.pop("n_jobs", None)) as workers:
        return evaluate_candidates(candidates, work, workers=workers, **known)


# Scores


def test_evaluate_candidates_worked_example():
    """One row of scores for each candidate, in the order given."""
    evaluations = evaluate(
        ConstantScoreClassifier(0.2),
        ConstantScoreClassifier(0.9),
        ConstantScoreClassifier(0.4),
    )
    assert evaluations.scores.tolist() == [[0.2] * 3, [0.9] * 3, [0.4] * 3]
    np.testing.assert_allclose(evaluations.mean_scores, [0.2, 0.9, 0.4])
    assert evaluations.errors == (None, None, None)
    assert not evaluations.interrupted
    for seconds in (evaluations.fit_seconds, evaluations.score_seconds):
        assert seconds.shape == (3, 3)
        assert (seconds >= 0).all()


def test_folds_stay_in_order():
    """Each score belongs to its split."""
    evaluations = evaluate(ConstantScoreClassifier(), scorer=mean_of_rows)
    expected = [np.mean(test) for _, test in SPLITS]
    np.testing.assert_allclose(evaluations.scores, [expected])


def test_candidates_stay_unfitted():
    """Each fold fits a clone."""
    candidate = ConstantScoreClassifier()
    evaluate(candidate)
    assert not hasattr(candidate, "rows_")


def test_a_fold_that_failed_is_no_score():
    """A candidate that failed on one split is not compared on the others."""
    scores = np.array([[0.1, 0.3], [np.nan, 0.9], [0.3, 0.5]])
    evaluations = replace(
        Evaluations.untested(3, 2), scores=scores, errors=(None, "Traceback", None)
    )
    np.testing.assert_allclose(evaluations.mean_scores, [0.2, np.nan, 0.4])


@pytest.mark.parametrize("as_table", [np.asarray, pd.DataFrame, sparse.csr_array, list])
@pytest.mark.parametrize("as_target", [np.asarray, pd.Series, list])
def test_tables_of_every_kind(as_table, as_target):
    """Table and target may be arrays, frames, sparse or lists."""
    target = as_target(Y)
    if isinstance(target, pd.Series):
        target.index += 100  # positions count, not labels
    candidate = LogisticRegression()
    scorer = get_scorer("accuracy")
    evaluations = evaluate(candidate, X=as_table(X), y=target, scorer=scorer)
    expected = evaluate(candidate, scorer=scorer)
    np.testing.assert_array_equal(evaluations.scores, expected.scores)
    assert evaluations.errors == (None,)


@pytest.mark.parametrize("n_jobs", [None, 1])
def test_without_splits_nothing_is_fitted(n_jobs):
    """No splits, no scores: the first candidate is the best for want of evidence."""
    evaluations = evaluate(
        AlwaysFailingClassifier(), ConstantScoreClassifier(), splits=[], n_jobs=n_jobs
    )
    assert evaluations.scores.shape == (2, 0)
    assert evaluations.errors == (None, None)
    assert np.isnan(evaluations.mean_scores).all()


# Failures


def test_failures_are_data():
    """A failed fit is NaN with its traceback, and loses no other candidate."""
    evaluations = evaluate(
        AlwaysFailingClassifier(0.9),
        ConstantScoreClassifier(0.3),
        FailingWithoutTheFirstRowClassifier(0.8),
    )
    np.testing.assert_array_equal(
        evaluations.scores, [[np.nan] * 3, [0.3] * 3, [np.nan, 0.8, 0.8]]
    )
    first, second, third = evaluations.errors
    assert first.startswith("Traceback")
    assert "ValueError: Nobody can learn this." in first
    assert second is None
    assert "ValueError: The first row is missing." in third
    assert np.isfinite(evaluations.fit_seconds).all()


def test_all_candidates_may_fail():
    """Even when nothing worked, what came of it is returned."""
    evaluations = evaluate(AlwaysFailingClassifier(), AlwaysFailingClassifier())
    assert np.isnan(evaluations.scores).all()
    assert all("Nobody can learn this." in error for error in evaluations.errors)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_a_failure(score):
    """A scorer that gives NaN or infinity has failed, and the error says so."""
    evaluations = evaluate(ConstantScoreClassifier(score))
    assert np.isnan(evaluations.scores).all()
    assert evaluations.errors == (f"The scorer gave {score} instead of a number.",)


def test_a_scorer_that_raises_is_a_failure():
    """An error in the scorer is recorded like one in fit."""

    def broken_scorer(estimator, X, y):
        raise TypeError("The scorer is broken.")

    (error,) = evaluate(ConstantScoreClassifier(), scorer=broken_scorer).errors
    assert "TypeError: The scorer is broken." in error


def test_chatter_changes_nothing(capfd):
    """A candidate that prints and warns is evaluated, and no warning gets out."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluations = evaluate(ChattyClassifier(0.7))
    assert evaluations.scores.tolist() == [[0.7] * 3]
    assert "converged" not in capfd.readouterr().err


def test_deprecations_are_seen():
    """Warnings about what will go away are not hidden."""
    with pytest.warns(FutureWarning, match="will go away"):
        evaluate(DeprecatedClassifier())


# Workers, deadlines and interruptions


def test_result_does_not_depend_on_n_jobs():
    """Two workers give what one gives, in the same order."""
    candidates = [
        ConstantScoreClassifier(0.2),
        FailingWithoutTheFirstRowClassifier(0.8),
        AlwaysFailingClassifier(),
        ChattyClassifier(0.4),
        LogisticRegression(),
    ]
    one = evaluate(*candidates, scorer=mean_of_rows, n_jobs=1)
    two = evaluate(*candidates, scorer=mean_of_rows, n_jobs=2)
    np.testing.assert_array_equal(two.scores, one.scores)
    assert [bool(error) for error in two.errors] == [False, True, True, False, False]
    assert [bool(error) for error in one.errors] == [False, True, True, False, False]


class FakeClock:
    """Time passes only when a candidate lets it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class TimedClassifier(ConstantScoreClassifier):
    """Takes the seconds that it is told, by the clock that is not one."""

    def __init__(self, score=0.5, clock=None, takes=0.0):
        self.score = score
        self.clock = clock
        self.takes = takes

    def fit(self, X, y):
        self.clock.now += self.takes
        return super().fit(X, y)

    def __sklearn_clone__(self):
        return type(self)(self.score, self.clock, self.takes)


def evaluate_timed(*seconds, budget, clock=None, **options):
    """Evaluate candidates that take so many seconds a fold, in so many seconds."""
    clock = FakeClock() if clock is None else clock
    candidates = [TimedClassifier(0.5, clock, each) for each in seconds]
    schedule = Schedule(budget, clock=clock)
    return evaluate(*candidates, schedule=schedule, **options)


@pytest.mark.parametrize(("budget", "n_tried"), [(120, 5), (50, 2), (32, 1)])
def test_no_candidate_starts_that_would_not_end(budget, n_tried):
    """Five candidates of three folds of seven seconds each."""
    evaluations = evaluate_timed(
        *[7] * 5, budget=budget, expected_seconds=[7] * 5, n_jobs=1
    )
    assert len(evaluations.errors) == n_tried
    assert np.isfinite(evaluations.scores).all()


class SlowClassifier(ConstantScoreClassifier):
    """Takes two seconds for a fold."""

    def fit(self, X, y):
        time.sleep(2)
        return super().fit(X, y)


def test_what_takes_longer_than_expected_is_given_up():
    """After its first fold the other two would not end in what is left of five."""
    evaluations = evaluate(
        ConstantScoreClassifier(),
        SlowClassifier(),
        schedule=Schedule(5),
        expected_seconds=[0.1, 0.5],
        n_jobs=1,
    )
    assert evaluations.errors[0] is None
    assert "Given up after 1 of 3 splits" in evaluations.errors[1]
    assert np.isnan(evaluations.mean_scores).tolist() == [False, True]


def test_a_candidate_is_dropped_when_someone_objects():
    """It gets no more splits, and the reason is its error."""
    evaluations = evaluate_timed(
        1,
        1,
        budget=100,
        object_to=lambda scores: "hopeless" if np.isfinite(scores).sum() > 1 else None,
        n_jobs=1,
    )
    assert evaluations.errors == ("hopeless", "hopeless")
    assert np.isfinite(evaluations.scores).sum(axis=1).tolist() == [2, 2]


def test_without_a_deadline_nobody_is_asked():
    """Neither the clock nor whoever may object."""

    def fail(*args):
        raise AssertionError

    evaluations = evaluate(
        *[ConstantScoreClassifier()] * 4,
        schedule=Schedule(None, clock=fail),
        object_to=fail,
    )
    assert np.isfinite(evaluations.scores).all()


class SleepyClassifier(ConstantScoreClassifier):
    """Fits for a minute, in steps."""

    def fit(self, X, y):
        for _ in range(6000):
            time.sleep(0.01)
        return super().fit(X, y)


class DeafClassifier(ConstantScoreClassifier):
    """Fits for a minute in a single call."""

    def fit(self, X, y):
        time.sleep(60)
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("candidate", "n_jobs"),
    [(SleepyClassifier(), 1), (SleepyClassifier(), 2), (DeafClassifier(), 2)],
    ids=["in steps", "in steps, other process", "one call, other process"],
)
def test_what_runs_over_is_stopped(candidate, n_jobs):
    """Within the minute that it would take, and what is done before is kept."""
    evaluate(*[ConstantScoreClassifier()] * 2, n_jobs=n_jobs)  # workers take a while
    started = time.monotonic()
    evaluations = evaluate(
        ConstantScoreClassifier(0.2),
        candidate,
        schedule=Schedule(6, n_workers=n_jobs),
        n_jobs=n_jobs,
    )
    assert time.monotonic() - started < 40
    assert evaluations.errors[0] is None
    assert "Stopped" in evaluations.errors[1]
    assert evaluations.scores[0].tolist() == [0.2] * 3


class DyingClassifier(ConstantScoreClassifier):
    """Ends its process, as a fault in compiled code does."""

    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_candidate_that_ends_its_process_is_a_row():
    """The others are evaluated as if it had not been there."""
    evaluations = evaluate(
        ConstantScoreClassifier(0.2),
        DyingClassifier(),
        ConstantScoreClassifier(0.3),
        ConstantScoreClassifier(0.4),
        n_jobs=2,
    )
    assert [bool(error) for error in evaluations.errors] == [False, True, False, False]
    assert "has died" in evaluations.errors[1]
    assert evaluations.scores[:, 0].tolist() == [
        0.2,
        pytest.approx(np.nan, nan_ok=True),
        0.3,
        0.4,
    ]


class GreedyClassifier(ConstantScoreClassifier):
    """Wants half a gigabyte."""

    def fit(self, X, y):
        np.ones(2**26)
        return super().fit(X, y)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_is_limited(n_jobs):
    """What wants more fails, and the limit is gone afterwards."""
    evaluations = evaluate(
        GreedyClassifier(), ConstantScoreClassifier(), memory_limit=256, n_jobs=n_jobs
    )
    assert "MemoryError" in evaluations.errors[0]
    assert evaluations.errors[1] is None
    np.ones(2**26)


def test_a_full_disk_does_not_matter(monkeypatch):
    """Large arrays go to other processes without the disk then."""

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    X_large = np.zeros((N_ROWS, 100_000))
    monkeypatch.setattr("joblib._memmapping_reducer.dump", fail)
    candidates = ConstantScoreClassifier(0.2), ConstantScoreClassifier(0.3)
    evaluations = evaluate(*candidates, X=X_large, n_jobs=2)
    assert evaluations.scores.tolist() == [[0.2] * 3, [0.3] * 3]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_models_are_kept_where_they_are_wanted(n_jobs):
    """As they are or pickled, and large ones only if they are here already."""
    small, large = LogisticRegression(), RandomForestClassifier(random_state=0)
    options = {"scorer": get_scorer("accuracy"), "n_jobs": n_jobs}
    evaluations = evaluate(small, large, largest_model=10_000, **options)
    kept = [models is not None for models in evaluations.models]
    assert kept == ([True, True] if n_jobs == 1 else [True, False])
    model = evaluations.models[0][0]
    model = pickle.loads(model) if n_jobs == 2 else model
    train, _ = SPLITS[0]
    expected = clone(small).fit(X[train], Y[train])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert evaluate(small, **options).models == (None,)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_on_candidate_is_called_once_for_each(n_jobs):
    """Whoever listens hears of each candidate when it has all its splits."""
    heard = {}

    def listen(index, scores, seconds, error):
        assert index not in heard
        heard[index] = scores.tolist(), seconds >= 0, error is None

    evaluate(
        ConstantScoreClassifier(0.2),
        ConstantScoreClassifier(0.3),
        AlwaysFailingClassifier(),
        on_candidate=listen,
        n_jobs=n_jobs,
    )
    assert heard[0] == ([0.2] * 3, True, True)
    assert heard[1] == ([0.3] * 3, True, True)
    assert np.isnan(heard[2][0]).all()
    assert heard[2][1:] == (True, False)


def test_an_interruption_keeps_what_has_finished():
    """After Ctrl-C the candidates that had all their splits are returned."""
    evaluations = evaluate(
        ConstantScoreClassifier(0.2),
        ConstantScoreClassifier(0.6),
        InterruptingClassifier(0.9),
        ConstantScoreClassifier(0.9),
        n_jobs=1,
    )
    assert evaluations.interrupted
    assert evaluations.scores.tolist() == [[0.2] * 3, [0.6] * 3]
    assert evaluations.errors == (None, None)


def test_an_interruption_drops_what_has_not_finished():
    """A candidate with some of its splits is not compared with whole ones."""
    evaluations = evaluate(
        ConstantScoreClassifier(0.2),
        InterruptingClassifier(0.9),
        splits=SPLITS[::-1],  # it interrupts on the last one
        n_jobs=1,
    )
    assert evaluations.interrupted
    assert evaluations.scores.tolist() == [[0.2] * 3]


@pytest.mark.parametrize("splits", [SPLITS, SPLITS[::-1]], ids=["first", "last"])
def test_an_interruption_with_nothing_finished_is_raised(splits):
    """With nothing to return, Ctrl-C stops the program as it would elsewhere."""
    with pytest.raises(KeyboardInterrupt):
        evaluate(
            InterruptingClassifier(), ConstantScoreClassifier(), splits=splits, n_jobs=1
        )


def test_an_interruption_that_a_fit_swallows():
    """Neural networks would warn, and go on as if they had learned."""
    X, y = make_classification(random_state=0)
    network = MLPClassifier(max_iter=10**6, n_iter_no_change=10**6, tol=0.0)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    [(estimator, error)] = fit_all([network], Work(X, y, [], None))
    assert (estimator, error) == (None, INTERRUPTED)


def test_an_interruption_while_listening():
    """Ctrl-C in this process, between candidates, keeps what has finished too."""

    def interrupt(index, scores, seconds, error):
        if index == 1:
            raise KeyboardInterrupt

    evaluations = evaluate(
        *[ConstantScoreClassifier(0.5)] * 4, on_candidate=interrupt, n_jobs=1
    )
    assert evaluations.interrupted
    assert evaluations.scores.tolist() == [[0.5] * 3] * 2


# Parameters of fit and score


WEIGHTS = np.arange(N_ROWS) + 1.0


def fitted_weights(estimator, X, y):
    """Give the score 1 when the weights are those of the rows fitted on."""
    return float(np.array_equal(estimator.weights_, estimator.rows_ + 1))


def scored_weights(estimator, X, y, sample_weight=None):
    """Give the score 1 when the weights are those of the rows scored."""
    return float(np.array_equal(sample_weight, X[:, 0] / 2 + 1))


@pytest.mark.parametrize("as_weights", [np.asarray, pd.Series, list])
def test_weights_are_split_like_the_rows(as_weights):
    """Fit and scorer get the weights of their rows."""
    weights = {"sample_weight": as_weights(WEIGHTS)}
    candidate = ConstantScoreClassifier()
    fitted = evaluate(candidate, scorer=fitted_weights, fit_params=weights)
    assert fitted.scores.tolist() == [[1.0] * 3]
    scored = evaluate(candidate, scorer=scored_weights, score_params=weights)
    assert scored.scores.tolist() == [[1.0] * 3]


def test_a_scorer_without_weights_is_called_without():
    """Weights are kept from a function that does not take them."""
    weights = {"sample_weight": WEIGHTS}
    evaluations = evaluate(ConstantScoreClassifier(0.3), score_params=weights)
    assert evaluations.scores.tolist() == [[0.3] * 3]
    assert evaluations.errors == (None,)


def share_of_zeros(y_true, y_predicted):
    return np.mean(y_predicted == 0)


def test_a_metric_without_weights_is_called_without():
    """A scorer takes weights that its metric may not take: then it goes without."""
    evaluations = evaluate(
        ConstantScoreClassifier(),
        scorer=make_scorer(share_of_zeros),
        score_params={"sample_weight": WEIGHTS},
    )
    assert evaluations.scores.tolist() == [[1.0] * 3]


def test_other_score_parameters_are_not_dropped():
    """Only weights may be left out: another parameter not taken is an error."""
    (error,) = evaluate(ConstantScoreClassifier(), score_params={"margin": 3}).errors
    assert "unexpected keyword argument 'margin'" in error


@pytest.mark.parametrize("tag", ["twelve chars", 7, [1, 2]], ids=str)
def test_other_fit_parameters_are_given_whole(tag):
    """What does not have one value per row is not split, and neither is a text."""

    def given_whole(estimator, X, y):
        return float(estimator.tag_ == tag)

    evaluations = evaluate(
        ConstantScoreClassifier(), scorer=given_whole, fit_params={"tag": tag}
    )
    assert evaluations.scores.tolist() == [[1.0] * 3]


def test_parameters_that_are_none_are_left_out():
    """No weights is not the same as weights of None: not every fit has them."""
    evaluations = evaluate(
        LogisticRegression(),
        scorer=get_scorer("accuracy"),
        fit_params={"no_such_parameter": None},
    )
    assert evaluations.errors == (None,)


# Rows


ROWS = np.array([2, 0])


@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        sparse.csr_array,
        sparse.csc_array,
        sparse.coo_array,
        sparse.csr_matrix,
        sparse.coo_matrix,
    ],
    ids=lambda make: make.__name__,
)
def test_take_rows_of_an_array(make):
    """Rows are taken by position, in the order asked for."""
    taken = take_rows(make(X), ROWS)
    dense = taken.toarray() if sparse.issparse(taken) else taken
    np.testing.assert_array_equal(dense, X[ROWS])
    assert sparse.issparse(taken) == sparse.issparse(make(X))


def test_take_rows_of_a_frame():
    """Positions count, whatever the index is; dtypes stay."""
    frame = pd.DataFrame({"a": [1, 2, 3], "b": pd.Categorical(["x", "y", "z"])})
    frame.index = [2, 1, 0]
    pd.testing.assert_frame_equal(take_rows(frame, ROWS), frame.iloc[[2, 0]])
    assert take_rows(frame["a"], ROWS).tolist() == [3, 1]


def test_take_rows_of_a_list():
    """A list stays a list."""
    assert take_rows(["a", "b", "c"], ROWS) == ["c", "a"]
    assert take_rows([[1, 2], [3, 4], [5, 6]], ROWS) == [[5, 6], [1, 2]]


# Calm


def n_threads():
    return [pool["num_threads"] for pool in threadpool_info()]


@pytest.mark.parametrize("error", [None, ValueError("Not so calm.")], ids=str)
def test_calm_restores_what_it_changed(error):
    """Warning filters and thread limits are what they were, also after an error."""
    filters, threads = list(warnings.filters), n_threads()
    try:
        with calm():
            assert set(n_threads()) <= {1}
            if error is not None:
                raise error
    except ValueError as raised:
        assert raised is error  # noqa: PT017 (which error it is)
    assert warnings.filters == filters
    assert n_threads() == threads


def test_calm_hides_convergence_but_not_deprecation():
    """Warnings that show in the score are hidden, those that ask for action are not."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with calm():
            for category in (UserWarning, RuntimeWarning, FutureWarning):
                warnings.warn("A warning.", category, stacklevel=1)
    assert [warning.category for warning in seen] == [FutureWarning]


# The results table


def assert_cv_results_equal(ours, theirs):
    """Compare keys, dtypes, masks and all values that are not times."""
    assert set(ours) == set(theirs)
    for key, expected in theirs.items():
        assert type(ours[key]) is type(expected), key
        if key == "params":
            assert ours[key] == expected
            continue
        assert ours[key].dtype == expected.dtype, key
        assert ours[key].shape == expected.shape, key
        if isinstance(expected, np.ma.MaskedArray):
            masks = np.ma.getmaskarray(ours[key]), np.ma.getmaskarray(expected)
            assert masks[0].tolist() == masks[1].tolist(), key
            assert ours[key].compressed().tolist() == expected.compressed().tolist()
        elif not key.endswith("_time"):
            np.testing.assert_allclose(ours[key], expected, err_msg=key)


def both_cv_results(estimator, grid, X, y, scorer):
    """Return our table and that of GridSearchCV for the same candidates."""
    search = GridSearchCV(estimator, grid, scoring=scorer, cv=3, refit=False)
    splits = list(StratifiedKFold(3).split(X, y))
    params = list(ParameterGrid(grid))
    candidates = [clone(estimator).set_params(**values) for values in params]
    evaluations = evaluate(*candidates, X=X, y=y, splits=splits, scorer=scorer)
    return make_cv_results(evaluations, params), search.fit(X, y).cv_results_


def test_cv_results_are_those_of_grid_search():
    """Numbers, texts, booleans, None and absent parameters: as GridSearchCV has it."""
    X, y = make_classification(90, n_features=5, random_state=0)
    grid = [
        {"C": [0.01, 1.0], "solver": ["lbfgs", "liblinear"]},
        {"C": [10.0], "fit_intercept": [True, False]},
        {"class_weight": [None, "balanced"], "max_iter": [50, 200]},
    ]
    scorer = get_scorer("neg_log_loss")
    ours, theirs = both_cv_results(LogisticRegression(), grid, X, y, scorer)
    assert_cv_results_equal(ours, theirs)
    assert ours["param_C"].mask.any()
    assert len(set(ours["rank_test_score"])) > 3


def test_cv_results_are_in_the_order_of_grid_search():
    """Parameters stand in the order in which candidates first name them."""
    grid = [{"score": [0.1, 0.2]}, {"layers": [1], "score": [0.3]}]
    ours, theirs = both_cv_results(ConstantScoreClassifier(), grid, X, Y, asked_score)
    assert list(ours) == list(theirs)


@pytest.mark.parametrize(
    "layers",
    [
        [[1], [2]],
        [[1, 2], [3]],
        [[1, 2], None],
        [(1, 2), (3, 4)],
        [1, 2.5],
        [1, None],
        [True, False],
        [1, "auto"],
        ["a", "b"],
        [None, None],
    ],
    ids=str,
)
def test_cv_results_of_every_kind_of_parameter(layers):
    """Lists, mixtures and None stay what they are in the table."""
    grid = [{"layers": layers}, {"score": [0.7]}]
    ours, theirs = both_cv_results(ConstantScoreClassifier(), grid, X, Y, asked_score)
    assert_cv_results_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize(
    ("scores", "ranks"),
    [
        ([0.5, 0.7, 0.5, 0.1], [2, 1, 2, 4]),
        ([0.5, np.nan, 0.7, 0.5, np.nan], [2, 4, 1, 2, 4]),
        ([np.nan, np.nan], [1, 1]),
        ([-3.0], [1]),
    ],
    ids=["ties", "failures", "only failures", "one"],
)
def test_ranks_are_those_of_grid_search(scores, ranks):
    """Equals share the better rank, failures share the last one."""
    ours, theirs = both_cv_results(
        ConstantScoreClassifier(), {"score": scores}, X, Y, asked_score
    )
    assert ours["rank_test_score"].tolist() == ranks
    assert ours["rank_test_score"].dtype == theirs["rank_test_score"].dtype
    assert theirs["rank_test_score"].tolist() == ranks


def test_cv_results_without_splits():
    """Without splits the table has its summary columns, and no score in them."""
    evaluations = evaluate(*[ConstantScoreClassifier()] * 2, splits=[])
    results = make_cv_results(evaluations, [{"score": 0.5}, {}])
    assert np.isnan(results["mean_test_score"]).all()
    assert np.isnan(results["std_test_score"]).all()
    assert results["rank_test_score"].tolist() == [1, 1]
    assert not any(name.startswith("split") for name in results)
    assert len(pd.DataFrame(results)) == 2


def test_cv_results_without_parameters():
    """Candidates need not have parameters."""
    results = make_cv_results(evaluate(ConstantScoreClassifier()), [{}])
    assert not any(name.startswith("param_") for name in results)
    assert results["params"] == [{}]


def test_evaluate_candidates_takes_options_by_name():
    """Whatever may be left out is given by its name."""
    parameters = inspect.signature(evaluate_candidates).parameters.values()
    assert all(
        (parameter.default is parameter.empty)
        == (parameter.kind is parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )
