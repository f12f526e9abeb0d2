import numpy as np
import pandas as pd
import pytest

from skmeta.recommendation._runtime import RuntimeModel, correct_seconds


def power_law(n_tasks=80, noise=0.0, random_state=0):
    """Return sizes, and seconds that grow as n and as n * p squared."""
    rng = np.random.default_rng(random_state)
    sizes = pd.DataFrame(
        {
            "nr_inst": 10 ** rng.uniform(2, 5, n_tasks),
            "nr_attr": 10 ** rng.uniform(0.5, 2.5, n_tasks),
            "nr_class": rng.integers(2, 20, n_tasks).astype(float),
        }
    )
    seconds = np.column_stack(
        [1e-3 * sizes["nr_inst"], 1e-4 * sizes["nr_inst"] * sizes["nr_attr"] ** 2]
    )
    return sizes, seconds * np.exp(noise * rng.normal(size=seconds.shape))


def test_power_laws_are_learned():
    """Two configurations with different exponents are told apart on new tasks."""
    model = RuntimeModel(*power_law(noise=0.1))
    new, seconds = power_law(20, random_state=1)
    for task, expected in zip(new.to_dict("records"), seconds, strict=True):
        np.testing.assert_allclose(model.predict(task), expected, rtol=0.4)


def test_gaps_do_no_harm():
    """Where seconds are not known, the rest is learned from."""
    sizes, seconds = power_law()
    seconds[::3, 1] = np.nan
    task = sizes.iloc[0].to_dict()
    predicted = RuntimeModel(sizes, seconds).predict(task)
    np.testing.assert_allclose(predicted, power_law()[1][0], rtol=0.3)


def test_nothing_known_is_taken_for_slow():
    """A configuration without any seconds is as slow as the slowest."""
    sizes, seconds = power_law()
    seconds = np.column_stack([seconds, np.full(len(seconds), np.nan)])
    middle = sizes.median().to_dict()
    predicted = RuntimeModel(sizes, seconds).predict(middle)
    assert np.isfinite(predicted).all()
    assert predicted[2] == pytest.approx(
        np.exp(np.log(seconds[:, :2]).mean(axis=0)).max(), rel=0.5
    )


def test_sizes_that_are_known_are_used():
    """Knowledge with the number of rows alone gives a model of that."""
    sizes, seconds = power_law()
    model = RuntimeModel(sizes[["nr_inst"]], seconds)
    assert model.names == ["nr_inst"]
    short, long = (model.predict({"nr_inst": n})[0] for n in (1e2, 1e4))
    assert long / short == pytest.approx(100, rel=0.3)


def test_correction_follows_this_machine():
    """Twice as slow on all that was seen: nearly twice as slow on the rest."""
    predicted = np.array([1.0, 2.0, 3.0, 4.0])
    tried = np.array([0, 1, 2])
    corrected = correct_seconds(predicted, tried, 2 * predicted[tried])
    np.testing.assert_allclose(corrected, predicted * 2**0.75)


def test_correction_without_observations():
    """Nothing seen, or nothing known of it, corrects nothing."""
    predicted = np.array([1.0, 2.0])
    nothing, never = np.array([], dtype=int), np.array([])
    np.testing.assert_array_equal(correct_seconds(predicted, nothing, never), predicted)
    unknown = correct_seconds(predicted, np.array([0]), np.array([np.nan]))
    np.testing.assert_array_equal(unknown, predicted)
