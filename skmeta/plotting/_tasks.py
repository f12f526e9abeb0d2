"""Displays of where a task stands among the known ones."""

import numpy as np
import pandas as pd
from scipy.stats import percentileofscore
from sklearn.decomposition import PCA

from skmeta._recommending import open_knowledge
from skmeta.plotting._drawing import (
    BLUE,
    GREY,
    LIGHT_GREY,
    VERMILLION,
    add_legend,
    check_search,
    open_axes,
    shorten,
)
from skmeta.recommendation._task_space import TaskSpace, compared

# How far from the median a task may be on the map, in units of the range of eight
# tenths: one with a thousand times the columns would press all others together.
_FARTHEST = 2.0

_LONGEST_NAME = 24
_GREATEST_DOT = 220
_LEAST_DOT = 8


class SimilarTasksDisplay:
    """The known tasks as a map, with the new one and how much each counts for it.

    The map is that of the first two principal components of the meta-features that
    tasks are compared by, each on its scale and clipped. The larger and darker a task,
    the more it counted for the recommendation. That is not how near it is on the map:
    two dimensions show only part of what tasks differ in, and what matters for the
    scores counts more.

    Parameters
    ----------
    points : DataFrame of shape (n_tasks, 2)
        The known tasks on the map, by name.
    new_point : ndarray of shape (2,)
        The new one.
    task_weights : Series of shape (n_tasks,)
        How much each known task counts, in the order of `points`.
    explained_variance_ratio : ndarray of shape (2,)
        The parts of the variance of the known tasks that the two dimensions show.
    n_labels : int, default=5
        How many of the tasks that count most to name.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    tasks_ : matplotlib PathCollection
        The known tasks.
    texts_ : list of matplotlib Annotation
        Names of the tasks that count most, the topmost first; none where all count
        alike.

    See Also
    --------
    MetaFeaturesDisplay : The meta-features one by one.
    """

    def __init__(
        self, *, points, new_point, task_weights, explained_variance_ratio, n_labels=5
    ):
        self.points = points
        self.new_point = new_point
        self.task_weights = task_weights
        self.explained_variance_ratio = explained_variance_ratio
        self.n_labels = n_labels

    @classmethod
    def from_estimator(cls, estimator, *, knowledge=None, n_labels=5, ax=None):
        """Draw where the table of a fitted estimator is among the known tasks.

        Parameters
        ----------
        estimator : MetaLearnerClassifier or MetaHyperparamSelector
            Fitted.
        knowledge : KnowledgeBase, str or Path, default=None
            What it was fitted with, if that is no longer where it was. Tasks that are
            not in it, such as those of `experience`, are not drawn.
        n_labels : int, default=5
            How many of the tasks that count most to name.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : SimilarTasksDisplay

        Raises
        ------
        KnowledgeError
            If its knowledge cannot be read, or holds nothing that tasks are compared
            by.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of ours.
        ValueError
            If it has no meta-features, or its knowledge holds other tasks.
        """
        known, families = _read_known(estimator, knowledge)
        space = TaskSpace(known, families.to_numpy())
        points = _clip(space.standardize(space.points))
        new_point = space.locate(estimator.meta_features_)
        new_point = _clip(space.standardize(new_point))
        n_components = min(2, *points.shape)
        pca = PCA(n_components, svd_solver="full").fit(points)
        ratio = np.nan_to_num(pca.explained_variance_ratio_)
        display = cls(
            points=pd.DataFrame(
                _pad(pca.transform(points)), known.index, ["first", "second"]
            ),
            new_point=_pad(pca.transform(new_point[np.newaxis]))[0],
            task_weights=estimator.recommendation_.task_weights[known.index],
            explained_variance_ratio=_pad(ratio[np.newaxis])[0],
            n_labels=n_labels,
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
        weights, named = self.task_weights, self._find_named()
        share = np.zeros(len(weights))
        if not self._all_alike:
            share = (weights / weights.max()).to_numpy()
        is_named = weights.index.isin(named)
        # The greatest ones last, on top of the others.
        order = np.argsort(share, kind="stable")
        points = self.points.to_numpy()[order]
        self.tasks_ = ax.scatter(
            *points.T,
            s=_LEAST_DOT + (_GREATEST_DOT - _LEAST_DOT) * share[order],
            c=share[order],
            cmap="cividis_r",
            vmin=0,
            vmax=1,
            alpha=0.8,
            edgecolors=np.where(is_named, "black", GREY)[order],
            linewidths=np.where(is_named, 1.2, 0.4)[order],
            label="known task (the larger, the more it counted, near or not)",
        )
        ax.scatter(
            *self.new_point,
            marker="*",
            s=260,
            color=VERMILLION,
            edgecolors="black",
            linewidths=0.8,
            zorder=4,
            label="new task",
        )
        # Room for the star at an edge.
        ax.margins(0.08)
        if self._all_alike:
            ax.set_title("all known tasks count alike", fontsize="medium", pad=24)
        self.texts_ = self._write_names(named)
        for axis, name, ratio in zip(
            (ax.xaxis, ax.yaxis),
            ("first", "second"),
            self.explained_variance_ratio,
            strict=True,
        ):
            axis.set_label_text(f"{name} component ({ratio:.0%} of variance)")
        add_legend(ax, 2)
        return self

    @property
    def _all_alike(self):
        """Whether no task counts more than most others, as where none is similar."""
        return np.isclose(self.task_weights, self.task_weights.max()).mean() > 0.5

    def _find_named(self):
        """Return the tasks that count most, from top to bottom of the map."""
        if self._all_alike:
            return []
        weights = self.task_weights.sort_values(ascending=False, kind="stable")
        named = self.points.loc[weights.index[: self.n_labels], "second"]
        return named.sort_values(ascending=False).index

    def _write_names(self, named):
        """Name tasks beside the axes, where names hide nothing."""
        return [
            self.ax_.annotate(
                f"{shorten(str(name), _LONGEST_NAME)}\n{self.task_weights[name]:.3f}",
                self.points.loc[name],
                xytext=(1.03, height),
                textcoords="axes fraction",
                va="center",
                fontsize="small",
                # Below the dots, so that none is crossed out.
                zorder=0.9,
                arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6},
            )
            for name, height in zip(named, _spread(len(named)), strict=True)
        ]


class MetaFeaturesDisplay:
    """Where a task stands among the known ones by each meta-feature.

    The meta-features that tasks are compared by, the one highest among the known
    tasks on top: at 0 it is lower than all of them, at 100 higher than all.

    Parameters
    ----------
    meta_features : Series of shape (n_meta_features,)
        Values of the new task, in the order to draw them.
    percentiles : Series of shape (n_meta_features,)
        Percentage of the known tasks with a lower value, those with the same one
        counting half; NaN where there is no value.
    n_tasks : int
        How many tasks are known.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : list of matplotlib Line2D
        The dots.
    texts_ : list of matplotlib Text
        The values.

    See Also
    --------
    SimilarTasksDisplay : All of them at once, as a map.
    """

    def __init__(self, *, meta_features, percentiles, n_tasks):
        self.meta_features = meta_features
        self.percentiles = percentiles
        self.n_tasks = n_tasks

    @classmethod
    def from_estimator(cls, estimator, *, knowledge=None, ax=None):
        """Draw where the table of a fitted estimator stands.

        Parameters
        ----------
        estimator : MetaLearnerClassifier or MetaHyperparamSelector
            Fitted.
        knowledge : KnowledgeBase, str or Path, default=None
            What it was fitted with, if that is no longer where it was.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : MetaFeaturesDisplay

        Raises
        ------
        KnowledgeError
            If its knowledge cannot be read, or holds nothing that tasks are compared
            by.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of ours.
        ValueError
            If it has no meta-features, or its knowledge holds other tasks.
        """
        known, _ = _read_known(estimator, knowledge)
        values = estimator.meta_features_.reindex(compared(known))
        percentiles = pd.Series(
            {
                name: percentileofscore(known[name], value, kind="mean")
                for name, value in values.items()
            }
        ).sort_values(ascending=False, kind="stable")
        display = cls(
            meta_features=values[percentiles.index],
            percentiles=percentiles,
            n_tasks=len(known),
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
        places = np.arange(len(self.percentiles))
        ax.hlines(places, 0, 100, color=LIGHT_GREY, linewidth=1)
        ax.axvline(50, color=LIGHT_GREY, linewidth=1)
        self.lines_ = ax.plot(
            self.percentiles, places, "o", color=BLUE, markersize=7, clip_on=False
        )
        self.texts_ = [
            ax.text(
                1.03,
                place,
                f"{value:.3g}" if abs(value) < 1e3 else f"{value:,.0f}",
                transform=ax.get_yaxis_transform(),
                va="center",
                fontsize="small",
            )
            for place, value in zip(places, self.meta_features, strict=True)
        ]
        ax.set_yticks(places, self.percentiles.index, fontsize="small")
        ax.set_ylim(len(places) - 0.5, -0.5)
        ax.set_xlim(-2, 102)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(
            f"percentile among {self.n_tasks} known tasks; values at the right"
        )
        return self


def _read_known(estimator, knowledge):
    """Return meta-features and families of the tasks an estimator has weights for."""
    check_search(estimator)
    if not len(estimator.meta_features_):
        raise ValueError(
            f"estimator must have meta-features, got one whose time_budget of "
            f"{estimator.time_budget!r} seconds left no time for them. Give it more."
        )
    knowledge = open_knowledge(estimator.knowledge if knowledge is None else knowledge)
    weights = estimator.recommendation_.task_weights
    names = weights.index.intersection(knowledge.tasks.index)
    if not len(names):
        raise ValueError(
            f"knowledge must hold the tasks that the estimator was fitted with, such "
            f"as {weights.index[:3].tolist()}, got: {knowledge!r}. Give that one."
        )
    return knowledge.meta_features.loc[names], knowledge.tasks.loc[names, "family"]


def _clip(points):
    # What cannot be measured is put where the usual tasks are.
    return np.clip(np.nan_to_num(points, nan=0.0), -_FARTHEST, _FARTHEST)


def _pad(values):
    """Return two columns also where there is only one."""
    return np.pad(values, ((0, 0), (0, 2 - values.shape[1])))


def _spread(n):
    """Return heights from top to bottom with room for two lines each."""
    return 0.5 + 0.11 * ((n - 1) / 2 - np.arange(n))
