"""Meta decision trees beside voting, the best by cross-validation, and stacking.

All combine the same five base classifiers, with the same five folds inside. Each table
is halved, and each half is predicted from the other. TABLES/ holds parquet files with
the target in the column `__target__`, and an index.csv with name, family and n_rows: of
each family the first table with a suitable number of rows is taken.

    python benchmarks/meta_tree.py TABLES/ --output meta_tree.csv
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import resume
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skmeta import MetaDecisionTreeClassifier
from skmeta._base_learners import TaskSize, make_estimator
from skmeta._meta_tree import DEFAULT_CLASSIFIERS
from skmeta._workers import calm


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path)
    parser.add_argument("--output", type=Path, default=Path("meta_tree.csv"))
    parser.add_argument("--n-tables", type=int, default=40)
    parser.add_argument("--least-rows", type=int, default=400)
    parser.add_argument("--most-rows", type=int, default=3_000)
    parser.add_argument("--most-cells", type=int, default=60_000)
    options = parser.parse_args()
    index = pd.read_csv(options.tables / "index.csv")
    index = index[index["n_rows"].between(options.least_rows, options.most_rows)]
    # Boosting of many columns for many classes takes most of an hour.
    size = index["n_rows"] * index["n_features"] * index["n_classes"]
    index = index[size <= options.most_cells]
    names = index.drop_duplicates("family")["name"].sample(frac=1, random_state=0)
    keys = [{"table": name} for name in names[: options.n_tables]]
    rows = resume(options.output, keys, lambda table: compare(options.tables, table))
    report(rows)


def compare(tables, table):
    frame = pd.read_parquet(tables / f"{table}.parquet")
    y = frame.pop("__target__").astype(str)
    is_kept = (y.map(y.value_counts()) >= 12).to_numpy()
    X, y = frame[is_kept].reset_index(drop=True), y[is_kept].to_numpy()
    size = TaskSize(len(y) // 2, X.shape[1], len(np.unique(y)))
    base = [
        (name, make_estimator(configuration, size, random_state=0))
        for name, configuration in DEFAULT_CLASSIFIERS.items()
    ]
    for fold, (train, test) in enumerate(folds(2).split(X, y)):
        for system, make in SYSTEMS.items():
            with calm():
                model = make(base, X.iloc[train], y[train])
                probabilities = model.predict_proba(X.iloc[test])
            labels = model.classes_[probabilities.argmax(axis=1)]
            yield {
                "fold": fold,
                "system": system,
                "accuracy": accuracy_score(y[test], labels),
                "balanced_accuracy": balanced_accuracy_score(y[test], labels),
                "log_loss": log_loss(y[test], probabilities, labels=model.classes_),
                "n_leaves": getattr(model, "n_leaves_", np.nan),
            }


def folds(n_folds):
    return StratifiedKFold(n_folds, shuffle=True, random_state=0)


def best_by_cv(base, X, y):
    scores = [cross_val_score(model, X, y, cv=folds(5)).mean() for _, model in base]
    return base[int(np.argmax(scores))][1].fit(X, y)


def vote(base, X, y):
    return VotingClassifier(base, voting="soft").fit(X, y)


def stack(base, X, y):
    final = LogisticRegression(max_iter=1000)
    return StackingClassifier(
        base, final, cv=folds(5), stack_method="predict_proba"
    ).fit(X, y)


def grow(base, X, y, **params):
    return MetaDecisionTreeClassifier(base, cv=folds(5), **params).fit(X, y)


SYSTEMS = {
    "meta decision tree": grow,
    "meta decision tree, 2 errors": lambda *args: grow(*args, n_errors=2.0),
    "meta decision tree, 0 errors": lambda *args: grow(*args, n_errors=0.0),
    "best by cross-validation": best_by_cv,
    "voting": vote,
    "stacking": stack,
}


def report(rows):
    metrics = ["accuracy", "balanced_accuracy", "log_loss"]
    means = rows.groupby(["system", "table"])[metrics].mean()
    print(means.groupby("system").mean().round(4))
    by_cv = means.loc["best by cross-validation"]
    rng = np.random.default_rng(0)
    for system in SYSTEMS:
        for metric in metrics:
            gain = (means.loc[system] - by_cv)[metric].to_numpy()
            drawn = rng.choice(gain, (4000, len(gain))).mean(axis=1)
            low, high = np.quantile(drawn, [0.025, 0.975])
            print(
                f"{system:30s} {metric:18s} {gain.mean():+.4f} "
                f"({low:+.4f} to {high:+.4f}) on {len(gain)} tables, better on "
                f"{np.sum(gain > 0)}, equal on {np.sum(gain == 0)}"
            )
    print(rows[rows["n_leaves"] > 0].groupby("system")["n_leaves"].describe())


if __name__ == "__main__":
    main()
