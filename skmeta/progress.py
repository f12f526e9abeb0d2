"""Show how far a search has come."""

from skmeta._progress import Progress

__all__ = ["Progress", "ProgressBar"]


class ProgressBar:
    """A bar with the best score, the candidates done and the seconds left.

    To be given as ``callback``. In a terminal and in notebooks, by the package rich.

    Parameters
    ----------
    console : rich.console.Console, default=None
        Where to draw; None is standard error.

    Examples
    --------
    >>> from skmeta import MetaLearnerClassifier
    >>> from skmeta.progress import ProgressBar
    >>> clf = MetaLearnerClassifier(callback=ProgressBar(), time_budget=60)
    """

    def __init__(self, console=None):
        self.console = console
        self._bar = None

    def __call__(self, progress):
        """Draw what has changed.

        Parameters
        ----------
        progress : Progress

        Raises
        ------
        ImportError
            If rich is not installed.
        """
        if self._bar is None:
            self._bar = self._start()
        total = progress.n_candidates
        done = progress.n_done
        if total is None:  # the time decides
            done = progress.elapsed_seconds
            total = done + progress.seconds_left
        self._bar.update(
            self._bar.task_ids[0],
            completed=done,
            total=total,
            text=f"{progress.n_done} tried, best {progress.best_score:.4f}, "
            f"{progress.seconds_left:.0f} s left",
            refresh=True,
        )

    def _start(self):
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn
        except ImportError as error:
            raise ImportError(
                "ProgressBar needs the package rich. Install it by: pip install rich"
            ) from error
        bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            console=self.console or Console(stderr=True),
            auto_refresh=False,
        )
        bar.add_task("", total=None, text="")
        bar.start()
        return bar

    def close(self):
        """Leave the bar as it is, and begin another one with the next fit."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __deepcopy__(self, memo):
        # A clone has a bar of its own; a console has locks, and is shared.
        return ProgressBar(self.console)

    def __reduce__(self):
        return ProgressBar, ()
