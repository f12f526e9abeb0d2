import hashlib

import numpy as np

from skmeta._tables import read_table
from skmeta.metafeatures._extractor import read_classes
from skmeta.metafeatures._groups import TaskView
from skmeta.metafeatures._sampling import level_keys, mix


def fingerprint(X, y):
    """Return what tells a table from others, wherever it is and whatever its name.

    It is the same for any order of the rows and columns, any names of columns and
    classes, and for categories by any other name; not for other numbers, nor where
    a column that was numeric is read as categories.

    Parameters
    ----------
    X : table of shape (n_rows, n_columns)
        Anything that `read_table` reads.
    y : array-like of shape (n_rows,)
        Classes of any type. Rows without a class form one of their own.

    Returns
    -------
    fingerprint : str
        64 hexadecimal digits. No value can be read out of it, but whoever has the
        same table can tell that it is the same.
    """
    y = read_classes(y)
    view = TaskView(read_table(X), y, seed=0)
    keys = view.keys(slice(None)) + _keys_of_combinations(view)
    order = np.lexsort((keys, y))
    of_classes = np.split(keys[order], np.cumsum(view.class_counts)[:-1])
    # Little-endian, so that it is the same on every machine.
    digests = sorted(
        hashlib.sha256(part.astype("<u8").tobytes()).digest() for part in of_classes
    )
    sizes = f"{view.n_rows} {view.n_numeric} {view.n_categorical}".encode()
    return hashlib.sha256(sizes + b"".join(digests)).hexdigest()


def _keys_of_combinations(view):
    """Return a key of each row for how often its levels go together in each class.

    Levels by themselves may be as frequent as each other, whatever the table is.
    """
    if view.n_categorical < 2:
        return np.uint64(0)
    seeds = mix(np.arange(view.n_categorical, dtype=np.float64))
    combined = mix(view.codes.astype(np.float64), seeds).sum(axis=1, dtype=np.uint64)
    codes = np.unique(combined, return_inverse=True)[1].ravel()
    return level_keys(codes, view.y)[codes]
