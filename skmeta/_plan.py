"""What a search would try, and what that takes."""

from contextlib import suppress
from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skmeta._augmentation import row_growth
from skmeta._configuration import write_candidate
from skmeta._messages import wrap
from skmeta._schedule import CAUTION
from skmeta._text import TextMemo
from skmeta._workers import calm

_COLUMNS = (
    "learner", "expected_score", "hyperparameters", "elapsed_seconds", "seconds",
    "memory_mb",
)  # fmt: skip

# Rows that tell how wide a table becomes.
_ROWS_ENCODED = 1_000

# The encoded table, a copy of the learner's, and one for a while:
# `benchmarks/memory.py`.
_N_COPIES = 3


class Plan(pd.DataFrame):
    """A DataFrame of candidates that prints all of each in a narrow terminal.

    What is selected from it is a plain DataFrame.
    """

    def __repr__(self):
        # It may have been changed in place.
        if tuple(self.columns) == _COLUMNS:
            with suppress(TypeError, ValueError, AttributeError):
                return self._write()
        return super().__repr__()

    def _write(self):
        lines = ["order  score seconds elapsed      MB  candidate"]
        for order, row in self.iterrows():
            candidate = write_candidate(row["learner"], row["hyperparameters"])
            numbers = (
                f"{order:5d}{row['expected_score']:7.3f}{row['seconds']:8.1f}"
                f"{row['elapsed_seconds']:8.1f}{row['memory_mb']:8.1f}  "
            )
            if order == 0:
                numbers = f"{order:5d}  "
                candidate += "; on few rows, in case nothing else ends in time"
            lines.append(wrap(candidate, numbers))
        return "\n".join(lines)


def make_plan(recommendation, task, quick=None):
    """Return what would be tried, in that order.

    Parameters
    ----------
    recommendation : Recommendation
    task : Task
        With its splits. What its schedule has no time for is left out.
    quick : Configuration, default=None
        What would be fitted before, in case nothing else ends in time.

    Returns
    -------
    plan : Plan
        As `preview` of the estimators says.
    """
    plan = recommendation.to_frame()
    plan["seconds"] = plan.pop("expected_seconds") * max(len(task.splits), 1)
    left = task.schedule.left()
    texts = TextMemo()
    estimate = partial(_estimate_memory, task=task, texts=texts, known={})
    # The first candidate encodes texts for all others.
    estimate([task.make(c)[1] for c in recommendation.configurations[:1]])
    n_rows = min(_ROWS_ENCODED, len(task.y))
    of_texts = texts.seconds * task.n_rows / n_rows * max(len(task.splits), 1)
    left -= of_texts / task.schedule.n_workers
    chosen = np.flatnonzero(_choose_those_in_time(plan, task, left))
    plan = plan.iloc[chosen].set_axis(plan.index[: len(chosen)])
    plan.iloc[:1, plan.columns.get_loc("seconds")] += of_texts
    plan["elapsed_seconds"] = plan["seconds"].cumsum() / task.schedule.n_workers
    made = [task.make(recommendation.configurations[i])[1] for i in chosen]
    plan["memory_mb"] = estimate(made)
    if quick is not None:
        plan = plan.reindex([0, *plan.index])
        plan.at[0, "learner"] = quick.learner
        plan.at[0, "hyperparameters"] = dict(quick.hyperparameters)
    return Plan(plan[list(_COLUMNS)])


def measure_texts(task, configuration):
    """Return the seconds that the texts of all rows take in a fit, about.

    Parameters
    ----------
    task : Task
    configuration : Configuration
        What is fitted.

    Returns
    -------
    seconds : float
    """
    X, y = task.take(_ROWS_ENCODED)
    texts = TextMemo()
    _encode(_preparation(task.make(configuration)[1]), X, y, texts)
    return texts.seconds * len(task.y) / len(y)


def _choose_those_in_time(plan, task, left):
    """Say which candidates would end in time, one after the other.

    What cannot be stopped, and may take longer than expected, is begun only if there
    is time for that.
    """
    chosen = []
    for seconds, learner in zip(plan["seconds"], plan["learner"], strict=True):
        seconds = np.nan_to_num(seconds) / task.schedule.n_workers
        chosen.append(seconds * (1 if task.can_stop(learner) else CAUTION) < left)
        left -= seconds * chosen[-1]
    return np.array(chosen, dtype=bool)


def _estimate_memory(candidates, task, texts, known):
    """Return the megabytes that a fit of each candidate on all rows takes, about.

    What is `known` of a preparation is not found again.
    """
    X, y = task.take(_ROWS_ENCODED)
    megabytes = []
    for candidate in candidates:
        steps = _preparation(candidate)
        key = tuple(map(repr, steps))
        if key not in known:
            encoded = _encode(steps, X, y, texts)
            known[key] = _count_bytes(encoded) * len(task.y) / len(y)
        megabytes.append(_N_COPIES * row_growth(candidate, y) * known[key] / 2**20)
    return np.array(megabytes)


def _encode(steps, X, y, texts):
    with calm(), texts.in_use():
        for step in steps:
            X = clone(step).fit_transform(X, y)
    return X


def _preparation(candidate):
    """Return the steps that make the table which the learner gets."""
    if not isinstance(candidate, Pipeline):
        return []
    return [
        step
        for _, step in candidate.steps[:-1]
        if step is not None and not isinstance(step, str)
    ]


def _count_bytes(table):
    if sparse.issparse(table):
        return table.data.nbytes + table.indices.nbytes
    if hasattr(table, "memory_usage"):
        return int(table.memory_usage(deep=True).sum())
    return np.asarray(table).nbytes
