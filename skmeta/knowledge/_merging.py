"""Unite knowledge from several places.

What is united is a set of parts, so that neither the order in which they come together
nor how often each does matters. Everything here is a function of that set.
"""

import hashlib
from collections import Counter
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Evaluations by the same of these, on the same rows, have the same splits.
_SPLIT = ("n_folds", "max_rows", "random_state")
_SECONDS = ("fit_seconds", "predict_seconds")


def in_order(parts):
    """Return distinct parts, the largest first, which has the first word on names.

    Parameters
    ----------
    parts : iterable of KnowledgeBase
        None of them merged.

    Returns
    -------
    parts : tuple of KnowledgeBase
    """
    distinct = {part.digest: part for part in parts}
    order = sorted(distinct, key=lambda d: (-len(distinct[d].meta_features), d))
    return tuple(distinct[digest] for digest in order)


def task_keys(tasks):
    """Return what tells each task from others, whatever its name.

    Parameters
    ----------
    tasks : DataFrame
        Of a knowledge base.

    Returns
    -------
    keys : list of str
        Fingerprints; name and sizes where there is none.
    """
    sizes = tasks[["n_rows", "n_features", "n_classes"]].to_numpy().tolist()
    fingerprints = tasks.get("fingerprint", pd.Series(None, tasks.index, dtype=object))
    return [
        key if isinstance(key, str) else f"{name}, sizes {size}"
        for name, key, size in zip(tasks.index, fingerprints, sizes, strict=True)
    ]


def unite(parts):
    """Return the arguments of the knowledge base that holds what all parts do.

    A configuration that was evaluated more than once on a table has the mean of its
    scores, by the number of rows each was found on. The same numbers in two parts
    are one evaluation.

    Parameters
    ----------
    parts : tuple of KnowledgeBase
        From `in_order`.

    Returns
    -------
    arguments : dict
    """
    frames = [part.tasks for part in parts]
    found = {}  # by key, the parts a table is in and its rows there
    for number, frame in enumerate(frames):
        for row, key in enumerate(task_keys(frame)):
            found.setdefault(key, []).append((number, row))
    names = _choose_names(found, frames)
    n_rows = [evaluated_rows(frame) for frame in frames]
    index = pd.Index(names, name="task", dtype=object)
    configurations = {}
    for part in parts:
        for configuration in part.configuration_values:
            configurations.setdefault(configuration.name, configuration)
    return {
        "tasks": _unite_tasks(found, frames, index),
        "meta_features": _unite_meta_features(found, parts, n_rows, index),
        "configurations": list(configurations.values()),
        "failures": _unite_failures(found, parts, frames, names),
        "provenance": {"parts": [part.provenance for part in parts]},
        **_unite_cells(found, parts, frames, n_rows, list(configurations)),
    }


def _choose_names(found, frames):
    """Return the name of each table in its largest part, made different if need be."""
    first = [frames[number].index[row] for (number, row), *_ in found.values()]
    count = Counter(first)
    return [
        name if count[name] == 1 else f"{name}~{_short_hash(key)}"
        for name, key in zip(first, found, strict=True)
    ]


def _short_hash(key):
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _unite_tasks(found, frames, index):
    """Return what the parts say of each table; the first that says something counts."""
    names = dict.fromkeys(name for frame in frames for name in frame.columns)
    columns = {}
    for name in names:
        values = [frame[name].tolist() if name in frame else None for frame in frames]
        columns[name] = [
            next(
                (
                    values[number][row]
                    for number, row in places
                    if values[number] is not None and values[number][row] is not None
                ),
                None,
            )
            for places in found.values()
        ]
    columns["family"] = _unite_families(found, frames)
    return pd.DataFrame(columns, index=index, dtype=object)


def _unite_families(found, frames):
    """Return the family of each table; families that share a table are one.

    What was learned with estimators of a user's is not known of the table alone, and
    has a fingerprint of its own; ``table`` then is that of the table.
    """
    families = sorted({family for frame in frames for family in frame["family"]})
    number_of = {family: number for number, family in enumerate(families)}
    node_of = {key: len(families) + i for i, key in enumerate(found)}
    edges = []
    for key, places in found.items():
        for number, row in places:
            family = number_of[frames[number]["family"].iloc[row]]
            edges.append((family, node_of[key]))
            if "table" in frames[number]:
                table = frames[number]["table"].iloc[row] or key
                node = node_of.setdefault(table, len(families) + len(node_of))
                edges.append((family, node))
    edges = np.array(edges, dtype=np.int64).reshape(-1, 2)
    n_nodes = len(families) + len(node_of)
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(n_nodes, n_nodes))
    component = connected_components(graph, directed=False)[1].tolist()
    name_of = {}
    for family, number in zip(families, component, strict=False):
        name_of.setdefault(number, family)
    of_tables = component[len(families) : len(families) + len(found)]
    return [name_of[number] for number in of_tables]


def evaluated_rows(tasks):
    """Return on how many rows of each table configurations were evaluated.

    Parameters
    ----------
    tasks : DataFrame
        Of a knowledge base.

    Returns
    -------
    n_rows : ndarray of float of shape (n_tasks,)
        All rows where nothing else is said.
    """
    n_rows = tasks["n_rows"].to_numpy(np.float64)
    if "n_rows_evaluated" not in tasks:
        return n_rows
    evaluated = tasks["n_rows_evaluated"].to_numpy(np.float64)
    return np.where(np.isnan(evaluated), n_rows, evaluated)


def _unite_meta_features(found, parts, n_rows, index):
    """Return those that all parts know, each from where most rows were seen."""
    tables = [part.meta_features for part in parts]
    names = [n for n in tables[0].columns if all(n in table for table in tables)]
    values = [table[names].to_numpy() for table in tables]
    best = [max(places, key=lambda p: n_rows[p[0]][p[1]]) for places in found.values()]
    rows = [values[number][row] for number, row in best]
    rows = np.array(rows).reshape(len(index), len(names))
    return pd.DataFrame(rows, index=index, columns=names)


def _unite_failures(found, parts, frames, names):
    name_of = {
        (number, frames[number].index[row]): name
        for places, name in zip(found.values(), names, strict=True)
        for number, row in places
    }
    failures = [
        failure | {"task": name_of[number, failure["task"]]}
        for number, part in enumerate(parts)
        for failure in part.failures.to_dict("records")
    ]
    return list({tuple(f.values()): f for f in failures}.values())


def _unite_cells(found, parts, frames, n_rows, configurations):
    metrics = sorted({metric for part in parts for metric in part.metrics})
    position = {name: i for i, name in enumerate(configurations)}
    several = [_Evaluations(part, metrics, position) for part in parts]
    shape = (len(found), len(configurations), len(metrics))
    scores = np.full((*shape, max(e.n_folds for e in several)), np.nan, np.float32)
    seconds = np.full((*shape[:2], len(_SECONDS)), np.nan, np.float32)
    for table, places in enumerate(found.values()):
        keeps_folds = len(places) == 1 or _have_same_splits(
            places, parts, frames, n_rows
        )
        scores[table], seconds[table] = _average(
            [several[number].of_task(row, keeps_folds) for number, row in places],
            [n_rows[number][row] for number, row in places],
            shape=scores.shape[1:],
        )
    return {
        "fold_scores": {m: scores[:, :, i] for i, m in enumerate(metrics)},
        **{name: seconds[:, :, i] for i, name in enumerate(_SECONDS)},
    }


class _Evaluations:
    """The cells of a part, of all metrics together."""

    def __init__(self, part, metrics, position):
        self._part, self._metrics = part, metrics
        self.columns = [position[c.name] for c in part.configuration_values]
        self._folds = self._stack(part.fold_scores)
        self._seconds = np.stack([getattr(part, n).to_numpy() for n in _SECONDS], -1)
        self.n_folds = self._folds.shape[-1]

    @cached_property
    def _means(self):
        """Means over folds, as if each task had only one."""
        return self._stack(lambda m: self._part.scores(m).to_numpy()[:, :, np.newaxis])

    def _stack(self, read):
        known = {m: read(m) for m in self._part.metrics}
        unknown = np.full_like(next(iter(known.values())), np.nan)
        return np.stack([known.get(m, unknown) for m in self._metrics], axis=2)

    def of_task(self, row, keeps_folds):
        """Return columns, scores and seconds of a task.

        Where its evaluations have different splits, nothing is known of single
        folds: the first one holds the mean.
        """
        scores = self._folds if keeps_folds else self._means
        return self.columns, scores[row], self._seconds[row]


def _have_same_splits(places, parts, frames, n_rows):
    splits = set()
    for number, row in places:
        protocol = parts[number].provenance.get("protocol", {})
        split = tuple(protocol.get(name) for name in _SPLIT)
        if None in split:
            return False
        own = frames[number]["splits"].iloc[row] if "splits" in frames[number] else None
        splits.add((*split, own, n_rows[number][row]))
    return len(splits) == 1


def _average(evidence, weights, shape):
    """Average what several parts found on one table."""
    scores = np.full((len(evidence), *shape), np.nan)
    seconds = np.full((len(evidence), shape[0], len(_SECONDS)), np.nan)
    for i, (columns, of_folds, of_seconds) in enumerate(evidence):
        scores[i, columns, :, : of_folds.shape[2]] = of_folds
        seconds[i, columns] = of_seconds
    is_new = ~_find_repeated(scores)
    weights = np.array(weights)[:, np.newaxis, np.newaxis]
    return (
        _weighted_mean(scores, (is_new * weights)[..., np.newaxis]),
        _weighted_mean(seconds, is_new.all(axis=2, keepdims=True) * weights),
    )


def _find_repeated(scores):
    """Say which scores are those of an evaluation that came before.

    Parameters
    ----------
    scores : ndarray of shape (n_evaluations, n_configurations, n_metrics, n_folds)
        NaN where there is none.

    Returns
    -------
    repeated : ndarray of bool of shape (n_evaluations, n_configurations, n_metrics)
        By the metrics that the earlier one has too.
    """
    known = ~np.isnan(scores)
    repeated = np.zeros(scores.shape[:3], dtype=bool)
    for i in range(1, len(scores)):
        both = known[i] & known[:i]
        agree = ((scores[i] == scores[:i]) | ~both).all(axis=(2, 3))
        same = agree & both.any(axis=(2, 3))
        repeated[i] = (same[:, :, np.newaxis] & known[:i].any(axis=3)).any(axis=0)
    return repeated


def _weighted_mean(values, weights):
    weights = np.where(np.isnan(values), 0.0, weights)
    total = weights.sum(axis=0)
    mean = (weights * np.nan_to_num(values)).sum(axis=0) / np.where(total > 0, total, 1)
    return np.where(total > 0, mean, np.nan)
