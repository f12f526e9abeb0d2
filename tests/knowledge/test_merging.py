import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skmeta import Configuration, KnowledgeBase, MetaLearnerClassifier, load_knowledge
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge import TaskSource, build_knowledge
from skmeta.knowledge._fingerprint import fingerprint
from skmeta.knowledge._worker import Protocol

NAN = np.nan
PROTOCOL = {"n_folds": 2, "max_rows": 100, "random_state": 0}


def make(
    names, scores, *, families=None, fingerprints=None, configurations="ab", **more
):
    """One metric, two folds; scores of shape (n_tasks, n_configurations[, 2])."""
    scores = np.asarray(scores, dtype=float)
    if scores.ndim == 2:
        scores = np.repeat(scores[:, :, np.newaxis], 2, axis=2)
    tasks = pd.DataFrame(
        {
            "family": names if families is None else families,
            "domain": "",
            "n_rows": more.pop("n_rows", 100),
            "n_features": 3,
            "n_classes": 2,
            "fingerprint": names if fingerprints is None else fingerprints,
        },
        index=names,
    )
    seconds = np.where(np.isnan(scores).any(axis=2), NAN, 1.0)
    values = {
        "tasks": tasks,
        "meta_features": pd.DataFrame({"nr_inst": 100.0, "nr_attr": 3.0}, index=names),
        "configurations": [Configuration(letter) for letter in configurations],
        "fold_scores": {"accuracy": scores},
        "fit_seconds": seconds,
        "predict_seconds": seconds,
        "provenance": {"protocol": PROTOCOL},
    }
    return KnowledgeBase(**values | more)


def names_of(knowledge):
    return [c.learner for c in knowledge.configuration_values]


# Laws


@st.composite
def knowledge_bases(draw):
    """Few tables, families, configurations and scores, so that they often meet."""
    n = draw(st.integers(1, 3))
    prints = draw(
        st.lists(st.sampled_from("wxyz"), min_size=n, max_size=n, unique=True)
    )
    letters = draw(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
    )
    score = st.sampled_from([0.5, 0.6, 0.7, NAN])
    shape = (n, len(letters), 2)
    size = int(np.prod(shape))
    scores = draw(st.lists(score, min_size=size, max_size=size))
    return make(
        [
            draw(st.sampled_from([print_, "same"])) + str(i)
            for i, print_ in enumerate(prints)
        ],
        np.reshape(scores, shape),
        families=[draw(st.sampled_from("FGH")) for _ in prints],
        fingerprints=[draw(st.sampled_from([print_, None])) for print_ in prints],
        configurations=letters,
        n_rows=draw(st.sampled_from([50, 100])),
        provenance=draw(st.sampled_from([{"protocol": PROTOCOL}, {}])),
    )


@settings(deadline=None, derandomize=True, max_examples=40)
@given(a=knowledge_bases(), b=knowledge_bases(), c=knowledge_bases())
def test_laws(a, b, c):
    """Neither order nor grouping nor repetition matters, bit for bit."""
    whole = (a + b) + c
    # Two neighbours change places, or brackets: with both any order can be had.
    for other in [(b + a) + c, (a + c) + b, a + (b + c), b + (c + a)]:
        assert other == whole
        assert other.digest == whole.digest
    assert whole + whole == whole
    assert whole + a == whole
    assert a + a == a
    # Equal in what can be read, too, and not only in the parts.
    pd.testing.assert_frame_equal(whole.tasks, other.tasks)
    pd.testing.assert_frame_equal(whole.scores("accuracy"), other.scores("accuracy"))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(a=knowledge_bases(), b=knowledge_bases())
def test_nothing_is_lost(a, b):
    """Every table and configuration is there, and scores lie between the parts'."""
    whole = a + b
    assert set(names_of(whole)) == set(names_of(a)) | set(names_of(b))
    most = np.nanmax([a.scores("accuracy").max(axis=None, skipna=True), 0])
    most = np.nanmax([most, b.scores("accuracy").max(axis=None, skipna=True)])
    assert not whole.scores("accuracy").max(axis=None, skipna=True) > most + 1e-6
    n_tables = len(whole.tasks)
    assert max(len(a.tasks), len(b.tasks)) <= n_tables <= len(a.tasks) + len(b.tasks)


# The same table


def test_a_table_is_known_by_its_fingerprint():
    """One row, under the name it has in the larger part."""
    large = make(["iris", "wine"], [[0.9, 0.8], [0.7, 0.6]])
    small = make(["flowers"], [[0.5]], fingerprints=["iris"], configurations="c")
    whole = small + large
    assert whole.tasks.index.tolist() == ["iris", "wine"]
    expected = [[0.9, 0.8, 0.5], [0.7, 0.6, NAN]]
    assert_allclose(whole.scores("accuracy"), expected, rtol=1e-6)
    assert names_of(whole) == ["a", "b", "c"]


def test_other_tables_of_one_name_are_kept_apart():
    one = make(["data"], [[0.9, 0.8]], fingerprints=["one"])
    two = make(["data"], [[0.7, 0.6]], fingerprints=["two"])
    names = (one + two).tasks.index.tolist()
    assert len(set(names)) == 2
    assert all(name.startswith("data~") for name in names)


def test_without_fingerprints_name_and_sizes_decide():
    one = make(["data"], [[0.9, 0.8]], fingerprints=[None])
    same = make(["data"], [[0.7, 0.6]], fingerprints=[None])
    larger = make(["data"], [[0.7, 0.6]], fingerprints=[None], n_rows=200)
    assert len((one + same).tasks) == 1
    assert len((one + larger).tasks) == 2


# Conflicts


def test_conflicting_scores_are_averaged_by_rows():
    """.9 on 300 rows and .5 on 100 rows are .8."""
    one = make(["t"], [[0.9, 0.8]], n_rows=300)
    two = make(["t"], [[0.5, NAN]], n_rows=100)
    assert_allclose((one + two).scores("accuracy"), [[0.8, 0.8]], rtol=1e-6)


def test_the_same_evaluation_counts_once():
    """A base and what grew out of it: .6 is one evaluation, not two against .9."""
    one = make(["t"], [[0.6]], configurations="a")
    grown = make(["t"], [[0.6, 0.7]])
    other = make(["t"], [[0.9]], configurations="a")
    whole = one + grown + other
    assert_allclose(whole.scores("accuracy"), [[0.75, 0.7]], rtol=1e-6)


def test_the_same_evaluation_with_another_metric():
    """What the second says by the same metric is no news, by another it is."""
    log_loss = {"neg_log_loss": np.full((1, 1, 2), -0.5)}
    scores = np.full((1, 1, 2), 0.5)
    one = make(["t"], [[0.5]], configurations="a")
    more = make(
        ["t"], [[0.5]], configurations="a", fold_scores={"accuracy": scores} | log_loss
    )
    other = make(["t"], [[0.8]], configurations="a")
    whole = one + more + other
    assert_allclose(whole.scores("accuracy"), [[0.65]], rtol=1e-6)
    assert_allclose(whole.scores("neg_log_loss"), [[-0.5]], rtol=1e-6)


def test_knowledge_has_a_metric():
    with pytest.raises(ValueError, match="at least one metric"):
        make(["t"], [[0.5, 0.5]], fold_scores={})


def test_folds_are_kept_where_the_splits_are_the_same():
    one = make(["t"], [[[0.9, 0.7], [0.8, 0.8]]])
    two = make(["t"], [[[0.7, 0.7], [NAN, NAN]]])
    assert_allclose(
        (one + two).fold_scores("accuracy"),
        [[[0.8, 0.7], [0.8, 0.8]]],
        rtol=1e-6,
    )


def test_other_splits_leave_the_mean():
    """Folds of other splits have nothing to do with each other."""
    one = make(["t"], [[[0.9, 0.7], [0.8, NAN]]])
    two = make(["t"], [[[0.6, 0.6], [0.4, 0.6]]], provenance={})
    whole = one + two
    # A configuration that failed on a fold has no mean of its own.
    assert_allclose(whole.scores("accuracy"), [[0.7, 0.5]], rtol=1e-6)
    assert np.isnan(whole.fold_scores("accuracy")[:, :, 1:]).all()


def test_metrics_of_one_part_alone_are_kept():
    folds = np.full((1, 2, 2), -0.5)
    one = make(["t"], [[0.9, 0.8]])
    two = make(["u"], [[0.9, 0.8]], fold_scores={"neg_log_loss": folds})
    whole = one + two
    assert whole.metrics == ["accuracy", "neg_log_loss"]
    assert whole.scores("accuracy").loc["u"].isna().all()
    assert_allclose(whole.scores("neg_log_loss").loc["u"], -0.5)


def test_meta_features_that_all_have_and_from_most_rows():
    one = make(["t", "u"], [[0.9, 0.8], [0.5, 0.5]], n_rows=50)
    more = pd.DataFrame({"extra": [1.0], "nr_inst": [400.0]}, index=["t"])
    two = make(["t"], [[0.9, 0.8]], n_rows=400, meta_features=more)
    whole = one + two
    assert whole.meta_features.columns.tolist() == ["nr_inst"]
    assert whole.meta_features["nr_inst"].tolist() == [400.0, 100.0]


def test_failures_are_those_of_all_parts():
    failure = {"task": "t", "configuration": Configuration("a").name, "error": "no"}
    one = make(["t"], [[NAN, 0.8]], failures=[failure])
    two = make(
        ["t2"],
        [[NAN, 0.8]],
        fingerprints=["t"],
        failures=[failure | {"task": "t2", "error": "other"}],
    )
    failures = (one + two + one).failures
    assert set(failures["task"]) == set((one + two).tasks.index)
    assert sorted(failures["error"]) == ["no", "other"]


def test_provenance_of_every_part_is_kept():
    one = make(["t"], [[0.9, 0.8]], provenance={"who": "one"})
    two = make(["u"], [[0.9, 0.8]], provenance={"who": "two"})
    three = make(["v"], [[0.9, 0.8]], provenance={"who": "three"})
    parts = (one + two + three).provenance["parts"]
    assert sorted(part["who"] for part in parts) == ["one", "three", "two"]


# Families


def test_families_that_share_a_table_are_one():
    """No table of a family may stay when another of it is left out."""
    one = make(["a", "b"], np.ones((2, 2)), families=["F", "F"])
    two = make(
        ["b2", "c"], np.ones((2, 2)), families=["G", "G"], fingerprints=["b", "c"]
    )
    far = make(["d"], np.ones((1, 2)))
    whole = one + two + far
    assert whole.tasks["family"].to_dict() == {
        "a": "F",
        "b": "F",
        "c": "F",
        "d": "d",
    } or (set(whole.tasks["family"]) == {"F", "d"})
    assert whole.without(["c"]).tasks.index.tolist() == ["d"]


def test_tables_are_left_out_by_the_name_they_have_in_a_part():
    one = make(["iris", "wine"], np.ones((2, 2)))
    two = make(["flowers"], np.ones((1, 2)) / 2, fingerprints=["iris"])
    same_name = make(["wine"], np.ones((1, 2)) / 2, fingerprints=["other wine"])
    whole = one + two + same_name
    assert whole.without("flowers").tasks["fingerprint"].isin(["iris"]).sum() == 0
    left = whole.without("wine")
    assert left.tasks["fingerprint"].tolist() == ["iris"]
    # From the parts too: else they would come back with the next merge.
    assert (left + one.without("wine")).tasks["fingerprint"].tolist() == ["iris"]


# As any other knowledge base


def test_configurations_can_be_chosen():
    whole = make(["t"], [[0.9, 0.8]]) + make(["t"], [[0.5, 0.6]], configurations="bc")
    name = Configuration("b").name
    chosen = whole.with_configurations([name])
    assert names_of(chosen) == ["b"]
    assert_allclose(chosen.scores("accuracy"), [[0.65]], rtol=1e-6)


def test_it_can_be_saved_copied_and_pickled(tmp_path):
    whole = make(["t"], [[0.9, 0.8]]) + make(["u"], [[0.5, 0.6]], configurations="bc")
    whole.save(tmp_path / "whole.zip")
    loaded = load_knowledge(tmp_path / "whole.zip")
    assert loaded == whole
    assert [len(part.tasks) for part in loaded.parts] == [1, 1]
    assert copy.deepcopy(whole) == whole
    assert pickle.loads(pickle.dumps(whole)) == whole


def test_only_knowledge_can_be_added(tiny_knowledge):
    with pytest.raises(TypeError, match="unsupported operand"):
        tiny_knowledge + "knowledge.zip"


def test_a_merged_one_recommends(tiny_knowledge):
    """The shipped knowledge and a base of one's own, in a classifier."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    shipped = load_knowledge()
    own = shipped.with_configurations(shipped.configurations.index[:5])
    merged = shipped.without("iris") + own
    assert "iris" in merged.tasks.index
    classifier = MetaLearnerClassifier(knowledge=merged, n_candidates=2, random_state=0)
    assert classifier.fit(X, y).score(X, y) > 0.8
    assert "iris" in classifier.recommendation_.task_weights.index


def test_a_build_does_not_go_on_from_a_merged_one(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 2))
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(target=np.arange(40) % 2)
    frame.to_csv(tmp_path / "t.csv", index=False)
    (make(["t"], [[0.9, 0.8]]) + make(["u"], [[0.5, 0.6]])).save(tmp_path / "kb.zip")
    source = TaskSource("t", str(tmp_path / "t.csv"), "target", "t")
    with pytest.raises(KnowledgeError, match=r"merged .* of 2 parts"):
        build_knowledge(
            [source],
            tmp_path / "kb.zip",
            protocol=Protocol(n_folds=2, max_rows=100),
            resume=True,
        )


# Fingerprints


def table(n_rows=50, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 3)), columns=["a", "b", "c"])
    frame["d"] = rng.choice(["red", "green", "blue"], n_rows, p=[0.6, 0.3, 0.1])
    return frame, rng.integers(0, 2, n_rows)


def test_fingerprint_knows_a_table_in_any_form():
    X, y = table()
    expected = fingerprint(X, y)
    order = np.random.default_rng(1).permutation(len(X))
    renamed = X.rename(columns=str.upper).replace({"d": {"red": "rouge"}})
    assert fingerprint(X.iloc[order], y[order]) == expected
    assert fingerprint(X[["d", "b", "a", "c"]], y) == expected
    assert fingerprint(renamed, y) == expected
    assert fingerprint(X, 1 - y) == expected
    numbers = X.drop(columns="d")
    assert fingerprint(numbers, y) == fingerprint(numbers.to_numpy(), y)
    assert len(expected) == 64


@pytest.mark.parametrize("change", ["cell", "class", "row", "column", "target"])
def test_fingerprint_tells_tables_apart(change):
    X, y = table()
    other, other_y = X.copy(), y.copy()
    if change == "cell":
        other.loc[3, "a"] += 1e-9
    elif change == "class":
        other_y[3] = 1 - other_y[3]
    elif change == "row":
        other, other_y = X.iloc[1:], y[1:]
    elif change == "column":
        other = X.assign(e=0.0)
    else:
        first = (X["a"] > X["a"].median()).astype(float)
        X, other, other_y = X.assign(a=y), X.assign(a=first), first.astype(int)
        X, y = X.assign(a=first), y
        other = X.assign(a=y.astype(float))
    assert fingerprint(X, y) != fingerprint(other, other_y)


def test_fingerprint_sees_how_levels_go_together():
    """Each column by itself is as good as noise; together they are the class or not."""
    bits = np.array(np.meshgrid(*[[0, 1]] * 3)).reshape(3, -1).T.repeat(10, axis=0)
    X = pd.DataFrame(bits).replace({0: "no", 1: "yes"}).add_prefix("c")
    parity, noise = bits.sum(axis=1) % 2, np.arange(80) % 2
    assert fingerprint(X, parity) != fingerprint(X, noise)
    other = X.replace({"c1": {"no": "non", "yes": "oui"}})[["c2", "c0", "c1"]]
    assert fingerprint(other[::-1], parity[::-1]) == fingerprint(X, parity)
