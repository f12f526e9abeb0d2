"""Scores on a scale on which they are about normal."""

import numpy as np

# Best possible values: what is left to them is an error.
_PERFECT = {"neg_log_loss": 0.0, "neg_log_loss_calibrated": 0.0}

# Times the distance of the median configuration from the best one of a task.
_HOPELESS = 3.0


def to_normal(scores, metric):
    """Return the negative root of the errors, which is closer to normal.

    Parameters
    ----------
    scores : ndarray
        Greater is better.
    metric : str
        A stored one.

    Returns
    -------
    values : ndarray of the same shape
        At most 0.
    """
    return -np.sqrt(np.maximum(_PERFECT.get(metric, 1.0) - scores, 0.0))


def from_normal(values, metric):
    """Return the scores that `to_normal` made values of.

    Parameters
    ----------
    values : ndarray
        What is above 0 counts as 0.
    metric : str
        A stored one.

    Returns
    -------
    scores : ndarray of the same shape
    """
    return _PERFECT.get(metric, 1.0) - np.minimum(values, 0.0) ** 2


def without_outliers(values):
    """Return values without those that are far below most of their task.

    Hopeless is hopeless, how far does not matter, and would dominate covariances.

    Parameters
    ----------
    values : ndarray of shape (n_tasks, n_configurations)
        From `to_normal`. NaN, a failure, is as bad as what is hopeless.

    Returns
    -------
    values : ndarray of the same shape
        Finite.
    """
    best = np.nanmax(values, axis=1, keepdims=True)
    median = np.nanmedian(values, axis=1, keepdims=True)
    lowest = best - _HOPELESS * (best - median)
    return np.maximum(np.where(np.isnan(values), -np.inf, values), lowest)
