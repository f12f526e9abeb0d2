"""What augmentation is worth, and whether other tables say where it is worth it.

For each of four learners, the known configuration that is best on average by ROC AUC is
evaluated with each policy of `AugmentedClassifier`, and so are, as they are, the three
that come first in its portfolio by seconds. Tables are those of one a family, with a
stratified sample of the rows. TABLES/ holds parquet files with the target in the column
`__target__`, and an index.csv with name, family, n_rows, n_features and n_classes.
SMOTE needs the package imbalanced-learn.

    python benchmarks/augmentation.py TABLES/ --output augmentation.zip

A table that was done is not done again. Without TABLES/ nothing is fitted, and it
prints from the output, for each metric: what policies gain over none; what those gain
that are recommended where families are left out; and what the best of the first few
candidates scores if policies are among the candidates, chosen by two thirds of the rows
and judged on the others.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from recommendation import split_groups

from skmeta import (
    Configuration,
    PortfolioRecommender,
    SimilarTasksRecommender,
    load_knowledge,
)
from skmeta.knowledge import Protocol, build_knowledge, find_tasks

_FOR_ALL = ("oversample", "smote", "noise")
POLICIES = {
    "hist_gradient_boosting": ("class_weights", *_FOR_ALL),
    "extra_trees": ("class_weights", *_FOR_ALL),
    "logistic_regression": ("class_weights", *_FOR_ALL),
    "mlp": (*_FOR_ALL, "mixup"),  # weighed only from scikit-learn 1.7 on
}
LEARNERS = tuple(POLICIES)
METRICS = (
    "accuracy",
    "balanced_accuracy",
    "balanced_accuracy_tuned",
    "f1_macro",
    "roc_auc_ovr_weighted",
    "neg_log_loss",
)
# Those that recommendations are looked at by.
LEARNED = METRICS[1:3] + METRICS[4:]
POLICY = "table__augmentation"
COUNTS = (1, 4, 8, 16)
_N_PLAIN = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path, nargs="?")
    parser.add_argument("--output", type=Path, default=Path("augmentation.zip"))
    parser.add_argument("--n-tables", type=int, default=120)
    parser.add_argument("--most-rows", type=int, default=500)
    parser.add_argument("--most-cells", type=int, default=50_000)
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    if options.tables is not None:
        build_knowledge(
            choose_tasks(options),
            options.output,
            configurations=choose_configurations(),
            protocol=Protocol(n_folds=3, max_rows=options.most_rows),
            n_jobs=options.n_jobs,
            resume=True,
            on_progress=partial(print, flush=True),
        )
    report(load_knowledge(options.output))


def choose_tasks(options, least_features=1, seed=3):
    """Return tables of as many families, none with many rows, columns and classes."""
    index = pd.read_csv(options.tables / "index.csv")
    n_rows = index["n_rows"].clip(upper=options.most_rows)
    size = n_rows * index["n_features"] * index["n_classes"]
    is_usable = (index["n_rows"] >= 200) & (index["n_features"] >= least_features)
    index = index[is_usable & (size <= options.most_cells)]
    names = index.drop_duplicates("family")["name"].sample(frac=1, random_state=seed)
    paths = [options.tables / f"{name}.parquet" for name in names[: options.n_tables]]
    return find_tasks(paths, index=options.tables / "index.csv")


def choose_configurations():
    """Return the best of each learner, with each policy, and the next as they are."""
    knowledge = load_knowledge()
    usual = knowledge.meta_features.median()
    chosen = []
    for learner in LEARNERS:
        # By what depends neither on where labels begin nor on the scale.
        recommender = PortfolioRecommender().fit(
            knowledge.select_learners(learner), "roc_auc_ovr_weighted"
        )
        (best,) = recommender.recommend({}, 1).configurations
        fast = recommender.recommend(usual, _N_PLAIN, per_second=True).configurations
        others = [each for each in fast if each != best][: _N_PLAIN - 1]
        chosen += [best, *others]
        chosen += [
            Configuration(learner, {**best.hyperparameters, POLICY: policy})
            for policy in POLICIES[learner]
        ]
    return chosen


def report(knowledge):
    print(f"{len(knowledge.tasks)} tables, one a family; differences x 100")
    for metric in METRICS:
        print(f"\n## {metric}\n", flush=True)
        report_policies(knowledge, metric)
        if metric in LEARNED:
            report_recommended(knowledge, metric)
            report_candidates(knowledge, metric)


def by_policy(knowledge, learner):
    """Return names of the configurations that differ in the policy, none first."""
    those = [c for c in knowledge.configuration_values if c.learner == learner]
    policy_of = {c.name: c.hyperparameters.get(POLICY, "none") for c in those}
    plain = those[0].name  # as `choose_configurations` orders them
    return {
        policy: name
        for name, policy in policy_of.items()
        if policy != "none" or name == plain
    }


def report_policies(knowledge, metric):
    scores = knowledge.scores(metric)
    for learner in LEARNERS:
        names = by_policy(knowledge, learner)
        for policy, name in names.items():
            if policy != "none":
                gains = scores[name] - scores[names["none"]]
                share = (gains.dropna() > 0).mean()
                print(
                    f"{learner:24s} {policy:16s} {interval(gains)}, gains {share:.0%}"
                )


def interval(gains):
    """Return mean and 95 % interval over families, of which there is one table each."""
    gains = gains.dropna().to_numpy(np.float64)
    drawn = np.random.default_rng(0).choice(gains, (4000, len(gains))).mean(axis=1)
    low, high = 100 * np.quantile(drawn, [0.025, 0.975])
    return f"{100 * gains.mean():+6.2f} ({low:+.2f} to {high:+.2f})"


def report_recommended(knowledge, metric):
    """Print what the policy gains that is recommended, with families left out."""
    scores = knowledge.scores(metric)
    for learner in LEARNERS:
        names = by_policy(knowledge, learner)
        known = knowledge.with_configurations(list(names.values()))
        for kind, make in {
            "best for others": PortfolioRecommender,
            "best for similar": SimilarTasksRecommender,
        }.items():
            firsts = first_picks(known, metric, make, 1)
            picked = pd.Series({task: names[0] for task, names in firsts.items()})
            gains = pd.Series(
                {
                    task: scores.at[task, name] - scores.at[task, names["none"]]
                    for task, name in picked.items()
                }
            )
            share = (picked == names["none"]).mean()
            print(f"{learner:24s} {kind:16s} {interval(gains)}, none for {share:.0%}")


def first_picks(knowledge, metric, make, n_picks):
    """Return names of the first configurations for each task, without its family."""
    tasks, meta_features = knowledge.tasks.index, knowledge.meta_features
    picks = {}
    for fold in split_groups(knowledge.tasks["family"].to_numpy(), 10, seed=0):
        recommender = make().fit(knowledge.without(tasks[fold]), metric)
        for task in tasks[fold]:
            first = recommender.recommend(meta_features.loc[task], n_picks)
            picks[task] = [c.name for c in first.configurations]
    return picks


def report_candidates(knowledge, metric):
    """Print what policies among the candidates gain, after several evaluations."""
    plain = [
        c.name
        for c in knowledge.configuration_values
        if POLICY not in c.hyperparameters
    ]
    folds = knowledge.fold_scores(metric)
    column = {c.name: i for i, c in enumerate(knowledge.configuration_values)}
    found = {}
    for pool, known in {
        "without": knowledge.with_configurations(plain),
        "with": knowledge,
    }.items():
        picks = first_picks(
            known, metric, lambda: SimilarTasksRecommender(adapts_after=None),
            max(COUNTS),
        )  # fmt: skip
        found[pool] = pd.DataFrame(
            {
                task: judge(folds[row][[column[name] for name in picks[task]]])
                for row, task in enumerate(knowledge.tasks.index)
            },
            index=COUNTS,
        ).T
    for count in COUNTS:
        gains = found["with"][count] - found["without"][count]
        mean = 100 * found["without"][count].mean()
        print(
            f"best of {count:2d}: {mean:.2f} without policies, with {interval(gains)}"
        )


def judge(scores):
    """Return the score of the best of the first few, on folds it was not chosen by."""
    scores = np.where(np.isnan(scores).any(axis=1, keepdims=True), -np.inf, scores)
    judged = []
    for fold in range(scores.shape[1]):
        by_others = np.delete(scores, fold, axis=1).mean(axis=1)
        judged.append([scores[by_others[:n].argmax(), fold] for n in COUNTS])
    return np.mean(judged, axis=0)


if __name__ == "__main__":
    main()
