import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesRegressor

from skmeta.recommendation._portfolio import greedy_portfolio
from skmeta.recommendation._posterior import (
    condition,
    gaussian_prior,
    improvement_order,
)
from skmeta.recommendation._recommender import Recommender
from skmeta.recommendation._scale import from_normal, to_normal, without_outliers
from skmeta.recommendation._task_space import TaskSpace

_N_DIRECTIONS = 8

# With a time budget, gains are divided by seconds to these powers. By full seconds a
# candidate that takes ten times longer waits until nothing cheap promises a tenth of
# its gain, and most budgets end before (docs/benchmarks.md has what that costs).
_GREEDY_POWER = 0.5
_IMPROVEMENT_POWER = 0.25


class SimilarTasksRecommender(Recommender):
    """A greedy portfolio over similar tasks, then what is expected of the rest.

    Two tasks are similar when the trees of a forest, which learns from
    meta-features which configurations do well, put them into one leaf [1]_.
    The weights are blended with equal ones, more so from pick to pick, since
    after a few picks it is breadth that helps. A task far from all that are
    known gets equal weights, and its recommendation says so.

    Once a few configurations have been tried, a normal distribution over the
    scores of all of them, with the weighted mean and covariance of the known
    tasks, is conditioned on what they scored, and the expected improvement [2]_
    decides. With a time budget, greedy gains are divided by the square root of the
    predicted seconds, and improvements by the fourth root.

    Parameters
    ----------
    n_estimators : int, default=50
        Number of trees. With twice as many regret is the same
        (`benchmarks/recommendation.py`), and the first recommendation takes longer.
    min_samples_leaf : int, default=5
        Fewest known tasks in a leaf.
    blend : float, default=0.8
        Share of the similarity in the weights at the first pick, 0 to 1.
    decay : float, default=0.95
        What that share is multiplied by at each further pick, 0 to 1.
    adapts_after : int or None, default=4
        How many configurations are tried before observed scores decide; None is
        never.
    noise : float, default=0.05
        Variance of an observed score, as a part of the variance that the scores
        of a configuration have over tasks.
    random_state : int, default=0
        Seeds the trees.

    References
    ----------
    .. [1] L. Breiman, "Random Forests", Machine Learning 45, 2001 (proximities).
    .. [2] D. R. Jones, M. Schonlau, W. J. Welch, "Efficient Global Optimization of
       Expensive Black-Box Functions", Journal of Global Optimization 13, 1998.

    Examples
    --------
    >>> from skmeta import MetaFeatureExtractor, load_knowledge
    >>> from skmeta.recommendation import SimilarTasksRecommender
    >>> from sklearn.datasets import load_iris
    >>> extractor = MetaFeatureExtractor(level="full")
    >>> extractor = extractor.fit(*load_iris(return_X_y=True))
    >>> names = extractor.get_feature_names_out()
    >>> meta_features = dict(zip(names, extractor.meta_features_))
    >>> knowledge = load_knowledge().without(["iris"])
    >>> recommender = SimilarTasksRecommender().fit(knowledge, "balanced_accuracy")
    >>> recommendation = recommender.recommend(meta_features, n_configurations=3)
    >>> len(recommendation.configurations)
    3
    """

    def __init__(
        self,
        n_estimators=50,
        min_samples_leaf=5,
        blend=0.8,
        decay=0.95,
        adapts_after=4,
        noise=0.05,
        random_state=0,
    ):
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.blend = blend
        self.decay = decay
        self.adapts_after = adapts_after
        self.noise = noise
        self.random_state = random_state

    def learn(self, meta_features):
        self._space = TaskSpace(meta_features, self.tasks_["family"].to_numpy())
        self._forest = self._make_forest().fit(
            self._space.points,
            _main_directions(self.scores_),
            sample_weight=self.task_weights_,
        )
        self._leaves = self._forest.apply(self._space.points)
        self._values = without_outliers(to_normal(self.scores_, self.metric_))

    def _make_forest(self):
        return ExtraTreesRegressor(
            self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
            n_jobs=1,
        )

    def weigh(self, meta_features):
        point = self._space.locate(meta_features)
        unusual = self._space.find_unusual(point)
        if unusual is not None:
            reason = (
                f"Nothing similar is known ({unusual} is the most unusual), so all "
                f"{len(self.tasks_)} known tasks count alike."
            )
            return self.task_weights_, True, reason
        similarity = self._similarity(point)
        order = np.argsort(-similarity, kind="stable")[:3]
        similar = ", ".join(self.tasks_.index[order])
        weights = self.blend * similarity + (1 - self.blend) * self.task_weights_
        return weights, False, f"The most similar known tasks are {similar}."

    def _similarity(self, point):
        """Return how often each known task shares a leaf with this one; sums to 1.

        Each tree shares one vote among the tasks in the leaf, so that a leaf full
        of tasks says less of each of them.
        """
        # The forest itself would spend ten times longer on dispatching one row.
        row = point[np.newaxis].astype(np.float32)
        leaves = [tree.tree_.apply(row)[0] for tree in self._forest.estimators_]
        shared = (self._leaves == leaves) * self.task_weights_[:, np.newaxis]
        return (shared / shared.sum(axis=0)).mean(axis=1)

    def attribute(self, meta_features, values):
        """Say which meta-features made the weights what they are.

        A tree gives each known task in the leaf of the new one its share. On the way
        down to there, each split changes the mean of the values over the tasks that
        are left; the change is that of the meta-feature which splits [1]_.

        Parameters
        ----------
        meta_features : mapping of str to float
            Of the new task.
        values : ndarray of shape (n_tasks,)
            A number for each known task, such as the score of a configuration.

        Returns
        -------
        contributions : Series
            By meta-feature: what it adds to the mean of the values, weighted as by
            `weigh`. They sum to its difference from that with all tasks alike.

        References
        ----------
        .. [1] A. Palczewska, J. Palczewski, R. M. Robinson, D. Neagu, "Interpreting
           random forest classification models using a feature contribution method",
           2014.
        """
        names = self._space.names
        point = self._space.locate(meta_features)
        if self._space.find_unusual(point) is not None:
            return super().attribute(meta_features, values)
        passes, first_nodes = self._forest.decision_path(self._space.points)
        weights = self.task_weights_
        means = passes.T @ (weights * values) / (passes.T @ weights)
        path = self._forest.decision_path(point[np.newaxis])[0].indices
        # Nodes of a tree are numbered downwards, trees one after the other.
        is_step = ~np.isin(path[1:], first_nodes)
        splits_on = np.concatenate([t.tree_.feature for t in self._forest.estimators_])
        total = np.bincount(
            splits_on[path[:-1]][is_step],
            weights=np.diff(means[path])[is_step],
            minlength=len(names),
        )
        return pd.Series(self.blend * total / len(self._forest.estimators_), names)

    def order(self, task, size):
        if self._is_observed(task):
            return self._by_improvement(task, size, ~np.isnan(task.scores))
        return greedy_portfolio(
            self.loss_,
            size,
            self._blended(task, np.arange(size) + len(task.tried)),
            None if task.seconds is None else task.seconds**_GREEDY_POWER,
            tried=task.tried,
        )

    def _is_observed(self, task):
        """Say whether enough was tried for that to decide."""
        if self.adapts_after is None or len(task.tried) < self.adapts_after:
            return False
        return not np.isnan(task.scores).all()

    def _blended(self, task, picks):
        """Return task weights for each pick, closer to equal ones for later ones."""
        share = self.decay ** picks[:, np.newaxis]
        return share * task.weights + (1 - share) * self.task_weights_

    def expect(self, task):
        succeeded = ~np.isnan(task.scores)
        if not succeeded.any():
            return super().expect(task)
        mean, _, _ = self._posterior(task, succeeded)
        return from_normal(mean, self.metric_)

    def _by_improvement(self, task, size, succeeded):
        mean, covariance, noise = self._posterior(task, succeeded)
        return improvement_order(
            mean,
            covariance,
            task.tried[succeeded],
            # What failed is not tried again, whatever is expected of it.
            min(size + (~succeeded).sum(), len(mean) - succeeded.sum()),
            noise=noise,
            seconds=task.seconds,
            power=_IMPROVEMENT_POWER,
        )

    def _posterior(self, task, succeeded):
        """Return mean and covariance given what was observed, and its variance."""
        weights = self._blended(task, np.array([len(task.tried)]))[0]
        mean, covariance = gaussian_prior(self._values, weights)
        noise = self.noise * covariance.diagonal().mean()
        observed = to_normal(task.scores[succeeded], self.metric_)
        mean, covariance = condition(
            mean, covariance, task.tried[succeeded], observed, noise
        )
        return mean, covariance, noise


def _main_directions(scores):
    """Return what tells tasks apart: in which order configurations do well on them.

    Ranks do not depend on how hard a task is. Their first principal components
    hold what tasks have in common; the rest is noise and half of the time.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_configurations)
        NaN, which is the worst, where there is none.

    Returns
    -------
    directions : ndarray of shape (n_tasks,) or (n_tasks, n_components)
        Never a single column, of which scikit-learn warns.
    """
    ranks = rankdata(np.where(np.isnan(scores), -np.inf, scores), axis=1)
    centered = (ranks - ranks.mean(axis=0)) / scores.shape[1]
    left, lengths, _ = np.linalg.svd(centered, full_matrices=False)
    directions = left[:, :_N_DIRECTIONS] * lengths[:_N_DIRECTIONS]
    return directions[:, 0] if directions.shape[1] == 1 else directions
