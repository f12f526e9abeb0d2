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
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from skmeta._base_learners import TaskSize, make_estimator
from skmeta._configuration import Configuration
from skmeta._evaluation import take_rows
from skmeta._files import read_file
from skmeta._messages import error_line
from skmeta._workers import calm
from skmeta.knowledge._fingerprint import fingerprint
from skmeta.knowledge._scoring import score_folds
from skmeta.metafeatures import MetaFeatureExtractor


@dataclass(frozen=True)
class Protocol:
    """How every configuration is evaluated on every task.

    Parameters
    ----------
    n_folds : int, default=5
        Stratified folds; three where there are more than 5,000 rows.
    max_rows : int, default=10000
        A stratified sample of so many rows stands for a larger table.
    random_state : int, default=0
        Seeds the sample, the folds and the learners.
    """

    n_folds: int = 5
    max_rows: int = 10_000
    random_state: int = 0

    def __post_init__(self):
        for name, least in [("n_folds", 2), ("max_rows", 2 * self.n_folds)]:
            if getattr(self, name) < least:
                raise ValueError(
                    f"{name} must be at least {least}, got: {getattr(self, name)!r}."
                )

    def split(self, y):
        """Return the number of the fold in which each row is tested."""
        n_folds = self.n_folds if len(y) <= 5_000 else min(3, self.n_folds)
        splitter = StratifiedKFold(
            n_folds, shuffle=True, random_state=self.random_state
        )
        fold_of = np.empty(len(y), dtype=np.int64)
        for fold, (_, test) in enumerate(splitter.split(y, y)):
            fold_of[test] = fold
        return fold_of


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


def describe_task(frame, target, X, y):
    """Return what is known of a table before any fit.

    Parameters
    ----------
    frame : DataFrame
        The whole table.
    target : str
        Its column of the classes.
    X, y : DataFrame and ndarray of int
        The rows that are evaluated, from `prepare_task`.

    Returns
    -------
    description : dict
        Fingerprint and rows of the whole, and meta-features and sizes of the rows
        that are evaluated.
    """
    extractor = MetaFeatureExtractor(level="full").fit(X, y)
    names = extractor.get_feature_names_out().tolist()
    return {
        "fingerprint": fingerprint(frame.drop(columns=target), frame[target]),
        "n_rows": len(frame),
        "n_features": X.shape[1],
        "n_classes": int(y.max()) + 1,
        "n_rows_evaluated": len(y),
        "meta_features": dict(
            zip(names, extractor.meta_features_.tolist(), strict=True)
        ),
    }


def evaluate_configuration(configuration, X, y, fold_of, random_state, on_fold):
    """Cross-validate one configuration on one task.

    Parameters
    ----------
    configuration : Configuration
        What to evaluate.
    X, y : DataFrame and ndarray of int
        From `prepare_task`.
    fold_of : ndarray of int of shape (n_rows,)
        The fold in which each row is tested.
    random_state : int
        Seeds the learner.
    on_fold : callable
        Called before each fold, so that its time can be limited.

    Returns
    -------
    cell : dict
        ``"scores"`` (metric to a list, one value a fold), ``"fit_seconds"`` and
        ``"predict_seconds"`` (of the processor, means over folds).
    probabilities : ndarray of shape (n_rows, n_classes)
        Out of fold.
    """
    n_classes = int(y.max()) + 1
    probabilities = np.empty((len(y), n_classes))
    fit_seconds, predict_seconds = [], []
    for fold in range(fold_of.max() + 1):
        on_fold()
        train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        size = TaskSize(len(train), X.shape[1], n_classes)
        with calm():
            estimator = make_estimator(configuration, size, random_state)
            # Of the processor, whatever else the machine is busy with; of the thread,
            # as the clock of the process is coarse while a limit is set on it.
            start = time.thread_time()
            estimator.fit(take_rows(X, train), y[train])
            fitted = time.thread_time()
            probabilities[test] = estimator.predict_proba(take_rows(X, test))
            predict_seconds.append(time.thread_time() - fitted)
            fit_seconds.append(fitted - start)
    with calm():
        scores = score_folds(y, fold_of, probabilities)
    cell = {
        "scores": scores,
        "fit_seconds": float(np.mean(fit_seconds)),
        "predict_seconds": float(np.mean(predict_seconds)),
    }
    return cell, probabilities


def _split_task(frame, target, protocol, splits):
    """Return rows, classes and, if splits are given that can be used, their folds.

    They cannot where a fold lacks a class, of a sample or of a rare class.
    """
    if not splits:
        return *prepare_task(frame, target, protocol), None
    column = "__fold__"
    while column in frame:
        column += "_"
    fold_of = np.load(splits, allow_pickle=False)
    X, y = prepare_task(frame.assign(**{column: fold_of}), target, protocol)
    fold_of = np.unique(X.pop(column), return_inverse=True)[1].ravel()
    has_all = len(np.unique(fold_of * (y.max() + 1) + y)) == (
        (fold_of.max() + 1) * (y.max() + 1)
    )
    return X, y, fold_of if has_all and fold_of.max() > 0 else None


def _evaluate_task(job, protocol, tell, time_limit):
    frame = read_file(job["path"])
    X, y, fold_of = _split_task(frame, job["target"], protocol, job["splits"])
    tell("read")
    if job["describe"]:
        description = describe_task(frame, job["target"], X, y)
        splits = None if fold_of is None else "given"
        tell("described", **description, splits=splits)
    if fold_of is None:
        fold_of = protocol.split(y)
    keep = _make_keeper(job["predictions"], job["file_hash"])
    keep(y=y, fold=fold_of)
    for values in job["configurations"]:
        configuration = Configuration.from_dict(values)
        name = configuration.name

        def begin_fit(name=name):
            limit_processor(time_limit)
            tell("fitting", configuration=name)

        try:
            cell, probabilities = evaluate_configuration(
                configuration, X, y, fold_of, protocol.random_state, on_fold=begin_fit
            )
        except Exception as error:
            tell(
                "failed",
                configuration=name,
                error=f"{type(error).__name__}: {error_line(error)}"[:300],
            )
            continue
        keep(**{name: probabilities.astype(np.float16)})
        tell("evaluated", configuration=name, **cell)


def _make_keeper(directory, file_hash):
    """Return a function that writes named arrays to a directory, if there is one.

    What the directory holds of another version of the table is deleted.
    """
    if directory is None:
        return lambda **arrays: None
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    label = directory / "file_hash.txt"
    if not label.exists() or label.read_text() != file_hash:
        for file in directory.glob("*.npy"):
            file.unlink()
        label.write_text(file_hash)

    def keep(**arrays):
        for name, values in arrays.items():
            np.save(directory / f"{name}.npy", values)

    return keep


# What ends a process that has used up its time; none on Windows.
OUT_OF_TIME = getattr(signal, "SIGPROF", None)


def limit_processor(seconds):
    """End this process once it has used so many seconds from now; 0 is never.

    Seconds by the clock would be another limit whenever the machine is busy.
    """
    if OUT_OF_TIME is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)


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
    protocol = Protocol(**{f.name: settings[f.name] for f in fields(Protocol)})
    if settings["memory_limit"] is not None:
        _limit_memory(settings["memory_limit"])
    while True:
        try:
            job = json.loads(lines.get())
            _evaluate_task(job, protocol, tell, settings["time_limit"])
            limit_processor(0)
            tell("done")
        except Exception as error:
            limit_processor(0)
            tell("refused", error=str(error) or type(error).__name__)


def _read_lines(lines):
    """Pass lines on, and end the process with its input, even amid a fit.

    The input ends when the building process does, however that was killed.
    """
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)
