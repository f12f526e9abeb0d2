import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from skmeta._ensemble import WeightedEnsemble, greedy_ensemble

repeatable = settings(deadline=None, derandomize=True)


def draw_predictions(seed, n_candidates=6, n_rows=80, n_classes=3):
    """Probabilities that are as good as they are near to the drawn class."""
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, n_rows - n_classes)]
    strength = rng.uniform(0.5, 3, size=(n_candidates, 1, 1))
    noise = rng.normal(size=(n_candidates, n_rows, n_classes))
    logits = noise + strength * np.eye(n_classes)[y]
    probabilities = np.exp(logits)
    return probabilities / probabilities.sum(axis=2, keepdims=True), y


def loss_of(weights, probabilities, y):
    return log_loss(y, np.tensordot(weights, probabilities, axes=1))


@repeatable
@given(st.integers(0, 1000), st.integers(1, 6))
def test_an_ensemble_is_not_worse_than_its_first_member(seed, max_members):
    """By log loss on the rows that it was chosen by."""
    probabilities, y = draw_predictions(seed)
    weights = greedy_ensemble(probabilities, y, max_members)
    assert weights.sum() == pytest.approx(1)
    assert 1 <= np.count_nonzero(weights) <= max_members
    alone = [log_loss(y, values) for values in probabilities]
    assert loss_of(weights, probabilities, y) <= min(alone) + 1e-12


def test_independent_members_share_and_a_copy_does_not():
    """Errors that differ cancel; the same errors again do not."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    logits = rng.normal(size=(3, 2000, 2)) + np.eye(2)[y]
    logits[2] = logits[1]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    weights = greedy_ensemble(probabilities, y, 3)
    assert weights[0] > 0.2
    assert weights[1] > 0.2
    assert weights[2] == 0


def test_the_first_member_stays():
    """The candidate to begin with is a member, however bad."""
    probabilities, y = draw_predictions(1)
    worst = int(np.argmax([log_loss(y, values) for values in probabilities]))
    assert greedy_ensemble(probabilities, y, 3, first=worst)[worst] > 0
    alone = greedy_ensemble(probabilities, y, 1, first=worst)
    assert alone.tolist() == np.eye(len(probabilities))[worst].tolist()


def test_rows_without_weight_do_not_count():
    """Weights of zero are as good as rows left out."""
    probabilities, y = draw_predictions(2)
    kept = np.arange(len(y)) % 2 == 0
    np.testing.assert_array_equal(
        greedy_ensemble(probabilities, y, 4, sample_weight=kept.astype(float)),
        greedy_ensemble(probabilities[:, kept], y[kept], 4),
    )


@repeatable
@given(st.integers(0, 1000))
def test_members_share_limits(seed):
    """Together they take no more than all of each."""
    probabilities, y = draw_predictions(seed)
    shares = np.random.default_rng(seed).uniform(0, 0.6, (len(probabilities), 2))
    weights = greedy_ensemble(probabilities, y, 6, shares=shares)
    assert shares[weights > 0].sum(axis=0).max() <= 1
    nothing = np.zeros_like(shares)
    free = greedy_ensemble(probabilities, y, 6)
    assert np.array_equal(greedy_ensemble(probabilities, y, 6, shares=nothing), free)


def test_a_member_that_does_not_fit_leaves_room_for_others():
    """Of three that are equally good, the two that fit together are chosen."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    logits = rng.normal(size=(3, 2000, 2)) + np.eye(2)[y]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    assert np.count_nonzero(greedy_ensemble(probabilities, y, 3)) == 3
    shares = np.array([[0.4], [0.7], [0.6]])
    weights = greedy_ensemble(probabilities, y, 3, first=0, shares=shares)
    assert np.flatnonzero(weights).tolist() == [0, 2]


def test_impossible_truths_are_bad_but_finite():
    """A probability of zero for what happened costs much, not everything."""
    probabilities = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.5, 0.5], [0.5, 0.5]]])
    assert greedy_ensemble(probabilities, np.array([0, 1]), 2)[1] == 1.0


@pytest.fixture
def members():
    return [LogisticRegression(max_iter=500), GaussianNB(), DecisionTreeClassifier()]


def test_it_is_the_weighted_mean(members):
    """Probabilities are the mean, labels the highest weighted probability."""
    X, y = make_classification(200, weights=[0.9], random_state=0)
    weights = np.array([0.5, 0.3, 0.2])
    class_weights = np.array([0.1, 1.0])
    ensemble = WeightedEnsemble(members, weights, class_weights).fit(X, y)
    mean = sum(
        w * m.predict_proba(X)
        for w, m in zip(weights, ensemble.estimators_, strict=True)
    )
    np.testing.assert_allclose(ensemble.predict_proba(X), mean)
    np.testing.assert_array_equal(
        ensemble.predict(X), (mean * class_weights).argmax(axis=1)
    )
    np.testing.assert_allclose(ensemble.predict_log_proba(X), np.log(mean))
    plain = clone(ensemble).set_params(class_weights=None).fit(X, y)
    assert plain.predict(X).sum() < ensemble.predict(X).sum()


def test_labels_of_any_type(members):
    """Classes come back as they were."""
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    ensemble = WeightedEnsemble(members).fit(X, names)
    assert set(ensemble.predict(X)) == set(names)


class SinglePrecisionGaussianNB(GaussianNB):
    def predict_proba(self, X):
        return super().predict_proba(X).astype(np.float32)


@pytest.mark.parametrize("others", [[], [GaussianNB()]], ids=str)
def test_probabilities_of_single_precision_sum_to_one(others):
    """In double precision too, so that `log_loss` does not warn."""
    X, y = load_iris(return_X_y=True)
    members = [SinglePrecisionGaussianNB(), SinglePrecisionGaussianNB(var_smoothing=1)]
    ensemble = WeightedEnsemble([*members, *others]).fit(X, y)
    probabilities = ensemble.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-15)
    mean = np.mean([e.predict_proba(X) for e in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(probabilities, mean, rtol=0, atol=1e-7)


def test_a_member_alone_gives_what_it_gives():
    """Single precision stays single precision."""
    X, y = load_iris(return_X_y=True)
    ensemble = WeightedEnsemble([SinglePrecisionGaussianNB()]).fit(X, y)
    expected = ensemble.estimators_[0].predict_proba(X)
    assert ensemble.predict_proba(X).dtype == np.float32
    np.testing.assert_array_equal(ensemble.predict_proba(X), expected)


def test_members_without_probabilities_are_said():
    """There is no mean without them."""
    assert not hasattr(WeightedEnsemble([LinearSVC()]), "predict_proba")


def test_it_is_an_estimator():
    """It keeps the contract of scikit-learn."""
    check_estimator(
        WeightedEnsemble([GaussianNB(), DecisionTreeClassifier(random_state=0)])
    )
