"""Whether what was learned makes recommendations for other tasks worse."""

import hashlib
from contextlib import suppress
from functools import lru_cache

import numpy as np

import skmeta
from skmeta._limits import OutOfTime, time_limit
from skmeta.knowledge import Journal
from skmeta.recommendation import SimilarTasksRecommender, portfolio_loss
from skmeta.recommendation._recommender import CAP, CAPS

# What is lost may grow by a hundredth: any change, of whatever kind, moves it by that
# much. It is always compared with what the base loses, so that this does not add up.
_TOLERANCE = 1.01

_N_PICKS = 8
_MOST_FAMILIES = 60
_LEAST_FAMILIES = 20


def learn_from(base, journal, metric, seconds=None, at_once=False):
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
    seconds : float, default=None
        To judge in; what would take longer is left for another time. None is no limit.
    at_once : bool, default=False
        Judge whenever there is something new.

    Returns
    -------
    knowledge : KnowledgeBase
    n_fits, n_used : int
        How many the journal holds, and how many of them count.
    """
    n_fits = len(journal)
    if n_fits == 0:
        return base, 0, 0
    source = journal.path, journal.identity
    # What another version found is not to be compared with.
    key = f"{base.digest} {skmeta.__version__}"
    losses = journal.losses(key, metric)
    judged = max(losses, default=0)
    step = 1 if at_once else max(1, judged // 10)
    if n_fits >= judged + step:
        with suppress(OutOfTime), time_limit(seconds):
            for n in sorted({0, n_fits}.difference(losses)):
                losses[n] = mean_loss(base, _grown(base, *source, n), metric)
                journal.add_loss(key, metric, n, losses[n])
    accepted = [n for n, loss in losses.items() if loss <= _TOLERANCE * losses[0]]
    n_used = max(accepted, default=0)
    return _grown(base, *source, n_used), n_fits, n_used


@lru_cache(maxsize=4)
def _grown(base, path, identity, n_fits):
    """Return a base with the first fits of a journal, which do not change."""
    return base + Journal(path).knowledge(n_fits) if n_fits else base


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
            if known:
                of_picks = np.minimum.accumulate(loss[row, known[:_N_PICKS]])
                losses.append(of_picks.mean())
    return float(np.mean(losses)) if losses else 0.0


def _halves(families):
    """Return two halves of the families, the same whatever else there is."""
    chosen = sorted(set(families), key=_mixed)[:_MOST_FAMILIES]
    return chosen[::2], chosen[1::2]


def _mixed(family):
    return hashlib.sha256(family.encode()).hexdigest()
