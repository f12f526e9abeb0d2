import numpy as np
import pytest

from skmeta.multitask._network import (
    BestWeights,
    for_each_task,
    forward,
    losses,
    meta_gradient,
    random_weights,
    take_steps,
)

torch = pytest.importorskip("torch")

N_TASKS, N_ROWS, N_STEPS, RATE = 3, 6, 3, 0.3


def make_rows(rng, n_rows=N_ROWS):
    X = torch.tensor(rng.normal(size=(N_TASKS, n_rows, 4)))
    output = torch.tensor(rng.integers(3, size=(N_TASKS, n_rows)))
    return X, output, torch.ones((N_TASKS, n_rows), dtype=torch.float64)


@pytest.fixture
def problem():
    """In double precision, that differences may be small."""
    rng = np.random.default_rng(0)
    weights = random_weights([4, 5, 5, 3], rng)
    weights = [torch.tensor(w, dtype=torch.float64) for w in weights]
    # Biases and outputs away from zero, where units bend.
    weights = [w + torch.tensor(rng.normal(scale=0.3, size=w.shape)) for w in weights]
    is_open = torch.ones((N_TASKS, 3), dtype=torch.bool)
    is_open[1, 2] = False
    support, query = make_rows(rng), make_rows(rng)
    for rows in (support, query):
        rows[1][1] %= 2  # of the task whose third output is closed
    return weights, support, query, is_open


def query_loss(weights, support, query, is_open, n_fixed=0):
    adapted = take_steps(
        for_each_task(weights, N_TASKS),
        [support] * N_STEPS,
        is_open,
        RATE,
        n_fixed=n_fixed,
    )
    return losses(adapted, query, is_open).mean().item()


@pytest.mark.parametrize(("algorithm", "n_fixed"), [("maml", 0), ("anil", 4)])
def test_gradients_agree_with_differences(problem, algorithm, n_fixed):
    """Of each weight: through all steps, second derivatives included."""
    weights, *episodes = problem
    loss, gradients = meta_gradient(algorithm, weights, *episodes, N_STEPS, RATE)
    assert loss == pytest.approx(query_loss(weights, *episodes, n_fixed))
    step = 1e-6
    for w, gradient in zip(weights, gradients, strict=True):
        for position in np.ndindex(*w.shape):
            around = []
            for way in (step, -step):
                w[position] += way
                around.append(query_loss(weights, *episodes, n_fixed))
                w[position] -= way
            difference = (around[0] - around[1]) / (2 * step)
            assert gradient[position].item() == pytest.approx(difference, abs=1e-7)


def test_second_derivatives_matter(problem):
    """FOMAML is another direction than MAML, though not far off."""
    weights, *episodes = problem
    directions = [
        torch.cat(
            [g.ravel() for g in meta_gradient(name, weights, *episodes, 3, RATE)[1]]
        )
        for name in ("maml", "fomaml")
    ]
    cosine = torch.nn.functional.cosine_similarity(*directions, dim=0)
    assert 0.3 < cosine < 0.999


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "anil"])
def test_without_a_rate_it_is_the_gradient_of_the_query_loss(problem, algorithm):
    weights, support, query, is_open = problem
    _, gradients = meta_gradient(algorithm, weights, support, query, is_open, 2, 0.0)
    free = [w.clone().requires_grad_() for w in weights]
    loss = losses(for_each_task(free, N_TASKS), query, is_open).mean()
    for ours, theirs in zip(gradients, torch.autograd.grad(loss, free), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_one_step_of_reptile_goes_down_the_loss(problem):
    """With one step the way over its rate is the mean gradient [Nichol et al.]."""
    weights, support, query, is_open = problem
    _, ways = meta_gradient("reptile", weights, support, query, is_open, 1, RATE)
    free = [w.clone().requires_grad_() for w in weights]
    loss = losses(for_each_task(free, N_TASKS), support, is_open).mean()
    for ours, theirs in zip(ways, torch.autograd.grad(loss, free), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_tasks_do_not_disturb_each_other(problem):
    """A task adapts to the same weights alone."""
    weights, support, _, is_open = problem
    together = take_steps(
        for_each_task(weights, N_TASKS), [support] * N_STEPS, is_open, RATE
    )
    for task in range(N_TASKS):
        alone = take_steps(
            for_each_task(weights, 1),
            [tuple(v[task : task + 1] for v in support)] * N_STEPS,
            is_open[task : task + 1],
            RATE,
        )
        for w, of_all in zip(alone, together, strict=True):
            torch.testing.assert_close(w[0], of_all[task])


def test_rows_of_no_weight_do_not_count(problem):
    """Not even if their output is closed."""
    weights, support, _, is_open = problem
    X, output, weight = (torch.cat([v, v[:, :2]], dim=1) for v in support)
    X[:, N_ROWS:], output[:, N_ROWS:], weight[:, N_ROWS:] = 100.0, 2, 0.0
    weights = for_each_task(weights, N_TASKS)
    torch.testing.assert_close(
        losses(weights, (X, output, weight), is_open), losses(weights, support, is_open)
    )


def test_closed_outputs_do_not_compete(problem):
    """What they are makes no difference to the loss."""
    weights, support, _, is_open = problem
    weights = [w.clone() for w in for_each_task(weights, N_TASKS)]
    before = losses(weights, support, is_open)
    weights[-1][:, 2] += 5.0
    after = losses(weights, support, is_open)
    assert after[1].item() == pytest.approx(before[1].item())
    assert not torch.isclose(after[0], before[0])


def test_numpy_gives_the_scores_of_torch(problem):
    weights, (X, _, _), *_ = problem
    scores = forward([w.numpy() for w in weights], X[0].numpy())
    np.testing.assert_allclose(scores, forward(weights, X[0]).numpy())


def test_the_best_weights_are_kept():
    """A fall of less than the tolerance is none; after two looks it is settled."""
    best = BestWeights([torch.zeros(1)], tolerance=0.1, patience=2)
    for step, loss in enumerate([1.0, 0.5, 0.45, 0.6], start=1):
        assert not best.is_settled
        best.look([torch.full((1,), float(step))], loss, age=1)
    assert best.is_settled
    assert best.losses == [1.0, 0.5, 0.45, 0.6]
    assert best.as_arrays()[0].tolist() == [2.0]
