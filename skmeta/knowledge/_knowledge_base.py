import numpy as np
import pandas as pd

_REQUIRED_COLUMNS = ("family", "domain", "n_rows", "n_features", "n_classes")
_FAILURE_COLUMNS = ("task", "configuration", "error")


class KnowledgeBase:
    """Scores of configurations on tasks, with the meta-features of the tasks.

    A knowledge base is a value: methods return another one and never change it,
    and what its properties return are copies.

    Parameters
    ----------
    tasks : DataFrame of shape (n_tasks, n_columns)
        Indexed by task name, with the columns ``family`` (variants of one
        dataset share it), ``domain``, ``n_rows``, ``n_features`` and
        ``n_classes``; any others, such as the source, hold what JSON can.
    meta_features : DataFrame of shape (n_tasks, n_meta_features)
        Finite numbers, with the same index.
    configurations : sequence of Configuration
        All different.
    fold_scores : dict of str to ndarray of shape \
            (n_tasks, n_configurations, n_folds)
        By metric, named as scikit-learn's scorers are; greater is better. NaN
        where a configuration was not evaluated or failed, and for folds beyond
        those that a task had.
    fit_seconds, predict_seconds : ndarray of shape (n_tasks, n_configurations)
        Means over folds; NaN where not evaluated.
    failures : sequence of dict, default=()
        What was tried and failed: ``task``, ``configuration`` (its name) and
        ``error``.
    provenance : dict, default=None
        Where it comes from: protocol, versions. Holds what JSON can.

    Raises
    ------
    ValueError
        If the parts do not fit together.

    See Also
    --------
    load_knowledge : Read one from a file, or the one that ships with skmeta.

    Examples
    --------
    >>> from skmeta import load_knowledge
    >>> knowledge = load_knowledge()
    >>> "iris" in knowledge.without(["iris"]).tasks.index
    False
    """

    def __init__(
        self,
        *,
        tasks,
        meta_features,
        configurations,
        fold_scores,
        fit_seconds,
        predict_seconds,
        failures=(),
        provenance=None,
    ):
        self._tasks = _tidy(tasks)
        self._meta_features = _with_task_index(meta_features).astype(np.float64)
        self._configurations = tuple(configurations)
        self._fold_scores = {
            metric: np.array(scores, dtype=np.float32)
            for metric, scores in sorted(fold_scores.items())
        }
        self._fit_seconds = np.array(fit_seconds, dtype=np.float32)
        self._predict_seconds = np.array(predict_seconds, dtype=np.float32)
        self._failures = tuple(dict(failure) for failure in failures)
        self._provenance = dict(provenance or {})
        self._check()

    def _check(self):
        missing = [c for c in _REQUIRED_COLUMNS if c not in self._tasks.columns]
        if missing:
            raise ValueError(
                f"tasks must have the columns {list(_REQUIRED_COLUMNS)}, "
                f"got none named {missing}."
            )
        if not self._tasks.index.is_unique:
            raise ValueError(
                f"Every task must have a name of its own, got more than one of "
                f"{sorted(self._tasks.index[self._tasks.index.duplicated()])}."
            )
        if not self._meta_features.index.equals(self._tasks.index):
            raise ValueError("meta_features must have the index of tasks, got another.")
        if not np.isfinite(self._meta_features.to_numpy()).all():
            raise ValueError("meta_features must be finite numbers, got NaN or inf.")
        if len(set(self._configurations)) < len(self._configurations):
            raise ValueError("configurations must all be different, got some twice.")
        shape = (len(self._tasks), len(self._configurations))
        parts = {
            "fit_seconds": self._fit_seconds.shape,
            "predict_seconds": self._predict_seconds.shape,
        } | {f"fold_scores[{m!r}]": s.shape[:2] for m, s in self._fold_scores.items()}
        for name, found in parts.items():
            if found != shape:
                raise ValueError(
                    f"{name} must begin with the shape (n_tasks, n_configurations) = "
                    f"{shape}, got: {found}."
                )

    # What it holds

    @property
    def tasks(self):
        """DataFrame of the tasks, indexed by name: family, domain, sizes, source."""
        return self._tasks.copy()

    @property
    def meta_features(self):
        """DataFrame of shape (n_tasks, n_meta_features)."""
        return self._meta_features.copy()

    @property
    def configurations(self):
        """DataFrame of the configurations, indexed by name.

        Its columns are ``learner`` and ``hyperparameters`` (a dict).
        """
        return pd.DataFrame(
            {
                "learner": [c.learner for c in self._configurations],
                "hyperparameters": [
                    dict(c.hyperparameters) for c in self._configurations
                ],
            },
            index=self._configuration_index(),
        )

    @property
    def configuration_values(self):
        """Tuple of the `Configuration` objects, in the order of `configurations`."""
        return self._configurations

    @property
    def metrics(self):
        """List of the stored metrics, named as scikit-learn's scorers are."""
        return list(self._fold_scores)

    @property
    def fit_seconds(self):
        """DataFrame of shape (n_tasks, n_configurations): seconds to fit a fold."""
        return self._frame(self._fit_seconds)

    @property
    def predict_seconds(self):
        """DataFrame of shape (n_tasks, n_configurations): seconds to predict a fold."""
        return self._frame(self._predict_seconds)

    @property
    def failures(self):
        """DataFrame of what was tried and failed: task, configuration, error."""
        return pd.DataFrame(list(self._failures), columns=list(_FAILURE_COLUMNS))

    @property
    def provenance(self):
        """Dict of protocol and versions."""
        return dict(self._provenance)

    def scores(self, metric):
        """Return the mean score over folds of every configuration on every task.

        Parameters
        ----------
        metric : str
            One of `metrics`.

        Returns
        -------
        scores : DataFrame of shape (n_tasks, n_configurations)
            Greater is better; NaN where not evaluated or failed.
        """
        folds = self.fold_scores(metric)
        n_folds = (~np.isnan(folds)).sum(axis=2)
        total = np.nansum(folds, axis=2, dtype=np.float64)
        means = np.divide(
            total, n_folds, out=np.full(total.shape, np.nan), where=n_folds > 0
        )
        return self._frame(means)

    def fold_scores(self, metric):
        """Return the score on each fold.

        Parameters
        ----------
        metric : str
            One of `metrics`.

        Returns
        -------
        scores : ndarray of shape (n_tasks, n_configurations, n_folds)
            Greater is better; NaN where there is none.

        Raises
        ------
        ValueError
            If the metric is not stored.
        """
        if metric not in self._fold_scores:
            raise ValueError(f"metric must be one of {self.metrics}, got: {metric!r}.")
        return self._fold_scores[metric].copy()

    # Others made from it

    def without(self, names):
        """Return a copy without some tasks and their whole families.

        Parameters
        ----------
        names : str or iterable of str
            Task names; those it does not hold are ignored.

        Returns
        -------
        knowledge : KnowledgeBase
        """
        names = {names} if isinstance(names, str) else set(names)
        families = self._tasks["family"]
        excluded = set(families[families.index.isin(names)])
        return self._part(rows=np.flatnonzero(~families.isin(excluded)))

    def select_learners(self, learners):
        """Return a copy with only the configurations of some base learners.

        Parameters
        ----------
        learners : str or iterable of str
            Names of base learners.

        Returns
        -------
        knowledge : KnowledgeBase
        """
        learners = {learners} if isinstance(learners, str) else set(learners)
        return self._part(
            columns=[
                i for i, c in enumerate(self._configurations) if c.learner in learners
            ]
        )

    def with_configurations(self, names):
        """Return a copy with only some configurations.

        Parameters
        ----------
        names : iterable of str
            From the index of `configurations`.

        Returns
        -------
        knowledge : KnowledgeBase
        """
        names = set(names)
        return self._part(
            columns=[i for i, c in enumerate(self._configurations) if c.name in names]
        )

    def save(self, path):
        """Write it to a file that `load_knowledge` reads.

        Parameters
        ----------
        path : str or Path
            Ends in ``.zip``. A file that is there is replaced, whole or not at
            all.
        """
        # The file format knows this class, and not the other way round.
        from skmeta.knowledge._storage import save_knowledge

        save_knowledge(self, path)

    def _part(self, rows=None, columns=None):
        rows = np.arange(len(self._tasks)) if rows is None else np.asarray(rows, int)
        if columns is None:
            columns = np.arange(len(self._configurations))
        columns = np.asarray(columns, int)
        cells = np.ix_(rows, columns)
        tasks = set(self._tasks.index[rows])
        configurations = [self._configurations[i] for i in columns]
        names = {c.name for c in configurations}
        return KnowledgeBase(
            tasks=self._tasks.iloc[rows],
            meta_features=self._meta_features.iloc[rows],
            configurations=configurations,
            fold_scores={m: s[cells] for m, s in self._fold_scores.items()},
            fit_seconds=self._fit_seconds[cells],
            predict_seconds=self._predict_seconds[cells],
            failures=[
                failure
                for failure in self._failures
                if failure["task"] in tasks and failure["configuration"] in names
            ],
            provenance=self._provenance,
        )

    def _configuration_index(self):
        return pd.Index([c.name for c in self._configurations], name="configuration")

    def _frame(self, values):
        return pd.DataFrame(
            values, index=self._tasks.index, columns=self._configuration_index()
        )

    def __eq__(self, other):
        if not isinstance(other, KnowledgeBase):
            return NotImplemented
        return (
            self._configurations == other._configurations
            and self.metrics == other.metrics
            and self._failures == other._failures
            and self._provenance == other._provenance
            and self._tasks.equals(other._tasks)
            and self._meta_features.equals(other._meta_features)
            and all(
                np.array_equal(scores, other._fold_scores[metric], equal_nan=True)
                for metric, scores in self._fold_scores.items()
            )
            and np.array_equal(self._fit_seconds, other._fit_seconds, equal_nan=True)
            and np.array_equal(
                self._predict_seconds, other._predict_seconds, equal_nan=True
            )
        )

    __hash__ = None

    def __repr__(self):
        n_families = self._tasks["family"].nunique()
        return (
            f"<KnowledgeBase: {len(self._tasks)} tasks of {n_families} families x "
            f"{len(self._configurations)} configurations, {len(self.metrics)} metrics>"
        )


def _with_task_index(frame):
    names = pd.Index(frame.index.tolist(), name="task", dtype=object)
    return frame.set_axis(names, axis="index")


def _tidy(tasks):
    """Return task columns as numbers, or as objects with None for what is missing.

    So a column is the same whether it was just built or came through JSON.
    """
    columns = {}
    for name in tasks.columns:
        values = [None if pd.isna(value) else value for value in tasks[name].tolist()]
        is_number = [isinstance(v, (int, float)) and v is not None for v in values]
        dtype = None if all(is_number) else object
        columns[name] = pd.Series(values, index=tasks.index, dtype=dtype)
    return _with_task_index(pd.DataFrame(columns, index=tasks.index))
