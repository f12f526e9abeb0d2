"""Predictions out of fold that a build kept, in place of a classifier's own."""

import argparse
from pathlib import Path

import numpy as np

from skmeta import SimilarTasksRecommender
from skmeta.recommendation import Observation

ROUND = 4


def make_parser(description):
    """Return a parser of the arguments that say which predictions, and whereto."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("predictions", nargs="+", type=Path, help="directories")
    parser.add_argument("--knowledge", help="knowledge file, default: the shipped one")
    parser.add_argument("--n-tables", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    return parser


def add_candidates(parser):
    """Add the arguments that say which candidates are asked for."""
    parser.add_argument("--metric", default="balanced_accuracy_tuned",
                        help="what recommendations follow")  # fmt: skip
    parser.add_argument("--n-candidates", type=int, default=8)


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
        # A build that only described the table kept its classes alone.
        if any((directory / table).glob("*-*.npy")):
            return directory / table
    return None


def load_candidates(knowledge, table, options):
    """Return classes, folds, and probabilities of what would be recommended."""
    directory = find_predictions(table, options)
    names = recommended(knowledge, table, directory, options)
    y, fold = np.load(directory / "y.npy"), np.load(directory / "fold.npy")
    return y, fold, load_stack(directory, names)


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


def load_stack(directory, names):
    """Return probabilities of shape (n_candidates, n_rows, n_classes)."""
    stack = np.stack([np.load(directory / f"{name}.npy") for name in names])
    stack = np.maximum(stack.astype(np.float64), 1e-7)  # they were float16
    return stack / stack.sum(axis=2, keepdims=True)


def halves(y, seed):
    """Return two halves of the rows, each with half of every class."""
    rng = np.random.default_rng(seed)
    is_first = np.zeros(len(y), dtype=bool)
    for number, label in enumerate(np.unique(y)):
        rows = rng.permutation(np.flatnonzero(y == label))
        is_first[rows[: (len(rows) + number % 2) // 2]] = True
    return np.flatnonzero(is_first), np.flatnonzero(~is_first)
