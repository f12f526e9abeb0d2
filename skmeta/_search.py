"""What the classifier and the selector share: recommend, try, refit."""

import os
import time
import warnings
from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache, partial
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    check_cv,
)
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)
from threadpoolctl import threadpool_limits

from skmeta._base_learners import TaskSize
from skmeta._evaluation import (
    Evaluations,
    calm,
    evaluate_candidates,
    make_cv_results,
)
from skmeta._tables import without_polars
from skmeta.exceptions import NoCandidateError, SkmetaWarning
from skmeta.knowledge import KnowledgeBase, load_knowledge
from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.recommendation import Observation, get_recommender, nearest_metric

DEFAULT_N_CANDIDATES = 8

# Candidates tried at a time when the recommender learns from what they score. One
# by one would recommend no better, and leave processors idle.
_ROUND = 4


def _refitted_has(method):
    """Make the check of `available_if` for a method of the refitted estimator."""

    def check(search):
        search._check_refits(method)
        if hasattr(search, "best_estimator_"):
            getattr(search._predictor, method)  # raises the reason
            return True
        return search._candidates_have(method)

    return check


class MetaSearch(MetaEstimatorMixin, ClassifierMixin, BaseEstimator, ABC):
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

    def _out_of_fold(self, X, y, splits, score_params, sample_weight):
        """Return an `OutOfFold` if probabilities are to be kept, else None."""
        return None

    @property
    def _predictor(self):
        """What predicts once fitted."""
        return self.best_estimator_

    def _finish(self, candidates, evaluations, out_of_fold, X, y, fit_params):
        """Do what is to be done once the best candidate is fitted on all rows."""

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

    def score(self, X, y, **params):
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

    def _search(self, X, y, sample_weight, groups):
        """Recommend candidates, try them, keep and refit the best one."""
        started = time.monotonic()
        self._check_parameters()
        X, y = self._check_inputs(X, y)
        sample_weight = _check_weights(sample_weight)
        check_consistent_length(X, y, sample_weight, groups)
        routed, score_params, split_params = self._route(sample_weight, groups)
        seed = make_seed(self.random_state)
        splits = self._make_splits(X, y, split_params, seed)
        size = _size_of_fits(X, y, splits)

        recommender = self._fit_recommender(X, y, size, sample_weight is not None)
        fit_params = self._estimator_params(routed, sample_weight)
        out_of_fold = self._out_of_fold(X, y, splits, score_params, sample_weight)
        deadline = self._deadline(started)
        evaluate = partial(
            evaluate_candidates,
            X=X,
            y=y,
            splits=splits,
            scorer=self.scorer_,
            n_jobs=self.n_jobs,
            fit_params=fit_params,
            score_params=score_params,
            deadline=deadline,
            classes=None if out_of_fold is None else out_of_fold.classes,
            judge=None if out_of_fold is None else out_of_fold.judge,
        )
        make = partial(self._make_candidate, size=size, seed=seed)
        with self._fitting_context():
            params, candidates, evaluations = self._try(
                recommender, make, evaluate, deadline
            )
            self._describe(evaluations, params)
            if self.refit:
                started = time.perf_counter()
                self._refit_best(candidates, X, y, fit_params)
                self._finish(candidates, evaluations, out_of_fold, X, y, fit_params)
                self.refit_time_ = time.perf_counter() - started
        return self

    def _try(self, recommender, make, evaluate, deadline):
        """Try what is recommended, in rounds that learn from those before.

        The rounds do not depend on `n_jobs`, and so neither does the result.
        """
        self.recommendation_ = self._recommend(recommender)
        adapts = self._adapts(recommender)
        params, candidates = [], []
        evaluations = Evaluations.none(self.n_splits_)
        while len(candidates) < len(self.recommendation_.configurations):
            n_done = len(candidates)
            stop = n_done + _ROUND if adapts else None
            for configuration in self.recommendation_.configurations[n_done:stop]:
                values, candidate = make(configuration)
                params.append(values)
                candidates.append(candidate)
            report = partial(self._report, n_done) if self.verbose else None
            try:
                more = evaluate(candidates[n_done:], on_candidate=report)
            except KeyboardInterrupt:
                if n_done == 0:
                    raise
                evaluations = replace(evaluations, interrupted=True)
                break
            evaluations = evaluations.followed_by(more)
            if more.interrupted or (
                deadline is not None and time.monotonic() >= deadline
            ):
                break
            if adapts and len(candidates) < len(self.recommendation_.configurations):
                self._plan_again(recommender, evaluations)
        return params, candidates, evaluations

    def _plan_again(self, recommender, evaluations):
        tried = self.recommendation_.first(len(evaluations.errors))
        seconds = evaluations.fit_seconds + evaluations.score_seconds
        observed = [
            Observation(*each)
            for each in zip(
                tried.configurations,
                evaluations.mean_scores,
                seconds.mean(axis=1),
                strict=True,
            )
        ]
        self.recommendation_ = tried.followed_by(self._recommend(recommender, observed))

    def _check_parameters(self):
        check_number("n_candidates", self.n_candidates, Integral, "an integer >= 1")
        check_number("time_budget", self.time_budget, Real, "a number of seconds > 0")
        self.scorer_ = self._get_scorer()

    def _get_scorer(self):
        if isinstance(self.scoring, (list, tuple, set, dict)):
            raise ValueError(
                f"scoring must be one metric (a name, a callable or None), "
                f"got: {self.scoring!r}."
            )
        return get_scorer("accuracy" if self.scoring is None else self.scoring)

    def _check_inputs(self, X, y):
        if y is None:
            validate_data(self, X, y=None)  # says that y is required
        X = self._check_table(X, reset=True)
        y = column_or_1d(_without_nullable(y), warn=True)
        check_consistent_length(X, y)
        if pd.isna(y).any():
            raise ValueError(
                "y must have a class for every row, got: missing values (NaN). "
                "Leave those rows out."
            )
        if y.dtype == object and len({isinstance(label, str) for label in y}) > 1:
            raise ValueError(
                "y must have classes of one type, got: strings and other values. "
                "Convert them, for instance by astype(str)."
            )
        check_classification_targets(y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"y must have at least two classes, got: one class, "
                f"{str(classes[0])!r}."
            )
        return X, y

    def _check_table(self, X, *, reset):
        """Check a table and note its columns, without changing its cells."""
        X = without_polars(X)
        if _is_mixed_list(X):
            X = pd.DataFrame(X)
        if not hasattr(X, "iloc"):
            return validate_data(
                self,
                X,
                reset=reset,
                accept_sparse=["csr", "csc", "coo"],
                dtype=None,
                ensure_all_finite=False,
            )
        if len(X.shape) != 2:
            raise ValueError(
                f"X must be a table with rows and columns, got: a "
                f"{type(X).__name__} of shape {X.shape}. Reshape your data: make it a "
                f"DataFrame, for instance by X.to_frame()."
            )
        if min(X.shape) < 1:
            raise ValueError(
                f"X must have at least one row and one column, got: "
                f"{X.shape[0]} sample(s) and {X.shape[1]} feature(s)."
            )
        validate_data(self, X, reset=reset, skip_check_array=True)
        return X

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

    def _make_splits(self, X, y, split_params, seed):
        """Return the list of splits, empty when there is nothing to choose from."""
        if self.n_candidates == 1:
            splits = []
        elif self.cv is None:
            splits = default_splits(y, seed, **split_params)
        elif self._chooses_splits and split_params:
            # A number of folds would otherwise mean folds that ignore groups.
            splits = list(StratifiedGroupKFold(self.cv).split(X, y, **split_params))
        else:
            splitter = check_cv(self.cv, y, classifier=True)
            splits = list(splitter.split(X, y, **split_params))
        # The user's may be masks, or lists.
        rows = np.arange(len(y))
        splits = [(rows[train], rows[test]) for train, test in splits]
        self.n_splits_ = len(splits)
        return splits

    def _fit_recommender(self, X, y, size, weighted):
        """Extract meta-features, and fit the recommender on what may be used here."""
        knowledge = open_knowledge(self.knowledge)
        names = tuple(self._select_configurations(knowledge, size, weighted))
        extractor = MetaFeatureExtractor(level="full").fit(X, y)
        self.meta_features_ = pd.Series(
            extractor.meta_features_, index=extractor.get_feature_names_out()
        )
        metric, self._scores_as_known = self._followed_metric(knowledge)
        with _one_thread():
            if self.knowledge is None and isinstance(self.recommender, str):
                return _fit_on_shipped(self.recommender, names, metric)
            recommender = clone(get_recommender(self.recommender), safe=False)
            return recommender.fit(knowledge.with_configurations(names), metric)

    def _recommend(self, recommender, observed=()):
        n_wanted = self._n_wanted()
        with _one_thread():
            recommendation = recommender.recommend(
                self.meta_features_,
                n_configurations=None if n_wanted is None else n_wanted - len(observed),
                per_second=self.time_budget is not None,
                **({"observed": observed} if observed else {}),
            )
        if self._scores_as_known:
            return recommendation
        note = f" It follows {recommendation.metric}, the nearest metric that is known."
        return replace(recommendation, reason=recommendation.reason + note)

    def _adapts(self, recommender):
        """Say whether what is observed changes what is recommended.

        Scores by another metric than the known ones cannot be compared with them.
        """
        adapts_after = getattr(recommender, "adapts_after", None)
        return self._scores_as_known and adapts_after is not None

    def _n_wanted(self):
        """Return how many to recommend, None for all that are known."""
        if self.n_candidates is None and self.time_budget is None:
            return DEFAULT_N_CANDIDATES
        return self.n_candidates

    def _deadline(self, started):
        return None if self.time_budget is None else started + self.time_budget

    def _report(self, n_before, index, scores, seconds, error):
        index += n_before
        configuration = self.recommendation_.configurations[index]
        outcome = "failed" if error else f"{scores.mean():.4f}"
        n_candidates = len(self.recommendation_.configurations)
        print(
            f"[{index + 1}/{n_candidates}] {configuration.name}: {outcome} "
            f"({seconds:.1f} s)",
            flush=True,
        )

    def _describe(self, evaluations, params):
        """Set the attributes that say what was tried and what came of it."""
        if evaluations.interrupted:
            warnings.warn(
                "Interrupted: the best of the candidates tried so far is kept.",
                SkmetaWarning,
                stacklevel=4,
            )
        params = params[: len(evaluations.errors)]
        self.cv_results_ = make_cv_results(evaluations, params)
        self.leaderboard_ = self._make_leaderboard(evaluations.errors)
        if all(evaluations.errors):
            raise NoCandidateError(
                f"All {len(evaluations.errors)} candidates failed. The first one "
                f"raised: {_last_line(evaluations.errors[0])}\n"
                f"{evaluations.errors[0]}"
            )
        self._choose(evaluations.best_index)

    def _make_leaderboard(self, errors):
        results = self.cv_results_
        tried = self.recommendation_.configurations[: len(errors)]
        frame = pd.DataFrame(
            {
                "rank": results["rank_test_score"],
                "learner": [configuration.learner for configuration in tried],
                "score": results["mean_test_score"],
                "std": results["std_test_score"],
                "expected_score": self.recommendation_.expected_scores[: len(tried)],
                "fit_seconds": results["mean_fit_time"],
                "score_seconds": results["mean_score_time"],
                "params": results["params"],
                "error": [_last_line(error) for error in errors],
            },
            index=pd.RangeIndex(len(tried), name="candidate"),
        )
        return frame.sort_values("rank", kind="stable")

    def _choose(self, index):
        self.best_index_ = index
        self.best_params_ = self.cv_results_["params"][index]
        self.best_score_ = float(self.cv_results_["mean_test_score"][index])

    def _refit_best(self, candidates, X, y, fit_params):
        """Fit the best candidate on all rows, or the next best if that fails."""
        first_error = None
        for index in self.leaderboard_.index[self.leaderboard_["error"].isna()]:
            try:
                with calm():
                    self.best_estimator_ = clone(candidates[index]).fit(
                        X, y, **fit_params
                    )
            except Exception as error:
                first_error = first_error or error
                self.leaderboard_.loc[index, "error"] = _last_line(str(error))
                continue
            self._choose(index)
            return
        raise NoCandidateError(
            f"No candidate could be fitted on all rows. The first one raised: "
            f"{type(first_error).__name__}: {first_error}"
        ) from first_error

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
        X = self._check_table(X, reset=False)
        return getattr(self._predictor, method)(X)


def _one_thread():
    """Keep BLAS from sharing small matrices among threads.

    Where other processes keep the cores busy, threads that wait for each other
    take a hundred times longer than one.
    """
    return threadpool_limits(limits=1, user_api="blas")


def make_seed(random_state):
    """Return an integer seed for everything random in one fit.

    Parameters
    ----------
    random_state : int, RandomState, Generator or None
        None draws fresh entropy from the operating system; NumPy's global
        generator is never touched.

    Returns
    -------
    seed : int
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    if isinstance(random_state, Integral) and 0 <= random_state < 2**32:
        return int(random_state)
    for draw in ("integers", "randint"):  # of a Generator, of a RandomState
        if hasattr(random_state, draw):
            return int(getattr(random_state, draw)(2**31 - 1))
    raise ValueError(
        f"random_state must be an integer from 0 to 2**32 - 1, a Generator, a "
        f"RandomState or None, got: {random_state!r}."
    )


def with_seeds(estimator, seed):
    """Return a clone in which every `random_state` that is None is a seed.

    Parameters
    ----------
    estimator : estimator
        Its parts are looked at too.
    seed : int
        What they are set to.

    Returns
    -------
    estimator : estimator
    """
    unset = {
        name: seed
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return clone(estimator).set_params(**unset)


@lru_cache(maxsize=1)
def _shipped_knowledge():
    return load_knowledge()


@lru_cache(maxsize=8)
def _fit_on_shipped(recommender, names, metric):
    """Fit a recommender once for many fits: recommending does not change it."""
    knowledge = _shipped_knowledge().with_configurations(names)
    return get_recommender(recommender).fit(knowledge, metric)


def open_knowledge(knowledge):
    """Return a knowledge base, whatever form it was given in.

    Parameters
    ----------
    knowledge : KnowledgeBase, str, Path or None
        None stands for the one that ships with skmeta, a path for a file.

    Returns
    -------
    knowledge : KnowledgeBase

    Raises
    ------
    TypeError
        If it is something else.
    KnowledgeError
        If the file cannot be used.
    """
    if isinstance(knowledge, KnowledgeBase):
        return knowledge
    if knowledge is None:
        return _shipped_knowledge()
    if isinstance(knowledge, (str, os.PathLike)):
        return load_knowledge(knowledge)
    raise TypeError(
        f"knowledge must be a KnowledgeBase, the path of a knowledge file or None, "
        f"got: {knowledge!r}."
    )


def default_splits(y, seed, groups=None):
    """Choose splits by the number of rows, for when the user chose none.

    Five stratified folds up to 5,000 rows, three up to 50,000, and one holdout
    of a fifth above: the more rows, the less there is to average. No more folds
    than the smallest class has rows, or there are groups. Classes of a single
    row, and classes with fewer rows than folds that make up a hundredth of the
    rows at most, take part in the refit only: two rows are no reason to halve
    what all others learn from.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Classes.
    seed : int
        Shuffles the rows.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are kept together.

    Returns
    -------
    splits : list of (train, test)
        Row numbers.

    Raises
    ------
    ValueError
        If no two classes have two rows, or there is one group only.
    """
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    n_folds = 5 if len(y) <= 5_000 else 3
    is_rare = counts < n_folds
    if counts[is_rare].sum() > len(y) / 100:
        is_rare = counts < 2
    rows = np.flatnonzero(~is_rare[codes])
    repeated = counts[~is_rare]
    if len(repeated) < 2:
        raise ValueError(
            "Choosing among candidates needs at least two classes with two rows, "
            f"got: {len(repeated)} such class(es) in {len(y)} row(s), n_samples = "
            f"{len(y)}. Use n_candidates=1, which fits the first recommendation."
        )
    if len(rows) > 50_000 and groups is None:
        splitter = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed)
    else:
        n_folds = min(n_folds, repeated.min())
        kind = StratifiedKFold
        if groups is not None:
            n_folds, kind = min(n_folds, _count_groups(groups)), StratifiedGroupKFold
        splitter = kind(int(n_folds), shuffle=True, random_state=seed)
    groups = None if groups is None else np.asarray(groups)[rows]
    return [
        (rows[train], rows[test])
        for train, test in splitter.split(rows, codes[rows], groups)
    ]


def _count_groups(groups):
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            f"groups must hold at least two groups to keep apart, got: {n_groups}."
        )
    return n_groups


def _size_of_fits(X, y, splits):
    """Return the size of the smallest fit, so that hyperparameters suit them all."""
    n_rows = min([len(train) for train, _ in splits], default=len(y))
    return TaskSize(n_rows, X.shape[1], len(np.unique(y)))


def check_number(name, value, kind, allowed):
    """Raise an error unless a parameter is None or a positive number.

    Parameters
    ----------
    name : str
        Of the parameter.
    value : object
        What was given.
    kind : type
        Such as `numbers.Integral`.
    allowed : str
        What it must be, for the message.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if value is None:
        return
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number or not value > 0:
        raise ValueError(f"{name} must be {allowed} or None, got: {value!r}.")


def _without_nullable(y):
    """Return a column of pandas' nullable or Arrow dtypes as NumPy's plain ones."""
    if hasattr(getattr(y, "dtype", None), "numpy_dtype") and not y.isna().any():
        return y.to_numpy(dtype=y.dtype.numpy_dtype)
    return y


def _check_weights(sample_weight):
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            f"sample_weight must be one finite, non-negative number per row, got: "
            f"shape {weights.shape}, {(~(weights >= 0)).sum()} negative or missing."
        )
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number, got: all zero."
        )
    return weights


def _is_mixed_list(X):
    """Say whether X is a list of rows that an array would turn into text."""
    if not isinstance(X, (list, tuple)) or not X or not isinstance(X[0], (list, tuple)):
        return False
    return any(isinstance(cell, str) or cell is None for row in X for cell in row)


def _last_line(error):
    return None if error is None else error.strip().rpartition("\n")[2]
