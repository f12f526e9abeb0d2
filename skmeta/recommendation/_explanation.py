"""Say what a recommendation rests on."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from skmeta._configuration import write_candidate
from skmeta._html import page, section, sentence, table
from skmeta._messages import shorten, wrap

_N_SIMILAR = 8
_N_DRIVERS = 6
_INTERVAL = (0.1, 0.9)
_NUMBERS = ("expected", "low", "high", "loss", "loss_alike", "observed")

_fit_column = partial(shorten, width=20)

_HEADERS = {
    "n_rows": "rows",
    "n_features": "columns",
    "best_score": "its score",
    "score": "this one",
}

_SHOWN = ["weight", "n_rows", "n_features", "best", "best_score", "score"]

# Of which narrow terminals leave out the middle.
_SIMILAR = [
    "weight", "score", "best", "family", "n_features", "n_classes", "n_rows",
    "best_score",
]  # fmt: skip

# What a table may become, and what that does to its meta-features.
_CHANGES = {
    "10 times the rows": {"nr_inst": 10, "attr_to_inst": 0.1, "inst_to_attr": 10},
    "a tenth of the rows": {"nr_inst": 0.1, "attr_to_inst": 10, "inst_to_attr": 0.1},
    "10 times the columns": {"nr_attr": 10, "attr_to_inst": 10, "inst_to_attr": 0.1},
}


_BY_SECONDS = (
    " With a time budget that comes first which gains most for its seconds, and not "
    "what is expected to be the best in the end."
)


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a configuration is the first to be tried; `print` shows it as text.

    Parameters
    ----------
    configuration : Configuration
        The one recommended first.
    metric : str
        Stored metric that all scores are by; greater is better.
    reason : str
        What the recommendation rests on, and whether seconds count.
    fell_back : bool
        Whether nothing similar is known.
    expected, low, high : float
        Weighted mean of its scores on the known tasks, and the quantiles that eight
        tenths of them lie between.
    loss, loss_alike : float
        Weighted mean of its `portfolio_loss` on the known tasks, which is what it was
        chosen by (0 where it is the best of all, 1 where it is far from that), and the
        mean if all known tasks counted alike.
    observed : float
        What it scored; NaN if that is not known.
    similar : DataFrame
        The most similar known tasks, by name, none if all count alike: ``weight``, the
        ``score`` of the configuration recommended, NaN if it was not tried, the learner
        that is ``best`` of what was tried there, ``family``, ``n_features``,
        ``n_classes``, ``n_rows``, and the ``best_score``.
    drivers : DataFrame
        Meta-features, by name: ``value``, the ``usual`` one (the median of the known
        tasks), and ``contribution``: what it adds to the loss. They
        sum to ``loss - loss_alike``. Empty if similar tasks are
        not found by trees, or there are none.
    changes : DataFrame
        What would come first if the table changed, by the change: ``learner``,
        ``hyperparameters``, and ``is_other``.
    """

    configuration: object
    metric: str
    reason: str
    fell_back: bool
    expected: float
    low: float
    high: float
    loss: float
    loss_alike: float
    observed: float
    similar: pd.DataFrame
    drivers: pd.DataFrame
    changes: pd.DataFrame

    def to_dict(self):
        """Return all of it as what JSON can hold.

        Returns
        -------
        values : dict
            NaN becomes None.
        """
        values = {
            "configuration": self.configuration.to_dict(),
            "metric": self.metric,
            "reason": self.reason,
            "fell_back": bool(self.fell_back),
        }
        for name in _NUMBERS:
            value = float(getattr(self, name))
            values[name] = value if np.isfinite(value) else None
        for name in ("similar", "drivers", "changes"):
            frame = getattr(self, name)
            frame = frame.astype(object).where(frame.notna(), None)
            values[name] = frame.reset_index().to_dict("records")
        return values

    def __str__(self):
        parts = [wrap(self._describe_score()), wrap(self.reason)]
        if len(self.similar):
            # In 80 columns, of which names take most.
            shown = self._shown_similar().drop(columns="columns")
            shown = shown.rename(index=_fit_column).rename_axis(None)
            shown["best"] = shown["best"].map(_fit_column)
            parts.append(_indent(shown.to_string(float_format="{:.3f}".format)))
        if len(self.drivers):
            drivers = self.drivers[:_N_DRIVERS].rename_axis(None)
            parts.append(wrap(self._describe_loss()))
            parts.append(_indent(drivers.to_string(float_format="{:.4g}".format)))
        others = self.changes[self.changes["is_other"]]
        for change, row in others.iterrows():
            other = write_candidate(row["learner"], row["hyperparameters"])
            parts.append(wrap(f"With {change}, first would come {other}."))
        same = self.changes.index[~self.changes["is_other"].to_numpy(bool)]
        if len(same):
            parts.append(
                wrap(f"Also with {', '.join(same)}, first would come {self._first}.")
            )
        return "\n\n".join(parts)

    def _repr_html_(self):
        parts = [sentence(self._describe_score()), sentence(self.reason)]
        if len(self.similar):
            parts.append(table(self._shown_similar()))
        if len(self.drivers):
            parts += [sentence(self._describe_loss()), table(self.drivers)]
        changes = self.changes.assign(
            first=np.where(self.changes["is_other"], "another", "the same")
        ).drop(columns="is_other")
        parts.append(
            section("What would come first if the table changed", table(changes))
        )
        return page(*parts)

    def _shown_similar(self):
        return self.similar[_SHOWN].rename(columns=_HEADERS)

    def _describe_loss(self):
        return (
            f"Its mean loss on the known tasks, from 0 where it is the best to 1 where "
            f"it is far from that, is {self.loss:.3f}; {self.loss_alike:.3f} if all of "
            f"them counted alike. What adds most to it, or takes from it:"
        )

    @property
    def _first(self):
        first = self.configuration
        return write_candidate(first.learner, first.hyperparameters)

    def _describe_score(self):
        # What it was elsewhere: this table may be harder than all that are like it.
        line = (
            f"First comes {self._first}. On known tasks, of which similar ones count "
            f"more, its {self.metric} was {self.expected:.3f} in the mean, and in "
            f"eight of ten cases from {self.low:.3f} to {self.high:.3f}."
        )
        if not np.isfinite(self.observed):
            return line
        verdict = "within that range"
        if not self.low <= self.observed <= self.high:
            verdict = f"{'more' if self.observed > self.high else 'less'} than that"
        return f"{line} Here it was {self.observed:.3f}, {verdict}."


def _indent(text):
    return "\n".join(f"  {line}" for line in text.splitlines())


@dataclass(frozen=True, eq=False)
class Basis:
    """What a recommendation was made from, so that it can be explained later.

    Parameters
    ----------
    recommender : Recommender
        Fitted.
    meta_features : mapping of str to float
        Of the task.
    per_second, n_rows
        As given to `Recommender.recommend`.
    """

    recommender: object
    meta_features: object
    per_second: bool
    n_rows: int | None

    def explain(self, recommendation):
        """Return why a configuration is the first, None if it is not a known one."""
        known = self.recommender
        if not set(recommendation.configurations[:1]) & set(known.configurations_):
            return None
        first = recommendation.configurations[0]
        column = known.configurations_.index(first)
        weights = recommendation.task_weights.reindex(known.tasks_.index).to_numpy()
        scores = known.scores_[:, column]
        exists = ~np.isnan(scores)
        low, high = _quantiles(scores[exists], weights[exists])
        losses = known.loss_[:, column]
        drivers = self._find_drivers(losses)
        return Explanation(
            configuration=first,
            metric=recommendation.metric,
            reason=recommendation.reason + (_BY_SECONDS if self.per_second else ""),
            fell_back=recommendation.fell_back,
            expected=np.average(scores[exists], weights=weights[exists]),
            low=low,
            high=high,
            loss=weights @ losses,
            loss_alike=known.task_weights_ @ losses,
            observed=np.nan,
            similar=self._find_similar(weights, column),
            drivers=drivers,
            changes=self._find_changes(first, drivers),
        )

    def _find_similar(self, weights, column):
        known = self.recommender
        order = np.argsort(-weights, kind="stable")[:_N_SIMILAR]
        order = order[weights[order] > known.task_weights_[order]]
        # What was there is told, and not what may have been.
        all_scores = np.where(known.is_tried_, known.scores_, -np.inf)[order]
        best = all_scores.argmax(axis=1)
        sizes = known.tasks_[["family", "n_rows", "n_features", "n_classes"]]
        similar = sizes.iloc[order].copy()
        similar.insert(0, "weight", weights[order])
        similar["best"] = [known.configurations_[i].learner for i in best]
        similar["best_score"] = all_scores.max(axis=1, initial=-np.inf)
        scores = np.where(known.is_tried_, known.scores_, np.nan)
        similar["score"] = scores[order, column]
        return similar[_SIMILAR]

    def _find_drivers(self, losses):
        contribution = self.recommender.attribute(self.meta_features, losses)
        drivers = pd.DataFrame(
            {
                "value": [self.meta_features[name] for name in contribution.index],
                "usual": self.recommender.meta_features_[contribution.index].median(),
                "contribution": contribution,
            }
        )
        order = contribution.abs().sort_values(ascending=False, kind="stable").index
        return drivers.loc[order].rename_axis("meta_feature")

    def _find_changes(self, first, drivers):
        changed = {
            change: {
                name: self.meta_features[name] * factor
                for name, factor in factors.items()
                if name in self.meta_features
            }
            for change, factors in _CHANGES.items()
        }
        if len(drivers):
            name = drivers.index[0]
            changed[f"a usual {name}"] = {name: drivers.loc[name, "usual"]}
        rows = {}
        for change, values in changed.items():
            n_rows = self.n_rows
            if n_rows is not None and "nr_inst" in values:
                n_rows = round(
                    n_rows * values["nr_inst"] / self.meta_features["nr_inst"]
                )
            [other] = self.recommender.recommend(
                dict(self.meta_features) | values,
                n_configurations=1,
                per_second=self.per_second,
                n_rows=n_rows,
            ).configurations
            rows[change] = {
                "learner": other.learner,
                "hyperparameters": dict(other.hyperparameters),
                "is_other": other != first,
            }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        return frame.rename_axis("change")


@dataclass(frozen=True, eq=False)
class Explained:
    """The basis of a recommendation that was explained once and for all.

    Parameters
    ----------
    explanation : Explanation or None
    """

    explanation: Explanation | None

    def explain(self, recommendation):
        """Return the explanation."""
        return self.explanation


def _quantiles(values, weights):
    order = np.argsort(values)
    # Each value stands for the middle of its weight.
    levels = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp(_INTERVAL, levels / weights.sum(), values[order])
