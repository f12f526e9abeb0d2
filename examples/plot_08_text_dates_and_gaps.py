"""
Text, dates, categories and gaps
================================

A table as it comes out of a database: nothing has to be prepared.
"""

# %%
# Made up: tickets of a help desk, which are to be sent to the right team.
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n_rows = 400
team = rng.choice(["network", "accounts", "printers"], n_rows)
words = {
    "network": ["cable", "router", "wifi", "slow", "offline"],
    "accounts": ["password", "login", "locked", "expired", "access"],
    "printers": ["paper", "toner", "jam", "tray", "ink"],
}
anything = ["please", "help", "my", "the", "since", "today", "again", "urgent"]


def write(about):
    said = [*rng.choice(words[about], 2), *rng.choice(anything, 6)]
    return " ".join(rng.permutation(said))


tickets = pd.DataFrame(
    {
        "ticket": [f"T-{number:06d}" for number in range(n_rows)],
        "opened": pd.Timestamp("2026-01-01")
        + pd.to_timedelta(rng.integers(0, 300 * 24, n_rows), unit="h"),
        "message": [write(each) for each in team],
        "building": pd.Categorical(rng.choice(list("ABCDEF"), n_rows)),
        "is_vip": rng.random(n_rows) < 0.1,
        "floor": np.where(rng.random(n_rows) < 0.2, np.nan, rng.integers(0, 9, n_rows)),
        "company": "ours",
    }
)
tickets.head()

# %%
# Fitted as it is.
from sklearn.model_selection import train_test_split

from skmeta import MetaLearnerClassifier

X_train, X_test, y_train, y_test = train_test_split(tickets, team, random_state=0)
clf = MetaLearnerClassifier(n_candidates=6, random_state=0).fit(X_train, y_train)
clf.score(X_test, y_test)

# %%
# What became of each column: text is split into words, a date into its parts; a number
# that every row has for itself, and what never changes, are ignored.
clf.best_estimator_[0].columns_

# %%
# What was never seen before does no harm.
strange = X_test.head(2).assign(building="Z", message="my wifi is offline", floor=None)
clf.predict(strange)
