import importlib.util
import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from skmeta import Configuration, KnowledgeBase, MetaLearnerClassifier, load_knowledge
from skmeta.exceptions import KnowledgeError
from skmeta.recommendation import (
    PortfolioRecommender,
    RandomRecommender,
    Recommendation,
    Recommender,
    SimilarTasksRecommender,
)

TASKS = ["wine", "blood-storage", "letter", "spambase"]


@pytest.fixture(scope="module")
def knowledge():
    return load_knowledge()


@pytest.fixture(scope="module")
def recommender(knowledge):
    return SimilarTasksRecommender().fit(knowledge, "balanced_accuracy_tuned")


@pytest.fixture(scope="module")
def fitted(knowledge):
    X, y = load_wine(return_X_y=True)
    return MetaLearnerClassifier(
        knowledge=knowledge.without(["wine"]),
        n_candidates=2,
        scoring="balanced_accuracy",
        random_state=0,
    ).fit(X, y)


def known_tasks(knowledge):
    features = knowledge.meta_features
    return [features.loc[name] for name in TASKS if name in features.index]


def test_contributions_sum_to_what_the_weights_make(knowledge, recommender):
    """Exactly, for any values: it is those very weights that are taken apart."""
    rng = np.random.default_rng(0)
    for meta_features in known_tasks(knowledge):
        weights, fell_back, _ = recommender.weigh(meta_features)
        assert not fell_back
        for values in rng.normal(size=(3, len(weights))):
            contributions = recommender.attribute(meta_features, values)
            difference = (weights - recommender.task_weights_) @ values
            assert contributions.sum() == pytest.approx(difference, abs=1e-12)
    assert (contributions != 0).sum() > 3


def test_a_meta_feature_that_says_nothing_contributes_nothing(knowledge):
    """A tree cannot split on what is the same everywhere."""
    features = knowledge.meta_features.assign(kurtosis_copy=1.0)
    features["kurtosis.mean"] = 3.0
    arguments = {
        "tasks": knowledge.tasks,
        "meta_features": features,
        "configurations": knowledge.configuration_values,
        "fold_scores": {"accuracy": knowledge.fold_scores("accuracy")},
        "fit_seconds": knowledge.fit_seconds,
        "predict_seconds": knowledge.predict_seconds,
    }
    made = SimilarTasksRecommender().fit(KnowledgeBase(**arguments), "accuracy")
    values = np.random.default_rng(0).normal(size=len(features))
    contributions = made.attribute(features.iloc[0], values)
    assert contributions["kurtosis.mean"] == 0
    assert contributions.abs().max() > 0


def test_explanation(knowledge, recommender):
    meta_features = known_tasks(knowledge)[0]
    recommendation = recommender.recommend(meta_features, 3)
    explanation = recommendation.explain()
    first = recommendation.configurations[0]
    assert explanation.configuration == first
    assert explanation.expected == pytest.approx(recommendation.expected_scores[0])
    assert explanation.low < explanation.expected < explanation.high
    assert np.isnan(explanation.observed)
    drivers = explanation.drivers
    assert drivers["contribution"].sum() == pytest.approx(
        explanation.loss - explanation.loss_alike, abs=1e-12
    )
    assert drivers["contribution"].abs().is_monotonic_decreasing
    usual = knowledge.meta_features[drivers.index[0]].median()
    assert drivers["usual"].iloc[0] == usual
    assert drivers["value"].iloc[0] == meta_features[drivers.index[0]]
    # What is said of similar tasks is what the knowledge holds.
    similar, scores = explanation.similar, knowledge.scores("balanced_accuracy_tuned")
    assert list(similar.index) == list(recommendation.task_weights.index[:8])
    for name, row in similar.iterrows():
        score = scores.loc[name, first.name]
        assert row["score"] == pytest.approx(score, nan_ok=True)
        assert row["best_score"] == pytest.approx(scores.loc[name].max())
        assert scores.loc[name].idxmax().startswith(f"{row['best']}-")


def test_eight_of_ten_known_scores_lie_between(recommender, knowledge):
    """With all alike, that can be counted."""
    portfolio = PortfolioRecommender().fit(knowledge, "accuracy")
    explanation = portfolio.recommend({}, 1).explain()
    scores = knowledge.scores("accuracy")[explanation.configuration.name]
    inside = scores.between(explanation.low, explanation.high)
    is_tried = scores.notna().to_numpy()
    share = np.average(inside[is_tried], weights=portfolio.task_weights_[is_tried])
    assert share == pytest.approx(0.8, abs=0.05)


def test_what_would_change_the_choice(knowledge, recommender):
    """It is what would be recommended then."""
    n_other = 0
    for name in knowledge.meta_features.index[:40]:
        meta_features = knowledge.meta_features.loc[name]
        recommendation = recommender.recommend(meta_features, 1)
        changes = recommendation.explain().changes
        [change] = [c for c in changes.index if c == "10 times the rows"]
        larger = dict(meta_features) | {
            "nr_inst": 10 * meta_features["nr_inst"],
            "attr_to_inst": meta_features["attr_to_inst"] / 10,
        }
        [then] = recommender.recommend(larger, 1).configurations
        assert changes.loc[change, "learner"] == then.learner
        assert changes.loc[change, "hyperparameters"] == dict(then.hyperparameters)
        is_other = then != recommendation.configurations[0]
        assert changes.loc[change, "is_other"] == is_other
        n_other += is_other
    assert 0 < n_other < 40


def test_what_stays_first_is_named(knowledge, recommender):
    """After the names of others, "it" would be the last of these.

    It is written as in the recommendation.
    """
    recommendation = recommender.recommend(known_tasks(knowledge)[0], 1)
    explanation = recommendation.explain()
    changes = explanation.changes.assign(is_other=[True] + [False] * 3)
    text = " ".join(str(replace(explanation, changes=changes)).split())
    first = text.removeprefix("First comes ").partition(". On known")[0]
    assert first in " ".join(str(recommendation).split())
    assert f"Also with {', '.join(changes.index[1:])}, first would come {first}" in text


def test_after_a_fit(fitted):
    explanation = fitted.recommendation_.explain()
    assert explanation.observed == fitted.leaderboard_["score"].loc[0]
    text = str(explanation)
    assert f"it was {explanation.observed:.3f}" in " ".join(text.split())
    assert explanation.similar.index[0] in text
    assert explanation.drivers.index[0] in text
    assert "first would come" in text
    assert "wine" not in explanation.similar.index
    assert max(map(len, text.splitlines())) <= 80
    assert max(map(len, str(fitted.recommendation_).splitlines())) <= 80


def test_by_another_metric_there_is_nothing_to_compare(knowledge):
    X, y = load_wine(return_X_y=True)
    fitted = MetaLearnerClassifier(
        knowledge=knowledge.without(["wine"]), n_candidates=2, scoring="f1_weighted"
    ).fit(X, y)
    assert np.isnan(fitted.recommendation_.explain().observed)


def test_it_survives_pickle_without_the_recommender(fitted):
    """A saved classifier explains itself, and is not much larger for it."""
    pickled = pickle.dumps(fitted.recommendation_)
    assert len(pickled) < 100_000
    again = pickle.loads(pickle.dumps(pickle.loads(pickled)))
    assert str(again.explain()) == str(fitted.recommendation_.explain())


class SpeechlessRecommender(RandomRecommender):
    """Cannot say what it would recommend for another table."""

    def order(self, task, size):
        if getattr(self, "has_spoken", False):
            raise RuntimeError("I have said what I had to say.")
        self.has_spoken = True
        return super().order(task, size)


def test_who_cannot_explain_can_be_saved(knowledge):
    """A recommendation survives pickle though an explanation of it fails."""
    made = SpeechlessRecommender().fit(knowledge, "accuracy").recommend({}, 3)
    with pytest.raises(RuntimeError, match="said what"):
        made.explain()
    again = pickle.loads(pickle.dumps(made))
    assert again.configurations == made.configurations


def test_dict_is_json(fitted, knowledge):
    nothing_observed = RandomRecommender().fit(knowledge, "accuracy").recommend({}, 1)
    for explanation in (fitted.recommendation_.explain(), nothing_observed.explain()):
        values = json.loads(json.dumps(explanation.to_dict(), allow_nan=False))
        assert values["metric"] == explanation.metric
        assert len(values["similar"]) == len(explanation.similar)
        assert values["configuration"] == explanation.configuration.to_dict()


def test_nothing_similar_is_said(knowledge, recommender):
    strange = knowledge.meta_features.iloc[0].copy()
    strange["nr_class"] = 1e6
    explanation = recommender.recommend(strange, 1).explain()
    assert explanation.fell_back
    assert len(explanation.similar) == 0
    assert len(explanation.drivers) == 0
    assert explanation.loss == pytest.approx(explanation.loss_alike)
    assert "Nothing similar is known" in str(explanation)


def test_a_recommender_of_ones_own(knowledge):
    """Ten lines of a user's are explained as far as they go."""

    class Backwards(Recommender):
        def order(self, task, size):
            return np.arange(len(self.configurations_))[::-1]

    explanation = Backwards().fit(knowledge, "accuracy").recommend({}, 1).explain()
    assert explanation.configuration == knowledge.configuration_values[-1]
    assert len(explanation.drivers) == 0
    assert explanation.configuration.learner in str(explanation)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_what_cannot_be_explained(n, knowledge, recommender):
    """Nothing, what was read from a log, and what predicts for want of time."""
    nothing_tried = recommender.recommend(known_tasks(knowledge)[0], 1)
    emergency = Configuration("gaussian_nb", {"var_smoothing": 0.123})
    nothing_tried = replace(nothing_tried, configurations=(emergency,))
    made = [Recommendation.none(), from_a_log(), nothing_tried][n]
    reason = ["time_budget ran out", "was read from a log", "time_budget ran out"][n]
    with pytest.raises(ValueError, match=reason):
        made.explain()
    assert isinstance(pickle.loads(pickle.dumps(made)), Recommendation)


def from_a_log():
    return Recommendation(
        (Configuration("gaussian_nb", {}),),
        np.array([0.5]),
        np.array([1.0]),
        pd.Series([1.0]),
        metric="accuracy",
        recommender="a log",
    )


# Rules


def test_rules_find_what_tells_tasks_apart():
    """Where small tables want one learner and large ones another, that is the rule."""
    sizes = np.geomspace(10, 100_000, 60)
    is_small = sizes < 1_000
    scores = np.where(is_small[:, np.newaxis], [0.9, 0.6], [0.5, 0.8])
    names = [f"task_{i}" for i in range(60)]
    sized = pd.DataFrame({"nr_inst": sizes, "nr_attr": 5.0}, index=names)
    tasks = pd.DataFrame(
        {"family": names, "domain": "", "n_rows": 1, "n_features": 5, "n_classes": 2},
        index=names,
    )
    knowledge = KnowledgeBase(
        tasks=tasks,
        meta_features=sized,
        configurations=[Configuration("gaussian_nb", {}), Configuration("svc", {})],
        fold_scores={"accuracy": scores[:, :, np.newaxis]},
        fit_seconds=np.ones((60, 2)),
        predict_seconds=np.ones((60, 2)),
    )
    rules = SimilarTasksRecommender().fit(knowledge, "accuracy").find_rules(1)
    first, small, second, large = str(rules).splitlines()[:4]
    threshold = float(first.rpartition("<= ")[2])
    assert 500 < threshold < 2_000  # a task or two beside where small ends
    assert first.startswith("nr_inst <=")
    assert second.startswith("nr_inst >")
    assert small.strip().startswith("gaussian_nb")
    assert large.strip().startswith("svc")
    assert rules.fidelity > 0.8
    assert rules.agreement > 0.9


def test_rules_of_what_ships(recommender):
    rules = recommender.find_rules()
    assert 0.2 < rules.fidelity < 1
    assert 0.5 < rules.agreement <= 1
    assert rules.tree.get_depth() <= 3
    assert "hist_gradient_boosting" in str(rules)


def test_rules_name_learners_that_are_installed(recommender, monkeypatch):
    missing, find = {"catboost", "lightgbm", "xgboost"}, importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n in missing else find(n)
    )
    assert not missing.intersection(recommender.find_rules(1).learners)


def test_rules_need_meta_features_that_tasks_are_compared_by(knowledge):
    names = knowledge.meta_features.index
    nothing = KnowledgeBase(
        tasks=knowledge.tasks,
        meta_features=pd.DataFrame({"other": 1.0}, index=names),
        configurations=knowledge.configuration_values,
        fold_scores={"accuracy": knowledge.fold_scores("accuracy")},
        fit_seconds=knowledge.fit_seconds,
        predict_seconds=knowledge.predict_seconds,
    )
    with pytest.raises(KnowledgeError, match="at least one of the meta-features"):
        PortfolioRecommender().fit(nothing, "accuracy").find_rules()


def test_that_seconds_count_is_said(knowledge, recommender):
    """With a time budget the first is not what is expected to be the best."""
    [*_, features] = known_tasks(knowledge)
    texts = [
        str(recommender.recommend(features, per_second=per_second).explain())
        for per_second in (False, True)
    ]
    assert ["most for its seconds" in " ".join(text.split()) for text in texts] == [
        False,
        True,
    ]
