import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skmeta import (
    Configuration,
    KnowledgeBase,
    MetaLearnerClassifier,
    load_knowledge,
    symbolic_defaults,
)
from skmeta._base_learners import TaskSize
from skmeta.exceptions import KnowledgeError
from skmeta.recommendation import Formula, Observation, SymbolicRecommender
from skmeta.recommendation._loss_surrogate import (
    LossSurrogate,
    describe_tried,
    mean_loss,
)
from skmeta.recommendation._symbolic import LearnerFormulas

WINE = {"nr_inst": 178, "nr_attr": 13, "nr_class": 3, "class_ent": 1.567}
STRENGTHS = [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0]


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def knowledge():
    """What is known of other tables, of two learners."""
    everything = load_knowledge().without(["wine"])
    return everything.select_learners(["svc", "logistic_regression"])


@pytest.fixture(scope="module")
def fitted(knowledge):
    return SymbolicRecommender().fit(knowledge)


def ideal(n_rows):
    """The best regularization of `own_knowledge`, which the formula should find."""
    return 10 / n_rows**0.5


@pytest.fixture(scope="module")
def own_knowledge():
    """A single learner, of which the best C falls with the root of the rows."""
    rng = np.random.default_rng(0)
    n_rows = np.exp(rng.uniform(np.log(50), np.log(20_000), 60)).astype(int)
    names = [f"task_{i}" for i in range(60)]
    log_c = np.log(STRENGTHS)
    scores = 0.9 - 0.01 * (log_c - np.log(ideal(n_rows))[:, np.newaxis]) ** 2
    seconds = np.ones_like(scores)
    return KnowledgeBase(
        tasks=pd.DataFrame(
            {
                "family": names,
                "domain": "",
                "n_rows": n_rows,
                "n_features": 5,
                "n_classes": 2,
            },
            index=names,
        ),
        meta_features=pd.DataFrame(
            {
                "nr_inst": n_rows,
                "nr_attr": 5.0,
                "nr_class": 2.0,
                "class_ent": rng.uniform(0.5, 1.0, 60),
            },
            index=names,
        ),
        configurations=[
            Configuration("logistic_regression", {"C": c}) for c in STRENGTHS
        ],
        fold_scores={"accuracy": scores[:, :, np.newaxis]},
        fit_seconds=seconds,
        predict_seconds=seconds,
    )


# The surrogate, and what is minimized


@pytest.mark.parametrize("seed", range(3))
def test_slopes_are_those_of_the_loss(seed):
    """By finite differences, inside the range that was tried and beyond."""
    rng = np.random.default_rng(seed)
    tasks = rng.normal(size=(7, 2))
    surrogate = LossSurrogate(
        rng.normal(size=(7, 5, 3)), np.eye(5)[:, :2], tasks, rng.random((7, 5)),
        np.full(7, 1 / 7), ridge=0.1, caution=0.05,
    )  # fmt: skip
    design = np.column_stack([np.ones(7), tasks])
    objective = (
        design, surrogate, np.array([1.0, 0.0]), np.full(7, 1 / 7),
        np.full(3, -0.5), np.full(3, 0.5),
    )  # fmt: skip

    def loss(flat):
        return mean_loss(flat.reshape(3, 3), *objective)[0]

    def slopes(flat):
        return mean_loss(flat.reshape(3, 3), *objective)[1].ravel()

    assert check_grad(loss, slopes, rng.normal(size=9)) < 1e-6


def test_describe_tried_worked_example():
    """What depends on the table is the number that it was there."""
    tried = describe_tried(
        [
            Configuration("random_forest", {"min_samples_leaf": 10}),
            Configuration("random_forest", {"max_features": 1}),
            Configuration("random_forest", {"max_features": 0.5, "max_depth": 6}),
        ],
        [TaskSize(1000, 100), TaskSize(60, 4)],
    )
    assert tried.names == ["max_features", "min_samples_leaf"]
    assert tried.is_integer == [False, True]
    features, leaf = np.exp(tried.numbers).transpose(2, 0, 1)
    assert features == pytest.approx(np.array([[0.1, 0.01, 0.5], [0.5, 0.25, 0.5]]))
    assert leaf == pytest.approx(np.array([[10, 1, 1], [3, 1, 1]]))  # a twentieth
    assert [constants for _, constants in tried.choices] == [
        {"max_depth": None},
        {"max_depth": 6},
    ]


def test_formulas_are_for_the_encoder_as_it_is():
    """A scaler is a word of what was tried, but not one to be chosen."""
    tried = describe_tried(
        [
            Configuration("svc", {"C": 1.0, "table__scale": "quantile"}),
            Configuration("svc", {"C": 10.0}),
        ],
        [TaskSize(100, 5)],
    )
    [(words, constants)] = tried.choices
    assert constants == {}
    assert words.tolist() == tried.words[1].tolist() != tried.words[0].tolist()


# Formulas


def test_a_formula_is_what_it_prints():
    """Read as Python, it has the same value, but for range and digits."""
    formula = Formula(
        "C", 0.5, {"rows": -0.3, "columns": 1.2, "entropy": 1.8}, 1e-9, 1e9, False
    )
    given = {"rows": 178.0, "columns": 13.0, "entropy": 1.5}
    assert str(formula) == "0.5 * rows**-0.3 * columns**1.2 * 1.8**entropy"
    assert formula.evaluate(given) == pytest.approx(
        eval(str(formula), given), rel=0.005
    )


def test_a_formula_stays_in_the_range_that_was_tried():
    """And gives whole numbers where the hyperparameter is one."""
    formula = Formula("max_iter", 2.0, {"rows": 0.5}, 40, 300, True)
    values = [formula.evaluate({"rows": rows}) for rows in (1, 5_000, 10**6)]
    assert values == [40, 141, 300]
    assert all(type(value) is int for value in values)


def test_the_formula_of_a_known_law_is_found(own_knowledge):
    """Of a loss that is what the surrogate can be, with few and many rows."""
    [formulas] = (
        SymbolicRecommender(caution=0.001).fit(own_knowledge).formulas_.values()
    )
    [formula] = formulas.formulas
    assert formula.powers.keys() == {"rows"}
    for rows in (100, 1_000, 10_000):
        found = formula.evaluate({"rows": rows})
        assert math.log(found) == pytest.approx(math.log(ideal(rows)), abs=0.7)


def test_without_attributes_formulas_are_constants(own_knowledge):
    """A large penalty leaves nothing but constants."""
    recommender = SymbolicRecommender(sparsity=10.0).fit(own_knowledge)
    assert recommender.formulas_["logistic_regression"].formulas[0].powers == {}


def test_kernels_are_as_wide_as_columns_are_many(knowledge):
    """What scikit-learn has as gamma="scale" is found from the scores."""
    formulas = (
        SymbolicRecommender().fit(knowledge, "balanced_accuracy").formulas_["svc"]
    )
    gamma = next(f for f in formulas.formulas if f.name == "gamma")
    assert -1.2 < gamma.powers["columns"] < -0.7
    assert f"gamma = {gamma}" in str(formulas)


# The recommender


def test_formulas_come_first_then_what_is_known(fitted, knowledge):
    """Each learner once under its formula; nothing twice."""
    recommended = fitted.recommend(WINE)
    first, rest = recommended.configurations[:2], recommended.configurations[2:]
    assert {c.learner for c in first} == {"svc", "logistic_regression"}
    assert set(rest) == set(knowledge.configuration_values)
    assert np.isfinite(recommended.expected_scores).all()
    assert (recommended.expected_seconds > 0).all()
    assert "formulas for" in recommended.reason
    assert recommended.explain().configuration == first[0]
    observed = [Observation(c, 0.9) for c in first]
    assert fitted.recommend(WINE, 3, observed=observed).configurations[0] in rest
    by_seconds = fitted.recommend(WINE, 2, per_second=True)
    assert set(by_seconds.configurations) == set(first)


def test_a_formula_that_comes_to_what_is_known_is_not_tried_twice(own_knowledge):
    """Not even when everything is asked for."""
    recommender = SymbolicRecommender(sparsity=10.0).fit(own_knowledge)
    constant = Formula("C", 0.1, {}, 0.001, 100.0, False)
    formulas = LearnerFormulas("logistic_regression", (constant,), {})
    recommender.formulas_ = {"logistic_regression": formulas}
    configurations = recommender.recommend(WINE).configurations
    assert sorted(c.hyperparameters["C"] for c in configurations) == STRENGTHS


def test_learning_is_repeatable(fitted, knowledge):
    """The same knowledge, the same formulas."""
    assert SymbolicRecommender().fit(knowledge).formulas_ == fitted.formulas_


def test_meta_features_are_named_if_missing(fitted):
    """The error says which, and where they come from."""
    with pytest.raises(ValueError, match=r"got none named \['class_ent'\]"):
        fitted.recommend({n: v for n, v in WINE.items() if n != "class_ent"})


def test_what_is_too_little_known_has_no_formula(tiny_knowledge):
    """One configuration of a learner: the portfolio is left."""
    recommender = SymbolicRecommender().fit(tiny_knowledge)
    assert recommender.formulas_ == {}
    assert len(recommender.recommend({}).configurations) == 3


def test_classifier_tries_what_formulas_say(wine, knowledge):
    """By name; each candidate is a configuration that no knowledge holds."""
    clf = MetaLearnerClassifier(
        knowledge=knowledge,
        recommender="symbolic",
        n_candidates=2,
        cv=2,
        random_state=0,
    )
    assert len(clf.preview(*wine)) == 2
    clf.fit(*wine)
    tried = set(clf.recommendation_.configurations)
    assert {c.learner for c in tried} == {"svc", "logistic_regression"}
    assert not tried & set(knowledge.configuration_values)
    assert clf.best_score_ > 0.9


# Defaults of an estimator


def test_symbolic_defaults_are_set_and_shown(wine, knowledge):
    """In a pipeline too; the one given is not changed."""
    svc = make_pipeline(StandardScaler(), SVC(C=7.0, tol=0.01))
    defaults = symbolic_defaults(svc, *wine, scoring="roc_auc_ovr", knowledge=knowledge)
    assert svc.get_params()["svc__C"] == 7.0
    set_there = defaults.estimator.get_params()
    assert set_there["svc__tol"] == 0.01
    assert {name: set_there[name] for name in defaults.params} == defaults.params
    assert defaults.metric == "roc_auc_ovr_weighted"
    assert defaults.attributes == pytest.approx(
        {"rows": 178, "columns": 13, "classes": 3, "entropy": 1.567}, abs=1e-3
    )
    text = str(defaults)
    for name, formula in defaults.formulas.items():
        value = formula.evaluate(defaults.attributes)
        assert defaults.params[name] == value
        assert f"{name} " in text
        assert f"# {formula}, from" in text
    assert defaults.estimator.fit(*wine).score(*wine) > 0.95


def test_symbolic_defaults_from_own_knowledge(wine, own_knowledge):
    """With a single learner, and other formulas."""
    defaults = symbolic_defaults(LogisticRegression(), *wine, knowledge=own_knowledge)
    assert defaults.params["C"] == pytest.approx(ideal(178), rel=1.0)


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (LinearRegression(), ValueError, "must be or hold a classifier"),
        (RidgeClassifier(), ValueError, r"must be or hold one of \['Cat"),
        (DecisionTreeClassifier(), KnowledgeError, r"'decision_tree'.*got: 0\."),
        (RandomForestClassifier(), KnowledgeError, "'random_forest'"),
    ],
)
def test_unknown_estimators(wine, knowledge, estimator, error, message):
    """The error says what it must be, or what must be known."""
    with pytest.raises(error, match=message):
        symbolic_defaults(estimator, *wine, knowledge=knowledge)


def test_bad_arguments(wine, knowledge):
    """Of table, classes, scorer and knowledge."""
    X, y = wine
    with pytest.raises(ValueError, match="y must have a value for each of the 178"):
        symbolic_defaults(SVC(), X, y[:-1], knowledge=knowledge)
    with pytest.raises(ValueError, match="at least two classes"):
        symbolic_defaults(SVC(), X, np.zeros(178), knowledge=knowledge)
    with pytest.raises(ValueError, match="scoring"):
        symbolic_defaults(SVC(), X, y, scoring="acuracy", knowledge=knowledge)
    with pytest.raises(TypeError, match="knowledge must be"):
        symbolic_defaults(SVC(), X, y, knowledge=3)
