"""How many threads the numerical libraries may use."""

import sys
from contextlib import nullcontext
from functools import lru_cache

from threadpoolctl import ThreadpoolController

# Rows from which on predictions may have several threads.
_SHARED_ROWS = 10_000


def one_thread():
    """Keep BLAS from sharing small matrices among threads.

    Where other processes keep the cores busy, threads that wait for each other
    take a hundred times longer than one; and their number moves last bits.

    Returns
    -------
    context : context manager
    """
    return thread_pools().select(user_api="blas").limit(limits=1)


def threads_for(n_rows):
    """Keep few rows from being shared among threads of boosting.

    They wait for each other at every tree, which on a busy machine takes five times
    as long as one thread does. Of OpenMP alone, whose number of threads belongs to the
    thread that asks: predictions made at the same time do not disturb each other.

    Parameters
    ----------
    n_rows : int
        To be predicted.

    Returns
    -------
    context : context manager
    """
    if n_rows > _SHARED_ROWS:
        return nullcontext()
    return thread_pools().select(user_api="openmp").limit(limits=1)


def thread_pools():
    """Return the numerical libraries that are loaded, and what sets their threads.

    What limits them restores all that it holds, whatever it was told to limit, so
    `select` those that are meant.

    Returns
    -------
    controller : ThreadpoolController
    """
    # Others come with modules that are imported: boosters, say.
    return _find_thread_pools(len(sys.modules))


@lru_cache(maxsize=1)
def _find_thread_pools(n_modules):
    return ThreadpoolController()  # takes 5 ms, a limit hardly any
