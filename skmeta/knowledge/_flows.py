"""Read setups of scikit-learn flows on OpenML as configurations of base learners.

A flow is named after its classes, with parts in brackets, as in
``sklearn.pipeline.Pipeline(scaler=sklearn.preprocessing.data.StandardScaler,
classifier=sklearn.svm.classes.SVC)(3)``; a setup gives the values of its parameters as
JSON text [1]_.

References
----------
.. [1] M. Feurer, J. N. van Rijn, A. Kadra, P. Gijsbers, N. Mallik, S. Ravi, A. Mueller,
   J. Vanschoren, F. Hutter, "OpenML-Python: an extensible Python API for OpenML",
   JMLR 22, 2021.
"""

import json
import re
from functools import cache

from skmeta._base_learners import BASE_LEARNERS, TaskSize, default_configurations
from skmeta._configuration import Configuration

# Classes that were renamed.
_OLD_CLASSES = {
    "LDA": "LinearDiscriminantAnalysis",
    "QDA": "QuadraticDiscriminantAnalysis",
}
# Values that were renamed, by learner and parameter.
_OLD_VALUES = {
    ("random_forest", "max_features"): {"auto": "sqrt"},
    ("extra_trees", "max_features"): {"auto": "sqrt"},
    ("svc", "gamma"): {"auto_deprecated": "auto", 0.0: "auto"},
    ("sgd", "loss"): {"log": "log_loss"},
    ("linear_svc", "loss"): {"l1": "hinge", "l2": "squared_hinge"},
}

_CONTAINERS = {"Pipeline", "ColumnTransformer"}
# What every base learner does to its columns in a way of its own.
_PREPARATIONS = {
    "Imputer",
    "SimpleImputer",
    "ConditionalImputer",
    "ConditionalImputer2",
    "OneHotEncoder",
    "OrdinalEncoder",
    "VarianceThreshold",
}
_SCALES = {
    "StandardScaler": "standard",
    "RobustScaler": "robust",
    "QuantileTransformer": "quantile",
    "MinMaxScaler": None,
    "MaxAbsScaler": None,
}

# What changes nothing that is learned, or only how exactly a solver ends.
_WITHOUT_EFFECT = {
    *("cache_size", "copy", "copy_X", "decision_function_shape", "dual"),
    *("importance_type", "intercept_scaling", "leaf_size", "max_fun", "n_components"),
    *("n_iter_no_change", "n_jobs", "nthread", "objective", "oob_score", "presort"),
    *("probability", "random_state", "seed", "shrinking", "silent", "tol"),
    *("store_covariance", "store_covariances", "validation_fraction", "verbose"),
    *("verbosity", "warm_start"),
    ("k_nearest_neighbors", "algorithm"),
    ("logistic_regression", "multi_class"),
    ("logistic_regression", "solver"),
}
# Values that say the same as today's default.
_NEUTRAL = {
    "base_score": (0.5,),
    "booster": ("gbtree",),
    "colsample_bynode": (1,),
    "colsample_bytree": (1,),
    "gamma": (0,),
    "loss": ("auto", "binary_crossentropy", "categorical_crossentropy", "log_loss"),
    "max_delta_step": (0,),
    "min_impurity_split": (None, 1e-7),
    "penalty": ("l2",),
    "reg_alpha": (0,),
    "scale_pos_weight": (1,),
}
# Parameters that count only together with a value of another.
_ONLY_WITH = {
    "degree": ("kernel", "poly"),
    "coef0": ("kernel", "poly"),
    "l1_ratio": ("penalty", "elasticnet"),
    "momentum": ("solver", "sgd"),
    "nesterovs_momentum": ("solver", "sgd"),
    "power_t": ("learning_rate", "invscaling"),
    "subsample": ("subsample_freq", 1),
}
# Solvers that are stopped before this are something else.
_FEWEST_ITERATIONS = 50

# A task on which no hyperparameter need be fitted to the size.
_ROOMY = TaskSize(4_000, 20, 2)


def read_setup(flow, parameters):
    """Return the configuration that a setup of a flow is.

    Parameters
    ----------
    flow : str
        Name of the flow, with or without its version.
    parameters : sequence of (str, str, str or None)
        Flow that has it, name and value as JSON text, of each parameter.

    Returns
    -------
    configuration : Configuration
        One of `default_configurations` where one does the same.

    Raises
    ------
    ValueError
        If there is none, with the reason.
    """
    learner, classifier, scales = _read_flow(flow)
    values = {
        name: _decode(text)
        for component, name, text in parameters
        if _without_version(component) == classifier
    }
    if not values:
        raise ValueError("the setup lists no parameters of the classifier")
    hyperparameters = _read_values(learner, values)
    if any(h.name == "table__scale" for h in learner.space.hyperparameters):
        scale = _read_scale(learner, scales)
        if scale != learner.encoding["scale"]:
            hyperparameters["table__scale"] = scale
    found = Configuration(learner.name, hyperparameters)
    return _known_configurations().get(_effect(found), found)


def _read_flow(flow):
    """Return base learner, path of its class, and scalers of a flow."""
    # Version numbers have no dot; names of steps stand before an equals sign.
    parts = re.split(r"[(),]", _without_version(flow))
    parts = [part.rpartition("=")[2].strip() for part in parts]
    if "drop" in parts:
        raise ValueError("it drops columns")
    classifiers, scales = {}, []
    for path in (part for part in parts if "." in part):
        package, name = path.partition(".")[0], path.rpartition(".")[2]
        name = _OLD_CLASSES.get(name, name)
        learner = _learners().get((package, name))
        if learner is not None:
            classifiers[path] = learner
        elif package == "sklearn" and name in _SCALES:
            scales.append(name)
        elif name not in _CONTAINERS | _PREPARATIONS:
            raise ValueError(
                f"{name} is neither a base learner nor a mere preparation of columns"
            )
    if len(classifiers) != 1:
        raise ValueError(f"it has {len(classifiers)} classifiers")
    [(path, learner)] = classifiers.items()
    if not learner.is_installed:
        raise ValueError(f"{learner.name} is not installed")
    return learner, path, scales


@cache
def _learners():
    """Return the base learners by package and name of their class."""
    return {
        (learner.estimator.partition(".")[0].partition(":")[0], name): learner
        for learner in BASE_LEARNERS.values()
        for name in [learner.estimator.partition(":")[2]]
    }


def _without_version(name):
    return re.sub(r"\(\d+\)$", "", name)


_WORDS = {"None": None, "True": True, "False": False}


def _decode(text):
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return _WORDS.get(text, text)  # by a client that did not write JSON
    return tuple(value) if isinstance(value, list) else value


def _read_values(learner, values):
    """Return the hyperparameters, but for those that are as by default."""
    defaults = learner.estimator_class(**learner.fixed).get_params()
    dimensions = {h.name: h for h in learner.space.hyperparameters}
    hyperparameters = {}
    for name, value in values.items():
        other, needed = _ONLY_WITH.get(name, (name, value))
        if other in values and values[other] != needed:
            continue
        if name in dimensions:
            value = _as_allowed(dimensions[name], _rename(learner, name, value))
            default = defaults.get(name)
            if default is None:  # which some packages say of what they choose later
                default = dimensions[name].default
            if not _is_same(value, default):
                hyperparameters[name] = value
        elif not _is_as_usual(learner, name, value, defaults):
            raise ValueError(f"{name}={value!r} is not part of {learner.name}")
    return hyperparameters


def _rename(learner, name, value):
    new = _OLD_VALUES.get((learner.name, name), {})
    return new.get(value, value) if isinstance(value, (str, float)) else value


def _as_allowed(dimension, value):
    """Return a value of a hyperparameter as the number that it is written as here."""
    candidates = [value]
    is_choice = any(value == c and type(value) is type(c) for c in dimension.choices)
    if not is_choice and _is_number(value) and value % 1 == 0:
        # JSON has one kind of numbers.
        candidates = [int(value), float(value)]
        if isinstance(dimension.low, float):
            candidates.reverse()
    for candidate in candidates:
        if dimension.allows(candidate):
            return candidate
    raise ValueError(f"{dimension.name} must be {dimension.describe()}, got: {value!r}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_as_usual(learner, name, value, defaults):
    if name == "max_iter":
        is_enough = _is_number(value) and (value == -1 or value >= _FEWEST_ITERATIONS)
        return value is None or is_enough
    return (
        name in _WITHOUT_EFFECT
        or (learner.name, name) in _WITHOUT_EFFECT
        or (name in defaults and _is_same(value, defaults[name]))
        or any(_is_same(value, neutral) for neutral in _NEUTRAL.get(name, ()))
    )


def _is_same(value, other):
    # True is not 1, and a value that JSON cannot hold is NaN.
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return value == other or (value != value and other != other)


def _read_scale(learner, scales):
    known = {_SCALES[name] for name in scales}
    if len(scales) == 1 and None not in known:
        return known.pop()
    how = " and ".join(scales) or "no scaler"
    raise ValueError(f"{learner.name} wants columns on one scale, the flow has {how}")


@cache
def _known_configurations():
    return {_effect(c): c for c in reversed(default_configurations())}


def _effect(configuration):
    """Return what tells what a configuration does from what others do."""
    learner = BASE_LEARNERS[configuration.learner]
    pipeline = learner.make(configuration.hyperparameters, _ROOMY)
    params = {
        name: value
        for name, value in pipeline.get_params().items()
        if name != "steps" and not hasattr(value, "get_params")
    }
    return configuration.learner, repr(sorted(params.items()))
