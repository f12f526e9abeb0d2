import pickle
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from skmeta._limits import OutOfTime, time_limit
from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.metafeatures import _groups as groups_module
from skmeta.metafeatures._measures import (
    center_distance,
    class_imbalance,
    column_moments,
    equal_frequency_codes,
    sorted_quantiles,
    table_information,
)
from skmeta.metafeatures._registry import GROUPS, LEVELS, REGISTRY, feature_table
from skmeta.metafeatures._sampling import column_seeds, row_keys, stratified_rows

BASE = np.random.default_rng(0).normal(size=(40, 5))
LABELS = np.arange(40) % 3


def _rng():
    """Return the same generator to every test, so that they may run alone."""
    return np.random.default_rng(0)


def _values(X, y, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extractor = MetaFeatureExtractor(**{"groups": GROUPS, **parameters}).fit(X, y)
    names = extractor.get_feature_names_out()
    return dict(zip(names, extractor.meta_features_, strict=True))


def _with(value, where=np.s_[::7, 1]):
    X = BASE.copy()
    X[where] = value
    return X


MIXED = pd.DataFrame(
    {
        "number": BASE[:, 0],
        "text": ["a", "b", None, "c"] * 10,
        "flag": [True, False] * 20,
        "nullable": pd.array([1, None, 3, 4] * 10, dtype="Int64"),
        "date": pd.date_range("2020-01-01", periods=40),
        "duration": pd.to_timedelta(np.arange(40), unit="h"),
        "category": pd.Categorical(["x", "y"] * 20, categories=["z", "y", "x"]),
        "nothing": np.nan,
        "same": 1,
    }
)

ODD_TASKS = {
    "nan": (_with(np.nan), LABELS),
    "inf": (_with(np.inf), LABELS),
    "minus inf": (_with(-np.inf), LABELS),
    "both infinities": (_with(np.inf) - _with(np.inf, np.s_[1::7, 1]), LABELS),
    "1e300": (_with(1e300), LABELS),
    "1e308 of both signs": (_with(1e308) - _with(1e308, np.s_[1::7, 1]), LABELS),
    "all 1e300": (BASE * 1e300, LABELS),
    "1e-300": (BASE * 1e-300, LABELS),
    "subnormal": (BASE * 1e-310, LABELS),
    "1e300 beside 1e-300": (BASE * np.array([1e300, 1e-300, 1, 1, 1]), LABELS),
    "class with one row": (BASE, np.arange(40) == 3),
    "two rows": (BASE[:2], [0, 1]),
    "two rows of one class": (BASE[:2], [0, 0]),
    "one row": (BASE[:1], ["a"]),
    "one column": (BASE[:, :1], LABELS),
    "one cell": ([[1.0]], [1]),
    "one class": (BASE, np.zeros(40)),
    "500 classes": (_rng().normal(size=(1000, 3)), np.arange(1000) % 500),
    "a class for each row": (BASE, np.arange(40)),
    "all missing": (np.full((40, 3), np.nan), LABELS),
    "a missing column": (_with(np.nan, np.s_[:, 2]), LABELS),
    "constant": (np.ones((40, 3)), LABELS),
    "a constant column": (_with(5.0, np.s_[:, 2]), LABELS),
    "same column twice": (BASE[:, [0, 0, 1, 1]], LABELS),
    "wide": (_rng().normal(size=(10, 600)), LABELS[:10]),
    "mixed": (MIXED, LABELS),
    "all categorical": (MIXED[["text", "category", "flag"]], LABELS),
    "names of rows": (pd.DataFrame({"id": [f"r{i}" for i in range(40)]}), LABELS),
    "strings": (np.array([["1", "a"], ["2", "b"]] * 20), LABELS),
    "lists": (BASE.tolist(), LABELS.tolist()),
    "booleans": (BASE > 0, LABELS),
    "integers": (np.round(BASE).astype(np.int8), LABELS),
    "float32": (BASE.astype(np.float32), LABELS),
    "objects": (BASE.astype(object), LABELS),
    "csr matrix": (sparse.csr_matrix(np.round(BASE)), LABELS),
    "csc matrix": (sparse.csc_matrix(np.round(BASE)), LABELS),
    "csr array": (sparse.csr_array(np.round(BASE)), LABELS),
    "csc array": (sparse.csc_array(_with(np.nan)), LABELS),
    "empty sparse": (sparse.csr_array((40, 3)), LABELS),
    "sparse 1e300": (sparse.csr_array(_with(1e300)), LABELS),
    "y strings": (BASE, np.array(["a", "b", "c"])[LABELS]),
    "y booleans": (BASE, LABELS > 0),
    "y series": (BASE, pd.Series(LABELS, index=np.arange(40) + 7)),
    "y categorical": (BASE, pd.Categorical.from_codes(LABELS, ["a", "b", "c", "d"])),
    "y with NaN": (BASE, np.where(LABELS == 0, np.nan, LABELS)),
    "y all NaN": (BASE, np.full(40, np.nan)),
    "y None": (BASE, [None, "a"] * 20),
    "y of two types": (BASE, [1, "a"] * 20),
    "y column": (BASE, LABELS[:, np.newaxis]),
    "y frame": (BASE, pd.DataFrame({"y": LABELS})),
    "y nullable": (BASE, pd.array([1, None] * 20, dtype="Int64")),
}


@pytest.mark.parametrize("name", ODD_TASKS)
def test_odd_tables_give_finite_numbers_in_range(name):
    """Whatever the table, there are as many finite numbers and no warning."""
    values = _values(*ODD_TASKS[name])
    assert list(values) == [feature.name for feature in REGISTRY]
    for feature in REGISTRY:
        assert np.isfinite(values[feature.name]), feature.name
        assert feature.low <= values[feature.name] <= feature.high, feature.name


@pytest.mark.parametrize("name", ODD_TASKS)
def test_no_group_fails_on_odd_tables(name):
    """Guarded features are those that have no definition, not those that broke."""
    reasons = (
        MetaFeatureExtractor(groups=GROUPS)
        .fit(*ODD_TASKS[name])
        .report_.guarded.values()
    )
    assert {reason.split(":")[0] for reason in reasons} <= {
        "not defined for this table"
    }


def test_input_and_global_generator_are_untouched():
    """Extraction changes neither the table nor the global random state."""
    X, before = BASE * 1e300, np.random.get_state()[1].copy()  # noqa: NPY002 (it is what is tested)
    frame, y = MIXED.copy(), LABELS.copy()
    copy = X.copy()
    _values(X, y)
    _values(frame, y)
    matrix = sparse.csc_array(X)
    _values(matrix, y)
    np.testing.assert_array_equal(X, copy)
    np.testing.assert_array_equal(matrix.toarray(), copy)
    pd.testing.assert_frame_equal(frame, MIXED)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 (it is what is tested)


def test_two_calls_clone_and_pickle_agree_to_the_last_bit():
    """Neither a second call nor a copy of the extractor changes a bit."""
    extractor = MetaFeatureExtractor(groups=GROUPS, random_state=3).fit(MIXED, LABELS)
    for other in (
        clone(extractor).fit(MIXED, LABELS),
        pickle.loads(pickle.dumps(extractor)),
        MetaFeatureExtractor(groups=GROUPS)
        .set_params(random_state=3)
        .fit(MIXED, LABELS),
    ):
        assert extractor.meta_features_.tobytes() == other.meta_features_.tobytes()


def test_names_are_known_before_data():
    """Names come as objects before fit, and are those of the registry."""
    names = MetaFeatureExtractor(groups=GROUPS).get_feature_names_out()
    assert names.dtype == object
    assert names.tolist() == [feature.name for feature in REGISTRY]


def test_groups_select_in_the_order_of_the_registry():
    """The order in which groups are asked for does not matter."""
    extractor = MetaFeatureExtractor(groups=("missing", "general"))
    names = extractor.get_feature_names_out().tolist()
    assert names == [f.name for f in REGISTRY if f.group in ("missing", "general")]
    every = _values(MIXED, LABELS)
    assert _values(MIXED, LABELS, groups=("missing", "general")) == {
        name: every[name] for name in names
    }
    assert list(extractor.fit(MIXED, LABELS).report_.seconds) == ["general", "missing"]


def test_columns_of_a_frame_are_remembered():
    """Names of columns are kept for a frame and forgotten for an array."""
    extractor = MetaFeatureExtractor(groups=GROUPS).fit(MIXED, LABELS)
    assert extractor.n_features_in_ == MIXED.shape[1]
    assert extractor.feature_names_in_.tolist() == MIXED.columns.tolist()
    assert not hasattr(extractor.fit(BASE, LABELS), "feature_names_in_")


@pytest.mark.parametrize(
    "chosen", [[2], ["c"], [False, False, True], np.array([2])], ids=str
)
def test_categorical_features(chosen):
    """Integers become categories by position, name or mask; text stays one."""
    frame = pd.DataFrame({"a": BASE[:, 0], "b": ["u", "v"] * 20, "c": LABELS})
    assert _values(frame, LABELS)["nr_cat"] == 1
    values = _values(frame, LABELS, categorical_features=chosen)
    assert (values["nr_cat"], values["nr_num"]) == (2, 1)
    assert values["symbols.max"] == 3


@pytest.mark.parametrize(
    ("X", "y", "parameters", "message"),
    [
        (BASE, LABELS[:-1], {}, "same number of rows, got: 40 and 39"),
        (BASE[:0], [], {}, r"at least one row and one column, got shape: \(0, 5\)"),
        (BASE[:, :0], LABELS, {}, r"at least one row and one column"),
        (BASE, LABELS, {"groups": ["general", "itemset"]}, "groups must be None or"),
        (BASE, LABELS, {"groups": []}, "groups must be None or"),
        (BASE, LABELS, {"level": "quick"}, "level must be one of .'complete', 'f"),
        (BASE, LABELS, {"time_limit": 0}, "time_limit must be a number of seconds"),
        (BASE, LABELS, {"categorical_features": [5]}, "positions below 5"),
        (BASE, np.c_[LABELS, LABELS], {}, "y must have one column"),
        (BASE, None, {}, "y must have one column"),
        (BASE, [{}] * 40, {}, "y must hold numbers, strings or other hashable"),
    ],
)
def test_wrong_arguments(X, y, parameters, message):
    """Errors say what must be what."""
    with pytest.raises(ValueError, match=message):
        MetaFeatureExtractor(**{"level": "full", **parameters}).fit(X, y)


def test_failing_group_is_reported_not_raised(monkeypatch):
    """A group that breaks gives its defaults, and the report says why."""

    def breaks(view):
        raise np.linalg.LinAlgError("did not converge")

    monkeypatch.setitem(groups_module.COMPUTE_GROUP, "statistical", breaks)
    extractor = MetaFeatureExtractor(groups=GROUPS).fit(BASE, LABELS)
    values = dict(
        zip(extractor.get_feature_names_out(), extractor.meta_features_, strict=True)
    )
    assert values["w_lambda"] == 1.0
    assert values["nr_inst"] == 40
    assert "did not converge" in extractor.report_.guarded["cor.mean"]


def test_time_limit(monkeypatch):
    """What is not done in time has its default, and what was done before stays."""

    def goes_on(view):
        while True:
            pass

    monkeypatch.setitem(groups_module.COMPUTE_GROUP, "statistical", goes_on)
    start = time.monotonic()
    extractor = MetaFeatureExtractor(groups=GROUPS, time_limit=0.5).fit(BASE, LABELS)
    assert time.monotonic() - start < 10
    values = dict(
        zip(extractor.get_feature_names_out(), extractor.meta_features_, strict=True)
    )
    assert values["nr_inst"] == 40
    assert values["w_lambda"] == 1.0
    for name in ("cor.mean", "attr_ent.mean", "n3"):
        assert extractor.report_.guarded[name] == "the time was over"
    assert "nr_inst" not in extractor.report_.guarded


def test_a_limit_around_it_is_not_taken_for_its_own(monkeypatch):
    """Who limits the whole of a search must hear of it."""

    def goes_on(view):
        while True:
            pass

    monkeypatch.setitem(groups_module.COMPUTE_GROUP, "statistical", goes_on)
    for own in (None, 600):
        with pytest.raises(OutOfTime), time_limit(0.2):
            MetaFeatureExtractor(time_limit=own).fit(BASE, LABELS)


def test_enough_time_changes_nothing():
    limited = MetaFeatureExtractor(level="complete", time_limit=600).fit(BASE, LABELS)
    free = MetaFeatureExtractor(level="complete").fit(BASE, LABELS)
    np.testing.assert_array_equal(limited.meta_features_, free.meta_features_)


def test_registry_is_consistent():
    """Names are unique, ranges ordered, defaults inside, transforms known."""
    names = [feature.name for feature in REGISTRY]
    assert len(set(names)) == len(names)
    assert set(GROUPS) == set(groups_module.COMPUTE_GROUP)
    assert all(set(groups) <= set(GROUPS) for groups in LEVELS.values())
    for feature in REGISTRY:
        assert feature.low < feature.high, feature.name
        assert feature.low <= feature.default <= feature.high, feature.name
        assert feature.transform in {"none", "log1p", "signed-log"}, feature.name
        assert feature.transform != "log1p" or feature.low >= 0, feature.name
        assert feature.log1p_of is None or feature.log1p_of in names
        assert feature.formula, feature.name
        assert feature.cost, feature.name


def test_documentation_is_generated():
    """Each feature has a line of as many cells as the heading."""
    heading, _, *lines = feature_table().splitlines()
    assert len(lines) == len(REGISTRY)
    for feature, line in zip(REGISTRY, lines, strict=True):
        assert line.startswith(f"| `{feature.name}` | {feature.group} |")
        assert line.count("|") == heading.count("|")


def test_missing_shares():
    """Two of six cells, two of three rows and one of two columns are missing."""
    X = pd.DataFrame({"a": [1.0, np.inf, np.nan], "b": ["u", "v", "v"]})
    values = _values(X, [0, 1, 1])
    assert values["pct_missing"] == pytest.approx(2 / 6)
    assert values["pct_inst_missing"] == pytest.approx(2 / 3)
    assert values["pct_attr_missing"] == pytest.approx(1 / 2)


def test_counts_of_a_mixed_frame():
    """Missing is no level, unused categories do not count, flags are binary."""
    values = _values(MIXED, LABELS)
    assert (values["nr_attr"], values["nr_cat"], values["nr_num"]) == (9, 3, 6)
    assert values["nr_bin"] == 2
    assert values["nr_const"] == 1
    assert (values["symbols.min"], values["symbols.max"]) == (2, 3)
    assert values["log1p_symbols.max"] == np.log(4)


def test_sparse_and_dense_agree():
    """How zeros are stored makes no difference."""
    rng = _rng()
    X = np.where(rng.random((60, 8)) < 0.7, 0.0, rng.normal(size=(60, 8)))
    X[3, 2] = np.nan
    y = np.arange(60) % 4
    assert _values(sparse.csr_matrix(X), y) == pytest.approx(_values(X, y), rel=1e-9)


def test_sparse_and_dense_choose_the_same_rows():
    """Keys do not depend on how zeros are stored."""
    rng = _rng()
    X = np.where(rng.random((60, 8)) < 0.7, 0.0, rng.normal(size=(60, 8)))
    codes, y = np.empty((60, 0), dtype=np.int64), np.arange(60) % 4
    seeds = column_seeds(column_moments(X))
    np.testing.assert_array_equal(
        seeds, column_seeds(column_moments(sparse.csc_array(X)))
    )
    np.testing.assert_array_equal(
        row_keys(sparse.csc_array(X), codes, y, seeds), row_keys(X, codes, y, seeds)
    )


def test_one_class_separates_nothing():
    """With one class there is no entropy and nothing to separate."""
    values = _values(BASE, np.zeros(40))
    assert (values["class_ent"], values["c1"], values["c2"]) == (0, 0, 1)
    assert (values["can_cor.max"], values["p_trace"], values["nr_disc"]) == (0, 0, 0)
    assert (values["w_lambda"], values["f1.min"], values["gravity_std"]) == (1, 1, 0)
    assert values["mut_inf_norm.max"] == 0


def test_miller_madow_takes_chance_away():
    """Noise has mutual information in a small sample, but none beyond chance."""
    rng = _rng()
    X, y = rng.normal(size=(300, 30)), rng.integers(0, 5, 300)
    values = _values(X, y)
    assert values["mut_inf.mean"] > 0.03
    assert values["mut_inf_norm.mean"] < 0.005


def test_class_imbalance_worked_example():
    """Sizes 1 and 3: IR = 1/2 (1/3 + 3) = 5/3, so c2 = 2/5."""
    assert class_imbalance(np.array([1, 3])) == pytest.approx(0.4)
    assert class_imbalance(np.array([2, 2])) == 0


def test_center_distance_worked_examples():
    """With ties it is the root mean square of all pairs."""
    means = np.array([[0.0], [3.0], [1.0]])
    assert center_distance(means, np.array([9, 2, 1])) == pytest.approx(1.0)
    assert center_distance(means, np.array([9, 1, 1])) == pytest.approx(np.sqrt(5))
    assert center_distance(means, np.array([1, 1, 1])) == pytest.approx(
        np.sqrt((9 + 1 + 4) / 3)
    )


def test_concentration_worked_example():
    """A column that the class decides has tau 1, one that it does not, 0."""
    y = np.array([0, 0, 1, 1])
    parts = table_information(np.array([[1, 1, 0, 0], [0, 1, 0, 1]]), y, 2)
    assert parts.concentration.tolist() == [1.0, 0.0]
    assert parts.entropy.tolist() == [1.0, 1.0]


def test_many_classes_take_the_same_path_as_few():
    """Tables too large to lay out give what laid out ones give."""
    rng = _rng()
    codes, y = rng.integers(0, 9, (3, 500)), rng.integers(0, 400, 500)
    few = table_information(codes, np.unique(y, return_inverse=True)[1], 9)
    many = table_information(codes, y * 1000, 9)
    np.testing.assert_allclose(few.mutual_information, many.mutual_information)
    np.testing.assert_allclose(few.concentration, many.concentration)


def test_quantiles_agree_with_numpy():
    """Quantiles are numpy's, each over its own observed values."""
    rng = _rng()
    X = rng.normal(size=(4, 57))
    X[1, ::5] = np.nan
    ordered = np.sort(X, axis=1)
    n_observed = (~np.isnan(X)).sum(axis=1)
    np.testing.assert_allclose(
        sorted_quantiles(ordered, n_observed, [1, 20, 39], 40),
        np.nanquantile(X, [1 / 40, 0.5, 39 / 40], axis=1),
        rtol=1e-12,
    )


def test_stratified_rows_keep_rare_classes():
    """A class of two keeps both rows, the others their share."""
    rng = _rng()
    y = np.r_[np.zeros(2, int), np.ones(3998, int)]
    rows = stratified_rows(rng.permutation(4000).astype(np.uint64), y, 1000)
    assert rows[:2].tolist() == [0, 1]
    assert 990 <= len(rows) <= 1002


@pytest.mark.parametrize("n_classes", [1, 2])
def test_stratified_rows_keep_the_shares_of_rows_that_are_alike(n_classes):
    """Few distinct rows, each many times, are represented in proportion."""
    kind = np.repeat(np.arange(4), [8000, 4000, 2000, 2000])
    keys = np.array([3, 1, 4, 2], dtype=np.uint64)[kind]
    rows = stratified_rows(keys, np.arange(16000) % n_classes, 1600)
    shares = np.bincount(kind[rows]) / len(rows)
    assert shares == pytest.approx([0.5, 0.25, 0.125, 0.125], abs=0.04)


def test_keys_tell_zeros_and_ones_apart():
    """Rows with as many ones in other columns have other keys."""
    X = (_rng().random((500, 6)) < np.linspace(0.2, 0.8, 6)).astype(float)
    codes, y = np.empty((500, 0), dtype=np.int64), np.zeros(500, dtype=np.int64)
    keys = row_keys(X, codes, y, column_seeds(column_moments(X)))
    assert len(np.unique(keys)) == len(np.unique(X, axis=0))


def test_one_wild_value_does_not_hide_the_others():
    """Bins and outliers look at the body of a column, whatever its maximum."""
    X = _rng().normal(size=(1000, 3))
    wild = X.copy()
    wild[0] = 1e12
    before, after = _values(X, np.arange(1000) % 2), _values(wild, np.arange(1000) % 2)
    assert after["attr_ent.min"] == pytest.approx(before["attr_ent.min"], abs=1e-2)
    assert after["outlier_frac.mean"] >= before["outlier_frac.mean"]


def test_equal_frequency_codes_worked_example():
    """Bins close on the right, ties stay together, missing has its own."""
    column = np.array([[4.0, 1.0, 2.0, 2.0, np.nan, 9.0]])
    codes = equal_frequency_codes(column, np.sort(column), np.array([5]), n_bins=2)
    assert codes.tolist() == [[1, 0, 0, 0, 2, 1]]


def test_very_wide_tables_are_sampled_further(monkeypatch):
    """Rows that are sorted give way to columns, and moments still see all."""
    X, y = _rng().normal(size=(600, 30)), np.arange(600) % 3
    full = _values(X, y)
    monkeypatch.setattr(groups_module, "_MAX_SORTED_CELLS", 3000)
    monkeypatch.setattr(groups_module, "_SMALLEST_SAMPLE", 150)
    part = _values(X, y)
    assert part["kurtosis.mean"] == full["kurtosis.mean"]
    assert part["attr_ent.mean"] < full["attr_ent.mean"]


def test_sampled_rows_are_few_and_the_moments_see_all(monkeypatch):
    """Above the cap order statistics come from a sample, moments do not."""
    rng = _rng()
    X, y = rng.standard_t(3, size=(3000, 4)), rng.integers(0, 3, 3000)
    full = _values(X, y)
    monkeypatch.setattr(groups_module, "_SAMPLE_SIZE", 500)
    part = _values(X, y)
    for name in ("kurtosis.mean", "skewness.max", "cor.mean", "can_cor.max", "f1.min"):
        assert part[name] == pytest.approx(full[name], rel=1e-12), name
    assert part["attr_ent.mean"] != full["attr_ent.mean"]
    assert part["q_tail.mean"] == pytest.approx(full["q_tail.mean"], abs=0.3)
    assert _values(X, y, random_state=1)["q_tail.mean"] != part["q_tail.mean"]


def test_sampling_sees_rare_values_of_nearly_binary_columns(monkeypatch):
    """A third value in one row of all makes a column other than binary."""
    X = np.zeros((3000, 3))
    X[::2] = 1.0
    X[7, 1] = 0.5
    monkeypatch.setattr(groups_module, "_SAMPLE_SIZE", 300)
    for table in (X, sparse.csc_array(X)):
        assert _values(table, np.arange(3000) % 2)["nr_bin"] == 2


def test_rows_without_class_form_a_class():
    """A missing label counts as one more class."""
    assert _values(BASE, [None, "a"] * 20)["nr_class"] == 2


def test_random_state_may_be_a_generator_and_stays_where_it_is():
    """A RandomState is copied, so that two calls agree."""
    generator = np.random.RandomState(0)
    before = generator.get_state()[1].copy()
    first = _values(BASE, LABELS, random_state=generator)
    assert first == _values(BASE, LABELS, random_state=generator)
    np.testing.assert_array_equal(generator.get_state()[1], before)


def test_written_dates_stay_dates_beside_named_categories():
    """Naming one column a category does not change how another one is read."""
    X = pd.DataFrame(
        {
            "day": [f"2024-01-{i + 1:02d}" for i in range(20)],
            "code": np.arange(20) % 3,
        }
    )
    y = np.arange(20) % 2
    named = MetaFeatureExtractor(categorical_features=["code"]).fit(X, y)
    dtype = MetaFeatureExtractor().fit(X.astype({"code": "category"}), y)
    np.testing.assert_array_equal(named.meta_features_, dtype.meta_features_)
