"""Whether what was learned makes recommendations for other tasks worse."""

import hashlib

import numpy as np

from skmeta.recommendation._portfolio import portfolio_loss
from skmeta.recommendation._recommender import CAP, CAPS
from skmeta.recommendation._similar_tasks import SimilarTasksRecommender

# What is lost may grow by a hundredth: any change, of whatever kind, moves it by that
# much. It is always compared with what the base loses, so that this does not add up.
_TOLERANCE = 1.01

_N_PICKS = 8
_MOST_FAMILIES = 60
_LEAST_FAMILIES = 20


def learn_from(base, journal, metric, may_judge=True):
    """Return a knowledge base with what a journal holds, unless that makes it worse.

    What is recommended for some tasks of the base, with their families left out, must
    lose about as little as before. It is judged anew whenever the journal has grown by
    a tenth; until then fits count up to the last time that it was so.

    Parameters
    ----------
    base : KnowledgeBase
    journal : Journal
        What is judged is remembered there.
    metric : str
        The stored metric that losses are by.
    may_judge : bool, default=True
        Whether there is time to judge, half a second or two.

    Returns
    -------
    knowledge : KnowledgeBase
    n_fits, n_used : int
        How many the journal holds, and how many of them count.
    """
    n_fits = len(journal)
    losses = journal.losses(base.digest, metric)
    judged = max(losses, default=0)
    if may_judge and n_fits >= judged + max(1, judged // 10):
        for n in {0, n_fits}.difference(losses):
            learned = base + journal.knowledge(n) if n else base
            losses[n] = mean_loss(base, learned, metric)
            journal.add_loss(base.digest, metric, n, losses[n])
    n_used = max((n for n in losses if losses[n] <= _TOLERANCE * losses[0]), default=0)
    knowledge = base + journal.knowledge(n_used) if n_used else base
    return knowledge, n_fits, n_used


def mean_loss(base, learned, metric):
    """Return what the first recommendations lose on tasks of a base.

    Parameters
    ----------
    base : KnowledgeBase
        Its tasks are recommended for, and its scores say what that is worth.
    learned : KnowledgeBase
        What recommendations come from, without the families of these tasks.
    metric : str
        A stored one.

    Returns
    -------
    loss : float
        Mean over the first eight picks of the lowest `portfolio_loss` so far. 0 where
        there are too few families to tell.
    """
    scores = base.scores(metric)
    scores = scores[scores.notna().any(axis=1)]
    families = base.tasks["family"][scores.index]
    halves = _halves(families)
    if sum(len(half) for half in halves) < _LEAST_FAMILIES:
        return 0.0
    loss = portfolio_loss(scores.to_numpy(), CAPS.get(metric, CAP))
    meta_features = base.meta_features
    position = {c: i for i, c in enumerate(base.configuration_values)}
    losses = []
    for half in halves:
        rest = learned.without(scores.index[families.isin(half)])
        recommender = SimilarTasksRecommender(adapts_after=None).fit(rest, metric)
        # One task of each family.
        for row in np.flatnonzero(families.isin(half) & ~families.duplicated()):
            recommended = recommender.recommend(
                meta_features.loc[scores.index[row]], 2 * _N_PICKS
            )
            # Of what the base does not know nobody can say what it would lose.
            known = [position[c] for c in recommended.configurations if c in position]
            losses.append(np.minimum.accumulate(loss[row, known[:_N_PICKS]]).mean())
    return float(np.mean(losses))


def _halves(families):
    """Return two halves of the families, the same whatever else there is."""
    chosen = sorted(set(families), key=_mixed)[:_MOST_FAMILIES]
    return chosen[::2], chosen[1::2]


def _mixed(family):
    return hashlib.sha256(family.encode()).hexdigest()
