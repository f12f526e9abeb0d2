"""How many predictions out of fold change when one row is replaced?

What `KnowledgeBase.pack` with `epsilon` promises depends on it. For each table a row is
replaced by a copy of another one of its class, several times; the splits stay. Printed
are, for each base learner, quantiles of the number of other rows that get another
label, and of the change of accuracy times the number of rows.

    python benchmarks/influence.py TABLE... --target label
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from skmeta._base_learners import TaskSize, default_configurations, make_estimator
from skmeta._files import read_file
from skmeta._workers import calm
from skmeta.knowledge import Protocol
from skmeta.knowledge._worker import prepare_task

LEARNERS = ["logistic_regression", "gaussian_nb", "linear_discriminant_analysis",
            "k_nearest_neighbors", "svc", "decision_tree", "extra_trees",
            "random_forest", "hist_gradient_boosting", "mlp"]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--target", default="__target__")
    parser.add_argument("--max-rows", type=int, default=1000)
    parser.add_argument("--n-replaced", type=int, default=5, help="rows per table")
    options = parser.parse_args()
    protocol = Protocol(max_rows=options.max_rows)
    rows = []
    for path in options.tables:
        X, y = prepare_task(read_file(path), options.target, protocol)
        for learner in LEARNERS:
            rows += replace_rows(learner, X, y, protocol, options.n_replaced)
    results = pd.DataFrame(rows)
    print(f"{len(options.tables)} tables, {results['n_rows'].median():.0f} rows in the "
          f"median")  # fmt: skip
    quantiles = results.groupby("learner")[["labels", "accuracy"]].quantile(
        [0.5, 0.95, 1.0]
    )
    print(quantiles.unstack().round(1).to_string())


def replace_rows(learner, X, y, protocol, n_replaced):
    """Return how many labels change, for each row that is replaced."""
    rng = np.random.default_rng(0)
    before = predict(learner, X, y, protocol)
    rows = []
    for replaced in rng.choice(len(y), n_replaced, replace=False):
        other = rng.choice(np.flatnonzero(y == y[replaced]))
        order = np.arange(len(y))
        order[replaced] = other
        after = predict(learner, X.iloc[order].reset_index(drop=True), y, protocol)
        changed = before != after
        changed[replaced] = False
        difference = (after == y).sum() - (before == y).sum()
        rows.append(
            {
                "learner": learner,
                "n_rows": len(y),
                "labels": changed.sum(),
                "accuracy": abs(difference),
            }
        )
    return rows


def predict(learner, X, y, protocol):
    """Return labels out of fold."""
    configuration = default_configurations([learner])[0]
    fold_of = protocol.split(y)
    labels = np.empty(len(y), dtype=np.int64)
    for fold in range(fold_of.max() + 1):
        train, test = fold_of != fold, fold_of == fold
        size = TaskSize(train.sum(), X.shape[1], y.max() + 1)
        with calm():
            estimator = make_estimator(configuration, size, 0).fit(X[train], y[train])
            labels[test] = estimator.predict(X[test])
    return labels


if __name__ == "__main__":
    main()
