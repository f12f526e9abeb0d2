"""
Hyperparameters for my estimator
================================

You know which learner you want and only lack its hyperparameters.
:class:`~skmeta.MetaHyperparamSelector` is used like
:class:`~sklearn.model_selection.GridSearchCV`, without having to write the grid.
"""

# %%
# A support vector machine in a pipeline of one's own:
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
svc = make_pipeline(StandardScaler(), SVC())

# %%
# The wine data are among the tables that the shipped knowledge comes from. For an
# honest look they, and all variants of them, are left out.
from skmeta import load_knowledge

knowledge = load_knowledge().without(["wine"])
knowledge

# %%
# The selector finds the classifier inside the pipeline by itself.
from skmeta import MetaHyperparamSelector

search = MetaHyperparamSelector(svc, knowledge=knowledge, random_state=0)
search.fit(X_train, y_train)
print(search.best_params_)
print(f"cross-validated: {search.best_score_:.3f}")
print(f"on the rows set apart: {search.score(X_test, y_test):.3f}")

# %%
# The attributes are those of ``GridSearchCV``:
import pandas as pd

pd.DataFrame(search.cv_results_)[["params", "mean_test_score", "rank_test_score"]]

# %%
# Only the suggestions, ranked, with nothing fitted:
search.suggest(X_train, y_train, n_suggestions=3)

# %%
# The same as a grid for ``GridSearchCV``, to combine it with parameters of other
# steps:
from sklearn.model_selection import GridSearchCV

grid = [
    suggestion | {"standardscaler__with_mean": [True, False]}
    for suggestion in search.param_grid(X_train, y_train, n_suggestions=2)
]
GridSearchCV(svc, grid).fit(X_train, y_train).best_params_

# %%
# Zero-shot: recommended hyperparameters, one fit, no cross-validation.
from sklearn.ensemble import HistGradientBoostingClassifier

one_fit = MetaHyperparamSelector(
    HistGradientBoostingClassifier(), knowledge=knowledge, n_candidates=1
)
one_fit.fit(X_train, y_train)
print(one_fit.best_params_, one_fit.score(X_test, y_test))
