"""Where a task stands among the known ones, by a few meta-features."""

import numpy as np

from skmeta.exceptions import KnowledgeError

# What tasks are compared by, and whether on a logarithmic scale: cheap, and
# few, since with a few hundred tasks every further one makes noise.
COMPARED = {
    "nr_inst": True,
    "nr_attr": True,
    "nr_class": True,
    "attr_to_inst": True,
    "class_ent": False,
    "freq_class.min": True,
    "skewness.mean": True,
    "kurtosis.mean": True,
    "pct_num": False,
    "symbols.sum": True,
    "pct_missing": True,
    "can_cor.max": False,
    "auc.linear_discr": False,
    "auc_over_linear.naive_bayes": False,
    "auc_over_linear.knn": False,
    "auc_over_linear.tree": False,
    "auc_over_node.tree": False,
}


def compared(meta_features):
    """Return the names of the meta-features that tasks are compared by.

    Parameters
    ----------
    meta_features : DataFrame of shape (n_tasks, n_meta_features)
        Of known tasks.

    Returns
    -------
    names : list of str
        Those of `COMPARED` that are there.

    Raises
    ------
    KnowledgeError
        If there is none of them.
    """
    names = [name for name in COMPARED if name in meta_features.columns]
    if not names:
        raise KnowledgeError(
            f"The knowledge base must hold at least one of the meta-features "
            f"{list(COMPARED)}, got: {list(meta_features.columns)}."
        )
    return names


class TaskSpace:
    """The known tasks as points, and how far from them a new one is.

    The distance of two tasks is the root mean square of their differences, each
    in units of the range that eight tenths of the known tasks lie in. A task is
    far from all that are known when its distance to the nearest one is greater
    than that of all but one in a hundred known tasks to their nearest one of
    another family.

    Parameters
    ----------
    meta_features : DataFrame of shape (n_tasks, n_meta_features)
        Of the known tasks.
    families : ndarray of str of shape (n_tasks,)
        Of the same tasks.

    Attributes
    ----------
    names : list of str
        Those of `COMPARED` that are there.
    points : ndarray of shape (n_tasks, n_names)
        The known tasks, on the scales of `COMPARED`.

    Raises
    ------
    KnowledgeError
        If there is none of them.
    """

    def __init__(self, meta_features, families):
        self.names = compared(meta_features)
        self.points = self._to_point(meta_features)
        low, self._center, high = np.percentile(self.points, [10, 50, 90], axis=0)
        self._width = np.where(high > low, high - low, 1.0)
        self._far = self._find_far(families)

    def locate(self, meta_features):
        """Return the point of a task.

        Parameters
        ----------
        meta_features : mapping of str to float
            Of the task.

        Returns
        -------
        point : ndarray of shape (n_names,)

        Raises
        ------
        ValueError
            If one of `names` is not given.
        """
        missing = [name for name in self.names if name not in meta_features]
        if missing:
            raise ValueError(
                f"meta_features must hold {self.names}, got none named {missing}. "
                f"Extract them with MetaFeatureExtractor(level='full')."
            )
        return self._to_point(meta_features)

    def distances(self, point):
        """Return the distance of a point to each known task.

        Parameters
        ----------
        point : ndarray of shape (n_names,)

        Returns
        -------
        distances : ndarray of shape (n_tasks,)
        """
        return np.sqrt((((self.points - point) / self._width) ** 2).mean(axis=1))

    def standardize(self, points):
        """Return how far points are from the median, in the units of `distances`.

        Parameters
        ----------
        points : ndarray of shape (n_points, n_names) or (n_names,)

        Returns
        -------
        standardized : ndarray of the same shape
            The distance of two is the root mean square of their differences.
        """
        return (points - self._center) / self._width

    def find_unusual(self, point):
        """Say what sets a task apart from all that are known.

        Parameters
        ----------
        point : ndarray of shape (n_names,)

        Returns
        -------
        name : str or None
            The meta-feature that differs most; None if the task is not far.
        """
        if not np.isfinite(point).all():
            return self.names[int(np.argmin(np.isfinite(point)))]
        distances = self.distances(point)
        if distances.min() <= self._far:
            return None
        apart = np.abs(point - self.points[distances.argmin()]) / self._width
        return self.names[int(apart.argmax())]

    def _to_point(self, meta_features):
        """Return the values on their scales, of one task or, as columns, of many."""
        return np.stack(
            [
                _on_scale(name, np.asarray(meta_features[name], dtype=np.float64))
                for name in self.names
            ],
            axis=-1,
        )

    def _find_far(self, families):
        # Tasks of its own family do not count: a new task brings no family along.
        nearest = [
            self.distances(point)[families != family].min(initial=np.inf)
            for point, family in zip(self.points, families, strict=True)
        ]
        finite = np.array(nearest)[np.isfinite(nearest)]
        return np.percentile(finite, 99) if len(finite) else np.inf


def _on_scale(name, values):
    return np.sign(values) * np.log1p(np.abs(values)) if COMPARED[name] else values


def from_scale(name, value):
    """Return a value of a meta-feature, given where it stands on its scale.

    Parameters
    ----------
    name : str
        One of `COMPARED`.
    value : float

    Returns
    -------
    value : float
    """
    return np.sign(value) * np.expm1(np.abs(value)) if COMPARED[name] else value
