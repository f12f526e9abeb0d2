"""A small network, its loss on several tasks at once, and how it adapts.

Weights are a list of arrays: a matrix and a bias for each layer. With a leading
dimension they are those of several tasks. NumPy's arrays do for prediction; what learns
takes tensors.
"""

from itertools import pairwise

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmeta._messages import warn

# The score of outputs that do not compete. Not infinite: times no weight it is nothing.
_CLOSED = -1e9


def import_torch(name):
    """Return torch, or say how to install it.

    Parameters
    ----------
    name : str
        Of what needs it.

    Returns
    -------
    torch : module
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"{name} requires torch. Install it with: pip install torch"
        ) from error
    return torch


def random_weights(sizes, rng):
    """Return weights to start from, of variance 2 / (units before) [1]_.

    Parameters
    ----------
    sizes : list of int
        Units of each layer, from inputs to outputs.
    rng : Generator

    Returns
    -------
    weights : list of ndarray of float32

    References
    ----------
    .. [1] K. He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """
    weights = []
    for n_in, n_out in pairwise(sizes):
        matrix = rng.normal(scale=np.sqrt(2 / n_in), size=(n_in, n_out))
        weights += [matrix.astype(np.float32), np.zeros(n_out, dtype=np.float32)]
    # Outputs begin alike: how sure a network is should come from what it has seen.
    weights[-2] *= 0.1
    return weights


def hidden(weights, X):
    """Return the last hidden layer.

    Parameters
    ----------
    weights : list of arrays or tensors
    X : array or tensor of shape (..., n_rows, n_inputs)

    Returns
    -------
    units : array or tensor of shape (..., n_rows, n_units)
    """
    for matrix, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        X = (X @ matrix + bias[..., None, :]).clip(min=0)
    return X


def forward(weights, X):
    """Return the scores of the outputs, arguments as those of `hidden`."""
    return hidden(weights, X) @ weights[-2] + weights[-1][..., None, :]


def losses(weights, rows, is_open):
    """Return the mean log loss of each task.

    Parameters
    ----------
    weights : list of tensors
    rows : tuple of tensors
        Inputs of shape (n_tasks, n_rows, n_inputs), outputs and weights of shape
        (n_tasks, n_rows).
    is_open : tensor of bool of shape (n_tasks, n_outputs)

    Returns
    -------
    losses : tensor of shape (n_tasks,)
    """
    X, output, weight = rows
    scores = forward(weights, X).masked_fill(~is_open[:, None, :], _CLOSED)
    logs = scores.log_softmax(-1).gather(-1, output[..., None])[..., 0]
    return -(weight * logs).sum(-1) / weight.sum(-1)


def take_steps(weights, batches, is_open, rate, *, n_fixed=0, keep_graph=False):
    """Return weights after a step of gradient descent on each batch, task by task.

    Parameters
    ----------
    weights : list of tensors
        Of each task.
    batches : iterable of tuples of tensors
        As `losses` takes them.
    is_open : tensor of bool of shape (n_tasks, n_outputs)
    rate : float
        What gradients are multiplied by.
    n_fixed : int, default=0
        The first tensors stay as they are.
    keep_graph : bool, default=False
        Whether the steps themselves can be differentiated.

    Returns
    -------
    weights : list of tensors
    """
    import torch

    fixed, free = weights[:n_fixed], weights[n_fixed:]
    if not keep_graph:
        fixed = [w.detach() for w in fixed]
        free = [w.detach().requires_grad_() for w in free]
    for rows in batches:
        # Tasks do not share weights here: the gradient of the sum holds that of each.
        total = losses([*fixed, *free], rows, is_open).sum()
        gradients = torch.autograd.grad(total, free, create_graph=keep_graph)
        free = [w - rate * g for w, g in zip(free, gradients, strict=True)]
        if not keep_graph:
            free = [w.detach().requires_grad_() for w in free]
    return [*fixed, *free]


def for_each_task(weights, n_tasks):
    """Return the same weights for each task."""
    return [w.expand(n_tasks, *w.shape) for w in weights]


def meta_gradient(algorithm, weights, support, query, is_open, n_steps, rate):
    """Return the query loss after adapting, and the direction to go against.

    Parameters
    ----------
    algorithm : {"maml", "fomaml", "anil", "reptile"}
    weights : list of tensors
        To start from.
    support, query : tuples of tensors
        As `losses` takes them.
    is_open : tensor of bool of shape (n_tasks, n_outputs)
    n_steps : int
        On the support rows.
    rate : float
        Of these steps.

    Returns
    -------
    loss : float
        Mean over tasks.
    gradients : list of tensors
        Of the loss with respect to `weights`: exact for ``"maml"`` and ``"anil"``.
        ``"fomaml"`` takes the adapted weights for constants away from the first ones,
        and ``"reptile"`` gives the mean way that they went, over its rate.
    """
    import torch

    n_tasks = len(is_open)
    if algorithm in ("maml", "anil"):
        weights = [w.detach().requires_grad_() for w in weights]
        n_fixed = len(weights) - 2 if algorithm == "anil" else 0
        adapted = take_steps(
            for_each_task(weights, n_tasks),
            [support] * n_steps,
            is_open,
            rate,
            n_fixed=n_fixed,
            keep_graph=True,
        )
        loss = losses(adapted, query, is_open).mean()
        return loss.item(), torch.autograd.grad(loss, weights)
    # Reptile has no query rows: it goes by turns to all that there are.
    turns = [support, query] if algorithm == "reptile" else [support]
    batches = [turns[step % len(turns)] for step in range(n_steps)]
    adapted = take_steps(for_each_task(weights, n_tasks), batches, is_open, rate)
    loss = losses(adapted, query, is_open).mean()
    if algorithm == "fomaml":
        gradients = torch.autograd.grad(loss, adapted)
        return loss.item(), [g.sum(dim=0) for g in gradients]
    ways = [(w - a).detach() for w, a in zip(weights, adapted, strict=True)]
    return loss.item(), [way.mean(dim=0) / rate for way in ways]


class BestWeights:
    """The weights of the lowest loss so far, and whether it still falls.

    Parameters
    ----------
    weights : list of tensors
        The first ones.
    tolerance : float
        By how much a loss must be lower to count.
    patience : int
        The age at which nothing lower is expected.
    """

    def __init__(self, weights, tolerance, patience):
        self.losses = []
        self._weights = [w.detach().clone() for w in weights]
        self._lowest = np.inf
        self._tolerance = tolerance
        self._patience = patience
        self._age = 0

    def look(self, weights, loss, age):
        """Note a loss, and the weights if it is lower.

        Parameters
        ----------
        weights : list of tensors
        loss : float
        age : int
            Steps since the last look.

        Raises
        ------
        ValueError
            If the loss is not finite.
        """
        if not np.isfinite(loss):
            raise ValueError(
                f"The validation loss must be finite, got: {loss!r}. Decrease the "
                f"learning rates."
            )
        self.losses.append(loss)
        self._age += age
        if loss < self._lowest - self._tolerance:
            self._weights = [w.detach().clone() for w in weights]
            self._lowest, self._age = loss, 0

    @property
    def is_settled(self):
        """Whether the loss no longer falls."""
        return self._age >= self._patience

    def as_arrays(self):
        """Return the weights for NumPy."""
        return [w.detach().cpu().numpy() for w in self._weights]


def warn_of_end(name, value):
    """Warn that learning ended before it had converged."""
    warn(
        f"The validation loss still fell after {name}={value}. Increase {name}, or "
        f"tolerance.",
        ConvergenceWarning,
    )
