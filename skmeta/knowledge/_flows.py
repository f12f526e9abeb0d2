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
from dataclasses import dataclass
from functools import cache

from skmeta._base_learners import (
    BASE_LEARNERS,
    BaseLearner,
    TaskSize,
    default_configurations,
)
from skmeta._configuration import Configuration

# Classes that were renamed.
_OLD_CLASSES = {
    "LDA": "LinearDiscriminantAnalysis",
    "QDA": "QuadraticDiscriminantAnalysis",
}
# Values that are written otherwise now, by learner and parameter.
_FOREST_FEATURES = {"auto": "sqrt", None: 1.0}
_OLD_VALUES = {
    ("random_forest", "max_features"): _FOREST_FEATURES,
    ("extra_trees", "max_features"): _FOREST_FEATURES,
    ("random_forest", "criterion"): {"log_loss": "entropy"},
    ("extra_trees", "criterion"): {"log_loss": "entropy"},
    ("decision_tree", "criterion"): {"log_loss": "entropy"},
    ("svc", "gamma"): {"auto_deprecated": "auto", 0.0: "auto"},
    ("sgd", "loss"): {"log": "log_loss"},
    ("linear_svc", "loss"): {"l1": "hinge", "l2": "squared_hinge"},
}

# What every base learner does to its columns in a way of its own, and the values of
# parameters with which a class does no more than that.
_PREPARATIONS = {
    "Imputer": {},
    "SimpleImputer": {},
    "ConditionalImputer": {},
    "ConditionalImputer2": {},
    "OneHotEncoder": {"max_categories": None, "min_frequency": None},
    "OrdinalEncoder": {"max_categories": None, "min_frequency": None},
    "VarianceThreshold": {"threshold": 0.0},
    "Pipeline": {},
    "ColumnTransformer": {},
}
# Scales, by class and the one parameter that decides.
_SCALES = {
    ("StandardScaler", True): "standard",
    ("RobustScaler", True): "robust",
    ("QuantileTransformer", "normal"): "quantile",
}
# That parameter, and its default.
_SCALERS = {
    "StandardScaler": ("with_std", True),
    "RobustScaler": ("with_scaling", True),
    "QuantileTransformer": ("output_distribution", "uniform"),
    "MinMaxScaler": ("", None),
    "MaxAbsScaler": ("", None),
}
# Learners for which a linear change of a column is none, but for these parameters.
_SCALE_FREE = {
    "gaussian_nb": None,
    "linear_discriminant_analysis": "shrinkage",
    "quadratic_discriminant_analysis": "reg_param",
}

# What changes nothing that is learned, or only how exactly a solver ends.
_WITHOUT_EFFECT = {
    *("cache_size", "copy", "copy_X", "decision_function_shape", "dual", "gpu_id"),
    *("importance_type", "intercept_scaling", "leaf_size", "max_fun", "n_components"),
    *("n_jobs", "nthread", "oob_score", "predictor", "presort", "probability"),
    *("logging_level", "random_seed", "random_state", "seed", "shrinking", "silent"),
    *("store_covariance", "store_covariances", "thread_count", "use_label_encoder"),
    *("verbose", "verbosity", "warm_start"),
    ("k_nearest_neighbors", "algorithm"),
    ("logistic_regression", "multi_class"),
    ("logistic_regression", "solver"),
}
# Values that were the default once, and do what today's does.
_NEUTRAL = {
    "base_score": (0.5, None),
    "booster": ("gbtree", None),
    "categorical_features": (None, "warn", "from_dtype"),
    "colsample_bynode": (1,),
    "colsample_bytree": (1,),
    "gamma": (0,),
    "l1_ratio": (None, 0),
    "loss": ("auto", "binary_crossentropy", "categorical_crossentropy", "log_loss"),
    "max_bins": (255, 256),
    "max_delta_step": (0,),
    "min_impurity_split": (None, 1e-7),
    "missing": (None,),
    "n_iter": (None,),
    "objective": ("binary:logistic", "multi:softprob", "binary", "multiclass"),
    "penalty": ("l2", "deprecated"),
    "reg_alpha": (0,),
    "scale_pos_weight": (1,),
    "scoring": (None, "loss"),
}
# Parameters that count only together with some values of another.
_ONLY_WITH = {
    "degree": ("kernel", ("poly",)),
    "coef0": ("kernel", ("poly",)),
    # Since 1.8 it decides alone.
    "l1_ratio": ("penalty", ("elasticnet", "deprecated")),
    "eta0": ("learning_rate", ("constant", "invscaling", "adaptive")),
    "momentum": ("solver", ("sgd",)),
    "nesterovs_momentum": ("solver", ("sgd",)),
    "learning_rate": ("solver", ("sgd",)),
    "power_t": ("learning_rate", ("invscaling",)),
    "subsample": ("subsample_freq", (1,)),
    "validation_fraction": ("early_stopping", (True, "auto")),
}
# Solvers that stop before these are something else.
_FEWEST_ITERATIONS = 50
_FEWEST_WITHOUT_CHANGE = 5
_LARGEST_TOLERANCE = 0.1
_LARGEST_OF_DESCENT = 1e-3  # which goes on step by step

# A task on which no hyperparameter need be fitted to the size.
_ROOMY = TaskSize(4_000, 20, 2)

_LONGEST = 60  # characters of a value in a reason


@dataclass(frozen=True)
class Flow:
    """What the name of a flow says.

    Parameters
    ----------
    learner : BaseLearner
        What it is in the catalogue.
    classifier : str
        Path of its class.
    preparations : list of str
        Paths of the classes before it.
    """

    learner: BaseLearner
    classifier: str
    preparations: list


def read_flow(name):
    """Return what the name of a flow says.

    Parameters
    ----------
    name : str
        With or without its version.

    Returns
    -------
    flow : Flow

    Raises
    ------
    ValueError
        If its runs cannot be those of a configuration, with the reason.
    """
    # Version numbers have no dot; names of steps stand before an equals sign.
    parts = re.split(r"[(),]", _without_version(name))
    parts = [part.rpartition("=")[2].strip() for part in parts]
    if "drop" in parts:
        raise ValueError("it drops columns")
    classifiers, preparations = {}, []
    for path in (part for part in parts if "." in part):
        package, class_name = path.partition(".")[0], _class_name(path)
        learner = _learners().get((package, class_name))
        if learner is not None:
            classifiers[path] = learner
        elif class_name in _PREPARATIONS | _SCALERS and (
            package == "sklearn" or class_name.startswith("Conditional")
        ):
            preparations.append(path)
        else:
            raise ValueError(
                f"{class_name} is neither a base learner nor a mere preparation of "
                f"columns"
            )
    if len(classifiers) != 1:
        raise ValueError(f"it has {len(classifiers)} classifiers")
    [(path, learner)] = classifiers.items()
    if not learner.is_installed:
        raise ValueError(f"{learner.name} is not installed")
    return Flow(learner, path, preparations)


def read_setup(name, parameters):
    """Return the configuration that a setup of a flow is.

    Parameters
    ----------
    name : str
        Of the flow.
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
    flow = read_flow(name)
    learner, given = flow.learner, {}
    for component, parameter, text in parameters:
        given.setdefault(_without_version(component), {})[parameter] = _decode(text)
    if not given.get(flow.classifier):
        raise ValueError("the setup lists no parameters of the classifier")
    hyperparameters = _read_values(learner, given[flow.classifier])
    scales = [_check_preparation(path, name, given) for path in flow.preparations]
    if any(h.name == "table__scale" for h in learner.space.hyperparameters):
        scales = [scale for scale in scales if scale is not None]
        scale = _choose_scale(learner, hyperparameters, scales)
        if scale != learner.encoding["scale"]:
            hyperparameters["table__scale"] = scale
    found = Configuration(learner.name, hyperparameters)
    return _known_configurations().get(effect(found), found)


def wants_labels(name, parameters):
    """Say whether runs of a setup gave no probabilities, but only labels.

    Parameters
    ----------
    name, parameters
        As for `read_setup`.

    Returns
    -------
    answer : bool
    """
    flow = read_flow(name)
    values = {
        parameter: text
        for component, parameter, text in parameters
        if _without_version(component) == flow.classifier
    }
    return flow.learner.has_margins and _decode(values.get("probability")) is not True


def effect(configuration):
    """Return what tells what a configuration does from what others do.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    effect : tuple of str
    """
    learner = BASE_LEARNERS[configuration.learner]
    pipeline = learner.make(configuration.hyperparameters, _ROOMY)
    params = {
        name: value
        for name, value in pipeline.get_params().items()
        if name != "steps" and not hasattr(value, "get_params")
    }
    return configuration.learner, repr(sorted(params.items()))


@cache
def _known_configurations():
    return {effect(c): c for c in reversed(default_configurations())}


@cache
def _learners():
    """Return the base learners by package and name of their class."""
    known = {}
    for learner in BASE_LEARNERS.values():
        module, _, name = learner.estimator.partition(":")
        known[module.partition(".")[0], name] = learner
    return known


def _class_name(path):
    name = path.rpartition(".")[2]
    return _OLD_CLASSES.get(name, name)


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
    except RecursionError:
        return text
    return tuple(value) if isinstance(value, list) else value


# Values of the classifier


def _read_values(learner, values):
    """Return the hyperparameters, but for those that are as by default."""
    defaults = learner.estimator_class(**learner.fixed).get_params()
    values = _modernize(learner, values)
    dimensions = {h.name: h for h in learner.space.hyperparameters}
    hyperparameters = {}
    for name, value in values.items():
        if not _counts(name, values, defaults):
            continue
        default = defaults.get(name)
        if name in dimensions:
            if value is None and default is None and not dimensions[name].allows(None):
                continue  # it is left to the package
            value = _as_allowed(dimensions[name], value)
            # Where the class does not say what it takes, nothing can be left out.
            if name not in defaults or not _is_same(value, default):
                hyperparameters[name] = value
        elif not _is_as_usual(learner, name, value, defaults):
            raise ValueError(f"{name}={_short(value)} is not part of {learner.name}")
    return hyperparameters


def _modernize(learner, values):
    """Return parameters and values as they are written today."""
    values = dict(values)
    if learner.name == "hist_gradient_boosting" and "n_iter_no_change" in values:
        # Which alone decided, at first.
        values.setdefault("early_stopping", values["n_iter_no_change"] is not None)
    if learner.name == "k_nearest_neighbors":
        power = {"euclidean": 2, "manhattan": 1}.get(_hashable(values.get("metric")))
        if power is not None:
            values |= {"metric": "minkowski", "p": power}
    if isinstance(values.get("hidden_layer_sizes"), int):
        values["hidden_layer_sizes"] = (values["hidden_layer_sizes"],)
    for name, value in values.items():
        new = _OLD_VALUES.get((learner.name, name), {})
        if not isinstance(value, bool) and _hashable(value) in new:
            values[name] = new[value]
    return values


def _hashable(value):
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)


def _counts(name, values, defaults):
    """Say whether a parameter has an effect beside the others."""
    if name not in _ONLY_WITH:
        return True
    other, needed = _ONLY_WITH[name]
    if other not in values and other not in defaults:
        return True
    return any(_is_same(values.get(other, defaults.get(other)), n) for n in needed)


def _as_allowed(dimension, value):
    """Return a value of a hyperparameter as the number that it is written as here."""
    candidates = [value]
    is_choice = any(value == c and type(value) is type(c) for c in dimension.choices)
    if not is_choice and _is_number(value) and abs(value) < 1e9 and value % 1 == 0:
        # JSON has one kind of numbers.
        candidates = [int(value), float(value)]
        if isinstance(dimension.low, float):
            candidates.reverse()
    for candidate in candidates:
        if dimension.allows(candidate):
            return candidate
    raise ValueError(
        f"{dimension.name} must be {dimension.describe()}, got: {_short(value)}"
    )


def _is_as_usual(learner, name, value, defaults):
    if name == "max_iter":
        if learner.name == "svc":
            return value == -1
        return _is_number(value) and value >= _FEWEST_ITERATIONS
    if name == "n_iter_no_change":
        return value is None or (_is_number(value) and value >= _FEWEST_WITHOUT_CHANGE)
    if name == "tol":
        is_descent = learner.name in ("mlp", "sgd")
        largest = _LARGEST_OF_DESCENT if is_descent else _LARGEST_TOLERANCE
        return _is_number(value) and value <= largest
    return (
        name in _WITHOUT_EFFECT
        or (learner.name, name) in _WITHOUT_EFFECT
        or (name in defaults and _is_same(value, defaults[name]))
        or any(_is_same(value, neutral) for neutral in _NEUTRAL.get(name, ()))
    )


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_same(value, other):
    # True is not 1, and NaN, which XGBoost takes for what is missing, is NaN.
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return value == other or (value != value and other != other)


def _short(value):
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


# What comes before it


def _check_preparation(path, flow, given):
    """Return the scale that a step makes, None if it makes none.

    Raises
    ------
    ValueError
        If it does more than to prepare columns.
    """
    name, values = _class_name(path), given.get(path, {})
    if name == "ColumnTransformer":
        _check_branches(path, flow, values)
        return None
    if name in _SCALERS:
        decisive, default = _SCALERS[name]
        value = values.get(decisive, default)
        return _SCALES.get((name, _hashable(value)), name)
    for parameter, harmless in _PREPARATIONS[name].items():
        if not _is_same(values.get(parameter, harmless), harmless):
            value = _short(values[parameter])
            raise ValueError(f"{name} with {parameter}={value} changes columns")
    return None


def _check_branches(path, flow, values):
    """Raise an error if the only branch of a ColumnTransformer leaves columns out."""
    if values.get("remainder", "drop") != "drop":
        return
    inside = _without_version(flow).partition(f"{path}(")[2]
    depth = 0
    for character in inside:
        if character == "," and depth == 0:
            return  # a second branch has the other columns
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    raise ValueError("it drops the columns that its ColumnTransformer does not name")


def _choose_scale(learner, hyperparameters, scales):
    if len(scales) == 1 and scales[0] in _SCALES.values():
        return scales[0]
    is_free = learner.name in _SCALE_FREE
    if is_free and not scales and _SCALE_FREE[learner.name] not in hyperparameters:
        return learner.encoding["scale"]
    how = " and ".join(scales) or "no scaler"
    raise ValueError(f"{learner.name} wants columns on one scale, the flow has {how}")
