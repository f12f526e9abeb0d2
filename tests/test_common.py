"""scikit-learn's own checks, and every failure that is expected with its reason."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import estimator_checks_generator

from skmeta import (
    AugmentedClassifier,
    MetaDecisionTreeClassifier,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
)

_WEIGHTS = (
    "repeated rows change the meta-features and the number of rows, and with them "
    "what is recommended; scikit-learn's own forests fail this check too"
)
EXPECTED_FAILURES = {
    "MetaLearnerClassifier": {
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
    },
    "MetaHyperparamSelector": {},
    "MetaDecisionTreeClassifier": {},
    "AugmentedClassifier": {},
}


ESTIMATORS = [
    MetaLearnerClassifier(
        base_learners=["gaussian_nb", "logistic_regression"],
        n_candidates=2,
        random_state=0,
    ),
    # Recommended is the same whatever the table: what is checked are the weights, and
    # not, as above, whether repeated rows happen to lead to the same candidates.
    MetaHyperparamSelector(
        LogisticRegression(), recommender="average", n_candidates=2, random_state=0
    ),
    # Five classifiers for each part of the table: more parts are only more of the same.
    MetaDecisionTreeClassifier(cv=2, random_state=0),
    # The policy in which rows of weight 0 are as if they were not there.
    AugmentedClassifier(LogisticRegression(), "class_weights"),
]
# As `parametrize_with_checks` does, whose generator pytest 9 warns about with
# scikit-learn 1.6.
CHECKS = [
    case
    for estimator in ESTIMATORS
    for case in estimator_checks_generator(
        estimator,
        expected_failed_checks=EXPECTED_FAILURES[type(estimator).__name__],
        mark="xfail",
    )
]


def _name(case):
    if hasattr(case, "fit"):
        return type(case).__name__
    return getattr(case, "func", case).__name__


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=_name)
def test_scikit_learn_checks(estimator, check):
    """Each check of scikit-learn's contract holds."""
    check(estimator)


def test_most_checks_are_run():
    """The list above holds the whole of the contract, for both classes."""
    assert len(CHECKS) > 100
