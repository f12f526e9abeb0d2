import time

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from skmeta import (
    AugmentedClassifier,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
    _search,
    _text,
    load_knowledge,
)
from skmeta._plan import _choose_those_in_time
from skmeta._schedule import Schedule
from skmeta._trials import Task
from skmeta.recommendation import SimilarTasksRecommender


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True, as_frame=True)


def test_it_is_what_fit_tries(wine):
    """As many as are counted, in the same order, as far as scores do not decide."""
    classifier = MetaLearnerClassifier(n_candidates=3, random_state=0)
    plan = classifier.preview(*wine)
    fitted = classifier.fit(*wine)
    tried = fitted.leaderboard_.sort_index()
    assert plan["learner"].tolist() == tried["learner"].tolist()
    recommended = fitted.recommendation_.to_frame()
    pd.testing.assert_series_equal(
        plan["expected_score"], recommended["expected_score"]
    )
    assert plan["hyperparameters"].tolist() == recommended["hyperparameters"].tolist()
    # Five folds, of which each takes what is recommended for one.
    np.testing.assert_allclose(
        plan["seconds"], fitted.n_splits_ * recommended["expected_seconds"]
    )


def test_a_narrow_terminal_shows_what_matters(in_terminal):
    """Of what is recommended, similar and known."""
    recommender = SimilarTasksRecommender().fit(load_knowledge())
    features = load_knowledge().meta_features.loc["wine"]
    recommendation = recommender.recommend(features)
    assert {"learner", "expected_score"} <= in_terminal(recommendation.to_frame())
    explanation = recommendation.explain()
    assert {"weight", "score", "best_score"} <= in_terminal(explanation.similar)
    assert {"value", "usual", "contribution"} <= in_terminal(explanation.drivers)
    assert {"learner", "is_other"} <= in_terminal(explanation.changes)
    assert {"best_on", "fit_seconds"} <= in_terminal(load_knowledge().summary())


def test_what_is_printed(wine):
    """All of every candidate, in 80 columns, numbered without gaps."""
    plan = MetaLearnerClassifier(time_budget=2, random_state=0).preview(*wine)
    lines = str(plan).splitlines()
    assert max(map(len, lines)) <= 80
    assert plan.index.tolist() == list(range(len(plan)))
    assert "in case nothing else ends in time" in " ".join(map(str.strip, lines[:3]))
    shown = "".join("".join(lines).split())
    for values in plan["hyperparameters"]:
        assert all(f"{name}=" in shown for name in values)
    assert "<table" in plan._repr_html_()
    assert "candidate" not in repr(plan[["learner", "seconds"]])
    renamed = type(plan)(plan.set_axis(plan["learner"]))
    assert repr(renamed) == repr(pd.DataFrame(renamed))
    plan["mine"] = 1
    assert "mine" in repr(plan).partition("\n")[0]


def test_nothing_is_left_behind(wine, tmp_path):
    """Neither attributes nor files."""
    classifier = MetaLearnerClassifier(
        time_budget=5, n_jobs=2, experience=str(tmp_path / "journal.db")
    )
    before = dict(vars(classifier))
    classifier.preview(*wine)
    assert vars(classifier) == before
    assert list(tmp_path.iterdir()) == []


def test_it_ends_with_the_budget(wine, monkeypatch):
    """And what ends within it is in it, on two cores more than on one."""
    monkeypatch.setattr(Schedule, "measure_load", lambda schedule: 1.0)
    long = MetaLearnerClassifier(time_budget=600).preview(*wine)
    budget = long["elapsed_seconds"].iloc[-1] / 3  # too short for all
    short = MetaLearnerClassifier(time_budget=budget).preview(*wine)
    assert 1 < len(short) < len(long)
    assert short["elapsed_seconds"].iloc[-1] < budget
    two = MetaLearnerClassifier(time_budget=budget, n_jobs=2).preview(*wine)
    assert len(two) >= len(short)
    np.testing.assert_allclose(two["elapsed_seconds"], two["seconds"].cumsum() / 2)


def test_as_many_splits_as_fit_has_for_texts(wine, monkeypatch):
    """One where texts take long, so that there is more time for candidates."""
    X, y = wine
    words = np.random.default_rng(0).choice(list("abcdefghij"), size=(len(X), 8))
    X = X.assign(text=[" ".join(row) for row in words])
    digest = _text._digest

    def slowly(texts):
        time.sleep(0.4)
        return digest(texts)

    monkeypatch.setattr(_text, "_digest", slowly)
    monkeypatch.setattr(_search, "make_plan", lambda recommendation, task, quick: task)
    assert len(MetaLearnerClassifier(time_budget=100).preview(X, y).splits) == 5
    assert len(MetaLearnerClassifier(time_budget=2).preview(X, y).splits) == 1


def test_what_is_there_in_any_case(wine):
    """Too short a time for any candidate leaves what was fitted before."""
    classifier = MetaLearnerClassifier(time_budget=1e-3)
    [quick] = classifier.preview(*wine).reset_index().to_dict("records")
    assert (quick["order"], quick["learner"]) == (0, "extra_trees")
    assert np.isnan(quick["seconds"])
    assert len(classifier.set_params(refit=False).preview(*wine)) == 0


def test_what_would_not_end_in_time_is_not_begun(wine):
    """Of 98 seconds 40 and 50 are taken; 20 may become 60 where nothing can stop it."""
    task = Task(*wine, n_rows=178)
    plan = pd.DataFrame(
        {
            "seconds": [200, 40, 20, 50, 10],
            "learner": ["random_forest"] * 2 + ["svc"] + ["random_forest"] * 2,
        }
    )
    chosen = _choose_those_in_time(plan, task, left=98.0)
    assert chosen.tolist() == [False, True, False, True, False]


def test_memory_grows_with_what_the_learner_gets(wine):
    """With the rows, and with categories that become columns."""
    X, y = wine
    linear = MetaLearnerClassifier(base_learners=["mlp"], n_candidates=1)
    megabytes = linear.preview(X, y)["memory_mb"].iloc[0]
    assert megabytes == pytest.approx(3 * X.size * 8 / 2**20, rel=0.3)
    rows = np.arange(10 * len(X)) % len(X)
    larger = linear.preview(X.iloc[rows], y.iloc[rows])["memory_mb"].iloc[0]
    assert larger == pytest.approx(10 * megabytes, rel=0.3)
    wide = X.assign(category=[f"level {i % 30}" for i in range(len(X))])
    assert linear.preview(wide, y)["memory_mb"].iloc[0] > 2 * megabytes


def test_preprocessors_and_selectors(wine):
    X, y = wine
    classifier = MetaLearnerClassifier(preprocessor=StandardScaler(), n_candidates=2)
    assert (classifier.preview(X, y)["memory_mb"] > 0).all()
    selector = MetaHyperparamSelector(RandomForestClassifier(), n_candidates=2)
    plan = selector.preview(X, y)
    assert plan["learner"].tolist() == ["random_forest"] * 2
    assert (plan["memory_mb"] > 0).all()
    augmented = AugmentedClassifier(RandomForestClassifier(), "noise")
    selector = MetaHyperparamSelector(augmented, n_candidates=2)
    np.testing.assert_allclose(
        selector.preview(X, y)["memory_mb"], 2 * plan["memory_mb"]
    )


def test_groups_and_bad_input(wine):
    X, y = wine
    groups = np.arange(len(y)) // 10
    plan = MetaLearnerClassifier(n_candidates=2).preview(X, y, groups=groups)
    assert len(plan) == 2
    with pytest.raises(ValueError, match="n_candidates must be an integer"):
        MetaLearnerClassifier(n_candidates=0).preview(X, y)
    with pytest.raises(ValueError, match="for each of the 178 rows of X, got: 10"):
        MetaLearnerClassifier().preview(X, y[:10])


def test_a_single_one_is_only_fitted(wine):
    """There is nothing to compare, so that its seconds are those of one fit."""
    one = MetaLearnerClassifier(n_candidates=1).preview(*wine)
    several = MetaLearnerClassifier(n_candidates=2).preview(*wine)
    assert one["seconds"].iloc[0] < several["seconds"].iloc[0]
