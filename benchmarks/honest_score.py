"""How far the scores that a search reports are from those on rows it did not see.

Nothing is fitted: predictions out of fold that ``python -m skmeta build
--predictions DIRECTORY`` kept stand for those of the classifier. For each table the
candidates are those that the default recommender asks for, learned from knowledge
without the table's family. A search sees some of the rows (a half, or as many as
``--rows-seen`` says), chooses the best candidate, the ensemble and the weights of
classes by them, and estimates by them alone what its final classifier scores. The
same models on all other rows tell the truth. Estimates are

- best_score: the mean cross-validated score of the best candidate;
- seen again: the score of the final classifier on the rows that chose it;
- splits: `honest_score_`, the choice made anew without each split;
- parts 5, parts 2: the same without each of so many random parts of the rows;
- bootstrap: bootstrap bias corrected cross-validation, the choice made by the rows in
  the bag and scored on those out of it, with its percentile interval.

Each split is scored and the mean is taken, for the truth as well; "bootstrap" scores
its rows together, as it was published. Optimism is the estimate minus the truth, less
how much better the candidates are in the mean on the rows seen than on the others:
that is luck, and none of it comes of choosing. (Of two halves, each is seen once, and
luck cancels.) Intervals are bootstrapped over families.

    python benchmarks/honest_score.py DIRECTORY... --output honest.csv

Rows that `--output` holds are not computed again; the report is printed.
"""

import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from _predictions import (
    add_candidates,
    choose_tables,
    halves,
    load_candidates,
    make_parser,
)
from _runs import resume
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer

from skmeta import load_knowledge
from skmeta._decision import START
from skmeta._evaluation import Prediction
from skmeta._honesty import N_BLOCKS, deal_out, jackknife_interval, make_parts
from skmeta._out_of_fold import OutOfFold

METRICS = ["balanced_accuracy", "accuracy", "roc_auc_ovr_weighted", "neg_log_loss",
           "f1_macro"]  # fmt: skip
MAX_MEMBERS = 5
ESTIMATES = ["best_score", "seen again", "splits", "parts 5", "parts 2", "bootstrap",
             "again - gain"]  # fmt: skip

SLOW = ["again - gain", "bootstrap", "low of bootstrap", "high of bootstrap",
        "seconds of bootstrap", "low of splits", "high of splits"]  # fmt: skip


def main():
    parser = make_parser(__doc__.partition("\n")[0])
    add_candidates(parser)
    parser.add_argument("--rows-seen", type=int, help="default: half of the table")
    parser.add_argument("--n-repeats", type=int, default=2, help="divisions of a table")
    parser.add_argument("--n-bootstraps", type=int, default=20,
                        help="for each table; 0 leaves them out")  # fmt: skip
    options = parser.parse_args()
    knowledge = load_knowledge(options.knowledge)
    warnings.simplefilter("ignore", UndefinedMetricWarning)
    results = resume(
        options.output,
        [{"table": table} for table in choose(knowledge, options)],
        partial(run_table, knowledge=knowledge, options=options),
    )
    report(results, options)


def choose(knowledge, options):
    """Return tables of different families that are large enough."""
    wanted, options.n_tables = options.n_tables, None
    tables = choose_tables(knowledge, options)
    least = 0 if options.rows_seen is None else 5 * options.rows_seen
    large = [t for t in tables if knowledge.tasks["n_rows"][t] >= least]
    return large[:wanted]


def run_table(table, knowledge, options):
    y, fold, stack = without_rare(*load_candidates(knowledge, table, options), options)
    rows = []
    for repeat in range(options.n_repeats):
        for seen, unseen in divide(y, fold, repeat, options):
            for metric in METRICS:
                search = Search(y, fold, stack, seen, metric)
                if np.isnan(search.scores).any():
                    continue
                rows.append(
                    {
                        "family": knowledge.tasks["family"][table],
                        "n_rows": len(seen),
                        "n_classes": len(np.unique(y)),
                        "metric": metric,
                        **search.truth(y, fold, stack, unseen, options),
                        "luck": search.luck(y, fold, stack, seen, unseen),
                        **search.estimate(repeat, options),
                    }
                )
    return rows


def without_rare(y, fold, stack, options):
    """Leave out classes too rare to have a row in every fold, seen and not seen."""
    share = 0.5 if options.rows_seen is None else options.rows_seen / len(y)
    kept = np.flatnonzero(np.bincount(y) * share >= 1.2 * (fold.max() + 1))
    rows = np.isin(y, kept) & (fold >= 0)
    stack = stack[:, rows][:, :, kept]
    stack /= stack.sum(axis=2, keepdims=True)
    return np.searchsorted(kept, y[rows]), fold[rows], stack


def divide(y, fold, repeat, options):
    """Return pairs of rows seen and not seen, alike in folds and classes."""
    cells = fold * (y.max() + 1) + y
    if options.rows_seen is None:
        first, second = halves(cells, options.seed + repeat)
        return (first, second), (second, first)
    chance = np.random.default_rng(options.seed + repeat).random(len(y))
    # Evenly spaced in the order of cells, by chance within each.
    order = np.lexsort((chance, cells))
    picked = np.linspace(0, len(y), options.rows_seen, endpoint=False).astype(int)
    is_seen = np.zeros(len(y), dtype=bool)
    is_seen[order[picked]] = True
    return ((np.flatnonzero(is_seen), np.flatnonzero(~is_seen)),)


class Search:
    """What a search chooses by the rows that it sees."""

    def __init__(self, y, fold, stack, seen, metric):
        self.metric, self.scorer = metric, get_scorer(metric)
        self.y = y[seen]
        self.splits = make_splits(fold[seen])
        self.kept = OutOfFold(
            self.y, self.splits, self.scorer, metric, True,
            {}, None,
        )  # fmt: skip
        self.probabilities = [[p[seen][rows] for _, rows in self.splits] for p in stack]
        self.scores = np.array([self._scores(p) for p in self.probabilities])
        means = self.scores.mean(axis=1)
        self.best = 0 if np.isnan(means).all() else int(np.nanargmax(means))
        self.weights = self.kept.weigh_members(
            self.probabilities, MAX_MEMBERS, self.best
        )
        self.mean = self.kept.mean(self.probabilities, self.weights)
        self.class_weights = self._weigh(self.mean)
        self.weights_of_best = self._weigh(
            np.concatenate(self.probabilities[self.best])
        )

    def _scores(self, probabilities):
        if self.kept.judge is not None:
            return self.kept.judge(probabilities)
        return [
            self._score(p, self.y[rows])
            for p, (_, rows) in zip(probabilities, self.splits, strict=True)
        ]

    def _weigh(self, probabilities):
        weights = self.kept.weigh_classes(probabilities)
        return np.ones(probabilities.shape[1]) if weights is None else weights

    def _score(self, probabilities, y, class_weights=None):
        prediction = Prediction(
            np.arange(probabilities.shape[1]), probabilities, class_weights
        )
        try:
            return self.scorer(prediction, np.zeros((len(y), 1)), y)
        except ValueError:
            return np.nan

    def truth(self, y, fold, stack, unseen, options):
        """Score the final classifier, and the best candidate, on the other rows."""
        y, fold = y[unseen], fold[unseen]
        final = sum(w * stack[i][unseen] for i, w in self.weights.items())
        best = stack[self.best][unseen]
        half = np.nan
        if options.rows_seen is not None:
            half = self._half(y, fold, final, self.class_weights)
        return {
            "truth": self._by_fold(y, fold, final, self.class_weights),
            "truth of best": self._by_fold(y, fold, best, self.weights_of_best),
            "truth pooled": self._score(final, y, self.class_weights),
            "half of that of truth": half,
        }

    def luck(self, y, fold, stack, seen, unseen):
        """How much better all candidates are on these rows, none being chosen."""
        weights = self.kept._class_weights(START.get(self.metric, 0.0))
        return np.mean(
            [
                self._by_fold(y[seen], fold[seen], p[seen], weights)
                - self._by_fold(y[unseen], fold[unseen], p[unseen], weights)
                for p in stack
            ]
        )

    def _by_fold(self, y, fold, probabilities, class_weights):
        scores = [
            self._score(probabilities[own], y[own], class_weights)
            for own in (fold == f for f in np.unique(fold))
        ]
        return np.nanmean(scores)

    def _half(self, y, fold, probabilities, class_weights):
        blocks = deal_out(np.arange(len(y)), N_BLOCKS, y)
        without = [
            self._by_fold(y[rest], fold[rest], probabilities[rest], class_weights)
            for rest in (blocks != block for block in range(N_BLOCKS))
        ]
        return np.ptp(jackknife_interval(0.0, without)) / 2

    def estimate(self, repeat, options):
        """Return every estimate, with seconds and standard errors or intervals."""
        tested = np.concatenate([rows for _, rows in self.splits])
        again = self.kept._mean_score(
            np.ones(len(tested), dtype=bool),
            self.mean,
            np.tile(self.class_weights, (len(tested), 1)),
        )
        start = time.perf_counter()
        honest, chosen = self.kept.honest_score(
            self.scores, self.probabilities, MAX_MEMBERS
        )
        interval = self.kept.honest_interval(honest, chosen)
        seconds = time.perf_counter() - start
        estimates = {
            "best_score": self.scores[self.best].mean(),
            "seen again": again,
            "splits": honest,
            "half of interval": np.ptp(interval) / 2,
            "seconds of splits": seconds,
        }
        for n_parts in (5, 2):
            parts = deal_out(tested, n_parts, self.y, seed=repeat)
            estimates[f"parts {n_parts}"] = self._without_parts(parts)
        slow = dict.fromkeys(SLOW, np.nan)
        if repeat == 0 and options.rows_seen is not None:
            slow |= self._resample(tested)
        if repeat == 0 and options.n_bootstraps:
            slow |= self._bootstrap(tested, options.n_bootstraps)
            slow["again - gain"] = again - slow.pop("gain in bag")
        return estimates | slow

    def _without_parts(self, parts):
        mean, class_weights = self.kept.choose_without_each(
            parts, self.scores, self.probabilities, MAX_MEMBERS
        )
        return self.kept._mean_score(
            np.ones(len(parts), dtype=bool), mean, class_weights
        )

    def _bootstrap(self, tested, n_bootstraps):
        """Choose by the rows in the bag, score those out of it."""
        start = time.perf_counter()
        rng = np.random.default_rng(0)
        stack = np.stack([np.concatenate(p) for p in self.probabilities])
        y = self.y[tested]
        scores, gains = [], []
        for _ in range(n_bootstraps):
            bag = rng.integers(len(y), size=len(y))
            out = np.setdiff1d(np.arange(len(y)), bag)
            if len(np.unique(y[bag])) < len(np.unique(y)):
                continue
            chooser = OutOfFold(
                y, [(bag, bag)], self.scorer, self.metric, True,
                {}, None,
            )  # fmt: skip
            in_bag = [[p[bag]] for p in stack]
            by_shares = chooser._class_weights(1.0 if chooser.judge else 0.0)
            means = [self._score(p[bag], y[bag], by_shares) for p in stack]
            weights = chooser.weigh_members(in_bag, MAX_MEMBERS, int(np.argmax(means)))
            class_weights = chooser.weigh_classes(chooser.mean(in_bag, weights))
            final = sum(w * stack[i] for i, w in weights.items())
            scores.append(self._score(final[out], y[out], class_weights))
            in_bag = self._score(final[bag], y[bag], class_weights)
            gains.append(in_bag - self._score(final, y, class_weights))
        scores = np.array(scores)
        scores = scores[~np.isnan(scores)]
        low, high = (
            np.percentile(scores, [2.5, 97.5]) if len(scores) else (np.nan, np.nan)
        )
        return {
            "bootstrap": scores.mean() if len(scores) else np.nan,
            "gain in bag": np.mean(gains) if gains else np.nan,
            "low of bootstrap": low,
            "high of bootstrap": high,
            "seconds of bootstrap": time.perf_counter() - start,
        }

    def _resample(self, tested, n_bootstraps=200):
        """Percentile interval from resampling rows already predicted honestly."""
        rng = np.random.default_rng(0)
        parts = make_parts([rows for _, rows in self.splits], self.y)
        mean, class_weights = self.kept.choose_without_each(
            parts, self.scores, self.probabilities, MAX_MEMBERS
        )
        y = self.y[tested]
        draws = rng.integers(len(y), size=(n_bootstraps, len(y)))
        scores = [self._score(mean[d], y[d], class_weights[d]) for d in draws]
        low, high = np.nanpercentile(scores, [2.5, 97.5])
        return {"low of splits": low, "high of splits": high}


def make_splits(fold):
    rows = np.arange(len(fold))
    return [(rows[fold != f], rows[fold == f]) for f in np.unique(fold)]


def report(results, options):
    """Print, as Markdown, mean optimism and coverage."""
    seen = "half of the rows" if options.rows_seen is None else options.rows_seen
    print(f"{results['family'].nunique()} tables of as many families, ", end="")
    print(f"{options.n_candidates} candidates, {seen} seen; x 100\n")
    fair = results.assign(
        **{t: results[t] + results["luck"] for t in ("truth", "truth of best")}
    )
    print_optimism(fair, "all")
    if options.rows_seen is None:
        sizes = pd.cut(fair["n_rows"], [0, 150, 300, 1000, np.inf])
        for size, part in fair.groupby(sizes, observed=True):
            print_optimism(part, f"rows seen in {size}")
    if options.rows_seen is not None:
        print_coverage(results)
    columns = ["seconds of splits", "seconds of bootstrap"]
    seconds = results.groupby("metric", sort=False)[columns].median()
    print(f"Median seconds:\n\n{seconds.round(2).to_string()}")


def print_optimism(results, title):
    columns = [e for e in ESTIMATES if results[e].notna().any()]
    print(f"**{title}** ({results['family'].nunique()} tables)\n")
    print(f"| optimism | {' | '.join(columns)} | best_score of best |")
    print("|" + "---|" * (len(columns) + 2))
    for metric, part in results.groupby("metric", sort=False):
        cells = [describe(part[e] - part["truth"], part["family"]) for e in columns]
        cells.append(
            describe(part["best_score"] - part["truth of best"], part["family"])
        )
        print(f"| {metric} | {' | '.join(cells)} |")
    print(f"\n| mean absolute difference | {' | '.join(columns)} |")
    print("|" + "---|" * (len(columns) + 1))
    for metric, part in results.groupby("metric", sort=False):
        same = part.dropna(subset=columns)
        errors = [(same[e] - same["truth"]).abs().mean() for e in columns]
        print(f"| {metric} | {' | '.join(f'{100 * e:.2f}' for e in errors)} |")
    print()


def describe(optimism, families):
    """Return the mean over families and its 95 % interval."""
    means = 100 * optimism.groupby(families).mean().dropna().to_numpy()
    draws = np.random.default_rng(0).integers(len(means), size=(2000, len(means)))
    low, high = np.percentile(means[draws].mean(axis=1), [2.5, 97.5])
    return f"{means.mean():+.2f} ({low:+.2f} {high:+.2f})"


def print_coverage(results):
    """Say how often 95 % intervals hold the truth, which has an error of its own."""
    print("| coverage, % | jackknife | allowing for the error of the truth |"
          " percentiles | percentiles of bootstrap |")  # fmt: skip
    print("|---|---|---|---|---|")
    for metric, part in results.groupby("metric", sort=False):
        known = part.dropna(subset=["half of interval"])
        away = (known["splits"] - known["truth"]).abs()
        half = known["half of interval"]
        covers = [away <= half, away <= np.hypot(half, known["half of that of truth"])]
        for of in ("splits", "bootstrap"):
            some = part.dropna(subset=[f"low of {of}"])
            covers.append(
                some["truth pooled"].between(
                    some[f"low of {of}"], some[f"high of {of}"]
                )
            )
        print(f"| {metric} | {' | '.join(f'{100 * c.mean():.1f}' for c in covers)} |")
    print()


if __name__ == "__main__":
    main()
