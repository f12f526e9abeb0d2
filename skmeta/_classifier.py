import sys
from contextlib import suppress
from numbers import Integral

import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline

from skmeta._base_learners import (
    BASE_LEARNERS,
    check_learners,
    get_learner,
    how_to_teach,
    make_estimator,
)
from skmeta._configuration import Configuration
from skmeta._decision import START
from skmeta._distillation import distil
from skmeta._ensemble import WeightedEnsemble
from skmeta._export import to_code, to_sklearn, warn_of_labels
from skmeta._inputs import (
    TakesTables,
    check_number,
    check_table,
    make_seed,
    with_seeds,
)
from skmeta._limits import OutOfTime, time_limit
from skmeta._messages import brief, warn
from skmeta._out_of_fold import OutOfFold
from skmeta._refit import FOLDS
from skmeta._search import MetaSearch
from skmeta._tables import as_table
from skmeta._workers import calm
from skmeta.exceptions import NoCandidateError
from skmeta.recommendation import nearest_metric

# The part of what is left after the candidates in which the choice may be judged.
_SHARE_TO_JUDGE = 0.25

# Seconds that labels may be tuned in when the time is over: few for a metric that takes
# long, and enough for all others.
_LEAST_FOR_LABELS = 0.1

# What columns are not taken for, and what makes them so, by what is said of them. The
# first part that is found counts: a cell that is no number is quoted, and may hold the
# others.
_ADVICE = {
    "no number": (
        "numbers",
        "make that missing, as pandas.to_numeric(errors='coerce') does",
    ),
    # Not commas: they may be of thousands or of decimals.
    "written with signs": (
        "numbers",
        "remove these by str.replace('[$€£¥%]', '', regex=True), and what is left "
        "becomes numbers by pandas.to_numeric, once it has no commas of thousands",
    ),
    "written with commas": (
        "numbers",
        "read it so, by pandas.read_csv(decimal=',') or (thousands=',')",
    ),
    "dates are written": (
        "dates",
        "convert it by pandas.to_datetime, with format= or dayfirst=, since a day may "
        "be read as a month",
    ),
}

# What takes next to no time, and has useful probabilities on few rows.
_QUICK = Configuration("extra_trees", {"n_estimators": 40, "min_samples_leaf": 3})


class MetaLearnerClassifier(TakesTables, MetaSearch):
    """Classifier chosen by what is known of other tables.

    It measures meta-features of the table, asks a knowledge base of evaluated
    tasks which base learners with which hyperparameters did well on tables like
    it, cross-validates the first few of them and fits the best ones, which predict
    together, on all rows. It takes tables as they are: numbers, categories, text,
    dates, missing values.

    Parameters
    ----------
    knowledge : KnowledgeBase, str, Path or None, default=None
        Where recommendations come from: None is the knowledge base that ships
        with skmeta, a path a file made by ``python -m skmeta build``. What is not a
        path, but in memory, is pickled with the classifier.
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
        search: on a few hundred or thousand rows the best of hundreds is a lucky one,
        and no better on new rows.
    base_learners : sequence of str, default=None
        Names of the base learners that may be used. None allows all of the
        catalogue that the knowledge base holds and that are installed; a
        classifier that was taught by its path has to be named, as in
        ``["sklearn.ensemble:AdaBoostClassifier"]``.
    scoring : str, callable or None, default=None
        Metric to maximize, as in `GridSearchCV`; None is accuracy.
        Recommendations follow the stored metric nearest to it.
    cv : int, splitter, iterable or None, default=None
        Splits, as in `GridSearchCV`. None chooses by the number of rows:
        stratified 5-fold up to 5,000, 3-fold up to 50,000, a holdout of a fifth
        above; with ``groups`` they stay together.
    n_candidates : int, default=None
        How many configurations to try. None tries 8, from 200 to 2,000 rows 16,
        and with a time budget as many as it allows. With 1 the first recommendation
        is fitted without cross-validation: `cv_results_` then has one row of NaN
        scores and `best_score_` is NaN.
    time_budget : float, default=None
        Seconds for everything: meta-features, candidates and the final fits. What
        would not end in time is not started, what runs over is stopped, hopeless
        candidates are dropped after some of their splits, and where time is short
        candidates are compared on a sample of the rows, and the models of the
        splits predict instead of ones that are fitted on all rows. There is a
        classifier in any case, if two classes have two rows. What came of it depends
        on the machine, and `replay` does it again; counting candidates it does not.
    memory_limit : float, default=None
        Megabytes that a fit may take besides what its process holds already. One
        that wants more has failed. With one job that process is yours, and the
        limit is on all of it while candidates are fitted. At least 100. Linux only;
        elsewhere there is no limit.
    max_predict_ms : float, default=None
        Milliseconds that ``ensemble_`` may take to predict one row, with one thread;
        the checks of the table take about half a millisecond besides. What is known to
        take much longer is not tried; a candidate that does has an error in the
        leaderboard, and the ensemble has no more members than that allows. What is
        chosen then depends on the machine.
    max_model_mb : float, default=None
        Megabytes (2**20 bytes) that the models of ``ensemble_`` may take when pickled.
        With several jobs they take some hundred bytes more.
    ensemble_size : int or None, default=5
        Most candidates in the final classifier, None for no limit. They are chosen
        greedily by the log loss of their weighted mean out of fold [2]_, and the
        best one is always among them. With 1 it is alone.
    preprocessor : transformer, default=None
        Fitted in front of every base learner, inside the splits. Meta-features
        are those of the table before it.
    refit : bool, default=True
        Fit the best candidates on all rows. Without it there are no predictions.
    n_jobs : int, default=None
        Fits done at the same time, as in joblib. The result does not depend on
        it. Each fit, and the refit, has one thread.
    random_state : int, RandomState, Generator or None, default=None
        Seeds folds and learners, and every `random_state` of the preprocessor
        that is None. An integer makes two fits identical.
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
    best_estimator_ : Pipeline
        The best candidate, fitted on all rows; where a time budget left no time for
        that, the mean of the models of its splits. Only with `refit`.
    ensemble_ : classifier
        What predicts: the candidates in ``ensemble_.estimators_`` with
        ``ensemble_.weights``, the best one first. Where `scoring` is a metric
        that cares for every class alike, such as balanced accuracy or F1, labels
        are those with the highest probability times
        ``ensemble_.class_weights``. Only with `refit`.
    columns_ : DataFrame
        What was made of each column of the table, in its order: ``name``, ``kind``
        ("number", "date", "category", "text" or "ignored") and the ``reason`` if it is
        ignored, or a category because its dtype says so, a few cells are no numbers or
        numbers have commas or signs. After a `preprocessor`, of what that made. Only
        with `refit`.
    best_params_ : dict
        Its base learner (under ``"learner"``) and hyperparameters.
    best_score_ : float
        Its mean cross-validated score. Being the highest of several it is
        somewhat optimistic. Above 100,000 rows, or fewer with a time budget,
        candidates are compared on a sample.
    honest_score_ : float
        Estimate of the score of ``ensemble_`` on new rows: everything is chosen anew
        without each split, from what was predicted out of fold, and judged on that
        split [3]_. It may be higher than `best_score_`, since an ensemble is better
        than its best member. With little of a time budget left, the splits are left
        out in two halves. NaN where there was no cross-validation, after an
        interruption, where a time budget left no time for it or for all splits of a
        candidate, and where `scoring` is a function of your own that `make_scorer` did
        not make: it may need more than predictions. Only with `refit`.
    honest_interval_ : ndarray of shape (2,)
        An interval that is made for 95 % and held the true score of about nine in
        ten tables with 300 rows: it knows the chance in which rows were tested, not
        that in what was chosen. It ends at the score of perfect predictions, and is NaN
        where the metric is not defined without some of the rows, and where a time
        budget ends before it is found.
    best_index_ : int
        Its position in `cv_results_`.
    cv_results_ : dict
        As `GridSearchCV.cv_results_`.
    leaderboard_ : DataFrame
        Every candidate tried, the best first, with scores, seconds, what was
        expected of it, its weight in the ensemble, and its error if it failed; with
        `max_predict_ms` or `max_model_mb` also ``predict_ms`` or ``model_mb`` of the
        models of its splits. Seconds are those of a split in the mean; what texts take
        is in those of the candidates that met them first. The index is the order
        tried, from 0 as in `cv_results_`; what is printed counts from 1.
    trial_log_ : dict
        What was tried and what predicts, for `replay`: numbers, strings, lists and
        dicts, so that JSON can hold it.
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
    KnowledgeError
        When fitting, if the knowledge file cannot be used.

    See Also
    --------
    MetaHyperparamSelector : Recommended hyperparameters for a given estimator.

    References
    ----------
    .. [1] M. Feurer, K. Eggensperger, S. Falkner, M. Lindauer, F. Hutter,
       "Auto-Sklearn 2.0: Hands-free AutoML via Meta-Learning", JMLR 23, 2022.
    .. [2] R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble Selection
       from Libraries of Models", ICML 2004.
    .. [3] S. Varma, R. Simon, "Bias in Error Estimation When Using
       Cross-Validation for Model Selection", BMC Bioinformatics 7, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmeta import MetaLearnerClassifier, load_knowledge
    >>> X, y = load_iris(return_X_y=True)
    >>> knowledge = load_knowledge().without(["iris"])
    >>> clf = MetaLearnerClassifier(
    ...     knowledge=knowledge, n_candidates=3, random_state=0
    ... ).fit(X, y)
    >>> clf.best_score_ > 0.9
    True
    >>> bool(clf.honest_score_ > 0.9)
    True
    >>> clf.predict(X[:2])
    array([0, 0])
    """

    def __init__(
        self,
        *,
        knowledge=None,
        experience=None,
        recommender="similar_tasks",
        explorer=None,
        base_learners=None,
        scoring=None,
        cv=None,
        n_candidates=None,
        time_budget=None,
        memory_limit=None,
        max_predict_ms=None,
        max_model_mb=None,
        ensemble_size=5,
        preprocessor=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        verbose=0,
        callback=None,
    ):
        self.knowledge = knowledge
        self.experience = experience
        self.recommender = recommender
        self.explorer = explorer
        self.base_learners = base_learners
        self.scoring = scoring
        self.cv = cv
        self.n_candidates = n_candidates
        self.time_budget = time_budget
        self.memory_limit = memory_limit
        self.max_predict_ms = max_predict_ms
        self.max_model_mb = max_model_mb
        self.ensemble_size = ensemble_size
        self.preprocessor = preprocessor
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y, sample_weight=None, groups=None):
        """Recommend, try and fit.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            DataFrame, array, list of rows or sparse matrix. Cells may be
            numbers, categories, strings, booleans, dates or missing.
        y : array-like of shape (n_rows,)
            Classes: numbers, strings or booleans.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows, in fitting and in scoring. Base learners that
            take no weights are then not considered.
        groups : array-like of shape (n_rows,), default=None
            Given to the splitter; rows of a group are kept together.

        Returns
        -------
        self
        """
        self._search(X, y, sample_weight, groups)
        self._warn_of_columns()
        return self

    def _warn_of_columns(self):
        """Say what a user would want to know of the columns, and would not look up."""
        encoder = _find_encoder(self.best_estimator_) if self.refit else None
        if encoder is None:
            return
        columns = encoder.columns_
        if (columns["kind"] == "ignored").all():
            reasons = ", ".join(sorted(set(columns["reason"])))
            warn(
                f"Nothing in X can tell classes apart: all columns are ignored "
                f"({reasons}). What predicts goes by the shares of the classes."
            )
        for name, reason in zip(columns["name"], columns["reason"], strict=True):
            part = next((part for part in _ADVICE if part in reason), None)
            if part is not None:
                kind, advice = _ADVICE[part]
                warn(
                    f"Column {name!r} is not taken for {kind}: {reason}. If it should "
                    f"be, {advice}."
                )

    def distil(self, X, n_rows=None):
        """Return one small, fast model that imitates this classifier [1]_.

        Where the ensemble is too large or slow to be deployed: boosting that learns the
        probabilities of `predict_proba` for the rows given and for others mixed from
        them.

        Parameters
        ----------
        X : table of shape (n_given, n_features)
            Rows such as those to be predicted, for instance those of `fit`; more are
            better, and their classes need not be known.
        n_rows : int, default=None
            How many rows it learns from, the given ones included. None is five times
            as many, within 2,000 and 50,000.

        Returns
        -------
        student : classifier
            Fitted, with ``predict`` and ``predict_proba``, and with ``to_sklearn``,
            as of this classifier. Labels follow the class weights of ``ensemble_``.

        References
        ----------
        .. [1] C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model Compression", KDD 2006.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmeta import MetaLearnerClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MetaLearnerClassifier(n_candidates=3, random_state=0).fit(X, y)
        >>> small = clf.distil(X)
        >>> bool((small.predict(X) == clf.predict(X)).mean() > 0.95)
        True
        """
        self._check_refitted("distil")
        X = check_table(self, X, reset=False)
        if n_rows is not None:
            check_number("n_rows", n_rows, Integral, "an integer >= 1")
        return distil(self.ensemble_, X, n_rows, make_seed(self.random_state))

    def to_sklearn(self):
        """Return what predicts as an estimator of scikit-learn alone.

        Its probabilities are those of this classifier, and so are its labels, apart
        from weights of more than two classes (``ensemble_.class_weights``): then they
        are the most probable classes, of which it warns, and `to_code` says how to
        weigh them. It works where skmeta is not installed, and a clone of it can be
        fitted on other rows of the same table. It is told then which columns are
        numbers, text and categories and which are ignored, and the levels of the
        categories. Rows are not augmented then.

        Returns
        -------
        estimator : Pipeline, VotingClassifier or FixedThresholdClassifier
            Fitted. It is independent of this classifier.

        Raises
        ------
        ValueError
            If something has no equal in plain scikit-learn; it says what.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmeta import MetaLearnerClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MetaLearnerClassifier(
        ...     base_learners=["gaussian_nb"], n_candidates=1, random_state=0
        ... ).fit(X, y)
        >>> clf.to_sklearn()[-1]
        GaussianNB(...)
        """
        self._check_refitted("to_sklearn")
        warn_of_labels(self.ensemble_.class_weights, "ensemble_.class_weights")
        return to_sklearn(self.ensemble_)

    def to_code(self):
        """Return Python source that builds the estimator of `to_sklearn`, unfitted.

        Fitted on the same rows it gives the same probabilities if every member was
        fitted on all of them. Of a member that is the mean of the models of the splits
        (``fitted_on`` is "folds" in ``trial_log_["members"]``) it builds the pipeline
        to be fitted on all rows, whose probabilities differ, and says so; so it does
        of a member that there was no time to fit on all rows (``fitted_on`` is their
        number, or "quick").

        Returns
        -------
        source : str
            It imports what it needs and assigns the variable ``estimator``.

        Raises
        ------
        ValueError
            If something has no equal in plain scikit-learn, as augmentation has
            none, or cannot be imported, such as a function defined in a session.
        """
        self._check_refitted("to_code")
        complete = self.trial_log_["n_rows"], FOLDS
        members = self.trial_log_["members"]
        is_partial = [each["fitted_on"] not in complete for each in members]
        return to_code(self.ensemble_, is_partial)

    def get_metadata_routing(self):
        """Say what metadata is used here, and passed to the scorer and splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        return super().get_metadata_routing().add_self_request(self)

    def _select_configurations(self, knowledge, size, weighted):
        # Nothing that a knowledge file names is imported unless the user names it.
        allowed = list(BASE_LEARNERS)
        if self.base_learners is not None:
            allowed = check_learners(self.base_learners)
        learners = knowledge.configurations["learner"]
        held = sorted(set(learners))
        usable = [
            learner.name
            for learner in map(get_learner, sorted(set(allowed).intersection(held)))
            if learner.is_installed
            and learner.suits(size)
            and (learner.takes_weights or not weighted)
        ]
        if not usable:
            absent = sorted(
                name
                for name in set(allowed).intersection(held)
                if not get_learner(name).is_installed
            )
            hint = f" Not installed: pip install {' '.join(absent)}" if absent else ""
            new = sorted(each for each in set(allowed).difference(held) if ":" in each)
            hint += how_to_teach(new[0]) if new else ""
            raise NoCandidateError(
                f"base_learners must allow one that the knowledge base holds "
                f"({held}), that is installed, and that suits {size.n_rows} rows x "
                f"{size.n_columns} columns"
                f"{' and takes sample_weight' if weighted else ''}, "
                f"got: {self.base_learners!r}.{hint}"
            )
        return learners.index[learners.isin(usable)]

    def _make_candidate(self, configuration, size, seed):
        params = {"learner": configuration.learner, **configuration.hyperparameters}
        pipeline = make_estimator(configuration, size, seed)
        if self.preprocessor is not None:
            preprocessor = with_seeds(self.preprocessor, seed)
            pipeline.steps.insert(0, ("preprocessor", preprocessor))
        return params, pipeline

    def _check_parameters(self):
        super()._check_parameters()
        check_number("ensemble_size", self.ensemble_size, Integral, "an integer >= 1")
        if isinstance(self.preprocessor, type) and hasattr(
            self.preprocessor, "transform"
        ):
            name = self.preprocessor.__name__
            raise TypeError(
                f"preprocessor must be an instance of a transformer, such as {name}(), "
                f"got: the class {name}."
            )
        methods = ("fit", "transform", "get_params")
        is_transformer = all(hasattr(self.preprocessor, name) for name in methods)
        if self.preprocessor is not None and not is_transformer:
            raise TypeError(
                f"preprocessor must be a transformer of scikit-learn's kind, with fit, "
                f"transform and get_params, or None, got: {brief(self.preprocessor)}."
            )

    def _advice_on_table(self, task):
        if self.preprocessor is None:
            return ""
        return (
            " preprocessor is given the table as it is: what it does not take, such as "
            "text or missing values, is for a step in front of it, in a pipeline."
        )

    def _followed_metric(self, knowledge):
        metric, is_exact = nearest_metric(self.scoring)
        if not START.get(metric):
            return metric, is_exact
        # Candidates are scored by the labels of weighted classes.
        tuned = f"{metric}_tuned"
        is_known = tuned in knowledge.metrics
        return (tuned if is_known else metric), is_exact and is_known

    def _choose_quick(self, knowledge, names):
        if "extra_trees" in knowledge.configurations.loc[list(names), "learner"].array:
            return _QUICK
        return super()._choose_quick(knowledge, names)

    def _context(self):
        return [] if self.preprocessor is None else [self.preprocessor]

    def _out_of_fold(self, task, sample_weight, groups):
        return OutOfFold(
            task.y,
            task.splits,
            self.scorer_,
            *nearest_metric(self.scoring),
            task.score_params,
            sample_weight,
            groups,
            encoded=(task.classes, task.codes),
        )

    @property
    def _n_members(self):
        return self.ensemble_size or sys.maxsize

    def _weigh_members(self, trials, task):
        if trials.evaluations.interrupted:
            # Who interrupted wants what there is, at once.
            return {self.best_index_: 1.0}
        return task.out_of_fold.weigh_members(
            self._usable_probabilities(trials),
            self.ensemble_size,
            self.best_index_,
            task.footprint_limit.shares(trials.evaluations.footprints),
        )

    def _usable_probabilities(self, trials):
        """Return those of each candidate that has not failed, None for the others."""
        failed = set(self.leaderboard_.index[self.leaderboard_["error"].notna()])
        return [
            None if index in failed else values
            for index, values in enumerate(trials.evaluations.probabilities)
        ]

    def _lighten(self, trials, task, fitted, weights):
        kept = [index for index in weights if index in fitted]
        while task.footprint_limit and len(kept) > 1:
            ensemble = WeightedEnsemble([trials.candidates[index] for index in kept])
            if task.excess(ensemble.use([fitted[index] for index in kept])) is None:
                break
            kept.pop()
        if len(kept) == len(weights):
            return weights
        total = sum(weights[index] for index in kept)
        return {index: weights[index] / total for index in kept}

    def _judge_early(self, trials, task):
        """Judge before the final fits, which adapt to the time that is left then."""
        if not task.schedule.is_limited:
            return None
        seconds = task.out_of_fold.seconds_to_be_honest
        is_soon = seconds < _SHARE_TO_JUDGE * task.schedule.left()
        if not is_soon:
            return None
        try:
            return self._judge(trials, task, _SHARE_TO_JUDGE)
        except KeyboardInterrupt:  # then what there is has to do, as in the search
            trials.interrupt()
            return None

    def _judge(self, trials, task, share=1.0):
        """Return the honest score and what it was found by, None if there is none."""
        if trials.evaluations.interrupted:
            return None
        limit = task.schedule.limit()
        limit = None if limit is None else share * limit
        is_short = limit is not None and task.out_of_fold.seconds_to_be_honest > limit
        with suppress(OutOfTime), calm(), time_limit(limit):
            return task.out_of_fold.honest_score(
                trials.evaluations.scores,
                self._usable_probabilities(trials),
                self.ensemble_size,
                task.footprint_limit.shares(trials.evaluations.footprints),
                n_parts=2 if is_short else None,
            )
        return None

    @property
    def _class_weights(self):
        return self.ensemble_.class_weights if self.refit else None

    def _weigh_classes(self, mean, task):
        """Return the weights of the classes for labels, those of the log if known."""
        log = task.log or {}
        if log.get("members") and "class_weights" in log:
            weights = log["class_weights"]
            return None if weights is None else np.array(weights)
        limit = task.schedule.limit()
        limit = None if limit is None else max(limit, _LEAST_FOR_LABELS)
        with suppress(OutOfTime), time_limit(limit):
            return task.out_of_fold.weigh_classes(mean)
        return task.out_of_fold.weigh_classes(None)

    def _combine(self, trials, task, fitted, weights, judged):
        """Set the ensemble, and what the leaderboard says of it."""
        super()._combine(trials, task, fitted, weights, judged)
        self.leaderboard_["weight"] = [
            weights.get(index, 0.0) for index in self.leaderboard_.index
        ]
        with calm():
            mean = task.out_of_fold.mean(trials.evaluations.probabilities, weights)
            class_weights = self._weigh_classes(mean, task)
        self.ensemble_ = WeightedEnsemble(
            [trials.candidates[index] for index in weights],
            np.array(list(weights.values())),
            class_weights,
            n_jobs=self.n_jobs,
        ).use([fitted[index] for index in weights])
        self.honest_score_, self.honest_interval_ = np.nan, np.full(2, np.nan)
        if mean is None:
            return
        judged = judged or self._judge(trials, task)
        if judged is not None:
            self.honest_score_, chosen = judged
            with suppress(OutOfTime), calm(), time_limit(task.schedule.limit()):
                self.honest_interval_ = task.out_of_fold.honest_interval(
                    self.honest_score_, chosen
                )

    @property
    def columns_(self):
        """What was made of each column of the table."""
        self._check_refitted("columns_")
        encoder = _find_encoder(self.ensemble_)
        if encoder is None:
            raise AttributeError(
                f"columns_ is there when a base learner of skmeta's own predicts, got: "
                f"{self.best_params_['learner']}, which reads the table by itself."
            )
        return encoder.columns_

    @property
    def _predictor(self):
        return self.ensemble_

    def _warn_of_cells(self, X):
        encoder = _find_encoder(self.ensemble_)
        if encoder is None or self.preprocessor is not None:
            return
        misread = encoder.find_misread(as_table(X)).items()
        if misread:
            columns = ", ".join(f"{name!r} (as {cell!r})" for name, cell in misread)
            warn(
                f"Columns must hold cells of the type that they had in fit, or these "
                f"count as missing or never seen, got others in: {columns}. Convert "
                f"them."
            )

    def _candidates_have(self, method):
        # Every base learner gives probabilities; only some have margins.
        return method != "decision_function"

    def _fitting_context(self):
        # Weights are routed to this classifier; what it does with them inside its
        # own pipelines is not for the user to request.
        return config_context(enable_metadata_routing=False)


def _find_encoder(estimator):
    """Return what reads the table in a fitted classifier, None if nothing does."""
    if isinstance(estimator, Pipeline):
        return estimator.named_steps.get("table")
    members = getattr(estimator, "estimators_", ())
    return next(filter(None, map(_find_encoder, members)), None)
