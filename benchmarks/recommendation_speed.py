"""What a recommendation costs before anything is fitted, cold and warm.

Cold is the first one in a fresh process, after the imports: the knowledge base is
read, meta-features are extracted, the recommender is fitted on the knowledge and
asked. Warm is every later one on another table, since the process keeps the
knowledge and the fitted recommender. Both in wall and in processor milliseconds, the
median over processes; on a busy machine only the latter say much.

    python benchmarks/recommendation_speed.py
"""

import argparse
import json
import time

import numpy as np
import pandas as pd
from _runs import run_fresh
from sklearn.datasets import make_classification

# 1,000 x 20 and the size of the larger tables that a notebook holds.
SHAPES = ((1_000, 20), (10_000, 50), (100_000, 50))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--in-process", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_process:
        print(json.dumps(measure(*options.in_process, options.repeats)))
        return
    rows = {}
    for shape in SHAPES:
        outcomes = [
            run_fresh(__file__, "--repeats", options.repeats, "--in-process", *shape)
            for _ in range(options.processes)
        ]
        rows[f"{shape[0]:,} x {shape[1]}"] = pd.DataFrame(outcomes).median()
    print(pd.DataFrame(rows).T.round(1).to_string())


def measure(n_rows, n_columns, repeats):
    """Return milliseconds of a first recommendation and of later ones."""
    # Both are imports and tables, which everybody has before the clock starts.
    from skmeta import MetaLearnerClassifier

    spent = []
    for seed in range(repeats + 1):
        X, y = make_classification(
            n_rows, n_columns, n_informative=8, random_state=seed
        )
        classifier = MetaLearnerClassifier(
            scoring="balanced_accuracy", n_candidates=16, random_state=0
        )
        wall, processor = time.perf_counter(), time.process_time()
        # What `fit` does before the first candidate.
        task, knowledge, names, _ = classifier._begin(X, y, None, None)
        classifier._recommend_first(task, knowledge, names)
        spent.append((time.perf_counter() - wall, time.process_time() - processor))
    cold, warm = spent[0], np.median(spent[1:], axis=0)
    return {
        f"{name}, {clock} ms": 1000 * value
        for name, values in [("cold", cold), ("warm", warm)]
        for clock, value in zip(("wall", "CPU"), values, strict=True)
    }


if __name__ == "__main__":
    main()
