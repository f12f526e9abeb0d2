"""Whether `time_budget` is kept, on tables from tiny to large.

Every fit is done in a fresh process, with as many jobs as told, while a second process
keeps that many cores busy. The table written says how long `fit` took, how many
candidates were tried, what predicts, and how its log loss and balanced accuracy on rows
held out compare with those of the class shares.

    python benchmarks/deadline.py --output deadline.csv --n-jobs 1 2

Rows that `--output` holds are not computed again.
"""

import argparse
import json
import subprocess
import sys
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import resume, run_fresh

BUDGETS = (1, 3, 10, 60)
SIZES = {
    "150 x 4": (150, 4, 3),
    "1,500 x 10 mixed": (1_500, 10, 2),
    "10,000 x 100": (10_000, 100, 2),
    "100,000 x 30": (100_000, 30, 2),
    "500,000 x 20": (500_000, 20, 2),
    "300 x 2,000": (300, 2_000, 2),
    "5,000 x 20, 50 classes": (5_000, 20, 50),
}
# Ends with its parent, however that ends.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS)
    parser.add_argument("--tables", nargs="+", default=list(SIZES))
    parser.add_argument("--n-busy", type=int, default=2, help="processes beside")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(*options.one)))
        return
    keys = product(options.budgets, options.tables, options.n_jobs)
    results = resume(
        options.output,
        [{"table": t, "budget": float(b), "n_jobs": n} for b, t, n in keys],
        partial(run_beside, n_busy=options.n_busy),
    )
    report(results)


def run_beside(table, budget, n_jobs, n_busy):
    """Run one fit in a process of its own while others keep the cores busy."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(n_busy)]
    try:
        return [run_fresh(__file__, "--output", "-", "--one", table, budget, n_jobs)]
    finally:
        for process in busy:
            process.kill()
            process.wait()


def run_one(table, budget, n_jobs):
    """Fit once and judge on rows held out."""
    from sklearn.metrics import balanced_accuracy_score, log_loss

    from skmeta import MetaLearnerClassifier

    X, y = make_table(*SIZES[table], mixed="mixed" in table)
    n_test = min(len(y) // 3, 5_000)
    X_test, y_test, X, y = X[:n_test], y[:n_test], X[n_test:], y[n_test:]
    clf = MetaLearnerClassifier(
        time_budget=float(budget), n_jobs=int(n_jobs), random_state=0
    )
    started = time.monotonic()
    clf.fit(X, y)
    seconds = time.monotonic() - started
    shares = np.bincount(y) / len(y)
    members = clf.trial_log_["members"]
    return {
        "seconds": seconds,
        "n_candidates": len(clf.leaderboard_),
        "n_complete": int(clf.leaderboard_["score"].notna().sum()),
        "n_rows_compared": clf.trial_log_["n_rows_compared"],
        "fitted_on": ", ".join(str(member["fitted_on"]) for member in members),
        "learner": clf.leaderboard_["learner"].iloc[0],
        "log_loss": log_loss(y_test, clf.predict_proba(X_test), labels=clf.classes_),
        "log_loss_of_shares": float(-np.log(shares[y_test]).mean()),
        "balanced_accuracy": balanced_accuracy_score(y_test, clf.predict(X_test)),
    }


def make_table(n_rows, n_columns, n_classes, *, mixed):
    """Make numbers, and categories if mixed, of which a few tell the classes apart."""
    rng = np.random.default_rng(0)
    n_rows += min(n_rows // 2, 5_000)
    X = rng.normal(size=(n_rows, n_columns))
    n_useful = min(n_columns, 8)
    hidden = rng.normal(size=(n_useful, 16))
    scores = np.tanh(X[:, :n_useful] @ hidden) @ rng.normal(size=(16, n_classes))
    y = (scores + rng.normal(size=scores.shape)).argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    if not mixed:
        return X, y
    frame = pd.DataFrame(X).add_prefix("number_")
    for j in range(0, n_columns, 2):
        codes = np.digitize(X[:, j], [-1, 0, 1])
        frame[f"number_{j}"] = pd.Series(codes).map(dict(enumerate("abcd")))
    return frame, y


def report(rows):
    """Print how much over the budget fits were."""
    rows["over"] = rows["seconds"] - rows["budget"]
    rows["allowed"] = np.maximum(0.5, 0.05 * rows["budget"])
    rows["kept"] = rows["over"] <= rows["allowed"]
    table = rows.pivot_table(index="table", columns=["n_jobs", "budget"], values="over")
    print("Seconds over the budget (below 0: ended before)")
    print(table.round(2).to_string())
    print(f"kept: {rows['kept'].sum()} of {len(rows)}")
    better = rows["log_loss"] < rows["log_loss_of_shares"]
    print(f"log loss below that of the shares: {better.sum()} of {len(rows)}")


if __name__ == "__main__":
    main()
