"""One tree over meta-features, whose leaves are groups of known tasks."""

from sklearn.ensemble import RandomForestRegressor
from sklearn.utils.validation import check_is_fitted

from skmeta.recommendation._portfolio import greedy_portfolio
from skmeta.recommendation._rules import tree_lines
from skmeta.recommendation._similar_tasks import SimilarTasksRecommender
from skmeta.recommendation._task_space import from_scale

_N_NAMED = 2


class TreeRecommender(SimilarTasksRecommender):
    """A greedy portfolio over the known tasks in one leaf of a decision tree [1]_ [2]_.

    The tree learns from meta-features which configurations do well, as those in the
    forest of `SimilarTasksRecommender` do, but from the best split at every node. It is
    there to be read.

    Parameters
    ----------
    max_depth : int, default=4
        Most questions before a leaf.
    min_samples_leaf : int, default=20
        Fewest known tasks in a leaf.
    blend, decay : float
        How much the leaf counts beside all known tasks, as in
        `SimilarTasksRecommender`.
    adapts_after : int or None, default=4
        How many configurations are tried before observed scores decide.
    noise : float, default=0.05
        Of an observed score, as in `SimilarTasksRecommender`.
    random_state : int, default=0
        Decides between splits that are equally good.

    References
    ----------
    .. [1] H. Blockeel, L. De Raedt, J. Ramon, "Top-down Induction of Clustering
       Trees", ICML 1998.
    .. [2] L. Todorovski, H. Blockeel, S. Dzeroski, "Ranking with Predictive
       Clustering Trees", ECML 2002.

    Examples
    --------
    >>> from skmeta import load_knowledge
    >>> from skmeta.recommendation import TreeRecommender
    >>> recommender = TreeRecommender(max_depth=1).fit(load_knowledge(), "accuracy")
    >>> recommender.export_text().count("known tasks")
    2
    """

    def __init__(
        self,
        max_depth=4,
        min_samples_leaf=20,
        blend=0.8,
        decay=0.95,
        adapts_after=4,
        noise=0.05,
        random_state=0,
    ):
        super().__init__(
            n_estimators=1,
            min_samples_leaf=min_samples_leaf,
            blend=blend,
            decay=decay,
            adapts_after=adapts_after,
            noise=noise,
            random_state=random_state,
        )
        self.max_depth = max_depth

    def _make_forest(self):
        # One tree, in the form that the base class takes.
        return RandomForestRegressor(
            n_estimators=1,
            bootstrap=False,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
        )

    def export_text(self):
        """Return the tree as text.

        Returns
        -------
        text : str
            A line for each question and each leaf; a leaf says how many known tasks
            are in it and what is tried first there.
        """
        check_is_fitted(self)
        [tree] = self._forest.estimators_
        lines = tree_lines(
            tree.tree_, self._space.names, self._describe_leaf, from_scale
        )
        return "\n".join(lines)

    def _describe_leaf(self, leaf):
        is_inside = self._leaves[:, 0] == leaf
        weights = self.task_weights_ * is_inside
        weights = self.blend * weights / weights.sum()
        weights += (1 - self.blend) * self.task_weights_
        first = greedy_portfolio(self.loss_, _N_NAMED, weights)
        named = ", ".join(self.configurations_[i].name for i in first)
        return f"{is_inside.sum()} known tasks: {named}"
