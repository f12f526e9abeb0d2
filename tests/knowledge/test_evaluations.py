import json
import os
import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from skmeta import Configuration, MetaLearnerClassifier, load_knowledge
from skmeta._base_learners import BASE_LEARNERS, default_configurations
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
STANDARD = "sklearn.preprocessing.data.StandardScaler"
QUANTILE = "sklearn.preprocessing._data.QuantileTransformer"
ONE = "sklearn.preprocessing._encoders.OneHotEncoder"
VARIANCE = "sklearn.feature_selection.variance_threshold.VarianceThreshold"
COLUMNS = "sklearn.compose._column_transformer.ColumnTransformer"


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
    flow = SCALED.replace(STANDARD, QUANTILE)
    neighbors = "sklearn.neighbors._classification.KNeighborsClassifier"
    flow = flow.replace(KERNELS, neighbors)
    normal = parameters(QUANTILE, output_distribution="normal")
    found = read(flow, normal, of_today(neighbors, KNeighborsClassifier(p=1)))
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


def test_every_default_configuration_is_read_back():
    """From what openml-python would write of its classifier, with what is installed."""
    for configuration in default_configurations():
        if configuration.learner == "catboost":
            continue  # lists only what was set
        flow, values = written_as_flow(configuration)
        assert read_setup(flow, values) == configuration


# What versions of the past wrote of their defaults, as far as it differs from today.
PAST = {
    "hist_gradient_boosting 0.22": (
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting."
        "HistGradientBoostingClassifier",
        {"l2_regularization": 0.0, "learning_rate": 0.1, "loss": "auto",
         "max_bins": 255, "max_depth": None, "max_iter": 100, "max_leaf_nodes": 31,
         "min_samples_leaf": 20, "n_iter_no_change": None, "random_state": None,
         "scoring": None, "tol": 1e-7, "validation_fraction": 0.1, "verbose": 0,
         "warm_start": False},
        {"early_stopping": False},
    ),
    "hist_gradient_boosting 1.2": (
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting."
        "HistGradientBoostingClassifier",
        {"categorical_features": None, "class_weight": None, "early_stopping": "auto",
         "interaction_cst": None, "l2_regularization": 0.0, "learning_rate": 0.1,
         "loss": "log_loss", "max_bins": 255, "max_depth": None, "max_iter": 100,
         "max_leaf_nodes": 31, "min_samples_leaf": 20, "monotonic_cst": None,
         "n_iter_no_change": 10, "random_state": None, "scoring": "loss", "tol": 1e-7,
         "validation_fraction": 0.1, "verbose": 0, "warm_start": False},
        {"min_samples_leaf": 20},
    ),
    "logistic_regression 0.20": (
        "sklearn.linear_model.logistic.LogisticRegression",
        {"C": 1.0, "class_weight": None, "dual": False, "fit_intercept": True,
         "intercept_scaling": 1, "max_iter": 100, "multi_class": "warn",
         "n_jobs": None, "penalty": "l2", "random_state": None, "solver": "warn",
         "tol": 1e-4, "verbose": 0, "warm_start": False},
        {"C": 1.0},
    ),
    "logistic_regression 1.8": (
        "sklearn.linear_model._logistic.LogisticRegression",
        {"C": 10.0, "l1_ratio": 0.0, "penalty": "deprecated", "solver": "lbfgs"},
        {"C": 10.0},
    ),
    "sgd 0.21": (
        "sklearn.linear_model.stochastic_gradient.SGDClassifier",
        {"alpha": 1e-4, "average": False, "class_weight": None,
         "early_stopping": False, "epsilon": 0.1, "eta0": 0.0, "fit_intercept": True,
         "l1_ratio": 0.15, "learning_rate": "optimal", "loss": "log",
         "max_iter": 1000, "n_iter_no_change": 5, "n_jobs": None, "penalty": "l2",
         "power_t": 0.5, "random_state": 1, "shuffle": True, "tol": 1e-3,
         "validation_fraction": 0.1, "verbose": 0, "warm_start": False},
        {"alpha": 1e-4, "loss": "log_loss"},
    ),
    "mlp 0.20": (
        "sklearn.neural_network.multilayer_perceptron.MLPClassifier",
        {"activation": "relu", "alpha": 1e-4, "batch_size": "auto", "beta_1": 0.9,
         "early_stopping": False, "epsilon": 1e-8, "hidden_layer_sizes": 256,
         "learning_rate": "invscaling", "learning_rate_init": 1e-3, "max_iter": 200,
         "momentum": 0.5, "n_iter_no_change": 10, "nesterovs_momentum": True,
         "shuffle": True, "solver": "adam", "tol": 1e-4, "validation_fraction": 0.2},
        {"hidden_layer_sizes": (256,), "table__scale": "standard"},
    ),
    "decision_tree 0.22": (
        "sklearn.tree.tree.DecisionTreeClassifier",
        {"ccp_alpha": 0.0, "class_weight": None, "criterion": "gini",
         "max_features": None, "min_impurity_split": 1e-7, "presort": "deprecated",
         "splitter": "best"},
        {"min_samples_leaf": 1},
    ),
    "k_nearest_neighbors 0.19": (
        "sklearn.neighbors.classification.KNeighborsClassifier",
        {"algorithm": "kd_tree", "leaf_size": 10, "metric": "manhattan",
         "metric_params": None, "n_jobs": 1, "n_neighbors": 5, "weights": "uniform"},
        {"p": 1},
    ),
    "linear_discriminant_analysis 0.16": (
        "sklearn.lda.LDA",
        {"n_components": None, "priors": None, "shrinkage": None, "solver": "svd",
         "store_covariance": False, "tol": 1e-4},
        {"solver": "svd"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAST)
def test_defaults_of_the_past(name):
    """They are not those of today, and mean the same."""
    path, values, expected = PAST[name]
    flow = (
        f"sklearn.pipeline.Pipeline(a=sklearn.preprocessing.data.StandardScaler,"
        f"b={path})(2)"
    )
    found = read(flow, parameters(path, **values))
    assert found == (name.partition(" ")[0], expected)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("logistic_regression 1.8", {"l1_ratio": 1.0}, "l1_ratio=1.0 is not part"),
        ("sgd 0.21", {"max_iter": None, "tol": None}, "max_iter=None is not part"),
        ("sgd 0.21", {"n_iter": 5}, "n_iter=5 is not part"),
        # What comes first depends on the eta0 that is the default today.
        (
            "sgd 0.21",
            {"learning_rate": "invscaling"},
            "(eta0=0.0|learning_rate='invscaling') is not part",
        ),
        ("mlp 0.20", {"tol": 0.5}, "tol=0.5 is not part"),
        ("mlp 0.20", {"n_iter_no_change": 1}, "n_iter_no_change=1 is not part"),
        ("mlp 0.20", {"solver": "sgd"}, "learning_rate='invscaling' is not part"),
        ("decision_tree 0.22", {"criterion": float("nan")}, "got: nan"),
        ("decision_tree 0.22", {"class_weight": float("nan")}, "=nan is not part"),
        ("hist_gradient_boosting 1.2", {"max_iter": 10**400}, "max_iter must be"),
    ],
)
def test_values_that_do_something_else(name, values, reason):
    path, usual, _ = PAST[name]
    flow = f"sklearn.pipeline.Pipeline(a={STANDARD},b={path})"
    with pytest.raises(ValueError, match=reason):
        read_setup(flow, parameters(path, **(usual | values)))


@pytest.mark.parametrize(
    ("steps", "path", "values", "outcome"),
    [
        ("{STANDARD}", STANDARD, {"with_std": True}, "standard"),
        ("{STANDARD}", STANDARD, {"with_std": False}, "wants columns on one scale"),
        ("{QUANTILE}", QUANTILE, {"output_distribution": "normal"}, "quantile"),
        ("{QUANTILE}", QUANTILE, {}, "wants columns on one scale"),
        ("{STANDARD},c={VARIANCE}", VARIANCE, {"threshold": 0.0}, "standard"),
        ("{STANDARD},c={VARIANCE}", VARIANCE, {"threshold": 0.5}, "changes columns"),
        ("{COLUMNS}(x={STANDARD})", COLUMNS, {"remainder": "drop"}, "it drops the col"),
        ("{COLUMNS}(x={STANDARD})", COLUMNS, {}, "it drops the columns"),
        (
            "{COLUMNS}(x={STANDARD})",
            COLUMNS,
            {"remainder": "passthrough"},
            "standard",
        ),
        (
            "{COLUMNS}(x=sklearn.pipeline.Pipeline(i={VARIANCE},j={STANDARD}),y={ONE})",
            COLUMNS,
            {"remainder": "drop"},
            "standard",
        ),
        ("{ONE}", ONE, {"max_categories": 2}, "changes columns"),
    ],
)
def test_what_comes_before(steps, path, values, outcome):
    """Only what base learners do as well, in one way or another."""
    steps = steps.format(
        STANDARD=STANDARD,
        QUANTILE=QUANTILE,
        VARIANCE=VARIANCE,
        COLUMNS=COLUMNS,
        ONE=ONE,
    )
    flow = f"sklearn.pipeline.Pipeline(a={steps},z={KERNELS})(1)"
    setup = [*parameters(path, **values), *of_today(KERNELS, SVC(C=0.7))]
    if outcome not in ("standard", "quantile"):
        with pytest.raises(ValueError, match=outcome):
            read_setup(flow, setup)
        return
    expected = {"C": 0.7}
    if outcome == "quantile":
        expected["table__scale"] = "quantile"
    assert read(flow, setup) == ("svc", expected)


def written_as_flow(configuration):
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
    before = f"sklearn.preprocessing._data.{scaler}"
    flow = f"sklearn.pipeline.Pipeline(a={before},b={path})(3)"
    normal = parameters(before, output_distribution="normal")
    return flow, [*normal, *of_today(path, estimator)]


# What becomes of runs


@pytest.fixture
def server():
    server = OpenMLServer({10: 61, 11: 40675, 12: 3})
    yield server
    server.close()


@pytest.fixture
def client(server, tmp_path, one_openml_process):
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
    runs = [(1, 0.9), (1, 0.92), (2, 0.97), (1, None), (5, 0.5), (5, 0.6)]
    for setup, value in runs:
        add_run(server, setup, value)
    add_run(server, 3, 0.98, flow=2, name=SCALED)
    add_run(server, 3, 0.991, flow=2, name=SCALED, task=12)
    add_run(server, 4, 0.8, flow=3, name="weka.J48(1)")
    add_run(server, 1, 0.99, function="area_under_roc_curve")


def load(client, **parameters):
    parameters = {"flows": [1, 2, 3], "tasks": [10]} | parameters
    return import_evaluations(client=client, **parameters)


def test_runs_become_knowledge(server, client):
    fill(server)
    knowledge, unmapped = load(client, tasks=[10, 11, 12])
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
    assert list(knowledge.provenance["left_out"]) == ["11"]
    assert "not active" in knowledge.provenance["left_out"]["11"]
    # Meta-features and fingerprint are those of the table.
    assert knowledge.meta_features.loc["iris-10", "nr_inst"] == 150
    assert knowledge.tasks.loc["iris-10", "openml_did"] == 61
    other, _ = load(client, function="area_under_roc_curve")
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


def test_scores_by_labels_are_not_those_by_probabilities(server, client):
    """What had none was scored by its labels, as if those were probabilities."""
    fill(server)
    server.setups[6] = of_today(KERNELS, SVC(C=2), probability=True)
    for setup in (3, 6):
        function = "area_under_roc_curve"
        add_run(server, setup, 0.9, name=SCALED, flow=2, function=function)
    knowledge, unmapped = load(client, flows=[2], function=function)
    assert [c.hyperparameters["C"] for c in knowledge.configuration_values] == [2.0]
    assert "its AUC is that of labels" in unmapped.loc[3, "reason"]


def test_what_does_the_same_is_the_same(server, client):
    """Also if it is none of ours: it has no more than 100 passes."""
    mlp = "sklearn.neural_network.multilayer_perceptron.MLPClassifier"
    flow = SCALED.replace(KERNELS, mlp)
    for setup, passes in [(1, 200), (2, 250)]:
        server.setups[setup] = parameters(mlp, max_iter=passes, alpha=0.5)
        add_run(server, setup, 0.9 + setup / 100, name=flow)
    knowledge, _ = load(client)
    assert knowledge.scores("accuracy").to_numpy() == pytest.approx(0.915)


def test_a_task_that_cannot_be_asked_for_does_not_stop_the_others(server, client):
    fill(server)
    server.faults["/task/10"] = []
    server.faults["/offset/0/task/10"] = ["unavailable"] * 9
    knowledge, _ = load(client, tasks=[10, 12])
    assert list(knowledge.tasks.index) == ["kr-vs-kp-12"]
    assert "in 3 tries" in knowledge.provenance["left_out"]["10"]


def test_setups_that_cannot_be_asked_for(server, client):
    fill(server)
    server.faults["/setup/list"] = ["unavailable"] * 9
    with pytest.raises(KnowledgeError, match="none of its runs became"):
        load(client)


def test_pages(server, client, monkeypatch):
    """All runs are read, however many a page holds."""
    monkeypatch.setattr(_evaluations, "_N_RUNS", 4)
    fill(server)
    knowledge, _ = load(client)
    assert knowledge.provenance["n_runs"] == 7
    pages = [path for path in server.requests if "/evaluation/list/" in path]
    assert len(pages) == 3  # the last one is empty


def test_several_requests(server, client):
    """More setups than one request may name."""
    for setup in range(1, 151):
        server.setups[setup] = parameters(KERNELS, C=setup / 100)
        add_run(server, setup, setup / 1000, name=SCALED)
    knowledge, _ = load(client)
    assert len(knowledge.configuration_values) == 150
    requests = [path for path in server.requests if "/setup/list/" in path]
    assert len(requests) == 2


@pytest.mark.parametrize("fault", ["unavailable", "well-formed 502", "half", "cut"])
def test_faults_that_pass(server, client, fault):
    fill(server)
    for part in ("/evaluation/list", "/setup/list", "/user/list"):
        server.faults[part] = [fault]
    knowledge, _ = load(client)
    assert knowledge.scores("accuracy").notna().to_numpy().all()
    assert not any(server.faults.values())  # all did happen


def test_nothing_found(server, client):
    with pytest.raises(KnowledgeError, match="No run by predictive_accuracy"):
        load(client)
    add_run(server, 4, 0.8, name="weka.J48(1)")
    with pytest.raises(KnowledgeError, match="none of its runs became"):
        load(client)


def test_bad_input(client):
    with pytest.raises(ValueError, match="function must be one of "):
        load(client, function="auc")
    with pytest.raises(ValueError, match="tasks of OpenML must be numbers"):
        load(client, tasks=["iris"])
    for flows in (["forest"], "12", [3.7]):
        with pytest.raises(ValueError, match="flows of OpenML must be numbers"):
            load(client, flows=flows)
    with pytest.raises(ValueError, match="flows must hold at least one number"):
        load(client, flows=[])
    with pytest.raises(ValueError, match="function must be one of "):
        load(client, function=["f_measure"])


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
