import importlib.util
import pickle
import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC

from skmeta import Configuration, MetaHyperparamSelector, MetaLearnerClassifier
from skmeta._base_learners import BASE_LEARNERS, TaskSize, make_estimator
from skmeta._encoding import TableEncoder
from skmeta._ensemble import WeightedEnsemble
from skmeta._export import check_plain, to_code, to_sklearn
from skmeta._source import source_of
from skmeta.exceptions import SkmetaWarning

# What keeps the slower ones short.
QUICK = {
    "hist_gradient_boosting": {"max_iter": 10},
    "random_forest": {"n_estimators": 10},
    "extra_trees": {"n_estimators": 10},
    "lightgbm": {"n_estimators": 10},
    "xgboost": {"n_estimators": 10},
    "catboost": {"iterations": 10},
    "mlp": {"max_iter": 15},
    "quadratic_discriminant_analysis": {"reg_param": 0.1},
    "linear_discriminant_analysis": {"solver": "lsqr", "shrinkage": 0.1},
}
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "again"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def table(n_rows=120, seed=0, classes=("a", "b", "c")):
    """Return a frame with every kind of column, some of each cell missing."""
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, n_rows)
    y[: len(classes)] = classes
    days = rng.permutation(n_rows)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n_rows) + (y == classes[0]) * 3,
            "integer": rng.integers(50, size=n_rows),
            "nullable": pd.array(rng.integers(5, size=n_rows), dtype="Int64"),
            "word": rng.choice(["left", "middle", "right"], n_rows),
            "category": pd.Categorical(rng.choice(["w", "u", "v"], n_rows)),
            "code": pd.Categorical(rng.choice([1, 2, 10], n_rows)),
            "yes": rng.random(n_rows) < 0.5,
            "maybe": pd.array(rng.random(n_rows) < 0.5, dtype="boolean"),
            "date": pd.date_range("2019-12-01 05:13:11", periods=n_rows, freq="37h"),
            "written": [f"20{10 + k % 9}-0{1 + k % 9}-1{k % 7}" for k in days],
            "duration": pd.to_timedelta(days * 77.25, unit="s"),
            "in_words": rng.choice(["1.5", "2", "?", "7"], n_rows),
            "constant": 1.0,
            "infinite": np.where(rng.random(n_rows) < 0.1, np.inf, rng.random(n_rows)),
            "town": [f"town {k}" for k in rng.integers(45, size=n_rows)],
            "text": [" ".join(rng.choice(WORDS, 7)) + f" {i}" for i in range(n_rows)],
        }
    )
    frame["word"] = frame["word"].astype(object)
    missing = ["number", "nullable", "word", "category", "maybe", "date", "text"]
    frame.loc[::7, missing] = None
    return frame, y


def fit(learner, X, y, **hyperparameters):
    """Return a fitted pipeline of a base learner."""
    size = TaskSize(X.shape[0], X.shape[1], len(np.unique(y)))
    hyperparameters = QUICK.get(learner, {}) | hyperparameters
    pipeline = make_estimator(Configuration(learner, hyperparameters), size, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.fit(X, y)


def together(*members, **params):
    return WeightedEnsemble(list(map(clone, members)), **params).use(members)


def difference(left, right, X):
    return np.abs(left.predict_proba(X) - right.predict_proba(X)).max()


def refitted(estimator, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(estimator).fit(X, y)


def check_export(learner, X, y, **hyperparameters):
    """Return the export of a base learner, after a look at it and at its refit."""
    ours = fit(learner, X, y, **hyperparameters)
    plain = to_sklearn(ours)
    assert difference(plain, ours, X) == 0
    assert difference(refitted(plain, X, y), ours, X) <= 1e-12
    return plain


def executed(source):
    variables = {}
    exec(source, variables)
    return variables["estimator"]


@pytest.mark.parametrize("learner", BASE_LEARNERS)
def test_every_learner_predicts_and_refits_alike(learner):
    """Bit by bit: what was fitted, a clone fitted again, and the source executed."""
    if not BASE_LEARNERS[learner].is_installed:
        pytest.skip(f"{learner} is not installed")
    (X, y), (X_new, _) = table(), table(60, seed=1)
    if learner not in {"logistic_regression", "hist_gradient_boosting"}:
        X, X_new = X.drop(columns="text"), X_new.drop(columns="text")
    if learner == "quadratic_discriminant_analysis":  # which wants few columns
        X, X_new = (
            X[["number", "integer", "word"]],
            X_new[["number", "integer", "word"]],
        )
    ours = together(fit(learner, X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # about names of features
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        plain = to_sklearn(ours)
        assert difference(plain, ours, X_new) == 0
    assert plain.predict(X_new).tolist() == ours.predict(X_new).tolist()
    assert difference(plain, ours, X_new[:1]) == 0
    assert difference(refitted(plain, X, y), ours, X_new) <= 1e-12
    from_source = refitted(executed(to_code(ours)), X, y)
    assert difference(from_source, ours, X_new) <= 1e-12
    assert plain.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("scale", ["robust", "quantile"])
def test_every_scale(scale):
    """Smooth clipping and quantiles too are steps of scikit-learn."""
    X, y = table()
    X = X.drop(columns="text")
    check_export("gaussian_nb", X, y, table__scale=scale)


def test_refit_on_other_rows():
    """On other rows of the table it becomes what the pipeline becomes on them."""
    X, y = table()
    others, y_others = table(130, seed=2)
    X, others = X.drop(columns="town"), others.drop(columns="town")
    for learner in ("logistic_regression", "hist_gradient_boosting"):
        ours = fit(learner, X, y)
        plain = refitted(to_sklearn(ours), others, y_others)
        again = refitted(ours, others, y_others)
        assert difference(plain, again, X) <= 1e-12


@pytest.mark.parametrize("learner", ["logistic_regression", "hist_gradient_boosting"])
@pytest.mark.parametrize(
    "labels", [("yes", "no"), (3, 7), (False, True), (2.0, 1.0, 5.0), ("b", "a", "c")]
)
def test_labels_of_any_kind(learner, labels):
    """Labels come back as they were, alone and in an ensemble."""
    X, y = table(80, classes=labels)
    X = X[["number", "word", "integer"]]
    member = fit(learner, X, y)
    both = [member, fit("gaussian_nb", X, y)]
    for ours in (together(member), together(*both, weights=np.array([0.3, 0.7]))):
        plain = to_sklearn(ours)
        for estimator in (plain, refitted(plain, X, y)):
            assert difference(estimator, ours, X) <= 1e-12
            assert estimator.predict(X).tolist() == ours.predict(X).tolist()
            assert estimator.classes_.dtype == ours.classes_.dtype


@pytest.mark.parametrize("learner", ["logistic_regression", "k_nearest_neighbors"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_arrays(learner, dtype):
    """Of an array of numbers a single step is needed, or none."""
    X, y = load_iris(return_X_y=True)
    X = (10 * X).astype(dtype)
    check_export(learner, X, y)
    assert len(to_sklearn(fit("random_forest", 1.5 * X, y)).steps) <= 2


def test_arrays_with_missing_infinite_and_constant_columns():
    """Infinities are missing, constant columns left out."""
    X, y = load_iris(return_X_y=True)
    X[::5, 1], X[::7, 2] = np.nan, np.inf
    X = np.column_stack([X, np.ones(len(X))])
    for learner in ("logistic_regression", "hist_gradient_boosting"):
        check_export(learner, X, y)


@pytest.mark.parametrize(
    "learner", ["logistic_regression", "random_forest", "hist_gradient_boosting"]
)
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array"])
def test_sparse_matrices(learner, kind):
    """They stay sparse where the learner takes them so."""
    X, y = load_iris(return_X_y=True)
    X = X.round() * (X > 2)
    X = getattr(sparse, kind)(np.column_stack([X, np.zeros(len(X))]))
    plain = check_export(learner, X, y)
    assert sparse.issparse(plain[:-1].transform(X)) == (learner[0] in "lr")


@pytest.mark.parametrize("labels", [None, range(10, 26)])
def test_tables_without_names(labels):
    """Arrays of objects and frames whose columns are numbers."""
    X, y = table()
    X = X.astype(object).to_numpy() if labels is None else X.set_axis(labels, axis=1)
    for learner in ("logistic_regression", "hist_gradient_boosting"):
        check_export(learner, X, y)


@pytest.mark.parametrize(
    "encoding",
    [
        {"categories": "one_hot", "impute": True, "max_levels": 4},
        {
            "categories": "one_hot",
            "impute": True,
            "dense": False,
            "max_levels": 30,
            "text": "ngrams",
        },
        {"categories": "ordinal", "max_levels": 3, "scale": "standard"},
        {"categories": "ordinal", "impute": True},
        {"categories": "native", "max_levels": 5, "target_levels": 10},
        {"categories": "one_hot", "target_levels": 2, "scale": "quantile"},
    ],
    ids=str,
)
def test_every_encoding(encoding):
    """Encoded tables are equal, with rare, unseen and missing levels."""
    (X, y), (X_new, _) = table(), table(60, seed=1)
    X["often"] = np.where(np.arange(len(X)) < 100, "usual", X["town"])
    X_new["often"] = "never seen"
    X.loc[5, "often"] = X_new.loc[:3, "often"] = None
    learner = LogisticRegression(max_iter=5)
    encoder = TableEncoder(**encoding)
    if encoding["categories"] == "native":
        pytest.importorskip("lightgbm")
        learner = fit("lightgbm", *load_iris(return_X_y=True))["learner"]
    elif not encoding.get("impute"):
        learner = fit("random_forest", *load_iris(return_X_y=True))["learner"]
    ours = refitted(Pipeline([("table", encoder), ("learner", learner)]), X, y)
    plain = to_sklearn(ours)
    again = refitted(plain, X, y)
    for rows in (X, X_new, X_new[:1]):
        expected = _dense(ours["table"].transform(rows))
        for estimator in (plain, again):
            np.testing.assert_array_equal(
                _dense(estimator[:-1].transform(rows)), expected
            )


def _dense(encoded):
    if sparse.issparse(encoded):
        return encoded.toarray()
    return np.asarray(encoded, dtype=np.float64)


def test_whole_numbers_are_one_level_however_they_come():
    """Levels 1, 1.0 and "1" of new rows are one, as they are in the pipeline."""
    X, y = table()
    ours = fit("logistic_regression", X[["code", "number"]], y)
    plain = to_sklearn(ours)
    for code in (["1", "2", "10", "?"], [1.0, 2.0, np.nan, 3.0], [1, 2, 10, 4]):
        new = pd.DataFrame({"code": code, "number": 0.5})
        assert difference(plain, ours, new) == 0


@pytest.mark.parametrize("learner", ["logistic_regression", "gaussian_nb"])
def test_numbers_as_levels_are_read_by_one_rule(learner):
    """No level is written twice, and floats that some columns hold as text remain."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "code": pd.Categorical(rng.choice(range(0, 600, 10), 400)),
            "zip": rng.choice([str(k) for k in range(40)], 400),
            "version": rng.choice(["1.0", "2.0", "v2.0", "v2"], 400),
            "either": pd.Series([1, "1", 1.0, "2", -3.0, "-3", "one", None] * 50),
        }
    )
    y = (frame["code"].astype(int) + rng.integers(200, size=400) > 400).astype(int)
    ours = fit(learner, frame, y)
    plain = to_sklearn(ours)
    assert "30.0" not in to_code(together(ours))
    floats = frame.astype({"code": "float64", "zip": "float64"})
    for X in (frame, frame[:1], floats, floats.astype("category")):
        assert difference(plain, ours, X) == 0
    assert difference(refitted(plain, frame, y), ours, frame) <= 1e-12


def test_ensemble():
    """Members vote with their weights, and keep the order of the bits."""
    (X, y), (X_new, _) = table(), table(100, seed=1)
    X, X_new = X.drop(columns="text"), X_new.drop(columns="text")
    names = ["gaussian_nb", "random_forest", "hist_gradient_boosting", "random_forest"]
    members = [fit(name, X, y) for name in names]
    ours = together(*members, weights=np.array([0.2, 0.4, 0.3, 0.1]))
    plain = to_sklearn(ours)
    assert isinstance(plain, VotingClassifier)
    assert [name for name, _ in plain.estimators] == [
        "gaussiannb",
        "randomforestclassifier",
        "histgradientboostingclassifier",
        "randomforestclassifier_2",
    ]
    for estimator in (plain, refitted(plain, X, y)):
        assert difference(estimator, ours, X_new) == 0
        assert estimator.predict(X_new).tolist() == ours.predict(X_new).tolist()
    assert difference(refitted(executed(to_code(ours)), X, y), ours, X_new) <= 1e-12


def test_weights_of_two_classes_are_a_threshold():
    """Also where the weighted probabilities are alike: then it is the first class."""
    X = np.repeat([[0.0], [1.0], [2.0], [3.0]], 4, axis=0)
    y = np.array(list("nnnnnnnynnyynyyy"))
    member = fit("decision_tree", X, y)
    for weights in ([1.0, 1.0], [0.5, 1.0], [1 / 3, 1.0], [1.0, 1.0]):
        ours = together(member, class_weights=np.array(weights))
        plain = to_sklearn(ours)
        assert isinstance(plain, FixedThresholdClassifier)
        by_weights = (ours.predict_proba(X) * weights).argmax(axis=1)
        for estimator in (ours, plain, refitted(plain, X, y)):
            assert estimator.predict(X).tolist() == list(
                np.array(["n", "y"])[by_weights]
            )
        assert difference(plain, ours, X) == 0
        assert difference(refitted(executed(to_code(ours)), X, y), ours, X) == 0


def test_weights_of_several_classes_are_in_the_code():
    """The estimator predicts the most probable class; the source says the rest."""
    X, y = load_iris(return_X_y=True)
    weights = np.array([0.2, 0.5, 1.0])
    ours = together(fit("gaussian_nb", X[:, :1], y), class_weights=weights)
    variables = {}
    source = to_code(ours)
    exec(source, variables)
    estimator = variables["estimator"].fit(X[:, :1], y)
    probabilities = estimator.predict_proba(X[:, :1])
    best = (probabilities * variables["class_weights"]).argmax(axis=1)
    assert estimator.classes_[best].tolist() == ours.predict(X[:, :1]).tolist()
    assert (to_sklearn(ours).predict(X[:, :1]) != ours.predict(X[:, :1])).any()


def test_labels_that_become_others_are_said():
    """Of two classes they stay what they are."""
    X, y = load_iris(return_X_y=True)
    for n_rows in (100, 150):
        clf = MetaLearnerClassifier(
            base_learners=["gaussian_nb"], n_candidates=1, random_state=0
        ).fit(X[:n_rows], y[:n_rows])
        clf.ensemble_.class_weights = np.linspace(0.1, 1, n_rows // 50)
        if n_rows == 100:
            clf.to_sklearn()
        else:
            with pytest.warns(SkmetaWarning, match="the most probable classes"):
                clf.to_sklearn()


def test_models_of_the_splits():
    """Where time was short, several models of one candidate vote inside the vote."""
    X, y = table()
    X = X[["number", "word", "date"]]
    folds = [fit("gaussian_nb", X[k::2], y[k::2]) for k in range(2)]
    joined = together(*folds)
    ours = together(joined, fit("random_forest", X, y), weights=np.array([0.5, 0.5]))
    assert difference(to_sklearn(ours), ours, X) == 0
    assert difference(to_sklearn(together(joined)), joined, X) == 0
    few = fit("gaussian_nb", X[y != "c"], y[y != "c"])
    with pytest.raises(ValueError, match=r"has not seen \['c'\]"):
        to_sklearn(together(folds[0], few))


def test_source_of_models_of_the_splits():
    """It has one pipeline for all of them if they are alike, and says so."""
    X, y = table()
    X = X[["number", "word"]]
    halves = [fit("gaussian_nb", X[k::2], y[k::2]) for k in range(2)]
    on_all, forest = fit("gaussian_nb", X, y), fit("random_forest", X, y)
    of_splits = "mean of the models of the splits predicts in place of"

    source = to_code(together(together(*halves)))
    assert f"{of_splits} estimator." in source
    assert difference(executed(source).fit(X, y), on_all, X) <= 1e-12

    weights = np.array([0.7, 0.3])
    source = to_code(together(together(*halves), forest, weights=weights))
    assert source.count("GaussianNB(") == 1
    assert f"{of_splits} gaussiannb." in source.replace("\n# ", " ")
    expected = together(on_all, forest, weights=weights)
    assert difference(executed(source).fit(X, y), expected, X) <= 1e-12
    assert of_splits not in to_code(expected)

    few_words = fit("gaussian_nb", X[X["word"] != "left"], y[X["word"] != "left"])
    source = to_code(together(together(halves[0], few_words), forest))
    assert source.count("GaussianNB(") == 2
    assert f"{of_splits} votingclassifier." in source.replace("\n# ", " ")


def test_margins_are_calibrated_on_public_folds():
    """As many folds as there can be, even where a class has fewer rows."""
    X, y = load_iris(return_X_y=True)
    rows = np.r_[0:50, 50:100, 100:102]
    ours = fit("linear_svc", X[rows], y[rows])
    learner = to_sklearn(ours)["learner"]
    assert isinstance(learner, CalibratedClassifierCV)
    assert isinstance(learner.cv, RepeatedStratifiedKFold)


def test_labels_by_margins_become_those_of_probabilities():
    """Of `sgd` the most probable class need not be what it predicts alone."""
    X, y = load_iris(return_X_y=True)
    ours = together(fit("sgd", X[:, :2], y, loss="modified_huber"))
    plain = to_sklearn(ours)
    assert plain.predict(X[:, :2]).tolist() == ours.predict(X[:, :2]).tolist()


def test_classifier_with_a_preprocessor():
    """What the user put in front stays in front; the classifier is left as it is."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    clf = MetaLearnerClassifier(
        base_learners=["gaussian_nb", "logistic_regression"],
        n_candidates=3,
        preprocessor=make_pipeline(StandardScaler(), FunctionTransformer(np.tanh)),
        scoring="balanced_accuracy",
        random_state=0,
    ).fit(X, y)
    before = clf.predict_proba(X)
    plain = clf.to_sklearn()
    assert difference(plain, clf, X) == 0
    assert plain.feature_names_in_.tolist() == X.columns.tolist()
    plain.fit(X[:60], 1 - y[:60])
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    again = refitted(executed(clf.to_code()), X, y)
    assert difference(again, clf, X) <= 1e-12


def test_source_of_what_was_fitted_on_some_rows():
    """It says which member would be another one when fitted on all."""
    X, y = load_iris(return_X_y=True)
    clf = MetaLearnerClassifier(
        base_learners=["gaussian_nb"], n_candidates=1, random_state=0
    ).fit(X, y)
    comment = "# In skmeta fewer rows than all were learned from by estimator."
    assert comment not in clf.to_code()
    log = clf.trial_log_
    log["members"][0]["fitted_on"] = 90
    assert comment in clf.replay(X, y, log).to_code()


def test_source_of_a_preprocessor_that_gives_frames():
    """`set_output` is no parameter, but columns are chosen by the names it gives."""
    X, y = table()
    preprocessor = make_column_transformer(
        (StandardScaler(), ["number"]), ("passthrough", ["word"])
    ).set_output(transform="pandas")
    steps = fit("extra_trees", preprocessor.fit_transform(X), y).steps
    ours = Pipeline([("preprocessor", preprocessor), *steps])
    source = to_code(together(ours))
    assert source.count('.set_output(transform="pandas")') == 2
    assert difference(refitted(executed(source), X, y), ours, X) == 0


def test_source_of_many_levels():
    """They are written once for all members, and leave the rest to be read."""
    levels = [f"level {i}" for i in range(1000)]
    encoders = [OrdinalEncoder(categories=[levels, list("ab")]), OneHotEncoder()]
    encoders[1].set_params(categories=[list(levels), levels[::-1]])
    source = source_of(make_pipeline(*encoders), "estimator")
    assert source.count('"level 999"') == 2
    assert "categories=[levels_1, levels_2]" in source
    made = executed(source)
    for step, encoder in zip(made, encoders, strict=True):
        assert step.categories == encoder.categories


def test_source_of_strings_of_numpy():
    """They are written as strings, which need no import."""
    encoder = OneHotEncoder(handle_unknown=np.str_("ignore"))
    assert executed(source_of(encoder, "estimator")).handle_unknown == "ignore"


def test_it_works_without_skmeta(tmp_path):
    """A pickle of it is loaded and predicts in a process that cannot import skmeta."""
    (X, y), (X_new, _) = table(), table(20, seed=1)
    members = [fit("logistic_regression", X, y), fit("hist_gradient_boosting", X, y)]
    ours = together(*members, weights=np.array([0.5, 0.5]))
    content = to_sklearn(ours), X_new, ours.predict_proba(X_new)
    (tmp_path / "plain.pickle").write_bytes(pickle.dumps(content))
    script = """
import pickle, sys
sys.modules["skmeta"] = None
with open("plain.pickle", "rb") as file:
    plain, X, expected = pickle.load(file)
assert abs(plain.predict_proba(X) - expected).max() <= 1e-12
assert not any(name.startswith("skmeta.") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def test_selector_gives_its_best_estimator():
    """A copy, unless something of ours is inside."""
    X, y = load_iris(return_X_y=True)
    search = MetaHyperparamSelector(SVC(), n_candidates=1, random_state=0).fit(X, y)
    plain = search.to_sklearn()
    assert plain is not search.best_estimator_
    assert plain.predict(X).tolist() == search.predict(X).tolist()


def test_what_cannot_leave_says_so():
    """The column and the reason, or the class, are in the message."""
    X, y = table()
    X = X[["number", "word"]]
    months = pd.period_range("2020-01", periods=len(X), freq="M")
    with pytest.raises(ValueError, match=r"Column 'month' must be .* period"):
        to_sklearn(fit("gaussian_nb", X.assign(month=months), y))
    large = pd.Categorical(np.where(y == "a", 1e20, 1.0))
    with pytest.raises(ValueError, match=r"Column 'large' must be .* as text, not"):
        to_sklearn(fit("gaussian_nb", X.assign(large=large), y))
    words = np.where(y == "a", "1.0", np.where(y == "b", "1", "one"))
    with pytest.raises(ValueError, match=r"Column 'mixed' must be .* both the levels"):
        to_sklearn(fit("gaussian_nb", X.assign(mixed=words), y))
    with pytest.raises(ValueError, match="must be a column to predict from"):
        to_sklearn(fit("gaussian_nb", np.ones((len(y), 1)), y))
    infinite = sparse.csr_array([[np.inf, 0.0], [1.0, 2.0]] * 60)
    with pytest.raises(ValueError, match="finite numbers or NaN"):
        to_sklearn(fit("random_forest", infinite, y))
    with pytest.raises(ValueError, match=r"nothing of skmeta .*TableEncoder"):
        check_plain(make_pipeline(TableEncoder()))


def test_booleans_among_numbers():
    """True is 1 to pandas when both are in a column."""
    X, y = table()
    X["odd"] = pd.Series([1, True, False, 0, "other", None] * 20, dtype=object)
    X = X[["odd", "number"]]
    ours = fit("extra_trees", X, y)
    assert difference(to_sklearn(ours), ours, X) == 0


def test_levels_of_bytes():
    """They are the text that they hold, as pandas reads them."""
    X, y = table()
    X = pd.DataFrame({"word": [word.encode() for word in y], "number": X["number"]})
    ours = fit("extra_trees", X, y)
    assert difference(to_sklearn(ours), ours, X) == 0


@pytest.mark.parametrize("learner", ["gaussian_nb", "extra_trees"])
def test_the_end_of_all_days(learner):
    """9999-12-31, which databases write for "never", is further than nanoseconds."""
    X, y = table()
    days = np.where(y == "a", "9999-12-31", "2000-01-01")
    X = pd.DataFrame({"day": days.astype("datetime64[us]"), "written": days})
    ours = fit(learner, X, y)
    assert difference(to_sklearn(ours), ours, X) == 0


@pytest.mark.parametrize(
    "names", [("a__b", "a_b", "date"), ("text", "", "date"), ("text", "back", "")]
)
def test_names_that_scikit_learn_makes_something_of(names):
    """Underscores and empty names tell columns apart like other names."""
    X, y = table()
    text = X["text"].fillna("")
    X = pd.concat([text, text.str[::-1], X["date"]], axis=1).set_axis(names, axis=1)
    ours = fit("extra_trees", X, y)
    assert difference(to_sklearn(ours), ours, X) == 0


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize(
    "learner", ["hist_gradient_boosting", "logistic_regression", "extra_trees"]
)
def test_output_that_is_set_globally(learner, output):
    """`set_config` changes nothing, neither the pipeline nor what it becomes."""
    pytest.importorskip(output)
    X, y = table()
    ours = fit(learner, X, y)
    with config_context(transform_output=output):
        again = fit(learner, X, y)
        assert difference(to_sklearn(again), ours, X) == 0
    assert difference(again, ours, X) == 0


@pytest.mark.filterwarnings("ignore:When `set_output` is configured")
def test_source_of_categories_under_a_global_output():
    """Where steps give frames, those of the source still have all their numbers."""
    X, y = table()
    X = X[["number", "word"]]
    ours = fit("hist_gradient_boosting", X, y)
    with config_context(transform_output="pandas"):
        assert difference(executed(to_code(together(ours))).fit(X, y), ours, X) == 0


def test_intervals_are_levels():
    """What `pandas.cut` gives is text enough."""
    X, y = table()
    X = pd.DataFrame({"cut": pd.cut(X["integer"], 4), "number": X["number"]})
    ours = fit("logistic_regression", X, y)
    assert difference(to_sklearn(ours), ours, X) == 0


def test_source_is_short_and_wrapped():
    """Only what is not the default, in lines that are not long."""
    estimator = make_pipeline(
        StandardScaler(with_mean=False),
        FunctionTransformer(partial(np.multiply, 3)),
        OneHotEncoder(categories=[["it's", 'a "word"', None]], handle_unknown="ignore"),
        LogisticRegression(C=0.1, class_weight={0: 1.0, 1: np.inf}),
    )
    assert (
        source_of(estimator, "model")
        == """\
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

model = make_pipeline(
    StandardScaler(with_mean=False),
    FunctionTransformer(partial(np.multiply, 3)),
    OneHotEncoder(categories=[["it's", 'a "word"', None]], handle_unknown="ignore"),
    LogisticRegression(C=0.1, class_weight={0: 1.0, 1: np.inf}),
)"""
    )
    with pytest.raises(ValueError, match="Only what can be imported"):
        source_of(FunctionTransformer(lambda X: X), "model")


def test_skops():
    """Stored without pickle, it predicts the same."""
    skops = pytest.importorskip("skops.io")
    X, y = table()
    X = X.drop(columns=["date", "written", "duration"])
    members = [fit("logistic_regression", X, y), fit("hist_gradient_boosting", X, y)]
    plain = to_sklearn(together(*members, weights=np.array([0.5, 0.5])))
    stored = skops.dumps(plain)
    trusted = skops.get_untrusted_types(data=stored)
    assert not any("skmeta" in name for name in trusted)
    assert difference(skops.loads(stored, trusted=trusted), plain, X) == 0


@pytest.mark.parametrize(
    "learners", [["logistic_regression"], ["random_forest", "gaussian_nb"]], ids=str
)
def test_onnx(learners):
    """Arrays of numbers go on to ONNX, within the single precision of its input."""
    if importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("onnxruntime is not installed")
    skl2onnx = pytest.importorskip("skl2onnx")
    import onnxruntime

    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32).astype(np.float64)
    ours = together(*(fit(name, X, y) for name in learners))
    options = {"zipmap": False}
    model = skl2onnx.to_onnx(to_sklearn(ours), X[:1].astype("f4"), options=options)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = {session.get_inputs()[0].name: X.astype(np.float32)}
    assert np.abs(session.run(None, given)[1] - ours.predict_proba(X)).max() < 1e-5
