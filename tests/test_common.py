"""scikit-learn's own checks, and every failure that is expected with its reason."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmeta import MetaHyperparamSelector, MetaLearnerClassifier

_WEIGHTS = (
    "repeated rows change the meta-features and the number of rows, and with them "
    "what is recommended; scikit-learn's own forests fail this check too"
)
EXPECTED_FAILURES = {
    "MetaLearnerClassifier": {
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
    },
    "MetaHyperparamSelector": {
        "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
        "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
    },
}


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix:UserWarning")
@parametrize_with_checks(
    [
        MetaLearnerClassifier(
            base_learners=["gaussian_nb", "logistic_regression"],
            n_candidates=2,
            random_state=0,
        ),
        MetaHyperparamSelector(LogisticRegression(), n_candidates=2, random_state=0),
    ],
    expected_failed_checks=lambda est: EXPECTED_FAILURES[type(est).__name__],
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
