import dataclasses
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmeta import Configuration
from skmeta._configuration import ConfigurationSpace, Hyperparameter

repeatable = settings(deadline=None, derandomize=True, max_examples=60)

json_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
json_values = json_scalars | st.lists(json_scalars, max_size=3)
hyperparameters = st.dictionaries(st.text(max_size=8), json_values, max_size=5)


def test_configuration_worked_example():
    """A configuration holds a name and values, and shows both."""
    configuration = Configuration("mlp", {"hidden_layer_sizes": [64, 64], "alpha": 0.1})
    assert configuration.learner == "mlp"
    assert dict(configuration.hyperparameters) == {
        "alpha": 0.1,
        "hidden_layer_sizes": (64, 64),
    }
    assert repr(configuration) == (
        "Configuration('mlp', {'alpha': 0.1, 'hidden_layer_sizes': (64, 64)})"
    )
    assert eval(repr(configuration)) == configuration


def test_name_is_stable():
    """Names stand in knowledge files: another name would be another column."""
    assert Configuration("random_forest").name == "random_forest-5aa4771a"
    assert Configuration("mlp", {"alpha": 0.1}).name == "mlp-03d8902d"
    assert Configuration("mlp", {"max_depth": None}).name == "mlp-b1dcc599"


def test_hyperparameters_may_be_left_out():
    """Without hyperparameters all defaults hold."""
    assert Configuration("mlp") == Configuration("mlp", {})


@given(hyperparameters)
@repeatable
def test_order_of_writing_does_not_matter(values):
    """Equality, hash and name ignore the order of the hyperparameters."""
    forward = Configuration("mlp", values)
    backward = Configuration("mlp", dict(reversed(values.items())))
    assert forward == backward
    assert hash(forward) == hash(backward)
    assert forward.name == backward.name
    assert list(forward.hyperparameters) == list(backward.hyperparameters)


@given(hyperparameters)
@repeatable
def test_json_and_pickle_round_trips(values):
    """A configuration survives JSON and pickle."""
    configuration = Configuration("mlp", values)
    text = json.dumps(configuration.to_dict())
    assert Configuration.from_dict(json.loads(text)) == configuration
    assert pickle.loads(pickle.dumps(configuration)) == configuration


@pytest.mark.parametrize(
    "other",
    [
        Configuration("svc", {"C": 1}),
        Configuration("mlp", {"C": 2}),
        Configuration("mlp", {"C": 1.0}),
        Configuration("mlp", {"C": True}),
        Configuration("mlp", {"C": "1"}),
        Configuration("mlp", {}),
        ("mlp", {"C": 1}),
        None,
    ],
)
def test_what_differs_is_not_equal(other):
    """Another learner, value or type of value makes another configuration."""
    assert Configuration("mlp", {"C": 1}) != other


def test_configurations_serve_as_keys():
    """Equal configurations are one key."""
    pair = {
        Configuration("mlp", {"a": 1, "b": 2}),
        Configuration("mlp", {"b": 2, "a": 1}),
    }
    assert len(pair) == 1


def test_configuration_does_not_change():
    """Neither fields nor values can be assigned."""
    configuration = Configuration("mlp", {"alpha": 0.1})
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.learner = "svc"
    with pytest.raises(TypeError, match="does not support item assignment"):
        configuration.hyperparameters["alpha"] = 1.0


def test_configuration_keeps_apart_from_what_it_was_built_from():
    """Changing the dict or list given to it does not reach the configuration."""
    sizes = [64]
    values = {"hidden_layer_sizes": sizes}
    configuration = Configuration("mlp", values)
    values["alpha"] = 1.0
    sizes.append(32)
    assert configuration == Configuration("mlp", {"hidden_layer_sizes": [64]})


def test_configuration_keeps_apart_from_what_it_gives():
    """Changing what `to_dict` gave does not reach the configuration."""
    configuration = Configuration("mlp", {"hidden_layer_sizes": [64]})
    given_away = configuration.to_dict()["hyperparameters"]
    given_away["alpha"] = 1.0
    given_away["hidden_layer_sizes"].append(32)
    assert configuration == Configuration("mlp", {"hidden_layer_sizes": [64]})


def test_tuples_become_lists():
    """JSON has one kind of sequence, so a tuple and a list are equal."""
    tuples = Configuration("mlp", {"hidden_layer_sizes": (64, 32)})
    assert tuples == Configuration("mlp", {"hidden_layer_sizes": [64, 32]})


@pytest.mark.parametrize(
    "value",
    [np.int64(3), np.arange(3), object(), {1, 2}, 1j, b"bytes", [object()]],
    ids=lambda value: type(value).__name__,
)
def test_values_outside_json_are_refused(value):
    """What a knowledge file cannot hold, a configuration cannot either."""
    with pytest.raises(TypeError, match="must be values that JSON can hold, got"):
        Configuration("mlp", {"alpha": value})


WIDTH = Hyperparameter("width", 8, low=1, high=64, log=True)
RATE = Hyperparameter("rate", 0.1, low=1e-3, high=0.5, log=True)
DEPTH = Hyperparameter("depth", None, low=1, high=5, choices=(None,))
KIND = Hyperparameter("kind", "a", choices=("a", [1, 2], False))
SHARE = Hyperparameter("share", 1.0, low=0.25, high=1.0)
SPACE = ConfigurationSpace((WIDTH, RATE, DEPTH, KIND, SHARE))


def test_space_default_worked_example():
    """The default of a space has every hyperparameter."""
    assert SPACE.default == {
        "width": 8,
        "rate": 0.1,
        "depth": None,
        "kind": "a",
        "share": 1.0,
    }


def test_default_is_allowed():
    """Defaults lie in the space."""
    SPACE.check(SPACE.default)


@given(st.integers(0, 2**32 - 1))
@repeatable
def test_sample_lies_in_the_space(seed):
    """What is drawn has every name, a value in range, and the type of the bounds."""
    values = SPACE.sample(seed)
    assert list(values) == ["width", "rate", "depth", "kind", "share"]
    SPACE.check(values)
    assert type(values["width"]) is int
    assert type(values["rate"]) is float
    assert type(values["depth"]) in (int, type(None))
    Configuration("mlp", values)  # can be written as JSON


@given(
    low=st.floats(1e-9, 1e6),
    factor=st.floats(1.0, 1e3),
    log=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@repeatable
def test_sample_of_a_number_stays_within_its_bounds(low, factor, log, seed):
    """Rounding of logarithms carries no value over a bound."""
    bounds = {"low": low, "high": low * factor, "log": log}
    number = Hyperparameter("number", low, **bounds)
    value = number.sample(np.random.RandomState(seed))
    assert number.allows(value)


def test_sample_of_a_single_value_stays_within_its_bounds():
    """Bounds that are equal leave one value, though exp(log(100)) is not 100."""
    random_state = np.random.RandomState(0)
    for value in (1e-5, 0.3, 100.0):
        lonely = Hyperparameter("lonely", value, low=value, high=value, log=True)
        assert lonely.sample(random_state) == value


@given(
    low=st.floats(1e-9, 1e6),
    factor=st.floats(1.0, 1e3),
    log=st.booleans(),
    position=st.floats(0.0, 1.0),
)
@repeatable
def test_position_of_a_number_and_back(low, factor, log, position):
    """A number is where it was put, but for rounding to three digits."""
    number = Hyperparameter("number", low, low=low, high=low * factor, log=log)
    value = number.from_unit(position)
    assert number.allows(value)
    assert 0 <= number.to_unit(value) <= 1
    assert number.from_unit(number.to_unit(value)) == pytest.approx(value, rel=0.01)


def test_position_of_what_is_no_number():
    """Choices have none, even if they are numbers that lie in the range."""
    number = Hyperparameter("number", 1.0, low=0.0, high=2.0, choices=(0.0, 1, None))
    assert number.to_unit(1.0) == 0.5
    assert [number.to_unit(value) for value in (0.0, 1, None, 3.0, True)] == [None] * 5
    assert KIND.to_unit("a") is None


def test_sample_reaches_choices_and_range():
    """All choices and both ends of a small range are drawn sooner or later."""
    random_state = np.random.RandomState(0)
    drawn = {DEPTH.sample(random_state) for _ in range(300)}
    assert drawn == {None, 1, 2, 3, 4, 5}
    assert {str(KIND.sample(random_state)) for _ in range(100)} == {
        "a",
        "[1, 2]",
        "False",
    }


def test_sample_by_logarithm_spreads_evenly_over_magnitudes():
    """Between 1e-4 and 1 half of the values lie below 1e-2."""
    rate = Hyperparameter("rate", 0.1, low=1e-4, high=1.0, log=True)
    random_state = np.random.RandomState(0)
    below = np.mean([rate.sample(random_state) < 1e-2 for _ in range(1000)])
    assert 0.45 < below < 0.55


def test_sample_repeats_with_its_seed():
    """The same seed gives the same values, another one others."""
    assert SPACE.sample(0) == SPACE.sample(0)
    assert SPACE.sample(0) != SPACE.sample(1)


@pytest.mark.parametrize(
    ("hyperparameter", "value", "is_allowed"),
    [
        (WIDTH, 1, True),
        (WIDTH, 64, True),
        (WIDTH, 65, False),
        (WIDTH, 0, False),
        (WIDTH, True, False),
        (WIDTH, "8", False),
        (WIDTH, None, False),
        (RATE, 0.5, True),
        (RATE, float("nan"), False),
        (DEPTH, None, True),
        (DEPTH, 5, True),
        (KIND, [1, 2], True),
        (KIND, False, True),
        (KIND, 0, False),
        (KIND, [2, 1], False),
        (SHARE, 1, True),
    ],
)
def test_allows(hyperparameter, value, is_allowed):
    """Bounds are included, choices have their type, and no boolean is a number."""
    assert hyperparameter.allows(value) is is_allowed


def test_integer_bounds_allow_integers_only():
    """Half a tree cannot be grown: integer bounds make an integer."""
    assert not WIDTH.allows(2.5)


def test_check_names_what_is_known():
    """An unknown name is answered with the known ones."""
    with pytest.raises(
        ValueError, match=r"one of \['depth', 'kind', .*\], got: 'widht'"
    ):
        SPACE.check({"widht": 3})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 100}, r"width must be 1 to 64 \(log\), got: 100"),
        ({"depth": 9}, r"depth must be None or 1 to 5, got: 9"),
        ({"kind": "b"}, r"kind must be 'a' or \[1, 2\] or False, got: 'b'"),
        ({"share": 0.1}, r"share must be 0.25 to 1.0, got: 0.1"),
    ],
)
def test_check_says_what_is_allowed(values, message):
    """A value out of range is answered with the range."""
    with pytest.raises(ValueError, match=message):
        SPACE.check(values)


def test_check_takes_a_part_of_the_space():
    """Hyperparameters left out are no error."""
    SPACE.check({})
    SPACE.check({"width": 2})
