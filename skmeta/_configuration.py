import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from sklearn.utils import check_random_state

from skmeta._messages import did_you_mean


@dataclass(frozen=True)
class Configuration:
    """A base learner with values for its hyperparameters; never changes.

    Two configurations are equal when learner and hyperparameters are, in
    whatever order they were written.

    Parameters
    ----------
    learner : str
        Name of a base learner in the catalogue, such as ``"random_forest"``.
    hyperparameters : mapping of str to (None, bool, int, float, str or tuple)
        Values that JSON can hold, so that a knowledge file can; lists become
        tuples.

    Raises
    ------
    TypeError
        If a hyperparameter cannot be written as JSON.

    Examples
    --------
    >>> from skmeta import Configuration
    >>> forest = Configuration("random_forest", {"min_samples_leaf": 3})
    >>> forest
    Configuration('random_forest', {'min_samples_leaf': 3})
    >>> forest.name
    'random_forest-1a47b3b3'
    """

    learner: str
    hyperparameters: Mapping = field(default_factory=dict)

    def __post_init__(self):
        given = dict(self.hyperparameters)
        try:
            if not all(isinstance(name, str) for name in given):
                raise TypeError("names must be strings")
            if any(isinstance(value, Mapping) for value in given.values()):
                raise TypeError("there must be no dict inside")
            copied = json.loads(json.dumps(given, sort_keys=True, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"hyperparameters must be values that JSON can hold, "
                f"got: {given!r} ({error})."
            ) from error
        frozen = {name: _without_lists(value) for name, value in copied.items()}
        object.__setattr__(self, "hyperparameters", MappingProxyType(frozen))

    @property
    def name(self):
        """Short name, the same wherever the configuration is the same."""
        digest = hashlib.sha256(self._canonical.encode()).hexdigest()[:8]
        return f"{self.learner}-{digest}"

    def to_dict(self):
        """Return a dict that `from_dict` and JSON understand.

        Returns
        -------
        values : dict
            With the keys ``"learner"`` and ``"hyperparameters"``.
        """
        learner, hyperparameters = json.loads(self._canonical)
        return {"learner": learner, "hyperparameters": hyperparameters}

    @classmethod
    def from_dict(cls, values):
        """Build a configuration from what `to_dict` gave.

        Parameters
        ----------
        values : dict
            With the keys ``"learner"`` and ``"hyperparameters"``.

        Returns
        -------
        configuration : Configuration
        """
        return cls(values["learner"], values["hyperparameters"])

    # A thousand comparisons are made for every recommendation.
    @cached_property
    def _canonical(self):
        return json.dumps([self.learner, dict(self.hyperparameters)], sort_keys=True)

    def __eq__(self, other):
        if not isinstance(other, Configuration):
            return NotImplemented
        return self._canonical == other._canonical

    def __hash__(self):
        return hash(self._canonical)

    def __repr__(self):
        return f"Configuration({self.learner!r}, {dict(self.hyperparameters)!r})"

    def __reduce__(self):
        # A mapping proxy cannot be pickled.
        return Configuration, (self.learner, dict(self.hyperparameters))


def write_hyperparameters(values):
    """Return hyperparameters as a short text.

    Parameters
    ----------
    values : mapping of str to object

    Returns
    -------
    text : str
    """
    return ", ".join(f"{name}={_shorten(value)}" for name, value in values.items())


def write_candidate(learner, hyperparameters):
    """Return a learner and its hyperparameters as a short text.

    Parameters
    ----------
    learner : str
    hyperparameters : mapping of str to object

    Returns
    -------
    text : str
    """
    return f"{learner}: {write_hyperparameters(hyperparameters)}".removesuffix(": ")


def _shorten(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _without_lists(value):
    """Return lists as tuples, which nobody can append to."""
    return tuple(map(_without_lists, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a configuration space.

    Parameters
    ----------
    name : str
        As `set_params` of the estimator takes it; ``table__`` in front means a
        parameter of the `TableEncoder` before it, and ``table__augmentation`` the
        policy of an `AugmentedClassifier` around it.
    default : object
        The value when nothing else is said.
    low, high : int or float, default=None
        Smallest and largest value of a number, both included. Integer bounds
        make an integer.
    log : bool, default=False
        Whether the number is spread evenly by its logarithm.
    choices : tuple, default=()
        The values allowed, besides those between `low` and `high`.
    """

    name: str
    default: object
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple = ()

    def allows(self, value):
        """Say whether a value lies in the range or is one of the choices."""
        return self._is_choice(value) or self._is_number(value)

    def check(self, value):
        """Raise a ValueError unless a value is allowed."""
        if not self.allows(value):
            raise ValueError(f"{self.name} must be {self.describe()}, got: {value!r}.")

    def _is_choice(self, value):
        return any(
            value == choice and type(value) is type(choice) for choice in self.choices
        )

    def _is_number(self, value):
        kind = int if isinstance(self.low, int) else (int, float)
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        return self.low is not None and is_number and self.low <= value <= self.high

    def sample(self, random_state):
        """Draw one value; `random_state` is a `RandomState`."""
        n_choices = len(self.choices) + (self.low is not None)
        drawn = random_state.randint(n_choices)
        if drawn < len(self.choices):
            return self.choices[drawn]
        return self.from_unit(random_state.uniform())

    def to_unit(self, value):
        """Return where a number lies in the range, from 0.0 to 1.0; None if nowhere.

        Parameters
        ----------
        value : object

        Returns
        -------
        position : float or None
            None for one of the choices and what is no number.
        """
        if self._is_choice(value) or not self._is_number(value):
            return None
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low) if low < high else 0.0

    def from_unit(self, position):
        """Return the number at a position of the range, with three digits.

        Parameters
        ----------
        position : float
            From 0 to 1.

        Returns
        -------
        value : int or float
        """
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + (high - low) * position)
        else:
            value = self.low + (self.high - self.low) * position
        # Rounding, and the logarithm and back, may end beside a bound.
        value = min(max(float(f"{value:.3g}"), self.low), self.high)
        return round(value) if isinstance(self.low, int) else float(value)

    def describe(self):
        """Return the allowed values as a short text."""
        parts = [repr(choice) for choice in self.choices]
        if self.low is not None:
            parts.append(f"{self.low} to {self.high}{' (log)' if self.log else ''}")
        return " or ".join(parts)


@dataclass(frozen=True)
class ConfigurationSpace:
    """The hyperparameters of a base learner and their ranges.

    Parameters
    ----------
    hyperparameters : tuple of Hyperparameter
        With distinct names.
    """

    hyperparameters: tuple

    @property
    def default(self):
        """Dict of every hyperparameter's default."""
        return {h.name: h.default for h in self.hyperparameters}

    def check(self, values):
        """Raise a ValueError for an unknown hyperparameter or a value out of range."""
        by_name = {h.name: h for h in self.hyperparameters}
        for name, value in values.items():
            if name not in by_name:
                raise ValueError(
                    f"hyperparameter must be one of {sorted(by_name)}, got: {name!r}."
                    f"{did_you_mean([name], by_name)}"
                )
            by_name[name].check(value)

    def sample(self, random_state=None):
        """Draw a value for every hyperparameter.

        Parameters
        ----------
        random_state : int, RandomState or None, default=None
            Where the randomness comes from.

        Returns
        -------
        values : dict
        """
        random_state = check_random_state(random_state)
        return {h.name: h.sample(random_state) for h in self.hyperparameters}
