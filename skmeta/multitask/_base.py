"""What classifiers of several tasks share: tables, labels, and whom to ask."""

from abc import ABC, abstractmethod
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skmeta._encoding import TableEncoder
from skmeta._inputs import TakesTables, check_table, check_target
from skmeta.multitask._network import import_torch
from skmeta.multitask._tasks import number_tasks


class MultitaskClassifier(TakesTables, ClassifierMixin, BaseEstimator, ABC):
    """Base of classifiers that learn from several tasks with the same columns.

    A derived class sets in `_learn` the attributes `models_`, by the number of the
    task, and `pooled_model_`: classifiers of represented rows.
    """

    def fit(self, X, y, task=None):
        """Learn from the rows of all tasks.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Numbers, categories, text, dates, with missing cells.
        y : array-like of shape (n_rows,)
            Classes.
        task : array-like of shape (n_rows,), default=None
            The id of each row's task, such as a string or a number. None says that
            all rows are of one task.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            If torch is not installed.
        ValueError
            If a parameter, the table, its classes or tasks cannot be used.

        Warns
        -----
        ConvergenceWarning
            If learning ended before it had converged.
        """
        import_torch(type(self).__name__)
        self._check_parameters()
        X = check_table(self, X, reset=True)
        y = check_target(y, X)
        self.tasks_, tasks = number_tasks(task, X.shape[0])
        self.classes_, classes = np.unique(y, return_inverse=True)
        self.encoder_ = make_encoder()
        encoded = self.encoder_.fit_transform(X).astype(np.float32)
        self._learn(encoded, classes, tasks)
        return self

    @abstractmethod
    def _check_parameters(self):
        """Raise an error if a parameter cannot be used."""

    def _check_common_parameters(self):
        sizes = self.hidden_layer_sizes
        is_list = isinstance(sizes, (tuple, list)) and len(sizes) > 0
        if not is_list or not all(isinstance(n, Integral) and n >= 1 for n in sizes):
            raise ValueError(
                f"hidden_layer_sizes must be a tuple of integers >= 1, one at least, "
                f"got: {sizes!r}."
            )
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction must be at least 0 and less than 1, got: "
                f"{self.validation_fraction!r}."
            )

    @abstractmethod
    def _learn(self, encoded, classes, tasks):
        """Learn from encoded rows, and the numbers of their classes and tasks."""

    def _represent(self, X):
        """Return what `models_` take of rows."""
        return self.encoder_.transform(X)

    def predict_proba(self, X, task=None):
        """Return the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.
        task : array-like of shape (n_rows,), default=None
            Ids of tasks that `fit` had. None asks what all rows together say.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            0 for what is no class of the row's task.

        Raises
        ------
        ValueError
            If a task is not known.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        asked = self._whom_to_ask(task, X.shape[0])
        represented = self._represent(X)
        probabilities = np.zeros((len(represented), len(self.classes_)))
        for model, rows in asked:
            columns = np.searchsorted(self.classes_, model.classes_)
            predicted = model.predict_proba(represented[rows])
            probabilities[np.ix_(rows, columns)] = predicted
        return probabilities

    def predict(self, X, task=None):
        """Return the most probable class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.
        task : array-like of shape (n_rows,), default=None
            Ids of tasks that `fit` had. None asks what all rows together say.

        Returns
        -------
        y : ndarray of shape (n_rows,)
        """
        labels = self.predict_proba(X, task).argmax(axis=1)
        return self.classes_[labels]

    def score(self, X, y, sample_weight=None, task=None):
        """Return the accuracy of `predict`.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.
        y : array-like of shape (n_rows,)
            Their classes.
        sample_weight : array-like of shape (n_rows,), default=None
            What each row counts.
        task : array-like of shape (n_rows,), default=None
            Ids of tasks that `fit` had. None asks what all rows together say.

        Returns
        -------
        accuracy : float
        """
        is_right = self.predict(X, task) == np.asarray(y)
        return float(np.average(is_right, weights=sample_weight))

    def _whom_to_ask(self, task, n_rows):
        """Return pairs of a model and the rows that it is asked for."""
        if task is None:
            return [(self._pooled(), np.arange(n_rows))]
        ids, codes = number_tasks(task, n_rows)
        number_of = {known: number for number, known in enumerate(self.tasks_)}
        unknown = [each for each in ids if each not in number_of]
        if unknown:
            raise ValueError(
                f"task must hold ids of the {len(self.tasks_)} tasks of fit, got: "
                f"{unknown[:5]!r}. Make a classifier for a new task by "
                f"adapt(X_support, y_support), or leave out task to ask what all "
                f"rows together say."
            )
        return [
            (self.models_[number_of[each]], np.flatnonzero(codes == code))
            for code, each in enumerate(ids)
        ]

    def _pooled(self):
        return self.pooled_model_


def make_encoder():
    """Return what turns a table into the inputs of a network."""
    return TableEncoder(categories="one_hot", impute=True, scale="robust")


def check_at_least(parameters, names, kind, least, allowed):
    """Raise an error if a parameter is no number, or too small.

    Parameters
    ----------
    parameters : dict
        Values by name.
    names : list of str
        Those to look at.
    kind : type
        Such as `numbers.Integral`.
    least : float
    allowed : str
        What it must be, for the message.
    """
    for name in names:
        value = parameters[name]
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        if not is_number or not value >= least:
            raise ValueError(f"{name} must be {allowed}, got: {value!r}.")
