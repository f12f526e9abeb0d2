import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score, cross_validate

from skmeta.multitask import SharedRepresentationClassifier

torch = pytest.importorskip("torch")

QUICK = {"hidden_layer_sizes": (32, 16), "n_epochs": 100, "random_state": 0}
pytestmark = pytest.mark.filterwarnings(
    "ignore:The validation loss still fell:sklearn.exceptions.ConvergenceWarning"
)


def make_tasks(n_tasks, n_rows, seed):
    """What matters is the distance in two columns; labels are those of the task."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(size=(len(task), 8))
    side = np.hypot(X[:, 0], X[:, 1]) > 1.2
    flipped = rng.integers(2, size=n_tasks)[task].astype(bool)
    names = np.where(task % 2, "a", "b")
    return X, np.char.add(names, np.where(side ^ flipped, "+", "-")), task


@pytest.fixture(scope="module")
def tasks():
    return make_tasks(20, 50, seed=0)


@pytest.fixture(scope="module")
def fitted(tasks):
    X, y, task = tasks
    return SharedRepresentationClassifier(**QUICK).fit(X, y, task=task)


def test_new_tasks_fit_a_head_only(fitted):
    """A line in the representation knows what a line in the columns cannot."""
    X, y, task = make_tasks(10, 80, seed=1)
    gains = []
    for number in range(10):
        rows = np.flatnonzero(task == number)
        support, query = rows[:20], rows[20:]
        new = fitted.adapt(X[support], y[support])
        alone = LogisticRegression().fit(X[support], y[support])
        gains.append(new.score(X[query], y[query]) - alone.score(X[query], y[query]))
        head = LogisticRegression(max_iter=1000)
        head.fit(fitted.transform(X[support]), y[support])
        np.testing.assert_array_equal(
            new.predict(X[query]), head.predict(fitted.transform(X[query]))
        )
    assert np.mean(gains) > 0.2


def test_tasks_may_have_different_labels(tasks, fitted):
    """What is no class of a task has no probability there."""
    X, y, task = tasks
    assert fitted.classes_.tolist() == ["a+", "a-", "b+", "b-"]
    probabilities = fitted.predict_proba(X, task=task)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert not probabilities[task % 2 == 0, :2].any()
    assert not probabilities[task % 2 == 1, 2:].any()
    assert fitted.score(X, y, task=task) > 0.85
    assert fitted.score(X, y) < 0.6
    new = fitted.adapt(X[:30], np.arange(30) % 3)
    assert new.classes_.tolist() == [0, 1, 2]


def test_a_task_of_one_class_has_no_other(tasks):
    X, y, task = tasks
    y = np.where(task == 3, "b+", y)
    clf = SharedRepresentationClassifier(**QUICK | {"n_epochs": 2})
    clf.fit(X, y, task=task)
    assert set(clf.predict(X, task=np.full(len(X), 3))) == {"b+"}


def test_it_stops_when_it_no_longer_helps(tasks):
    X, y, task = tasks
    clf = SharedRepresentationClassifier(**QUICK | {"tolerance": 0.05, "n_epochs": 500})
    clf.fit(X, y, task=task)
    assert clf.converged_
    assert clf.n_iter_ == len(clf.loss_curve_) == len(clf.validation_curve_) < 500
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]
    short = clone(clf).set_params(n_epochs=2)
    with pytest.warns(ConvergenceWarning, match="still fell after n_epochs=2"):
        short.fit(X, y, task=task)
    assert not short.converged_


def test_rows_held_out_are_of_each_class_of_each_task(tasks):
    """Of five rows one; of fewer none, and without any all are looked at."""
    clf = SharedRepresentationClassifier()
    output = np.repeat([0, 1, 2], [5, 10, 4])
    learned_from, held_out = clf._hold_out(output, np.random.default_rng(0))
    assert np.bincount(output[held_out], minlength=3).tolist() == [1, 2, 0]
    assert sorted([*learned_from, *held_out]) == list(range(19))
    few = clf._hold_out(np.arange(3), np.random.default_rng(0))
    assert [sorted(rows) for rows in few] == [[0, 1, 2]] * 2


def test_the_representation_has_names(tasks, fitted):
    X, *_ = tasks
    assert fitted.transform(X).shape == (len(X), 16)
    assert len(fitted.get_feature_names_out()) == 16


def test_seeds_pickles_and_clones(tasks, fitted):
    X, y, task = tasks
    again = clone(fitted).fit(X, y, task=task)
    loaded = pickle.loads(pickle.dumps(fitted))
    for other in (again, loaded):
        np.testing.assert_array_equal(
            other.predict_proba(X, task=task), fitted.predict_proba(X, task=task)
        )
    new = fitted.adapt(X[:50], y[:50])
    assert cross_val_score(new, X[:50], y[:50]).mean() > 0.7


def test_ids_are_routed():
    """To `fit` and `score`, each with its rows."""
    X, y, task = make_tasks(15, 100, seed=0)
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    with config_context(enable_metadata_routing=True):
        clf = SharedRepresentationClassifier(**QUICK).set_fit_request(task=True)
        clf.set_score_request(task=True)
        scores = cross_validate(clf, X, y, cv=folds, params={"task": task})[
            "test_score"
        ]
    assert scores.mean() > 0.75


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"C": 0.0}, "C must be a number > 0, got: 0.0"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1, got: 0"),
        ({"learning_rate": -1}, "learning_rate must be a number >= 0, got: -1"),
        ({"hidden_layer_sizes": (0,)}, r"must be a tuple of integers .* got: \(0,\)"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_used(tasks, params, message):
    X, y, task = tasks
    with pytest.raises(ValueError, match=message):
        SharedRepresentationClassifier(**params).fit(X, y, task=task)
