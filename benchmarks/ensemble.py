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

from functools import partial

import numpy as np
from _predictions import (
    add_candidates,
    choose_tables,
    halves,
    load_candidates,
    make_parser,
)
from _runs import resume
from sklearn import metrics

from skmeta import load_knowledge
from skmeta._decision import (
    EXPONENTS,
    START,
    TEMPERATURES,
    best_exponent,
    log_probabilities,
    score_exponents,
    tempered_losses,
)
from skmeta._ensemble import greedy_ensemble
from skmeta.knowledge._scoring import weighted_auc

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
    parser = make_parser(__doc__.partition("\n")[0])
    add_candidates(parser)
    options = parser.parse_args()
    knowledge = load_knowledge(options.knowledge)
    results = resume(
        options.output,
        [{"table": table} for table in choose_tables(knowledge, options)],
        partial(run_table, knowledge=knowledge, options=options),
    )
    report(results, options)


def run_table(table, knowledge, options):
    y, _, stack = load_candidates(knowledge, table, options)
    first, second = halves(y, options.seed)
    rows = []
    for chosen_on, judged_on in ((first, second), (second, first)):
        steps = make_steps(stack[:, chosen_on], y[chosen_on], stack[:, judged_on])
        for step, (by_choice, by_judge) in steps.items():
            scores = judge(by_choice, y[chosen_on], by_judge, y[judged_on])
            rows.append(
                {"family": knowledge.tasks["family"][table], "step": step, **scores}
            )
    return rows


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


def tune_exponent(probabilities, y, metric):
    """Return the power of the inverse shares of the classes that labels want."""
    scores = score_exponents(probabilities, y)[metric]
    return EXPONENTS[best_exponent(scores, START[metric], len(y))]


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
        exponent = tune_exponent(choice[metric], y_choice, metric)
        scores[f"{metric}, likeliest class"] = score(y, p)
        scores[f"{metric}, by the shares"] = score(y, p * priors ** -START[metric])
        scores[f"{metric}, tuned"] = score(y, p * priors**-exponent)
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
