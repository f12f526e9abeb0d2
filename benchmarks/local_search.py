"""Search beyond the portfolio: evolution, random local search, TPE, and none.

Each table is divided into two thirds and a third. `MetaLearnerClassifier` is fitted
with a time budget, its family left out of the knowledge, and with each explorer in
turn; what all have in common, the portfolio first, they do alike. Printed are means of
scores of the third, and differences to the search that ends with the portfolio.
Seconds are those of the processor, so that a busy machine counts for nothing. TABLES/
holds parquet files with the target in the column `__target__`, and an index.csv with
name, family, n_rows and n_features: of each family the first table with a suitable
size. TPE needs `pip install optuna`.

    python benchmarks/local_search.py TABLES/ --output local_search.csv
"""

import argparse
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from _runs import resume
from sklearn.base import BaseEstimator
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skmeta import MetaLearnerClassifier, load_knowledge
from skmeta._base_learners import get_learner
from skmeta._configuration import Configuration
from skmeta._files import read_file
from skmeta._schedule import Schedule
from skmeta.knowledge import Protocol
from skmeta.knowledge._scoring import weighted_auc
from skmeta.knowledge._worker import prepare_task
from skmeta.recommendation import RegularizedEvolution

METRICS = ("balanced accuracy", "ROC AUC", "log loss", "cross-validated")


class RandomLocalSearch(BaseEstimator):
    """Children of one of the five best, of equal steps in any direction."""

    def fit(self, knowledge, metric):
        known = RegularizedEvolution().fit(knowledge, metric).neighbourhoods_
        self.neighbourhoods_ = {}
        for learner, each in known.items():
            ones = np.ones(len(each.dimensions))
            self.neighbourhoods_[learner] = replace(
                each, widths=0.2 * ones, shares=ones / len(ones)
            )
        return self

    def propose(self, observed, n_configurations, random_state=None):
        random_state = check_random_state(random_state)
        met = {each.configuration for each in observed}
        scored = [each for each in observed if not np.isnan(each.score)]
        best = sorted(scored, key=lambda each: -each.score)[:5]
        children = []
        for _ in range(20 * n_configurations if best else 0):
            parent = best[random_state.randint(len(best))].configuration
            child = self.neighbourhoods_[parent.learner].mutate(parent, random_state)
            if child not in met and len(children) < n_configurations:
                met.add(child)
                children.append(child)
        return children


class TreeParzenEstimator(BaseEstimator):
    """Optuna's, told of all that was tried; learners are a choice like others."""

    def fit(self, knowledge, metric):
        self.learners_ = sorted({c.learner for c in knowledge.configuration_values})
        return self

    def propose(self, observed, n_configurations, random_state=None):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        seed = check_random_state(random_state).randint(2**31)
        sampler = optuna.samplers.TPESampler(
            multivariate=True, group=True, constant_liar=True, seed=seed
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for each in observed:
            if not np.isnan(each.score):
                study.add_trial(self._as_trial(each))
        met, found = {each.configuration for each in observed}, []
        for _ in range(5 * n_configurations):
            configuration = self._ask(study.ask())
            if configuration not in met and len(found) < n_configurations:
                met.add(configuration)
                found.append(configuration)
        return found

    def _ask(self, trial):
        learner = trial.suggest_categorical("learner", self.learners_)
        values = {}
        for h in get_learner(learner).space.hyperparameters:
            name = f"{learner}.{h.name}"
            texts = _texts(h)
            text = trial.suggest_categorical(name, texts)
            if text != "number":
                values[h.name] = h.choices[texts.index(text)]
            elif isinstance(h.low, int):
                values[h.name] = trial.suggest_int(
                    f"{name}.n", h.low, h.high, log=h.log
                )
            else:
                values[h.name] = trial.suggest_float(
                    f"{name}.n", h.low, h.high, log=h.log
                )
        return Configuration(learner, values)

    def _as_trial(self, observation):
        import optuna
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        configuration = observation.configuration
        learner = get_learner(configuration.learner)
        values = learner.defaults | dict(configuration.hyperparameters)
        params = {"learner": learner.name}
        distributions = {"learner": CategoricalDistribution(self.learners_)}
        for h in learner.space.hyperparameters:
            name, value, texts = f"{learner.name}.{h.name}", values[h.name], _texts(h)
            distributions[name] = CategoricalDistribution(texts)
            params[name] = "number" if repr(value) not in texts else repr(value)
            if params[name] == "number":
                kind = IntDistribution if isinstance(h.low, int) else FloatDistribution
                distributions[f"{name}.n"] = kind(h.low, h.high, log=h.log)
                params[f"{name}.n"] = value
        return optuna.trial.create_trial(
            params=params, distributions=distributions, value=observation.score
        )


def _texts(hyperparameter):
    numbers = [] if hyperparameter.low is None else ["number"]
    return [repr(each) for each in hyperparameter.choices] + numbers


EXPLORERS = {
    "none": lambda: None,
    "evolution": RegularizedEvolution,
    "random local search": RandomLocalSearch,
    "TPE": TreeParzenEstimator,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path)
    parser.add_argument("--output", type=Path, default=Path("local_search.csv"))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--n-tables", type=int, default=16)
    parser.add_argument("--n-seeds", type=int, default=1)
    parser.add_argument("--least-rows", type=int, default=300)
    parser.add_argument("--most-rows", type=int, default=3_000)
    parser.add_argument("--most-cells", type=int, default=40_000)
    parser.add_argument("--scoring", default="balanced_accuracy")
    parser.add_argument("--explorers", nargs="+", default=list(EXPLORERS))
    options = parser.parse_args()
    index = pd.read_csv(options.tables / "index.csv")
    index = index[index["n_rows"].between(options.least_rows, options.most_rows)]
    index = index[index["n_rows"] * index["n_features"] <= options.most_cells]
    names = index.drop_duplicates("family")["name"].sample(frac=1, random_state=0)
    keys = [
        {"table": table, "seed": seed, "explorer": explorer}
        for seed in range(options.n_seeds)
        for table in names[: options.n_tables]
        for explorer in options.explorers
    ]
    run = partial(run_table, knowledge=load_knowledge(), options=options)
    report(resume(options.output, keys, run))


def run_table(table, seed, explorer, knowledge, options):
    frame = read_file(options.tables / f"{table}.parquet")
    protocol = Protocol(max_rows=options.most_rows, random_state=0)
    X, y = prepare_task(frame, "__target__", protocol)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=1 / 3, stratify=y, random_state=seed
    )
    classifier = MetaLearnerClassifier(
        knowledge=knowledge.without([table]),
        explorer=EXPLORERS[explorer](),
        scoring=options.scoring,
        time_budget=options.seconds,
        random_state=seed,
    )
    started = time.process_time()
    with on_processor_time():
        classifier.fit(X_train, y_train)
    seconds = time.process_time() - started
    probabilities = classifier.predict_proba(X_test)
    known = set(knowledge.configuration_values)
    tried = classifier.recommendation_.configurations[: len(classifier.leaderboard_)]
    members = classifier.leaderboard_["weight"].fillna(0.0)
    is_new = pd.Series([each not in known for each in tried])
    return [
        {
            "balanced accuracy": balanced_accuracy_score(
                y_test, classifier.predict(X_test)
            ),
            "ROC AUC": weighted_auc(y_test, probabilities),
            "log loss": -log_loss(y_test, probabilities, labels=classifier.classes_),
            "cross-validated": classifier.best_score_,
            "rows": len(y_train),
            "candidates": len(tried),
            "proposed": is_new.sum(),
            "weight": members[is_new[members.index]].sum(),
            "seconds": seconds,
        }
    ]


@contextmanager
def on_processor_time():
    """Let all clocks stand still while others have the processor."""
    clock = time.process_time
    with (
        patch("time.perf_counter", clock),
        patch("time.monotonic", clock),
        patch("skmeta._search.Schedule", partial(Schedule, clock=clock)),
    ):
        yield


def report(rows):
    """Print scores, and differences to the portfolio alone."""
    metrics = list(METRICS)
    means = rows.groupby(["table", "explorer"])[metrics].mean()
    differences = 100 * (means - means.xs("none", level="explorer"))
    others = ["candidates", "proposed", "weight", "seconds"]
    summary = rows.groupby("explorer")[metrics + others].mean()
    print(f"{rows['table'].nunique()} tables\n\n{summary.round(4).to_string()}\n")
    lines = []
    random_state = np.random.default_rng(0)
    for explorer, gains in differences.groupby("explorer"):
        if explorer == "none":
            continue
        for metric in metrics:
            values = gains[metric].to_numpy()
            drawn = random_state.choice(values, (2000, len(values))).mean(axis=1)
            low, high = np.quantile(drawn, (0.025, 0.975))
            lines.append(
                {
                    "explorer": explorer,
                    "metric": metric,
                    "gain x 100": values.mean(),
                    "from": low,
                    "to": high,
                    "better": np.mean(values > 0),
                    "worse": np.mean(values < 0),
                }
            )
    print(pd.DataFrame(lines).round(2).to_string(index=False))


if __name__ == "__main__":
    main()
