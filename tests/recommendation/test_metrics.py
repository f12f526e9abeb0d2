import re

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    get_scorer,
    get_scorer_names,
    make_scorer,
    recall_score,
)

from skmeta.knowledge._scoring import METRICS
from skmeta.recommendation import nearest_metric


@pytest.mark.parametrize("metric", METRICS[:5])
def test_stored_metrics_are_their_own_nearest(metric):
    """What is stored is followed exactly."""
    assert nearest_metric(metric) == (metric, True)


@pytest.mark.parametrize(
    ("scoring", "expected"),
    [
        ("roc_auc", ("roc_auc_ovr_weighted", True)),
        ("roc_auc_ovr", ("roc_auc_ovr_weighted", False)),
        ("roc_auc_ovo", ("roc_auc_ovr_weighted", False)),
        ("f1_micro", ("accuracy", True)),
        ("recall_macro", ("balanced_accuracy", True)),
        ("neg_brier_score", ("neg_log_loss", False)),
        ("average_precision", ("roc_auc_ovr_weighted", False)),
        ("f1", ("f1_macro", False)),
        ("f1_weighted", ("f1_macro", False)),
        ("matthews_corrcoef", ("f1_macro", False)),
    ],
)
def test_other_metrics_follow_a_stored_one(scoring, expected):
    """Metrics on probabilities follow one on probabilities, on labels one on labels."""
    assert nearest_metric(scoring) == expected


@pytest.mark.parametrize("scoring", get_scorer_names())
def test_every_scorer_follows_a_stored_metric(scoring):
    """Whatever scikit-learn knows as a name leads to a metric that is stored."""
    metric, is_exact = nearest_metric(scoring)
    assert metric in METRICS
    assert isinstance(is_exact, bool)


def test_no_scoring_is_accuracy():
    """None is what classifiers score by themselves."""
    assert nearest_metric(None) == ("accuracy", True)


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        (get_scorer("roc_auc"), ("roc_auc_ovr_weighted", True)),
        (get_scorer("neg_log_loss"), ("neg_log_loss", True)),
        (get_scorer("f1_macro"), ("f1_macro", True)),
        (make_scorer(accuracy_score), ("accuracy", True)),
        (make_scorer(f1_score, average="macro"), ("f1_macro", True)),
        (make_scorer(f1_score, average="weighted"), ("f1_macro", False)),
    ],
)
def test_scorers_are_recognized(scorer, expected):
    """A scorer of scikit-learn is taken for what it computes."""
    assert nearest_metric(scorer) == expected


@pytest.mark.parametrize(
    "scoring",
    [
        make_scorer(fbeta_score, beta=2),
        lambda estimator, X, y: 0.0,
    ],
)
def test_unknown_scoring_follows_f1_macro(scoring):
    """Other callables follow what cares for every class, inexactly."""
    assert nearest_metric(scoring) == ("f1_macro", False)


@pytest.mark.parametrize("scoring", ["foo", "f1_makro", 3, ["accuracy"]])
def test_what_is_no_metric(scoring):
    """It is an error, with a name that is nearly the same."""
    hint = " Did you mean 'f1_macro'" if scoring == "f1_makro" else ""
    message = re.escape(f"got: {scoring!r}.{hint}")
    with pytest.raises(ValueError, match=f"scoring must be one metric .*{message}"):
        nearest_metric(scoring)


def test_exact_metrics_agree():
    """Micro averages are accuracy, and macro recall is balanced accuracy."""
    y, predicted = np.random.default_rng(0).integers(3, size=(2, 30))
    accuracy = pytest.approx(accuracy_score(y, predicted))
    assert f1_score(y, predicted, average="micro") == accuracy
    assert recall_score(y, predicted, average="micro") == accuracy
    balanced = pytest.approx(balanced_accuracy_score(y, predicted))
    assert recall_score(y, predicted, average="macro") == balanced
