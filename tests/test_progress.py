import io
import logging
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier

from skmeta import MetaLearnerClassifier
from skmeta.progress import ProgressBar


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True)


def cheap(**parameters):
    parameters = {
        "base_learners": ["gaussian_nb", "decision_tree"],
        "n_candidates": 5,
        "random_state": 0,
    } | parameters
    return MetaLearnerClassifier(**parameters)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_callback_is_told_of_each_candidate(wine, n_jobs):
    """Once, when it is done, with what the leaderboard will say."""
    seen = []
    fitted = cheap(callback=seen.append, n_jobs=n_jobs).fit(*wine)
    board = fitted.leaderboard_
    assert [p.n_done for p in seen] == [1, 2, 3, 4, 5]
    assert {p.n_candidates for p in seen} == {5}
    scores = sorted(p.score for p in seen)
    np.testing.assert_allclose(scores, sorted(board["score"]))
    np.testing.assert_allclose(
        [p.best_score for p in seen], np.maximum.accumulate([p.score for p in seen])
    )
    assert (np.diff([p.elapsed_seconds for p in seen]) >= 0).all()
    assert seen[-1].seconds_left == 0
    tried = {c.name for c in fitted.recommendation_.configurations}
    assert {p.configuration.name for p in seen} == tried


def test_the_result_is_the_same_whether_someone_looks(wine):
    X, y = wine
    quiet = cheap().fit(X, y)
    watched = cheap(callback=lambda progress: None).fit(X, y)
    np.testing.assert_array_equal(quiet.predict_proba(X), watched.predict_proba(X))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_callback_ends_the_search(wine, n_jobs):
    """What is done by then counts; what is under way is not chosen from."""
    X, y = wine
    fitted = cheap(
        callback=lambda progress: progress.n_done >= 2,
        n_candidates=12,
        base_learners=None,
        n_jobs=n_jobs,
    ).fit(X, y)
    board = fitted.leaderboard_
    assert 2 <= len(board) <= 4
    assert board["error"].isna().sum() >= 2
    for error in board["error"].dropna():
        assert error == "Stopped: the callback asked for it."
    assert fitted.predict(X).shape == y.shape


def test_seconds_left_are_those_of_the_budget(wine):
    """Where there is no count, the time decides."""
    seen = []
    fitted = cheap(callback=seen.append, n_candidates=None, time_budget=300).fit(*wine)
    assert len(fitted.leaderboard_) == len(seen)
    for progress in seen:
        assert progress.n_candidates is None
        total = progress.elapsed_seconds + progress.seconds_left
        assert total == pytest.approx(300, rel=0.2)


def test_failures_are_told(wine):
    """A candidate without a score has an error, and is not the best."""

    def picky(estimator, X, y):
        if isinstance(estimator[-1], DecisionTreeClassifier):
            raise ValueError("not today")
        return estimator.score(X, y)

    seen = []
    cheap(callback=seen.append, scoring=picky, n_candidates=6).fit(*wine)
    failed = [p for p in seen if p.error is not None]
    assert 0 < len(failed) < 6
    assert all("not today" in p.error and np.isnan(p.score) for p in failed)
    assert not np.isnan(seen[-1].best_score)


def test_errors_of_a_callback_are_raised(wine):
    def broken(progress):
        raise RuntimeError("my own")

    with pytest.raises(RuntimeError, match="my own"):
        cheap(callback=broken).fit(*wine)


# The bar


def last_line(drawn):
    return [line for line in drawn.getvalue().splitlines() if "tried" in line][-1]


def test_bar(wine):
    """It says the best score, how many are done, and what is left."""
    rich_console = pytest.importorskip("rich.console")
    drawn = io.StringIO()
    console = rich_console.Console(file=drawn, force_terminal=True, width=100)
    fitted = cheap(callback=ProgressBar(console)).fit(*wine)
    last = last_line(drawn)
    assert "5 tried" in last
    assert f"best {fitted.best_score_:.4f}" in last
    assert "0 s left" in last
    # Another fit has a bar of its own.
    fitted.fit(*wine)
    assert "5 tried" in last_line(drawn)
    assert drawn.getvalue().count("1 tried") == 2


def test_bar_survives_clone_and_pickle(wine):
    pytest.importorskip("rich")
    fitted = cheap(callback=ProgressBar()).fit(*wine)
    assert isinstance(clone(fitted).callback, ProgressBar)
    assert isinstance(pickle.loads(pickle.dumps(fitted)).callback, ProgressBar)


def test_bar_without_rich(wine, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with pytest.raises(ImportError, match="pip install rich"):
        cheap(callback=ProgressBar()).fit(*wine)


# Scikit-learn's callbacks


class Watcher:
    """Notes what it is told, and ends a search after some candidates."""

    def __init__(self, n_candidates=99):
        self.n_candidates, self.told = n_candidates, []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.told.append(("end", context.task_name))
        return len(self.told) >= 2 + 2 * self.n_candidates


def test_callbacks_of_scikit_learn(wine):
    pytest.importorskip("sklearn.callback")
    watcher = Watcher()
    fitted = cheap().set_callbacks(watcher).fit(*wine)
    names = [c.name for c in fitted.recommendation_.configurations]
    inner = [(event, name) for name in names for event in ("begin", "end")]
    assert watcher.told == [
        "setup",
        ("begin", "fit"),
        *inner,
        ("end", "fit"),
        "teardown",
    ]
    short = cheap().set_callbacks(Watcher(n_candidates=2)).fit(*wine)
    assert len(short.leaderboard_) == 2


def test_teardown_after_an_error(wine):
    pytest.importorskip("sklearn.callback")
    watcher = Watcher()
    with pytest.raises(ValueError, match="scoring"):
        cheap(scoring=["accuracy"]).set_callbacks(watcher).fit(*wine)
    with pytest.raises(RuntimeError):
        cheap(callback=_raise).set_callbacks(watcher).fit(*wine)
    assert watcher.told[-1] == "teardown"


def _raise(progress):
    raise RuntimeError("no")


def test_progress_bar_of_scikit_learn(wine, capfd):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    cheap().set_callbacks(callback.ProgressBar()).fit(*wine)
    assert "MetaLearnerClassifier - fit" in capfd.readouterr().out


def test_steps_are_logged(wine, caplog, capsys):
    """For whoever listens to the logger of the package; else nothing is said."""
    cheap().fit(*wine)
    assert caplog.records == []
    with caplog.at_level(logging.INFO, logger="skmeta"):
        fitted = cheap().fit(*wine)
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("178 rows, 13 columns, 3 classes")
    assert fitted.recommendation_.reason in told
    assert sum(line.startswith("[") for line in told) == 5
    assert {record.name.partition(".")[0] for record in caplog.records} == {"skmeta"}
    assert capsys.readouterr() == ("", "")
