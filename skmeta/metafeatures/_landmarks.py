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
    rows = _choose_rows(view)
    y = np.unique(view.y[rows], return_inverse=True)[1].ravel()
    X = _encode(view, rows, y)
    if (np.bincount(y) >= _N_FOLDS).sum() < 2 or X.shape[1] == 0:
        return {}
    X, y, fold_of = _put_in_order(X, y, view.seed)
    n_classes = y.max() + 1
    probabilities = defaultdict(lambda: np.zeros((len(y), n_classes)))
    for fold in range(_N_FOLDS):
        train, test = fold_of != fold, fold_of == fold
        known, y_train = np.unique(y[train], return_inverse=True)
        for name, values in _predict(X[train], y_train.ravel(), X[test]).items():
            probabilities[name][np.ix_(test, known)] = values
    return {name: _weighted_auc(y, values) for name, values in probabilities.items()}


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


def _choose_rows(view):
    """Return positions of about `_SIZE` rows of frequent classes."""
    rows = np.arange(view.n_rows)[view.sample]
    if len(rows) <= _SIZE and view.n_classes <= _MAX_CLASSES:
        return rows
    keys = view.keys(rows)
    y = view.y[rows]
    if view.n_classes > _MAX_CLASSES:
        order = _class_order(keys, y)
        kept = np.isin(y, order[-_MAX_CLASSES:])
        rows, keys, y = rows[kept], keys[kept], y[kept]
    if len(rows) <= _SIZE:
        return rows
    y = np.unique(y, return_inverse=True)[1].ravel()
    return rows[stratified_rows(keys, y, _SIZE)]


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
    """Sort rows, columns and classes by content, and deal the rows out to folds.

    Then all that follows is the same to the last bit, however the table was
    written.

    Returns
    -------
    X : ndarray of shape (n_rows, at most _MAX_COLUMNS)
    y, fold_of : ndarray of int of shape (n_rows,)
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
    X, y = X[rows], y[rows]
    start_of_class = np.searchsorted(y, y)
    return X, y, (np.arange(len(y)) - start_of_class) % _N_FOLDS


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


def _nearest_neighbors(X, y, X_test):
    """Share of each class among the nearest neighbours."""
    distances = (X**2).sum(axis=1) - 2 * X_test @ X.T
    # Of rows that are alike, the products may differ by a rounding error.
    distances = np.round(distances, _DECIMALS)
    n_neighbors = min(_N_NEIGHBORS, len(X))
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
