import copy
import hashlib
import json
from functools import cached_property

import numpy as np
import pandas as pd

from skmeta._html import page, section, sentence, table
from skmeta._messages import did_you_mean, warn
from skmeta.knowledge._merging import in_order, task_keys, unite
from skmeta.knowledge._report import (
    check_metric,
    choose_metric,
    summarize_learners,
    summarize_tasks,
)

_REQUIRED_COLUMNS = ("family", "domain", "n_rows", "n_features", "n_classes")
_FAILURE_COLUMNS = ("task", "configuration", "error")


class KnowledgeBase:
    """Scores of configurations on tasks, with the meta-features of the tasks.

    A knowledge base is a value: methods return another one and never change it,
    and what its properties return are copies. ``a + b`` is one that holds what both
    do; the order in which several are added, and how often each is, do not matter.
    It knows a table by its ``fingerprint``, whatever its name. Where a configuration
    was evaluated more than once on a table the mean counts, by the rows of each
    evaluation.

    Parameters
    ----------
    tasks : DataFrame of shape (n_tasks, n_columns)
        Indexed by task name, with the columns ``family`` (a name that variants
        of one dataset share), ``domain``, ``n_rows``, ``n_features`` and
        ``n_classes``; any others, such as the source, hold what JSON can. Tables
        with one ``fingerprint`` are the same; without one, those with one name and
        the same sizes.
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
    failures : sequence of dict or DataFrame, default=()
        What was tried and failed: ``task``, ``configuration`` (its name) and
        ``error``.
    provenance : dict, default=None
        Where it comes from: protocol, versions. Holds what JSON can.

    Raises
    ------
    TypeError
        If `tasks` or `meta_features` is not a DataFrame, or something cannot be
        written as JSON.
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
        self._tasks = _tidy_tasks(tasks)
        self._meta_features = _tidy_meta_features(meta_features)
        self._configurations = tuple(configurations)
        self._fold_scores = {
            metric: _frozen(scores) for metric, scores in sorted(fold_scores.items())
        }
        self._fit_seconds = _frozen(fit_seconds)
        self._predict_seconds = _frozen(predict_seconds)
        self._failures = _tidy_failures(failures)
        self._provenance = _as_json("provenance", dict(provenance or {}))
        self._merged_from = ()
        self._check()

    def _check(self):
        if not self._fold_scores:
            raise ValueError("fold_scores must hold at least one metric, got none.")
        _check_tasks(self._tasks)
        _check_meta_features(self._meta_features, self._tasks.index)
        names = [c.name for c in self._configurations]
        _check_distinct("configurations", names)
        shape = (len(self._tasks), len(names))
        _check_shape("fit_seconds", self._fit_seconds, shape)
        _check_shape("predict_seconds", self._predict_seconds, shape)
        for metric, scores in self._fold_scores.items():
            _check_shape(f"fold_scores[{metric!r}]", scores, (*shape, self._n_folds))
        _check_failures(self._failures, set(self._tasks.index), set(names))

    @property
    def _n_folds(self):
        """Number of folds of the first metric, which all others must have."""
        first = next(iter(self._fold_scores.values()))
        return first.shape[2] if first.ndim == 3 else 1

    # What it holds

    @property
    def tasks(self):
        """DataFrame of the tasks, indexed by name: family, domain, sizes, source."""
        tasks = self._tasks.copy()
        for name in tasks.select_dtypes(object).columns:
            # A copy of a DataFrame shares the lists and dicts in its cells. Without
            # the dtype, pandas would make NaN of None.
            values = tasks[name].tolist()
            if any(isinstance(value, (list, dict)) for value in values):
                values = copy.deepcopy(values)
                tasks[name] = pd.Series(values, index=tasks.index, dtype=object)
        return tasks

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
                # Their values never change.
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
        """Dict of protocol and versions; ``parts`` lists them if it was merged."""
        return copy.deepcopy(self._provenance)

    @property
    def parts(self):
        """Tuple of those it was merged from, the largest first; else of itself."""
        return self._merged_from or (self,)

    @cached_property
    def digest(self):
        """SHA-256 of what it holds, as hexadecimal digits."""
        if self._merged_from:
            digests = "".join(part.digest for part in self._merged_from)
            return hashlib.sha256(digests.encode()).hexdigest()
        # The file format knows this class, and not the other way round.
        from skmeta.knowledge._storage import to_members

        members = to_members(self)
        content = b"".join(hashlib.sha256(value).digest() for value in members.values())
        return hashlib.sha256("".join(members).encode() + content).hexdigest()

    def scores(self, metric):
        """Return the mean score over folds of every configuration on every task.

        Parameters
        ----------
        metric : str
            One of `metrics`.

        Returns
        -------
        scores : DataFrame of shape (n_tasks, n_configurations)
            Greater is better; NaN where not evaluated, or failed on any of the
            folds that the task has. It has those on which at least one
            configuration has a score.

        Raises
        ------
        ValueError
            If the metric is not stored.
        """
        folds = self._stored(metric)
        exists = ~np.isnan(folds).all(axis=1, keepdims=True)
        # Only folds that do not exist become 0: a failed one stays NaN, and
        # makes the mean NaN.
        total = np.where(exists, folds, 0).sum(axis=2, dtype=np.float64)
        n_folds = exists.sum(axis=2)
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
        return self._stored(metric).copy()

    def _stored(self, metric):
        check_metric(metric, self._fold_scores)
        return self._fold_scores[metric]

    def summary(self, metric=None):
        """Return what is known of each base learner.

        Parameters
        ----------
        metric : str, default=None
            One of `metrics`. None chooses balanced accuracy, if that is known.

        Returns
        -------
        summary : DataFrame
            Indexed by ``learner``, the one that is best most often first: the tasks one
            of its configurations is ``best_on``, fits ``evaluated``, number of
            ``configurations``, fits that ``failed``, and ``fit_seconds``, what a fold
            takes, the median of the medians over tasks.

        Raises
        ------
        ValueError
            If the metric is not stored.
        """
        return summarize_learners(self, choose_metric(self, metric))

    # Others made from it

    def without(self, names):
        """Return a copy without some tasks and their whole families.

        Parameters
        ----------
        names : str or iterable of str
            Task names, also those in its parts. The name of a family counts only if it
            is the name of a task.

        Returns
        -------
        knowledge : KnowledgeBase

        Warns
        -----
        SkmetaWarning
            If it does not hold a name: nothing is left out for it.
        """
        names = _as_set(names)
        named = {
            key
            for part in self.parts
            for name, key in zip(part._tasks.index, part._keys, strict=True)
            if name in names
        }
        families = self._tasks["family"]
        is_named = families.index.isin(names) | pd.Index(self._keys).isin(named)
        excluded = set(families[is_named])
        known = {name for part in self.parts for name in part._tasks.index}
        _warn_of_unknown(names - known, known)
        return self._part(rows=np.flatnonzero(~families.isin(excluded)))

    def select_learners(self, learners):
        """Return a copy with only the configurations of some base learners.

        Parameters
        ----------
        learners : str or iterable of str
            Names of base learners; those it does not hold are ignored.

        Returns
        -------
        knowledge : KnowledgeBase
            With the configurations in the order they have here, unless it was merged.
        """
        learners = _as_set(learners)
        columns = [
            i for i, c in enumerate(self._configurations) if c.learner in learners
        ]
        if not columns and self._configurations:
            known = sorted({c.learner for c in self._configurations})
            warn(
                f"learners must name some of {known} for anything to be left, got: "
                f"{sorted(learners)}.{did_you_mean(learners, known)}"
            )
        return self._part(columns=columns)

    def with_configurations(self, names):
        """Return one with only some configurations.

        Parameters
        ----------
        names : str or iterable of str
            From the index of `configurations`.

        Returns
        -------
        knowledge : KnowledgeBase
            With the configurations in the order they have here, unless it was merged.

        Raises
        ------
        ValueError
            If it does not hold one of the names.
        """
        names = _as_set(names)
        index = self._configuration_index()
        unknown = sorted(names.difference(index))
        if unknown:
            raise ValueError(
                f"names must be in the index of configurations, got: {unknown}. "
                f"See knowledge.configurations for the {len(index)} it holds."
            )
        if len(names) == len(index):
            return self
        return self._part(columns=np.flatnonzero(index.isin(names)))

    def learn_from(self, journal, metric=None):
        """Return one that also holds what fits have learned.

        What is recommended for some of the tasks held here, each with its family left
        out, must not lose more than before. Else what the journal held when that was
        last so is taken, or nothing, with a warning.

        Parameters
        ----------
        journal : Journal, str or Path
            Where classifiers with `experience` have recorded what they learned.
        metric : str, default=None
            One of `metrics`, which is not to become worse. None chooses balanced
            accuracy, if that is known.

        Returns
        -------
        knowledge : KnowledgeBase

        Raises
        ------
        ValueError
            If the metric is not stored.
        KnowledgeError
            If the journal is something else, or damaged.
        OSError
            If it cannot be read, or there is no such directory.

        Warns
        -----
        SkmetaWarning
            If not all that the journal holds is taken.

        Notes
        -----
        What was found when it was judged is remembered in the journal.

        Examples
        --------
        >>> from skmeta import load_knowledge
        >>> load_knowledge().learn_from("none_yet.db") == load_knowledge()
        True
        """
        # Both know this class, and not the other way round.
        from skmeta._guard import learn_from
        from skmeta.knowledge._journal import Journal

        journal = journal if isinstance(journal, Journal) else Journal(journal)
        learned, n_fits, n_used = learn_from(
            self, journal, choose_metric(self, metric), at_once=True
        )
        if n_used < n_fits:
            warn(
                f"{n_used} of {n_fits} fits were learned from: with all of them, what "
                f"is recommended for known tasks would be worse."
            )
        return learned

    def pack(
        self, min_rows=100, epsilon=None, influence=10, names=False, random_state=None
    ):
        """Return one that may be shared with others: coarse, and without names.

        Tasks in an order by chance, with the meta-features that tasks are compared by,
        rounded to coarse steps and clipped to public ranges; mean scores of four
        metrics, rounded to hundredths; and seconds rounded to one digit. No
        fingerprints, no messages, no provenance. With `epsilon` there is noise as
        well, and what a row might change by any amount is left out: log loss,
        seconds, and the meta-features of numeric columns.

        Parameters
        ----------
        min_rows : int, default=100
            Tables with fewer evaluated rows are left out.
        epsilon : float, default=None
            Differential privacy of every row of every table, with a delta of one in a
            million: the smaller, the more noise. None adds no noise and promises
            nothing.
        influence : int, default=10
            By how many rows more than the one that was replaced a score may change,
            since models were fitted on another: what the promise assumes, and what
            `benchmarks/influence.py` measures.
        names : bool, default=False
            Keep the names of tasks, families and domains.
        random_state : int, RandomState, Generator or None, default=None
            Of noise and pseudonyms. What is known to others protects nobody: leave it
            at None but for tests.

        Returns
        -------
        knowledge : KnowledgeBase
            Which merges with others; `preview` says what is in it.

        Raises
        ------
        ValueError
            If a parameter cannot be used, or no table has so many rows.
        """
        # It makes a dict, to be independent of this class.
        from skmeta.knowledge._sharing import check_pack, pack

        rng = check_pack(self, min_rows, epsilon, influence, random_state)
        return KnowledgeBase(**pack(self, min_rows, epsilon, influence, names, rng))

    def preview(self):
        """Return all that `save` would write, and nothing else.

        Returns
        -------
        contents : dict of str to (DataFrame, list or dict)
            By the member of the file.
        """
        from skmeta.knowledge._storage import preview

        return preview(self)

    def save(self, path):
        """Write it to a file that `load_knowledge` reads.

        Parameters
        ----------
        path : str or Path
            Ends in ``.zip``. A file that is there is replaced, whole or not at
            all.

        Raises
        ------
        ValueError
            If the path ends otherwise.
        FileNotFoundError
            If there is no such directory.
        """
        # The file format knows this class, and not the other way round.
        from skmeta.knowledge._storage import save_knowledge

        save_knowledge(self, path)

    def __add__(self, other):
        if not isinstance(other, KnowledgeBase):
            return NotImplemented
        return merge(self.parts + other.parts)

    def _part(self, rows=None, columns=None):
        if self._merged_from:
            return merge([self._part_of(part, rows, columns) for part in self.parts])
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

    def _part_of(self, part, rows, columns):
        """Return what a part has of some rows and columns of the whole."""
        if rows is not None:
            keys = {self._keys[row] for row in rows}
            rows = [i for i, key in enumerate(part._keys) if key in keys]
        if columns is not None:
            names = {self._configurations[column].name for column in columns}
            columns = [i for i, c in enumerate(part._configurations) if c.name in names]
        return part._part(rows, columns)

    @cached_property
    def _keys(self):
        """What tells each task from others, in the parts too."""
        if not self._merged_from:
            return task_keys(self._tasks)
        keys = (key for part in self._merged_from for key in part._keys)
        return list(dict.fromkeys(keys))

    def _configuration_index(self):
        return pd.Index([c.name for c in self._configurations], name="configuration")

    def _frame(self, values):
        return pd.DataFrame(
            # A copy, since what is kept is read-only.
            values.copy(),
            index=self._tasks.index,
            columns=self._configuration_index(),
        )

    def __eq__(self, other):
        if not isinstance(other, KnowledgeBase):
            return NotImplemented
        return (
            self._merged_from == other._merged_from
            and self._configurations == other._configurations
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

    def __hash__(self):
        return hash((tuple(self._tasks.index), self._configurations))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        # It never changes, so that cloning an estimator need not copy megabytes.
        return self

    def _repr_html_(self):
        metric = choose_metric(self)
        said = sentence(f"Base learners, best by {metric}:")
        learners = table(self.summary(metric), n_rows=20)
        tasks = summarize_tasks(self, metric)
        listed = section("Tasks", table(tasks, n_rows=len(tasks), is_narrow=True))
        return page(sentence(repr(self)), said, learners, listed)

    def __repr__(self):
        return f"<{self}>"  # in brackets among the parameters of an estimator

    def __str__(self):
        n_families = self._tasks["family"].nunique()
        return (
            f"KnowledgeBase: {len(self._tasks)} tasks of {n_families} families x "
            f"{len(self._configurations)} configurations, {len(self.metrics)} metrics"
        )


def merge(parts):
    """Return the knowledge base that holds what all parts do.

    Parameters
    ----------
    parts : iterable of KnowledgeBase
        None of them merged.

    Returns
    -------
    knowledge : KnowledgeBase
    """
    parts = tuple(parts)
    # A single one need not be put in order, which takes its digest.
    if len(parts) > 1:
        parts = in_order(parts)
    if len(parts) == 1:
        return parts[0]
    merged = KnowledgeBase(**unite(parts))
    merged._merged_from = parts
    return merged


def _warn_of_unknown(names, known):
    names = sorted(map(str, names))
    if not names:
        return
    meant = []
    for name in filter(None, names):
        longer = sorted(other for other in known if name.lower() in other.lower())
        meant += longer[:3] or [name]
    more = f" and {len(names) - 3} others" if len(names) > 3 else ""
    warn(
        f"There is no task {', '.join(map(repr, names[:3]))}{more}, and none is left "
        f"out for it.{did_you_mean(meant, known)}"
    )


def _as_set(names):
    return {names} if isinstance(names, str) else set(names)


def _frozen(values):
    values = np.array(values, dtype=np.float32)
    values.flags.writeable = False
    return values


def _as_json(what, value):
    """Return a copy as it would come back from JSON."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{what} must hold values that JSON can hold, got one that it cannot: "
            f"{error}."
        ) from error


def _check_is_frame(what, frame):
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"{what} must be a DataFrame indexed by task name, "
            f"got: {type(frame).__name__}."
        )


def _task_index(frame):
    return pd.Index(frame.index.tolist(), name="task", dtype=object)


def _tidy_tasks(tasks):
    """Return task columns as numbers, or as objects with None for what is missing.

    So a column is the same whether it was just built or came through JSON.
    """
    _check_is_frame("tasks", tasks)
    index = _task_index(tasks)
    columns = {}
    for name in tasks.columns:
        values = [_plain(value) for value in tasks[name].tolist()]
        values = _as_json(f"column {name!r} of tasks", values)
        is_numeric = values and all(isinstance(v, (int, float)) for v in values)
        dtype = None if is_numeric else object
        columns[str(name)] = pd.Series(values, index=index, dtype=dtype)
    return pd.DataFrame(columns, index=index)


def _plain(value):
    """Return a cell as plain Python, None when it is missing."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _tidy_meta_features(meta_features):
    _check_is_frame("meta_features", meta_features)
    return pd.DataFrame(
        np.array(meta_features, dtype=np.float64),
        index=_task_index(meta_features),
        columns=[str(name) for name in meta_features.columns],
    )


def _tidy_failures(failures):
    if isinstance(failures, pd.DataFrame):
        failures = failures.to_dict("records")
    for failure in failures:
        if not set(_FAILURE_COLUMNS) <= set(failure):
            raise ValueError(
                f"A failure must say {list(_FAILURE_COLUMNS)}, got: {failure!r}."
            )
    return tuple({key: str(f[key]) for key in _FAILURE_COLUMNS} for f in failures)


def _check_tasks(tasks):
    missing = [c for c in _REQUIRED_COLUMNS if c not in tasks.columns]
    if missing:
        raise ValueError(
            f"tasks must have the columns {list(_REQUIRED_COLUMNS)}, "
            f"got none named {missing}."
        )
    _check_distinct("tasks", list(tasks.index))
    for what, names in [("name", tasks.index), ("family", tasks["family"])]:
        other = [name for name in names if not isinstance(name, str)]
        if other:
            raise ValueError(
                f"Every task must have a {what} that is a string, got: {other[0]!r}. "
                f"A task without variants is a family of its own."
            )


def _check_meta_features(meta_features, index):
    if not meta_features.index.equals(index):
        raise ValueError(
            f"meta_features must have the index of tasks ({len(index)} tasks, in "
            f"the same order), got another ({len(meta_features)}). Use "
            f"meta_features.loc[tasks.index]."
        )
    _check_distinct("meta_features", list(meta_features.columns))
    is_finite = np.isfinite(meta_features.to_numpy()).all(axis=0)
    if not is_finite.all():
        raise ValueError(
            f"meta_features must be finite numbers, got NaN or infinity in "
            f"{list(meta_features.columns[~is_finite])}."
        )


def _check_distinct(what, names):
    twice = sorted({repr(name) for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"{what} must all be different, got more than once: {', '.join(twice)}."
        )


def _check_shape(what, values, shape):
    dimensions = (
        "(n_tasks, n_configurations, n_folds)"
        if len(shape) > 2
        else ("(n_tasks, n_configurations)")
    )
    if values.shape != shape:
        raise ValueError(
            f"{what} must have the shape {dimensions} = {shape}, got: {values.shape}."
        )
    if np.isinf(values).any():
        raise ValueError(
            f"{what} must hold finite numbers, or NaN where there is none, "
            f"got: infinity."
        )


def _check_failures(failures, tasks, configurations):
    for failure in failures:
        if failure["task"] not in tasks:
            raise ValueError(
                f"A failure must name one of the tasks, got: {failure['task']!r}."
            )
        if failure["configuration"] not in configurations:
            raise ValueError(
                f"A failure must name one of the configurations, "
                f"got: {failure['configuration']!r}."
            )
