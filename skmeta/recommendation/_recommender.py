from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.utils.validation import check_is_fitted

from skmeta.exceptions import KnowledgeError
from skmeta.recommendation._portfolio import greedy_portfolio, portfolio_loss


@dataclass(frozen=True, eq=False)
class Recommendation:
    """Configurations in the order to try them, and why.

    Parameters
    ----------
    configurations : tuple of Configuration
        The first one is the one to try first.
    expected_scores : ndarray of shape (n_configurations,)
        Mean of their scores on the known tasks, weighted by `task_weights`. NaN
        where they have none on any task that counts.
    task_weights : Series
        How much each known task counted, by task name; the greatest first. They
        sum to 1.
    metric : str
        Stored metric that the order maximizes.
    recommender : str
        Class of the recommender.
    fell_back : bool
        Whether nothing similar is known, so that all known tasks counted alike.
    reason : str
        What the order rests on, in a sentence.
    """

    configurations: tuple
    expected_scores: np.ndarray
    task_weights: pd.Series
    metric: str
    recommender: str
    fell_back: bool = False
    reason: str = ""

    def first(self, n_configurations):
        """Return a recommendation of only the first few configurations.

        Parameters
        ----------
        n_configurations : int
            How many.

        Returns
        -------
        recommendation : Recommendation
        """
        return replace(
            self,
            configurations=self.configurations[:n_configurations],
            expected_scores=self.expected_scores[:n_configurations],
        )

    def to_frame(self):
        """Return the configurations as a DataFrame, a row for each.

        Returns
        -------
        frame : DataFrame
            With the columns ``learner``, ``hyperparameters`` and
            ``expected_score``.
        """
        return pd.DataFrame(
            {
                "learner": [c.learner for c in self.configurations],
                "hyperparameters": [
                    dict(c.hyperparameters) for c in self.configurations
                ],
                "expected_score": self.expected_scores,
            },
            index=pd.RangeIndex(1, len(self.configurations) + 1, name="order"),
        )

    def __str__(self):
        lines = [f"Recommended by {self.recommender} for {self.metric}. {self.reason}"]
        width = max((len(c.learner) for c in self.configurations), default=0)
        for order, (configuration, expected) in enumerate(
            zip(self.configurations, self.expected_scores, strict=True), start=1
        ):
            values = ", ".join(
                f"{name}={_shorten(value)}"
                for name, value in configuration.hyperparameters.items()
            )
            line = (
                f"{order:3d}. {configuration.learner:<{width}s}  "
                f"expected {expected:7.3f}  {values}"
            )
            lines.append(line.rstrip())
        return "\n".join(lines)


def _shorten(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# Regret from which on a configuration is not tried for its sake. A quarter is much
# for scores between 0 and 1; log loss has no such bound.
_CAP = 0.25
_CAPS = {"neg_log_loss": 1.0}


class Recommender(BaseEstimator, ABC):
    """Base class of recommenders: one method turns knowledge into an order.

    A subclass implements `_order`, and may override `_learn` and `_weigh`;
    everything it needs is in the attributes that `fit` sets. Tasks without a score
    by the metric are left out, and so are configurations that have one on no task.

    Attributes
    ----------
    metric_ : str
        Stored metric to maximize.
    tasks_ : DataFrame
        The known tasks, indexed by name.
    configurations_ : tuple of Configuration
        What may be recommended.
    scores_, loss_ : ndarray of shape (n_tasks, n_configurations)
        Scores, NaN where there is none, and what `portfolio_loss` makes of them.
    seconds_ : ndarray of shape (n_tasks, n_configurations)
        To fit and predict one fold; NaN where not known.
    task_weights_ : ndarray of shape (n_tasks,)
        Every family the same, shared among its tasks; they sum to 1.
    """

    def fit(self, knowledge, metric="accuracy"):
        """Learn from a knowledge base.

        Parameters
        ----------
        knowledge : KnowledgeBase
            What is known.
        metric : str, default="accuracy"
            Stored metric to maximize.

        Returns
        -------
        self

        Raises
        ------
        KnowledgeError
            If no task has a score by this metric.
        ValueError
            If the metric is not stored.
        """
        scores = knowledge.scores(metric)
        is_scored = scores.notna().to_numpy()
        tasks, configurations = is_scored.any(axis=1), is_scored.any(axis=0)
        if not is_scored.any():
            raise KnowledgeError(
                f"The knowledge base must hold at least one task with scores by "
                f"{metric!r} to recommend from, got: {knowledge!r}."
            )
        seconds = knowledge.fit_seconds + knowledge.predict_seconds
        self.metric_ = metric
        self.tasks_ = knowledge.tasks.loc[tasks]
        self.configurations_ = tuple(
            compress(knowledge.configuration_values, configurations)
        )
        self.scores_ = scores.loc[tasks, configurations].to_numpy()
        self.loss_ = portfolio_loss(self.scores_, _CAPS.get(metric, _CAP))
        self.seconds_ = seconds.loc[tasks, configurations].to_numpy(np.float64)
        self.task_weights_ = _share_within_families(self.tasks_["family"])
        self._learn(knowledge.meta_features.loc[tasks])
        return self

    def recommend(self, meta_features, n_configurations=None, per_second=False):
        """Put configurations in order for a task.

        Parameters
        ----------
        meta_features : mapping of str to float
            Meta-features of the task, such as the Series
            ``MetaLearnerClassifier.meta_features_``. Not looked at by recommenders
            that treat every task alike.
        n_configurations : int, default=None
            How many, or all if there are fewer; None gives all.
        per_second : bool, default=False
            Prefer what gains much per second it takes, for a time budget.

        Returns
        -------
        recommendation : Recommendation

        Raises
        ------
        ValueError
            If a meta-feature that tasks are compared by is not given.
        """
        check_is_fitted(self)
        n_known = len(self.configurations_)
        size = n_known if n_configurations is None else min(n_configurations, n_known)
        weights, fell_back, reason = self._weigh(meta_features)
        seconds = self._typical_seconds(weights) if per_second else None
        order = self._order(weights, size, seconds)
        named_weights = pd.Series(weights, index=self.tasks_.index, name="weight")
        return Recommendation(
            configurations=tuple(self.configurations_[i] for i in order),
            expected_scores=_weighted_means(self.scores_, weights)[order],
            task_weights=named_weights.sort_values(ascending=False, kind="stable"),
            metric=self.metric_,
            recommender=type(self).__name__,
            fell_back=fell_back,
            reason=reason,
        )

    def _learn(self, meta_features):
        """Prepare what `_weigh` and `_order` need; nothing by default."""

    def _weigh(self, meta_features):
        """Return weights of the known tasks, whether that is a fallback, and why."""
        n_families = self.tasks_["family"].nunique()
        reason = f"All {len(self.tasks_)} known tasks ({n_families} families) count."
        return self.task_weights_, False, reason

    @abstractmethod
    def _order(self, weights, size, seconds):
        """Return the positions of `size` configurations in the order to try them."""

    def _typical_seconds(self, weights):
        """Return what a fold of each configuration takes on the tasks that count.

        A tenth of a second is added, about what a candidate costs besides. What
        has no known seconds is taken for as slow as the slowest.
        """
        typical = _weighted_means(self.seconds_, weights)
        slowest = np.nanmax(typical, initial=0.0)
        return 0.1 + np.where(np.isnan(typical), slowest, typical)


class RandomRecommender(Recommender):
    """Any order: the control that every other recommender has to beat.

    Parameters
    ----------
    random_state : int, default=0
        Seeds the order.
    """

    def __init__(self, random_state=0):
        self.random_state = random_state

    def _order(self, weights, size, seconds):
        rng = np.random.default_rng(self.random_state)
        return rng.permutation(len(self.configurations_))[:size]


class PortfolioRecommender(Recommender):
    """The same order for every task: a greedy portfolio over all that is known.

    See Also
    --------
    greedy_portfolio : How the order is found.
    """

    def _order(self, weights, size, seconds):
        return greedy_portfolio(self.loss_, size, weights, seconds)


# What tasks are compared by, and whether on a logarithmic scale: cheap, and
# few, since with a few hundred tasks every further one makes noise.
_COMPARED = {
    "nr_inst": True,
    "nr_attr": True,
    "nr_class": True,
    "attr_to_inst": True,
    "class_ent": False,
    "freq_class.min": True,
    "skewness.mean": True,
    "kurtosis.mean": True,
    "pct_num": False,
    "symbols.sum": True,
    "pct_missing": True,
    "can_cor.max": False,
}


class SimilarTasksRecommender(Recommender):
    """A greedy portfolio over known tasks weighted by their similarity to this one.

    Two tasks are similar when the trees of a forest, which learns from
    meta-features how well each configuration does, put them into one leaf [1]_.
    The weights are blended with equal ones, more so from pick to pick, since
    after a few picks it is breadth that helps. A task far from all that are
    known gets equal weights, and its recommendation says so.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    min_samples_leaf : int, default=5
        Fewest known tasks in a leaf.
    blend : float, default=0.8
        Share of the similarity in the weights at the first pick, 0 to 1.
    decay : float, default=0.95
        What that share is multiplied by at each further pick, 0 to 1.
    random_state : int, default=0
        Seeds the trees.

    Attributes
    ----------
    compared_ : list of str
        Names of the meta-features that tasks are compared by.

    Notes
    -----
    Tasks are compared by those of a dozen cheap meta-features that the knowledge
    base holds, on a logarithmic scale where they are skewed. The distance of two
    tasks is the root mean square of their differences, each in units of the range
    that eight tenths of the known tasks lie in. A task is far from all that are
    known when its distance to the nearest one is greater than that of all but one
    in a hundred known tasks to their nearest one of another family.

    References
    ----------
    .. [1] L. Breiman, "Random Forests", Machine Learning 45, 2001 (proximities).

    Examples
    --------
    >>> from skmeta import MetaFeatureExtractor, load_knowledge
    >>> from skmeta.recommendation import SimilarTasksRecommender
    >>> from sklearn.datasets import load_iris
    >>> extractor = MetaFeatureExtractor().fit(*load_iris(return_X_y=True))
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
        n_estimators=100,
        min_samples_leaf=5,
        blend=0.8,
        decay=0.95,
        random_state=0,
    ):
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.blend = blend
        self.decay = decay
        self.random_state = random_state

    def _learn(self, meta_features):
        self.compared_ = [name for name in _COMPARED if name in meta_features.columns]
        if not self.compared_:
            raise KnowledgeError(
                f"The knowledge base must hold at least one of the meta-features "
                f"{list(_COMPARED)}, got: {list(meta_features.columns)}."
            )
        values = self._to_row(meta_features)
        # scikit-learn warns of a single column.
        is_single = self.loss_.shape[1] == 1
        loss = self.loss_[:, 0] if is_single else self.loss_
        self._forest = ExtraTreesRegressor(
            self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
            n_jobs=1,
        ).fit(values, loss, sample_weight=self.task_weights_)
        self._leaves = self._forest.apply(values)
        low, self._center, high = np.percentile(values, [10, 50, 90], axis=0)
        self._width = np.where(high > low, high - low, 1.0)
        self._known = self._standardize(values)
        self._far = self._find_far()

    def _to_row(self, meta_features):
        """Return what tasks are compared by, of one task or, as columns, of many."""
        return np.stack(
            [
                _on_scale(name, np.asarray(meta_features[name], dtype=np.float64))
                for name in self.compared_
            ],
            axis=-1,
        )

    def _standardize(self, values):
        return (values - self._center) / self._width

    def _find_far(self):
        """Return a distance that one known task in a hundred has to its nearest.

        Tasks of its own family do not count: a new task brings no family along.
        """
        families = self.tasks_["family"].to_numpy()
        nearest = [
            self._distances(row)[families != family].min(initial=np.inf)
            for row, family in zip(self._known, families, strict=True)
        ]
        finite = np.array(nearest)[np.isfinite(nearest)]
        return np.percentile(finite, 99) if len(finite) else np.inf

    def _distances(self, row):
        return np.sqrt(((self._known - row) ** 2).mean(axis=1))

    def _weigh(self, meta_features):
        missing = [name for name in self.compared_ if name not in meta_features]
        if missing:
            raise ValueError(
                f"meta_features must hold {self.compared_}, got none named {missing}. "
                f"Extract them with MetaFeatureExtractor."
            )
        row = self._to_row(meta_features)
        unusual = self._find_unusual(row)
        if unusual is not None:
            reason = (
                f"Nothing similar is known ({unusual} is the most unusual), so all "
                f"{len(self.tasks_)} known tasks count alike."
            )
            return self.task_weights_, True, reason
        similarity = self._similarity(row)
        order = np.argsort(-similarity, kind="stable")[:3]
        similar = ", ".join(self.tasks_.index[order])
        weights = self.blend * similarity + (1 - self.blend) * self.task_weights_
        return weights, False, f"The most similar known tasks are {similar}."

    def _find_unusual(self, row):
        """Return what sets a task most apart if it is far from all, None if not."""
        if not np.isfinite(row).all():
            return self.compared_[int(np.argmin(np.isfinite(row)))]
        standardized = self._standardize(row)
        distances = self._distances(standardized)
        if distances.min() <= self._far:
            return None
        nearest = self._known[distances.argmin()]
        return self.compared_[int(np.abs(standardized - nearest).argmax())]

    def _similarity(self, row):
        """Return how often each known task shares a leaf with this one; sums to 1.

        Each tree shares one vote among the tasks in the leaf, so that a leaf full
        of tasks says less of each of them.
        """
        leaves = self._forest.apply(row[np.newaxis])
        shared = (self._leaves == leaves) * self.task_weights_[:, np.newaxis]
        return (shared / shared.sum(axis=0)).mean(axis=1)

    def _order(self, weights, size, seconds):
        share = self.decay ** np.arange(size)[:, np.newaxis]
        by_pick = share * weights + (1 - share) * self.task_weights_
        return greedy_portfolio(self.loss_, size, by_pick, seconds)


_RECOMMENDERS = {
    "similar_tasks": SimilarTasksRecommender,
    "portfolio": PortfolioRecommender,
    "random": RandomRecommender,
}


def get_recommender(recommender):
    """Return an unfitted recommender by its name, or the one given.

    Parameters
    ----------
    recommender : str or object with ``fit`` and ``recommend``
        One of ``"similar_tasks"``, ``"portfolio"`` and ``"random"``, or an
        object that follows `Recommender`.

    Returns
    -------
    recommender : object

    Raises
    ------
    ValueError
        If the name is not known, or the object has no such methods.
    """
    if isinstance(recommender, str) and recommender in _RECOMMENDERS:
        return _RECOMMENDERS[recommender]()
    is_object = not isinstance(recommender, type)
    if is_object and hasattr(recommender, "fit") and hasattr(recommender, "recommend"):
        return recommender
    raise ValueError(
        f"recommender must be one of {sorted(_RECOMMENDERS)} or have fit and "
        f"recommend, got: {recommender!r}."
    )


def _share_within_families(families):
    sizes = families.map(families.value_counts()).to_numpy(dtype=np.float64)
    return (1 / sizes) / (1 / sizes).sum()


def _weighted_means(values, weights):
    """Return weighted means of columns over the rows that have a value."""
    present = ~np.isnan(values)
    total = weights @ np.where(present, values, 0.0)
    weight = weights @ present
    return np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)


def _on_scale(name, values):
    return np.sign(values) * np.log1p(np.abs(values)) if _COMPARED[name] else values
