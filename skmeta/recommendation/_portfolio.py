import numpy as np


def regret_matrix(scores):
    """Say how far each configuration falls short of the best one of its task.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_configurations)
        Greater is better. NaN where a configuration was not evaluated or failed.
        Every task has at least one score.

    Returns
    -------
    regret : ndarray of shape (n_tasks, n_configurations)
        Non-negative, in units of the score; 0 is best. Infinite where there is no
        score: a configuration of which nothing is known is never the better one.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.recommendation import regret_matrix
    >>> regret_matrix(np.array([[1.0, 0.75, np.nan]]))
    array([[0.  , 0.25,  inf]])
    """
    best = np.nanmax(scores, axis=1, keepdims=True)
    return np.where(np.isnan(scores), np.inf, best - scores)


def portfolio_loss(scores, cap=0.25):
    """Turn scores into losses that can be averaged over tasks.

    Half of it is the regret in units of the score, up to a cap: what a user
    loses. The other half is the regret in units of the task, whose distance from
    the best to the median configuration is a half: on a task where all are within
    a hundredth, choosing well counts too.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_configurations)
        Greater is better. NaN, a configuration that was not evaluated or failed,
        counts as the worst. Every task has at least one score.
    cap : float, default=0.25
        Regret from which on more is no worse.

    Returns
    -------
    loss : ndarray of shape (n_tasks, n_configurations)
        From 0, the best configuration of the task, to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.recommendation import portfolio_loss
    >>> portfolio_loss(np.array([[0.9, 0.8, np.nan]]))
    array([[0. , 0.7, 1. ]])
    """
    regret = regret_matrix(scores)
    median = np.nanmedian(scores, axis=1, keepdims=True)
    spread = 2 * (np.nanmax(scores, axis=1, keepdims=True) - median)
    # Where half of all share the best score, the spread is rounding errors. Below
    # a hundredth of the cap no difference is worth the whole half.
    in_task_units = regret / np.maximum(spread, 0.01 * cap)
    return 0.5 * np.minimum(regret / cap, 1) + 0.5 * np.minimum(in_task_units, 1)


def greedy_portfolio(loss, size, task_weights=None, seconds=None, tried=()):
    """Order configurations so that each repairs what the earlier ones leave.

    Start from nothing, a loss of 1 on every task, then repeatedly add the
    configuration that most lowers the weighted mean of the lowest loss so far
    [1]_; per second of its own, when seconds are given. Equals are settled by their
    own mean loss, then by their position.

    Parameters
    ----------
    loss : ndarray of shape (n_tasks, n_configurations)
        From 0 to 1, such as `portfolio_loss` gives.
    size : int
        Number of configurations to choose, at most those not tried.
    task_weights : ndarray of shape (n_tasks,) or (size, n_tasks), default=None
        How much each task counts, at every pick or at each of them; non-negative,
        with a positive sum. None counts all the same.
    seconds : ndarray of shape (n_configurations,), default=None
        What trying each configuration takes; positive. None is the same for all.
    tried : sequence of int, default=()
        Configurations that were chosen before; they are not chosen again.

    Returns
    -------
    portfolio : ndarray of shape (size,)
        Column indices of `loss`, in the order chosen.

    Raises
    ------
    ValueError
        If `size` is negative or exceeds the number of configurations, or a loss
        is not between 0 and 1.

    References
    ----------
    .. [1] M. Feurer, K. Eggensperger, S. Falkner, M. Lindauer, F. Hutter,
       "Auto-Sklearn 2.0: Hands-free AutoML via Meta-Learning", JMLR 23, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.recommendation import greedy_portfolio
    >>> loss = np.array([[0.0, 0.2, 0.4], [0.5, 0.1, 0.0]])
    >>> greedy_portfolio(loss, size=2)
    array([1, 0])
    >>> greedy_portfolio(loss, size=2, task_weights=np.array([0.1, 0.9]))
    array([2, 0])
    >>> greedy_portfolio(loss, size=2, seconds=np.array([1.0, 2.0, 1.0]))
    array([2, 0])
    """
    n_tasks, n_configurations = loss.shape
    tried = np.asarray(tried, dtype=np.int64)
    _check_size(size, n_configurations - len(tried))
    _check_loss(loss)
    if task_weights is None:
        task_weights = np.ones(n_tasks)
    task_weights = np.broadcast_to(task_weights, (size, n_tasks))
    if seconds is None:
        seconds = np.ones(n_configurations)

    portfolio = []
    lowest = loss[:, tried].min(axis=1, initial=1.0)
    for weights in task_weights / task_weights.sum(axis=1, keepdims=True):
        drop = weights @ (
            lowest[:, np.newaxis] - np.minimum(loss, lowest[:, np.newaxis])
        )
        # Once no configuration lowers anything all would tie: then those that
        # are good by themselves come first.
        gain = drop + 1e-6 * (1 - weights @ loss)
        # Rounded, since the last digits of a sum depend on the order of the tasks
        # and on the machine, and would settle what is in truth a tie.
        gain = np.round(gain, 12) / seconds
        gain[tried] = -np.inf
        gain[portfolio] = -np.inf
        chosen = int(gain.argmax())
        portfolio.append(chosen)
        lowest = np.minimum(lowest, loss[:, chosen])
    return np.array(portfolio, dtype=np.int64)


def _check_size(size, n_configurations):
    if not 0 <= size <= n_configurations:
        raise ValueError(
            f"size must be from 0 to the number of configurations left "
            f"({n_configurations}), got: {size}."
        )


def _check_loss(loss):
    # Written so that NaN, which compares as False, is refused too.
    if not ((loss >= 0) & (loss <= 1)).all():
        raise ValueError(
            f"loss must be from 0 to 1, got: {loss.min()!r} to {loss.max()!r}. "
            f"Use portfolio_loss to make losses from scores."
        )
