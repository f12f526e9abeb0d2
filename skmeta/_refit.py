"""Fit what predicts in the end: on all rows, or on what there is time for."""

import pickle
from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier

from skmeta._configuration import Configuration
from skmeta._decision import log_probabilities
from skmeta._ensemble import WeightedEnsemble, align
from skmeta._evaluation import INTERRUPTED, fit_all, take_rows
from skmeta._messages import warn
from skmeta._schedule import CAUTION
from skmeta._splits import hold_out, stratified_sample
from skmeta._workers import Workers, calm

# What a member was fitted on if not on a number of rows: its models are those of the
# splits, or it is what was there for the case.
FOLDS = "folds"
FOLD = "fold"  # the first of them alone
QUICK = "quick"

_NO_TIME = "Compared, but no time was left to fit it in the end."

# The part of the time left that fits may be expected to take.
_SHARE = 0.75

# Rows that something quick is fitted on.
_QUICK_ROWS = 2_000

_PRIOR = Configuration("sklearn.dummy:DummyClassifier", {"strategy": "prior"})


@dataclass(frozen=True)
class Insurance:
    """A classifier that is there whatever happens to the candidates.

    Parameters
    ----------
    configuration : Configuration
        What it is.
    params : dict
        Its parameters.
    candidate : estimator
        Unfitted.
    estimator : classifier
        Fitted on `QUICK`.
    text_seconds : float, default=0.0
        That texts took for each row.
    """

    configuration: Configuration
    params: dict
    candidate: ClassifierMixin
    estimator: ClassifierMixin
    text_seconds: float = 0.0

    @property
    def is_prior(self):
        """Whether it is the shares of the classes, the same for every row."""
        return self.configuration == _PRIOR


def insure(task, configuration):
    """Fit something quick on few rows, in case there is no time for anything else.

    Parameters
    ----------
    task : Task
    configuration : Configuration
        What it is to be.

    Returns
    -------
    insurance : Insurance
        The shares of the classes, if that does not clearly beat them on rows held out.
    """
    rows = stratified_sample(task.codes, min(_QUICK_ROWS, len(task.y)), task.seed)
    train, test = hold_out(task.codes, rows, task.seed)
    prior = DummyClassifier(strategy="prior").fit(rows[:, np.newaxis], task.y[rows])
    if configuration == _PRIOR:
        return Insurance(_PRIOR, {}, prior, prior)
    params, candidate = task.make(configuration)
    limit = None
    if task.schedule.is_limited:
        limit = max(0.2, 0.6 * task.schedule.left())
    [(estimator, error)] = fit_all([candidate], task.work, train, Workers(1), limit)
    if error == INTERRUPTED:
        raise KeyboardInterrupt
    text_seconds = task.work.texts.seconds / len(train)
    is_better = estimator is not None and _beats(estimator, prior, task, test)
    if not is_better or task.excess(estimator) is not None:
        return Insurance(_PRIOR, {}, prior, prior, text_seconds)
    return Insurance(configuration, params, candidate, estimator, text_seconds)


def _beats(estimator, prior, task, rows):
    """Say whether a classifier has the lower log loss, by more than chance.

    One that has none is as good as any. Chance is one standard error of the difference.
    """
    if not hasattr(estimator, "predict_proba") or len(rows) == 0:
        return True
    X, truth = take_rows(task.X, rows), task.codes[rows]
    try:
        with calm():
            probabilities = estimator.predict_proba(X)
    except Exception:
        return False
    if not np.isfinite(probabilities).all():
        return False
    logs = [
        log_probabilities(align(values, known, task.classes)[range(len(rows)), truth])
        for values, known in [
            (probabilities, estimator.classes_),
            (prior.predict_proba(X), prior.classes_),
        ]
    ]
    gain = logs[0] - logs[1]
    return gain.mean() > gain.std() / np.sqrt(len(rows))


def fit_members(indices, trials, task, fitted_on=None):
    """Fit candidates on as many rows as there is time for.

    Parameters
    ----------
    indices : list of int
        The most important one first.
    trials : Trials
    task : Task
    fitted_on : dict of int to (int or str), default=None
        The rows of each, `FOLDS` or `FOLD`; None lets the time decide, and what the
        models may take.

    Returns
    -------
    outcomes : dict of int to (estimator or None, int or str, str or None)
        What was fitted, on what, and the error if nothing was. After an interruption
        the first one is fitted all the same, if it has been compared with others:
        otherwise nothing is lost that the user would wait for.
    """
    plan = _plan(indices, trials, task) if fitted_on is None else fitted_on
    outcomes = {}
    for n_rows in sorted({plan[index] for index in indices} - {FOLDS, FOLD}):
        chosen = [index for index in indices if plan[index] == n_rows]
        outcomes |= _fit_on(n_rows, chosen, trials, task)
    is_interrupted = any(error == INTERRUPTED for _, _, error in outcomes.values())
    if is_interrupted and task.splits:
        is_fitted = outcomes.get(indices[0], (None,))[0] is not None
        if is_fitted or plan[indices[0]] in (FOLDS, FOLD):
            warn("Interrupted: of the best candidates those predict that are fitted.")
        else:
            warn(
                "Interrupted: of the best candidates those predict that are fitted, "
                "and the best one, which is being fitted. To stop that, interrupt "
                "again."
            )
            outcomes |= _fit_on(plan[indices[0]], indices[:1], trials, task)
    for index in indices:
        estimator, rows, error = outcomes.get(index, (None, None, _NO_TIME))
        if estimator is not None:
            error = task.excess(estimator)
        # When replayed, the models of the splits are there in any case.
        elif plan[index] in (FOLDS, FOLD) or task.schedule.is_limited:
            all_or_one = (FOLDS, FOLD) if fitted_on is None else (plan[index],)
            for rows in all_or_one:
                estimator = _join_models(index, trials, task, rows)
                if estimator is not None:
                    error = task.excess(estimator)
                if error is None:
                    break
        outcomes[index] = estimator if error is None else None, rows, error
    return outcomes


def _fit_on(n_rows, indices, trials, task):
    fitted = fit_all(
        [trials.candidates[index] for index in indices],
        task.work,
        task.sample(n_rows),
        task.workers,
        task.schedule.limit(),
    )
    return {
        index: (estimator, n_rows, error)
        for index, (estimator, error) in zip(indices, fitted, strict=True)
    }


def _plan(indices, trials, task):
    """Say on how many rows each candidate is to be fitted."""
    n_all = len(task.y)
    if not (task.schedule.is_limited and task.splits):
        return dict.fromkeys(indices, n_all)
    time = _SHARE * task.schedule.left()
    # Each in turn takes its part of all workers' time, but no fit is divided.
    time_of_all = time * task.schedule.n_workers
    n_fitted = int(np.mean([len(train) for train, _ in task.splits]))
    plan = {}
    for index in indices:
        n_rows, learner = n_all, trials.recommendation.configurations[index].learner
        while n_rows > n_fitted:
            seconds = trials.refit_seconds(index, n_rows, task)
            if not task.can_stop(learner):
                seconds *= CAUTION
            if seconds < min(time, time_of_all):
                break
            n_rows = int(0.7 * n_rows)
        # Fewer rows than the models of the splits had are no gain, if there are any.
        if n_rows <= n_fitted:
            if trials.evaluations.models[index] is not None:
                plan[index] = FOLDS
                continue
            n_rows = n_fitted
            seconds = trials.refit_seconds(index, n_rows, task)
        plan[index] = n_rows
        time_of_all -= seconds
    return plan


def _join_models(index, trials, task, which):
    """Return the models of the splits as one, None if they were not kept."""
    models = trials.evaluations.models[index]
    if models is None:
        return None
    models = models[:1] if which == FOLD else models
    models = [pickle.loads(m) if isinstance(m, bytes) else m for m in models]
    if task.out_of_fold is None:
        # Whose predictions may be anything: only one of them alone gives the same.
        has_all = len(models[0].classes_) == len(task.classes)
        return models[0] if has_all else None
    joined = WeightedEnsemble([trials.candidates[index]] * len(models)).use(models)
    # A class of few rows may be in none of them.
    if len(joined.classes_) < len(task.classes):
        return None
    return models[0] if len(models) == 1 else joined
