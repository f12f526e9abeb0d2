"""Do recommendations improve as a journal grows?

Nothing is fitted: the scores in a knowledge base stand for the evaluations. Its
families are dealt out at random: a base that is known from the beginning, a stream of
tasks that come one after the other, and the rest, on which recommendations are judged.
For every task of the stream as many configurations are tried as a fit would, four at a
time, by what is known so far; they go into a journal, and from there into the knowledge
as with `experience`. Regret is what the best configuration scores more than the best of
the first few that are recommended.

    python benchmarks/growth.py --output growth.csv --plots docs/images

Rows that `--output` holds are not computed again; the report is printed.
"""

import argparse
import hashlib
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _regret import mean_regret
from _runs import resume

from skmeta import SimilarTasksRecommender, load_knowledge
from skmeta._guard import learn_from, mean_loss
from skmeta.knowledge import Journal
from skmeta.recommendation import Observation

METRICS = ("balanced_accuracy_tuned", "neg_log_loss")
N_BASE = 60
N_STREAM = 120
N_TRIED = 16
ROUND = 4
CHECKED = (0, 10, 20, 40, 60, 80, 100, 120)
PICKS = (1, 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--knowledge", help="knowledge file, default: the shipped one")
    parser.add_argument("--n-draws", type=int, default=5)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--plots", type=Path, help="directory for a plot")
    options = parser.parse_args()
    knowledge = load_knowledge(options.knowledge)
    results = resume(
        options.output,
        [
            {"metric": metric, "draw": draw}
            for draw in range(options.n_draws)
            for metric in METRICS
        ],
        partial(run_draw, knowledge=knowledge),
    )
    report(results)
    if options.plots is not None:
        plot(results, options.plots / "growth.png")


def run_draw(metric, draw, knowledge):
    """Return regrets after so many tasks of a stream."""
    families = knowledge.tasks["family"]
    rng = np.random.default_rng(draw)
    order = rng.permutation(families.unique())
    base = knowledge.without(families.index[~families.isin(order[:N_BASE])])
    rest = order[N_BASE:]
    stream = [families.index[families == family][0] for family in rest[:N_STREAM]]
    judged = families.index[families.isin(rest[N_STREAM:])]
    rows = []
    with TemporaryDirectory() as directory:
        journal = Journal(Path(directory) / "journal.db")
        for n_fits in range(len(stream) + 1):
            learned, _, n_used = learn_from(base, journal, metric)
            recommender = fit(learned, metric)
            if n_fits in CHECKED:
                known = [*base.tasks.index, *stream[:n_fits]]
                unknown = families.index.difference(known)
                makers = {
                    "journal": learned,
                    "journal, not guarded": with_all(base, journal),
                    "all configurations": drop(knowledge, unknown),
                    "base alone": base,
                }
                for name, source in makers.items():
                    regrets = mean_regret(
                        fit(source, metric), judged, knowledge, metric, PICKS
                    )
                    rows.append(
                        {
                            "n_fits": n_fits,
                            "knowledge": name,
                            "n_used": n_used,
                            "frozen": mean_loss(base, source, metric),
                            **regrets,
                        }
                    )
            if n_fits < len(stream):
                journal.record(
                    experience(stream[n_fits], recommender, knowledge, metric)
                )
    return rows


def fit(knowledge, metric):
    return SimilarTasksRecommender().fit(knowledge, metric)


def with_all(base, journal):
    return base + journal.knowledge() if len(journal) else base


def drop(knowledge, names):
    """Return knowledge without some tasks, but with the rest of their families."""
    rows = np.flatnonzero(~knowledge.tasks.index.isin(names))
    return knowledge._part(rows=rows)


def experience(task, recommender, knowledge, metric):
    """Return what a fit would record that tries what is recommended."""
    scores = knowledge.scores(metric).loc[task]
    meta_features = knowledge.meta_features.loc[task]
    observed = []
    while len(observed) < N_TRIED:
        more = recommender.recommend(meta_features, ROUND, observed=observed)
        observed += [
            Observation(c, scores.get(c.name, np.nan)) for c in more.configurations
        ]
    row = knowledge.tasks.index.get_loc(task)
    columns = knowledge.configurations.index
    trials = []
    for each in observed:
        column = columns.get_loc(each.configuration.name)
        failed = np.isnan(each.score)
        trials.append(
            {
                "configuration": each.configuration.to_dict(),
                "scores": {} if failed else folds(knowledge, row, column),
                "fit_seconds": float(knowledge.fit_seconds.iat[row, column]),
                "predict_seconds": float(knowledge.predict_seconds.iat[row, column]),
                "error": "Failed" if failed else None,
            }
            | ({"fit_seconds": None, "predict_seconds": None} if failed else {})
        )
    sizes = ("n_rows", "n_features", "n_classes", "n_rows_evaluated")
    # As another table than that of the knowledge base, which is left out.
    fingerprint = hashlib.sha256(f"{task} of the stream".encode()).hexdigest()
    return {
        "fingerprint": fingerprint,
        "table": fingerprint,
        "sizes": {name: int(knowledge.tasks[name][task]) for name in sizes},
        "meta_features": meta_features.to_dict(),
        "versions": {},
        "trials": trials,
    }


def folds(knowledge, row, column):
    scores = {m: knowledge.fold_scores(m)[row, column] for m in METRICS}
    return {m: values[~np.isnan(values)].tolist() for m, values in scores.items()}


def report(results):
    """Print, as Markdown, regrets relative to the base alone."""
    columns = [f"after {k}" for k in PICKS] + ["frozen"]
    keys = ["metric", "draw", "n_fits"]
    base = results[results["knowledge"] == "base alone"].set_index(keys)[columns]
    for metric, part in results.groupby("metric"):
        part = part.set_index(keys)
        means = part.groupby(["knowledge", "n_fits"])[columns].mean()
        relative = means / base.loc[[metric]].groupby("n_fits")[columns].mean()
        print(f"\n### {metric}\n")
        for column in columns:
            table = relative[column].unstack("n_fits").drop(index="base alone")
            print(f"{column}, base alone = 1\n\n{table.round(3).to_string()}\n")
        used = part[part["knowledge"] == "journal"].groupby("n_fits")["n_used"].mean()
        print(f"fits that count, of those recorded: {used.round(0).to_dict()}")


def plot(results, path):
    """Draw the regret against the tasks that came by."""
    import matplotlib.pyplot as plt

    metrics = sorted(results["metric"].unique())
    panels = {
        **{f"after {k}": f"other tasks, regret after {k}" for k in PICKS},
        "frozen": "tasks of the base, loss of the first 8",
    }
    figure, axes = plt.subplots(
        len(panels), len(metrics), figsize=(8, 8), sharex=True, layout="constrained"
    )
    colours = {"journal": "#0072B2", "journal, not guarded": "#E69F00",
               "all configurations": "#999999"}  # fmt: skip
    for j, metric in enumerate(metrics):
        part = results[results["metric"] == metric]
        for axis, (column, label) in zip(axes[:, j], panels.items(), strict=True):
            mean = part.groupby(["knowledge", "n_fits"])[column].mean()
            for name, colour in colours.items():
                curve = mean[name] / mean["base alone"]
                axis.plot(curve.index, curve, color=colour, marker="o", label=name)
            axis.axhline(1, color="black", linewidth=0.8)
            axis.set_title(f"{label}, {metric}", fontsize="small")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, frameon=False)
    figure.supxlabel("tasks that came by")
    figure.supylabel("base alone = 1")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
