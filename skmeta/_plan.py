"""What a search would try, and what that takes."""

from functools import partial

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skmeta._text import TextMemo
from skmeta._workers import calm

# Rows that tell how wide a table becomes.
_ROWS_ENCODED = 1_000

# The encoded table, a copy of the learner's, and one for a while:
# `benchmarks/memory.py`.
_N_COPIES = 3


def make_plan(recommendation, task, time_budget):
    """Return what would be tried, in that order.

    Parameters
    ----------
    recommendation : Recommendation
    task : Task
        With its splits.
    time_budget : float or None
        What would be begun after that is left out.

    Returns
    -------
    plan : DataFrame
        As `preview` of the estimators says.
    """
    plan = recommendation.to_frame()
    plan["seconds"] = plan.pop("expected_seconds") * max(len(task.splits), 1)
    texts = TextMemo()
    estimate = partial(_estimate_memory, task=task, texts=texts, known={})
    # The first candidate encodes texts for all others.
    estimate([task.make(c)[1] for c in recommendation.configurations[:1]])
    n_rows = min(_ROWS_ENCODED, len(task.y))
    of_texts = texts.seconds * task.n_rows / n_rows * max(len(task.splits), 1)
    plan.iloc[:1, plan.columns.get_loc("seconds")] += of_texts
    plan["elapsed_seconds"] = plan["seconds"].cumsum() / task.schedule.n_workers
    if time_budget is not None:
        begun = plan["elapsed_seconds"].shift(fill_value=0.0)
        plan = plan[begun < time_budget]
    made = [task.make(c)[1] for c in recommendation.configurations[: len(plan)]]
    plan["memory_mb"] = estimate(made)
    return plan


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
            encoded = X
            with calm(), texts.in_use():
                for step in steps:
                    encoded = clone(step).fit_transform(encoded, y)
            known[key] = _count_bytes(encoded) * len(task.y) / len(y)
        megabytes.append(_N_COPIES * known[key] / 2**20)
    return np.array(megabytes)


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
