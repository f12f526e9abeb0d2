"""Evaluate tasks in processes that may be ended at any fit, here or on a cluster."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import asdict

from joblib import effective_n_jobs
from sklearn.utils.parallel import delayed

from skmeta._workers import Workers, is_death
from skmeta.knowledge._worker import OUT_OF_TIME

# Machines of a cluster that may be lost while knowledge is built.
_MOST_DEATHS = 10


class TaskProcess:
    """A process that evaluates one task at a time, and what it was last heard of."""

    def __init__(self, settings, events):
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | _ONE_THREAD,
        )
        self._reader = threading.Thread(
            target=self._listen, args=(events,), daemon=True
        )
        self._reader.start()
        self.send(settings)

    def _listen(self, events):
        for line in self.process.stdout:
            events.put((self, json.loads(line)))
        events.put((self, {"event": "ended"}))

    def send(self, values):
        try:
            self.process.stdin.write(json.dumps(values) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its end is reported by `_listen`

    def end(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


_SERVE = "from skmeta.knowledge._worker import serve; serve()"
_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS")
}


class TaskProgress:
    """How far a build is with a task."""

    def __init__(self, task, file_hash, records, configurations):
        self.task = task
        self.file_hash = file_hash
        known = records.get(task, file_hash) or {}
        self.description = known.get("description")
        self.cells = dict(known.get("cells", {}))
        self.failures = dict(known.get("failures", {}))
        self.seconds = known.get("seconds", 0)
        self.left = {
            c.name: c.to_dict()
            for c in configurations
            if c.name not in self.cells and c.name not in self.failures
        }
        self.fitting = None

    def begin(self):
        self.started = self.heard = time.monotonic()

    def job(self, predictions):
        """Return what a worker needs to know of what is left to do."""
        self.heard = time.monotonic()
        self.is_read = False
        return {
            "file_hash": self.file_hash,
            "path": self.task.path,
            "target": self.task.target,
            "splits": self.task.splits,
            "describe": self.description is None,
            "configurations": list(self.left.values()),
            "predictions": predictions and os.path.join(predictions, self.task.name),
        }

    def settle(self, configuration):
        """Note that a configuration needs no more work."""
        del self.left[configuration]
        self.fitting = None

    def record(self, refused=None):
        """Return what is known; what was known before is not refused any more."""
        return {
            "task": asdict(self.task),
            "file_hash": self.file_hash,
            "description": self.description,
            "cells": self.cells,
            "failures": self.failures,
            "refused": None if self.cells else refused,
            "seconds": self.seconds + time.monotonic() - self.started,
        }


class ProcessPool:
    """Workers, the tasks they are at, and the limits they are held to."""

    def __init__(self, todo, settings, n_jobs, predictions):
        self.n_tasks = len(todo)
        self.n_done = 0
        self._todo = deque(todo)
        self._settings = settings
        self._predictions = None if predictions is None else str(predictions)
        self._n_workers = min(effective_n_jobs(n_jobs), len(todo))
        self._events = queue.Queue()
        self._at = {}  # worker to TaskProgress

    def run(self):
        """Yield the record of each task as it is finished."""
        for _ in range(self._n_workers):
            self._begin(self._new_worker())
        while self._at:
            for record in self._next_records():
                self.n_done += 1
                yield record

    def _next_records(self):
        """Wait a moment for a worker, and return the tasks that are finished now."""
        records = []
        try:
            worker, event = self._events.get(timeout=0.2)
            if worker in self._at:  # else it was said before it was ended
                records.append(self._hear(worker, event))
        except queue.Empty:
            pass
        records.extend(self._end_overdue())
        return [record for record in records if record is not None]

    def close(self):
        """End every process."""
        for worker in self._at:
            worker.end()
        self._at.clear()

    def _new_worker(self):
        return TaskProcess(self._settings, self._events)

    def _begin(self, worker):
        """Give a free worker its next task, or let it go."""
        if not self._todo:
            self._at.pop(worker, None)
            worker.end()
            return
        progress = self._todo.popleft()
        progress.begin()
        self._at[worker] = progress
        worker.send(progress.job(self._predictions))

    def _hear(self, worker, event):
        progress = self._at[worker]
        progress.heard = time.monotonic()
        name = event.pop("event")
        if name == "read":
            progress.is_read = True
        elif name == "described":
            progress.description = event
        elif name == "fitting":
            progress.fitting = event["configuration"]
        elif name == "evaluated":
            configuration = event.pop("configuration")
            progress.cells[configuration] = event
            progress.settle(configuration)
        elif name == "failed":
            progress.failures[event["configuration"]] = event["error"]
            progress.settle(event["configuration"])
        elif name == "ended":
            error = "The process ended, perhaps for want of memory."
            if OUT_OF_TIME is not None and worker.process.wait() == -OUT_OF_TIME:
                error = f"Stopped after {self._settings['time_limit']:g} s."
            return self._replace(worker, error)
        elif name in ("done", "refused"):
            self._begin(worker)
            return progress.record(event.get("error"))
        return None

    def _end_overdue(self):
        now = time.monotonic()
        while_fitting = 1 if OUT_OF_TIME is None else 6
        for worker, progress in list(self._at.items()):
            limit = self._settings["time_limit"] * (
                10 if progress.fitting is None else while_fitting
            )
            if now - progress.heard > limit:
                yield self._replace(worker, f"Stopped after {limit:g} s by the clock.")

    def _replace(self, worker, error):
        """Record a fit as failed, and go on with the task in a new process.

        Return the record of the task if that was its end.
        """
        progress = self._at.pop(worker)
        worker.end()
        if not progress.is_read or progress.description is None:
            # It died before any fit: it would do so again and again.
            self._begin(self._new_worker())
            return progress.record(f"{error} It was reading the table.")
        if progress.left:
            at_fault = progress.fitting or next(iter(progress.left))
            progress.failures[at_fault] = error
            progress.settle(at_fault)
        successor = self._new_worker()
        self._at[successor] = progress
        successor.send(progress.job(self._predictions))
        return None


class ClusterPool:
    """joblib's workers, each of which has a pool of one process beside it."""

    def __init__(self, todo, settings, n_jobs, predictions):
        self.n_tasks = len(todo)
        self.n_done = 0
        self._left = dict(enumerate(todo))
        self._settings = settings
        self._predictions = predictions
        self._workers = Workers(n_jobs)

    def run(self):
        """Yield the record of each task as it is finished."""
        n_deaths = 0
        while self._left:
            try:
                for number, record in self._workers.run(self._calls()):
                    del self._left[number]
                    self.n_done += 1
                    yield record
            except Exception as error:
                # Fits are in other processes: whatever ended it will not again.
                n_deaths += 1
                if not is_death(error) or n_deaths > _MOST_DEATHS:
                    raise
                self._workers.close()

    def _calls(self):
        for number, progress in list(self._left.items()):
            yield delayed(_evaluate_alone)(
                number, progress, self._settings, self._predictions
            )

    def close(self):
        """Let the workers go."""
        self._workers.close()


def _evaluate_alone(number, progress, settings, predictions):
    pool = ProcessPool([progress], settings, 1, predictions)
    try:
        return number, next(pool.run())
    finally:
        pool.close()
