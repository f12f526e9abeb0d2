"""Time and memory limits, by the real clock and with wide margins."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neural_network import MLPClassifier

from skmeta._limits import OutOfTime, memory_limit, time_limit


def spin(seconds):
    """Keep the interpreter busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_what_ends_in_time_is_left_alone():
    """Nothing is raised, also not later."""
    with time_limit(0.2):
        result = 1
    spin(0.4)
    assert result == 1


def test_no_limit():
    """None is no limit, and no time at all is over at once."""
    with time_limit(None):
        pass
    with pytest.raises(OutOfTime), time_limit(0):
        raise AssertionError


@pytest.mark.parametrize(
    "learner",
    [
        RandomForestClassifier(100_000),
        HistGradientBoostingClassifier(max_iter=1_000_000),
        MLPClassifier(max_iter=1_000_000, tol=0, n_iter_no_change=1_000_000),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_learners_that_iterate_are_stopped(learner):
    """Each of these would take hours."""
    X, y = make_classification(500, random_state=0)
    started = time.monotonic()
    with pytest.raises(OutOfTime), time_limit(0.3):
        learner.fit(X, y)
    assert time.monotonic() - started < 30


def test_a_learner_that_catches_exceptions_is_stopped():
    """What goes on after an error does not go on after this one."""

    def stubborn():
        while True:
            try:
                spin(0.01)
            except Exception:
                continue

    with pytest.raises(OutOfTime), time_limit(0.2):
        stubborn()


def test_one_inside_the_other():
    """The inner one ends the inner work, the outer one is still there."""
    stopped = []

    def inner():
        try:
            with time_limit(0.2):
                spin(60)
        except OutOfTime:
            stopped.append("inner")
        spin(60)

    with pytest.raises(OutOfTime), time_limit(1.0):
        inner()
    assert stopped == ["inner"]


def test_under_a_profiler(tmp_path):
    """Once something has been stopped, what follows goes on as ever."""
    code = """
from skmeta._limits import OutOfTime, time_limit

for _ in range(3):
    try:
        with time_limit(0.02):
            while True:
                sorted([2, 1])
    except OutOfTime:
        pass
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    profiler = [sys.executable, "-m", "cProfile", "-o", str(tmp_path / "profile")]
    subprocess.run([*profiler, str(script)], timeout=60, check=True)


def test_each_thread_has_its_own():
    """Two threads with limits, and one without."""

    def work(seconds, works_for):
        try:
            with time_limit(seconds):
                spin(works_for)
        except OutOfTime:
            return "stopped"
        return "done"

    seconds = [(0.2, 60), (None, 1), (0.3, 60), (60, 1)]
    threads = Parallel(4, backend="threading")
    outcomes = threads(delayed(work)(*each) for each in seconds)
    assert outcomes == ["stopped", "done", "stopped", "done"]


def test_the_end_of_the_work_and_that_of_the_time():
    """When both come at once nothing is raised afterwards, and nothing piles up."""
    outcomes = set()
    for n in range(2000):
        try:
            with time_limit(0.0005):
                for _ in range(n * 37 % 60_000):
                    pass
            outcomes.add("done")
        except OutOfTime:
            outcomes.add("stopped")
    spin(0.7)  # longer than it takes to raise again
    assert outcomes == {"done", "stopped"}
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("skmeta-limits") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory_limit():
    """More than the limit fails, and afterwards it does not."""
    with memory_limit(100), pytest.raises(MemoryError):
        np.ones(2**26)
    with memory_limit(1000):
        np.ones(2**26)
    with memory_limit(None):
        np.ones(2**26)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory_limits_of_threads():
    """However they overlap, in the end there is none."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)

    def work(seconds):
        time.sleep(seconds)
        with memory_limit(4000):
            time.sleep(0.2)

    Parallel(4, backend="threading")(delayed(work)(0.1 * i) for i in range(4))
    assert resource.getrlimit(resource.RLIMIT_AS) == before
