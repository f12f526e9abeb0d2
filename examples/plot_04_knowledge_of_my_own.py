"""
Knowledge of my own
===================

The knowledge that ships is a beginning. It can be built from tables of one's own, it
can grow with every fit, and it can be merged with that of others, who need not see the
data.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from skmeta import MetaLearnerClassifier, load_knowledge
from skmeta.knowledge import Protocol, build_knowledge, find_tasks

temporary = TemporaryDirectory()
directory = Path(temporary.name)
for name, load in [("iris", load_iris), ("wine", load_wine)]:
    load(as_frame=True).frame.to_csv(directory / f"{name}.csv", index=False)

# %%
# Build: every configuration on every table, here of two quick base learners. On the
# command line, ``python -m skmeta build TABLES/ --target target --output ours.zip``
# does it, and goes on after a stop.

shipped = load_knowledge()
ours = build_knowledge(
    find_tasks([directory], target="target"),
    directory / "ours.zip",
    configurations=[
        configuration
        for configuration in shipped.configuration_values
        if configuration.learner in ("gaussian_nb", "logistic_regression")
    ],
    protocol=Protocol(n_folds=3),
)
ours.summary("accuracy")

# %%
# Grow: a fit writes down what it learned, and the next one uses it.

X, y = load_breast_cancer(return_X_y=True)
journal = directory / "mine.db"
clf = MetaLearnerClassifier(experience=journal, n_candidates=4, random_state=0)
clf.fit(X[:300], y[:300])
clf.fit(X[300:], y[300:])
print(clf.recommendation_.reason)

# %%
# Merge: in any order. A table is known by its content, whatever its name.

merged = shipped + ours
assert merged == ours + shipped
merged = merged.learn_from(journal)
print(merged)

# %%
# Share: coarse, and under pseudonyms. The preview is all that would leave.

pack = ours.pack(min_rows=100)
pack.preview()["tasks.json"]

# %%
# Others add it to theirs: ``load_knowledge() + load_knowledge("pack.zip")``.

temporary.cleanup()
