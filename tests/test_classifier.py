import json
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info

from skmeta import (
    Configuration,
    KnowledgeBase,
    MetaLearnerClassifier,
    Recommendation,
    SimilarTasksRecommender,
    load_knowledge,
)
from skmeta._ensemble import WeightedEnsemble
from skmeta._evaluation import INTERRUPTED, fit_all
from skmeta._trials import Trials
from skmeta.exceptions import KnowledgeError, NoCandidateError, SkmetaWarning
from skmeta.recommendation import Recommender

CHEAP = ["gaussian_nb", "linear_discriminant_analysis", "logistic_regression"]


def cheap_classifier(**params):
    """Return a classifier whose candidates take milliseconds."""
    defaults = {"base_learners": CHEAP, "n_candidates": 3, "random_state": 0}
    return MetaLearnerClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def mixed_table():
    """Ninety rows with every kind of column, some of each cell missing."""
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 30)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=90) + (y == "a") * 3,
            "integer": pd.array(rng.integers(5, size=90), dtype="Int64"),
            "word": np.where(y == "b", "left", "right").astype(object),
            "category": pd.Categorical(rng.choice(["u", "v", "w"], 90)),
            "yes": rng.random(90) < 0.5,
            "maybe": pd.array(rng.random(90) < 0.5, dtype="boolean"),
            "date": pd.date_range("2020-01-01", periods=90),
            "constant": 1.0,
            "empty": np.nan,
            "infinite": np.where(rng.random(90) < 0.1, np.inf, rng.random(90)),
            "text": [f"a sentence that occurs once, number {i}" for i in range(90)],
        }
    )
    frame.loc[::7, ["number", "word", "category", "maybe", "date"]] = None
    return frame, y


# What it is for


def test_beats_chance_on_wine_without_having_seen_it():
    """On held-out wine the classifier is right nearly always."""
    X, y = load_wine(return_X_y=True)
    knowledge = load_knowledge().without(["wine"])
    clf = MetaLearnerClassifier(knowledge=knowledge, n_candidates=3, random_state=0)
    clf.fit(X[::2], y[::2])
    assert clf.score(X[1::2], y[1::2]) > 0.9


def test_fitted_attributes_are_those_of_grid_search(iris):
    """What a user of GridSearchCV looks for is there, and agrees with itself."""
    X, y = iris
    clf = cheap_classifier().fit(X, y)
    grid = GridSearchCV(LogisticRegression(max_iter=500), {"C": [1.0]}).fit(X, y)
    for name in [n for n in vars(grid) if n.endswith("_")]:
        if name not in {"multimetric_", "best_estimator_"}:
            assert hasattr(clf, name), name
    assert isinstance(clf.recommendation_, Recommendation)
    assert clf.best_score_ == clf.cv_results_["mean_test_score"][clf.best_index_]
    assert clf.best_params_ == clf.cv_results_["params"][clf.best_index_]
    assert clf.best_score_ == clf.cv_results_["mean_test_score"].max()
    assert clf.leaderboard_.index[0] == clf.best_index_
    assert clf.leaderboard_["rank"].is_monotonic_increasing
    assert clf.n_splits_ == 5
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.n_features_in_ == 4
    assert clf.scorer_(clf, X, y) == clf.score(X, y) == (clf.predict(X) == y).mean()
    assert clf.refit_time_ > 0
    assert np.isfinite(clf.meta_features_).all()


def test_mixed_table_is_taken_as_it_is(mixed_table):
    """Numbers, words, categories, dates, booleans and holes need no preparation."""
    X, y = mixed_table
    before = X.copy(deep=True)
    clf = cheap_classifier(
        base_learners=[*CHEAP, "random_forest", "hist_gradient_boosting"],
        n_candidates=12,
    ).fit(X, y)
    assert clf.score(X, y) > 0.8
    assert clf.feature_names_in_.tolist() == X.columns.tolist()
    pd.testing.assert_frame_equal(X, before)
    unseen = X.iloc[:3].assign(word="never seen", category="neither")
    assert clf.predict_proba(unseen).sum(axis=1) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("container", [list, sparse.csr_matrix, sparse.csc_array])
def test_containers_give_what_an_array_gives(iris, container):
    """A list of rows and sparse matrices are tables too."""
    X, y = iris
    X = np.round(X)
    clf = cheap_classifier(base_learners=["gaussian_nb"], n_candidates=2)
    expected = clone(clf).fit(X, y).predict(X)
    given = container(X.tolist()) if container is list else container(X)
    found = clone(clf).fit(given, y).predict(given)
    assert (found == expected).mean() > 0.9


def test_list_of_mixed_rows():
    """A list of rows with words in it is not turned into text as a whole."""
    rows = [["red" if i % 2 else "blue", i / 10, None] for i in range(40)]
    y = [i % 2 for i in range(40)]
    clf = cheap_classifier().fit(rows, y)
    assert clf.score(rows, y) == 1.0


# Candidates


def test_n_candidates_1_fits_without_cross_validation(iris):
    """The first recommendation is fitted; there is one row of NaN scores."""
    X, y = iris
    clf = cheap_classifier(n_candidates=1).fit(X, y)
    assert clf.n_splits_ == 0
    assert np.isnan(clf.best_score_)
    assert np.isnan(clf.cv_results_["mean_test_score"]).tolist() == [True]
    assert clf.best_params_["learner"] == clf.recommendation_.configurations[0].learner
    assert clf.predict(X).shape == y.shape


def test_no_time_at_all_gives_a_classifier(iris):
    """With no time to speak of, something predicts, and that is said."""
    X, y = iris
    clf = cheap_classifier(time_budget=1e-9, n_candidates=5)
    with pytest.warns(SkmetaWarning, match="compared with nothing but the shares"):
        clf.fit(X, y)
    assert len(clf.leaderboard_) == 1
    assert np.isnan(clf.best_score_)
    assert log_loss(y, clf.predict_proba(X)) <= np.log(3) + 1e-9
    assert clf.trial_log_["members"][0]["fitted_on"] == "quick"
    with pytest.raises(NoCandidateError, match="time_budget must leave time"):
        cheap_classifier(time_budget=1e-9, refit=False).fit(X, y)
    noise = np.random.default_rng(0).normal(size=(150, 2))
    with pytest.warns(SkmetaWarning, match="by the shares of the classes, whatever"):
        clf.fit(noise, y)
    assert len(np.unique(clf.predict_proba(noise), axis=0)) == 1


def test_what_was_tried_in_time_can_be_tried_again(mixed_table):
    """The log, written as JSON and read again, gives the very same classifier."""
    X, y = mixed_table
    timed = cheap_classifier(
        time_budget=4, n_candidates=None, scoring="balanced_accuracy"
    ).fit(X, y)
    log = json.loads(json.dumps(timed.trial_log_))
    again = clone(timed).set_params(n_jobs=2).replay(X, y, log)
    np.testing.assert_array_equal(again.predict_proba(X), timed.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), timed.predict(X))
    assert again.best_params_ == timed.best_params_
    assert again.best_score_ == timed.best_score_
    with pytest.raises(ValueError, match="log must be of a fit on a table of this"):
        clone(timed).replay(X.iloc[:50], y[:50], log)
    with pytest.raises(ValueError, match="log must be the trial_log_"):
        clone(timed).replay(X, y, {"n_rows": len(y)})
    with pytest.raises(ValueError, match="log must be of a fit on a table of this"):
        clone(timed).replay(X.iloc[:, :2], y, log)
    with pytest.raises(ValueError, match=r"3 classes in the log, .* 2 classes now"):
        clone(timed).replay(X, np.array(y) == np.array(y)[0], log)


def test_what_nothing_was_compared_with_can_be_replayed(iris):
    """Also a classifier that was made for want of time."""
    X, y = iris
    clf = cheap_classifier(time_budget=1e-9)
    with pytest.warns(SkmetaWarning):
        clf.fit(X, y)
    with pytest.warns(SkmetaWarning, match="in the fit that is replayed"):
        again = cheap_classifier().replay(X, y, clf.trial_log_)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_what_cannot_be_used_costs_nothing_that_was_fitted(iris):
    """After a call that is refused, the model, its log and its columns are there."""
    X, y = iris
    clf = cheap_classifier(n_candidates=1).fit(X, y)
    expected, log = clf.predict_proba(X), clf.trial_log_
    for refused in (
        lambda: clf.fit(X[:, :2], np.ones(len(y))),
        lambda: clf.replay(X[:100], y[:100], log),
        lambda: clf.set_params(time_budget=-1).fit(X, y),
    ):
        with pytest.raises(ValueError, match="must"):
            refused()
        np.testing.assert_array_equal(clf.predict_proba(X), expected)
        assert clf.trial_log_ is log
        assert clf.n_features_in_ == 4


def test_candidates_are_compared_on_a_sample_of_many_rows(monkeypatch):
    """And what predicts is fitted on all of them."""
    X, y = make_classification(4000, 5, weights=[0.95], random_state=0)
    monkeypatch.setattr("skmeta._search._MOST_ROWS", 1000)
    clf = cheap_classifier().fit(X, y)
    assert clf.trial_log_["n_rows_compared"] == 1000
    fitted_on = [member["fitted_on"] for member in clf.trial_log_["members"]]
    assert set(fitted_on) == {4000}
    groups = np.arange(4000) // 10
    grouped = cheap_classifier(cv=GroupKFold(3)).fit(X, y, groups=groups)
    assert grouped.n_splits_ == 3


def test_time_budget_alone_may_try_all(iris):
    """Without a count, more is tried than by default, until nothing gets better."""
    X, y = iris
    clf = cheap_classifier(time_budget=600, n_candidates=None, cv=2).fit(X, y)
    assert len(clf.leaderboard_) > 8
    assert len(clf.leaderboard_) - clf.best_index_ > 8


BAYES = ["gaussian_nb"]


def test_an_explorer_goes_on_where_the_known_end(iris):
    """What is proposed is tried, and can be replayed, up to the number of candidates.

    The result is the same for one job and two.
    """
    X, y = iris
    n_known = len(load_knowledge().select_learners(BAYES).configurations)
    params = {"base_learners": BAYES, "explorer": "evolution"}
    one, two = (
        cheap_classifier(n_candidates=n_known + 5, n_jobs=n, **params).fit(X, y)
        for n in (1, 2)
    )
    known = load_knowledge().configuration_values
    tried = one.recommendation_.configurations
    assert len(tried) == len(set(tried)) == len(one.leaderboard_) == n_known + 5
    assert not set(tried[n_known:]).intersection(known)
    assert one.leaderboard_["score"].notna().all()
    assert one.trial_log_["trials"] == two.trial_log_["trials"]
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    again = cheap_classifier(**params).replay(X, y, one.trial_log_)
    np.testing.assert_array_equal(one.predict_proba(X), again.predict_proba(X))
    assert "proposed by" in one.recommendation_.reason


def test_what_explorers_propose_does_not_depend_on_seconds(iris, monkeypatch):
    """Where candidates are counted, though learners take their turns by the second."""
    X, y = iris
    seconds = iter(range(1, 10_000))
    observations = Trials.observations

    def slower_and_slower(trials):
        return [replace(o, seconds=next(seconds)) for o in observations(trials)]

    params = {"explorer": "evolution", "n_candidates": 16, "base_learners": CHEAP[:2]}
    knowledge = load_knowledge().without(["iris"])
    few = knowledge.with_configurations(
        [c.name for c in knowledge.configuration_values if c.learner in CHEAP[:2]][::3]
    )
    expected = cheap_classifier(knowledge=few, cv=2, **params).fit(X, y)
    monkeypatch.setattr(Trials, "observations", slower_and_slower)
    clf = cheap_classifier(knowledge=few, cv=2, **params).fit(X, y)
    assert clf.trial_log_["trials"] == expected.trial_log_["trials"]
    learners = {c.learner for c in clf.recommendation_.configurations[-8:]}
    assert len(learners) == 2


def test_without_a_limit_explorers_have_the_usual_number(iris):
    """No more candidates are tried than without one."""
    clf = cheap_classifier(explorer="evolution", n_candidates=None, cv=2).fit(*iris)
    assert len(clf.leaderboard_) == 8


class Careless(BaseEstimator):
    """Proposes what it is told to, or fails."""

    def __init__(self, what):
        self.what = what

    def fit(self, knowledge, metric):
        return self

    def propose(self, observed, n_configurations, random_state=None):
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (RuntimeError("no idea"), "failed, .* is kept: RuntimeError: no idea"),
        (None, "failed, .* is kept: TypeError"),
        (["gaussian_nb"], "propose must return objects of Configuration"),
        ([Configuration("nonsense")], "failed, .* is kept: ValueError: .*'nonsense'"),
    ],
)
def test_an_explorer_that_fails_loses_nothing(iris, what, message):
    """What was tried before predicts, and a warning says what went wrong."""
    explorer = Careless(what)
    clf = cheap_classifier(base_learners=BAYES, explorer=explorer, n_candidates=50)
    with pytest.warns(SkmetaWarning, match=message):
        clf.fit(*iris)
    assert clf.score(*iris) > 0.9


def test_an_explorer_may_propose_too_much(iris):
    """More than asked for, twice, or as a generator."""
    values = [10.0**-i for i in (2, 2, 3, 4, 5, 6, 7, 8)]
    found = [Configuration("gaussian_nb", {"var_smoothing": v}) for v in values]
    n_known = len(load_knowledge().select_learners(BAYES).configurations)
    params = {"base_learners": BAYES, "n_candidates": n_known + 3, "cv": 2}
    for explorer in (Careless(found), Lazy(found)):
        clf = cheap_classifier(explorer=explorer, **params).fit(*iris)
        assert len(clf.leaderboard_) <= n_known + 3
        assert clf.leaderboard_["params"].map(str).is_unique


class Lazy(Careless):
    def propose(self, observed, n_configurations, random_state=None):
        yield from self.what


def test_columns_of_numbers_with_a_word_are_said():
    """Whether it was read as an object or as text; codes with letters are not."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"good": rng.normal(size=300)})
    X["object"] = rng.normal(size=300).round(1).astype(object)
    X.loc[5, "object"] = "oops"
    X["text"] = rng.normal(size=300).astype(str)
    X.loc[:1, "text"] = ["n.a.?", "oops"]
    X["code"] = rng.choice(["250", "401", "V27"], 300, p=[0.5, 0.44, 0.06])
    clf = cheap_classifier(base_learners=BAYES, n_candidates=1)
    with pytest.warns(SkmetaWarning, match="'object' is not taken for numbers"):
        clf.fit(X, X["good"] > 0)
    reasons = clf.columns_.set_index("name")["reason"]
    assert reasons["object"] == "1 of 300 cells is no number: 'oops'"
    assert reasons["text"].endswith("2 of 300 cells are no numbers: 'n.a.?'")
    assert reasons["good"] == reasons["code"] == ""


def columns_of(cells, warning):
    """Fit a column of numbers and such cells, and return what became of them."""
    X = pd.DataFrame({"good": np.random.default_rng(0).normal(size=60)})
    for name, levels in cells.items():
        X[name] = np.resize(np.array(levels, dtype=object), 60)
    clf = cheap_classifier(base_learners=BAYES, n_candidates=1)
    with pytest.warns(SkmetaWarning, match=warning):
        clf.fit(X, X["good"] > 0)
    return clf.columns_.set_index("name")


def test_numbers_with_commas_are_said():
    """Of 1,234 nobody can tell which number it is; lists and words have commas, too."""
    cells = {
        "decimal": ["3,14", "-2,5", "7", None],
        "thousands": ["1,234", "1,234,567", "12,345.6", "?"],
        "both": ["1.234,5", "12,5", "3,14", "1.234.567,8"],
        "list": ["1,2,3", "2,3", "1,3", "2,3"],
        "codes": ["1", "2", "3", "1,2"],
        "version": ["1.2.3,4", "7.7.7,1", "3,14", "2,5"],
        "place": ["48.85,2.35", "52.52,13.4", "51.5,0.1", "3,14"],
        "word": ["3,14", "2,5", "high, low", "7"],
        "number": ["3.14", "2.5", "7", "8"],
    }
    columns = columns_of(cells, r"'decimal' is not .*: '-2,5'.*decimal=','")
    has_commas = columns["reason"].str.startswith("numbers are written with commas")
    assert columns.index[has_commas].tolist() == ["decimal", "thousands", "both"]
    assert (columns["kind"] == "number").tolist() == [True, *[False] * 8, True]


def test_dates_that_are_not_read_are_said():
    """Days and months in whatever order are no dates by themselves."""
    y = np.arange(40) % 2
    days = pd.date_range("2024-01-15", periods=40).to_series(index=range(40))
    X = pd.DataFrame(
        {
            "european": days.dt.strftime("%d/%m/%Y"),
            "dotted": days.dt.strftime("%d.%m.%Y %H:%M"),
            "american": days.dt.strftime("%b %d, %Y").where(days.index != 3),
            "long": days.dt.strftime("%d %B %Y"),
            "short": days.dt.strftime("%m/%d/%y %H:%M"),
            "iso": days.dt.strftime("%Y-%m-%d"),
            "version": [f"1.2.{i}" for i in range(40)],
            "shares": ["60/30/10", "40/40/20", "80/15/05", "40/50/10"] * 10,
            "build": [f"12.{i}.2000" for i in range(30, 70)],
            "number": np.random.default_rng(0).normal(size=40),
        }
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SkmetaWarning)
        clf = cheap_classifier().fit(X, y)
    said = [
        str(each.message) for each in caught if "not taken for" in str(each.message)
    ]
    assert [text.split("'")[1] for text in said] == [*X.columns[:5]]
    assert all("for dates" in text and "pandas.to_datetime" in text for text in said)
    assert clf.columns_.set_index("name").loc["iso", "kind"] == "date"


@pytest.mark.parametrize("cell", ["commas", "written with commas"])
def test_a_cell_that_speaks_of_commas(cell):
    """There is one warning, of a cell that is no number."""
    X = pd.DataFrame({"x": [str(i) for i in range(199)] + [cell]})
    clf = cheap_classifier(base_learners=BAYES, n_candidates=1)
    with pytest.warns(SkmetaWarning, match=f"'{cell}'.*to_numeric") as caught:
        clf.fit(X, np.arange(200) % 2)
    assert len([each for each in caught if "commas" in str(each.message)]) == 1


def test_numbers_with_signs_are_said():
    """Of money and percent; a sign within a word is none."""
    cells = {
        "money": ["$1,234.50", "-$2", "$ 3.5", None],
        "euro": ["3,14 €", "2,5", "7", "?"],
        "percent": ["37%", "2.5 %", "-1%", "0"],
        "name": ["A$AP", "Ke$ha", "50 Cent", "37%"],
        "range": ["1%-2%", "3%-4%", "5%", "6%"],
    }
    columns = columns_of(cells, r"'percent' is .*%'.* remove these by str")
    has_signs = columns["reason"].str.startswith("numbers are written with signs")
    assert columns.index[has_signs].tolist() == ["money", "euro", "percent"]


def test_a_table_that_says_nothing_is_said(iris):
    """Shares of classes are predicted, with a warning."""
    X = np.ones((150, 2))
    clf = cheap_classifier(base_learners=["decision_tree"], n_candidates=1)
    with pytest.warns(SkmetaWarning, match=r"all columns are ignored \(constant\)"):
        clf.fit(X, iris[1])
    assert clf.predict_proba(X)[0] == pytest.approx(1 / 3)


def test_without_an_explorer_nothing_is_proposed(iris):
    """More candidates than are known end with those."""
    clf = cheap_classifier(base_learners=BAYES, n_candidates=50).fit(*iris)
    assert len(clf.leaderboard_) < 50


class TriesAgain(BaseEstimator):
    """An explorer of a user's own: smoothing by powers of ten, and no more."""

    def fit(self, knowledge, metric):
        self.metric_ = metric
        return self

    def propose(self, observed, n_configurations, random_state=None):
        met = {each.configuration for each in observed}
        values = [{"var_smoothing": 10.0**-i} for i in range(1, 6)]
        found = [Configuration("gaussian_nb", each) for each in values]
        return [each for each in found if each not in met][:n_configurations]


@pytest.mark.parametrize("limit", [{"n_candidates": 99}, {"time_budget": 600}])
def test_own_explorer(iris, limit):
    """Two methods are enough; the search ends when nothing is proposed."""
    params = {"n_candidates": None, **limit}
    explorer = TriesAgain()
    clf = cheap_classifier(base_learners=BAYES, explorer=explorer, cv=2, **params)
    clf.fit(*iris)
    tried = clf.recommendation_.configurations[: len(clf.leaderboard_)]
    smoothing = {c.hyperparameters["var_smoothing"] for c in tried}
    assert smoothing.issuperset({10.0**-i for i in range(1, 6)})
    assert not hasattr(explorer, "metric_")  # the user's own is not fitted


class LearnsAtOnce(Recommender):
    """Puts the naive Bayes ones first, and after one round the others backwards."""

    adapts_after = 1

    def order(self, task, size):
        self.asked = [*getattr(self, "asked", []), task]
        is_bayes = [c.learner == "gaussian_nb" for c in self.configurations_]
        order = np.argsort(np.logical_not(is_bayes), kind="stable")
        return order if len(task.tried) == 0 else order[::-1]


def test_observed_scores_go_back_to_the_recommender(iris):
    """Each round is chosen with the scores and seconds of those before."""
    X, y = iris
    clf = cheap_classifier(recommender=LearnsAtOnce(), n_candidates=10).fit(X, y)
    assert len(clf.leaderboard_) == len(clf.recommendation_.configurations) == 10
    learners = [c.learner for c in clf.recommendation_.configurations]
    assert learners[0] == "gaussian_nb"
    assert learners[4] != "gaussian_nb"
    assert clf.cv_results_["params"][4]["learner"] == learners[4]
    assert len(set(clf.recommendation_.configurations)) == 10


def test_scores_by_another_metric_do_not_go_back(iris):
    """A scorer that no stored metric equals gives scores on another scale."""
    X, y = iris
    scorer = make_scorer(lambda y, labels: -10 * np.mean(y != labels))
    clf = cheap_classifier(recommender=LearnsAtOnce(), n_candidates=10, scoring=scorer)
    first = clf.fit(X, y).recommendation_.configurations
    assert [c.learner for c in first] == sorted(
        (c.learner for c in first), key=lambda name: name != "gaussian_nb"
    )


def test_rounds_do_not_depend_on_n_jobs(iris):
    """Three rounds give the same candidates, scores and model on one core or two."""
    X, y = iris
    one, two = (
        cheap_classifier(n_candidates=11, n_jobs=n, scoring="balanced_accuracy").fit(
            X, y
        )
        for n in (1, 2)
    )
    first, second = one.recommendation_, two.recommendation_
    assert first.configurations == second.configurations
    np.testing.assert_array_equal(first.expected_scores, second.expected_scores)
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_array_equal(one.cv_results_[name], two.cv_results_[name])
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


class FailsOnPurpose(TransformerMixin, BaseEstimator):
    """Transformer that works only for tables with few rows or none."""

    def __init__(self, most_rows=0):
        self.most_rows = most_rows

    def fit(self, X, y=None):
        if len(X) > self.most_rows:
            raise RuntimeError("failed on purpose")
        return self

    def transform(self, X):
        return X


def test_failed_candidate_is_a_row(iris):
    """A candidate that raises is in the leaderboard with its error, last."""
    X, y = iris
    base = load_knowledge().select_learners("gaussian_nb")
    bad = Configuration("gaussian_nb", {"var_smoothing": -1.0})
    knowledge = _replace_first(base, bad)
    clf = MetaLearnerClassifier(
        knowledge=knowledge, n_candidates=10, random_state=0
    ).fit(X, y)
    failed = clf.leaderboard_[clf.leaderboard_["error"].notna()]
    assert len(failed) == 1
    assert all(error is None for error in clf.leaderboard_["error"][:-1])
    assert "var_smoothing" in failed["error"].iloc[0]
    assert failed["params"].iloc[0]["var_smoothing"] == -1.0
    assert clf.leaderboard_.index[-1] == failed.index[0]
    assert np.isfinite(clf.best_score_)


def _replace_first(knowledge, configuration):
    values = (configuration, *knowledge.configuration_values[1:])
    return KnowledgeBase(
        tasks=knowledge.tasks,
        meta_features=knowledge.meta_features,
        configurations=values,
        fold_scores={m: knowledge.fold_scores(m) for m in knowledge.metrics},
        fit_seconds=knowledge.fit_seconds,
        predict_seconds=knowledge.predict_seconds,
    )


def test_all_failing_raises_once_with_the_first_cause(iris):
    """The error is one line, and its cause the traceback of the first candidate."""
    X, y = iris
    clf = cheap_classifier(preprocessor=FailsOnPurpose())
    with pytest.raises(
        NoCandidateError, match=r"All 3 candidates.*failed on purpose"
    ) as raised:
        clf.fit(X, y)
    assert "\n" not in str(raised.value)
    assert "Traceback (most recent" in str(raised.value.__cause__)
    assert clf.leaderboard_["error"].str.contains("failed on purpose").all()


def test_failing_refit_is_said(iris):
    """When folds can be fitted and all rows cannot, the error says so."""
    X, y = iris
    clf = cheap_classifier(preprocessor=FailsOnPurpose(most_rows=130))
    with pytest.raises(NoCandidateError, match=r"on all rows.*failed on purpose"):
        clf.fit(X, y)


def test_interrupted_fit_keeps_the_best_so_far(iris):
    """Ctrl-C after two candidates gives the better of the two, and a warning."""
    X, y = iris
    calls = []

    def impatient(estimator, X, y):
        calls.append(1)
        if len(calls) > 10:
            raise KeyboardInterrupt
        return estimator.score(X, y)

    clf = cheap_classifier(scoring=impatient)
    with pytest.warns(SkmetaWarning, match="Interrupted"):
        clf.fit(X, y)
    assert len(clf.leaderboard_) == 2
    assert clf.predict(X).shape == y.shape


def test_interrupted_before_anything_was_tried(iris):
    """With a time budget there is a classifier already; otherwise there is none."""
    X, y = iris

    def impatient(estimator, X, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cheap_classifier(scoring=impatient).fit(X, y)
    clf = cheap_classifier(scoring=impatient, time_budget=60)
    with pytest.warns(SkmetaWarning, match="when it was interrupted"):
        clf.fit(X, y)
    assert clf.predict(X).shape == y.shape


def test_an_error_of_the_users_is_no_lack_of_time(iris):
    """What never works is said as it is without a budget."""
    X, y = iris
    clf = cheap_classifier(preprocessor=FailsOnPurpose(), time_budget=60)
    with pytest.raises(NoCandidateError, match=r"(?s)All.*failed on purpose"):
        clf.fit(X, y)


def test_an_endless_budget_is_none(iris):
    """Infinity is no number to count down from."""
    X, y = iris
    clf = cheap_classifier(time_budget=float("inf"), n_candidates=3).fit(X, y)
    assert len(clf.leaderboard_) == 3


def test_an_ensemble_of_any_size(skewed):
    """None is as many as the choice takes."""
    X, _, y, _ = skewed
    clf = cheap_classifier(ensemble_size=None, time_budget=60, n_candidates=6).fit(X, y)
    assert len(clf.ensemble_.estimators_) >= 1


def test_after_an_interrupted_fit_nothing_predicts(iris):
    """What an earlier fit left is gone."""
    X, y = iris
    clf = cheap_classifier().fit(X, y)

    def interrupt(*args):
        raise KeyboardInterrupt

    clf.set_params(scoring=interrupt)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_a_scoring_function_may_ask_for_other_rows(iris):
    """It is given the fitted estimator, and not what was predicted already."""
    X, y = iris

    def on_some_rows(estimator, X, y):
        chosen = X[:, 0] > 5.5
        return (estimator.predict(X[chosen]) == y[chosen]).mean()

    clf = cheap_classifier(scoring=on_some_rows).fit(X, y)
    assert clf.best_score_ > 0.8


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy"])
def test_splits_may_be_masks(iris, scoring):
    """As scikit-learn takes them."""
    X, y = iris
    tests = [np.arange(len(y)) % 3 == i for i in range(3)]
    by_mask, by_number = (
        cheap_classifier(scoring=scoring, cv=cv).fit(X, y)
        for cv in (
            [(~test, test) for test in tests],
            [(np.flatnonzero(~test), np.flatnonzero(test)) for test in tests],
        )
    )
    assert by_mask.best_score_ == by_number.best_score_


def test_interrupted_while_members_are_fitted(skewed, monkeypatch):
    """The best candidate predicts alone, and a warning says so."""
    X, X_test, y, _ = skewed

    calls = []

    def interrupt_second(self, X, y=None, **params):
        if y is not None and len(y) == len(y_all):
            calls.append(1)
        if len(calls) == 2:
            calls.append(1)
            raise KeyboardInterrupt
        return fit(self, X, y, **params)

    y_all, fit = y, Pipeline.fit
    monkeypatch.setattr(Pipeline, "fit", interrupt_second)
    learners = ["gaussian_nb", "logistic_regression", "decision_tree"]
    clf = cheap_classifier(base_learners=learners, n_candidates=10)
    with pytest.warns(SkmetaWarning, match="those predict that are fitted"):
        clf.fit(X, y)
    assert len(clf.ensemble_.estimators_) == 1
    assert clf.predict(X_test).shape == (len(X_test),)


@pytest.mark.filterwarnings("ignore:Interrupted")
@pytest.mark.parametrize("n_candidates", [1, 3])
def test_an_interrupted_final_fit(iris, monkeypatch, n_candidates):
    """What was chosen among others is fitted all the same, unless that is stopped."""
    X, y = iris
    n_interrupts, fit = [1], Pipeline.fit

    def interrupt(self, X, y=None, **params):
        if len(X) == 150 and n_interrupts[0]:
            n_interrupts[0] -= 1
            raise KeyboardInterrupt
        return fit(self, X, y, **params)

    monkeypatch.setattr(Pipeline, "fit", interrupt)
    clf = cheap_classifier(n_candidates=n_candidates, ensemble_size=1)
    if n_candidates > 1:
        with pytest.warns(SkmetaWarning, match="To stop that, interrupt again"):
            clf.fit(X, y)
        assert clf.score(X, y) > 0.9
        n_interrupts[0] = 2
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert n_interrupts == [0]


def test_an_interrupted_only_fit_with_a_budget(iris, monkeypatch):
    """What was made for the case predicts, and that is said."""
    seen = []

    def interrupt_second(*args, **kwargs):
        seen.append(1)
        return fit_all(*args, **kwargs) if len(seen) == 1 else [(None, INTERRUPTED)]

    monkeypatch.setattr("skmeta._refit.fit_all", interrupt_second)
    clf = cheap_classifier(n_candidates=1, time_budget=60)
    with pytest.warns(SkmetaWarning, match="when it was interrupted"):
        clf.fit(*iris)
    assert clf.score(*iris) > 0.8


@pytest.fixture(scope="module")
def skewed():
    """Training and test halves of a table with nine rows of ten in one class."""
    X, y = make_classification(
        1600, 8, n_informative=4, weights=[0.9], flip_y=0.03, random_state=0
    )
    return train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)


def test_several_candidates_predict_together(skewed):
    """Their weighted mean has the better probabilities, and the best one is in it."""
    X, X_test, y, y_test = skewed
    learners = ["gaussian_nb", "logistic_regression", "decision_tree"]
    alone, together = (
        cheap_classifier(
            base_learners=learners, n_candidates=10, ensemble_size=size
        ).fit(X, y)
        for size in (1, 4)
    )
    assert alone.best_index_ == together.best_index_
    assert len(alone.ensemble_.estimators_) == 1
    assert 2 <= len(together.ensemble_.estimators_) <= 4
    assert together.ensemble_.estimators_[0] is together.best_estimator_
    weights = together.leaderboard_["weight"]
    assert weights.sum() == pytest.approx(1)
    assert sorted(weights[weights > 0]) == pytest.approx(
        sorted(together.ensemble_.weights)
    )
    assert log_loss(y_test, together.predict_proba(X_test)) < log_loss(
        y_test, alone.predict_proba(X_test)
    )


def test_good_labels_and_good_probabilities_of_one_object(skewed):
    """Class weights move labels towards the metric and leave probabilities alone."""
    X, X_test, y, y_test = skewed
    for n_candidates in (1, 6):
        clf = cheap_classifier(
            n_candidates=n_candidates, scoring="balanced_accuracy"
        ).fit(X, y)
        probabilities = clf.predict_proba(X_test)
        likeliest = clf.classes_[probabilities.argmax(axis=1)]
        score = balanced_accuracy_score(y_test, clf.predict(X_test))
        assert score == clf.score(X_test, y_test)
        assert score > balanced_accuracy_score(y_test, likeliest) + 0.05
        np.testing.assert_array_equal(
            probabilities, clf.ensemble_.predict_proba(X_test)
        )
        assert clf.ensemble_.class_weights[0] < clf.ensemble_.class_weights[1]
    assert clf.recommendation_.metric == "balanced_accuracy_tuned"
    plain = cheap_classifier().fit(X, y)
    assert plain.ensemble_.class_weights is None


def test_a_member_that_cannot_be_fitted_on_all_rows_is_left_out(skewed, monkeypatch):
    """The others share its weight, and the leaderboard says why."""
    X, _, y, _ = skewed
    learners = ["gaussian_nb", "logistic_regression", "decision_tree"]
    clf = cheap_classifier(base_learners=learners, n_candidates=10)
    fitted = clone(clf).fit(X, y)
    kinds = [type(member[-1]) for member in fitted.ensemble_.estimators_]
    lost = next(kind for kind in kinds if kind is not kinds[0])
    fit = lost.fit

    def fit_less_than_all(self, X, y, **params):
        if len(X) == len(skewed[0]):
            raise MemoryError("Too many rows.")
        return fit(self, X, y, **params)

    monkeypatch.setattr(lost, "fit", fit_less_than_all)
    clf.fit(X, y)
    assert len(clf.ensemble_.estimators_) < len(fitted.ensemble_.estimators_)
    assert clf.ensemble_.weights.sum() == pytest.approx(1)
    errors = clf.leaderboard_["error"].dropna()
    assert set(errors) == {"MemoryError: Too many rows."}
    assert (clf.leaderboard_.loc[errors.index, "weight"] == 0).all()


def test_preprocessor_is_fitted_inside_the_splits(iris):
    """The user's transformer sees the training rows of each split, then all rows."""
    X, y = iris
    seen = []

    class Watching(FailsOnPurpose):
        def fit(self, X, y=None):
            seen.append(len(X))
            return self

    cheap_classifier(preprocessor=Watching(), n_candidates=2).fit(X, y)
    assert sorted(set(seen)) == [120, 150]
    assert seen.count(120) == 2 * 5


def test_base_learners_limits_the_choice(iris):
    """Only the learners asked for are recommended."""
    X, y = iris
    clf = cheap_classifier(base_learners=["gaussian_nb"], n_candidates=9).fit(X, y)
    assert set(clf.leaderboard_["learner"]) == {"gaussian_nb"}


def test_support_vectors_are_not_offered_for_many_rows():
    """What would take hours is left out by its size."""
    X, y = make_classification(32_000, n_features=4, random_state=0)
    clf = cheap_classifier(base_learners=["svc", "gaussian_nb"], cv=2).fit(X, y)
    assert set(clf.leaderboard_["learner"]) == {"gaussian_nb"}
    with pytest.raises(NoCandidateError, match="suits 32000 rows x 4 columns"):
        cheap_classifier(base_learners=["svc"], cv=2).fit(X, y)


# Reproducible


def test_n_jobs_does_not_change_a_bit(mixed_table):
    """One and two jobs give the same scores and the same probabilities."""
    X, y = mixed_table
    learners = [*CHEAP, "random_forest", "hist_gradient_boosting", "mlp"]
    one, two = (
        cheap_classifier(base_learners=learners, n_candidates=8, n_jobs=n_jobs).fit(
            X, y
        )
        for n_jobs in (1, 2)
    )
    for key in ("mean_test_score", "std_test_score", "split0_test_score"):
        np.testing.assert_array_equal(one.cv_results_[key], two.cv_results_[key])
    assert one.best_params_ == two.best_params_
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


_IN_A_PROCESS = """
import hashlib
from sklearn.datasets import load_wine
from skmeta import MetaLearnerClassifier
X, y = load_wine(return_X_y=True)
clf = MetaLearnerClassifier(n_candidates=4, random_state=3).fit(X, y)
print(hashlib.sha256(clf.predict_proba(X).tobytes()).hexdigest(), clf.best_params_)
"""


def test_two_processes_give_the_same():
    """The same seed in two fresh processes gives the same bits."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _IN_A_PROCESS],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_global_random_state_is_not_touched(iris):
    """NumPy's global generator stands where it stood, also with random_state=None."""
    X, y = iris
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (it is what is tested)
    cheap_classifier(random_state=None).fit(X, y)
    after = np.random.get_state()[1]  # noqa: NPY002 (it is what is tested)
    np.testing.assert_array_equal(before, after)


def test_nothing_is_printed_unless_asked(iris, capfd):
    """Quiet by default; verbose=1 gives one line for each candidate."""
    X, y = iris
    cheap_classifier().fit(X, y)
    assert capfd.readouterr() == ("", "")
    cheap_classifier(verbose=1).fit(X, y)
    assert len(capfd.readouterr().out.splitlines()) == 3


# The scikit-learn contract


def test_clone_pickle_and_joblib_round_trips(iris, tmp_path):
    """A copy predicts the same; a clone is unfitted and equal in parameters."""
    X, y = iris
    clf = cheap_classifier().fit(X, y)
    expected = clf.predict_proba(X)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(clf)).predict_proba(X), expected
    )
    joblib.dump(clf, tmp_path / "clf.joblib")
    loaded = joblib.load(tmp_path / "clf.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    assert not hasattr(clone(clf), "best_estimator_")
    assert clone(clf).get_params()["base_learners"] == CHEAP


def test_inside_other_estimators(iris):
    """Pipelines, searches over our parameters, calibration and votes take it."""
    X, y = iris
    clf = cheap_classifier()
    pipeline = make_pipeline(FunctionTransformer(), clf).fit(X, y)
    assert pipeline.score(X, y) > 0.9
    assert cross_val_score(clf, X, y, cv=3).min() > 0.85
    grid = GridSearchCV(clf, {"n_candidates": [1, 2], "cv": [2]}, cv=2).fit(X, y)
    assert grid.best_score_ > 0.85
    calibrated = CalibratedClassifierCV(clf, cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (150, 3)
    votes = VotingClassifier([("ours", clf), ("tree", DecisionTreeClassifier())])
    assert votes.fit(X, y).score(X, y) > 0.9


def test_nested_n_jobs(iris):
    """A parallel search over a parallel classifier works."""
    X, y = iris
    scores = cross_val_score(cheap_classifier(n_jobs=2), X, y, cv=2, n_jobs=2)
    assert scores.min() > 0.85


def test_refit_false_has_no_predictions(iris):
    """Without a refit there are results, and predict says what is missing."""
    X, y = iris
    clf = cheap_classifier(refit=False).fit(X, y)
    assert clf.best_params_["learner"] in CHEAP
    assert not hasattr(clf, "best_estimator_")
    assert not hasattr(clf, "predict_proba")
    with pytest.raises(AttributeError, match="refit=False"):
        clf.predict(X)


def test_columns_in_another_order_are_refused(mixed_table):
    """A table whose columns differ from those of fit is an error, not a guess."""
    X, y = mixed_table
    clf = cheap_classifier().fit(X, y)
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(X.drop(columns="word"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_candidates": 0}, "n_candidates must be an integer >= 1 or None, got: 0"),
        ({"n_candidates": 2.5}, "n_candidates must be an integer"),
        ({"n_candidates": True}, "n_candidates must be an integer"),
        ({"time_budget": -1}, "time_budget must be a number of seconds > 0"),
        ({"memory_limit": "2G"}, "memory_limit must be a number of megabytes > 0"),
        ({"max_predict_ms": 0}, "max_predict_ms must be a number of milliseconds > 0"),
        ({"max_model_mb": "1"}, "max_model_mb must be a number of megabytes > 0"),
        ({"ensemble_size": 0}, "ensemble_size must be an integer >= 1"),
        ({"scoring": ["accuracy", "roc_auc"]}, "scoring must be one metric"),
        ({"refit": "f1"}, "refit must be True or False, got: 'f1'.* by scoring"),
        ({"base_learners": ["forest"]}, r"base_learners must be one or more of \["),
        ({"base_learners": []}, "base_learners must be one or more of"),
        ({"random_state": "a"}, "random_state must be an integer"),
        ({"random_state": -1}, "random_state must be an integer"),
        ({"recommender": SimilarTasksRecommender}, "recommender must be one of"),
        ({"recommender": "oracle"}, "recommender must be one of"),
        ({"explorer": "swarm"}, r"explorer must be one of \['evolution'\]"),
        ({"knowledge": "nowhere.zip"}, "No knowledge file 'nowhere.zip'"),
    ],
)
def test_bad_parameters_are_said_in_fit(iris, params, message):
    """A parameter that cannot be used is named, with what it must be."""
    X, y = iris
    with pytest.raises(ValueError, match=message):
        cheap_classifier(**params).fit(X, y)


def test_knowledge_of_another_type_is_refused(iris):
    """Knowledge is a knowledge base or a path."""
    with pytest.raises(TypeError, match="knowledge must be a KnowledgeBase"):
        cheap_classifier(knowledge=3).fit(*iris)


def test_bad_knowledge_leaves_the_default_usable(iris, tmp_path):
    """A damaged file is an error of ours, and the shipped knowledge works on."""
    path = tmp_path / "bad.zip"
    path.write_bytes(b"PK not really")
    with pytest.raises(KnowledgeError, match=r"bad\.zip"):
        cheap_classifier(knowledge=path).fit(*iris)
    cheap_classifier().fit(*iris)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(150), "at least two classes, got: one class"),
        (np.r_[np.nan, np.ones(149)], "missing values"),
        (np.linspace(0, 1, 150), "continuous"),
        (np.arange(150), "at least two classes with two rows"),
        (np.zeros(149), "for each of the 150 rows of X, got: 149"),
        ([[0], [1, 2]] * 75, r"the class of each row, got: \[\[0\], \[1, 2\]"),
        ([b"yes", b"no"] * 75, r"strings or booleans, got: bytes.*np.char.decode"),
        (pd.Series([b"yes", b"no"] * 75), r"strings or booleans, got: bytes"),
    ],
)
def test_unusable_targets_are_said(iris, y, message):
    """A target that holds no classes is refused with what it holds."""
    with pytest.raises(ValueError, match=message):
        cheap_classifier().fit(iris[0], y)


def test_an_index_in_another_order_is_said(iris):
    """Rows are matched by position, as scikit-learn does."""
    X, y = pd.DataFrame(iris[0]), pd.Series(iris[1])
    with pytest.warns(SkmetaWarning, match=r"another order.*y\.loc\[X\.index\]"):
        cheap_classifier().fit(X, y.iloc[::-1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkmetaWarning)
        cheap_classifier().fit(X, y)
        cheap_classifier().fit(X, y.set_axis(range(1, 151)))
        for names in (
            pd.MultiIndex.from_arrays([y, X.index]),
            pd.Index([f"row {i}" for i in X.index]),
            pd.period_range("2020-01", periods=150, freq="D"),
        ):
            cheap_classifier().fit(X.set_axis(names), y)
            cheap_classifier().fit(X, y.set_axis(names))


# Folds, groups, weights


def test_classes_with_few_rows():
    """Folds shrink to the smallest class; a single row takes part in the refit."""
    X, y = make_classification(60, random_state=0)
    y = y.astype(object)
    y[:3], y[3] = "three", "single"
    y = y.astype(str)
    clf = cheap_classifier(scoring="neg_log_loss")
    with pytest.warns(SkmetaWarning, match=r"without 1 of 4 classes.*: 'single' \(1\)"):
        clf.fit(X, y)
    assert clf.n_splits_ == 3
    assert np.isfinite(clf.best_score_)
    assert clf.classes_.tolist() == ["0", "1", "single", "three"]


def test_users_splits_are_obeyed(iris):
    """An integer, a splitter and a list of splits mean what they mean elsewhere."""
    X, y = iris
    splits = list(StratifiedKFold(4).split(X, y))
    by_list = cheap_classifier(cv=splits).fit(X, y)
    by_number = cheap_classifier(cv=4).fit(X, y)
    assert by_list.n_splits_ == by_number.n_splits_ == 4
    np.testing.assert_array_equal(
        by_list.cv_results_["split3_test_score"],
        by_number.cv_results_["split3_test_score"],
    )


class RecordingGroups(GroupKFold):
    """Group splitter that keeps what it was given."""

    def split(self, X, y=None, groups=None):
        self.seen = groups
        return super().split(X, y, groups)


def test_groups_reach_the_splitter(iris):
    """Groups are given to a splitter of the user's."""
    X, y = iris
    groups = np.arange(150) % 10
    splitter = RecordingGroups(2)
    cheap_classifier(cv=splitter).fit(X, y, groups=groups)
    np.testing.assert_array_equal(splitter.seen, groups)


@pytest.mark.parametrize("routing", [False, True])
def test_groups_stay_together_by_default(routing):
    """With groups that give the class away, the default splits keep them apart.

    Rows of one group are copies of each other: splits that ignored groups would
    make nearest neighbours look perfect on classes that are pure chance.
    """
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    X = rng.normal(size=(40, 3))[groups]
    y = rng.integers(2, size=40)[groups]
    clf = cheap_classifier(base_learners=["k_nearest_neighbors"])
    with sklearn.config_context(enable_metadata_routing=routing):
        assert clone(clf).fit(X, y).best_score_ > 0.9
        assert clone(clf).fit(X, y, groups=groups).best_score_ < 0.75


def test_sample_weight_is_obeyed(iris):
    """Rows of weight zero teach nothing: a table with wrong labels is learned right."""
    X, y = iris
    wrong = np.tile([0, 1], 75).astype(bool)
    noisy = np.where(wrong, (y + 1) % 3, y)
    weights = np.where(wrong, 0.0, 1.0)
    plain = cheap_classifier().fit(X, noisy)
    weighted = cheap_classifier().fit(X, noisy, sample_weight=weights)
    assert weighted.score(X, y) > 0.9 > plain.score(X, y)
    assert weighted.best_score_ > 0.9 > plain.best_score_


def test_learners_without_weights_are_not_considered(iris):
    """With weights only learners that take them are tried."""
    X, y = iris
    learners = ["k_nearest_neighbors", "gaussian_nb"]
    clf = cheap_classifier(base_learners=learners, n_candidates=9)
    clf.fit(X, y, sample_weight=np.ones(150))
    assert set(clf.leaderboard_["learner"]) == {"gaussian_nb"}


def test_metadata_routing(iris):
    """With routing on, weights and groups reach who asked for them."""
    X, y = iris
    groups, weights = np.arange(150) % 10, np.ones(150)
    seen = []

    def metric(y_true, y_pred, sample_weight=None):
        seen.append(sample_weight is not None)
        return (y_true == y_pred).mean()

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(metric).set_score_request(sample_weight=True)
        splitter = RecordingGroups(2)
        clf = cheap_classifier(cv=splitter, scoring=scorer)
        clf.set_fit_request(sample_weight=True, groups=True)
        pipeline = make_pipeline(FunctionTransformer(), clf)
        pipeline.fit(X, y, sample_weight=weights, groups=groups)
        np.testing.assert_array_equal(splitter.seen, groups)
        assert seen
        assert all(seen[1:])  # the first is a trial without a model
        silent = make_scorer(metric).set_score_request(sample_weight=False)
        seen.clear()
        cheap_classifier(scoring=silent).fit(X, y, sample_weight=weights)
        assert seen
        assert not any(seen)


def test_a_rare_class_does_not_halve_the_training_rows():
    """Two rows of a class among a thousand take part in the refit only."""
    X, y = make_classification(1000, random_state=0)
    y[:2] = 2
    with pytest.warns(SkmetaWarning, match=r"without 1 of 3 classes.*: '2' \(2\)"):
        clf = cheap_classifier().fit(X, y)
    assert clf.n_splits_ == 5
    assert clf.classes_.tolist() == [0, 1, 2]


def test_groups_stay_together_in_a_number_of_folds():
    """An integer cv does not mean folds that ignore groups."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    X = rng.normal(size=(40, 3))[groups]
    y = rng.integers(2, size=40)[groups]
    clf = cheap_classifier(base_learners=["k_nearest_neighbors"], cv=4)
    assert clf.fit(X, y, groups=groups).best_score_ < 0.75
    assert clf.n_splits_ == 4


def test_few_groups_reduce_the_folds(iris):
    """There are no more folds than groups, and one group cannot be kept apart."""
    X, y = iris
    clf = cheap_classifier().fit(X, y, groups=np.arange(150) % 2)
    assert clf.n_splits_ == 2
    with pytest.raises(ValueError, match="at least two groups"):
        cheap_classifier().fit(X, y, groups=np.zeros(150))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(150), "non-negative number per row, got: shape .* 150 negative"),
        (np.zeros(150), "at least one non-zero number"),
        (np.ones((150, 2)), "one finite, non-negative number per row"),
    ],
)
def test_unusable_weights_are_said(iris, weights, message):
    """Weights are said to be wrong before anything is fitted."""
    with pytest.raises(ValueError, match=message):
        cheap_classifier().fit(*iris, sample_weight=weights)


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "category", "string"])
def test_targets_of_every_dtype_are_predicted_as_they_were(dtype):
    """Nullable integers stay integers, and booleans booleans."""
    X, numbers = make_classification(60, random_state=0)
    values = {"boolean": numbers == 1, "string": np.where(numbers, "yes", "no")}
    y = pd.Series(values.get(dtype, numbers), dtype=dtype)
    predicted = cheap_classifier().fit(X, y).predict(X)
    assert set(predicted.tolist()) == set(y.tolist())


def test_targets_of_mixed_types_are_refused():
    """Strings beside numbers have no order, and the error says what to do."""
    X, _ = make_classification(60, random_state=0)
    with pytest.raises(ValueError, match=r"classes of one type.*astype"):
        cheap_classifier().fit(X, np.array([1, "a", 2] * 20, dtype=object))


def test_preprocessor_is_seeded(iris):
    """A preprocessor that draws at random draws the same each time."""
    X, y = iris
    clf = cheap_classifier(preprocessor=GaussianRandomProjection(2))
    first, second = (clone(clf).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_threads_leave_nothing_changed(iris):
    """Warning filters and thread pools are afterwards as they were before."""
    before = list(warnings.filters), threadpool_info()
    with joblib.parallel_config(backend="threading", n_jobs=4):
        threaded = cheap_classifier().fit(*iris)
    assert (list(warnings.filters), threadpool_info()) == before
    assert threaded.best_score_ == cheap_classifier().fit(*iris).best_score_


def test_taught_learner_is_used_when_it_is_named(iris):
    """A knowledge file imports nothing by itself: the user has to name it."""
    taught = Configuration("sklearn.ensemble:AdaBoostClassifier", {"n_estimators": 5})
    knowledge = _replace_first(load_knowledge().select_learners("gaussian_nb"), taught)
    clf = MetaLearnerClassifier(knowledge=knowledge, n_candidates=10, random_state=0)
    assert set(clone(clf).fit(*iris).leaderboard_["learner"]) == {"gaussian_nb"}
    clf.set_params(base_learners=[taught.learner]).fit(*iris)
    assert set(clf.leaderboard_["learner"]) == {taught.learner}


@pytest.mark.parametrize("n_rows", [6, 10, 30])
def test_few_rows(n_rows):
    """A handful of rows gives a classifier, not an error."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n_rows, 2)), np.arange(n_rows) % 2
    clf = MetaLearnerClassifier(random_state=0).fit(X, y)
    assert clf.predict_proba(X).shape == (n_rows, 2)


def test_scoring_without_an_own_order_follows_the_nearest(iris):
    """A metric that is not stored follows one that is, and says so."""
    clf = cheap_classifier(scoring="matthews_corrcoef").fit(*iris)
    assert "nearest metric" in clf.recommendation_.reason
    assert clf.recommendation_.metric == "f1_macro_tuned"


def test_columns_of_whatever_predicts():
    """A single pipeline, an ensemble, and the mean of the models of the splits."""
    X = pd.DataFrame({"same": 1, "x": np.arange(60) / 7, "kind": ["a", "b", "c"] * 20})
    y = [0, 1] * 30
    clf = MetaLearnerClassifier(n_candidates=2, cv=2, random_state=0)
    with pytest.raises(NotFittedError):
        clf.columns_  # noqa: B018
    kinds = ["ignored", "number", "category"]
    assert clf.fit(X, y).columns_["kind"].tolist() == kinds
    folds = WeightedEnsemble([clf.best_estimator_]).use([clf.best_estimator_])
    clf.ensemble_ = WeightedEnsemble([folds]).use([folds])
    assert clf.columns_["name"].tolist() == ["same", "x", "kind"]
    assert not hasattr(clf.set_params(refit=False).fit(X, y), "columns_")


def test_no_columns_of_what_reads_the_table_by_itself():
    """The error names it."""
    learner = "sklearn.dummy:DummyClassifier"
    clf = MetaLearnerClassifier(n_candidates=1).fit(np.eye(8), [0, 1] * 4)
    clf.ensemble_ = DummyClassifier().fit(np.eye(8), [0, 1] * 4)
    clf.best_params_ = {"learner": learner}
    with pytest.raises(AttributeError, match=f"got: {learner}"):
        clf.columns_  # noqa: B018
