import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmeta import load_knowledge
from skmeta.recommendation._completion import complete_scores
from skmeta.recommendation._scale import from_normal, to_normal, without_outliers


@pytest.mark.parametrize("metric", ["accuracy", "neg_log_loss"])
def test_scale_there_and_back(metric):
    scores = np.array([0.25, 0.5, 1.0]) - (metric == "neg_log_loss")
    values = to_normal(scores, metric)
    assert (np.diff(values) > 0).all()
    assert_allclose(from_normal(values, metric), scores)
    assert from_normal(np.array(0.5), metric) == scores.max()


def test_outliers_and_failures_are_drawn_in():
    """Best 0, median -1: nothing below -3."""
    values = np.array([[0.0, -1.0, -9.0, np.nan, -0.5, -2.0]])
    assert_allclose(without_outliers(values), [[0, -1, -3, -3, -0.5, -2]])


def test_what_follows_from_the_rest_is_found():
    """Scores of two hidden properties of a task: four of ten give the other six."""
    rng = np.random.default_rng(0)
    values = -1 - rng.normal(size=(60, 2)) @ rng.normal(size=(2, 10)) / 10
    scores = from_normal(values, "accuracy")
    is_unknown = np.zeros(scores.shape, dtype=bool)
    for row in range(30, 60):
        is_unknown[row, rng.permutation(10)[:6]] = True
    seen = np.where(is_unknown, np.nan, scores)
    completed = complete_scores(seen, is_unknown, np.ones(60), "accuracy")
    assert_array_equal(completed[~is_unknown], scores[~is_unknown])
    error = np.abs(completed - scores)[is_unknown].mean()
    means = np.tile(np.nanmean(seen, axis=0), (60, 1))
    assert error < 0.35 * np.abs(means - scores)[is_unknown].mean()


@pytest.mark.parametrize("n_complete", [0, 1, 120])
def test_known_scores_that_are_hidden(n_complete):
    """On real scores: closer than the mean of the configuration, with any start."""
    scores = load_knowledge().scores("accuracy").to_numpy().astype(float)
    scores = scores[~np.isnan(scores).any(axis=1)][:160]
    rng = np.random.default_rng(0)
    is_unknown = rng.random(scores.shape) < 0.7
    is_unknown[:n_complete] = False
    seen = np.where(is_unknown, np.nan, scores)
    completed = complete_scores(seen, is_unknown, np.ones(len(scores)), "accuracy")
    means = np.tile(np.nanmean(seen, axis=0), (len(scores), 1))
    error = np.abs(completed - scores)[is_unknown].mean()
    assert error < 0.4 * np.abs(means - scores)[is_unknown].mean()


def test_failures_stay():
    scores = np.random.default_rng(0).uniform(0.5, 0.9, (20, 4))
    scores[3, 1] = scores[4, 2] = np.nan
    is_unknown = np.zeros(scores.shape, dtype=bool)
    is_unknown[4, 2] = True
    completed = complete_scores(scores, is_unknown, np.ones(20), "accuracy")
    assert np.isnan(completed[3, 1])
    assert 0.5 < completed[4, 2] < 0.9


def test_no_variance_at_all():
    """Perfect scores everywhere: what was not tried is expected to be perfect too."""
    scores = np.ones((12, 3))
    scores[4, 1] = np.nan
    is_unknown = np.isnan(scores)
    completed = complete_scores(scores, is_unknown, np.ones(12), "accuracy")
    assert_allclose(completed, 1.0)
