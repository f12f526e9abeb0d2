"""What to try when all that is known has been tried and seconds are left."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skmeta._base_learners import BASE_LEARNERS
from skmeta._configuration import Configuration

# How many observed children count as much as what is known of other tasks.
_PRIOR = 3.0

# Steps of a mutation, as parts of a range: none is so small that nothing changes, and
# none so large that it is no more than drawing anew.
_LEAST_WIDTH, _MOST_WIDTH = 0.05, 0.5

# Differences of scores beyond these, in units of the task, say no more than that one
# of the two was a failure.
_MOST_DIFFERENCE = 3.0

# How often a value that is a number is replaced by a word such as "sqrt".
_TO_WORD = 0.1

# Power of seconds that gains are divided by, as in the expected improvement.
_POWER = 0.25

# Less than this is mostly what any fit takes.
_LEAST_SECONDS = 0.05

# Children that are drawn for each one wanted, and gains until one is above nothing.
_MOST_ATTEMPTS, _MOST_DRAWS = 20, 20


@dataclass(frozen=True)
class Neighbourhood:
    """How configurations of a learner are changed a little.

    Parameters
    ----------
    learner : str
        Name of the base learner.
    usual : dict
        Values of what a configuration leaves out.
    dimensions : tuple of Hyperparameter
        What may be changed.
    widths : ndarray of shape (n_dimensions,)
        Standard deviations of steps, as parts of the ranges.
    shares : ndarray of shape (n_dimensions,)
        How often each is changed; they sum to 1.
    gain_mean, gain_deviation : float
        Of the score of a configuration minus that of the best other one of the
        learner, on known tasks, in units of the task.
    """

    learner: str
    usual: dict
    dimensions: tuple
    widths: np.ndarray
    shares: np.ndarray
    gain_mean: float
    gain_deviation: float

    def mutate(self, configuration, random_state):
        """Return a configuration that differs a little.

        Parameters
        ----------
        configuration : Configuration
            Of the learner.
        random_state : RandomState

        Returns
        -------
        child : Configuration
            The same one if no other value was drawn.
        """
        values = dict(configuration.hyperparameters)
        n = len(self.dimensions)
        n_changed = 1 + random_state.binomial(n - 1, 1 / n)
        n_changed = min(n_changed, np.count_nonzero(self.shares))
        for i in random_state.choice(n, n_changed, replace=False, p=self.shares):
            hyperparameter = self.dimensions[i]
            name = hyperparameter.name
            before = values.get(name, self.usual[name])
            values[name] = _step(hyperparameter, before, self.widths[i], random_state)
        return Configuration(self.learner, values)

    def predict_gain(self, gains):
        """Return mean and deviation of what the next child gains.

        Parameters
        ----------
        gains : sequence of float
            Of the children so far, over the best known configuration, in units of the
            task.

        Returns
        -------
        mean, deviation : float
            What is known of other tasks counts as much as three children.
        """
        weight = _PRIOR + len(gains)
        mean = (_PRIOR * self.gain_mean + np.sum(gains)) / weight
        squares = _PRIOR * self.gain_deviation**2 + np.square(gains - mean).sum()
        return mean, np.sqrt(squares / weight * (1 + 1 / weight))


class RegularizedEvolution(BaseEstimator):
    """Children of what scored best, in a population whose oldest members leave [1]_.

    The learner of the next child is chosen by Thompson sampling [2]_: the score of a
    child is drawn from what children of that learner scored here, and as long as these
    are few from how the configurations of the learner differ on known tasks. Its
    parent is the best of a few members of the population. Hyperparameters that
    scores depend on are changed more often and by smaller steps; that is learned
    from the known tasks, too.

    Parameters
    ----------
    population_size : int, default=20
        The population is at first as many of the best known configurations, and is
        joined by the children.
    tournament_size : int, default=5
        Members of which the best one is the parent.

    Attributes
    ----------
    neighbourhoods_ : dict of str to Neighbourhood
        How configurations are changed, by learner.

    References
    ----------
    .. [1] E. Real, A. Aggarwal, Y. Huang, Q. V. Le, "Regularized Evolution for Image
       Classifier Architecture Search", AAAI 2019.
    .. [2] W. R. Thompson, "On the Likelihood that One Unknown Probability Exceeds
       Another in View of the Evidence of Two Samples", Biometrika 25, 1933.

    Examples
    --------
    >>> from skmeta import load_knowledge
    >>> from skmeta.recommendation import Observation, RegularizedEvolution
    >>> knowledge = load_knowledge().select_learners(["svc"])
    >>> evolution = RegularizedEvolution().fit(knowledge, "accuracy")
    >>> known = knowledge.configuration_values
    >>> observed = [Observation(c, i / 10, 1.0) for i, c in enumerate(known)]
    >>> [child.learner for child in evolution.propose(observed, 2, random_state=0)]
    ['svc', 'svc']
    """

    def __init__(self, population_size=20, tournament_size=5):
        self.population_size = population_size
        self.tournament_size = tournament_size

    def fit(self, knowledge, metric="accuracy"):
        """Learn how configurations differ.

        Parameters
        ----------
        knowledge : KnowledgeBase
            Of the configurations that may be changed.
        metric : str, default="accuracy"
            Stored metric to maximize.

        Returns
        -------
        self
        """
        scores = knowledge.scores(metric).to_numpy(np.float64)
        known = knowledge.configuration_values
        scores = scores / _units(scores)[:, None]
        learners = np.array([each.learner for each in known])
        self._known = frozenset(known)
        self.neighbourhoods_ = {}
        for learner in dict.fromkeys(learners.tolist()):
            columns = np.flatnonzero(learners == learner)
            neighbourhood = _learn_neighbourhood(
                [known[i] for i in columns], scores[:, columns]
            )
            if neighbourhood is not None:
                self.neighbourhoods_[learner] = neighbourhood
        return self

    def propose(self, observed, n_configurations, random_state=None):
        """Return configurations that were not tried.

        Parameters
        ----------
        observed : sequence of Observation
            What was tried on this task, in that order.
        n_configurations : int
            How many at most.
        random_state : int, RandomState or None, default=None
            Where the randomness comes from.

        Returns
        -------
        configurations : list of Configuration
            Fewer if others cannot be found.
        """
        check_is_fitted(self)
        random_state = check_random_state(random_state)
        population = [
            each
            for each in self._order(observed)[-self.population_size :]
            if each.configuration.learner in self.neighbourhoods_
        ]
        met, children = {each.configuration for each in observed}, []
        for _ in range(_MOST_ATTEMPTS * n_configurations if population else 0):
            learner = self._choose_learner(observed, population, random_state)
            members = [m for m in population if m.configuration.learner == learner]
            n_drawn = min(self.tournament_size, len(members))
            drawn = random_state.choice(len(members), n_drawn, replace=False)
            parent = max((members[i] for i in drawn), key=lambda each: each.score)
            child = self.neighbourhoods_[learner].mutate(
                parent.configuration, random_state
            )
            if child not in met:
                met.add(child)
                children.append(child)
            if len(children) == n_configurations:
                break
        return children

    def _order(self, observed):
        """Return what has a score: known ones, the worst first, and then children."""
        scored = [each for each in observed if not np.isnan(each.score)]
        known = [each for each in scored if each.configuration in self._known]
        children = [each for each in scored if each.configuration not in self._known]
        return sorted(known, key=lambda each: each.score) + children

    def _choose_learner(self, observed, population, random_state):
        """Draw what a child of each learner might score, and return the best one."""
        scored = [each for each in observed if not np.isnan(each.score)]
        unit = _units(np.array([[each.score for each in scored]]))[0]
        best = max(each.score for each in scored)
        learners = list(dict.fromkeys(m.configuration.learner for m in population))
        means, deviations, seconds = [], [], []
        for learner in learners:
            of_learner = [e for e in scored if e.configuration.learner == learner]
            known = [e.score for e in of_learner if e.configuration in self._known]
            start = max(known or [e.score for e in of_learner])
            gains = [
                (e.score - start) / unit
                for e in of_learner
                if e.configuration not in self._known
            ]
            mean, deviation = self.neighbourhoods_[learner].predict_gain(gains)
            means.append(start - best + unit * mean)
            deviations.append(unit * deviation)
            taken = [e.seconds for e in of_learner if not np.isnan(e.seconds)]
            seconds.append(max(np.mean(taken), _LEAST_SECONDS) if taken else 1.0)
        # Drawn until one of them would be the best of all, if that may be at all.
        size = _MOST_DRAWS, len(learners)
        drawn = random_state.normal(means, deviations, size)
        is_better = (drawn > 0).any(axis=1)
        first = drawn[is_better.argmax()]
        if not is_better.any():
            return learners[first.argmax()]
        return learners[np.argmax(first / np.array(seconds) ** _POWER)]


def _learn_neighbourhood(configurations, scores):
    """Return how configurations of one learner are changed, None if they cannot be.

    The mean absolute difference of the scores of two configurations is taken for a
    sum over hyperparameters of how far apart these are, times how much they matter.
    """
    learner = BASE_LEARNERS.get(configurations[0].learner)
    if learner is None:  # of one that was taught nobody knows the ranges
        return None
    dimensions = learner.space.hyperparameters
    usual = learner.defaults
    values = [usual | dict(each.hyperparameters) for each in configurations]
    first, second = np.triu_indices(len(configurations), 1)
    apart = np.array(
        [
            [_distance(d, values[i][d.name], values[j][d.name]) for d in dimensions]
            for i, j in zip(first, second, strict=True)
        ]
    ).reshape(-1, len(dimensions))
    differences = np.abs(scores[:, first] - scores[:, second])
    differences = np.minimum(differences, _MOST_DIFFERENCE)
    is_known = ~np.isnan(differences).all(axis=0)
    apart, differences = apart[is_known], differences[:, is_known]
    typical = 1.0
    matters = np.zeros(len(dimensions))
    if differences.size:
        means = np.nanmean(differences, axis=0)
        typical = means.mean()
        # Little is known of few configurations: as if one more pair for each
        # hyperparameter had shown that all matter the same.
        alike = np.eye(len(dimensions))
        usual_distance = max(1.0, apart.sum(axis=1).mean())
        fallback = np.full(len(dimensions), typical / usual_distance)
        matters, _ = nnls(np.vstack([apart, alike]), np.concatenate([means, fallback]))
    matters = np.maximum(matters, 1e-6)
    shares = matters + matters.mean()  # what seems not to matter is tried at times
    mean, deviation = _describe_gains(scores)
    return Neighbourhood(
        learner.name,
        usual,
        dimensions,
        np.clip(typical / 8 / matters, _LEAST_WIDTH, _MOST_WIDTH),
        shares / shares.sum(),
        mean,
        deviation,
    )


def _describe_gains(scores):
    """Return mean and deviation of a score minus the best other one of its task."""
    filled = np.where(np.isnan(scores), -np.inf, scores)
    if filled.shape[1] < 2:
        return 0.0, 1.0
    two = np.sort(filled, axis=1)[:, -2:]
    others = np.where(filled == two[:, 1:], two[:, :1], two[:, 1:])
    with np.errstate(invalid="ignore"):
        gains = (filled - others)[np.isfinite(filled) & np.isfinite(others)]
    if gains.size == 0:
        return 0.0, 1.0
    gains = np.clip(gains, -_MOST_DIFFERENCE, _MOST_DIFFERENCE)
    return float(gains.mean()), float(gains.std())


def _units(scores):
    """Return how far the median configuration of each task is behind the best."""
    units = np.ones(len(scores))
    known = ~np.isnan(scores).all(axis=1)
    gaps = np.nanmax(scores[known], axis=1) - np.nanmedian(scores[known], axis=1)
    units[known] = np.where(gaps > 0, gaps, 1.0)
    return units


def _distance(hyperparameter, one, other):
    """Return how far apart two values are, as a part of the range."""
    positions = hyperparameter.to_unit(one), hyperparameter.to_unit(other)
    if None in positions:
        return float(one != other)
    return abs(positions[0] - positions[1])


def _step(hyperparameter, value, width, random_state):
    """Return a value near another one."""
    position = hyperparameter.to_unit(value)
    others = [each for each in hyperparameter.choices if each != value]
    if position is not None and not (others and random_state.uniform() < _TO_WORD):
        position = abs(position + random_state.normal(scale=width)) % 2
        return hyperparameter.from_unit(min(position, 2 - position))  # reflected
    if others and (position is not None or hyperparameter.low is None):
        return others[random_state.randint(len(others))]
    return hyperparameter.sample(random_state)
