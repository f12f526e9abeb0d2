"""What does privacy cost those who share knowledge?

Nothing is fitted: the scores in a knowledge base stand for the evaluations. Its
families are dealt out at random to five sites and to a rest, on which recommendations
are judged. Each site learns from its own knowledge alone, from that and the packs of
the four others (`KnowledgeBase.pack`, with several epsilons), or from the pooled
knowledge of all.

    python benchmarks/sharing.py --output sharing.csv

Rows that `--output` holds are not computed again; the report is printed.
"""

import argparse
from functools import partial, reduce
from operator import add
from pathlib import Path

import numpy as np
import pandas as pd
from _regret import mean_regret
from _runs import resume

from skmeta import SimilarTasksRecommender, load_knowledge

METRICS = ("balanced_accuracy_tuned", "roc_auc_ovr_weighted")
N_SITES = 5
N_JUDGED = 60  # families
EPSILONS = (1.0, 3.0, 10.0, 100.0)
MIN_ROWS = (100, 1000)
PICKS = (1, 4, 8)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--knowledge", help="knowledge file, default: the shipped one")
    parser.add_argument("--n-draws", type=int, default=4)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    knowledge = load_knowledge(options.knowledge)
    results = resume(
        options.output,
        [{"draw": draw} for draw in range(options.n_draws)],
        partial(run_draw, knowledge=knowledge),
    )
    report(results)


def run_draw(draw, knowledge):
    """Return mean regrets of every site, from every knowledge."""
    families = knowledge.tasks["family"]
    order = np.random.default_rng(draw).permutation(families.unique())
    judged = families.index[families.isin(order[:N_JUDGED])]
    shares = np.array_split(order[N_JUDGED:], N_SITES)
    sites = [
        knowledge.without(families.index[~families.isin(share)]) for share in shares
    ]
    packed = {"packs, coarse": partial(pack, epsilon=None, min_rows=100)}
    for epsilon in EPSILONS:
        for min_rows in MIN_ROWS:
            name = f"packs, epsilon {epsilon:g}, {min_rows} rows"
            packed[name] = partial(pack, epsilon=epsilon, min_rows=min_rows)
    packs = {
        name: [make(site, draw, number) for number, site in enumerate(sites)]
        for name, make in packed.items()
    }
    pooled = reduce(add, sites)
    rows = []
    for number, site in enumerate(sites):
        sources = {"alone": site, "pooled": pooled}
        for name, of_sites in packs.items():
            others = of_sites[:number] + of_sites[number + 1 :]
            sources[name] = reduce(add, others, site)
        for name, source in sources.items():
            for metric in METRICS:
                recommender = SimilarTasksRecommender().fit(source, metric)
                regrets = mean_regret(recommender, judged, knowledge, metric, PICKS)
                rows.append({"site": number, "from": name, "metric": metric} | regrets)
    return rows


def pack(site, draw, number, epsilon, min_rows):
    # A fixed seed, so that the benchmark can be repeated.
    return site.pack(min_rows, epsilon, random_state=1000 * draw + number)


def report(results):
    """Print, as Markdown, regrets relative to each site alone."""
    columns = [f"after {k}" for k in PICKS]
    keys = ["metric", "draw", "site"]
    alone = results[results["from"] == "alone"].groupby(["metric", "draw"])[columns]
    for metric, part in results.groupby("metric"):
        of_draws = part.groupby(["from", "draw"], sort=False)[columns].mean()
        ratio = of_draws / alone.mean().loc[metric]
        mean = ratio.groupby("from", sort=False).mean()
        error = ratio.groupby("from", sort=False).sem()
        print(f"\n### {metric}: regret, of the site alone\n")
        print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
        for name in mean.index:
            cells = [f"{m:.2f} ± {e:.2f}" for m, e in zip(mean.loc[name],
                     error.loc[name], strict=True)]  # fmt: skip
            print(f"| {name} | {' | '.join(cells)} |")
    assert not results.duplicated([*keys, "from"]).any()
    print(f"\n{results['draw'].nunique()} draws; mean and standard error over draws.")
    regrets = pd.DataFrame({m: alone.mean().loc[m].mean() for m in METRICS})
    print(f"\nRegret of a site alone x 100:\n\n{(100 * regrets).round(2).to_string()}")


if __name__ == "__main__":
    main()
