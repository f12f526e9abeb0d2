"""From probabilities to labels: one temperature, and a weight for each class.

Labels for a metric that cares for rare classes come from weights on calibrated
probabilities, not from weights in training: so one fitted object can have good
labels and good probabilities. Both steps are tuned on rows that the model was not
fitted on.
"""

import numpy as np

# Half to sixteen times as sure as the model says, each step 19 % more. The upper
# end is for naive Bayes and QDA, which count every correlated column anew.
TEMPERATURES = np.geomspace(0.5, 16, 21)

# Exponents of the inverse class shares: 0 is the most probable class, 1 weighs
# every class by one over its share, which is best for balanced accuracy if the
# probabilities are right.
EXPONENTS = np.linspace(0, 1.5, 13)

# Logarithms of what the second of two classes is weighed by, for metrics of which it
# is not known which class they care for: up to 55 times the first, or as little.
LOG_WEIGHTS = np.linspace(-4, 4, 25)

# The exponent that tuning starts from, by metric.
START = {"accuracy": 0.0, "balanced_accuracy": 1.0, "f1_macro": 0.5}


def log_probabilities(probabilities):
    """Return logarithms, finite also where a probability is zero.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    logs : ndarray of float64 of shape (n_rows, n_classes)
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    return np.log(np.maximum(probabilities, np.finfo(np.float64).eps))


def tempered_losses(logs, y, temperatures=TEMPERATURES):
    """Log loss of every row after dividing the logits by each temperature [1]_.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        From `log_probabilities`.
    y : ndarray of int of shape (n_rows,)
        Class numbers.
    temperatures : ndarray of shape (n_temperatures,)
        Positive; 1 leaves the probabilities as they are.

    Returns
    -------
    losses : ndarray of shape (n_temperatures, n_rows)

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern
       Neural Networks", ICML 2017.
    """
    # The largest is 0 then, so that no exponential overflows.
    logits = logs - logs.max(axis=1, keepdims=True)
    own = logits[np.arange(len(y)), y]
    losses = np.empty((len(temperatures), len(y)))
    for loss, temperature in zip(losses, temperatures, strict=True):
        loss[:] = np.log(np.exp(logits / temperature).sum(axis=1)) - own / temperature
    return losses


def confusion_counts(logs, y, groups, priors, temperature, exponents=EXPONENTS):
    """Count which class is said for which, for each weighting of the classes.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        From `log_probabilities`.
    y, groups : ndarray of int of shape (n_rows,)
        Class numbers; a number for each row, such as that of its fold.
    priors : ndarray of shape (n_classes,)
        Share of each class; positive.
    temperature : float
        Divides `logs`.
    exponents : ndarray of shape (n_exponents,)
        Class weights are ``priors ** -exponent``.

    Returns
    -------
    counts : ndarray of int of shape (n_exponents, n_groups, n_classes, n_classes)
        The last two axes are the true class and the one said.
    """
    n_classes = logs.shape[1]
    n_groups = groups.max() + 1
    cell = (groups * n_classes + y) * n_classes
    shift = temperature * np.log(priors)
    counts = [
        np.bincount(
            cell + (logs - exponent * shift).argmax(axis=1),
            minlength=n_groups * n_classes**2,
        )
        for exponent in exponents
    ]
    return np.reshape(counts, (-1, n_groups, n_classes, n_classes))


def score_counts(counts):
    """Score labels by what was said for which class.

    Parameters
    ----------
    counts : ndarray of shape (..., n_classes, n_classes)
        The last two axes are the true class and the one said.

    Returns
    -------
    scores : dict of str to ndarray of shape (...)
        ``"accuracy"``, ``"balanced_accuracy"`` and ``"f1_macro"``, as
        scikit-learn computes them.
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    of_class, said = counts.sum(axis=-1), counts.sum(axis=-2)
    return {
        "accuracy": right.sum(axis=-1) / of_class.sum(axis=-1),
        "balanced_accuracy": _mean_where(right, of_class),
        "f1_macro": _mean_where(2 * right, of_class + said),
    }


def _mean_where(numerators, denominators):
    """Mean of the ratios over the last axis, without those of nothing to nothing."""
    exists = denominators > 0
    ratios = np.divide(
        numerators, denominators, out=np.zeros(exists.shape), where=exists
    )
    return ratios.sum(axis=-1) / exists.sum(axis=-1)


def score_exponents(probabilities, y):
    """Score the labels of each weighting of the classes, by the classes' own shares.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
    y : ndarray of int of shape (n_rows,)
        Class numbers from 0, each with a row.

    Returns
    -------
    scores : dict of str to ndarray of shape (n_exponents,)
        As those of `score_counts`, for each of `EXPONENTS`.
    """
    counts = confusion_counts(
        log_probabilities(probabilities),
        y,
        np.zeros(len(y), dtype=np.int64),
        np.bincount(y) / len(y),
        temperature=1.0,
    )
    return score_counts(counts[:, 0])


def best_exponent(scores, start, n_rows, exponents=EXPONENTS):
    """Choose the weighting of the classes for a metric, shrunk to a safe start.

    Parameters
    ----------
    scores : ndarray of shape (n_exponents,)
        Score with each of the exponents.
    start : float
        The exponent that is best if the probabilities are right, as in `START`.
    n_rows : int
        From which the scores come: with few, chance moves the best one.
    exponents : ndarray of shape (n_exponents,), default=EXPONENTS
        On a scale on which 1 is much.

    Returns
    -------
    index : int
        Position in `exponents`.
    """
    # A lucky row makes a peak of one step; what is best in truth is a hill.
    padded = np.pad(scores, 1, mode="edge")
    smooth = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    # A whole step of the exponent must pay a standard error of an accuracy of .5.
    distance = np.abs(exponents - start)
    return int(np.argmax(smooth - distance * 0.5 / np.sqrt(n_rows)))


def tuned_scores(y, fold_of, probabilities):
    """Score each fold with the temperature and class weights that the others chose.

    Parameters
    ----------
    y : ndarray of int of shape (n_rows,)
        Class numbers from 0, each with a row.
    fold_of : ndarray of int of shape (n_rows,)
        The fold in which each row was tested, two or more of them.
    probabilities : ndarray of shape (n_rows, n_classes)
        Of models fitted on the other folds.

    Returns
    -------
    scores : dict of str to ndarray of shape (n_folds,)
        ``"accuracy_tuned"``, ``"balanced_accuracy_tuned"``, ``"f1_macro_tuned"``
        and ``"neg_log_loss_calibrated"``.
    """
    logs = log_probabilities(probabilities)
    n_rows = np.bincount(fold_of)
    losses = np.stack(
        [np.bincount(fold_of, weights=row) for row in tempered_losses(logs, y)]
    )
    others = losses.sum(axis=1, keepdims=True) - losses
    temperatures = others.argmin(axis=0)
    folds = np.arange(len(n_rows))
    scores = {"neg_log_loss_calibrated": -losses[temperatures, folds] / n_rows}
    priors = np.bincount(y, minlength=logs.shape[1]) / len(y)
    for tuned in START:
        scores[f"{tuned}_tuned"] = np.empty(len(n_rows))
    for temperature in np.unique(temperatures):
        counts = confusion_counts(logs, y, fold_of, priors, TEMPERATURES[temperature])
        of_folds = score_counts(counts)
        of_others = score_counts(counts.sum(axis=1, keepdims=True) - counts)
        for fold in folds[temperatures == temperature]:
            for metric, by_exponent in of_others.items():
                chosen = best_exponent(
                    by_exponent[:, fold], START[metric], len(y) - n_rows[fold]
                )
                scores[f"{metric}_tuned"][fold] = of_folds[metric][chosen, fold]
    return scores
