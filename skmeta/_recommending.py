"""What recommendations come from, and how many are wanted."""

import os
from functools import lru_cache

from skmeta._messages import brief
from skmeta.knowledge import KnowledgeBase, load_knowledge
from skmeta.knowledge._merging import evaluated_rows
from skmeta.recommendation import get_recommender

# Of which a fold is predicted about as fast as a single row.
_FEW_ROWS = 1_000


def open_knowledge(knowledge):
    """Return a knowledge base, whatever form it was given in.

    Parameters
    ----------
    knowledge : KnowledgeBase, str, Path or None
        None stands for the one that ships with skmeta, a path for a file.

    Returns
    -------
    knowledge : KnowledgeBase

    Raises
    ------
    TypeError
        If it is something else.
    KnowledgeError
        If the file cannot be used.
    """
    if isinstance(knowledge, KnowledgeBase):
        return knowledge
    if knowledge is None:
        return _shipped_knowledge()
    if isinstance(knowledge, (str, os.PathLike)):
        return load_knowledge(knowledge)
    raise TypeError(
        f"knowledge must be a KnowledgeBase, the path of a knowledge file or None, "
        f"got: {brief(knowledge)}."
    )


@lru_cache(maxsize=1)
def _shipped_knowledge():
    return load_knowledge()


@lru_cache(maxsize=8)
def fit_by_name(recommender, knowledge, names, metric):
    """Fit a recommender, once for many fits; recommending does not change it.

    Parameters
    ----------
    recommender : str
        Its name.
    knowledge : KnowledgeBase
    names : tuple of str
        Of the configurations that may be recommended.
    metric : str
        A stored one.

    Returns
    -------
    recommender : recommender
        Fitted.
    """
    usable = knowledge.with_configurations(names)
    return get_recommender(recommender).fit(usable, metric)


def fast_enough(knowledge, names, max_predict_ms):
    """Leave out what is known to be much too slow, unless all is.

    What the few rows of small tasks took is mostly the call itself. That was on
    another machine, so that only twice as much counts.

    Parameters
    ----------
    knowledge : KnowledgeBase
    names : list of str
        Of configurations.
    max_predict_ms : float
        Milliseconds to predict one row.

    Returns
    -------
    names : list of str
    """
    n_rows = evaluated_rows(knowledge.tasks)
    least = knowledge.predict_seconds.loc[n_rows <= _FEW_ROWS, names].min(axis=0)
    is_slow = 1e3 * least > 2 * max_predict_ms
    return names if is_slow.all() else [n for n in names if not is_slow[n]]


def default_n_candidates(n_rows):
    """Choose how many candidates to try, for when the user did not.

    On few rows the best of many is a lucky one, on many rows each takes long and
    more gain little (`benchmarks/n_candidates.py`).

    Parameters
    ----------
    n_rows : int
        Of the table.

    Returns
    -------
    n_candidates : int
    """
    return 16 if 200 <= n_rows <= 2_000 else 8
