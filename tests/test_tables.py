import copy
import datetime as dt
import decimal
import pickle
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skmeta._encoding import TableEncoder
from skmeta._tables import read_table

repeatable = settings(deadline=None, derandomize=True, max_examples=40)

CATEGORIES = ("native", "ordinal", "one_hot")
SCALES = (None, "standard", "robust", "quantile")
ENCODINGS = list(product(CATEGORIES, (False, True), SCALES))
FORMATS = (
    sparse.csr_array,
    sparse.csc_array,
    sparse.coo_array,
    sparse.csr_matrix,
    sparse.csc_matrix,
    sparse.coo_matrix,
)


def as_array(encoded):
    """Return whatever the encoder gave as a dense float array."""
    if sparse.issparse(encoded):
        return encoded.toarray()
    if isinstance(encoded, pd.DataFrame):
        codes = encoded.select_dtypes("category").columns
        encoded = encoded.astype(dict.fromkeys(codes, "float64"))
    return np.asarray(encoded, dtype=np.float64)


def column(values, dtype=None):
    """Return a frame of one column."""
    return pd.DataFrame({"column": pd.Series(values, dtype=dtype)})


def seconds_since_1970(*args):
    return dt.datetime(*args, tzinfo=dt.UTC).timestamp()


@pytest.fixture
def mixed():
    """Twelve rows: two numbers, one with gaps, two categories, one with gaps."""
    return pd.DataFrame(
        {
            "number": np.arange(12.0),
            "gaps": [1.0, np.nan, 3.0, 4.0, np.inf, 6.0, 7.0, 8.0, 9.0, 9.0, 2.0, 1.0],
            "color": ["red", "green", "blue"] * 4,
            "maybe": pd.Categorical(["yes", "no", None] * 4),
        }
    )


# What is a number and what is a category


def test_read_table_worked_example():
    """Numbers stay, categories are coded in the order of their sorted values."""
    table = read_table(
        pd.DataFrame({"b": ["x", None, "a"], "n": [1, 2, 3], "c": [True, False, True]})
    )
    assert table.numeric.tolist() == [[1.0], [2.0], [3.0]]
    assert table.codes.tolist() == [[1, 1], [-1, 0], [0, 1]]
    assert [levels.tolist() for levels in table.levels] == [["a", "x"], [False, True]]
    assert table.numeric_columns.tolist() == [1]
    assert table.categorical_columns.tolist() == [0, 2]
    assert (table.n_rows, table.n_columns) == (3, 3)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int64", "uint64", "float16", "float32", "float64"]
)
def test_numeric_array(dtype):
    """Arrays of any numeric dtype become float64."""
    table = read_table(np.array([[1, 2], [3, 4]], dtype=dtype))
    assert table.numeric.dtype == np.float64
    assert table.numeric.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert table.codes.shape == (2, 0)
    assert table.levels == ()
    assert table.n_columns == 2


def test_boolean_array():
    """Booleans are categories."""
    table = read_table(np.array([[True, False], [False, False]]))
    assert table.numeric.shape == (2, 0)
    assert table.codes.tolist() == [[1, 0], [0, 0]]


def test_array_of_objects():
    """Each column of an object array is judged on its own."""
    rows = np.array([[1, "a", None], [2.5, "b", None], [None, "a", None]], dtype=object)
    table = read_table(rows)
    np.testing.assert_array_equal(
        table.numeric, [[1.0, np.nan], [2.5, np.nan], [np.nan, np.nan]]
    )
    assert table.codes.tolist() == [[0], [1], [0]]


def test_array_of_strings():
    """A column of strings that all read as numbers is numeric."""
    table = read_table(np.array([["1", "a"], ["2.5", "7"]]))
    assert table.numeric.tolist() == [[1.0], [2.5]]
    assert table.levels[0].tolist() == ["7", "a"]


def test_list_of_rows():
    """A list of rows is read like an object array."""
    table = read_table([[1, "a"], [2.5, "b"], [None, "a"]])
    np.testing.assert_array_equal(table.numeric, [[1.0], [2.5], [np.nan]])
    assert table.codes.tolist() == [[0], [1], [0]]


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
def test_sparse_table(make):
    """A sparse table stays sparse, in columns, with the numbers it had."""
    dense = np.array([[0.0, 1.0, np.inf], [2.0, 0.0, np.nan]])
    table = read_table(make(dense))
    assert isinstance(table.numeric, sparse.csc_array)
    np.testing.assert_array_equal(
        table.numeric.toarray(), [[0.0, 1.0, np.nan], [2.0, 0.0, np.nan]]
    )
    assert table.codes.shape == (2, 0)
    assert (table.n_rows, table.n_columns) == (2, 3)


@pytest.mark.parametrize(
    ("values", "dtype", "numbers"),
    [
        ([1, None, 3], "Int64", [1, np.nan, 3]),
        ([1.5, None, np.inf], "Float64", [1.5, np.nan, np.nan]),
        ([1, 2.5, None], object, [1, 2.5, np.nan]),
        ([decimal.Decimal("1.5"), None], object, [1.5, np.nan]),
        ([10**30, 1], object, [1e30, 1]),
        ([None, None], object, [np.nan, np.nan]),
        (pd.arrays.SparseArray([0, 2]), None, [0, 2]),
        ([-np.inf, 1.0], None, [np.nan, 1]),
    ],
    ids=["Int64", "Float64", "object", "decimal", "long", "none", "sparse", "infinite"],
)
def test_numeric_columns(values, dtype, numbers):
    """Nullable, sparse and object columns of numbers are numbers."""
    table = read_table(column(values, dtype))
    np.testing.assert_array_equal(table.numeric[:, 0], numbers)


@pytest.mark.parametrize(
    ("values", "dtype", "codes", "levels"),
    [
        (["b", "a", None], "category", [1, 0, -1], ["a", "b"]),
        (["b", "a", None], "string", [1, 0, -1], ["a", "b"]),
        (["b", "a", None], object, [1, 0, -1], ["a", "b"]),
        (["b", 1, 2.5, None], object, [2, 0, 1, -1], [1, 2.5, "b"]),
        ([True, False, True], bool, [1, 0, 1], [False, True]),
        ([True, None, False], "boolean", [1, -1, 0], [False, True]),
        ([True, None, False], object, [1, -1, 0], [False, True]),
        ([3, 1, 2], "category", [2, 0, 1], [1, 2, 3]),
        ([(1, 2), (0, 1)], object, [1, 0], [(0, 1), (1, 2)]),
    ],
    ids=str,
)
def test_categorical_columns(values, dtype, codes, levels):
    """Categories, strings, booleans and mixtures are coded in sorted order."""
    table = read_table(column(values, dtype))
    assert table.codes[:, 0].tolist() == codes
    assert table.levels[0].tolist() == levels


@pytest.mark.parametrize("ordered", [False, True])
def test_order_of_the_categories_is_kept(ordered):
    """A category dtype says its order, also for levels that no row has."""
    sizes = pd.CategoricalDtype(["small", "medium", "large"], ordered=ordered)
    table = read_table(column(["large", "small", None], sizes))
    assert table.codes[:, 0].tolist() == [2, 0, -1]
    assert table.levels[0].tolist() == ["small", "medium", "large"]


NEW_YEAR = seconds_since_1970(2000, 1, 1)


@pytest.mark.parametrize(
    "dates",
    [
        pd.to_datetime(["2000-01-01", None]),
        pd.to_datetime(["2000-01-01", None]).as_unit("s"),
        pd.to_datetime(["2000-01-01", None]).tz_localize("UTC"),
        pd.to_datetime(["2000-01-01 01:00", None]).tz_localize("Europe/Vienna"),
        pd.PeriodIndex(["2000-01", None], freq="M"),
        pd.Series([dt.date(2000, 1, 1), None], dtype=object),
        pd.Series([dt.datetime(2000, 1, 1), None], dtype=object),
        pd.Series([dt.datetime(2000, 1, 1, tzinfo=dt.UTC), None], dtype=object),
    ],
    ids=["ns", "s", "utc", "zone", "period", "date", "datetime", "datetime-utc"],
)
def test_dates_are_seconds_since_1970(dates):
    """Dates are numbers, whatever dtype, unit or zone they come in."""
    table = read_table(column(dates))
    np.testing.assert_array_equal(table.numeric, [[NEW_YEAR], [np.nan]])


@pytest.mark.parametrize("dtype", ["timedelta64[ns]", object, str, "category", float])
def test_durations_may_come_as_strings_or_seconds_later(dtype):
    """A duration that a file holds as text is the duration that fit saw."""
    durations = pd.Series(pd.to_timedelta([90.0, 86_400.5, 0.0], unit="s"))
    encoder = TableEncoder().fit(column(durations))
    later = durations.dt.total_seconds() if dtype is float else durations
    np.testing.assert_array_equal(
        encoder.transform(column(later.astype(dtype))), [[90.0], [86_400.5], [0.0]]
    )


@pytest.mark.parametrize("dtype", ["timedelta64[ns]", object])
def test_durations_are_seconds(dtype):
    """Durations are numbers."""
    durations = pd.Series([dt.timedelta(minutes=1.5), None], dtype=dtype)
    table = read_table(column(durations))
    np.testing.assert_array_equal(table.numeric, [[90.0], [np.nan]])


def test_dates_in_an_array():
    """An array of dates is read like a frame of them."""
    table = read_table(np.array([["2000-01-01"], ["NaT"]], dtype="datetime64[D]"))
    np.testing.assert_array_equal(table.numeric, [[NEW_YEAR], [np.nan]])


@pytest.mark.parametrize(
    "dates",
    [
        np.array(["9999-12-31", "2000-01-01"], dtype="datetime64[s]"),
        pytest.param(
            pd.Series([dt.date(9999, 12, 31), dt.date(2000, 1, 1)], dtype=object),
            marks=pytest.mark.skipif(
                pd.__version__ < "3", reason="pandas 2 reads dates up to 2262"
            ),
        ),
    ],
    ids=["datetime64", "date"],
)
def test_the_end_of_all_days_is_late(dates):
    """9999-12-31, which databases write for "never", comes after 2000."""
    table = read_table(column(dates))
    assert table.numeric[:, 0].tolist() == [seconds_since_1970(9999, 12, 31), NEW_YEAR]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, None], "int64[pyarrow]", [1.0, np.nan]),
        ([dt.datetime(2000, 1, 1), None], "timestamp[us][pyarrow]", [NEW_YEAR, np.nan]),
        ([dt.date(2000, 1, 1), None], "date32[pyarrow]", [NEW_YEAR, np.nan]),
        ([dt.timedelta(seconds=3), None], "duration[us][pyarrow]", [3.0, np.nan]),
    ],
    ids=["integer", "timestamp", "date", "duration"],
)
def test_numbers_and_dates_from_arrow(values, dtype, expected):
    """Columns that pandas holds in Arrow are read like its own."""
    pytest.importorskip("pyarrow")
    table = read_table(column(values, dtype))
    np.testing.assert_array_equal(table.numeric[:, 0], expected)


@pytest.mark.parametrize("dtype", ["string[pyarrow]", "bool[pyarrow]"])
def test_categories_from_arrow(dtype):
    """Strings and booleans that pandas holds in Arrow are categories."""
    pytest.importorskip("pyarrow")
    values = ["a", None] if dtype.startswith("string") else [True, None]
    table = read_table(column(values, dtype))
    assert table.codes.tolist() == [[0], [-1]]


def test_columns_may_be_told():
    """Told which columns are categories, the dtypes of the others do not matter."""
    frame = pd.DataFrame({"a": ["1", "x"], "b": [1, 2]})
    table = read_table(frame, categorical_columns=[1])
    np.testing.assert_array_equal(table.numeric, [[1.0], [np.nan]])
    assert table.levels[0].tolist() == [1, 2]


def test_same_name_twice():
    """Columns are told apart by position: a name may occur twice."""
    table = read_table(pd.DataFrame([[1, "a"], [2, "b"]], columns=["same", "same"]))
    assert table.numeric.tolist() == [[1.0], [2.0]]
    assert table.codes.tolist() == [[0], [1]]


def test_no_rows():
    """A table without rows keeps its columns."""
    table = read_table(pd.DataFrame({"a": pd.Series([], dtype=float), "b": []}))
    assert (table.n_rows, table.n_columns) == (0, 2)


@pytest.mark.parametrize("cell", [{}, [1], {1, 2}, np.arange(2)], ids=repr)
def test_cells_that_are_neither_number_nor_category(cell):
    """A dict, list, set or array in a cell is refused, by the column's name."""
    cells = pd.Series([None, "text"], dtype=object)
    cells[0] = cell
    with pytest.raises(TypeError, match=r"must be a string, .* in column 'column'"):
        read_table(column(cells))
    encoder = TableEncoder().fit(column(["a", "b"] * 30))
    with pytest.raises(TypeError, match=r"must be a string, .* in column 'column'"):
        encoder.transform(column([cell] * 60))


def test_complex_numbers():
    """Complex numbers are refused."""
    with pytest.raises(ValueError, match="Complex data not supported"):
        read_table(np.array([[1j]]))


def tables_to_keep():
    infinite = np.array([[1.0, np.inf], [np.nan, 2.0]])
    return {
        "array": infinite,
        "integers": np.array([[1, 2], [3, 4]]),
        "objects": np.array([[1, "a"], [None, "b"]], dtype=object),
        "strings": np.array([["1", "a"], ["2", "b"]]),
        "list": [[1, "a"], [2, None]],
        "frame": pd.DataFrame(infinite).assign(
            c=pd.Categorical(["x", None]), d=["u", 1]
        ),
        "sparse": sparse.csc_array(infinite),
    }


@pytest.mark.parametrize("kind", list(tables_to_keep()))
def test_the_table_of_the_user_is_never_changed(kind):
    """Reading and encoding work on copies."""
    X = tables_to_keep()[kind]
    before = copy.deepcopy(X)
    read_table(X)
    TableEncoder("one_hot", impute=True, scale="standard").fit(X).transform(X)
    if sparse.issparse(X):
        X, before = X.toarray(), before.toarray()
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(X, before)
    else:
        np.testing.assert_array_equal(X, before)


# What a base learner is given


def test_ordinal_worked_example():
    """Numbers first, then the position of each level; missing stays missing."""
    X = pd.DataFrame({"color": ["red", None, "blue"], "size": [1.0, np.nan, 3.0]})
    np.testing.assert_array_equal(
        TableEncoder().fit_transform(X), [[1.0, 1.0], [np.nan, np.nan], [3.0, 0.0]]
    )


def test_imputed_worked_example():
    """Numbers, whether they were missing, then levels with -1 for missing."""
    X = pd.DataFrame({"color": ["red", None, "blue"], "size": [1.0, np.nan, 3.0]})
    assert TableEncoder(impute=True).fit_transform(X).tolist() == [
        [1.0, 0.0, 1.0],
        [2.0, 1.0, -1.0],
        [3.0, 0.0, 0.0],
    ]


def test_one_hot_worked_example():
    """One indicator for each level, missing being the first."""
    X = pd.DataFrame({"color": ["red", None, "blue"]})
    assert TableEncoder("one_hot").fit_transform(X).tolist() == [
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
    ]


def test_native_worked_example():
    """Categories are a category dtype, beside the numbers."""
    X = pd.DataFrame({"color": ["red", None, "blue"], "size": [1.0, np.nan, 3.0]})
    encoded = TableEncoder("native").fit_transform(X)
    assert encoded["category_0"].cat.codes.tolist() == [1, -1, 0]
    np.testing.assert_array_equal(encoded["number_0"], [1.0, np.nan, 3.0])


def test_native_without_categories_is_an_array():
    """Only numbers need no frame."""
    encoded = TableEncoder("native").fit_transform(np.eye(3))
    assert isinstance(encoded, np.ndarray)


@pytest.mark.parametrize(("categories", "impute", "scale"), ENCODINGS)
def test_every_encoding(mixed, categories, impute, scale):
    """Each encoding has its width, is finite where it imputes, and repeats itself."""
    encoder = TableEncoder(categories, impute=impute, scale=scale)
    encoded = encoder.fit_transform(mixed)
    n_numeric = 2 + impute  # one column has gaps
    n_categorical = 3 + 3 if categories == "one_hot" else 2
    assert encoded.shape == (12, n_numeric + n_categorical)

    array = as_array(encoded)
    np.testing.assert_array_equal(as_array(encoder.transform(mixed)), array)
    again = clone(encoder).fit(mixed).transform(mixed)
    np.testing.assert_array_equal(as_array(again), array)
    assert np.isfinite(array[:, :n_numeric]).all() == impute
    if categories == "one_hot":
        assert np.isin(array[:, n_numeric:], [0, 1]).all()
    if impute and categories != "native":
        assert np.isfinite(array).all()
    assert encoder.n_features_in_ == 4
    assert encoder.numeric_columns_.tolist() == [0, 1]
    assert encoder.categorical_columns_.tolist() == [2, 3]


@pytest.mark.parametrize("scale", SCALES[1:])
def test_scaled_numbers_do_not_depend_on_their_unit(scale):
    """Metres or feet, scaled they are the same; far outliers stay bounded."""
    metres = np.random.RandomState(0).lognormal(size=(50, 1))
    encoder = TableEncoder(scale=scale)
    in_metres = encoder.fit_transform(metres)
    np.testing.assert_allclose(encoder.fit_transform(3.28 * metres - 7), in_metres)
    if scale != "standard":
        assert np.abs(encoder.transform([[1e12]])).max() < 6


def test_unknown_scale():
    """An unknown scale is answered with the known ones."""
    with pytest.raises(ValueError, match=r"scale must be one of .* got: 'log'"):
        TableEncoder(scale="log").fit(np.eye(2))


def test_unknown_treatment_of_categories():
    """An unknown treatment of categories is answered with the known ones."""
    X = column(["a", "b"])
    with pytest.raises(ValueError, match=r"categories must be one of .* got: 'hot'"):
        TableEncoder("hot").fit(X).transform(X)


@pytest.mark.parametrize("categories", CATEGORIES)
def test_unseen_level(categories):
    """A level that `fit` has not seen is none of those it has."""
    encoder = TableEncoder(categories).fit(column(["a", "b"]))
    encoded = as_array(encoder.transform(column(["c", "a"])))
    if categories == "one_hot":
        assert encoded.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    else:
        np.testing.assert_array_equal(encoded, [[np.nan], [0.0]])


def test_rare_levels_share_one():
    """The most frequent levels are told apart, all others are one."""
    X = column(["a"] * 4 + ["z"] * 3 + ["c", "d", "e"])
    codes = TableEncoder(max_levels=3).fit_transform(X)[:, 0]
    assert codes.tolist() == [0.0] * 4 + [1.0] * 3 + [2.0] * 3


@pytest.mark.parametrize("categories", CATEGORIES)
def test_many_levels_stay_within_bounds(categories):
    """A column of 1000 levels takes no more than `max_levels` of them."""
    X = column([f"level {i}" for i in range(1000)])
    encoder = TableEncoder(categories, max_levels=40)
    encoded = encoder.fit_transform(X)
    assert encoded.shape == (1000, 40 if categories == "one_hot" else 1)
    assert len(np.unique(as_array(encoded), axis=0)) == 40
    assert len(encoder.transform(column(["never seen"]))) == 1


@pytest.mark.parametrize("categories", CATEGORIES)
def test_free_text(categories):
    """Sentences that never repeat are levels too, and crash nothing."""
    words = ["ä b", "", "c, d\n", '"', "🙂", "nan", "None", "-1", "1e5", " "]
    X = column([f"{i} {words[i % 10] * (i % 7)}" for i in range(300)]).assign(
        n=range(300)
    )
    encoder = TableEncoder(categories, impute=True, max_levels=60).fit(X)
    assert len(encoder.transform(X.assign(column="another sentence"))) == 300


@pytest.mark.parametrize(
    "spelling",
    [[1, 2], [1.0, 2.0], ["1", "2"], [1, 2.0], ["1", 2.0], [b"1", b"2"]],
    ids=str,
)
def test_one_category_however_it_is_written(spelling):
    """1, 1.0 and "1" are one category: files do not say which of them they mean."""
    encoder = TableEncoder().fit(column([1, "1", 2, "word"], object))
    encoded = encoder.transform(column(spelling, object))
    expected = encoder.transform(column([1, 2], object))
    np.testing.assert_array_equal(encoded, expected)
    assert expected[0] != expected[1]


def test_missing_cells_of_numpy():
    """NaT and NaN of any kind are missing in a row alone too."""
    nothing = [np.datetime64("NaT"), np.timedelta64("NaT"), np.float32("nan"), None]
    X = column([*nothing, "a", "b"] * 5, object)
    encoder = TableEncoder("one_hot").fit(X)
    alone = [encoder.transform(X.iloc[[i]])[0] for i in range(6)]
    np.testing.assert_array_equal(alone, encoder.transform(X)[:6])


@pytest.mark.parametrize("n_rows", [3, 60])
@pytest.mark.parametrize(
    "dtype", [bool, "boolean", int, float, "Int64", "category", object, "string"]
)
def test_booleans_may_come_as_numbers_later(dtype, n_rows):
    """Of a file they are True and False, of a database 1 and 0."""
    values = pd.Series([True, False, True] * (n_rows // 3))
    encoder = TableEncoder().fit(column([True, False] * 10))
    later = values.astype(int if dtype == "string" else bool).astype(dtype)
    np.testing.assert_array_equal(
        encoder.transform(column(later)), encoder.transform(column(values))
    )


def test_booleans_among_numbers():
    """True is 1 to pandas when both are in a column, so it is 1 alone too."""
    X = column([1, True, False, 0, "other"] * 12, object)
    encoder = TableEncoder().fit(X)
    together = encoder.transform(X)[:5]
    alone = [encoder.transform(X.iloc[[i]])[0] for i in range(5)]
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("dtype", ["category", "string", object, "float64", "Int64"])
def test_dtype_of_a_categorical_column_may_differ_at_predict(dtype):
    """What `fit` saw as a category remains one, whatever dtype it comes in later."""
    encoder = TableEncoder().fit(column([1, 2, 3], "category"))
    encoded = encoder.transform(column([3, 1], "int64").astype(dtype))
    assert encoded[:, 0].tolist() == [2.0, 0.0]


@pytest.mark.parametrize("dtype", ["category", "string", object, "float32", "Int64"])
def test_dtype_of_a_numeric_column_may_differ_at_predict(dtype):
    """What `fit` saw as a number remains one, whatever dtype it comes in later."""
    encoder = TableEncoder().fit(column([1.0, 2.0, 3.0]))
    encoded = encoder.transform(column([3, 1], "int64").astype(dtype))
    assert encoded[:, 0].tolist() == [3.0, 1.0]


def test_words_in_a_numeric_column_are_missing():
    """What cannot be read as a number at predict counts as missing."""
    encoder = TableEncoder().fit(column([1.0, 2.0, 3.0]))
    encoded = encoder.transform(column(["2", "unknown"]))
    np.testing.assert_array_equal(encoded, [[2.0], [np.nan]])


def test_category_of_digits_in_an_array_of_strings():
    """A row means the same alone as among others: "01" stays "01"."""
    X = np.array([["01", "5"], ["02", "6"], ["none", "7"]])
    encoder = TableEncoder()
    together = encoder.fit_transform(X)
    alone = np.vstack([encoder.transform(X[i : i + 1]) for i in range(3)])
    np.testing.assert_array_equal(alone, together)


def test_wrong_number_of_columns():
    """Another number of columns is refused in scikit-learn's words."""
    encoder = TableEncoder().fit(np.eye(3))
    with pytest.raises(
        ValueError, match=r"X has 2 features, but TableEncoder is expecting 3 features"
    ):
        encoder.transform(np.eye(2))


def test_transform_before_fit():
    """An encoder that has learned nothing says so."""
    with pytest.raises(NotFittedError, match="not fitted"):
        TableEncoder().transform(np.eye(2))


@pytest.mark.parametrize(("categories", "impute", "scale"), ENCODINGS)
def test_columns_without_information_are_dropped(mixed, categories, impute, scale):
    """Constant and all-missing columns change nothing."""
    empty = mixed.assign(
        one=1.0,
        nothing=np.nan,
        void=None,
        word="word",
        category=pd.Categorical([None] * 12, categories=["a", "b"]),
    )
    encoder = TableEncoder(categories, impute=impute, scale=scale)
    expected = as_array(encoder.fit_transform(mixed))
    np.testing.assert_array_equal(as_array(encoder.fit_transform(empty)), expected)
    assert encoder.n_features_in_ == 9


def test_missing_or_not_is_information():
    """A column with one value and gaps is kept."""
    X = pd.DataFrame({"number": [1.0, np.nan], "word": ["a", None], "constant": [1, 1]})
    encoder = TableEncoder(impute=True).fit(X)
    assert encoder.numeric_columns_.tolist() == [0]
    assert encoder.categorical_columns_.tolist() == [1]


@pytest.mark.parametrize(("categories", "impute", "scale"), ENCODINGS)
def test_table_of_constants(categories, impute, scale):
    """Where no column says anything, one column of zeros lets learners fit."""
    X = pd.DataFrame({"one": [1.0] * 4, "word": ["a"] * 4, "nothing": [np.nan] * 4})
    encoder = TableEncoder(categories, impute=impute, scale=scale)
    assert encoder.fit_transform(X).tolist() == [[0.0]] * 4
    assert encoder.transform(X.iloc[:1]).tolist() == [[0.0]]


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
@pytest.mark.parametrize(("impute", "scale"), list(product((False, True), SCALES)))
def test_sparse_in_sparse_out(make, impute, scale):
    """Asked not to be dense, a sparse table stays sparse; the numbers are the same."""
    dense = sparse.random(30, 5, density=0.3, random_state=0).toarray()
    dense[0, 0], dense[1, 1] = np.nan, np.inf
    dense = np.hstack([dense, np.zeros((30, 1))])
    encoder = TableEncoder("one_hot", impute=impute, scale=scale, dense=False)
    encoded = encoder.fit_transform(make(dense))
    assert isinstance(encoded, sparse.csr_array)
    assert encoded.shape == (30, 5 + 2 * impute)  # all zero is constant
    assert np.isfinite(encoded.toarray()).all()
    np.testing.assert_array_equal(
        encoder.transform(make(dense)).toarray(), encoded.toarray()
    )
    encoder.set_params(dense=True)
    filled = encoder.fit_transform(make(dense))
    assert isinstance(filled, np.ndarray)
    np.testing.assert_array_equal(filled, encoded.toarray())


@pytest.mark.parametrize("scale", SCALES)
def test_scaling_keeps_the_order_of_counts(scale):
    """None is less than one, and one less than two, in a sparse table too."""
    counts = np.repeat([0.0, 1.0, 2.0, 4.0], [20, 12, 6, 2])[:, np.newaxis]
    encoded = TableEncoder(scale=scale).fit_transform(sparse.csr_array(counts))
    assert (np.diff(encoded[:, 0]) >= 0).all()


def test_constant_column_of_a_sparse_table_is_dropped():
    """A column of ones is constant in a sparse table too."""
    encoder = TableEncoder().fit(sparse.csc_array([[1.0, 0.0], [1.0, 2.0]]))
    assert encoder.numeric_columns_.tolist() == [1]


def test_many_indicators_are_sparse():
    """Asked not to be dense, many indicators are sparse and few are not."""
    encoder = TableEncoder("one_hot", dense=False)
    many = encoder.fit_transform(column([f"level {i}" for i in range(100)]))
    assert sparse.issparse(many)
    assert many.shape == (100, 100)
    assert isinstance(encoder.fit_transform(column(["a", "b"])), np.ndarray)


@pytest.mark.parametrize("scale", SCALES)
def test_dense_rows_after_a_sparse_table(scale):
    """A learner that was fitted on a sparse table predicts dense rows alike."""
    X = sparse.csr_array(np.eye(6))
    encoder = TableEncoder("one_hot", impute=True, scale=scale).fit(X)
    np.testing.assert_allclose(encoder.transform(X.toarray()), encoder.transform(X))


@pytest.mark.parametrize("scale", SCALES)
def test_sparse_rows_after_a_dense_table(scale):
    """A learner that was fitted on a dense table predicts sparse rows alike."""
    X = np.eye(6)
    encoder = TableEncoder("one_hot", impute=True, scale=scale).fit(X)
    np.testing.assert_allclose(
        encoder.transform(sparse.csr_array(X)), encoder.transform(X)
    )


def test_sparse_rows_after_a_table_with_categories():
    """Numbers in a sparse table cannot stand for words: they are unseen levels."""
    encoder = TableEncoder().fit(pd.DataFrame({"word": ["a", "b"], "n": [1, 2]}))
    encoded = encoder.transform(sparse.csr_array([[5.0, 2.0]]))
    np.testing.assert_array_equal(encoded, [[2.0, np.nan]])


def test_periods_may_come_as_objects_later():
    """A row taken out of a frame has one dtype for all its cells."""
    months = pd.Series(pd.period_range("2020-11", periods=4, freq="M"))
    encoder = TableEncoder().fit(column(months))
    np.testing.assert_array_equal(
        encoder.transform(column(months.astype(object))),
        encoder.transform(column(months)),
    )


def test_dates_may_come_as_strings_later():
    """A date that a file holds as text is the date that fit saw."""
    dates = pd.DataFrame({"day": pd.date_range("2024-01-30", periods=4)})
    encoder = TableEncoder().fit(dates)
    as_text = dates.astype(str)
    np.testing.assert_array_equal(encoder.transform(as_text), encoder.transform(dates))


@pytest.mark.parametrize(("categories", "impute", "scale"), ENCODINGS)
def test_rows_alone_are_encoded_as_together(mixed, categories, impute, scale):
    """What a row becomes does not depend on the other rows at predict."""
    encoder = TableEncoder(categories, impute=impute, scale=scale).fit(mixed)
    together = as_array(encoder.transform(mixed))
    alone = [as_array(encoder.transform(mixed.iloc[[i]])) for i in range(3)]
    np.testing.assert_allclose(np.vstack(alone), together[:3])


@pytest.mark.parametrize(("categories", "impute", "scale"), ENCODINGS)
def test_pickled_encoder_encodes_alike(mixed, categories, impute, scale):
    """An encoder survives pickling, a clone keeps its parameters only."""
    encoder = TableEncoder(categories, impute=impute, scale=scale).fit(mixed)
    restored = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(
        as_array(restored.transform(mixed)), as_array(encoder.transform(mixed))
    )
    copied = clone(encoder)
    assert copied.get_params() == encoder.get_params()
    assert not hasattr(copied, "n_features_in_")


cells = {
    "number": st.none() | st.floats(width=32) | st.integers(-5, 5),
    "word": st.none() | st.sampled_from(["a", "b", "1", "1.0", "", "nan", "ü"]),
    "flag": st.none() | st.booleans(),
    "mixed": st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3),
    "date": st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    "span": st.none() | st.timedeltas(dt.timedelta(0), dt.timedelta(1000)),
}


@st.composite
def frames(draw):
    """Draw a frame of mixed columns, some of them of a category dtype."""
    n_rows = draw(st.integers(2, 12))
    kinds = draw(st.lists(st.sampled_from(sorted(cells)), min_size=1, max_size=4))
    frame = {}
    for j, kind in enumerate(kinds):
        values = draw(st.lists(cells[kind], min_size=n_rows, max_size=n_rows))
        series = pd.Series(values, dtype=draw(st.sampled_from([None, object])))
        as_category = kind in ("number", "word") and draw(st.booleans())
        frame[j] = series.astype("category") if as_category else series
    return pd.DataFrame(frame)


encodings = st.tuples(*map(st.sampled_from, (CATEGORIES, (False, True), SCALES)))


@given(frames(), encodings, st.randoms(use_true_random=False))
@repeatable
def test_order_of_the_rows_does_not_matter(frame, encoding, random):
    """Any frame is encoded, and shuffling its rows only shuffles the result."""
    categories, impute, scale = encoding
    rows = list(range(len(frame)))
    random.shuffle(rows)
    encoder = TableEncoder(categories, impute=impute, scale=scale)
    encoded = as_array(encoder.fit_transform(frame))
    assert encoded.shape[0] == len(frame)
    assert encoded.shape[1] >= 1
    shuffled = as_array(encoder.fit_transform(frame.iloc[rows]))
    # Sums of shuffled numbers differ in the last bits.
    np.testing.assert_allclose(shuffled, encoded[rows], rtol=1e-4, atol=1e-4)
