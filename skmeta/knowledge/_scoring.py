"""The stored metrics, from probabilities out of fold."""

import numpy as np
from sklearn import metrics

from skmeta._decision import tuned_scores

METRICS = (
    "accuracy",
    "balanced_accuracy",
    "roc_auc_ovr_weighted",
    "neg_log_loss",
    "f1_macro",
    # The same after the steps of `_decision`, tuned on the other folds.
    "accuracy_tuned",
    "balanced_accuracy_tuned",
    "neg_log_loss_calibrated",
    "f1_macro_tuned",
)


def score_folds(y, fold_of, probabilities):
    """Score out-of-fold probabilities by the stored metrics.

    Parameters
    ----------
    y : ndarray of int of shape (n_rows,)
        Class numbers from 0.
    fold_of : ndarray of int of shape (n_rows,)
        The fold in which each row was tested.
    probabilities : ndarray of shape (n_rows, n_classes)
        Of models fitted on the other folds.

    Returns
    -------
    scores : dict of str to list of float
        A score for each fold; greater is better. ROC AUC is the mean over the
        classes that occur, weighted by how often they do.

    Raises
    ------
    ValueError
        If a score is not a finite number.
    """
    scores = {metric: [] for metric in METRICS}
    for fold in range(fold_of.max() + 1):
        test = fold_of == fold
        for metric, score in score_probabilities(y[test], probabilities[test]).items():
            if not np.isfinite(score):
                raise ValueError(f"{metric} is {score}")
            scores[metric].append(float(score))
    for metric, values in tuned_scores(y, fold_of, probabilities).items():
        scores[metric] = [float(value) for value in values]
    return scores


def score_probabilities(y, probabilities):
    """Score probabilities by the stored metrics that need no tuning.

    Parameters
    ----------
    y : ndarray of int of shape (n_rows,)
        Class numbers from 0; some may have no row.
    probabilities : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    scores : dict of str to float
        Greater is better.
    """
    labels = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    # Both without scikit-learn's warnings about classes that are not in the fold.
    return {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced_accuracy": metrics.recall_score(
            y, predicted, labels=np.unique(y), average="macro"
        ),
        "roc_auc_ovr_weighted": weighted_auc(y, probabilities),
        "neg_log_loss": -metrics.log_loss(y, probabilities, labels=labels),
        "f1_macro": metrics.f1_score(y, predicted, average="macro", zero_division=0.0),
    }


def weighted_auc(y, probabilities):
    """Area under the ROC curve, one class against the rest, weighted by frequency.

    Parameters
    ----------
    y : ndarray of int of shape (n_rows,)
        Class numbers; classes without a row are left out.
    probabilities : ndarray of shape (n_rows, n_classes)

    Returns
    -------
    area : float
    """
    if probabilities.shape[1] == 2:
        return metrics.roc_auc_score(y, probabilities[:, 1])
    present, counts = np.unique(y, return_counts=True)
    areas = [metrics.roc_auc_score(y == c, probabilities[:, c]) for c in present]
    return float(np.average(areas, weights=counts))
