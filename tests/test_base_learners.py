import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skmeta import Configuration
from skmeta._base_learners import (
    BASE_LEARNERS,
    TaskSize,
    check_learners,
    default_configurations,
    find_learner,
    get_learner,
    make_estimator,
    split_hyperparameters,
)
from skmeta._workers import calm

repeatable = settings(deadline=None, derandomize=True, max_examples=25)

BOOSTERS = ("lightgbm", "xgboost", "catboost")
SCIKIT_LEARN = [name for name in BASE_LEARNERS if name not in BOOSTERS]
# Those that fit 75 rows in milliseconds whatever their hyperparameters are.
QUICK = [
    "decision_tree",
    "logistic_regression",
    "linear_svc",
    "sgd",
    "svc",
    "k_nearest_neighbors",
    "gaussian_nb",
    "linear_discriminant_analysis",
    "quadratic_discriminant_analysis",
]
SIZE = TaskSize(n_rows=75, n_columns=5, n_classes=3)


def as_name(configuration):
    return configuration.name


def installed(name):
    """Return a base learner, or skip the test where its package is missing."""
    learner = BASE_LEARNERS[name]
    pytest.importorskip(learner.estimator.partition(":")[0].partition(".")[0])
    return learner


@pytest.fixture(scope="module")
def mixed():
    """75 rows of three classes: numbers and categories, both with gaps."""
    rng = np.random.RandomState(0)
    y = np.repeat(["cat", "dog", "eel"], 25)
    position = np.repeat([0.0, 2.0, 4.0], 25)
    X = pd.DataFrame(
        {
            "near": position + rng.normal(size=75),
            "noise": rng.normal(size=75),
            "gaps": np.where(
                rng.uniform(size=75) < 0.2, np.nan, -position + rng.normal(size=75)
            ),
            "sound": np.where(rng.uniform(size=75) < 0.5, y, "silence"),
            "color": pd.Categorical(rng.choice(["red", "blue"], size=75)),
        }
    )
    X.loc[rng.choice(75, 10, replace=False), ["sound", "noise"]] = None
    return X, y


def assert_gives_probabilities(estimator, X, classes):
    probabilities = estimator.predict_proba(X)
    assert estimator.classes_.tolist() == list(classes)
    assert probabilities.shape == (len(X), len(classes))
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)


# The catalogue


def test_default_configurations_worked_example():
    """Asked for one learner, only its configurations come, its default first."""
    forests = default_configurations(["random_forest"])
    assert forests[0] == Configuration("random_forest", {"min_samples_leaf": 1})
    assert {configuration.learner for configuration in forests} == {"random_forest"}
    assert len(forests) > 2


def test_default_configurations_are_many_and_distinct():
    """Scikit-learn alone gives at least 32 configurations; no name occurs twice."""
    configurations = default_configurations(SCIKIT_LEARN)
    assert len(configurations) >= 32
    every_one = default_configurations(list(BASE_LEARNERS))
    assert len({configuration.name for configuration in every_one}) == len(every_one)


def test_default_configurations_cover_the_catalogue():
    """Every base learner has a configuration."""
    every_one = default_configurations(list(BASE_LEARNERS))
    assert {configuration.learner for configuration in every_one} == set(BASE_LEARNERS)


def test_default_configurations_are_of_what_is_installed():
    """Without names, no configuration needs a package that is missing."""
    learners = {configuration.learner for configuration in default_configurations()}
    assert learners == {
        name for name, learner in BASE_LEARNERS.items() if learner.is_installed
    }
    assert set(SCIKIT_LEARN) <= learners


@pytest.mark.parametrize(
    "configuration", default_configurations(list(BASE_LEARNERS)), ids=as_name
)
def test_default_configuration_lies_in_its_space(configuration):
    """What is recommended could have been drawn from the learner's space."""
    space = BASE_LEARNERS[configuration.learner].space
    space.check(configuration.hyperparameters)


@pytest.mark.parametrize("name", list(BASE_LEARNERS))
def test_default_of_a_space_lies_in_it(name):
    """The default of every hyperparameter is allowed, and JSON can hold it."""
    space = BASE_LEARNERS[name].space
    space.check(space.default)
    assert dict(Configuration(name, space.default).hyperparameters) == space.default


def test_untuned_defaults_come_first():
    """Each learner is tried as it comes before any learner is tried tuned."""
    configurations = default_configurations(SCIKIT_LEARN)
    first = configurations[: len(SCIKIT_LEARN)]
    assert {configuration.learner for configuration in first} == set(SCIKIT_LEARN)
    for configuration in first:
        # Without regularization this one fails where columns are collinear, as
        # indicators of levels are.
        if configuration.learner != "quadratic_discriminant_analysis":
            default = BASE_LEARNERS[configuration.learner].space.default
            assert configuration.hyperparameters.items() <= default.items()


@pytest.mark.parametrize(
    ("names", "expected"),
    [("mlp", ["mlp"]), (["mlp", "svc"], ["mlp", "svc"]), (("mlp",), ["mlp"])],
)
def test_check_learners(names, expected):
    """One name or several are a list of names."""
    assert check_learners(names) == expected


@pytest.mark.parametrize(
    ("names", "got"), [(["mlp", "forest"], r"\['forest'\]"), ([], r"\[\]")]
)
def test_unknown_learners(names, got):
    """Unknown names, and no names, are answered with the known ones."""
    message = rf"base_learners must be one or more of \['catboost', .*\], got: {got}"
    with pytest.raises(ValueError, match=message):
        check_learners(names)
    with pytest.raises(ValueError, match=message):
        default_configurations(names)


def test_missing_package_is_not_installed():
    """A learner whose package is missing says so without importing it."""
    assert not get_learner("no_such_package_at_all:Classifier").is_installed
    assert get_learner("sklearn.svm:NuSVC").is_installed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("random_forest", True),
        ("linear_svc", True),
        ("k_nearest_neighbors", False),
        ("linear_discriminant_analysis", False),
    ],
)
def test_takes_weights(name, expected):
    """Whether rows may be weighted is known from the signature of `fit`."""
    assert BASE_LEARNERS[name].takes_weights is expected


@pytest.mark.parametrize(
    "name",
    [name for name in SCIKIT_LEARN if BASE_LEARNERS[name].takes_weights]
    + list(BOOSTERS),
)
def test_pipeline_takes_weights_where_the_learner_does(name, mixed):
    """Weights reach the learner through its pipeline, also around a margin."""
    learner = installed(name)
    assert learner.takes_weights
    X, y = mixed
    values = {"max_iter": 15} if name == "mlp" else {}
    pipeline = learner.make(values, SIZE, random_state=0)
    with calm():
        pipeline.fit(X, y, learner__sample_weight=np.linspace(0.5, 2, 75))
        assert_gives_probabilities(pipeline, X, ["cat", "dog", "eel"])


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("svc", TaskSize(15_000, 10), True),
        ("svc", TaskSize(15_001, 10), False),
        ("linear_svc", TaskSize(1_000_000, 2), False),
        ("k_nearest_neighbors", TaskSize(40_000, 1_000), False),
        ("hist_gradient_boosting", TaskSize(1_000_000, 100), True),
        ("hist_gradient_boosting", TaskSize(1_000_000, 1_000), False),
        ("random_forest", TaskSize(10_000_000, 10_000), True),
    ],
)
def test_suits(name, size, expected):
    """Learners that would take too long or too much memory are not offered."""
    assert BASE_LEARNERS[name].suits(size) is expected


def test_every_learner_suits_a_small_task():
    """On 75 rows nothing is out of reach."""
    assert all(learner.suits(SIZE) for learner in BASE_LEARNERS.values())


def test_split_hyperparameters_worked_example():
    """Those of the table encoder are told by their prefix."""
    encoding, params = split_hyperparameters({"C": 1.0, "table__scale": "robust"})
    assert encoding == {"scale": "robust"}
    assert params == {"C": 1.0}


# What is made of a configuration


def test_make_estimator_worked_example():
    """A pipeline encodes the table as told and hands it to the classifier."""
    configuration = Configuration(
        "logistic_regression", {"C": 0.5, "table__scale": "quantile"}
    )
    pipeline = make_estimator(configuration, SIZE, random_state=3)
    assert list(pipeline.named_steps) == ["table", "learner"]
    assert pipeline["table"].categories == "one_hot"
    assert pipeline["table"].scale == "quantile"
    assert isinstance(pipeline["learner"], LogisticRegression)
    assert pipeline["learner"].C == 0.5
    assert pipeline["learner"].random_state == 3


@pytest.mark.filterwarnings("error::FutureWarning", "error::DeprecationWarning")
@pytest.mark.parametrize(
    "configuration", default_configurations(list(BASE_LEARNERS)), ids=as_name
)
def test_default_configuration_gives_probabilities(configuration, mixed):
    """Each configuration fits a small mixed table and gives probabilities."""
    installed(configuration.learner)
    X, y = mixed
    pipeline = make_estimator(configuration, SIZE, random_state=0)
    with calm():
        pipeline.fit(X, y)
        assert_gives_probabilities(pipeline, X, ["cat", "dog", "eel"])
        predicted = pipeline.predict(X)
    assert set(predicted) <= {"cat", "dog", "eel"}
    assert np.mean(predicted == y) > 0.4  # a guess is right in a third of the rows


@pytest.mark.parametrize("name", QUICK)
def test_what_is_drawn_from_a_space_can_be_fitted(name, mixed):
    """No draw combines hyperparameters that the classifier refuses together."""
    learner = BASE_LEARNERS[name]
    X, y = mixed
    random_state = np.random.RandomState(0)
    for _ in range(8):
        values = learner.space.sample(random_state)
        with calm():
            pipeline = learner.make(values, SIZE, random_state=0).fit(X, y)
            assert_gives_probabilities(pipeline, X, ["cat", "dog", "eel"])


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_learner_fits_a_sparse_table(name):
    """Each learner takes a sparse table."""
    X = sparse.random(75, 8, density=0.3, format="csr", random_state=0)
    y = np.arange(75) % 3
    configuration = default_configurations([name])[0]
    with calm():
        pipeline = make_estimator(configuration, SIZE, random_state=0).fit(X, y)
        probabilities = pipeline.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", list(BASE_LEARNERS))
def test_made_pipeline_is_cloned_and_pickled(name, mixed):
    """A pipeline may be cloned and pickled before fit, and predicts alike after."""
    installed(name)
    X, y = mixed
    configuration = default_configurations([name])[0]
    pipeline = make_estimator(configuration, SIZE, random_state=0)
    copied = clone(pickle.loads(pickle.dumps(pipeline)))
    assert repr(copied) == repr(pipeline)
    with calm():
        pipeline.fit(X, y)
        restored = pickle.loads(pickle.dumps(pipeline))
        expected = pipeline.predict_proba(X)
        np.testing.assert_array_equal(restored.predict_proba(X), expected)


@pytest.mark.parametrize("name", list(BASE_LEARNERS))
def test_random_state_is_given(name):
    """The random state reaches the classifier, however deep it sits."""
    installed(name)
    pipeline = BASE_LEARNERS[name].make({}, SIZE, random_state=7)
    seeds = {
        value
        for key, value in pipeline.get_params(deep=True).items()
        if key.endswith("random_state")
    }
    has_seed = "random_state" in BASE_LEARNERS[name].estimator_class().get_params()
    assert seeds == ({7} if has_seed else set())


def test_making_does_not_change_the_configuration():
    """What is fitted to the size of a task is a copy."""
    configuration = Configuration("random_forest", {"min_samples_leaf": 50})
    pipeline = make_estimator(configuration, SIZE)
    assert pipeline["learner"].min_samples_leaf == 3
    assert configuration.hyperparameters["min_samples_leaf"] == 50


@given(
    name=st.sampled_from(SCIKIT_LEARN),
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(2, 100_000),
)
@repeatable
def test_hyperparameters_suit_the_size(name, seed, n_rows):
    """Neighbours never outnumber the rows, and a leaf takes a twentieth at most."""
    learner = BASE_LEARNERS[name]
    values = learner.space.sample(seed)
    made = learner.make(values, TaskSize(n_rows, 5))["learner"].get_params()
    assert made.get("n_neighbors", 1) <= n_rows
    assert made.get("min_samples_leaf", 1) <= max(1, n_rows / 20)


@pytest.mark.parametrize(
    ("n_rows", "expected"), [(75, 100), (4_000, 100), (8_000, 50), (200_000, 15)]
)
def test_more_rows_need_fewer_epochs(n_rows, expected):
    """A network sees about as many batches whatever the number of rows."""
    pipeline = BASE_LEARNERS["mlp"].make({}, TaskSize(n_rows, 5))
    assert pipeline["learner"].max_iter == expected


def test_many_classes_need_fewer_rounds():
    """Boosting grows a tree for each class in each round."""
    learner = BASE_LEARNERS["hist_gradient_boosting"]
    few = learner.make({"max_iter": 300}, TaskSize(1000, 5, n_classes=20))
    many = learner.make({"max_iter": 300}, TaskSize(1000, 5, n_classes=21))
    assert few["learner"].max_iter == 300
    assert many["learner"].max_iter == 100


@pytest.mark.parametrize("name", ["linear_svc", "svc"])
@pytest.mark.parametrize("n_rare", [2, 3])
def test_margins_become_probabilities_with_a_small_class(name, n_rare):
    """Margins are calibrated although a class has fewer rows than folds."""
    rng = np.random.RandomState(0)
    y = np.repeat(["a", "b", "c"], [40, 40, n_rare])
    X = rng.normal(size=(len(y), 2)) + np.repeat([-3, 3, 9], [40, 40, n_rare])[:, None]
    with calm():
        pipeline = BASE_LEARNERS[name].make({}, TaskSize(len(y), 2, 3)).fit(X, y)
        assert_gives_probabilities(pipeline, X, ["a", "b", "c"])
        assert (pipeline.predict(X)[:80] == y[:80]).mean() > 0.9


@pytest.mark.parametrize("name", ["linear_svc", "svc"])
def test_calibrated_margins_tell_how_sure_they_are(name):
    """Of coin tosses a margin learner says that both sides are as likely."""
    X = np.random.RandomState(0).normal(size=(120, 2))
    y = np.arange(120) % 2
    with calm():
        pipeline = BASE_LEARNERS[name].make({}, TaskSize(120, 2)).fit(X, y)
        probabilities = pipeline.predict_proba(X)[:, 1]
    assert probabilities.min() > 0.25
    assert probabilities.max() < 0.75


# Learners by their import path


def test_get_learner_by_import_path(mixed):
    """A classifier outside the catalogue is given numbers of every table."""
    X, y = mixed
    path = "sklearn.svm:NuSVC"
    learner = get_learner(path)
    assert learner.name == path
    assert learner.takes_weights
    pipeline = make_estimator(Configuration(path, {"nu": 0.3}), SIZE, random_state=0)
    assert pipeline["learner"].nu == 0.3
    assert pipeline["learner"].random_state == 0
    with calm():
        assert pipeline.fit(X, y).score(X, y) > 0.5


def test_get_learner_by_name():
    """Names are those of the catalogue."""
    assert get_learner("mlp") is BASE_LEARNERS["mlp"]
    with pytest.raises(
        ValueError, match=r"must be one or more of .* got: \['forest'\]"
    ):
        get_learner("forest")


# Learners found in a user's estimator


@pytest.mark.parametrize(
    ("estimator", "name", "prefix"),
    [
        (LogisticRegression(), "logistic_regression", ""),
        (make_pipeline(StandardScaler(), SVC()), "svc", "svc__"),
        (CalibratedClassifierCV(estimator=LinearSVC()), "linear_svc", "estimator__"),
        (
            make_pipeline(
                StandardScaler(), CalibratedClassifierCV(estimator=LinearSVC())
            ),
            "linear_svc",
            "calibratedclassifiercv__estimator__",
        ),
    ],
    ids=["bare", "pipeline", "calibrated", "calibrated in a pipeline"],
)
def test_find_learner(estimator, name, prefix):
    """A known classifier is found, and its parameters can be set by the prefix."""
    learner, found_prefix = find_learner(estimator)
    assert learner is BASE_LEARNERS[name]
    assert found_prefix == prefix
    clone(estimator).set_params(**{f"{prefix}C": 0.5})


def test_find_learner_takes_the_outermost():
    """A classifier that serves another one is not what is searched for."""
    calibrated = CalibratedClassifierCV(estimator=LinearSVC())
    estimator = VotingClassifier(
        [("near", KNeighborsClassifier()), ("wide", calibrated)]
    )
    learner, prefix = find_learner(estimator)
    assert (learner.name, prefix) == ("k_nearest_neighbors", "near__")


def test_find_learner_among_several():
    """Two classifiers side by side leave no choice that a machine should make."""
    estimator = VotingClassifier([("forest", RandomForestClassifier()), ("svc", SVC())])
    with pytest.raises(ValueError, match=r"got several: \['forest', 'svc'\]"):
        find_learner(estimator)


class UnheardOfClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that no catalogue knows."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha


def test_find_learner_unknown():
    """An unknown classifier is answered with the known ones and how to teach it."""
    with pytest.raises(
        ValueError, match=r"must be or hold one of \[.*'SVC'.*\]"
    ) as caught:
        find_learner(UnheardOfClassifier())
    path = f"{__name__}:UnheardOfClassifier"
    assert f"Configuration({path!r}, {{...}})" in str(caught.value)


def test_find_learner_unknown_in_a_pipeline():
    """To teach a classifier in a pipeline, its own path is what a user needs."""
    estimator = make_pipeline(StandardScaler(), RidgeClassifier())
    with pytest.raises(ValueError, match=r"Configuration\('sklearn.*:RidgeClassifier'"):
        find_learner(estimator)


def test_find_learner_taught():
    """A classifier taught by its import path is found like one of the catalogue."""
    path = "sklearn.linear_model:RidgeClassifier"
    estimator = make_pipeline(StandardScaler(), RidgeClassifier())
    learner, prefix = find_learner(estimator, taught=["mlp", path])
    assert (learner.name, prefix) == (path, "ridgeclassifier__")


def test_find_learner_taught_one_of_the_same_name():
    """A taught class does not hide one of the same name in another package."""
    taught = ["some_package:SVC"]
    assert find_learner(SVC(), taught)[0] is BASE_LEARNERS["svc"]


def test_find_learner_tells_packages_apart():
    """A class of a known name in another package is not the known one."""
    namesake = type("SVC", (UnheardOfClassifier,), {"__module__": "some_package"})
    with pytest.raises(ValueError, match="must be or hold one of"):
        find_learner(namesake())


def test_find_learner_in_a_search():
    """The classifier in a search is found too."""
    search = GridSearchCV(SVC(), {"C": [1, 10]})
    assert find_learner(search)[1] == "estimator__"
