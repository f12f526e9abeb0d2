"""Small neural networks that rank configurations for a task."""

import numpy as np
from scipy.special import expit

from skmeta.recommendation._similar_tasks import SimilarTasksRecommender

# Tasks of a step, and configurations that are compared in it.
_BATCH, _N_COMPARED = 32, 32
_LEARNING_RATE = 3e-3
_DECAYS = 0.9, 0.999  # of the means of gradients and their squares
_STANDARDIZED = 3.0  # meta-features are cut off there


class NeuralRecommender(SimilarTasksRecommender):
    """What small neural networks, which compare configurations in pairs, rank first.

    A network maps the meta-features of a task and what a configuration is, its learner
    and hyperparameters, to a number. It learns that of two configurations the one that
    did better on a known task has the greater one [1]_, the more so the more it was
    better. Each of several networks has other families to know when to stop by, and
    what they differ in is the doubt [2]_: after the first pick, the next one is what
    may, in the eyes of most, gain most over those before.

    Once a few configurations have been tried, what they scored decides as in
    `SimilarTasksRecommender`.

    Parameters
    ----------
    n_networks : int, default=6
        How many networks.
    n_hidden : int, default=32
        Units of each of two hidden layers.
    n_epochs : int, default=60
        Most passes over the known tasks.
    patience : int, default=8
        Passes without gain on the families left out before one stops.
    penalty : float, default=1e-3
        What weights shrink by, as a part of the step.
    adapts_after : int or None, default=4
        How many configurations are tried before observed scores decide.
    noise : float, default=0.05
        Of an observed score, as in `SimilarTasksRecommender`.
    random_state : int, default=0
        Seeds the networks.

    References
    ----------
    .. [1] C. Burges et al., "Learning to Rank using Gradient Descent", ICML 2005.
    .. [2] B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and Scalable Predictive
       Uncertainty Estimation using Deep Ensembles", NeurIPS 2017.
    """

    def __init__(
        self,
        n_networks=6,
        n_hidden=32,
        n_epochs=60,
        patience=8,
        penalty=1e-3,
        adapts_after=4,
        noise=0.05,
        random_state=0,
    ):
        super().__init__(
            adapts_after=adapts_after, noise=noise, random_state=random_state
        )
        self.n_networks = n_networks
        self.n_hidden = n_hidden
        self.n_epochs = n_epochs
        self.patience = patience
        self.penalty = penalty

    def learn(self, meta_features):
        super().learn(meta_features)
        tasks = self._place(self._space.points)
        described = describe_configurations(self.configurations_)
        rng = np.random.default_rng(self.random_state)
        _, family = np.unique(self.tasks_["family"], return_inverse=True)
        group = rng.permutation(family.max() + 1)[family] % self.n_networks
        self._networks = []
        for number in range(self.n_networks):
            network = Network(tasks.shape[1], described.shape[1], self.n_hidden, rng)
            rest = group != number
            if rest.all() or not rest.any():
                rest = np.ones(len(tasks), dtype=bool)
            network.learn(
                (tasks[rest], self.loss_[rest], self.task_weights_[rest]),
                (tasks[~rest], self.loss_[~rest], self.task_weights_[~rest]),
                described,
                self.n_epochs,
                self.patience,
                self.penalty,
                rng,
            )
            self._networks.append(network)
        self._described = described

    def _place(self, points):
        placed = np.nan_to_num(self._space.standardize(points))
        return np.clip(placed, -_STANDARDIZED, _STANDARDIZED)

    def rank(self, meta_features):
        """Say what each network thinks of each configuration.

        Parameters
        ----------
        meta_features : mapping of str to float
            Of the task.

        Returns
        -------
        values : ndarray of shape (n_networks, n_configurations)
            Greater is better; each network's have mean 0 and deviation 1.
        """
        point = self._place(self._space.locate(meta_features))[np.newaxis]
        values = np.array(
            [network.predict(point, self._described)[0] for network in self._networks]
        )
        values -= values.mean(axis=1, keepdims=True)
        return values / np.maximum(values.std(axis=1, keepdims=True), 1e-12)

    def weigh(self, meta_features):
        weights, fell_back, reason = super().weigh(meta_features)
        if not fell_back:
            reason = f"{self.n_networks} networks rank them. {reason}"
        return weights, fell_back, reason

    def order(self, task, size):
        point = self._space.locate(task.meta_features)
        is_far = self._space.find_unusual(point) is not None
        if is_far or self._is_observed(task):
            return super().order(task, size)
        values = self.rank(task.meta_features)
        seconds = np.ones(values.shape[1]) if task.seconds is None else task.seconds
        # Gains are over the least that a network has for any, until some are picked.
        best = values[:, task.tried].max(axis=1, initial=values.min())
        order = []
        left = np.ones(values.shape[1], dtype=bool)
        left[task.tried] = False
        for _ in range(min(size, left.sum())):
            gain = np.maximum(values - best[:, np.newaxis], 0.0).mean(axis=0)
            # Where nobody expects a gain any more, what most think best.
            gain = (gain + 1e-3 * (values.mean(axis=0) - values.min())) / seconds
            chosen = int(np.where(left, gain, -np.inf).argmax())
            order.append(chosen)
            left[chosen] = False
            best = np.maximum(best, values[:, chosen])
        return order


def describe_configurations(configurations):
    """Return what tells configurations apart, as numbers.

    Parameters
    ----------
    configurations : sequence of Configuration

    Returns
    -------
    described : ndarray of shape (n_configurations, n_properties)
        Indicators of learners and of hyperparameters that are no numbers, and numbers
        standardized over the configurations that have them (elsewhere 0); on a
        logarithmic scale where all are positive.
    """
    rows = [{"learner": c.learner} | dict(c.hyperparameters) for c in configurations]
    columns = []
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        is_number = np.array(
            [isinstance(v, (int, float)) and not isinstance(v, bool) for v in values]
        )
        numbers = np.array(
            [v if ok else np.nan for v, ok in zip(values, is_number, strict=True)],
            dtype=np.float64,
        )
        if is_number.any():
            if np.nanmin(numbers) > 0:
                numbers = np.log(numbers)
            spread = np.nanstd(numbers)
            centered = (numbers - np.nanmean(numbers)) / (spread or 1.0)
            columns.append(np.nan_to_num(centered))
        others = [str(v) for v, ok in zip(values, is_number, strict=True) if not ok]
        texts = np.where(is_number, "", [str(value) for value in values])
        columns.extend((texts == each).astype(float) for each in sorted(set(others)))
    described = np.column_stack(columns)
    return described[:, np.ptp(described, axis=0) > 0]


class Network:
    """Two hidden layers over a task and a configuration; one number.

    Parameters
    ----------
    n_task, n_configuration : int
        Numbers that describe them.
    n_hidden : int
        Units of a layer.
    rng : Generator
        Draws the first weights.
    """

    def __init__(self, n_task, n_configuration, n_hidden, rng):
        def draw(n_inputs, n_outputs):
            return rng.normal(0.0, np.sqrt(2 / n_inputs), (n_inputs, n_outputs))

        n_inputs = n_task + n_configuration
        first = draw(n_inputs, n_hidden)
        self.weights = [
            first[:n_task],
            first[n_task:],
            np.zeros(n_hidden),
            draw(n_hidden, n_hidden),
            np.zeros(n_hidden),
            draw(n_hidden, 1)[:, 0],
        ]

    def predict(self, tasks, described):
        """Return a number for each task and configuration.

        Parameters
        ----------
        tasks : ndarray of shape (n_tasks, n_task)
        described : ndarray of shape (n_configurations, n_configuration)

        Returns
        -------
        values : ndarray of shape (n_tasks, n_configurations)
            Greater is better.
        """
        return self._forward(tasks, described)[0]

    def _forward(self, tasks, described):
        of_task, of_configuration, offset, second, second_offset, last = self.weights
        first = (tasks @ of_task)[:, np.newaxis] + (described @ of_configuration)
        first = np.maximum(first + offset, 0.0)
        hidden = np.maximum(first @ second + second_offset, 0.0)
        return hidden @ last, first, hidden

    def _gradients(self, tasks, described, slopes, first, hidden):
        """Return the gradient by each weight, given that by each value."""
        second, last = self.weights[3], self.weights[5]
        of_last = np.einsum("tc,tch->h", slopes, hidden)
        inner = slopes[:, :, np.newaxis] * last * (hidden > 0)
        of_second = np.einsum("tch,tck->hk", first, inner)
        outer = (inner @ second.T) * (first > 0)
        return [
            tasks.T @ outer.sum(axis=1),
            described.T @ outer.sum(axis=0),
            outer.sum(axis=(0, 1)),
            of_second,
            inner.sum(axis=(0, 1)),
            of_last,
        ]

    def learn(self, known, held_out, described, n_epochs, patience, penalty, rng):
        """Minimize the loss by Adam, until that on tasks held out is least."""
        means = [np.zeros_like(each) for each in self.weights]
        squares = [np.zeros_like(each) for each in self.weights]
        tasks, losses, shares = known
        judged = held_out if len(held_out[0]) else known
        compared = rng.permutation(len(described))[:_N_COMPARED]
        best, kept, n_steps, since = np.inf, self.weights, 0, 0
        for _ in range(n_epochs):
            for rows in np.array_split(
                rng.permutation(len(tasks)), max(1, len(tasks) // _BATCH)
            ):
                chosen = rng.permutation(len(described))[:_N_COMPARED]
                batch = tasks[rows], described[chosen]
                values, first, hidden = self._forward(*batch)
                some = losses[np.ix_(rows, chosen)]
                slopes = pairwise_slopes(values, some, shares[rows])
                gradients = self._gradients(*batch, slopes, first, hidden)
                n_steps += 1
                self.weights = [
                    _step(*each, n_steps, penalty)
                    for each in zip(
                        self.weights, gradients, means, squares, strict=True
                    )
                ]
            values = self.predict(judged[0], described[compared])
            loss = pairwise_loss(values, judged[1][:, compared], judged[2])
            since += 1
            if loss < best:
                best, kept, since = loss, self.weights, 0
            if since >= patience:
                break
        self.weights = kept


def pairwise_loss(values, losses, shares):
    """Say how badly values rank configurations.

    Parameters
    ----------
    values : ndarray of shape (n_tasks, n_configurations)
        Greater is to be better.
    losses : ndarray of shape (n_tasks, n_configurations)
        Known ones, from 0 to 1.
    shares : ndarray of shape (n_tasks,)
        How much each task counts.

    Returns
    -------
    loss : float
        Mean over pairs of the logistic loss of the difference of their values, by the
        difference of their losses.
    """
    ahead, apart = _compare(values, losses, shares)
    return float((apart * np.logaddexp(0.0, -ahead)).sum())


def pairwise_slopes(values, losses, shares):
    """Return the slope of `pairwise_loss` by each value.

    Parameters
    ----------
    values, losses, shares
        Of `pairwise_loss`.

    Returns
    -------
    slopes : ndarray of shape (n_tasks, n_configurations)
    """
    ahead, apart = _compare(values, losses, shares)
    push = -apart * expit(-ahead)
    return push.sum(axis=2) - push.sum(axis=1)


def _compare(values, losses, shares):
    """Return by how much the first of two is ahead, and how much better it was."""
    apart = np.maximum(losses[:, np.newaxis] - losses[:, :, np.newaxis], 0.0)
    apart *= (shares / shares.sum())[:, np.newaxis, np.newaxis]
    total = apart.sum()
    ahead = values[:, :, np.newaxis] - values[:, np.newaxis]
    return ahead, apart / (total if total > 0 else 1.0)


def _step(weights, gradient, mean, square, n_steps, penalty):
    """Return weights after a step of Adam with decoupled decay; update the means."""
    mean *= _DECAYS[0]
    mean += (1 - _DECAYS[0]) * gradient
    square *= _DECAYS[1]
    square += (1 - _DECAYS[1]) * gradient**2
    step = mean / (1 - _DECAYS[0] ** n_steps)
    step = step / (np.sqrt(square / (1 - _DECAYS[1] ** n_steps)) + 1e-8)
    return weights - _LEARNING_RATE * (step + penalty * weights)
