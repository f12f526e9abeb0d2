import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import FixedThresholdClassifier

from skmeta import MetaLearnerClassifier
from skmeta._distillation import distil, mix_rows
from skmeta._ensemble import WeightedEnsemble
from skmeta._export import check_plain
from skmeta.exceptions import SkmetaWarning


@pytest.fixture(scope="module")
def forest():
    """A large forest, its rows and others."""
    X, y = make_classification(900, 6, n_informative=4, random_state=0)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frame["id"] = [f"row {i}" for i in range(900)]
    model = RandomForestClassifier(200, random_state=0)
    numbers = frame.drop(columns="id")
    model.fit(numbers[:600], y[:600])

    class Numbers(RandomForestClassifier):
        def predict_proba(self, X):
            return model.predict_proba(X.drop(columns="id"))

    teacher = Numbers()
    teacher.classes_ = model.classes_
    ensemble = WeightedEnsemble([teacher], None, np.array([1.0, 0.4])).use([teacher])
    return ensemble, frame[:600], frame[600:], y[600:]


def test_a_student_is_like_its_teacher(forest):
    """In probabilities for new rows, also where made-up rows have the ids of others."""
    teacher, X, X_new, y_new = forest
    student = distil(teacher, X)
    apart = student.predict_proba(X_new) - teacher.predict_proba(X_new)
    assert np.abs(apart).mean() < 0.08
    assert (student.predict(X_new) == teacher.predict(X_new)).mean() > 0.9
    losses = [log_loss(y_new, m.predict_proba(X_new)) for m in (teacher, student)]
    assert losses[1] < losses[0] + 0.1
    columns = student.estimators_[0]["table"].columns_
    assert columns["kind"].tolist() == ["number"] * 6 + ["ignored"]


def test_labels_follow_the_class_weights(forest):
    """A weight moves the threshold of the student, too."""
    teacher, X, X_new, _ = forest
    student = distil(teacher, X, n_rows=1)
    is_second = (
        student.predict_proba(X_new)[:, 1] * 0.4 > (student.predict_proba(X_new)[:, 0])
    )
    np.testing.assert_array_equal(student.predict(X_new) == 1, is_second)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_student_leaves_skmeta(n_classes):
    """With its probabilities, and with its labels where scikit-learn can weigh them."""
    X, y = make_classification(
        300, 4, n_informative=3, n_redundant=0, n_classes=n_classes, random_state=0
    )
    X = pd.DataFrame(X, columns=list("abcd")).assign(word=np.where(y, "yes", "no"))
    clf = MetaLearnerClassifier(
        base_learners=["gaussian_nb"], n_candidates=1, random_state=0
    ).fit(X, y)
    clf.ensemble_.class_weights = np.linspace(0.2, 1.0, n_classes)
    student = clf.distil(X)
    if n_classes == 2:
        plain = student.to_sklearn()
        assert isinstance(plain, FixedThresholdClassifier)
        assert plain.predict(X).tolist() == student.predict(X).tolist()
    else:
        with pytest.warns(SkmetaWarning, match="follow class_weights; what is ret"):
            plain = student.to_sklearn()
    check_plain(plain)
    np.testing.assert_array_equal(plain.predict_proba(X), student.predict_proba(X))


def test_a_poor_student_is_no_secret():
    """What cannot be imitated comes with a warning."""
    X = np.random.default_rng(0).normal(size=(3_000, 1))

    class Whim(RandomForestClassifier):
        def predict_proba(self, X):
            first = np.sin(1e6 * X[:, 0]) > 0
            return np.column_stack([0.9 * first + 0.05, 0.95 - 0.9 * first])

    teacher = Whim()
    teacher.classes_ = np.arange(2)
    ensemble = WeightedEnsemble([teacher], None, None).use([teacher])
    with pytest.warns(SkmetaWarning, match=r"thinks that \d\d% of the rows are of"):
        distil(ensemble, X)


def test_the_same_seed_gives_the_same(forest):
    """And another one another student."""
    teacher, X, X_new, _ = forest
    first, again, other = [
        distil(teacher, X, random_state=seed).predict_proba(X_new) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["frame", "array", "sparse", "list"])
def test_mixed_rows_are_of_the_table(kind):
    """Cells stay in their columns and classes; the first rows are those given."""
    values = np.arange(40.0).reshape(10, 4)
    likely = np.arange(10) % 2
    X = {
        "frame": pd.DataFrame(values, columns=list("wxyz")).astype({"x": "category"}),
        "array": values,
        "sparse": sparse.csr_matrix(values),
        "list": values.tolist(),
    }[kind]
    mixed = mix_rows(X, likely, 50, np.random.default_rng(0))
    if kind == "frame":
        assert mixed.dtypes.equals(X.dtypes)
    got = mixed.toarray() if kind == "sparse" else np.asarray(mixed, dtype=float)
    assert got.shape == (60, 4)
    np.testing.assert_array_equal(got[:10], values)
    assert (got % 4 == np.arange(4)).all()
    of_class = got // 4 % 2
    assert (of_class == of_class[:, :1]).all()
    is_copy = (got // 4 == got[:, :1] // 4).all(axis=1)
    assert is_copy[10:].all() == (kind == "sparse")


def test_distil_a_search():
    """The student is small, takes the same tables and pickles."""
    X, y = make_classification(300, 5, random_state=0)
    X = (
        pd.DataFrame(X)
        .assign(kind=np.where(y, "a", "b"))
        .set_axis(list("abcdef"), axis=1)
    )
    clf = MetaLearnerClassifier(
        base_learners=["random_forest"], n_candidates=2, cv=2, random_state=0
    ).fit(X, np.where(y, "yes", "no"))
    student = pickle.loads(pickle.dumps(clf.distil(X)))
    assert student.predict(X[:5]).tolist() == clf.predict(X[:5]).tolist()
    with pytest.raises(ValueError, match="an integer >= 1 or None, got: 0"):
        clf.distil(X, n_rows=0)


def test_distil_before_fit():
    """It needs what predicts."""
    with pytest.raises(AttributeError):
        MetaLearnerClassifier(refit=False).distil(np.eye(3))


@pytest.mark.parametrize("n_rows", [None, 11_000], ids=["few", "a holdout of many"])
def test_a_class_that_is_hardly_ever_likely(n_rows):
    """The student has all classes of its teacher, and so have their weights."""

    class Sure(RandomForestClassifier):
        classes_ = np.array(["a", "b", "c"])

        def predict_proba(self, X):
            first = np.where(X[:, 0] > 0, 0.99, 0.005)
            return np.column_stack([first, 0.995 - first, np.full(len(X), 0.005)])

    X = np.random.default_rng(0).normal(size=(60, 2))
    teacher = WeightedEnsemble([Sure()], None, np.array([1.0, 1.0, 0.1])).use([Sure()])
    student = distil(teacher, X, n_rows)
    assert student.classes_.tolist() == ["a", "b", "c"]
    assert (student.predict(X) == np.where(X[:, 0] > 0, "a", "b")).mean() > 0.9
