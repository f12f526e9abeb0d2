"""What recommendations lose, by scores that a knowledge base holds."""

import numpy as np

# One bad pick by a metric without bounds would drown all others.
_CAP = 1.0


def mean_regret(recommender, tasks, knowledge, metric, picks):
    """Return how much the best of the first few picks falls short, in the mean.

    Parameters
    ----------
    recommender : Recommender
        Fitted without these tasks.
    tasks : iterable of str
    knowledge : KnowledgeBase
        Where their scores are.
    metric : str
    picks : sequence of int
        After how many.

    Returns
    -------
    regrets : dict of str to float
    """
    scores, meta_features = knowledge.scores(metric), knowledge.meta_features
    lost = []
    for task in tasks:
        first = recommender.recommend(meta_features.loc[task], max(picks))
        found = scores.loc[task, [c.name for c in first.configurations]].to_numpy()
        found = np.fmax.accumulate(np.nan_to_num(found, nan=-np.inf))
        lost.append(np.minimum(scores.loc[task].max() - found, _CAP))
    lost = np.mean(lost, axis=0)
    return {f"after {k}": lost[k - 1] for k in picks}
