"""How simple learners do on a few rows of a task.

What they score says how hard the task is; which of them scores more says what kind
of task it is: neighbours and trees that beat a linear model, that the classes are
not separated by planes.
"""

from collections import defaultdict

import numpy as np
from scipy import sparse
from scipy.special import softmax
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeClassifier

from skmeta.metafeatures._sampling import level_keys, mix, stratified_rows

_SIZE = 600  # rows
_QUARTER = 4  # one row of so many
_MAX_COLUMNS = 200
_MAX_LEVELS = 10  # of a categorical column, each with an indicator
_MAX_CLASSES = 100
_N_FOLDS = 3
_N_NEIGHBORS = 10
_FARTHEST = 5.0  # standard deviations
# Other units and orders change the last digits of a sum, which must not decide a
# tie.
_DECIMALS = 6


def landmark_scores(view):
    """Cross-validate simple learners on a sample of a task.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    scores : dict of str to float
        ROC AUC of each learner's predictions for rows that it has not seen: of
        one class against the rest, weighted by how frequent the classes are.
        Empty where fewer than two classes have a row in each fold, or no column
        varies.
    """
    X, y = sample_task(view, _SIZE)
    if not can_be_split(X, y):
        return {}
    probabilities = _predict_folds(X, y, _rank_in_class(y) % _N_FOLDS)
    return {name: _weighted_auc(y, values) for name, values in probabilities.items()}


def accuracy_landmarks(X, y):
    """Cross-validate simple learners, on a sample and on a quarter of it.

    Parameters
    ----------
    X, y : ndarray
        From `sample_task`.

    Returns
    -------
    scores, of_quarter : dict of str to ndarray of shape (n_folds,)
        Balanced accuracy of each learner on each fold, over the classes with a row in
        it. Empty where fewer than two classes have a row in each fold, or no column
        varies.
    """
    rank = _rank_in_class(y)
    scores = _balanced_accuracies(X, y, rank % _N_FOLDS)
    quarter = rank % _QUARTER == 0
    rank = rank[quarter] // _QUARTER
    y = np.unique(y[quarter], return_inverse=True)[1].ravel()
    return scores, _balanced_accuracies(X[quarter], y, rank % _N_FOLDS)


def _balanced_accuracies(X, y, fold_of):
    if not can_be_split(X, y):
        return {}
    scores = {}
    for name, values in _predict_folds(X, y, fold_of, one_nn=True).items():
        # Rounded, so that the last digits do not choose between equals.
        right = np.round(values, 9).argmax(axis=1) == y
        scores[name] = np.array(
            [_mean_over_classes(y, right, fold_of == f) for f in range(_N_FOLDS)]
        )
    return scores


def _mean_over_classes(y, right, rows):
    n_rows = np.bincount(y[rows])
    n_right = np.bincount(y[rows], right[rows])
    return (n_right[n_rows > 0] / n_rows[n_rows > 0]).mean()


def tree_shape(X, y):
    """Describe a decision tree of a sample of a task.

    Parameters
    ----------
    X, y : ndarray
        From `sample_task`.

    Returns
    -------
    n_nodes, n_leaves, depth : int
        Nodes with a split, and others.
    leaf_shares : ndarray of shape (n_classes,)
        Shares of the leaves that each class has most rows in.
    importances : ndarray of shape (n_columns,)
        Shares of the decrease in impurity.
    n_rows : int
        Of the sample.
    """
    if X.shape[1] == 0:
        X = np.zeros((len(y), 1))
    estimator = DecisionTreeClassifier(random_state=0).fit(X, y)
    tree = estimator.tree_
    is_leaf = tree.children_left < 0
    labels = tree.value[is_leaf, 0].argmax(axis=1)
    leaf_shares = np.bincount(labels, minlength=y.max() + 1) / is_leaf.sum()
    importances = tree.compute_feature_importances()
    n_leaves = int(is_leaf.sum())
    n_nodes = tree.node_count - n_leaves
    return n_nodes, n_leaves, tree.max_depth, leaf_shares, importances, len(y)


def nearest_neighbor_complexity(X, y):
    """Compare each row of a sample with the nearest of its own and of other classes.

    Parameters
    ----------
    X, y : ndarray
        From `sample_task`, with two classes or more.

    Returns
    -------
    ratio : float
        Sum of the distances to the own class over that to other classes [1]_.
    error : float
        Share of rows whose nearest row is of another class.

    References
    ----------
    .. [1] T. K. Ho, M. Basu, "Complexity Measures of Supervised Classification
       Problems", IEEE Transactions on Pattern Analysis and Machine Intelligence 24,
       2002.
    """
    squares = (X**2).sum(axis=1)
    distances = squares[:, np.newaxis] - 2 * X @ X.T + squares
    distances = np.sqrt(np.round(np.maximum(distances, 0.0), _DECIMALS))
    np.fill_diagonal(distances, np.inf)
    own = y[:, np.newaxis] == y
    to_own = np.where(own, distances, np.inf).min(axis=1)
    to_others = np.where(own, np.inf, distances).min(axis=1)
    # The only row of its class has no distance to it.
    counted = np.isfinite(to_own) & np.isfinite(to_others)
    own_total, total = to_own[counted].sum(), to_others[counted].sum()
    ratio = own_total / total if total > 0 else np.nan if own_total == 0 else np.inf
    return ratio, float(np.mean(to_others < to_own))


def can_be_split(X, y):
    """Say whether two classes have a row for each fold, and a column varies.

    Parameters
    ----------
    X, y : ndarray
        From `sample_task`.

    Returns
    -------
    answer : bool
    """
    return (np.bincount(y) >= _N_FOLDS).sum() >= 2 and X.shape[1] > 0


def sample_task(view, size):
    """Return rows of a task as numbers, in an order that content alone decides.

    Parameters
    ----------
    view : TaskView
        The task.
    size : int
        How many rows, about, if there are as many.

    Returns
    -------
    X : ndarray of shape (n_rows, n_columns)
        Standardized, without gaps; up to 200 columns, indicators of levels included.
    y : ndarray of int of shape (n_rows,)
        Classes from 0 on, ascending; the rarest come first.
    """
    rows = _choose_rows(view, size)
    y = np.unique(view.y[rows], return_inverse=True)[1].ravel()
    return _put_in_order(_encode(view, rows, y), y, view.seed)


def _predict_folds(X, y, fold_of, one_nn=False):
    """Return class probabilities of each learner for rows it has not seen."""
    n_classes = y.max() + 1
    probabilities = defaultdict(lambda: np.zeros((len(y), n_classes)))
    for fold in range(_N_FOLDS):
        train, test = fold_of != fold, fold_of == fold
        known, y_train = np.unique(y[train], return_inverse=True)
        y_train = y_train.ravel()
        predicted = _predict(X[train], y_train, X[test])
        if one_nn:
            predicted["one_nn"] = _nearest_neighbors(X[train], y_train, X[test], 1)
        for name, values in predicted.items():
            probabilities[name][np.ix_(test, known)] = values
    return probabilities


def _predict(X, y, X_test):
    """Return class probabilities of each learner, by its name."""
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=0).fit(X, y)
    return {
        "linear_discr": _linear_discriminant(X, y, X_test),
        "naive_bayes": _naive_bayes(X, y, X_test),
        "knn": _nearest_neighbors(X, y, X_test),
        "tree": tree.predict_proba(X_test),
        "best_node": _first_split(tree.tree_, X_test),
    }


def _choose_rows(view, size):
    """Return positions of about so many rows of frequent classes."""
    rows = np.arange(view.n_rows)[view.sample]
    if len(rows) <= size and view.n_classes <= _MAX_CLASSES:
        return rows
    keys = view.keys(rows)
    y = view.y[rows]
    if view.n_classes > _MAX_CLASSES:
        order = _class_order(keys, y)
        kept = np.isin(y, order[-_MAX_CLASSES:])
        rows, keys, y = rows[kept], keys[kept], y[kept]
    if len(rows) <= size:
        return rows
    y = np.unique(y, return_inverse=True)[1].ravel()
    return rows[stratified_rows(keys, y, size)]


def _class_order(keys, y):
    """Return the classes by how frequent they are, whatever they are called."""
    counts = np.bincount(y)
    sums = np.zeros(len(counts), dtype=np.uint64)
    np.add.at(sums, y, keys)
    return np.lexsort((sums, counts))


def _encode(view, rows, y):
    """Return standardized numbers without gaps, and indicators of levels."""
    numbers = view.numeric[:, view.paired_columns]
    if sparse.issparse(numbers):
        numbers = numbers.tocsr()[rows].toarray()
    else:
        numbers = numbers[rows]
    median = np.nanmedian(numbers, axis=0) if numbers.size else np.zeros(0)
    numbers = np.where(np.isnan(numbers), np.nan_to_num(median), numbers)
    deviation = numbers.std(axis=0)
    varies = deviation > 1e-12 * np.abs(numbers).max(axis=0, initial=0.0)
    numbers, deviation = numbers[:, varies], deviation[varies]
    numbers = (numbers - numbers.mean(axis=0)) / deviation
    blocks = [np.round(np.clip(numbers, -_FARTHEST, _FARTHEST), _DECIMALS)]
    # A column with nearly a level for each row names the rows.
    for j in np.flatnonzero(view.n_levels <= view.n_rows / 2):
        blocks.append(_indicators(view.codes[rows, j], y, view.seed))
    # Adding 0.0 makes -0.0 positive.
    return np.concatenate(blocks, axis=1) + 0.0


def _indicators(codes, y, seed):
    levels, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if len(levels) == 1:
        return np.zeros((len(codes), 0))
    codes = codes.ravel()
    order = np.lexsort((level_keys(codes, y, seed), counts))[::-1]
    return (codes[:, np.newaxis] == order[:_MAX_LEVELS]).astype(np.float64)


def _put_in_order(X, y, seed):
    """Sort rows, columns and classes by content.

    Then all that follows is the same to the last bit, however the table was
    written.

    Returns
    -------
    X : ndarray of shape (n_rows, at most _MAX_COLUMNS)
    y : ndarray of int of shape (n_rows,)
    """
    own = mix(np.bincount(y)[y].astype(np.float64), seed)
    keys = own + mix(X, seed).sum(axis=1, dtype=np.uint64)
    of_columns = mix(X, keys[:, np.newaxis]).sum(axis=0, dtype=np.uint64)
    columns = np.argsort(of_columns, kind="stable")[:_MAX_COLUMNS]
    X = X[:, columns]
    keys = own + mix(X, of_columns[columns]).sum(axis=1, dtype=np.uint64)
    order = _class_order(keys, y)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    y = rank[y]
    rows = np.lexsort((keys, y))
    return X[rows], y[rows]


def _rank_in_class(y):
    """Return how many rows of its class come before each row; classes ascend."""
    return np.arange(len(y)) - np.searchsorted(y, y)


def _linear_discriminant(X, y, X_test):
    """Linear discriminant analysis, a tenth of its covariance shrunk."""
    means, counts = _class_means(X, y)
    within = X - means[y]
    covariance = 0.9 * within.T @ within / len(X)
    spread = (within**2).mean()
    covariance.flat[:: len(covariance) + 1] += 0.1 * spread + 1e-6
    directions = np.linalg.solve(covariance, means.T)
    offsets = np.log(counts / len(X)) - 0.5 * (means * directions.T).sum(axis=1)
    return softmax(X_test @ directions + offsets, axis=1)


def _naive_bayes(X, y, X_test):
    """Naive Bayes with normal distributions."""
    means, counts = _class_means(X, y)
    squares, _ = _class_means(X**2, y)
    variances = np.maximum(squares - means**2, 0.0) + 0.01 * X.var(axis=0).max() + 1e-6
    distances = (
        X_test**2 @ (1 / variances).T
        - 2 * X_test @ (means / variances).T
        + (means**2 / variances + np.log(variances)).sum(axis=1)
    )
    return softmax(np.log(counts / len(X)) - 0.5 * distances, axis=1)


def _nearest_neighbors(X, y, X_test, n_neighbors=_N_NEIGHBORS):
    """Share of each class among the nearest neighbours."""
    distances = (X**2).sum(axis=1) - 2 * X_test @ X.T
    # Of rows that are alike, the products may differ by a rounding error.
    distances = np.round(distances, _DECIMALS)
    n_neighbors = min(n_neighbors, len(X))
    nearest = np.argpartition(distances, n_neighbors - 1, axis=1)[:, :n_neighbors]
    return np.eye(y.max() + 1)[y[nearest]].mean(axis=1)


def _first_split(tree, X_test):
    """Shares of the classes on the two sides of the first split of a tree."""
    if tree.node_count == 1:
        return np.repeat(tree.value[0], len(X_test), axis=0)
    right = X_test[:, tree.feature[0]] > tree.threshold[0]
    sides = np.array([tree.children_left[0], tree.children_right[0]])
    return tree.value[sides[right.astype(np.int64)], 0]


def _class_means(X, y):
    indicators = np.eye(y.max() + 1)[y]
    counts = indicators.sum(axis=0)
    return (indicators.T @ X) / counts[:, np.newaxis], counts


def _weighted_auc(y, probabilities):
    counts = np.bincount(y, minlength=probabilities.shape[1])
    # A class without a row for each fold cannot be learned in all of them.
    scored = np.flatnonzero((counts >= _N_FOLDS) & (counts < len(y)))
    ranks = rankdata(np.round(probabilities[:, scored], 9), axis=0)
    n_own = counts[scored]
    own = (ranks * (y[:, np.newaxis] == scored)).sum(axis=0) - n_own * (n_own + 1) / 2
    return float(np.average(own / (n_own * (len(y) - n_own)), weights=n_own))
