"""What a fit has learned of configurations, in a form that later fits can use."""

import hashlib
import re

import numpy as np
import sklearn

import skmeta
from skmeta._evaluation import SCORING_FAILED
from skmeta._messages import error_line
from skmeta.knowledge._fingerprint import fingerprint


def make_experience(trials, task, meta_features, metric, context):
    """Return what a search has learned: no rows, no names of columns or classes.

    Parameters
    ----------
    trials : Trials
    task : Task
    meta_features : Series
        Of the task.
    metric : str or None
        The stored metric that the scores of the trials are by; None if they are by
        none.
    context : list
        Estimators of the user's that took part in every fit: what was learned with
        them is not known of the table alone.

    Returns
    -------
    experience : dict or None
        What JSON can hold; None if nothing was learned.
    """
    if not task.splits:
        return None
    found = [_describe(index, trials, task, metric) for index in range(len(trials))]
    found = [each for each in found if each is not None]
    if not any(each["scores"] for each in found):
        return None
    table = identity = fingerprint(task.X, task.codes)
    if context:
        described = " ".join([table, *map(_describe_estimator, context)])
        identity = hashlib.sha256(described.encode()).hexdigest()
    size = task.size
    return {
        "fingerprint": identity,
        "table": table,
        "sizes": {
            "n_rows": size.n_rows,
            "n_features": size.n_columns,
            "n_classes": size.n_classes,
            "n_rows_evaluated": task.n_rows,
        },
        "meta_features": meta_features.to_dict(),
        "versions": {"skmeta": skmeta.__version__, "scikit-learn": sklearn.__version__},
        "trials": found,
    }


def _describe(index, trials, task, metric):
    """Return what came of a candidate; None if that says nothing of it."""
    evaluations = trials.evaluations
    error, scores = evaluations.errors[index], {}
    if np.isfinite(evaluations.scores[index]).all():
        error = None  # perhaps it took too long, or was too large, for this fit
        scores = _score(index, trials, task, metric)
    elif error is None or "Traceback" not in error:
        return None  # it was stopped or dropped before its end
    else:
        error = _kind_of(error)
    if error is None and not scores:
        return None
    return {
        "configuration": trials.recommendation.configurations[index].to_dict(),
        "scores": scores,
        "fit_seconds": _mean(evaluations.fit_seconds[index]),
        "predict_seconds": _mean(evaluations.score_seconds[index]),
        "error": error,
    }


def _kind_of(traceback):
    """Return the class of an exception, without its message, which may quote a cell."""
    line = error_line(traceback)
    kind = line.rpartition(SCORING_FAILED)[2].partition(":")[0]
    return kind if re.fullmatch(r"[A-Za-z_.]*(Error|Exception)", kind) else "Error"


def _describe_estimator(estimator):
    """Return class and parameters of an estimator, the same in every process."""
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    parts = [f"{type(estimator).__module__}.{type(estimator).__qualname__}"]
    for name, value in sorted(params.items()):
        is_estimator = hasattr(value, "get_params")
        parts.append(f"{name}={type(value).__qualname__ if is_estimator else value!r}")
    return re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(parts))


def _mean(seconds):
    return float(f"{np.mean(seconds):.3g}") if np.isfinite(seconds).all() else None


def _score(index, trials, task, metric):
    """Return the scores of each split by the metrics that there is time for."""
    scores = {}
    probabilities = trials.evaluations.probabilities[index]
    has_time = not task.schedule.is_limited or task.schedule.left() > 0
    if task.out_of_fold is not None and probabilities is not None and has_time:
        scores = task.out_of_fold.stored_scores(probabilities)
    if metric is not None:
        scores[metric] = trials.evaluations.scores[index]
    return {
        name: [round(float(value), 5) for value in values]
        for name, values in scores.items()
    }
