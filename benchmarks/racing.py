"""How often candidates are dropped too early, and how many fits that saves.

From predictions out of fold that a build kept. On each table candidates come in an
order by chance, the first eight get all their splits, and each of the others is
dropped as `Trials.make_objection` says, one split after the other. Wrong is a drop of
what would have been as good as the rival in the end.

    python benchmarks/racing.py DIRECTORY... --n-members 5
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from _predictions import load_stack
from sklearn.metrics import accuracy_score, log_loss

from skmeta import Configuration, Recommendation
from skmeta._evaluation import Evaluations
from skmeta._trials import Trials

N_COMPLETE = 8
N_CANDIDATES = 40


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("predictions", nargs="+", type=Path, help="directories")
    parser.add_argument("--n-members", type=int, default=5)
    parser.add_argument("--n-orders", type=int, default=2, help="per table")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    tables = {}
    for directory in options.predictions:
        for file in sorted(directory.glob("*/y.npy")):
            if len(list(file.parent.glob("*.npy"))) > N_CANDIDATES + 10:
                tables.setdefault(file.parent.name, file.parent)
    rows = []
    for table, directory in tables.items():
        for metric, scores in fold_scores(directory).items():
            for _ in range(options.n_orders):
                order = rng.permutation(len(scores))[:N_CANDIDATES]
                rows += race(table, metric, scores[order], options.n_members)
    report(pd.DataFrame(rows), len(tables))


def fold_scores(directory):
    """Return the scores of each split of each configuration, by metric."""
    y, fold_of = np.load(directory / "y.npy"), np.load(directory / "fold.npy")
    folds = [np.flatnonzero(fold_of == fold) for fold in np.unique(fold_of)]
    scores = {"accuracy": [], "log loss": []}
    for file in sorted(directory.glob("*-*.npy")):
        [values] = load_stack(directory, [file.stem])
        labels = np.arange(values.shape[1])
        scores["accuracy"].append(
            [accuracy_score(y[rows], values[rows].argmax(axis=1)) for rows in folds]
        )
        scores["log loss"].append(
            [-log_loss(y[rows], values[rows], labels=labels) for rows in folds]
        )
    return {metric: np.array(values) for metric, values in scores.items()}


def race(table, metric, scores, n_members):
    """Drop candidates one after the other, and say what that saved and cost."""
    n_splits = scores.shape[1]
    complete, rows = list(range(N_COMPLETE)), []
    for candidate in range(N_COMPLETE, len(scores)):
        object_to = make_trials(scores[complete]).make_objection(n_members)
        means = scores[complete].mean(axis=1)
        n_used = n_splits
        for n_done in range(1, n_splits):
            seen = np.where(np.arange(n_splits) < n_done, scores[candidate], np.nan)
            if object_to is not None and object_to(seen) is not None:
                n_used = n_done
                break
        rows.append(
            {
                "table": table,
                "metric": metric,
                "is_dropped": n_used < n_splits,
                "share_of_fits": n_used / n_splits,
                "is_good": scores[candidate].mean() >= np.sort(means)[-n_members],
            }
        )
        if n_used == n_splits:
            complete.append(candidate)
    return rows


def make_trials(scores):
    """Return trials of candidates that have these scores."""
    unknown = np.full(len(scores), np.nan)
    trials = Trials(
        Recommendation(
            configurations=(Configuration("any"),) * len(scores),
            expected_scores=unknown,
            expected_seconds=unknown,
            task_weights=pd.Series(dtype=float),
            metric="any",
            recommender="none",
        ),
        scores.shape[1],
    )
    trials.add(
        [({}, None)] * len(scores),
        replace(
            Evaluations.untested(*scores.shape), scores=scores, plain_scores=scores
        ),
    )
    return trials


def report(rows, n_tables):
    print(f"{n_tables} tables, {len(rows)} candidates")
    for metric, part in rows.groupby("metric"):
        good = part[part["is_good"]]
        print(
            f"{metric}: {part['is_dropped'].mean():.0%} dropped, "
            f"{part['share_of_fits'].mean():.0%} of the fits done, "
            f"{good['is_dropped'].mean():.1%} of {len(good)} good ones dropped"
        )


if __name__ == "__main__":
    main()
