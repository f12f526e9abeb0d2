"""
A recommender of my own
=======================

What is tried, and in which order, is the choice of a recommender. It learns from a
knowledge base, and is asked about a new task. This one trusts linear models first, the
best on average among them at the front, and everything else after them.
"""

import numpy as np

from skmeta.recommendation import Recommender


class LinearFirst(Recommender):
    """Try linear models before anything else."""

    def order(self, task, size):
        linear = ("logistic_regression", "linear_svc", "linear_discriminant_analysis")
        is_linear = [c.learner in linear for c in self.configurations_]
        return np.lexsort((task.weights @ self.loss_, np.logical_not(is_linear)))


# %%
# `fit` of the base class has set ``configurations_`` (what may be recommended),
# ``loss_`` (known tasks x configurations, 0 is best) and more; ``task`` says how much
# each known task counts, what was tried on the new one and what came of it.

from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from skmeta import MetaLearnerClassifier, load_knowledge

X, y = load_wine(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

clf = MetaLearnerClassifier(
    knowledge=load_knowledge().without(["wine"]),  # what it must not have seen
    recommender=LinearFirst(),
    n_candidates=4,
    random_state=0,
).fit(X_train, y_train)
clf.leaderboard_[["learner", "score", "expected_score"]]

# %%
clf.score(X_test, y_test)

# %%
# The shipped ones can be passed by name. To find out which one to trust, compare them
# on tasks that they have not seen: ``benchmarks/recommendation.py`` does.

for name in ("similar_tasks", "portfolio", "nearest_tasks", "surrogate"):
    clf = MetaLearnerClassifier(
        knowledge=load_knowledge().without(["wine"]),
        recommender=name,
        n_candidates=4,
        random_state=0,
    ).fit(X_train, y_train)
    first = clf.recommendation_.configurations[0]
    print(f"{name:14s} first {first.learner:24s} best score {clf.best_score_:.3f}")
