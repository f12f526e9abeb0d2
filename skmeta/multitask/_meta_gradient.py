"""Meta-learn where gradient descent should start."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skmeta._encoding import TableEncoder, check_choice
from skmeta._inputs import check_table, check_target, make_seed
from skmeta.multitask._base import MultitaskClassifier, check_at_least
from skmeta.multitask._network import (
    BestWeights,
    for_each_task,
    forward,
    import_torch,
    losses,
    meta_gradient,
    random_weights,
    take_steps,
    warn_of_end,
)
from skmeta.multitask._tasks import EpisodeSampler, rows_by_task

ALGORITHMS = ["maml", "fomaml", "reptile", "anil"]
# Held-out tasks are looked at after so many iterations, in so many episodes at least.
_LOOK_EVERY = 10
_N_LOOKED_AT = 64


class MetaGradientClassifier(MultitaskClassifier):
    """Learn from many tasks a network that needs few rows and steps for the next one.

    Tasks have the same columns, and few rows each: customers, sensors, hospitals. In
    each iteration some tasks are drawn, and of each a few rows to adapt to (support)
    and others (query). Adapting is `inner_steps` of gradient descent; what is learned
    are the weights that it starts from, such that the query loss after it is small
    [1]_. Some tasks are held out, and learning stops when it no longer helps them.

    Parameters
    ----------
    algorithm : {"fomaml", "maml", "anil", "reptile"}, default="fomaml"
        How the weights to start from are learned. ``"maml"``: by the gradient through
        all steps [1]_, which is exact and takes about three times as long as
        ``"fomaml"``, which leaves out second derivatives. ``"anil"``: as MAML, but
        only the last layer adapts [3]_, also in `adapt`. ``"reptile"``: towards where
        the steps lead, without query rows [2]_.
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Units of the hidden layers.
    permute_labels : bool, default=False
        False: a class means the same in all tasks, and all classes compete in each.
        True: labels are names within a task, such as "left" and "right" of whatever
        is compared, and classes get outputs at random in each episode. Only the
        classes of a task compete then.
    inner_steps : int, default=5
        Steps in an episode.
    inner_lr : float, default=0.1
        Their rate.
    adapt_steps : int, default=50
        Steps of `adapt`, and for the tasks of `fit`, on all rows of the task.
    outer_lr : float, default=0.003
        Rate of Adam, which learns the weights to start from.
    n_support, n_query : int, default=5, 10
        Rows in an episode for each class of the task, on average.
    tasks_per_step : int, default=16
        Tasks drawn in an iteration.
    n_iterations : int, default=2000
        Most iterations. 0 starts from random weights, for comparison.
    tolerance : float, default=0.001
        By how much the loss on held-out tasks must fall to go on.
    n_iter_no_change : int, default=200
        Iterations without such a fall before learning stops.
    validation_fraction : float, default=0.2
        Share of the tasks that are held out. If that is none, other episodes of the
        same tasks are looked at.
    device : str, default="cpu"
        Where torch computes.
    random_state : int, RandomState, Generator or None, default=None
        Seeds weights, tasks and rows. The same seed gives the same result on the
        same machine.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of all tasks.
    tasks_ : ndarray of shape (n_tasks,)
        Ids.
    held_out_tasks_ : ndarray
        Ids of those that learning stopped by.
    loss_curve_ : list of float
        Mean query loss after adapting, of each iteration. Reptile's are rows that it
        adapted to.
    validation_curve_ : list of float
        The same on held-out tasks, every 10 iterations, from before the first.
    n_iter_ : int
        Iterations.
    converged_ : bool
        Whether the loss on held-out tasks had ended to fall.
    encoder_ : transformer
        From the table to inputs of the network.
    models_ : dict
        By the number of the task, what adapted to all its rows.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where the table had them.

    See Also
    --------
    SharedRepresentationClassifier : Quicker, and where tasks have other classes.

    References
    ----------
    .. [1] C. Finn, P. Abbeel, S. Levine, "Model-Agnostic Meta-Learning for Fast
       Adaptation of Deep Networks", ICML 2017.
    .. [2] A. Nichol, J. Achiam, J. Schulman, "On First-Order Meta-Learning
       Algorithms", arXiv:1803.02999, 2018.
    .. [3] A. Raghu, M. Raghu, S. Bengio, O. Vinyals, "Rapid Learning or Feature
       Reuse? Towards Understanding the Effectiveness of MAML", ICLR 2020.

    Examples
    --------
    Each of 20 sensors has a threshold of its own; a new one shows six rows.

    >>> import numpy as np
    >>> from skmeta.multitask import MetaGradientClassifier
    >>> rng = np.random.default_rng(0)
    >>> sensor = np.repeat(np.arange(20), 40)
    >>> X = rng.normal(size=(800, 3))
    >>> y = np.where(X[:, 0] > rng.normal(size=20)[sensor], "high", "low")
    >>> clf = MetaGradientClassifier(n_iter_no_change=50, random_state=0)
    >>> clf = clf.fit(X, y, task=sensor)
    >>> X_new = np.array([[x, 0.0, 0.0] for x in (-2.0, -1.0, 0.0, 0.8, 1.0, 2.0)])
    >>> new = clf.adapt(X_new, ["low", "low", "low", "high", "high", "high"])
    >>> new.predict([[-0.3, 1.0, 0.0], [1.5, -1.0, 0.0]])
    array(['low', 'high'], dtype='<U4')
    """

    def __init__(
        self,
        algorithm="fomaml",
        *,
        hidden_layer_sizes=(64, 64),
        permute_labels=False,
        inner_steps=5,
        inner_lr=0.1,
        adapt_steps=50,
        outer_lr=0.003,
        n_support=5,
        n_query=10,
        tasks_per_step=16,
        n_iterations=2000,
        tolerance=0.001,
        n_iter_no_change=200,
        validation_fraction=0.2,
        device="cpu",
        random_state=None,
    ):
        self.algorithm = algorithm
        self.hidden_layer_sizes = hidden_layer_sizes
        self.permute_labels = permute_labels
        self.inner_steps = inner_steps
        self.inner_lr = inner_lr
        self.adapt_steps = adapt_steps
        self.outer_lr = outer_lr
        self.n_support = n_support
        self.n_query = n_query
        self.tasks_per_step = tasks_per_step
        self.n_iterations = n_iterations
        self.tolerance = tolerance
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def adapt(self, X_support, y_support):
        """Return a classifier for a new task.

        Parameters
        ----------
        X_support : table of shape (n_rows, n_columns)
            A few rows of it, with the columns that `fit` had.
        y_support : array-like of shape (n_rows,)
            Their classes. Labels may be new: without `permute_labels`, one begins as
            the mean of the classes that are known.

        Returns
        -------
        classifier : TaskClassifier
            Fitted. It predicts without torch.

        Raises
        ------
        ValueError
            If the table or its classes cannot be used.
        """
        check_is_fitted(self)
        return TaskClassifier(self._start).fit(X_support, y_support)

    def _check_parameters(self):
        parameters = self.get_params(deep=False)
        check_choice("algorithm", self.algorithm, ALGORITHMS)
        counts = ["inner_steps", "n_support", "n_query", "tasks_per_step"]
        counts += ["adapt_steps", "n_iter_no_change"]
        check_at_least(parameters, counts, Integral, 1, "an integer >= 1")
        check_at_least(parameters, ["n_iterations"], Integral, 0, "an integer >= 0")
        numbers = ["inner_lr", "outer_lr", "tolerance"]
        check_at_least(parameters, numbers, Real, 0, "a number >= 0")
        self._check_common_parameters()

    def _learn(self, encoded, classes, tasks):
        rng = np.random.default_rng(make_seed(self.random_state))
        n_outputs = len(self.classes_)
        if self.permute_labels:
            pairs = np.unique(np.column_stack([tasks, classes]), axis=0)
            n_outputs = np.bincount(pairs[:, 0]).max()
        sampler = EpisodeSampler(
            tasks,
            classes,
            n_outputs,
            n_support=self.n_support,
            n_query=self.n_query,
            permute=self.permute_labels,
        )
        sizes = [encoded.shape[1], *self.hidden_layer_sizes, n_outputs]
        weights = self._meta_learn(random_weights(sizes, rng), encoded, sampler, rng)
        self._start = Start(
            self.encoder_,
            weights,
            None if self.permute_labels else self.classes_,
            self.inner_lr,
            self.adapt_steps,
            self._n_fixed,
            self.device,
            self.n_features_in_,
            getattr(self, "feature_names_in_", None),
        )
        self._adapt_to_all(encoded, self.classes_[classes], tasks)

    @property
    def _n_fixed(self):
        """How many arrays of weights do not adapt."""
        return 2 * len(self.hidden_layer_sizes) if self.algorithm == "anil" else 0

    def _adapt_to_all(self, encoded, y, tasks):
        """Make a model of each task, and one of all rows where labels allow it."""
        self.models_ = {
            number: self._start.adapt(encoded[rows], y[rows])
            for number, rows in rows_by_task(tasks).items()
        }
        if len(self.tasks_) == 1:
            self.pooled_model_ = self.models_[0]
        elif not self.permute_labels:
            self.pooled_model_ = self._start.adapt(encoded, y)

    def _pooled(self):
        if self.permute_labels and len(self.tasks_) > 1:
            raise ValueError(
                "task must be given with permute_labels=True, got: None. What a label "
                "means depends on the task."
            )
        return self.pooled_model_

    def _meta_learn(self, weights, encoded, sampler, rng):
        """Return weights from which few steps lead far."""
        import torch

        self.loss_curve_, self.validation_curve_ = [], []
        self.n_iter_, self.converged_ = 0, False
        learned_from, held_out = self._hold_out(sampler.tasks, rng)
        self.held_out_tasks_ = self.tasks_[held_out]
        if self.n_iterations == 0:
            return weights
        looked_at = held_out if len(held_out) else learned_from
        inputs = torch.as_tensor(encoded, device=self.device)
        n_times = -(-_N_LOOKED_AT // len(looked_at))
        seen = self._tensors(sampler.draw(np.tile(looked_at, n_times), rng), inputs)

        weights = [torch.tensor(w, device=self.device) for w in weights]
        optimizer = torch.optim.Adam(weights, lr=self.outer_lr)
        best = BestWeights(weights, self.tolerance, self.n_iter_no_change)
        while True:
            if self.n_iter_ % _LOOK_EVERY == 0:
                best.look(weights, self._loss_after_steps(weights, *seen), _LOOK_EVERY)
            if best.is_settled or self.n_iter_ == self.n_iterations:
                break
            drawn = rng.choice(learned_from, self.tasks_per_step)
            episodes = self._tensors(sampler.draw(drawn, rng), inputs)
            loss, gradients = meta_gradient(
                self.algorithm, weights, *episodes, self.inner_steps, self.inner_lr
            )
            for w, gradient in zip(weights, gradients, strict=True):
                w.grad = gradient
            optimizer.step()
            self.loss_curve_.append(loss)
            self.n_iter_ += 1
        self.validation_curve_, self.converged_ = best.losses, best.is_settled
        if not self.converged_:
            warn_of_end("n_iterations", self.n_iterations)
        return best.as_arrays()

    def _hold_out(self, tasks, rng):
        """Return the tasks to learn from, and those to stop by."""
        if len(tasks) == 0:
            raise ValueError(
                "At least one task must have two rows of a class"
                + (" and two classes" if self.permute_labels else "")
                + f", got: none of {len(self.tasks_)} tasks. Join tasks, or fit a "
                "classifier without them."
            )
        n_held_out = round(self.validation_fraction * len(tasks))
        shuffled = rng.permutation(tasks)
        n_held_out = min(n_held_out, len(tasks) - 1)
        return shuffled[n_held_out:], shuffled[:n_held_out]

    def _tensors(self, episodes, inputs):
        """Return support rows, query rows and open outputs for torch."""
        import torch

        def tensors(rows):
            index, output, weight = (
                torch.as_tensor(values, device=self.device)
                for values in (rows.index, rows.output, rows.weight)
            )
            return inputs[index], output, weight

        is_open = torch.as_tensor(episodes.is_open, device=self.device)
        return tensors(episodes.support), tensors(episodes.query), is_open

    def _loss_after_steps(self, weights, support, query, is_open):
        adapted = take_steps(
            for_each_task(weights, len(is_open)),
            [support] * self.inner_steps,
            is_open,
            self.inner_lr,
            n_fixed=self._n_fixed,
        )
        return losses(adapted, query, is_open).mean().item()


@dataclass(frozen=True, repr=False)
class Start:
    """Where classifiers of new tasks begin, and how they go on.

    Parameters
    ----------
    encoder : transformer
        From a table to inputs.
    weights : list of ndarray
    classes : ndarray or None
        What the outputs stand for; None if that depends on the task.
    rate : float
    n_steps : int
    n_fixed : int
        The first arrays of `weights` stay as they are.
    device : str
    n_features : int
        Columns of the table.
    feature_names : ndarray or None
    """

    encoder: TableEncoder
    weights: list
    classes: np.ndarray | None
    rate: float
    n_steps: int
    n_fixed: int
    device: str
    n_features: int
    feature_names: np.ndarray | None

    def __repr__(self):
        return f"<{type(self).__name__} for tables of {self.n_features} columns>"

    def adapt(self, encoded, y):
        """Return what became of the weights on the rows of a task."""
        torch = import_torch("adapt")
        classes, weights = self._with_outputs_for(np.unique(y))
        inputs = torch.as_tensor(encoded, dtype=torch.float32, device=self.device)
        output = torch.as_tensor(np.searchsorted(classes, y), device=self.device)
        rows = inputs[None], output[None], torch.ones_like(output[None])
        is_open = torch.ones((1, len(classes)), dtype=torch.bool, device=self.device)
        weights = [torch.tensor(w, device=self.device) for w in weights]
        adapted = take_steps(
            for_each_task(weights, 1),
            [rows] * self.n_steps,
            is_open,
            self.rate,
            n_fixed=self.n_fixed,
        )
        return Network(tuple(w.detach().cpu().numpy()[0] for w in adapted), classes)

    def _with_outputs_for(self, labels):
        """Return the classes that compete, and weights that have outputs for them."""
        *lower, matrix, bias = self.weights
        if self.classes is None:
            classes, known = labels, np.arange(len(labels)) < len(bias)
        else:
            if (labels.dtype.kind in "OUS") != (self.classes.dtype.kind in "OUS"):
                raise ValueError(
                    f"y_support must have labels of the type that fit had, such as "
                    f"{self.classes[0]!r}, got: {labels[0]!r}."
                )
            classes = np.union1d(self.classes, labels)
            known = np.isin(classes, self.classes)
        n_known = known.sum()
        new_matrix = np.empty((len(matrix), len(classes)), dtype=matrix.dtype)
        new_bias = np.empty(len(classes), dtype=bias.dtype)
        new_matrix[:, known], new_bias[known] = matrix[:, :n_known], bias[:n_known]
        new_matrix[:, ~known] = matrix.mean(axis=1, keepdims=True)
        new_bias[~known] = bias.mean()
        return classes, [*lower, new_matrix, new_bias]


@dataclass(frozen=True)
class Network:
    """A network that has adapted to a task, in NumPy."""

    weights: tuple
    classes_: np.ndarray

    def predict_proba(self, encoded):
        """Return the probability of each class for encoded rows."""
        return softmax(forward(self.weights, encoded), axis=1)


class TaskClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of one task, which began at meta-learned weights.

    `MetaGradientClassifier.adapt` makes it. Clones keep where it began, so that it can
    be cross-validated on the rows of its task. Only `fit` needs torch.

    Parameters
    ----------
    start : Start
        Of `MetaGradientClassifier`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes. Those of other tasks are among them if labels mean the same in all.
    network_ : Network
        What adapted.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, where the table of the other tasks had them.
    """

    def __init__(self, start):
        self.start = start

    def fit(self, X, y):
        """Adapt to a few rows.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that the other tasks had.
        y : array-like of shape (n_rows,)
            Classes.

        Returns
        -------
        self
        """
        self.n_features_in_ = self.start.n_features
        if self.start.feature_names is not None:
            self.feature_names_in_ = self.start.feature_names
        X = check_table(self, X, reset=False)
        y = check_target(y, X, may_be_one=self.start.classes is not None)
        self.network_ = self.start.adapt(self.start.encoder.transform(X), y)
        self.classes_ = self.network_.classes_
        return self

    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that the other tasks had.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        return self.network_.predict_proba(self.start.encoder.transform(X))

    def predict(self, X):
        """Return the most probable class.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            With the columns that the other tasks had.

        Returns
        -------
        y : ndarray of shape (n_rows,)
        """
        labels = self.predict_proba(X).argmax(axis=1)
        return self.classes_[labels]
