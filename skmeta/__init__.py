"""AutoML for scikit-learn that has seen other tables."""

from skmeta._classifier import MetaLearnerClassifier
from skmeta._configuration import Configuration
from skmeta._selector import MetaHyperparamSelector
from skmeta.knowledge import KnowledgeBase, load_knowledge
from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.recommendation import (
    PortfolioRecommender,
    RandomRecommender,
    Recommendation,
    Recommender,
    SimilarTasksRecommender,
)

__all__ = [
    "Configuration",
    "KnowledgeBase",
    "MetaFeatureExtractor",
    "MetaHyperparamSelector",
    "MetaLearnerClassifier",
    "PortfolioRecommender",
    "RandomRecommender",
    "Recommendation",
    "Recommender",
    "SimilarTasksRecommender",
    "load_knowledge",
]
