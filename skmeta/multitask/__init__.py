"""Learn across tasks that share their columns; fitting needs torch."""

from skmeta.multitask._meta_gradient import MetaGradientClassifier, TaskClassifier
from skmeta.multitask._shared_representation import SharedRepresentationClassifier

__all__ = [
    "MetaGradientClassifier",
    "SharedRepresentationClassifier",
    "TaskClassifier",
]
