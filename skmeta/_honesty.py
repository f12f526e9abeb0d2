"""How rows are divided, so that none is judged by what was chosen on it."""

import numpy as np
from scipy import sparse, stats

_MOST_PARTS = 10
_PARTS_OF_ONE_SPLIT = 5

# Blocks of rows that are left out one after the other to see what a score owes to
# chance. More would take longer than the rest.
N_BLOCKS = 10


def make_parts(tests, codes, groups=None, seed=0):
    """Divide the tested rows into parts, each row in one.

    A row belongs to the first split that tests it: the parts of folds are the folds,
    those of repeated folds the folds of the first time, and rows of a group stay
    together if the splits keep them together. Where all splits test the same rows,
    such as with a holdout, rows (or groups) are dealt out by chance, those of each
    class in turn.

    Parameters
    ----------
    tests : list of ndarray of int
        The rows tested in each split.
    codes : ndarray of int of shape (n_rows,)
        Classes of all rows.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are kept together.
    seed : int, default=0
        Deals out the rows of a single split.

    Returns
    -------
    parts : ndarray of int of shape (n_tested,)
        A number from 0 for each tested row, split after split. There is a single
        part if there is no dividing.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta._honesty import make_parts
    >>> codes = np.zeros(4, dtype=int)
    >>> make_parts([np.array([0, 3]), np.array([1, 2]), np.array([0, 1])], codes)
    array([0, 0, 1, 1, 0, 1])
    """
    if not tests:
        return np.empty(0, dtype=np.int64)
    part_of = np.full(len(codes), -1)
    for number in reversed(range(len(tests))):
        part_of[tests[number]] = number
    tested = np.concatenate(tests)
    _, parts = np.unique(part_of[tested], return_inverse=True)
    n_parts = parts.max() + 1
    if n_parts > 1:
        # Leaving out one row at a time would take long and show no more.
        return parts if n_parts <= _MOST_PARTS else parts * _MOST_PARTS // n_parts
    return deal_out(tested, _PARTS_OF_ONE_SPLIT, codes, groups, seed)


def deal_out(tested, n_parts, codes, groups=None, seed=0):
    """Divide tested rows by chance, those of each class in turn.

    Parameters
    ----------
    tested : ndarray of int of shape (n_tested,)
        Rows; what is repeated stays together.
    n_parts : int
        In how many parts.
    codes, groups, seed
        Of `make_parts`.

    Returns
    -------
    parts : ndarray of int of shape (n_tested,)
        Numbers below `n_parts`.
    """
    rows, row_of = np.unique(tested, return_inverse=True)
    units = rows if groups is None else np.asarray(groups)[rows]
    _, first, unit_of = np.unique(units, return_index=True, return_inverse=True)
    chance = np.random.default_rng(seed).random(len(first))
    order = np.lexsort((chance, codes[rows[first]]))
    part_of_unit = np.empty(len(first), dtype=np.int64)
    part_of_unit[order] = np.arange(len(first)) % n_parts
    return part_of_unit[unit_of][row_of]


def scores_of_choice(scores, tests):
    """Estimate what the best candidate scores on new rows, split by split.

    In each split that is judged which is the best on all splits that share no tested
    row with it, so that luck there counts for nothing.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates, n_splits)
        Greater is better; NaN for what is never chosen.
    tests : list of ndarray of int
        The rows tested in each split.

    Returns
    -------
    scores_of_best : ndarray of shape (n_judged,)
        One for each split that some other shares no rows with; there may be none.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta._honesty import scores_of_choice
    >>> tests = [np.array([0, 1]), np.array([2, 3])]
    >>> scores_of_choice(np.array([[0.9, 0.7], [0.8, 0.8]]), tests)
    array([0.8, 0.7])
    """
    usable = scores[~np.isnan(scores).any(axis=1)]
    if len(tests) < 2 or len(usable) == 0:
        return np.empty(0)
    rows = np.concatenate(tests)
    numbers = np.repeat(np.arange(len(tests)), [len(test) for test in tests])
    is_tested = sparse.csr_array((np.ones(len(rows)), (numbers, rows)))
    is_other = (is_tested @ is_tested.T).toarray() == 0
    judged = np.flatnonzero(is_other.any(axis=1))
    chosen = (usable @ is_other[:, judged]).argmax(axis=0)
    return usable[chosen, judged]


def corrected_interval(scores, splits):
    """Return an interval for a mean over splits, which learn from common rows [1]_.

    Parameters
    ----------
    scores : ndarray of shape (n_judged,)
        Of some of the splits, at least two; else the interval is NaN.
    splits : list of (train, test)
        Row numbers.

    Returns
    -------
    interval : ndarray of shape (2,)
        With 95 % confidence, symmetric around the mean: it may go beyond the best
        score there is.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine
       Learning 52, 2003.
    """
    n_scores = len(scores)
    if n_scores < 2:
        return np.full(2, np.nan)
    # Without this the interval would be one of splits that are independent.
    in_common = np.mean([len(test) / len(train) for train, test in splits])
    error = np.sqrt((1 / n_scores + in_common) * np.var(scores, ddof=1))
    return np.mean(scores) + stats.t.ppf([0.025, 0.975], n_scores - 1) * error


def jackknife_interval(score, without):
    """Return an interval for a score from what it is without each block of rows [1]_.

    Parameters
    ----------
    score : float
        Of all rows.
    without : sequence of float
        Scores of all rows but those of one block; blocks are of one size.

    Returns
    -------
    interval : ndarray of shape (2,)
        With 95 % confidence, symmetric around the score: it may go beyond the best
        score there is.

    References
    ----------
    .. [1] J. W. Tukey, "Bias and Confidence in Not Quite Large Samples", Annals of
       Mathematical Statistics 29, 1958.
    """
    degrees = len(without) - 1
    error = np.sqrt(degrees * np.var(without))
    return score + stats.t.ppf([0.025, 0.975], degrees) * error
