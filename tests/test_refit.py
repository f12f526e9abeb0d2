"""What predicts in the end."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from skmeta import Configuration
from skmeta._footprint import FootprintLimit
from skmeta._refit import FOLDS, _plan, insure
from skmeta._trials import Task

QUICK = Configuration("gaussian_nb", {})


def make(configuration, candidate=None):
    return {"learner": configuration.learner}, candidate or GaussianNB()


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_insured_by_the_shares_of_the_classes(seed):
    """What is better than them by chance alone is not."""
    X, y = np.random.default_rng(seed).normal(size=(300, 40)), np.arange(300) % 3
    insurance = insure(Task(X, y, len(y), make=make), QUICK)
    assert isinstance(insurance.estimator, DummyClassifier)
    assert insurance.params == {}


@pytest.mark.parametrize("labels", [[0, 1, 2], ["c", "a", "b"]])
def test_what_learns_something_is_the_insurance(labels):
    """Whatever the classes are called."""
    X, y = make_classification(
        300, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0
    )
    task = Task(X, np.array(labels)[y], len(y), make=make)
    insurance = insure(task, QUICK)
    assert isinstance(insurance.estimator, GaussianNB)
    assert insurance.configuration == QUICK
    assert insurance.params == {"learner": "gaussian_nb"}


def test_a_model_that_is_too_large_insures_nothing():
    """Limits on the model are on this one too."""
    X, y = make_classification(300, 5, random_state=0)
    task = Task(X, y, 300, make=make, footprint_limit=FootprintLimit(None, 1e-4))
    assert isinstance(insure(task, QUICK).estimator, DummyClassifier)


def test_rows_that_there_is_time_for():
    """The time of one is not there for the next, unless its models are those of splits.

    Of 15 seconds left, three quarters are planned with: 11.25. Of 1,000 rows 10 seconds
    leave 1.25, which 800 rows, those of a split, cannot be fitted in any more.
    """
    trials = SimpleNamespace(
        recommendation=SimpleNamespace(configurations=[QUICK] * 3),
        evaluations=SimpleNamespace(models=[None, None, [GaussianNB()]]),
        refit_seconds=lambda index, n_rows, task: n_rows * rate[index],
    )
    task = SimpleNamespace(
        y=np.zeros(1000),
        splits=[(range(800), range(800, 1000))],
        schedule=SimpleNamespace(is_limited=True, n_workers=1, left=lambda: 15.0),
        can_stop=lambda learner: True,
    )
    rate = [0.01, 0.01, 0.001]
    assert _plan([0, 1], trials, task) == {0: 1000, 1: 800}
    assert _plan([0, 2], trials, task) == {0: 1000, 2: 1000}
    rate = [0.01, 0.01, 0.02]
    assert _plan([2, 0], trials, task) == {2: FOLDS, 0: 1000}


class Silent(GaussianNB):
    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def test_what_gives_no_probabilities_insures_nothing():
    """Such as NaN."""
    X, y = make_classification(300, 5, random_state=0)
    task = Task(X, y, 300, make=partial(make, candidate=Silent()))
    assert isinstance(insure(task, QUICK).estimator, DummyClassifier)
