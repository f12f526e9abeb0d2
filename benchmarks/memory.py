"""How much memory `fit` and `predict_proba` take, in units of the table.

Tables are of float64 numbers. They are made, fitted and predicted in three processes
with one job each; what is measured is how much higher the process has ever been than
with its imports, a small fit and the table, and for predictions the classifier.

    python benchmarks/memory.py --output memory.csv --time-budget 20

Rows that `--output` holds are not computed again; the report is printed.
"""

import argparse
import json
import pickle
import resource
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from _runs import resume, run_fresh

SIZES = {
    "100,000 x 20": (100_000, 20),
    "100,000 x 100": (100_000, 100),
    "500,000 x 20": (500_000, 20),
}
MOST = 4  # tables, which we hold to


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=list(SIZES))
    parser.add_argument("--time-budget", type=float, default=20)
    parser.add_argument("--n-candidates", type=int, default=8)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        step, directory = options.one
        print(json.dumps(STEPS[step](Path(directory), options)))
        return
    results = resume(
        options.output,
        [{"table": table} for table in options.tables],
        partial(run_table, options=options),
    )
    report(results, options)


def run_table(table, options):
    # A process begins with the highest that its parent has been: so the table is not
    # made here either.
    with tempfile.TemporaryDirectory() as directory:
        row = {}
        for step in STEPS:
            row |= run_fresh(
                __file__, "--output", "-", "--tables", table,
                "--time-budget", options.time_budget,
                "--n-candidates", options.n_candidates, "--one", step, directory,
            )  # fmt: skip
        return [row]


def make(directory, options):
    from deadline import make_table

    n_rows, n_columns = SIZES[options.tables[0]]
    X, y = make_table(n_rows, n_columns, 2, mixed=False)
    np.save(directory / "X.npy", X[:n_rows])
    np.save(directory / "y.npy", y[:n_rows])
    return {"table_mb": n_rows * n_columns * 8 / 2**20}


def fit(directory, options):
    clf = make_classifier(options)
    X, y = np.load(directory / "X.npy"), np.load(directory / "y.npy")
    before = peak_mb()
    clf.fit(X, y)
    row = {"before_fit_mb": before, "fit_mb": peak_mb() - before}
    (directory / "classifier.pickle").write_bytes(pickle.dumps(clf))
    members = clf.leaderboard_["learner"][clf.leaderboard_["weight"] > 0]
    return row | {
        "n_candidates": len(clf.leaderboard_),
        "n_complete": int(clf.leaderboard_["score"].notna().sum()),
        "members": ", ".join(members),
    }


def predict(directory, options):
    make_classifier(options)
    X = np.load(directory / "X.npy")
    clf = pickle.loads((directory / "classifier.pickle").read_bytes())
    before = peak_mb()
    clf.predict_proba(X)
    return {"before_predict_mb": before, "predict_mb": peak_mb() - before}


STEPS = {"make": make, "fit": fit, "predict": predict}


def make_classifier(options):
    """Return a classifier, after what every process pays once, whatever the table."""
    from skmeta import MetaLearnerClassifier
    from skmeta._base_learners import BASE_LEARNERS, TaskSize

    for learner in BASE_LEARNERS.values():
        if learner.is_installed:
            learner.make({}, TaskSize(100, 2, 2))
    X = np.random.default_rng(0).normal(size=(100, 2))
    MetaLearnerClassifier(n_candidates=2, random_state=0).fit(X, X[:, 0] > 0)
    return MetaLearnerClassifier(
        time_budget=options.time_budget,
        n_candidates=options.n_candidates,
        n_jobs=1,
        random_state=0,
    )


def peak_mb():
    """Return the most memory that this process has ever had."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def report(results, options):
    """Print, as Markdown, peaks in megabytes and in tables."""
    print(f"time_budget={options.time_budget:g}, n_candidates={options.n_candidates}, "
          f"n_jobs=1; at most {MOST} tables are wanted.\n")  # fmt: skip
    print("| table | MB | `fit`, MB | tables | `predict_proba`, MB | tables "
          "| candidates | complete | members |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for row in results.itertuples():
        cells = [f"{row.table_mb:.0f}"]
        for mb in (row.fit_mb, row.predict_mb):
            cells += [f"{mb:.0f}", f"{mb / row.table_mb:.1f}"]
        cells += [str(row.n_candidates), str(row.n_complete), row.members]
        print(f"| {row.table} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
