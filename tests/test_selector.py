import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from skmeta import (
    Configuration,
    MetaHyperparamSelector,
    load_knowledge,
)
from skmeta._base_learners import BASE_LEARNERS
from skmeta.exceptions import NoCandidateError
from skmeta.knowledge import Protocol, build_knowledge, find_tasks


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def scaled_svc():
    return make_pipeline(StandardScaler(), SVC())


def test_finds_the_step_of_a_pipeline(iris, scaled_svc):
    """Parameters carry the step's prefix and set_params takes them."""
    X, y = iris
    search = MetaHyperparamSelector(scaled_svc, n_candidates=3, random_state=0)
    search.fit(X, y)
    assert all(name.startswith("svc__") for name in search.best_params_)
    scaled_svc.set_params(**search.best_params_)
    assert search.best_params_["svc__C"] == search.best_estimator_["svc"].C
    assert search.score(X, y) > 0.9
    assert not hasattr(search, "predict_proba")  # an SVC has none
    assert search.decision_function(X).shape == (150, 3)


def test_results_have_the_keys_of_grid_search(iris, scaled_svc):
    """Key for key, cv_results_ is what GridSearchCV gives for the same candidates."""
    X, y = iris
    search = MetaHyperparamSelector(scaled_svc, cv=5, random_state=0).fit(X, y)
    grid = GridSearchCV(
        scaled_svc,
        [{k: [v] for k, v in p.items()} for p in search.cv_results_["params"]],
    ).fit(X, y)
    ours, theirs = search.cv_results_, grid.cv_results_
    assert list(ours) == list(theirs)
    for key in ours:
        if "time" in key or key == "params":
            continue
        assert ours[key].dtype == theirs[key].dtype, key
        np.testing.assert_array_equal(ours[key], theirs[key])
    assert ours["params"] == theirs["params"]
    assert search.best_params_ == grid.best_params_
    assert search.best_score_ == grid.best_score_
    assert search.best_index_ == grid.best_index_


def test_zero_shot_fits_once(iris):
    """One candidate is fitted without cross-validation."""
    X, y = iris
    search = MetaHyperparamSelector(
        ExtraTreesClassifier(), n_candidates=1, random_state=0
    ).fit(X, y)
    assert np.isnan(search.best_score_)
    assert search.n_splits_ == 0
    assert search.predict_proba(X).shape == (150, 3)


def test_suggest_fits_nothing(iris):
    """Suggestions are ranked, distinct, and what set_params takes."""
    X, y = iris

    class NeverFitted(LogisticRegression):
        def fit(self, *args, **kwargs):
            raise AssertionError("fitted")

    estimator = LogisticRegression()
    search = MetaHyperparamSelector(estimator)
    suggestions = search.suggest(X, y)
    assert len(suggestions) >= 3
    assert len({repr(sorted(s.items())) for s in suggestions}) == len(suggestions)
    for suggestion in suggestions:
        clone(estimator).set_params(**suggestion)
    assert search.suggest(X, y, n_suggestions=2) == suggestions[:2]
    assert not hasattr(search, "recommendation_")
    fitted = MetaHyperparamSelector(estimator, n_candidates=2, random_state=0).fit(X, y)
    assert fitted.cv_results_["params"] == suggestions[:2]


def test_param_grid_goes_into_grid_search(iris, scaled_svc):
    """GridSearchCV takes the suggestions as its grid."""
    X, y = iris
    grid = MetaHyperparamSelector(scaled_svc).param_grid(X, y, n_suggestions=3)
    search = GridSearchCV(scaled_svc, grid).fit(X, y)
    assert len(search.cv_results_["params"]) == 3


@pytest.mark.parametrize(
    "learner",
    sorted({c.learner for c in load_knowledge().configuration_values}),
)
def test_every_learner_of_the_catalogue_is_found(iris, learner):
    """Each classifier of the catalogue gets suggestions that it takes."""
    if not BASE_LEARNERS[learner].is_installed:
        pytest.skip(f"{learner} is not installed")
    estimator = BASE_LEARNERS[learner].estimator_class()
    suggestions = MetaHyperparamSelector(estimator).suggest(*iris)
    assert suggestions
    for suggestion in suggestions:
        clone(estimator).set_params(**suggestion)


def test_nested_estimators_are_searched(iris):
    """The classifier inside a calibration inside a pipeline is found."""
    inner = CalibratedClassifierCV(LinearSVC(), ensemble=False)
    search = MetaHyperparamSelector(make_pipeline(StandardScaler(), inner))
    (suggestion, *_) = search.suggest(*iris)
    assert all(
        name.startswith("calibratedclassifiercv__estimator__") for name in suggestion
    )


def test_several_classifiers_are_refused(iris):
    """With two of them at one depth it is not guessed which is meant."""
    votes = VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())])
    with pytest.raises(ValueError, match=r"got several: \['a', 'b'\]"):
        MetaHyperparamSelector(votes).fit(*iris)


def test_unknown_estimator_says_which_are_known_and_how_to_teach(iris):
    """The error lists the known classifiers and shows the configuration to add."""
    with pytest.raises(
        ValueError, match=r"(?s)'RandomForestClassifier'.*AdaBoost.*Conf"
    ):
        MetaHyperparamSelector(AdaBoostClassifier()).fit(*iris)
    with pytest.raises(ValueError, match=r"a classifier, since.*got: SVR\(\)\.$"):
        MetaHyperparamSelector(SVR()).fit(*iris)


def test_taught_estimator_is_known(iris, tmp_path):
    """After building knowledge of AdaBoost, AdaBoost gets recommendations."""
    X, y = iris
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(150)[:90]
        header = "a,b,c,d,label"
        cells = np.column_stack([X[rows], y[rows]])
        np.savetxt(
            tmp_path / f"t{seed}.csv", cells, delimiter=",", header=header, comments=""
        )
    taught = [
        Configuration("sklearn.ensemble:AdaBoostClassifier", {"n_estimators": n})
        for n in (2, 9)
    ]
    knowledge = build_knowledge(
        find_tasks([tmp_path], target="label"),
        tmp_path / "taught.zip",
        configurations=taught,
        protocol=Protocol(n_folds=2),
    )
    search = MetaHyperparamSelector(
        AdaBoostClassifier(), knowledge=knowledge, random_state=0
    ).fit(X, y)
    assert sorted(p["n_estimators"] for p in search.cv_results_["params"]) == [2, 9]
    with pytest.raises(NoCandidateError, match="no configuration of 'random_forest'"):
        MetaHyperparamSelector(RandomForestClassifier(), knowledge=knowledge).fit(X, y)


def test_hyperparameters_suit_the_number_of_rows(iris):
    """On 30 rows no leaf has 20 and no neighbourhood more than half of them."""
    X, y = iris
    few = np.r_[0:10, 50:60, 100:110]
    for name, parameter, most in [
        ("k_nearest_neighbors", "n_neighbors", 15),
        ("hist_gradient_boosting", "min_samples_leaf", 1),
        ("random_forest", "min_samples_leaf", 1),
    ]:
        estimator = BASE_LEARNERS[name].estimator_class()
        for suggestion in MetaHyperparamSelector(estimator).suggest(X[few], y[few]):
            assert suggestion.get(parameter, 0) <= most


def test_unset_seeds_are_set(iris):
    """An estimator without a seed of its own becomes reproducible."""
    X, y = iris
    search = MetaHyperparamSelector(
        RandomForestClassifier(n_estimators=10), n_candidates=2, random_state=0
    )
    first, second = clone(search).fit(X, y), clone(search).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    own = RandomForestClassifier(n_estimators=10, random_state=7)
    kept = clone(search).set_params(estimator=own).fit(X, y)
    assert kept.best_estimator_.random_state == 7


@pytest.mark.parametrize("routing", [False, True])
def test_sample_weight_reaches_the_step(iris, routing):
    """Rows of weight zero teach nothing, inside a pipeline too."""
    X, y = iris
    wrong = np.tile([0, 1], 75).astype(bool)
    noisy, weights = np.where(wrong, (y + 1) % 3, y), np.where(wrong, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=routing):
        tree = DecisionTreeClassifier(random_state=0)
        if routing:
            tree.set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler(), tree)
        if routing:
            pipeline["standardscaler"].set_fit_request(sample_weight=False)
        search = MetaHyperparamSelector(pipeline, n_candidates=2, random_state=0).fit(
            X, noisy, sample_weight=weights
        )
    assert (search.predict(X) == y).mean() > 0.9
    assert search.best_score_ > 0.85


def test_estimator_without_weights_is_said(iris):
    """Weights for an estimator that takes none are an error, not lost."""
    with pytest.raises(ValueError, match="KNeighborsClassifier, which does not"):
        MetaHyperparamSelector(KNeighborsClassifier()).fit(
            *iris, sample_weight=np.ones(150)
        )


def test_what_is_not_recommended_stays(iris):
    """Parameters that no configuration mentions are the user's."""
    estimator = MLPClassifier(beta_1=0.8)
    for suggestion in MetaHyperparamSelector(estimator).suggest(*iris):
        assert "beta_1" not in suggestion


def test_suggest_checks_its_arguments(iris):
    """What fit would refuse, suggest refuses."""
    with pytest.raises(ValueError, match="acuracy"):
        MetaHyperparamSelector(GaussianNB(), scoring="acuracy").suggest(*iris)
    with pytest.raises(ValueError, match="must be an integer >= 1"):
        MetaHyperparamSelector(GaussianNB()).suggest(*iris, n_suggestions=-1)
    with pytest.raises(ValueError, match="n_suggestions must be an integer >= 1"):
        MetaHyperparamSelector(GaussianNB()).suggest(*iris, n_suggestions=0)


def test_without_a_number_all_is_suggested(iris):
    """And not only as many as fit would try."""
    few = MetaHyperparamSelector(SVC(), n_candidates=2)
    known = load_knowledge().select_learners("svc").configurations
    params = {repr(sorted(h.items())) for h in known["hyperparameters"]}
    assert 8 < len(few.suggest(*iris)) <= len(params)


def test_in_cross_validation_and_pickled(iris):
    """It is an estimator like others."""
    X, y = iris
    search = MetaHyperparamSelector(
        LogisticRegression(), n_candidates=2, random_state=0
    )
    assert cross_val_score(search, X, y, cv=3).min() > 0.85
    fitted = search.fit(X, y)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))


def test_failing_estimator_shows_its_reason(iris):
    """An estimator that cannot take missing values says so through our error."""
    X, y = iris
    X = X.copy()
    X[0, 0] = np.nan
    with pytest.raises(NoCandidateError, match="ValueError: Input X contains NaN"):
        MetaHyperparamSelector(LogisticRegression(), n_candidates=2).fit(X, y)


def test_shipped_knowledge_without_the_learner(iris):
    """A knowledge base that lacks the learner says what it holds."""
    knowledge = load_knowledge().select_learners("gaussian_nb")
    with pytest.raises(NoCandidateError, match=r"only of \['gaussian_nb'\]"):
        MetaHyperparamSelector(LogisticRegression(), knowledge=knowledge).fit(*iris)


def test_no_time_to_fit_on_all_rows(monkeypatch):
    """The model of a split predicts, with the methods that the estimator has."""
    X, y = make_classification(600, 6, random_state=0)
    monkeypatch.setattr(
        "skmeta._refit._plan", lambda indices, *rest: dict.fromkeys(indices, "folds")
    )
    search = MetaHyperparamSelector(
        make_pipeline(StandardScaler(), SVC()),
        time_budget=30,
        n_candidates=2,
        random_state=0,
    ).fit(X, y)
    assert search.trial_log_["members"][0]["fitted_on"] == "folds"
    assert isinstance(search.best_estimator_[-1], SVC)
    assert search.score(X, y) > 0.8
    assert search.decision_function(X).shape == (600,)


class MyForest(RandomForestClassifier):
    """A user's own forest."""


def test_a_subclass_of_a_users_is_the_learner_that_it_extends():
    """But what scikit-learn extends is something else."""
    X, y = load_iris(return_X_y=True)
    search = MetaHyperparamSelector(MyForest(n_estimators=10), n_candidates=2)
    assert isinstance(search.fit(X, y).best_estimator_, MyForest)
    for other in (ExtraTreeClassifier(), LogisticRegressionCV()):
        with pytest.raises(ValueError, match="estimator must be or hold one of"):
            MetaHyperparamSelector(other).fit(X, y)


def test_a_table_that_the_estimator_does_not_take():
    """It is given as it is, and the error says who is to prepare it."""
    X = pd.DataFrame({"kind": ["a", "b", "c"] * 20})
    search = MetaHyperparamSelector(RandomForestClassifier(), n_candidates=2)
    with pytest.raises(NoCandidateError, match=r"'\. The estimator .* a pipeline\."):
        search.fit(X, [0, 1] * 30)


def test_an_estimator_without_the_probabilities_that_the_metric_needs(iris):
    search = MetaHyperparamSelector(SVC(), n_candidates=2, scoring="roc_auc_ovr")
    with pytest.raises(NoCandidateError, match="has predict_proba, such as") as raised:
        search.fit(*iris)
    assert "pipeline" not in str(raised.value)
    calibrated = CalibratedClassifierCV(SVC(), cv=2)
    assert search.set_params(estimator=calibrated).fit(*iris).best_score_ > 0.9
