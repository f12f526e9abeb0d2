import numpy as np

from skmeta import load_knowledge
from skmeta.recommendation._task_space import TaskSpace


def test_standardized_points_are_as_far_apart_as_the_tasks():
    """Distances are root mean squares of differences; the median task is at 0."""
    known = load_knowledge()
    space = TaskSpace(known.meta_features, known.tasks["family"].to_numpy())
    points = space.standardize(space.points)
    apart = np.sqrt(((points - points[3]) ** 2).mean(axis=1))
    np.testing.assert_allclose(apart, space.distances(space.points[3]))
    np.testing.assert_allclose(np.median(points, axis=0), 0, atol=1e-12)
