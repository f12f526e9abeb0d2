"""What all displays share: axes, colours, checks, and what candidates are called."""

from textwrap import wrap

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skmeta._search import MetaSearch

# Of Okabe and Ito, whose colours can be told apart by the colour-blind.
BLUE, ORANGE, VERMILLION = "#0072B2", "#E69F00", "#D55E00"
GREY, LIGHT_GREY = "#777777", "#CCCCCC"

_LONGEST_LABEL = 34

# Among so few candidates there is room for labels of two lines.
_FEW_ROWS = 10


def open_axes(display, ax):
    """Import matplotlib, and set `ax_` and `figure_` of a display.

    Parameters
    ----------
    display : object
    ax : matplotlib Axes or None
        None opens a figure.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If `ax` is something else.
    """
    try:
        import matplotlib.pyplot as plt
        from matplotlib.axes import Axes
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} requires matplotlib. Install it with: "
            f"pip install matplotlib"
        ) from error
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    elif not isinstance(ax, Axes):
        raise TypeError(
            f"ax must be a matplotlib Axes or None, got: {ax!r}. Take one from "
            f"plt.subplots()."
        )
    display.ax_, display.figure_ = ax, ax.figure
    return ax


def check_search(estimator):
    """Check that an estimator is one of ours, and fitted.

    Parameters
    ----------
    estimator : MetaLearnerClassifier or MetaHyperparamSelector

    Raises
    ------
    TypeError
        If it is something else.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, MetaSearch):
        raise TypeError(
            f"estimator must be a MetaLearnerClassifier or MetaHyperparamSelector, "
            f"got: {estimator!r}. If it is inside a pipeline, take its step: "
            f"pipeline[-1]."
        )
    check_is_fitted(estimator, "leaderboard_")


def metric_of(estimator):
    """Return what scores of an estimator are called."""
    if estimator.scoring is None:
        return "accuracy"
    return estimator.scoring if isinstance(estimator.scoring, str) else "score"


def name_candidates(leaderboard):
    """Return a label for each row: what it is, and its place in the order tried.

    Where all are of one learner, that is the hyperparameters in which they differ.

    Parameters
    ----------
    leaderboard : DataFrame
        Rows of the attribute ``leaderboard_``.

    Returns
    -------
    labels : list of str
    """
    names = leaderboard["learner"]
    if names.nunique() == 1 and len(names) > 1:
        names = pd.Series(_describe(leaderboard["params"]), leaderboard.index)
    return [
        f"{fold(name, _LONGEST_LABEL, len(names))} [{index}]"
        for index, name in names.items()
    ]


def fold(text, length, n_rows):
    """Return text of a row, in two lines where there are few rows, to be drawn."""
    n_lines = 2 if n_rows <= _FEW_ROWS else 1
    return as_is("\n".join(wrap(text, length, max_lines=n_lines, placeholder=" …")))


def shorten(text, length):
    """Return text that is at most so long, to be drawn as it is."""
    return as_is(text if len(text) <= length else f"{text[: length - 1]}…")


def as_is(text):
    """Return text in which matplotlib finds no formula between dollars."""
    return text.replace("$", r"\$")


def add_legend(ax, n_columns, side="left"):
    """Put a legend above the axes, where it hides nothing."""
    ax.legend(
        loc=f"lower {side}",
        bbox_to_anchor=({"left": 0, "right": 1}[side], 1),
        ncols=n_columns,
        frameon=False,
        fontsize="small",
    )


def _describe(params):
    """Return what each of several dicts has that not all have in common."""
    written = [
        [f"{name.rpartition('__')[2]}={_write(value)}" for name, value in each.items()]
        for each in params
    ]
    common = set.intersection(*map(set, written))
    return [
        ", ".join(part for part in parts if part not in common) or "defaults"
        for parts in written
    ]


def _write(value):
    return f"{value:.3g}" if isinstance(value, float) else str(value)
