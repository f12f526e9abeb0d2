"""Displays of what a knowledge base holds."""

import numpy as np
import pandas as pd
from scipy.special import gammaln

from skmeta._messages import did_you_mean
from skmeta._recommending import open_knowledge
from skmeta.knowledge._report import choose_metric
from skmeta.plotting._drawing import BLUE, GREY, add_legend, open_axes, shorten
from skmeta.recommendation import (
    PortfolioRecommender,
    greedy_portfolio,
    regret_matrix,
)
from skmeta.recommendation._recommender import CAP, CAPS

_KINDS = ("regret", "rank")

# Labels that can be read along the sides of a figure of the default size.
_MOST_ROW_LABELS, _MOST_COLUMN_LABELS = 24, 30
_LONGEST_ROW_LABEL, _LONGEST_COLUMN_LABEL = 22, 32

# Colours end here, as a few hopeless cells would make all others look alike.
_LAST_PERCENTILE = 90


class KnowledgeDisplay:
    """How far configurations fall short of the best one, on every known task.

    A heat map of tasks and configurations. Configurations of a base learner stand
    together, learners and configurations with the least regret (or the best rank) at
    the left; tasks are ordered by the direction in which they differ most, so that
    those where the same does well are neighbours. Hatched is what has no score.

    Parameters
    ----------
    values : DataFrame of shape (n_tasks, n_configurations)
        Regret, or rank from 0 (the best) to 1 (the worst), in the order to draw; NaN
        where there is no score.
    learners : sequence of str of shape (n_configurations,)
        The base learner of each column.
    metric : str
        What the values are by.
    kind : {"regret", "rank"}, default="regret"
        Which of the two they are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    image_ : matplotlib AxesImage
        The heat map.
    colorbar_ : matplotlib Colorbar
        What colours mean.
    """

    def __init__(self, *, values, learners, metric, kind="regret"):
        self.values = values
        self.learners = learners
        self.metric = metric
        self.kind = kind

    @classmethod
    def from_knowledge(cls, knowledge, metric=None, *, kind="regret", ax=None):
        """Draw what a knowledge base holds by a metric.

        Parameters
        ----------
        knowledge : KnowledgeBase, str, Path or None
            None is the one that ships with skmeta, a path a file.
        metric : str, default=None
            One of its `metrics`. None chooses balanced accuracy, if that is known.
        kind : {"regret", "rank"}, default="regret"
            What a task has to lose, or only which one is better.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : KnowledgeDisplay

        Raises
        ------
        KnowledgeError
            If the file cannot be used.
        ValueError
            If the metric is not stored or has no score, or `kind` is another.
        """
        if kind not in _KINDS:
            raise ValueError(
                f"kind must be one of {list(_KINDS)}, got: {kind!r}."
                f"{did_you_mean([kind], _KINDS)}"
            )
        knowledge = open_knowledge(knowledge)
        metric = choose_metric(knowledge, metric)
        values = _compare(knowledge.scores(metric), kind)
        if values.empty:
            raise ValueError(
                f"knowledge must hold a score by {metric!r}, got none: {knowledge!r}."
            )
        learner_of = knowledge.configurations["learner"]
        columns = _order_columns(values, learner_of)
        rows = _order_rows(values)
        display = cls(
            values=values.loc[rows, columns],
            learners=learner_of[columns].tolist(),
            metric=metric,
            kind=kind,
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        self
        """
        ax = open_axes(self, ax)
        values = self.values.to_numpy()
        last = 1.0
        if self.kind == "regret":
            last = np.nanpercentile(values, _LAST_PERCENTILE) or np.nanmax(values)
        self.image_ = ax.imshow(
            values,
            aspect="auto",
            # Anything else would blend configurations where rows are many.
            interpolation="nearest",
            cmap="cividis_r",
            vmin=0,
            vmax=last or 1.0,
        )
        ax.patch.set(facecolor="white", edgecolor=GREY, hatch="////", linewidth=0)
        has_more = self.kind == "regret" and np.nanmax(values) > last
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=ax, extend="max" if has_more else "neither"
        )
        self.colorbar_.set_label(f"{self.kind} by {self.metric}")
        self._label_rows()
        self._label_columns()
        return self

    def _label_rows(self):
        n_tasks = len(self.values)
        step = -(-n_tasks // _MOST_ROW_LABELS)
        names = [shorten(str(n), _LONGEST_ROW_LABEL) for n in self.values.index[::step]]
        self.ax_.set_yticks(np.arange(0, n_tasks, step), names, fontsize="x-small")
        note = "" if step == 1 else f", one in {step} named"
        self.ax_.set_ylabel(f"{n_tasks} tasks{note}")

    def _label_columns(self):
        n_configurations = self.values.shape[1]
        learners = pd.Series(self.learners)
        starts = np.flatnonzero(learners != learners.shift())
        ends = np.append(starts[1:], n_configurations)
        places, names = (starts + ends - 1) / 2, learners[starts]
        if len(starts) == 1 and n_configurations <= _MOST_COLUMN_LABELS:
            places, names = np.arange(n_configurations), self.values.columns
        self.ax_.set_xticks(
            places,
            [shorten(str(name), _LONGEST_COLUMN_LABEL) for name in names],
            rotation=45,
            rotation_mode="anchor",
            ha="right",
            fontsize="x-small",
        )
        for start in starts[1:]:
            self.ax_.axvline(start - 0.5, color="white", linewidth=1)
        self.ax_.set_xlabel(f"{n_configurations} configurations")


class PortfolioDisplay:
    """What is lost on the known tasks with the best of the first few configurations.

    The greedy portfolio against configurations in any order. Families of tasks weigh
    alike. Regret counts up to a cap, 0.25 and for log loss 1, which is also that of
    what has failed; what was never tried has the score that is expected of it.

    Parameters
    ----------
    configurations : sequence of str of shape (size,)
        Names, in the order of the portfolio.
    learners : sequence of str of shape (size,)
        Their base learners.
    mean_regret : ndarray of shape (size,)
        Mean over tasks of the regret of the best of the first 1, 2, ...
    random_regret : ndarray of shape (size,)
        Mean of that over all orders of all configurations.
    metric : str
        What regret is by.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : list of matplotlib Line2D
        The portfolio, and any order.

    See Also
    --------
    skmeta.recommendation.greedy_portfolio : How the order is found.
    """

    def __init__(self, *, configurations, learners, mean_regret, random_regret, metric):
        self.configurations = configurations
        self.learners = learners
        self.mean_regret = mean_regret
        self.random_regret = random_regret
        self.metric = metric

    @classmethod
    def from_knowledge(cls, knowledge, metric=None, size=16, *, ax=None):
        """Draw the portfolio of a knowledge base.

        Parameters
        ----------
        knowledge : KnowledgeBase, str, Path or None
            None is the one that ships with skmeta, a path a file.
        metric : str, default=None
            One of its `metrics`. None chooses balanced accuracy, if that is known.
        size : int, default=16
            How many configurations, or all if there are fewer.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : PortfolioDisplay

        Raises
        ------
        KnowledgeError
            If the file cannot be used, or has no score by the metric.
        ValueError
            If the metric is not stored, or `size` is less than 1.
        """
        if size < 1:
            raise ValueError(f"size must be an integer >= 1, got: {size!r}.")
        knowledge = open_knowledge(knowledge)
        metric = choose_metric(knowledge, metric)
        known = PortfolioRecommender().fit(knowledge, metric)
        size = min(size, len(known.configurations_))
        portfolio = greedy_portfolio(known.loss_, size, known.task_weights_)
        regret = np.minimum(regret_matrix(known.scores_), CAPS.get(metric, CAP))
        best_regret = np.minimum.accumulate(regret[:, portfolio], axis=1)
        chosen = [known.configurations_[i] for i in portfolio]
        display = cls(
            configurations=[configuration.name for configuration in chosen],
            learners=[configuration.learner for configuration in chosen],
            mean_regret=known.task_weights_ @ best_regret,
            random_regret=known.task_weights_ @ _regret_in_any_order(regret, size),
            metric=metric,
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        self
        """
        ax = open_axes(self, ax)
        counts = np.arange(1, len(self.mean_regret) + 1)
        self.lines_ = ax.plot(
            counts, self.mean_regret, "o-", color=BLUE, label="greedy portfolio"
        ) + ax.plot(
            counts, self.random_regret, "s--", color=GREY, label="mean of any order"
        )
        xlabel = "configurations tried"
        if len(counts) <= _MOST_COLUMN_LABELS:
            xlabel += ", with what the portfolio adds"
            ax.set_xticks(
                counts,
                [
                    f"{shorten(learner, _LONGEST_COLUMN_LABEL)} {count}"
                    for count, learner in zip(counts, self.learners, strict=True)
                ],
                rotation=45,
                rotation_mode="anchor",
                ha="right",
                fontsize="x-small",
            )
        ax.set_ylim(bottom=0)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(f"mean regret by {self.metric}")
        ax.grid(axis="y", alpha=0.3)
        add_legend(ax, 2)
        return self


def _compare(scores, kind):
    """Return regret or rank, NaN where there is no score, of tasks that have some."""
    scores = scores.dropna(how="all")
    if kind == "regret":
        return -scores.sub(scores.max(axis=1), axis=0)
    ranks = scores.rank(axis=1, ascending=False) - 1
    most = scores.count(axis=1) - 1
    return ranks.div(most.clip(lower=1), axis=0)


def _order_columns(values, learner_of):
    """Put learners, and configurations within learners, in order of their median."""
    medians = values.median().fillna(np.inf)
    of_learner = medians.groupby(learner_of).transform("median")
    order = pd.DataFrame(
        {"of_learner": of_learner, "learner": learner_of, "median": medians}
    )
    return order.sort_values([*order.columns], kind="stable").index


def _order_rows(values):
    """Put tasks in order of their first principal component by ranks."""
    ranks = values.rank(axis=1).to_numpy()
    # What has no score is neither good nor bad.
    filled = np.where(np.isnan(ranks), np.nanmean(ranks, axis=1, keepdims=True), ranks)
    centered = filled - filled.mean(axis=0)
    left, _, right = np.linalg.svd(centered, full_matrices=False)
    # The sign is a matter of the machine, unless it is fixed.
    sign = np.sign(right[0, np.abs(right[0]).argmax()]) or 1.0
    return values.index[np.argsort(sign * left[:, 0], kind="stable")]


def _regret_in_any_order(regret, size):
    """Return the mean regret of the best of 1, ..., size drawn at random, by task.

    The i-th best of n is the best of k when the others are among the n - i worse
    ones: in C(n - i, k - 1) of all C(n, k) draws.
    """
    n = regret.shape[1]
    worse = n - np.arange(1, n + 1)[:, np.newaxis]
    k = np.arange(1, size + 1)
    with np.errstate(invalid="ignore"):
        log_share = _log_choose(worse, k - 1) - _log_choose(n, k)
    share = np.where(worse >= k - 1, np.exp(log_share), 0.0)
    return np.sort(regret, axis=1) @ share


def _log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(np.maximum(n - k, 0) + 1)
