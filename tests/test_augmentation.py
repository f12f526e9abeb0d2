import pickle
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skmeta import (
    AugmentedClassifier,
    Configuration,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
)
from skmeta._augmentation import POLICIES, _count_lacking, row_growth
from skmeta._base_learners import (
    BASE_LEARNERS,
    TaskSize,
    get_learner,
    make_estimator,
)
from skmeta._export import check_plain, to_sklearn
from skmeta._workers import calm
from skmeta.knowledge import Protocol, TaskSource, build_knowledge
from skmeta.knowledge._worker import evaluate_configuration
from skmeta.recommendation import PortfolioRecommender

COUNTS = {"a": 40, "b": 17, "c": 2, "d": 1}


class RemembersRows(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weights_ = X, y, sample_weight
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.classes_[0])


def needs(policy):
    if policy == "smote":
        pytest.importorskip("imblearn")
    return policy


def rows_of(policy, X, y, weights=None, **params):
    clf = AugmentedClassifier(RemembersRows(), policy, random_state=0, **params)
    fitted = clf.fit(X, y, weights).estimator_
    return fitted.X_, fitted.y_, fitted.weights_


@pytest.fixture(scope="module")
def y():
    return np.repeat(list(COUNTS), list(COUNTS.values()))


@pytest.fixture(scope="module")
def numbers():
    """60 rows of four columns; the third is one of codes, the last has gaps."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    X[:, 2] = rng.integers(4, size=60)
    X[::7, 3] = np.nan
    return X


@pytest.fixture(scope="module")
def tables(numbers):
    """The same rows in each form that a `TableEncoder` gives, and in some others."""
    frame = pd.DataFrame(numbers, columns=list("pqrs"))
    frame["r"] = pd.Categorical.from_codes(
        np.r_[[-1, -1], numbers[2:, 2].astype(int)], categories=list("wxyz")
    )
    nullable = frame.assign(
        t=pd.array([1, None, 30] * 20, dtype="Int64"), u=numbers[:, 0] > 0
    )
    counts = sparse.random(60, 30, density=0.2, format="csr", random_state=0)
    return {
        "array": numbers,
        "frame": frame,
        "nullable": nullable,
        "categories": frame[["r"]],
        "sparse array": sparse.csr_array(counts),
        "sparse matrix": sparse.csc_matrix(counts),
    }


# What the policies do


@pytest.mark.parametrize("policy", POLICIES)
def test_growth_is_what_rows_are_made_up(policy, numbers, y):
    """Also inside of a calibration; said without making up any."""
    X = np.nan_to_num(numbers)
    given, *_ = rows_of(needs(policy), X, y)
    inside = CalibratedClassifierCV(AugmentedClassifier(LinearSVC(), policy))
    assert row_growth(inside, y) == pytest.approx(len(given) / len(X))
    assert row_growth(LinearSVC(), y) == 1


def test_count_lacking_worked_example():
    """Half of five rows are three: a class of one row lacks two, one of three none."""
    codes = np.repeat([0, 1, 2], [5, 3, 1])
    assert list(_count_lacking(codes, 0.5)) == [(2, 2)]
    assert list(_count_lacking(codes, 1.0)) == [(1, 2), (2, 4)]
    assert list(_count_lacking(codes, 0.1)) == []


def test_class_weights_worked_example():
    """Three rows against one: each class weighs two then, and all four as before."""
    X, y = np.zeros((4, 1)), [0, 0, 0, 1]
    _, _, weights = rows_of("class_weights", X, y)
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2])
    _, _, milder = rows_of("class_weights", X, y, strength=0.5)
    np.testing.assert_allclose(milder[3] / milder[0], 3**0.5)
    np.testing.assert_allclose(milder.sum(), 4)
    _, _, given = rows_of("class_weights", X, y, weights=[1, 1, 0, 2])
    np.testing.assert_allclose(given, [1, 1, 0, 2])  # these are balanced already


def test_class_weights_are_those_of_scikit_learn():
    """As `class_weight="balanced"`."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), np.repeat([0, 1, 2], [70, 20, 10])
    ours = AugmentedClassifier(LogisticRegression(), "class_weights").fit(X, y)
    theirs = LogisticRegression(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))


def test_oversampled_rows_are_copies(numbers, y):
    """Rare classes get half of the rows of the largest, each row about as often."""
    X, labels, _ = rows_of("oversample", numbers, y)
    assert pd.Series(labels).value_counts().to_dict() == {
        "a": 40, "b": 20, "c": 20, "d": 20
    }  # fmt: skip
    np.testing.assert_array_equal(X[:60], numbers)
    of_c = pd.DataFrame(X[labels == "c"]).value_counts(dropna=False)
    assert of_c.tolist() == [10, 10]
    assert {tuple(row) for row in X[labels == "b", :2]} == {
        tuple(row) for row in numbers[y == "b", :2]
    }


def test_smote_lies_between_rows_of_a_class():
    """A new row is between two rows of its class; the row of a class of one repeats."""
    pytest.importorskip("imblearn")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(33, 2)) * [1.0, 100.0], np.repeat([0, 1, 2], [20, 12, 1])
    made, labels, _ = rows_of("smote", X, y, strength=1.0)
    assert np.bincount(labels).tolist() == [20, 20, 20]
    own = X[y == 1]
    for row in made[33:41]:
        to_row, along = row - own, own[np.newaxis] - own[:, np.newaxis]
        cross = to_row[:, None, 0] * along[..., 1] - to_row[:, None, 1] * along[..., 0]
        np.fill_diagonal(cross, np.inf)
        assert np.abs(cross).min() < 1e-9
    np.testing.assert_allclose(made[labels == 2], np.tile(X[32], (20, 1)))


def test_smote_does_not_depend_on_units():
    """In other units the rows that are made up are the same."""
    pytest.importorskip("imblearn")
    rng = np.random.default_rng(0)
    X, y, units = rng.normal(size=(40, 3)), np.repeat([0, 1], [30, 10]), [1.0, 1e3, 1e6]
    made, _, _ = rows_of("smote", X, y)
    in_units, _, _ = rows_of("smote", X * units, y)
    np.testing.assert_allclose(in_units, made * units)


@pytest.mark.parametrize("policy", ["smote", "noise"])
def test_nothing_lies_between_codes(policy, numbers, y):
    """Codes of categories stay such, and what is missing is missing or the median."""
    X, _, _ = rows_of(needs(policy), numbers, y)
    np.testing.assert_array_equal(X[:60], numbers)
    assert set(X[60:, 2]) <= {0.0, 1.0, 2.0, 3.0}
    assert len(np.intersect1d(X[60:, 0], numbers[:, 0])) <= 20  # of the class of one
    if policy == "noise":
        np.testing.assert_array_equal(np.isnan(X[60:, 3]), np.isnan(numbers[:, 3]))
    else:
        assert not np.isnan(X[60:]).any()


def test_noise_is_a_share_of_the_deviation():
    """Columns vary as much whatever they are measured in; constants do not."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 3)) * [1.0, 100.0, 0.0] + 0.5
    made, _, _ = rows_of("noise", X, np.arange(2_000) % 2, strength=0.2)
    np.testing.assert_allclose((made[2_000:] - X).std(axis=0), [0.2, 20, 0], rtol=0.1)


def test_noise_leaves_zeros_and_indicators_of_sparse_matrices():
    """Only what is there and no whole number is moved."""
    X = sparse.csr_array(np.array([[0.0, 1.0, 0.5], [1.5, 0.0, 0.0], [0.5, 1.0, 2.5]]))
    made, _, _ = rows_of("noise", X, [0, 1, 1])
    np.testing.assert_array_equal(made[:3].toarray(), X.toarray())
    new, old = made[3:].toarray(), X.toarray()
    np.testing.assert_array_equal(new[:, 1], old[:, 1])
    np.testing.assert_array_equal(new == 0, old == 0)
    assert (new[:, 0] != old[:, 0]).sum() == 2


def test_mixup_mixes_rows_and_draws_their_class():
    """A mixed row is between two rows, and more often of the class it is nearer to."""
    X = np.repeat([[0.0], [1.0]], 5_000, axis=0)
    y = np.repeat(["left", "right"], 5_000)
    made, labels, weights = rows_of("mixup", X, y, y == "right", strength=1.0)
    new, is_right = made[10_000:, 0], labels[10_000:] == "right"
    assert new.min() >= 0
    assert new.max() <= 1
    mixed = (new > 0) & (new < 1)
    assert 0.4 < mixed.mean() < 0.6
    # Uniform for a strength of 1, and the probability of the class is the proportion.
    for low in (0.1, 0.5, 0.8):
        near = mixed & (new > low) & (new <= low + 0.1)
        assert abs(is_right[near].mean() - low - 0.05) < 0.1
    np.testing.assert_allclose(weights[10_000:], new)


# What they take


@pytest.mark.parametrize("form", ["array", "frame", "nullable", "categories",
                                  "sparse array", "sparse matrix"])  # fmt: skip
@pytest.mark.parametrize("policy", POLICIES)
def test_tables_of_all_forms(policy, form, tables, y):
    """Rows keep their form, come first as given, and the same seed gives the same."""
    table, weights = tables[form], np.linspace(0.5, 2, 60)
    if policy == "mixup" and hasattr(table, "iloc"):
        with pytest.raises(ValueError, match=r"nothing lies in between.*indicators"):
            rows_of(policy, table, y)
        return
    X, labels, _ = rows_of(needs(policy), table, y)
    again, same, weights = rows_of(policy, table, y, weights)
    assert labels.tolist() == same.tolist()
    assert weights.shape == labels.shape
    assert (weights > 0).all()
    if sparse.issparse(table):
        np.testing.assert_array_equal(X[:60].toarray(), table.toarray())
        assert (again != X).nnz == 0
        return
    assert type(X) is type(table)
    if hasattr(table, "iloc"):
        given = X.iloc[:60].reset_index(drop=True).astype(table.dtypes)
        pd.testing.assert_frame_equal(given, table)
        is_category = table.dtypes == "category"
        assert (X.dtypes == "category").tolist() == is_category.tolist()
        pd.testing.assert_frame_equal(X, again)
    else:
        np.testing.assert_array_equal(X, again)


@pytest.mark.parametrize("policy", ["oversample", "smote"])
def test_balanced_classes_stay_as_they_are(policy, numbers):
    """Where no class is rare, no row is made up."""
    y = np.arange(60) % 2
    X, labels, weights = rows_of(policy, numbers, y)
    np.testing.assert_array_equal(X, numbers)
    np.testing.assert_array_equal(labels, y)
    assert weights is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"policy": "flip"}, r"policy must be one of \['class_weights'.*got: 'flip'"),
        ({"strength": 0}, "strength must be a finite number > 0 or None, got: 0"),
    ],
)
def test_parameters_are_checked(params, message, numbers, y):
    """Errors say what is allowed."""
    with pytest.raises(ValueError, match=message):
        AugmentedClassifier(RemembersRows()).set_params(**params).fit(numbers, y)


def test_class_weights_need_an_estimator_that_takes_them(numbers, y):
    """The error says what to take instead."""
    clf = AugmentedClassifier(KNeighborsClassifier(), "class_weights")
    with pytest.raises(ValueError, match=r"must take sample_weight.*'oversample'"):
        clf.fit(numbers[:, :3], y)


@pytest.mark.parametrize("policy", ["smote", "noise"])
def test_words_are_refused(policy):
    """Of words no row can be made up."""
    X = pd.DataFrame({"word": pd.Series(["a", "b"] * 5, dtype=object)})
    with pytest.raises(ValueError, match=r"the column 'word' of object.*Encode it"):
        rows_of(policy, X, np.repeat([0, 1], [8, 2]))


def test_smote_without_its_package(monkeypatch, numbers, y):
    """The error says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "imblearn", None)
    with pytest.raises(ImportError, match="pip install imbalanced-learn"):
        rows_of("smote", numbers, y)


def test_margins_and_searches():
    """It is calibrated, searched and pickled as any other classifier."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), np.repeat(["x", "y"], [70, 20])
    clf = AugmentedClassifier(LinearSVC(), "oversample", random_state=0)
    assert not hasattr(clf, "predict_proba")
    assert clf.fit(X, y).decision_function(X).shape == (90,)
    assert CalibratedClassifierCV(clf).fit(X, y).predict_proba(X).shape == (90, 2)
    search = GridSearchCV(clf, {"policy": ["noise", "class_weights"], "strength": [1]})
    restored = pickle.loads(pickle.dumps(search.fit(X, y)))
    assert restored.predict(X).tolist() == search.predict(X).tolist()


# As part of a configuration


def test_a_configuration_names_the_policy():
    """It is around the classifier, after the encoder, with the same seed."""
    configuration = Configuration(
        "logistic_regression", {"C": 2.0, "table__augmentation": "noise"}
    )
    pipeline = make_estimator(configuration, TaskSize(60, 4), random_state=5)
    assert list(pipeline.named_steps) == ["table", "learner"]
    learner = pipeline["learner"]
    assert isinstance(learner, AugmentedClassifier)
    assert (learner.policy, learner.random_state) == ("noise", 5)
    assert (learner.estimator.C, learner.estimator.random_state) == (2.0, 5)


def test_margins_are_calibrated_on_rows_that_are_there():
    """Rows are made up within the folds of the calibration."""
    pipeline = BASE_LEARNERS["linear_svc"].make(
        {"table__augmentation": "oversample"}, TaskSize(60, 4)
    )
    assert isinstance(pipeline["learner"], CalibratedClassifierCV)
    assert isinstance(pipeline["learner"].estimator, AugmentedClassifier)


@pytest.mark.parametrize(
    ("learner", "policy"),
    [
        *product(["hist_gradient_boosting", "logistic_regression"], POLICIES),
        ("random_forest", "smote"),
        ("mlp", "mixup"),
        ("k_nearest_neighbors", "oversample"),
        ("svc", "class_weights"),
        ("sklearn.naive_bayes:BernoulliNB", "noise"),
    ],
)
def test_policies_of_learners(learner, policy):
    """Numbers, categories and gaps can be fitted, however they are encoded."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [50, 20, 5])
    X = pd.DataFrame(
        {
            "number": y + rng.normal(size=75),
            "gaps": np.where(rng.random(75) < 0.2, np.nan, rng.normal(size=75)),
            "words": np.where(rng.random(75) < 0.5, y.astype(str), "unknown"),
        }
    )
    size = TaskSize(75, 3, 3)
    configuration = Configuration(learner, {"table__augmentation": needs(policy)})
    pipeline = make_estimator(configuration, size, random_state=0)
    if (learner, policy) == ("hist_gradient_boosting", "mixup"):
        with pytest.raises(ValueError, match="nothing lies in between"):
            pipeline.fit(X, y)
        return
    with calm():
        probabilities = pipeline.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.mean(probabilities.argmax(axis=1) == y) > 0.7


def test_policies_are_in_no_space():
    """Who draws or explores hyperparameters gets none, but one given is checked."""
    for learner in BASE_LEARNERS.values():
        assert "table__augmentation" not in learner.space.default
        learner.check(learner.space.default | {"table__augmentation": "noise"})
        with pytest.raises(ValueError, match=r"table__augmentation must be None or"):
            learner.check({"table__augmentation": "flip"})


def test_rows_that_are_tested_are_not_made_up():
    """Where nothing is to be learned, copies of rows do not make it look otherwise."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 5)))
    y = (np.arange(300) % 6 == 0).astype(int)
    configuration = Configuration("extra_trees", {"table__augmentation": "oversample"})
    cell, _ = evaluate_configuration(
        configuration, X, y, Protocol(n_folds=3).split(y), 0, lambda: None
    )
    assert np.mean(cell["scores"]["roc_auc_ovr_weighted"]) < 0.6


def rare_table(seed):
    """200 rows of two classes, of which one is rare; three columns say which."""
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(200) < 0.15, "rare", "usual")
    shift = (y == "rare")[:, np.newaxis]
    return pd.DataFrame(rng.normal(size=(200, 3)) + shift, columns=list("abc")), y


@pytest.fixture(scope="module")
def augmented_knowledge(tmp_path_factory):
    """Three tables, evaluated with and without class weights."""
    folder = tmp_path_factory.mktemp("tables")
    sources = []
    for seed in range(3):
        X, y = rare_table(seed)
        path = folder / f"table_{seed}.csv"
        X.assign(target=y).to_csv(path, index=False)
        sources.append(TaskSource(path.stem, str(path), "target", path.stem))
    plain, weighed = (
        Configuration("logistic_regression", {"C": 1.0, "table__augmentation": policy})
        for policy in (None, "class_weights")
    )
    return build_knowledge(
        sources,
        folder / "augmented.zip",
        configurations=[plain, weighed],
        protocol=Protocol(n_folds=2),
    )


def test_it_is_evaluated_and_recommended_like_any_other(augmented_knowledge):
    """Where weights were best for other tables, they come first, else not."""
    for metric, best in [("balanced_accuracy", "class_weights"), ("accuracy", None)]:
        recommender = PortfolioRecommender().fit(augmented_knowledge, metric)
        (first,) = recommender.recommend({}, n_configurations=1).configurations
        assert first.hyperparameters["table__augmentation"] == best


def test_a_recommended_one_is_fitted_and_exported(augmented_knowledge):
    """It predicts, is pickled, and leaves skmeta as it was fitted, but not as code."""
    names = augmented_knowledge.configurations.index
    X, y = rare_table(3)
    clf = MetaLearnerClassifier(
        knowledge=augmented_knowledge.with_configurations([names[1]]), random_state=0
    ).fit(X, y)
    assert clf.best_params_["table__augmentation"] == "class_weights"
    (member,) = clf.ensemble_.estimators_
    assert isinstance(member["learner"], AugmentedClassifier)
    expected = clf.predict_proba(X)
    restored = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(restored.predict_proba(X), expected)
    np.testing.assert_allclose(clf.to_sklearn().predict_proba(X), expected)
    with pytest.raises(ValueError, match="cannot make up rows"):
        clf.to_code()
    assert clf.distil(X).predict_proba(X).shape == (200, 2)


@pytest.mark.parametrize("learner", ["linear_svc", "gaussian_nb"])
def test_what_is_around_the_classifier_is_not_exported(learner):
    """Also inside the calibration of margins."""
    X, y = rare_table(3)
    values = {"table__augmentation": "oversample"}
    pipeline = make_estimator(Configuration(learner, values), TaskSize(*X.shape), 0)
    pipeline.fit(X, y)
    plain = to_sklearn(pipeline)
    np.testing.assert_allclose(plain.predict_proba(X), pipeline.predict_proba(X))
    assert "skmeta" not in str(vars(plain.steps[-1][1]))
    check_plain(plain)


def test_weights_are_refused_where_none_are_taken():
    """Before anything is evaluated in vain."""
    with pytest.raises(ValueError, match="k_nearest_neighbors, which takes no weights"):
        get_learner("k_nearest_neighbors").check(
            {"table__augmentation": "class_weights"}
        )


def test_hyperparameters_alone_have_no_policy(augmented_knowledge):
    """For an estimator of the user's, what differs in the policy alone is one."""
    X, y = rare_table(3)
    search = MetaHyperparamSelector(
        LogisticRegression(), knowledge=augmented_knowledge, random_state=0
    )
    assert search.suggest(X, y) == [{"C": 1.0}]
