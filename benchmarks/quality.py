"""Quality of the default classifier beside untuned defaults and random choice.

Each table is split once into training and test rows. skmeta, and the same with other
recommenders, try 8 candidates for each metric; the knowledge base is used without the
table and its whole family. Untuned HistGradientBoosting, RandomForest and
LogisticRegression (over skmeta's table encoding, scikit-learn's own hyperparameters)
are fitted once. Balanced accuracy is that of `predict`, the other metrics those of
`predict_proba`. Scores are normalized per table: 0 is the class prior, 1 the best of
all systems. Intervals are bootstrapped over families.

    python benchmarks/quality.py TABLES... --index index.csv --output quality.csv

A stopped run goes on from the rows in the output file. The report is written beside
it, ending in .md.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import sklearn
from _runs import resume
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split

import skmeta
from skmeta import (
    Configuration,
    MetaLearnerClassifier,
    RandomRecommender,
    load_knowledge,
)
from skmeta._base_learners import TaskSize, make_estimator
from skmeta._files import read_file
from skmeta._workers import calm
from skmeta.knowledge import Protocol, find_tasks
from skmeta.knowledge._scoring import score_probabilities
from skmeta.knowledge._worker import prepare_task

METRICS = ("balanced_accuracy", "roc_auc_ovr_weighted", "neg_log_loss")
DEFAULTS = ("hist_gradient_boosting", "random_forest", "logistic_regression")
# As scikit-learn's scorers are, but for two classes too.
SCORING = {"roc_auc_ovr_weighted": "roc_auc"}


def main():
    options = parse_arguments()
    knowledge = load_knowledge(options.knowledge)
    tasks = {task.name: task for task in choose_tables(options)}
    results = resume(
        options.output,
        [{"table": name} for name in tasks],
        lambda table: run_table(tasks[table], knowledge, options),
    )
    report = make_report(results, knowledge, options)
    options.output.with_suffix(".md").write_text(report)
    print(report)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="+", help="files or directories")
    parser.add_argument("--index", help="CSV file with name and family")
    parser.add_argument("--target", default="__target__")
    parser.add_argument("--knowledge", help="default: the shipped one")
    parser.add_argument("--n-tables", type=int, default=36)
    parser.add_argument("--max-rows", type=int, default=3000)
    parser.add_argument("--n-candidates", type=int, default=8)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def choose_tables(options):
    """Return one table of each family, drawn by a fixed shuffle before any run."""
    tasks = find_tasks(options.tables, options.target, options.index)
    options.families = {task.name: task.family for task in tasks}
    shuffled = np.random.default_rng(options.seed).permutation(len(tasks))
    first_of_family = {}
    for i in shuffled:
        first_of_family.setdefault(tasks[i].family, tasks[i])
    return list(first_of_family.values())[: options.n_tables]


def run_table(task, knowledge, options):
    protocol = Protocol(n_folds=3, max_rows=options.max_rows, random_state=options.seed)
    frame = read_file(task.path)
    X, y = prepare_task(frame, task.target, protocol)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=options.seed
    )
    siblings = [n for n, family in options.families.items() if family == task.family]
    knowledge = knowledge.without(siblings)

    def judge(system, metrics, labels, probabilities, seconds):
        scores = score_probabilities(y_test, probabilities)
        scores["balanced_accuracy"] = balanced_accuracy_score(y_test, labels)
        for metric in metrics:
            yield {
                "family": task.family,
                "system": system,
                "metric": metric,
                "score": scores[metric],
                "seconds": round(seconds, 2),
            }

    rows = []
    prior = np.bincount(y_train) / len(y_train)
    commonest = np.full(len(y_test), prior.argmax())
    rows.extend(judge("prior", METRICS, commonest, np.tile(prior, (len(y_test), 1)), 0))
    for learner in DEFAULTS:
        size = TaskSize(len(X_train), X.shape[1], len(prior))
        estimator = make_estimator(Configuration(learner), size, options.seed)
        outcome = fit_predict(estimator, X_train, y_train, X_test)
        rows.extend(judge(learner, METRICS, *outcome))
    for metric in METRICS:
        for system, recommender in [
            ("skmeta", "similar_tasks"),
            ("static portfolio", "portfolio"),
            ("random choice", RandomRecommender(random_state=options.seed)),
        ]:
            classifier = MetaLearnerClassifier(
                knowledge=knowledge,
                recommender=recommender,
                scoring=metric if len(prior) > 2 else SCORING.get(metric, metric),
                n_candidates=options.n_candidates,
                n_jobs=options.n_jobs,
                random_state=options.seed,
            )
            outcome = fit_predict(classifier, X_train, y_train, X_test)
            rows.extend(judge(system, [metric], *outcome))
    return rows


def fit_predict(estimator, X_train, y_train, X_test):
    started = time.monotonic()
    with calm():
        estimator.fit(X_train, y_train)
        seconds = time.monotonic() - started
        return estimator.predict(X_test), estimator.predict_proba(X_test), seconds


def make_report(results, knowledge, options):
    normalized = normalize(results)
    systems = ["skmeta", "static portfolio", "random choice", *DEFAULTS]
    lines = [
        "# Quality on tables whose family is left out of the knowledge",
        "",
        f"{results['table'].nunique()} tables of {results['family'].nunique()} "
        f"families, at most {options.max_rows} rows, 70 % for training; "
        f"{options.n_candidates} candidates; seed {options.seed}. {knowledge!r}.",
        f"skmeta {skmeta.__version__}, scikit-learn {sklearn.__version__}, "
        f"Python {platform.python_version()}, n_jobs={options.n_jobs}.",
        "",
        "Mean normalized score (0 = class prior, 1 = best system on the table), its "
        "95 % interval over families, the mean rank, and the mean difference of "
        "skmeta to the system (positive: skmeta is better).",
    ]
    for metric in METRICS:
        table = normalized[normalized["metric"] == metric].pivot_table(
            index=["family", "table"], columns="system", values="normalized"
        )[systems]
        n_left_out = results["table"].nunique() - len(table)
        lines += [
            "",
            f"## {metric}",
            "",
            f"{len(table)} tables; {n_left_out} left out where no system is better "
            f"than the prior by 0.01.",
            "",
            "| system | mean | 95 % | mean rank | skmeta minus it | 95 % |",
            "|---|---|---|---|---|---|",
        ]
        ranks = table.rank(axis=1, ascending=False).mean()
        for system in systems:
            mean, low, high = bootstrap(table[system])
            cells = [f"{mean:.3f}", f"{low:.3f} to {high:.3f}", f"{ranks[system]:.2f}"]
            if system == "skmeta":
                cells += ["", ""]
            else:
                mean, low, high = bootstrap(table["skmeta"] - table[system])
                cells += [f"{mean:+.3f}", f"{low:+.3f} to {high:+.3f}"]
            lines.append(f"| {system} | {' | '.join(cells)} |")
    seconds = results.groupby("system")["seconds"].median()[systems]
    listed = ", ".join(f"{system} {value:.1f}" for system, value in seconds.items())
    lines += ["", f"Median seconds of a fit: {listed}."]
    return "\n".join(lines) + "\n"


def normalize(results):
    """Put 0 at the class prior and 1 at the best system, table by table."""
    by_cell = results.groupby(["table", "metric"])["score"]
    best = by_cell.transform("max")
    prior = results["score"].where(results["system"] == "prior")
    prior = prior.groupby([results["table"], results["metric"]]).transform("max")
    # One careless probability makes a log loss without bound: no system may lose
    # more than the whole distance from the prior to the best.
    normalized = ((results["score"] - prior) / (best - prior)).clip(lower=-1)
    return results.assign(normalized=normalized)[best - prior > 0.01]


def bootstrap(values, n_samples=2000):
    """Return the mean and a 95 % interval, drawing families with replacement."""
    by_family = values.groupby("family").mean().to_numpy()
    rng = np.random.default_rng(0)
    draws = rng.integers(len(by_family), size=(n_samples, len(by_family)))
    low, high = np.percentile(by_family[draws].mean(axis=1), [2.5, 97.5])
    return by_family.mean(), low, high


if __name__ == "__main__":
    main()
