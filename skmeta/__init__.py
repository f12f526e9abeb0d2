"""AutoML for scikit-learn that has seen other tables."""

import logging as _logging

from skmeta._augmentation import AugmentedClassifier
from skmeta._classifier import MetaLearnerClassifier
from skmeta._configuration import Configuration
from skmeta._meta_tree import MetaDecisionTreeClassifier
from skmeta._selector import MetaHyperparamSelector
from skmeta._symbolic_defaults import SymbolicDefaults, symbolic_defaults
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

# Nothing is said on the terminal unless a program asks for it.
_logging.getLogger("skmeta").addHandler(_logging.NullHandler())

__all__ = [
    "AugmentedClassifier",
    "Configuration",
    "KnowledgeBase",
    "MetaDecisionTreeClassifier",
    "MetaFeatureExtractor",
    "MetaHyperparamSelector",
    "MetaLearnerClassifier",
    "PortfolioRecommender",
    "RandomRecommender",
    "Recommendation",
    "Recommender",
    "SimilarTasksRecommender",
    "SymbolicDefaults",
    "__version__",
    "load_knowledge",
    "symbolic_defaults",
]
