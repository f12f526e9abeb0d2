import pickle
import random
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skmeta import Configuration, KnowledgeBase
from skmeta.exceptions import KnowledgeError
from skmeta.recommendation import (
    AverageRecommender,
    NearestTasksRecommender,
    NeuralRecommender,
    Observation,
    PortfolioRecommender,
    RandomRecommender,
    Recommender,
    SimilarTasksRecommender,
    SurrogateRecommender,
    SymbolicRecommender,
    TreeRecommender,
    get_recommender,
    greedy_portfolio,
)

ALL = [
    AverageRecommender,
    NearestTasksRecommender,
    NeuralRecommender,
    PortfolioRecommender,
    RandomRecommender,
    SimilarTasksRecommender,
    SurrogateRecommender,
    SymbolicRecommender,
    TreeRecommender,
]
LEARNING = [SimilarTasksRecommender, TreeRecommender, NeuralRecommender]
every_recommender = pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)


def make_knowledge(scores, families=None, meta_features=None, seconds=1.0, failures=()):
    """Return a knowledge base with one fold of accuracy and little else.

    Failures are pairs of a task and a configuration, by number.
    """
    scores = np.asarray(scores, dtype=float)
    n_tasks, n_configurations = scores.shape
    names = [f"task_{i}" for i in range(n_tasks)]
    if meta_features is None:
        meta_features = {"nr_inst": np.arange(n_tasks)}
    seconds = np.broadcast_to(np.asarray(seconds, dtype=float), scores.shape)
    configurations = [Configuration("lda", {"i": i}) for i in range(n_configurations)]
    return KnowledgeBase(
        tasks=pd.DataFrame(
            {
                "family": names if families is None else families,
                "domain": "",
                "n_rows": 100,
                "n_features": 5,
                "n_classes": 2,
            },
            index=names,
        ),
        meta_features=pd.DataFrame(meta_features, index=names),
        configurations=configurations,
        fold_scores={"accuracy": scores[:, :, np.newaxis]},
        fit_seconds=seconds,
        predict_seconds=seconds,
        failures=[
            {"task": names[t], "configuration": configurations[c].name, "error": "no"}
            for t, c in failures
        ],
    )


@every_recommender
def test_one_lucky_score_is_not_enough(make):
    """Of what was tried on one of thirty tables nobody knows whether it is good."""
    scores = np.random.default_rng(0).uniform(0.5, 0.8, size=(30, 6))
    known = make_knowledge(scores)
    lucky = np.column_stack([scores, np.r_[0.999, np.full(29, np.nan)]])
    recommended = order_of(make(), make_knowledge(lucky))
    assert recommended == order_of(make(), known)


def test_what_is_known_of_half_as_many_is_enough():
    """With few tables there are no ten."""
    scores = np.array([[0.5, 0.9, np.nan], [0.5, np.nan, 0.6], [0.5, np.nan, 0.7]])
    order = order_of(PortfolioRecommender(), make_knowledge(scores))
    assert sorted(order) == [0, 2]


def numbers_of(recommendation):
    """Return which of the configurations of `make_knowledge` these are."""
    return [c.hyperparameters["i"] for c in recommendation.configurations]


def order_of(recommender, knowledge, meta_features=None, **options):
    meta_features = {"nr_inst": 1.0} if meta_features is None else meta_features
    return numbers_of(recommender.fit(knowledge).recommend(meta_features, **options))


# Two regimes

SMALL, LARGE, ALL_ROUND, POOR = range(4)


def make_regimes(n_tasks, random_state):
    """Return meta-features and scores that depend on the number of rows alone.

    One configuration is best on small tasks and bad on large ones, one the other
    way round; one is second everywhere and so the best for tasks unknown.
    """
    rng = np.random.default_rng(random_state)
    is_large = np.arange(n_tasks) % 2 == 1
    n_rows = np.where(
        is_large, rng.integers(5000, 50000, n_tasks), rng.integers(50, 500, n_tasks)
    )
    meta_features = pd.DataFrame(
        {
            "nr_inst": n_rows,
            "class_ent": rng.random(n_tasks),
            "can_cor.max": rng.random(n_tasks),
        }
    )
    scores = np.where(
        is_large[:, np.newaxis], [0.6, 0.9, 0.8, 0.5], [0.9, 0.6, 0.8, 0.5]
    )
    return meta_features, scores + rng.normal(0, 0.005, scores.shape)


def regret_of_first_picks(recommender, meta_features, scores):
    """Return the mean regret of trying the first recommended alone on new tasks."""
    regrets = []
    for task, row in zip(meta_features.to_dict("records"), scores, strict=True):
        (first,) = numbers_of(recommender.recommend(task, n_configurations=1))
        regrets.append(row.max() - row[first])
    return np.mean(regrets)


@pytest.fixture(scope="module")
def regimes():
    meta_features, scores = make_regimes(60, random_state=0)
    return make_knowledge(scores, meta_features=meta_features.to_dict("list"))


@pytest.mark.parametrize("make", LEARNING)
def test_the_right_configuration_comes_first(make, regimes):
    """On new tasks of both regimes the first recommended is the best of the regime."""
    recommender = make().fit(regimes)
    new, scores = make_regimes(20, random_state=1)
    first = [
        numbers_of(recommender.recommend(task))[0] for task in new.to_dict("records")
    ]
    assert first == [SMALL, LARGE] * 10
    portfolio = PortfolioRecommender().fit(regimes)
    assert regret_of_first_picks(portfolio, new, scores) > 0.05
    assert regret_of_first_picks(recommender, new, scores) < 0.02


def test_similar_tasks_weigh_tasks_of_the_regime(regimes):
    """The tasks that count most are of the regime, and the reason names some."""
    recommender = SimilarTasksRecommender().fit(regimes)
    recommendation = recommender.recommend(
        {"nr_inst": 200, "class_ent": 0.5, "can_cor.max": 0.5}
    )
    assert not recommendation.fell_back
    heaviest = recommendation.task_weights.index[:10]
    assert (regimes.meta_features.loc[heaviest, "nr_inst"] < 1000).all()
    assert recommendation.task_weights.is_monotonic_decreasing
    assert recommendation.reason == (
        f"The most similar known tasks are {', '.join(heaviest[:3])}."
    )


@pytest.mark.parametrize("make", LEARNING)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_meta_features_do_not_help(make, regimes, seed):
    """What meta-features say of other tasks is no better than the portfolio."""
    order = np.random.default_rng(seed).permutation(60)
    shuffled = regimes.meta_features.iloc[order].to_dict("list")
    knowledge = make_knowledge(regimes.scores("accuracy"), meta_features=shuffled)
    new, scores = make_regimes(20, random_state=1)
    similar = make().fit(knowledge)
    portfolio = PortfolioRecommender().fit(knowledge)
    # The portfolio begins with the configuration that is good everywhere.
    assert (
        regret_of_first_picks(similar, new, scores)
        > regret_of_first_picks(portfolio, new, scores) - 0.01
    )


def test_the_tree_can_be_read(regimes):
    """It asks for the number of rows, in rows, and says what is first on both sides."""
    text = TreeRecommender(max_depth=1).fit(regimes).export_text()
    question, small, other, large = text.splitlines()
    threshold = float(question.removeprefix("nr_inst <= "))
    assert 400 < threshold < 6000
    assert other == f"nr_inst > {threshold:.4g}"
    configurations = [each.name for each in regimes.configuration_values]
    assert f"30 known tasks: {configurations[SMALL]}" in small
    assert f"30 known tasks: {configurations[LARGE]}" in large


def test_networks_spread_where_they_differ():
    """The second pick is what some think best, not what is like the first."""
    recommender = NeuralRecommender(n_networks=2).fit(make_knowledge(np.eye(4)))
    recommender.rank = lambda _: np.array([[3.0, 2.9, 0, 0], [3.0, 2.9, 0, 3.5]])
    picks = numbers_of(recommender.recommend({"nr_inst": 1}, n_configurations=2))
    assert picks == [0, 3]


@pytest.mark.parametrize("make", LEARNING)
def test_far_away_task_falls_back(make, regimes):
    """A task like no other gets the portfolio, equal weights and a word on why."""
    far = {"nr_inst": 1e12, "class_ent": 0.5, "can_cor.max": 0.5}
    recommendation = make().fit(regimes).recommend(far)
    assert recommendation.fell_back
    assert "Nothing similar is known" in recommendation.reason
    assert "nr_inst" in recommendation.reason
    np.testing.assert_allclose(recommendation.task_weights, 1 / 60)
    portfolio = PortfolioRecommender().fit(regimes).recommend(far)
    assert recommendation.configurations == portfolio.configurations
    assert not portfolio.fell_back


def test_similar_tasks_without_a_meta_feature(regimes):
    """A meta-feature that tasks are compared by has to be given."""
    recommender = SimilarTasksRecommender().fit(regimes)
    with pytest.raises(ValueError, match=r"got none named \['class_ent'\]"):
        recommender.recommend({"nr_inst": 200, "can_cor.max": 0.5})


def test_similar_tasks_need_something_to_compare_by():
    """Knowledge without any of the meta-features compared is an error."""
    knowledge = make_knowledge(np.eye(3), meta_features={"my_own": [1.0, 2.0, 3.0]})
    with pytest.raises(KnowledgeError, match=r"at least one of .*, got: \['my_own'\]"):
        SimilarTasksRecommender().fit(knowledge)


# Portfolio


def test_portfolio_recommender_worked_example():
    """The second is good on average; the others repair one task each.

    Losses are 0, .5, 1 on the first task and 1, .5, 0 twice on the others.
    """
    scores = [[0.9, 0.8, 0.4], [0.4, 0.8, 0.9], [0.4, 0.8, 0.9]]
    recommender = PortfolioRecommender().fit(make_knowledge(scores))
    expected = greedy_portfolio(recommender.loss_, size=3)
    recommendation = recommender.recommend({})
    assert numbers_of(recommendation) == expected.tolist()
    means = np.mean(scores, axis=0)[expected]
    np.testing.assert_allclose(recommendation.expected_scores, means, rtol=1e-6)
    assert recommendation.reason == "All 3 known tasks (3 families) count."


@pytest.mark.parametrize("copied", range(4))
def test_copies_within_a_family_change_nothing(copied):
    """A variant of a task that is known adds nothing to the portfolio."""
    rng = np.random.default_rng(0)
    scores = rng.random((4, 6))
    families = ["a", "b", "c", "d"]
    more_scores = np.vstack([scores, scores[[copied] * 3]])
    more_families = families + families[copied : copied + 1] * 3
    recommender = PortfolioRecommender()
    assert order_of(
        recommender, make_knowledge(more_scores, more_families)
    ) == order_of(recommender, make_knowledge(scores, families))


def test_weights_are_shared_within_families():
    """Two tasks of one family count a quarter each, the one of the other a half."""
    knowledge = make_knowledge(np.eye(3), families=["a", "a", "b"])
    recommender = PortfolioRecommender().fit(knowledge)
    assert recommender.task_weights_.tolist() == [0.25, 0.25, 0.5]
    weights = recommender.recommend({}).task_weights
    assert weights.to_dict() == {"task_2": 0.5, "task_0": 0.25, "task_1": 0.25}


@pytest.mark.parametrize("make", [PortfolioRecommender, SimilarTasksRecommender])
def test_per_second_prefers_cheap_ones(make):
    """The best by little that takes a hundred times longer is no longer first."""
    rng = np.random.default_rng(0)
    scores = rng.normal([0.9, 0.89, 0.5], 0.001, (12, 3))
    knowledge = make_knowledge(scores, seconds=[50.0, 0.5, 50.0])
    assert order_of(make(), knowledge)[0] == 0
    assert order_of(make(), knowledge, per_second=True)[0] == 1


def test_much_better_is_worth_some_seconds():
    """What gains three times as much may take five times as long."""
    rng = np.random.default_rng(0)
    scores = rng.normal([0.9, 0.7, 0.5], 0.001, (12, 3))
    knowledge = make_knowledge(scores, seconds=[5.0, 1.0, 5.0])
    assert order_of(SimilarTasksRecommender(), knowledge, per_second=True)[0] == 0
    assert order_of(PortfolioRecommender(), knowledge, per_second=True)[0] == 1


def test_unknown_seconds_count_as_slow():
    """What has no measured seconds is not preferred for it."""
    scores = np.tile([0.9, 0.89, 0.5], (3, 1))
    knowledge = make_knowledge(scores, seconds=[np.nan, 0.5, 50.0])
    assert order_of(PortfolioRecommender(), knowledge, per_second=True)[0] == 1


# Random


def test_random_recommender_is_seeded():
    """The order depends on the seed alone, and names each configuration once."""
    knowledge = make_knowledge(np.random.default_rng(0).random((3, 20)))
    first = order_of(RandomRecommender(random_state=1), knowledge)
    assert first == order_of(RandomRecommender(random_state=1), knowledge)
    assert first != order_of(RandomRecommender(random_state=2), knowledge)
    assert sorted(first) == list(range(20))


# What all of them keep to


@every_recommender
def test_everything_is_recommended_once(make, regimes):
    """Without a number each configuration comes once."""
    recommendation = make().fit(regimes).recommend(regimes.meta_features.iloc[0])
    assert sorted(numbers_of(recommendation)) == [0, 1, 2, 3]


@every_recommender
@pytest.mark.parametrize(("asked", "given"), [(0, 0), (1, 1), (3, 3), (4, 4), (9, 4)])
def test_n_configurations_caps(make, regimes, asked, given):
    """Asking for fewer gives the beginning of the order, for more all there are."""
    recommender = make().fit(regimes)
    task = regimes.meta_features.iloc[0]
    recommendation = recommender.recommend(task, n_configurations=asked)
    assert numbers_of(recommendation) == numbers_of(recommender.recommend(task))[:given]
    assert len(recommendation.expected_scores) == given
    assert len(recommendation.to_frame()) == given


@every_recommender
def test_recommending_twice_gives_the_same(make, regimes):
    """Neither another fit nor another call changes the order or the weights."""
    task = regimes.meta_features.iloc[3]
    recommender = make().fit(regimes)
    first, again = recommender.recommend(task), recommender.recommend(task)
    refitted = clone(recommender).fit(regimes).recommend(task)
    for other in (again, refitted):
        assert other.configurations == first.configurations
        assert other.task_weights.equals(first.task_weights)


@every_recommender
def test_global_random_state_is_left_alone(make, regimes):
    """Recommending neither uses nor changes the global generators."""
    states = random.getstate(), pickle.dumps(np.random.get_state())  # noqa: NPY002 (it is what is tested)
    make().fit(regimes).recommend(regimes.meta_features.iloc[0])
    after = random.getstate(), pickle.dumps(np.random.get_state())  # noqa: NPY002 (it is what is tested)
    assert after == states


@every_recommender
def test_weights_sum_to_one(make, regimes):
    """Every known task has a weight, none is negative, and they sum to 1."""
    weights = make().fit(regimes).recommend(regimes.meta_features.iloc[0]).task_weights
    assert sorted(weights.index) == sorted(regimes.tasks.index)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@every_recommender
def test_tasks_and_configurations_without_scores_are_left_out(make):
    """What nothing is known of by the metric neither counts nor is recommended."""
    scores = np.array([[0.9, np.nan, 0.5], [np.nan] * 3, [0.4, np.nan, 0.6]])
    recommender = make().fit(make_knowledge(scores))
    recommendation = recommender.recommend({"nr_inst": 1.0})
    assert sorted(recommendation.task_weights.index) == ["task_0", "task_2"]
    assert sorted(numbers_of(recommendation)) == [0, 2]


@every_recommender
def test_metric_without_any_score(make):
    """If no task has a score there is nothing to recommend from."""
    with pytest.raises(KnowledgeError, match="at least one task with scores by 'acc"):
        make().fit(make_knowledge(np.full((2, 3), np.nan)))


@every_recommender
def test_metric_that_is_not_stored(make, regimes):
    """A metric that is not stored is an error that lists those that are."""
    with pytest.raises(ValueError, match=r"metric must be one of \['accuracy'\], got"):
        make().fit(regimes, metric="f1")


@every_recommender
def test_recommend_before_fit(make):
    """Before fit it is scikit-learn's error."""
    with pytest.raises(NotFittedError, match=make.__name__):
        make().recommend({})


@every_recommender
def test_pickled_recommender_recommends_the_same(make, regimes):
    """A fitted recommender can be stored."""
    recommender = make().fit(regimes)
    restored = pickle.loads(pickle.dumps(recommender))
    check_is_fitted(restored)
    task = regimes.meta_features.iloc[5]
    assert (
        restored.recommend(task).configurations
        == recommender.recommend(task).configurations
    )


# Learning from what was tried


def observations(knowledge, scores, seconds=np.nan):
    """Return observations of the first configurations of `make_knowledge`."""
    configurations = knowledge.configuration_values
    return [
        Observation(c, score, seconds)
        for c, score in zip(configurations, scores, strict=False)
    ]


@every_recommender
def test_what_was_tried_is_not_recommended_again(make, regimes):
    """Two of four were tried, one of them failed: the other two are left."""
    observed = observations(regimes, [0.8, np.nan])
    recommendation = (
        make().fit(regimes).recommend(regimes.meta_features.iloc[0], observed=observed)
    )
    assert sorted(numbers_of(recommendation)) == [ALL_ROUND, POOR]


@every_recommender
def test_everything_was_tried(make, regimes):
    """Then there is nothing left to recommend."""
    observed = observations(regimes, [0.8, 0.7, 0.6, 0.5])
    recommender = make().fit(regimes)
    task = regimes.meta_features.iloc[0]
    assert recommender.recommend(task, observed=observed).configurations == ()


@every_recommender
def test_observations_of_the_unknown_are_ignored(make, regimes):
    """A configuration that the knowledge does not hold says nothing."""
    observed = [Observation(Configuration("mlp", {}), 0.9)]
    recommender = make().fit(regimes)
    task = regimes.meta_features.iloc[0]
    assert (
        recommender.recommend(task, observed=observed).configurations
        == recommender.recommend(task).configurations
    )


def two_kinds_of_tasks(n_tasks=60):
    """Return knowledge in which 0 and 1 are good together, or 2 and 3 are.

    Meta-features do not tell which: only trying does.
    """
    is_first = (np.arange(n_tasks) % 2 == 0)[:, np.newaxis]
    scores = np.where(is_first, [0.9, 0.91, 0.5, 0.5], [0.5, 0.5, 0.9, 0.91])
    noise = np.random.default_rng(0).normal(0, 0.005, scores.shape)
    return make_knowledge(scores + noise)


@pytest.mark.parametrize(("score", "expected"), [(0.9, 1), (0.5, 3)])
def test_observed_scores_change_the_order(score, expected):
    """A good score of one recommends its companion, a bad one the others."""
    recommender = SimilarTasksRecommender(adapts_after=1).fit(two_kinds_of_tasks())
    observed = observations(two_kinds_of_tasks(), [score])
    recommendation = recommender.recommend({"nr_inst": 30.0}, observed=observed)
    assert numbers_of(recommendation)[0] == expected


@pytest.mark.parametrize(("score", "expected"), [(0.9, 0.91), (0.5, 0.5)])
def test_expected_scores_follow_what_was_observed(score, expected):
    """The companion is expected to score as it did where the first one did so."""
    knowledge = two_kinds_of_tasks()
    recommendation = (
        SimilarTasksRecommender()
        .fit(knowledge)
        .recommend({"nr_inst": 30.0}, observed=observations(knowledge, [score]))
    )
    place = numbers_of(recommendation).index(1)
    assert recommendation.expected_scores[place] == pytest.approx(expected, abs=0.03)


def test_observed_scores_count_from_a_number_on():
    """Before that many, or never, the order is the greedy one."""
    knowledge = two_kinds_of_tasks()
    task = {"nr_inst": 30.0}
    for adapts_after in (2, None):
        recommender = SimilarTasksRecommender(adapts_after=adapts_after).fit(knowledge)
        after = [
            numbers_of(recommender.recommend(task, observed=observations(knowledge, s)))
            for s in ([0.9], [0.5])
        ]
        assert after[0] == after[1]


def test_only_failures_so_far():
    """Where all that was tried failed there is no score to learn from."""
    knowledge = two_kinds_of_tasks()
    recommender = SimilarTasksRecommender(adapts_after=1).fit(knowledge)
    observed = observations(knowledge, [np.nan, np.nan])
    recommendation = recommender.recommend({"nr_inst": 30.0}, observed=observed)
    assert sorted(numbers_of(recommendation)) == [2, 3]


def test_seconds_grow_with_the_task():
    """What is best per second on small tasks is too slow on large ones.

    Both are as good as each other; the first takes a constant time, the second
    as long as there are rows.
    """
    n_rows = np.geomspace(100, 100_000, 40)
    scores = np.tile([0.9, 0.9], (40, 1)) + np.random.default_rng(0).normal(
        0, 1e-3, (40, 2)
    )
    knowledge = make_knowledge(
        scores,
        meta_features={"nr_inst": n_rows},
        seconds=np.column_stack([np.full(40, 1.0), n_rows / 10_000]),
    )
    recommender = SimilarTasksRecommender().fit(knowledge)
    first = [
        numbers_of(recommender.recommend({"nr_inst": n}, per_second=True))[0]
        for n in (200.0, 80_000.0)
    ]
    assert first == [1, 0]


# Recommendation


@pytest.fixture
def recommendation(regimes):
    recommender = SimilarTasksRecommender().fit(regimes)
    return recommender.recommend(regimes.meta_features.iloc[0])


def test_recommendation_is_frozen(recommendation):
    """It is a record of what was said and cannot be assigned to."""
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'metric'"):
        recommendation.metric = "f1_macro"


def test_recommendation_can_be_pickled(recommendation):
    """All of its parts go through a pickle."""
    restored = pickle.loads(pickle.dumps(recommendation))
    assert restored.configurations == recommendation.configurations
    assert restored.task_weights.equals(recommendation.task_weights)
    assert np.array_equal(restored.expected_scores, recommendation.expected_scores)
    assert str(restored) == str(recommendation)


def test_recommendation_as_text(recommendation):
    """It says who recommends, for what and why, then each configuration in order."""
    text = str(recommendation)
    assert text.startswith("Recommended by SimilarTasksRecommender for accuracy. The")
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    assert len(lines) == 4
    for order, (line, configuration) in enumerate(
        zip(lines, recommendation.configurations, strict=True), start=1
    ):
        assert line.strip().startswith(f"{order}. expected")
        assert "  lda" in line
        assert line.endswith(f"i={configuration.hyperparameters['i']}")
    many = recommendation.take([0, 1, 2, 3] * 5)
    last = str(many).splitlines()[-1]
    assert last == "and 4 more, which to_frame() shows."
    assert str(many).count("expected") == 16


def test_what_was_observed_is_printed_beside_what_was_expected(recommendation):
    """Or two scales would be one column: of known tasks, and after scores seen here."""
    observed = np.array([0.75, np.nan, np.nan, np.nan])
    lines = str(replace(recommendation, observed_scores=observed)).splitlines()
    assert "on known tasks, which may be easier" in " ".join(lines)
    assert ["here 0.750" in line for line in lines[-4:]] == [True] + [False] * 3
    untried = replace(recommendation, observed_scores=np.full(4, np.nan))
    assert str(untried) == str(recommendation)


def test_recommendation_as_frame(recommendation):
    """A row for each configuration, numbered from 1."""
    frame = recommendation.to_frame()
    assert frame.columns.tolist() == [
        "learner",
        "hyperparameters",
        "expected_seconds",
        "expected_score",
    ]
    assert frame.index.tolist() == [1, 2, 3, 4]
    assert frame.index.name == "order"
    assert frame["hyperparameters"].tolist() == [
        dict(c.hyperparameters) for c in recommendation.configurations
    ]


def test_expected_scores_are_weighted_means():
    """Scores 0.9 and 0.5 count a quarter each, 0.3 a half: 0.5; failures do not."""
    scores = [[0.9, 0.75], [0.5, np.nan], [0.3, 0.75]]
    knowledge = make_knowledge(scores, families=["a", "a", "b"], failures=[(1, 1)])
    recommendation = PortfolioRecommender().fit(knowledge).recommend({})
    by_number = dict(
        zip(numbers_of(recommendation), recommendation.expected_scores, strict=True)
    )
    assert by_number == {0: pytest.approx(0.5), 1: pytest.approx(0.75)}


# What was not tried


def test_what_was_not_tried_is_not_taken_for_bad():
    """The best configuration of all the others is expected to do well there too."""
    scores = np.tile([0.9, 0.7, 0.5], (12, 1)) - np.arange(12)[:, np.newaxis] / 100
    scores[11] = [np.nan, 0.6, 0.4]
    unknown = PortfolioRecommender().fit(make_knowledge(scores))
    assert unknown.scores_[11, 0] == pytest.approx(0.8, abs=0.05)
    assert unknown.loss_[11, 0] == 0
    failed = PortfolioRecommender().fit(make_knowledge(scores, failures=[(11, 0)]))
    assert np.isnan(failed.scores_[11, 0])
    assert failed.loss_[11, 0] == 1


def test_a_task_on_which_one_was_tried_says_something():
    """A forest that learns from a task with a single score, and recommends for it."""
    scores = np.random.default_rng(0).uniform(0.5, 0.9, (30, 6))
    scores[29, 1:] = np.nan
    recommender = SimilarTasksRecommender().fit(make_knowledge(scores))
    assert np.isfinite(recommender.scores_).all()
    assert len(recommender.recommend({"nr_inst": 29}).configurations) == 6


# By name, and one's own


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("similar_tasks", SimilarTasksRecommender),
        ("portfolio", PortfolioRecommender),
        ("neural", NeuralRecommender),
        ("tree", TreeRecommender),
        ("symbolic", SymbolicRecommender),
        ("random", RandomRecommender),
    ],
)
def test_get_recommender_by_name(name, expected):
    """A name gives a new recommender with its defaults, which is not fitted."""
    recommender = get_recommender(name)
    assert type(recommender) is expected
    assert recommender.get_params() == expected().get_params()
    assert get_recommender(name) is not recommender


def test_get_recommender_takes_an_instance():
    """What is a recommender already is returned as it is."""
    recommender = RandomRecommender(random_state=3)
    assert get_recommender(recommender) is recommender


@pytest.mark.parametrize("recommender", ["nearest", 3, None, object()])
def test_get_recommender_unknown(recommender):
    """Anything else is an error that lists the names."""
    message = r"must be one of \['average', 'nearest_tasks', .*\] or have fit"
    with pytest.raises(ValueError, match=message):
        get_recommender(recommender)


class BestOnAverage(Recommender):
    """A recommender of a user's own, with one method and one parameter."""

    def __init__(self, reverse=False):
        self.reverse = reverse

    def order(self, task, size):
        order = np.argsort(task.weights @ self.loss_, kind="stable")
        return order[::-1] if self.reverse else order


def test_own_recommender(regimes):
    """Subclassing takes one method; the rest is there."""
    recommender = get_recommender(BestOnAverage())
    assert order_of(recommender, regimes)[0] == ALL_ROUND
    assert order_of(BestOnAverage(reverse=True), regimes)[0] == POOR
    assert clone(BestOnAverage(reverse=True)).reverse
    recommendation = recommender.recommend({}, n_configurations=2)
    assert str(recommendation).startswith("Recommended by BestOnAverage for accuracy.")
