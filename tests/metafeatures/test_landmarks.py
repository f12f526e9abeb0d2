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
