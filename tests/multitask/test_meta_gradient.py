import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmeta.multitask import MetaGradientClassifier, TaskClassifier
from skmeta.multitask._meta_gradient import ALGORITHMS

torch = pytest.importorskip("torch")

QUICK = {
    "hidden_layer_sizes": (24, 24),
    "n_iterations": 100,
    "outer_lr": 0.01,
    "adapt_steps": 20,
    "random_state": 0,
}
FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)
pytestmark = pytest.mark.filterwarnings(
    "ignore:The validation loss still fell:sklearn.exceptions.ConvergenceWarning"
)


def make_tasks(n_tasks, n_rows, seed, noise=8):
    """Which of two columns matters depends on the task, and in which direction."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(size=(len(task), 2 + noise))
    column = rng.integers(2, size=n_tasks)[task]
    sign = rng.choice([-1, 1], size=n_tasks)[task]
    side = sign * X[np.arange(len(task)), column] > 0
    return X, np.where(side, "up", "down"), np.array([f"t{t:02}" for t in task])


@pytest.fixture(scope="module")
def tasks():
    return make_tasks(20, 30, seed=0)


@pytest.fixture(scope="module")
def fitted(tasks):
    X, y, task = tasks
    return MetaGradientClassifier(**QUICK).fit(X, y, task=task)


def mean_accuracy_on_new_tasks(clf, n_support=10):
    X, y, task = make_tasks(30, n_support + 50, seed=1)
    accuracies = []
    for number in np.unique(task):
        rows = np.flatnonzero(task == number)
        support, query = rows[:n_support], rows[n_support:]
        new = clf.adapt(X[support], y[support])
        accuracies.append(new.score(X[query], y[query]))
    return np.mean(accuracies)


# What is learned


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_new_tasks_need_few_rows(tasks, algorithm):
    """Ten rows in ten columns are few, unless it is known that two columns matter."""
    X, y, task = tasks
    params = QUICK | {"n_iterations": 150, "n_iter_no_change": 50}
    learned = MetaGradientClassifier(algorithm, **params).fit(X, y, task=task)
    params["n_iterations"] = 0
    random = MetaGradientClassifier("fomaml", **params).fit(X, y, task=task)
    gain = mean_accuracy_on_new_tasks(learned) - mean_accuracy_on_new_tasks(random)
    assert gain > 0.07


def test_known_tasks_have_models_of_their_own(tasks, fitted):
    """Rows of one task say nothing, or the contrary, about another one."""
    X, y, task = tasks
    assert fitted.score(X, y, task=task) > 0.9
    assert fitted.score(X, y) < 0.75
    is_first = task == "t00"
    new = fitted.adapt(X[is_first], y[is_first])
    np.testing.assert_allclose(
        fitted.predict_proba(X[:9], task=["t00"] * 9), new.predict_proba(X[:9])
    )


def test_all_rows_are_one_task_without_ids(tasks):
    """Then nothing but what all rows say is asked for."""
    X, y, _ = tasks
    is_first = X[:, 0] > X[:, 1]
    y = np.where(is_first, "first", "second")
    clf = MetaGradientClassifier(**QUICK).fit(X, y)
    assert len(clf.tasks_) == 1
    assert clf.score(X, y) > 0.95


def test_the_start_is_the_one_of_the_lowest_validation_loss(tasks):
    """Learning stops a while after the loss on held-out tasks has ended to fall."""
    X, y, task = tasks
    params = QUICK | {"tolerance": 0.05, "n_iter_no_change": 30}
    clf = MetaGradientClassifier(**params | {"n_iterations": 1000})
    clf.fit(X, y, task=task)
    assert clf.converged_
    assert clf.n_iter_ == len(clf.loss_curve_) < 1000
    assert len(clf.validation_curve_) == 1 + clf.n_iter_ // 10
    curve = np.array(clf.validation_curve_)
    assert curve[:-3].min() < curve[0] - 0.05
    assert curve[-3:].min() > curve[:-3].min() - 0.05
    assert len(clf.held_out_tasks_) == 4
    assert set(clf.held_out_tasks_) < set(task)
    until_then = clone(clf).set_params(n_iterations=clf.n_iter_ - 30)
    until_then.fit(X, y, task=task)
    np.testing.assert_array_equal(
        until_then.predict_proba(X, task=task), clf.predict_proba(X, task=task)
    )


def test_it_is_said_if_learning_was_cut_short(tasks):
    X, y, task = tasks
    clf = MetaGradientClassifier(**QUICK | {"n_iterations": 5})
    with pytest.warns(ConvergenceWarning, match="still fell after n_iterations=5"):
        clf.fit(X, y, task=task)
    assert not clf.converged_
    assert clf.n_iter_ == 5


def test_anil_adapts_the_last_layer_only(tasks):
    X, y, task = tasks
    clf = MetaGradientClassifier("anil", **QUICK).fit(X, y, task=task)
    first, second = clf.models_[0].weights, clf.models_[1].weights
    for a, b in zip(first[:-2], second[:-2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[-2], second[-2])


# Labels


def test_labels_may_be_names_within_a_task(tasks):
    """With permuted labels a new task has names of its own, as many as it likes."""
    X, y, task = tasks
    y = np.char.add(y, np.where(task < "t10", "", "wards"))
    clf = MetaGradientClassifier(permute_labels=True, **QUICK).fit(X, y, task=task)
    predicted = clf.predict_proba(X, task=task)
    for number in ("t00", "t15"):
        own = np.isin(clf.classes_, y[task == number])
        of_task = predicted[task == number]
        np.testing.assert_allclose(of_task[:, own].sum(axis=1), 1)
        assert not of_task[:, ~own].any()
    new = clf.adapt(X[:30], np.where(X[:30, 0] > 0, 3, np.where(X[:30, 1] > 0, 1, 2)))
    assert new.classes_.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="task must be given with permute_labels=True"):
        clf.predict(X)
    with pytest.raises(ValueError, match="y must have at least two classes"):
        clf.adapt(X[:3], [1, 1, 1])


def test_shared_labels_stay_and_new_ones_join(tasks, fitted):
    """One class will do; one that is new is learned from its rows."""
    X, _, _ = tasks
    one = fitted.adapt(X[:5], ["up"] * 5)
    assert one.classes_.tolist() == ["down", "up"]
    assert (one.predict_proba(X)[:, 1] > fitted.predict_proba(X)[:, 1]).mean() > 0.9
    y = np.where(X[:60, 0] > 0, "aside", "up")
    new = TaskClassifier(fitted.adapt(X[:60], y).start).fit(X[:60], y)
    assert new.classes_.tolist() == ["aside", "down", "up"]
    assert new.score(X[:60], y) > 0.9
    with pytest.raises(ValueError, match="labels of the type that fit had, such as"):
        fitted.adapt(X[:4], [0, 1, 0, 1])


# Tables


def test_tables_are_taken_as_they_come(tasks):
    """Strings, categories and missing cells, of names that are checked."""
    X, y, task = tasks
    X = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    X["side"] = np.where(X["x0"] > 0, "left", "right")
    X.loc[::5, "x3"] = np.nan
    clf = MetaGradientClassifier(**QUICK).fit(X, y, task=pd.Series(task))
    assert clf.score(X, y, task=task) > 0.9
    assert clf.feature_names_in_.tolist() == list(X.columns)
    new = clf.adapt(X[:20], y[:20])
    assert new.n_features_in_ == 11
    with pytest.raises(ValueError, match="feature names"):
        new.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        clf.adapt(X[X.columns[::-1]], y)


# scikit-learn


def test_unknown_tasks_are_refused(tasks, fitted):
    X, _, task = tasks
    with pytest.raises(
        ValueError, match=r"of the 20 tasks of fit, got: \['new'\]\. Make .* by adapt"
    ):
        fitted.predict(X[:2], task=[task[0], "new"])


def test_ids_are_routed(tasks):
    """Through pipelines and cross-validation, to `fit`, `predict` and `score`."""
    X, y, task = tasks
    with config_context(enable_metadata_routing=True):
        clf = MetaGradientClassifier(**QUICK).set_fit_request(task=True)
        clf.set_predict_request(task=True).set_score_request(task=True)
        pipe = make_pipeline(StandardScaler(), clf)
        pipe.fit(X, y, task=task)
        direct = clone(clf).fit(StandardScaler().fit_transform(X), y, task=task)
        np.testing.assert_array_equal(
            pipe.predict(X, task=task),
            direct.predict(StandardScaler().fit_transform(X), task=task),
        )
        known = cross_validate(pipe, X, y, cv=FOLDS, params={"task": task})[
            "test_score"
        ]
        # Tasks of which no row is known: asked is what all rows together say.
        pooled = clf.set_score_request(task=False)
        unknown = cross_validate(
            pooled, X, y, cv=GroupKFold(2), params={"task": task, "groups": task}
        )["test_score"]
    assert known.mean() > unknown.mean() + 0.2


def test_what_adapted_can_be_cross_validated(tasks, fitted):
    """Clones begin at the same weights."""
    X, y, _ = tasks
    new = fitted.adapt(X[:30], y[:30])
    again = clone(new).fit(X[:30], y[:30])
    np.testing.assert_array_equal(new.predict_proba(X), again.predict_proba(X))
    scores = cross_validate(new, X[:30], y[:30], cv=FOLDS)["test_score"]
    assert scores.mean() > 0.7


def test_the_same_seed_gives_the_same_result(tasks):
    """Whatever torch and NumPy drew before, which they go on with afterwards."""
    X, y, task = tasks
    probabilities = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        states = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
        n_threads = torch.get_num_threads()
        clf = MetaGradientClassifier(**QUICK).fit(X, y, task=task)
        probabilities.append(clf.predict_proba(X, task=task))
        assert torch.equal(torch.get_rng_state(), states[0])
        np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
        assert torch.get_num_threads() == n_threads
    np.testing.assert_array_equal(*probabilities)
    other = clone(clf).set_params(random_state=1).fit(X, y, task=task)
    assert not np.array_equal(other.predict_proba(X, task=task), probabilities[0])


def test_what_was_learned_predicts_without_torch(tasks, fitted, tmp_path):
    """In another process, which does not import it."""
    X, y, task = tasks
    new = fitted.adapt(X[:20], y[:20])
    (tmp_path / "both.pkl").write_bytes(pickle.dumps((fitted, new, X, task)))
    code = (
        "import pickle, sys, numpy as np; "
        "clf, new, X, task = pickle.load(open('both.pkl', 'rb')); "
        "np.save('p.npy', [clf.predict_proba(X, task), new.predict_proba(X)]); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    expected = [fitted.predict_proba(X, task), new.predict_proba(X)]
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"algorithm": "sgd"}, r"algorithm must be one of \['maml', .* got: 'sgd'"),
        ({"inner_steps": 0}, "inner_steps must be an integer >= 1, got: 0"),
        ({"n_support": 2.5}, "n_support must be an integer >= 1, got: 2.5"),
        ({"n_iterations": -1}, "n_iterations must be an integer >= 0, got: -1"),
        ({"inner_lr": -0.1}, "inner_lr must be a number >= 0, got: -0.1"),
        ({"hidden_layer_sizes": ()}, r"must be a tuple of integers .* got: \(\)"),
        ({"hidden_layer_sizes": 64}, "must be a tuple of integers .* got: 64"),
        ({"validation_fraction": 1.0}, "at least 0 and less than 1, got: 1.0"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_used(tasks, params, message):
    X, y, task = tasks
    with pytest.raises(ValueError, match=message):
        MetaGradientClassifier(**params).fit(X, y, task=task)


def test_steps_that_are_too_long_are_said(tasks):
    X, y, task = tasks
    with pytest.raises(ValueError, match=r"must be finite, got: nan\. Decrease the l"):
        MetaGradientClassifier(**QUICK, inner_lr=1e30).fit(X, y, task=task)


def test_tasks_that_are_too_small(tasks):
    """Of each there is one row; another one to see what came of it is missing."""
    X, y, _ = tasks
    with pytest.raises(ValueError, match="two rows of a class, got: none of 10 tasks"):
        MetaGradientClassifier(**QUICK).fit(X[:10], y[:10], task=np.arange(10))
