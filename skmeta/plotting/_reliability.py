"""Whether probabilities are what they say."""

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.utils.validation import check_consistent_length

from skmeta._encoding import label_of
from skmeta._inputs import check_table
from skmeta._threads import threads_for
from skmeta.plotting._drawing import (
    BLUE,
    GREY,
    ORANGE,
    add_legend,
    as_is,
    check_search,
    open_axes,
)

# Standard deviations to each side that leave out one in twenty.
_Z = 1.96

# Of the best candidate and of the whole classifier, which is drawn last.
_STYLES = ({"color": ORANGE, "marker": "s"}, {"color": BLUE, "marker": "o"})


class ReliabilityDisplay:
    """How often what is predicted with some probability is so.

    The best candidate alone is compared with the ensemble, if there is one. Of two
    classes it is the probability of the second one; of more, that of the most
    probable class, and whether it is right. Dots are bins with about as many rows
    each. The upright lines are where the share may be in the long run (95 % intervals
    [1]_): where they are long, as with a rare class or few rows, a dot beside the
    diagonal says little.

    Parameters
    ----------
    curves : dict of str to (ndarray, ndarray, ndarray)
        By what predicts: for each bin the mean probability, the share of rows of
        which it is so, and the number of rows.
    brier_scores : dict of str to float
        By what predicts: the mean squared difference between that probability and 0
        or 1; 0 is best.
    of : str, default="the predicted class"
        What the probability is of.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : list of matplotlib Line2D
        One for each curve.
    intervals_ : list of matplotlib LineCollection
        One for each curve.

    References
    ----------
    .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22, 1927.
    """

    def __init__(self, *, curves, brier_scores, of="the predicted class"):
        self.curves = curves
        self.brier_scores = brier_scores
        self.of = of

    @classmethod
    def from_estimator(cls, estimator, X, y, *, n_bins=10, ax=None):
        """Draw it for rows that took no part in the fit.

        Parameters
        ----------
        estimator : MetaLearnerClassifier or MetaHyperparamSelector
            Fitted, with ``refit=True``. Of a selector there is one curve.
        X : table of shape (n_rows, n_features)
            With the columns of `fit`. Not the rows of it, on which probabilities are
            too good.
        y : array-like of shape (n_rows,)
            Their classes.
        n_bins : int, default=10
            Most bins; there are fewer where probabilities are equal.
        ax : matplotlib Axes, default=None
            None opens a figure.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of ours.
        ValueError
            If it predicts no probabilities, or `y` does not fit to it or to `X`.
        """
        check_search(estimator)
        _check_probabilities(estimator)
        X = check_table(estimator, X, reset=False)
        y = np.asarray(y)
        check_consistent_length(X, y)
        _check_classes(y, estimator.classes_)
        curves, brier_scores = {}, {}
        for name, predictor in _find_predictors(estimator).items():
            with threads_for(X.shape[0]):
                probabilities = predictor.predict_proba(X)
            is_so, probability = _to_binary(y, probabilities, estimator.classes_)
            share, mean = calibration_curve(
                is_so, probability, n_bins=n_bins, strategy="quantile"
            )
            curves[name] = mean, share, _count_rows(probability, n_bins)
            brier_scores[name] = float(np.mean((probability - is_so) ** 2))
        of = "the predicted class"
        if len(estimator.classes_) == 2:
            of = f"class {label_of(estimator.classes_[1])}"
        return cls(curves=curves, brier_scores=brier_scores, of=of).plot(ax=ax)

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
        # The diagonal, on which probabilities are what they say.
        ax.plot([0, 1], [0, 1], linestyle=":", color=GREY)
        styles = _STYLES[-len(self.curves) :]
        self.lines_, self.intervals_ = [], []
        for (name, (mean, share, n_rows)), style in zip(
            self.curves.items(), styles, strict=True
        ):
            label = f"{name} (Brier score {self.brier_scores[name]:.3f})"
            self.lines_ += ax.plot(mean, share, markersize=5, label=label, **style)
            ends = _interval(share, n_rows)
            self.intervals_.append(
                ax.vlines(mean, *ends, color=style["color"], alpha=0.4, linewidth=1.5)
            )
        ax.set_xlabel(as_is(f"mean probability of {self.of}"))
        ax.set_ylabel("share of rows of which it is so")
        add_legend(ax, 1)
        return self


def _count_rows(probability, n_bins):
    """Return how many rows are in each bin of `calibration_curve`, if any."""
    # To the last bit as there: rows may lie on an edge.
    edges = np.percentile(probability, np.linspace(0, 1, n_bins + 1) * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], probability))
    return counts[counts > 0]


def _interval(share, n_rows):
    """Return the ends of Wilson's intervals."""
    shrink = 1 + _Z**2 / n_rows
    middle = (share + _Z**2 / (2 * n_rows)) / shrink
    variance = share * (1 - share) / n_rows + (_Z / (2 * n_rows)) ** 2
    half = _Z * np.sqrt(variance) / shrink
    return middle - half, middle + half


def _check_probabilities(estimator):
    if not estimator.refit:
        raise ValueError(
            "estimator must predict, got one that was fitted with refit=False. Set "
            "refit=True."
        )
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"estimator must predict probabilities, got one whose best estimator has "
            f"no predict_proba: {estimator.best_estimator_!r}. Put it inside a "
            f"CalibratedClassifierCV."
        )


def _check_classes(y, classes):
    unknown = sorted(set(y.tolist()).difference(classes.tolist()), key=str)
    if unknown:
        raise ValueError(
            f"y must hold the classes of the fit, {classes.tolist()}, got also: "
            f"{unknown}. Leave out these rows."
        )


def _find_predictors(estimator):
    """Return what predicts by its name; alone, the best candidate is all there is."""
    predictors = {"best candidate": estimator.best_estimator_}
    ensemble = getattr(estimator, "ensemble_", None)
    if ensemble is not None and len(ensemble.weights) > 1:
        predictors[f"ensemble of {len(ensemble.weights)}"] = ensemble
    return predictors


def _to_binary(y, probabilities, classes):
    """Return what is so, 0 or 1, and with which probability that was predicted."""
    if len(classes) == 2:
        return (y == classes[1]).astype(int), probabilities[:, 1]
    predicted = classes[probabilities.argmax(axis=1)]
    return (y == predicted).astype(int), probabilities.max(axis=1)
