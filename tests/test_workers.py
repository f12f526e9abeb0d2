import sys
import threading
import time
import warnings
from contextlib import nullcontext

import pytest
from joblib import parallel_config
from sklearn.utils.parallel import delayed
from threadpoolctl import threadpool_info, threadpool_limits

from skmeta._threads import thread_pools, threads_for
from skmeta._workers import DIED, Workers, calm, is_death, persist, received


def double(stand_in):
    return 2 * received(stand_in)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_do_calls(n_jobs, backend):
    """One after the other for as long as they are open, and after they were closed."""
    with parallel_config(backend), Workers(n_jobs) as workers:
        assert workers.n_usable == n_jobs
        for _ in range(2):
            shared = workers.share(21)
            results = workers.run(delayed(double)(shared) for _ in range(5))
            assert list(results) == [42] * 5
        workers.close()
        assert list(workers.run([delayed(double)(4)])) == [8]


def test_only_as_much_is_asked_for_as_can_run():
    """So that whoever makes calls looks at the clock when a worker is free."""
    asked = []

    def calls():
        for number in range(20):
            asked.append(number)
            yield delayed(time.sleep)(0.1)

    with Workers(2) as workers:
        results = workers.run(calls())
        next(results)
        assert len(asked) < 12
        list(results)
    assert len(asked) == 20


class RayActorError(Exception):
    """Has the name of an error that means that a worker is gone."""


class Results:
    """Of numbers, three at a time; those that are deadly end all three."""

    is_over = False

    def __init__(self, deadly):
        self.deadly, self.started, self.done, self.reasons = deadly, [], [], {}

    def run(self, indices):
        for index in indices:
            self.started.append(index)
            if len(self.under_way()) == 3 or index == indices[-1]:
                if self.deadly & set(self.under_way()):
                    raise RayActorError
                self.done += self.under_way()

    def under_way(self):
        ended = {*self.done, *self.reasons}
        return [index for index in self.started if index not in ended]

    def forget(self, indices):
        self.started = [index for index in self.started if index not in indices]

    def give_up(self, index, reason):
        self.reasons[index] = reason


def test_what_ends_its_worker_is_found():
    """Those that were under way with it are done again, each on its own."""
    results = Results(deadly={1, 5})
    persist(list(range(8)), results.run, results, Workers(2))
    assert sorted(results.done) == [0, 2, 3, 4, 6, 7]
    assert results.reasons == {1: DIED, 5: DIED}


def test_errors_that_mean_something_else_are_raised():
    """Only the loss of a worker is survived."""

    def fail(indices):
        raise ValueError("Not a death.")

    with pytest.raises(ValueError, match="Not a death"):
        persist([0], fail, Results(set()), Workers(2))
    assert not is_death(ValueError())


def n_blas_threads():
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {pool["num_threads"] for pool in pools}


def test_calm_lasts_until_the_last_thread_leaves():
    """Thread limits and filters belong to the process, whoever comes and goes."""
    is_in, may_leave = threading.Event(), threading.Event()

    def stay():
        with calm():
            is_in.set()
            may_leave.wait(10)

    other = threading.Thread(target=stay)
    with threadpool_limits(4, user_api="blas"):  # on one core it would be one anyway
        filters, before = list(warnings.filters), n_blas_threads()
        with calm():
            other.start()
            assert is_in.wait(10)
        with threads_for(1):
            assert n_blas_threads() == {1}
        assert n_blas_threads() == {1}
        assert warnings.filters != filters
        may_leave.set()
        other.join()
        assert n_blas_threads() == before
        assert warnings.filters == filters


def learn_as_networks_do():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=1)


@pytest.mark.parametrize("is_nested", [False, True])
def test_an_interruption_is_not_swallowed(is_nested):
    """Whatever is fitted calmly, though a network makes a warning of it."""
    inner = calm() if is_nested else nullcontext()
    with pytest.raises(KeyboardInterrupt), calm(), inner:
        learn_as_networks_do()


def test_libraries_that_come_later_are_calm_too(monkeypatch):
    """They are looked for again when a module was imported, which takes a while."""
    known = thread_pools()
    assert thread_pools() is known
    monkeypatch.setitem(sys.modules, "a_booster", None)
    assert thread_pools() is not known


def test_what_is_closed_while_it_starts_is_let_go():
    """The thread that starts the processes does not keep them."""
    workers = Workers(2)
    workers.start()
    workers.close()
    for thread in threading.enumerate():
        if thread.name == "skmeta-workers":
            thread.join(60)
    assert workers._parallel is None
