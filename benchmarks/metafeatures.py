"""Time the extraction of meta-features, beside pymfe where it is installed.

Run it on an idle machine:

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python benchmarks/metafeatures.py

Both libraries see the same tables in the same process, in turns. pymfe computes
only those of its features that skmeta has with the same definition, so that the
ratio compares like with like; skmeta computes everything of its level "fast". Then the
same for landmarks, where definitions differ: pymfe cross-validates the four learners
that both have on all rows, skmeta all of its own on a thousand.
"""

import argparse
import os
import platform
import statistics
import time
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.metafeatures._registry import select_features

SIZES = [(1_000, 20), (10_000, 20), (100_000, 50), (200, 5_000)]
LANDMARKS = ["one_nn", "naive_bayes", "linear_discr", "best_node"]
PYMFE_MAX_ROWS = 10_000


def make_task(n_rows, n_columns, mixed, seed=0):
    """Return a table of heavy-tailed, rounded and (if mixed) categorical columns."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n_rows, p=[0.6, 0.3, 0.1])
    X = rng.standard_t(4, size=(n_rows, n_columns))
    X += 0.5 * y[:, np.newaxis] * rng.normal(size=n_columns)
    X[:, ::3] = np.round(X[:, ::3])
    if not mixed:
        return X, y
    frame = pd.DataFrame(X).add_prefix("x")
    for j in range(0, n_columns, 4):
        levels = np.array([f"level {i}" for i in range(2 + 3 * j)], dtype=object)
        codes = (y + rng.integers(0, len(levels), n_rows)) % len(levels)
        frame[f"x{j}"] = pd.Categorical(levels[codes])
    frame["x1"] = frame["x1"].mask(rng.random(n_rows) < 0.05)
    return frame, y


def run_statistics(X, y):
    """Extract all meta-features of skmeta's level "fast"."""
    MetaFeatureExtractor().fit(X, y)


def run_landmarks(X, y):
    """Extract what skmeta's learners score, and on a quarter of the rows."""
    MetaFeatureExtractor(groups="accuracy_landmarking").fit(X, y)


def make_run_pymfe(groups, features=None):
    """Return a function that extracts what both have, None without pymfe."""
    try:
        from pymfe.mfe import MFE
    except ImportError:
        return None
    fast = select_features(None, "fast")
    ours = {f.pymfe.partition(".")[0] for f in fast if f.pymfe}
    shared = features or sorted(
        ours.intersection(MFE.valid_metafeatures(groups=groups))
    )

    def run_pymfe(X, y):
        # pymfe takes no frames and no missing values: what it needs is made ready
        # before the clock starts.
        categorical = None
        if isinstance(X, pd.DataFrame):
            is_category = X.dtypes == "category"
            categorical = np.flatnonzero(is_category).tolist()
            numbers = X.loc[:, ~is_category]
            X = X.fillna(numbers.median()).astype(object).to_numpy()
        start = time.process_time(), time.perf_counter()
        extractor = MFE(
            groups=groups,
            features=shared,
            summary=["mean", "sd", "min", "max", "median"],
            suppress_warnings=True,
        )
        extractor.fit(
            X,
            y,
            cat_cols=categorical,
            transform_cat=None if categorical else "gray",
            suppress_warnings=True,
        )
        extractor.extract(suppress_warnings=True)
        return time.process_time() - start[0], time.perf_counter() - start[1]

    return run_pymfe


def measure(function, X, y):
    """Return process and wall seconds of one call."""
    start = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        timed = function(X, y)
    return timed or (
        time.process_time() - start[0],
        time.perf_counter() - start[1],
    )


def compare(X, y, functions, repeats):
    """Return the median process and wall seconds of each function, in turns."""
    seconds = {name: [] for name in functions}
    for _ in range(repeats + 1):
        for name, function in functions.items():
            seconds[name].append(measure(function, X, y))
    # The first turn imports and allocates.
    return {
        name: [statistics.median(kind) for kind in zip(*runs[1:], strict=True)]
        for name, runs in seconds.items()
    }


def describe_machine():
    """Return versions and cores in a line."""
    packages = []
    for package in ("skmeta", "pymfe", "numpy", "scipy", "scikit-learn", "pandas"):
        try:
            packages.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            packages.append(f"{package} absent")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "?"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"Python {platform.python_version()}, {', '.join(packages)}; "
        f"{cores} of {os.cpu_count()} cores{load}"
    )


def main():
    """Print a table in markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--pymfe-max-rows",
        type=int,
        default=PYMFE_MAX_ROWS,
        help="rows above which pymfe is left out (default: %(default)s)",
    )
    arguments = parser.parse_args()
    kinds = {
        # Not the group "complexity": for c1, c2 and f1 alone it would compare all
        # rows with each other.
        "statistics": (
            run_statistics,
            make_run_pymfe(["general", "statistical", "info-theory"]),
        ),
        "landmarks": (run_landmarks, make_run_pymfe(["landmarking"], LANDMARKS)),
    }
    print(describe_machine(), end="\n\n")
    print(
        "| what | rows x columns | kind | skmeta process (ms) | skmeta wall (ms) "
        "| pymfe process (ms) | pymfe wall (ms) | ratio (process) |"
    )
    print("|---|---|---|---:|---:|---:|---:|---:|")
    for what, (run_skmeta, run_pymfe) in kinds.items():
        for n_rows, n_columns in SIZES:
            for mixed in (False, True)[: 1 if n_columns > 500 else 2]:
                X, y = make_task(n_rows, n_columns, mixed)
                functions = {"skmeta": run_skmeta}
                is_small = n_rows <= arguments.pymfe_max_rows and n_columns <= 500
                if run_pymfe and is_small:
                    functions["pymfe"] = run_pymfe
                medians = compare(X, y, functions, arguments.repeats)
                print(_row(what, n_rows, n_columns, mixed, medians), flush=True)


def _row(what, n_rows, n_columns, mixed, medians):
    kind = "mixed" if mixed else "numeric"
    ours = [1e3 * seconds for seconds in medians["skmeta"]]
    cells = [what, f"{n_rows:,} x {n_columns:,}", kind, *(f"{ms:.1f}" for ms in ours)]
    if "pymfe" in medians:
        theirs = [1e3 * seconds for seconds in medians["pymfe"]]
        cells += [*(f"{ms:.0f}" for ms in theirs), f"{theirs[0] / ours[0]:.0f}"]
    else:
        cells += ["-", "-", "-"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
