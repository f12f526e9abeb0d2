"""What the scores seen so far say about those not seen yet."""

import numpy as np
from scipy.special import ndtr

# Part of the covariances that is taken for chance: a few hundred tasks are not
# many for all pairs of configurations.
_SHRINKAGE = 0.05


def gaussian_prior(values, weights):
    """Describe what a task may be like by the tasks that are known.

    Parameters
    ----------
    values : ndarray of shape (n_tasks, n_configurations)
        Finite.
    weights : ndarray of shape (n_tasks,)
        How much each task counts; non-negative, they sum to 1.

    Returns
    -------
    mean : ndarray of shape (n_configurations,)
    covariance : ndarray of shape (n_configurations, n_configurations)
        Shrunk towards its diagonal.
    """
    mean = weights @ values
    centered = values - mean
    covariance = (weights[:, np.newaxis] * centered).T @ centered
    variance = covariance.diagonal().copy()
    covariance *= 1 - _SHRINKAGE
    np.fill_diagonal(covariance, variance)
    return mean, covariance


def condition(mean, covariance, tried, observed, noise):
    """Condition a Gaussian on a few noisy observations.

    Parameters
    ----------
    mean, covariance : ndarray
        From `gaussian_prior`, or from a call before.
    tried : ndarray of int of shape (n_tried,)
        Positions that were observed.
    observed : ndarray of shape (n_tried,)
        Their values.
    noise : float
        Variance of an observation about the truth.

    Returns
    -------
    mean, covariance : ndarray
        Given the observations.
    """
    rows = covariance[tried]
    of_tried = rows[:, tried] + noise * np.eye(len(tried))
    gain = np.linalg.solve(of_tried, rows).T
    return mean + gain @ (observed - mean[tried]), covariance - gain @ rows


def expected_improvement(mean, deviation, best):
    """Return the expected improvement over the best value so far [1]_.

    Parameters
    ----------
    mean, deviation : ndarray of shape (n,)
        Of a normal distribution each; deviations are positive.
    best : float
        What is to be improved on.

    Returns
    -------
    improvement : ndarray of shape (n,)

    References
    ----------
    .. [1] D. R. Jones, M. Schonlau, W. J. Welch, "Efficient Global Optimization of
       Expensive Black-Box Functions", Journal of Global Optimization 13, 1998.
    """
    z = (mean - best) / deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return deviation * (z * ndtr(z) + density)


def improvement_order(mean, covariance, tried, size, *, noise, seconds=None, power=0.5):
    """Order configurations by expected improvement, each taken as tried in turn.

    What is put first is assumed to give what is expected of it, so that the next
    one is not its double.

    Parameters
    ----------
    mean, covariance : ndarray
        From `condition`, given what was observed.
    tried : ndarray of int of shape (n_tried,)
        At least one position.
    size : int
        How many to order, at most all that were not tried.
    noise : float
        Variance of an observation about the truth.
    seconds : ndarray of shape (n_configurations,), default=None
        What each takes. None is the same for all.
    power : float, default=0.5
        Improvement is divided by the seconds to this power.

    Returns
    -------
    order : ndarray of int of shape (size,)
    """
    cost = np.ones(len(mean)) if seconds is None else seconds**power
    best = mean[tried].max()
    left = np.ones(len(mean), dtype=bool)
    left[tried] = False
    order = []
    for _ in range(size):
        deviation = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
        gain = expected_improvement(mean, deviation, best) / cost
        # Rounded for the same reason as in `greedy_portfolio`; the mean settles
        # what nothing is expected of.
        gain = np.round(gain, 12) + 1e-9 * ndtr(mean)
        chosen = int(np.where(left, gain, -np.inf).argmax())
        order.append(chosen)
        left[chosen] = False
        best = max(best, mean[chosen])
        mean, covariance = condition(
            mean, covariance, np.array([chosen]), mean[[chosen]], noise
        )
    return np.array(order, dtype=np.int64)
