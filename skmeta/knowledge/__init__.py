"""What is known of other tasks: kept, read, and built by evaluating them."""

from skmeta.knowledge._evaluations import import_evaluations
from skmeta.knowledge._growth import TaskSource, build_knowledge, find_tasks
from skmeta.knowledge._journal import Journal
from skmeta.knowledge._knowledge_base import KnowledgeBase
from skmeta.knowledge._openml import OpenMLClient, fetch_openml
from skmeta.knowledge._storage import load_knowledge
from skmeta.knowledge._worker import Protocol

__all__ = [
    "Journal",
    "KnowledgeBase",
    "OpenMLClient",
    "Protocol",
    "TaskSource",
    "build_knowledge",
    "fetch_openml",
    "find_tasks",
    "import_evaluations",
    "load_knowledge",
]
