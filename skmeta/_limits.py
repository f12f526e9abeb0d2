"""Stop what takes too long or too much memory, in whatever process and thread."""

import ctypes
import os
import queue
import threading
import time
from contextlib import contextmanager

try:
    import resource
except ImportError:  # Windows
    resource = None

# Linear algebra waits for ever where it cannot have its buffers.
LEAST_MEGABYTES = 100

# An exception may land where none can be raised, such as in a callback of C code,
# which prints it and goes on. Then it is raised again.
_AGAIN = 0.5


class OutOfTime(BaseException):
    """Raised within `time_limit`.

    No `Exception`: what a learner catches to go on without a part of its work must
    not catch this one too.
    """


@contextmanager
def time_limit(seconds):
    """Raise `OutOfTime` in the code within, once its time is over.

    It is raised between two steps of the interpreter in the thread that entered.
    Forests, boosting and whatever iterates in Python stop at once; one long call
    into compiled code, such as the solver of a support vector machine, ends first.

    Parameters
    ----------
    seconds : float or None
        By the clock; None is no limit.

    Examples
    --------
    >>> from skmeta._limits import OutOfTime, time_limit
    >>> try:
    ...     with time_limit(0.01):
    ...         while True:
    ...             pass
    ... except OutOfTime:
    ...     print("stopped")
    stopped
    """
    if seconds is None:
        yield
        return
    if seconds <= 0:
        raise OutOfTime
    watch = _Watch(time.monotonic() + seconds)
    # The exception may come at any step from `start` on, but not before an attribute
    # is set: whatever happens, none is raised from then on.
    try:
        watch.start()
        yield
    finally:
        watch.is_over = True
        watch.take_back()


class _Watch:
    """The end of one limit, shared by the thread that it holds for and the monitor.

    There are no locks: the exception could come when one has just been taken.
    """

    def __init__(self, end):
        self.end = end
        self._thread_id = threading.get_ident()
        self.is_over = False
        self._is_raising = self._has_raised = False

    def start(self):
        _monitor().put(self)

    def take_back(self):
        """Make sure that what has been raised in vain does not come any more."""
        while self._is_raising:
            time.sleep(0)
        if not self._has_raised:
            return
        # One more takes the place of one that is still to come. To take that back
        # would leave Python 3.11 looking for it, under a profiler for ever.
        try:
            _raise_in(self._thread_id)
            while True:
                time.sleep(0)
        except OutOfTime:
            pass

    def fire(self):
        """Raise, unless it is over; say whether it may have to be done again."""
        self._is_raising = True
        if not self.is_over:
            self._has_raised = True
            _raise_in(self._thread_id)
        self._is_raising = False
        self.end += _AGAIN
        return not self.is_over


_monitors = {}  # of each process: threads do not survive a fork
_starting = threading.Lock()


def _monitor():
    """Return the queue of the one thread that watches all limits of this process.

    One thread for all, and not one for each limit: Python 3.11 may raise in a
    thread that is just being started what was meant for the one that starts it.
    """
    if os.getpid() not in _monitors:
        with _starting:
            if os.getpid() not in _monitors:
                watches = queue.SimpleQueue()
                threading.Thread(
                    target=_watch, args=(watches,), name="skmeta-limits", daemon=True
                ).start()
                _monitors[os.getpid()] = watches
    return _monitors[os.getpid()]


def _watch(queued):
    watches = []
    while True:
        timeout = None
        if watches:
            timeout = max(0.0, min(w.end for w in watches) - time.monotonic())
        try:
            watches.append(queued.get(timeout=timeout))
        except queue.Empty:
            now = time.monotonic()
            watches = [w for w in watches if w.end > now or w.fire()]


def _raise_in(thread_id):
    """Raise in a thread, in the place of what is still to be raised there."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), ctypes.py_object(OutOfTime)
    )


@contextmanager
def memory_limit(megabytes):
    """Make allocations fail that go beyond a limit, where the system can.

    The limit holds for the whole process, its other threads included. On Linux
    it is exact; macOS does not enforce it, and Windows has none.

    Parameters
    ----------
    megabytes : float or None
        More than the process has taken already; None is no limit.
    """
    if megabytes is None or resource is None or _taken_bytes() is None:
        yield
        return
    global _n_memory_limits, _memory_before
    with _changing:
        # Threads share their process and its limit: that of the first one holds.
        if _n_memory_limits == 0:
            _memory_before = soft, hard = resource.getrlimit(resource.RLIMIT_AS)
            wanted = _taken_bytes() + int(megabytes * 2**20)
            known = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
            resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *known]), hard))
        _n_memory_limits += 1
    try:
        yield
    finally:
        with _changing:
            _n_memory_limits -= 1
            if _n_memory_limits == 0:
                resource.setrlimit(resource.RLIMIT_AS, _memory_before)


_changing = threading.Lock()
_n_memory_limits, _memory_before = 0, None


def _taken_bytes():
    """Return the address space of this process, None where the system hides it."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return None
