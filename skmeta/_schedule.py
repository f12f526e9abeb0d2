"""What still fits before a deadline."""

import math
import time

# What is left of the budget for the last steps, of which nobody knows the time.
_MARGIN = 0.05
_MARGIN_SHARE = 0.02

# A fit is stopped when it takes so many times as long as expected, and never before
# so many seconds: until the first ones are done nobody knows the machine.
_PATIENCE = 6.0
_LEAST_LIMIT = 1.0

# How many times as long as expected what cannot be stopped may take.
CAUTION = 3.0

# A thread that only waits would seem to be on a very busy machine.
_LARGEST_LOAD = 10.0

# Most of the budget that may be kept for fitting on all rows.
_LARGEST_RESERVE = 0.3


class Schedule:
    """Time that is left, and what may be started in it.

    Parameters
    ----------
    budget : float or None, default=None
        Seconds from now on; None and infinity are no limit.
    n_workers : int, default=1
        Fits done at the same time.
    clock : callable, default=time.monotonic
        Seconds from any origin.
    """

    def __init__(self, budget=None, n_workers=1, clock=time.monotonic):
        self.budget = None if budget == math.inf else budget
        self.n_workers = n_workers
        self._clock = clock
        self._reserved = 0.0
        self._cpu_start, self._start = time.thread_time(), time.perf_counter()
        self._end = math.inf
        if self.is_limited:
            self._end = clock() + budget - _MARGIN - _MARGIN_SHARE * budget

    @property
    def is_limited(self):
        """Whether there is a deadline."""
        return self.budget is not None

    def measure_load(self):
        """Return how many seconds pass for each second of work; at least 1.

        Measured on what this thread has done since the schedule was made. Known
        seconds are those of an idle machine.
        """
        worked = time.thread_time() - self._cpu_start
        passed = time.perf_counter() - self._start
        return min(max(1.0, passed / max(worked, 1e-3)), _LARGEST_LOAD)

    def left(self):
        """Return the seconds that are left for everything."""
        return self._end - self._clock() if self.is_limited else math.inf

    def left_to_try(self):
        """Return the seconds that are left for trying candidates."""
        return self.left() - self._reserved

    def reserve(self, seconds):
        """Keep seconds for what follows after the last candidate."""
        if self.is_limited:
            self._reserved = min(seconds, _LARGEST_RESERVE * self.budget)

    def has_time_for(self, seconds, n_fits=1):
        """Say whether fits would end before the time for trying does.

        Parameters
        ----------
        seconds : float
            Of one fit; NaN if nobody knows.
        n_fits : int, default=1
            How many, at the same time where there are workers.

        Returns
        -------
        answer : bool
        """
        if not self.is_limited:
            return True
        n_turns = math.ceil(n_fits / self.n_workers)
        seconds = 0.0 if math.isnan(seconds) else seconds
        return seconds * n_turns < self.left_to_try()

    def limit(self, expected_seconds=None):
        """Return the seconds after which what starts now is to be stopped.

        Parameters
        ----------
        expected_seconds : float, default=None
            Of a fit while candidates are tried, NaN if nobody knows. None is for
            what comes after that, and has all the time that is left.

        Returns
        -------
        seconds : float or None
            None is never.
        """
        if not self.is_limited:
            return None
        if expected_seconds is None:
            return self.left()
        left = self.left_to_try()
        if math.isnan(expected_seconds):
            return left
        return min(left, max(_LEAST_LIMIT, _PATIENCE * expected_seconds))
