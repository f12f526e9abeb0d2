"""
A first recommendation
======================

What does skmeta do with a table that it has never seen? Here it meets 344 penguins:
numbers, categories and missing values, as they come from the file.
"""

# %%
# The table ships with the examples. Nothing is encoded, imputed or scaled by hand.
from pathlib import Path

import pandas as pd

try:
    here = Path(__file__).parent
except NameError:  # in a notebook
    here = Path.cwd()
penguins = pd.read_csv(here / "data" / "penguins.csv")
X, y = penguins.drop(columns="species"), penguins["species"]
X.head()

# %%
# A third of the rows is set apart, to see later what the result is worth.
from sklearn.model_selection import train_test_split

X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)

# %%
# Fitting measures the table's meta-features, asks the knowledge that ships with
# skmeta which configurations did well on tables like it, cross-validates the first
# few of them, and refits the best one on all rows given.
from skmeta import MetaLearnerClassifier

clf = MetaLearnerClassifier(n_candidates=5, random_state=0).fit(X_train, y_train)
print(f"accuracy on the rows set apart: {clf.score(X_test, y_test):.3f}")

# %%
# What was recommended, in which order, and which known tables that rests on:
print(clf.recommendation_)

# %%
# What came of it. A candidate that fails would be a row here, with its error.
clf.leaderboard_[["rank", "learner", "score", "std", "expected_score", "fit_seconds"]]

# %%
# The known tables that counted most:
clf.recommendation_.task_weights.head()

# %%
# The result is a classifier like any other, with probabilities too:
clf.predict_proba(X_test.head(3)).round(3)

# %%
# With ``n_candidates=1`` the first recommendation is fitted without comparing it
# with others: as fast as it gets.
zero_shot = MetaLearnerClassifier(n_candidates=1, random_state=0)
zero_shot.fit(X_train, y_train)
print(f"accuracy on the rows set apart: {zero_shot.score(X_test, y_test):.3f}")
