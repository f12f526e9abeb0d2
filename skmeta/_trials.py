"""The task of one search, and the candidates that were tried on it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from skmeta._base_learners import TaskSize, get_learner
from skmeta._evaluation import Evaluations, Work, take_rows
from skmeta._footprint import FootprintLimit
from skmeta._messages import error_line
from skmeta._out_of_fold import OutOfFold
from skmeta._schedule import Schedule
from skmeta._splits import stratified_sample
from skmeta._workers import Workers, calm
from skmeta.recommendation import Observation, Recommendation

# The time of a fit grows with the rows to this power; that of kernels, and of what
# else is one long call, by the larger one.
_GROWTH = 1.1
_LARGEST_GROWTH = 2.0

# Bytes of the models of the splits that are kept in case there is no time to fit on
# all rows; larger ones would take long on their way from another process.
_LARGEST_MODEL = 2**24

# Candidates that may be tried in vain on few rows.
_PATIENCE = 8
_FEW_ROWS = 200

# Normal quantile for one case in a hundred.
_QUANTILE = 2.33


@dataclass(frozen=True)
class Task:
    """What is searched on, and in what time.

    Parameters
    ----------
    X, y : table and ndarray
        All rows and their classes.
    n_rows : int
        How many rows take part in the splits.
    seed : int, default=0
        Of everything random.
    splits : list of (train, test), default=()
        Row numbers; empty if candidates are not compared.
    split_params : dict, optional
        Given to what makes the splits: groups.
    log : dict, default=None
        Of an earlier search, to be repeated.
    reporter : Reporter, default=None
        Is told of each candidate.
    scorer : callable, default=None
        ``scorer(estimator, X, y)`` gives a float, greater is better.
    fit_params, score_params : dict, optional
        Given to ``fit`` and to the scorer.
    schedule : Schedule, optional
        The time that is left; without limit by default.
    make : callable, default=None
        ``make(configuration)`` returns the parameters of a candidate and itself.
    workers : Workers, optional
        Who does it.
    memory_limit : float, default=None
        Megabytes that a fit may take.
    footprint_limit : FootprintLimit, optional
        What a fitted model may take; without limit by default.
    out_of_fold : OutOfFold or None, default=None
        What is learned from probabilities, if they are kept.
    text_seconds : float, default=0.0
        That the texts of all rows take in a fit which is the first one.
    most_splits : int, default=5
        Of those that the user did not choose.
    classes, codes : ndarray of shape (n_classes,) and (n_rows,), optional
        The classes, sorted, and the number of that of each row. Found once: to sort
        half a million strings takes a third of a second.
    """

    X: object
    y: np.ndarray
    n_rows: int
    seed: int = 0
    splits: list = ()
    split_params: dict = field(default_factory=dict)
    log: dict | None = None
    reporter: Callable | None = None
    scorer: Callable | None = None
    fit_params: dict = field(default_factory=dict)
    score_params: dict = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)
    make: Callable | None = None
    workers: Workers = field(default_factory=Workers)
    memory_limit: float | None = None
    footprint_limit: FootprintLimit = field(default_factory=FootprintLimit)
    out_of_fold: OutOfFold | None = None
    text_seconds: float = 0.0
    most_splits: int = 5
    classes: np.ndarray | None = None
    codes: np.ndarray | None = None

    def __post_init__(self):
        if self.codes is None:
            classes, codes = np.unique(self.y, return_inverse=True)
            object.__setattr__(self, "classes", classes)
            object.__setattr__(self, "codes", codes)

    @property
    def size(self):
        """How large a fit on all rows is."""
        return TaskSize(len(self.y), self.X.shape[1], len(self.classes))

    @cached_property
    def work(self):
        """What the evaluations of all candidates have in common."""
        out_of_fold = self.out_of_fold
        largest_model = _LARGEST_MODEL if self.schedule.is_limited else 0
        return Work(
            self.X,
            self.y,
            self.splits,
            self.scorer,
            self.fit_params,
            self.score_params,
            classes=None if out_of_fold is None else out_of_fold.classes,
            class_weights=None if out_of_fold is None else out_of_fold.start,
            memory_limit=self.memory_limit,
            largest_model=largest_model if self.log is None else np.inf,
            footprint_limit=self.footprint_limit,
        )

    def sample(self, n_rows):
        """Return a stratified sample of the rows.

        Parameters
        ----------
        n_rows : int

        Returns
        -------
        rows : ndarray of int, or None
            None if it is all of them.
        """
        if n_rows >= len(self.y):
            return None
        return stratified_sample(self.codes, n_rows, self.seed)

    def take(self, n_rows):
        """Return a stratified sample of the table.

        Parameters
        ----------
        n_rows : int

        Returns
        -------
        X, y : table and ndarray
        """
        rows = self.sample(n_rows)
        if rows is None:
            return self.X, self.y
        return take_rows(self.X, rows), self.y[rows]

    def can_stop(self, learner):
        """Say whether a fit of a base learner ends when its time does.

        Parameters
        ----------
        learner : str

        Returns
        -------
        answer : bool
        """
        return get_learner(learner).is_stoppable or self.workers.can_be_ended

    def excess(self, estimator):
        """Say what of a fitted model is too much, None if nothing is.

        Parameters
        ----------
        estimator : classifier

        Returns
        -------
        excess : str or None
        """
        if not self.footprint_limit:
            return None
        row = take_rows(self.X, np.array([0]))
        try:
            with calm():
                footprint = self.footprint_limit.measure(estimator, row)
        except Exception as error:
            return f"It cannot be measured: {type(error).__name__}: {error_line(error)}"
        return self.footprint_limit.excess(footprint)


class Trials:
    """Candidates in the order tried, and what came of them.

    Parameters
    ----------
    recommendation : Recommendation
        What may be tried.
    n_splits : int
        Of the task.

    Attributes
    ----------
    recommendation : Recommendation
        What was tried, and then what may be tried next.
    params : list of dict
        Of the candidates tried.
    candidates : list of estimators
        Unfitted.
    evaluations : Evaluations
        What came of them.
    """

    def __init__(self, recommendation, n_splits):
        self.recommendation = recommendation
        self.params, self.candidates = [], []
        self.evaluations = Evaluations.untested(0, n_splits)

    def __len__(self):
        return len(self.candidates)

    @property
    def n_left(self):
        """How many are recommended and were not tried."""
        return len(self.recommendation.configurations) - len(self)

    @property
    def tried(self):
        """The part of the recommendation that was tried."""
        return self.recommendation.first(len(self))

    @property
    def raised(self):
        """What candidates raised that did not fail for want of time."""
        errors = self.evaluations.errors
        return [each for each in errors if each is not None and "Traceback" in each]

    @property
    def all_failed_by_themselves(self):
        """Whether something was tried, and every candidate raised an error."""
        return 0 < len(self.evaluations.errors) == len(self.raised)

    def interrupt(self):
        """Note that the user ended it: what there is has to do."""
        self.evaluations = replace(self.evaluations, interrupted=True)

    def show_enough(self, n_rows):
        """Say whether the last candidates were many, and none of them was the best.

        The fewer rows, the sooner: the best of many on few rows is a lucky one. On 300
        rows and fewer, ensembles of the first eight were as good as of more; with more
        rows they went on gaining up to 48 (`benchmarks/n_candidates.py`).

        Parameters
        ----------
        n_rows : int
            That candidates are compared on.

        Returns
        -------
        answer : bool
        """
        if not len(self.complete):
            return len(self) >= _PATIENCE and self.all_failed_by_themselves
        n_since = len(self) - 1 - self.complete[0]
        growth = np.log10(max(n_rows, _FEW_ROWS) / _FEW_ROWS)
        return n_since >= _PATIENCE * (1 + 3 * growth)

    @property
    def complete(self):
        """Positions of the candidates with a score and no error, the best first."""
        means = self.evaluations.mean_scores
        has_failed = [error is not None for error in self.evaluations.errors]
        scored = np.flatnonzero(~np.isnan(means) & ~np.array(has_failed, dtype=bool))
        return scored[np.argsort(-means[scored], kind="stable")]

    def add(self, made, evaluations):
        """Add candidates that were tried.

        Parameters
        ----------
        made : list of (dict, estimator)
            Parameters and candidates; more than were tried do no harm.
        evaluations : Evaluations
            What came of them.
        """
        made = made[: len(evaluations.errors)]
        self.params += [params for params, _ in made]
        self.candidates += [candidate for _, candidate in made]
        self.evaluations = self.evaluations.followed_by(evaluations)

    def add_untested(self, configuration, params, candidate):
        """Add a candidate that nothing is known of.

        Parameters
        ----------
        configuration : Configuration
            What it stands for.
        params : dict
            Its parameters.
        candidate : estimator
            Unfitted.
        """
        tried = self.tried
        self.recommendation = replace(
            tried,
            configurations=(*tried.configurations, configuration),
            expected_scores=np.append(tried.expected_scores, np.nan),
            expected_seconds=np.append(tried.expected_seconds, np.nan),
        )
        n_splits = self.evaluations.scores.shape[1]
        self.add([(params, candidate)], Evaluations.untested(1, n_splits))

    def forget_models(self, n_kept):
        """Keep the models of the splits of the best few candidates only.

        Parameters
        ----------
        n_kept : int
        """
        kept = set(self.complete[:n_kept])
        models = tuple(
            each if index in kept else None
            for index, each in enumerate(self.evaluations.models)
        )
        self.evaluations = replace(self.evaluations, models=models)

    def plan_again(self, later):
        """Replace what may be tried next.

        Parameters
        ----------
        later : Recommendation
            Without what was tried.
        """
        self.recommendation = self.tried.followed_by(later)

    def expect(self, configurations, n_workers):
        """Return what may be tried next, with the seconds that its learners took.

        Parameters
        ----------
        configurations : list of Configuration
            Of which nothing is known.
        n_workers : int
            Of texts each has to encode its own.

        Returns
        -------
        later : Recommendation
        """
        taken = {}
        for each in self.observations():
            taken.setdefault(each.configuration.learner, []).append(each.seconds)
        seconds = [_mean(taken.get(each.learner, [])) for each in configurations]
        return replace(
            Recommendation.none(),
            configurations=tuple(configurations),
            expected_scores=np.full(len(configurations), np.nan),
            expected_seconds=np.array(seconds) + self.next_text_seconds(n_workers),
        )

    def put_first(self, is_possible):
        """Put what is possible in front of the rest that may be tried next.

        Parameters
        ----------
        is_possible : ndarray of bool of shape (n_left,)
        """
        order = len(self) + np.argsort(~is_possible, kind="stable")
        self.recommendation = self.recommendation.take([*range(len(self)), *order])

    @property
    def stopped_learners(self):
        """The learners of which a candidate was stopped, and none was complete."""
        learners = [each.learner for each in self.tried.configurations]
        done = {learners[index] for index in self.complete}
        errors = self.evaluations.errors
        stopped = {
            learner
            for learner, error in zip(learners, errors, strict=True)
            if error is not None and error.startswith("Stopped after")
        }
        return stopped - done

    def observations(self):
        """Return what was tried in the form that recommenders take.

        Returns
        -------
        observations : list of Observation
            The score of a candidate without all its splits is that of the best
            one and the mean difference on those it has. Its seconds are without
            those of texts, which are the same for all.
        """
        evaluations = self.evaluations
        scores = evaluations.mean_scores.copy()
        if len(self.complete):
            best = self.complete[0]
            gaps = evaluations.plain_scores - evaluations.plain_scores[best]
            partly = np.isnan(scores) & ~np.isnan(gaps).all(axis=1)
            scores[partly] = scores[best] + np.nanmean(gaps[partly], axis=1)
        seconds = evaluations.fit_seconds + evaluations.score_seconds
        seconds = seconds - np.nan_to_num(evaluations.text_seconds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # not one split ended
            seconds = np.nanmean(seconds, axis=1) if seconds.size else seconds.sum(1)
        tried = self.tried.configurations
        return [Observation(*each) for each in zip(tried, scores, seconds, strict=True)]

    def make_objection(self, n_best):
        """Return a function that says why a candidate is not worth all its splits.

        Parameters
        ----------
        n_best : int
            Candidates that it has to come close to.

        Returns
        -------
        object_to : callable or None
            As `evaluate_candidates` takes it; None if too little is known. It
            compares with the last of the best few, on the same splits. If the
            differences vary over splits like those of the others did, and
            normally, one in a hundred candidates that would have been as good is
            dropped by each look.
        """
        plain = self.evaluations.plain_scores
        n_splits = plain.shape[1]
        complete = self.complete
        if n_splits < 3 or len(complete) <= n_best:
            return None
        rival = plain[complete[n_best - 1]]
        gaps = plain[complete] - rival
        spread = np.sqrt(np.var(gaps, axis=1, ddof=1).sum() / (len(complete) - 1))

        def object_to(scores):
            n_done = np.count_nonzero(~np.isnan(scores))
            # Of a mean over some of the splits about that over all of them.
            error = spread * np.sqrt(1 / n_done - 1 / n_splits)
            gap = np.nanmean(scores - rival)
            if gap >= -_QUANTILE * error - 1e-12:
                return None
            return (
                f"Dropped after {n_done} of {n_splits} splits: {-gap:.3f} behind the "
                f"{n_best} best."
            )

        return object_to

    def refit_seconds(self, index, n_rows, task):
        """Predict the seconds that a candidate needs for another number of rows.

        Parameters
        ----------
        index : int
            Of a candidate with all its splits.
        n_rows : int
            To be fitted on.
        task : Task

        Returns
        -------
        seconds : float
        """
        n_fitted = np.mean([len(train) for train, _ in task.splits])
        of_texts = np.nan_to_num(self.evaluations.text_seconds)
        seconds = self.evaluations.fit_seconds[index] - of_texts[index]
        learner = self.recommendation.configurations[index].learner
        growth = _GROWTH if get_learner(learner).is_stoppable else _LARGEST_GROWTH
        seconds = max(0.0, seconds.mean()) * (n_rows / n_fitted) ** growth
        # Those of a split that nobody had encoded yet, tested rows included.
        return seconds + of_texts.max() * n_rows / task.n_rows

    def next_text_seconds(self, n_workers):
        """Predict what texts will take in a split of the next candidate.

        Parameters
        ----------
        n_workers : int
            Each has to encode them once, and remembers what it has met.

        Returns
        -------
        seconds : float
        """
        known = self.evaluations.text_seconds
        known = known[~np.isnan(known).all(axis=1)]
        if len(known) == 0:
            return 0.0
        # At least half of them: more may be met than can be remembered.
        return float(np.nanmean(known[-1])) * (1 - 1 / max(2, n_workers))


def _mean(seconds):
    known = [each for each in seconds if not np.isnan(each)]
    return np.mean(known) if known else np.nan
