"""Which rows are fitted on and which are tested."""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold


def n_default_folds(n_rows):
    """Return how many of the splits below are fitted for a number of rows."""
    return 5 if n_rows <= 5_000 else 3 if n_rows <= 50_000 else 1


def default_splits(y, seed, groups=None, n_used=None, n_folds=None):
    """Choose splits by the number of rows, for when the user chose none.

    Five stratified folds up to 5,000 rows, three up to 50,000, and one holdout
    of a fifth above: the more rows, the less there is to average. No more folds
    than the smallest class has rows, or there are groups. Classes of a single
    row, and classes with fewer rows than folds that make up a hundredth of the
    rows at most, take part in the refit only: two rows are no reason to halve
    what all others learn from.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Classes.
    seed : int
        Shuffles the rows.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are kept together.
    n_used : int, default=None
        How many of the rows will be used, if not all.
    n_folds : int, default=None
        How many at most; 1 is a holdout. None goes by the rows.

    Returns
    -------
    splits : list of (train, test)
        Row numbers.

    Raises
    ------
    ValueError
        If no two classes have two rows, or there is one group only.
    """
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    usual = n_default_folds(len(y) if n_used is None else n_used)
    n_folds = usual if n_folds is None else min(n_folds, usual)
    is_rare = counts < max(n_folds, 2)
    if counts[is_rare].sum() > len(y) / 100:
        is_rare = counts < 2
    rows = np.flatnonzero(~is_rare[codes])
    repeated = counts[~is_rare]
    if len(repeated) < 2:
        raise ValueError(
            "Choosing among candidates needs at least two classes with two rows, "
            f"got: {len(repeated)} such class(es) in {len(y)} row(s), n_samples = "
            f"{len(y)}. Use n_candidates=1, which fits the first recommendation."
        )
    if n_folds == 1 and groups is None:
        return [hold_out(codes, rows, seed)]
    n_folds, kind = min(max(n_folds, 3), repeated.min()), StratifiedKFold
    if groups is not None:
        n_folds, kind = min(n_folds, _count_groups(groups)), StratifiedGroupKFold
    splitter = kind(int(n_folds), shuffle=True, random_state=seed)
    groups = None if groups is None else np.asarray(groups)[rows]
    return [
        (rows[train], rows[test])
        for train, test in splitter.split(rows, codes[rows], groups)
    ]


def _count_groups(groups):
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            f"groups must hold at least two groups to keep apart, got: {n_groups}."
        )
    return n_groups


def stratified_sample(y, n_rows, seed):
    """Draw rows so that every class keeps its share, and two rows if it has them.

    Parameters
    ----------
    y : ndarray of shape (n_all_rows,)
        Classes.
    n_rows : int
        About how many rows to draw.
    seed : int

    Returns
    -------
    rows : ndarray of int
        In ascending order.
    """
    codes, rank = _shuffled_ranks(y, seed)
    share = n_rows / len(y)
    wanted = np.maximum(np.round(np.bincount(codes) * share), 2)
    return np.flatnonzero(rank < wanted[codes])


def hold_out(y, rows, seed):
    """Set a fifth of some rows apart, of each class; none of one with a single row.

    Parameters
    ----------
    y : ndarray of shape (n_all_rows,)
        Classes.
    rows : ndarray of int
        Those to be parted.
    seed : int

    Returns
    -------
    train, test : ndarray of int
        Every class of the rows is in `train`; `test` may be empty.
    """
    _, rank = _shuffled_ranks(y[rows], seed)
    is_test = rank % 5 == 1
    return rows[~is_test], rows[is_test]


def _shuffled_ranks(y, seed):
    """Return class numbers, and the position of each row in its class, shuffled."""
    _, codes = np.unique(y, return_inverse=True)
    codes = codes.ravel()
    shuffled = np.random.default_rng(seed).permutation(len(y))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(y), dtype=np.int64)
    rank[by_class] = np.arange(len(y)) - np.repeat(starts, counts)
    return codes, rank


def thin_splits(splits, codes, n_rows, seed):
    """Keep of each split only what is in a sample of the rows.

    Parameters
    ----------
    splits : list of (train, test)
        Row numbers.
    codes : ndarray of int of shape (n_all_rows,)
        Classes.
    n_rows : int
        Size of the sample.
    seed : int

    Returns
    -------
    thinned : list of (train, test)
        The splits as they were if one of them has nothing left to tell apart.
    """
    tested_in = np.zeros(len(codes), dtype=np.int64)  # 0 is nowhere
    for number, (_, test) in enumerate(splits, start=1):
        tested_in[test] = number
    # Of each class in each test, or metrics of probabilities have no value there.
    strata = codes * (len(splits) + 1) + tested_in
    is_kept = np.zeros(len(codes), dtype=bool)
    is_kept[stratified_sample(strata, n_rows, seed)] = True
    thinned = [(train[is_kept[train]], test[is_kept[test]]) for train, test in splits]
    for train, test in thinned:
        if len(test) == 0 or len(np.unique(codes[train])) < 2:
            return splits
    return thinned


def check_splits(splits, codes):
    """Return splits of the user's as row numbers, if they can be used.

    Parameters
    ----------
    splits : iterable of (train, test)
        Row numbers, or masks.
    codes : ndarray of int of shape (n_rows,)
        Classes of all rows.

    Returns
    -------
    splits : list of (train, test)

    Raises
    ------
    ValueError
        If there is none, or one of them has no rows to test, a single class to learn
        from, or rows that do not exist.
    """
    rows, checked = np.arange(len(codes)), []
    for number, (train, test) in enumerate(splits):
        try:
            train, test = rows[train], rows[test]
        except IndexError as error:
            raise ValueError(
                f"cv must give row numbers below {len(rows)}, got others in split "
                f"{number} ({error})."
            ) from error
        n_classes = len(np.unique(codes[train]))
        if len(test) == 0 or n_classes < 2:
            raise ValueError(
                f"Every split must have rows to test and two classes or more to learn "
                f"from, got: {len(test)} rows and {n_classes} classes in split "
                f"{number}. Give another cv, or other groups."
            )
        checked.append((train, test))
    if not checked:
        raise ValueError(
            "cv must give at least one split, got none. A generator can be used only "
            "once: give a list."
        )
    return checked
