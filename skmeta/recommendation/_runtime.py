"""Predict the seconds that a configuration will take."""

import numpy as np

# Rows, columns, classes, and categories of all columns, which become columns.
SIZES = ("nr_inst", "nr_attr", "nr_class", "symbols.sum")
_LEAST = 1e-3  # seconds; below, clocks and overheads are all there is
_RIDGE = 1.0
_USUAL = 0.1  # seconds, if those of no configuration are known

# Beyond the largest known task seconds grow with the rows to this power.
_GROWTH = 1.1


class RuntimeModel:
    """Seconds of each configuration as a power law of the sizes of the task.

    A ridge regression of log seconds for each configuration [1]_.

    Parameters
    ----------
    meta_features : DataFrame of shape (n_tasks, n_meta_features)
        Of the known tasks. Those of `SIZES` are used that are there.
    seconds : ndarray of shape (n_tasks, n_configurations)
        What they took; NaN where not known.

    Attributes
    ----------
    names : list of str
        The meta-features that are used.

    References
    ----------
    .. [1] F. Hutter, L. Xu, H. H. Hoos, K. Leyton-Brown, "Algorithm runtime
       prediction: Methods & evaluation", Artificial Intelligence 206, 2014.
    """

    def __init__(self, meta_features, seconds):
        self.names = [name for name in SIZES if name in meta_features]
        self._most_rows = np.inf
        if "nr_inst" in self.names:
            self._most_rows = float(meta_features["nr_inst"].max())
        inputs = self._log_sizes(meta_features)
        self._center = inputs.mean(axis=0)
        centered = inputs - self._center
        known = ~np.isnan(seconds)
        logs = np.log(np.maximum(np.where(known, seconds, 1.0), _LEAST))
        count = np.maximum(known.sum(axis=0), 1)
        level = (logs * known).sum(axis=0) / count
        # Of which nothing is known is taken for as slow as the slowest.
        slowest = level[known.any(axis=0)].max() if known.any() else np.log(_USUAL)
        level[~known.any(axis=0)] = slowest
        residual = np.where(known, logs - level, 0.0)
        design = np.column_stack([np.ones(len(centered)), centered])
        penalty = _RIDGE * np.eye(design.shape[1])
        gram = np.einsum("tc,ti,tj->cij", known, design, design) + penalty
        self._slopes = np.linalg.solve(gram, (design.T @ residual).T[:, :, np.newaxis])[
            :, :, 0
        ]
        self._level = level

    def predict(self, meta_features):
        """Predict the seconds of every configuration on a task.

        Parameters
        ----------
        meta_features : mapping of str to float
            With all `names`.

        Returns
        -------
        seconds : ndarray of shape (n_configurations,)
        """
        sizes, growth = dict(meta_features), 1.0
        n_rows = sizes.get("nr_inst", 0.0)
        if n_rows > self._most_rows:
            # Slopes of small tasks, shrunk as they are, say too little of large ones.
            growth = (n_rows / self._most_rows) ** _GROWTH
            sizes["nr_inst"] = self._most_rows
        row = np.append(1.0, self._log_sizes(sizes) - self._center)
        return np.exp(self._level + self._slopes @ row) * growth

    def _log_sizes(self, meta_features):
        sizes = [np.asarray(meta_features[name], np.float64) for name in self.names]
        return np.log1p(np.stack(sizes, axis=-1))


def correct_seconds(predicted, tried, observed):
    """Scale predicted seconds to what was seen on this machine and this task.

    Parameters
    ----------
    predicted : ndarray of shape (n_configurations,)
        By a `RuntimeModel`.
    tried : ndarray of int of shape (n_tried,)
        Positions that were observed.
    observed : ndarray of shape (n_tried,)
        Seconds they took; NaN where not known.

    Returns
    -------
    seconds : ndarray of shape (n_configurations,)
        All multiplied by the mean ratio, on a logarithmic scale and with one
        imagined observation that was as predicted.
    """
    known = ~np.isnan(observed)
    ratios = np.maximum(observed[known], _LEAST) / np.maximum(
        predicted[tried[known]], _LEAST
    )
    return predicted * np.exp(np.log(ratios).sum() / (known.sum() + 1))
