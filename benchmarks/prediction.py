"""What a prediction costs: one row, and many, by one pipeline and by the ensemble.

The table has 20 columns, ten of numbers with missing values and ten of categories. The
table written says processor and wall milliseconds, the median over repetitions, of the
classifier and of what `to_sklearn` makes of it.

    python benchmarks/prediction.py --output prediction.csv
"""

import argparse
import time

import numpy as np
import pandas as pd

from skmeta import MetaLearnerClassifier


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", default=None)
    parser.add_argument("--n-train", type=int, default=2_000)
    parser.add_argument("--n-many", type=int, default=100_000)
    options = parser.parse_args()
    X, y = make_table(options.n_train, seed=0)
    many, _ = make_table(options.n_many, seed=1)
    rows = []
    for name, params in {"single": {"ensemble_size": 1}, "ensemble": {}}.items():
        clf = MetaLearnerClassifier(random_state=0, **params).fit(X, y)
        learners = clf.leaderboard_.loc[clf.leaderboard_["weight"] > 0, "learner"]
        for form, estimator in {"skmeta": clf, "plain": clf.to_sklearn()}.items():
            for table, n_repeats in ((many[:1], 30), (many, 3)):
                measured = measure(estimator, table, n_repeats)
                members = ", ".join(learners)
                rows.append([name, form, len(table), *measured, members])
                print(*rows[-1], flush=True)
    columns = ["predictor", "form", "n_rows", "cpu_ms", "wall_ms", "members"]
    if options.output:
        pd.DataFrame(rows, columns=columns).to_csv(options.output, index=False)


def make_table(n_rows, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n_rows, 10))
    levels = rng.integers(6, size=(n_rows, 10))
    y = (
        numbers[:, 0] + numbers[:, 1] * (levels[:, 0] > 2) + rng.normal(size=n_rows)
    ) > 0
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    X = pd.DataFrame(numbers, columns=[f"number_{j}" for j in range(10)])
    for j in range(10):
        X[f"level_{j}"] = np.array(list("abcdef"), dtype=object)[levels[:, j]]
    return X, y


def measure(estimator, X, n_repeats):
    """Return processor and wall milliseconds of a prediction."""
    estimator.predict_proba(X)
    cpu, wall = [], []
    for _ in range(n_repeats):
        started = time.process_time(), time.perf_counter()
        estimator.predict_proba(X)
        cpu.append(time.process_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    return round(1e3 * np.median(cpu), 2), round(1e3 * np.median(wall), 2)


if __name__ == "__main__":
    main()
