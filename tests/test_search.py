from dataclasses import replace

import numpy as np
import pytest

from skmeta._inputs import make_seed
from skmeta._search import _most_splits
from skmeta._splits import default_splits, thin_splits
from skmeta._trials import Task


@pytest.mark.parametrize(("n_rows", "n_folds"), [(100, 5), (6000, 3), (60_000, 1)])
def test_fewer_folds_for_more_rows(n_rows, n_folds):
    """Five folds, then three, then a holdout of a fifth."""
    splits = default_splits(np.arange(n_rows) % 2, seed=0)
    assert len(splits) == n_folds
    for train, test in splits:
        assert not set(train) & set(test)
        assert len(train) + len(test) == n_rows


def test_single_row_classes_are_in_no_split():
    """What cannot be in training and test rows is in neither."""
    y = np.array(["a"] * 10 + ["b"] * 10 + ["c"])
    for train, test in default_splits(y, seed=0):
        assert 20 not in train
        assert 20 not in test


@pytest.mark.parametrize(
    ("n_rows", "n_used"), [(400, 400), (60_000, 60_000), (5_000, 500)]
)
def test_what_is_tested_has_all_classes(n_rows, n_used):
    """Where one is missing log loss and ROC AUC have no value."""
    y = np.repeat([0, 1, 2], [n_rows - 14, 4, 10])
    splits = default_splits(y, seed=0)
    if n_used < n_rows:
        splits = thin_splits(splits, y, n_used, seed=0)
    for train, test in splits:
        assert set(y[train]) == set(y[test])


def test_groups_are_kept_together():
    """No group is on both sides of a split."""
    y, groups = np.arange(100) % 2, np.arange(100) // 4
    for train, test in default_splits(y, seed=0, groups=groups):
        assert not set(groups[train]) & set(groups[test])


def test_too_few_rows_to_choose():
    """With one row a class nothing can be compared, and the error says what can."""
    with pytest.raises(ValueError, match="n_candidates=1"):
        default_splits(np.array([0, 1, 2]), seed=0)


def test_seed_from_every_kind_of_random_state():
    """Integers stay; generators are drawn from; None is fresh each time."""
    assert make_seed(7) == 7
    assert make_seed(np.random.RandomState(0)) == make_seed(np.random.RandomState(0))
    assert make_seed(np.random.default_rng(0)) == make_seed(np.random.default_rng(0))
    assert make_seed(None) != make_seed(None)


@pytest.mark.parametrize(
    ("seconds", "n_workers", "n_splits"),
    [(0.0, 1, 5), (6.9, 1, 5), (7.1, 1, 3), (11.6, 1, 3), (11.7, 1, 1), (11.6, 5, 5)],
)
def test_fewer_splits_where_texts_take_long(seconds, n_workers, n_splits):
    """A third of the 100 seconds is for texts; half of the rows take half of theirs."""

    class Schedule:
        def left(self):
            return 100.0

    schedule = Schedule()
    schedule.n_workers = n_workers
    task = Task(np.zeros((10, 1)), np.arange(10) % 2, 10, schedule=schedule)
    task = replace(task, text_seconds=2 * seconds)
    assert _most_splits(task, n_rows=5) == n_splits
    assert len(default_splits(task.y, 0, n_folds=n_splits)) == n_splits
