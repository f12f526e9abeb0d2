import numpy as np
import pytest

from skmeta.multitask._tasks import EpisodeSampler, number_tasks

# Of task 0 six rows of class 0 and two of class 2; of task 1 three of 1 and three of 2;
# of task 2 one row of each of two classes, too few to adapt and to see what came of it.
TASKS = np.array([0] * 8 + [1] * 6 + [2] * 2)
CLASSES = np.array([0] * 6 + [2] * 2 + [1] * 3 + [2] * 3 + [0, 1])


def make_sampler(*, permute, n_support=2, n_query=2):
    return EpisodeSampler(
        TASKS, CLASSES, 3, n_support=n_support, n_query=n_query, permute=permute
    )


def rows_of(rows, position):
    return rows.index[position, rows.weight[position] > 0]


def test_ids_keep_their_order_and_type():
    """Numbers and strings may stand side by side."""
    ids, codes = number_tasks(np.array([7, "b", 7, 3], dtype=object), 4)
    assert ids.tolist() == [7, "b", 3]
    assert codes.tolist() == [0, 1, 0, 2]
    ids, codes = number_tasks(None, 2)
    assert (len(ids), codes.tolist()) == (1, [0, 0])


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (["a"], "task must have an id for each of the 2 rows, got: 1 ids"),
        (["a", None], "got: 1 missing ones, the first in row 1"),
    ],
)
def test_ids_that_cannot_be_used(task, message):
    with pytest.raises(ValueError, match=message):
        number_tasks(task, 2)


@pytest.mark.parametrize("permute", [False, True])
def test_an_episode_holds_rows_of_its_task_once(permute):
    """Support and query are apart, and both of the task that was asked for."""
    sampler, rng = make_sampler(permute=permute), np.random.default_rng(0)
    for _ in range(20):
        episodes = sampler.draw([1, 0, 1], rng)
        for position, task in enumerate([1, 0, 1]):
            support = rows_of(episodes.support, position)
            query = rows_of(episodes.query, position)
            both = [*support, *query]
            assert len(set(both)) == len(both)
            assert set(TASKS[both]) == {task}
            assert set(CLASSES[support]) == set(CLASSES[task == TASKS])


def test_classes_have_their_shares():
    """Two rows for each class are four: three of six, and one of two."""
    episodes = make_sampler(permute=False).draw([0], np.random.default_rng(0))
    for rows in (episodes.support, episodes.query):
        assert np.bincount(CLASSES[rows_of(rows, 0)]).tolist() == [3, 0, 1]
    half = make_sampler(permute=False, n_support=50).draw([0], np.random.default_rng(0))
    assert np.bincount(CLASSES[rows_of(half.support, 0)]).tolist() == [3, 0, 1]


def test_shared_labels_have_the_output_of_their_number():
    """All outputs compete, in all tasks."""
    episodes = make_sampler(permute=False).draw([0, 1], np.random.default_rng(0))
    is_row = episodes.query.weight > 0
    expected = CLASSES[episodes.query.index[is_row]]
    np.testing.assert_array_equal(episodes.query.output[is_row], expected)
    assert episodes.is_open.all()


def test_permuted_labels_change_from_episode_to_episode():
    """Support and query agree, and outputs of no class are closed."""
    sampler, rng = make_sampler(permute=True), np.random.default_rng(0)
    seen = set()
    for _ in range(50):
        episodes = sampler.draw([0], rng)
        output_of_class = {}
        for rows in (episodes.support, episodes.query):
            for index, output in zip(rows.index[0], rows.output[0], strict=True):
                known = output_of_class.setdefault(CLASSES[index], output)
                assert known == output
        assert set(np.flatnonzero(episodes.is_open[0])) == {*output_of_class.values()}
        seen.add((output_of_class[0], output_of_class[2]))
    assert len(seen) == 6  # all ways to give two classes two of three outputs


def test_tasks_that_cannot_be_drawn_are_left_out():
    """Without rows to ask about, and with permuted labels without another class."""
    assert make_sampler(permute=False).tasks.tolist() == [0, 1]
    tasks, classes = np.zeros(4, dtype=int), np.ones(4, dtype=int)
    for permute, expected in ((False, [0]), (True, [])):
        sampler = EpisodeSampler(
            tasks, classes, 2, n_support=1, n_query=1, permute=permute
        )
        assert sampler.tasks.tolist() == expected
