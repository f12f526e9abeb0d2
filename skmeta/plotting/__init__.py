"""Displays of what a fit found, and of what is known; they need matplotlib."""

from skmeta.plotting._candidates import (
    AnytimeDisplay,
    EnsembleWeightsDisplay,
    LeaderboardDisplay,
)
from skmeta.plotting._knowledge import KnowledgeDisplay, PortfolioDisplay
from skmeta.plotting._reliability import ReliabilityDisplay
from skmeta.plotting._tasks import MetaFeaturesDisplay, SimilarTasksDisplay

__all__ = [
    "AnytimeDisplay",
    "EnsembleWeightsDisplay",
    "KnowledgeDisplay",
    "LeaderboardDisplay",
    "MetaFeaturesDisplay",
    "PortfolioDisplay",
    "ReliabilityDisplay",
    "SimilarTasksDisplay",
]
