from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config

from skmeta import Configuration, Recommendation
from skmeta._evaluation import Evaluations
from skmeta._splits import hold_out, stratified_sample, thin_splits
from skmeta._trials import Task, Trials
from skmeta._workers import Workers

repeatable = settings(deadline=None, derandomize=True, max_examples=50)


def recommend(n_configurations):
    values = np.linspace(0.9, 0.8, n_configurations)
    return Recommendation(
        configurations=tuple(
            Configuration("gaussian_nb", {"i": i}) for i in range(n_configurations)
        ),
        expected_scores=values,
        expected_seconds=np.arange(1.0, n_configurations + 1),
        task_weights=pd.Series(dtype=float),
        metric="accuracy",
        recommender="test",
    )


def evaluate(scores, errors=None):
    scores = np.asarray(scores, dtype=float)
    seconds = np.where(np.isnan(scores), np.nan, 1.0)
    return replace(
        Evaluations.untested(*scores.shape),
        scores=scores,
        plain_scores=scores,
        fit_seconds=seconds,
        score_seconds=seconds * 0,
        errors=tuple(errors or [None] * len(scores)),
    )


def tried(scores, errors=None, n_configurations=10):
    trials = Trials(recommend(n_configurations), n_splits=len(scores[0]))
    made = [({"i": i}, f"candidate {i}") for i in range(len(scores))]
    trials.add(made, evaluate(scores, errors))
    return trials


def test_candidates_are_kept_in_the_order_tried():
    """What was tried stays in front whatever is planned or put first later."""
    trials = tried([[0.5, 0.7], [0.9, 0.9], [np.nan, 0.8]], [None, None, "failed"])
    assert len(trials) == 3
    assert trials.n_left == 7
    assert trials.complete.tolist() == [1, 0]
    trials.put_first(np.array([False, True, False, True, False, False, False]))
    order = [c.hyperparameters["i"] for c in trials.recommendation.configurations]
    assert order == [0, 1, 2, 4, 6, 3, 5, 7, 8, 9]
    trials.plan_again(recommend(10).take([9, 8]))
    order = [c.hyperparameters["i"] for c in trials.recommendation.configurations]
    assert order == [0, 1, 2, 9, 8]


def test_first_among_equals_is_best():
    """Of equal candidates the one recommended first wins."""
    trials = tried([[0.1, 0.3], [0.4, 0.4], [0.3, 0.5]])
    assert trials.complete.tolist() == [1, 2, 0]


def test_learners_that_were_stopped():
    """Those of which nothing was complete; other errors do not count."""
    stopped = "Stopped after 2.0 seconds."
    trials = tried([[np.nan] * 2, [np.nan] * 2], [stopped, "failed"])
    assert trials.stopped_learners == {"gaussian_nb"}
    assert tried([[np.nan] * 2], ["failed"]).stopped_learners == set()
    trials = tried([[np.nan] * 2, [0.5, 0.5]], [stopped, None])
    assert trials.stopped_learners == set()


def test_what_cannot_be_stopped_grows_faster():
    """Kernels take the square of the rows."""
    trials = tried([[0.8, 0.8]])
    kernels = tuple(Configuration("svc", {"C": i}) for i in range(10))
    trials.recommendation = replace(trials.recommendation, configurations=kernels)
    splits = [(np.arange(80), np.arange(80, 100))] * 2
    task = Task(None, np.zeros(1000), 100, splits=splits, workers=Workers(1))
    assert trials.refit_seconds(0, 800, task) == pytest.approx(100)
    assert not task.can_stop("svc")
    assert replace(task, workers=Workers(2)).can_stop("svc")
    with parallel_config(backend="threading"):
        assert not replace(task, workers=Workers(2)).can_stop("svc")


def test_models_of_the_best_few_are_kept():
    """Those of all candidates would fill the memory."""
    trials = tried([[0.5], [0.9], [np.nan], [0.7]])
    trials.evaluations = replace(trials.evaluations, models=("a", "b", None, "c"))
    trials.forget_models(2)
    assert trials.evaluations.models == (None, "b", None, "c")


def test_partly_tried_candidates_are_observed():
    """By their difference to the best on the splits that both have."""
    trials = tried(
        [[0.8, 0.9, 1.0], [0.7, np.nan, np.nan], [np.nan] * 3],
        [None, "dropped", "failed"],
    )
    first, second, third = trials.observations()
    assert first.score == pytest.approx(0.9)
    assert second.score == pytest.approx(0.9 - 0.1)
    assert second.seconds == 1.0
    assert np.isnan(third.score)
    assert np.isnan(third.seconds)


def test_the_more_rows_the_longer_nothing_may_get_better():
    """And a new best one begins anew."""
    worse = [[0.9, 0.9]] + [[0.8, 0.8]] * 40
    for n_rows, n_tried in ((50, 8), (200, 8), (2_000, 32)):
        few, enough = tried(worse[:n_tried]), tried(worse[: n_tried + 1])
        assert not few.show_enough(n_rows)
        assert enough.show_enough(n_rows)
    assert not tried([*worse[:9], [0.95, 0.95]]).show_enough(50)
    nothing = [[np.nan] * 2] * 8
    assert tried(nothing, ["Traceback: no"] * 8).show_enough(50)
    assert not tried(nothing, ["Stopped"] * 8).show_enough(50)


def test_nobody_objects_before_there_is_something_to_compare_with():
    """One candidate more than predict together, and three splits."""
    assert tried([[0.8] * 5]).make_objection(1) is None
    assert tried([[0.8] * 2, [0.7] * 2]).make_objection(1) is None
    assert tried([[0.8] * 3, [0.7] * 3]).make_objection(2) is None
    assert tried([[0.8] * 3, [0.7] * 3]).make_objection(1) is not None


def test_hopeless_candidates_are_objected_to():
    """Far behind is dropped, close behind is not, and the reason has figures."""
    rng = np.random.default_rng(0)
    trials = tried((0.8 + 0.01 * rng.normal(size=(6, 5))).tolist())
    object_to = trials.make_objection(1)
    rest = [np.nan] * 3
    assert object_to(np.array([0.80, 0.79, *rest])) is None
    assert "Dropped after 2 of 5 splits" in object_to(np.array([0.7, 0.7, *rest]))


def test_objections_are_rarely_wrong():
    """Of candidates that would be as good as the rival in the end, one in a hundred."""
    rng = np.random.default_rng(0)
    n_wrong = n_good = 0
    for _ in range(300):
        folds = rng.normal(size=5)
        scores = folds + 0.3 * rng.normal(size=(12, 5))
        trials = tried(scores[:6].tolist(), n_configurations=12)
        object_to = trials.make_objection(1)
        rival = scores[trials.complete[0]]
        for candidate in scores[6:]:
            if candidate.mean() < rival.mean():
                continue
            seen = np.where(np.arange(5) < 2, candidate, np.nan)
            n_good += 1
            n_wrong += object_to(seen) is not None
    assert n_good > 100
    assert n_wrong / n_good < 0.05


def test_refit_seconds_grow_with_the_rows():
    """From the rows of a split to all of them, a little faster than they do."""
    trials = tried([[0.8, 0.8]])
    splits = [(np.arange(80), np.arange(80, 100))] * 2
    task = Task(None, np.zeros(1000), 100, splits=splits)
    assert trials.refit_seconds(0, 80, task) == pytest.approx(1.0)
    assert 10 < trials.refit_seconds(0, 800, task) < 15


@repeatable
@given(st.integers(0, 9), st.integers(4, 60), st.integers(2, 5))
def test_a_sample_keeps_the_shares(seed, n_rows, n_classes):
    """Every class with two rows keeps two, and common ones about their share."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, 200) ** 2
    rows = stratified_sample(y, n_rows, seed)
    assert len(np.unique(rows)) == len(rows)
    assert set(y[rows]) == set(y)
    for label in np.unique(y):
        share = np.mean(y == label) * n_rows
        assert abs(np.sum(y[rows] == label) - share) <= 2
    np.testing.assert_array_equal(rows, stratified_sample(y, n_rows, seed))


def test_held_out_rows_leave_every_class_to_fit_on():
    """Also those of a single row."""
    y = np.array([0] * 30 + [1] * 6 + [2])
    train, test = hold_out(y, np.arange(37), seed=0)
    assert sorted([*train, *test]) == list(range(37))
    assert set(y[train]) == {0, 1, 2}
    assert 0 < len(test) < 10


def test_splits_are_thinned_without_mixing():
    """Rows of a sample stay on the side that they were on."""
    y = np.arange(1000) % 2
    splits = [
        (np.arange(800), np.arange(800, 1000)),
        (np.arange(200, 1000), np.arange(200)),
    ]
    thinned = thin_splits(splits, y, 100, seed=0)
    for (train, test), (all_train, all_test) in zip(thinned, splits, strict=True):
        assert set(train) <= set(all_train)
        assert set(test) <= set(all_test)
        assert len(train) + len(test) == 100
    [(_, test)] = thin_splits([(np.arange(999), np.array([999]))], y, 10, seed=0)
    assert test.tolist() == [999]
    # With nothing left to test on they stay as they were.
    splits = [
        (np.arange(999), np.array([999])),
        (np.arange(500), np.arange(500, 1000)),
    ]
    assert thin_splits(splits, y, 10, seed=0) is splits
