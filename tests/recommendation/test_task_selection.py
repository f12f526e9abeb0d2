import numpy as np
import pandas as pd
import pytest

from skmeta.recommendation import select_tasks
from skmeta.recommendation._task_selection import STRATEGIES


def tasks_on_a_line(entropies):
    return pd.DataFrame(
        {"class_ent": entropies}, index=[f"at {each}" for each in entropies]
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_task_is_chosen_once(strategy):
    """Asked for all, each strategy gives a permutation."""
    known = tasks_on_a_line([0.0, 0.1, 0.5, 0.9, 1.0])
    chosen = select_tasks(known, 5, strategy, new={"class_ent": 0.3})
    assert sorted(chosen) == sorted(known.index)


def test_diverse_worked_example():
    """From the middle to the ends, and then to the largest gap."""
    known = tasks_on_a_line([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
    chosen = select_tasks(known, 4, "diverse")
    assert chosen == ["at 0.3", "at 1.0", "at 0.0", "at 0.5"]


def test_nearest_worked_example():
    """The nearest ones to the new task, the nearest one first."""
    known = tasks_on_a_line([0.0, 0.4, 0.5, 1.0])
    chosen = select_tasks(known, 2, "nearest", {"class_ent": 0.43})
    assert chosen == ["at 0.4", "at 0.5"]


def test_informative_goes_where_tasks_are():
    """A crowd says more of all than the one task far away; that comes second."""
    known = tasks_on_a_line([0.5, 0.51, 0.52, 0.53, 0.54, 9.0])
    first, second = select_tasks(known, 2, "informative")
    assert first == "at 0.52"
    assert second == "at 9.0"


def test_random_is_seeded():
    """The same seed chooses the same tasks, another one others."""
    known = tasks_on_a_line(np.linspace(0, 1, 50))
    draws = [select_tasks(known, 5, "random", random_state=seed) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "best"}, r"strategy must be one of .* got: 'best'"),
        ({"n_tasks": 4}, r"from 1 to the number of tasks \(3\), got: 4"),
        ({"n_tasks": 0}, r"got: 0"),
        ({"strategy": "nearest"}, "new must be the meta-features of a task"),
    ],
)
def test_what_cannot_be_chosen(options, message):
    """Errors say what must be given."""
    with pytest.raises(ValueError, match=message):
        select_tasks(tasks_on_a_line([0.0, 0.5, 1.0]), **({"n_tasks": 2} | options))
