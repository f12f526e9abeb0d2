"""What the encoding of tables gains, and what a row costs.

    python benchmarks/encoding.py levels TABLES/   # shares of classes for many levels
    python benchmarks/encoding.py text TABLES/     # n-grams against codes
    python benchmarks/encoding.py row TABLES/      # milliseconds to encode one row

TABLES/ holds parquet files with the target in the column `__target__`. Scores are
those of four stratified folds with each learner's default hyperparameters.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skmeta._base_learners import BASE_LEARNERS, TaskSize


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["levels", "text", "row"])
    parser.add_argument("tables", type=Path)
    parser.add_argument("--max-rows", type=int, default=2500)
    parser.add_argument("--more-levels-than", type=int, default=40)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    measure = {"levels": compare_levels, "text": compare_text, "row": time_a_row}
    rows = []
    for path in sorted(options.tables.glob("*.parquet")):
        for row in measure[options.what](*read(path, options.max_rows), options):
            rows.append({"table": path.stem} | row)
            print(rows[-1], flush=True)
    if rows:
        by_learner = pd.DataFrame(rows).groupby("learner")
        print(by_learner.mean(numeric_only=True).round(4).to_string())


def read(path, max_rows):
    """Return a sample of a table and of its classes of at least ten rows."""
    table = pd.read_parquet(path)
    table = table.sample(min(max_rows, len(table)), random_state=0)
    y = table.pop("__target__").astype(str)
    is_kept = (y.map(y.value_counts()) >= 10).to_numpy()
    return table[is_kept].reset_index(drop=True), y[is_kept].reset_index(drop=True)


def compare_levels(X, y, options):
    """Yield what scores gain when many levels become shares of classes."""
    few = options.more_levels_than
    words = X.select_dtypes(exclude="number")
    if not any(words[name].nunique() > few for name in words):
        return
    for learner in installed():
        without = scores(learner, X, y, target_levels=None)
        shares = scores(learner, X, y, target_levels=few)
        gain = {f"gain_{name}": shares[name] - without[name] for name in shares}
        yield {"learner": learner, **without, **gain}


def compare_text(X, y, options):
    """Yield scores of each column of text, alone, as codes and as n-grams."""
    encoder = BASE_LEARNERS["random_forest"].make({}, TaskSize(*X.shape))["table"]
    columns = encoder.fit(X).columns_
    for name in columns["name"][columns["kind"] == "text"]:
        text = X[[name]]
        for learner in installed():
            codes = scores(learner, text.astype("category"), y)
            ngrams = scores(learner, text, y)
            yield {
                "learner": learner,
                "column": name,
                "codes": codes["balanced_accuracy"],
                "ngrams": ngrams["balanced_accuracy"],
            }


def time_a_row(X, y, options):
    """Yield processor milliseconds to encode one row."""
    for learner in installed():
        encoder = BASE_LEARNERS[learner].make({}, TaskSize(*X.shape))["table"].fit(X, y)
        spent = []
        for i in range(30):
            row = X.iloc[[i % len(X)]]
            start = time.process_time()
            encoder.transform(row)
            spent.append(1000 * (time.process_time() - start))
        yield {"learner": learner, "milliseconds": np.median(spent)}


def installed():
    return [name for name, learner in BASE_LEARNERS.items() if learner.is_installed]


def scores(learner, X, y, **encoding):
    size = TaskSize(*X.shape, y.nunique())
    pipeline = BASE_LEARNERS[learner].make({}, size, random_state=0)
    pipeline["table"].set_params(**encoding)
    folds = StratifiedKFold(4, shuffle=True, random_state=1)
    p = cross_val_predict(pipeline, X, y, cv=folds, method="predict_proba")
    classes, counts = np.unique(y, return_counts=True)
    positive = p[:, 1] if len(classes) == 2 else p
    return {
        "roc_auc": roc_auc_score(y, positive, multi_class="ovr", average="weighted"),
        "neg_log_loss": -log_loss(y, p, labels=classes),
        # Labels as for a metric that cares for every class alike.
        "balanced_accuracy": balanced_accuracy_score(
            y, classes[(p / counts).argmax(axis=1)]
        ),
    }


if __name__ == "__main__":
    main()
