"""Do variants of known tables, as tasks of their own, make recommendations better?

Of each table there are up to three variants: half of the rows, half of the columns, and
half of the classes where these are more than three. They are written to VARIANTS/, and
the first configurations of the portfolio are evaluated on all. Then families are left
out, with their variants. A recommender learns from the other tables, or from these and
their variants, and is asked what to try on each table left out. TABLES/ holds parquet
files with the target in the column `__target__`, and an index.csv with name, family,
n_rows, n_features and n_classes.

    python benchmarks/variants.py TABLES/ VARIANTS/ --output variants.zip

A table that was done is not done again. Without TABLES/ nothing is fitted, and it
prints mean regret from the output.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _regret import mean_regret
from augmentation import choose_tasks
from recommendation import split_groups
from sklearn.model_selection import train_test_split

from skmeta import PortfolioRecommender, SimilarTasksRecommender, load_knowledge
from skmeta._files import read_file
from skmeta.knowledge import Protocol, build_knowledge

TARGET = "__target__"
METRICS = ("balanced_accuracy_tuned", "roc_auc_ovr_weighted", "neg_log_loss")
COUNTS = (1, 4, 8)
_KINDS = ("rows", "columns", "classes")
_SEPARATOR = "--"  # between the name of a table and the kind of the variant
_N_REPEATS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path, nargs="?")
    parser.add_argument("variants", type=Path, nargs="?")
    parser.add_argument("--output", type=Path, default=Path("variants.zip"))
    parser.add_argument("--n-tables", type=int, default=80)
    parser.add_argument("--n-configurations", type=int, default=16)
    parser.add_argument("--most-rows", type=int, default=500)
    parser.add_argument("--most-cells", type=int, default=50_000)
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    if options.tables is not None:
        options.variants.mkdir(exist_ok=True)
        tasks = choose_tasks(options, least_features=4, seed=4)
        build_knowledge(
            [*tasks, *(v for task in tasks for v in write_variants(task, options))],
            options.output,
            configurations=choose_configurations(options.n_configurations),
            protocol=Protocol(n_folds=3, max_rows=options.most_rows),
            n_jobs=options.n_jobs,
            resume=True,
            on_progress=partial(print, flush=True),
        )
    report(load_knowledge(options.output))


def choose_configurations(n_configurations):
    """Return the first of the portfolio, of learners that are always installed."""
    knowledge = load_knowledge()
    learners = knowledge.configurations["learner"]
    boosters = learners.isin(["lightgbm", "xgboost", "catboost"])
    known = knowledge.with_configurations(learners.index[~boosters])
    portfolio = PortfolioRecommender().fit(known, "balanced_accuracy_tuned")
    return portfolio.recommend({}, n_configurations).configurations


def write_variants(task, options):
    """Yield the variants of a task, after writing those that are not there."""
    frame = None
    for kind in _KINDS:
        name = f"{task.name}{_SEPARATOR}{kind}"
        path = options.variants / f"{name}.parquet"
        if not path.exists():
            frame = read_file(task.path) if frame is None else frame
            variant = vary(frame, kind, np.random.default_rng(0), options.most_rows)
            if variant is None:
                continue
            variant.to_parquet(path)
        yield replace(task, name=name, path=str(path))


def vary(frame, kind, rng, most_rows):
    """Return a variant of a table, or None if there is none.

    Of the rows those are halved that would be evaluated.
    """
    counts = frame[TARGET].value_counts()
    if kind == "columns":
        columns = frame.columns.drop(TARGET)
        kept = rng.permutation(len(columns))[: len(columns) // 2]
        return frame[[*columns[np.sort(kept)], TARGET]]
    if kind == "classes":
        if len(counts) < 4:
            return None
        kept = rng.permutation(len(counts))[: len(counts) // 2]
        return frame[frame[TARGET].isin(counts.index[kept])]
    frame = frame[frame[TARGET].isin(counts.index[counts >= 6])]
    n_rows = min(len(frame), most_rows) // 2
    kept, _ = train_test_split(
        frame, train_size=n_rows, stratify=frame[TARGET], random_state=0
    )
    return kept


def report(knowledge):
    """Print mean regret x 100, and what variants take from it, with 95 % intervals."""
    names = knowledge.tasks.index
    is_variant = names.str.contains(_SEPARATOR)
    # `without` would leave out whole families.
    originals = knowledge._part(rows=np.flatnonzero(~is_variant))
    print(f"{len(originals.tasks)} tables, {is_variant.sum()} variants")
    for metric in METRICS:
        # Repeated, since which families are learned from together is chance.
        found = pd.concat(
            regrets(knowledge, originals, metric, seed) for seed in range(_N_REPEATS)
        )
        means = 100 * found.groupby(level="task").mean()
        rng = np.random.default_rng(0)
        for count in COUNTS:
            without, with_variants = (
                means[which, f"after {count}"].to_numpy()
                for which in ("tables", "with variants")
            )
            change = with_variants - without
            drawn = rng.choice(change, (4000, len(change))).mean(axis=1)
            low, high = np.quantile(drawn, [0.025, 0.975])
            print(
                f"{metric:24s} after {count}: {without.mean():.2f} from tables, "
                f"variants {change.mean():+.2f} ({low:+.2f} to {high:+.2f})"
            )


def regrets(knowledge, originals, metric, seed):
    """Return the regret for each table, of what learned from others."""
    families = originals.tasks["family"]
    rows = {}
    for fold in split_groups(families.to_numpy(), 5, seed):
        out = knowledge.tasks["family"].isin(families.iloc[fold])
        learned = {
            "tables": originals.without(originals.tasks.index[fold]),
            "with variants": knowledge.without(knowledge.tasks.index[out]),
        }
        for which, known in learned.items():
            recommender = SimilarTasksRecommender(adapts_after=None).fit(known, metric)
            for task in originals.tasks.index[fold]:
                lost = mean_regret(recommender, [task], originals, metric, COUNTS)
                for after, regret in lost.items():
                    rows.setdefault(task, {})[which, after] = regret
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("task")


if __name__ == "__main__":
    main()
