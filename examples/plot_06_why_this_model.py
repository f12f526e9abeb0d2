"""
Why this model?
===============

A recommendation says what it rests on: known tables that are alike, what did well on
them, and which properties of the table made them alike.
"""

# %%
# Cells of breasts, of which some are malignant: 30 numbers each.
from sklearn.datasets import load_breast_cancer

from skmeta import MetaLearnerClassifier, load_knowledge

X, y = load_breast_cancer(return_X_y=True, as_frame=True)

# %%
# The table is among those that skmeta has seen. Here it is to be a new one, so it is
# left out, and with it every table of its family.
knowledge = load_knowledge().without(["wdbc"])

clf = MetaLearnerClassifier(
    knowledge=knowledge, scoring="roc_auc", n_candidates=5, random_state=0
)

# %%
# What will be tried, before anything is.
clf.preview(X, y)[["learner", "expected_score", "seconds", "memory_mb"]].head()

# %%
# And why, once it was.
explanation = clf.fit(X, y).recommendation_.explain()
print(explanation)

# %%
# The parts are tables. The contributions of the meta-features sum to what the weights
# of the known tasks change in the expected loss.
explanation.drivers.head()

# %%
explanation.drivers["contribution"].sum(), explanation.loss - explanation.loss_alike

# %%
# Which learners are expected to do well where, in a few rules, and how far these agree
# with what is recommended.
from skmeta import SimilarTasksRecommender

recommender = SimilarTasksRecommender().fit(knowledge, "roc_auc_ovr_weighted")
print(recommender.find_rules(max_depth=2))
