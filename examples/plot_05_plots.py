"""
What a fit found, in pictures
=============================

Every question about a fit has a display, in the manner of those of scikit-learn: what
was tried, how soon it was good, which known tables it rests on, and whether its
probabilities are what they say. They need matplotlib: ``pip install ".[plot]"``.
"""

# %%
# The table is of penguins, and the knowledge must not have seen it.
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import train_test_split

from skmeta import MetaLearnerClassifier, load_knowledge
from skmeta.plotting import (
    AnytimeDisplay,
    EnsembleWeightsDisplay,
    KnowledgeDisplay,
    LeaderboardDisplay,
    MetaFeaturesDisplay,
    PortfolioDisplay,
    ReliabilityDisplay,
    SimilarTasksDisplay,
)

try:
    here = Path(__file__).parent
except NameError:  # in a notebook
    here = Path.cwd()
penguins = pd.read_csv(here / "data" / "penguins.csv")
X, y = penguins.drop(columns="sex"), penguins["sex"]
X, y = X[y.notna()], y[y.notna()]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
knowledge = load_knowledge().without(["penguins"])
clf = MetaLearnerClassifier(knowledge=knowledge, n_candidates=8, random_state=0)
clf.fit(X_train, y_train)

# %%
# What was tried? Dots are means, open ones the splits. Where splits differ more than
# candidates, the order of the candidates is mostly chance. On the right: how soon was
# it good, and what had been expected?
figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
leaderboard = LeaderboardDisplay.from_estimator(clf, ax=axes[0])
AnytimeDisplay.from_estimator(clf, ax=axes[1])

# %%
# The data are attributes of a display.
leaderboard.leaderboard[["learner", "score", "std"]].head()

# %%
# Which known tables does the recommendation rest on, and is this one unusual?
SimilarTasksDisplay.from_estimator(clf)

# %%
# One by one: at 0 all known tables have a greater value, at 100 all a lower one.
MetaFeaturesDisplay.from_estimator(clf)

# %%
# Which candidates predict together?
EnsembleWeightsDisplay.from_estimator(clf)

# %%
# Are the probabilities what they say? That is for rows which ``fit`` has not seen.
ReliabilityDisplay.from_estimator(clf, X_test, y_test, n_bins=6)

# %%
# What is known at all: each row a table, each column a configuration. Where a band
# changes its colour from top to bottom, it depends on the table what does well.
KnowledgeDisplay.from_knowledge(knowledge)

# %%
# How many configurations does it take to have a good one for each of them? The first
# few of a portfolio lose as little as several times as many in any order.
PortfolioDisplay.from_knowledge(knowledge)
