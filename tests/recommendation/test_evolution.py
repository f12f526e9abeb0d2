from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skmeta import Configuration, KnowledgeBase, load_knowledge
from skmeta._base_learners import BASE_LEARNERS
from skmeta._configuration import ConfigurationSpace, Hyperparameter
from skmeta.recommendation import Observation, RegularizedEvolution, get_explorer

STRENGTHS = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]


def make_knowledge(scores, configurations):
    names = [f"task_{i}" for i in range(len(scores))]
    tasks = {
        "family": names,
        "domain": "",
        "n_rows": 100,
        "n_features": 5,
        "n_classes": 2,
    }
    return KnowledgeBase(
        tasks=pd.DataFrame(tasks, index=names),
        meta_features=pd.DataFrame({"nr_inst": 100.0}, index=names),
        configurations=configurations,
        fold_scores={"accuracy": np.asarray(scores)[:, :, np.newaxis]},
        fit_seconds=np.ones(np.shape(scores)),
        predict_seconds=np.ones(np.shape(scores)),
    )


@pytest.fixture(scope="module")
def knowledge():
    """Thirty tasks on which the strength of a penalty matters, and nothing else."""
    rng = np.random.default_rng(0)
    configurations, means = [], []
    for strength in STRENGTHS:
        for scale in ("standard", "quantile"):
            values = {"C": strength, "table__scale": scale}
            configurations.append(Configuration("logistic_regression", values))
            means.append(0.9 - 0.05 * abs(np.log10(strength) + 1))
    for smoothing in (1e-9, 1e-6, 1e-3):
        values = {"var_smoothing": smoothing}
        configurations.append(Configuration("gaussian_nb", values))
        means.append(0.6)
    noise = rng.normal(scale=0.002, size=(30, len(means)))
    return make_knowledge(np.array(means) + noise, configurations)


@pytest.fixture(scope="module")
def evolution(knowledge):
    return RegularizedEvolution().fit(knowledge)


def observe(knowledge, task=0):
    scores = knowledge.scores("accuracy").iloc[task]
    return [
        Observation(c, score, 1.0)
        for c, score in zip(knowledge.configuration_values, scores, strict=True)
    ]


def test_what_matters_is_changed_often_and_a_little(evolution):
    """Scores depended on the strength alone."""
    neighbourhood = evolution.neighbourhoods_["logistic_regression"]
    names = [each.name for each in neighbourhood.dimensions]
    shares = dict(zip(names, neighbourhood.shares, strict=True))
    widths = dict(zip(names, neighbourhood.widths, strict=True))
    assert shares["C"] > 2 * shares["table__scale"] > 0
    assert widths["C"] < widths["table__scale"]
    assert sum(shares.values()) == pytest.approx(1)


def test_children_are_new_and_allowed(knowledge, evolution):
    """Each is in the range of its learner, and none was met before."""
    observed = observe(knowledge)
    children = evolution.propose(observed, 40, random_state=0)
    assert len(set(children)) == len(children) == 40
    assert not set(children).intersection(knowledge.configuration_values)
    for child in children:
        BASE_LEARNERS[child.learner].space.check(child.hyperparameters)


def test_the_same_seed_gives_the_same_children(knowledge, evolution):
    """And another seed gives others."""
    observed = observe(knowledge)
    first, again, other = (evolution.propose(observed, 5, seed) for seed in (0, 0, 1))
    assert first == again != other


def test_children_are_near_the_best(knowledge, evolution):
    """Strengths are nearer to the best one than those of all that was tried."""
    children = evolution.propose(observe(knowledge), 60, random_state=0)
    of_linear = [c for c in children if c.learner == "logistic_regression"]
    strengths = np.array([c.hyperparameters["C"] for c in of_linear])
    distances = np.abs(np.log10(strengths) + 1)
    assert distances.mean() < np.mean(np.abs(np.log10(STRENGTHS) + 1))


def test_learners_take_turns_by_what_they_score(knowledge, evolution):
    """The better learner has most children; where those fail, the other one does."""
    observed = observe(knowledge)

    def share(observed):
        children = evolution.propose(observed, 60, random_state=0)
        return np.mean([c.learner == "gaussian_nb" for c in children])

    assert share(observed) < 0.2
    for i in range(1, 9):
        value = {"var_smoothing": i / 10}
        observed.append(Observation(Configuration("gaussian_nb", value), 0.95, 1.0))
    assert share(observed) > 0.5


def test_cheap_learners_come_more_often():
    """Of two learners that score the same, the one that is a thousand times faster."""
    configurations = [
        Configuration(learner, {name: value})
        for learner, name in (("gaussian_nb", "var_smoothing"), ("svc", "C"))
        for value in (0.001, 0.01, 0.1)
    ]
    scores = np.random.default_rng(0).uniform(0.7, 0.9, size=(20, 6))
    evolution = RegularizedEvolution().fit(make_knowledge(scores, configurations))
    observed = [
        Observation(c, score, 1e3 if c.learner == "svc" else 1.0)
        for c, score in zip(configurations, [0.7, 0.8, 0.9] * 2, strict=True)
    ]
    children = evolution.propose(observed, 100, random_state=0)
    assert np.mean([c.learner == "gaussian_nb" for c in children]) > 0.6


def test_the_oldest_leave(knowledge):
    """With as many children as the population has members, parents are children."""
    evolution = RegularizedEvolution(population_size=3).fit(knowledge)
    observed = observe(knowledge)
    values = [{"C": 3e4, "fit_intercept": yes} for yes in (True, False)]
    values.append({"C": 3.1e4})
    children = [Configuration("logistic_regression", each) for each in values]
    observed += [Observation(child, 0.1, 1.0) for child in children]
    for child in evolution.propose(observed, 20, random_state=0):
        assert child.hyperparameters["C"] > 100


def test_failures_are_no_parents(knowledge, evolution):
    """Without a score nothing is known; without any there are no children."""
    observed = observe(knowledge)
    failed = [Observation(each.configuration, np.nan) for each in observed]
    assert evolution.propose([], 3, random_state=0) == []
    assert evolution.propose(failed, 3, random_state=0) == []
    of_naive_bayes = [*failed[:-3], *observed[-3:]]
    children = evolution.propose(of_naive_bayes, 5, random_state=0)
    assert {c.learner for c in children} == {"gaussian_nb"}


def test_no_more_children_than_there_are(monkeypatch):
    """A range that is exhausted gives fewer, then none, and does not go on for ever."""
    scale = Hyperparameter("table__scale", "standard", choices=("standard", "robust"))
    learner = replace(BASE_LEARNERS["gaussian_nb"], space=ConfigurationSpace((scale,)))
    monkeypatch.setitem(BASE_LEARNERS, "gaussian_nb", learner)
    known = Configuration("gaussian_nb", {"table__scale": "standard"})
    evolution = RegularizedEvolution().fit(make_knowledge([[0.5]], [known]))
    observed = [Observation(known, 0.5, 1.0)]
    children = evolution.propose(observed, 4, random_state=0)
    assert children == [Configuration("gaussian_nb", {"table__scale": "robust"})]
    observed.append(Observation(children[0], 0.5, 1.0))
    assert evolution.propose(observed, 4, random_state=0) == []


def test_what_the_parent_leaves_out_is_left_out(knowledge, evolution):
    """Only what was changed is said besides."""
    observed = [Observation(Configuration("gaussian_nb"), 0.9, 1.0)]
    for child in evolution.propose(observed, 10, random_state=0):
        assert len(child.hyperparameters) <= 2
    single = {
        len(child.hyperparameters)
        for child in evolution.propose(observed, 10, random_state=0)
    }
    assert 1 in single


def test_tasks_without_scores_are_no_warning(recwarn):
    """Boosters were not tried on every task."""
    configurations = [Configuration("svc", {"C": c}) for c in (0.1, 1.0, 10.0)]
    scores = [[np.nan] * 3, [0.5, 0.6, 0.7], [0.5, np.nan, 0.6]]
    evolution = RegularizedEvolution().fit(make_knowledge(scores, configurations))
    assert np.isfinite(evolution.neighbourhoods_["svc"].widths).all()
    assert not recwarn.list


def test_learners_without_ranges_are_left_out():
    """Those that were taught by path have no children."""
    taught = Configuration("sklearn.ensemble:AdaBoostClassifier")
    known = [taught, Configuration("gaussian_nb")]
    evolution = RegularizedEvolution().fit(make_knowledge([[0.9, 0.5]], known))
    observed = [Observation(each, 0.5) for each in known]
    children = evolution.propose(observed, 3, random_state=0)
    assert {child.learner for child in children} == {"gaussian_nb"}


def test_shipped_knowledge_has_neighbourhoods_of_all_learners():
    """Steps and shares are finite."""
    knowledge = load_knowledge()
    evolution = RegularizedEvolution().fit(knowledge, "neg_log_loss")
    assert set(evolution.neighbourhoods_) == set(knowledge.configurations["learner"])
    for each in evolution.neighbourhoods_.values():
        assert np.isfinite([*each.widths, *each.shares, each.gain_mean]).all()
        assert each.gain_deviation > 0


def test_not_fitted():
    with pytest.raises(NotFittedError):
        RegularizedEvolution().propose([], 1)


def test_get_explorer():
    """By its name, or as it is."""
    assert type(get_explorer("evolution")) is RegularizedEvolution
    own = RegularizedEvolution(population_size=3)
    assert get_explorer(own) is own
    assert clone(own).population_size == 3
    for wrong in ("evolve", 3, RegularizedEvolution, object()):
        with pytest.raises(
            ValueError, match=r"explorer must be one of \['evolution'\]"
        ):
            get_explorer(wrong)
