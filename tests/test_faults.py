"""What goes wrong around a fit does not end it, and nothing is left behind."""

import os
import threading
import time

import numpy as np
import psutil
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import GaussianNB

from skmeta import MetaLearnerClassifier


class Slow(TransformerMixin, BaseEstimator):
    """Hands a table on, but not at once."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def fit(self, X, y=None):
        time.sleep(self.seconds)
        return self

    def transform(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


def classifier(**params):
    defaults = {"n_candidates": 6, "n_jobs": 2, "random_state": 0, "ensemble_size": 2}
    return MetaLearnerClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def table():
    return make_classification(300, 6, random_state=0)


def worker_processes():
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "loky" in " ".join(child.cmdline())]


def test_workers_that_are_killed(table):
    """Whoever kills them, what they were at is done again."""
    X, y = table
    stop = threading.Event()
    killed = []

    def kill():
        while not stop.wait(0.5) and len(killed) < 2:
            busy = [p for p in worker_processes() if p.cpu_times().user > 0.5]
            if busy:
                busy[0].kill()
                killed.append(busy[0].pid)
                time.sleep(2)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    clf = classifier(preprocessor=Slow(0.3)).fit(X, y)
    stop.set()
    killer.join()
    assert killed
    assert len(clf.leaderboard_) == 6
    # Alone with its process when that is killed, a candidate is blamed for it.
    assert clf.leaderboard_["score"].notna().sum() >= 4
    assert clf.score(X, y) > 0.8


def moody(estimator, X, y):
    if isinstance(estimator[-1], GaussianNB):
        raise RuntimeError("not today")
    return accuracy_score(y, estimator.predict(X))


def test_a_scorer_that_fails_sometimes(table):
    """The candidates that it fails for are rows with the reason."""
    X, y = table
    learners = ["gaussian_nb", "logistic_regression"]
    clf = classifier(scoring=moody, base_learners=learners, n_candidates=12).fit(X, y)
    is_bayes = clf.leaderboard_["learner"] == "gaussian_nb"
    assert clf.leaderboard_["error"].notna().equals(is_bayes)
    assert clf.leaderboard_["error"][is_bayes].str.contains("not today").all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_tables_that_cannot_be_written_to(tmp_path, n_jobs):
    """Such as those that joblib hands to its workers."""
    X, y = make_classification(2500, 60, random_state=0)
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    X = np.memmap(tmp_path / "X", dtype=X.dtype, mode="r", shape=X.shape)
    learners = ["gaussian_nb", "decision_tree", "linear_discriminant_analysis"]
    clf = classifier(base_learners=learners, n_jobs=n_jobs, cv=2).fit(X, y)
    assert clf.leaderboard_["error"].isna().all()


@pytest.mark.parametrize("params", [{}, {"time_budget": 6}], ids=["count", "time"])
def test_nothing_is_left_behind(tmp_path, monkeypatch, params):
    """No file in the folder for temporary ones or here, and no limit on memory."""
    X, y = make_classification(4000, 60, random_state=0)  # shared through a file
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    learners = ["gaussian_nb", "logistic_regression"]
    before = set(os.listdir())
    classifier(base_learners=learners, cv=2, memory_limit=4000, **params).fit(X, y)
    for _ in range(100):  # folders are deleted in the background
        if set(os.listdir()) == before:
            break
        time.sleep(0.1)
    files = [name for _, _, names in os.walk(tmp_path) for name in names]
    assert files == []
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("skmeta-limits") <= 1
    resource = pytest.importorskip("resource")
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
