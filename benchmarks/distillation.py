"""One small model that imitates an ensemble: what it costs, and what it saves.

Each table is divided into two thirds and a third. Beside the ensemble and its student
are the best candidate alone, and the student's learner fitted on the true classes. The
families of the tables are left out of the knowledge. TABLES/ holds parquet files with
the target in the column `__target__`, and an index.csv with name, family and n_rows.

    python benchmarks/distillation.py TABLES/ --output distillation.csv
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import resume
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from skmeta import MetaLearnerClassifier, load_knowledge
from skmeta._base_learners import TaskSize, make_estimator
from skmeta._distillation import STUDENT
from skmeta._ensemble import WeightedEnsemble
from skmeta._workers import calm


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path)
    parser.add_argument("--output", type=Path, default=Path("distillation.csv"))
    parser.add_argument("--n-tables", type=int, default=24)
    parser.add_argument("--most-cells", type=int, default=60_000)
    options = parser.parse_args()
    index = pd.read_csv(options.tables / "index.csv")
    size = index["n_rows"] * index["n_features"] * index["n_classes"]
    index = index[index["n_rows"].between(400, 5_000) & (size <= options.most_cells)]
    names = index.drop_duplicates("family")["name"].sample(frac=1, random_state=1)
    keys = [{"table": name} for name in names[: options.n_tables]]
    knowledge = load_knowledge()
    report(
        resume(
            options.output, keys, lambda table: run(options.tables, table, knowledge)
        )
    )


def run(tables, table, knowledge):
    frame = pd.read_parquet(tables / f"{table}.parquet")
    y = frame.pop("__target__").astype(str)
    kept = (y.map(y.value_counts()) >= 12).to_numpy()
    X, y = frame[kept].reset_index(drop=True), y[kept].to_numpy()
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, stratify=y, random_state=0
    )
    if table in knowledge.tasks.index:
        knowledge = knowledge.without([table])
    clf = MetaLearnerClassifier(
        scoring="balanced_accuracy", knowledge=knowledge, random_state=0
    ).fit(X, y)
    size = TaskSize(*X.shape, len(clf.classes_))
    weights = clf.ensemble_.class_weights
    with calm():
        plain = make_estimator(STUDENT, size, 0).fit(X, y)
    systems = {
        "ensemble": clf.ensemble_,
        "student": clf.distil(X),
        "student, rows as given": clf.distil(X, n_rows=1),
        "best candidate": _alone(clf.best_estimator_, weights),
        "the student's learner on the classes": _alone(plain, weights),
    }
    for system, model in systems.items():
        yield {"system": system, **_judge(model, X_test, y_test)}


def _alone(model, class_weights):
    return WeightedEnsemble([model], None, class_weights).use([model])


def _judge(model, X, y):
    with calm():
        probabilities = model.predict_proba(X)
        classes = model.classes_
        is_binary = len(classes) == 2
        scores = {
            "balanced_accuracy": balanced_accuracy_score(y, model.predict(X)),
            "roc_auc": roc_auc_score(
                y,
                probabilities[:, 1] if is_binary else probabilities,
                multi_class="ovr",
                labels=classes,
            ),
            "log_loss": log_loss(y, probabilities, labels=classes),
        }
        many = X.iloc[np.arange(10_000) % len(X)]
        return scores | {
            "kilobytes": len(pickle.dumps(model)) / 1024,
            "row_ms": 1e3 * _seconds(model, X.iloc[:1], 20),
            "rows_10000_s": _seconds(model, many, 1),
        }


def _seconds(model, X, n_times):
    times = []
    for _ in range(n_times):
        start = time.process_time()
        model.predict_proba(X)
        times.append(time.process_time() - start)
    return float(np.median(times))


def report(rows):
    metrics = ["balanced_accuracy", "roc_auc", "log_loss"]
    costs = ["kilobytes", "row_ms", "rows_10000_s"]
    by_system = rows.groupby("system")
    table = by_system[metrics].mean().round(4).join(by_system[costs].median().round(3))
    print(f"{rows['table'].nunique()} tables\n{table.to_string()}")
    wide = rows.pivot(index="table", columns="system")
    rng = np.random.default_rng(0)
    for system in wide["roc_auc"].columns:
        for metric in metrics:
            apart = (wide[metric][system] - wide[metric]["ensemble"]).to_numpy()
            low, high = np.quantile(
                rng.choice(apart, (4000, len(apart))).mean(axis=1), [0.025, 0.975]
            )
            print(f"{system:38s} {metric:18s} {apart.mean():+.4f} "
                  f"({low:+.4f} to {high:+.4f})")  # fmt: skip


if __name__ == "__main__":
    main()
