"""What fits before a deadline, by a clock that is set by hand."""

import math
import time

import pytest

from skmeta._schedule import Schedule


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_without_a_budget_everything_fits():
    """And the clock is not read."""

    def fail():
        raise AssertionError

    schedule = Schedule(clock=fail)
    schedule.reserve(10)
    assert not schedule.is_limited
    assert schedule.left() == schedule.left_to_try() == math.inf
    assert schedule.has_time_for(1e9, 100)
    assert schedule.limit(1.0) is None


def test_what_is_left_worked_example():
    """Ten seconds: a quarter of one is kept back, four were used, two are reserved."""
    clock = Clock()
    schedule = Schedule(10, clock=clock)
    clock.now += 4
    assert schedule.left() == pytest.approx(10 - 0.25 - 4)
    schedule.reserve(2)
    assert schedule.left_to_try() == pytest.approx(3.75)
    # Five fits of .7 seconds end in time, of .8 they do not.
    assert schedule.has_time_for(0.7, 5)
    assert not schedule.has_time_for(0.8, 5)
    assert schedule.has_time_for(math.nan, 5)


def test_workers_share_the_fits():
    """Five fits on two workers take three turns."""
    clock = Clock()
    schedule = Schedule(10, n_workers=2, clock=clock)
    assert schedule.has_time_for(3.2, 5)
    assert not schedule.has_time_for(3.3, 5)


def test_most_of_the_time_is_for_trying():
    """No reserve takes more than a part of the budget."""
    schedule = Schedule(10, clock=Clock())
    schedule.reserve(1000)
    assert schedule.left_to_try() > 6


@pytest.mark.parametrize(
    ("expected", "limit"), [(0.01, 1.0), (1.0, 6.0), (5.0, 9.75), (math.nan, 9.75)]
)
def test_limit_of_a_fit(expected, limit):
    """Several times what is expected, but no more than is left."""
    assert Schedule(10, clock=Clock()).limit(expected) == pytest.approx(limit)


def test_load():
    """Seconds that pass for each that is worked, within bounds."""
    schedule = Schedule(10)
    end = time.thread_time() + 0.1
    while time.thread_time() < end:
        pass
    busy = schedule.measure_load()
    time.sleep(0.5)
    assert 1.0 <= busy < schedule.measure_load() <= 10.0
