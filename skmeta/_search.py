"""What the classifier and the selector share: recommend, try, refit."""

import logging
import os
import time
from abc import ABC, abstractmethod
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import StratifiedGroupKFold, check_cv
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmeta._column_kinds import find_copies
from skmeta._configuration import Configuration
from skmeta._evaluation import (
    INTERRUPTED,
    SCORING_FAILED,
    STOPPED,
    evaluate_candidates,
    make_cv_results,
)
from skmeta._experience import make_experience
from skmeta._footprint import FootprintLimit
from skmeta._guard import learn_from
from skmeta._html import search_html
from skmeta._inputs import (
    check_groups,
    check_lengths,
    check_number,
    check_scored_splits,
    check_scorer,
    check_splitter,
    check_table,
    check_target,
    check_weights,
    make_seed,
)
from skmeta._limits import LEAST_MEGABYTES, OutOfTime, time_limit
from skmeta._messages import brief, error_line, sentence, warn
from skmeta._plan import make_plan, measure_texts
from skmeta._progress import CallbackSupportMixin, Reporter, with_callbacks
from skmeta._recommending import (
    default_n_candidates,
    fast_enough,
    fit_by_name,
    open_knowledge,
)
from skmeta._refit import QUICK, fit_members, insure
from skmeta._schedule import CAUTION, Schedule
from skmeta._splits import (
    check_splits,
    default_splits,
    n_default_folds,
    thin_splits,
)
from skmeta._tables import read_table
from skmeta._threads import one_thread, threads_for
from skmeta._trial_log import check_log, make_log, quick_of, read_log
from skmeta._trials import Task, Trials
from skmeta._workers import Workers
from skmeta.exceptions import NoCandidateError
from skmeta.knowledge import Journal
from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.recommendation import (
    Recommendation,
    get_explorer,
    get_recommender,
    nearest_metric,
)
from skmeta.recommendation._metrics import check_is_metric

_log = logging.getLogger(__name__)

# Candidates tried at a time when the recommender learns from what they score. One
# by one would recommend no better, and leave processors idle.
_ROUND = 4

# What writing down what was learned takes of a time budget, and seconds at most.
_SHARE_OF_RECORD, _MOST_FOR_RECORD = 0.03, 0.5

# Part of the time that is left in which what the journal holds may be judged.
_SHARE_TO_JUDGE_JOURNAL = 0.1

# Rows on which candidates are compared at most, and with a time budget at least.
_MOST_ROWS = 100_000
_LEAST_ROWS = 2_000

# Rows that tell whether a column is the target by another name.
_ROWS_FOR_COPIES = 500

# Rows that meta-features are extracted from where there is a time budget.
_ROWS_DESCRIBED = 20_000
_ROWS_DESCRIBED_PER_SECOND = 2_000

# The part of the time that encoding texts may take, or there are fewer splits.
_SHARE_OF_TEXTS = 0.35

# The part of the time that the first round may be expected to take.
_SHARE_OF_FIRST_ROUND = 0.25

# Seconds below which starting processes would take too much of a budget.
_LEAST_FOR_WORKERS = 3.0

# The part of the budget that is kept for the honest score, among others.
_SHARE_OF_LAST_STEPS = 0.03


def _refitted_has(method):
    """Make the check of `available_if` for a method of the refitted estimator."""

    def check(search):
        search._check_refits(method)
        if hasattr(search, "best_estimator_"):
            getattr(search._predictor, method)  # raises the reason
            return True
        return search._candidates_have(method)

    return check


class MetaSearch(
    CallbackSupportMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator, ABC
):
    """Base class: a subclass says which candidates a recommendation stands for.

    It provides everything between the recommendation and the fitted attributes,
    which are those of `GridSearchCV` with `leaderboard_`, `recommendation_` and
    `meta_features_` besides.
    """

    # What a subclass says

    @abstractmethod
    def _select_configurations(self, knowledge, size, weighted):
        """Return the names of the configurations that may be recommended here."""

    @abstractmethod
    def _make_candidate(self, configuration, size, seed):
        """Return the parameters that describe a candidate, and its estimator."""

    @abstractmethod
    def _candidates_have(self, method):
        """Say whether a fitted candidate will have a method."""

    def _estimator_params(self, routed, sample_weight):
        """Return what `fit` of a candidate is given besides X and y."""
        return (
            {} if sample_weight is None else {"learner__sample_weight": sample_weight}
        )

    def _fitting_context(self):
        """Return a context manager that candidates are fitted in."""
        return nullcontext()

    def _out_of_fold(self, task, sample_weight, groups):
        """Return an `OutOfFold` if probabilities are to be kept, else None."""
        return None

    def _warn_of_cells(self, X):
        """Warn if cells of a table to be predicted are not like those of `fit`."""

    @property
    def _predictor(self):
        """What predicts once fitted."""
        return self.best_estimator_

    def _followed_metric(self, knowledge):
        """Return the stored metric that recommendations follow.

        Returns
        -------
        metric : str
        is_exact : bool
            Whether candidates are scored by the very same.
        """
        return nearest_metric(self.scoring)

    # Public methods

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            With the columns of `fit`.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
        """
        return self._delegate("predict", X)

    def replay(self, X, y, log, sample_weight=None, groups=None):
        """Try again what had a score in an earlier fit, whatever time it takes.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            The one of that fit.
        y : array-like of shape (n_rows,)
            Its classes.
        log : dict
            The attribute `trial_log_` of that fit. It may have been written as JSON
            and read again.
        sample_weight, groups : array-like of shape (n_rows,), default=None
            Those of that fit.

        Returns
        -------
        self
            With the predictions of that fit, if the other parameters of this
            estimator are the same. `honest_score_` may be another one: it has all the
            time it needs, and models are not measured again for `max_predict_ms` and
            `max_model_mb`.

        Raises
        ------
        ValueError
            If the log is that of a table of another shape. Rows in another order are
            not noticed, and give another result.
        """
        return self._search(X, y, sample_weight, groups, log)

    @property
    def _repr_html_(self):
        """What notebooks show, unless scikit-learn is told to show text."""
        if get_config()["display"] != "diagram":
            raise AttributeError("_repr_html_ needs set_config(display='diagram').")
        return partial(search_html, self)

    def _repr_mimebundle_(self, **kwargs):
        bundle = {"text/plain": repr(self)}
        if get_config()["display"] == "diagram":
            bundle["text/html"] = search_html(self)
        return bundle

    def preview(self, X, y=None, sample_weight=None, groups=None):
        """Say what `fit` would try, in which order and at what cost; nothing is tried.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            As for `fit`.
        y : array-like of shape (n_rows,)
            Its classes.
        sample_weight, groups : array-like of shape (n_rows,), default=None
            As for `fit`.

        Returns
        -------
        plan : DataFrame
            A row for each candidate, in that order: ``learner``, ``expected_score`` on
            known tasks, ``hyperparameters``, ``elapsed_seconds`` when it is done with
            `n_jobs`, ``seconds`` that all its folds take on one core, and about how
            many megabytes the copies of the table take that a fit on all rows works
            with (``memory_mb``); the model, which may be larger, is not in it. With a
            time budget those that would end within it, and as number 0, of which
            nothing more is known, what is fitted before on few rows in case none does.
            It is printed in 80 columns, with all hyperparameters.

        Notes
        -----
        Seconds are those of other tables on another machine, until the first candidates
        are done. From then on the order may become another, too: after four scores the
        default recommender goes by what they were.
        """
        planner = clone(self)
        task, knowledge, names, _ = planner._begin(X, y, sample_weight, groups)
        quick = planner._choose_insurance(task, knowledge, names)
        with planner._fitting_context():
            if quick is not None:  # which tells what texts take, as `fit` does
                task = replace(task, text_seconds=measure_texts(task, quick))
            recommender, task, recommendation = planner._recommend_first(
                task, knowledge, names
            )
            if task.text_seconds:  # which the plan adds to the first candidate alone
                recommendation = planner._recommend(recommender, (), task, 0.0)
        return make_plan(recommendation, task, quick)

    @available_if(_refitted_has("predict_proba"))
    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            With the columns of `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`; rows sum to one.
        """
        return self._delegate("predict_proba", X)

    @available_if(_refitted_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            With the columns of `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        return self._delegate("predict_log_proba", X)

    @available_if(_refitted_has("decision_function"))
    def decision_function(self, X):
        """Return the decision function of the best estimator, where it has one.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            With the columns of `fit`.

        Returns
        -------
        decision : ndarray of shape (n_rows,) or (n_rows, n_classes)
        """
        return self._delegate("decision_function", X)

    def score(self, X, y=None, **params):
        """Score the predictions by `scoring`, as `GridSearchCV.score` does.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            With the columns of `fit`.
        y : array-like of shape (n_rows,)
            True classes.
        **params : dict
            Given to the scorer, such as ``sample_weight``. With metadata routing
            on, only what the scorer requests.

        Returns
        -------
        score : float
            Greater is better.
        """
        self._check_refitted("score")
        if y is None:
            raise TypeError(
                f"{type(self).__name__}.score must be given y, the true classes of "
                f"the rows, got: None. For classes that are not known, use predict."
            )
        given = {name: value for name, value in params.items() if value is not None}
        if get_config()["enable_metadata_routing"]:
            given = process_routing(self, "score", **given).scorer["score"]
        return self.scorer_(self, X, y, **given)

    @property
    def classes_(self):
        """Classes, in the order of the columns of `predict_proba`."""
        self._check_refitted("classes_")
        return self.best_estimator_.classes_

    def get_metadata_routing(self):
        """Say what metadata is passed on to the scorer and the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        scorer_mapping = MethodMapping().add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=self)
            .add(
                scorer=self._get_scorer(),
                method_mapping=scorer_mapping.add(caller="score", callee="score"),
            )
            .add(
                splitter=check_cv(self.cv, classifier=True),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    # The search, and its steps in order

    @with_callbacks
    def _search(self, X, y, sample_weight, groups, log=None):
        """Recommend candidates, try them, keep and refit the best one.

        With the log of an earlier search, what that one tried is tried again.
        """
        earlier = dict(vars(self))
        self._forget()
        try:
            task, knowledge, names, journal = self._begin(
                X, y, sample_weight, groups, log
            )
        except Exception:  # what cannot be used costs nothing that was fitted before
            vars(self).update(earlier)
            raise
        schedule, log = task.schedule, task.log
        task = replace(task, reporter=self._make_reporter(task))
        quick = self._choose_insurance(task, knowledge, names)
        self.n_splits_ = self.n_rows_compared_ = 0
        self.meta_features_ = pd.Series(dtype=np.float64)
        self._scores_as_known = False  # until the recommender is there
        with self._fitting_context(), closing(task.reporter), task.workers:
            is_timed = schedule.is_limited and schedule.n_workers > 1
            if is_timed and self.n_candidates != 1:
                task.workers.start()
            insurance = None if quick is None else insure(task, quick)
            if insurance is not None:
                seconds = insurance.text_seconds * len(task.y)
                task = replace(task, text_seconds=seconds)
            trials = Trials(Recommendation.none(), 0)
            with suppress(OutOfTime):
                with time_limit(schedule.limit()):
                    recommender, task, recommendation = self._recommend_first(
                        task, knowledge, names
                    )
                trials = Trials(recommendation, len(task.splits))
            if log is not None and insurance is None:
                trials.recommendation = read_log(log, recommendation)
                self._evaluate(trials, task, trials.n_left)
            elif trials.n_left and log is None:
                try:
                    goes_on = self._try(recommender, trials, task)
                    if goes_on and self.explorer is not None:
                        usable = knowledge.with_configurations(names)
                        self._explore(usable, trials, task)
                except KeyboardInterrupt:
                    if insurance is None and len(trials.complete) == 0:
                        raise
                    trials.interrupt()
            self._describe(trials, task, insurance)
            members = {}
            if self.refit:
                started = time.perf_counter()
                members = self._fit_final(trials, task, insurance)
                self.refit_time_ = time.perf_counter() - started
                _log.info("Fitted what predicts in %.1f s.", self.refit_time_)
            errors = self.leaderboard_["error"]
            self.trial_log_ = make_log(
                trials, task, members, errors, self._class_weights
            )
            if journal is not None and sample_weight is None:
                self._record(journal, trials, task)
        return self

    def _make_reporter(self, task):
        """Return what is told of each candidate."""
        n_wanted, context = self._n_wanted(len(task.y)), None
        if task.log is not None:
            n_wanted = len(task.log["trials"])
        if getattr(self, "_skl_callbacks", None):
            context = self._init_callback_context(max_subtasks=n_wanted)
            context.call_on_fit_task_begin(estimator=self, X=task.X, y=task.y)
        return Reporter(
            self.verbose, self.callback, context, self, task.schedule, n_wanted
        )

    def _open_journal(self, log):
        """Return where to record what is learned, None if that is nowhere."""
        if self.experience is None or log is not None:
            return None
        if not isinstance(self.experience, (str, os.PathLike)):
            raise TypeError(
                f"experience must be the path of a journal or None, got: "
                f"{brief(self.experience)}."
            )
        if self.time_budget is None:
            return Journal(self.experience)
        return Journal(self.experience, _SHARE_OF_RECORD * self.time_budget)

    def _record(self, journal, trials, task):
        """Record what was learned; if that cannot be, the fit is none the worse."""
        metric = trials.recommendation.metric if self._scores_as_known else None
        try:
            experience = make_experience(
                trials, task, self.meta_features_, metric, self._context()
            )
            if experience is not None:
                journal.record(experience)
        except (OSError, ValueError) as error:
            warn(f"What was learned is not recorded. {error}")

    def _context(self):
        """Return estimators of the user's that take part in every fit."""
        return []

    def _start_schedule(self, log):
        """Return what is left of the time from now on."""
        if log is not None:
            return Schedule(None, effective_n_jobs(self.n_jobs))
        budget = self.time_budget
        if budget is not None and self.experience is not None:
            budget -= min(_SHARE_OF_RECORD * budget, _MOST_FOR_RECORD)
        is_short = budget is not None and budget < _LEAST_FOR_WORKERS
        return Schedule(budget, 1 if is_short else effective_n_jobs(self.n_jobs))

    def _begin(self, X, y, sample_weight, groups, log=None):
        """Check everything that is given.

        Returns the task, the knowledge, the names of what may be recommended, and where
        to record what is learned.
        """
        self._check_parameters()
        schedule = self._start_schedule(log)
        journal = self._open_journal(log)
        X, y = self._check_inputs(X, y)
        sample_weight = check_weights(sample_weight)
        check_lengths(X.shape[0], sample_weight=sample_weight, groups=groups)
        check_groups(groups)
        if log is not None:
            log = check_log(log, X, y)
        check_scorer(self.scorer_, y, self.scoring)
        routed, score_params, split_params = self._route(sample_weight, groups)
        task = Task(
            X,
            y,
            n_rows=len(y),
            score_params=score_params,
            schedule=schedule,
            seed=make_seed(self.random_state) if log is None else log["seed"],
            scorer=self.scorer_,
            workers=Workers(self.n_jobs if schedule.n_workers > 1 else 1),
            memory_limit=self.memory_limit,
            footprint_limit=self._footprint_limit(log),
            split_params=split_params,
            log=log,
        )
        _warn_of_copies(task)
        _log.info("%d rows, %d columns, %d classes, seed %d.", *X.shape,
                  len(task.classes), task.seed)  # fmt: skip
        knowledge, names = self._open_knowledge(
            task, sample_weight is not None, journal
        )
        _log.info("%s, of which %d can be used.", knowledge, len(names))
        task = replace(
            task,
            fit_params=self._estimator_params(routed, sample_weight),
            make=partial(self._make_candidate, size=task.size, seed=task.seed),
            out_of_fold=self._out_of_fold(task, sample_weight, groups),
        )
        return task, knowledge, names, journal

    def _recommend_first(self, task, knowledge, names):
        """Return the recommender, the task with its splits, and the recommendation."""
        recommender = self._fit_recommender(knowledge, names, task)
        task = self._split(recommender, task)
        _log.info("%d splits of %d rows.", len(task.splits), task.n_rows)
        recommendation = self._recommend(recommender, (), task)
        _log.info("%s", recommendation.reason)
        return recommender, task, recommendation

    def _try(self, recommender, trials, task):
        """Try what is recommended, in rounds that learn from those before.

        The rounds do not depend on `n_jobs`, and so neither does the result where
        candidates are counted. Says whether others may be tried besides.
        """
        is_limited = task.schedule.is_limited
        adapts = self._adapts(recommender)
        self._reserve(trials, task)
        while trials.n_left:
            task.schedule.n_workers = task.workers.n_usable
            if is_limited and not _put_affordable_first(trials, task):
                # Workers may do what cannot be done here.
                if not task.workers.wait(max(0.0, task.schedule.left_to_try() / 2)):
                    return False
                continue
            n_next = _ROUND if adapts or is_limited else trials.n_left
            if task.workers.are_awaited:
                n_next = 1
            goes_on = self._evaluate(trials, task, min(n_next, trials.n_left))
            trials.forget_models(2 * self._n_members)
            if not goes_on:
                return False
            self._reserve(trials, task)
            if is_limited and trials.show_enough(task.n_rows):
                break
            if adapts and trials.n_left:
                observed = trials.observations()
                of_texts = trials.next_text_seconds(task.schedule.n_workers)
                later = self._recommend(recommender, observed, task, of_texts)
                trials.plan_again(later)
        return True

    def _explore(self, knowledge, trials, task):
        """Try what nobody has tried before, as long as time or candidates are left."""
        n_wanted, schedule = self._n_wanted(len(task.y)), task.schedule
        metric, _ = self._followed_metric(knowledge)
        explorer = clone(get_explorer(self.explorer), safe=False)
        random_state, n_known = check_random_state(task.seed), len(trials)
        not_tried = trials.recommendation.take(slice(n_known, None))
        goes_on, is_fitted = True, False
        while goes_on and (n_wanted is None or len(trials) < n_wanted):
            n_next = _ROUND if n_wanted is None else min(_ROUND, n_wanted - len(trials))
            found = []
            try:
                with time_limit(schedule.limit(np.nan)):  # nobody knows how long
                    if not is_fitted:
                        explorer.fit(knowledge, metric)
                        is_fitted = True
                    found = self._propose(explorer, trials, n_next, random_state, task)
            except OutOfTime:
                break
            except Exception as error:
                warn(
                    f"explorer={self.explorer!r} failed, and what was tried before is "
                    f"kept: {type(error).__name__}: {error_line(error)}"
                )
                break
            if not found:
                break
            schedule.n_workers = task.workers.n_usable
            trials.plan_again(trials.expect(found, schedule.n_workers))
            if schedule.is_limited and not _put_affordable_first(trials, task):
                break
            goes_on = self._evaluate(trials, task, len(found))
            trials.forget_models(2 * self._n_members)
            self._reserve(trials, task)
        trials.plan_again(not_tried)
        if len(trials) > n_known:
            note = f" {len(trials) - n_known} more were proposed by {self.explorer!r}."
            reason = trials.recommendation.reason + note
            trials.recommendation = replace(trials.recommendation, reason=reason)
            _log.info("%s", note.strip())

    def _propose(self, explorer, trials, n_next, random_state, task):
        """Return at most so many configurations that were not tried."""
        observed = trials.observations()
        if not task.schedule.is_limited:
            # What is tried must not depend on the machine.
            observed = [replace(each, seconds=np.nan) for each in observed]
        proposed = list(explorer.propose(observed, n_next, random_state))
        if not all(isinstance(each, Configuration) for each in proposed):
            raise TypeError(
                f"explorer.propose must return objects of Configuration, got: "
                f"{proposed!r:.200}."
            )
        found, params = [], list(trials.params)
        for each in proposed:
            made = task.make(each)[0]
            if made not in params:
                params.append(made)
                found.append(each)
        return found[:n_next]

    def _evaluate(self, trials, task, n_next):
        """Try the next candidates; say whether it is worth going on."""
        recommended = trials.recommendation.take(
            range(len(trials), len(trials) + n_next)
        )
        made = [
            task.make(configuration) for configuration in recommended.configurations
        ]
        n_before, configurations = len(trials), recommended.configurations

        def report(index, scores, seconds, error):
            configuration = configurations[index]
            return task.reporter(
                n_before + index, configuration, scores, seconds, error
            )

        evaluations = evaluate_candidates(
            [candidate for _, candidate in made],
            task.work,
            workers=task.workers,
            schedule=task.schedule,
            expected_seconds=recommended.expected_seconds,
            object_to=trials.make_objection(self._n_members),
            on_candidate=report if task.reporter.is_wanted else None,
            judge=None if task.out_of_fold is None else task.out_of_fold.judge,
        )
        trials.add(made, evaluations)
        if STOPPED in evaluations.errors:
            task.workers.note_end()
        is_to_end = evaluations.interrupted or task.reporter.wants_end
        return len(evaluations.errors) > 0 and not is_to_end

    @property
    def _n_members(self):
        """How many candidates may predict together."""
        return 1

    def _reserve(self, trials, task):
        """Keep the time that the best few need to be fitted on all rows."""
        if task.schedule.is_limited and self.refit:
            seconds = [
                trials.refit_seconds(index, len(task.y), task)
                for index in trials.complete[: self._n_members]
            ]
            last_steps = _SHARE_OF_LAST_STEPS * task.schedule.budget
            if task.out_of_fold is not None:
                last_steps += task.out_of_fold.seconds_to_be_honest
            task.schedule.reserve(sum(seconds) / task.schedule.n_workers + last_steps)

    def _forget(self):
        """Forget what an earlier fit found: it must not predict if this one ends."""
        for name in list(vars(self)):
            if name.endswith("_") and not name.startswith("_"):
                delattr(self, name)

    def _check_parameters(self):
        check_number("n_candidates", self.n_candidates, Integral, "an integer >= 1")
        check_number("time_budget", self.time_budget, Real, "a number of seconds > 0")
        check_number(
            "memory_limit", self.memory_limit, Real, "a number of megabytes > 0"
        )
        if self.memory_limit is not None and self.memory_limit < LEAST_MEGABYTES:
            raise ValueError(
                f"memory_limit must be at least {LEAST_MEGABYTES} megabytes, which "
                f"linear algebra needs for its buffers, got: {self.memory_limit!r}."
            )
        check_number(
            "max_predict_ms", self.max_predict_ms, Real, "a number of milliseconds > 0"
        )
        check_number(
            "max_model_mb", self.max_model_mb, Real, "a number of megabytes > 0"
        )
        check_splitter(self.cv)
        is_count = isinstance(self.verbose, (Integral, np.bool_))
        if not is_count or self.verbose < 0:
            raise ValueError(
                f"verbose must be an integer >= 0 or a boolean, got: "
                f"{brief(self.verbose)}."
            )
        is_whole = self.n_jobs is None or isinstance(self.n_jobs, Integral)
        if not is_whole or self.n_jobs == 0:
            raise ValueError(
                f"n_jobs must be an integer other than 0 (-1 is all cores) or None, "
                f"got: {brief(self.n_jobs)}."
            )
        if self.callback is not None and not callable(self.callback):
            raise TypeError(
                f"callback must be a function of a skmeta.progress.Progress or None, "
                f"got: {brief(self.callback)}."
            )
        if not isinstance(self.refit, (bool, np.bool_)):
            raise ValueError(
                f"refit must be True or False, got: {brief(self.refit)}. The metric "
                f"that the best candidate is chosen by is named by scoring."
            )
        if self.explorer is not None:
            get_explorer(self.explorer)
        self.scorer_ = self._get_scorer()

    def _footprint_limit(self, log):
        if log is not None:
            return FootprintLimit()  # what predicts has been chosen
        return FootprintLimit(self.max_predict_ms, self.max_model_mb)

    def _get_scorer(self):
        check_is_metric(self.scoring)
        if callable(self.scoring):
            return check_scoring(DummyClassifier(), scoring=self.scoring)
        if self.scoring is not None:
            return get_scorer(self.scoring)
        scorer = get_scorer("accuracy")
        if get_config()["enable_metadata_routing"]:
            # A scorer that nobody has made can be asked for by nobody.
            scorer.set_score_request(sample_weight=True)
        return scorer

    def _check_inputs(self, X, y):
        X = check_table(self, X, reset=True)
        return X, check_target(y, X)

    def _route(self, sample_weight, groups):
        """Return what was routed, and what the scorer and the splitter are given."""
        given = {"sample_weight": sample_weight, "groups": groups}
        given = {name: value for name, value in given.items() if value is not None}
        grouped = {"groups": given.pop("groups")} if groups is not None else {}
        if not get_config()["enable_metadata_routing"]:
            return None, given, grouped
        if self._chooses_splits:  # then nothing has to request groups
            routed = process_routing(self, "fit", **given)
            return routed, routed.scorer["score"], grouped
        routed = process_routing(self, "fit", **given, **grouped)
        return routed, routed.scorer["score"], routed.splitter["split"]

    @property
    def _chooses_splits(self):
        return self.cv is None or isinstance(self.cv, Integral)

    def _split(self, recommender, task):
        """Return the task with its splits, and candidates that suit their size."""
        codes, n_rows, splits, log = task.codes, len(task.y), None, task.log
        if self.n_candidates == 1 or (log is not None and log["n_splits"] == 0):
            splits = []
        elif self.cv is not None:
            splits = self._splits_of_the_user(task)
        if log is not None:
            n_rows = log["n_rows_compared"]
        elif splits != []:
            n_rows = self._n_rows_compared(recommender, task, splits)
        most_splits = _most_splits(task, n_rows)
        if log is not None:
            most_splits = log.get("most_splits", most_splits)
        if splits is None:
            splits = default_splits(
                codes,
                task.seed,
                **task.split_params,
                n_used=n_rows,
                n_folds=most_splits,
            )
            if task.split_params:
                splits = check_splits(splits, codes)
            _warn_of_untested_classes(splits, task)
        if self.cv is not None or task.split_params:
            check_scored_splits(splits, self.scorer_, task.y, codes, self.scoring)
        if n_rows < len(codes) and splits:
            splits = thin_splits(splits, codes, n_rows, task.seed)
        self.n_splits_ = len(splits)
        self.n_rows_compared_ = n_rows if splits else 0
        n_fitted = min([len(train) for train, _ in splits], default=len(codes))
        size = replace(task.size, n_rows=n_fitted)
        out_of_fold = task.out_of_fold
        return replace(
            task,
            splits=splits,
            n_rows=n_rows,
            most_splits=most_splits,
            make=partial(self._make_candidate, size=size, seed=task.seed),
            out_of_fold=out_of_fold and out_of_fold.on_splits(splits),
        )

    def _splits_of_the_user(self, task):
        if self._chooses_splits and task.split_params:
            # A number of folds would otherwise mean folds that ignore groups.
            splitter = StratifiedGroupKFold(self.cv)
        else:
            splitter = check_cv(self.cv, task.y, classifier=True)
        try:
            # They may be masks, or lists.
            return check_splits(
                splitter.split(task.X, task.y, **task.split_params), task.codes
            )
        except ValueError as error:
            says_so = "'groups' parameter" in str(error)  # whatever asks one that does
            if task.split_params or not (says_so or _asks_for_groups(splitter)):
                raise
            raise ValueError(
                f"groups must be given for cv={self.cv!r}, got none, so that it says: "
                f"{sentence(error)} Give fit the group of each row, as in fit(X, y, "
                f"groups=X['name of a column'])."
            ) from error

    def _n_rows_compared(self, recommender, task, splits):
        """Return how many rows take part in the comparison of candidates.

        No more than it takes to see a difference; with a time budget, no more than
        leave time to try several.
        """
        schedule = task.schedule
        n_rows = min(len(task.y), _MOST_ROWS)
        while schedule.is_limited and n_rows > _LEAST_ROWS:
            first = self._recommend(recommender, (), replace(task, n_rows=n_rows))
            n_folds = n_default_folds(n_rows) if splits is None else len(splits)
            seconds = first.first(_ROUND).expected_seconds.sum() * n_folds
            # Texts are encoded for the first one alone.
            seconds -= task.text_seconds * n_rows / len(task.y) * (_ROUND - 1)
            if seconds / schedule.n_workers < _SHARE_OF_FIRST_ROUND * schedule.left():
                break
            n_rows = max(_LEAST_ROWS, n_rows // 2)
        return n_rows

    def _open_knowledge(self, task, weighted, journal):
        """Return the knowledge, and the names of what may be recommended here."""
        knowledge = open_knowledge(self.knowledge)
        self._learned = ""
        if journal is not None:
            metric, _ = self._followed_metric(knowledge)
            limit = None
            if task.schedule.is_limited:
                limit = max(_SHARE_TO_JUDGE_JOURNAL * task.schedule.left(), 1e-3)
            with one_thread():
                knowledge, n_fits, n_used = learn_from(
                    knowledge, journal, metric, limit
                )
            if n_fits > 0:
                name = journal.path.name
                self._learned = f" {n_used} of {n_fits} fits in {name} count."
        names = list(self._select_configurations(knowledge, task.size, weighted))
        if self.max_predict_ms is not None:
            names = fast_enough(knowledge, names, self.max_predict_ms)
        return knowledge, tuple(names)

    def _choose_insurance(self, task, knowledge, names):
        """Return what is fitted in case nothing else ends in time, None for nothing."""
        if task.log is not None:
            return quick_of(task.log)
        if task.schedule.is_limited and self.refit:
            return self._choose_quick(knowledge, names)
        return None

    def _choose_quick(self, knowledge, names):
        """Return a configuration that takes next to no time anywhere."""
        usable = knowledge.with_configurations(names)
        seconds = usable.fit_seconds.to_numpy(np.float64)
        slowest = np.nanmax(seconds, initial=0.0)
        return usable.configuration_values[
            int(np.where(np.isnan(seconds), slowest, seconds).mean(axis=0).argmin())
        ]

    def _fit_recommender(self, knowledge, names, task):
        """Extract meta-features, and fit the recommender on what may be used here."""
        n_described = _MOST_ROWS
        if task.schedule.is_limited:
            n_described = _ROWS_DESCRIBED_PER_SECOND * task.schedule.budget
            n_described = int(np.clip(n_described, _LEAST_ROWS, _ROWS_DESCRIBED))
        X, y = task.take(n_described)
        extractor = MetaFeatureExtractor(level="full").fit(X, y)
        self.meta_features_ = pd.Series(
            extractor.meta_features_, index=extractor.get_feature_names_out()
        )
        metric, self._scores_as_known = self._followed_metric(knowledge)
        with one_thread():
            if isinstance(self.recommender, str):
                return fit_by_name(self.recommender, knowledge, names, metric)
            recommender = clone(get_recommender(self.recommender), safe=False)
            return recommender.fit(knowledge.with_configurations(names), metric)

    def _recommend(self, recommender, observed, task, text_seconds=None):
        n_wanted = self._n_wanted(len(task.y))
        with one_thread():
            recommendation = recommender.recommend(
                self.meta_features_,
                n_configurations=None if n_wanted is None else n_wanted - len(observed),
                per_second=self.time_budget is not None,
                n_rows=task.n_rows,
                **({"observed": observed} if observed else {}),
            )
        if task.schedule.is_limited:
            seconds = recommendation.expected_seconds
            if not observed:
                # Later it is in what was observed.
                seconds = seconds * task.schedule.measure_load()
            if text_seconds is None:
                text_seconds = task.text_seconds * task.n_rows / len(task.y)
            seconds = seconds + text_seconds
            recommendation = replace(recommendation, expected_seconds=seconds)
        note = self._learned
        if not self._scores_as_known:
            metric = recommendation.metric
            note += f" It follows {metric}, the nearest metric that is known."
        return replace(recommendation, reason=recommendation.reason + note)

    def _adapts(self, recommender):
        """Say whether what is observed changes what is recommended.

        Scores by another metric than the known ones cannot be compared with them.
        """
        adapts_after = getattr(recommender, "adapts_after", None)
        return self._scores_as_known and adapts_after is not None

    def _n_wanted(self, n_rows):
        """Return how many to recommend, None for all that are known."""
        if self.n_candidates is None and self.time_budget is None:
            return default_n_candidates(n_rows)
        return self.n_candidates

    def _describe(self, trials, task, insurance):
        """Set the attributes that say what was tried, and choose the best."""
        if trials.evaluations.interrupted and len(trials.complete):
            warn("Interrupted: the best of the candidates tried so far is kept.")
        is_claimed = insurance is not None and not trials.all_failed_by_themselves
        if all(trials.evaluations.errors) and is_claimed:
            self._claim(trials, task, insurance)
        self._show(trials)
        errors = trials.evaluations.errors
        if not errors:
            raise NoCandidateError(
                f"time_budget must leave time for a candidate, got: "
                f"{self.time_budget!r} seconds. Give it more."
            )
        if all(errors):
            # Shown above the message, which would else scroll away.
            cause = RuntimeError(errors[0]) if "Traceback" in errors[0] else None
            raise NoCandidateError(
                f"All {len(errors)} candidates failed. The first one: "
                f"{sentence(errors[0])}{self._advice(trials, task)}"
            ) from cause
        self._choose(self.leaderboard_.index[0])

    def _advice(self, trials, task):
        """Say what may help if no candidate can predict."""
        advice = self._advice_on_limits(trials)
        # Where nothing was compared, or all went well, it was a final fit that failed.
        was_fit = not advice and not any(trials.evaluations.errors)
        if trials.raised:
            was_fit = SCORING_FAILED not in trials.raised[0]
        return advice + (self._advice_on_table(task) if was_fit else "")

    def _advice_on_table(self, task):
        """Say what table and classes may have to be, since a fit failed."""
        return ""

    def _advice_on_limits(self, trials):
        """Say what the limits on models would have to be, if it is for them."""
        known = [each for each in trials.evaluations.footprints if each is not None]
        if not known:
            return ""
        least_ms = min(each.predict_ms for each in known)
        least_mb = min(each.model_mb for each in known)
        advice = " Allow more, or try more candidates."
        if self.max_model_mb is not None:
            advice = f" The smallest of all takes {least_mb:.3g} MB.{advice}"
        if self.max_predict_ms is not None:
            advice = f" The fastest of all takes {least_ms:.3g} ms.{advice}"
        return advice

    def _show(self, trials, errors=None):
        observed = None
        if self._scores_as_known:
            n_left = trials.n_left
            observed = np.append(trials.evaluations.mean_scores, [np.nan] * n_left)
        self.recommendation_ = replace(trials.recommendation, observed_scores=observed)
        self.cv_results_ = make_cv_results(trials.evaluations, trials.params)
        self.leaderboard_ = _make_leaderboard(trials, self.cv_results_, errors)

    def _claim(self, trials, task, insurance):
        """Let what was made for the case predict, since no candidate can."""
        what = (
            f"{insurance.configuration.learner} predicts, fitted on few rows and "
            f"compared with nothing but the shares of the classes"
        )
        if insurance.is_prior:
            what = "what predicts goes by the shares of the classes, whatever the row"
        why = f"within the time budget of {self.time_budget} seconds"
        if self.time_budget is None:
            why = "in the fit that is replayed"
        if any(each is not None for each in trials.evaluations.footprints):
            why += " and the limits on the model"
        if trials.evaluations.interrupted:
            why = "when it was interrupted"
        trials.add_untested(
            insurance.configuration, insurance.params, insurance.candidate
        )
        warn(
            f"No candidate had its scores and its final fit {why}: {what}."
            f"{_first_failure(trials)}{self._advice(trials, task)}"
        )

    def _choose(self, index):
        self.best_index_ = int(index)
        self.best_params_ = self.cv_results_["params"][index]
        self.best_score_ = float(self.cv_results_["mean_test_score"][index])

    # What predicts in the end

    def _weigh_members(self, trials, task):
        """Return the weights of the candidates that predict, the best one first."""
        return {self.best_index_: 1.0}

    def _lighten(self, trials, task, fitted, weights):
        """Return the weights of those that are fitted and not too much together."""
        return weights

    @property
    def _class_weights(self):
        """What probabilities are multiplied by for labels, None for nothing."""
        return None

    def _judge_early(self, trials, task):
        """Return what the choice is worth if that is soon found, else None."""

    def _combine(self, trials, task, fitted, weights, judged):
        """Set what predicts."""
        self.best_estimator_ = fitted[self.best_index_]

    def _fit_final(self, trials, task, insurance):
        """Fit on all rows what predicts in the end, or the next best if that fails."""
        logged = [] if task.log is None else task.log["members"]
        fitted_on, first_error, members = None, None, {}
        judged = self._judge_early(trials, task)
        if logged:
            fitted_on = {each["trial"]: each["fitted_on"] for each in logged}
            self._choose(len(trials) - 1 if insurance else logged[0]["trial"])
        while self.best_index_ not in members:
            if insurance is not None and (
                trials.candidates[self.best_index_] is insurance.candidate
            ):
                members[self.best_index_] = insurance.estimator, QUICK
                weights = {self.best_index_: 1.0}
                break
            if logged:
                weights = {each["trial"]: each["weight"] for each in logged}
            else:
                weights = self._weigh_members(trials, task)
            wanted = [index for index in weights if index not in members]
            outcomes = fit_members(wanted, trials, task, fitted_on)
            for index, (estimator, rows, error) in outcomes.items():
                if estimator is not None:
                    members[index] = estimator, rows
                else:
                    first_error = first_error or error
                    self.leaderboard_.loc[index, "error"] = error
            if self.best_index_ not in members:
                _, _, error = outcomes[self.best_index_]
                if error == INTERRUPTED:
                    if insurance is None:
                        raise KeyboardInterrupt
                    trials.interrupt()
                if logged:
                    raise NoCandidateError(
                        f"What predicted in the fit of the log cannot be fitted now: "
                        f"{first_error}"
                    )
                self._choose_next(trials, task, insurance, first_error)
                judged = None  # it was of another choice
        fitted = {i: estimator for i, (estimator, _) in members.items() if i in weights}
        weights = self._lighten(trials, task, fitted, weights)
        self._combine(trials, task, fitted, weights, judged)
        return {i: (weight, members[i][1]) for i, weight in weights.items()}

    def _choose_next(self, trials, task, insurance, error):
        """Choose the best candidate that has not failed."""
        left = self.leaderboard_.index[self.leaderboard_["error"].isna()]
        if len(left):
            return self._choose(left[0])
        if insurance is None:
            raise NoCandidateError(
                f"No candidate can predict when fitted on all rows. The first one: "
                f"{sentence(error)}{self._advice(trials, task)}"
            )
        errors = [*self.leaderboard_["error"].sort_index(), None]
        self._claim(trials, task, insurance)
        self._show(trials, errors)
        return self._choose(len(trials) - 1)

    def _check_refits(self, name):
        if not self.refit:
            raise AttributeError(
                f"{name} needs a refitted estimator, but this {type(self).__name__} "
                f"was made with refit=False. Set refit=True."
            )

    def _check_refitted(self, name):
        self._check_refits(name)
        check_is_fitted(self, "best_estimator_")

    def _delegate(self, method, X):
        self._check_refitted(method)
        X = check_table(self, X, reset=False)
        self._warn_of_cells(X)
        with threads_for(X.shape[0]):
            return getattr(self._predictor, method)(X)


def _warn_of_copies(task):
    """Warn of columns that are the target by another name."""
    X, classes = task.take(_ROWS_FOR_COPIES)
    table = read_table(X)
    for j in find_copies(table, classes):
        name = getattr(X, "columns", range(X.shape[1]))[j]
        warn(
            f"Column {name!r} stands for the classes one to one, in all of the "
            f"{table.n_rows} rows looked at. If it is not known when there is "
            f"something to predict, leave it out: scores would say nothing."
        )


def _warn_of_untested_classes(splits, task):
    """Say which classes have no part in any score."""
    tested = np.unique(task.codes[np.concatenate([test for _, test in splits])])
    counts = np.bincount(task.codes)
    untested = np.setdiff1d(np.flatnonzero(counts), tested)
    if len(untested):
        named = ", ".join(
            f"{str(task.classes[c])!r:.40} ({counts[c]})" for c in untested[:5]
        )
        warn(
            f"Scores are without {len(untested)} of {len(counts)} classes, which have "
            f"too few rows to be split: {named}{', ...' * (len(untested) > 5)}. They "
            f"are learned from in the end. Join what is so rare, or leave it out."
        )


def _asks_for_groups(splitter):
    """Say whether a splitter is made for groups."""
    if not hasattr(splitter, "get_metadata_routing"):
        return False
    return bool(splitter.get_metadata_routing().consumes("split", ["groups"]))


def _most_splits(task, n_rows):
    """Return how many splits leave time for more than their texts."""
    seconds = task.text_seconds * n_rows / len(task.y)
    for n_folds in (5, 3):
        n_turns = np.ceil(n_folds / task.schedule.n_workers)
        if seconds * n_turns <= _SHARE_OF_TEXTS * task.schedule.left():
            return n_folds
    return 1


def _put_affordable_first(trials, task):
    """Put what still fits into the time in front; say whether anything does.

    What was stopped says that others of its learner take longer than expected, too.
    """
    seconds = trials.recommendation.expected_seconds[len(trials) :]
    left = trials.recommendation.configurations[len(trials) :]
    can_stop = [task.can_stop(each.learner) for each in left]
    seconds = np.where(can_stop, seconds, CAUTION * seconds)
    fits = np.array(
        [task.schedule.has_time_for(each, len(task.splits)) for each in seconds]
    )
    slow = trials.stopped_learners
    is_slow = [each.learner in slow for each in left]
    preferred = fits & ~np.array(is_slow, dtype=bool)
    trials.put_first(preferred if preferred.any() else fits)
    return fits.any()


def _make_leaderboard(trials, results, errors=None):
    tried = trials.tried
    errors = trials.evaluations.errors if errors is None else errors
    index = pd.RangeIndex(len(trials), name="candidate")
    frame = pd.DataFrame(
        {
            # What matters comes first, and what is wide is in the middle, which is what
            # pandas leaves out in a narrow terminal.
            "learner": [each.learner for each in tried.configurations],
            "score": results["mean_test_score"],
            "rank": results["rank_test_score"],
            "std": results["std_test_score"],
            "expected_score": tried.expected_scores,
            "params": results["params"],
            # Of objects, so that there is None where there was no error.
            "error": pd.Series(
                [each if each is None else error_line(each) for each in errors],
                index,
                dtype=object,
            ),
            "fit_seconds": results["mean_fit_time"],
            "score_seconds": results["mean_score_time"],
        },
        index=index,
    )
    for name in ("predict_ms", "model_mb"):
        values = [
            np.nan if each is None else getattr(each, name)
            for each in trials.evaluations.footprints
        ]
        if not np.isnan(values).all():
            frame.insert(frame.columns.get_loc("params"), name, values)
    # A candidate without a score that did not fail goes before those that did.
    return frame.iloc[np.lexsort([frame["rank"], frame["error"].notna()])]


def _first_failure(trials):
    """Say what the first candidate raised that did not fail for want of time."""
    if not trials.raised:
        return ""
    return f" The first error: {sentence(trials.raised[0])}"
