import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Configuration:
    """A base learner with values for its hyperparameters; never changes.

    Two configurations are equal when learner and hyperparameters are, in
    whatever order they were written.

    Parameters
    ----------
    learner : str
        Name of a base learner in the catalogue, such as ``"random_forest"``.
    hyperparameters : mapping of str to (None, bool, int, float, str or list)
        Values that JSON can hold, so that a knowledge file can.

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
    'random_forest-1a47b3'
    """

    learner: str
    hyperparameters: Mapping = field(default_factory=dict)

    def __post_init__(self):
        ordered = {
            key: self.hyperparameters[key] for key in sorted(self.hyperparameters)
        }
        try:
            copied = json.loads(json.dumps(ordered))
        except TypeError as error:
            raise TypeError(
                f"hyperparameters must be values that JSON can hold, "
                f"got: {ordered!r} ({error})."
            ) from error
        object.__setattr__(self, "hyperparameters", MappingProxyType(copied))

    @property
    def name(self):
        """Short name, the same wherever the configuration is the same."""
        digest = hashlib.sha256(self._canonical().encode()).hexdigest()[:6]
        return f"{self.learner}-{digest}"

    def to_dict(self):
        """Return a dict that `from_dict` and JSON understand."""
        return {"learner": self.learner, "hyperparameters": dict(self.hyperparameters)}

    @classmethod
    def from_dict(cls, values):
        """Build a configuration from what `to_dict` gave."""
        return cls(values["learner"], values["hyperparameters"])

    def _canonical(self):
        return json.dumps([self.learner, dict(self.hyperparameters)], sort_keys=True)

    def __eq__(self, other):
        if not isinstance(other, Configuration):
            return NotImplemented
        return self._canonical() == other._canonical()

    def __hash__(self):
        return hash(self._canonical())

    def __repr__(self):
        return f"Configuration({self.learner!r}, {dict(self.hyperparameters)!r})"

    def __reduce__(self):
        # A mapping proxy cannot be pickled.
        return Configuration, (self.learner, dict(self.hyperparameters))
