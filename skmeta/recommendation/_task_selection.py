"""Which tasks to learn from, where not all can be evaluated."""

import numpy as np

from skmeta._messages import did_you_mean
from skmeta.recommendation._task_space import TaskSpace

STRATEGIES = ["diverse", "informative", "nearest", "random"]

# Of a score about what its meta-features say, as a part of the variance over tasks.
_NOISE = 0.1


def select_tasks(meta_features, n_tasks, strategy="random", new=None, random_state=0):
    """Choose tasks to learn from by their meta-features alone.

    Evaluating configurations takes minutes a table, extracting meta-features a tenth of
    a second: choose first, then build.

    Parameters
    ----------
    meta_features : DataFrame of shape (n_known, n_meta_features)
        Of the tasks that there are, such as ``knowledge.meta_features``.
    n_tasks : int
        How many to choose, at most `n_known`.
    strategy : {"random", "informative", "diverse", "nearest"}, default="random"
        ``"random"`` is as good as any where the new task is not known
        (`benchmarks/task_selection.py`). ``"informative"`` adds the task which most
        lowers what is unknown of all, where scores are a Gaussian process over
        meta-features [1]_; ``"diverse"`` the one farthest from those chosen
        (k-centre [2]_); ``"nearest"`` takes the nearest ones to a new task.
    new : mapping of str to float, default=None
        Meta-features of the new task, for ``"nearest"``.
    random_state : int, Generator or None, default=0
        For ``"random"``.

    Returns
    -------
    names : list
        Of the tasks, from the index of `meta_features`, in the order chosen.

    Raises
    ------
    ValueError
        If the strategy is not known, there are fewer tasks, or `new` is missing.
    KnowledgeError
        If there is no meta-feature that tasks are compared by.

    References
    ----------
    .. [1] A. Krause, A. Singh, C. Guestrin, "Near-Optimal Sensor Placements in
       Gaussian Processes", JMLR 9, 2008.
    .. [2] T. F. Gonzalez, "Clustering to Minimize the Maximum Intercluster Distance",
       Theoretical Computer Science 38, 1985.

    Examples
    --------
    >>> from skmeta import load_knowledge
    >>> from skmeta.recommendation import select_tasks
    >>> meta_features = load_knowledge().meta_features
    >>> len(select_tasks(meta_features, 20, "diverse"))
    20
    """
    if strategy not in STRATEGIES:
        raise ValueError(
            f"strategy must be one of {STRATEGIES}, got: {strategy!r}."
            f"{did_you_mean([strategy], STRATEGIES)}"
        )
    n_known = len(meta_features)
    if not 1 <= n_tasks <= n_known:
        raise ValueError(
            f"n_tasks must be from 1 to the number of tasks ({n_known}), got: "
            f"{n_tasks!r}."
        )
    if strategy == "nearest" and new is None:
        raise ValueError("new must be the meta-features of a task for 'nearest'.")
    if strategy == "random":
        rng = np.random.default_rng(random_state)
        chosen = rng.permutation(n_known)[:n_tasks]
        return meta_features.index[chosen].tolist()
    space = TaskSpace(meta_features, np.arange(n_known))
    if strategy == "nearest":
        chosen = np.argsort(space.distances(space.locate(new)), kind="stable")[:n_tasks]
    else:
        distances = np.array([space.distances(point) for point in space.points])
        choose = _spread if strategy == "diverse" else _inform
        chosen = choose(distances, n_tasks)
    return meta_features.index[chosen].tolist()


def _spread(distances, n_tasks):
    """Begin in the middle, and add what is farthest from all that was chosen."""
    chosen = [int(distances.sum(axis=1).argmin())]
    while len(chosen) < n_tasks:
        chosen.append(int(distances[chosen].min(axis=0).argmax()))
    return chosen


def _inform(distances, n_tasks):
    """Add what most lowers the variance of all, given what was chosen."""
    width = np.median(distances[distances > 0]) if distances.any() else 1.0
    covariance = np.exp(-((distances / width) ** 2) / 2)
    chosen = []
    for _ in range(n_tasks):
        noisy = covariance.diagonal() + _NOISE
        gain = (covariance**2).sum(axis=1) / noisy
        gain[chosen] = -np.inf
        best = int(gain.argmax())
        chosen.append(best)
        covariance = covariance - (
            np.outer(covariance[best], covariance[best]) / noisy[best]
        )
    return chosen
