from skmeta._messages import brief, did_you_mean
from skmeta.recommendation._baselines import (
    AverageRecommender,
    NearestTasksRecommender,
    PortfolioRecommender,
    RandomRecommender,
    SurrogateRecommender,
)
from skmeta.recommendation._evolution import RegularizedEvolution
from skmeta.recommendation._neural import NeuralRecommender
from skmeta.recommendation._similar_tasks import SimilarTasksRecommender
from skmeta.recommendation._symbolic import SymbolicRecommender
from skmeta.recommendation._tree import TreeRecommender

RECOMMENDERS = {
    "similar_tasks": SimilarTasksRecommender,
    "portfolio": PortfolioRecommender,
    "average": AverageRecommender,
    "nearest_tasks": NearestTasksRecommender,
    "surrogate": SurrogateRecommender,
    "neural": NeuralRecommender,
    "tree": TreeRecommender,
    "symbolic": SymbolicRecommender,
    "random": RandomRecommender,
}

EXPLORERS = {"evolution": RegularizedEvolution}


def get_recommender(recommender):
    """Return an unfitted recommender by its name, or the one given.

    Parameters
    ----------
    recommender : str or object with ``fit`` and ``recommend``
        One of ``"similar_tasks"``, ``"portfolio"``, ``"average"``,
        ``"nearest_tasks"``, ``"surrogate"``, ``"neural"``, ``"tree"``,
        ``"symbolic"`` and ``"random"``, or an object that follows `Recommender`.

    Returns
    -------
    recommender : object

    Raises
    ------
    ValueError
        If the name is not known, or the object has no such methods.
    """
    return _get(recommender, RECOMMENDERS, "recommender", "recommend")


def get_explorer(explorer):
    """Return an unfitted explorer by its name, or the one given.

    Parameters
    ----------
    explorer : str or object with ``fit`` and ``propose``
        ``"evolution"``, or an object with the methods of `RegularizedEvolution`.

    Returns
    -------
    explorer : object

    Raises
    ------
    ValueError
        If the name is not known, or the object has no such methods.
    """
    return _get(explorer, EXPLORERS, "explorer", "propose")


def _get(given, known, parameter, method):
    if isinstance(given, str) and given in known:
        return known[given]()
    is_object = not isinstance(given, type)
    if is_object and hasattr(given, "fit") and hasattr(given, method):
        return given
    misspelt = [given] if isinstance(given, str) else []
    raise ValueError(
        f"{parameter} must be one of {sorted(known)} or have fit and {method}, got: "
        f"{brief(given)}.{did_you_mean(misspelt, known)}"
    )
