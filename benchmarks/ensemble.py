"""What each step from candidates to a classifier adds, on tables left out.

Nothing is fitted: predictions out of fold that ``python -m skmeta build
--predictions DIRECTORY`` kept stand for those of the classifier. For each table the
candidates are those that the default recommender asks for, one round after the other,
learned from knowledge without the table's family. Whatever is chosen (the best
candidate, members, temperatures, weights of classes) is chosen on one half of the rows
and judged on the other, and the other way round. Intervals are bootstrapped over
families.

    python benchmarks/ensemble.py DIRECTORY... --knowledge kb.zip --output steps.csv

Rows that `--output` holds are not computed again; the report is printed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics

from skmeta import SimilarTasksRecommender, load_knowledge
from skmeta._decision import (
    EXPONENTS,
    START,
    TEMPERATURES,
    best_exponent,
    confusion_counts,
    log_probabilities,
    score_counts,
    tempered_losses,
)
from skmeta._ensemble import greedy_ensemble
from skmeta.knowledge._worker import weighted_auc
from skmeta.recommendation import Observation

ROUND = 4
# A step, and the one that it is compared with.
STEPS = {
    "best by the metric": None,
    "best by log loss": "best by the metric",
    "ensemble of 3": "best by log loss",
    "ensemble of 5": "best by log loss",
    "ensemble of any": "ensemble of 5",
    "ensemble of 5, tempered": "ensemble of 5",
    "ensemble of 5 of tempered": "ensemble of 5",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("predictions", nargs="+", type=Path, help="directories")
    parser.add_argument("--knowledge", help="knowledge file, default: the shipped one")
    parser.add_argument("--metric", default="balanced_accuracy_tuned",
                        help="what recommendations follow")  # fmt: skip
    parser.add_argument("--n-candidates", type=int, default=8)
    parser.add_argument("--n-tables", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    knowledge = load_knowledge(options.knowledge)
    done = set()
    if options.output.exists():
        done = set(pd.read_csv(options.output)["table"])
    for table in choose_tables(knowledge, options):
        if table in done:
            continue
        rows = run_table(knowledge, table, options)
        pd.DataFrame(rows).to_csv(
            options.output, mode="a", header=not options.output.exists(), index=False
        )
        print(table, file=sys.stderr, flush=True)
    report(pd.read_csv(options.output), options)


def choose_tables(knowledge, options):
    """Return tables of different families, drawn by a fixed shuffle."""
    families = knowledge.tasks["family"]
    order = np.random.default_rng(options.seed).permutation(len(families))
    first = {}
    for i in order:
        if find_predictions(families.index[i], options) is not None:
            first.setdefault(families.iloc[i], families.index[i])
    return list(first.values())[: options.n_tables]


def find_predictions(table, options):
    """Return the directory of a table's predictions, None if there is none."""
    for directory in options.predictions:
        if (directory / table / "y.npy").exists():
            return directory / table
    return None


def run_table(knowledge, table, options):
    directory = find_predictions(table, options)
    y = np.load(directory / "y.npy")
    names = recommended(knowledge, table, directory, options)
    stack = np.stack([np.load(directory / f"{name}.npy") for name in names])
    stack = np.maximum(stack.astype(np.float64), 1e-7)  # they were float16
    stack /= stack.sum(axis=2, keepdims=True)
    first, second = halves(y, options.seed)
    rows = []
    for chosen_on, judged_on in ((first, second), (second, first)):
        steps = make_steps(stack[:, chosen_on], y[chosen_on], stack[:, judged_on])
        for step, (by_choice, by_judge) in steps.items():
            scores = judge(by_choice, y[chosen_on], by_judge, y[judged_on])
            rows.append(
                {
                    "table": table,
                    "family": knowledge.tasks["family"][table],
                    "step": step,
                    **scores,
                }
            )
    return rows


def recommended(knowledge, table, directory, options):
    """Return names of candidates as the classifier would try them."""
    recommender = SimilarTasksRecommender().fit(
        knowledge.without([table]), options.metric
    )
    scores = knowledge.scores(options.metric).loc[table]
    observed = []
    while len(observed) < options.n_candidates:
        more = recommender.recommend(
            knowledge.meta_features.loc[table], ROUND, observed=observed
        ).configurations
        observed += [Observation(c, scores.get(c.name, np.nan)) for c in more]
    names = [o.configuration.name for o in observed[: options.n_candidates]]
    return [name for name in names if (directory / f"{name}.npy").exists()]


def halves(y, seed):
    """Return two halves of the rows, each with half of every class."""
    rng = np.random.default_rng(seed)
    is_first = np.zeros(len(y), dtype=bool)
    for number, label in enumerate(np.unique(y)):
        rows = rng.permutation(np.flatnonzero(y == label))
        is_first[rows[: (len(rows) + number % 2) // 2]] = True
    return np.flatnonzero(is_first), np.flatnonzero(~is_first)


def make_steps(choice, y, judged):
    """Return the probabilities of each step, on the rows to choose and to judge by.

    The first step is a dict: what is best depends on the metric.
    """

    def mean(weights, choice=choice, judged=judged):
        return np.tensordot(weights, choice, 1), np.tensordot(weights, judged, 1)

    alone = np.eye(len(choice))
    losses = [metrics.log_loss(y, p, labels=np.arange(p.shape[1])) for p in choice]
    priors = np.bincount(y) / len(y)
    by_metric = {
        "accuracy": [np.mean(p.argmax(axis=1) == y) for p in choice],
        "balanced_accuracy": [balanced(y, p / priors) for p in choice],
        "f1_macro": [f1(y, p / np.sqrt(priors)) for p in choice],
        "roc_auc": [weighted_auc(y, p) for p in choice],
        "neg_log_loss": [-loss for loss in losses],
    }
    pairs = [
        (temper(p, y, p), temper(p, y, q)) for p, q in zip(choice, judged, strict=True)
    ]
    tempered = tuple(np.stack(part) for part in zip(*pairs, strict=True))
    five = mean(greedy_ensemble(choice, y, 5))
    return {
        "best by the metric": (
            {m: mean(alone[np.argmax(v)])[0] for m, v in by_metric.items()},
            {m: mean(alone[np.argmax(v)])[1] for m, v in by_metric.items()},
        ),
        "best by log loss": mean(alone[np.argmin(losses)]),
        "ensemble of 3": mean(greedy_ensemble(choice, y, 3)),
        "ensemble of 5": five,
        "ensemble of any": mean(greedy_ensemble(choice, y, len(choice))),
        "ensemble of 5, tempered": (
            temper(five[0], y, five[0]),
            temper(five[0], y, five[1]),
        ),
        "ensemble of 5 of tempered": mean(
            greedy_ensemble(tempered[0], y, 5), *tempered
        ),
    }


def temper(choice, y, values):
    """Return probabilities after the temperature that is best on other rows."""
    losses = tempered_losses(log_probabilities(choice), y).mean(axis=1)
    powers = values ** (1 / TEMPERATURES[losses.argmin()])
    return powers / powers.sum(axis=1, keepdims=True)


def balanced(y, weighted):
    return metrics.recall_score(
        y, weighted.argmax(axis=1), labels=np.unique(y), average="macro"
    )


def f1(y, weighted):
    return metrics.f1_score(y, weighted.argmax(axis=1), average="macro")


def judge(choice, y_choice, values, y):
    """Score one step by every metric, labels with and without class weights."""
    if not isinstance(values, dict):
        everywhere = (
            "accuracy",
            "balanced_accuracy",
            "f1_macro",
            "roc_auc",
            "neg_log_loss",
        )
        choice = dict.fromkeys(everywhere, choice)
        values = dict.fromkeys(everywhere, values)
    priors = np.bincount(y_choice) / len(y_choice)
    n_classes = len(priors)
    scores = {
        "accuracy": np.mean(values["accuracy"].argmax(axis=1) == y),
        "roc_auc": weighted_auc(y, values["roc_auc"]),
        "neg_log_loss": -metrics.log_loss(
            y, values["neg_log_loss"], labels=np.arange(n_classes)
        ),
    }
    for metric, score in [("balanced_accuracy", balanced), ("f1_macro", f1)]:
        p = values[metric]
        counts = confusion_counts(
            log_probabilities(choice[metric]),
            y_choice,
            np.zeros(len(y_choice), dtype=int),
            priors,
            temperature=1.0,
        )
        chosen = best_exponent(
            score_counts(counts)[metric][:, 0], START[metric], len(y_choice)
        )
        scores[f"{metric}, likeliest class"] = score(y, p)
        scores[f"{metric}, by the shares"] = score(y, p * priors ** -START[metric])
        scores[f"{metric}, tuned"] = score(y, p * priors ** -EXPONENTS[chosen])
    return scores


def report(results, options):
    """Print, as Markdown, means and differences with 95 % intervals."""
    scores = [c for c in results if c not in ("table", "family", "step")]
    means = results.groupby(["step", "family"])[scores].mean() * 100
    n_families = results["family"].nunique()
    rng = np.random.default_rng(options.seed)
    draws = rng.integers(0, n_families, (2000, n_families))
    print(f"{n_families} families, {options.n_candidates} candidates, x 100\n")
    print(f"| | {' | '.join(scores)} |\n|{'---|' * (len(scores) + 1)}")
    for step, before in STEPS.items():
        mean = means.loc[step].mean()
        print(f"| {step} | {' | '.join(f'{mean[s]:.2f}' for s in scores)} |")
        if before is not None:
            gain = (means.loc[step] - means.loc[before]).to_numpy()
            low, high = np.percentile(gain[draws].mean(axis=1), [2.5, 97.5], axis=0)
            cells = [
                f"{g:+.2f} ({a:+.2f} {b:+.2f})"
                for g, a, b in zip(gain.mean(axis=0), low, high, strict=True)
            ]
            print(f"| *minus {before}* | {' | '.join(cells)} |")
    five = means.loc["ensemble of 5"]
    for metric in ("balanced_accuracy", "f1_macro"):
        for how, other in [
            ("by the shares", "likeliest class"),
            ("tuned", "by the shares"),
        ]:
            gain = (five[f"{metric}, {how}"] - five[f"{metric}, {other}"]).to_numpy()
            low, high = np.percentile(gain[draws].mean(axis=1), [2.5, 97.5])
            print(
                f"- {metric}, {how} minus {other}: {gain.mean():+.2f} "
                f"({low:+.2f} to {high:+.2f})"
            )


if __name__ == "__main__":
    main()
