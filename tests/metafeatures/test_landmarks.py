import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.metafeatures import _landmarks as landmarks


def _landmarks_of(X, y):
    extractor = MetaFeatureExtractor(groups="landmarking").fit(X, y)
    names = extractor.get_feature_names_out()
    return dict(zip(names, extractor.meta_features_, strict=True))


def _blobs(n_rows=300, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_rows)
    centers = rng.normal(size=(n_classes, 4))
    return centers[y] + rng.normal(size=(n_rows, 4)), y


def test_a_plane_is_found_by_the_linear_model():
    """Classes on the two sides of a plane are a task for it, noise for nobody."""
    X = np.random.default_rng(0).normal(size=(400, 5))
    values = _landmarks_of(X, X.sum(axis=1) > 0)
    assert values["auc.linear_discr"] > 0.99
    assert values["auc_over_linear.tree"] < -0.1
    values = _landmarks_of(X, np.arange(400) % 2)
    assert values["auc.linear_discr"] == pytest.approx(0.5, abs=0.1)


def test_a_chessboard_is_found_by_neighbours_and_trees():
    """Opposite corners of a square are no task for linear models and naive Bayes."""
    X = np.random.default_rng(0).uniform(-1, 1, size=(600, 2))
    values = _landmarks_of(X, X[:, 0] * X[:, 1] > 0)
    assert values["auc.linear_discr"] < 0.6
    assert values["auc_over_linear.knn"] > 0.3
    assert values["auc_over_linear.tree"] > 0.3
    assert values["auc_over_node.tree"] > 0.3


def test_categories_count():
    """A level that tells the class is found; a name for each row is not one."""
    y = np.arange(90) % 3
    levels = np.array(["x", "y", "z"], dtype=object)[y][:, np.newaxis]
    assert _landmarks_of(levels, y)["auc.linear_discr"] == 1.0
    names = np.array([f"row {i}" for i in range(90)], dtype=object)[:, np.newaxis]
    assert _landmarks_of(names, y)["auc.linear_discr"] == 0.5  # nothing to learn from


def test_learners_are_those_of_scikit_learn():
    """The closed forms give what the estimators give."""
    X, y = _blobs()
    X, y, X_test = X[:200], y[:200], X[200:]
    ours = landmarks._predict(X, y, X_test)
    for name, estimator in [
        ("linear_discr", LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)),
        ("naive_bayes", GaussianNB(var_smoothing=0.01)),
        ("knn", KNeighborsClassifier(10)),
        ("best_node", DecisionTreeClassifier(max_depth=1)),
    ]:
        theirs = estimator.fit(X, y).predict_proba(X_test)
        np.testing.assert_allclose(ours[name], theirs, atol=1e-4, err_msg=name)


def test_a_tree_without_a_split():
    """Where nothing can be split, the first split gives the shares of the classes."""
    y = np.array([0, 0, 1])
    ours = landmarks._predict(np.ones((3, 1)), y, np.ones((2, 1)))
    np.testing.assert_allclose(ours["best_node"], [[2 / 3, 1 / 3]] * 2)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_area_under_the_curve(n_classes):
    """It is scikit-learn's."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, 200)
    # With many ties.
    probabilities = rng.multinomial(8, np.full(n_classes, 1 / n_classes), 200) / 8
    theirs = roc_auc_score(
        y,
        probabilities[:, 1] if n_classes == 2 else probabilities,
        multi_class="ovr",
        average="weighted",
    )
    assert landmarks._weighted_auc(y, probabilities) == pytest.approx(theirs)


def test_rows_columns_and_classes_are_limited(monkeypatch):
    """The work does not grow with the table."""
    seen = []

    def spy(X, y, X_test):
        seen.append((len(X) + len(X_test), X.shape[1], y.max() + 1))
        return {"linear_discr": np.zeros((len(X_test), y.max() + 1))}

    monkeypatch.setattr(landmarks, "_predict", spy)
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(150), rng.integers(6, 40, 150))
    X = rng.normal(size=(len(y), 400))
    MetaFeatureExtractor(groups="landmarking").fit(X, y)
    n_rows, n_columns, n_classes = np.max(seen, axis=0)
    assert n_rows <= 600
    assert n_columns == 200
    assert n_classes == 100


def test_too_few_rows_have_no_landmarks():
    """With fewer than three rows in all but one class nothing can be learned."""
    X = np.random.default_rng(0).normal(size=(12, 2))
    extractor = MetaFeatureExtractor(groups="landmarking").fit(X, [0] * 10 + [1] * 2)
    assert set(extractor.report_.guarded.values()) == {"not defined for this table"}
    assert extractor.meta_features_.tolist() == [0.5] * 5 + [0.0] * 4


def _values_of(group, X, y):
    extractor = MetaFeatureExtractor(groups=group).fit(X, y)
    names = extractor.get_feature_names_out()
    return dict(zip(names, extractor.meta_features_, strict=True))


def test_balanced_accuracies():
    """A plane: all of it is the linear model's; a rare class counts as the other."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 5))
    y = X.sum(axis=1) > 3.5  # one row of seventeen
    values = _values_of("accuracy_landmarking", X, y)
    assert values["lm_default"] == 0.5
    assert values["best_node.mean"] < values["linear_discr.mean"] < 0.95
    assert values["one_nn.mean"] == pytest.approx(
        values["linear_discr.mean"] + values["lm_nn_minus_lin"]
    )
    assert values["lm_best"] - values["lm_spread"] < 0.6
    # Guessing the common class is worth no more than a half.
    noise = _values_of("accuracy_landmarking", X, np.arange(900) % 20 == 0)
    assert noise["lm_best"] == pytest.approx(0.5, abs=0.07)


def test_slopes_grow_with_what_there_is_to_learn():
    """Neighbours gain by more rows of a chessboard, a linear model does not."""
    X = np.random.default_rng(0).uniform(-1, 1, size=(1000, 2))
    y = np.floor(6 * X).sum(axis=1) % 2
    values = _values_of("accuracy_landmarking", X, y)
    assert values["lm_slope_nn"] > 0.1
    assert abs(values["lm_slope_lin"]) < 0.1


def test_shape_of_a_tree_worked_example():
    """Three stripes: two splits of one column, the middle class between them."""
    X = np.c_[np.arange(90.0), np.zeros(90)]
    y = np.repeat([0, 1, 0], 30)
    values = _values_of("model", X, y)
    assert (values["nodes"], values["leaves"], values["tree_depth.max"]) == (2, 3, 2)
    assert values["nodes_per_inst"] == pytest.approx(2 / 90)
    assert values["leaves_per_class.mean"] == 0.5
    assert values["var_importance.max"] == 1.0


def test_neighbour_complexity_worked_example():
    """Two pairs: 1 apart within a class, 4 between the inner ones."""
    X = np.array([[0.0], [1.0], [5.0], [6.0]])
    values = _values_of("complexity", X, [0, 0, 1, 1])
    ratio = (1 + 1 + 1 + 1) / (5 + 4 + 4 + 5)
    assert values["n2"] == pytest.approx(ratio / (1 + ratio), abs=1e-5)
    assert values["n3"] == 0
    assert _values_of("complexity", X, [0, 1, 0, 1])["n3"] == 1
    assert _values_of("complexity", np.ones((6, 1)), [0, 0, 0, 1, 1, 1])["n3"] == 0


def test_scale_worked_example():
    """Without a look at pymfe: by the definitions."""
    X = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 3.0], [10.0, 7.0]])
    values = _values_of("scale", X, [0, 0, 0, 1])
    assert values["range.max"] == 10
    assert values["mean.min"] == 4
    assert values["cov.max"] == pytest.approx(np.cov(X.T)[0, 1])
    assert values["gravity"] == pytest.approx(np.hypot(10 - 2, 7 - 3))
    assert _values_of("scale", np.array([["a"], ["b"]] * 4), [0, 1] * 4)["gravity"] == 0
