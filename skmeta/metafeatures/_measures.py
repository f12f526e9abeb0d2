from dataclasses import dataclass

import numpy as np
from scipy import sparse

_CHUNK_CELLS = 1 << 17  # 1 MB of float64, which stays in the cache
_RANK_CUT = 1e-10


def summarize(values, which):
    """Reduce values to named summaries.

    Parameters
    ----------
    values : array-like of float of shape (n_values,)
        Finite values.
    which : iterable of {"mean", "sd", "min", "max", "median", "sum"}
        ``"sd"`` has ddof 1 and is 0 for a single value.

    Returns
    -------
    summaries : dict of str to float
        NaN for all when there are no values.

    Examples
    --------
    >>> from skmeta.metafeatures._measures import summarize
    >>> [float(v) for v in summarize([1.0, 3.0], ["mean", "max"]).values()]
    [2.0, 3.0]
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 0:
        return dict.fromkeys(which, np.nan)
    functions = {
        "mean": np.mean,
        "sd": lambda v: np.std(v, ddof=1) if len(v) > 1 else 0.0,
        "min": np.min,
        "max": np.max,
        "median": np.median,
        "sum": np.sum,
    }
    return {summary: float(functions[summary](values)) for summary in which}


def entropy(counts):
    """Return the entropy of counts in bits, along the last axis.

    Parameters
    ----------
    counts : ndarray of shape (..., n_levels)
        Non-negative; zeros add nothing.

    Returns
    -------
    entropy : ndarray of shape (...)

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.metafeatures._measures import entropy
    >>> entropy(np.array([[2, 2], [4, 0]]))
    array([1., 0.])
    """
    p = counts / np.maximum(1, counts.sum(axis=-1, keepdims=True))
    return -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1) + 0.0


def class_imbalance(counts):
    """Return how uneven class sizes are: 0 balanced, 1 at most.

    Parameters
    ----------
    counts : ndarray of int of shape (n_classes,)
        Positive sizes of the classes.

    Returns
    -------
    c2 : float
        ``1 - 1 / IR`` of [1]_; 1 for a single class.

    References
    ----------
    .. [1] A. Lorena, L. Garcia, J. Lehmann, M. Souto, T. Ho, "How Complex Is
       Your Classification Problem?", ACM Computing Surveys 52, 2019.
    """
    n_classes = len(counts)
    if n_classes == 1:
        return 1.0
    ratio = (counts / (counts.sum() - counts)).sum() * (n_classes - 1) / n_classes
    return float(1 - 1 / ratio)


@dataclass(frozen=True)
class ColumnMoments:
    """Moments of each numeric column over its observed values, of all rows.

    Parameters
    ----------
    n_observed, n_zeros : ndarray of int64 of shape (n_columns,)
        Observed values and zeros among them.
    low, high, mean : ndarray of float64 of shape (n_columns,)
        NaN where nothing is observed.
    sum_squares : ndarray of float64 of shape (n_columns,)
        Sum of squared deviations from the mean.
    skewness, kurtosis : ndarray of float64 of shape (n_columns,)
        0 for a constant column.
    """

    n_observed: np.ndarray
    n_zeros: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    sum_squares: np.ndarray
    skewness: np.ndarray
    kurtosis: np.ndarray

    @property
    def is_observed(self):
        """Whether a column has any value."""
        return self.n_observed > 0

    @property
    def is_constant(self):
        """Whether a column has one distinct value."""
        return self.is_observed & (self.low == self.high)

    @property
    def varies(self):
        """Whether a column has two distinct values or more."""
        return self.is_observed & (self.low < self.high)


def column_moments(numeric):
    """Compute the moments of each column in two passes over all rows.

    Skewness and kurtosis are ``m3 / s**3`` and ``m4 / s**4 - 3`` with ``s`` of
    ddof 1 [1]_.

    Parameters
    ----------
    numeric : ndarray or CSC array of shape (n_rows, n_columns)
        Numbers small enough for their fourth power; NaN is missing.

    Returns
    -------
    ColumnMoments

    References
    ----------
    .. [1] D. Joanes, C. Gill, "Comparing measures of sample skewness and
       kurtosis", The Statistician 47, 1998.
    """
    sums = _sparse_sums if sparse.issparse(numeric) else _dense_sums
    n_observed, n_zeros, low, high, mean, powers = sums(numeric)
    second, third, fourth = powers
    varies = (n_observed > 1) & (low < high)
    n = np.maximum(2, n_observed)
    sd = np.where(varies, np.sqrt(second / (n - 1)), 1.0)
    sd[sd == 0] = 1.0  # two values whose distance squared underflows
    return ColumnMoments(
        n_observed,
        n_zeros,
        low,
        high,
        mean,
        second,
        np.where(varies, third / n / sd**3, 0.0),
        np.where(varies, fourth / n / sd**4 - 3.0, 0.0),
    )


def row_chunks(n_rows, n_columns, at_least=64):
    """Return slices of rows whose cells stay in the processor's cache.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the table.
    at_least : int, default=64
        Rows below which what is done once for each chunk would cost more.

    Returns
    -------
    chunks : list of slice
    """
    step = max(at_least, _CHUNK_CELLS // max(1, n_columns))
    return [slice(start, start + step) for start in range(0, n_rows, step)]


def _dense_sums(numeric):
    n_rows, n_columns = numeric.shape
    chunks = row_chunks(n_rows, n_columns)
    total = np.zeros(n_columns)
    n_zeros = np.zeros(n_columns, dtype=np.int64)
    low, high = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    for rows in chunks:
        chunk = numeric[rows]
        total += chunk.sum(axis=0)
        n_zeros += np.count_nonzero(chunk == 0, axis=0)
        np.fmin(low, np.fmin.reduce(chunk, axis=0), out=low)
        np.fmax(high, np.fmax.reduce(chunk, axis=0), out=high)
    # A sum is NaN only if a cell is: infinities were read as NaN.
    has_missing = bool(np.isnan(total).any())
    n_observed = np.full(n_columns, n_rows)
    if has_missing:
        n_observed = n_rows - np.count_nonzero(np.isnan(numeric), axis=0)
        total = np.nansum(numeric, axis=0)
    mean = np.where(n_observed > 0, total / np.maximum(1, n_observed), np.nan)
    powers = np.zeros((3, n_columns))
    for rows in chunks:
        deviation = numeric[rows] - mean
        if has_missing:
            deviation[np.isnan(deviation)] = 0.0
        square = deviation * deviation
        powers[0] += square.sum(axis=0)
        powers[1] += np.einsum("ij,ij->j", square, deviation)
        powers[2] += np.einsum("ij,ij->j", square, square)
    return n_observed, n_zeros, low, high, mean, powers


def _sparse_sums(numeric):
    n_rows, n_columns = numeric.shape
    column = np.repeat(np.arange(n_columns), np.diff(numeric.indptr))
    seen = ~np.isnan(numeric.data)
    column, values = column[seen], numeric.data[seen]
    n_stored = np.bincount(column, minlength=n_columns)
    n_missing = np.diff(numeric.indptr) - n_stored
    n_observed = n_rows - n_missing
    n_implicit = n_observed - n_stored
    n_zeros = n_implicit + np.bincount(column[values == 0], minlength=n_columns)
    low, high = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    low[n_implicit > 0] = high[n_implicit > 0] = 0.0
    np.fmin.at(low, column, values)
    np.fmax.at(high, column, values)
    total = np.bincount(column, values, minlength=n_columns)
    mean = np.where(n_observed > 0, total / np.maximum(1, n_observed), np.nan)
    deviation = values - mean[column]
    powers = np.array(
        [
            np.bincount(column, deviation**p, minlength=n_columns)
            + np.where(n_implicit > 0, n_implicit * (-mean) ** p, 0.0)
            for p in (2, 3, 4)
        ]
    )
    return n_observed, n_zeros, low, high, mean, powers


@dataclass(frozen=True)
class OrderStatistics:
    """What sorting tells of each numeric column, over its observed values.

    Parameters
    ----------
    n_observed, n_distinct, n_outliers : ndarray of int64 of shape (n_columns,)
        Observed values, distinct ones, and those beyond 1.5 times the
        interquartile range from the quartiles.
    median, q_skew, q_tail : ndarray of float64 of shape (n_columns,)
        NaN where nothing is observed.
    """

    n_observed: np.ndarray
    n_distinct: np.ndarray
    n_outliers: np.ndarray
    median: np.ndarray
    q_skew: np.ndarray
    q_tail: np.ndarray


def sorted_quantiles(ordered, n_observed, numerators, denominator):
    """Read quantiles off sorted values, interpolating linearly.

    Positions are computed in whole numbers: a quantile that falls on a value is
    that value to the last bit, which rounding would otherwise decide.

    Parameters
    ----------
    ordered : ndarray of shape (n_columns, n_rows)
        Each column of the table as a sorted row, NaN last.
    n_observed : ndarray of int of shape (n_columns,)
        How many values are not NaN.
    numerators : array-like of int of shape (n_quantiles,)
        Quantiles times `denominator`.
    denominator : int
        What the numerators are divided by.

    Returns
    -------
    quantiles : ndarray of shape (n_quantiles, n_columns)
        NaN where nothing is observed.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.metafeatures._measures import sorted_quantiles
    >>> sorted_quantiles(np.array([[1.0, 2.0, 4.0]]), np.array([3]), [1, 3], 4)
    array([[1.5],
           [3. ]])
    """
    last = np.maximum(0, n_observed - 1)
    scaled = np.asarray(numerators)[:, np.newaxis] * last
    below = scaled // denominator
    fraction = (scaled % denominator) / denominator
    columns = np.arange(len(ordered))
    left = ordered[columns, below]
    right = ordered[columns, np.minimum(below + 1, last)]
    return left + fraction * (right - left)


def order_statistics(ordered, n_observed):
    """Compute quantile shapes, distinct counts and outliers of sorted columns.

    Parameters
    ----------
    ordered : ndarray of shape (n_columns, n_rows)
        Each column of the table as a sorted row, NaN last.
    n_observed : ndarray of int of shape (n_columns,)
        How many values are not NaN.

    Returns
    -------
    OrderStatistics

    References
    ----------
    .. [1] T. Kim, H. White, "On more robust estimation of skewness and
       kurtosis", Finance Research Letters 1, 2004.
    """
    # 2.5 % is 1/40: whole numbers again.
    lowest, q25, median, q75, highest = sorted_quantiles(
        ordered, n_observed, [1, 10, 20, 30, 39], 40
    )
    # Comparing with NaN is true in `!=`, so missing cells are cut by position.
    n_distinct = (n_observed > 0).astype(np.int64)
    if ordered.shape[1] > 1:
        changes = ordered[:, 1:] > ordered[:, :-1]
        n_distinct += np.count_nonzero(changes, axis=1)
    iqr = q75 - q25
    has_iqr = iqr > 0
    divisor = np.where(has_iqr, iqr, 1.0)
    # Room for rounding: else x and a x + b could fall on different sides.
    # Not a share of the range, of which one wild value would make too much.
    digits = 16 * np.finfo(np.float64).eps * np.maximum(np.abs(q25), np.abs(q75))
    reach = (1.5 + 1e-9) * iqr + digits
    n_outliers = np.count_nonzero(
        ordered < (q25 - reach)[:, np.newaxis], axis=1
    ) + np.count_nonzero(ordered > (q75 + reach)[:, np.newaxis], axis=1)
    seen = n_observed > 0
    q_skew = np.where(has_iqr, ((q75 - median) - (median - q25)) / divisor, 0.0)
    q_tail = np.where(has_iqr, (highest - lowest) / divisor / 2.906 - 1.0, 0.0)
    return OrderStatistics(
        n_observed,
        n_distinct,
        n_outliers,
        median,
        np.where(seen, q_skew, np.nan),
        np.where(seen, q_tail, np.nan),
    )


def equal_frequency_codes(columns, ordered, n_observed, n_bins):
    """Put the values of each column into bins of about equal counts.

    Bins are closed on the right. The edge is not the quantile but the value
    below it, which divides the same values: that way only the order of the
    values matters, however far apart or close they are.

    Parameters
    ----------
    columns, ordered : ndarray of shape (n_columns, n_rows)
        The columns of the table as rows, unsorted and sorted; NaN is missing.
    n_observed : ndarray of int of shape (n_columns,)
        How many values are not NaN.
    n_bins : int
        Bins wanted.

    Returns
    -------
    codes : ndarray of int of shape (n_columns, n_rows)
        0 to `n_bins` - 1, and `n_bins` where the value is missing.
    """
    last = np.maximum(0, n_observed - 1)
    # The last edge is the maximum, which nothing exceeds. Equal edges leave an
    # empty bin, which adds nothing to an entropy.
    below = np.arange(1, n_bins)[:, np.newaxis] * last // n_bins
    edges = ordered[np.arange(len(ordered)), below]
    codes = np.zeros(columns.shape, dtype=np.uint8 if n_bins < 255 else np.int64)
    for edge in edges:
        codes += columns > edge[:, np.newaxis]
    if (n_observed < columns.shape[1]).any():
        codes[np.isnan(columns)] = n_bins
    return codes


@dataclass(frozen=True)
class TableInformation:
    """What the tables of columns against classes tell, in bits.

    Parameters
    ----------
    entropy, mutual_information, concentration : ndarray of shape (n_columns,)
        Of each column; with the class; and of the column given the class.
    n_occupied : ndarray of int of shape (n_columns,)
        Bins or levels with at least one row.
    """

    entropy: np.ndarray
    mutual_information: np.ndarray
    concentration: np.ndarray
    n_occupied: np.ndarray


def table_information(codes, y, n_levels):
    """Compute entropy, mutual information and concentration of columns.

    The concentration is Goodman and Kruskal's tau [1]_: the share by which
    knowing the class lowers the error of guessing the column.

    Parameters
    ----------
    codes : ndarray of int of shape (n_columns, n_rows)
        Columns of the table as rows, 0 to `n_levels` - 1.
    y : ndarray of int of shape (n_rows,)
        Classes, from 0.
    n_levels : int
        Upper bound of the codes.

    Returns
    -------
    TableInformation

    References
    ----------
    .. [1] L. Goodman, W. Kruskal, "Measures of Association for Cross
       Classifications", JASA 49, 1954.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.metafeatures._measures import table_information
    >>> codes, y = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), np.array([0, 0, 1, 1])
    >>> table_information(codes, y, n_levels=2).mutual_information
    array([1., 0.])
    """
    n_columns, n_rows = codes.shape
    class_counts = np.bincount(y)
    n_classes = len(class_counts)
    first = np.arange(n_columns)[:, np.newaxis] * (n_levels * n_classes)
    cells = codes.astype(np.int64)
    cells *= n_classes
    cells += y
    cells += first
    cell, count = _nonzero_counts(cells.ravel(), n_columns * n_levels * n_classes)

    column_level = cell // n_classes
    column = column_level // n_levels
    level_counts = np.bincount(
        column_level, count, minlength=n_columns * n_levels
    ).reshape(n_columns, n_levels)
    p = count / n_rows
    joint_entropy = np.bincount(column, -p * np.log2(p), minlength=n_columns)
    level_entropy = entropy(level_counts)
    mutual = level_entropy + entropy(class_counts) - joint_entropy

    p_class = class_counts[cell % n_classes] / n_rows
    hit_given_class = np.bincount(column, p * p / p_class, minlength=n_columns)
    hit = ((level_counts / n_rows) ** 2).sum(axis=1)
    n_occupied = np.count_nonzero(level_counts, axis=1)
    tau = np.where(n_occupied > 1, (hit_given_class - hit) / (1.0 - hit), 0.0)
    return TableInformation(
        level_entropy, np.maximum(0.0, mutual), np.clip(tau, 0.0, 1.0), n_occupied
    )


def _nonzero_counts(cells, n_cells):
    if n_cells > 1 << 22:
        # Many classes: the table would not fit, but few of its cells are in use.
        return np.unique(cells, return_counts=True)
    counts = np.bincount(cells, minlength=n_cells)
    nonzero = np.flatnonzero(counts)
    return nonzero, counts[nonzero]


@dataclass(frozen=True)
class ClassScatter:
    """Sums of products of deviations, in total and of the class means.

    Parameters
    ----------
    correlation : ndarray of shape (n_columns, n_columns)
        Pearson correlations.
    class_means : ndarray of shape (n_classes, n_columns)
        Class means of the columns in units of their standard deviation (ddof
        0), with overall mean zero.
    class_counts : ndarray of int of shape (n_classes,)
        Sizes of the classes.
    """

    correlation: np.ndarray
    class_means: np.ndarray
    class_counts: np.ndarray


def class_sums(values, y, n_classes):
    """Add up rows by class.

    Parameters
    ----------
    values : ndarray or CSC array of shape (n_rows, n_columns)
        What to add.
    y : ndarray of int of shape (n_rows,)
        Classes, from 0.
    n_classes : int
        Rows of the result.

    Returns
    -------
    sums : ndarray of shape (n_classes, n_columns)
    """
    n_rows = len(y)
    indicators = sparse.csr_array(
        (np.ones(n_rows), y, np.arange(n_rows + 1)), shape=(n_rows, n_classes)
    )
    sums = indicators.T @ values
    return sums.toarray() if sparse.issparse(sums) else sums


def class_scatter(numeric, center, fill, y, n_classes):
    """Compute correlations and class means in one pass over the rows.

    Parameters
    ----------
    numeric : ndarray of shape (n_rows, n_columns)
        Columns that vary; NaN is missing.
    center : ndarray of shape (n_columns,)
        Anything near the means of the columns, against cancellation.
    fill : ndarray of shape (n_columns,)
        What to put in the place of missing values.
    y : ndarray of int of shape (n_rows,)
        Classes, from 0.
    n_classes : int
        Number of classes.

    Returns
    -------
    ClassScatter
    """
    n_rows, n_columns = numeric.shape
    products = np.zeros((n_columns, n_columns))
    sums = np.zeros((n_classes, n_columns))
    # The sums of a chunk have a row for each class.
    for rows in row_chunks(n_rows, n_columns, at_least=n_classes):
        deviation = numeric[rows] - center
        missing = np.isnan(deviation)
        if missing.any():
            deviation[missing] = (fill - center)[np.nonzero(missing)[1]]
        products += deviation.T @ deviation
        sums += class_sums(deviation, y[rows], n_classes)
    shift = sums.sum(axis=0) / n_rows
    products -= n_rows * np.outer(shift, shift)
    class_counts = np.bincount(y, minlength=n_classes)
    sd = np.sqrt(np.diag(products) / n_rows)
    # A column may vary in all rows but not in those given here.
    sd = np.where(sd > 0, sd, np.inf)
    correlation = np.clip(products / n_rows / np.outer(sd, sd), -1.0, 1.0)
    present = np.maximum(1, class_counts)[:, np.newaxis]
    means = (sums - class_counts[:, np.newaxis] * shift) / present / sd
    return ClassScatter(correlation, means, class_counts)


def canonical_correlations(eigenvalues, eigenvectors, scatter):
    """Return the canonical correlations of columns and class indicators.

    In coordinates in which the columns are uncorrelated they are the singular
    values of the weighted class means.

    Parameters
    ----------
    eigenvalues, eigenvectors : ndarray
        Of ``scatter.correlation``. Directions below 1e-10 of the largest are
        left out.
    scatter : ClassScatter
        Correlations and class means.

    Returns
    -------
    correlations : ndarray of shape (min(rank, n_classes - 1),)
        In descending order, 0 to 1.
    """
    kept = eigenvalues > _RANK_CUT * eigenvalues[-1]
    whitening = eigenvectors[:, kept] / np.sqrt(eigenvalues[kept])
    weight = np.sqrt(scatter.class_counts / scatter.class_counts.sum())
    means = (weight[:, np.newaxis] * scatter.class_means) @ whitening
    n_possible = min(kept.sum(), np.count_nonzero(scatter.class_counts) - 1)
    return np.clip(np.linalg.svd(means, compute_uv=False)[:n_possible], 0.0, 1.0)


def within_share(moments, sums, counts):
    """Return the share of each column's variation that lies within classes.

    It is ``1 / (1 + SSB / SSW)``, Fisher's discriminant ratio in the form of
    [1]_.

    Parameters
    ----------
    moments : ColumnMoments
        Of the columns that `sums` is about; all vary.
    sums : ndarray of shape (n_classes, n_columns)
        Sums of the deviations from the column's mean, by class.
    counts : ndarray of shape (n_classes, n_columns)
        Observed values, by class.

    Returns
    -------
    f1 : ndarray of shape (n_columns,)
        0 separates the classes, 1 tells nothing.

    References
    ----------
    .. [1] A. Lorena, L. Garcia, J. Lehmann, M. Souto, T. Ho, "How Complex Is
       Your Classification Problem?", ACM Computing Surveys 52, 2019.
    """
    between = (sums**2 / np.maximum(1, counts)).sum(axis=0)
    total = np.where(moments.sum_squares > 0, moments.sum_squares, 1.0)
    return np.clip(1.0 - between / total, 0.0, 1.0)


def center_distance(class_means, class_counts):
    """Return the distance of the largest and the smallest class's means.

    Where sizes tie, the root mean square over all pairs of a largest and a
    smallest class: no order of the classes has to break the tie.

    Parameters
    ----------
    class_means : ndarray of shape (n_classes, n_columns)
        In units of standard deviations.
    class_counts : ndarray of int of shape (n_classes,)
        Sizes of the classes.

    Returns
    -------
    distance : float
        Divided by the root of the number of columns; 0 for one class.
    """
    present = class_counts > 0
    means, counts = class_means[present], class_counts[present]
    n_classes, n_columns = means.shape
    if n_classes == 1:
        return 0.0
    large = means[counts == counts.max()]
    small = means[counts == counts.min()]
    large_mean, small_mean = large.mean(axis=0), small.mean(axis=0)
    square = (
        ((large - large_mean) ** 2).sum(axis=1).mean()
        + ((small - small_mean) ** 2).sum(axis=1).mean()
        + ((large_mean - small_mean) ** 2).sum()
    )
    if counts.max() == counts.min():
        # All classes on both sides: leave out the pairs of a class and itself.
        square *= n_classes / (n_classes - 1)
    return float(np.sqrt(square / n_columns))


def spectrum_shape(eigenvalues):
    """Describe how few directions carry the correlation of the columns.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_columns,)
        Of the correlation matrix, ascending.

    Returns
    -------
    shape : dict of str to float
        `pca_frac95`, `pca_first` and `eff_rank` [1]_, each in 0 to 1.

    References
    ----------
    .. [1] O. Roy, M. Vetterli, "The effective rank: a measure of effective
       dimensionality", EUSIPCO 2007.
    """
    share = np.maximum(0.0, eigenvalues[::-1])
    share = share / share.sum()
    # Rounding must not decide where exactly 95 % are reached.
    n_needed = 1 + np.count_nonzero(np.cumsum(share) < 0.95 - 1e-9)
    surprise = -(share * np.log(np.where(share > 0, share, 1.0))).sum()
    return {
        "pca_frac95": n_needed / len(share),
        "pca_first": float(share[0]),
        "eff_rank": float(np.exp(surprise) / len(share)),
    }
