import re

import numpy as np
import pandas as pd
from scipy import sparse

from skmeta._tables import is_missing_mark

# Fewer rows do not show that a column is text, or that it says nothing.
_MIN_ROWS = 20

# Rows, and those of the second largest class, from which on it is no accident that a
# column says what the class is.
_CERTAIN_ROWS, _CERTAIN_IN_CLASS = 50, 10

# Levels that tell whether it is worth looking at all, and the part of the cells that
# may be something else in a column of numbers: more are codes such as V27 on purpose.
_LEVELS_LOOKED_AT = 20
_MOST_OTHERS = 0.01

# 3,14 and 1.234,5 and 1,234.5; of 1,234 nobody can tell which number it is.
_WITH_COMMAS = re.compile(
    r"\s*[+-]?((\d+|\d{1,3}(\.\d{3})+),\d+|\d{1,3}(,\d{3})+(\.\d+)?)\s*"
)
# 31/12/2020 and 12-31-2020 18:30 and 12/31/20 and 31 December 2020 and Dec 31, 2020.
_DAY, _NUMBER = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
_MONTH = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?"
    r"|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)\.?"
)
_AS_DATE = re.compile(
    rf"\s*(({_DAY}[./-]{_NUMBER}[./-]|{_NUMBER}[./-]{_DAY}[./-]|{_DAY}[ -]{_MONTH},?"
    rf"[ -]|{_MONTH} {_DAY},? )(19|20)\d\d|({_DAY}/{_NUMBER}|{_NUMBER}/{_DAY})/\d\d)"
    r"(,?\s+\d{1,2}:\d\d.*)?\s*",
    re.IGNORECASE,
)
# $1,234.50 and -3 € and 37%.
_WITH_SIGNS = re.compile(r"(?=.*[$€£¥%])\s*[+-]?[$€£¥]?\s*[+-]?\d[\d.,]*\s*[$€£¥%]?\s*")


def find_kinds(table):
    """Decide what each column of a table is to a base learner.

    Parameters
    ----------
    table : Table
        As `read_table` gives it.

    Returns
    -------
    kinds : ndarray of str objects of shape (n_columns,)
        ``"number"``, ``"date"``, ``"category"``, ``"text"`` or ``"ignored"``.
    reasons : ndarray of str objects of shape (n_columns,)
        Why a column is ignored, is a category whatever its cells look like, or is one
        though its cells, or nearly all of them, are numbers; otherwise empty.
    """
    kinds = np.full(table.n_columns, "number", dtype=object)
    kinds[table.date_columns] = "date"
    reasons = np.full(table.n_columns, "", dtype=object)

    is_ignored = np.ones(table.numeric.shape[1], dtype=bool)
    is_ignored[informative_numbers(table.numeric)] = False
    empty = _without_values(table.numeric)
    reasons[table.numeric_columns[is_ignored & empty]] = "no values"
    reasons[table.numeric_columns[is_ignored & ~empty]] = "constant"
    ids = _row_numbers(table)
    for i, j in enumerate(table.categorical_columns):
        kinds[j], reasons[j] = _kind_of_levels(
            table.levels[i], table.codes[:, i], _is_declared(table, j)
        )
        if reasons[j].startswith("id"):
            ids[j], reasons[j] = reasons[j], ""

    # A table of nothing but ids may be a trial: then they are all there is.
    if set(np.flatnonzero(reasons == "")) > set(ids):
        for j, reason in ids.items():
            reasons[j] = reason
    kinds[reasons != ""] = "ignored"
    for i, j in enumerate(table.categorical_columns):
        if kinds[j] == "category" and _is_declared(table, j):
            reasons[j] = "its dtype is category"
        elif kinds[j] == "category" or reasons[j].startswith("id"):
            spoilt = _what_is_written_so(table.levels[i]) or _what_is_no_number(
                table.levels[i], table.codes[:, i]
            )
            reasons[j] = "; ".join(filter(None, [reasons[j], spoilt]))
    return kinds, reasons


def _is_declared(table, j):
    return isinstance(table.dtypes[j], pd.CategoricalDtype)


def _kind_of_levels(levels, codes, is_declared):
    """Return the kind of a column, and why it should be ignored."""
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)
    n_present, n_levels = counts[1:].sum(), np.count_nonzero(counts[1:])
    if np.count_nonzero(counts) < 2:  # counting missing as a value
        return "category", "constant" if n_present else "no values"
    if is_declared:  # the user's word for it
        return "category", ""
    if _is_text(levels, n_present):
        return "text", ""
    if n_levels == n_present >= _MIN_ROWS and _are_words(levels):
        return "category", "id: every value is different"
    return "category", ""


def _what_is_written_so(levels):
    """Say so if all levels are dates or numbers, though written another way."""
    first = next((level for level in levels if not is_missing_mark(level)), None)
    if isinstance(first, str) and _AS_DATE.fullmatch(first):
        others = (level for level in levels if not is_missing_mark(level))
        if all(isinstance(x, str) and _AS_DATE.fullmatch(x) for x in others):
            return f"dates are written as {first!r:.30}"
    found = {"signs": [], "commas": []}
    n_plain = 0
    for level in levels:
        if isinstance(level, str) and _WITH_COMMAS.fullmatch(level):
            found["commas"].append(level)
        elif isinstance(level, str) and _WITH_SIGNS.fullmatch(level):
            found["signs"].append(level)
        elif _is_number(level):
            n_plain += 1
        elif not is_missing_mark(level):
            return ""
    if n_plain > sum(map(len, found.values())):
        return ""  # codes, of which some rows have several: 1 and 2 and 1,2
    for what, those in found.items():  # of both, whoever removes signs sees the rest
        if those:
            return f"numbers are written with {what}: {those[0]!r:.30}"
    return ""


def _what_is_no_number(levels, codes):
    """Say which few cells keep a column from being one of numbers, if that is so."""
    sample = levels[:: max(1, len(levels) // _LEVELS_LOOKED_AT)]
    if sum(map(_is_number, sample)) < len(sample) / 2:
        return ""
    is_number = np.fromiter(map(_is_number, levels), dtype=bool, count=len(levels))
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)[1:]
    n_others, n_present = counts[~is_number].sum(), counts.sum()
    if not 0 < n_others <= max(1, _MOST_OTHERS * n_present) or n_present < _MIN_ROWS:
        return ""
    first = levels[np.flatnonzero(~is_number & (counts > 0))[0]]
    verb = "is no number" if n_others == 1 else "are no numbers"
    return f"{n_others} of {n_present} cells {verb}: {first!r:.30}"


def _is_number(level):
    try:
        float(level)
    except (TypeError, ValueError):
        return False
    return True


def _row_numbers(table):
    """Find columns of a frame that number its rows, whole or with rows left out."""
    found = {}
    if not table.dtypes or table.n_rows < _MIN_ROWS:
        return found
    for i, j in enumerate(table.numeric_columns):
        if not pd.api.types.is_integer_dtype(table.dtypes[j]):
            continue
        numbers = table.numeric[:, i]
        steps = np.diff(numbers)
        # Twice the rows, since a fold or a sample leaves rows out; years and
        # numbers of orders begin higher.
        if ((steps > 0).all() or (steps < 0).all()) and (
            0 <= numbers.min() <= numbers.max() <= 2 * table.n_rows
        ):
            found[j] = "id: numbers the rows"
    return found


def _are_words(levels):
    return all(isinstance(level, str) for level in levels)


def _is_text(levels, n_present):
    """Say whether levels are sentences: many of them, of five words on average.

    Names of people and places, codes and addresses have fewer; opinions to choose
    from are longer but few. Where nearly all levels differ, which makes them
    useless as categories, four words do if there are hardly any numbers among
    them: so are titles, and names of schools, where one word may tell it all.
    """
    n_levels = len(levels)
    if n_levels < max(_MIN_ROWS, min(n_present / 5, 1000)):
        return False
    sample = levels[:: max(1, n_levels // 1000)]
    if not _are_words(sample):
        return False
    words = [word for level in sample for word in level.split()]
    n_words = sum(map(_has_letter, words))
    few_numbers = n_words >= 0.9 * len(words) and n_levels >= 0.8 * n_present
    return n_words >= (3.5 if few_numbers else 5) * len(sample)


def _has_letter(word):
    return any(map(str.isalpha, word))


def find_copies(table, classes):
    """Find columns that stand for the classes one to one, as the target itself would.

    Parameters
    ----------
    table : Table
    classes : ndarray of shape (n_rows,)

    Returns
    -------
    positions : list of int
        In the user's table; none where there are too few rows to be certain.
    """
    counts = np.sort(np.unique(classes, return_counts=True)[1])
    too_few = len(classes) < _CERTAIN_ROWS or counts[-2:].min() < _CERTAIN_IN_CLASS
    if too_few or len(counts) < 2:
        return []
    found = []
    if not sparse.issparse(table.numeric):
        # Of all columns at once: hardly any has as few values, with a gap for one of
        # them, as there are classes.
        numbers = np.where(np.isnan(table.numeric), np.inf, table.numeric)
        ordered = np.sort(numbers, axis=0)
        n_values = 1 + (ordered[1:] != ordered[:-1]).sum(axis=0)
        for i in np.flatnonzero(n_values == len(counts)):
            if _n_pairs(numbers[:, i], classes) == len(counts):
                found.append(int(table.numeric_columns[i]))
    for i, j in enumerate(table.categorical_columns):
        codes = table.codes[:, i]
        if len(np.unique(codes)) == len(counts) == _n_pairs(codes, classes):
            found.append(int(j))
    return found


def _n_pairs(values, classes):
    return len(set(zip(values.tolist(), classes.tolist(), strict=True)))


def informative_numbers(numeric):
    """Return the positions of columns with at least two values, missing being one.

    Parameters
    ----------
    numeric : ndarray or CSC array of shape (n_rows, n_columns)
        Numbers, NaN where missing.

    Returns
    -------
    positions : ndarray of int64
    """
    if numeric.shape[0] == 0 or numeric.shape[1] == 0:
        return np.arange(numeric.shape[1])
    if sparse.issparse(numeric):
        return _informative_sparse_numbers(numeric)
    # A missing first cell makes every comparison below come out unequal, so an
    # all-missing column has to be told apart first.
    all_missing = np.isnan(numeric).all(axis=0)
    varies = (numeric != numeric[0]).any(axis=0)
    return np.flatnonzero(varies & ~all_missing)


def _informative_sparse_numbers(numeric):
    stored = np.diff(numeric.indptr)
    filled = np.flatnonzero(stored)
    if len(filled) == 0:
        return filled
    # The starts of empty columns would give each the first cell of the next one.
    starts = numeric.indptr[:-1][filled]
    lowest = np.fmin.reduceat(numeric.data, starts)
    highest = np.fmax.reduceat(numeric.data, starts)
    n_missing = np.add.reduceat(np.isnan(numeric.data).astype(np.int64), starts)
    has_zeros = stored[filled] < numeric.shape[0]
    lowest = np.where(has_zeros, np.fmin(lowest, 0), lowest)
    highest = np.where(has_zeros, np.fmax(highest, 0), highest)
    all_missing = n_missing == numeric.shape[0]
    return filled[((lowest < highest) | (n_missing > 0)) & ~all_missing]


def _without_values(numeric):
    if not sparse.issparse(numeric):
        return np.isnan(numeric).all(axis=0)
    columns = np.repeat(np.arange(numeric.shape[1]), np.diff(numeric.indptr))
    n_missing = np.bincount(columns[np.isnan(numeric.data)], minlength=numeric.shape[1])
    return n_missing == numeric.shape[0]
