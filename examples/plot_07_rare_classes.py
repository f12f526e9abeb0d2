"""
Rare classes, and a metric of one's own
=======================================

Labels that suit a metric, and probabilities that are right, come from one and the same
fit.
"""

# %%
# A table where one row in twelve is of the class that matters.
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

X, y = make_classification(
    800, n_features=12, n_informative=5, weights=[0.92], flip_y=0.03, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# By accuracy, it pays to say "no" whenever in doubt.
from sklearn.metrics import balanced_accuracy_score, log_loss

from skmeta import MetaLearnerClassifier


def judge(clf):
    labels, probabilities = clf.predict(X_test), clf.predict_proba(X_test)
    return {
        "balanced accuracy": balanced_accuracy_score(y_test, labels),
        "log loss": log_loss(y_test, probabilities),
        "said to be rare": labels.mean(),
    }


judge(MetaLearnerClassifier(n_candidates=3, random_state=0).fit(X_train, y_train))

# %%
# By balanced accuracy both classes count alike. The labels are others; the
# probabilities are as good, and nothing was oversampled.
clf = MetaLearnerClassifier(
    scoring="balanced_accuracy", n_candidates=3, random_state=0
).fit(X_train, y_train)
judge(clf)

# %%
# These are the weights that make labels of probabilities.
clf.ensemble_.class_weights

# %%
# A metric of one's own is a function made a scorer, as for `GridSearchCV`. What is
# recommended follows the nearest metric that is known, and says so.
from sklearn.metrics import fbeta_score, make_scorer

twice_as_bad_to_miss = make_scorer(fbeta_score, beta=2)
clf = MetaLearnerClassifier(
    scoring=twice_as_bad_to_miss, n_candidates=3, random_state=0
).fit(X_train, y_train)
clf.recommendation_.reason

# %%
clf.score(X_test, y_test)
