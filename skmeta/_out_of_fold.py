"""What predictions for rows that a model has not seen are used for."""

import time
from copy import copy
from functools import cached_property

import numpy as np

from skmeta._decision import (
    EXPONENTS,
    LOG_WEIGHTS,
    START,
    best_exponent,
    score_exponents,
    tuned_scores,
)
from skmeta._ensemble import greedy_ensemble
from skmeta._evaluation import (
    Prediction,
    asks_for_predictions_only,
    score_prediction,
)
from skmeta._honesty import N_BLOCKS, deal_out, jackknife_interval, make_parts
from skmeta._limits import OutOfTime
from skmeta._workers import calm
from skmeta.knowledge._scoring import score_folds


class OutOfFold:
    """Rows that are predicted out of fold, and what is learned from them.

    Scores of candidates, weights of the members of an ensemble, and weights of
    the classes.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Classes of all rows.
    splits : list of (train, test)
        Row numbers; empty if there is no cross-validation.
    scorer : callable
        ``scorer(estimator, X, y)``, greater is better.
    metric : str
        The stored metric nearest to it.
    is_exact : bool
        Whether they are the same.
    score_params : dict
        Given to the scorer.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are not independent of each other.
    encoded : pair of ndarray of shape (n_classes,) and (n_rows,), default=None
        What ``np.unique(y, return_inverse=True)`` returns, where it is known: to
        sort long columns of strings takes time.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        All classes, sorted.
    """

    def __init__(
        self,
        y,
        splits,
        scorer,
        metric,
        is_exact,
        score_params,
        sample_weight,
        groups=None,
        encoded=None,
    ):
        if encoded is None:
            encoded = np.unique(y, return_inverse=True)
        self.classes, self._codes = encoded
        self._y = y
        self._scorer, self._score_params = scorer, score_params
        self._metric, self._is_exact = metric, is_exact
        self._sample_weight, self._groups = sample_weight, groups
        self._use(splits)

    def on_splits(self, splits):
        """Return the same with other splits.

        Parameters
        ----------
        splits : list of (train, test)
            Row numbers.

        Returns
        -------
        out_of_fold : OutOfFold
        """
        other = copy(self)
        other._use(splits)
        return other

    def _use(self, splits):
        self._splits = splits
        for name in ("_parts", "seconds_to_be_honest"):
            self.__dict__.pop(name, None)
        tests = [test for _, test in splits]
        self._tested = np.concatenate(tests) if tests else np.empty(0, dtype=np.int64)
        # Rare classes may have no part in the splits.
        self._present, y_tested = np.unique(
            self._codes[self._tested], return_inverse=True
        )
        self._y_tested = y_tested.ravel()
        self._fold_of = np.repeat(np.arange(len(tests)), [len(test) for test in tests])

    @property
    def weighs_classes(self):
        """Whether labels gain by weights on the classes."""
        return self._metric in START and START[self._metric] > 0

    @property
    def judge(self):
        """How a candidate with all its splits is scored: None is by the scorer.

        What moves the threshold for the metric anyway must not look better than
        what has the better probabilities.
        """
        if not (self._is_exact and self.weighs_classes):
            return None
        if len(self._splits) < 2 or self._score_params:
            return None
        return self._tuned_scores

    @property
    def start(self):
        """Weights of the classes for the labels of a single split, or None."""
        if not (self._is_exact and self.weighs_classes and self._splits):
            return None
        return self._class_weights(START[self._metric])

    def stored_scores(self, probabilities):
        """Score by the metrics that knowledge bases store.

        Parameters
        ----------
        probabilities : list of ndarray
            Of a candidate, for each split.

        Returns
        -------
        scores : dict of str to list of float
            One for each split. Empty where they cannot be found: with a single split,
            or one without rows of some class.
        """
        probabilities = self._of_present(np.concatenate(probabilities))
        try:
            with calm():
                return score_folds(self._y_tested, self._fold_of, probabilities)
        except ValueError:
            return {}

    def _tuned_scores(self, probabilities):
        probabilities = np.concatenate(probabilities)[:, self._present]
        scores = tuned_scores(self._y_tested, self._fold_of, probabilities)
        return scores[f"{self._metric}_tuned"]

    def _of_present(self, probabilities):
        """Return those of the classes that are tested."""
        if len(self._present) == len(self.classes):
            return probabilities
        probabilities = probabilities[:, self._present]
        # Metrics of several classes want probabilities that sum to one.
        total = probabilities.sum(axis=1, keepdims=True)
        return probabilities / np.where(total > 0, total, 1)

    def _score(self, rows, probabilities, class_weights):
        return score_prediction(
            self._scorer,
            Prediction(
                self.classes[self._present],
                self._of_present(probabilities),
                class_weights[..., self._present],
            ),
            self._y,
            rows,
            self._score_params,
        )

    def weigh_members(self, probabilities, max_members, best, shares=None):
        """Choose the members of an ensemble.

        Parameters
        ----------
        probabilities : sequence of (list of ndarray or None)
            Of `Evaluations`.
        max_members : int
            Most candidates with a weight.
        best : int
            The candidate that is a member in any case.
        shares : ndarray of shape (n_candidates, n_limits), default=None
            The part of each limit that a candidate takes.

        Returns
        -------
        weights : dict of int to float
            Of candidates, the best one first.
        """
        if not self._splits:
            return {best: 1.0}
        usable = [i for i, values in enumerate(probabilities) if values is not None]
        stack = np.stack([np.concatenate(probabilities[i]) for i in usable])
        weights = greedy_ensemble(
            stack,
            self._codes[self._tested],
            max_members,
            first=usable.index(best),
            sample_weight=self._weights_of_tested(),
            shares=None if shares is None else shares[usable],
        )
        chosen = {usable[i]: weights[i] for i in np.flatnonzero(weights)}
        order = sorted(chosen, key=lambda i: (i != best, -chosen[i], i))
        return {i: chosen[i] for i in order}

    def mean(self, probabilities, weights):
        """Return the weighted mean of what members predict.

        Parameters
        ----------
        probabilities : sequence of (list of ndarray or None)
            Of `Evaluations`.
        weights : dict of int to float
            Of the members; they sum to 1.

        Returns
        -------
        mean : ndarray of shape (n_tested, n_classes) or None
            None without cross-validation.
        """
        if not self._splits or any(probabilities[i] is None for i in weights):
            return None
        return sum(w * np.concatenate(probabilities[i]) for i, w in weights.items())

    def _weights_of_tested(self):
        if self._sample_weight is None:
            return None
        weights = self._sample_weight[self._tested]
        return weights if weights.any() else None

    def weigh_classes(self, probabilities):
        """Choose weights of the classes for labels.

        Parameters
        ----------
        probabilities : ndarray of shape (n_tested, n_classes) or None
            Of the final classifier, out of fold; None if there are none.

        Returns
        -------
        class_weights : ndarray of shape (n_classes,) or None
            None where the most probable class is the label.
        """
        if not self.weighs_classes:
            return None
        start = START[self._metric] if self._is_exact else 0.0
        exponent = start
        if probabilities is not None:
            scores = self._scores_of_exponents(probabilities)
            if scores is None:
                return None
            scale = np.abs(self._exponents).max() if self._is_free else 1.0
            best = best_exponent(
                scores, start, len(self._tested), self._exponents / scale
            )
            exponent = self._exponents[best]
        return None if exponent == 0 else self._class_weights(exponent)

    def _scores_of_exponents(self, probabilities):
        """Score the labels of each weighting; None if the metric is not of labels."""
        if self._is_exact and not self._score_params:
            present = probabilities[:, self._present]
            return score_exponents(present, self._y_tested)[self._metric]
        if not asks_for_predictions_only(self._scorer):
            return None
        try:
            scores = np.array(
                [
                    self._score(
                        self._tested, probabilities, self._class_weights(exponent)
                    )
                    for exponent in self._exponents
                ]
            )
        except Exception:  # candidates were scored fold by fold, which may have gone
            return None
        if not np.isfinite(scores).all() or np.ptp(scores) == 0:
            return None
        # In units of the best, since how they are shrunk is made for accuracies.
        return scores / np.abs(scores).max()

    @property
    def _is_free(self):
        """Whether nobody knows which of two classes the metric cares for."""
        return not self._is_exact and len(self.classes) == 2

    @property
    def _exponents(self):
        return LOG_WEIGHTS if self._is_free else EXPONENTS

    def _class_weights(self, exponent):
        """Return one over the shares of the classes, to a power; at most 1.

        A class that was never tested weighs no more than the rarest that was. Where
        it is free, the exponent is the logarithm of the weight of the second class.
        """
        if self._is_free:
            return np.exp([-max(exponent, 0.0), min(exponent, 0.0)])
        weights = self._sample_weight
        shares = np.bincount(self._codes, weights, minlength=len(self.classes))
        if len(self._tested):
            shares = np.maximum(shares, shares[self._present].min())
        shares = np.maximum(shares, shares[shares > 0].min())
        return (shares / shares.min()) ** -exponent

    def choose_without_each(
        self, parts, scores, probabilities, max_members, shares=None
    ):
        """Predict the rows of each part by what all other rows choose.

        The whole choice is made anew for each part: the best candidate, the
        members and the weights of the classes. So nothing flatters the part.

        Parameters
        ----------
        parts : ndarray of int of shape (n_tested,)
            From `make_parts`, at least two.
        scores : ndarray of shape (n_candidates, n_splits)
            Of candidates; greater is better.
        probabilities : sequence of (list of ndarray or None)
            Of candidates; None is never chosen.
        max_members : int
            Most candidates with a weight.
        shares : ndarray of shape (n_candidates, n_limits), default=None
            The part of each limit that a candidate takes.

        Returns
        -------
        mean : ndarray of shape (n_tested, n_classes)
            Weighted mean of what the members predict.
        class_weights : ndarray of shape (n_tested, n_classes)
            What it is multiplied by for labels.
        """
        stacks = [None if p is None else np.concatenate(p) for p in probabilities]
        mean = np.empty((len(parts), len(self.classes)))
        class_weights = np.ones_like(mean)
        for part in range(parts.max() + 1):
            own = parts == part
            others = self._only(~own)
            kept = [None if values is None else [values[~own]] for values in stacks]
            best = self._best_without(own, others, scores, kept)
            members = others.weigh_members(kept, max_members, best, shares)
            weights = others.weigh_classes(others.mean(kept, members))
            mean[own] = sum(w * stacks[i][own] for i, w in members.items())
            if weights is not None:
                class_weights[own] = weights
        return mean, class_weights

    def _only(self, kept):
        """Return the same with a part of the tested rows."""
        tests = [
            test[kept[self._fold_of == fold]]
            for fold, (_, test) in enumerate(self._splits)
        ]
        return self.on_splits(
            [
                (train, test)
                for (train, _), test in zip(self._splits, tests, strict=True)
                if len(test)
            ]
        )

    def _best_without(self, left_out, others, scores, probabilities):
        """Return the best candidate by the rows that are not left out."""
        n_splits = len(self._splits)
        sizes = np.bincount(self._fold_of, minlength=n_splits)
        n_left_out = np.bincount(self._fold_of[left_out], minlength=n_splits)
        if np.all((n_left_out == 0) | (n_left_out == sizes)):
            means = scores[:, n_left_out == 0].mean(axis=1)
        else:
            exponent = START[self._metric] if self.start is not None else 0.0
            class_weights = self._class_weights(exponent)
            means = [
                np.nan
                if values is None
                else others._score(others._tested, values[0], class_weights)
                for values in probabilities
            ]
        failed = [values is None for values in probabilities]
        return int(np.nanargmax(np.where(failed, np.nan, means)))

    def honest_score(
        self, scores, probabilities, max_members, shares=None, n_parts=None
    ):
        """Estimate the score of the final classifier.

        Parameters
        ----------
        scores, probabilities, max_members, shares
            Of `choose_without_each`.
        n_parts : int, default=None
            In how many parts to divide the rows at most: two take less time, and leave
            the choice fewer rows. None is those of `make_parts`.

        Returns
        -------
        score : float
            Mean over splits. NaN where the rows cannot be divided, where the metric
            is not defined on a part of them, or where the scorer is a function of
            the user's, which may need more than predictions.
        chosen : pair of ndarray or None
            From `choose_without_each`, for `honest_interval`.
        """
        if not self._can_be_honest:
            return np.nan, None
        parts = self._parts if n_parts is None else self._parts % n_parts
        try:
            chosen = self.choose_without_each(
                parts, scores, probabilities, max_members, shares
            )
            is_any = np.ones(len(parts), dtype=bool)
            return self._mean_score(is_any, *chosen), chosen
        except Exception:  # a metric may not be defined on some of the rows
            return np.nan, None

    def honest_interval(self, score, chosen):
        """Say how sure an honest score is.

        Parameters
        ----------
        score, chosen
            From `honest_score`.

        Returns
        -------
        interval : ndarray of shape (2,)
            With 95 % confidence, and no better than perfect predictions; NaN without a
            score, where the metric needs all of the rows, and where a `time_limit`
            around has left no time for it.
        """
        unknown = np.full(2, np.nan)
        if chosen is None:
            return unknown
        # How often each class comes is chance, too. But without some of the rows, all
        # of a class may be gone, which not every metric takes.
        for each_class_stays in (False, True):
            try:
                blocks = self._deal_into_blocks(each_class_stays)
                without = [
                    self._mean_score(blocks != b, *chosen)
                    for b in np.unique(blocks[blocks >= 0])
                ]
                best = self._score_of_perfect_predictions()
            except OutOfTime:
                return unknown
            except Exception:
                continue
            if len(without) > 1 and np.isfinite(without).all():
                interval = jackknife_interval(score, without)
                return np.minimum(interval, max(best, score))
        return unknown

    def _deal_into_blocks(self, each_class_stays):
        """Return the block of each tested row, -1 for those that are never left out.

        If so wanted, each split keeps all its classes whatever block is left out.
        """
        codes = self._codes if each_class_stays else np.zeros_like(self._codes)
        blocks = deal_out(self._tested, N_BLOCKS, codes, self._groups)
        if each_class_stays:
            cell = self._fold_of * len(self.classes) + self._codes[self._tested]
            pairs = cell * N_BLOCKS + blocks
            stand_alone = np.bincount(pairs)[pairs] == np.bincount(cell)[cell]
            blocks = np.where(stand_alone, -1, blocks)
        return blocks

    def _score_of_perfect_predictions(self):
        right = np.eye(len(self.classes))[self._codes[self._tested]]
        is_any = np.ones(len(right), dtype=bool)
        return self._mean_score(is_any, right, np.ones_like(right))

    @cached_property
    def _parts(self):
        tests = [test for _, test in self._splits]
        return make_parts(tests, self._codes, self._groups)

    @property
    def _can_be_honest(self):
        is_divided = self._parts.max(initial=0) > 0
        return is_divided and asks_for_predictions_only(self._scorer)

    @cached_property
    def seconds_to_be_honest(self):
        """What both will about take, by how long the scorer does once."""
        if not self._can_be_honest:
            return 0.0
        n_classes, n_parts = len(self.classes), self._parts.max() + 1
        probabilities = np.full((len(self._tested), n_classes), 1 / n_classes)
        start = time.perf_counter()
        try:
            self._score(self._tested, probabilities, np.ones(n_classes))
        except Exception:  # it needs classes that some rows lack, or more than one
            return 0.0
        seconds = time.perf_counter() - start
        n_scores = len(self._splits) * (1 + N_BLOCKS)
        if self.weighs_classes and (not self._is_exact or self._score_params):
            n_scores += (1 + n_parts) * len(self._exponents)
        return seconds * n_scores

    def _mean_score(self, kept, probabilities, class_weights):
        """Score the rows that are kept, split by split."""
        scores = []
        for fold in range(len(self._splits)):
            own = kept & (self._fold_of == fold)
            if own.any():
                rows = self._tested[own]
                scores.append(self._score(rows, probabilities[own], class_weights[own]))
        return float(np.mean(scores))
