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

__version__ = "0.1.0.dev0"

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
    "__version__",
    "load_knowledge",
]
