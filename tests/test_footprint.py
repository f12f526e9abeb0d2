"""Limits on what a fitted model takes."""

import pickle
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_info

from skmeta import (
    Configuration,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
    Recommendation,
    load_knowledge,
)
from skmeta import _footprint as footprint_module
from skmeta._evaluation import Evaluations
from skmeta._footprint import Footprint, FootprintLimit, typical
from skmeta._out_of_fold import OutOfFold
from skmeta._recommending import fast_enough
from skmeta._refit import fit_members
from skmeta._schedule import Schedule
from skmeta._trials import Task, Trials
from skmeta.exceptions import NoCandidateError, SkmetaWarning


@pytest.fixture(scope="module")
def table():
    return make_classification(
        400, 8, n_informative=5, n_classes=3, flip_y=0.2, random_state=0
    )


def classifier(**params):
    defaults = {
        "base_learners": ["gaussian_nb", "logistic_regression", "extra_trees"],
        "n_candidates": 9,
        "cv": 3,
        "random_state": 0,
    }
    return MetaLearnerClassifier(**(defaults | params))


@pytest.fixture
def known_ms(monkeypatch):
    """Let every model be as slow as the name of its learner says."""
    slow = {"ExtraTreesClassifier": 8.0, "LogisticRegression": 2.0, "GaussianNB": 1.0}

    def predict_ms(estimator, row):
        members = getattr(estimator, "estimators_", None)
        if members is not None and hasattr(estimator, "class_weights"):
            return sum(predict_ms(member, row) for member in members)
        learner = getattr(estimator, "steps", [("", estimator)])[-1][1]
        return slow.get(type(learner).__name__, 0.5)

    monkeypatch.setattr(footprint_module, "_predict_ms", predict_ms)


class Sleepy(ClassifierMixin, BaseEstimator):
    """Takes its time to predict."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        time.sleep(0.02)
        return np.full(len(X), self.classes_[0])


def test_what_is_measured(table):
    """The size is that of the pickle, and the time that of one call."""
    X, y = table
    model = KNeighborsClassifier().fit(X, y)
    both = FootprintLimit(100, 100).measure(model, X[:1])
    assert both.model_mb == len(pickle.dumps(model, protocol=5)) / 2**20
    assert 0 < both.predict_ms < 1000
    slow = FootprintLimit(max_predict_ms=1).measure(Sleepy().fit(X, y), X[:1])
    assert slow.predict_ms >= 20
    assert np.isnan(slow.model_mb)
    without_probabilities = LinearSVC().fit(X, y)
    assert FootprintLimit(1).measure(without_probabilities, X[:1]).predict_ms > 0
    assert not FootprintLimit()
    assert FootprintLimit(max_model_mb=1)


def test_objections():
    """They say what was measured and what may be."""
    limit = FootprintLimit(max_predict_ms=5, max_model_mb=0.5)
    assert limit.excess(Footprint(5, 0.5)) is None
    assert "7.12 ms to predict a row, max_predict_ms is 5" in limit.excess(
        Footprint(7.1234, 0.1)
    )
    assert "0.6 MB, max_model_mb is 0.5" in limit.excess(Footprint(1, 0.6))
    assert FootprintLimit().excess(Footprint()) is None
    assert limit.excess(Footprint()) is None
    assert typical([Footprint(1, 3), Footprint(9, 5), Footprint(2, 4)]) == Footprint(
        2, 4
    )
    assert limit.excess(None) is None


def test_shares_of_the_limits():
    """What has no limit takes no part of it, measured or not."""
    shares = FootprintLimit(10, None).shares([Footprint(5, 3), None, Footprint(20)])
    np.testing.assert_array_equal(shares, [[0.5, 0], [0, 0], [2, 0]])
    np.testing.assert_array_equal(
        FootprintLimit().shares([None, None]), np.zeros((2, 2))
    )


def test_large_models_are_rows_with_a_reason(table):
    """They keep their scores and do not predict."""
    X, y = table
    free = classifier().fit(X, y)
    clf = classifier(max_model_mb=0.5).fit(X, y)
    board = clf.leaderboard_
    is_large = board["model_mb"] > 0.5
    assert 0 < is_large.sum() < len(board)
    assert board["error"][is_large].str.startswith("Too large: it takes").all()
    assert (board["weight"][is_large] == 0).all()
    assert not is_large.iloc[0]
    np.testing.assert_array_equal(
        board["score"].sort_index(), free.leaderboard_["score"].sort_index()
    )
    assert len(pickle.dumps(clf.ensemble_, protocol=5)) <= 0.5 * 2**20
    assert "predict_ms" not in board
    assert "model_mb" not in free.leaderboard_
    assert np.isfinite(clf.honest_score_)


def test_the_result_does_not_depend_on_the_number_of_jobs(table):
    """Sizes are the same everywhere."""
    X, y = table
    one, two = (classifier(max_model_mb=0.1, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one.leaderboard_["weight"].equals(two.leaderboard_["weight"])


def test_members_are_fast_together(table, known_ms):
    """Each, and their sum."""
    X, y = table
    clf = classifier(max_predict_ms=10, ensemble_size=None).fit(X, y)
    assert clf.leaderboard_["error"].isna().all()
    predicting = clf.leaderboard_.loc[clf.leaderboard_["weight"] > 0, "predict_ms"]
    assert predicting.sum() <= 10
    assert len(predicting) == len(clf.ensemble_.estimators_) > 1
    few = classifier(max_predict_ms=3, ensemble_size=None).fit(X, y)
    assert few.leaderboard_.loc[few.leaderboard_["weight"] > 0, "predict_ms"].sum() <= 3
    assert few.ensemble_.weights.sum() == pytest.approx(1)
    again = classifier(max_predict_ms=3).replay(X, y, few.trial_log_)
    np.testing.assert_array_equal(again.predict_proba(X), few.predict_proba(X))


def test_members_that_are_slow_only_together(table, monkeypatch):
    """The least of them are left out, and the weights of the others grow."""
    X, y = table

    def predict_ms(estimator, row):
        is_ensemble = hasattr(estimator, "class_weights")
        return float(len(estimator.estimators_) > 2) if is_ensemble else 0.0

    assert len(classifier().fit(X, y).ensemble_.estimators_) > 2
    monkeypatch.setattr(footprint_module, "_predict_ms", predict_ms)
    clf = classifier(max_predict_ms=0.5).fit(X, y)
    assert len(clf.ensemble_.estimators_) == 2
    assert clf.ensemble_.weights.sum() == pytest.approx(1)
    assert (clf.leaderboard_["weight"] > 0).sum() == 2


def test_a_model_that_grew_too_large(table):
    """Neighbors are as many as rows: the folds are small enough, all rows are not."""
    X, y = table
    learners = ["k_nearest_neighbors"]
    clf = classifier(base_learners=learners, n_candidates=3)
    sizes = clf.set_params(max_model_mb=100).fit(X, y).leaderboard_["model_mb"]
    limit = sizes.min() * 1.1
    with pytest.raises(NoCandidateError, match="Too large"):
        clf.set_params(max_model_mb=limit).fit(X, y)
    learners.append("gaussian_nb")
    clf.set_params(n_candidates=12).fit(X, y)
    board = clf.leaderboard_
    assert set(board["learner"][board["weight"] > 0]) == {"gaussian_nb"}
    assert board["error"][board["learner"] == "k_nearest_neighbors"].notna().any()


def test_nothing_is_small_enough(table):
    """It is said what the least is; with a time budget the class shares predict."""
    X, y = table
    with pytest.raises(NoCandidateError, match=r"smallest of all .* Allow") as raised:
        classifier(max_model_mb=0.001).fit(X, y)
    assert str(raised.value).count("Too large") == 1
    with pytest.warns(SkmetaWarning, match="goes by the shares of the classes"):
        clf = classifier(max_model_mb=0.001, n_candidates=2, time_budget=30).fit(X, y)
    assert clf.predict_proba(X[:1]).shape == (1, 3)
    assert clf.leaderboard_["error"].str.startswith("Too large").sum() == 2


def test_what_is_known_to_be_slow_is_not_tried(table):
    """Unless all is: then measuring decides."""
    X, y = table
    everything = MetaLearnerClassifier(n_candidates=40, refit=False, cv=2)
    everything.set_params(max_predict_ms=2)
    task = Task(X, y, len(y))
    knowledge = everything._open_knowledge(task, weighted=False, journal=None)
    learners = knowledge[0].configurations.loc[list(knowledge[1]), "learner"]
    assert "logistic_regression" in set(learners)
    assert not {"extra_trees", "random_forest"} & set(learners)
    everything.set_params(max_predict_ms=1e-6)
    _, names = everything._open_knowledge(task, weighted=False, journal=None)
    assert len(names) > 50


def test_hyperparameters_of_a_given_estimator(table):
    """The selector has the same limits."""
    X, y = table
    search = MetaHyperparamSelector(
        LogisticRegression(), n_candidates=3, max_model_mb=0.0001, random_state=0
    )
    with pytest.raises(NoCandidateError, match="Too large"):
        search.fit(X, y)
    search.set_params(max_model_mb=1.0).fit(X, y)
    assert search.leaderboard_["model_mb"].between(0, 1).all()


def test_models_are_measured_with_one_thread(table, monkeypatch):
    """In the end as on the splits: threads that wait would seem to be slow models."""
    X, y = table
    threads = []

    def predict_ms(estimator, row):
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return 1.0

    monkeypatch.setattr(footprint_module, "_predict_ms", predict_ms)
    classifier(max_predict_ms=50, n_candidates=2, time_budget=60).fit(X, y)
    assert set(threads) == {1}


def test_models_of_splits_that_are_too_large_together(table):
    """One of them predicts then, and the log knows."""
    X, y = table
    out_of_time = Schedule(100.0, clock=iter([0.0, *[99.0] * 50]).__next__)
    trials, task = _tried_with_models(X, y, out_of_time)
    size = len(pickle.dumps(trials.evaluations.models[0][0], protocol=5)) / 2**20
    for share, expected in ((4.0, "folds"), (1.5, "fold"), (0.5, "fold")):
        limited = replace(task, footprint_limit=FootprintLimit(None, share * size))
        [(estimator, fitted_on, error)] = fit_members([0], trials, limited).values()
        assert fitted_on == expected
        assert (estimator is None) == (share < 1)
        assert (error is not None) == (share < 1)
    limited = replace(task, schedule=Schedule())
    [(again, _, _)] = fit_members([0], trials, limited, {0: "fold"}).values()
    assert again is trials.evaluations.models[0][0]


def _tried_with_models(X, y, schedule):
    fold_of = np.arange(len(y)) % 3
    splits = [
        (np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold))
        for fold in range(3)
    ]
    task = Task(X, y, len(y), splits=splits, schedule=schedule)
    out_of_fold = OutOfFold(
        y, splits, get_scorer("accuracy"), "accuracy", True, {}, None
    )
    models = [GaussianNB().fit(X[train], y[train]) for train, _ in splits]
    trials = Trials(Recommendation.none(), 3)
    trials.recommendation = replace(
        trials.recommendation,
        configurations=(Configuration("gaussian_nb"),),
        expected_scores=np.array([1.0]),
        expected_seconds=np.array([1.0]),
    )
    trials.add(
        [({}, GaussianNB())],
        replace(
            Evaluations.untested(1, 3),
            scores=np.ones((1, 3)),
            fit_seconds=np.full((1, 3), 50.0),
            models=(models,),
        ),
    )
    return trials, replace(task, out_of_fold=out_of_fold)


def test_what_cannot_be_pickled_has_no_size(table):
    """That is said."""
    X, y = table
    unpicklable = make_pipeline(FunctionTransformer(lambda X: X), LogisticRegression())
    search = MetaHyperparamSelector(unpicklable, max_model_mb=1, n_candidates=1)
    with pytest.raises(NoCandidateError, match=r"cannot be measured: .*[Pp]ickl"):
        search.fit(X, y)
    search.set_params(n_candidates=2, time_budget=20)
    with pytest.raises(NoCandidateError, match="Can't pickle"):
        search.fit(X, y)


def test_no_advice_on_limits_where_models_fail_otherwise(table):
    """Nothing was measured."""
    X, y = table
    broken = FunctionTransformer(lambda X: X[:, 99])
    with pytest.raises(NoCandidateError, match="IndexError") as raised:
        classifier(preprocessor=broken, max_model_mb=10, n_candidates=2).fit(X, y)
    assert "Allow more" not in str(raised.value)
    assert "nan" not in str(raised.value)


def test_the_best_candidate_is_the_first_that_may_predict(table):
    """`rank_test_score` is as in `GridSearchCV`, and `replay` as the fit was."""
    X, y = table
    clf = classifier(max_model_mb=0.5).fit(X, y)
    assert clf.cv_results_["rank_test_score"][clf.best_index_] == 1
    failed = clf.leaderboard_["error"].notna()
    assert clf.leaderboard_["rank"][failed].min() > (~failed).sum()
    logged = [trial["error"] for trial in clf.trial_log_["trials"]]
    assert logged == clf.leaderboard_["error"].sort_index().tolist()


def test_an_interruption_before_anything_may_predict(table):
    """Is one, also if something was scored that is too large."""
    X, y = table
    fits = []

    def count(X):
        fits.append(1)
        if len(fits) > 8:
            raise KeyboardInterrupt
        return X

    learners = ["extra_trees", "random_forest"]
    clf = classifier(
        base_learners=learners, preprocessor=FunctionTransformer(count), cv=2
    )
    with pytest.raises(KeyboardInterrupt):
        clf.set_params(max_model_mb=0.001).fit(X, y)


def test_knowledge_of_large_tables_does_not_say_what_is_slow():
    """A fold of many rows takes long without a row doing so."""
    knowledge = load_knowledge()
    is_small = knowledge.tasks["n_rows_evaluated"] <= 5_000
    large = knowledge.without(list(knowledge.tasks.index[is_small]))
    names = list(large.configurations.index)
    assert fast_enough(large, names, 1.0) == names
    assert len(fast_enough(knowledge, names, 1.0)) < len(names)
