import sys
from contextlib import suppress
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MethodMapping
from sklearn.utils.validation import has_fit_parameter

from skmeta._base_learners import (
    find_learner,
    get_learner,
    split_hyperparameters,
)
from skmeta._evaluation import (
    Prediction,
    asks_for_predictions_only,
    score_prediction,
)
from skmeta._export import to_sklearn
from skmeta._honesty import corrected_interval, scores_of_choice
from skmeta._inputs import check_number, with_seeds
from skmeta._messages import brief
from skmeta._search import MetaSearch
from skmeta._trials import Task
from skmeta._workers import calm
from skmeta.exceptions import NoCandidateError


class MetaHyperparamSelector(MetaSearch):
    """Recommended hyperparameters for an estimator, used like `GridSearchCV`.

    Parameters
    ----------
    estimator : estimator
        A classifier of a known class, or a pipeline or other meta-estimator
        that holds one: the step and its prefix are found. Parameters that a
        recommendation does not mention stay as they are.
    knowledge : KnowledgeBase, str, Path or None, default=None
        Where recommendations come from: None is the knowledge base that ships
        with skmeta, a path a file made by ``python -m skmeta build``.
    experience : str or Path, default=None
        Journal of what fits have learned, which this one learns from and adds to:
        meta-features, configurations, scores and seconds, and a hash of the table,
        but no rows and no names of columns or classes. Several processes may use it
        at once. What would make recommendations for known tasks worse does not count;
        ``recommendation_.reason`` says how many fits do. Nothing is added by fits
        with `sample_weight` or without cross-validation. None uses no journal.
    recommender : str or recommender, default="similar_tasks"
        How configurations are put in order: ``"similar_tasks"``,
        ``"portfolio"``, ``"average"``, ``"nearest_tasks"``, ``"surrogate"``,
        ``"neural"``, ``"tree"``, ``"symbolic"``, ``"random"`` or an object such as
        `SimilarTasksRecommender`.
    explorer : str, explorer or None, default=None
        What proposes further candidates when those recommended have been tried, or no
        longer gain, and `time_budget` or `n_candidates` is not used up:
        ``"evolution"`` or an object such as `RegularizedEvolution`. None ends the
        search.
    scoring : str, callable or None, default=None
        Metric to maximize, as in `GridSearchCV`; None is accuracy.
    cv : int, splitter, iterable or None, default=None
        Splits, as in `GridSearchCV`. None chooses by the number of rows:
        stratified 5-fold up to 5,000, 3-fold up to 50,000, a holdout of a fifth
        above; with ``groups`` they stay together.
    n_candidates : int, default=None
        How many configurations to try. None tries 8, from 200 to 2,000 rows 16,
        and with a time budget as many as it allows; there are no more than the
        knowledge base holds. With 1 the first recommendation is fitted without
        cross-validation: `cv_results_` then has one row of NaN scores and
        `best_score_` is NaN.
    time_budget : float, default=None
        Seconds for everything, the refit included. What would not end in time is
        not started, what runs over is stopped, hopeless candidates are dropped
        after some of their splits, and where time is short candidates are compared
        on a sample of the rows. Results then depend on the machine, and `replay`
        gives them again.
    memory_limit : float, default=None
        Megabytes that a fit may take besides what its process holds already. One
        that wants more has failed. With one job that process is yours, and the
        limit is on all of it while candidates are fitted. At least 100. Linux only;
        elsewhere there is no limit.
    max_predict_ms : float, default=None
        Milliseconds that ``best_estimator_`` may take to predict one row, with one
        thread. What is known to take much longer is not tried, and a candidate that
        does has an error in the leaderboard. What is chosen then depends on the
        machine.
    max_model_mb : float, default=None
        Megabytes (2**20 bytes) that it may take when pickled. With several jobs models
        take some hundred bytes more.
    refit : bool, default=True
        Fit the best candidate on all rows.
    n_jobs : int, default=None
        Fits done at the same time, as in joblib. The result does not depend on
        it.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the folds, and every `random_state` of the estimator that is None.
    verbose : int, default=0
        From 1 on, print a line for each candidate.
    callback : callable, default=None
        ``callback(progress)`` is told of each candidate, by a `Progress` of
        `skmeta.progress`, where there is also a `ProgressBar`; if it returns true, no
        further ones are begun. What it raises ends the fit, and the time it takes
        itself is not limited. Callbacks of scikit-learn (1.9 and later) are set by
        ``set_callbacks``.

    Attributes
    ----------
    best_estimator_ : estimator
        The estimator with the best hyperparameters, fitted on all rows. Only
        with `refit`. Where a time budget left no time for that, it is fitted on a
        sample of the rows, or is the model of a split.
    best_params_ : dict
        The best hyperparameters, as ``estimator.set_params`` takes them.
    best_score_ : float
        Their mean cross-validated score.
    honest_score_ : float
        Estimate of the score of ``best_estimator_`` on new rows, without the optimism
        of `best_score_`: in each split that of which is the best on the others. NaN
        without cross-validation and where every two splits test some same row, as a
        single holdout does. Only with `refit`.
    honest_interval_ : ndarray of shape (2,)
        An interval that is made for 95 %, from how much the scores of the splits
        differ and how many rows they learn from in common [1]_. It ends at the score
        of perfect predictions, if `scoring` is a name or of `make_scorer`, and is NaN
        where `honest_score_` is. By log loss it holds in fewer cases, four of five:
        few rows make most of the loss.
    best_index_ : int
        Their position in `cv_results_`.
    cv_results_ : dict
        As `GridSearchCV.cv_results_`.
    leaderboard_ : DataFrame
        Every candidate tried, the best first; with `max_predict_ms` or `max_model_mb`
        also ``predict_ms`` or ``model_mb`` of the models of its splits. The index is
        the order tried, from 0 as in `cv_results_`; what is printed counts from 1.
    trial_log_ : dict
        What was tried and what predicts, for `replay`.
    recommendation_ : Recommendation
        The configurations in the order recommended, and why.
    meta_features_ : Series
        The meta-features of the table; of a sample where it has more than 100,000
        rows, or with a time budget more than 20,000.
    classes_ : ndarray of shape (n_classes,)
        The classes. Only with `refit`.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, where they are strings.
    refit_time_ : float
        Seconds of the refit.
    scorer_ : callable
        The scorer used.
    n_splits_ : int
        Number of splits, 0 when there was no cross-validation.
    n_rows_compared_ : int
        How many rows the splits are made of, 0 where there are none. Of large tables,
        and with a time budget, they are a stratified sample; what predicts is fitted
        on all, as far as there is time.

    Raises
    ------
    NoCandidateError
        When fitting, if every candidate failed; its cause is the first traceback.
    ValueError
        When fitting, if the estimator holds none that the knowledge base knows.

    See Also
    --------
    MetaLearnerClassifier : Recommends the learner as well.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine
       Learning 52, 2003.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skmeta import MetaHyperparamSelector, load_knowledge
    >>> X, y = load_wine(return_X_y=True)
    >>> knowledge = load_knowledge().without(["wine"])
    >>> search = MetaHyperparamSelector(
    ...     make_pipeline(StandardScaler(), SVC()), knowledge=knowledge, random_state=0
    ... ).fit(X, y)
    >>> all(name.startswith("svc__") for name in search.best_params_)
    True
    """

    def __init__(
        self,
        estimator,
        *,
        knowledge=None,
        experience=None,
        recommender="similar_tasks",
        explorer=None,
        scoring=None,
        cv=None,
        n_candidates=None,
        time_budget=None,
        memory_limit=None,
        max_predict_ms=None,
        max_model_mb=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        verbose=0,
        callback=None,
    ):
        self.estimator = estimator
        self.knowledge = knowledge
        self.experience = experience
        self.recommender = recommender
        self.explorer = explorer
        self.scoring = scoring
        self.cv = cv
        self.n_candidates = n_candidates
        self.time_budget = time_budget
        self.memory_limit = memory_limit
        self.max_predict_ms = max_predict_ms
        self.max_model_mb = max_model_mb
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y, sample_weight=None, groups=None):
        """Recommend hyperparameters, try them and fit the best.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Anything that the estimator takes.
        y : array-like of shape (n_rows,)
            Classes: numbers, strings or booleans.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows, in fitting and in scoring. Without metadata
            routing they go to the estimator that was found inside.
        groups : array-like of shape (n_rows,), default=None
            Given to the splitter; rows of a group are kept together.

        Returns
        -------
        self
        """
        return self._search(X, y, sample_weight, groups)

    def suggest(self, X, y, n_suggestions=None):
        """Rank hyperparameters for a table without fitting anything.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Anything that the estimator takes.
        y : array-like of shape (n_rows,)
            Classes.
        n_suggestions : int, default=None
            How many; None gives all that the knowledge base holds.

        Returns
        -------
        suggestions : list of dict
            Parameters as ``estimator.set_params`` takes them, the one to try
            first in front.
        """
        check_number("n_suggestions", n_suggestions, Integral, "an integer >= 1")
        n_wanted = sys.maxsize if n_suggestions is None else n_suggestions
        return clone(self).set_params(n_candidates=n_wanted)._suggest(X, y)

    def param_grid(self, X, y, n_suggestions=None):
        """Give suggestions in the form that `GridSearchCV` takes.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Anything that the estimator takes.
        y : array-like of shape (n_rows,)
            Classes.
        n_suggestions : int, default=None
            How many; None gives all that the knowledge base holds.

        Returns
        -------
        param_grid : list of dict of str to list
            Each dict stands for one suggestion.
        """
        return [
            {name: [value] for name, value in suggestion.items()}
            for suggestion in self.suggest(X, y, n_suggestions)
        ]

    def to_sklearn(self):
        """Return the best estimator, which holds nothing of skmeta.

        Returns
        -------
        estimator : estimator
            Fitted; a copy of `best_estimator_`.

        Raises
        ------
        ValueError
            If there is something of skmeta in the estimator that was given.
        """
        self._check_refitted("to_sklearn")
        return to_sklearn(self.best_estimator_)

    def get_metadata_routing(self):
        """Say what metadata is passed to the estimator, the scorer and the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            super()
            .get_metadata_routing()
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _suggest(self, X, y):
        self._check_parameters()
        X, y = self._check_inputs(X, y)
        task = Task(X, y, len(y))
        knowledge, names = self._open_knowledge(task, False, self._open_journal(None))
        recommender = self._fit_recommender(knowledge, names, task)
        return [
            self._make_candidate(configuration, task.size, seed=0)[0]
            for configuration in self._recommend(recommender, (), task).configurations
        ]

    def _select_configurations(self, knowledge, size, weighted):
        known = knowledge.configurations
        learner, self._prefix = find_learner(self.estimator, set(known["learner"]))
        # Configurations that differ in the table encoder alone are one here.
        wanted = {}
        for name, row in known[known["learner"] == learner.name].iterrows():
            _, params = split_hyperparameters(row["hyperparameters"])
            wanted.setdefault(repr(sorted(params.items())), name)
        if not wanted:
            raise NoCandidateError(
                f"The knowledge base holds no configuration of {learner.name!r}, only "
                f"of {sorted(set(known['learner']))}. Build one that does with: "
                f"python -m skmeta build."
            )
        return list(wanted.values())

    def _make_candidate(self, configuration, size, seed):
        learner = get_learner(configuration.learner)
        _, named = split_hyperparameters(configuration.hyperparameters)
        fitted = learner.fit_to_size(dict(named), size)
        # What a recommendation does not mention is the user's to decide.
        params = {name: fitted[name] for name in named}
        params = {self._prefix + name: value for name, value in params.items()}
        return params, with_seeds(self.estimator, seed).set_params(**params)

    def _estimator_params(self, routed, sample_weight):
        if routed is not None:
            return routed.estimator["fit"]
        if sample_weight is None:
            return {}
        if has_fit_parameter(self.estimator, "sample_weight"):
            return {"sample_weight": sample_weight}
        parts = {"": self.estimator, **self.estimator.get_params()}
        inner = parts[self._prefix.removesuffix("__")]
        if not has_fit_parameter(inner, "sample_weight"):
            raise ValueError(
                f"estimator must take sample_weight when it is given, got: "
                f"{type(inner).__name__}, which does not."
            )
        # A pipeline wants to be told the step.
        return {self._prefix + "sample_weight": sample_weight}

    def _context(self):
        return [self.estimator]

    def _combine(self, trials, task, fitted, weights, judged):
        super()._combine(trials, task, fitted, weights, judged)
        failed = self.leaderboard_["error"].sort_index().notna().to_numpy()
        scores = np.where(failed[:, np.newaxis], np.nan, trials.evaluations.scores)
        judged = scores_of_choice(scores, [test for _, test in task.splits])
        self.honest_score_, self.honest_interval_ = np.nan, np.full(2, np.nan)
        if len(judged):
            self.honest_score_ = float(judged.mean())
            best = max(_score_of_perfect_predictions(task), self.honest_score_)
            interval = corrected_interval(judged, task.splits)
            self.honest_interval_ = np.minimum(interval, best)

    def _advice(self, trials, task):
        lacks_it = not self._candidates_have("predict_proba")
        if lacks_it and trials.raised and "predict_proba" in trials.raised[0]:
            return (
                f" scoring={self.scoring!r} needs probabilities, which the estimator "
                f"does not give. Use one that has predict_proba, such as "
                f"CalibratedClassifierCV around it, or SVC(probability=True)."
            )
        return super()._advice(trials, task)

    def _advice_on_table(self, task):
        advice = (
            " The estimator is given the table as it is: what it does not take, such "
            "as text or missing values, is for a step in front of it, in a pipeline."
        )
        if task.classes.tolist() != list(range(len(task.classes))):
            advice += (
                f" Some want classes that are numbers from 0 to "
                f"{len(task.classes) - 1}, which LabelEncoder().fit_transform(y) gives."
            )
        return advice

    def _candidates_have(self, method):
        return hasattr(self.estimator, method)

    def _check_parameters(self):
        super()._check_parameters()
        if not hasattr(self.estimator, "get_params"):
            raise TypeError(
                f"estimator must be a classifier, or hold one, such as "
                f"RandomForestClassifier(), got: {brief(self.estimator)}."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if not hasattr(self.estimator, "get_params"):
            return tags  # `fit` says what is wrong
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags = inner.classifier_tags
        return tags


def _score_of_perfect_predictions(task):
    """Return the score that is the best there is; infinity where nobody knows."""
    if not asks_for_predictions_only(task.scorer):
        return np.inf
    scores = []
    for _, test in task.splits:  # of which one may lack the class that is looked for
        right = Prediction(task.classes, np.eye(len(task.classes))[task.codes[test]])
        with suppress(Exception), calm():  # or the metric may not be defined there
            scores.append(
                score_prediction(task.scorer, right, task.y, test, task.score_params)
            )
    return np.nanmax(scores, initial=-np.inf) if len(scores) else np.inf
