"""Recommenders that the default one is measured against."""

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor

from skmeta.recommendation._portfolio import greedy_portfolio
from skmeta.recommendation._recommender import Recommender
from skmeta.recommendation._task_space import TaskSpace


class RandomRecommender(Recommender):
    """Any order: the control that every other recommender has to beat.

    Parameters
    ----------
    random_state : int, default=0
        Seeds the order.
    """

    def __init__(self, random_state=0):
        self.random_state = random_state

    def order(self, task, size):
        rng = np.random.default_rng(self.random_state)
        return rng.permutation(len(self.configurations_))


class AverageRecommender(Recommender):
    """The best on average first, the same for every task."""

    def order(self, task, size):
        return best_first(task.weights @ self.loss_, task.seconds)

    def _seconds_for_order(self, expected_seconds):
        return self._average_seconds()


class PortfolioRecommender(Recommender):
    """The same order for every task: a greedy portfolio over all that is known [1]_.

    See Also
    --------
    greedy_portfolio : How the order is found.

    References
    ----------
    .. [1] M. Feurer, K. Eggensperger, S. Falkner, M. Lindauer, F. Hutter,
       "Auto-Sklearn 2.0: Hands-free AutoML via Meta-Learning", JMLR 23, 2022.
    """

    def order(self, task, size):
        return greedy_portfolio(
            self.loss_, size, task.weights, task.seconds, tried=task.tried
        )

    def _seconds_for_order(self, expected_seconds):
        return self._average_seconds()


class NearestTasksRecommender(Recommender):
    """The best on average over the nearest known tasks first [1]_.

    Parameters
    ----------
    n_tasks : int, default=25
        Number of nearest tasks that count.

    References
    ----------
    .. [1] M. Feurer, J. T. Springenberg, F. Hutter, "Initializing Bayesian
       Hyperparameter Optimization via Meta-Learning", AAAI 2015.
    """

    def __init__(self, n_tasks=25):
        self.n_tasks = n_tasks

    def learn(self, meta_features):
        self._space = TaskSpace(meta_features, self.tasks_["family"].to_numpy())

    def weigh(self, meta_features):
        point = self._space.locate(meta_features)
        if not np.isfinite(point).all():
            return super().weigh(meta_features)
        distances = self._space.distances(point)
        nearest = np.argsort(distances, kind="stable")[: self.n_tasks]
        weights = np.zeros(len(distances))
        weights[nearest] = self.task_weights_[nearest]
        names = ", ".join(self.tasks_.index[nearest[:3]])
        return weights / weights.sum(), False, f"The nearest known tasks are {names}."

    def order(self, task, size):
        return best_first(task.weights @ self.loss_, task.seconds)


class SurrogateRecommender(Recommender):
    """What a regressor, which learns from meta-features, thinks best first.

    Parameters
    ----------
    regressor : regressor, default=None
        Predicts the losses of all configurations at once from meta-features, so
        it must take several targets. None is a random forest of 100 trees.
    random_state : int, default=0
        Seeds the forest.
    """

    def __init__(self, regressor=None, random_state=0):
        self.regressor = regressor
        self.random_state = random_state

    def learn(self, meta_features):
        self._space = TaskSpace(meta_features, self.tasks_["family"].to_numpy())
        regressor = self.regressor
        if regressor is None:
            regressor = RandomForestRegressor(
                min_samples_leaf=3, max_features=0.5, random_state=self.random_state
            )
        self.regressor_ = clone(regressor).fit(self._space.points, self.loss_)

    def order(self, task, size):
        point = self._space.locate(task.meta_features)
        if not np.isfinite(point).all():
            return best_first(task.weights @ self.loss_, task.seconds)
        return best_first(self.regressor_.predict(point[np.newaxis])[0], task.seconds)


def best_first(loss, seconds=None):
    """Order configurations by a loss, or by what they gain per second.

    Parameters
    ----------
    loss : ndarray of shape (n_configurations,)
        From 0 to 1.
    seconds : ndarray of shape (n_configurations,), default=None
        What each takes.

    Returns
    -------
    order : ndarray of int of shape (n_configurations,)
    """
    gain = 1 - loss if seconds is None else (1 - loss) / seconds
    return np.argsort(-np.round(gain, 12), kind="stable")
