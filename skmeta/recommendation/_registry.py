from skmeta._names import did_you_mean
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
    if isinstance(recommender, str) and recommender in RECOMMENDERS:
        return RECOMMENDERS[recommender]()
    is_object = not isinstance(recommender, type)
    if is_object and hasattr(recommender, "fit") and hasattr(recommender, "recommend"):
        return recommender
    misspelt = [recommender] if isinstance(recommender, str) else []
    raise ValueError(
        f"recommender must be one of {sorted(RECOMMENDERS)} or have fit and "
        f"recommend, got: {recommender!r}.{did_you_mean(misspelt, RECOMMENDERS)}"
    )


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
    if isinstance(explorer, str) and explorer in EXPLORERS:
        return EXPLORERS[explorer]()
    is_object = not isinstance(explorer, type)
    if is_object and hasattr(explorer, "fit") and hasattr(explorer, "propose"):
        return explorer
    raise ValueError(
        f"explorer must be one of {sorted(EXPLORERS)}, have fit and propose, or be "
        f"None, got: {explorer!r}."
    )
