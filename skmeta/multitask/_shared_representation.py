"""One encoder for all tasks, and a linear head for each."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from skmeta._inputs import check_table, check_target, make_seed
from skmeta.multitask._base import MultitaskClassifier, check_at_least
from skmeta.multitask._network import (
    BestWeights,
    hidden,
    losses,
    random_weights,
    warn_of_end,
)
from skmeta.multitask._tasks import rows_by_task


class SharedRepresentationClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, MultitaskClassifier
):
    """Learn what to look at from all tasks, and what follows from it for each [1]_.

    The hidden layers of a network are learned from the rows of all tasks, each with
    outputs of its own. What they give is the representation, of which a logistic
    regression is fitted for each task, known or new. Tasks may have different classes.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Units of the hidden layers, of which the last is the representation.
    C : float, default=1.0
        Inverse of the penalty of the logistic regressions: less is simpler.
    learning_rate : float, default=0.003
        Rate of Adam, which learns the hidden layers.
    batch_size : int, default=32
        Rows of a step.
    n_epochs : int, default=200
        Most times that all rows are seen.
    tolerance : float, default=0.001
        By how much the loss on held-out rows must fall to go on.
    n_iter_no_change : int, default=20
        Epochs without such a fall before learning stops.
    validation_fraction : float, default=0.2
        Share of the rows of each class of each task that are held out, to stop by. If
        that is none, learning stops by the loss on all rows.
    device : str, default="cpu"
        Where torch computes.
    random_state : int, RandomState, Generator or None, default=None
        Seeds weights and the order of rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of all tasks.
    tasks_ : ndarray of shape (n_tasks,)
        Ids.
    loss_curve_, validation_curve_ : list of float
        Mean loss of each epoch, and after it on held-out rows.
    n_iter_ : int
        Epochs.
    converged_ : bool
        Whether the loss on held-out rows had ended to fall.
    encoder_ : transformer
        From the table to inputs of the network.
    models_ : dict
        By the number of the task, what was fitted to the representation of its rows.
    pooled_model_ : classifier
        The same for the rows of all tasks.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where the table had them.

    See Also
    --------
    MetaGradientClassifier : Adapts the hidden layers, too.

    References
    ----------
    .. [1] R. Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Examples
    --------
    What matters is the same for all customers, what follows is not.

    >>> import numpy as np
    >>> from skmeta.multitask import SharedRepresentationClassifier
    >>> rng = np.random.default_rng(0)
    >>> customer = np.repeat(np.arange(20), 40)
    >>> X = rng.normal(size=(800, 10))
    >>> side = np.where(customer % 2, 1, -1) * np.sign(X[:, 0])
    >>> y = np.where(side > 0, "buys", "leaves")
    >>> clf = SharedRepresentationClassifier(random_state=0)
    >>> clf = clf.fit(X, y, task=customer)
    >>> X_new = rng.normal(size=(8, 10))
    >>> new = clf.adapt(X_new, np.where(X_new[:, 0] > 0, "yes", "no"))
    >>> new.predict([[-1.0] * 10, [1.0] * 10])
    array(['no', 'yes'], dtype='<U3')
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes=(64, 64),
        C=1.0,
        learning_rate=0.003,
        batch_size=32,
        n_epochs=200,
        tolerance=0.001,
        n_iter_no_change=20,
        validation_fraction=0.2,
        device="cpu",
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.C = C
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_epochs = n_epochs
        self.tolerance = tolerance
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def adapt(self, X_support, y_support):
        """Return a classifier for a new task: a new head on the same representation.

        Parameters
        ----------
        X_support : table of shape (n_rows, n_columns)
            A few rows of it, with the columns that `fit` had.
        y_support : array-like of shape (n_rows,)
            Their classes, whatever they are.

        Returns
        -------
        classifier : Pipeline
            Fitted. Of its clones and cross-validation only the head is fitted again.

        Raises
        ------
        ValueError
            If the table or its classes cannot be used.
        """
        check_is_fitted(self)
        X = check_table(self, X_support, reset=False)
        y = check_target(y_support, X)
        return make_pipeline(FrozenEstimator(self), self._make_head()).fit(X, y)

    def transform(self, X):
        """Return the representation of rows.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that it had in `fit`.

        Returns
        -------
        representation : ndarray of shape (n_rows, n_units)
            Of the last hidden layer.
        """
        check_is_fitted(self)
        return self._represent(check_table(self, X, reset=False))

    @property
    def _n_features_out(self):
        return self.hidden_layer_sizes[-1]

    def _represent(self, X):
        return hidden(self._weights, super()._represent(X))

    def _make_head(self):
        return LogisticRegression(C=self.C, max_iter=1000)

    def _fit_head(self, representation, y):
        if (y == y[0]).all():
            return DummyClassifier().fit(representation, y)
        return self._make_head().fit(representation, y)

    def _check_parameters(self):
        parameters = self.get_params(deep=False)
        counts = ["batch_size", "n_epochs", "n_iter_no_change"]
        check_at_least(parameters, counts, Integral, 1, "an integer >= 1")
        numbers = ["learning_rate", "tolerance"]
        check_at_least(parameters, numbers, Real, 0, "a number >= 0")
        if not self.C > 0:
            raise ValueError(f"C must be a number > 0, got: {self.C!r}.")
        self._check_common_parameters()

    def _learn(self, encoded, classes, tasks):
        rng = np.random.default_rng(make_seed(self.random_state))
        self._weights = self._learn_layers(encoded, classes, tasks, rng)
        representation = hidden(self._weights, encoded.astype(np.float64))
        y = self.classes_[classes]
        self.models_ = {
            number: self._fit_head(representation[rows], y[rows])
            for number, rows in rows_by_task(tasks).items()
        }
        self.pooled_model_ = self._fit_head(representation, y)

    def _learn_layers(self, encoded, classes, tasks, rng):
        """Return weights of a network in which each task has outputs of its own."""
        import torch

        pairs, output = np.unique(
            np.column_stack([tasks, classes]), axis=0, return_inverse=True
        )
        output = output.reshape(-1)  # NumPy 2.0 gives it two dimensions
        sizes = [encoded.shape[1], *self.hidden_layer_sizes, len(pairs)]
        weights = [
            torch.tensor(w, device=self.device, requires_grad=True)
            for w in random_weights(sizes, rng)
        ]
        is_open = np.arange(len(self.tasks_))[:, np.newaxis] == pairs[:, 0]
        values = [
            torch.as_tensor(v, device=self.device)
            for v in (encoded, output, tasks, is_open)
        ]
        learned_from, looked_at = self._hold_out(output, rng)
        optimizer = torch.optim.Adam(weights, lr=self.learning_rate)
        best = BestWeights(weights, self.tolerance, self.n_iter_no_change)
        self.loss_curve_ = []
        while not best.is_settled and len(self.loss_curve_) < self.n_epochs:
            shuffled, epoch = rng.permutation(learned_from), []
            for begin in range(0, len(shuffled), self.batch_size):
                batch = shuffled[begin : begin + self.batch_size]
                loss = _loss(weights, values, batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                epoch.append(loss.item())
            self.loss_curve_.append(float(np.mean(epoch)))
            with torch.no_grad():
                best.look(weights, _loss(weights, values, looked_at).item(), age=1)
        self.validation_curve_, self.converged_ = best.losses, best.is_settled
        self.n_iter_ = len(self.loss_curve_)
        if not self.converged_:
            warn_of_end("n_epochs", self.n_epochs)
        return best.as_arrays()

    def _hold_out(self, output, rng):
        """Return the rows to learn from, and those to stop by."""
        # Of each class of each task its share of rows, the last ones in random order.
        shuffled = rng.permutation(len(output))
        rank = pd.Series(output[shuffled]).groupby(output[shuffled]).cumcount()
        size = np.bincount(output)[output[shuffled]]
        is_held_out = rank.to_numpy() >= np.ceil((1 - self.validation_fraction) * size)
        if not is_held_out.any():
            return shuffled, shuffled
        return shuffled[~is_held_out], shuffled[is_held_out]


def _loss(weights, values, rows):
    """Return the mean loss of some rows, each among the outputs of its task."""
    X, output, tasks, is_open = values
    X, output = X[rows][:, None], output[rows][:, None]
    weight = X.new_ones(output.shape)
    return losses(weights, (X, output, weight), is_open[tasks[rows]]).mean()
