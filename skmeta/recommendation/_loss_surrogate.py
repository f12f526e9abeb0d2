"""The loss of a learner as a smooth function of hyperparameters and size of a task."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from skmeta._base_learners import AUGMENTATION, get_learner

# Weight of the squared distance out of the range that was tried.
_WALL = 1.0


@dataclass(frozen=True, eq=False)
class Tried:
    """What the configurations of a learner were on each known task, as numbers.

    Parameters
    ----------
    learner : str
        Name of the base learner.
    names : list of str
        Of hyperparameters that are numbers and differ.
    is_integer : list of bool
        Whether they have to be.
    numbers : ndarray of shape (n_tasks, n_configurations, n_numbers)
        Their logarithms.
    words : ndarray of shape (n_configurations, n_words)
        Indicators of the values of all others that differ.
    choices : list of (ndarray of shape (n_words,), dict)
        Words that go together, and the values they stand for.
    """

    learner: str
    names: list
    is_integer: list
    numbers: np.ndarray
    words: np.ndarray
    choices: list


def describe_tried(configurations, sizes):
    """Return what configurations of one learner were on each task.

    What depends on the task, such as ``max_features="sqrt"``, is the number that it
    was there.

    Parameters
    ----------
    configurations : sequence of Configuration
        Of one learner.
    sizes : sequence of TaskSize
        Of the tasks.

    Returns
    -------
    tried : Tried
    """
    learner = get_learner(configurations[0].learner)
    space = {h.name: h for h in learner.space.hyperparameters}
    usual = learner.defaults
    usual[AUGMENTATION.name] = AUGMENTATION.default
    given = [usual | dict(c.hyperparameters) for c in configurations]
    shared = [name for name in given[0] if all(name in values for values in given)]
    given = [{name: values[name] for name in shared} for values in given]
    there = [
        [_as_numbers(learner.fit_to_size(dict(values), size), size) for values in given]
        for size in sizes
    ]
    names, is_integer, numbers, others = [], [], [], []
    for name in shared:
        column = np.array([[repr(values[name]) for values in row] for row in there])
        if (column == column[0, 0]).all():
            continue
        values = [values[name] for row in there for values in row]
        low = space[name].low if name in space else values[0]
        if low is None or not all(_is_number(value) for value in values):
            others.append(name)
            continue
        names.append(name)
        is_integer.append(isinstance(low, int))
        numbers.append(_logarithm(np.reshape(values, column.shape)))
    words, choices = _describe_words(others, given, usual)
    shape = len(sizes), len(given), len(names)
    numbers = np.stack(numbers, axis=2) if names else np.empty(shape)
    return Tried(learner.name, names, is_integer, numbers, words, choices)


def _is_number(value):
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    )


def _logarithm(values):
    # A formula is never 0: what was 0 is next to nothing.
    least = values[values > 0].min() / 10
    return np.log(np.maximum(values, least))


def _as_numbers(values, size):
    """Return hyperparameters with numbers for what stands for columns of the table."""
    n_columns = size.n_columns
    if values.get("gamma") in ("scale", "auto"):
        values["gamma"] = 1 / n_columns  # where columns are standardized
    features = values.get("max_features")
    if features == "sqrt":
        values["max_features"] = n_columns**-0.5
    elif features == "log2":
        values["max_features"] = max(1.0, float(np.log2(n_columns))) / n_columns
    elif isinstance(features, int):
        values["max_features"] = features / n_columns
    return values


def _describe_words(names, given, usual):
    """Return indicators of values, and which of them may be chosen together."""
    pairs = sorted({(name, repr(values[name])) for values in given for name in names})

    def describe(values):
        return np.array([repr(values[n]) == v for n, v in pairs], dtype=np.float64)

    choices = {}
    for values in given:
        # A formula is for the learner: the table is encoded as it always is.
        usual_table = {n: usual[n] for n in names if n.startswith("table__")}
        chosen = {n: values[n] for n in names if n not in usual_table}
        choices[repr(chosen)] = describe(values | usual_table), chosen
    return np.array([describe(values) for values in given]), list(choices.values())


class LossSurrogate:
    """Loss of a learner by its hyperparameters and the size of the task.

    A ridge regression on the hyperparameters, the squares of those that are numbers,
    and the products of all with the properties of the task. It is one within tasks: it
    does not say how hard a task is. To it comes the smooth minimum of the squared
    distances to what was tried, beyond which little is known.

    Parameters
    ----------
    numbers : ndarray of shape (n_tasks, n_configurations, n_numbers)
        Standardized hyperparameters.
    words : ndarray of shape (n_configurations, n_words)
        Indicators.
    tasks : ndarray of shape (n_tasks, n_attributes)
        Standardized properties.
    loss : ndarray of shape (n_tasks, n_configurations)
        Finite.
    weights : ndarray of shape (n_tasks,)
        They sum to 1.
    ridge : float
        Penalty on squared coefficients.
    caution : float
        What a squared distance of 1 adds to the loss.
    """

    def __init__(self, numbers, words, tasks, loss, weights, ridge, caution):
        n_tasks, n_configurations, _ = numbers.shape
        self._numbers, self._words, self._caution = numbers, words, caution
        self._tasks = tasks
        words = np.broadcast_to(words, (n_tasks, *words.shape))
        described = _describe(numbers, words, tasks[:, np.newaxis])
        self._center = described.mean(axis=1)
        centered = described - self._center[:, np.newaxis]
        centered = centered.reshape(n_tasks * n_configurations, -1)
        shares = np.repeat(weights / n_configurations, n_configurations)
        gram = centered.T @ (shares[:, np.newaxis] * centered)
        inverse = np.linalg.inv(gram + ridge * np.eye(len(gram)))
        target = (loss - loss.mean(axis=1, keepdims=True)).ravel()
        self._slopes = inverse @ (centered.T @ (shares * target))

    def predict(self, numbers, words):
        """Return what to expect on each of the known tasks.

        Parameters
        ----------
        numbers : ndarray of shape (n_tasks, n_numbers)
            Standardized.
        words : ndarray of shape (n_words,)

        Returns
        -------
        loss : ndarray of shape (n_tasks,)
            Less the mean of what was tried there, and the doubt added.
        slopes : ndarray of shape (n_tasks, n_numbers)
            By the numbers.
        """
        n_tasks, n_numbers = numbers.shape
        doubt, by_doubt = self._doubt(numbers, words)
        words = np.broadcast_to(words, (n_tasks, len(words)))
        apart = _describe(numbers, words, self._tasks) - self._center
        loss = apart @ self._slopes
        by_number, by_square, _, by_product = np.split(
            self._slopes, np.cumsum([n_numbers, n_numbers, words.shape[1]])
        )
        by_product = by_product.reshape(self._tasks.shape[1], -1)[:, :n_numbers]
        slopes = by_number + 2 * numbers * by_square + self._tasks @ by_product
        return loss + doubt, slopes + by_doubt

    def _doubt(self, numbers, words):
        """Return the smooth minimum of squared distances to what was tried."""
        apart = numbers[:, np.newaxis] - self._numbers
        distance = (apart**2).sum(axis=2) + ((self._words - words) ** 2).sum(axis=1)
        doubt = -logsumexp(-distance, axis=1)
        nearness = softmax(-distance, axis=1)
        slopes = 2 * (nearness[:, :, np.newaxis] * apart).sum(axis=1)
        return self._caution * doubt, self._caution * slopes


def _describe(numbers, words, tasks):
    """Return what the loss is linear in; all shapes are alike but for the last axis."""
    both = np.concatenate([numbers, words], axis=-1)
    products = tasks[..., :, np.newaxis] * both[..., np.newaxis, :]
    products = products.reshape(*both.shape[:-1], -1)
    return np.concatenate([numbers, numbers**2, words, products], axis=-1)


def mean_loss(coefficients, design, surrogate, words, weights, low, high):
    """Return the mean loss of hyperparameters that are linear in properties of tasks.

    Parameters
    ----------
    coefficients : ndarray of shape (n_terms, n_numbers)
    design : ndarray of shape (n_tasks, n_terms)
        Of the tasks that the surrogate knows.
    surrogate : LossSurrogate
    words : ndarray of shape (n_words,)
    weights : ndarray of shape (n_tasks,)
        They sum to 1.
    low, high : ndarray of shape (n_numbers,)
        Range that numbers are moved into; the square of how far adds to the loss.

    Returns
    -------
    loss : float
    slopes : ndarray of shape (n_terms, n_numbers)
        By the coefficients.
    """
    numbers = design @ coefficients
    inside = np.clip(numbers, low, high)
    beyond = numbers - inside
    loss, slopes = surrogate.predict(inside, words)
    loss = loss + _WALL * (beyond**2).sum(axis=1)
    slopes = np.where(beyond == 0, slopes, 2 * _WALL * beyond)
    return float(weights @ loss), design.T @ (weights[:, np.newaxis] * slopes)


def find_coefficients(start, sparsity, *objective):
    """Minimize `mean_loss` and a penalty on the absolute value of all but constants.

    Parameters
    ----------
    start : ndarray of shape (n_terms, n_numbers)
        Coefficients to begin with; the first row are constants.
    sparsity : float
        The penalty.
    *objective
        What `mean_loss` takes besides coefficients.

    Returns
    -------
    loss : float
        With the penalty.
    coefficients : ndarray of shape (n_terms, n_numbers)
        Many are 0.
    """
    penalty = np.full(start.shape, sparsity)
    penalty[0] = 0.0

    # Of the positive and the negative part of each number one is at its bound, 0. So
    # absolute values are smooth, and unimportant numbers are exactly 0.
    def evaluate(parts):
        positive, negative = parts.reshape(2, *start.shape)
        loss, slopes = mean_loss(positive - negative, *objective)
        loss += (penalty * (positive + negative)).sum()
        return loss, np.concatenate([penalty + slopes, penalty - slopes]).ravel()

    found = minimize(
        evaluate,
        np.maximum([start, -start], 0.0).ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * start.size),
    )
    positive, negative = found.x.reshape(2, *start.shape)
    return float(found.fun), positive - negative
