import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skmeta import Configuration, KnowledgeBase
from skmeta.exceptions import SkmetaWarning

TASKS = ["wheat_a", "wheat_b", "storm", "heart"]


def rebuild(parts, **changes):
    return KnowledgeBase(**(parts | changes))


def test_scores_are_means_over_the_folds_of_the_task(tiny_knowledge):
    """A failed fold makes the mean NaN; a fold that the task lacks does not."""
    scores = tiny_knowledge.scores("accuracy")
    assert scores.index.tolist() == TASKS
    assert scores.columns.tolist() == tiny_knowledge.configurations.index.tolist()
    expected = [
        [0.9, 0.7, 0.6],
        [0.9, 0.7, np.nan],
        [0.5, 0.75, np.nan],
        [0.6, 0.8, 0.9],
    ]
    assert_allclose(scores, expected, rtol=1e-6)


def test_scores_of_a_task_nobody_evaluated_are_missing(tiny_parts):
    """No fold at all gives NaN, without a warning."""
    nothing = {"accuracy": np.full((4, 3, 2), np.nan)}
    scores = rebuild(tiny_parts, fold_scores=nothing).scores("accuracy")
    assert scores.isna().all(axis=None)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    values=st.lists(
        st.floats(-10, 1, width=32) | st.just(np.nan), min_size=30, max_size=30
    )
)
def test_scores_are_numpy_means_where_all_succeeded(values):
    """Where no fold failed, the score is the plain mean of the folds."""
    folds = np.array(values).reshape(2, 3, 5)
    found = empty_knowledge(folds).scores("m").to_numpy()
    complete = ~np.isnan(folds).any(axis=2)
    expected = folds.mean(axis=2)[complete]
    assert_allclose(found[complete], expected, rtol=1e-5, atol=1e-5)


def empty_knowledge(folds):
    n_tasks, n_configurations, _ = folds.shape
    names = [f"t{i}" for i in range(n_tasks)]
    tasks = pd.DataFrame({"family": names}, index=names)
    seconds = np.ones((n_tasks, n_configurations))
    return KnowledgeBase(
        tasks=tasks.assign(domain="", n_rows=1, n_features=1, n_classes=2),
        meta_features=pd.DataFrame(index=names),
        configurations=[Configuration("x", {"i": i}) for i in range(n_configurations)],
        fold_scores={"m": folds},
        fit_seconds=seconds,
        predict_seconds=seconds,
    )


def test_configurations_are_a_frame_and_values(tiny_knowledge):
    """The frame names them, the values are what can be made into an estimator."""
    frame = tiny_knowledge.configurations
    learners = ["random_forest", "logistic_regression", "k_neighbors"]
    assert frame["learner"].tolist() == learners
    assert frame["hyperparameters"].iloc[0] == {"min_samples_leaf": 3}
    values = tiny_knowledge.configuration_values
    assert [value.name for value in values] == frame.index.tolist()


def test_seconds_and_failures_are_frames(tiny_knowledge):
    """Seconds are tasks x configurations, failures a row each."""
    assert tiny_knowledge.fit_seconds.iloc[0].tolist() == [2.0, 0.5, 0.25]
    assert tiny_knowledge.predict_seconds.loc["heart"].tolist() == [1.0, 0.5, 0.75]
    failures = tiny_knowledge.failures
    assert failures.columns.tolist() == ["task", "configuration", "error"]
    assert failures["task"].tolist() == ["wheat_b", "storm"]


def test_failures_may_come_as_a_frame(tiny_knowledge, tiny_parts):
    """What `failures` returns can be given back."""
    assert rebuild(tiny_parts, failures=tiny_knowledge.failures) == tiny_knowledge


def test_repr_is_one_line(tiny_knowledge):
    """It says how much is known."""
    assert repr(tiny_knowledge) == (
        "<KnowledgeBase: 4 tasks of 3 families x 3 configurations, 2 metrics>"
    )


def test_unknown_metric_names_those_that_are_stored(tiny_knowledge):
    """The error lists the metrics."""
    match = r"metric must be one of \['accuracy', 'neg_log_loss'\], got: 'auc'"
    with pytest.raises(ValueError, match=match):
        tiny_knowledge.scores("auc")


# Never changed


def test_what_is_returned_can_be_changed_without_harm(tiny_parts):
    """Neither what went in nor what comes out is shared."""
    tiny_parts["tasks"]["tags"] = [["a"], ["b"], ["c"], None]
    knowledge, before = rebuild(tiny_parts), rebuild(tiny_parts)

    tasks = knowledge.tasks
    tasks.loc["storm", "family"] = "other"
    tasks.loc["wheat_a", "tags"].append("changed")
    numbers = [
        knowledge.meta_features,
        knowledge.scores("accuracy"),
        knowledge.fit_seconds,
        knowledge.predict_seconds,
    ]
    for frame in numbers:
        frame.iloc[0, 0] = -1
    knowledge.configurations["hyperparameters"].iloc[2]["n_neighbors"] = 9
    knowledge.fold_scores("accuracy")[:] = -1
    knowledge.provenance["protocol"]["n_folds"] = 9
    tiny_parts["fold_scores"]["accuracy"][:] = -1
    tiny_parts["tasks"].loc["storm", "family"] = "other"
    tiny_parts["tasks"].loc["wheat_a", "tags"].append("changed")
    tiny_parts["provenance"]["protocol"]["n_folds"] = 9
    assert knowledge == before


def test_copies_are_the_same_object_and_pickles_are_equal(tiny_knowledge):
    """A value need not be copied when an estimator that holds it is cloned."""
    assert copy.deepcopy(tiny_knowledge) is tiny_knowledge
    assert copy.copy(tiny_knowledge) is tiny_knowledge
    assert pickle.loads(pickle.dumps(tiny_knowledge)) == tiny_knowledge


@pytest.mark.parametrize(
    "change",
    [
        {"failures": ()},
        {"provenance": {}},
        {"fit_seconds": np.ones((4, 3))},
        {"predict_seconds": np.ones((4, 3))},
        {"fold_scores": {"accuracy": np.ones((4, 3, 2))}},
        {"meta_features": pd.DataFrame({"nr_inst": [1.0, 2, 3, 4]}, index=TASKS)},
        {"configurations": [Configuration("mlp", {"i": i}) for i in range(3)]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_equality_looks_at_every_part(tiny_knowledge, tiny_parts, change):
    """The same parts are equal, NaN included; another part makes it another."""
    assert rebuild(tiny_parts) == tiny_knowledge
    if "configurations" in change:
        change["failures"] = ()
    assert rebuild(tiny_parts, **change) != tiny_knowledge


def test_is_not_equal_to_something_else(tiny_knowledge):
    """Comparing with another type is no error."""
    assert tiny_knowledge != "knowledge"


# Others made from it


def test_without_leaves_out_whole_families(tiny_knowledge):
    """wheat_b goes with wheat_a, and its failure with it."""
    left = tiny_knowledge.without(["wheat_a"])
    assert left.tasks.index.tolist() == ["storm", "heart"]
    assert left.meta_features.index.tolist() == ["storm", "heart"]
    assert left.scores("accuracy").shape == (2, 3)
    assert left.failures["task"].tolist() == ["storm"]
    assert len(tiny_knowledge.tasks) == 4


def test_without_warns_of_names_that_are_unknown(tiny_knowledge):
    """What is ignored by a slip would flatter the score of that table."""
    for name, similar in [
        ("Wheat-a", "'wheat_a'"),
        ("hte_wheat_a", "'wheat_a'"),
        ("wheat", "'wheat_a', 'wheat_b'"),
        ("iris", ""),
    ]:
        meant = f" Did you mean {similar}\\?" if similar else ""
        with pytest.warns(SkmetaWarning, match=f"no task '{name}', .* it.{meant}$"):
            left = tiny_knowledge.without([name])
        assert left == tiny_knowledge


def test_without_takes_one_name(tiny_knowledge):
    """A string is one task."""
    assert tiny_knowledge.without("storm").tasks.index.tolist() == [
        "wheat_a",
        "wheat_b",
        "heart",
    ]


@pytest.mark.filterwarnings("ignore:There is no task")
@settings(deadline=None, derandomize=True, max_examples=30)
@given(first=st.sets(st.sampled_from(TASKS)), second=st.sets(st.sampled_from(TASKS)))
def test_without_twice_is_without_both(first, second):
    """Leaving out one after the other is leaving out all at once."""
    folds = np.linspace(0, 1, 24).reshape(4, 3, 2)
    knowledge = empty_knowledge(folds)
    first = {f"t{TASKS.index(name)}" for name in first}
    second = {f"t{TASKS.index(name)}" for name in second}
    assert knowledge.without(first).without(second) == knowledge.without(first | second)


def test_select_learners_keeps_their_configurations(tiny_knowledge):
    """Order is kept, unknown learners are ignored, a string is one learner."""
    part = tiny_knowledge.select_learners(["k_neighbors", "random_forest", "mlp"])
    assert part.configurations["learner"].tolist() == ["random_forest", "k_neighbors"]
    assert part.scores("accuracy").loc["heart"].tolist() == pytest.approx([0.6, 0.9])
    forest = tiny_knowledge.select_learners("random_forest")
    assert forest.fit_seconds.shape == (4, 1)
    assert forest.failures.empty
    with pytest.warns(SkmetaWarning, match=r"got: \['rf'\]"):
        tiny_knowledge.select_learners("rf")


def test_with_configurations_takes_names(tiny_knowledge):
    """All names give the same; one that is not there is an error."""
    names = tiny_knowledge.configurations.index
    assert tiny_knowledge.with_configurations(reversed(names)) == tiny_knowledge
    one = tiny_knowledge.with_configurations(names[1])
    assert one.configurations.index.tolist() == [names[1]]
    with pytest.raises(ValueError, match=r"got: \['mlp-0'\].* for the 3 it holds"):
        tiny_knowledge.with_configurations(["mlp-0"])


# What it refuses


def _without_family(parts):
    return {"tasks": parts["tasks"].drop(columns="family")}


def _family_missing(parts):
    return {"tasks": parts["tasks"].assign(family=[None, "a", "b", "c"])}


def _task_twice(parts):
    names = ["wheat_a", "wheat_a", "storm", "heart"]
    return {
        "tasks": parts["tasks"].set_axis(names),
        "meta_features": parts["meta_features"].set_axis(names),
    }


def _other_order(parts):
    return {"meta_features": parts["meta_features"].iloc[::-1]}


def _not_finite(parts):
    return {"meta_features": parts["meta_features"].assign(class_ent=np.nan)}


def _configuration_twice(parts):
    forest, linear, _ = parts["configurations"]
    return {"configurations": [forest, linear, forest]}


def _other_shape(parts):
    return {"fit_seconds": parts["fit_seconds"][:, :2]}


def _other_folds(parts):
    return {"fold_scores": {"a": np.ones((4, 3, 2)), "b": np.ones((4, 3, 5))}}


def _no_folds(parts):
    return {"fold_scores": {"a": np.ones((4, 3))}}


def _infinite(parts):
    return {"fold_scores": {"a": np.full((4, 3, 2), -np.inf)}}


def _failure_of_unknown_task(parts):
    return {"failures": [parts["failures"][0] | {"task": "iris"}]}


def _failure_of_unknown_configuration(parts):
    return {"failures": [parts["failures"][0] | {"configuration": "mlp-0"}]}


def _failure_without_error(parts):
    return {"failures": [{"task": "storm"}]}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_without_family, r"must have the columns .* got none named \['family'\]"),
        (_family_missing, r"must have a family that is a string, got: None"),
        (_task_twice, r"tasks must all be different, .*: 'wheat_a'"),
        (_other_order, r"meta_features must have the index of tasks"),
        (_not_finite, r"must be finite numbers, .*\['class_ent'\]"),
        (_configuration_twice, r"configurations must all be different"),
        (_other_shape, r"fit_seconds must have the shape .* = \(4, 3\), got: \(4, 2\)"),
        (_other_folds, r"fold_scores\['b'\] must .* = \(4, 3, 2\), got: \(4, 3, 5\)"),
        (_no_folds, r"fold_scores\['a'\] must have the shape .* got: \(4, 3\)"),
        (_infinite, r"fold_scores\['a'\] must hold finite numbers"),
        (_failure_of_unknown_task, r"one of the tasks, got: 'iris'"),
        (_failure_of_unknown_configuration, r"configurations, got: 'mlp-0'"),
        (_failure_without_error, r"A failure must say .*'error'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tiny_parts, change, match):
    """The error says which part, what it must be and what it was."""
    with pytest.raises(ValueError, match=match):
        rebuild(tiny_parts, **change(tiny_parts))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"tasks": ["wheat"]}, r"tasks must be a DataFrame .* got: list"),
        ({"meta_features": {}}, r"meta_features must be a DataFrame .* got: dict"),
        ({"provenance": {"at": object()}}, r"provenance must hold values that JSON"),
    ],
)
def test_parts_of_another_type_are_refused(tiny_parts, change, match):
    """A type that cannot be stored is refused at once, not when it is saved."""
    with pytest.raises(TypeError, match=match):
        rebuild(tiny_parts, **change)
