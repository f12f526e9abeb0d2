import json
import os
import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from skmeta import Configuration, MetaLearnerClassifier, load_knowledge
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge import OpenMLClient, _evaluations, import_evaluations
from skmeta.knowledge._flows import read_setup

sys.path.insert(0, os.path.dirname(__file__))

from openml_server import OpenMLServer

FOREST = "sklearn.ensemble.forest.RandomForestClassifier"
KERNELS = "sklearn.svm.classes.SVC"
SCALED = (
    "sklearn.pipeline.Pipeline("
    "imputation=openmlstudy14.preprocessing.ConditionalImputer,"
    "hotencoding=sklearn.preprocessing.data.OneHotEncoder,"
    "scaling=sklearn.preprocessing.data.StandardScaler,"
    "variencethreshold=sklearn.feature_selection.variance_threshold.VarianceThreshold,"
    f"classifier={KERNELS})(1)"
)


def parameters(flow, **values):
    """Return parameters as OpenML gives them: with values as JSON text."""
    return [(flow, name, json.dumps(value)) for name, value in values.items()]


def of_today(flow, estimator, **values):
    return parameters(flow, **(estimator.get_params() | values))


def read(flow, *several):
    configuration = read_setup(flow, [p for each in several for p in each])
    return configuration.learner, dict(configuration.hyperparameters)


# What a setup is


def test_a_forest_of_2017():
    """Old path, values of old clients, and what has no effect."""
    values = {
        "bootstrap": False,
        "class_weight": None,
        "criterion": "entropy",
        "max_depth": None,
        "max_features": 0.25,
        "max_leaf_nodes": None,
        "min_impurity_split": 1e-7,
        "min_samples_leaf": 3,
        "min_samples_split": 7,
        "min_weight_fraction_leaf": 0.0,
        "n_estimators": 100,
        "n_jobs": 4,
        "oob_score": False,
        "random_state": 1,
        "verbose": 0,
        "warm_start": False,
    }
    assert read(f"{FOREST}(8)", parameters(FOREST, **values)) == (
        "random_forest",
        {
            "bootstrap": False,
            "criterion": "entropy",
            "max_features": 0.25,
            "min_samples_leaf": 3,
            "min_samples_split": 7,
        },
    )


def test_the_shipped_configuration_is_found():
    """Whatever is written down of it."""
    shipped = load_knowledge().configuration_values
    found = read_setup(FOREST, of_today(FOREST, RandomForestClassifier()))
    assert found in shipped
    found = read_setup(
        FOREST, of_today(FOREST, RandomForestClassifier(), max_features="auto")
    )
    assert found in shipped
    kernels = of_today(KERNELS, SVC(C=10), gamma="auto_deprecated")
    assert read(SCALED, kernels) == ("svc", {"C": 10.0, "gamma": "auto"})
    assert read_setup(SCALED, of_today(KERNELS, SVC(C=10))) in shipped


def test_values_that_are_not_json():
    """As of clients that wrote what Python prints."""
    written = [(FOREST, "criterion", "gini"), (FOREST, "max_depth", "None")]
    assert read(FOREST, written)[1] == {"min_samples_leaf": 1}


def test_whole_numbers():
    """One feature is not all of them, and a penalty of 10 is one of 10.0."""
    one = read(FOREST, parameters(FOREST, max_features=1, max_depth=4.0))
    assert one[1]["max_features"] == 1
    assert isinstance(one[1]["max_features"], int)
    assert isinstance(one[1]["max_depth"], int)
    every = read(FOREST, parameters(FOREST, max_features=1.0, min_samples_leaf=2))
    assert every[1]["max_features"] == 1.0
    assert isinstance(every[1]["max_features"], float)


def test_parameters_of_other_parts_are_not_those_of_the_classifier():
    scaler = parameters("sklearn.preprocessing.data.StandardScaler", with_mean=False)
    svc = of_today(KERNELS, SVC(C=0.5, degree=5, coef0=0.3))
    assert read(SCALED, scaler, svc) == ("svc", {"C": 0.5})


def test_scales():
    flow = SCALED.replace("data.StandardScaler", "_data.QuantileTransformer")
    neighbors = "sklearn.neighbors._classification.KNeighborsClassifier"
    flow = flow.replace(KERNELS, neighbors)
    found = read(flow, of_today(neighbors, KNeighborsClassifier(p=1)))
    assert found == ("k_nearest_neighbors", {"p": 1, "table__scale": "quantile"})


@pytest.mark.parametrize(
    ("flow", "values", "reason"),
    [
        ("weka.J48(1)", {}, "J48 is neither"),
        (
            f"sklearn.model_selection._search.RandomizedSearchCV(estimator={FOREST})",
            {"n_estimators": 100},
            "RandomizedSearchCV is neither",
        ),
        (
            f"sklearn.pipeline.Pipeline(pca=sklearn.decomposition.pca.PCA,f={FOREST})",
            {"n_estimators": 100},
            "PCA is neither",
        ),
        (
            "sklearn.pipeline.Pipeline(a=sklearn.compose._column_transformer."
            f"ColumnTransformer(b=drop,c=passthrough),f={FOREST})",
            {"n_estimators": 100},
            "it drops columns",
        ),
        ("sklearn.pipeline.Pipeline(a=sklearn.impute.SimpleImputer)", {}, "it has 0"),
        (f"sklearn.pipeline.Pipeline(a={FOREST},b={KERNELS})", {}, "it has 2"),
        (FOREST, {}, "the setup lists no parameters"),
        (FOREST, {"class_weight": "balanced"}, "class_weight='balanced' is not part"),
        (FOREST, {"n_estimators": 10}, "n_estimators must be 50 to 1000"),
        (FOREST, {"max_features": 5}, "max_features must be 'sqrt' or"),
        (FOREST, {"max_features": {"a": 1}}, "max_features must be 'sqrt' or"),
        (FOREST, {"something": "new"}, "something='new' is not part"),
        (SCALED, {"kernel": "linear"}, "kernel must be 'rbf' or 'poly'"),
        (KERNELS, {"kernel": "rbf"}, "svc wants columns on one scale, the flow has no"),
    ],
)
def test_what_is_no_configuration(flow, values, reason):
    classifier = KERNELS if KERNELS in flow and FOREST not in flow else FOREST
    with pytest.raises(ValueError, match=reason):
        read_setup(flow, parameters(classifier, **values))


def test_every_shipped_configuration_is_read_back():
    """From what openml-python would write of its classifier."""
    for configuration in load_knowledge().configuration_values:
        flow, values = written_as_flow(configuration)
        assert read_setup(flow, values) == configuration


def written_as_flow(configuration):
    from skmeta._base_learners import BASE_LEARNERS

    learner = BASE_LEARNERS[configuration.learner]
    values = dict(configuration.hyperparameters)
    default = learner.encoding.get("scale", "standard")
    scale = values.pop("table__scale", default)
    if configuration.learner == "sgd":
        values.setdefault("loss", "log_loss")
    if values.get("shrinkage") is not None:
        values["solver"] = "lsqr"
    estimator = learner.estimator_class(**learner.fixed, **values)
    path = f"{type(estimator).__module__}.{type(estimator).__name__}"
    scaler = {
        "standard": "StandardScaler",
        "robust": "RobustScaler",
        "quantile": "QuantileTransformer",
    }[scale]
    flow = (
        f"sklearn.pipeline.Pipeline(a=sklearn.preprocessing._data.{scaler},b={path})(3)"
    )
    return flow, of_today(path, estimator)


# What becomes of runs


@pytest.fixture
def server():
    server = OpenMLServer({10: 61, 11: 40675, 12: 3})
    yield server
    server.close()


@pytest.fixture
def client(server, tmp_path):
    pytest.importorskip("openml")
    return OpenMLClient(tmp_path, server.url, timeout=60, n_tries=3, pause=0.01)


def add_run(server, setup, value, *, task=10, flow=1, name=FOREST, function=None):
    function = function or "predictive_accuracy"
    run = {"setup": setup, "value": value, "task": task, "flow": flow, "name": name}
    server.runs.append(run | {"function": function})


def fill(server):
    """Two setups that are one forest, one of kernels, and two that cannot be used."""
    forest = RandomForestClassifier(min_samples_leaf=3, n_estimators=300)
    server.setups = {
        1: of_today(FOREST, forest, random_state=1),
        2: of_today(FOREST, forest, random_state=2, n_jobs=2),
        3: of_today(KERNELS, SVC(C=10)),
        4: [],
        5: of_today(FOREST, forest, class_weight="balanced"),
    }
    for setup, value in [(1, 0.9), (1, 0.92), (2, 0.97), (1, None), (5, 0.5), (5, 0.6)]:
        add_run(server, setup, value)
    add_run(server, 3, 0.98, flow=2, name=SCALED)
    add_run(server, 3, 0.991, flow=2, name=SCALED, task=12)
    add_run(server, 4, 0.8, flow=3, name="weka.J48(1)")
    add_run(server, 1, 0.99, function="area_under_roc_curve")


def load(client, **parameters):
    parameters = {"flows": [1, 2, 3], "tasks": [10, 11, 12]} | parameters
    return import_evaluations(client=client, **parameters)


def test_runs_become_knowledge(server, client):
    fill(server)
    knowledge, unmapped = load(client)
    assert list(knowledge.tasks.index) == ["iris-10", "kr-vs-kp-12"]
    assert knowledge.metrics == ["accuracy"]
    forest, kernels = knowledge.configuration_values
    assert forest == Configuration(
        "random_forest", {"min_samples_leaf": 3, "n_estimators": 300}
    )
    scores = knowledge.scores("accuracy")
    runs = [0.9, 0.92, 0.97]
    assert scores.loc["iris-10", forest.name] == pytest.approx(np.mean(runs))
    assert scores.loc["iris-10", kernels.name] == pytest.approx(0.98)
    assert np.isnan(scores.loc["kr-vs-kp-12", forest.name])
    spread = knowledge.fold_scores("accuracy")[0].std(axis=1)
    np.testing.assert_allclose(spread, [np.std(runs), 0.0], atol=1e-6)
    # What was not used is said.
    assert unmapped["n_runs"].to_dict() == {5: 2, 4: 1}
    assert unmapped.loc[5, "reason"].startswith("class_weight='balanced'")
    assert unmapped.loc[4, "flow"] == "weka.J48(1)"
    assert knowledge.provenance["n_runs"] == 8
    assert knowledge.provenance["n_runs_unmapped"] == 3
    assert "not active" in knowledge.provenance["left_out"]["11"]
    # Meta-features and fingerprint are those of the table.
    assert knowledge.meta_features.loc["iris-10", "nr_inst"] == 150
    assert knowledge.tasks.loc["iris-10", "openml_did"] == 61
    other, _ = load(client, function="area_under_roc_curve", tasks=[10])
    assert other.scores("roc_auc_ovr_weighted").to_numpy() == pytest.approx(0.99)
    both = knowledge + other
    assert len(both.tasks) == 2
    assert both.metrics == ["accuracy", "roc_auc_ovr_weighted"]


def test_flows_are_chosen(server, client):
    fill(server)
    knowledge, unmapped = load(client, flows=[2])
    assert [c.learner for c in knowledge.configuration_values] == ["svc"]
    assert len(unmapped) == 0
    knowledge, unmapped = load(client, flows=None)
    assert len(knowledge.configuration_values) == 2
    assert len(unmapped) == 2


def test_what_was_learned_is_used(server, client, tmp_path):
    """Alone and beside what ships, from a file."""
    fill(server)
    knowledge, _ = load(client, tasks=[12])
    knowledge.save(tmp_path / "runs.zip")
    assert load_knowledge(tmp_path / "runs.zip") == knowledge
    X, y = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) % 2
    for known in (knowledge, load_knowledge() + knowledge):
        fitted = MetaLearnerClassifier(knowledge=known, n_candidates=2, random_state=0)
        assert fitted.fit(X, y).predict(X).shape == (80,)


def test_several_pages_and_requests(server, client):
    """More setups than one request may name."""
    for setup in range(1, 151):
        server.setups[setup] = parameters(KERNELS, C=setup / 100)
        add_run(server, setup, setup / 1000, name=SCALED)
    knowledge, _ = load(client, tasks=[10])
    assert len(knowledge.configuration_values) == 150
    requests = [path for path in server.requests if "/setup/list/" in path]
    assert len(requests) == 2


@pytest.mark.parametrize("fault", ["unavailable", "well-formed 502", "half", "cut"])
def test_faults_that_pass(server, client, fault):
    fill(server)
    for part in ("/evaluation/list", "/setup/list", "/user/list"):
        server.faults[part] = [fault]
    knowledge, _ = load(client, tasks=[10])
    assert knowledge.scores("accuracy").notna().to_numpy().all()
    assert not any(server.faults.values())  # all did happen


def test_nothing_found(server, client):
    with pytest.raises(KnowledgeError, match="No run by predictive_accuracy"):
        load(client)
    add_run(server, 4, 0.8, name="weka.J48(1)")
    with pytest.raises(KnowledgeError, match="no run of it became"):
        load(client, tasks=[10])


def test_bad_input(client):
    with pytest.raises(ValueError, match="function must be one of "):
        load(client, function="auc")
    with pytest.raises(ValueError, match="tasks of OpenML must be numbers"):
        load(client, tasks=["iris"])
    with pytest.raises(ValueError, match="flows of OpenML must be numbers"):
        load(client, flows=["forest"])


def test_nothing_is_kept_without_a_client(server, client, tmp_path, monkeypatch):
    fill(server)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(
        _evaluations, "OpenMLClient", lambda path: OpenMLClient(path, server.url)
    )
    knowledge, _ = import_evaluations(flows=[1], tasks=[10])
    assert len(knowledge.tasks) == 1
    assert list((tmp_path / "temporary").iterdir()) == []
