"""What was fitted, as an estimator of scikit-learn alone.

A fitted `TableEncoder` becomes a `ColumnTransformer` of scikit-learn's own
transformers and of functions of NumPy and pandas. What it learned is moved over, not
learned again, so the rows it was fitted on are not needed.
"""

import copy
import datetime
import pickle
import re
import textwrap
import warnings
from functools import partial
from itertools import groupby
from operator import attrgetter, methodcaller

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn import config_context
from sklearn.base import TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelEncoder,
    OneHotEncoder,
    OrdinalEncoder,
)
from sklearn.utils import Bunch

from skmeta._augmentation import AugmentedClassifier
from skmeta._base_learners import BASE_LEARNERS, ClassNumbers
from skmeta._encoding import CYCLES, DATE_PARTS, OTHER_LABEL, TableEncoder, label_of
from skmeta._ensemble import WeightedEnsemble, least_probability
from skmeta._messages import warn
from skmeta._source import source_of

_WHOLE_NUMBER = re.compile(r"-?\d+")
# Writes whole numbers that were floats, which are text by now, as integers.
_WITHOUT_ZERO = partial(re.sub, r"^(-?\d+)\.0\Z", r"\1")
# Learners of the catalogue whose labels need not be the most probable classes.
_LABELS_BY_MARGINS = {"SGDClassifier"}


def to_sklearn(estimator):
    """Return what is fitted as an estimator without anything of skmeta inside.

    Parameters
    ----------
    estimator : WeightedEnsemble or pipeline
        Fitted.

    Returns
    -------
    plain : estimator
        Fitted. It shares nothing with `estimator`, and a clone of it can be fitted
        on other rows of the same table, without augmentation.

    Raises
    ------
    ValueError
        If something in it has no equal in scikit-learn.
    """
    with config_context(transform_output="default"), warnings.catch_warnings():
        # Of scikit-learn, about names of columns, which are set where they are seen.
        warnings.simplefilter("ignore")
        plain = _plain_classifier(estimator)
    check_plain(plain)
    return plain


def warn_of_labels(class_weights, name):
    """Warn if `to_sklearn` returns what says other labels than an ensemble.

    Parameters
    ----------
    class_weights : ndarray of shape (n_classes,) or None
        Of the ensemble.
    name : str
        Where the user finds them.
    """
    if class_weights is not None and len(class_weights) > 2:
        warn(
            f"The labels of this classifier follow {name}; what is returned has the "
            f"same probabilities, but says the most probable classes. For the same "
            f"labels, take the highest of the probabilities times these weights."
        )


def to_code(ensemble, is_partial=None):
    """Return Python source that builds what `to_sklearn` returns, unfitted.

    Fitted on the rows that the members were fitted on it gives the same probabilities.
    A member that is a mean of the models of the splits is one pipeline there, or one
    for each of them if they differ in what the source says, and is fitted on all rows:
    its probabilities differ.

    Parameters
    ----------
    ensemble : WeightedEnsemble
        Fitted.
    is_partial : list of bool, default=None
        Which members were fitted on fewer rows than there are; None is no one.

    Returns
    -------
    source : str

    Raises
    ------
    ValueError
        If something in it has no equal in scikit-learn, or was fitted on rows that
        were made up or weighed anew, which what has only scikit-learn would not be.
    """
    if _is_augmented(ensemble):
        raise ValueError(
            "Code of scikit-learn alone cannot make up rows, but a member of the "
            "ensemble was fitted on such (table__augmentation). to_sklearn() gives "
            "what was fitted."
        )
    once = copy.copy(ensemble)
    once.estimators_ = [_first_if_alike(member) for member in ensemble.estimators_]
    plain = clone(to_sklearn(once))
    inner = getattr(plain, "estimator", plain)
    members = inner.estimators if isinstance(inner, VotingClassifier) else []
    source = source_of(plain, "estimator", dict(members))
    names = [name for name, _ in members] or ["estimator"]
    of_splits = [isinstance(each, WeightedEnsemble) for each in ensemble.estimators_]
    is_partial = is_partial or [False] * len(names)
    mean = "In skmeta the mean of the models of the splits predicts in place of"
    fewer = "In skmeta fewer rows than all were learned from by"
    lines = [
        source,
        *_comment(mean, names, of_splits),
        *_comment(fewer, names, is_partial),
        "# estimator.fit(X, y)",
    ]
    if ensemble.class_weights is None or len(ensemble.classes_) == 2:
        return "\n".join([*lines, "# labels = estimator.predict(X_new)", ""])
    weights = source_of(ensemble.class_weights.tolist(), "class_weights")
    comment = "# Every class counts alike in the metric, so that labels are the highest"
    return "\n".join(
        [
            *lines,
            "# probabilities = estimator.predict_proba(X_new)",
            "",
            comment,
            "# of the probabilities times these, in the order of estimator.classes_:",
            weights,
            "# best = (probabilities * class_weights).argmax(axis=1)",
            "# labels = estimator.classes_[best]",
            "",
        ]
    )


def _first_if_alike(member):
    """Return the first of the models of the splits if all have the same source."""
    if not isinstance(member, WeightedEnsemble):
        return member
    models = member.estimators_
    sources = {source_of(clone(to_sklearn(model)), "model") for model in models}
    return models[0] if len(sources) == 1 else member


def _comment(what, names, is_so):
    """Return lines on the members of which something is so, if there are any."""
    those = [name for name, it_is in zip(names, is_so, strict=True) if it_is]
    if not those:
        return []
    text = (
        f"{what} {' and '.join(those)}. Fitted on all rows, its probabilities differ."
    )
    return textwrap.wrap(text, 88, initial_indent="# ", subsequent_indent="# ")


def _is_augmented(estimator):
    if isinstance(estimator, WeightedEnsemble):
        return any(map(_is_augmented, estimator.estimators_))
    parts = estimator.get_params().values()
    return any(isinstance(part, AugmentedClassifier) for part in parts)


def check_plain(estimator):
    """Raise an error if there is anything of skmeta in an estimator.

    Parameters
    ----------
    estimator : estimator

    Raises
    ------
    ValueError
        If there is.
    """
    try:
        _Inspector(_Nowhere()).dump(estimator)
    except (pickle.PicklingError, AttributeError, TypeError):
        return  # what cannot be pickled is not ours


class _Nowhere:
    def write(self, data):
        return len(data)


class _Inspector(pickle.Pickler):
    """Looks at all parts of an object, which is what pickling does."""

    def reducer_override(self, obj):
        named = obj if hasattr(obj, "__qualname__") else type(obj)
        if str(named.__module__).partition(".")[0] == "skmeta":
            raise ValueError(
                f"The estimator must hold nothing of skmeta to leave it, got: "
                f"{named.__module__}.{named.__qualname__}."
            )
        return NotImplemented


# Classifiers


def _plain_classifier(estimator):
    if not isinstance(estimator, WeightedEnsemble):
        return _plain_member(estimator)
    members = [_plain_member(member) for member in estimator.estimators_]
    _check_classes(estimator)
    only = estimator.estimators_[0]
    if len(members) == 1 and _labels_most_probable(only):
        plain = members[0]
    else:
        plain = _vote(members, estimator.weights, estimator.classes_)
    if estimator.class_weights is None or len(estimator.classes_) > 2:
        return plain
    return _with_threshold(plain, least_probability(estimator.class_weights))


def _check_classes(ensemble):
    for member in ensemble.estimators_:
        lacking = np.setdiff1d(ensemble.classes_, member.classes_)
        if len(lacking):
            raise ValueError(
                f"Every model must know all classes to be exported, but one that was "
                f"fitted on few rows has not seen {lacking.tolist()!r}. Fit with a "
                f"longer time_budget, or without one."
            )


def _labels_most_probable(estimator):
    """Say whether `predict` is the most probable class, and takes any labels."""
    learner = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(learner, ClassNumbers):
        return False
    name = type(learner).__name__
    known = {each.estimator.partition(":")[2] for each in BASE_LEARNERS.values()}
    known |= {"CalibratedClassifierCV", "DummyClassifier"}
    return name in known - _LABELS_BY_MARGINS


def _vote(members, weights, classes):
    """Return a fitted `VotingClassifier` of fitted members.

    It encodes classes as numbers, and asks its members for nothing but
    probabilities: neither does it matter which labels they were fitted on.
    """
    names = _name_members(members)
    vote = VotingClassifier(
        [(name, clone(member)) for name, member in zip(names, members, strict=True)],
        voting="soft",
        weights=weights if len(members) > 1 else None,
        flatten_transform=False,  # as skl2onnx wants it, like an array of weights
    )
    vote.estimators_ = members
    vote.named_estimators_ = Bunch(**dict(zip(names, members, strict=True)))
    vote.le_ = LabelEncoder().fit(classes)
    vote.classes_ = vote.le_.classes_
    return _with_feature_names(vote, members[0])


def _name_members(members):
    names = []
    for member in members:
        learner = member[-1] if isinstance(member, Pipeline) else member
        if isinstance(learner, CalibratedClassifierCV):
            learner = learner.estimator
        name = re.sub(r"\W", "", type(learner).__name__.lower())
        n_before = sum(each.rstrip("0123456789_") == name for each in names)
        names.append(f"{name}_{n_before + 1}" if n_before else name)
    return names


def _with_threshold(plain, threshold):
    decided = FixedThresholdClassifier(
        clone(plain), threshold=threshold, response_method="predict_proba"
    )
    decided.estimator_ = plain
    decided.n_features_in_ = plain.n_features_in_
    return _with_feature_names(decided, plain)


def _with_feature_names(estimator, inner):
    if hasattr(inner, "feature_names_in_"):
        estimator.feature_names_in_ = inner.feature_names_in_
    return estimator


def _plain_member(estimator):
    """Return a pipeline, or several models of one candidate, without skmeta."""
    if isinstance(estimator, WeightedEnsemble):  # the models of the splits
        return _plain_classifier(estimator)
    wrappers = (ClassNumbers, AugmentedClassifier)
    if not isinstance(estimator, Pipeline) or not any(
        isinstance(step, (TableEncoder, *wrappers)) for _, step in estimator.steps
    ):
        return copy.deepcopy(estimator)
    steps = []
    for name, step in estimator.steps:
        if isinstance(step, TableEncoder):
            table = _plain_table(step)
            _let_give_arrays(table)
            steps += table
        else:
            steps.append((name, _unwrap(copy.deepcopy(step))))
    return Pipeline(steps)


def _unwrap(step):
    """Return a fitted classifier without what is put around it for `fit` alone."""
    while isinstance(step, (ClassNumbers, AugmentedClassifier)):
        step = step.estimator_
    if isinstance(step, CalibratedClassifierCV):
        if isinstance(step.estimator, AugmentedClassifier):
            step.estimator = step.estimator.estimator
        for each in step.calibrated_classifiers_:
            each.estimator = _unwrap(each.estimator)
    return step


# Tables


def _plain_table(encoder):
    """Return steps of a pipeline that encode as a fitted `TableEncoder` does."""
    probe = _one_row(encoder)
    if not (encoder._kinds_ != "ignored").any():
        raise ValueError(
            "There must be a column to predict from, got: only columns that are "
            "ignored. columns_ of the encoder says why."
        )
    is_all = len(encoder.numeric_columns_) == encoder.n_features_in_
    if encoder._is_array_ and is_all:
        numbers = _chain(_number_steps(encoder), probe)
        return [] if numbers == "passthrough" else [("table", numbers)]

    steps = []
    if sparse.issparse(probe):
        to_floats = FunctionTransformer(sparse.csc_array, kw_args={"dtype": "float64"})
        steps.append(("matrix", to_floats))
    elif isinstance(probe, pd.DataFrame) and not _has_names(encoder):
        steps.append(("frame", FunctionTransformer(pd.DataFrame).fit(probe)))
    table = _side_by_side(_parts(encoder, probe), probe)
    _settle_sparsity(table, encoder)
    steps.append(("table", table))
    if encoder.categories == "native" and len(encoder.categorical_columns_):
        n_columns = table.transform(probe).shape[1]
        steps += _native_steps(n_columns, len(encoder.categorical_columns_))
    return steps


def _let_give_arrays(steps):
    """Let steps give what they are told to, whatever `set_config` says."""
    for _, part, *_ in steps:
        for name in ("steps", "transformer_list", "transformers", "transformers_"):
            _let_give_arrays(getattr(part, name, []))
        if isinstance(part, (ColumnTransformer, FeatureUnion)):
            # Of these alone: their own method fails at vectorizers, which have none.
            TransformerMixin.set_output(part, transform="default")
        elif isinstance(part, TransformerMixin):
            part.set_output(transform="default")


def _one_row(encoder):
    """Return a row like those of the table, of zeros or missing values."""
    n_columns = encoder.n_features_in_
    if encoder._is_sparse_:
        return sparse.csc_array((1, n_columns))
    if encoder._is_array_:
        return np.zeros((1, n_columns))
    return pd.DataFrame(np.full((1, n_columns), np.nan), columns=encoder._names_)


def _has_names(encoder):
    names = encoder._names_
    # An empty one is no column to a `ColumnTransformer`.
    are_strings = all(isinstance(name, str) and name for name in names)
    return are_strings and len(set(names)) == len(names)


def _select(encoder, positions):
    """Return columns as `ColumnTransformer` takes them: names if there are any."""
    if _has_names(encoder):
        return [str(encoder._names_[j]) for j in positions]
    return [int(j) for j in positions]


def _parts(encoder, probe):
    """Return name, fitted transformer and columns of each part of the table."""
    take = partial(_select, encoder)
    parts = []
    if len(encoder.numeric_columns_):
        columns = take(encoder.numeric_columns_)
        X = _take(probe, encoder.numeric_columns_)
        parts.append(("numbers", _chain(_number_steps(encoder), X), columns))
    if len(encoder.target_columns_):
        columns = take(encoder.target_columns_)
        X = _take(probe, encoder.target_columns_)
        parts.append(("shares", _chain(_target_steps(encoder), X), columns))
    for j, steps in zip(encoder.text_columns_, encoder._text_steps_, strict=True):
        (column,) = take([j])
        part = _chain(_text_steps(steps), probe.iloc[:, j])
        parts.append((f"text_{j}", part, column))
    if len(encoder.categorical_columns_):
        columns = take(encoder.categorical_columns_)
        X = _take(probe, encoder.categorical_columns_)
        parts.append(("categories", _chain(_category_steps(encoder), X), columns))
    return parts


def _take(X, positions):
    return X.iloc[:, positions] if isinstance(X, pd.DataFrame) else X[:, positions]


def _chain(steps, X):
    """Return fitted steps as one transformer, told the names of columns they see."""
    for step in steps:
        columns = getattr(X, "columns", [])
        if all(isinstance(name, str) for name in columns) and len(columns):
            step.feature_names_in_ = np.asarray(columns, dtype=object)
        X = step.transform(X)
    if not steps:
        return "passthrough"
    return steps[0] if len(steps) == 1 else make_pipeline(*steps)


def _side_by_side(parts, X):
    """Return a fitted `ColumnTransformer` of fitted parts."""
    table = ColumnTransformer(
        [
            (name, part if part == "passthrough" else FrozenEstimator(part), columns)
            for name, part, columns in parts
        ]
    ).fit(X)
    table.transformers = [
        (name, part if part == "passthrough" else clone(part), columns)
        for name, part, columns in parts
    ]
    table.transformers_ = [
        (name, part.estimator if isinstance(part, FrozenEstimator) else part, columns)
        for name, part, columns in table.transformers_
    ]
    return table


def _settle_sparsity(table, encoder):
    """Let the table be sparse when the encoder's is."""
    indicators = encoder._indicators_
    has_sparse_part = (
        encoder._is_sparse_
        or (len(encoder.text_columns_) > 0 and encoder.text == "ngrams")
        or (indicators is not None and indicators.sparse_output)
    )
    if has_sparse_part:
        table.sparse_threshold = 0.0 if encoder.dense else 1.0
    table.sparse_output_ = has_sparse_part and not encoder.dense


def _native_steps(n_columns, n_categories):
    """Return steps that give categories a dtype by which learners know them."""
    names = [f"number_{j}" for j in range(n_columns - n_categories)]
    categories = [f"category_{j}" for j in range(n_categories)]
    kw_args = {"columns": names + categories}
    dtypes = dict.fromkeys(categories, "category")
    return [
        # Of a frame, which `set_config` may have made it, pandas would take columns
        # by their names.
        ("array", FunctionTransformer(np.asarray)),
        ("named", FunctionTransformer(pd.DataFrame, kw_args=kw_args)),
        ("dtypes", FunctionTransformer(methodcaller("astype", dtypes))),
    ]


# Numbers and dates


def _number_steps(encoder):
    """Return steps for all numbers: how they are read, and what was learned."""
    learned = [_own(step) for step in encoder._numeric_steps_]
    readings = [_reading_of(encoder, j) for j in encoder.numeric_columns_]
    if len(set(readings)) == 1 and readings[0] not in _ALONE:
        return _read_steps(encoder, encoder.numeric_columns_) + learned
    X = _take(_one_row(encoder), encoder.numeric_columns_)
    read = _side_by_side(_readers(encoder, readings, X), X)
    # Means depend in their last bit on how numbers lie in memory.
    return [read, FunctionTransformer(np.asfortranarray), *learned]


def _own(step):
    """Return a copy of a fitted step that leaves its input as it is."""
    step = copy.deepcopy(step)
    return step.set_params(copy=True) if "copy" in step.get_params() else step


# Read as a single column, each by itself.
_ALONE = {"date", "duration", "coerced"}


def _reading_of(encoder, j):
    """Say how the cells of a column become numbers."""
    if encoder._is_array_ or encoder._is_sparse_:
        return "numbers"
    dtype = encoder._dtypes_[j]
    is_date = j in encoder._dates_
    of_arrow = isinstance(dtype, pd.ArrowDtype) and dtype.type
    if isinstance(dtype, pd.PeriodDtype) or (
        of_arrow and issubclass(of_arrow, (datetime.date, datetime.timedelta))
    ):
        raise _cannot(encoder, j, f"plain scikit-learn cannot read its dtype, {dtype}")
    if is_date:
        return "date"
    if j in encoder._durations_:
        return "duration"
    return "numbers" if pd.api.types.is_numeric_dtype(dtype) else "coerced"


def _cannot(encoder, j, reason):
    return ValueError(
        f"Column {encoder._names_[j]!r} must be expressible in plain scikit-learn, "
        f"but {reason}. Convert the column, or leave it out."
    )


def _read_steps(encoder, positions):
    """Return steps that make float64 of numbers, and NaN of infinite ones."""
    if encoder._is_sparse_ and encoder._has_infinite_:
        raise ValueError(
            "A sparse matrix must hold finite numbers or NaN for plain scikit-learn to "
            "take it, got: infinite ones. Replace them by NaN before fitting."
        )
    is_exact = _stay_exact(encoder, positions)
    steps = [] if is_exact else [methodcaller("astype", "float64")]
    # scikit-learn's transformers accept missing numbers, but no infinite ones.
    return _functions(steps + [_without_infinite()] * encoder._has_infinite_)


def _without_infinite():
    kw_args = dict.fromkeys(["nan", "posinf", "neginf"], np.nan)
    return FunctionTransformer(np.nan_to_num, kw_args=kw_args)


def _stay_exact(encoder, positions):
    """Say whether numbers become float64 without being told to."""
    if encoder._is_sparse_:
        return True
    dtypes = encoder._dtypes_
    dtypes = dtypes if encoder._is_array_ else [dtypes[j] for j in positions]
    # What transforms them would take integers as float64, but not all learners do.
    kinds = "iu" if encoder._numeric_steps_ else ""
    return all(
        isinstance(dtype, np.dtype) and (dtype == np.float64 or dtype.kind in kinds)
        for dtype in dtypes
    )


def _readers(encoder, readings, X):
    """Return parts of a table that read its numbers, and its dates in two ways."""
    columns = _select(encoder, encoder.numeric_columns_)
    if not _has_names(encoder):
        columns = list(range(len(columns)))
    parts, i = [], 0
    for reading, run in groupby(readings):
        n = len(list(run))
        if reading in _ALONE:
            for k in range(i, i + n):
                part = _chain(_single_steps(reading), X.iloc[:, k])
                parts.append((f"{reading}_{k}", part, columns[k]))
        else:
            positions = encoder.numeric_columns_[i : i + n]
            part = _chain(_read_steps(encoder, positions), X.iloc[:, i : i + n])
            parts.append((f"numbers_{i}", part, columns[i : i + n]))
        i += n
    for i, vary in encoder._date_parts_:
        named = _part_steps(encoder.scale is not None)
        for name, steps in (named[k] for k in vary):
            part = _chain(steps, X.iloc[:, i])
            parts.append((f"{name}_{i}", part, columns[i]))
    return parts


def _single_steps(reading):
    """Return steps that make numbers of a column: dates and durations are seconds."""
    finish = methodcaller("to_frame")
    if reading == "coerced":
        read = FunctionTransformer(pd.to_numeric, kw_args={"errors": "coerce"})
        to_floats = methodcaller("astype", "float64")
        return _functions([read, to_floats, finish, _without_infinite()])
    if reading == "date":
        # Not pd.Timestamp(0), which counts nanoseconds and reaches to 2262.
        start = pd.Timestamp("1970-01-01", tz="UTC")
        steps = [*_date_steps(), methodcaller("sub", start)]
    else:
        read = FunctionTransformer(pd.to_timedelta, kw_args={"errors": "coerce"})
        steps = [read, methodcaller("astype", "timedelta64[us]")]
    # In this unit pandas 2 too divides what reaches to the year 9999.
    second = pd.Timedelta(1, "s").as_unit("us")
    return _functions([*steps, methodcaller("div", second), finish])


def _date_steps():
    kw_args = {"errors": "coerce", "utc": True, "format": "mixed"}
    return [
        FunctionTransformer(pd.to_datetime, kw_args=kw_args),
        methodcaller("astype", "datetime64[us, UTC]"),
    ]


def _part_steps(as_cycles):
    """Return names of the parts of a date, and the steps that give them."""
    first, *others = DATE_PARTS
    read, finish = _date_steps(), methodcaller("to_frame")
    parts = [(first, [*read, attrgetter(f"dt.{first}"), finish])]
    if not as_cycles:
        parts += [(name, [*read, attrgetter(f"dt.{name}"), finish]) for name in others]
    for wave in (np.sin, np.cos) if as_cycles else ():
        for name, length in zip(others, CYCLES, strict=True):
            angle = [partial(np.multiply, 2 * np.pi), methodcaller("div", length)]
            steps = [*read, attrgetter(f"dt.{name}"), *angle, wave, finish]
            parts.append((f"{wave.__name__}_of_{name}", steps))
    return [(name, _functions(steps)) for name, steps in parts]


def _functions(steps):
    return [
        step if isinstance(step, FunctionTransformer) else FunctionTransformer(step)
        for step in steps
    ]


# Categories and text


def _label_steps(encoder, positions, codes, missing):
    """Return steps that make text of levels, so that 1, 1.0 and "1" are one."""
    steps = [methodcaller("astype", "string")]
    booleans = {}
    for j, code_of_label in zip(positions, codes, strict=True):
        _check_levels(encoder, j, code_of_label)
        if pd.api.types.is_object_dtype(encoder._dtypes_[j]):  # may hold both
            spellings = {
                other: label
                for label, other in OTHER_LABEL.items()
                if label in code_of_label and other not in code_of_label
            }
            if spellings:
                booleans[encoder._names_[j]] = spellings
    if booleans:
        steps.append(methodcaller("replace", booleans))
    steps.append(methodcaller("fillna", missing))
    if _have_whole_numbers(codes):
        # A function of categories is called for each level, not for each cell.
        # To `replace` levels by others would take each of them through all cells.
        steps += [
            methodcaller("astype", "category"),
            methodcaller("map", _WITHOUT_ZERO),
        ]
    return _functions(steps)


def _have_whole_numbers(codes):
    return any(
        _WHOLE_NUMBER.fullmatch(label) for each in codes for label in each if label
    )


def _texts_of(codes, missing):
    """Return for each column what the steps of `_label_steps` make of its levels."""
    write = _WITHOUT_ZERO if _have_whole_numbers(codes) else str
    return [
        [missing if label is None else write(label) for label in code_of_label]
        for code_of_label in codes
    ]


def _check_levels(encoder, j, code_of_label):
    """Raise an error if levels cannot be told from each other by plain text."""
    for label in code_of_label:
        if f"{label}.0" in code_of_label and _WHOLE_NUMBER.fullmatch(str(label)):
            reason = f"it has both the levels {label!r} and '{label}.0'"
            raise _cannot(encoder, j, reason)
    dtype = encoder._dtypes_[j]
    if isinstance(dtype, pd.CategoricalDtype):
        levels = pd.Series(pd.Categorical(dtype.categories, dtype=dtype))
        for text, level in zip(levels.astype("string"), dtype.categories, strict=True):
            label = label_of(level)
            if text not in {label, f"{label}.0"}:
                reason = f"its category {level!r} is {text!r} as text, not {label!r}"
                raise _cannot(encoder, j, reason)


def _word_for_missing(codes):
    word = "<missing>"
    while any(word in code_of_label for code_of_label in codes):
        word += "_"
    return word


def _category_steps(encoder):
    codes = encoder._code_of_level_
    missing = _word_for_missing(codes)
    steps = _label_steps(encoder, encoder.categorical_columns_, codes, missing)
    levels = _texts_of(codes, missing)
    params = {"categories": levels}
    if any(len(each) >= encoder.max_levels for each in codes):
        params["max_categories"] = encoder.max_levels
    if encoder.categories == "one_hot":
        encode = OneHotEncoder(
            **params,
            handle_unknown="ignore",
            sparse_output=encoder._indicators_.sparse_output,
        )
    else:
        unknown = -1 if encoder.categories == "ordinal" and encoder.impute else np.nan
        encode = OrdinalEncoder(
            **params, handle_unknown="use_encoded_value", unknown_value=unknown
        )
    names = [encoder._names_[j] for j in encoder.categorical_columns_]
    return [
        *steps,
        encode.fit(_rows_with_such_levels(codes, levels, names, encoder.max_levels)),
    ]


def _rows_with_such_levels(codes, levels, names, max_levels):
    """Return a frame in which rare levels, which have the last code, are rare."""
    columns = []
    for code_of_label, texts in zip(codes, levels, strict=True):
        is_frequent = np.array(list(code_of_label.values())) < max_levels - 1
        columns.append([*texts, *np.array(texts, dtype=object)[is_frequent]])
    n_rows = max(map(len, columns))
    columns = [[*cells, *cells[-1:] * (n_rows - len(cells))] for cells in columns]
    return pd.DataFrame(dict(enumerate(columns)), dtype=object).set_axis(names, axis=1)


def _target_steps(encoder):
    codes = encoder._target_codes_
    missing = _word_for_missing(codes)
    steps = _label_steps(encoder, encoder.target_columns_, codes, missing)
    learned = [copy.deepcopy(step) for _, step in encoder._target_steps_.steps]
    texts = _texts_of(codes, missing)
    for j, code_of_label in enumerate(codes):
        text_of_code = dict(zip(code_of_label.values(), texts[j], strict=True))
        levels = [text_of_code[code] for code in learned[0].categories_[j]]
        learned[0].categories_[j] = np.array(levels, dtype=object)
    return [*steps, *learned]


def _text_steps(steps):
    read = _functions([methodcaller("astype", "string"), methodcaller("fillna", "")])
    return [*read, *(copy.deepcopy(step) for _, step in steps.steps)]
