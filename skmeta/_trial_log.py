"""The record of a search, from which it can be done again."""

from dataclasses import replace

import numpy as np
import pandas as pd

from skmeta._configuration import Configuration
from skmeta._refit import QUICK


def make_log(trials, task, members, errors, class_weights=None):
    """Return a record of a search from which it can be done again.

    Parameters
    ----------
    trials : Trials
    task : Task
    members : dict of int to (float, int or str)
        Weight of each candidate that predicts, and what it was fitted on.
    errors : Series of (str or None)
        Of the candidates, those of the last fits among them.
    class_weights : ndarray of shape (n_classes,) or None, default=None
        What probabilities are multiplied by for labels.

    Returns
    -------
    log : dict
        Numbers, strings, lists and dicts only.
    """
    evaluations = trials.evaluations
    return {
        "version": 1,
        "seed": task.seed,
        "n_rows": len(task.y),
        "n_columns": task.X.shape[1],
        "n_classes": len(task.classes),
        "n_rows_compared": task.n_rows,
        "n_splits": len(task.splits),
        "most_splits": task.most_splits,
        "trials": [
            {
                "configuration": configuration.to_dict(),
                "score": None if np.isnan(mean) else float(mean),
                "error": error,
            }
            for configuration, mean, error in zip(
                trials.tried.configurations,
                evaluations.mean_scores,
                errors.sort_index(),
                strict=True,
            )
        ],
        "members": [
            {"trial": index, "weight": float(weight), "fitted_on": fitted_on}
            for index, (weight, fitted_on) in members.items()
        ],
        "class_weights": None if class_weights is None else class_weights.tolist(),
    }


def check_log(log, X, y):
    """Return a log with only the trials that had a score or predict.

    Parameters
    ----------
    log : dict
        The user's.
    X, y : table and ndarray
        What is to be searched on now.

    Returns
    -------
    log : dict

    Raises
    ------
    ValueError
        If it is no log, or that of another table.
    """
    try:
        then = log["n_rows"], log["n_columns"], log["n_classes"]
        now = *X.shape, len(pd.unique(y))
        if then != now:
            raise ValueError(
                f"log must be of a fit on a table of this shape, got: {_shape(then)} "
                f"in the log, {_shape(now)} now."
            )
        weights = log.get("class_weights")
        if weights is not None and len(weights) != log["n_classes"]:
            raise TypeError
        members = {each["trial"] for each in log["members"]}
        kept = [
            position
            for position, trial in enumerate(log["trials"])
            if trial["error"] is None or position in members
        ]
        return log | {
            "trials": [log["trials"][position] for position in kept],
            "members": [
                each | {"trial": kept.index(each["trial"])} for each in log["members"]
            ],
        }
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"log must be the trial_log_ of a fitted estimator, got: {log!r:.200}."
        ) from error


def _shape(sizes):
    return "{} rows x {} columns, {} classes".format(*sizes)


def quick_of(log):
    """Return the configuration that predicts without having been compared, if any.

    Parameters
    ----------
    log : dict
        A checked one.

    Returns
    -------
    configuration : Configuration or None
    """
    member = next(iter(log["members"]), {"fitted_on": None})
    if member["fitted_on"] != QUICK:
        return None
    return Configuration.from_dict(log["trials"][member["trial"]]["configuration"])


def read_log(log, recommendation):
    """Return what was tried in an earlier search as if it were recommended.

    Parameters
    ----------
    log : dict
        A checked one.
    recommendation : Recommendation
        Of the same table.

    Returns
    -------
    recommendation : Recommendation
        Without what is expected of it.
    """
    configurations = [
        Configuration.from_dict(trial["configuration"]) for trial in log["trials"]
    ]
    unknown = np.full(len(configurations), np.nan)
    return replace(
        recommendation,
        configurations=tuple(configurations),
        expected_scores=unknown,
        expected_seconds=unknown,
    )
