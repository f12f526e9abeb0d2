from dataclasses import fields
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.stats import trim_mean

from skmeta.metafeatures._landmarks import (
    accuracy_landmarks,
    landmark_scores,
    nearest_neighbor_complexity,
    sample_task,
    tree_shape,
)
from skmeta.metafeatures._measures import (
    OrderStatistics,
    TableInformation,
    canonical_correlations,
    center_distance,
    class_imbalance,
    class_scatter,
    class_sums,
    column_moments,
    entropy,
    equal_frequency_codes,
    order_statistics,
    row_chunks,
    spectrum_shape,
    summarize,
    table_information,
    within_share,
)
from skmeta.metafeatures._registry import S3, S5
from skmeta.metafeatures._sampling import (
    column_seeds,
    level_keys,
    mix,
    row_keys,
    stratified_rows,
)

_SAMPLE_SIZE = 20_000  # rows that are sorted and binned
_MODEL_SIZE = 1_000  # rows of trees, neighbours and how accurate learners are
_SMALLEST_SAMPLE = 2_000  # of a table so wide that its sample is cut further
_MAX_SORTED_CELLS = 1e8  # cells that are sorted, about three seconds
_MAX_PAIRED_COLUMNS = 500  # columns of what costs the square of their number
_MAX_PRODUCTS = 1e9  # n d^2 up to which correlations see all rows
_MAX_LEVELS = 1000  # of a categorical column in its entropy
_BLOCK_CELLS = 1 << 17  # 1 MB of float64, which stays in the cache


class TaskView:
    """A table and its classes, with what several groups need computed once.

    Every part is computed when it is first asked for, so that a group costs
    only what it uses.

    Parameters
    ----------
    table : Table
        Of `read_table`, with numbers whose fourth power is finite.
    y : ndarray of int64 of shape (n_rows,)
        Classes 0 to k - 1, each with at least one row, in any order.
    seed : int
        For the choice of rows.
    """

    def __init__(self, table, y, seed):
        self.numeric = table.numeric
        self.codes = table.codes
        self.n_rows = table.n_rows
        self.n_columns = table.n_columns
        self.y = y
        self.seed = seed
        self.class_counts = np.bincount(y)

    @property
    def n_numeric(self):
        """Number of numeric columns."""
        return self.numeric.shape[1]

    @property
    def n_categorical(self):
        """Number of categorical columns."""
        return self.codes.shape[1]

    @property
    def n_classes(self):
        """Number of classes."""
        return len(self.class_counts)

    @cached_property
    def moments(self):
        """Moments of the numeric columns, of all rows."""
        return column_moments(self.numeric)

    @cached_property
    def n_levels(self):
        """Observed levels of each categorical column, of all rows."""
        return np.array(
            [np.count_nonzero(np.bincount(c + 1)[1:]) for c in self.codes.T],
            dtype=np.int64,
        )

    @cached_property
    def sample(self):
        """Rows that are sorted and binned, as a slice if they are all."""
        most = int(_MAX_SORTED_CELLS // max(1, self.n_numeric))
        size = min(_SAMPLE_SIZE, max(_SMALLEST_SAMPLE, most))
        if self.n_rows <= size:
            return slice(None)
        return stratified_rows(self.keys(slice(None)), self.y, size)

    def keys(self, rows):
        """Return keys of some rows that depend on their content alone."""
        numeric = self.numeric
        if not isinstance(rows, slice):
            is_sparse = sparse.issparse(numeric)
            numeric = numeric.tocsr()[rows].tocsc() if is_sparse else numeric[rows]
        seeds = column_seeds(self.moments, self.seed)
        return row_keys(numeric, self.codes[rows], self.y[rows], seeds, self.seed)

    @cached_property
    def sample_y(self):
        """Classes of the sample, numbered without gaps."""
        return np.unique(self.y[self.sample], return_inverse=True)[1].ravel()

    @cached_property
    def model_sample(self):
        """Rows and classes that trees and neighbours are made of."""
        return sample_task(self, _MODEL_SIZE)

    @cached_property
    def sample_codes(self):
        """Categorical columns of the sample."""
        return self.codes[self.sample]

    @cached_property
    def _sorted_parts(self):
        """Order statistics, bin information and content keys of numeric columns."""
        orders, tables, keys = [], [], []
        n_bins = max(1, int(len(self.sample_y) ** (1 / 3)))
        step = max(1, _BLOCK_CELLS // len(self.sample_y))
        for start in range(0, self.n_numeric, step):
            columns = self._sample_columns(slice(start, start + step))
            ordered = np.sort(columns, axis=1)
            n_observed = np.count_nonzero(ordered == ordered, axis=1)
            orders.append(order_statistics(ordered, n_observed))
            codes = equal_frequency_codes(columns, ordered, n_observed, n_bins)
            tables.append(table_information(codes, self.sample_y, n_bins + 1))
            if self.n_numeric > _MAX_PAIRED_COLUMNS:
                keys.append(mix(columns, self.seed).sum(axis=1, dtype=np.uint64))
        return (
            _concatenate(OrderStatistics, orders),
            _concatenate(TableInformation, tables),
            np.concatenate(keys) if keys else None,
        )

    def _sample_columns(self, columns):
        """Return numeric columns of the sample as the rows of a dense array."""
        block = self.numeric[:, columns]
        if sparse.issparse(block):
            block = block.tocsr()[self.sample] if self.is_sampled else block
            return np.ascontiguousarray(block.toarray().T)
        return np.ascontiguousarray(block[self.sample].T)

    @property
    def is_sampled(self):
        """Whether the sample leaves rows out."""
        return not isinstance(self.sample, slice)

    @property
    def order(self):
        """Order statistics of the numeric columns, of the sample."""
        return self._sorted_parts[0]

    @cached_property
    def information(self):
        """Information in each column that has values and is not a row's name."""
        tables = []
        seen = self.moments.is_observed
        if seen.any():
            binned = self._sorted_parts[1]
            tables.append(_take(binned, seen))
        # A column with nearly a level for each row names the rows.
        usable = (self.n_levels > 0) & (self.n_levels <= self.n_rows / 2)
        for j in np.flatnonzero(usable):
            codes = _frequent_levels(self.sample_codes[:, j], self.sample_y, self.seed)
            tables.append(
                table_information(codes[np.newaxis], self.sample_y, codes.max() + 1)
            )
        return _concatenate(TableInformation, tables)

    @cached_property
    def paired_columns(self):
        """Positions of the numeric columns that are compared with each other."""
        varying = np.flatnonzero(self.moments.varies)
        if len(varying) <= _MAX_PAIRED_COLUMNS:
            return varying
        keys = self._sorted_parts[2][varying]
        chosen = np.argsort(keys, kind="stable")[:_MAX_PAIRED_COLUMNS]
        return np.sort(varying[chosen])

    @cached_property
    def _paired(self):
        """Rows and columns for correlations: numbers and classes."""
        columns = self.paired_columns
        every_row = (
            self.n_rows * len(columns) ** 2 < _MAX_PRODUCTS or not self.is_sampled
        )
        if sparse.issparse(self.numeric) or not every_row:
            return self._sample_columns(columns).T, self.y[self.sample]
        if len(columns) == self.n_numeric:
            return self.numeric, self.y
        return self.numeric[:, columns], self.y

    @cached_property
    def _center_and_fill(self):
        columns = self.paired_columns
        center = self.moments.mean[columns]
        if (self.moments.n_observed[columns] == self.n_rows).all():
            return center, center
        median = self.order.median[columns]
        # The sample may miss the few values that a column has.
        return center, np.where(np.isnan(median), center, median)

    @cached_property
    def scatter(self):
        """Correlations and class means of the paired columns."""
        numbers, y = self._paired
        return class_scatter(numbers, *self._center_and_fill, y, self.n_classes)

    @cached_property
    def spectrum(self):
        """Eigenvalues, ascending, and eigenvectors of the correlations."""
        return np.linalg.eigh(self.scatter.correlation)

    @cached_property
    def first_scores(self):
        """Scores of the sample on the first principal component."""
        vector = self.spectrum[1][:, -1]
        center, fill = self._center_and_fill
        columns = self.paired_columns
        sd = np.sqrt(self.moments.sum_squares[columns])
        weights = np.where(sd > 0, vector / np.where(sd > 0, sd, 1.0), 0.0)
        values = self._sample_columns(columns).T
        scores = np.empty(len(values))
        for rows in row_chunks(*values.shape):
            deviation = values[rows] - center
            missing = np.isnan(deviation)
            if missing.any():
                deviation[missing] = (fill - center)[np.nonzero(missing)[1]]
            scores[rows] = deviation @ weights
        return scores


def _take(parts, chosen):
    return type(parts)(*(getattr(parts, f.name)[chosen] for f in fields(parts)))


def _concatenate(kind, parts):
    if not parts:
        return kind(*(np.empty(0) for _ in fields(kind)))
    return kind(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(kind))
    )


def _frequent_levels(codes, y, seed):
    """Give levels numbers from 0, missing being one; the rarest share the last."""
    codes = np.unique(codes, return_inverse=True)[1].ravel()
    counts = np.bincount(codes)
    if len(counts) <= _MAX_LEVELS:
        return codes
    # Ties in frequency go by the classes of the level, not by its name.
    order = np.lexsort((level_keys(codes, y, seed), -counts))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.minimum(np.arange(len(order)), _MAX_LEVELS)
    return rank[codes]


def _named(name, summaries):
    return {f"{name}.{summary}": value for summary, value in summaries.items()}


def general(view):
    """Compute sizes, kinds of columns and class frequencies.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    n, d, k = view.n_rows, view.n_columns, view.n_classes
    frequencies = view.class_counts / n
    class_entropy = float(entropy(view.class_counts))
    return {
        "nr_inst": n,
        "nr_attr": d,
        "nr_class": k,
        "nr_num": view.n_numeric,
        "nr_cat": view.n_categorical,
        "nr_bin": _count_binary(view),
        "nr_const": view.moments.is_constant.sum() + (view.n_levels == 1).sum(),
        "attr_to_inst": d / n,
        "inst_to_attr": n / d,
        "log_nr_inst": np.log(n),
        "log_nr_attr": np.log(d),
        "log_inst_to_attr": np.log(n / d),
        "pct_num": view.n_numeric / d,
        "cat_to_num": view.n_categorical / max(1, view.n_numeric),
        "num_to_cat": view.n_numeric / max(1, view.n_categorical),
        **_named("freq_class", summarize(frequencies, ("mean", "sd", "min", "max"))),
        "class_ent": class_entropy,
        "c1": class_entropy / np.log2(k) if k > 1 else 0.0,
        "c2": class_imbalance(view.class_counts),
        "log_min_class": np.log1p(view.class_counts.min()),
        **_named("symbols", _symbols(view.n_levels)),
    }


def _symbols(n_levels):
    # No categorical column is a fact about the table, not a failure: 0.
    counts = n_levels if len(n_levels) else np.zeros(1)
    return summarize(counts, ("min", "max", "mean", "sd", "sum"))


def _count_binary(view):
    """Count columns with two distinct values, looking at every row."""
    n_categorical = int((view.n_levels == 2).sum())
    if not view.is_sampled:
        return n_categorical + int((view.order.n_distinct == 2).sum())
    # A sample may miss a rare value, but only of a column that varies.
    candidates = np.flatnonzero(view.moments.varies & (view.order.n_distinct <= 2))
    return n_categorical + sum(_has_only_its_ends(view, j) for j in candidates)


def _has_only_its_ends(view, j):
    ends = view.moments.low[j], view.moments.high[j]
    column = view.numeric[:, [j]]
    values = column
    if sparse.issparse(column):
        if column.nnz < view.n_rows and 0.0 not in ends:
            return False
        values = column.data
    return bool((np.isnan(values) | np.isin(values, ends)).all())


def missing(view):
    """Compute shares of missing cells, rows and columns.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    row_has = (view.codes < 0).any(axis=1)
    per_column = np.concatenate(
        [
            view.n_rows - view.moments.n_observed,
            np.count_nonzero(view.codes < 0, axis=0),
        ]
    )
    if per_column[: view.n_numeric].any():
        row_has |= _rows_with_missing(view.numeric)
    return {
        "pct_missing": per_column.sum() / (view.n_rows * view.n_columns),
        "pct_inst_missing": row_has.mean(),
        "pct_attr_missing": np.count_nonzero(per_column) / view.n_columns,
    }


def _rows_with_missing(numeric):
    if not sparse.issparse(numeric):
        return np.isnan(numeric).any(axis=1)
    has_missing = np.zeros(numeric.shape[0], dtype=bool)
    has_missing[numeric.indices[np.isnan(numeric.data)]] = True
    return has_missing


def statistical(view):
    """Compute shapes, correlations and class separation of numeric columns.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    moments, order = view.moments, view.order
    seen = moments.is_observed
    in_sample = order.n_observed > 0
    n_observed = order.n_observed[in_sample]
    shaped = moments.varies  # a constant column has no shape
    zero_share = moments.n_zeros[seen] / moments.n_observed[seen]
    return {
        **_named(
            "unique_frac", summarize(order.n_distinct[in_sample] / n_observed, S3)
        ),
        **_named("zero_frac", summarize(zero_share, S3)),
        **_named("sparsity", summarize(_repetition(view), S3)),
        **_named("skewness", summarize(_clip(moments.skewness[shaped]), S5)),
        **_named("kurtosis", summarize(_clip(moments.kurtosis[shaped]), S5)),
        **_named("q_skew", summarize(order.q_skew[in_sample], S3)),
        **_named("q_tail", summarize(_clip(order.q_tail[in_sample]), S3)),
        "nr_outliers": np.count_nonzero(order.n_outliers),
        **_named(
            "outlier_frac", summarize(order.n_outliers[in_sample] / n_observed, S3)
        ),
        **_correlation(view),
        **_components(view),
        **_separation(view),
    }


def _clip(values):
    return np.clip(values, -1e6, 1e6)


def _repetition(view):
    """Return how often values repeat, 0 to 1, in each column with values."""
    n_levels = np.array(
        [np.count_nonzero(np.bincount(c + 1)[1:]) for c in view.sample_codes.T]
    )
    n_distinct = np.concatenate([view.order.n_distinct, n_levels])
    n_observed = np.concatenate(
        [view.order.n_observed, np.count_nonzero(view.sample_codes >= 0, axis=0)]
    )
    n_distinct, n_observed = n_distinct[n_observed > 0], n_observed[n_observed > 0]
    return (n_observed / n_distinct - 1) / np.maximum(1, n_observed - 1)


def _correlation(view):
    if len(view.paired_columns) < 2:
        return {}
    pairs = np.triu_indices(len(view.paired_columns), k=1)
    strength = np.abs(view.scatter.correlation[pairs])
    n_columns = min(view.n_numeric, _MAX_PAIRED_COLUMNS)
    n_pairs = n_columns * (n_columns - 1) / 2
    return {
        **_named("cor", summarize(strength, S5)),
        "nr_cor_attr": np.count_nonzero(strength >= 0.5 - 1e-12) / n_pairs,
    }


def _components(view):
    if len(view.paired_columns) == 0:
        return {}
    eigenvalues = view.spectrum[0]
    values = spectrum_shape(eigenvalues)
    if len(eigenvalues) > 1 and eigenvalues[-1] - eigenvalues[-2] < 1e-6:
        return values  # the first component is any direction out of several
    scores = column_moments(view.first_scores[:, np.newaxis])
    return {
        **values,
        "pca_skew": abs(scores.skewness[0]),
        "pca_kurt": scores.kurtosis[0],
    }


def _separation(view):
    if len(view.paired_columns) == 0 or view.n_classes == 1:
        return {}
    correlations = canonical_correlations(*view.spectrum, view.scatter)
    square = correlations**2
    return {
        **_named("can_cor", summarize(correlations, ("mean", "max"))),
        "nr_disc": len(correlations),
        "w_lambda": np.prod(1.0 - square),
        "log_w_lambda": np.log(np.maximum(1.0 - square, 1e-9)).sum(),
        "p_trace": square.sum(),
        **_named("f1", summarize(_fisher_ratios(view), ("mean", "min"))),
        "gravity_std": center_distance(
            view.scatter.class_means, view.scatter.class_counts
        ),
    }


def _fisher_ratios(view):
    varying = np.flatnonzero(view.moments.varies)
    moments = _take(view.moments, varying)
    complete = (moments.n_observed == view.n_rows).all()
    if complete and not sparse.issparse(view.numeric):
        same_rows = len(view._paired[1]) == view.n_rows
        if same_rows and len(varying) == len(view.paired_columns):
            # Nothing was filled in: the class means are there already.
            means, counts = view.scatter.class_means, view.class_counts
            between = (counts[:, np.newaxis] * means**2).sum(axis=0) / view.n_rows
            return np.clip(1.0 - between, 0.0, 1.0)
    sums, counts = _sums_of_deviations(view, varying, moments)
    return within_share(moments, sums, counts)


def _sums_of_deviations(view, columns, moments):
    """Add up deviations from the mean, and count observed values, by class."""
    n_classes, y = view.n_classes, view.y
    if sparse.issparse(view.numeric):
        numbers = view.numeric[:, columns]
        is_missing = np.isnan(numbers.data)
        gaps = numbers.copy()
        gaps.data = is_missing.astype(np.float64)
        numbers.data = np.where(is_missing, 0.0, numbers.data)
        counts = view.class_counts[:, np.newaxis] - class_sums(gaps, y, n_classes)
        return class_sums(numbers, y, n_classes) - counts * moments.mean, counts
    sums = np.zeros((n_classes, len(columns)))
    counts = np.zeros((n_classes, len(columns)))
    for rows in row_chunks(view.n_rows, len(columns), n_classes):
        deviation = view.numeric[rows][:, columns] - moments.mean
        observed = ~np.isnan(deviation)
        deviation[~observed] = 0.0
        sums += class_sums(deviation, y[rows], n_classes)
        counts += class_sums(observed.astype(np.float64), y[rows], n_classes)
    return sums, counts


def information(view):
    """Compute entropies of columns and what they tell of the class.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    parts = view.information
    if len(parts.entropy) == 0:
        return {}
    n_rows = len(view.sample_y)
    class_counts = np.bincount(view.sample_y)
    class_entropy = entropy(class_counts)
    many = parts.n_occupied > 1
    relative = np.where(
        many, parts.entropy / np.log2(np.maximum(2, parts.n_occupied)), 0
    )
    values = {
        **_named("attr_ent", summarize(parts.entropy, S5)),
        **_named("attr_ent_norm", summarize(relative, ("mean",))),
        **_named("mut_inf", summarize(parts.mutual_information, S5)),
        **_named("class_conc", summarize(parts.concentration, ("mean", "max"))),
    }
    if class_entropy > 0:
        # What chance alone adds to the mutual information of a table.
        chance = (parts.n_occupied - 1) * (len(class_counts) - 1) / (2 * n_rows)
        genuine = np.maximum(0.0, parts.mutual_information - chance / np.log(2))
        genuine = np.minimum(1.0, genuine / class_entropy)
        values.update(_named("mut_inf_norm", summarize(genuine, ("mean", "max"))))
    total = parts.mutual_information.sum()
    if total >= 1e-9:
        values["eq_num_attr"] = len(parts.entropy) * class_entropy / total
        values["ns_ratio"] = (parts.entropy.sum() - total) / total
    return values


def landmarking(view):
    """Compute how simple learners do on a sample, and which of them does better.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    scores = landmark_scores(view)
    if not scores:
        return {}
    linear, tree = scores["linear_discr"], scores["tree"]
    return {
        **_named("auc", scores),
        "auc_over_linear.naive_bayes": scores["naive_bayes"] - linear,
        "auc_over_linear.knn": scores["knn"] - linear,
        "auc_over_linear.tree": tree - linear,
        "auc_over_node.tree": tree - scores["best_node"],
    }


def accuracy_landmarking(view):
    """Compute how accurate simple learners are, and how much more rows help them.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    scores, of_quarter = accuracy_landmarks(*view.model_sample)
    if not scores:
        return {"lm_default": 1 / view.n_classes}
    scores.pop("knn")
    means = {name: values.mean() for name, values in scores.items()}
    slopes = {}
    if of_quarter:
        slopes = {
            short: means[name] - of_quarter[name].mean()
            for short, name in [("nn", "one_nn"), ("tree", "tree"),
                                ("lin", "linear_discr")]
        }  # fmt: skip
    return {
        **{
            full: value
            for name, values in scores.items()
            for full, value in _named(name, summarize(values, ("mean", "sd"))).items()
        },
        "lm_default": 1 / view.n_classes,
        "lm_best": max(means.values()),
        "lm_spread": max(means.values()) - min(means.values()),
        "lm_nn_minus_lin": means["one_nn"] - means["linear_discr"],
        "lm_tree_minus_lin": means["tree"] - means["linear_discr"],
        "lm_tree_minus_node": means["tree"] - means["best_node"],
        "lm_lin_minus_nb": means["linear_discr"] - means["naive_bayes"],
        **{f"lm_slope_{name}": value for name, value in slopes.items()},
    }


def model(view):
    """Compute the shape of a decision tree.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    n_nodes, n_leaves, depth, leaf_shares, importances, n_rows = tree_shape(
        *view.model_sample
    )
    return {
        "nodes": n_nodes,
        "leaves": n_leaves,
        "tree_depth.max": depth,
        **_named("leaves_per_class", summarize(leaf_shares, ("mean", "sd"))),
        "nodes_per_inst": n_nodes / n_rows,
        **_named("var_importance", summarize(importances, ("sd", "max"))),
    }


def complexity(view):
    """Compute how the classes lie among each other.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    if view.n_classes == 1:
        return {}
    ratio, error = nearest_neighbor_complexity(*view.model_sample)
    return {"n2": 1.0 if np.isinf(ratio) else ratio / (1 + ratio), "n3": error}


def scale(view):
    """Compute what depends on the units of the numeric columns.

    Parameters
    ----------
    view : TaskView
        The task.

    Returns
    -------
    values : dict of str to float
    """
    columns = np.flatnonzero(view.moments.is_observed)
    if len(columns) == 0:
        return {}
    moments = _take(view.moments, columns)
    variance = moments.sum_squares / np.maximum(moments.n_observed - 1, 1)
    of_columns = {
        "mean": moments.mean,
        "min": moments.low,
        "max": moments.high,
        "range": moments.high - moments.low,
        "sd": np.sqrt(variance),
        "var": variance,
        **_robust_scales(view, columns),
    }
    covariance = _covariance(view)
    pairs = np.abs(covariance[np.triu_indices(len(covariance), 1)])
    return {
        **{
            full: value
            for name, values in of_columns.items()
            for full, value in _named(name, summarize(values, S5)).items()
        },
        **_named("cov", summarize(pairs, S5)),
        **_named("eigenvalues", summarize(np.linalg.eigvalsh(covariance), S5)),
        "gravity": _class_distance(view),
    }


def _covariance(view):
    """Return covariances of the columns that are compared, constant ones included."""
    paired = _take(view.moments, view.paired_columns)
    deviation = np.sqrt(paired.sum_squares / np.maximum(paired.n_observed - 1, 1))
    n_paired = len(deviation)
    n_constant = int(view.moments.is_constant.sum())
    size = max(n_paired, min(n_paired + n_constant, _MAX_PAIRED_COLUMNS))
    covariance = np.zeros((size, size))
    covariance[:n_paired, :n_paired] = view.scatter.correlation * np.outer(
        deviation, deviation
    )
    return covariance


def _class_distance(view):
    """Return the distance of the largest and the smallest class, in their units."""
    paired = _take(view.moments, view.paired_columns)
    if len(paired.mean) == 0:
        return 0.0
    deviation = np.sqrt(paired.sum_squares / paired.n_observed)
    distance = center_distance(
        view.scatter.class_means * deviation, view.scatter.class_counts
    )
    return np.sqrt(len(deviation)) * distance


def _robust_scales(view, columns):
    """Return what sorting tells of each column, of the sample."""
    found = {name: np.empty(len(columns)) for name in ("median", "mad", "iq_range",
                                                       "t_mean")}  # fmt: skip
    for i, j in enumerate(columns):
        values = view._sample_columns([j])[0]
        values = values[~np.isnan(values)]
        if len(values) == 0:
            values = view.moments.mean[[j]]  # the sample has none of the few
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
        found["median"][i] = median
        found["mad"][i] = 1.4826 * np.median(np.abs(values - median))
        found["iq_range"][i] = high - low
        found["t_mean"][i] = trim_mean(values, 0.2)
    return found


# What the extractor calls for each group of the registry.
COMPUTE_GROUP = {
    "general": general,
    "missing": missing,
    "statistical": statistical,
    "information": information,
    "landmarking": landmarking,
    "accuracy_landmarking": accuracy_landmarking,
    "model": model,
    "complexity": complexity,
    "scale": scale,
}
