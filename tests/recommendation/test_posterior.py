import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from skmeta.recommendation._posterior import (
    condition,
    expected_improvement,
    gaussian_prior,
    improvement_order,
)


@pytest.fixture
def gaussian():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    return rng.normal(size=4), root @ root.T + 0.1 * np.eye(4)


def test_prior_is_the_weighted_mean_and_covariance():
    """But for the shrinkage of the covariances, as NumPy computes them."""
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(50, 3)), rng.dirichlet(np.ones(50))
    mean, covariance = gaussian_prior(values, weights)
    np.testing.assert_allclose(mean, np.average(values, axis=0, weights=weights))
    expected = np.cov(values.T, aweights=weights, ddof=0)
    np.testing.assert_allclose(covariance.diagonal(), expected.diagonal())
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(covariance[off], 0.95 * expected[off])


def test_condition_is_bayes(gaussian):
    """The density of what is left is the joint one over that of what was seen."""
    mean, covariance = gaussian
    tried, observed, rest = np.array([1, 3]), np.array([0.5, -1.0]), np.array([0, 2])
    given, left = condition(mean, covariance, tried, observed, noise=0.0)
    point = np.array([0.3, -0.2])
    everything = np.empty(4)
    everything[tried], everything[rest] = observed, point
    joint = multivariate_normal(mean, covariance).logpdf(everything)
    seen = multivariate_normal(mean[tried], covariance[np.ix_(tried, tried)])
    conditional = multivariate_normal(given[rest], left[np.ix_(rest, rest)])
    assert conditional.logpdf(point) == pytest.approx(joint - seen.logpdf(observed))


def test_condition_one_by_one_or_at_once(gaussian):
    """Observations may come in any portions."""
    at_once = condition(*gaussian, np.array([0, 2]), np.array([1.0, 2.0]), 0.3)
    first = condition(*gaussian, np.array([0]), np.array([1.0]), 0.3)
    second = condition(*first, np.array([2]), np.array([2.0]), 0.3)
    for a, b in zip(at_once, second, strict=True):
        np.testing.assert_allclose(a, b)


def test_expected_improvement_is_an_integral():
    """It equals the mean of what draws are above the best, nothing if below."""
    mean, deviation, best = np.array([0.0, 1.0]), np.array([1.0, 0.5]), 0.8
    draws = norm(mean, deviation).rvs((400_000, 2), random_state=0)
    expected = np.maximum(draws - best, 0).mean(axis=0)
    np.testing.assert_allclose(
        expected_improvement(mean, deviation, best), expected, rtol=0.02
    )


def groups_of_tasks(n_tasks=60):
    """Return values where 0 and 1 are good together, or 2 and 3 are."""
    rng = np.random.default_rng(0)
    is_first = (np.arange(n_tasks) % 2 == 0)[:, np.newaxis]
    values = np.where(is_first, [-0.2, -0.1, -0.9, -0.8], [-0.9, -0.8, -0.2, -0.1])
    return values + rng.normal(0, 0.02, values.shape)


@pytest.mark.parametrize(("observed", "expected"), [(-0.2, 1), (-0.9, 3)])
def test_order_follows_what_goes_together(observed, expected):
    """After one good score its companion comes first, after a bad one the others."""
    prior = gaussian_prior(groups_of_tasks(), np.full(60, 1 / 60))
    tried = np.array([0])
    given = condition(*prior, tried, np.array([observed]), 1e-3)
    order = improvement_order(*given, tried, 3, noise=1e-3)
    assert order[0] == expected
    assert sorted(order) == [1, 2, 3]


def test_order_by_seconds_prefers_the_cheap():
    """Of two that promise the same the quick one comes first."""
    values = np.random.default_rng(0).normal(size=(40, 1)) @ np.ones((1, 3))
    prior = gaussian_prior(values, np.full(40, 1 / 40))
    tried = np.array([0])
    given = condition(*prior, tried, np.array([0.0]), 0.1)
    for seconds, first in [([1.0, 9.0, 1.0], 2), ([1.0, 1.0, 9.0], 1)]:
        order = improvement_order(
            *given, tried, 1, noise=0.1, seconds=np.array(seconds)
        )
        assert order[0] == first
