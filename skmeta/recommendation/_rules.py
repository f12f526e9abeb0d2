"""Say in a few rules which learners a recommender thinks best, and where."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from skmeta._base_learners import BASE_LEARNERS, get_learner
from skmeta.recommendation._task_space import compared

_N_FOLDS = 10
_LEAST_SHARE = 0.03
_N_NAMED = 3


@dataclass(frozen=True, eq=False)
class Rules:
    """A shallow tree that says nearly what a recommender does; `print` shows it.

    Parameters
    ----------
    tree : DecisionTreeRegressor
        Fitted on meta-features of the known tasks; predicts what the recommender
        expects the best configuration of each learner to lose: 0 where it is the best
        of all, 1 where it is far from that.
    names : list of str
        The meta-features.
    learners : list of str
        What it predicts.
    fidelity : float
        Part of the variance of these expectations that it predicts (R2), for tasks
        whose families were left out.
    agreement : float
        Share of those tasks for which both think the same learner best.
    """

    tree: DecisionTreeRegressor
    names: list
    learners: list
    fidelity: float
    agreement: float

    def __str__(self):
        return "\n".join(
            [
                *tree_lines(self.tree.tree_, self.names, self._describe_leaf),
                f"Expected losses, from 0 where a learner is the best to 1. With "
                f"families left out, {self.fidelity:.0%} of",
                f"their variance is that of the rules, and {self.agreement:.0%} of the "
                f"learners named first are the same.",
            ]
        )

    def _describe_leaf(self, leaf):
        losses = self.tree.tree_.value[leaf].ravel()
        best = np.argsort(losses)[:_N_NAMED]
        return ", ".join(f"{self.learners[i]} {losses[i]:.2f}" for i in best)


def tree_lines(tree, names, describe_leaf, unscale=None, node=0, indent=""):
    """Write a tree, a line for each question and each leaf.

    Parameters
    ----------
    tree : object
        The `tree_` of a fitted decision tree.
    names : list of str
        Of what it splits on.
    describe_leaf : callable
        ``describe_leaf(node)`` returns a text.
    unscale : callable, default=None
        ``unscale(name, threshold)`` returns what is shown for a threshold.
    node : int, default=0
        Where to begin.
    indent : str, default=""
        In front of each line.

    Returns
    -------
    lines : list of str
    """
    left, right = tree.children_left[node], tree.children_right[node]
    if left == right:  # a leaf
        return [f"{indent}{describe_leaf(node)}"]
    name, threshold = names[tree.feature[node]], tree.threshold[node]
    if unscale is not None:
        threshold = unscale(name, threshold)
    rest = tree, names, describe_leaf, unscale
    inner = f"{indent}    "
    return [
        f"{indent}{name} <= {threshold:.4g}",
        *tree_lines(*rest, left, inner),
        f"{indent}{name} > {threshold:.4g}",
        *tree_lines(*rest, right, inner),
    ]


def find_rules(recommender, max_depth):
    """Fit a tree on what a recommender expects on the known tasks.

    Parameters
    ----------
    recommender : Recommender
        Fitted.
    max_depth : int
        Of the tree.

    Returns
    -------
    rules : Rules
    """
    known = recommender.meta_features_
    names = compared(known)
    learners, losses = _expect_losses(recommender)
    X, weights = known[names].to_numpy(), recommender.task_weights_
    families = recommender.tasks_["family"]
    tree = DecisionTreeRegressor(
        max_depth=max_depth, min_weight_fraction_leaf=_LEAST_SHARE, random_state=0
    )
    fidelity = agreement = np.nan
    n_folds = min(_N_FOLDS, families.nunique())
    if n_folds > 1:
        said = cross_val_predict(
            tree,
            X,
            losses,
            groups=families,
            cv=GroupKFold(n_folds),
            params={"sample_weight": weights},
        ).reshape(losses.shape)
        fidelity = r2_score(
            losses, said, sample_weight=weights, multioutput="variance_weighted"
        )
        agreement = weights @ (said.argmin(axis=1) == losses.argmin(axis=1))
    return Rules(
        tree=tree.fit(X, losses, sample_weight=weights),
        names=names,
        learners=learners,
        fidelity=float(fidelity),
        agreement=float(agreement),
    )


def _may_be_installed(learner):
    is_known = learner in BASE_LEARNERS or ":" in learner
    return not is_known or get_learner(learner).is_installed


def _expect_losses(recommender):
    """Return learners, and what each is expected to lose on each known task."""
    families = recommender.tasks_["family"].to_numpy()
    weights = np.stack(
        [
            recommender.weigh(values)[0]
            for values in recommender.meta_features_.to_dict("records")
        ]
    )
    # What is expected of a task must not come from itself.
    weights *= families[:, np.newaxis] != families
    total = weights.sum(axis=1, keepdims=True)
    alike = np.broadcast_to(recommender.task_weights_, weights.shape)
    weights = np.where(total > 0, weights / np.where(total > 0, total, 1), alike)
    expected = weights @ recommender.loss_
    learner_of = np.array([c.learner for c in recommender.configurations_])
    learners = list(dict.fromkeys(learner_of.tolist()))
    learners = list(filter(_may_be_installed, learners)) or learners
    best = [expected[:, learner_of == name].min(axis=1) for name in learners]
    return learners, np.stack(best, axis=1)
