"""What configurations would have scored on tasks where they were not tried."""

import numpy as np

from skmeta.recommendation._posterior import condition, gaussian_prior
from skmeta.recommendation._scale import from_normal, to_normal, without_outliers

# Variance of a score about the truth, as a part of that of a configuration over tasks.
_NOISE = 0.05

# Where all scores are the same, there is no variance.
_LEAST_NOISE = 1e-9

# Fewer complete tasks say less of what goes with what than all the others.
_LEAST_COMPLETE = 10

_N_ROUNDS = 3


def complete_scores(scores, is_unknown, weights, metric):
    """Fill gaps by what is expected of them, given what was observed on their task.

    Scores are taken for normal, on the scale of `to_normal`, and their mean and
    covariance found by expectation maximisation [1]_: what was tried depends on what
    was seen before, so that a mean of what was observed alone would be too high.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_configurations)
        Every configuration and every task has one.
    is_unknown : ndarray of bool of shape (n_tasks, n_configurations)
        Where nothing was tried; other gaps are failures, and stay.
    weights : ndarray of shape (n_tasks,)
        How much each task counts; positive.
    metric : str
        A stored one.

    Returns
    -------
    scores : ndarray of shape (n_tasks, n_configurations)

    References
    ----------
    .. [1] R. J. A. Little, D. B. Rubin, "Statistical Analysis with Missing Data",
       3rd edition, Wiley 2019, section 11.2.
    """
    values = to_normal(scores, metric)
    is_complete = ~is_unknown.any(axis=1)
    if is_complete.any():
        values[is_complete] = without_outliers(values[is_complete])
    # Where few were tried there is no median to tell what is hopeless.
    worst = np.nanmin(values, axis=1, keepdims=True)
    values = np.where(np.isnan(values) & ~is_unknown, worst, values)
    mean, covariance = _begin(values, is_unknown, is_complete, weights)
    shares = weights / weights.sum()
    for _ in range(_N_ROUNDS):
        values, doubt = _fill(values, is_unknown, shares, mean, covariance)
        mean, covariance = gaussian_prior(values, shares)
        covariance += doubt
    return np.where(is_unknown, from_normal(values, metric), scores)


def _begin(values, is_unknown, is_complete, weights):
    """Return a first mean and covariance."""
    if is_complete.sum() >= _LEAST_COMPLETE:
        shares = weights[is_complete] / weights[is_complete].sum()
        return gaussian_prior(values[is_complete], shares)
    # Tasks differ in how hard they are, and that is all that is known.
    known = np.where(is_unknown, 0.0, weights[:, np.newaxis])
    level = (known * np.where(is_unknown, 0.0, values)).sum(axis=1) / known.sum(axis=1)
    apart = np.where(is_unknown, 0.0, values - level[:, np.newaxis])
    offset = (known * apart).sum(axis=0) / known.sum(axis=0)
    mean = np.average(level, weights=weights) + offset
    hardness = np.average((level - level.mean()) ** 2, weights=weights)
    rest = (known * apart**2).sum() / known.sum()
    covariance = np.full((len(mean), len(mean)), hardness)
    return mean, covariance + rest * np.eye(len(mean))


def _fill(values, is_unknown, shares, mean, covariance):
    """Return values with the gaps filled, and the mean doubt about them."""
    noise = max(_NOISE * covariance.diagonal().mean(), _LEAST_NOISE)
    filled, doubt = values.copy(), np.zeros_like(covariance)
    for row in np.flatnonzero(is_unknown.any(axis=1)):
        gaps, observed = is_unknown[row], np.flatnonzero(~is_unknown[row])
        expected, left = condition(
            mean, covariance, observed, values[row, observed], noise
        )
        filled[row, gaps] = expected[gaps]
        # Of what was observed there is next to none.
        doubt += shares[row] * left
    return filled, doubt
