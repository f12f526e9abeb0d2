"""Hyperparameters by formulas, beside library defaults and known configurations.

Each table is divided into two thirds and a third. For each learner, with the encoder
that skmeta puts before it, and for each metric: scikit-learn's own hyperparameters;
`symbolic_defaults`; the same without properties of the task, which makes constants of
all formulas; the configuration that is best on average (first of the portfolio), and
the one that is best on similar tasks (as `MetaHyperparamSelector` with one candidate).
Families of the tables are left out of the knowledge, in four parts. TABLES/ holds
parquet files with the target in the column `__target__`, and an index.csv with name,
family and n_rows.

    python benchmarks/symbolic_defaults.py TABLES/ --output symbolic_defaults.csv

Without TABLES/, nothing is fitted, and it prints how much the surrogate, of which
formulas are the minimum, explains of losses on tasks of families left out.
"""

import argparse
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from _runs import resume
from recommendation import split_groups
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skmeta import (
    MetaFeatureExtractor,
    MetaHyperparamSelector,
    PortfolioRecommender,
    SimilarTasksRecommender,
    load_knowledge,
    symbolic_defaults,
)
from skmeta._base_learners import TaskSize, get_learner
from skmeta._files import read_file
from skmeta._workers import calm
from skmeta.knowledge import Protocol
from skmeta.knowledge._scoring import score_probabilities
from skmeta.knowledge._worker import prepare_task
from skmeta.recommendation import SymbolicRecommender, portfolio_loss
from skmeta.recommendation._loss_surrogate import (
    LossSurrogate,
    _describe,
    describe_tried,
)
from skmeta.recommendation._recommender import CAP, CAPS
from skmeta.recommendation._symbolic import ATTRIBUTES

LEARNERS = (
    "hist_gradient_boosting",
    "random_forest",
    "extra_trees",
    "logistic_regression",
    "svc",
    "mlp",
)
METRICS = ("balanced_accuracy", "roc_auc_ovr_weighted", "neg_log_loss")
FORMULAS = "formulas"
MAKE = {
    "constants": lambda: SymbolicRecommender(sparsity=1e3),
    "best on average": PortfolioRecommender,
    "best on similar tasks": SimilarTasksRecommender,
}
OTHERS = ("library", *MAKE)
_N_FOLDS = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path, nargs="?")
    parser.add_argument("--output", type=Path, default=Path("symbolic_defaults.csv"))
    parser.add_argument("--n-tables", type=int, default=32)
    parser.add_argument("--most-rows", type=int, default=2_000)
    parser.add_argument("--most-cells", type=int, default=100_000)
    options = parser.parse_args()
    knowledge = load_knowledge()
    if options.tables is None:
        report_surrogates(knowledge)
        return
    index = pd.read_csv(options.tables / "index.csv")
    n_rows = index["n_rows"].clip(upper=options.most_rows)
    size = n_rows * index["n_features"] * index["n_classes"]
    index = index[(index["n_rows"] >= 200) & (size <= options.most_cells)]
    names = index.drop_duplicates("family")["name"].sample(frac=1, random_state=2)
    names = names[: options.n_tables].tolist()
    # By learner and by what is left out, since what was learned is kept for the next.
    folds = [names[i::_N_FOLDS] for i in range(_N_FOLDS)]
    keys = [
        {"learner": learner, "table": table}
        for learner in LEARNERS
        for fold in folds
        for table in fold
    ]
    known = {}
    for fold in folds:
        held = knowledge.tasks.index.intersection(fold)
        known |= dict.fromkeys(fold, knowledge.without(held))

    def run(learner, table):
        return compare(learner, prepare(table, options), known[table])

    report(resume(options.output, keys, run))


def prepare(table, options):
    """Return two thirds of a table, the rest, and meta-features of the first."""
    protocol = Protocol(max_rows=options.most_rows, random_state=0)
    frame = read_file(options.tables / f"{table}.parquet")
    X, y = prepare_task(frame, "__target__", protocol)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=1 / 3, stratify=y, random_state=0
    )
    extractor = MetaFeatureExtractor(level="full").fit(X_train, y_train)
    names, values = extractor.get_feature_names_out(), extractor.meta_features_
    return X_train, X_test, y_train, y_test, dict(zip(names, values, strict=True))


def compare(learner, task, knowledge):
    X_train, X_test, y_train, y_test, meta_features = task
    size = TaskSize(*X_train.shape, len(np.unique(y_train)))
    estimator = get_learner(learner).make({}, size, random_state=0)
    if learner == "mlp":
        estimator.set_params(learner__max_iter=200)
    known = {}
    for metric, system, params in choose(
        estimator, X_train, y_train, size, meta_features, knowledge
    ):
        key = repr(sorted(params.items()))
        if key not in known:
            model = clone(estimator).set_params(**params)
            started = time.process_time()
            with calm():
                model.fit(X_train, y_train)
                probabilities = model.predict_proba(X_test)
            scores = score_probabilities(y_test, probabilities)
            known[key] = scores, time.process_time() - started
        scores, seconds = known[key]
        yield {
            "metric": metric,
            "system": system,
            "score": scores[metric],
            "seconds": round(seconds, 3),
            "params": key,
        }


def choose(estimator, X, y, size, meta_features, knowledge):
    """Yield metric, system and the hyperparameters that it chooses."""
    search = MetaHyperparamSelector(estimator)
    names = tuple(search._select_configurations(knowledge, size, False))
    for metric in METRICS:
        yield metric, "library", {}
        defaults = symbolic_defaults(
            estimator, X, y, scoring=metric, knowledge=knowledge
        )
        yield metric, FORMULAS, defaults.params
        for system in MAKE:
            recommender = learn(system, knowledge, names, metric)
            [first] = recommender.recommend(meta_features, 1).configurations
            yield metric, system, search._make_candidate(first, size, 0)[0]


@lru_cache(maxsize=16)
def learn(system, knowledge, names, metric):
    return MAKE[system]().fit(knowledge.with_configurations(names), metric)


def report(rows):
    print(f"{rows['table'].nunique()} tables; {FORMULAS} minus the others:")
    rng = np.random.default_rng(0)
    means = rows.groupby(["learner", "metric", "system"], sort=False)["score"].mean()
    print(means.unstack()[[FORMULAS, *OTHERS]].round(4).to_string())
    wide = rows.pivot(
        index="table", columns=["metric", "learner", "system"], values="score"
    )
    for metric in METRICS:
        for learner in [*LEARNERS, "mean of learners"]:
            part = wide[metric]
            if learner in LEARNERS:
                part = part[learner]
            else:
                part = part.T.groupby(level="system").mean().T
            cells = []
            for system in OTHERS:
                gain = (part[FORMULAS] - part[system]).to_numpy()
                drawn = rng.choice(gain, (4000, len(gain))).mean(axis=1)
                low, high = np.quantile(drawn, [0.025, 0.975])
                cells.append(f"{system} {gain.mean():+.4f} ({low:+.4f} to {high:+.4f})")
            print(f"{metric:20s} {learner:22s} {'; '.join(cells)}")
    print(rows.groupby(["learner", "system"])["seconds"].mean().unstack().round(2))


def report_surrogates(knowledge):
    """Print the share of variance within tasks that is explained, by learner."""
    for metric in METRICS:
        for learner in LEARNERS:
            known = knowledge.select_learners([learner])
            configurations = known.configuration_values
            scores = known.scores(metric).to_numpy(np.float64)
            usable = ~np.isnan(scores).all(axis=1)
            loss = portfolio_loss(scores[usable], CAPS.get(metric, CAP))
            table = known.meta_features.loc[usable, list(ATTRIBUTES.values())]
            sizes = table[["nr_inst", "nr_attr", "nr_class"]].to_numpy().astype(int)
            numbers, words = _tried(configurations, sizes)
            tasks = table.to_numpy(np.float64, copy=True)
            tasks[:, :3] = np.log(tasks[:, :3])
            tasks = (tasks - tasks.mean(axis=0)) / tasks.std(axis=0)
            family = known.tasks["family"][usable].to_numpy()
            folds = split_groups(family, 5, seed=0)
            _, which, count = np.unique(family, return_inverse=True, return_counts=True)
            parts = numbers, words, tasks, loss, 1 / count[which]
            everything = range(len(configurations))
            seen = _explained(folds, *parts, [(everything, everything)])
            unseen = [([i for i in everything if i != c], [c]) for c in everything]
            unseen = _explained(folds, *parts, unseen)
            print(
                f"{metric:20s} {learner:22s} {len(configurations):2d} configurations: "
                f"{seen:.2f}, of one left out too {unseen:.2f}"
            )


def _tried(configurations, sizes):
    tried = describe_tried(configurations, [TaskSize(*s) for s in sizes.tolist()])
    numbers = tried.numbers
    return (numbers - numbers.mean(axis=(0, 1))) / numbers.std(axis=(0, 1)), tried.words


def _explained(folds, numbers, words, tasks, loss, weights, divisions):
    """Return R2 of losses less the mean of the configurations learned from."""
    missed = total = 0.0
    for test in folds:
        train = np.setdiff1d(np.arange(len(loss)), test)
        for known, judged in divisions:
            known, judged = list(known), list(judged)
            surrogate = LossSurrogate(
                numbers[train][:, known], words[known], tasks[train],
                loss[train][:, known], weights[train] / weights[train].sum(), 0.1, 0.0,
            )  # fmt: skip
            there = np.broadcast_to(words, (len(test), *words.shape))
            described = _describe(numbers[test], there, tasks[test][:, np.newaxis])
            found, wanted = described @ surrogate._slopes, loss[test]
            found, wanted = (
                each[:, judged] - each[:, known].mean(axis=1, keepdims=True)
                for each in (found, wanted)
            )
            missed += (weights[test, np.newaxis] * (found - wanted) ** 2).sum()
            total += (weights[test, np.newaxis] * wanted**2).sum()
    return 1 - missed / total


if __name__ == "__main__":
    main()
