"""
Groups, weights, pipelines
==========================

What scikit-learn does with groups, weights and pipelines, skmeta does as well.
"""

# %%
# Ten measurements of each of forty patients. Those of one patient must not be on both
# sides of a split, or the score is a promise that nobody can keep.
import numpy as np

rng = np.random.default_rng(0)
patient = np.repeat(np.arange(40), 10)
is_ill = rng.random(40) < 0.4
person = rng.normal(size=(40, 5)) + 0.7 * is_ill[:, np.newaxis]
X = person[patient] + 0.3 * rng.normal(size=(400, 5))
y = is_ill[patient]

# %%
# Without groups every patient is known already.
from skmeta import MetaLearnerClassifier

clf = MetaLearnerClassifier(n_candidates=2, random_state=0)
without = clf.fit(X, y).best_score_
clf.fit(X, y, groups=patient)
without, clf.best_score_, clf.honest_score_

# %%
# Weights count in fitting and in scoring; learners that take none are not considered.
weights = np.where(y, 2.0, 1.0)
clf.fit(X, y, sample_weight=weights).leaderboard_[["learner", "score"]].head(3)

# %%
# As a step of a pipeline, and judged from outside.
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

pipeline = make_pipeline(PolynomialFeatures(include_bias=False), clf)
cross_val_score(pipeline, X, y, groups=patient, cv=GroupKFold(3)).mean()
