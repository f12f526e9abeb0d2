"""How many candidates are worth trying, by the number of rows they are compared on.

As `ensemble.py`, from predictions out of fold that a build kept. Members, and weights
of the classes, are chosen among the first candidates that the default recommender asks
for on one half of the rows, and judged on the other, for two divisions of each table.
Printed are differences to the most candidates, x 100.

    python benchmarks/n_candidates.py DIRECTORY... --output counts.csv

Rows that `--output` holds are not computed again.
"""

from functools import partial

import numpy as np
import pandas as pd
from _predictions import (
    choose_tables,
    halves,
    load_candidates,
    make_parser,
)
from _runs import resume
from ensemble import balanced, tune_exponent
from sklearn.metrics import log_loss

from skmeta import load_knowledge
from skmeta._ensemble import greedy_ensemble
from skmeta.knowledge._scoring import weighted_auc

COUNTS = (1, 2, 4, 8, 12, 16, 24, 32, 48)
ROWS = (0, 200, 600, 2000, np.inf)


def main():
    parser = make_parser(__doc__.partition("\n")[0])
    parser.set_defaults(n_tables=200)
    options = parser.parse_args()
    options.metric, options.n_candidates = "balanced_accuracy_tuned", max(COUNTS)
    knowledge = load_knowledge(options.knowledge)
    results = resume(
        options.output,
        [{"table": table} for table in choose_tables(knowledge, options)],
        partial(run_table, knowledge=knowledge, options=options),
    )
    report(results)


def run_table(table, knowledge, options):
    y, _, stack = load_candidates(knowledge, table, options)
    if len(stack) < max(COUNTS) - 8:  # too many have failed
        return []
    rows = []
    for seed in range(2):
        first, second = halves(y, seed)
        for chosen_on, judged_on in ((first, second), (second, first)):
            priors = np.bincount(y[chosen_on]) / len(chosen_on)
            alone = [balanced(y[chosen_on], p[chosen_on] / priors) for p in stack]
            for count in COUNTS:
                few = stack[:count]
                weights = greedy_ensemble(
                    few[:, chosen_on], y[chosen_on], 5, first=np.argmax(alone[:count])
                )
                scores = judge(
                    np.tensordot(weights, few[:, chosen_on], 1),
                    y[chosen_on],
                    np.tensordot(weights, few[:, judged_on], 1),
                    y[judged_on],
                )
                rows.append({"rows": len(chosen_on), "count": count, **scores})
    return rows


def judge(chosen, y_chosen, values, y):
    """Score probabilities, and labels by class weights from the other half."""
    priors = np.bincount(y_chosen) / len(y_chosen)
    exponent = tune_exponent(chosen, y_chosen, "balanced_accuracy")
    return {
        "balanced accuracy": balanced(y, values * priors**-exponent),
        "accuracy": np.mean(values.argmax(axis=1) == y),
        "ROC AUC": weighted_auc(y, values),
        "log loss": -log_loss(y, values, labels=np.arange(values.shape[1])),
    }


def report(results):
    """Print, as Markdown, what is lost by trying fewer."""
    metrics = ["balanced accuracy", "accuracy", "ROC AUC", "log loss"]
    means = results.groupby(["table", "count"])[metrics].mean()
    most = means.xs(max(COUNTS), level="count")
    lost = 100 * (means - most.reindex(means.index.get_level_values("table")).values)
    rows = pd.cut(results.groupby("table")["rows"].first(), ROWS)
    lost = lost.reset_index()
    lost["rows"] = lost["table"].map(rows)
    for metric in metrics:
        table = lost.pivot_table(
            index="rows", columns="count", values=metric, observed=True
        )
        table.insert(0, "tables", rows.value_counts().reindex(table.index))
        print(f"\n{metric}\n\n{table.round(2).to_string()}")


if __name__ == "__main__":
    main()
