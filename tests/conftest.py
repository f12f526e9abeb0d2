import numpy as np
import pandas as pd
import pytest

from skmeta import Configuration, KnowledgeBase

NAN = np.nan


@pytest.fixture
def tiny_parts():
    """Arguments of `tiny_knowledge`, to be changed one at a time."""
    tasks = pd.DataFrame(
        {
            "family": ["wheat", "wheat", "storm", "heart"],
            "domain": ["farming", "farming", "weather", "medicine"],
            "n_rows": [100, 200, 1000, 50],
            "n_features": [4, 4, 10, 20],
            "n_classes": [2, 2, 3, 2],
            "source": ["own", None, "own", "own"],
        },
        index=["wheat_a", "wheat_b", "storm", "heart"],
    )
    meta_features = pd.DataFrame(
        {"nr_inst": tasks["n_rows"], "class_ent": [1.0, 0.9, 1.5, 0.5]}
    )
    forest, linear, neighbors = (
        Configuration("random_forest", {"min_samples_leaf": 3}),
        Configuration("logistic_regression"),
        Configuration("k_neighbors", {"n_neighbors": 5, "scales": [1, 2]}),
    )
    accuracy = np.array(
        [
            [[1.0, 0.8], [0.7, 0.7], [0.5, 0.7]],
            [[0.9, 0.9], [0.6, 0.8], [0.5, NAN]],  # neighbors fail on the second fold
            [[0.5, 0.5], [0.7, 0.8], [NAN, NAN]],  # and on both
            [[0.6, NAN], [0.8, NAN], [0.9, NAN]],  # heart has one fold
        ]
    )
    return {
        "tasks": tasks,
        "meta_features": meta_features,
        "configurations": [forest, linear, neighbors],
        "fold_scores": {"accuracy": accuracy, "neg_log_loss": accuracy - 1},
        "fit_seconds": np.tile([2.0, 0.5, 0.25], (4, 1)),
        "predict_seconds": np.tile([1.0, 0.5, 0.75], (4, 1)),
        "failures": [
            {"task": "wheat_b", "configuration": neighbors.name, "error": "no rows"},
            {"task": "storm", "configuration": neighbors.name, "error": "no memory"},
        ],
        "provenance": {"protocol": {"n_folds": 2}, "versions": {"numpy": "2.0"}},
    }


@pytest.fixture
def tiny_knowledge(tiny_parts):
    """Four tasks of three families and three configurations.

    The forest is best on wheat (.9, .9; linear .7, .7), linear on storm (.75; the
    forest .5), and neighbors on heart (.9; linear .8, the forest .6).
    """
    return KnowledgeBase(**tiny_parts)


@pytest.fixture
def in_terminal(monkeypatch):
    """Return which columns pandas shows of a frame in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def shown(frame):
        with pd.option_context("display.width", 80, "display.max_columns", 0):
            return set(repr(frame).partition("\n")[0].split())

    return shown
