"""Evaluate configurations on tasks in a process that may be killed at any fit.

Started by `_growth`. It reads one JSON line of settings, then one JSON line for
each task, and writes one JSON line for each thing that happens. A process of our
own and not a joblib worker, because ending a joblib worker breaks its whole pool,
and a fit inside C code can only be stopped by ending its process.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.model_selection import StratifiedKFold, train_test_split

from skmeta._base_learners import TaskSize, make_estimator
from skmeta._configuration import Configuration
from skmeta._evaluation import calm, take_rows
from skmeta._files import read_file
from skmeta.metafeatures import MetaFeatureExtractor

METRICS = (
    "accuracy",
    "balanced_accuracy",
    "roc_auc_ovr_weighted",
    "neg_log_loss",
    "f1_macro",
)


@dataclass(frozen=True)
class Protocol:
    """How every configuration is evaluated on every task.

    Parameters
    ----------
    n_folds : int, default=3
        Stratified folds.
    max_rows : int, default=3000
        A stratified sample of so many rows stands for a larger table.
    random_state : int, default=0
        Seeds the sample, the folds and the learners.
    """

    n_folds: int = 3
    max_rows: int = 3000
    random_state: int = 0

    def __post_init__(self):
        for name, least in [("n_folds", 2), ("max_rows", 2 * self.n_folds)]:
            if getattr(self, name) < least:
                raise ValueError(
                    f"{name} must be at least {least}, got: {getattr(self, name)!r}."
                )


def score_probabilities(y, probabilities):
    """Score one test fold by the stored metrics.

    Parameters
    ----------
    y : ndarray of int of shape (n_rows,)
        Class numbers from 0.
    probabilities : ndarray of shape (n_rows, n_classes)
        A column for each class of the task, also for those that are not in `y`.

    Returns
    -------
    scores : dict of str to float
        Greater is better. ROC AUC is the mean over the classes that occur,
        weighted by how often they do.
    """
    n_classes = probabilities.shape[1]
    labels = np.arange(n_classes)
    predicted = probabilities.argmax(axis=1)
    return {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced_accuracy": _balanced_accuracy(y, predicted),
        "roc_auc_ovr_weighted": _weighted_auc(y, probabilities),
        "neg_log_loss": -metrics.log_loss(y, probabilities, labels=labels),
        "f1_macro": metrics.f1_score(y, predicted, average="macro", zero_division=0.0),
    }


def _balanced_accuracy(y, predicted):
    # As scikit-learn's, without its warning about predicted classes that are
    # not in the fold.
    present = np.unique(y)
    return metrics.recall_score(y, predicted, labels=present, average="macro")


def _weighted_auc(y, probabilities):
    if probabilities.shape[1] == 2:
        return metrics.roc_auc_score(y, probabilities[:, 1])
    present, counts = np.unique(y, return_counts=True)
    areas = [metrics.roc_auc_score(y == c, probabilities[:, c]) for c in present]
    return float(np.average(areas, weights=counts))


def prepare_task(frame, target, protocol):
    """Choose the rows of a table that are evaluated.

    Parameters
    ----------
    frame : DataFrame
        The table with its target.
    target : str
        Column of the classes.
    protocol : Protocol
        How many rows and folds.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns)
    y : ndarray of int of shape (n_rows,)
        Class numbers from 0.

    Raises
    ------
    ValueError
        If there is no such column or fewer than two classes with a row for
        each fold.
    """
    if target not in frame.columns:
        raise ValueError(
            f"target must be a column of the table, got: {target!r}. "
            f"Its columns are {list(frame.columns[:8])}..."
        )
    frame = _keep_frequent_classes(frame, target, protocol.n_folds)
    if protocol.max_rows < len(frame):
        # What is left out needs a row of each class too, to be stratified.
        n_kept = min(protocol.max_rows, len(frame) - frame[target].nunique())
        frame, _ = train_test_split(
            frame,
            train_size=n_kept,
            stratify=frame[target],
            random_state=protocol.random_state,
        )
        frame = _keep_frequent_classes(frame, target, protocol.n_folds)
    y = pd.factorize(frame[target], sort=True)[0]
    if y.size == 0 or y.max() == 0:
        raise ValueError(
            f"the target must have at least two classes of {protocol.n_folds} rows "
            f"or more, got: {0 if y.size == 0 else 1}."
        )
    return frame.drop(columns=target).reset_index(drop=True), y


def _keep_frequent_classes(frame, target, n_rows):
    counts = frame[target].value_counts()
    return frame[frame[target].isin(counts.index[counts >= n_rows])]


def describe_task(X, y):
    """Return sizes and meta-features of the rows that are evaluated."""
    extractor = MetaFeatureExtractor().fit(X, y)
    names = extractor.get_feature_names_out().tolist()
    return {
        "n_features": X.shape[1],
        "n_classes": int(y.max()) + 1,
        "n_rows_evaluated": len(y),
        "meta_features": dict(
            zip(names, extractor.meta_features_.tolist(), strict=True)
        ),
    }


def evaluate_configuration(configuration, X, y, protocol, on_fold):
    """Cross-validate one configuration on one task.

    Parameters
    ----------
    configuration : Configuration
        What to evaluate.
    X, y : DataFrame and ndarray of int
        From `prepare_task`.
    protocol : Protocol
        Folds and seed.
    on_fold : callable
        Called before each fold, so that its time can be limited.

    Returns
    -------
    cell : dict
        ``"scores"`` (metric to a list, one value a fold), ``"fit_seconds"`` and
        ``"predict_seconds"`` (means over folds).
    """
    folds = StratifiedKFold(
        protocol.n_folds, shuffle=True, random_state=protocol.random_state
    )
    n_classes = int(y.max()) + 1
    scores = {metric: [] for metric in METRICS}
    fit_seconds, predict_seconds = [], []
    for train, test in folds.split(X, y):
        on_fold()
        size = TaskSize(len(train), X.shape[1], n_classes)
        with calm():
            estimator = make_estimator(configuration, size, protocol.random_state)
            start = time.perf_counter()
            estimator.fit(take_rows(X, train), y[train])
            fitted = time.perf_counter()
            probabilities = estimator.predict_proba(take_rows(X, test))
            predict_seconds.append(time.perf_counter() - fitted)
            fit_seconds.append(fitted - start)
            by_metric = score_probabilities(y[test], probabilities)
        for metric, score in by_metric.items():
            if not np.isfinite(score):
                raise ValueError(f"{metric} is {score}")
            scores[metric].append(float(score))
    return {
        "scores": scores,
        "fit_seconds": float(np.mean(fit_seconds)),
        "predict_seconds": float(np.mean(predict_seconds)),
    }


def _evaluate_task(job, configurations, protocol, tell):
    frame = read_file(job["path"])
    n_rows = len(frame)
    X, y = prepare_task(frame, job["target"], protocol)
    if job["describe"]:
        tell("described", n_rows=n_rows, **describe_task(X, y))
    for index in job["configurations"]:
        try:
            cell = evaluate_configuration(
                configurations[index],
                X,
                y,
                protocol,
                on_fold=lambda index=index: tell("fitting", configuration=index),
            )
            tell("evaluated", configuration=index, **cell)
        except Exception as error:
            first_line = str(error).partition("\n")[0]
            tell(
                "failed",
                configuration=index,
                error=f"{type(error).__name__}: {first_line}"[:300],
            )


def _limit_memory(megabytes):
    """Make allocations beyond a limit fail, where the system can (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    limit = int(megabytes * 2**20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def serve():
    """Serve tasks from standard input until it ends."""
    # Ctrl-C is for the building process, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not get between the lines of ours.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(event, **values):
        try:
            channel.write(json.dumps({"event": event, **values}) + "\n")
        except BrokenPipeError:
            os._exit(1)  # nobody listens any more

    lines = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(lines,), daemon=True).start()
    settings = json.loads(lines.get())
    configurations = [Configuration.from_dict(c) for c in settings["configurations"]]
    protocol = Protocol(
        **{f.name: settings["protocol"][f.name] for f in fields(Protocol)}
    )
    if settings["protocol"]["memory_limit"] is not None:
        _limit_memory(settings["protocol"]["memory_limit"])
    while True:
        try:
            _evaluate_task(json.loads(lines.get()), configurations, protocol, tell)
            tell("done")
        except Exception as error:
            tell("refused", error=str(error) or type(error).__name__)


def _read_lines(lines):
    """Pass lines on, and end the process with its input, even amid a fit.

    The input ends when the building process does, however that was killed.
    """
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)
