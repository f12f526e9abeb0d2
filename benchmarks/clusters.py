"""What joblib's workers cost for each fit, here and on a local cluster of dask or Ray.

The same cheap candidate is fitted again and again in three splits of one table. Written
are the seconds until workers are there, those until the first candidate has the table
and is done, and the milliseconds that each further fit takes besides fitting and
scoring, of all workers together.

    python benchmarks/clusters.py --output clusters.csv
"""

import argparse
import time
from contextlib import contextmanager, nullcontext
from functools import partial

import numpy as np
import pandas as pd
from joblib import parallel_config
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from skmeta._evaluation import Work, evaluate_candidates
from skmeta._workers import Workers

N_WORKERS = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", default="clusters.csv")
    parser.add_argument("--n-candidates", type=int, default=30)
    parser.add_argument("--n-repeats", type=int, default=3)
    options = parser.parse_args()
    rows = []
    for n_rows, n_columns in [(1_000, 20), (100_000, 20)]:
        for name, backend in BACKENDS.items():
            with backend() as config:
                for repeat in range(options.n_repeats):
                    with config():
                        measured = measure(n_rows, n_columns, options.n_candidates)
                    rows.append({"backend": name, "n_rows": n_rows, "repeat": repeat})
                    rows[-1] |= measured
                    print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(options.output, index=False)
    print(table.groupby(["n_rows", "backend"], sort=False).median().round(3))


def measure(n_rows, n_columns, n_candidates):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    y = (X[:, 0] + rng.normal(size=n_rows) > 0).astype(int)
    splits = list(StratifiedKFold(3).split(X, y))
    work = Work(X, y, splits, get_scorer("accuracy"))
    candidates = [GaussianNB()] * n_candidates
    start = time.perf_counter()
    with Workers(None) as workers:
        evaluate_candidates(candidates[:1], work_on_little(), workers=workers)
        ready = time.perf_counter()
        evaluate_candidates(candidates[:1], work, workers=workers)
        first = time.perf_counter()
        evaluations = evaluate_candidates(candidates, work, workers=workers)
        seconds = time.perf_counter() - first
        n_workers = workers.n_usable
    fitting = evaluations.fit_seconds.sum() + evaluations.score_seconds.sum()
    return {
        "start_s": ready - start,
        "first_round_s": first - ready,
        "fit_ms": 1e3 * fitting / (3 * n_candidates),
        "overhead_ms": 1e3 * (seconds * n_workers - fitting) / (3 * n_candidates),
    }


def work_on_little():
    y = np.arange(12) % 2
    splits = list(StratifiedKFold(3).split(y, y))
    return Work(y[:, np.newaxis], y, splits, get_scorer("accuracy"))


@contextmanager
def dask():
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(n_workers=N_WORKERS, **options) as cluster, Client(cluster):
        yield partial(parallel_config, "dask")


@contextmanager
def ray():
    import ray
    from ray.util.joblib import register_ray

    ray.init(num_cpus=N_WORKERS, include_dashboard=False, log_to_driver=False)
    register_ray()
    try:
        yield partial(parallel_config, "ray", n_jobs=N_WORKERS)
    finally:
        ray.shutdown()


BACKENDS = {
    "none": lambda: nullcontext(nullcontext),
    "loky": lambda: nullcontext(partial(parallel_config, "loky", n_jobs=N_WORKERS)),
    "dask": dask,
    "ray": ray,
}

if __name__ == "__main__":
    main()
