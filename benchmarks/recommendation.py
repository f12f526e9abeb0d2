"""How good are the first few recommendations, on tasks the recommender never saw?

Nothing is fitted: the scores in a knowledge base stand for the evaluations. Tasks
are left out by whole families (or domains), a recommender learns from the rest, and
is asked what to try on each task left out, one observed score after the other.
Regret is what the best configuration of the knowledge base scores more than the best
one tried so far.

    python benchmarks/recommendation.py --output results.csv
    python benchmarks/recommendation.py --output public.csv --public-matrix DIRECTORY

Rows that `--output` holds are not computed again. `--report` prints tables from it,
`--plots DIRECTORY` draws them.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from skmeta import Configuration, KnowledgeBase, load_knowledge
from skmeta.recommendation import (
    Observation,
    PortfolioRecommender,
    SimilarTasksRecommender,
    get_recommender,
)
from skmeta.recommendation._registry import RECOMMENDERS

COUNTS = (1, 2, 4, 8, 16, 32)
SECONDS = (1, 3, 10, 30, 100, 300)
METRICS = ("balanced_accuracy", "roc_auc_ovr_weighted", "neg_log_loss")
# Log loss has no bound: one bad pick would drown all others.
CAPS = {"neg_log_loss": 1.0, "neg_log_loss_calibrated": 1.0}
BASELINE = "portfolio"
N_CORES = 2
OVERHEAD = 0.05  # seconds a fold costs besides fit and predict


def strategies():
    """Return a function that makes each recommender, by name."""
    made = {
        name: (lambda name=name: get_recommender(name))
        # What formulas recommend has no scores in a knowledge base.
        for name in sorted(
            RECOMMENDERS.keys() - {"similar_tasks", "random", "symbolic"}
        )
    }
    made["portfolio, root of seconds"] = RootPortfolio
    made["similar_tasks"] = SimilarTasksRecommender
    made["similar_tasks, not adapting"] = lambda: SimilarTasksRecommender(
        adapts_after=None
    )
    made["similar_tasks, shuffled"] = SimilarTasksRecommender
    for seed in range(10):
        made[f"random {seed}"] = lambda seed=seed: get_recommender("random").set_params(
            random_state=seed
        )
    return made


class RootPortfolio(PortfolioRecommender):
    """A portfolio that divides gains as the default recommender does."""

    def _seconds_for_order(self, expected_seconds):
        return super()._seconds_for_order(expected_seconds) ** 0.5


class Table:
    """The scores and seconds of one metric, with halves of the folds."""

    def __init__(self, knowledge, metric):
        folds = knowledge.fold_scores(metric).astype(np.float64)
        self.configurations = knowledge.configuration_values
        self.tasks = knowledge.tasks
        self.meta_features = knowledge.meta_features
        self.cap = CAPS.get(metric, np.inf)
        self.scores = knowledge.scores(metric).to_numpy()
        n_folds = (~np.isnan(folds).all(axis=1)).sum(axis=1)
        self.halves = _halves(folds, self.scores)
        seconds = (knowledge.fit_seconds + knowledge.predict_seconds).to_numpy()
        self.fold_seconds = np.where(np.isnan(seconds), np.nanmax(seconds), seconds)
        self.seconds = (self.fold_seconds + OVERHEAD) * n_folds[:, np.newaxis] / N_CORES


def _halves(folds, scores):
    """Return means over the even and the odd folds; NaN where a task has one."""
    if folds.shape[2] < 2:
        return None
    failed = np.isnan(scores)
    halves = []
    for first in (0, 1):
        part = folds[:, :, first::2]
        count = (~np.isnan(part)).sum(axis=2)
        half = np.nansum(part, axis=2) / np.where(count > 0, count, np.nan)
        halves.append(np.where(failed, np.nan, half))
    return halves


def simulate(recommender, task, meta_features, table, scores, *, by_seconds):
    """Return which configurations are tried, in order, one observation at a time.

    Parameters
    ----------
    recommender : Recommender
        Fitted on other tasks.
    task : int
        Row of the table.
    meta_features : Series
        Of the task.
    table : Table
    scores : ndarray of shape (n_tasks, n_configurations)
        What is observed.
    by_seconds : bool
        Whether seconds are spent, else a number of configurations.
    """
    position = {c: i for i, c in enumerate(table.configurations)}
    tried, observed, spent = [], [], 0.0
    adapts = recommender.adapts_after
    while True:
        if by_seconds:
            if spent >= SECONDS[-1] or len(tried) == len(position):
                return tried
            n_next = len(position) if adapts is None else 1
        else:
            n_next = COUNTS[-1] - len(tried)
            if n_next <= 0:
                return tried
            if adapts is not None:
                n_next = min(n_next, max(adapts - len(tried), 1))
        recommendation = recommender.recommend(
            meta_features, n_next, per_second=by_seconds, observed=observed
        )
        if not recommendation.configurations:
            return tried
        for configuration in recommendation.configurations:
            index = position[configuration]
            tried.append(index)
            observed.append(
                Observation(
                    configuration, scores[task, index], table.fold_seconds[task, index]
                )
            )
            spent += table.seconds[task, index]


def regrets(tried, task, table, select, judge, *, by_seconds):
    """Return the regret of the chosen one after each count, or each number of seconds.

    What is chosen is the best of those tried by `select`; it is judged by `judge`.
    """
    chosen_by = np.where(np.isnan(select[task, tried]), -np.inf, select[task, tried])
    best = np.nanargmax(select[task])
    reference = judge[task, best]
    # Until anything is finished the user has nothing, or as good as the worst.
    outcome = [np.nanmin(judge[task])]
    leader = -np.inf
    for index, score in zip(tried, chosen_by, strict=True):
        if score > leader:
            leader = score
            outcome.append(judge[task, index])
        else:
            outcome.append(outcome[-1])
    outcome = np.minimum(reference - np.array(outcome), table.cap)
    if by_seconds:
        finished = np.cumsum(table.seconds[task, tried])
        return outcome[np.searchsorted(finished, SECONDS, side="right")]
    return outcome[np.minimum(COUNTS, len(tried))]


def split_groups(groups, n_folds, seed):
    """Return lists of rows to leave out together, whole groups of them."""
    names = np.array(sorted(set(groups)))
    fold = dict(
        zip(
            names,
            np.random.default_rng(seed).permutation(len(names)) % n_folds,
            strict=True,
        )
    )
    folds = np.array([fold[g] for g in groups])
    return [np.flatnonzero(folds == i) for i in range(n_folds)]


def training_knowledge(knowledge, left_out, n_tasks, seed):
    """Return the knowledge without some tasks, cut down to about `n_tasks`."""
    train = knowledge.without(knowledge.tasks.index[left_out])
    if n_tasks is None or len(train.tasks) <= n_tasks:
        return train
    families = train.tasks["family"]
    order = np.random.default_rng(seed).permutation(families.unique())
    n_up_to = families.value_counts()[order].cumsum()
    kept = set(order[: max(1, (n_up_to <= n_tasks).sum())])
    return train.without(train.tasks.index[~families.isin(kept)])


def shuffled(knowledge, seed):
    """Return the knowledge with the meta-features of other tasks on each task."""
    order = np.random.default_rng(seed).permutation(len(knowledge.tasks))
    meta_features = knowledge.meta_features
    values = meta_features.to_numpy()[order]
    return KnowledgeBase(
        tasks=knowledge.tasks,
        meta_features=pd.DataFrame(
            values, index=meta_features.index, columns=meta_features.columns
        ),
        configurations=knowledge.configuration_values,
        fold_scores={m: knowledge.fold_scores(m) for m in knowledge.metrics},
        fit_seconds=knowledge.fit_seconds.to_numpy(),
        predict_seconds=knowledge.predict_seconds.to_numpy(),
    )


def was_tried(knowledge):
    """Say which configurations were tried on which tasks; they may have failed."""
    tried = knowledge.scores(METRICS[0]).notna()
    for _, failure in knowledge.failures.iterrows():
        tried.loc[failure["task"], failure["configuration"]] = True
    return tried


def run(
    knowledge, metric, name, make, *, judged_tasks, leave_out, n_tasks, halves, seed
):
    """Return a row for each task, what was counted, and how much of it."""
    table = Table(knowledge, metric)
    if leave_out == "domain":
        groups = knowledge.tasks["domain"].to_numpy()
        folds = [np.flatnonzero(groups == domain) for domain in sorted(set(groups))]
    else:
        folds = split_groups(knowledge.tasks["family"].to_numpy(), 10, seed)
    pairs = [(table.scores, table.scores, "all folds")]
    if halves and table.halves is not None:
        first, second = table.halves
        pairs += [(first, second, "halves"), (second, first, "halves")]
        pairs += [(first, first, "same half"), (second, second, "same half")]
    rows = []
    for fold in folds:
        train = training_knowledge(knowledge, fold, n_tasks, seed)
        if "shuffled" in name:
            train = shuffled(train, seed)
        recommender = make().fit(train, metric)
        for task in np.intersect1d(fold, judged_tasks):
            meta_features = table.meta_features.iloc[task]
            for by_seconds in (False, True):
                amounts = SECONDS if by_seconds else COUNTS
                traces = {}
                for select, judge, how in pairs:
                    key = id(select)
                    if key not in traces:
                        traces[key] = simulate(
                            recommender,
                            task,
                            meta_features,
                            table,
                            select,
                            by_seconds=by_seconds,
                        )
                    values = regrets(
                        traces[key],
                        task,
                        table,
                        select,
                        judge,
                        by_seconds=by_seconds,
                    )
                    rows += [
                        {
                            "task": table.tasks.index[task],
                            "family": table.tasks["family"].iloc[task],
                            "by": "seconds" if by_seconds else "count",
                            "amount": amount,
                            "judged_on": how,
                            "regret": value,
                        }
                        for amount, value in zip(amounts, values, strict=True)
                    ]
    return pd.DataFrame(rows)


def read_public_matrix(directory):
    """Return a published matrix of scores as a knowledge base.

    It is ``error_matrix.csv``, ``runtime_matrix.csv`` and ``dataset_sizes.csv`` of
    Oboe (C. Yang, Y. Akimoto, D. W. Kim, M. Udell, KDD 2019): macro balanced errors
    of stratified five-fold cross-validation. Of its meta-features it has the sizes
    only. Tasks with the same sizes are taken for one family.
    """
    directory = Path(directory)
    errors = pd.read_csv(directory / "error_matrix.csv", index_col=0)
    runtimes = pd.read_csv(directory / "runtime_matrix.csv", index_col=0)
    sizes = pd.read_csv(directory / "dataset_sizes.csv", index_col=0)
    errors = errors.loc[:, ~errors.T.duplicated().to_numpy()]
    errors = errors.loc[errors.index.isin(sizes.index)]
    runtimes = runtimes.loc[errors.index, errors.columns]
    sizes = sizes.loc[errors.index]
    n_rows, n_columns = (sizes.iloc[:, i].to_numpy(dtype=float) for i in (0, 1))
    names = [str(name) for name in errors.index]
    return KnowledgeBase(
        tasks=pd.DataFrame(
            {
                "family": sizes.astype(str).agg("x".join, axis=1).to_list(),
                "domain": "",
                "n_rows": n_rows.astype(int),
                "n_features": n_columns.astype(int),
                "n_classes": 2,
            },
            index=names,
        ),
        meta_features=pd.DataFrame(
            {
                "nr_inst": n_rows,
                "nr_attr": n_columns,
                "attr_to_inst": n_columns / n_rows,
            },
            index=names,
        ),
        configurations=[
            Configuration("oboe:column", {"column": str(c)}) for c in errors.columns
        ],
        fold_scores={"balanced_accuracy": 1 - errors.to_numpy()[:, :, np.newaxis]},
        fit_seconds=runtimes.to_numpy() / 5,
        predict_seconds=np.zeros(runtimes.shape),
    )


def summarize(results, n_resamples=2000, seed=0):
    """Return mean regrets and their ratios to the portfolio, with 95 % intervals.

    Families are resampled [bootstrap]; tasks of one family share its weight.
    """
    results = results.assign(
        strategy=results["strategy"].str.replace(r" \d+$", "", regex=True)
    )
    keys = ["metric", "leave_out", "n_tasks", "by", "amount", "judged_on"]
    summaries = []
    for key, part in results.groupby(keys, sort=False, dropna=False):
        by_family = part.pivot_table(
            index="family", columns="strategy", values="regret", aggfunc="mean"
        )
        values = by_family.to_numpy()
        rng = np.random.default_rng(seed)
        draws = rng.integers(0, len(values), (n_resamples, len(values)))
        means = values[draws].mean(axis=1)
        base = (
            list(by_family.columns).index(BASELINE) if BASELINE in by_family else None
        )
        for i, strategy in enumerate(by_family.columns):
            row = dict(zip(keys, key, strict=True)) | {
                "strategy": strategy,
                "n_families": len(values),
                "regret": values[:, i].mean(),
            }
            if base is not None:
                with np.errstate(invalid="ignore", divide="ignore"):
                    ratio = means[:, i] / means[:, base]
                    row["ratio"] = values[:, i].mean() / values[:, base].mean()
                row["low"], row["high"] = np.percentile(ratio, [2.5, 97.5])
                difference = means[:, i] - means[:, base]
                row["difference"] = row["regret"] - values[:, base].mean()
                row["least"], row["most"] = np.percentile(difference, [2.5, 97.5])
            summaries.append(row)
    return pd.DataFrame(summaries)


def report(results):
    """Print, as Markdown, a table for each metric and way of counting."""
    keys = ["metric", "leave_out", "n_tasks", "judged_on", "by"]
    for key, part in summarize(results).groupby(keys, sort=False, dropna=False):
        metric, leave_out, n_tasks, judged_on, by = key
        unit = "evaluations" if by == "count" else "seconds"
        print(
            f"\n**{metric}**, left out by {leave_out}, learned from {n_tasks} tasks, "
            f"judged on {judged_on}; {part['n_families'].iloc[0]} families. Mean "
            f"regret x 100 after so many {unit}:\n"
        )
        # A ratio of regrets that chance makes negative says nothing.
        honest = judged_on == "halves"
        part = part.assign(
            text=[
                f"{100 * r.regret:.2f}"
                + (f" ({100 * r.difference:+.2f})" if honest else f" ({r.ratio:.2f})")
                for r in part.itertuples()
            ]
        )
        table = part.pivot_table(
            index="strategy",
            columns="amount",
            values="text",
            aggfunc="first",
            sort=False,
        )
        print(_markdown(table))
        for row in part[part["strategy"] == "similar_tasks"].itertuples():
            if honest:
                print(
                    f"- {row.amount}: minus {BASELINE} {100 * row.difference:+.2f} "
                    f"({100 * row.least:+.2f} to {100 * row.most:+.2f})"
                )
            else:
                print(
                    f"- {row.amount}: {row.ratio:.2f} of {BASELINE} "
                    f"({row.low:.2f} to {row.high:.2f})"
                )


def _markdown(table):
    header = ["strategy", *map(str, table.columns)]
    lines = [header, ["---"] * len(header)]
    lines += [
        [name, *row] for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(results, directory):
    """Draw mean regret against evaluations and against seconds, by metric."""
    import matplotlib.pyplot as plt

    summary = summarize(results)
    summary = summary[
        (summary["judged_on"] == "all folds")
        & (summary["n_tasks"].astype(str) == "all")
    ]
    summary = summary[summary["leave_out"] == "family"]
    metrics = list(dict.fromkeys(summary["metric"]))
    for by, label in [
        ("count", "configurations tried"),
        ("seconds", "seconds on two cores"),
    ]:
        figure, axes = plt.subplots(
            1, len(metrics), figsize=(4.2 * len(metrics), 3.6), squeeze=False
        )
        for ax, metric in zip(axes[0], metrics, strict=True):
            part = summary[(summary["metric"] == metric) & (summary["by"] == by)]
            for i, (name, line) in enumerate(part.groupby("strategy", sort=False)):
                is_ours = name == "similar_tasks"
                ax.plot(
                    line["amount"],
                    # No regret at all has no place on a logarithmic scale.
                    (100 * line["regret"]).where(line["regret"] > 1e-5),
                    marker="osv^DPX<>"[i % 9],
                    color=f"C{i}",
                    linewidth=2.5 if is_ours else 1,
                    linestyle="--" if "shuffled" in name or name == "random" else "-",
                    label=name,
                )
            ax.set(xscale="log", yscale="log", xlabel=label, title=metric)
            ax.set_xticks(COUNTS if by == "count" else SECONDS)
            ax.set_xticklabels(COUNTS if by == "count" else SECONDS)
            ax.yaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
            ax.grid(alpha=0.3)
        axes[0, 0].set_ylabel("mean regret x 100")
        figure.legend(
            *axes[0, 0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=4,
            frameon=False,
        )
        figure.set_layout_engine("constrained")
        figure.savefig(Path(directory) / f"regret_by_{by}.png", dpi=110)
        plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", required=True, help="CSV file of results")
    parser.add_argument("--knowledge", help="knowledge file, default: the shipped one")
    parser.add_argument("--public-matrix", help="directory of the published matrix")
    parser.add_argument("--metrics", nargs="+", default=list(METRICS))
    parser.add_argument("--strategies", nargs="+", help="only those")
    parser.add_argument("--leave-out", default="family", choices=["family", "domain"])
    parser.add_argument("--n-tasks", type=int, help="learn from so many tasks only")
    parser.add_argument(
        "--all-configurations",
        action="store_true",
        help="also those not tried on every task; judge on tasks where all were",
    )
    parser.add_argument(
        "--halves",
        action="store_true",
        help="judge on folds that had no part in choosing too",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plots", help="directory for two plots")
    parser.add_argument("--report", action="store_true", help="print tables")
    options = parser.parse_args()
    output = Path(options.output)
    if options.public_matrix:
        knowledge = read_public_matrix(options.public_matrix)
        options.metrics = ["balanced_accuracy"]
    else:
        knowledge = load_knowledge(options.knowledge)
    tried = was_tried(knowledge)
    if not options.all_configurations:
        knowledge = knowledge.with_configurations(tried.columns[tried.all()])
        tried = tried[knowledge.configurations.index]
    results = [pd.read_csv(output)] if output.exists() else []
    keys = ["metric", "strategy", "leave_out", "n_tasks"]
    done = {tuple(row) for f in results for row in f[keys].astype(str).to_numpy()}
    n_tasks = str(options.n_tasks or "all")
    for metric, (name, make) in product(options.metrics, strategies().items()):
        kind = name.rstrip(" 0123456789")
        is_wanted = options.strategies is None or kind in options.strategies
        key = (metric, name, options.leave_out, n_tasks)
        if key in done or not is_wanted:
            continue
        frame = run(
            knowledge,
            metric,
            name,
            make,
            judged_tasks=np.flatnonzero(tried.all(axis=1)),
            leave_out=options.leave_out,
            n_tasks=options.n_tasks,
            halves=options.halves,
            seed=options.seed,
        )
        results.append(frame.assign(**dict(zip(keys, key, strict=True))))
        pd.concat(results).to_csv(output, index=False, float_format="%.6g")
        print(*key, file=sys.stderr, flush=True)
    if options.report:
        report(pd.concat(results))
    if options.plots:
        draw(pd.concat(results), options.plots)


if __name__ == "__main__":
    main()
