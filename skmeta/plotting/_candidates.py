"""Displays of the candidates that a fit tried."""

import numpy as np

from skmeta._classifier import MetaLearnerClassifier
from skmeta.plotting._drawing import (
    BLUE,
    GREY,
    VERMILLION,
    add_legend,
    check_search,
    fold,
    metric_of,
    name_candidates,
    open_axes,
)

_LONGEST_ERROR = 56

# How many times as far from the best score as the median is drawn in its place.
_MOST_SPREADS = 4

# What the triangles at the edge mean.
_BEYOND = {"^": "far above", "v": "far below"}


class LeaderboardDisplay:
    """The best candidates with the spread of their scores over the splits.

    A dot is the mean, the line through it one standard deviation to each side, as far
    as any split goes, and the open dots are the splits. Candidates that predict in the
    end stand out. In brackets is the index in ``leaderboard_``: the order tried, from
    0.

    Parameters
    ----------
    leaderboard : DataFrame of shape (n_candidates, n_columns)
        The rows of ``leaderboard_`` to show, the best first.
    fold_scores : ndarray of shape (n_candidates, n_splits)
        Their score on each split; NaN where there is none.
    members : sequence of int
        The candidates that predict, by the index of `leaderboard`.
    metric : str, default="score"
        What scores are called.
    n_left_out : int, default=0
        How many further candidates there are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    containers_ : list of matplotlib ErrorbarContainer
        Candidates that predict, and those that do not, where there are any.
    folds_ : matplotlib PathCollection
        The splits.

    See Also
    --------
    AnytimeDisplay : The same scores against the seconds they took.
    """

    def __init__(
        self, *, leaderboard, fold_scores, members, metric="score", n_left_out=0
    ):
        self.leaderboard = leaderboard
        self.fold_scores = fold_scores
        self.members = members
        self.metric = metric
        self.n_left_out = n_left_out

    @classmethod
    def from_estimator(cls, estimator, *, max_candidates=20, ax=None):
        """Draw the leaderboard of a fitted estimator.

        Parameters
        ----------
        estimator : MetaLearnerClassifier or MetaHyperparamSelector
            Fitted.
        max_candidates : int, default=20
            How many of the best to show.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : LeaderboardDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of ours.
        ValueError
            If `max_candidates` is less than 1.
        """
        check_search(estimator)
        if max_candidates < 1:
            raise ValueError(
                f"max_candidates must be an integer >= 1, got: {max_candidates!r}."
            )
        leaderboard = estimator.leaderboard_
        shown = leaderboard.head(max_candidates)
        display = cls(
            leaderboard=shown,
            fold_scores=_fold_scores(estimator)[shown.index],
            members=_find_members(estimator),
            metric=metric_of(estimator),
            n_left_out=len(leaderboard) - len(shown),
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
        board = self.leaderboard
        places = np.arange(len(board))
        has_score = board["score"].notna().to_numpy()
        folds = np.where(has_score[:, np.newaxis], self.fold_scores, np.nan)
        rows = np.broadcast_to(places[:, np.newaxis], folds.shape)
        self.folds_ = ax.scatter(
            folds,
            rows,
            s=14,
            facecolors="white",
            edgecolors=GREY,
            linewidths=0.7,
            zorder=3,
            label="split",
        )
        predicts = board.index.isin(self.members)
        self.containers_ = [
            self._draw_means(which & has_score, color, label)
            for which, color, label in [
                (predicts, BLUE, "mean, predicts"),
                (~predicts, GREY, "mean of another"),
            ]
            if (which & has_score).any()
        ]
        shown = folds[has_score]
        if shown.size and np.ptp(shown) > 0:
            # No deviation beyond the best split: there may be no such score.
            margin = 0.04 * np.ptp(shown)
            ax.set_xlim(shown.min() - margin, shown.max() + margin)
        for place in places[~has_score]:
            self._write_why(place)
        ax.set_yticks(places, name_candidates(board), fontsize="small")
        # The best on top, and room for half a row at both ends.
        ax.set_ylim(len(board) - 0.5, -0.5)
        ax.locator_params(axis="x", nbins=5)
        ax.grid(axis="x", alpha=0.3)
        xlabel = self.metric
        if self.n_left_out:
            xlabel += f"   ({self.n_left_out} more candidates are not shown)"
        ax.set_xlabel(xlabel)
        if has_score.any():
            # Its room is on the left, above the names of the candidates.
            add_legend(ax, 3, side="right")
        else:
            ax.set_xticks([])
        return self

    def _draw_means(self, which, color, label):
        return self.ax_.errorbar(
            self.leaderboard["score"].to_numpy()[which],
            np.flatnonzero(which),
            xerr=self.leaderboard["std"].to_numpy()[which],
            fmt="o",
            markersize=6,
            color=color,
            label=label,
            zorder=4,
        )

    def _write_why(self, place):
        error = self.leaderboard["error"].iloc[place]
        why = error if isinstance(error, str) else "not cross-validated"
        self.ax_.text(
            0.01,
            place,
            fold(why, _LONGEST_ERROR, len(self.leaderboard)),
            transform=self.ax_.get_yaxis_transform(),
            va="center",
            fontsize="small",
            color=GREY,
        )


class AnytimeDisplay:
    """The best score so far against the seconds that candidates took.

    Dots are the candidates in the order tried, when they are done; an open dot is
    what the recommendation expected of one, where that is of the same metric: for the
    first ones their mean on known tasks, which may be easier or harder than this one,
    for later ones what follows from the scores before them. What is far from the others
    is a triangle at the edge, which points to where it is.

    Parameters
    ----------
    seconds : ndarray of shape (n_candidates,)
        When each candidate is done, if one is tried after the other on one core; in
        the order tried.
    scores : ndarray of shape (n_candidates,)
        Mean over splits; NaN where there is none.
    expected_scores : ndarray of shape (n_candidates,), default=None
        What was expected; NaN where nothing is known.
    metric : str, default="score"
        What scores are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : list of matplotlib Line2D
        The best score so far; none if there is no score.

    Notes
    -----
    Seconds are those of fits and scores of all splits, added up as on one core: with
    several jobs it was faster, and meta-features and the final fits come on top. Of
    candidates without a score they are not known, and count as nothing.
    """

    def __init__(self, *, seconds, scores, expected_scores=None, metric="score"):
        self.seconds = seconds
        self.scores = scores
        self.expected_scores = expected_scores
        self.metric = metric

    @property
    def best_scores(self):
        """Best score so far, after each candidate; NaN before there is one."""
        return np.fmax.accumulate(self.scores)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw how the best score of a fitted estimator grew.

        Parameters
        ----------
        estimator : MetaLearnerClassifier or MetaHyperparamSelector
            Fitted.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : AnytimeDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of ours.
        """
        check_search(estimator)
        tried = estimator.leaderboard_.sort_index()
        of_a_split = tried["fit_seconds"] + tried["score_seconds"]
        seconds = (of_a_split * estimator.n_splits_).fillna(0).cumsum()
        is_comparable = estimator.recommendation_.observed_scores is not None
        display = cls(
            seconds=seconds.to_numpy(np.float64),
            scores=tried["score"].to_numpy(np.float64),
            expected_scores=(
                tried["expected_score"].to_numpy(np.float64) if is_comparable else None
            ),
            metric=metric_of(estimator),
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
        self.lines_, marks = [], set()
        has_score = np.isfinite(self.scores)
        if has_score.any():
            self.lines_ = ax.step(
                self.seconds,
                self.best_scores,
                where="post",
                color=BLUE,
                label="best so far",
            )
            marks |= self._draw_dots(self.scores, has_score, "a candidate", color=BLUE)
        else:
            # Beside the legend, which is on the left.
            ax.set_title(
                "no candidate was cross-validated", fontsize="medium", loc="right"
            )
        if self.expected_scores is not None:
            shown = np.isfinite(self.expected_scores) & (has_score | ~has_score.any())
            marks |= self._draw_dots(
                self.expected_scores,
                shown,
                "expected when tried",
                facecolors="none",
                edgecolors=VERMILLION,
            )
        for mark, label in _BEYOND.items():
            if mark in marks:  # of whatever color
                ax.scatter([], [], marker=mark, s=22, color=GREY, label=label)
        ax.set_xlabel("seconds of fits and scores, on one core")
        ax.set_ylabel(self.metric)
        ax.grid(alpha=0.3)
        add_legend(ax, 3)
        return self

    def _draw_dots(self, values, which, label, **colors):
        """Draw values in their place or at the edge, and return the marks used."""
        low, high = self._range_shown()
        marks = {
            "o": which & (values >= low) & (values <= high),
            "v": which & (values < low),
            "^": which & (values > high),
        }
        for mark, these in marks.items():
            self.ax_.scatter(
                self.seconds[these],
                np.clip(values[these], low, high),
                marker=mark,
                s=22,
                label=label if mark == "o" else None,
                zorder=3,
                **colors,
            )
        return {mark for mark, these in marks.items() if these.any()}

    def _range_shown(self):
        """Return what is drawn in its place, so that nothing is pressed flat."""
        if not np.isfinite(self.scores).any():
            return -np.inf, np.inf
        best, values = np.nanmax(self.scores), self.scores
        if self.expected_scores is not None:
            values = np.append(values, self.expected_scores)
        spread = _MOST_SPREADS * np.nanmedian(np.abs(values - best))
        # One candidate, or many alike, have no spread.
        spread = spread or np.inf
        return min(best - spread, np.nanmin(self.best_scores)), best + spread


class EnsembleWeightsDisplay:
    """The weights of the candidates that predict together.

    Parameters
    ----------
    weights : Series of shape (n_members,)
        By candidate, the greatest first; they sum to 1.
    labels : sequence of str of shape (n_members,)
        What to call them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    bars_ : matplotlib BarContainer
        One for each member.
    """

    def __init__(self, *, weights, labels):
        self.weights = weights
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the weights in the ensemble of a fitted classifier.

        Parameters
        ----------
        estimator : MetaLearnerClassifier
            Fitted, with ``refit=True``.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : EnsembleWeightsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no `MetaLearnerClassifier`.
        ValueError
            If it was fitted with ``refit=False``.
        """
        check_search(estimator)
        _check_ensemble(estimator)
        board = estimator.leaderboard_
        members = board[board["weight"] > 0].sort_values(
            "weight", ascending=False, kind="stable"
        )
        display = cls(weights=members["weight"], labels=name_candidates(members))
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
        places = np.arange(len(self.weights))
        # Thin bars also where there are few of them.
        self.bars_ = ax.barh(places, self.weights, height=0.5, color=BLUE)
        ax.bar_label(self.bars_, fmt="%.2f", padding=3, fontsize="small")
        ax.set_yticks(places, self.labels, fontsize="small")
        ax.set_ylim(max(len(places), 3) - 0.5, -0.5)
        ax.margins(x=0.12)
        ax.set_xlabel("weight in the ensemble")
        return self


def _check_ensemble(estimator):
    if not isinstance(estimator, MetaLearnerClassifier):
        raise TypeError(
            f"estimator must be a MetaLearnerClassifier, whose candidates predict "
            f"together, got: {type(estimator).__name__}, of which the best candidate "
            f"predicts alone. LeaderboardDisplay shows what it tried."
        )
    if not estimator.refit:
        raise ValueError(
            "estimator must have an ensemble, got one that was fitted with "
            "refit=False. Set refit=True."
        )


def _find_members(estimator):
    """Return the candidates that predict, or would if there was a refit."""
    board = estimator.leaderboard_
    if "weight" not in board:
        return [estimator.best_index_]
    return board.index[board["weight"] > 0].tolist()


def _fold_scores(estimator):
    """Return scores in the order tried, a column for each split."""
    results = estimator.cv_results_
    n_candidates = len(results["params"])
    columns = [
        results[f"split{split}_test_score"] for split in range(estimator.n_splits_)
    ]
    return np.stack(columns, axis=1) if columns else np.empty((n_candidates, 0))
