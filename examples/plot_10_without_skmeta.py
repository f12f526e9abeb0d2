"""
What remains without skmeta
===========================

The result can be had as plain scikit-learn, or as source code: to be deployed where
skmeta is not installed, or to be read.
"""

# %%
from pathlib import Path

import numpy as np
import pandas as pd

from skmeta import MetaLearnerClassifier

try:
    here = Path(__file__).parent
except NameError:  # in a notebook
    here = Path.cwd()
penguins = pd.read_csv(here / "data" / "penguins.csv")
X, y = penguins.drop(columns="species"), penguins["species"]
clf = MetaLearnerClassifier(n_candidates=4, random_state=0).fit(X, y)

# %%
# An estimator of scikit-learn alone, with the same probabilities.
plain = clf.to_sklearn()
np.abs(plain.predict_proba(X) - clf.predict_proba(X)).max()

# %%
plain

# %%
# It can be cloned and fitted on other rows of such a table.
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

cross_val_score(clone(plain), X, y, cv=3).mean()

# %%
# The same as a program that needs nothing else, of which these are the first lines.
print("\n".join(clf.to_code().splitlines()[:40]))
