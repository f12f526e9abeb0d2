import numpy as np
import pytest
from scipy.optimize import check_grad

from skmeta import Configuration
from skmeta.recommendation._neural import (
    Network,
    describe_configurations,
    pairwise_loss,
    pairwise_slopes,
)


def test_describe_configurations_worked_example():
    """Learners and words are indicators; numbers are standardized, by logarithm."""
    described = describe_configurations(
        [
            Configuration("svc", {"C": 1.0}),
            Configuration("svc", {"C": 100.0}),
            Configuration("knn", {"weights": "uniform"}),
            Configuration("knn", {"weights": "distance", "p": 0}),
        ]
    )
    columns = {tuple(column) for column in described.T}
    assert (-1.0, 1.0, 0.0, 0.0) in columns  # C
    assert (1.0, 1.0, 0.0, 0.0) in columns  # svc
    assert (0.0, 0.0, 0.0, 1.0) in columns  # distance
    assert np.isfinite(described).all()


def test_pairwise_loss_worked_example():
    """The one of two that is better counts with the logistic loss of its lead."""
    losses, shares = np.array([[0.0, 1.0]]), np.ones(1)
    for lead in (-2.0, 0.0, 3.0):
        loss = pairwise_loss(np.array([[lead, 0.0]]), losses, shares)
        assert loss == pytest.approx(np.log1p(np.exp(-lead)))
    same = np.array([[0.5, 0.5]])
    assert pairwise_loss(np.array([[1.0, 0.0]]), same, shares) == 0.0


def test_pairwise_slopes_are_those_of_the_loss():
    """By finite differences, whatever the shares of the tasks."""
    rng = np.random.default_rng(0)
    losses, shares = rng.random((3, 5)), np.array([0.2, 0.3, 0.5])

    def loss(flat):
        return pairwise_loss(flat.reshape(3, 5), losses, shares)

    def slopes(flat):
        return pairwise_slopes(flat.reshape(3, 5), losses, shares).ravel()

    assert check_grad(loss, slopes, rng.normal(size=15)) < 1e-6


@pytest.mark.parametrize("number", range(6))
def test_gradients_of_weights(number):
    """By finite differences, away from where units switch on."""
    rng = np.random.default_rng(number)
    network = Network(3, 4, 5, rng)
    for offset in (2, 4):
        network.weights[offset] = rng.normal(size=5)
    tasks, described = rng.normal(size=(2, 3)), rng.normal(size=(6, 4))
    losses, shares = rng.random((2, 6)), np.array([0.4, 0.6])
    values, *layers = network._forward(tasks, described)
    slopes = pairwise_slopes(values, losses, shares)
    gradient = network._gradients(tasks, described, slopes, *layers)[number]
    weights = network.weights[number]

    def loss(flat):
        network.weights[number] = flat.reshape(weights.shape)
        return pairwise_loss(network.predict(tasks, described), losses, shares)

    assert check_grad(loss, lambda _: gradient.ravel(), weights.ravel()) < 1e-6


def test_a_network_learns_an_order():
    """Which of two configurations is better depends on the task."""
    rng = np.random.default_rng(0)
    tasks = rng.normal(size=(60, 2))
    losses = (np.sign(tasks[:, :1]) * [1, -1] + 1) / 2
    network = Network(2, 2, 8, rng)
    known, held_out = [
        (tasks[rows], losses[rows], np.ones(30))
        for rows in (slice(30), slice(30, None))
    ]
    network.learn(known, held_out, np.eye(2), 200, 200, 0.0, rng)
    new = np.random.default_rng(1).normal(size=(40, 2))
    first = network.predict(new, np.eye(2)).argmax(axis=1)
    assert (first == (new[:, 0] > 0)).mean() > 0.8
