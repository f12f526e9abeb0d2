"""The first recommendation on tables that knowledge says little about."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_blobs, make_classification, make_moons
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skmeta import MetaLearnerClassifier, load_knowledge
from skmeta._base_learners import TaskSize, get_learner, make_estimator


def few_flowers(seed):
    X, y = load_iris(return_X_y=True)
    return train_test_split(X, y, train_size=75, stratify=y, random_state=seed)


def more_columns_than_rows(seed):
    X, y = make_classification(
        240, 200, n_informative=10, n_redundant=20, class_sep=2.0, random_state=seed
    )
    return train_test_split(X, y, train_size=40, stratify=y, random_state=seed)


def hundred_classes(seed):
    X, y = make_blobs(2000, n_features=10, centers=100, random_state=seed)
    return train_test_split(X, y, train_size=1000, stratify=y, random_state=seed)


def all_categorical(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, (1200, 8))
    hidden = codes[:, 0] % 2 + (codes[:, 1] > 2) + 0.5 * (codes[:, 2] == codes[:, 3])
    y = (hidden + rng.normal(0, 0.4, len(codes)) > 1.2).astype(int)
    X = pd.DataFrame(codes, columns=list("abcdefgh"))
    X = X.apply(lambda column: column.map(list("vwxyz").__getitem__)).astype("category")
    return train_test_split(X, y, train_size=400, stratify=y, random_state=seed)


def ninety_nine_to_one(seed):
    X, y = make_classification(
        6000, 10, n_informative=5, weights=[0.99], class_sep=1.5, flip_y=0,
        random_state=seed,
    )  # fmt: skip
    return train_test_split(X, y, train_size=3000, stratify=y, random_state=seed)


def two_columns(seed):
    X, y = make_moons(700, noise=0.25, random_state=seed)
    return train_test_split(X, y, train_size=200, stratify=y, random_state=seed)


TABLES = [
    few_flowers,
    more_columns_than_rows,
    hundred_classes,
    all_categorical,
    ninety_nine_to_one,
    two_columns,
]


@pytest.mark.slow
@pytest.mark.parametrize("make_table", TABLES)
def test_first_recommendation_is_safe(make_table):
    """Fitted, it is not worse than untuned boosting by .02 in the mean of ten."""
    knowledge = load_knowledge().without(["iris"])
    differences = []
    for seed in range(10):
        X, X_test, y, y_test = make_table(seed)
        recommended = MetaLearnerClassifier(
            knowledge=knowledge,
            n_candidates=1,
            scoring="balanced_accuracy",
            random_state=seed,
        ).fit(X, y)
        # Threads of a busy machine would make seconds of milliseconds.
        with threadpool_limits(limits=1):
            untuned = HistGradientBoostingClassifier(random_state=seed).fit(X, y)
            ours, theirs = (
                balanced_accuracy_score(y_test, model.predict(X_test))
                for model in (recommended, untuned)
            )
        differences.append(ours - theirs)
    assert np.mean(differences) > -0.02


@pytest.mark.parametrize(
    "configuration",
    [
        configuration
        for configuration in load_knowledge().configuration_values
        if get_learner(configuration.learner).is_installed
    ],
)
def test_no_configuration_is_too_large_for_75_rows(configuration):
    """Neighbours, leaves and folds are those of a small table."""
    size = TaskSize(n_rows=75, n_columns=4, n_classes=3)
    params = make_estimator(configuration, size, 0).get_params()
    for name, least in [("min_samples_leaf", 4), ("n_neighbors", 38)]:
        for key, value in params.items():
            if key.endswith(f"__{name}"):
                assert value <= least, key
