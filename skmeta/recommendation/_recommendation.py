from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from skmeta._configuration import write_candidate
from skmeta._html import page, recommendation_html
from skmeta._messages import wrap
from skmeta.recommendation._explanation import Basis, Explained

# What is printed of a recommendation fits on a screen.
_N_LINES = 16
_TWO_SCALES = (
    "What is expected is the mean on known tasks, which may be easier or harder than "
    "this one; for what was recommended after others had been tried, it follows from "
    "their scores here."
)


@dataclass(frozen=True, eq=False)
class Recommendation:
    """Configurations in the order to try them, and why.

    Parameters
    ----------
    configurations : tuple of Configuration
        The first one is the one to try first.
    expected_scores : ndarray of shape (n_configurations,)
        Mean of their scores on the known tasks, weighted by `task_weights`, and for
        those recommended after others were tried, given what these scored. NaN
        where nothing is known.
    expected_seconds : ndarray of shape (n_configurations,)
        To fit one fold and to predict the rest, on one core; NaN where nothing is
        known.
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
    observed_scores : ndarray of shape (n_configurations,), default=None
        What they scored, if they were tried; NaN where not.
    basis : Basis or Explained, default=None
        What `explain` looks at.
    """

    configurations: tuple
    expected_scores: np.ndarray
    expected_seconds: np.ndarray
    task_weights: pd.Series
    metric: str
    recommender: str
    fell_back: bool = False
    reason: str = ""
    observed_scores: np.ndarray | None = None
    basis: Basis | Explained | None = field(default=None, repr=False)

    @classmethod
    def none(cls):
        """Return what there is if nothing could be recommended."""
        nothing = np.empty(0)
        weights = pd.Series(nothing, name="weight")
        return cls((), nothing, nothing, weights, metric="", recommender="nobody")

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
        return self.take(slice(n_configurations))

    def take(self, positions):
        """Return a recommendation of some of the configurations.

        Parameters
        ----------
        positions : sequence of int or slice
            Which of them, and in which order.

        Returns
        -------
        recommendation : Recommendation
        """
        positions = np.arange(len(self.configurations))[positions]
        observed = self.observed_scores
        return replace(
            self,
            observed_scores=None if observed is None else observed[positions],
            configurations=tuple(self.configurations[i] for i in positions),
            expected_scores=self.expected_scores[positions],
            expected_seconds=self.expected_seconds[positions],
        )

    def followed_by(self, later):
        """Return a recommendation with the configurations of a later one after these.

        Parameters
        ----------
        later : Recommendation
            Made when these had been tried.

        Returns
        -------
        recommendation : Recommendation
        """
        return replace(
            self,
            configurations=self.configurations + later.configurations,
            expected_scores=np.concatenate(
                [self.expected_scores, later.expected_scores]
            ),
            expected_seconds=np.concatenate(
                [self.expected_seconds, later.expected_seconds]
            ),
        )

    def explain(self):
        """Say why the first configuration comes first.

        Returns
        -------
        explanation : Explanation
            `print` shows it as text; it has the most similar known tasks, the
            meta-features that made them so, and what would come first if the table
            were another.

        Raises
        ------
        ValueError
            If it is not known what it rests on: nothing was recommended, or it was
            read from a log.
        """
        explanation = None if self.basis is None else self.basis.explain(self)
        if explanation is None and (self.basis is not None or not self.metric):
            raise ValueError(
                "There is nothing to explain: time_budget ran out, or the fit was "
                "interrupted, before anything was recommended and tried. Give it a "
                "longer time_budget and fit again."
            )
        if explanation is None:
            raise ValueError(
                "A recommendation can be explained that a Recommender has made, "
                "got one that was read from a log."
            )
        if self.observed_scores is not None:
            explanation = replace(explanation, observed=self.observed_scores[0])
        return explanation

    def __getstate__(self):
        # The recommender is many times the size of what it says. One of the user's may
        # fail to say it, which must not keep a classifier from being saved.
        basis = None
        with suppress(Exception):
            basis = self.basis and Explained(self.basis.explain(self))
        return self.__dict__ | {"basis": basis}

    def to_frame(self):
        """Return the configurations as a DataFrame, a row for each.

        Returns
        -------
        frame : DataFrame
            With the columns ``learner``, ``hyperparameters``,
            ``expected_seconds`` and ``expected_score``.
        """
        return pd.DataFrame(
            {
                # What is wide is in the middle, which narrow terminals leave out.
                "learner": [c.learner for c in self.configurations],
                "hyperparameters": [
                    dict(c.hyperparameters) for c in self.configurations
                ],
                "expected_seconds": self.expected_seconds,
                "expected_score": self.expected_scores,
            },
            index=pd.RangeIndex(1, len(self.configurations) + 1, name="order"),
        )

    def _repr_html_(self):
        return page(recommendation_html(self))

    def __str__(self):
        why = f"Recommended by {self.recommender} for {self.metric}. {self.reason}"
        lines = [wrap(why if self.metric else "Nothing was recommended.")]
        shown = self.configurations[:_N_LINES]
        observed = self.observed_scores
        if observed is None:
            observed = np.full(len(self.configurations), np.nan)
        if np.isfinite(observed).any():
            lines.append(wrap(_TWO_SCALES))
        for order, (configuration, expected, scored) in enumerate(
            zip(shown, self.expected_scores, observed, strict=False), start=1
        ):
            candidate = write_candidate(
                configuration.learner, configuration.hyperparameters
            )
            score = "unknown" if np.isnan(expected) else f"{expected:7.3f}"
            if np.isfinite(scored):
                score += f", here {scored:.3f}"
            lines.append(wrap(candidate, f"{order:3d}. expected {score}  "))
        n_more = len(self.configurations) - len(shown)
        if n_more > 0:
            lines.append(f"and {n_more} more, which to_frame() shows.")
        return "\n".join(lines)
