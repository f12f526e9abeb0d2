"""Which tasks to evaluate, where not all can be: regret by their number.

For each seed a fifth of the families is set apart. From the other tasks some are chosen
by their meta-features, a recommender learns from their scores, and is asked what to try
on each task set apart. Regret is what the best configuration of the knowledge base
scores more than the best one tried.

    python benchmarks/task_selection.py --output task_selection.csv
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import resume

from skmeta import load_knowledge
from skmeta.recommendation import SimilarTasksRecommender, select_tasks

COUNTS = (1, 4)
N_TASKS = (15, 25, 50, 100, 200)
STRATEGIES = ("random", "diverse", "informative", "nearest")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("task_selection.csv"))
    parser.add_argument("--metric", default="balanced_accuracy")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--plot", type=Path, help="PNG to draw")
    options = parser.parse_args()
    knowledge = load_knowledge()
    configurations = knowledge.configurations["learner"]
    boosters = configurations.isin(["lightgbm", "xgboost", "catboost"])
    knowledge = knowledge.with_configurations(configurations.index[~boosters])
    keys = [
        {"seed": seed, "n_tasks": n_tasks, "strategy": strategy}
        for seed, n_tasks, strategy in product(
            range(options.seeds), N_TASKS, STRATEGIES
        )
    ]
    rows = resume(
        options.output,
        keys,
        lambda **key: compare(knowledge, options.metric, **key),
    )
    table = report(rows)
    if options.plot:
        draw(table, options.plot)


def compare(knowledge, metric, seed, n_tasks, strategy):
    rng = np.random.default_rng(seed)
    families = knowledge.tasks["family"]
    names = np.array(sorted(set(families)))
    apart = rng.permutation(names)[: len(names) // 5]
    is_apart = families.isin(apart)
    known, new = knowledge.tasks.index[~is_apart], knowledge.tasks.index[is_apart]
    scores = knowledge.scores(metric)
    meta_features = knowledge.meta_features
    recommender = None
    for name in new:
        task = meta_features.loc[name]
        if recommender is None or strategy == "nearest":
            chosen = select_tasks(
                meta_features.loc[known], n_tasks, strategy, task, random_state=seed
            )
            rest = knowledge.without(knowledge.tasks.index.difference(chosen))
            recommender = SimilarTasksRecommender(adapts_after=None).fit(rest, metric)
        recommended = recommender.recommend(task, max(COUNTS)).configurations
        got = scores.loc[name, [c.name for c in recommended]].fillna(-np.inf)
        for count in COUNTS:
            yield {
                "task": name,
                "family": families[name],
                "count": count,
                "regret": scores.loc[name].max() - got.iloc[:count].max(),
            }


def report(rows):
    """Print the mean over seeds, and half of a 95 % interval over them."""
    by_family = rows.groupby(["strategy", "n_tasks", "count", "seed", "family"])
    by_seed = by_family["regret"].mean().groupby(level=[0, 1, 2, 3]).mean() * 100
    # Seeds set other families apart: strategies are compared within them.
    apart = by_seed - by_seed.xs("random", level="strategy")
    table = pd.DataFrame(
        {
            "regret": by_seed.groupby(level=[0, 1, 2]).mean(),
            "over_random": apart.reorder_levels(by_seed.index.names)
            .groupby(level=[0, 1, 2])
            .mean(),
            "half_width": apart.reorder_levels(by_seed.index.names)
            .groupby(level=[0, 1, 2])
            .sem()
            * 2.26,
        }
    )
    print(table.round(2).unstack("n_tasks").to_string())
    return table


def draw(table, path):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(COUNTS), figsize=(9, 3.5), layout="constrained")
    for ax, count in zip(axes, COUNTS, strict=True):
        for strategy in STRATEGIES:
            line = table["regret"].xs((strategy, count), level=("strategy", "count"))
            ax.plot(line.index, line, marker="o", label=strategy)
        ax.set(xscale="log", xlabel="known tasks", title=f"after {count} tried")
        ax.set_xticks(N_TASKS, [str(n) for n in N_TASKS])
        ax.minorticks_off()
    axes[0].set_ylabel("mean regret x 100")
    axes[0].legend()
    fig.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
