"""
A budget of seconds, and the same again
=======================================

`time_budget` covers all that `fit` does. What it did can be repeated later, whatever
time that takes.
"""

# %%
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmeta import MetaLearnerClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# Ten seconds for meta-features, candidates, the ensemble and fitting it on all rows.
import time

start = time.perf_counter()
clf = MetaLearnerClassifier(time_budget=10, random_state=0).fit(X_train, y_train)
f"{time.perf_counter() - start:.1f} seconds, {len(clf.leaderboard_)} candidates"

# %%
clf.score(X_test, y_test), clf.honest_score_

# %%
# How many candidates there is time for depends on the machine. The log says what was
# done; as JSON it can be kept beside the paper, and repeated.
import json

log = json.loads(json.dumps(clf.trial_log_))
again = MetaLearnerClassifier(random_state=0).replay(X_train, y_train, log)
(again.predict(X_test) == clf.predict(X_test)).all()

# %%
# Whoever counts candidates instead gets the same to the last bit, with any `n_jobs`.
# A callback is told of each candidate, and ends the search when it is good enough.
clf = MetaLearnerClassifier(
    n_candidates=20,
    callback=lambda progress: progress.best_score > 0.98,
    random_state=0,
).fit(X_train, y_train)
len(clf.leaderboard_), clf.best_score_
