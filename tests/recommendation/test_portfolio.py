import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skmeta.recommendation import greedy_portfolio, portfolio_loss, regret_matrix

repeatable = settings(deadline=None, derandomize=True)

shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))
# Sixteenths make ties, which are where a greedy choice goes wrong.
loss_matrices = shapes.flatmap(
    lambda shape: arrays(
        float, shape, elements=st.integers(0, 16).map(lambda i: i / 16)
    )
)
score_matrices = shapes.flatmap(
    lambda shape: arrays(
        float, shape, elements=st.floats(-50, 1) | st.just(np.nan)
    ).filter(lambda scores: np.isfinite(scores).any(axis=1).all())
)


@st.composite
def losses_with_weights(draw):
    loss = draw(loss_matrices)
    weights = draw(arrays(float, len(loss), elements=st.integers(1, 8).map(float)))
    return loss, weights


def weighted_lowest(loss, portfolio, weights):
    """Return the weighted mean of the lowest loss after each pick."""
    lowest = np.minimum.accumulate(loss[:, portfolio], axis=1)
    return weights / weights.sum() @ lowest


# Regret and loss


def test_regret_matrix_worked_example():
    """It is the distance to the best of the task, infinite where there is no score."""
    scores = np.array([[1.0, 0.75, np.nan], [-2.0, -0.5, -1.0]])
    assert regret_matrix(scores).tolist() == [[0, 0.25, np.inf], [1.5, 0, 0.5]]


@given(score_matrices)
@repeatable
def test_regret_matrix_is_zero_for_the_best(scores):
    """No regret is negative, and on each task someone has none."""
    assert (regret_matrix(scores).min(axis=1) == 0).all()


def test_portfolio_loss_worked_example():
    """Best 0.9, median 0.85: 0.1 lost is 0.4 of the cap and all of the task's unit.

    So the loss of the second is (0.4 + 1) / 2; what failed counts as the worst.
    """
    loss = portfolio_loss(np.array([[0.9, 0.8, np.nan]]))
    np.testing.assert_allclose(loss, [[0.0, 0.7, 1.0]])


def test_portfolio_loss_of_a_narrow_task():
    """Best 0.90, median 0.89: choosing the third costs 0.04 of the cap, all in units.

    A unit is twice the distance to the median, 0.02; the median one loses half.
    """
    loss = portfolio_loss(np.array([[0.90, 0.89, 0.88]]))
    np.testing.assert_allclose(loss, [[0, 0.02 + 0.25, 0.04 + 0.5]])


def test_portfolio_loss_cap():
    """A quarter lost is as bad as more; with a cap of 1 it is not."""
    scores = np.array([[1.0, 0.75, 0.5, 0.0]])
    in_task_units = np.array([0, 1 / 3, 2 / 3, 1])
    of_a_quarter, of_one = np.array([[0, 1, 1, 1], [0, 0.25, 0.5, 1]])
    np.testing.assert_allclose(
        portfolio_loss(scores), [(of_a_quarter + in_task_units) / 2]
    )
    np.testing.assert_allclose(
        portfolio_loss(scores, cap=1.0), [(of_one + in_task_units) / 2]
    )


def test_portfolio_loss_does_not_magnify_rounding_errors():
    """Where the best and the median differ by rounding alone nothing is lost."""
    loss = portfolio_loss(np.array([[0.9, 0.9 - 1e-15, 0.9 - 2e-15]]))
    np.testing.assert_allclose(loss, [[0, 0, 0]], atol=1e-9)


def test_portfolio_loss_of_equals():
    """Where all configurations do the same none loses anything."""
    assert portfolio_loss(np.full((2, 3), 0.5)).tolist() == [[0, 0, 0]] * 2


@given(score_matrices)
@repeatable
def test_portfolio_loss_is_from_0_to_1(scores):
    """Every loss is in range, the best of a task has 0 and what failed has 1."""
    loss = portfolio_loss(scores)
    assert loss.min() >= 0
    assert loss.max() <= 1
    assert (loss.min(axis=1) == 0).all()
    assert (loss[np.isnan(scores)] == 1).all()


@given(score_matrices)
@repeatable
def test_portfolio_loss_follows_the_scores(scores):
    """On a task a greater score never has a greater loss."""
    for row, loss in zip(scores, portfolio_loss(scores), strict=True):
        # Failed ones, the worst, come first.
        order = np.argsort(np.nan_to_num(row, nan=-np.inf), kind="stable")
        assert (np.diff(loss[order]) <= 0).all()


@given(score_matrices, st.randoms(use_true_random=False))
@repeatable
def test_portfolio_loss_of_shuffled_tasks(scores, random):
    """The loss on a task does not depend on the other tasks."""
    order = list(range(len(scores)))
    random.shuffle(order)
    np.testing.assert_array_equal(
        portfolio_loss(scores[order]), portfolio_loss(scores)[order]
    )


# Portfolio


def test_greedy_portfolio_worked_example():
    """Means are 0.25, 0.15, 0.20; after 1, adding 0 leaves 0.05 and adding 2, 0.10."""
    loss = np.array([[0.0, 0.2, 0.4], [0.5, 0.1, 0.0]])
    assert greedy_portfolio(loss, size=2).tolist() == [1, 0]
    assert greedy_portfolio(loss, size=3).tolist() == [1, 0, 2]


def test_greedy_portfolio_with_weights():
    """If the second task is nine times as important, what is best on it is first.

    Means are 0.45, 0.11, 0.04; after 2 the first task has 0.4 left, 0 repairs it.
    """
    loss = np.array([[0.0, 0.2, 0.4], [0.5, 0.1, 0.0]])
    weights = np.array([0.1, 0.9])
    assert greedy_portfolio(loss, size=2, task_weights=weights).tolist() == [2, 0]


def test_greedy_portfolio_with_weights_of_each_pick():
    """The first pick is for the second task alone, the next one for the first."""
    loss = np.array([[0.5, 0.0, 0.9], [0.5, 0.9, 0.0]])
    weights = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    assert greedy_portfolio(loss, size=3, task_weights=weights).tolist() == [2, 1, 0]


def test_greedy_portfolio_per_second():
    """A drop of 0.9 in ten seconds is 0.09 a second; one of 0.5 in one is 0.5."""
    loss = np.array([[0.1, 0.5]])
    assert greedy_portfolio(loss, size=2).tolist() == [0, 1]
    seconds = np.array([10.0, 1.0])
    assert greedy_portfolio(loss, size=2, seconds=seconds).tolist() == [1, 0]


def test_greedy_portfolio_settles_ties_by_mean_loss():
    """Once 0 solves both tasks nothing is to gain: the better ones come first."""
    loss = np.array([[0.0, 0.9, 0.2, 0.5], [0.0, 0.9, 0.3, 0.4]])
    assert greedy_portfolio(loss, size=4).tolist() == [0, 2, 3, 1]


def test_greedy_portfolio_settles_full_ties_by_position():
    """Of columns that are the same the first comes first."""
    assert greedy_portfolio(np.full((2, 3), 0.5), size=3).tolist() == [0, 1, 2]


def test_greedy_portfolio_of_nothing():
    """A portfolio of size zero is empty, and still good as an index."""
    portfolio = greedy_portfolio(np.zeros((2, 3)), size=0)
    assert np.arange(3)[portfolio].tolist() == []


@pytest.mark.parametrize("size", [4, -1])
def test_greedy_portfolio_of_an_impossible_size(size):
    """More than there are, or less than none, is an error that says how many."""
    with pytest.raises(
        ValueError, match=rf"number of configurations left \(3\), got: {size}\."
    ):
        greedy_portfolio(np.zeros((2, 3)), size=size)


@pytest.mark.parametrize("value", [-0.5, 1.5, np.nan, np.inf])
def test_greedy_portfolio_of_what_is_no_loss(value):
    """A loss beyond 0 to 1, such as a regret, is an error that says what to do."""
    with pytest.raises(ValueError, match=r"loss must be from 0 to 1, .*portfolio_loss"):
        greedy_portfolio(np.array([[0.5, value]]), size=1)


@given(loss_matrices)
@repeatable
def test_greedy_portfolio_is_a_permutation_when_full(loss):
    """Asked for everything, the portfolio names each configuration once."""
    portfolio = greedy_portfolio(loss, size=loss.shape[1])
    assert sorted(portfolio) == list(range(loss.shape[1]))


@given(loss_matrices, st.data())
@repeatable
def test_greedy_portfolio_of_a_size_begins_the_larger_ones(loss, data):
    """Asking for fewer gives the beginning of the same order."""
    size = data.draw(st.integers(0, loss.shape[1]))
    whole = greedy_portfolio(loss, size=loss.shape[1])
    assert greedy_portfolio(loss, size=size).tolist() == whole[:size].tolist()


@given(losses_with_weights())
@repeatable
def test_greedy_portfolio_never_gets_worse(loss_and_weights):
    """The weighted mean of the lowest loss falls or stays with every pick."""
    loss, weights = loss_and_weights
    portfolio = greedy_portfolio(loss, loss.shape[1], weights)
    assert (np.diff(weighted_lowest(loss, portfolio, weights)) <= 1e-12).all()


@given(losses_with_weights(), st.randoms(use_true_random=False))
@repeatable
def test_greedy_portfolio_of_shuffled_tasks(loss_and_weights, random):
    """The order of the tasks does not matter."""
    loss, weights = loss_and_weights
    order = list(range(len(loss)))
    random.shuffle(order)
    assert np.array_equal(
        greedy_portfolio(loss, loss.shape[1], weights),
        greedy_portfolio(loss[order], loss.shape[1], weights[order]),
    )


@given(losses_with_weights())
@repeatable
def test_greedy_portfolio_begins_with_the_lowest_mean(loss_and_weights):
    """No configuration is better alone than the first one."""
    loss, weights = loss_and_weights
    (first,) = greedy_portfolio(loss, 1, weights)
    means = weights / weights.sum() @ loss
    assert means[first] <= means.min() + 1e-12


@given(losses_with_weights(), st.floats(1e-6, 1e6))
@repeatable
def test_greedy_portfolio_ignores_the_scale_of_weights(loss_and_weights, scale):
    """Only how weights relate to each other counts."""
    loss, weights = loss_and_weights
    size = loss.shape[1]
    assert np.array_equal(
        greedy_portfolio(loss, size, weights),
        greedy_portfolio(loss, size, scale * weights),
    )


@given(loss_matrices, st.floats(1e-6, 1e6))
@repeatable
def test_greedy_portfolio_ignores_equal_seconds(loss, seconds):
    """If all take the same time, time does not count."""
    size = loss.shape[1]
    assert np.array_equal(
        greedy_portfolio(loss, size),
        greedy_portfolio(loss, size, seconds=np.full(size, seconds)),
    )


@given(loss_matrices)
@repeatable
def test_greedy_portfolio_leaves_its_arguments(loss):
    """Losses, weights and seconds are only read."""
    n_tasks, size = loss.shape
    arguments = [loss, np.ones(n_tasks), np.ones(size)]
    before = [argument.copy() for argument in arguments]
    greedy_portfolio(loss, size, arguments[1], arguments[2])
    for argument, copy in zip(arguments, before, strict=True):
        assert np.array_equal(argument, copy)
