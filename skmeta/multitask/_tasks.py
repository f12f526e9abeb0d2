"""Rows by task, and few of them as episodes. Needs NumPy only."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Rows:
    """Rows of several tasks side by side, filled up with rows of no weight.

    Parameters
    ----------
    index : ndarray of int64 of shape (n_tasks, n_rows)
        Which rows of the table.
    output : ndarray of int64 of shape (n_tasks, n_rows)
        The output of the network that stands for the class of each.
    weight : ndarray of float32 of shape (n_tasks, n_rows)
        1, and 0 for what fills up.
    """

    index: np.ndarray
    output: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Episodes:
    """Tasks of few rows: some to adapt to, others to see whether that helped.

    Parameters
    ----------
    support, query : Rows
    is_open : ndarray of bool of shape (n_tasks, n_outputs)
        The outputs that compete in each task.
    """

    support: Rows
    query: Rows
    is_open: np.ndarray


def number_tasks(task, n_rows):
    """Return the ids of tasks and the number of each row's task.

    Parameters
    ----------
    task : array-like of shape (n_rows,) or None
        Ids, in which case of None all rows are of one task.
    n_rows : int

    Returns
    -------
    ids : ndarray of shape (n_tasks,)
        In the order in which they first occur.
    codes : ndarray of int64 of shape (n_rows,)

    Raises
    ------
    ValueError
        If there is not one id for each row.

    Examples
    --------
    >>> from skmeta.multitask._tasks import number_tasks
    >>> number_tasks(["oslo", "rome", "oslo"], n_rows=3)
    (array(['oslo', 'rome'], dtype=object), array([0, 1, 0]))
    """
    if task is None:
        return np.zeros(1, dtype=np.int64), np.zeros(n_rows, dtype=np.int64)
    # As Python's own numbers, which messages show better.
    task = task.tolist() if hasattr(task, "tolist") else list(task)
    task = pd.Series(task, dtype=object)
    if len(task) != n_rows:
        raise ValueError(
            f"task must have an id for each of the {n_rows} rows, got: {len(task)} ids."
        )
    if task.isna().any():
        raise ValueError(
            f"task must have an id for each row, got: {task.isna().sum()} missing "
            f"ones, the first in row {task.isna().argmax()}."
        )
    codes, ids = pd.factorize(task)
    return ids.to_numpy(), codes.astype(np.int64)


def rows_by_task(tasks):
    """Return the rows of each task, by its number."""
    return pd.Series(tasks).groupby(tasks).indices


class EpisodeSampler:
    """Draw episodes from tasks.

    In an episode the classes have their shares of the task's rows, in support and
    query, but for one row at least.

    Parameters
    ----------
    tasks : ndarray of int64 of shape (n_rows,)
        The number of each row's task.
    classes : ndarray of int64 of shape (n_rows,)
        The number of each row's class.
    n_outputs : int
        Of the network.
    n_support, n_query : int
        Rows for each class of a task, on average. Fewer where there are fewer, and at
        most half of a class to adapt to.
    permute : bool
        Whether classes get outputs at random, and only those of a task compete.
        Otherwise a class has the output of its number, and all compete.
    """

    def __init__(self, tasks, classes, n_outputs, *, n_support, n_query, permute):
        self.classes = classes
        self.n_outputs = n_outputs
        self.permute = permute
        self._drawn = {}
        for number, rows in rows_by_task(tasks).items():
            labels = classes[rows]
            of_class = [rows[labels == label] for label in np.unique(labels)]
            if permute and len(of_class) < 2:
                continue  # whose class needs no telling
            sizes = np.array([len(each) for each in of_class])
            support = _shares(sizes, n_support, (sizes + 1) // 2)
            query = _shares(sizes, n_query, sizes - support)
            if query.sum():
                self._drawn[number] = of_class, support, query

    @property
    def tasks(self):
        """Numbers of the tasks that have rows enough to be drawn."""
        return np.array(sorted(self._drawn), dtype=np.int64)

    def draw(self, tasks, rng):
        """Return an episode of each of some tasks.

        Parameters
        ----------
        tasks : array-like of int
            One may be there more than once.
        rng : Generator

        Returns
        -------
        episodes : Episodes
        """
        support, query, outputs = [], [], []
        is_open = np.full((len(tasks), self.n_outputs), not self.permute)
        for position, number in enumerate(tasks):
            of_class, n_support, n_query = self._drawn[number]
            drawn = [rng.permutation(rows) for rows in of_class]
            parts = list(zip(drawn, n_support, n_query, strict=True))
            support.append(np.concatenate([rows[:s] for rows, s, _ in parts]))
            query.append(np.concatenate([rows[s : s + q] for rows, s, q in parts]))
            output = np.arange(self.classes.max() + 1)
            if self.permute:
                known = self.classes[[rows[0] for rows in of_class]]
                output[known] = rng.permutation(self.n_outputs)[: len(known)]
                is_open[position, output[known]] = True
            outputs.append(output)
        return Episodes(
            self._side_by_side(support, outputs, rng),
            self._side_by_side(query, outputs, rng),
            is_open,
        )

    def _side_by_side(self, rows, outputs, rng):
        shape = len(rows), max(map(len, rows))
        index, output = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        weight = np.zeros(shape, np.float32)
        for i, (of_task, output_of_class) in enumerate(zip(rows, outputs, strict=True)):
            # Shuffled, so that any part of them has its share of each class.
            of_task = rng.permutation(of_task)
            index[i, : len(of_task)] = of_task
            output[i, : len(of_task)] = output_of_class[self.classes[of_task]]
            weight[i, : len(of_task)] = 1.0
        return Rows(index, output, weight)


def _shares(sizes, n_per_class, most):
    """Return how many rows of each class to take, in proportion, one at least.

    Parameters
    ----------
    sizes : ndarray of int64 of shape (n_classes,)
        Rows that there are.
    n_per_class : int
        On average.
    most : ndarray of int64 of shape (n_classes,)
        Rows that may be taken.

    Returns
    -------
    taken : ndarray of int64 of shape (n_classes,)
    """
    wanted = np.rint(n_per_class * len(sizes) * sizes / sizes.sum()).astype(np.int64)
    return np.minimum(np.maximum(wanted, 1), most)
