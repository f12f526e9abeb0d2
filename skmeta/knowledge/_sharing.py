"""What of a knowledge base may leave the house.

What differential privacy [1]_ protects here is a row: two tables are neighbours if one
row was replaced by another of its class. What the sensitivities assume is said in
docs/sharing.md.

References
----------
.. [1] C. Dwork, A. Roth, "The Algorithmic Foundations of Differential Privacy",
   Foundations and Trends in Theoretical Computer Science 9, 2014.
"""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import log_ndtr

from skmeta._inputs import check_number
from skmeta.knowledge._merging import evaluated_rows

_LARGEST_EPSILON = 1e4

# The chance with which the promise of epsilon may be broken.
DELTA = 1e-6

# Log loss is none of them: a single row may change it by any amount.
_NOISY_METRICS = ("accuracy", "balanced_accuracy_tuned", "roc_auc_ovr_weighted")
_METRICS = (*_NOISY_METRICS, "neg_log_loss")
_WORST_LOSS = -5.0

# The step that each meta-feature is rounded to, or the factor if it is a count or goes
# over orders of magnitude, and the range that it is clipped to. Those that tasks are
# compared by; no others leave.
_FACTORS = {
    "nr_inst": (2.0, 64, 2**20),
    "nr_attr": (2.0, 1, 2**14),
    "nr_class": (1.5, 2, 1_000),
    "attr_to_inst": (4.0, 2**-16, 2**10),
    "freq_class.min": (2.0, 2**-12, 0.5),
    "kurtosis.mean": (2.0, 0.25, 2**10),
    "symbols.sum": (2.0, 1, 2**14),
    "pct_missing": (4.0, 2**-10, 1),
}
_STEPS = {
    "class_ent": (0.25, 0, 10),
    "skewness.mean": (0.5, -10, 10),
    "pct_num": (0.25, 0, 1),
    "can_cor.max": (0.1, 0, 1),
    "auc.linear_discr": (0.05, 0, 1),
    "auc_over_linear.naive_bayes": (0.05, -1, 1),
    "auc_over_linear.knn": (0.05, -1, 1),
    "auc_over_linear.tree": (0.05, -1, 1),
    "auc_over_node.tree": (0.05, -1, 1),
}

# What a row cannot change that is replaced by another of its class, where columns and
# their kinds are known; and what it changes by little. With epsilon no others leave.
_UNCHANGED = ("nr_inst", "nr_attr", "nr_class", "attr_to_inst", "pct_num", "class_ent",
              "freq_class.min")  # fmt: skip
_BOUNDED = ("pct_missing",)


def check_pack(knowledge, min_rows, epsilon, influence, random_state):
    """Check what `KnowledgeBase.pack` is given, and return a generator.

    Parameters
    ----------
    knowledge : KnowledgeBase
    min_rows, epsilon, influence, random_state
        Of `KnowledgeBase.pack`.

    Returns
    -------
    rng : numpy Generator

    Raises
    ------
    ValueError
        If something cannot be used.
    """
    if not (isinstance(min_rows, Integral) and min_rows >= 0):
        raise ValueError(f"min_rows must be an integer >= 0, got: {min_rows!r}.")
    if not (isinstance(influence, Integral) and influence >= 0):
        raise ValueError(f"influence must be an integer >= 0, got: {influence!r}.")
    check_number("epsilon", epsilon, Real, "a number > 0")
    if epsilon is not None:
        _check_for_noise(knowledge, epsilon)
    n_rows = evaluated_rows(knowledge.tasks)
    if not (n_rows >= min_rows).any():
        raise ValueError(
            f"min_rows must leave a table to share, got: {min_rows}, while the largest "
            f"has {n_rows.max(initial=0):.0f} rows."
        )
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**32, dtype=np.uint64)
    return np.random.default_rng(random_state)


def _check_for_noise(knowledge, epsilon):
    if epsilon > _LARGEST_EPSILON:
        raise ValueError(
            f"epsilon must be at most {_LARGEST_EPSILON:g}, which promises nothing any "
            f"more, got: {epsilon!r}. None adds no noise."
        )
    if not set(_NOISY_METRICS) & set(knowledge.metrics):
        raise ValueError(
            f"With epsilon only {list(_NOISY_METRICS)} can be shared, got a knowledge "
            f"base with {knowledge.metrics}."
        )
    if "freq_class.min" not in knowledge.meta_features:
        raise ValueError(
            "With epsilon the meta-feature 'freq_class.min' must be known, got none."
        )
    protocols = [part.provenance.get("protocol") for part in knowledge.parts]
    has_own_splits = (
        knowledge.tasks.get("splits", pd.Series(dtype=object)).notna().any()
    )
    if None in protocols or has_own_splits:
        raise ValueError(
            "With epsilon every score must come from the stratified folds of a build, "
            "got others: of a journal, of splits that were given, or of another pack. "
            "How much a row counts in them is not known."
        )


def pack(knowledge, min_rows, epsilon, influence, names, rng):
    """Return what may be shared of a knowledge base; see `KnowledgeBase.pack`.

    Parameters
    ----------
    knowledge : KnowledgeBase
    min_rows, epsilon, influence, names
        Of `KnowledgeBase.pack`.
    rng : numpy Generator
        For pseudonyms, the order and the noise.

    Returns
    -------
    arguments : dict
        Of a `KnowledgeBase`.
    """
    tasks, n_rows = knowledge.tasks, evaluated_rows(knowledge.tasks)
    rows = rng.permutation(np.flatnonzero(n_rows >= min_rows))
    metrics = _METRICS if epsilon is None else _NOISY_METRICS
    scores = {
        metric: knowledge.scores(metric).to_numpy(np.float64)[rows]
        for metric in metrics
        if metric in knowledge.metrics
    }
    meta_features = knowledge.meta_features.iloc[rows]
    if epsilon is not None:
        n_folds = _count_folds(knowledge)[rows]
        meta_features, scores = _add_noise(
            meta_features, scores, n_rows[rows], n_folds, epsilon, influence, rng
        )
    index = _make_index(tasks.index[rows], names, rng)
    meta_features = _coarsen(meta_features).set_axis(index)
    seconds = {
        name: _round_to_digit(getattr(knowledge, name).to_numpy(np.float64)[rows])
        for name in ("fit_seconds", "predict_seconds")
    }
    if epsilon is not None:
        # How long a fit takes depends on the rows, nobody knows by how much.
        seconds = {name: np.full_like(s, np.nan) for name, s in seconds.items()}
    return {
        "tasks": _coarsen_tasks(tasks.iloc[rows], index, names, rng),
        "meta_features": meta_features,
        "configurations": knowledge.configuration_values,
        "fold_scores": {
            metric: _clip(metric, values)[:, :, np.newaxis]
            for metric, values in scores.items()
        },
        **seconds,
        "failures": _keep_failures(
            knowledge, dict(zip(tasks.index[rows], index, strict=True))
        ),
        "provenance": {
            "pack": {
                "min_rows": min_rows,
                "epsilon": epsilon,
                "delta": None if epsilon is None else DELTA,
                "influence": None if epsilon is None else influence,
            }
        },
    }


def _make_index(names_of_tasks, names, rng):
    if names:
        return pd.Index(names_of_tasks, name="task")
    # By chance, so that two packs have none in common.
    return pd.Index([f"task-{_pseudonym(rng)}" for _ in names_of_tasks], name="task")


def _pseudonym(rng):
    return rng.bytes(6).hex()


def _coarsen_tasks(tasks, index, names, rng):
    families = tasks["family"]
    if not names:
        pseudonyms = {name: f"family-{_pseudonym(rng)}" for name in families.unique()}
        families = families.map(pseudonyms)
    sizes = {
        name: _round_to_factor(tasks[name].to_numpy(np.float64), *_FACTORS[feature])
        for name, feature in [
            ("n_rows", "nr_inst"),
            ("n_features", "nr_attr"),
            ("n_classes", "nr_class"),
        ]
    }
    return pd.DataFrame(
        {
            "family": families.to_numpy(),
            "domain": tasks["domain"].to_numpy() if names else "",
            **{name: values.round().astype(int) for name, values in sizes.items()},
        },
        index=index,
    )


def _coarsen(meta_features):
    """Return the meta-features that tasks are compared by, rounded and clipped."""
    columns = {}
    for name in meta_features.columns:
        values = meta_features[name].to_numpy(np.float64)
        if name in _FACTORS:
            columns[name] = _round_to_factor(values, *_FACTORS[name])
        elif name in _STEPS:
            step, low, high = _STEPS[name]
            columns[name] = np.clip(np.round(values / step) * step, low, high)
    return pd.DataFrame(columns, index=meta_features.index)


def _round_to_factor(values, factor, low, high):
    """Return the nearest power of a factor, and 0 for what is none."""
    powers = factor ** np.round(np.log(np.maximum(values, low)) / np.log(factor))
    return np.where(values > 0, np.clip(powers, low, high), 0.0)


def _round_to_digit(seconds):
    known = np.where(seconds > 0, seconds, 1.0)
    unit = 10.0 ** np.floor(np.log10(known))
    return np.where(np.isnan(seconds), np.nan, np.round(seconds / unit) * unit)


def _clip(metric, scores):
    low, high = (_WORST_LOSS, 0.0) if metric == "neg_log_loss" else (0.0, 1.0)
    return np.clip(np.round(scores, 2), low, high)


def _keep_failures(knowledge, name_of):
    """Return what failed, without what was said, in an order that says nothing."""
    failed = [
        (name_of[failure["task"]], failure["configuration"])
        for failure in knowledge.failures.to_dict("records")
        if failure["task"] in name_of
    ]
    return [
        {"task": task, "configuration": configuration, "error": "Failed."}
        for task, configuration in sorted(failed)
    ]


# Noise


def _count_folds(knowledge):
    folds = knowledge.fold_scores(knowledge.metrics[0])
    return (~np.isnan(folds)).any(axis=1).sum(axis=1)


def _add_noise(meta_features, scores, n_rows, n_folds, epsilon, influence, rng):
    """Return values with Gaussian noise for all that leave of a table together.

    Every value is divided by its sensitivity: then one row moves it by at most 1, and
    all of a table by the root of their number.
    """
    smallest = np.maximum(meta_features["freq_class.min"].to_numpy() * n_rows, 1.0)
    noisy = [name for name in _BOUNDED if name in meta_features]
    n_values = len(noisy) + sum(values.shape[1] for values in scores.values())
    deviation = noise_scale(epsilon) * np.sqrt(n_values)

    def perturb(values, units):
        units = np.broadcast_to(units, values.T.shape).T
        return values + deviation * units * rng.normal(size=values.shape)

    kept = meta_features[[n for n in (*_UNCHANGED, *noisy) if n in meta_features]]
    kept = kept.assign(
        **{
            name: perturb(kept[name].to_numpy(np.float64), sensitivity(name, n_rows))
            for name in noisy
        }
    )
    scores = {
        metric: perturb(
            values, sensitivity(metric, n_rows, smallest, n_folds, influence)
        )
        for metric, values in scores.items()
    }
    return kept, scores


def sensitivity(name, n_rows, smallest_class=None, n_folds=None, influence=None):
    """Return by how much one row that is replaced may change a value.

    Parameters
    ----------
    name : str
        A metric or a meta-feature.
    n_rows : ndarray of shape (n_tasks,)
        Of the tables.
    smallest_class : ndarray of shape (n_tasks,), default=None
        Rows of the smallest class; for metrics.
    n_folds : ndarray of int of shape (n_tasks,), default=None
        Stratified folds, whose scores are averaged; for metrics.
    influence : int, default=None
        By how many rows besides the one that was replaced a score may change, because
        the models were fitted on another row; for metrics.

    Returns
    -------
    sensitivity : ndarray of shape (n_tasks,)

    Raises
    ------
    KeyError
        If it is not known of the value.
    """
    if name == "pct_missing":
        return 1 / n_rows
    # In the smallest class a row counts for the most, and in the smallest fold.
    rows = {
        "accuracy": n_rows,
        "balanced_accuracy_tuned": smallest_class,
        "roc_auc_ovr_weighted": smallest_class,
    }[name]
    within = n_folds * np.floor(np.maximum(rows, 0.0) / n_folds + 1e-9)
    return np.minimum((1 + influence) / np.maximum(within, 1e-9), 1.0)


def noise_scale(epsilon, delta=DELTA):
    """Return the standard deviation of Gaussian noise for a sensitivity of 1.

    The least that gives (epsilon, delta) differential privacy [1]_.

    Parameters
    ----------
    epsilon, delta : float
        Positive.

    Returns
    -------
    deviation : float

    References
    ----------
    .. [1] B. Balle, Y.-X. Wang, "Improving the Gaussian Mechanism for Differential
       Privacy: Analytical Calibration and Optimal Denoising", ICML 2018.

    Examples
    --------
    >>> from skmeta.knowledge._sharing import noise_scale
    >>> round(noise_scale(1.0, delta=1e-5), 2)
    3.73
    """

    def excess(log_deviation):
        deviation = np.exp(log_deviation)
        half, shift = 0.5 / deviation, epsilon * deviation
        broken = np.exp(log_ndtr(half - shift))
        broken -= np.exp(epsilon + log_ndtr(-half - shift))
        return broken - delta

    return float(np.exp(brentq(excess, np.log(1e-3), np.log(1e6))))
