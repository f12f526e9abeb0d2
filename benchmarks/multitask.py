"""Few rows of a new task, with and without other tasks to learn from.

Tasks are pairs and fives of scikit-learn's digits, in each of which labels are
shuffled, and the groups of tables: stations, storms, speakers. A third of the tasks,
12 at most, is held out; of the others, 40 at most, up to 50 rows of each class are
learned from. Of a held-out task some rows of each class are given and up to 50 of each
predicted, as one of the classes that were given. All systems see the same rows, and the
accuracy is the mean over classes. TABLES are parquet files with the target in the
column `__target__`; the column of the groups follows a colon and is no input, but for
pooled boosting. What the output holds of a seed is not run again.

    python benchmarks/multitask.py weather.parquet:Location --output multitask.csv
"""

import argparse
import time
import warnings
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import resume
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from skmeta._encoding import TableEncoder
from skmeta.multitask import (
    MetaGradientClassifier,
    SharedRepresentationClassifier,
    TaskClassifier,
)

SHOTS = [2, 5, 10, 20]
MOST_TRAINING, MOST_HELD_OUT, MOST_ROWS = 40, 12, 50


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", help="PATH:GROUP_COLUMN")
    parser.add_argument("--output", type=Path, default=Path("multitask.csv"))
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    sources = {"digits, 2 classes": 2, "digits, 5 classes": 5}
    for argument in options.tables:
        path, _, column = argument.rpartition(":")
        sources[f"{Path(path).stem} by {column}"] = path, column
    keys = [
        {"dataset": name, "seed": seed}
        for seed in range(options.seeds)
        for name in sources
    ]
    rows = resume(
        options.output, keys, lambda dataset, seed: compare(sources[dataset], seed)
    )
    report(rows)


def compare(source, seed):
    rng = np.random.default_rng(seed)
    is_digits = isinstance(source, int)
    tasks = digits(source, rng) if is_digits else groups(*source, rng)
    n_held_out = min(MOST_HELD_OUT, len(tasks) // 3)
    held_out, training = tasks[:n_held_out], tasks[n_held_out:][:MOST_TRAINING]
    training = [few_rows(*task, rng) for task in training]
    learned = learn(training, is_digits, seed)
    encoder = TableEncoder(categories="one_hot", impute=True, scale="robust")
    encoder.fit(stack(X for X, _ in training))
    for shots in SHOTS:
        parts = [each for X, y in held_out if (each := split(X, y, shots, rng))]
        if not parts:
            continue
        for system, predict in SYSTEMS.items():
            started = time.monotonic()
            accuracies = [
                balanced_accuracy_score(part.y_query, labels)
                for part, labels in predict(parts, training, learned, encoder)
            ]
            yield {
                "rows_per_class": shots,
                "system": system,
                "accuracy": np.mean(accuracies),
                "n_tasks": len(parts),
                "learn_seconds": learned[system].seconds if system in learned else 0,
                "task_seconds": (time.monotonic() - started) / len(parts),
            }


# Tasks


def digits(n_classes, rng):
    """Return tables of some digits, labels shuffled; held-out tasks have own images."""
    X, y = load_digits(return_X_y=True)
    images = [rng.permutation(np.flatnonzero(y == digit)) for digit in range(10)]
    chosen = rng.permutation(list(combinations(range(10), n_classes)))
    chosen = chosen[: MOST_TRAINING + MOST_HELD_OUT]
    tasks = []
    for number, digit_of_label in enumerate(chosen):
        held_out = number < min(MOST_HELD_OUT, len(chosen) // 3)
        rows = [images[digit][int(held_out) :: 2] for digit in digit_of_label]
        labels = np.repeat(rng.permutation(n_classes), list(map(len, rows)))
        tasks.append((pd.DataFrame(X[np.concatenate(rows)]), labels))
    return tasks


def groups(path, column, rng):
    """Return the tables of groups in which two classes have three rows."""
    frame = pd.read_parquet(path)
    y = frame.pop("__target__").astype(str).to_numpy()
    ids = frame.pop(column).astype(str)
    tables = [(frame.iloc[rows], y[rows]) for rows in ids.groupby(ids).indices.values()]
    tables = [
        (X, y)
        for X, y in tables
        if np.sum(np.unique(y, return_counts=True)[1] >= SHOTS[0] + 1) >= 2
    ]
    return [tables[i] for i in rng.permutation(len(tables))]


def few_rows(X, y, rng):
    rows = pd.Series(rng.permutation(len(y)))
    rows = rows[rows.groupby(y[rows]).cumcount() < MOST_ROWS].to_numpy()
    return X.iloc[rows], y[rows]


@dataclass
class Part:
    """Rows of a task that are given, and rows to be predicted."""

    X: pd.DataFrame
    y: np.ndarray
    X_query: pd.DataFrame
    y_query: np.ndarray


def split(X, y, shots, rng):
    """Return a part, or None if no two classes have one row more than are given."""
    given, asked = [], []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        if len(rows) > shots:
            given.append(rows[:shots])
            asked.append(rows[shots:][:MOST_ROWS])
    if len(given) < 2:
        return None
    given, asked = np.concatenate(given), np.concatenate(asked)
    return Part(X.iloc[given], y[given], X.iloc[asked], y[asked])


def stack(tables):
    return pd.concat(list(tables), ignore_index=True)


# Systems


@dataclass
class Learned:
    """What was learned from other tasks, and in what time."""

    model: object
    seconds: float


def learn(training, permute, seed):
    """Return by name what has learned from the training tasks."""
    common = {"random_state": seed}
    models = {
        name: MetaGradientClassifier(name.lower(), permute_labels=permute, **common)
        for name in ("MAML", "FOMAML", "ANIL", "Reptile")
    }
    models["shared representation"] = SharedRepresentationClassifier(**common)
    models["random start"] = MetaGradientClassifier(
        n_iterations=0, adapt_steps=1, permute_labels=permute, **common
    )
    X, y = stack(X for X, _ in training), np.concatenate([y for _, y in training])
    task = np.repeat(np.arange(len(training)), [len(y) for _, y in training])
    learned = {}
    for name, model in models.items():
        started = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, task=task)
        learned[name] = Learned(model, time.monotonic() - started)
    return learned


def labels_of(model, X, given):
    """Return the most probable of the classes that were given."""
    is_given = np.isin(model.classes_, given)
    return model.classes_[is_given][model.predict_proba(X)[:, is_given].argmax(axis=1)]


def adapted(name):
    def predict(parts, training, learned, encoder):
        for part in parts:
            model = learned[name].model.adapt(part.X, part.y)
            yield part, labels_of(model, part.X_query, part.y)

    return predict


def from_scratch(n_steps):
    """Return the same network and optimizer with a random start."""

    def predict(parts, training, learned, encoder):
        start = replace(learned["random start"].model._start, n_steps=n_steps)
        for part in parts:
            model = TaskClassifier(start).fit(part.X, part.y)
            yield part, labels_of(model, part.X_query, part.y)

    return predict


def per_task(model):
    def predict(parts, training, learned, encoder):
        for part in parts:
            fitted = clone(model).fit(encoder.transform(part.X), part.y)
            yield part, labels_of(fitted, encoder.transform(part.X_query), part.y)

    return predict


def pooled(model, with_task):
    """Return a model of the rows of all tasks, with those given of held-out ones."""

    def predict(parts, training, learned, encoder):
        def inputs(X, number):
            encoded = encoder.transform(X)
            task = np.full((len(X), int(with_task)), number)
            return np.hstack([encoded, task])

        tables = [*training, *((part.X, part.y) for part in parts)]
        rows = np.vstack([inputs(X, number) for number, (X, _) in enumerate(tables)])
        n_columns = rows.shape[1]
        fitted = clone(model)
        if with_task:
            fitted.set_params(categorical_features=[n_columns - 1])
        fitted.fit(rows, np.concatenate([y for _, y in tables]))
        for number, part in enumerate(parts, start=len(training)):
            yield part, labels_of(fitted, inputs(part.X_query, number), part.y)

    return predict


SYSTEMS = {
    **{name: adapted(name) for name in ("MAML", "FOMAML", "ANIL", "Reptile")},
    "shared representation": adapted("shared representation"),
    "random start, same steps": from_scratch(50),
    "random start, converged": from_scratch(300),
    "LR of the task": per_task(LogisticRegression(max_iter=1000)),
    "nearest neighbour of the task": per_task(KNeighborsClassifier(1)),
    "pooled LR": pooled(LogisticRegression(max_iter=1000), with_task=False),
    "pooled boosting, task a category": pooled(
        HistGradientBoostingClassifier(max_iter=100, random_state=0), with_task=True
    ),
}


# Report


def report(rows):
    seeds = rows.groupby("dataset", sort=False)["seed"].nunique()
    print("Seeds:", ", ".join(f"{name} {n}" for name, n in seeds.items()))
    for shots, given in rows.groupby("rows_per_class"):
        cells = given.groupby(["system", "dataset"], sort=False)["accuracy"]
        table = cells.agg(with_interval).unstack()
        print(f"\n**{shots} rows per class**\n")
        print(f"| | {' | '.join(table.columns)} |")
        print("|---" * (1 + table.shape[1]) + "|")
        for system, of_system in table.iterrows():
            print(f"| {system} | {' | '.join(of_system)} |")
    seconds = rows.groupby("system", sort=False)[["learn_seconds", "task_seconds"]]
    print(f"\nMedian seconds:\n{seconds.median().round(2)}")


def with_interval(accuracies):
    """Return the mean in percent, and of three seeds half its 95 % interval."""
    mean, n = f"{100 * np.mean(accuracies):.1f}", len(accuracies)
    if n < 3:
        return mean
    half = stats.t.ppf(0.975, n - 1) * np.std(accuracies, ddof=1) / np.sqrt(n)
    return f"{mean} ± {100 * half:.1f}"


if __name__ == "__main__":
    main()
