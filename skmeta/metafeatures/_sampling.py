import numpy as np
from scipy import sparse

_ODD_1 = np.uint64(0x9E3779B97F4A7C15)
_ODD_2 = np.uint64(0xBF58476D1CE4E5B9)
_ODD_3 = np.uint64(0x94D049BB133111EB)
_NAN_BITS = np.float64(np.nan).view(np.uint64)
_SHIFT = np.uint64(31)
_CHUNK_CELLS = 1 << 17  # 1 MB of float64, which stays in the cache


def mix(values, seed=0):
    """Turn numbers into well-spread 64-bit integers, equal for equal numbers.

    The finaliser of SplitMix64 [1]_ on the bits of the number.

    Parameters
    ----------
    values : ndarray of float64
        All NaN count as the same number, and so do 0.0 and -0.0.
    seed : int or ndarray of uint64 that broadcasts to `values`, default=0
        Another seed gives unrelated integers.

    Returns
    -------
    mixed : ndarray of uint64, of the shape of `values`

    References
    ----------
    .. [1] G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number
       Generators", OOPSLA 2014.
    """
    # Adding 0.0 makes -0.0 positive, and copies.
    bits = np.add(values, 0.0).view(np.uint64)
    missing = np.isnan(values)
    if missing.any():
        bits[missing] = _NAN_BITS
    bits ^= _as_seed(seed)
    return _spread(bits)


def _as_seed(seed):
    return seed if isinstance(seed, np.ndarray) else np.uint64(seed % 2**64)


def _spread(bits):
    """Spread what differs between integers over all 64 bits, in place."""
    bits *= _ODD_1
    # Small integers as floats have 40 trailing zero bits: without the shifts
    # the low half of the product would hold nothing.
    bits ^= bits >> _SHIFT
    bits *= _ODD_2
    bits ^= bits >> _SHIFT
    bits *= _ODD_3
    return bits


def column_seeds(moments, seed=0):
    """Return a seed for each numeric column that depends on its content alone.

    Only what is exact in any order of the rows enters: ends, zeros and gaps.

    Parameters
    ----------
    moments : ColumnMoments
        Of the numeric columns.
    seed : int, default=0
        Another seed gives unrelated seeds.

    Returns
    -------
    seeds : ndarray of uint64 of shape (n_columns,)
    """
    seeds = np.full(len(moments.low), _as_seed(seed))
    for values in (moments.low, moments.high, moments.n_zeros, moments.n_observed):
        seeds = mix(values.astype(np.float64), seeds)
    return seeds


def row_keys(numeric, codes, y, seeds, seed=0):
    """Return a key for each row that depends on its content alone.

    The key is a sum of mixed values, so that neither the order of the columns
    nor the order of the rows matters. A category enters by how it is spread
    over the classes, so that its name does not matter.

    Parameters
    ----------
    numeric : ndarray or CSC array of shape (n_rows, n_numeric)
        Numbers; NaN is missing.
    codes : ndarray of int of shape (n_rows, n_categorical)
        Categories; -1 is missing.
    y : ndarray of int of shape (n_rows,)
        Classes.
    seeds : ndarray of uint64 of shape (n_numeric,)
        From `column_seeds`. With one seed for all, the key of a row of zeros
        and ones would only count its ones.
    seed : int, default=0
        Another seed gives unrelated keys.

    Returns
    -------
    keys : ndarray of uint64 of shape (n_rows,)
    """
    keys = _numeric_keys(numeric, seeds)
    for column in codes.T:
        keys += level_keys(column + 1, y, seed)[column + 1]
    return keys


def _numeric_keys(numeric, seeds):
    n_rows, n_columns = numeric.shape
    if sparse.issparse(numeric):
        zeros = mix(np.zeros(n_columns), seeds)
        column = np.repeat(np.arange(n_columns), np.diff(numeric.indptr))
        keys = np.full(n_rows, zeros.sum(dtype=np.uint64))
        more = mix(numeric.data, seeds[column]) - zeros[column]
        np.add.at(keys, numeric.indices, more)
        return keys
    keys = np.zeros(n_rows, dtype=np.uint64)
    step = max(1, _CHUNK_CELLS // max(1, n_columns))
    for start in range(0, n_rows, step):
        rows = slice(start, start + step)
        keys[rows] = mix(numeric[rows], seeds).sum(axis=1, dtype=np.uint64)
    return keys


def level_keys(codes, y, seed=0):
    """Return a key for each level that depends on its class counts alone.

    Parameters
    ----------
    codes, y : ndarray of non-negative int of shape (n_rows,)
        Levels and classes.
    seed : int, default=0
        Another seed gives unrelated keys.

    Returns
    -------
    keys : ndarray of uint64 of shape (max(codes) + 1,)
    """
    n_classes = int(y.max()) + 1
    pairs, counts = np.unique(codes * n_classes + y, return_counts=True)
    keys = np.zeros(int(codes.max()) + 1, dtype=np.uint64)
    np.add.at(keys, pairs // n_classes, mix(counts.astype(np.float64), seed))
    return keys


def stratified_rows(keys, y, size):
    """Choose rows with the smallest keys within each class.

    Classes are represented in proportion, with at least two rows each where
    they have them. Of rows that are alike, each takes part on its own.

    Parameters
    ----------
    keys : ndarray of uint64 of shape (n_rows,)
        From `row_keys`.
    y : ndarray of int of shape (n_rows,)
        Classes 0 to k - 1, each with at least one row.
    size : int
        Rows wanted. The answer may exceed it by the two rows per class.

    Returns
    -------
    rows : ndarray of int64
        Sorted positions of the rows.
    """
    counts = np.bincount(y)
    if 2 * len(counts) > size:
        # Nearly every row is its own class: there is nothing to stratify.
        keys = _tell_apart(keys, np.zeros_like(y))
        return np.sort(np.argpartition(keys, size - 1)[:size])
    share = np.floor(counts * (size / len(y))).astype(np.int64)
    share = np.minimum(counts, np.maximum(share, 2))
    order = np.lexsort((_tell_apart(keys, y), y))
    start_of_class = np.cumsum(counts) - counts
    rank_in_class = np.arange(len(y)) - np.repeat(start_of_class, counts)
    return np.sort(order[rank_in_class < np.repeat(share, counts)])


def _tell_apart(keys, y):
    """Give the rows of a class that share a key a key each.

    Otherwise the smallest keys of a table with few distinct rows would be
    copies of one row.
    """
    order = np.lexsort((keys, y))
    ordered_keys, ordered_y = keys[order], y[order]
    is_first = np.ones(len(keys), dtype=bool)
    is_first[1:] = (np.diff(ordered_keys) != 0) | (np.diff(ordered_y) != 0)
    if is_first.all():
        return keys
    position = np.arange(len(keys))
    copy = position - np.maximum.accumulate(np.where(is_first, position, 0))
    distinct = np.empty_like(keys)
    # The first copy changes too: else small keys would favour first copies.
    distinct[order] = _spread(ordered_keys + (copy + 1).astype(np.uint64) * _ODD_2)
    return distinct
