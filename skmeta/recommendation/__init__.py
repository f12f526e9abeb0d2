"""From what is known of other tasks to what should be tried on this one."""

from skmeta.recommendation._baselines import (
    AverageRecommender,
    NearestTasksRecommender,
    PortfolioRecommender,
    RandomRecommender,
    SurrogateRecommender,
)
from skmeta.recommendation._evolution import RegularizedEvolution
from skmeta.recommendation._explanation import Explanation
from skmeta.recommendation._metrics import nearest_metric
from skmeta.recommendation._neural import NeuralRecommender
from skmeta.recommendation._portfolio import (
    greedy_portfolio,
    portfolio_loss,
    regret_matrix,
)
from skmeta.recommendation._recommendation import Recommendation
from skmeta.recommendation._recommender import NewTask, Observation, Recommender
from skmeta.recommendation._registry import get_explorer, get_recommender
from skmeta.recommendation._rules import Rules
from skmeta.recommendation._similar_tasks import SimilarTasksRecommender
from skmeta.recommendation._symbolic import Formula, SymbolicRecommender
from skmeta.recommendation._task_selection import select_tasks
from skmeta.recommendation._tree import TreeRecommender

__all__ = [
    "AverageRecommender",
    "Explanation",
    "Formula",
    "NearestTasksRecommender",
    "NeuralRecommender",
    "NewTask",
    "Observation",
    "PortfolioRecommender",
    "RandomRecommender",
    "Recommendation",
    "Recommender",
    "RegularizedEvolution",
    "Rules",
    "SimilarTasksRecommender",
    "SurrogateRecommender",
    "SymbolicRecommender",
    "TreeRecommender",
    "get_explorer",
    "get_recommender",
    "greedy_portfolio",
    "nearest_metric",
    "portfolio_loss",
    "regret_matrix",
    "select_tasks",
]
