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
    seed : int, default=0
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
    bits ^= np.uint64(seed % 2**64)
    bits *= _ODD_1
    # Small integers as floats have 40 trailing zero bits: without the shifts
    # the low half of the product would hold nothing.
    bits ^= bits >> _SHIFT
    bits *= _ODD_2
    bits ^= bits >> _SHIFT
    bits *= _ODD_3
    return bits


def row_keys(numeric, codes, y, seed=0):
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
    seed : int, default=0
        Another seed gives unrelated keys.

    Returns
    -------
    keys : ndarray of uint64 of shape (n_rows,)
    """
    keys = _numeric_keys(numeric, seed)
    for column in codes.T:
        keys += level_keys(column + 1, y, seed)[column + 1]
    return keys


def _numeric_keys(numeric, seed):
    n_rows, n_columns = numeric.shape
    if sparse.issparse(numeric):
        zero = mix(np.zeros(1), seed)
        keys = np.full(n_rows, np.uint64(n_columns) * zero)
        np.add.at(keys, numeric.indices, mix(numeric.data, seed) - zero)
        return keys
    keys = np.zeros(n_rows, dtype=np.uint64)
    step = max(1, _CHUNK_CELLS // max(1, n_columns))
    for start in range(0, n_rows, step):
        rows = slice(start, start + step)
        keys[rows] = mix(numeric[rows], seed).sum(axis=1, dtype=np.uint64)
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
    they have them.

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
        return np.sort(np.argpartition(keys, size - 1)[:size])
    share = np.floor(counts * (size / len(y))).astype(np.int64)
    share = np.minimum(counts, np.maximum(share, 2))
    order = np.lexsort((keys, y))
    start_of_class = np.cumsum(counts) - counts
    rank_in_class = np.arange(len(y)) - np.repeat(start_of_class, counts)
    return np.sort(order[rank_in_class < np.repeat(share, counts)])
