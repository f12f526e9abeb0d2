"""Say how far a search has come, to whoever wants to know."""

import logging
import time
from dataclasses import dataclass

import numpy as np

from skmeta._configuration import Configuration

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Stands for what scikit-learn does not have yet."""

    def with_callbacks(method):
        """Return the method as it is."""
        return method


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a search has come when a candidate was tried.

    Parameters
    ----------
    configuration : Configuration
        What was tried.
    score : float
        Its mean score; NaN if it has none.
    error : str or None
        Why it has none.
    seconds : float
        What its fits took.
    n_done : int
        Candidates tried so far.
    n_candidates : int or None
        How many there will be at most; None where only the time decides.
    best_score : float
        Best mean score so far, NaN before there is one.
    elapsed_seconds, seconds_left : float
        Since the search began, and until its end: of the time budget, else as long as
        the others took.
    """

    configuration: Configuration
    score: float
    error: str | None
    seconds: float
    n_done: int
    n_candidates: int | None
    best_score: float
    elapsed_seconds: float
    seconds_left: float


class Reporter:
    """Tell callbacks, the terminal and the log of each candidate.

    Parameters
    ----------
    verbose : int
        Whether to print a line.
    callback : callable or None
        The user's.
    context : CallbackContext or None
        Scikit-learn's, of the fit.
    search : estimator
        What is being fitted.
    schedule : Schedule
        The time that is left.
    n_candidates : int or None
        How many are wanted.

    Attributes
    ----------
    wants_end : bool
        Whether a callback has asked for the end.
    """

    def __init__(self, verbose, callback, context, search, schedule, n_candidates):
        self._verbose, self._callback = verbose, callback
        self._context, self._search = context, search
        self._schedule, self._n_candidates = schedule, n_candidates
        self._start = time.perf_counter()
        self._n_done, self._best = 0, np.nan
        self.wants_end = False

    @property
    def is_wanted(self):
        """Whether there is anyone to be told."""
        reads = bool(self._verbose) or _log.isEnabledFor(logging.INFO)
        return reads or self._callback is not None or self._in_sklearn

    @property
    def _in_sklearn(self):
        return self._context is not None

    def __call__(self, number, configuration, scores, seconds, error):
        """Tell of a candidate; return whether this is to be the end.

        Parameters
        ----------
        number : int
            Its position in the order tried.
        configuration : Configuration
        scores : ndarray
            Of its splits.
        seconds : float
        error : str or None

        Returns
        -------
        wants_end : bool
        """
        score = np.nan if error is not None else float(scores.mean())
        self._n_done += 1
        self._best = np.fmax(self._best, score)
        line = self._write(number, configuration, scores, seconds, error)
        _log.info("%s", line)
        if self._verbose:
            print(line, flush=True)
        if self._callback is not None:
            progress = self._describe(configuration, score, seconds, error)
            self.wants_end |= bool(self._callback(progress))
        if self._in_sklearn:
            self.wants_end |= self._tell_sklearn(configuration)
        return self.wants_end

    def _write(self, number, configuration, scores, seconds, error):
        outcome = f"{scores.mean():.4f}"
        if error is not None:
            outcome = "failed" if "Traceback" in error else error
        of = "" if self._n_candidates is None else f"/{self._n_candidates}"
        return f"[{number + 1}{of}] {configuration.name}: {outcome} ({seconds:.1f} s)"

    def _describe(self, configuration, score, seconds, error):
        elapsed = time.perf_counter() - self._start
        left = max(self._schedule.left(), 0.0)
        if self._n_candidates is not None:
            n_left = self._n_candidates - self._n_done
            left = min(left, elapsed / self._n_done * n_left)
        return Progress(
            configuration=configuration,
            score=score,
            error=error,
            seconds=seconds,
            n_done=self._n_done,
            n_candidates=self._n_candidates,
            best_score=float(self._best),
            elapsed_seconds=elapsed,
            seconds_left=left,
        )

    def _tell_sklearn(self, configuration):
        context = self._context.subcontext(task_name=configuration.name)
        context.call_on_fit_task_begin(estimator=self._search)
        return context.call_on_fit_task_end(estimator=self._search)

    def close(self):
        """Tell that this was the end."""
        if self._in_sklearn:
            self._context.call_on_fit_task_end(estimator=self._search)
        close = getattr(self._callback, "close", None)
        if close is not None:
            close()
