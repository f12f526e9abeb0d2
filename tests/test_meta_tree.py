import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skmeta import MetaDecisionTreeClassifier
from skmeta._meta_tree import _best_split, _grow

CHEAP = [
    ("linear", make_pipeline(StandardScaler(), LogisticRegression())),
    ("nb", GaussianNB()),
    ("tree", DecisionTreeClassifier(min_samples_leaf=3, random_state=0)),
]


@pytest.fixture(scope="module")
def table():
    return make_classification(400, 6, n_informative=4, flip_y=0.1, random_state=0)


# The tree


def test_the_best_split_is_found():
    """One classifier is right up to a value, the other above it."""
    rng = np.random.default_rng(0)
    values = rng.permutation(100.0 * np.arange(100))
    is_right = np.column_stack([values < 3000, values >= 3000])
    noise = rng.normal(size=100)
    column, threshold = _best_split(np.column_stack([noise, values]), is_right, 5)
    assert column == 1
    assert 2900 <= threshold < 3000
    tree = _grow(np.column_stack([noise, values]), is_right, 4, 5, 1.0)
    assert tree.n_leaves == 2
    assert (tree.below.trusted, tree.above.trusted) == (0, 1)
    assert tree.below.n_right + tree.above.n_right == 100


def test_splits_agree_with_trying_them_all():
    """Of all thresholds none leaves more rows right."""
    rng = np.random.default_rng(1)
    properties = rng.integers(8, size=(60, 3)).astype(float)
    is_right = rng.random((60, 4)) < 0.6
    column, threshold = _best_split(properties, is_right, 5)

    def n_right(column, threshold):
        below = properties[:, column] <= threshold
        if not 5 <= below.sum() <= 55:
            return -1
        sides = is_right[below], is_right[~below]
        return sum(side.sum(axis=0).max() for side in sides)

    tried = [n_right(j, t) for j in range(3) for t in np.arange(0.5, 7)]
    assert n_right(column, threshold) == max(tried)


def test_noise_is_pruned():
    """Where nothing tells whom to trust, one leaf is left; 0 errors keep chance."""
    rng = np.random.default_rng(0)
    n_leaves = []
    for _ in range(20):
        properties, is_right = rng.random((200, 3)), rng.random((200, 2)) < 0.7
        trees = [_grow(properties, is_right, 3, 10, n) for n in (0.0, 2.5)]
        n_leaves.append([tree.n_leaves for tree in trees])
    assert np.mean(np.array(n_leaves)[:, 0]) > 3
    assert np.mean(np.array(n_leaves)[:, 1]) < 2


def test_neighbouring_numbers_are_told_apart():
    """Halfway between them there is no number."""
    values = np.repeat([1.0, np.nextafter(1.0, 2.0)], 10)[:, np.newaxis]
    is_right = np.column_stack([values[:, 0] == 1.0, values[:, 0] > 1.0])
    tree = _grow(values, is_right, 3, 5, 1.0)
    assert tree.n_leaves == 2
    assert tree.below.n_right == tree.above.n_right == 10


# The classifier


def test_rows_get_the_distribution_of_whom_is_trusted(table):
    """Of one of the base classifiers, the one that is named."""
    X, y = table
    clf = MetaDecisionTreeClassifier(CHEAP, n_errors=0.0).fit(X, y)
    assert clf.n_leaves_ > 1
    trusted, probabilities = clf.trusted(X), clf.predict_proba(X)
    assert len(set(trusted)) > 1
    for name, estimator in zip(clf.names_, clf.estimators_, strict=True):
        rows = trusted == name
        np.testing.assert_array_equal(
            probabilities[rows], estimator.predict_proba(X)[rows]
        )
    np.testing.assert_array_equal(
        clf.predict(X), clf.classes_[probabilities.argmax(axis=1)]
    )


def test_the_text_names_questions_and_answers(table):
    """Every leaf once, with the rows that it was learned from."""
    X, y = table
    clf = MetaDecisionTreeClassifier(CHEAP, n_errors=0.0).fit(X, y)
    lines = clf.export_text().split("\n")
    leaves = [line.split() for line in lines if "trust" in line]
    assert len(leaves) == clf.n_leaves_
    assert sum(int(words[2]) for words in leaves) == len(y)
    assert "weight of tree" in clf.properties_
    asked = [line for line in lines if "trust" not in line]
    assert all(any(name in line for name in clf.properties_) for line in asked)


def test_who_is_right_where_is_learned():
    """A line is sure of half of the rows; of the others it knows that it knows not."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 6))
    X[::2, 2:] = 0.0
    y = np.where(np.arange(3000) % 2, X[:, 2:].sum(axis=1) > 0, X[:, 0] * X[:, 1] > 0)
    train, test = slice(0, 1500), slice(1500, None)
    clf = MetaDecisionTreeClassifier(CHEAP).fit(X[train], y[train])
    alone = [each.score(X[test], y[test]) for each in clf.estimators_]
    assert clf.score(X[test], y[test]) > max(alone) + 0.03
    is_line = clf.trusted(X[test]) == "linear"
    assert is_line[1::2].mean() > 0.8
    assert is_line[::2].mean() < 0.2


def test_defaults_take_tables_as_they_come():
    """Strings, missing values and categories, with nothing given."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=200), "b": rng.choice(["x", "y"], 200)})
    y = np.where((X["a"] > 0) ^ (X["b"] == "x"), "yes", "no")
    X.loc[::7, "a"] = np.nan
    clf = MetaDecisionTreeClassifier(random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.8
    assert clf.names_ == ["linear", "naive_bayes", "neighbours", "tree", "boosting"]
    again = MetaDecisionTreeClassifier(random_state=0, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), again.predict_proba(X))


def test_it_can_be_cloned_and_saved():
    X, y = load_wine(return_X_y=True)
    clf = clone(MetaDecisionTreeClassifier(CHEAP)).fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(clf.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": []}, "got none"),
        ({"estimators": [GaussianNB()]}, "must be pairs of name and classifier"),
        ({"estimators": [("svm", LinearSVC())]}, r"\['svm'\] have not"),
        ({"max_depth": 0}, "max_depth must be an integer >= 1 or None, got: 0"),
        ({"min_samples_leaf": 0}, "min_samples_leaf must be an integer >= 1, got: 0"),
        ({"n_errors": -1.0}, "n_errors must be a number >= 0, got: -1.0"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_said(table, params, message):
    with pytest.raises(ValueError, match=message):
        MetaDecisionTreeClassifier(**params).fit(*table)
