"""One small model that imitates several."""

import numpy as np
from scipy import sparse

from skmeta._base_learners import TaskSize, make_estimator
from skmeta._configuration import Configuration
from skmeta._ensemble import WeightedEnsemble
from skmeta._evaluation import take_rows
from skmeta._export import to_sklearn, warn_of_labels
from skmeta._messages import warn
from skmeta._tables import as_frame, as_table
from skmeta._workers import calm

# What imitates: it is fast for a row and for many, and takes tables as they are.
STUDENT = Configuration(
    "hist_gradient_boosting",
    {
        "learning_rate": 0.1,
        "max_iter": 100,
        "max_leaf_nodes": 15,
        "min_samples_leaf": 5,
        # Rows count by the probability of a class: few of them would make great steps.
        "l2_regularization": 1.0,
    },
)

# How often a cell of a made-up row comes from another row.
_SHARE_MIXED = 0.2

# Probabilities below are left out of what a row is said to be.
_LEAST_SHARE = 0.02

# On the likely classes of the rows given; less is worth a warning.
_LEAST_AGREEMENT = 0.9

_ROWS_PER_ROW, _LEAST_ROWS, _MOST_ROWS = 5, 2_000, 50_000


class DistilledClassifier(WeightedEnsemble):
    """An ensemble of one small model, which can leave skmeta."""

    def to_sklearn(self):
        """Return what predicts as an estimator of scikit-learn alone.

        Its probabilities are those of this classifier, and so are its labels, apart
        from weights of more than two classes (``class_weights``), of which it warns. A
        clone of it that is fitted learns from classes, and imitates nothing.

        Returns
        -------
        estimator : Pipeline or FixedThresholdClassifier
            Fitted. It is independent of this classifier.

        Raises
        ------
        ValueError
            If something has no equal in plain scikit-learn; it says what.
        """
        warn_of_labels(self.class_weights, "class_weights")
        return to_sklearn(self)


def distil(teacher, X, n_rows=None, random_state=0):
    """Fit one pipeline to the probabilities of a classifier [1]_.

    Rows are made up besides those given: each is a copy of one of them in which some
    cells are those of another one that the classifier thinks to be of the same class,
    so that every column keeps its distribution within a class.

    Parameters
    ----------
    teacher : WeightedEnsemble
        Fitted.
    X : table of shape (n_given, n_columns)
        Rows such as those to be predicted; their classes need not be known.
    n_rows : int, default=None
        How many rows it learns from, the given ones included. None is five times as
        many, within 2,000 and 50,000.
    random_state : int, default=0
        Seeds everything.

    Returns
    -------
    student : DistilledClassifier
        Of one member, with the weights of the classes that the teacher has for labels.

    References
    ----------
    .. [1] C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model Compression", KDD 2006.
    """
    rng = np.random.default_rng(random_state)
    n_given = np.shape(X)[0]
    if n_rows is None:
        n_rows = int(np.clip(_ROWS_PER_ROW * n_given, _LEAST_ROWS, _MOST_ROWS))
    likely = teacher.predict_proba(X).argmax(axis=1)
    mixed = mix_rows(X, likely, max(0, n_rows - n_given), rng)
    probabilities = teacher.predict_proba(mixed)
    # A row for each class that it may be, with its probability as the weight.
    is_likely = probabilities >= _LEAST_SHARE
    # Every class is known to the student, if from the two rows that a holdout needs.
    for number, of_class in enumerate(probabilities.T):
        is_likely[np.argsort(of_class)[-2:], number] = True
    rows, classes = np.nonzero(is_likely)
    size = TaskSize(*np.shape(mixed), len(teacher.classes_))
    student = make_estimator(STUDENT, size, random_state)
    with calm():
        # What a column is, is learned from the rows as they are: among copies ids
        # would be categories.
        encoder = student["table"].fit(X, teacher.classes_[likely])
        encoded = take_rows(encoder.transform(mixed), rows)
        student["learner"].fit(
            encoded, teacher.classes_[classes], probabilities[rows, classes]
        )
    student = DistilledClassifier([student], None, teacher.class_weights)
    student.use(student.estimators)
    agreement = np.mean(student.predict_proba(X).argmax(axis=1) == likely)
    if agreement < _LEAST_AGREEMENT:
        warn(
            f"The small model thinks that {agreement:.0%} of the rows are of the class "
            f"that the classifier thinks they are. Give distil more rows, or use "
            f"ensemble_size=1."
        )
    return student


def mix_rows(X, likely, n_new, rng):
    """Return the rows of a table, and made-up ones below them.

    Parameters
    ----------
    X : table of shape (n_rows, n_columns)
    likely : ndarray of int of shape (n_rows,)
        The likely class of each row: rows of one class are mixed.
    n_new : int
        Rows to make up.
    rng : Generator

    Returns
    -------
    table : table of shape (n_rows + n_new, n_columns)
        Of a sparse matrix, whose rows are long, the made-up rows are copies.
    """
    n_given = len(likely)
    first = rng.integers(n_given, size=n_new)
    other = np.empty(n_new, dtype=np.int64)
    for each in np.unique(likely):
        own = likely[first] == each
        other[own] = rng.choice(np.flatnonzero(likely == each), own.sum())
    given = np.arange(n_given)
    if sparse.issparse(X):
        return take_rows(X, np.concatenate([given, first]))
    frame = as_frame(as_table(X))
    columns = {}
    for position in range(frame.shape[1]):
        is_other = rng.random(n_new) < _SHARE_MIXED
        rows = np.concatenate([given, np.where(is_other, other, first)])
        columns[position] = frame.iloc[:, position].take(rows).reset_index(drop=True)
    mixed = type(frame)(columns)
    mixed.columns = frame.columns
    return mixed.to_numpy() if isinstance(X, np.ndarray) else mixed
