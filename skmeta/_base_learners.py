"""The catalogue of base learners: what they are, what they take, what they need.

Every learner is a pipeline of a `TableEncoder` and a scikit-learn classifier, so
that all of them take the same tables and give probabilities.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
    is_classifier,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skmeta._augmentation import POLICIES, AugmentedClassifier
from skmeta._configuration import Configuration, ConfigurationSpace, Hyperparameter
from skmeta._encoding import TableEncoder
from skmeta._messages import did_you_mean

# Of every learner, but in no space: nobody who draws from one gets it unasked.
# docs/meta-learning.md has what it is worth.
AUGMENTATION = Hyperparameter("table__augmentation", None, choices=(None, *POLICIES))


@dataclass(frozen=True)
class TaskSize:
    """How large the rows that a learner will be fitted on are.

    Parameters
    ----------
    n_rows, n_columns, n_classes : int
        Of the table given to one fit, so of a training fold where there are
        folds.
    """

    n_rows: int
    n_columns: int
    n_classes: int = 2


def _as_they_are(values, size):
    return values


@dataclass(frozen=True)
class BaseLearner:
    """A kind of pipeline that may be recommended.

    Parameters
    ----------
    name : str
        Name in the catalogue.
    estimator : str
        Where the classifier is found, as ``"module:class"``.
    space : ConfigurationSpace
        Its hyperparameters.
    encoding : dict
        Parameters of the `TableEncoder` before it.
    fit_to_size : callable
        ``fit_to_size(hyperparameters, size)`` returns hyperparameters that
        suit a task of that size: never more neighbours than rows, leaves that
        fit 75 rows.
    fixed : dict
        Parameters of the classifier that are not part of the space.
    max_rows, max_cells : float
        Largest task the learner is offered for: its time grows faster than the
        rows, or its input has to be dense.
    has_margins : bool
        Whether the classifier gives margins instead of probabilities, which a
        sigmoid fitted out of fold turns into probabilities [1]_.
    wants_class_numbers : bool
        Whether the classifier takes no other classes than 0, 1, ..., or gives
        others back in another form.
    is_stoppable : bool
        Whether fits and predictions are many short calls, between which they can
        be stopped.

    References
    ----------
    .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    """

    name: str
    estimator: str
    space: ConfigurationSpace
    encoding: dict = field(default_factory=dict)
    fit_to_size: Callable = _as_they_are
    fixed: dict = field(default_factory=dict)
    max_rows: float = np.inf
    max_cells: float = np.inf
    has_margins: bool = False
    wants_class_numbers: bool = False
    is_stoppable: bool = True

    @property
    def is_installed(self):
        """Whether the package of the classifier is there."""
        return importlib.util.find_spec(_identity(self.estimator)[0]) is not None

    @property
    def estimator_class(self):
        """The classifier's class, imported when first asked for."""
        module, _, name = self.estimator.partition(":")
        return getattr(importlib.import_module(module), name)

    @property
    def defaults(self):
        """What a configuration leaves out: as in `space`, but as the encoder has it."""
        encoding = {f"table__{name}": value for name, value in self.encoding.items()}
        return {
            name: encoding.get(name, default)
            for name, default in self.space.default.items()
        }

    @property
    def takes_weights(self):
        """Whether `fit` of the classifier has `sample_weight`."""
        return has_fit_parameter(self.estimator_class, "sample_weight")

    def check(self, hyperparameters):
        """Raise a ValueError for an unknown hyperparameter or a value out of range."""
        values = dict(hyperparameters)
        policy = values.pop(AUGMENTATION.name, None)
        AUGMENTATION.check(policy)
        if policy == "class_weights" and not self.takes_weights:
            raise ValueError(
                f"{AUGMENTATION.name} must be another one than 'class_weights' for "
                f"{self.name}, which takes no weights, or 'oversample' instead."
            )
        if self.space.hyperparameters:  # of other classes than ours nobody knows them
            self.space.check(values)

    def suits(self, size):
        """Say whether the learner should be offered for a task of this size."""
        return (
            size.n_rows <= self.max_rows
            and size.n_rows * size.n_columns <= self.max_cells
        )

    def make(self, hyperparameters, size, random_state=None):
        """Return the unfitted pipeline.

        Parameters
        ----------
        hyperparameters : mapping
            Values from `space`; what is left out takes the classifier's own
            default.
        size : TaskSize
            Of the rows that the pipeline will be fitted on.
        random_state : int or None, default=None
            Given to the classifier if it takes one.

        Returns
        -------
        pipeline : Pipeline
            With the steps ``"table"`` and ``"learner"``.
        """
        values = self.fit_to_size(dict(hyperparameters), size)
        encoding, params = split_hyperparameters(values)
        classifier = self.estimator_class(**self.fixed, **params)
        if "random_state" in classifier.get_params():
            classifier.set_params(random_state=random_state)
        # Of what is learned from alone, and so no step of the pipeline; within folds
        # of a calibration, too.
        policy = encoding.pop("augmentation", None)
        if policy is not None:
            classifier = AugmentedClassifier(
                classifier, policy, random_state=random_state
            )
        if self.has_margins:
            classifier = CalibratedClassifierCV(
                classifier, cv=_calibration_folds(size), ensemble=False
            )
        if self.wants_class_numbers:
            classifier = ClassNumbers(classifier)
        encoder = TableEncoder(**(self.encoding | encoding))
        return Pipeline([("table", encoder), ("learner", classifier)])


class ClassNumbers(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Give a classifier class numbers from 0 whatever the classes are.

    Parameters
    ----------
    estimator : classifier
        Takes only class numbers, as XGBoost does, or predicts labels as a column,
        as CatBoost does.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, sample_weight=None):
        """Fit the classifier on the numbers of the classes.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Encoded table.
        y : array-like of shape (n_rows,)
            Classes.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        self
        """
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(X, numbers, sample_weight=sample_weight)
        return self

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Encoded table.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Encoded table.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
        """
        return self.estimator_.predict_proba(X)


def _calibration_folds(size):
    """Return three stratified folds, fewer where no class can have three rows.

    `CalibratedClassifierCV` refuses a class of fewer rows than folds when told a
    number of them, or given a `StratifiedKFold`. A repeated one it takes as it is.
    """
    n_largest = -(-size.n_rows // size.n_classes)  # the largest class has at least
    n_folds = min(3, max(2, n_largest))
    return RepeatedStratifiedKFold(n_splits=n_folds, n_repeats=1, random_state=0)


def split_hyperparameters(values):
    """Separate what is done to the table from what is the learner's.

    Parameters
    ----------
    values : mapping
        Hyperparameters; those of the table begin with ``table__``.

    Returns
    -------
    encoding, params : dict
    """
    prefix = "table__"
    encoding = {k[len(prefix) :]: v for k, v in values.items() if k.startswith(prefix)}
    params = {k: v for k, v in values.items() if not k.startswith(prefix)}
    return encoding, params


def _leaves_that_fit(values, size):
    """Cap the rows of a leaf at a twentieth of the table.

    The default of 20 rows was chosen for large tables: on 75 rows it leaves
    hardly a split to make and boosting predicts the prior.
    """
    if "min_samples_leaf" in values:
        values["min_samples_leaf"] = min(
            values["min_samples_leaf"], max(1, size.n_rows // 20)
        )
    return values


def _boosting_to_size(values, size):
    values = _leaves_that_fit(values, size)
    # Each round grows a tree for every class. Fewer rounds take longer steps.
    rounds = values.get("max_iter", 100)
    if size.n_classes > 20 and rounds > 100:
        values["max_iter"] = 100
        values["learning_rate"] = values.get("learning_rate", 0.1) * rounds / 100
    return values


def _boosters_to_size(values, size):
    if "min_child_samples" in values:
        values["min_child_samples"] = min(
            values["min_child_samples"], max(1, size.n_rows // 20)
        )
    return values


def _neighbours_to_size(values, size):
    values["n_neighbors"] = max(1, min(values.get("n_neighbors", 5), size.n_rows // 2))
    return values


def _solver_that_shrinks(values, size):
    if values.get("shrinkage") is not None:
        values["solver"] = "lsqr"
    return values


def _loss_with_probabilities(values, size):
    values.setdefault("loss", "log_loss")
    return values


def _epochs_to_size(values, size):
    """Fewer passes over more rows: about as many steps, at least fifteen passes."""
    epochs = 100 * 4_000 // max(size.n_rows, 4_000)
    values["max_iter"] = max(15, min(values.get("max_iter", 100), epochs))
    return values


# Where target_levels begins was measured: docs/benchmarks.md. Linear models, neural
# networks, kernels and naive Bayes gain from some 40 levels on, boosting and random
# forests a little where levels would share a code otherwise, neighbours and extra
# trees nothing. CatBoost's own way with categories took 10 to 30 times as long on
# seven tables of categories, for a lower log loss on four of them; XGBoost's gained on
# two. Both get codes.
_NATIVE = {"categories": "native", "target_levels": 254}
_ORDINAL = {"categories": "ordinal", "target_levels": 254}
_LINEAR = {
    "categories": "one_hot",
    "impute": True,
    "scale": "standard",
    "max_levels": 40,
    "target_levels": 40,
}
_SPARSE_LINEAR = _LINEAR | {"dense": False, "max_levels": 100, "text": "ngrams"}
_OTHERS = _LINEAR | {"max_levels": 254, "target_levels": None}
_DENSE_CELLS = 2e8  # 1.6 GB of float64

_SCALE = Hyperparameter(
    "table__scale", "standard", choices=("standard", "robust", "quantile")
)
_TREES = (
    Hyperparameter("n_estimators", 100, low=50, high=1000, log=True),
    Hyperparameter(
        "max_features", "sqrt", low=0.05, high=1.0, choices=("sqrt", "log2", 1)
    ),
    Hyperparameter("min_samples_leaf", 1, low=1, high=100, log=True),
    Hyperparameter("min_samples_split", 2, low=2, high=200, log=True),
    Hyperparameter("criterion", "gini", choices=("gini", "entropy")),
    Hyperparameter("max_depth", None, low=1, high=40, choices=(None,)),
)

_LEARNERS = (
    BaseLearner(
        "hist_gradient_boosting",
        "sklearn.ensemble:HistGradientBoostingClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("learning_rate", 0.1, low=0.005, high=0.5, log=True),
                Hyperparameter("max_iter", 100, low=20, high=1000, log=True),
                Hyperparameter("max_leaf_nodes", 31, low=2, high=255, log=True),
                Hyperparameter("min_samples_leaf", 20, low=1, high=200, log=True),
                Hyperparameter(
                    "l2_regularization",
                    0.0,
                    low=1e-6,
                    high=100.0,
                    log=True,
                    choices=(0.0,),
                ),
                Hyperparameter("max_features", 1.0, low=0.1, high=1.0),
                Hyperparameter("early_stopping", False, choices=(False, True, "auto")),
            )
        ),
        encoding=_NATIVE,
        fit_to_size=_boosting_to_size,
        max_cells=_DENSE_CELLS,
    ),
    BaseLearner(
        "random_forest",
        "sklearn.ensemble:RandomForestClassifier",
        ConfigurationSpace(
            (*_TREES, Hyperparameter("bootstrap", True, choices=(True, False)))
        ),
        encoding={"dense": False, "target_levels": 254},
        fit_to_size=_leaves_that_fit,
    ),
    BaseLearner(
        "extra_trees",
        "sklearn.ensemble:ExtraTreesClassifier",
        ConfigurationSpace(
            (*_TREES, Hyperparameter("bootstrap", False, choices=(False, True)))
        ),
        encoding={"dense": False},
        fit_to_size=_leaves_that_fit,
    ),
    BaseLearner(
        "decision_tree",
        "sklearn.tree:DecisionTreeClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("criterion", "gini", choices=("gini", "entropy")),
                Hyperparameter("max_depth", None, low=1, high=40, choices=(None,)),
                Hyperparameter("min_samples_leaf", 1, low=1, high=200, log=True),
                Hyperparameter("min_samples_split", 2, low=2, high=200, log=True),
                Hyperparameter("ccp_alpha", 0.0, low=0.0, high=0.1),
            )
        ),
        encoding={"dense": False},
        fit_to_size=_leaves_that_fit,
        is_stoppable=False,
    ),
    BaseLearner(
        "logistic_regression",
        "sklearn.linear_model:LogisticRegression",
        ConfigurationSpace(
            (
                Hyperparameter("C", 1.0, low=1e-5, high=1e5, log=True),
                Hyperparameter("fit_intercept", True, choices=(True, False)),
                _SCALE,
            )
        ),
        encoding=_SPARSE_LINEAR,
        fixed={"max_iter": 500},
    ),
    BaseLearner(
        "sgd",
        "sklearn.linear_model:SGDClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("alpha", 1e-4, low=1e-7, high=1.0, log=True),
                Hyperparameter(
                    "loss", "log_loss", choices=("log_loss", "modified_huber")
                ),
                Hyperparameter("penalty", "l2", choices=("l2", "l1", "elasticnet")),
                Hyperparameter("average", False, choices=(False, True)),
                _SCALE,
            )
        ),
        encoding=_SPARSE_LINEAR,
        fit_to_size=_loss_with_probabilities,
        fixed={"max_iter": 200},
    ),
    BaseLearner(
        "linear_svc",
        "sklearn.svm:LinearSVC",
        ConfigurationSpace(
            (
                Hyperparameter("C", 1.0, low=1e-5, high=1e3, log=True),
                Hyperparameter(
                    "loss", "squared_hinge", choices=("squared_hinge", "hinge")
                ),
                _SCALE,
            )
        ),
        encoding=_SPARSE_LINEAR,
        fixed={"max_iter": 2000},
        max_rows=100_000,
        has_margins=True,
        is_stoppable=False,
    ),
    BaseLearner(
        "svc",
        "sklearn.svm:SVC",
        ConfigurationSpace(
            (
                Hyperparameter("kernel", "rbf", choices=("rbf", "poly")),
                Hyperparameter("C", 1.0, low=1e-3, high=1e4, log=True),
                Hyperparameter(
                    "gamma",
                    "scale",
                    low=1e-5,
                    high=10.0,
                    log=True,
                    choices=("scale", "auto"),
                ),
                Hyperparameter("degree", 3, choices=(2, 3)),
                Hyperparameter("coef0", 0.0, choices=(0.0, 1.0)),
                _SCALE,
            )
        ),
        encoding=_LINEAR,
        fixed={"cache_size": 500},
        max_rows=15_000,
        max_cells=_DENSE_CELLS,
        has_margins=True,
        is_stoppable=False,
    ),
    BaseLearner(
        "mlp",
        "sklearn.neural_network:MLPClassifier",
        ConfigurationSpace(
            (
                Hyperparameter(
                    "hidden_layer_sizes",
                    (100,),
                    choices=(
                        (16,),
                        (100,),
                        (256,),
                        (64, 64),
                        (128, 128),
                        (256, 128, 64),
                    ),
                ),
                Hyperparameter("alpha", 1e-4, low=1e-7, high=10.0, log=True),
                Hyperparameter(
                    "learning_rate_init", 1e-3, low=1e-4, high=1e-1, log=True
                ),
                Hyperparameter("activation", "relu", choices=("relu", "tanh")),
                Hyperparameter("max_iter", 100, low=15, high=300),
                _SCALE,
            )
        ),
        encoding=_LINEAR | {"scale": "robust", "max_levels": 60},
        fit_to_size=_epochs_to_size,
        max_rows=200_000,
        max_cells=_DENSE_CELLS,
    ),
    BaseLearner(
        "k_nearest_neighbors",
        "sklearn.neighbors:KNeighborsClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("n_neighbors", 5, low=1, high=200, log=True),
                Hyperparameter("weights", "uniform", choices=("uniform", "distance")),
                Hyperparameter("p", 2, choices=(1, 2)),
                _SCALE,
            )
        ),
        encoding=_LINEAR | {"target_levels": None},
        fit_to_size=_neighbours_to_size,
        max_rows=50_000,
        max_cells=2e7,  # every prediction reads the whole table
        is_stoppable=False,
    ),
    BaseLearner(
        "gaussian_nb",
        "sklearn.naive_bayes:GaussianNB",
        ConfigurationSpace(
            (
                Hyperparameter("var_smoothing", 1e-9, low=1e-12, high=1.0, log=True),
                _SCALE,
            )
        ),
        encoding=_LINEAR,
        max_cells=_DENSE_CELLS,
    ),
    BaseLearner(
        "linear_discriminant_analysis",
        "sklearn.discriminant_analysis:LinearDiscriminantAnalysis",
        ConfigurationSpace(
            (
                Hyperparameter("solver", "svd", choices=("svd", "lsqr")),
                Hyperparameter(
                    "shrinkage", None, low=0.0, high=1.0, choices=(None, "auto")
                ),
                _SCALE,
            )
        ),
        encoding=_LINEAR,
        fit_to_size=_solver_that_shrinks,
        max_cells=_DENSE_CELLS,
        is_stoppable=False,
    ),
    BaseLearner(
        "quadratic_discriminant_analysis",
        "sklearn.discriminant_analysis:QuadraticDiscriminantAnalysis",
        ConfigurationSpace(
            (
                Hyperparameter("reg_param", 0.0, low=0.0, high=1.0),
                _SCALE,
            )
        ),
        encoding=_LINEAR,
        max_cells=_DENSE_CELLS,
        is_stoppable=False,
    ),
    BaseLearner(
        "lightgbm",
        "lightgbm:LGBMClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("learning_rate", 0.1, low=0.005, high=0.5, log=True),
                Hyperparameter("n_estimators", 100, low=20, high=1000, log=True),
                Hyperparameter("num_leaves", 31, low=2, high=255, log=True),
                Hyperparameter("min_child_samples", 20, low=1, high=200, log=True),
                Hyperparameter("subsample", 1.0, low=0.3, high=1.0),
                Hyperparameter("subsample_freq", 0, choices=(0, 1)),
                Hyperparameter("colsample_bytree", 1.0, low=0.1, high=1.0),
                Hyperparameter("extra_trees", False, choices=(False, True)),
            )
        ),
        encoding=_NATIVE,
        fit_to_size=_boosters_to_size,
        fixed={"verbosity": -1, "n_jobs": 1},
        max_cells=_DENSE_CELLS,
    ),
    BaseLearner(
        "xgboost",
        "xgboost:XGBClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("learning_rate", 0.3, low=0.005, high=0.5, log=True),
                Hyperparameter("n_estimators", 100, low=20, high=1000, log=True),
                Hyperparameter("max_depth", 6, low=1, high=12),
                Hyperparameter("min_child_weight", 1.0, low=1e-3, high=100.0, log=True),
                Hyperparameter("subsample", 1.0, low=0.3, high=1.0),
                Hyperparameter("colsample_bylevel", 1.0, low=0.1, high=1.0),
                Hyperparameter(
                    "reg_lambda", 1.0, low=1e-6, high=100.0, log=True, choices=(0.0,)
                ),
            )
        ),
        encoding=_ORDINAL,
        fixed={"n_jobs": 1, "verbosity": 0},
        max_cells=_DENSE_CELLS,
        wants_class_numbers=True,
    ),
    BaseLearner(
        "catboost",
        "catboost:CatBoostClassifier",
        ConfigurationSpace(
            (
                Hyperparameter("learning_rate", 0.08, low=0.005, high=0.5, log=True),
                Hyperparameter("iterations", 200, low=20, high=1000, log=True),
                Hyperparameter("depth", 6, low=1, high=10),
                Hyperparameter("l2_leaf_reg", 3.0, low=1e-6, high=100.0, log=True),
                Hyperparameter("random_strength", 1.0, low=0.0, high=10.0),
                Hyperparameter("bootstrap_type", "MVS", choices=("MVS", "Bernoulli")),
                Hyperparameter("subsample", 0.8, low=0.3, high=1.0),
            )
        ),
        encoding=_ORDINAL,
        fixed={"verbose": False, "allow_writing_files": False, "thread_count": 1},
        max_cells=_DENSE_CELLS,
        wants_class_numbers=True,
        is_stoppable=False,
    ),
)

BASE_LEARNERS = {learner.name: learner for learner in _LEARNERS}

# Defaults first, then spread: each line differs from the ones above it in what
# it is good at (bias, smoothness, feature sampling, scale of the inputs), not
# in the last digit. Ranges follow published portfolios and meta-tuned defaults
# (auto-sklearn 2, JMLR 2022; TabArena, 2025; Better by Default, NeurIPS 2024).
_DEFAULT_CONFIGURATIONS = (
    ("hist_gradient_boosting", {"min_samples_leaf": 20}),
    ("random_forest", {"min_samples_leaf": 1}),
    ("extra_trees", {"min_samples_leaf": 1}),
    ("logistic_regression", {"C": 1.0}),
    ("svc", {"C": 1.0}),
    ("mlp", {"hidden_layer_sizes": (100,)}),
    ("k_nearest_neighbors", {"n_neighbors": 5}),
    ("gaussian_nb", {"var_smoothing": 1e-9}),
    ("linear_discriminant_analysis", {"solver": "svd"}),
    ("quadratic_discriminant_analysis", {"reg_param": 1e-3}),
    ("linear_svc", {"C": 1.0}),
    ("sgd", {"loss": "log_loss", "alpha": 1e-4}),
    ("decision_tree", {"min_samples_leaf": 1}),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.05, "max_iter": 200, "max_leaf_nodes": 12,
         "min_samples_leaf": 10, "l2_regularization": 1.0},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.03, "max_iter": 300, "max_leaf_nodes": 31,
         "min_samples_leaf": 5, "max_features": 0.4},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.1, "max_iter": 150, "max_leaf_nodes": 4,
         "min_samples_leaf": 20},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.1, "max_iter": 250, "max_leaf_nodes": 2,
         "min_samples_leaf": 5},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.02, "max_iter": 150, "max_leaf_nodes": 16,
         "min_samples_leaf": 40, "l2_regularization": 10.0, "max_features": 0.3},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.2, "max_iter": 40, "max_leaf_nodes": 15,
         "min_samples_leaf": 3},
    ),
    (
        "random_forest",
        {"min_samples_leaf": 3, "max_features": "sqrt", "n_estimators": 200},
    ),
    (
        "random_forest",
        {"min_samples_leaf": 2, "max_features": 0.5, "criterion": "entropy"},
    ),
    ("random_forest", {"min_samples_leaf": 10, "max_features": 0.7}),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.05, "max_iter": 150, "max_leaf_nodes": 6,
         "min_samples_leaf": 10, "l2_regularization": 5.0, "max_features": 0.5},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.1, "max_iter": 200, "max_leaf_nodes": 8,
         "min_samples_leaf": 2},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.06, "max_iter": 120, "max_leaf_nodes": 24,
         "min_samples_leaf": 15, "max_features": 0.15},
    ),
    (
        "hist_gradient_boosting",
        {"learning_rate": 0.03, "max_iter": 100, "max_leaf_nodes": 3,
         "min_samples_leaf": 30, "l2_regularization": 1.0},
    ),
    ("random_forest", {"min_samples_leaf": 5, "max_features": 0.3}),
    (
        "random_forest",
        {"min_samples_leaf": 1, "max_features": 0.15, "criterion": "entropy"},
    ),
    (
        "random_forest",
        {"min_samples_leaf": 20, "max_features": "sqrt", "max_depth": 6},
    ),
    ("random_forest", {"min_samples_leaf": 1, "max_features": 1.0}),
    (
        "extra_trees",
        {"min_samples_leaf": 1, "max_features": 0.5, "criterion": "entropy"},
    ),
    ("extra_trees", {"min_samples_leaf": 1, "max_features": 1.0, "n_estimators": 200}),
    ("extra_trees", {"min_samples_leaf": 3, "max_features": 0.75}),
    (
        "extra_trees",
        {"min_samples_leaf": 8, "max_features": "sqrt", "n_estimators": 200},
    ),
    ("extra_trees", {"min_samples_leaf": 2, "max_features": 1}),
    (
        "extra_trees",
        {"min_samples_leaf": 4, "max_features": "sqrt", "n_estimators": 200,
         "bootstrap": True},
    ),
    ("extra_trees", {"min_samples_leaf": 2, "max_features": 0.25}),
    (
        "extra_trees",
        {"min_samples_leaf": 15, "max_features": 1.0, "criterion": "entropy"},
    ),
    ("logistic_regression", {"C": 0.01}),
    ("logistic_regression", {"C": 0.1, "table__scale": "quantile"}),
    ("logistic_regression", {"C": 30.0}),
    ("logistic_regression", {"C": 1.0, "table__scale": "robust"}),
    ("logistic_regression", {"C": 0.001}),
    ("logistic_regression", {"C": 2.0, "table__scale": "quantile"}),
    ("logistic_regression", {"C": 100.0, "table__scale": "quantile"}),
    (
        "sgd",
        {"loss": "log_loss", "alpha": 3e-3, "penalty": "l1", "average": True},
    ),
    (
        "sgd",
        {"loss": "log_loss", "alpha": 0.01, "penalty": "elasticnet", "average": True,
         "table__scale": "quantile"},
    ),
    ("sgd", {"loss": "modified_huber", "alpha": 1e-3, "average": True}),
    ("linear_svc", {"C": 0.01}),
    ("linear_svc", {"C": 0.1, "table__scale": "quantile"}),
    ("svc", {"C": 10.0}),
    ("svc", {"C": 1.0, "table__scale": "quantile"}),
    ("svc", {"C": 100.0, "gamma": 0.01}),
    ("svc", {"C": 10.0, "gamma": 0.1}),
    ("svc", {"C": 3.0, "gamma": 0.003}),
    ("svc", {"C": 3.0, "table__scale": "robust"}),
    ("svc", {"C": 10.0, "gamma": 0.03, "table__scale": "quantile"}),
    ("svc", {"C": 1.0, "kernel": "poly", "degree": 2, "coef0": 1.0}),
    ("svc", {"C": 1.0, "kernel": "poly", "degree": 3, "coef0": 1.0}),
    ("mlp", {"hidden_layer_sizes": (256,), "alpha": 0.1, "learning_rate_init": 0.003}),
    (
        "mlp",
        {"hidden_layer_sizes": (128, 128), "alpha": 0.01, "table__scale": "quantile"},
    ),
    ("mlp", {"hidden_layer_sizes": (16,), "alpha": 1.0, "learning_rate_init": 0.01}),
    (
        "mlp",
        {"hidden_layer_sizes": (64, 64), "alpha": 1e-3, "activation": "tanh",
         "learning_rate_init": 0.003},
    ),
    (
        "mlp",
        {"hidden_layer_sizes": (100,), "alpha": 3.0, "activation": "tanh",
         "learning_rate_init": 0.003},
    ),
    (
        "mlp",
        {"hidden_layer_sizes": (16,), "alpha": 0.3, "learning_rate_init": 0.01,
         "table__scale": "quantile"},
    ),
    ("mlp", {"hidden_layer_sizes": (64, 64), "alpha": 1.0, "max_iter": 40}),
    ("k_nearest_neighbors", {"n_neighbors": 1}),
    ("k_nearest_neighbors", {"n_neighbors": 15, "weights": "distance", "p": 1}),
    ("k_nearest_neighbors", {"n_neighbors": 50, "table__scale": "quantile"}),
    (
        "k_nearest_neighbors",
        {"n_neighbors": 25, "weights": "distance", "p": 1, "table__scale": "quantile"},
    ),
    (
        "k_nearest_neighbors",
        {"n_neighbors": 7, "weights": "distance", "p": 1, "table__scale": "robust"},
    ),
    ("gaussian_nb", {"var_smoothing": 0.03}),
    ("gaussian_nb", {"var_smoothing": 1e-3, "table__scale": "quantile"}),
    ("gaussian_nb", {"var_smoothing": 0.3}),
    ("gaussian_nb", {"var_smoothing": 0.1, "table__scale": "quantile"}),
    ("linear_discriminant_analysis", {"solver": "lsqr", "shrinkage": "auto"}),
    (
        "linear_discriminant_analysis",
        {"solver": "lsqr", "shrinkage": 0.1, "table__scale": "quantile"},
    ),
    ("linear_discriminant_analysis", {"solver": "lsqr", "shrinkage": 0.5}),
    ("quadratic_discriminant_analysis", {"reg_param": 0.1}),
    (
        "quadratic_discriminant_analysis",
        {"reg_param": 0.02, "table__scale": "quantile"},
    ),
    ("quadratic_discriminant_analysis", {"reg_param": 0.5, "table__scale": "quantile"}),
    ("decision_tree", {"min_samples_leaf": 5, "criterion": "entropy"}),
    ("decision_tree", {"min_samples_leaf": 10, "max_depth": 4}),
    ("decision_tree", {"min_samples_leaf": 1, "ccp_alpha": 0.003}),
    ("lightgbm", {"min_child_samples": 20}),
    (
        "lightgbm",
        {"learning_rate": 0.04, "n_estimators": 200, "num_leaves": 50,
         "min_child_samples": 40, "subsample": 0.75, "subsample_freq": 1},
    ),
    (
        "lightgbm",
        {"learning_rate": 0.05, "n_estimators": 150, "num_leaves": 15,
         "min_child_samples": 5, "extra_trees": True, "colsample_bytree": 0.6},
    ),
    (
        "lightgbm",
        {"learning_rate": 0.05, "n_estimators": 150, "num_leaves": 128,
         "min_child_samples": 3, "colsample_bytree": 0.9},
    ),
    ("lightgbm", {"n_estimators": 150, "num_leaves": 4}),
    (
        "lightgbm",
        {"learning_rate": 0.02, "n_estimators": 300, "num_leaves": 16,
         "min_child_samples": 60, "subsample": 0.5, "subsample_freq": 1,
         "colsample_bytree": 0.3},
    ),
    (
        "lightgbm",
        {"learning_rate": 0.2, "n_estimators": 40, "min_child_samples": 3,
         "colsample_bytree": 0.8},
    ),
    ("lightgbm", {"learning_rate": 0.03, "n_estimators": 300, "extra_trees": True}),
    ("xgboost", {"learning_rate": 0.3}),
    (
        "xgboost",
        {"learning_rate": 0.08, "n_estimators": 200, "max_depth": 6, "subsample": 0.65,
         "colsample_bylevel": 0.9, "reg_lambda": 0.0},
    ),
    ("xgboost", {"learning_rate": 0.1, "n_estimators": 100, "max_depth": 3}),
    (
        "xgboost",
        {"learning_rate": 0.03, "n_estimators": 300, "max_depth": 8,
         "min_child_weight": 0.01, "subsample": 0.9, "colsample_bylevel": 0.5},
    ),
    ("xgboost", {"learning_rate": 0.05, "n_estimators": 300, "max_depth": 2}),
    (
        "xgboost",
        {"learning_rate": 0.05, "n_estimators": 200, "max_depth": 5,
         "min_child_weight": 10.0, "subsample": 0.7, "colsample_bylevel": 0.3,
         "reg_lambda": 10.0},
    ),
    ("xgboost", {"learning_rate": 0.1, "n_estimators": 200, "max_depth": 1}),
    (
        "xgboost",
        {"learning_rate": 0.2, "n_estimators": 60, "max_depth": 10,
         "min_child_weight": 0.1, "colsample_bylevel": 0.7},
    ),
    ("catboost", {"iterations": 200, "depth": 6}),
    (
        "catboost",
        {"learning_rate": 0.08, "iterations": 200, "depth": 7, "l2_leaf_reg": 1e-5,
         "bootstrap_type": "Bernoulli", "subsample": 0.9, "random_strength": 0.8},
    ),
    ("catboost", {"iterations": 200, "depth": 4}),
    ("catboost", {"learning_rate": 0.03, "iterations": 300, "depth": 6}),
    (
        "catboost",
        {"learning_rate": 0.15, "iterations": 100, "depth": 8, "random_strength": 0.0},
    ),
    ("catboost", {"learning_rate": 0.05, "iterations": 300, "depth": 2}),
    (
        "catboost",
        {"learning_rate": 0.05, "iterations": 250, "depth": 5, "l2_leaf_reg": 30.0,
         "random_strength": 3.0},
    ),
    (
        "catboost",
        {"learning_rate": 0.1, "iterations": 200, "depth": 6, "l2_leaf_reg": 0.1,
         "bootstrap_type": "Bernoulli", "subsample": 0.5},
    ),
)  # fmt: skip


def default_configurations(learners=None):
    """Return the configurations a knowledge base is built from unless told otherwise.

    Parameters
    ----------
    learners : sequence of str, default=None
        Only those of these base learners. None takes all that are installed.

    Returns
    -------
    configurations : list of Configuration
        Untuned defaults first, then a spread over learners and hyperparameters.

    Raises
    ------
    ValueError
        If a name is not in the catalogue.
    """
    if learners is None:
        learners = [name for name, known in BASE_LEARNERS.items() if known.is_installed]
    learners = check_learners(learners)
    return [
        Configuration(learner, hyperparameters)
        for learner, hyperparameters in _DEFAULT_CONFIGURATIONS
        if learner in learners
    ]


def check_learners(names):
    """Return names of base learners as a list, after checking that all are known.

    Parameters
    ----------
    names : str or sequence of str
        Names in the catalogue, or import paths as `get_learner` takes them.

    Returns
    -------
    names : list of str

    Raises
    ------
    TypeError
        If it is not a sequence.
    ValueError
        If a name is not in the catalogue, or there is none.
    """
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, Iterable):
        raise TypeError(f"base_learners must be a sequence of names, got: {names!r}.")
    names = list(names)
    unknown = [n for n in names if n not in BASE_LEARNERS and ":" not in str(n)]
    if unknown or not names:
        paths = [":".join(str(n).rsplit(".", 1)) for n in unknown if "." in str(n)]
        question = did_you_mean(unknown, [*BASE_LEARNERS, *paths])
        raise ValueError(
            f"base_learners must be one or more of {sorted(BASE_LEARNERS)}, "
            f"got: {unknown or names!r}.{question}"
        )
    return names


def how_to_teach(path):
    """Say how a classifier becomes known, at the end of a message.

    Parameters
    ----------
    path : str
        Where it is imported from, as in ``"sklearn.ensemble:AdaBoostClassifier"``.

    Returns
    -------
    advice : str
    """
    return (
        f" To teach it another one, build a knowledge base from configurations of it, "
        f"such as Configuration({path!r}, {{...}}), with "
        f"skmeta.knowledge.build_knowledge, and pass that as knowledge."
    )


def get_learner(name):
    """Return a base learner by its name in the catalogue, or by its import path.

    Parameters
    ----------
    name : str
        Such as ``"random_forest"``, or ``"module:class"`` for a classifier that
        is not in the catalogue: its table is then one-hot encoded, imputed and
        standardized.

    Returns
    -------
    learner : BaseLearner

    Raises
    ------
    ValueError
        If the catalogue has no such name.
    """
    if ":" in name:
        return BaseLearner(name, name, ConfigurationSpace(()), encoding=_OTHERS)
    (name,) = check_learners(name)
    return BASE_LEARNERS[name]


def find_learner(estimator, taught=()):
    """Find the classifier of a known class in an estimator.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a pipeline or meta-estimator that holds one.
    taught : iterable of str, default=()
        Names of base learners known besides the catalogue, as
        ``"module:class"``.

    Returns
    -------
    learner : BaseLearner
        From the catalogue.
    prefix : str
        What stands before its parameters' names in ``estimator.set_params``:
        empty, or such as ``"svc__"``.

    Raises
    ------
    ValueError
        If there is none, or several at the same depth.
    """
    others = [get_learner(name) for name in taught if ":" in name]
    # By name and package, so that nothing has to be imported to compare.
    known = {_identity(learner.estimator): learner for learner in (*_LEARNERS, *others)}
    parts = {"": estimator, **estimator.get_params(deep=True)}
    found = {}
    for name, part in parts.items():
        identity = next((i for i in _identities(type(part)) if i in known), None)
        if identity is not None:
            found[name] = known[identity]
    if not found:
        unknown = estimator
        while hasattr(unknown, "steps"):
            unknown = unknown.steps[-1][1]
        # Most classes can be imported from the module above a private one.
        module = type(unknown).__module__.partition("._")[0]
        if isinstance(unknown, BaseEstimator) and not is_classifier(unknown):
            raise ValueError(
                f"estimator must be or hold a classifier, since what is known are "
                f"scores of classifiers, got: {estimator!r}."
            )
        raise ValueError(
            f"estimator must be or hold one of {sorted(name for _, name in known)}, "
            f"got: {estimator!r}.{how_to_teach(f'{module}:{type(unknown).__name__}')}"
        )
    outermost = min(_depth(name) for name in found)
    names = [name for name in found if _depth(name) == outermost]
    if len(names) > 1:
        raise ValueError(
            f"estimator must hold one classifier to choose hyperparameters for, "
            f"got several: {names}. Search for each of them on its own."
        )
    (name,) = names
    return found[name], f"{name}__" if name else ""


def _identities(kind):
    """Yield package and name of a class, and of those that a class of a user's extends.

    Packages extend their own classes to what is something else.
    """
    package = kind.__module__.partition(".")[0]
    for each in kind.__mro__:
        if each is kind or each.__module__.partition(".")[0] != package:
            yield _identity(f"{each.__module__}:{each.__name__}")


def _identity(path):
    """Return package and class name of a path such as ``"sklearn.svm:SVC"``."""
    module, _, name = path.partition(":")
    return module.partition(".")[0], name


def _depth(name):
    return len(name.split("__")) if name else 0


def make_estimator(configuration, size, random_state=None):
    """Return the unfitted pipeline of a configuration.

    Parameters
    ----------
    configuration : Configuration
        Its learner is a name that `get_learner` takes.
    size : TaskSize
        Of the rows that the pipeline will be fitted on.
    random_state : int or None, default=None
        Given to the classifier if it takes one.

    Returns
    -------
    pipeline : Pipeline
        With the steps ``"table"`` and ``"learner"``.

    Examples
    --------
    >>> from skmeta import Configuration
    >>> from skmeta._base_learners import TaskSize, make_estimator
    >>> neighbours = Configuration("k_nearest_neighbors", {"n_neighbors": 50})
    >>> pipeline = make_estimator(neighbours, TaskSize(n_rows=30, n_columns=2))
    >>> pipeline["learner"].n_neighbors
    15
    """
    learner = get_learner(configuration.learner)
    return learner.make(configuration.hyperparameters, size, random_state)
