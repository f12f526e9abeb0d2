from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skmeta._configuration import Configuration
from skmeta.exceptions import KnowledgeError
from skmeta.recommendation._completion import complete_scores
from skmeta.recommendation._explanation import Basis
from skmeta.recommendation._portfolio import portfolio_loss
from skmeta.recommendation._recommendation import Recommendation
from skmeta.recommendation._rules import find_rules
from skmeta.recommendation._runtime import SIZES, RuntimeModel, correct_seconds

# Regret from which on a configuration is not tried for its sake. A quarter is much
# for scores between 0 and 1; log loss has no such bound.
CAP = 0.25
CAPS = {"neg_log_loss": 1.0, "neg_log_loss_calibrated": 1.0}

# Families of tables on which a configuration must have been tried.
_ENOUGH_FAMILIES = 10

# What a candidate costs besides its fits and predictions, in seconds a fold.
_OVERHEAD = 0.05


@dataclass(frozen=True)
class Observation:
    """What came of a configuration that was tried on the new task.

    Parameters
    ----------
    configuration : Configuration
        What was tried.
    score : float
        Cross-validated, by the metric of the recommender; NaN if it failed.
    seconds : float, default=nan
        To fit and predict one fold; NaN if not known.
    """

    configuration: Configuration
    score: float
    seconds: float = np.nan


@dataclass(frozen=True, eq=False)
class NewTask:
    """The task that a recommender is asked about, and what is known of it.

    Parameters
    ----------
    meta_features : mapping of str to float
        Of the task.
    weights : ndarray of shape (n_tasks,)
        How much each known task counts for it; they sum to 1.
    tried : ndarray of int of shape (n_tried,)
        Positions of the configurations that were tried, in that order.
    scores : ndarray of shape (n_tried,)
        What came of them; NaN for those that failed.
    seconds : ndarray of shape (n_configurations,) or None
        What a fold of each configuration is expected to take. None where time
        does not matter.
    """

    meta_features: Mapping
    weights: np.ndarray
    tried: np.ndarray
    scores: np.ndarray
    seconds: np.ndarray | None


class Recommender(BaseEstimator, ABC):
    """Base class of recommenders: one method turns knowledge into an order.

    A subclass implements `order`, and may override `learn` and `weigh`;
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
        Scores, NaN where the configuration failed, and what `portfolio_loss` makes of
        them. What was not tried has the score that is expected of it.
    is_tried_ : ndarray of bool of shape (n_tasks, n_configurations)
        Where the score is not an expectation.
    meta_features_ : DataFrame of shape (n_tasks, n_meta_features)
        Of the known tasks.
    seconds_ : ndarray of shape (n_tasks, n_configurations)
        To fit and predict one fold; NaN where not known.
    task_weights_ : ndarray of shape (n_tasks,)
        Every family the same, shared among its tasks; they sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmeta.recommendation import Recommender
    >>> class MedianRecommender(Recommender):
    ...     def order(self, task, size):
    ...         return np.argsort(np.median(self.loss_, axis=0), kind="stable")
    """

    # From how many observations on they change what comes next; None is never.
    adapts_after = None

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
        configurations = _know_enough(is_scored, knowledge.tasks["family"])
        tasks = is_scored[:, configurations].any(axis=1)
        if not is_scored.any():
            raise KnowledgeError(
                f"The knowledge base must hold at least one task with scores by "
                f"{metric!r} to recommend from, got: {knowledge!r}."
            )
        seconds = knowledge.fit_seconds + knowledge.predict_seconds
        meta_features = knowledge.meta_features.loc[tasks]
        self.metric_ = metric
        self.tasks_ = knowledge.tasks.loc[tasks]
        self.task_weights_ = _share_within_families(self.tasks_["family"])
        self.configurations_ = tuple(
            compress(knowledge.configuration_values, configurations)
        )
        self.scores_ = _complete(
            scores.loc[tasks, configurations],
            knowledge.failures,
            self.task_weights_,
            metric,
        )
        self.is_tried_ = is_scored[np.ix_(tasks, configurations)]
        self.loss_ = portfolio_loss(self.scores_, CAPS.get(metric, CAP))
        self.meta_features_ = meta_features
        self.seconds_ = seconds.loc[tasks, configurations].to_numpy(np.float64)
        self._runtime = None
        if set(SIZES).intersection(meta_features.columns):
            self._runtime = RuntimeModel(meta_features, self.seconds_)
        self.learn(meta_features)
        return self

    def recommend(
        self,
        meta_features,
        n_configurations=None,
        per_second=False,
        observed=(),
        n_rows=None,
    ):
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
        observed : sequence of Observation, default=()
            What was tried on this task before. It is not recommended again.
        n_rows : int, default=None
            How many rows configurations will be tried on, if not on all. Only the
            seconds depend on it.

        Returns
        -------
        recommendation : Recommendation

        Raises
        ------
        ValueError
            If a meta-feature that tasks are compared by is not given.
        """
        check_is_fitted(self)
        position = {c: i for i, c in enumerate(self.configurations_)}
        observed = [o for o in observed if o.configuration in position]
        tried = np.array([position[o.configuration] for o in observed], dtype=np.int64)
        weights, fell_back, reason = self.weigh(meta_features)
        seconds = self._seconds(meta_features, n_rows, tried, observed)
        task = NewTask(
            meta_features=meta_features,
            weights=weights,
            tried=tried,
            scores=np.array([o.score for o in observed], dtype=np.float64),
            seconds=_OVERHEAD + self._seconds_for_order(seconds)
            if per_second
            else None,
        )
        n_left = len(self.configurations_) - len(tried)
        size = n_left if n_configurations is None else min(n_configurations, n_left)
        order = np.asarray(self.order(task, size), dtype=np.int64)
        order = order[~np.isin(order, tried)][:size]
        named_weights = pd.Series(weights, index=self.tasks_.index, name="weight")
        return Recommendation(
            configurations=tuple(self.configurations_[i] for i in order),
            expected_scores=self.expect(task)[order],
            expected_seconds=seconds[order],
            task_weights=named_weights.sort_values(ascending=False, kind="stable"),
            metric=self.metric_,
            recommender=type(self).__name__,
            fell_back=fell_back,
            reason=reason,
            basis=Basis(self, meta_features, per_second, n_rows),
        )

    def learn(self, meta_features):
        """Prepare what `weigh` and `order` need; nothing by default.

        Parameters
        ----------
        meta_features : DataFrame of shape (n_tasks, n_meta_features)
            Of the known tasks.
        """

    def weigh(self, meta_features):
        """Say how much each known task counts for a new one; all by default.

        Parameters
        ----------
        meta_features : mapping of str to float
            Of the new task.

        Returns
        -------
        weights : ndarray of shape (n_tasks,)
            They sum to 1.
        fell_back : bool
            Whether that is because nothing similar is known.
        reason : str
            A sentence.
        """
        n_families = self.tasks_["family"].nunique()
        reason = f"All {len(self.tasks_)} known tasks ({n_families} families) count."
        return self.task_weights_, False, reason

    def attribute(self, meta_features, values):
        """Say which meta-features made the weights what they are; none by default.

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
        """
        return pd.Series(dtype=np.float64)

    def find_rules(self, max_depth=3):
        """Say in a few rules which learner is tried first, and where.

        Parameters
        ----------
        max_depth : int, default=3
            How many questions a rule may ask.

        Returns
        -------
        rules : Rules
            A decision tree over meta-features, with its fidelity; `print` shows it.
            Learners that are not installed are left out.
        """
        check_is_fitted(self)
        return find_rules(self, max_depth)

    def expect(self, task):
        """Say what every configuration may score; the weighted mean by default.

        Parameters
        ----------
        task : NewTask
            What is known of it.

        Returns
        -------
        scores : ndarray of shape (n_configurations,)
            NaN where nothing is known.
        """
        return weighted_means(self.scores_, task.weights)

    @abstractmethod
    def order(self, task, size):
        """Order configurations for a task.

        Parameters
        ----------
        task : NewTask
            What is known of it.
        size : int
            How many are asked for.

        Returns
        -------
        order : array-like of int
            Positions in `configurations_`, the one to try first at the front.
            More than `size`, and those in ``task.tried``, do no harm.
        """

    def _seconds(self, meta_features, n_rows, tried, observed):
        """Return what a fold of each configuration will take."""
        names = () if self._runtime is None else self._runtime.names
        if not names or not all(name in meta_features for name in names):
            return self._average_seconds()
        sizes = {name: meta_features[name] for name in names}
        if n_rows is not None and "nr_inst" in sizes:
            sizes["nr_inst"] = n_rows
        predicted = self._runtime.predict(sizes)
        seen = np.array([o.seconds for o in observed], dtype=np.float64)
        return correct_seconds(predicted, tried, seen)

    def _seconds_for_order(self, expected_seconds):
        return expected_seconds

    def _average_seconds(self):
        """Return the mean over the known tasks, the same for every new one.

        What has no known seconds is taken for as slow as the slowest.
        """
        average = weighted_means(self.seconds_, self.task_weights_)
        slowest = np.nanmax(average, initial=0.0)
        return np.where(np.isnan(average), slowest, average)


def _know_enough(is_scored, families):
    """Say of which configurations enough is known to recommend them.

    A lucky score on one table would otherwise stand for all tables.

    Parameters
    ----------
    is_scored : ndarray of bool of shape (n_tasks, n_configurations)
    families : Series
        Of the tasks.

    Returns
    -------
    enough : ndarray of bool of shape (n_configurations,)
        Those with scores in `_ENOUGH_FAMILIES`, or in half as many as that of which
        most is known.
    """
    scored = pd.DataFrame(is_scored).groupby(families.to_numpy()).any().sum().to_numpy()
    return (scored > 0) & (scored >= min(_ENOUGH_FAMILIES, scored.max() / 2))


def _complete(scores, failures, weights, metric):
    """Return scores with what was never tried filled in."""
    failures = failures[
        failures["task"].isin(scores.index)
        & failures["configuration"].isin(scores.columns)
    ]
    rows = scores.index.get_indexer(failures["task"])
    columns = scores.columns.get_indexer(failures["configuration"])
    is_unknown = np.isnan(scores.to_numpy())
    is_unknown[rows, columns] = False
    if not is_unknown.any():
        return scores.to_numpy()
    return complete_scores(scores.to_numpy(), is_unknown, weights, metric)


def _share_within_families(families):
    sizes = families.map(families.value_counts()).to_numpy(dtype=np.float64)
    return (1 / sizes) / (1 / sizes).sum()


def weighted_means(values, weights):
    """Return weighted means of columns over the rows that have a value.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN where there is none.
    weights : ndarray of shape (n_rows,)
        Non-negative.

    Returns
    -------
    means : ndarray of shape (n_columns,)
        NaN where no row that counts has a value.
    """
    present = ~np.isnan(values)
    total = weights @ np.where(present, values, 0.0)
    weight = weights @ present
    return np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)
