"""joblib's workers, wherever they are, and how calmly they work."""

import logging
import os
import platform
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from errno import ENOSPC
from pickle import PicklingError

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from skmeta._threads import thread_pools

_log = logging.getLogger(__name__)

DIED = "The process that fitted it has died."

# What the libraries of clusters raise when a worker is gone. They are not imported.
_DEATHS = {"KilledWorker", "NodeDiedError", "ObjectLostError", "RayActorError",
           "WorkerCrashedError"}  # fmt: skip


class Workers:
    """The workers of a search: asked for once, and given once what all calls need.

    Those of a cluster may take seconds to start, and a table to arrive.

    Parameters
    ----------
    n_jobs : int or None, default=None
        As in joblib; a ``parallel_config`` around the search is obeyed.
    """

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs
        self._options = {}
        self._parallel = None
        self._shared = None, None
        self._are_there = None  # an event, if there is something to wait for
        self._starting = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def start(self):
        """Start what will be needed, without waiting for it.

        Each process imports scikit-learn and more, which takes seconds on a busy
        machine.
        """
        are_there = self._are_there = threading.Event()
        # They are asked for here, where a `parallel_config` around the call is seen.
        parallel, n_calls = self._make(), effective_n_jobs(self.n_jobs)
        self._starting = parallel

        def start():
            with suppress(Exception):
                parallel.__enter__()
                for _ in parallel(delayed(_answer)() for _ in range(n_calls)):
                    pass
                if self._starting is not parallel:
                    parallel.__exit__(None, None, None)  # closed in the meantime
                    return
                self._parallel = parallel
                are_there.set()

        threading.Thread(target=start, name="skmeta-workers", daemon=True).start()

    def wait(self, seconds):
        """Wait for those that were started; say whether that was any use.

        Parameters
        ----------
        seconds : float
            At most.

        Returns
        -------
        are_new : bool
            False if there was nothing to wait for, too.
        """
        if not self.are_awaited:
            return False
        return self._are_there.wait(seconds)

    def note_end(self):
        """Take what was started for gone."""
        if self._are_there is not None:
            self._are_there.clear()

    @property
    def are_awaited(self):
        """Whether those that were started are not there yet."""
        return self._are_there is not None and not self._are_there.is_set()

    @property
    def n_usable(self):
        """How many calls are done at the same time, as things are."""
        return 1 if self.are_awaited else effective_n_jobs(self.n_jobs)

    @property
    def can_be_ended(self):
        """Whether calls are done elsewhere, where they need not be waited for."""
        backend, _ = get_active_backend()
        return self.n_usable > 1 and not getattr(backend, "uses_threads", False)

    def run(self, calls):
        """Do calls, and yield the results as they come.

        Parameters
        ----------
        calls : iterable of delayed calls
            Each is asked for when a worker is free to do it, so that whoever makes
            them looks at the clock then.

        Returns
        -------
        results : iterator
        """
        if self.n_usable == 1:
            # joblib would send them to a cluster all the same.
            here = Parallel(1, backend="sequential", return_as="generator_unordered")
            return here(calls)
        return self._open()(calls)

    def share(self, value):
        """Give the workers something large, the same for many calls.

        Parameters
        ----------
        value : object
            The last one that was shared is not sent again.

        Returns
        -------
        stand_in : object
            To be given to a call, which takes `received` of it.
        """
        if self.n_usable == 1:
            return value
        if self._shared[0] is not value:
            self._shared = value, _send(value)
        return self._shared[1]

    def avoid_the_disk(self):
        """Send large arrays by pipe from now on; say if that is anything new."""
        is_new = "max_nbytes" not in self._options
        self.close()
        self._options["max_nbytes"] = None
        return is_new

    def close(self):
        """Let the workers go."""
        parallel, self._parallel = self._parallel, None
        self._starting, self._shared = None, (None, None)
        if parallel is not None:
            parallel.__exit__(None, None, None)

    def _open(self):
        if self._parallel is None:
            self._parallel = self._make().__enter__()
        return self._parallel

    def _make(self):
        return Parallel(
            n_jobs=self.n_jobs,
            backend=_suitable_backend(),
            pre_dispatch="n_jobs",  # only as much as can run
            batch_size=1,
            return_as="generator_unordered",
            **self._options,
        )


def _answer():
    time.sleep(0.05)  # so that one does not answer for another


def _suitable_backend():
    """Return the backend to use, None for the active one as it is."""
    active, _ = get_active_backend()
    parent = type(active)
    if _is_dask(active):
        return _tells_of_deaths(parent)(
            client=active.client,
            wait_for_workers_timeout=active.wait_for_workers_timeout,
            **active.submit_kwargs,
        )
    if not active.supports_return_generator:
        backend = copy(active)
        backend.__class__ = _as_generator(parent)
        return backend
    return None


def _as_generator(parent):
    """Return a backend such as Ray's that says it can yield results, as it can."""

    def abort_everything(self, ensure_ready=True):
        # To start other processes at once takes seconds that nobody may have left.
        parent.abort_everything(self, ensure_ready=False)

    options = {"supports_return_generator": True, "abort_everything": abort_everything}
    return type(parent.__name__, (parent,), options)


def _tells_of_deaths(parent):
    """Return joblib's backend for dask, which waits for ever for lost tasks, mended."""
    submit = getattr(parent, "submit", None) or parent.apply_async  # before joblib 1.5

    def submit_and_tell(self, func, callback=None):
        def tell(future):
            if future.exception() is not None:
                callback(future.exception())

        future = submit(self, func, callback)
        future.add_done_callback(tell)
        return future

    return type(parent.__name__, (parent,), {submit.__name__: submit_and_tell})


def _send(value):
    backend, _ = get_active_backend()
    if _is_dask(backend):
        # To each of them: what only one has is lost with it.
        return backend.client.scatter([value], broadcast=True, hash=False)[0]
    if type(backend).__module__.startswith("ray."):
        import ray

        return _InRay(ray.put(value))
    return value


def _is_dask(backend):
    return type(backend).__module__ == "joblib._dask"


def is_on_cluster():
    """Say whether joblib's workers may be on other machines.

    Returns
    -------
    answer : bool
    """
    backend, _ = get_active_backend()
    return not type(backend).__module__.startswith("joblib._parallel_backends")


class _InRay:
    """Something in Ray's object store."""

    def __init__(self, reference):
        self.reference = reference


def received(stand_in):
    """Return what `Workers.share` has made a stand-in for.

    Parameters
    ----------
    stand_in : object

    Returns
    -------
    value : object
    """
    if isinstance(stand_in, _InRay):
        import ray

        return ray.get(stand_in.reference)
    return stand_in


def this_process():
    """Return what tells this process from all others, on other machines too.

    Returns
    -------
    process : tuple
    """
    return platform.node(), os.getpid()


def persist(indices, run, results, workers):
    """Run what has indices, whatever happens to the workers.

    Parameters
    ----------
    indices : list of int
    run : callable
        ``run(indices)`` runs them in this order and tells `results`.
    results : object
        Has ``started`` and ``under_way()``, the indices of what was begun and of
        those among them without a result; ``forget(indices)``, to take them for not
        begun; ``give_up(index, reason)``; and ``is_over``, whether no more are
        wanted.
    workers : Workers
    """
    batches, n_deaths = [indices], Counter()
    while batches and not results.is_over:
        batch = batches.pop(0)
        try:
            run(batch)
        except Exception as error:
            under_way = results.under_way()
            if is_death(error):
                _log.info("A worker is gone: %r", error)
                # One of those under way may have ended the process that it was in.
                # Alone it will do so again, and the others will not.
                workers.close()
                n_deaths.update(under_way)
                if len(under_way) == 1 and n_deaths[under_way[0]] > 1:
                    results.give_up(under_way[0], DIED)
                else:
                    results.forget(under_way)
                    batches.extend([index] for index in under_way)
                left = [i for i in batch if i not in results.started]
                batches.append([i for i in left if i not in under_way])
            elif _is_for_the_disk(error) and workers.avoid_the_disk():
                _log.info("Large arrays go by pipe from now on: %r", error)
                results.forget(under_way)
                batches.insert(0, [i for i in batch if i not in results.started])
            else:
                raise


def is_death(error):
    """Say whether an error means that a worker is gone, and not that a call failed.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    answer : bool
    """
    names = {each.__name__ for each in type(error).__mro__}
    is_here = isinstance(error, (BrokenExecutor, CancelledError))
    return is_here or bool(names & _DEATHS)


def _is_for_the_disk(error):
    """Say whether the disk may be full through which joblib shares large arrays."""
    is_full = isinstance(error, OSError) and error.errno == ENOSPC
    return is_full or isinstance(error, PicklingError)


_changing = threading.Lock()
_n_calm, _restore = 0, ExitStack()
_thread = threading.local()


# What neural networks make of a KeyboardInterrupt, to return as if they had learned.
_SWALLOWED = "Training interrupted by user"


@contextmanager
def _interruptible():
    """Let a KeyboardInterrupt through that was swallowed in a fit."""
    try:
        yield
    except UserWarning as warning:
        if isinstance(warning.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from warning
        raise


@contextmanager
def calm():
    """Fit without chatter, and with one thread: parallelism is over candidates.

    The number of threads changes the order of additions in BLAS, and with it
    the last bit: a result would depend on `n_jobs`. And OpenMP threads that wait
    for each other on a busy machine take a hundred times longer than one.
    """
    if getattr(_thread, "is_calm", False):
        with _interruptible():
            yield
        return
    # The number of OpenMP threads belongs to the thread that asks; the rest to the
    # process, where the first one to come changes it and the last one restores it.
    one_thread = thread_pools().select(user_api="openmp").limit(limits=1)
    with one_thread, _calm_process(), _interruptible():
        _thread.is_calm = True
        try:
            yield
        finally:
            _thread.is_calm = False


def _set_threads(library, n_threads):
    """Set the threads of BLAS, whichever thread did it before.

    From threadpoolctl 3.8 on the first thread to do it remains the only one that can.
    """
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)
    library.set_num_threads(n_threads)
    if clear is not None:
        clear()


@contextmanager
def _calm_process():
    global _n_calm
    with _changing:
        if _n_calm == 0:
            _restore.enter_context(warnings.catch_warnings())
            # Convergence, collinear columns, small classes: such a candidate shows
            # by its score. Deprecations must be seen.
            for category in (UserWarning, RuntimeWarning):
                warnings.simplefilter("ignore", category=category)
            warnings.filterwarnings("error", message=_SWALLOWED)
            for library in thread_pools().select(user_api="blas").lib_controllers:
                # No context of threadpoolctl's: another thread may restore it.
                _restore.callback(_set_threads, library, library.num_threads)
                _set_threads(library, 1)
        _n_calm += 1
    try:
        yield
    finally:
        with _changing:
            _n_calm -= 1
            if _n_calm == 0:
                _restore.close()
