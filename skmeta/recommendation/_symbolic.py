"""Hyperparameters as formulas of the size of a task."""

from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmeta._base_learners import BASE_LEARNERS, TaskSize
from skmeta._configuration import Configuration
from skmeta.knowledge._merging import evaluated_rows
from skmeta.recommendation._baselines import PortfolioRecommender
from skmeta.recommendation._loss_surrogate import (
    LossSurrogate,
    describe_tried,
    find_coefficients,
)
from skmeta.recommendation._portfolio import greedy_portfolio, portfolio_loss
from skmeta.recommendation._recommender import CAP, CAPS
from skmeta.recommendation._runtime import RuntimeModel

# What formulas depend on, and the meta-features that these are. They are products of
# powers, in which the entropy of the classes, in bits, is an exponent.
ATTRIBUTES = {
    "rows": "nr_inst",
    "columns": "nr_attr",
    "classes": "nr_class",
    "entropy": "class_ent",
}

# Fewest configurations of a learner to learn formulas from.
_LEAST_CONFIGURATIONS = 5

# What does not change a hyperparameter by so much between usual tasks is left out.
_LEAST_EFFECT = 0.1


@dataclass(frozen=True)
class Formula:
    """What a hyperparameter should be, by the size of a task; `print` shows it.

    Parameters
    ----------
    name : str
        The hyperparameter.
    constant : float
        What powers are multiplied by.
    powers : dict of str to float
        Exponents of ``rows``, ``columns`` and ``classes``, and the number of which
        ``entropy``, that of the classes in bits, is the exponent.
    low, high : float
        Range that was tried, which the value is moved into.
    is_integer : bool
        Whether it is rounded; otherwise it has three digits.

    Examples
    --------
    >>> from skmeta.recommendation import Formula
    >>> formula = Formula("gamma", 0.5, {"columns": -1.0}, 1e-4, 1.0, False)
    >>> print(formula)
    0.5 * columns**-1.0
    >>> formula.evaluate({"columns": 20})
    0.025
    """

    name: str
    constant: float
    powers: dict
    low: float
    high: float
    is_integer: bool

    def evaluate(self, attributes):
        """Return the value for a task.

        Parameters
        ----------
        attributes : mapping of str to float
            ``rows``, ``columns``, ``classes`` and ``entropy``, as far as they occur.

        Returns
        -------
        value : int or float
        """
        value = self.constant
        for name, number in self.powers.items():
            given = attributes[name]
            value *= number**given if name == "entropy" else given**number
        value = min(max(value, self.low), self.high)
        return round(value) if self.is_integer else float(f"{value:.3g}")

    def __str__(self):
        powers = [
            f"{number}**{name}" if name == "entropy" else f"{name}**{number}"
            for name, number in self.powers.items()
        ]
        return " * ".join([f"{self.constant:.3g}", *powers])


@dataclass(frozen=True)
class LearnerFormulas:
    """What all hyperparameters of a learner should be; `print` shows it.

    Parameters
    ----------
    learner : str
        Name of the base learner.
    formulas : tuple of Formula
        Of the numbers.
    constants : dict
        Values of the others.
    """

    learner: str
    formulas: tuple
    constants: dict

    def evaluate(self, attributes):
        """Return the configuration for a task.

        Parameters
        ----------
        attributes : mapping of str to float
            ``rows``, ``columns``, ``classes`` and ``entropy``.

        Returns
        -------
        configuration : Configuration
        """
        values = {f.name: f.evaluate(attributes) for f in self.formulas}
        return Configuration(self.learner, self.constants | values)

    def __str__(self):
        lines = [f"{formula.name} = {formula}" for formula in self.formulas]
        lines += [f"{name} = {value!r}" for name, value in self.constants.items()]
        return "\n".join(lines)


class SymbolicRecommender(PortfolioRecommender):
    """Each learner with hyperparameters by a formula, then a greedy portfolio.

    For every learner of which enough is known, a ridge regression on hyperparameters
    and properties of the task stands for its loss. On that, by gradient descent, the
    mean loss over the known tasks is minimized with hyperparameters that are products
    of powers of rows, columns, classes and the entropy of the classes [1]_ [2]_. Those
    that are no numbers are constants.

    What is expected of a formula is what the configuration nearest to it came to.

    Parameters
    ----------
    ridge : float, default=0.1
        Penalty on squared coefficients of the regression.
    caution : float, default=0.05
        What it adds to the loss, from 0 to 1, to be a squared distance of 1 from what
        was tried, in units in which hyperparameters deviate by 1 from their mean.
    sparsity : float, default=0.003
        Penalty on exponents: the greater, the more hyperparameters are constants.

    Attributes
    ----------
    formulas_ : dict of str to LearnerFormulas
        By the name of the learner.

    References
    ----------
    .. [1] P. Gijsbers, F. Pfisterer, J. N. van Rijn, B. Bischl, J. Vanschoren,
       "Meta-Learning for Symbolic Hyperparameter Defaults", GECCO 2021.
    .. [2] J. N. van Rijn, F. Pfisterer, J. Thomas, A. Mueller, B. Bischl, J.
       Vanschoren, "Meta Learning for Defaults: Symbolic Defaults", MetaLearn at
       NeurIPS 2018.

    Examples
    --------
    >>> from skmeta import load_knowledge
    >>> from skmeta.recommendation import SymbolicRecommender
    >>> knowledge = load_knowledge().select_learners(["svc"])
    >>> recommender = SymbolicRecommender().fit(knowledge, "balanced_accuracy")
    >>> [formula.name for formula in recommender.formulas_["svc"].formulas]
    ['C', 'gamma']
    """

    def __init__(self, ridge=0.1, caution=0.05, sparsity=0.003):
        self.ridge = ridge
        self.caution = caution
        self.sparsity = sparsity

    def learn(self, meta_features):
        self._attributes = {
            attribute: name
            for attribute, name in ATTRIBUTES.items()
            if name in meta_features.columns
        }
        self._stored = self.configurations_
        self.formulas_, nearest = {}, []
        learners = np.array([c.learner for c in self._stored])
        for learner in dict.fromkeys(learners.tolist()):
            columns = np.flatnonzero(learners == learner)
            tried = self._describe(learner, columns)
            if tried is None:
                continue
            self.formulas_[learner] = formulas = self._learn_formulas(tried, columns)
            nearest.append(columns[find_nearest(formulas, tried, self._known_tasks())])
        self._add_columns(nearest)

    def _describe(self, learner, columns):
        """Return what was tried of a learner, None if that is too little."""
        is_known = ":" in learner or learner in BASE_LEARNERS
        if not is_known or len(columns) < _LEAST_CONFIGURATIONS:
            return None
        n_rows = evaluated_rows(self.tasks_).astype(int)
        sizes = self.tasks_[["n_features", "n_classes"]].to_numpy().astype(int)
        tried = describe_tried(
            [self._stored[i] for i in columns],
            [TaskSize(*map(int, size)) for size in np.column_stack([n_rows, sizes])],
        )
        return tried if tried.names else None

    def _known_tasks(self):
        """Return the properties of the known tasks, by attribute."""
        return {
            attribute: self.meta_features_[name].to_numpy(np.float64)
            for attribute, name in self._attributes.items()
        }

    def _learn_formulas(self, tried, columns):
        scores = self.scores_[:, columns]
        was_tried = self.is_tried_[:, columns].any(axis=1)
        usable = was_tried & ~np.isnan(scores).all(axis=1)
        weights = self.task_weights_[usable]
        return learn_formulas(
            replace(tried, numbers=tried.numbers[usable]),
            {name: values[usable] for name, values in self._known_tasks().items()},
            portfolio_loss(scores[usable], CAPS.get(self.metric_, CAP)),
            weights / weights.sum(),
            self.ridge,
            self.caution,
            self.sparsity,
        )

    def _add_columns(self, nearest):
        """Add what is expected of formulas to what is known of configurations."""
        if not nearest:
            return
        nearest = np.array(nearest).T
        for name in ("scores_", "loss_", "seconds_"):
            known = getattr(self, name)
            added = np.take_along_axis(known, nearest, axis=1)
            setattr(self, name, np.hstack([known, added]))
        self.is_tried_ = np.hstack([self.is_tried_, np.zeros(nearest.shape, bool)])
        if self._runtime is not None:
            self._runtime = RuntimeModel(self.meta_features_, self.seconds_)

    def recommend(self, meta_features, *args, **params):
        check_is_fitted(self)
        # What formulas come to is a configuration for this task alone.
        there = copy(self)
        there.configurations_ = self._stored + self._come_to(meta_features)
        return super(SymbolicRecommender, there).recommend(
            meta_features, *args, **params
        )

    def _come_to(self, meta_features):
        """Return the configuration of each learner that has formulas, for a task."""
        wanted = self._attributes if self.formulas_ else {}
        missing = [name for name in wanted.values() if name not in meta_features]
        if missing:
            raise ValueError(
                f"meta_features must hold {list(wanted.values())}, got none named "
                f"{missing}. Extract them with MetaFeatureExtractor()."
            )
        attributes = {a: float(meta_features[name]) for a, name in wanted.items()}
        return tuple(each.evaluate(attributes) for each in self.formulas_.values())

    def weigh(self, meta_features):
        weights, fell_back, reason = super().weigh(meta_features)
        learners = ", ".join(self.formulas_) or "no learner"
        return weights, fell_back, f"{reason} There are formulas for {learners}."

    def order(self, task, size):
        n_stored = len(self._stored)
        formulas = np.setdiff1d(
            np.arange(n_stored, len(self.configurations_)), task.tried
        )
        order = self._best_of(formulas, task, task.tried)
        begun = np.concatenate([task.tried, order]).astype(np.int64)
        # A formula may come to what is stored.
        twice = set(self.configurations_[n_stored:])
        stored = [
            i for i, c in enumerate(self._stored) if c not in twice and i not in begun
        ]
        order = [*order, *self._best_of(np.array(stored, dtype=np.int64), task, begun)]
        return order[:size]

    def _best_of(self, some, task, begun):
        """Order some of the configurations, given those that come before."""
        columns = np.concatenate([begun, some]).astype(np.int64)
        chosen = greedy_portfolio(
            self.loss_[:, columns],
            len(some),
            task.weights,
            None if task.seconds is None else task.seconds[columns],
            tried=np.arange(len(begun)),
        )
        return columns[chosen]


def learn_formulas(tried, tasks, loss, weights, ridge, caution, sparsity):
    """Find formulas under which a learner does best in the mean over tasks.

    Parameters
    ----------
    tried : Tried
        Its configurations, on each task.
    tasks : dict of str to ndarray of shape (n_tasks,)
        Properties, by the names in `ATTRIBUTES`.
    loss : ndarray of shape (n_tasks, n_configurations)
        From 0 to 1.
    weights : ndarray of shape (n_tasks,)
        They sum to 1.
    ridge, caution, sparsity : float
        As of `SymbolicRecommender`.

    Returns
    -------
    formulas : LearnerFormulas
    """
    numbers, mean, deviation = _standardize(tried.numbers, (0, 1))
    points = np.array([_on_scale(*each) for each in tasks.items()])
    points = points.reshape(len(tasks), len(loss)).T
    points, center, width = _standardize(points, 0)
    surrogate = LossSurrogate(
        numbers, tried.words, points, loss, weights, ridge, caution
    )
    design = np.column_stack([np.ones(len(points)), points])
    limits = numbers.min(axis=(0, 1)), numbers.max(axis=(0, 1))
    found = []
    for words, constants in tried.choices:
        # From the best that is known: the loss may have several valleys.
        best = np.where(_is_alike(tried, words), weights @ loss, np.inf).argmin()
        start = np.zeros((design.shape[1], len(mean)))
        start[0] = weights @ numbers[:, best]
        objective = design, surrogate, words, weights, *limits
        found.append((*find_coefficients(start, sparsity, *objective), constants))
    _, coefficients, constants = min(found, key=lambda each: each[0])
    levels = mean + deviation * coefficients[0]
    slopes = deviation * coefficients[1:] / width[:, np.newaxis]
    usual = dict(zip(tasks, zip(center, width, strict=True), strict=True))
    ranges = np.exp(mean + deviation * np.array(limits)).T
    made = map(
        partial(_make_formula, usual),
        tried.names, tried.is_integer, levels, slopes.T, ranges,
    )  # fmt: skip
    return LearnerFormulas(tried.learner, tuple(made), constants)


def find_nearest(formulas, tried, tasks):
    """Return which configuration is nearest to formulas on each task.

    Parameters
    ----------
    formulas : LearnerFormulas
    tried : Tried
        What configurations were there.
    tasks : dict of str to ndarray of shape (n_tasks,)
        Properties, by the names in `ATTRIBUTES`.

    Returns
    -------
    nearest : ndarray of int of shape (n_tasks,)
        Of those that have the same constants, if there are any.
    """
    numbers, mean, deviation = _standardize(tried.numbers, (0, 1))
    values = [
        [
            formula.evaluate({name: column[task] for name, column in tasks.items()})
            for formula in formulas.formulas
        ]
        for task in range(len(numbers))
    ]
    values = (np.log(values) - mean) / deviation
    distance = ((numbers - values[:, np.newaxis]) ** 2).sum(axis=2)
    [words] = [w for w, constants in tried.choices if constants == formulas.constants]
    return np.where(_is_alike(tried, words), distance, np.inf).argmin(axis=1)


def _is_alike(tried, words):
    """Say which configurations have these words; all if none has."""
    alike = (tried.words == words).all(axis=1)
    return alike | ~alike.any()


def _on_scale(name, values):
    return values if name == "entropy" else np.log(np.maximum(values, 1.0))


def _standardize(values, axis):
    mean, deviation = values.mean(axis=axis), values.std(axis=axis)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (values - mean) / deviation, mean, deviation


def _make_formula(usual, name, is_integer, level, slopes, limits):
    """Return a formula with short numbers, whose value at the usual task is kept.

    Parameters
    ----------
    usual : dict of str to (float, float)
        By attribute, on its scale: the usual value, and how far tasks differ in it.
    name : str
    is_integer : bool
    level : float
        Logarithm of the hyperparameter at the usual task.
    slopes : ndarray of shape (n_attributes,)
        What it changes by.
    limits : ndarray of shape (2,)

    Returns
    -------
    formula : Formula
    """
    powers = {}
    for (attribute, (center, width)), slope in zip(usual.items(), slopes, strict=True):
        is_base = attribute == "entropy"
        number = round(float(np.exp(slope) if is_base else slope), 2)
        number = max(number, 0.01) if is_base else number
        slope = np.log(number) if is_base else number
        if abs(slope) * width >= _LEAST_EFFECT:
            powers[attribute] = number
            level -= slope * center
    low, high = (float(f"{limit:.3g}") for limit in limits)
    constant = float(f"{np.exp(level):.3g}")
    return Formula(name, constant, powers, low, high, is_integer)
