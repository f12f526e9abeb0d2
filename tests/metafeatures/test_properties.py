import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.metafeatures import _groups as groups_module
from skmeta.metafeatures._registry import GROUPS, REGISTRY

# What depends on which rows are in which fold, and on ties in a tree.
LEARNED = (
    *("one_nn", "linear_discr", "naive_bayes", "tree", "best_node", "lm_"),
    *("nodes", "leaves", "var_importance"),
)

law = settings(deadline=None, derandomize=True, max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def _values(X, y, **parameters):
    extractor = MetaFeatureExtractor(**{"level": "complete", **parameters}).fit(X, y)
    names = extractor.get_feature_names_out()
    return dict(zip(names, extractor.meta_features_, strict=True))


def _without(values, *prefixes):
    return {k: v for k, v in values.items() if not k.startswith(prefixes)}


def _only(values, *prefixes):
    return {k: v for k, v in values.items() if k.startswith(prefixes)}


def _close(values, rel=1e-9):
    # Means of things that cancel, such as skewness, are zero but for rounding.
    return pytest.approx(values, rel=rel, abs=rel)


@st.composite
def numeric_tasks(draw, max_columns=6):
    """Draw tables with ties, gaps, heavy tails and columns that tell the class."""
    rng = np.random.default_rng(draw(seeds))
    n_rows, n_columns = draw(st.integers(6, 90)), draw(st.integers(1, max_columns))
    y = rng.integers(0, draw(st.integers(1, 5)), n_rows)
    X = rng.standard_t(3, size=(n_rows, n_columns))
    X += y[:, np.newaxis] * rng.normal(size=n_columns)
    rounded = rng.random(n_columns) < 0.4
    X[:, rounded] = np.round(X[:, rounded])
    if draw(st.booleans()):
        X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


@st.composite
def mixed_tasks(draw):
    """Draw frames with categories beside the numbers."""
    X, y = draw(numeric_tasks())
    rng = np.random.default_rng(draw(seeds))
    frame = pd.DataFrame(X).add_prefix("x")
    for j in range(draw(st.integers(1, 3))):
        codes = (y + rng.integers(0, draw(st.integers(1, 6)), len(y))) % 7
        text = np.array(list("abcdefg"), dtype=object)[codes]
        text[rng.random(len(y)) < draw(st.sampled_from([0.0, 0.1]))] = None
        frame[f"c{j}"] = text
    return frame, y


@law
@given(mixed_tasks(), seeds)
def test_order_of_rows_does_not_matter(task, seed):
    """Shuffled rows are the same task."""
    frame, y = task
    order = np.random.default_rng(seed).permutation(len(y))
    assert _values(frame.iloc[order], y[order]) == _close(_values(frame, y))


@law
@given(mixed_tasks(), seeds)
def test_order_of_columns_does_not_matter(task, seed):
    """Shuffled columns are the same task."""
    frame, y = task
    order = np.random.default_rng(seed).permutation(frame.shape[1])
    assert _values(frame.iloc[:, order], y) == _close(_values(frame, y))


@law
@given(mixed_tasks())
def test_names_of_classes_do_not_matter(task):
    """Classes may be numbers or strings in any order."""
    frame, y = task
    renamed = np.array(["pear", "fig", "yam", "leek", "kale"])[y]
    assert _values(frame, renamed) == _close(_values(frame, y))
    assert _values(frame, -y) == _close(_values(frame, y))


@law
@given(mixed_tasks())
def test_names_of_categories_do_not_matter(task):
    """Categories may be renamed so that their order changes."""
    frame, y = task
    names = dict(zip("abcdefg", "gcfaebd", strict=True))
    renamed = frame.copy()
    for column in frame.columns[frame.columns.str.startswith("c")]:
        renamed[column] = frame[column].map(names)
    assert _values(renamed, y) == _close(_values(frame, y))


@settings(law, max_examples=10)
@given(seeds)
def test_the_sample_does_not_depend_on_orders_and_names(seed):
    """Above the cap the sampled rows are the same ones, however written."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 700)
    # Few values, so that many rows are alike.
    share_of_ones = [[0.1, 0.3, 0.6]]
    X = rng.normal(size=(700, 3)) if rng.random() < 0.5 else np.zeros((700, 3))
    frame = pd.DataFrame(X + (rng.random((700, 3)) < share_of_ones)).add_prefix("x")
    frame["c"] = np.array(list("abcd"))[(y + rng.integers(0, 3, 700)) % 4]
    rows, columns = rng.permutation(700), rng.permutation(4)
    other = frame.iloc[rows, columns].assign(
        c=lambda f: f["c"].map(dict(zip("abcd", "dbac", strict=True)))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups_module, "_SAMPLE_SIZE", 200)
        patch.setattr(groups_module, "_MAX_PRODUCTS", 1.0)
        assert _values(other, -y[rows]) == _close(_values(frame, y))


@settings(law, max_examples=10)
@given(seeds)
def test_the_chosen_columns_do_not_depend_on_orders(seed):
    """Of many columns the same ones are compared with each other."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 12)), rng.integers(0, 3, 30)
    rows, columns = rng.permutation(30), rng.permutation(12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups_module, "_MAX_PAIRED_COLUMNS", 5)
        assert _values(X[rows][:, columns], y[rows]) == _close(_values(X, y))


@law
@given(numeric_tasks(), seeds)
def test_units_do_not_matter(task, seed):
    """A positive scale and a shift of each column change zero_frac alone."""
    X, y = task
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-3, 3, X.shape[1])
    other = _values(X * scale + rng.normal(size=X.shape[1]), y)
    assert _without(other, "zero_frac") == _close(
        _without(_values(X, y), "zero_frac"), rel=1e-6
    )


@law
@given(numeric_tasks())
def test_mirrored_columns(task):
    """A change of sign turns skewness round and leaves moments, cor and classes."""
    X, y = task
    values, other = _values(X, y), _values(-X, y)
    moved = (
        *("skewness", "q_skew", "attr_ent", "mut_inf", "class_conc"),
        *("eq_num_attr", "ns_ratio", "log1p_eq_num_attr", "log1p_ns_ratio"),
        # Other rows are in a fold together, and go to the other side of a split.
        *("auc", *LEARNED),
    )
    assert _without(other, *moved) == _close(_without(values, *moved))
    assert other["skewness.mean"] == pytest.approx(-values["skewness.mean"], abs=1e-9)
    assert other["skewness.max"] == pytest.approx(-values["skewness.min"], abs=1e-9)


@law
@given(seeds)
def test_mirrored_columns_without_ties(seed):
    """Without ties the bins of a mirrored column hold nearly the same rows."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(400, 4)), rng.integers(0, 2, 400)
    names = ("attr_ent.", "attr_ent_norm")
    assert _only(_values(-X, y), *names) == pytest.approx(
        _only(_values(X, y), *names), abs=1e-2
    )


@law
@given(mixed_tasks())
def test_every_row_twice(task):
    """Doubling the rows leaves shares, correlations and separation."""
    frame, y = task
    kept = (
        *("nr_attr", "nr_class", "class_ent", "c1", "c2", "freq_class", "cor."),
        *("can_cor", "p_trace", "w_lambda", "f1", "pct_", "symbols", "zero_frac"),
        *("pca_frac95", "pca_first", "eff_rank", "gravity_std", "nr_cor_attr"),
    )
    doubled = pd.concat([frame, frame], ignore_index=True)
    twice, once = _values(doubled, np.r_[y, y]), _values(frame, y)
    assert _only(twice, *kept) == _close(_only(once, *kept))
    n = len(y)
    if not frame.isna().any(axis=None):
        factor = ((2 * n - 1) / (2 * n) / ((n - 1) / n)) ** 1.5
        assert twice["skewness.mean"] == pytest.approx(
            once["skewness.mean"] * factor, abs=1e-9
        )


@law
@given(numeric_tasks())
def test_a_column_twice(task):
    """A copy of a column adds nothing that separates or tells the class."""
    X, y = task
    kept = (
        *("can_cor", "nr_disc", "w_lambda", "log_w_lambda", "p_trace", "class_ent"),
        *("freq_class", "mut_inf.max", "mut_inf_norm.max", "class_conc.max", "f1.min"),
    )
    twice, once = _values(np.c_[X, X[:, 0]], y), _values(X, y)
    assert _only(twice, *kept) == _close(_only(once, *kept), rel=1e-6)


@law
@given(numeric_tasks())
def test_a_constant_column(task):
    """A constant column counts, and leaves the others alone."""
    X, y = task
    kept = ("can_cor", "cor.", "skewness", "kurtosis", "f1", "pca_", "gravity_std")
    more, before = _values(np.c_[X, np.full(len(y), 7.0)], y), _values(X, y)
    assert _only(more, *kept) == _close(_only(before, *kept))
    assert more["nr_const"] == before["nr_const"] + 1
    assert more["nr_attr"] == before["nr_attr"] + 1


@law
@given(numeric_tasks(), seeds)
def test_a_column_of_noise(task, seed):
    """What the best columns tell of the class does not become less."""
    X, y = task
    noise = np.random.default_rng(seed).normal(size=len(y))
    more, before = _values(np.c_[X, noise], y), _values(X, y)
    for name in ("mut_inf.max", "can_cor.max"):
        assert more[name] >= before[name] - 1e-9


@settings(law, max_examples=60)
@pytest.mark.filterwarnings("error")
@given(
    npst.arrays(
        np.float64,
        npst.array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.floats() | st.sampled_from([0.0, 1.0, 1e300, 1e-300, np.nan]),
    ),
    st.data(),
)
def test_any_floats_give_finite_numbers_in_range(X, data):
    """No float makes a number infinite, a group fail or a warning appear."""
    y = data.draw(npst.arrays(np.int64, len(X), elements=st.integers(0, 3)))
    before = X.copy()
    extractor = MetaFeatureExtractor(groups=GROUPS).fit(X, y)
    for feature, value in zip(REGISTRY, extractor.meta_features_, strict=True):
        assert np.isfinite(value), feature.name
        assert feature.low <= value <= feature.high, feature.name
    assert not any("Error" in r for r in extractor.report_.guarded.values())
    np.testing.assert_array_equal(X, before)


@law
@given(mixed_tasks())
def test_two_calls_agree_to_the_last_bit(task):
    """The same table gives the same bits."""
    first = MetaFeatureExtractor(groups=GROUPS).fit(*task).meta_features_
    assert (
        first.tobytes()
        == MetaFeatureExtractor(groups=GROUPS).fit(*task).meta_features_.tobytes()
    )
