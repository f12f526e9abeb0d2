import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from skmeta._decision import (
    EXPONENTS,
    TEMPERATURES,
    best_exponent,
    confusion_counts,
    log_probabilities,
    score_counts,
    score_exponents,
    tempered_losses,
)

repeatable = settings(deadline=None, derandomize=True)

# So few rows that classes are often absent, from what is true or from what is said.
truths_and_labels = st.tuples(st.sampled_from([2, 5]), st.integers(1, 12)).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes[0]),
        *[arrays(int, sizes[1], elements=st.integers(0, sizes[0] - 1))] * 2,
    )
)


def draw_labels(probabilities, rng):
    """Draw a class for each row, so that the probabilities are right."""
    steps = probabilities.cumsum(axis=1)
    drawn = (rng.random((len(steps), 1)) > steps).sum(axis=1)
    return np.minimum(drawn, probabilities.shape[1] - 1)


def temper(probabilities, temperature):
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def skewed(n_rows=4000):
    """Return right probabilities of two classes, one in ten rows of the second."""
    rng = np.random.default_rng(0)
    rare = rng.beta(0.5, 4.5, n_rows)
    probabilities = np.column_stack([1 - rare, rare])
    return probabilities, draw_labels(probabilities, rng)


def counts_of(probabilities, y, temperature=1.0, groups=None, exponents=EXPONENTS):
    """Return confusion counts, of one group if no other is said."""
    n_classes = probabilities.shape[1]
    # One row more of each class, so that none has the share 0.
    priors = (np.bincount(y, minlength=n_classes) + 1) / (len(y) + n_classes)
    return confusion_counts(
        log_probabilities(probabilities),
        y,
        np.zeros_like(y) if groups is None else groups,
        priors,
        temperature,
        exponents,
    )


# Zeros


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_log_probabilities_are_finite(dtype):
    """Zero counts as the smallest step of one, whatever the precision, no warning."""
    with np.errstate(all="raise"):
        logs = log_probabilities(np.array([[0, 1], [0.5, 0.5]], dtype=dtype))
    assert logs.dtype == np.float64
    expected = [[np.log(2**-52), 0], [np.log(0.5), np.log(0.5)]]
    np.testing.assert_allclose(logs, expected)


def test_nothing_warns_of_zeros():
    """Rows that are sure, rightly or wrongly, have finite losses and some label."""
    probabilities, y = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 2])
    logs = log_probabilities(probabilities)
    with np.errstate(all="raise", under="ignore"):
        losses = tempered_losses(logs, y)
        for temperature in TEMPERATURES:
            scores = score_counts(counts_of(probabilities, y, temperature))
            assert all(np.isfinite(values).all() for values in scores.values())
    assert np.isfinite(losses).all()
    assert losses.min() >= 0
    assert (losses[:, 3] > losses[:, 0]).all()


# Temperature


def test_tempered_losses_worked_example():
    """At temperature 1/2 the odds 3 to 1 become 9 to 1."""
    logs = log_probabilities(np.array([[0.75, 0.25], [0.75, 0.25]]))
    losses = tempered_losses(logs, np.array([0, 1]), np.array([1.0, 0.5]))
    expected = [[np.log(4 / 3), np.log(4)], [np.log(10 / 9), np.log(10)]]
    np.testing.assert_allclose(losses, expected)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_tempered_losses_are_log_losses(n_classes):
    """At each temperature, and at 1 without changing the probabilities at all."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(n_classes, 0.5), 200)
    y, labels = rng.integers(n_classes, size=200), np.arange(n_classes)
    losses = tempered_losses(log_probabilities(probabilities), y)
    assert losses.shape == (len(TEMPERATURES), 200)
    for loss, temperature in zip(losses, TEMPERATURES, strict=True):
        tempered = temper(probabilities, temperature)
        expected = metrics.log_loss(y, tempered, labels=labels)
        assert loss.mean() == pytest.approx(expected)
    (loss,) = tempered_losses(log_probabilities(probabilities), y, np.array([1.0]))
    assert loss.mean() == pytest.approx(metrics.log_loss(y, probabilities))


def test_temperatures_have_one():
    """Probabilities that are right can stay as they are."""
    assert np.abs(TEMPERATURES - 1).min() < 1e-12
    assert (np.diff(TEMPERATURES) > 0).all()


@pytest.mark.parametrize("index", [0, 4, 11, 20])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_lowest_loss_finds_the_temperature(index, n_classes):
    """Of probabilities made so many times too sure, to within one step."""
    rng = np.random.default_rng(0)
    right = rng.dirichlet(np.ones(n_classes), 5000)
    y = draw_labels(right, rng)
    # Not through the probabilities, where those too sure would all become 0 and 1.
    logs = np.log(right) * TEMPERATURES[index]
    found = tempered_losses(logs, y).sum(axis=1).argmin()
    assert abs(found - index) <= 1


# What is said for which class


@given(truths_and_labels)
@repeatable
@pytest.mark.filterwarnings("ignore::UserWarning")  # of classes that are not there
def test_counts_and_scores_are_those_of_scikit_learn(drawn):
    """Also if classes are absent from what is true or from what is said."""
    n_classes, y, said = drawn
    probabilities = temper(np.eye(n_classes)[said] + 1, 0.2)
    (counts,) = counts_of(probabilities, y, exponents=[0.0])
    (matrix,) = counts
    assert (
        matrix.tolist()
        == metrics.confusion_matrix(y, said, labels=np.arange(n_classes)).tolist()
    )
    with np.errstate(all="raise"):
        scores = {name: values.item() for name, values in score_counts(counts).items()}
    assert scores == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(y, said),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, said),
            "f1_macro": metrics.f1_score(y, said, average="macro", zero_division=0.0),
        }
    )


def test_score_counts_worked_example():
    """Three of four right, then one of two, with a class that nobody has or says."""
    counts = np.array(
        [[[2, 0, 0], [1, 1, 0], [0, 0, 0]], [[0, 1, 0], [0, 1, 0], [0, 0, 0]]]
    )
    scores = score_counts(counts)
    assert scores["accuracy"].tolist() == [0.75, 0.5]
    assert scores["balanced_accuracy"].tolist() == [0.75, 0.5]
    expected = [(4 / 5 + 2 / 3) / 2, (0 + 2 / 3) / 2]
    np.testing.assert_allclose(scores["f1_macro"], expected)


def test_confusion_counts_by_group():
    """Each group has the counts of its rows, with the shares of all rows."""
    probabilities, y = skewed(300)
    groups = np.arange(300) % 3
    counts = counts_of(probabilities, y, groups=groups)
    assert counts.shape == (len(EXPONENTS), 3, 2, 2)
    assert (counts.sum(axis=1) == counts_of(probabilities, y)[:, 0]).all()
    said = probabilities.argmax(axis=1)
    for group in range(3):
        own = groups == group
        expected = metrics.confusion_matrix(y[own], said[own])
        assert counts[0, group].tolist() == expected.tolist()


# Weights of classes


@pytest.mark.parametrize("temperature", TEMPERATURES[[0, 4, 20]])
def test_exponent_zero_says_the_most_probable_class(temperature):
    """At any temperature."""
    probabilities, y = skewed(300)
    (first, *_) = counts_of(probabilities, y, temperature)
    expected = metrics.confusion_matrix(y, probabilities.argmax(axis=1))
    assert first[0].tolist() == expected.tolist()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_exponents_weigh_tempered_probabilities(temperature):
    """Labels are those of the tempered probabilities times ``priors ** -exponent``."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([4, 2, 1], 300)
    y = draw_labels(probabilities, rng)
    priors = np.bincount(y) / 300
    counts = confusion_counts(
        log_probabilities(probabilities), y, np.zeros_like(y), priors, temperature
    )
    for exponent, count in zip(EXPONENTS, counts[:, 0], strict=True):
        weighted = temper(probabilities, temperature) * priors**-exponent
        expected = metrics.confusion_matrix(y, weighted.argmax(axis=1))
        assert count.tolist() == expected.tolist()


def test_inverse_shares_are_best_for_balanced_accuracy():
    """Exponent 1 gains much over 0 where probabilities are right and one class rare."""
    scores = score_counts(counts_of(*skewed()))
    balanced = scores["balanced_accuracy"][:, 0]
    one = EXPONENTS.tolist().index(1.0)
    assert balanced[one] > balanced[0] + 0.15
    assert balanced[one] > balanced.max() - 0.01
    assert scores["accuracy"][0, 0] > scores["accuracy"][one, 0] + 0.1


def test_score_exponents_are_those_of_weighted_labels():
    """Of each metric, with the shares of the rows that are scored."""
    probabilities, y = skewed(300)
    priors = np.bincount(y) / 300
    scores = score_exponents(probabilities, y)
    for i, exponent in enumerate(EXPONENTS):
        said = (probabilities * priors**-exponent).argmax(axis=1)
        expected = {
            "accuracy": metrics.accuracy_score(y, said),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, said),
            "f1_macro": metrics.f1_score(y, said, average="macro"),
        }
        assert {name: by[i] for name, by in scores.items()} == pytest.approx(expected)


@pytest.mark.parametrize("n_rows", [10, 1000, 10**9])
@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
def test_best_exponent_of_flat_scores(start, n_rows):
    """If all are as good, it is where what is known of the metric begins."""
    scores = np.full(len(EXPONENTS), 0.7)
    assert EXPONENTS[best_exponent(scores, start, n_rows)] == start


@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("best", [0.0, 0.25, 0.75, 1.5])
def test_best_exponent_moves_for_a_clear_gain(start, best):
    """A hill of scores moves it if it comes from many rows, and not from few."""
    scores = 0.7 - 0.1 * np.abs(EXPONENTS - best)
    many = EXPONENTS[best_exponent(scores, start, 10_000)]
    assert many == pytest.approx(best, abs=0.125)
    assert EXPONENTS[best_exponent(scores, start, 20)] == start


@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
def test_best_exponent_is_not_moved_by_a_lucky_row(start):
    """A peak of one step and one row in a hundred is chance."""
    scores = np.full(len(EXPONENTS), 0.7)
    scores[-1] += 0.01
    assert EXPONENTS[best_exponent(scores, start, 100)] == start
