from dataclasses import dataclass

from sklearn.base import BaseEstimator, clone
from sklearn.metrics import check_scoring

from skmeta._base_learners import TaskSize, find_learner
from skmeta._inputs import check_target
from skmeta._recommending import fit_by_name, open_knowledge
from skmeta._threads import one_thread
from skmeta.exceptions import KnowledgeError
from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.recommendation import nearest_metric
from skmeta.recommendation._symbolic import ATTRIBUTES


@dataclass(frozen=True)
class SymbolicDefaults:
    """What formulas say of an estimator on a table; `print` shows it.

    Parameters
    ----------
    estimator : estimator
        A clone of the one given with these hyperparameters, not fitted.
    params : dict
        The hyperparameters, as ``estimator.set_params`` takes them.
    formulas : dict of str to Formula
        Of those that are numbers, by the same names.
    attributes : dict of str to float
        ``rows``, ``columns``, ``classes`` and ``entropy`` of the table.
    metric : str
        Stored metric that the formulas were learned for.
    """

    estimator: BaseEstimator
    params: dict
    formulas: dict
    attributes: dict
    metric: str

    def __str__(self):
        sizes = ", ".join(
            f"{name} {value:.4g}" for name, value in self.attributes.items()
        )
        lines = [f"For {self.metric} ({sizes}):"]
        width = max(map(len, self.params))
        for name, value in self.params.items():
            line = f"{name:<{width}} = {value!r}"
            formula = self.formulas.get(name)
            if formula is not None:
                limits = f"from {formula.low:g} to {formula.high:g}"
                line = f"{line:<{width + 12}}  # {formula}, {limits}"
            lines.append(line)
        return "\n".join(lines)


def symbolic_defaults(estimator, X, y, *, scoring=None, knowledge=None):
    """Give an estimator hyperparameters by formulas of the size of a table.

    The formulas are learned from what is known of other tables, for the metric, and are
    the same for all tables: products of powers of rows, columns, classes and the
    entropy of the classes [1]_. Nothing is fitted. They were learned on standardized
    columns where a learner depends on scale, so put a scaler before such an estimator.

    On tables of other families they gain over defaults in log loss with forests and
    boosting, little elsewhere, and are no better than what was best on average; for
    neural networks by ROC AUC they are worse than defaults.

    Parameters
    ----------
    estimator : estimator
        A classifier of a known class, or a pipeline or other meta-estimator that holds
        one. Parameters that the knowledge does not vary stay as they are.
    X : table of shape (n_rows, n_features)
        Only its shape counts.
    y : array-like of shape (n_rows,)
        Classes.
    scoring : str, callable or None, default=None
        What should be good, as in `GridSearchCV`; the nearest metric that is known is
        followed. None is accuracy.
    knowledge : KnowledgeBase, str, Path or None, default=None
        What the formulas are learned from: None is the knowledge base that ships with
        skmeta, a path a file made by ``python -m skmeta build``.

    Returns
    -------
    defaults : SymbolicDefaults
        With ``estimator``, ``params`` and ``formulas``.

    Raises
    ------
    ValueError
        If the estimator holds none that is known.
    KnowledgeError
        If too little is known of it.

    See Also
    --------
    MetaHyperparamSelector : Chooses what did well on similar tables, and tries it.

    References
    ----------
    .. [1] P. Gijsbers, F. Pfisterer, J. N. van Rijn, B. Bischl, J. Vanschoren,
       "Meta-Learning for Symbolic Hyperparameter Defaults", GECCO 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skmeta import load_knowledge, symbolic_defaults
    >>> X, y = load_wine(return_X_y=True)
    >>> knowledge = load_knowledge().without(["wine"])
    >>> svc = make_pipeline(StandardScaler(), SVC())
    >>> defaults = symbolic_defaults(svc, X, y, knowledge=knowledge)
    >>> sorted(defaults.formulas)
    ['svc__C', 'svc__gamma']
    >>> fitted = defaults.estimator.fit(X, y)
    """
    check_scoring(estimator, scoring=scoring)
    y = check_target(y, X)
    knowledge = open_knowledge(knowledge)
    known = knowledge.configurations["learner"]
    learner, prefix = find_learner(estimator, set(known))
    extractor = MetaFeatureExtractor().fit(X, y)
    found = dict(
        zip(
            extractor.get_feature_names_out(),
            extractor.meta_features_.tolist(),
            strict=True,
        )
    )
    metric, _ = nearest_metric(scoring)
    configurations = tuple(known.index[known == learner.name])
    formulas = None
    if configurations:
        with one_thread():
            recommender = fit_by_name("symbolic", knowledge, configurations, metric)
        formulas = recommender.formulas_.get(learner.name)
    if formulas is None:
        raise KnowledgeError(
            f"The knowledge base must hold five configurations of {learner.name!r} "
            f"that differ in numbers to learn formulas from, got: "
            f"{len(configurations)}."
        )
    attributes = {name: found[each] for name, each in ATTRIBUTES.items()}
    size = TaskSize(*(int(attributes[n]) for n in ("rows", "columns", "classes")))
    named = dict(formulas.evaluate(attributes).hyperparameters)
    fitted = learner.fit_to_size(dict(named), size)
    params = {prefix + name: fitted[name] for name in named}
    return SymbolicDefaults(
        estimator=clone(estimator).set_params(**params),
        params=params,
        formulas={prefix + formula.name: formula for formula in formulas.formulas},
        attributes=attributes,
        metric=metric,
    )
