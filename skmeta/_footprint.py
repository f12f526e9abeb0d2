"""What a fitted model costs who uses it: milliseconds for a row, and megabytes."""

import pickle
import time
from dataclasses import dataclass

import numpy as np

# Predictions that are timed, after one that is not: it fills caches.
_N_TIMED = 5


@dataclass(frozen=True)
class Footprint:
    """What a fitted model takes.

    Parameters
    ----------
    predict_ms : float, default=nan
        Milliseconds to predict one row, with one thread.
    model_mb : float, default=nan
        Megabytes (2**20 bytes) of the pickled model.
    """

    predict_ms: float = np.nan
    model_mb: float = np.nan


@dataclass(frozen=True)
class FootprintLimit:
    """What a fitted model may take.

    Parameters
    ----------
    max_predict_ms, max_model_mb : float or None, default=None
        As in `Footprint`; None is no limit, and is not measured.
    """

    max_predict_ms: float | None = None
    max_model_mb: float | None = None

    def __bool__(self):
        return self.max_predict_ms is not None or self.max_model_mb is not None

    def measure(self, estimator, row):
        """Measure what is limited.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        row : table of one row
            To be predicted.

        Returns
        -------
        footprint : Footprint
        """
        return Footprint(
            np.nan if self.max_predict_ms is None else _predict_ms(estimator, row),
            np.nan if self.max_model_mb is None else _model_mb(estimator),
        )

    def excess(self, footprint):
        """Say what is too much.

        Parameters
        ----------
        footprint : Footprint or None
            None is not known.

        Returns
        -------
        excess : str or None
            None if it is within the limits.
        """
        if footprint is None:
            return None
        most_ms, most_mb = self._limits()
        if footprint.predict_ms > most_ms:
            return (
                f"Too slow: it takes {footprint.predict_ms:.3g} ms to predict a row, "
                f"max_predict_ms is {most_ms:g}."
            )
        if footprint.model_mb > most_mb:
            return (
                f"Too large: it takes {footprint.model_mb:.3g} MB, max_model_mb is "
                f"{most_mb:g}."
            )
        return None

    def _limits(self):
        limits = self.max_predict_ms, self.max_model_mb
        return [np.inf if limit is None else limit for limit in limits]

    def shares(self, footprints):
        """Return the part of each limit that each model takes.

        Parameters
        ----------
        footprints : sequence of (Footprint or None)
            None takes nothing.

        Returns
        -------
        shares : ndarray of shape (n_models, 2)
            Several models together are within the limits if no sum is above 1.
        """
        limits = self._limits()
        taken = [
            (0.0, 0.0) if each is None else (each.predict_ms, each.model_mb)
            for each in footprints
        ]
        taken = np.array(taken, dtype=np.float64).reshape(-1, 2)
        return np.where(np.isinf(limits), 0.0, taken) / limits


def typical(footprints):
    """Return the median of several footprints of one model.

    Parameters
    ----------
    footprints : sequence of Footprint
        At least one.

    Returns
    -------
    footprint : Footprint
    """
    return Footprint(
        float(np.median([each.predict_ms for each in footprints])),
        float(np.median([each.model_mb for each in footprints])),
    )


def _predict_ms(estimator, row):
    predict = getattr(estimator, "predict_proba", estimator.predict)
    predict(row)
    seconds = []
    for _ in range(_N_TIMED):
        start = time.perf_counter()
        predict(row)
        seconds.append(time.perf_counter() - start)
    return 1e3 * min(seconds)  # the others were held up


class _Counter:
    """A file that only counts what is written: large arrays are not copied."""

    def __init__(self):
        self.n_bytes = 0

    def write(self, data):
        self.n_bytes += memoryview(data).nbytes


def _model_mb(estimator):
    counter = _Counter()
    pickle.Pickler(counter, protocol=pickle.HIGHEST_PROTOCOL).dump(estimator)
    return counter.n_bytes / 2**20
