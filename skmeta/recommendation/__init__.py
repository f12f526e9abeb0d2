"""From what is known of other tasks to what should be tried on this one."""

from skmeta.recommendation._metrics import nearest_metric
from skmeta.recommendation._portfolio import (
    greedy_portfolio,
    portfolio_loss,
    regret_matrix,
)
from skmeta.recommendation._recommender import (
    PortfolioRecommender,
    RandomRecommender,
    Recommendation,
    Recommender,
    SimilarTasksRecommender,
    get_recommender,
)

__all__ = [
    "PortfolioRecommender",
    "RandomRecommender",
    "Recommendation",
    "Recommender",
    "SimilarTasksRecommender",
    "get_recommender",
    "greedy_portfolio",
    "nearest_metric",
    "portfolio_loss",
    "regret_matrix",
]
