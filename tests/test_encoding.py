import datetime as dt
import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skmeta import MetaLearnerClassifier
from skmeta._base_learners import BASE_LEARNERS, TaskSize
from skmeta._encoding import TableEncoder
from skmeta.exceptions import SkmetaWarning

repeatable = settings(deadline=None, derandomize=True, max_examples=40)

NATURE = "river forest mountain meadow storm winter leaf stone otter moss".split()  # noqa: SIM905
TRADE = "invoice market price supplier order profit bank credit ledger tax".split()  # noqa: SIM905
FILLERS = "the a of with and near over again perhaps today".split()  # noqa: SIM905


def sentences(n, seed=0):
    """Return sentences about nature or trade, and which of the two."""
    rng = np.random.default_rng(seed)
    is_trade = rng.integers(2, size=n)
    texts = [
        " ".join([*rng.choice(FILLERS, 6), *rng.choice((NATURE, TRADE)[about], 2)])
        for about in is_trade
    ]
    return pd.DataFrame({"comment": texts}), is_trade


def kinds(X, y=None, **params):
    return TableEncoder(**params).fit(X, y).columns_["kind"].tolist()


def dense(encoded):
    if isinstance(encoded, pd.DataFrame):
        codes = encoded.select_dtypes("category").columns
        encoded = encoded.astype(dict.fromkeys(codes, "float64"))
    return encoded.toarray() if sparse.issparse(encoded) else np.asarray(encoded)


# Free text


@pytest.mark.parametrize(
    ("params", "classifier"),
    [
        (
            {"text": "ngrams", "dense": False},
            LogisticRegression(max_iter=500),
        ),
        ({}, RandomForestClassifier(n_estimators=30, random_state=0)),
    ],
    ids=["ngrams", "components"],
)
def test_text_tells_the_class(params, classifier):
    """Words of the sentences tell the class, the sentences as codes do not."""
    X, y = sentences(120)
    as_text = make_pipeline(TableEncoder(**params), classifier)
    as_codes = make_pipeline(TableEncoder(impute=True), clone(classifier))
    declared = X.astype("category")
    assert cross_val_score(as_text, X, y, cv=3).mean() > 0.9
    assert cross_val_score(as_codes, declared, y, cv=3).mean() < 0.7


@pytest.mark.parametrize("learner", BASE_LEARNERS)
def test_every_learner_takes_text_beside_numbers(learner):
    """Text goes through the pipeline of each learner, as n-grams only if linear."""
    if not BASE_LEARNERS[learner].is_installed:
        pytest.skip(f"{learner} is not installed")
    params = {"reg_param": 0.1} if learner.startswith("quadratic") else {}
    X, y = sentences(120)
    X = X.assign(number=np.arange(120.0) % 7, word=["a", "b", "c"] * 40)
    pipeline = BASE_LEARNERS[learner].make(params, TaskSize(120, 3), random_state=0)
    assert pipeline.fit(X, y).score(X, y) > 0.8
    is_linear = learner in ("logistic_regression", "sgd", "linear_svc")
    assert sparse.issparse(pipeline["table"].transform(X)) == is_linear


def test_missing_text_is_empty_text():
    """A missing cell has no words, in `fit` and at predict."""
    X, _ = sentences(40)
    X.loc[3, "comment"] = None
    empty = X.fillna("")
    encoder = TableEncoder(text="ngrams").fit(X)
    np.testing.assert_array_equal(encoder.transform(X), encoder.transform(empty))
    assert not encoder.transform(X)[3].any()
    np.testing.assert_allclose(
        encoder.transform(X), TableEncoder(text="ngrams").fit_transform(empty)
    )


@pytest.mark.parametrize("text", ["ngrams", "components"])
def test_a_text_means_the_same_alone(text):
    """What a sentence becomes does not depend on the other rows."""
    X, _ = sentences(40)
    encoder = TableEncoder(text=text, impute=True, scale="standard")
    together = encoder.fit_transform(X)
    alone = np.vstack([encoder.transform(X.iloc[[i]]) for i in range(5)])
    np.testing.assert_allclose(alone, together[:5], atol=1e-9)


@pytest.mark.skipif(pd.__version__ < "3", reason="they are all one to pandas 2")
def test_halves_of_characters():
    """A text that is no valid Unicode, as files with errors give it, is a text."""
    X = sentences(40)[0]
    X["comment"] = X["comment"].astype(object) + " \ud800"
    encoder = TableEncoder().fit(X)
    np.testing.assert_allclose(encoder.fit_transform(X), encoder.transform(X))
    assert encoder.columns_["kind"].tolist() == ["text"]


def test_components_are_few():
    """However many words there are, at most 30 columns come of a text."""
    X, _ = sentences(100)
    assert TableEncoder().fit_transform(X).shape == (100, 30)
    assert TableEncoder(text="ngrams").fit_transform(X).shape[1] > 500


def test_long_texts_have_no_ngrams_of_characters(monkeypatch):
    """Beyond a number of characters, only words are counted."""
    X, _ = sentences(40)
    n_both = TableEncoder(text="ngrams").fit_transform(X).shape[1]
    monkeypatch.setattr("skmeta._text._MAX_CHARACTERS", 100)
    assert TableEncoder(text="ngrams").fit_transform(X).shape[1] < n_both / 2


def test_unknown_treatment_of_text():
    """An unknown treatment of text is answered with the known ones."""
    with pytest.raises(ValueError, match=r"text must be one of .* got: 'words'"):
        TableEncoder(text="words").fit(np.eye(2))


def cells(make, n=200):
    return pd.Series([make(i) for i in range(n)], dtype=object)


NOT_TEXT = {
    "names": cells(lambda i: f"Maria{i % 90} van der Berg"),
    "firms": cells(lambda i: f"Smith{i % 90} and Sons Ltd"),
    "codes": cells(lambda i: f"AB-{i % 90:05d} C D E F"[:8]),
    "people": cells(lambda i: f"Maria{i % 190} Magdalena Berg"),
    "addresses": cells(
        lambda i: f"{i % 90} Long Street 5 / 12, 10{i % 90} Springfield IL"
    ),
    "links": cells(lambda i: f"https://example.org/a-long-path/to/the/page/{i % 90}"),
    "opinions": cells(lambda i: f"I {'do not ' * (i % 6)}agree with this very much"),
    "rows of digits": cells(lambda i: f"1 2 3 4 5 6 7 {i % 90}"),
}


@pytest.mark.parametrize("name", NOT_TEXT)
def test_short_strings_are_no_text(name):
    """Names, codes, ids, addresses, links and answers to choose stay categories."""
    assert kinds(
        NOT_TEXT[name].to_frame().assign(n=np.random.default_rng(0).random(200))
    ) == [
        "category",
        "number",
    ]


def test_titles_that_all_differ_are_text():
    """Names of four words are text where they are useless as categories."""
    schools = [f"{a} {b} of {c}" for a in NATURE for b in TRADE for c in NATURE[:2]]
    X = pd.DataFrame({"school": schools, "n": np.arange(200.0)})
    assert kinds(X) == ["text", "number"]


def test_declared_categories_are_no_text():
    """A category dtype is the user's word for it."""
    X, _ = sentences(40)
    assert kinds(X) == ["text"]
    assert kinds(X.astype("category")) == ["category"]


@pytest.mark.parametrize("dtype", [object, "string", "string[pyarrow]"])
def test_text_of_any_dtype(dtype):
    """Sentences are text in every dtype for strings."""
    X, _ = sentences(40)
    if "pyarrow" in str(dtype):
        pytest.importorskip("pyarrow")
    X.loc[0, "comment"] = None
    expected = TableEncoder().fit_transform(X.astype(object))
    np.testing.assert_array_equal(
        TableEncoder().fit_transform(X.astype(dtype)), expected
    )


# Dates


def test_parts_of_a_date_worked_example():
    """Seconds first, then those of year, month, day, weekday and hour that vary."""
    X = pd.DataFrame(
        {"when": pd.to_datetime(["2024-02-29 18:30", "2024-03-01 00:00", None])}
    )
    leap_day, after = 1_709_231_400.0, 1_709_251_200.0
    np.testing.assert_array_equal(
        TableEncoder().fit_transform(X),
        # A Thursday and a Friday; the year is the same.
        [
            [leap_day, 2024, 2, 29, 3, 18],
            [after, 2024, 3, 1, 4, 0],
            [np.nan] * 6,
        ],
    )
    without_gaps = TableEncoder().fit_transform(X[:2])
    np.testing.assert_array_equal(without_gaps[0], [leap_day, 2, 29, 3, 18])


def test_parts_of_a_date_are_cycles_where_numbers_are_scaled():
    """For distances and linear models, December is next to January."""
    dates = pd.DataFrame({"when": pd.date_range("2023-01-15", periods=12, freq="31D")})
    encoded = TableEncoder(impute=True, scale="standard").fit_transform(dates)
    assert encoded.shape[1] == 7  # seconds, then month, day and weekday twice
    january, june, december = encoded[[0, 5, 11]][:, [1, 4]]
    assert np.linalg.norm(january - december) < np.linalg.norm(january - june) / 2


@given(
    st.lists(
        st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)),
        min_size=2,
        max_size=8,
        unique=True,
    )
)
@repeatable
def test_parts_of_a_date_are_those_of_the_calendar(dates):
    """Year, month, day, weekday and hour are as Python's calendar has them."""
    dates = [date.replace(microsecond=0) for date in dates]
    encoder = TableEncoder().fit(
        pd.DataFrame(
            {"when": pd.date_range("1999-12-31 23:00", periods=3, freq="397h")}
        )
    )
    encoded = encoder.transform(pd.DataFrame({"when": dates}))
    expected = [[d.year, d.month, d.day, d.weekday(), d.hour] for d in dates]
    np.testing.assert_array_equal(encoded[:, 1:], expected)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%SZ",
    ],
)
def test_dates_written_year_first_are_dates(form):
    """Strings as a CSV file holds dates are the dates they mean."""
    dates = pd.DataFrame({"when": pd.date_range("2023-11-28", periods=30, freq="D")})
    written = dates.assign(when=dates["when"].dt.strftime(form).astype(object))
    written.loc[[2, 3], "when"] = [None, ""]
    dates.loc[[2, 3], "when"] = pd.NaT
    encoder = TableEncoder().fit(written)
    assert encoder.columns_["kind"].tolist() == ["date"]
    np.testing.assert_array_equal(
        encoder.transform(written), TableEncoder().fit_transform(dates)
    )
    alone = np.vstack([encoder.transform(written.iloc[[i]]) for i in range(5)])
    np.testing.assert_array_equal(alone, encoder.transform(dates)[:5])


@pytest.mark.parametrize(
    "values",
    [
        ["01/02/2023", "03/02/2023"],
        ["2023-01-01", "later"],
        ["2023-13-45", "2023-01-01"],
        ["20230101", "20230102x"],
        ["2023-01", "2023-02"],
    ],
    ids=str,
)
def test_what_may_be_no_date_stays_a_category(values):
    """A date with the day first may mean another day, so it is left alone."""
    assert kinds(pd.DataFrame({"when": values * 2})) == ["category"]


def test_durations_have_no_parts():
    """A duration is a number of seconds and no date."""
    X = pd.DataFrame({"took": pd.to_timedelta([1, 2, 90], unit="min")})
    encoder = TableEncoder()
    assert encoder.fit_transform(X).tolist() == [[60.0], [120.0], [5400.0]]
    assert encoder.columns_["kind"].tolist() == ["number"]


# Numbers written as text


@given(
    st.lists(
        st.floats(-1e9, 1e9).map(lambda x: round(x, 3))
        | st.integers(-999, 999)
        | st.none(),
        min_size=3,
        max_size=10,
    ),
    st.sampled_from(["?", "NA", "n/a", "-", "", "null", "\\N", " "]),
)
@repeatable
def test_numbers_written_as_text_are_the_numbers(numbers, mark):
    """Whatever mark stands for missing, written numbers count as the numbers."""
    written = pd.DataFrame({"n": [mark if n is None else str(n) for n in numbers]})
    plain = pd.DataFrame({"n": [np.nan if n is None else float(n) for n in numbers]})
    if len(set(numbers) - {None}) == 0:
        return
    np.testing.assert_array_equal(
        TableEncoder().fit_transform(written), TableEncoder().fit_transform(plain)
    )


def test_numbers_are_decided_in_fit():
    """What is a number in `fit` is one at predict, and what is no number missing."""
    encoder = TableEncoder().fit(pd.DataFrame({"n": ["1", "?", "2.5"]}))
    encoded = encoder.transform(pd.DataFrame({"n": ["?", "7", "seven", None]}))
    np.testing.assert_array_equal(encoded, [[np.nan], [7.0], [np.nan], [np.nan]])

    encoder = TableEncoder().fit(pd.DataFrame({"n": ["1", "two", "3"]}))
    encoded = encoder.transform(pd.DataFrame({"n": ["3", "1"]}))
    assert encoded.tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(
    "values",
    [
        ["01067", "10115", "80331"],
        ["12345678901234567890", "12345678901234567891"],
        ["1", "2", "inf"],
        ["1", "2", "x"],
        ["?", "-"],
        [True, "1", "2"],
    ],
    ids=str,
)
def test_codes_of_digits_are_no_numbers(values):
    """Postcodes, long ids and whatever has a word in it stay categories."""
    assert kinds(pd.DataFrame({"code": pd.Series(values, dtype=object)})) == [
        "category"
    ]


# Categories of many levels


@pytest.fixture
def towns():
    """600 rows of 150 towns, whose class depends on the town, and of noise."""
    rng = np.random.default_rng(0)
    town, street = rng.integers(150, size=600), rng.integers(300, size=600)
    y = (rng.random(600) < rng.random(150)[town]).astype(int)
    X = pd.DataFrame(
        {"town": [f"t{i}" for i in town], "street": [f"s{i}" for i in street]}
    )
    return X, y


def test_levels_become_shares_of_classes(towns):
    """A level seen often becomes the share of its rows with the class, or nearly."""
    X, y = towns
    X = X.assign(town=X["town"].where(np.arange(600) >= 200, "big"))
    y[:200] = np.arange(200) % 4 == 0
    encoder = TableEncoder(target_levels=100).fit(X, y)
    assert encoder.transform(X)[0, 0] == pytest.approx(0.25, abs=0.02)
    unseen = encoder.transform(pd.DataFrame({"town": ["nowhere"], "street": [None]}))
    np.testing.assert_allclose(unseen, y.mean())


def test_a_row_does_not_tell_its_own_class(towns):
    """Where the class depends on nothing, the shares of `fit_transform` say nothing."""
    X, _ = towns
    y = np.random.default_rng(1).integers(2, size=len(X))
    encoder = TableEncoder(target_levels=100)
    shares = encoder.fit_transform(X, y)
    assert abs(np.corrcoef(shares[:, 0], y)[0, 1]) < 0.15
    assert np.corrcoef(encoder.transform(X)[:, 0], y)[0, 1] > 0.3  # as it would be


def test_one_column_for_each_of_several_classes(towns):
    """Three classes give three shares, which sum to about one; six are too many."""
    X, _ = towns
    y = np.arange(600) % 3
    shares = TableEncoder(target_levels=100).fit_transform(X, y)
    assert shares.shape == (600, 6)
    np.testing.assert_allclose(shares[:, :3].sum(axis=1), 1, atol=0.2)
    many = TableEncoder(target_levels=100).fit_transform(X, np.arange(600) % 6)
    assert many.shape == (600, 2)


@pytest.mark.parametrize(
    ("learner", "becomes_shares"),
    [
        ("logistic_regression", True),
        ("gaussian_nb", True),
        ("random_forest", False),
        ("k_nearest_neighbors", False),
    ],
)
def test_shares_are_for_the_learners_that_gain(towns, learner, becomes_shares):
    """Linear models and naive Bayes get shares of 150 levels, others do not."""
    X, y = towns
    X = X[["town"]].assign(number=np.arange(600.0))
    pipeline = BASE_LEARNERS[learner].make({}, TaskSize(*X.shape), random_state=0)
    encoded = pipeline.fit(X, y)["table"].transform(X)
    is_single = encoded.shape[1] == 2
    assert (is_single and not np.isin(dense(encoded)[:, 1] % 1, 0).all()) == (
        becomes_shares
    )


def test_few_levels_and_no_classes_leave_categories(towns):
    """Shares are for many levels, and only where classes are known."""
    X, y = towns
    by_default = TableEncoder().fit_transform(X)
    for encoder, classes in [
        (TableEncoder(), y),
        (TableEncoder(target_levels=100), None),
        (TableEncoder(target_levels=300), y),
        (TableEncoder(target_levels=100), np.zeros(600)),
    ]:
        np.testing.assert_array_equal(encoder.fit_transform(X, classes), by_default)


def test_shares_are_deterministic_and_leave_the_global_generator(towns):
    """Two fits agree to the bit, whatever NumPy's generator was left at."""
    X, y = towns
    X = X.assign(**sentences(600)[0])
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    encoder = TableEncoder(target_levels=100)
    first = encoder.fit_transform(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    np.random.random(7)  # noqa: NPY002
    np.testing.assert_array_equal(clone(encoder).fit_transform(X, y), first)


def test_rare_classes_are_no_trouble(towns):
    """A class of one row neither fails nor warns."""
    X, y = towns
    y = np.append(y[:-1], 2).astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TableEncoder(target_levels=100, scale="standard").fit_transform(X, y)


# What is ignored, and that it is said


def test_columns_say_what_became_of_them():
    """One row for each column of the table, with the reason where it may surprise."""
    n = 40
    X, y = sentences(n)
    X = X.assign(
        number=np.random.default_rng(0).random(n),
        day=pd.date_range("2024-01-01", periods=n),
        color=["red", "blue"] * (n // 2),
        constant=1,
        word="word",
        nothing=np.nan,
        void=None,
        key=[f"K{i:04d}" for i in range(n)],
        row=np.arange(1, n + 1),
        declared=X["comment"].astype("category"),
    )
    encoder = TableEncoder().fit(X, y)
    expected = {
        "comment": ("text", ""),
        "number": ("number", ""),
        "day": ("date", ""),
        "color": ("category", ""),
        "constant": ("ignored", "constant"),
        "word": ("ignored", "constant"),
        "nothing": ("ignored", "no values"),
        "void": ("ignored", "no values"),
        "key": ("ignored", "id: every value is different"),
        "row": ("ignored", "id: numbers the rows"),
        "declared": ("category", "its dtype is category"),
    }
    columns = encoder.columns_
    assert columns.columns.tolist() == ["name", "kind", "reason"]
    assert {
        row["name"]: (row.kind, row.reason) for _, row in columns.iterrows()
    } == expected
    ignored = [name for name, (kind, _) in expected.items() if kind == "ignored"]
    np.testing.assert_allclose(
        TableEncoder().fit_transform(X.drop(columns=ignored)), encoder.transform(X)
    )
    # They may hold anything at predict.
    np.testing.assert_array_equal(
        encoder.transform(X.assign(key="?", row="none", constant={})),
        encoder.transform(X),
    )


def objects(*cells):
    return np.array(cells, dtype=object)


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("age", ["1.5", "?", 3, None], "old"),
        ("day", ["2024-03-01", "", pd.Timestamp("2024-03-01")], "yesterday"),
        ("zip", ["elsewhere", np.nan], [1067, 10115] * 20),
        ("zip", [objects("other", None)], objects(*[1067, "x"] * 20)),
        ("text", ["nothing of that", np.nan], 4.5),
        ("text", [objects(True, "words")], objects(*[4.5] * 40)),
        ("mixed", [objects(3, "c"), 3], None),
        ("level", ["1", 4], None),
    ],
)
def test_cells_of_another_type_than_in_fit(column, good, bad):
    """What converts, is missing or is a new level is no reason to complain."""
    n = 40
    X, y = sentences(n)
    X = pd.DataFrame(
        {
            "age": np.arange(n) % 7,
            "day": pd.date_range("2024-01-01", periods=n).astype(str),
            "zip": ["01067", "10115"] * (n // 2),
            "text": X["comment"],
            "level": pd.Categorical([1, 2] * (n // 2)),
            "mixed": objects(*["a", 1] * (n // 2)),
        }
    )
    encoder = TableEncoder().fit(X, y)
    for cell in good:
        assert encoder.find_misread(X.head(2).assign(**{column: cell})) == {}
    if bad is not None:
        named = bad if np.isscalar(bad) else bad[0]
        assert encoder.find_misread(X.assign(**{column: bad})) == {column: named}


def test_the_classifier_warns_of_them():
    """Once, whoever predicts."""
    X = pd.DataFrame({"age": np.arange(40.0), "town": ["a", "b"] * 20})
    clf = MetaLearnerClassifier(base_learners=["gaussian_nb"], n_candidates=1)
    clf.fit(X, ["yes", "no"] * 20)
    with pytest.warns(SkmetaWarning, match=r"others in: 'age' \(as 'old'\)") as raised:
        clf.predict(X.assign(age=["old", *X["age"][1:]]))
    assert len(raised) == 1


def test_columns_of_an_array_are_named_by_position():
    """An array has no names."""
    columns = TableEncoder().fit(np.array([[1.0, 5.0], [2.0, 5.0]])).columns_
    assert columns["name"].tolist() == [0, 1]
    assert columns["kind"].tolist() == ["number", "ignored"]


def test_row_numbers_are_known_in_a_fold_too():
    """Rows left out do not make a row number a feature."""
    X = pd.DataFrame({"row": np.arange(100), "x": np.random.default_rng(0).random(100)})
    for rows in (
        slice(None),
        slice(20, None),
        np.arange(100) % 5 > 0,
        slice(None, None, -1),
    ):
        assert kinds(X[rows]) == ["ignored", "number"]


@pytest.mark.parametrize(
    "values",
    [
        np.arange(1950, 2010),
        np.arange(60.0),
        np.repeat(np.arange(30), 2),
        np.random.default_rng(0).permutation(60),
        np.arange(60) ** 2,
        pd.Series([f"name {i % 59}" for i in range(60)]),
        pd.Series([i if i % 2 else f"k{i}" for i in range(60)], dtype=object),
        pd.Categorical([f"k{i}" for i in range(60)]),
    ],
    ids=[
        "years",
        "floats",
        "twice",
        "shuffled",
        "squares",
        "same",
        "mixed",
        "declared",
    ],
)
def test_what_may_be_more_than_an_id_is_kept(values):
    """Ids are ignored only where nothing else fits."""
    X = pd.DataFrame({"x": values, "other": np.random.default_rng(0).random(60)})
    assert "ignored" not in kinds(X)


@pytest.mark.parametrize("values", [np.arange(60), [f"k{i}" for i in range(60)]])
def test_a_table_of_ids_keeps_them(values):
    """When there is nothing else, ids are what there is."""
    assert "ignored" not in kinds(pd.DataFrame({"only": values}))
    assert "ignored" not in kinds(pd.DataFrame({"a": values, "b": values}))


# polars


def test_frames_of_polars():
    """A frame of polars is read like the one of pandas with the same cells."""
    pl = pytest.importorskip("polars")
    n = 30
    cells = {
        "number": [None if i % 7 == 0 else i * 0.5 for i in range(n)],
        "integer": [None if i % 5 == 0 else i % 6 for i in range(n)],
        "flag": [None if i % 5 == 0 else i % 2 == 0 for i in range(n)],
        "word": [None if i % 5 == 0 else "abc"[i % 3] for i in range(n)],
        "day": [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(n)],
        "when": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=9 * i) for i in range(n)],
        "took": [dt.timedelta(minutes=i % 4) for i in range(n)],
        "nothing": [None] * n,
    }
    frame = pl.DataFrame(cells)
    same = pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in cells.items()})
    levels = pd.CategoricalDtype(["c", "b", "a"])
    frame = frame.with_columns(
        pl.col("word").cast(pl.Enum(levels.categories)).alias("enum")
    )
    same["enum"] = same["word"].astype(levels)
    frame = frame.with_columns(pl.col("word").cast(pl.Categorical).alias("category"))
    same["category"] = same["word"].astype("category")

    encoder = TableEncoder("one_hot", impute=True).fit(frame)
    expected = TableEncoder("one_hot", impute=True).fit(same)
    pd.testing.assert_frame_equal(encoder.columns_, expected.columns_)
    np.testing.assert_array_equal(encoder.transform(frame), expected.transform(same))
    np.testing.assert_array_equal(encoder.transform(same), expected.transform(frame))
    np.testing.assert_array_equal(
        encoder.transform(frame.lazy()), encoder.transform(same)
    )


def test_classifier_takes_polars():
    """`fit` and `predict` take frames of polars, and know their columns."""
    pl = pytest.importorskip("polars")
    X = pd.DataFrame({"n": np.arange(30) % 7 / 3, "word": ["a", "b", None] * 10})
    y = pd.Series(["yes", "no", "yes"] * 10)
    frame = pl.DataFrame(
        {
            name: X[name].astype(object).where(X[name].notna(), None).to_list()
            for name in X
        }
    )
    classifier = MetaLearnerClassifier(
        base_learners=["gaussian_nb"], n_candidates=1, random_state=0
    )
    probabilities = classifier.fit(frame, pl.Series(y.to_list())).predict_proba(frame)
    assert classifier.feature_names_in_.tolist() == X.columns.tolist()
    np.testing.assert_array_equal(
        probabilities, clone(classifier).fit(X, y).predict_proba(X)
    )
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame.select(pl.all().exclude(X.columns[0])))


# Strange tables, and memory


def strange_tables():
    rng = np.random.default_rng(0)
    n = 40
    return {
        "one number": pd.DataFrame({"x": rng.random(n)}),
        "one word": pd.DataFrame({"x": ["a", "b"] * 20}),
        "one text": sentences(n)[0],
        "row numbers": pd.DataFrame({"x": np.arange(n)}),
        "wider than long": pd.DataFrame(rng.random((n, 100))).assign(
            word=["a", "b"] * 20
        ),
        "nothing": pd.DataFrame(
            {"a": [None] * n, "b": [np.nan] * n, "c": [pd.NaT] * n}
        ),
        "empty strings": pd.DataFrame({"x": [""] * n, "y": ["", " "] * 20}),
        "mixed objects": pd.DataFrame(
            {
                "x": pd.Series(
                    [1, "a", None, 2.5, True, (1, 2), "", dt.date(2020, 1, 1)] * 5,
                    dtype=object,
                )
            }
        ),
        "marks": pd.DataFrame(
            {"x": ["?", "-"] * 20, "y": [str(i) for i in range(39)] + ["?"]}
        ),
        "emoji": pd.DataFrame(
            {"x": ["🙂 🙃 🙂 🙃 🙂 🙃"] * 20 + [f"{i} ü é ñ ø å ç" for i in range(20)]}
        ),
        "one letter words": pd.DataFrame(
            {"x": [f"a b c d e f {chr(97 + i % 26)}" * (i % 4 + 1) for i in range(n)]}
        ),
    }


UNSEEN = [None, "", "never seen", -1, np.inf, "2020-01-01", "a b c d e f g"]


@pytest.mark.parametrize(
    "learner", ["logistic_regression", "hist_gradient_boosting", "k_nearest_neighbors"]
)
@pytest.mark.parametrize("name", strange_tables())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_strange_tables(name, learner):
    """Any table can be fitted, and rows of anything be predicted."""
    X, y = strange_tables()[name], np.arange(40) % 2
    pipeline = (
        BASE_LEARNERS[learner].make({}, TaskSize(*X.shape), random_state=0).fit(X, y)
    )
    assert np.isfinite(pipeline.predict_proba(X)).all()
    for cell in UNSEEN:
        row = pd.DataFrame([[cell] * X.shape[1]], columns=X.columns, dtype=object)
        assert np.isfinite(pipeline.predict_proba(row)).all()


def test_everything_survives_pickling(towns):
    """Text, dates and shares of classes are encoded alike after pickling."""
    X, y = towns
    X = X.assign(**sentences(600)[0], day=pd.date_range("2020-01-01", periods=600))
    encoder = TableEncoder("one_hot", impute=True, scale="robust", target_levels=100)
    encoder.fit(X, y)
    restored = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(restored.transform(X), encoder.transform(X))
    pd.testing.assert_frame_equal(restored.columns_, encoder.columns_)


@pytest.mark.parametrize("scale", [None, "standard", "robust", "quantile"])
def test_few_copies_of_an_array(scale):
    """Encoding holds about two arrays besides the user's, three while it learns."""
    X = np.random.default_rng(0).random((20_000, 20))
    X[::7, 3] = np.nan
    X[:, 5] = 1.0
    encoder = TableEncoder(impute=True, scale=scale)
    tracemalloc.start()
    encoder.fit(X)
    learning = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    encoder.transform(X)
    encoding = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert learning < 3.5 * X.nbytes
    assert encoding < 2.7 * X.nbytes
