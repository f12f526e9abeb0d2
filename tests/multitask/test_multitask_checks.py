"""scikit-learn's own checks on classifiers of several tasks."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from skmeta.multitask import MetaGradientClassifier, SharedRepresentationClassifier

pytest.importorskip("torch")

# Small and quick: what is checked is the contract, not what is learned.
ESTIMATORS = [
    MetaGradientClassifier(
        hidden_layer_sizes=(16,), n_iterations=20, adapt_steps=100, random_state=0
    ),
    SharedRepresentationClassifier(
        hidden_layer_sizes=(16,), n_epochs=20, batch_size=32, random_state=0
    ),
]
CHECKS = [
    case
    for estimator in ESTIMATORS
    for case in estimator_checks_generator(
        estimator, expected_failed_checks={}, mark="xfail"
    )
]


def _name(case):
    if hasattr(case, "fit"):
        return type(case).__name__
    return getattr(case, "func", case).__name__


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=_name)
def test_scikit_learn_checks(estimator, check):
    """Each check of scikit-learn's contract holds, and none is left out."""
    check(estimator)


def test_most_checks_are_run():
    assert len(CHECKS) > 80
