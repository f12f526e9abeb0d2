"""Ask OpenML: for tasks, and for what others have found on them.

The package `openml` is imported in a process of its own alone, which can be ended: it
passes no timeout on, so that a silent server would block for ever; it writes to the
home directory when it is imported; and a damaged file in its cache stays there.
"""

import json
import logging
import operator
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._growth import TaskSource

_log = logging.getLogger(__name__)

_TARGET = "__target__"

# What the server says of what does not exist; asking again does not help.
_UNKNOWN = {111, 151}


@dataclass(frozen=True)
class OpenMLClient:
    """How OpenML is asked.

    Parameters
    ----------
    directory : str or Path
        Where tables, and what `openml` keeps, are written to.
    server : str, default=None
        Address of the API, ending in a slash. None is that of the package.
    timeout : float, default=300.0
        Seconds that one request may take, for a task with its downloads. The time to
        import `openml`, before the first one, does not count.
    n_tries : int, default=5
        How often to ask for what could not be fetched.
    pause : float, default=2.0
        Seconds before the second try; twice as long before each further one.
    """

    directory: str | Path
    server: str | None = None
    timeout: float = 300.0
    n_tries: int = 5
    pause: float = 2.0
    _process: "_Process" = field(
        default_factory=lambda: _Process(), init=False, repr=False, compare=False
    )

    def ask(self, request):
        """Return the answer to a request, however often it takes.

        Parameters
        ----------
        request : dict
            Such as ``{"suite": 99}``, ``{"task": 3}``, ``{"setups": [1, 2]}`` or
            ``{"evaluations": {"task": 3, "function": "predictive_accuracy"}}``.

        Returns
        -------
        answer : dict
            With ``"refused"``, a reason, where there is nothing to be had.

        Raises
        ------
        KnowledgeError
            If it was asked for in vain.
        """
        for attempt in range(self.n_tries):
            if attempt > 0:
                _log.info("OpenML did not give %s, try %d", request, attempt)
                time.sleep(min(self.pause * 2 ** (attempt - 1), 60.0))
            answer = self._ask_once({**request, "refresh": attempt > 0})
            if "failed" not in answer:
                return answer
        raise KnowledgeError(
            f"OpenML did not give {request} in {self.n_tries} tries. The last one: "
            f"{answer['failed']}"
        )

    def _ask_once(self, request):
        directory = Path(self.directory).absolute()
        settings = {"server": self.server, "directory": str(directory)}
        line, timed_out = self._process.ask(
            json.dumps(settings | request), self.timeout, directory / "cache"
        )
        if timed_out:
            return {"failed": f"no answer within {self.timeout:g} s."}
        try:
            return json.loads(line)
        except ValueError:
            return {"failed": self._process.last_words or "no answer."}


class _Process:
    """Answers requests, one after the other, as long as its owner lives.

    It is started when it is first asked: to import `openml` takes seconds.
    """

    def __init__(self):
        self._child, self._end = None, lambda: None
        self._one_at_a_time = threading.Lock()

    def __reduce__(self):
        return _Process, ()  # a copy starts its own

    def ask(self, line, timeout, cache):
        """Return the line of the answer, as far as it came, and whether time was up."""
        with self._one_at_a_time:
            time_is_up = threading.Event()
            try:
                if self._child is None or self._child.poll() is not None:
                    self._start(cache)
                with _ended_after(timeout, self._child, time_is_up):
                    with suppress(OSError):  # what has died says nothing
                        self._child.stdin.write(line + "\n")
                        self._child.stdin.flush()
                    answer = self._child.stdout.readline()
            except BaseException:
                self._end()  # it would answer what nobody waits for any more
                raise
            is_whole = answer.endswith("\n")
            if not is_whole:
                self._end()
            return answer, time_is_up.is_set() and not is_whole

    @property
    def last_words(self):
        """The last line that it has written as it died."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace").strip().rpartition("\n")[2]

    def _start(self, cache):
        self._end()  # of one that has died, what is left is let go
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this)
        self._child = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            # What the package writes when it is imported goes there, too.
            env=os.environ
            | {"OPENML_CACHE_DIR": str(cache), "XDG_CONFIG_HOME": str(cache)},
        )
        self._end = weakref.finalize(self, _end, self._child)
        self._child.stdout.readline()  # it is ready


@contextmanager
def _ended_after(seconds, child, time_is_up):
    def end():
        time_is_up.set()
        child.kill()

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(child):
    """Let go of a process that waits, or that is not waited for any more."""
    child.kill()
    with suppress(OSError):
        child.stdin.close()
    child.stdout.close()
    child.wait()


_SERVE = "from skmeta.knowledge._openml import serve; serve()"


def fetch_openml(client, *, suite=None, tasks=(), on_progress=None):
    """Fetch tasks from OpenML, each as a parquet file with what is known of it.

    What is there already is not fetched again, so that a stop does no harm.

    Parameters
    ----------
    client : OpenMLClient
        How to ask, and where to keep them.
    suite : int or str, default=None
        Number or alias of a benchmark suite, such as ``"OpenML-CC18"``.
    tasks : sequence of int, default=()
        Numbers of further tasks.
    on_progress : callable, default=None
        Called with a line of text for each task.

    Returns
    -------
    sources : list of TaskSource
        For `build_knowledge`, with OpenML's own splits.
    skipped : dict of int to str
        Tasks that cannot be used, and why.

    Raises
    ------
    ImportError
        If the package `openml` is not installed.
    ValueError
        If a task is no number.
    KnowledgeError
        If the suite cannot be fetched.
    """
    if find_spec("openml") is None:
        raise ImportError(
            "OpenML is asked by the package openml. Install it by: pip install openml"
        )
    numbers = read_numbers("tasks", tasks)
    directory = Path(client.directory)
    directory.mkdir(parents=True, exist_ok=True)
    if suite is not None:
        answer = client.ask({"suite": suite})
        if "refused" in answer:
            raise KnowledgeError(f"Suite {suite!r}: {answer['refused']}")
        numbers += answer["tasks"]
    sources, skipped = [], {}
    numbers = list(dict.fromkeys(numbers))
    for done, number in enumerate(numbers, start=1):
        try:
            known = _fetch_task(number, directory, client)
        except KnowledgeError as error:
            known = {"refused": str(error)}
        if "refused" in known:
            skipped[number] = known["refused"]
        else:
            sources.append(_make_source(known, directory))
        if on_progress is not None:
            outcome = known.get("refused") or f"{known['name']}, {known['n_rows']} rows"
            on_progress(f"[{done}/{len(numbers)}] task {number}: {outcome}")
    return sources, skipped


def read_numbers(what, values):
    """Return numbers of things on OpenML, or say what they must be."""
    try:
        if isinstance(values, str):
            raise TypeError("the characters of a string are not meant")
        return [
            int(value) if isinstance(value, str) else operator.index(value)
            for value in values
        ]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{what} of OpenML must be numbers, such as 3,31, got: {values!r}."
        ) from error


def _fetch_task(number, directory, client):
    """Return what is known of a task, from the disk where it is there."""
    label = directory / f"task-{number}.json"
    try:
        known = json.loads(label.read_text(encoding="utf-8"))
        if (directory / f"task-{number}.parquet").stat().st_size == known["n_bytes"]:
            return known
    except (OSError, ValueError, KeyError):
        pass  # never fetched, or damaged since
    known = client.ask({"task": number})
    if "refused" in known:
        return known  # which may be otherwise the next time
    # It is written last: what it describes is whole then.
    temporary = label.with_suffix(".tmp")
    temporary.write_text(json.dumps(known), encoding="utf-8")
    os.replace(temporary, label)
    return known


def _make_source(known, directory):
    number = known["task"]
    details = {
        "source": "OpenML",
        "licence_note": known["licence"],
        "openml_did": known["did"],
        "openml_task": number,
    }
    splits = directory / f"task-{number}.folds.npy"
    return TaskSource(
        name=f"{known['name']}-{number}",
        path=str(directory / f"task-{number}.parquet"),
        target=known["target"],
        # Versions of a dataset have one name.
        family=known["name"],
        details={name: value for name, value in details.items() if value is not None},
        splits=str(splits) if known["has_splits"] else "",
    )


# In a process of its own


def serve():
    """Answer the requests on standard input, a line each, on standard output."""
    # What a library prints must not be taken for the answer.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import openml

    channel.write("ready\n")
    channel.flush()
    for line in sys.stdin:
        try:
            answer = _answer(openml, json.loads(line))
        except Exception as error:
            answer = _explain(error)
        channel.write(json.dumps(answer) + "\n")
        channel.flush()


def _explain(error):
    code = getattr(error, "code", None)
    text = f"{type(error).__name__}: {str(error).strip() or 'without a message'}"
    if code in _UNKNOWN:
        return {"refused": text}
    if isinstance(error, TypeError) and "factorize" in str(error):
        return {
            "refused": "openml 0.15.1 cannot read sparse tables with pandas 3. Use "
            "pandas 2 to fetch it."
        }
    return {"failed": text}


def _answer(openml, request):
    directory = Path(request["directory"])
    if request["server"] is not None:
        openml.config.server = request["server"]
    openml.config.set_root_cache_directory(str(directory / "cache"))
    # Pauses between tries are those of the client.
    openml.config.set_retry_policy("human", n_retries=1)
    if "suite" in request:
        suite = openml.study.get_suite(suite_id=request["suite"])
        return {"tasks": [int(number) for number in suite.tasks or ()]}
    if "evaluations" in request:
        return {"evaluations": _list_evaluations(openml, **request["evaluations"])}
    if "setups" in request:
        return {"setups": _list_setups(openml, request["setups"])}
    if request["refresh"]:
        _forget(directory / "cache", "tasks", request["task"])
    return _describe_task(openml, request["task"], directory, request["refresh"])


def _forget(cache, kind, number):
    """Delete one entry of the cache, which may be damaged."""
    for path in cache.glob(f"**/{kind}/{number}"):
        shutil.rmtree(path, ignore_errors=True)


def _describe_task(openml, number, directory, refresh):
    common = {
        "download_data": True,
        # Apart from the rest: that there are none makes the whole call fail.
        "download_qualities": False,
        "download_features_meta_data": True,
    }
    task = openml.tasks.get_task(
        task_id=number, download_splits=True, force_refresh_cache=refresh, **common
    )
    # Learning curves are a subclass.
    if type(task) is not openml.tasks.OpenMLClassificationTask:
        return {"refused": "it is no task of classification."}
    target = task.target_name
    if not target:
        return {"refused": "it has no target."}
    if "," in target:
        return {"refused": f"it has several targets ({target})."}
    did = int(task.dataset_id)
    active = openml.datasets.check_datasets_active(
        dataset_ids=[did], raise_error_if_not_exist=False
    )
    if not active.get(did, False):
        return {"refused": f"dataset {did} is not active."}
    dataset = openml.datasets.get_dataset(dataset_id=did, **common)
    X, y, *_ = dataset.get_data(target=target)
    column = _TARGET
    while column in X:
        column += "_"
    frame = pd.DataFrame(X).assign(**{column: np.asarray(y)})
    path = directory / f"task-{number}.parquet"
    _write_parquet(frame, path)
    fold_of = _read_folds(task, len(frame))
    if fold_of is not None:
        np.save(directory / f"task-{number}.folds.npy", fold_of)
    return {
        "target": column,
        "n_bytes": path.stat().st_size,
        "has_splits": fold_of is not None,
        "task": number,
        "did": did,
        "name": dataset.name,
        "version": dataset.version,
        "licence": dataset.licence,
        "n_rows": len(frame),
        "qualities": _read_qualities(dataset),
    }


def _write_parquet(frame, path):
    frame.columns = frame.columns.astype(str)
    for name in frame.select_dtypes(object):
        # Mixed cells, which parquet cannot hold.
        known = frame[name].notna()
        frame[name] = frame[name].astype(str).where(known, None)
    temporary = path.with_suffix(".tmp")
    frame.to_parquet(temporary)
    os.replace(temporary, path)


def _read_folds(task, n_rows):
    """Return the fold in which each row is tested; None without cross-validation."""
    _, n_folds, _ = task.get_split_dimensions()
    fold_of = np.full(n_rows, -1)
    for fold in range(n_folds):
        _, test = task.get_train_test_split_indices(fold=fold, repeat=0, sample=0)
        if (fold_of[test] >= 0).any():
            return None
        fold_of[test] = fold
    is_complete = n_folds > 1 and (fold_of >= 0).all()
    if not is_complete and task.estimation_procedure_type == "crossvalidation":
        # The file has no checksum; a cut at the end of a line is not noticed.
        raise ValueError(f"the splits of {(fold_of < 0).sum()} rows are missing.")
    return fold_of if is_complete else None


def _read_qualities(dataset):
    """Return what the server has computed; nothing where it says that it has not."""
    try:
        qualities = dataset.qualities or {}
    except Exception:
        return {}
    return {
        name: float(value)
        for name, value in qualities.items()
        if value is not None and np.isfinite(value)
    }


def _list_evaluations(openml, task, function, flows, offset, size):
    """Return setup, name of the flow and value of each run of a page."""
    found = openml.evaluations.list_evaluations(
        function=function,
        tasks=[task],
        flows=flows,
        offset=offset,
        size=size,
        output_format="object",
    )
    return [(e.setup_id, e.flow_name, e.value) for e in found.values()]


def _list_setups(openml, numbers):
    """Return flow, name and value of each parameter, by the number of the setup."""
    found = openml.setups.list_setups(setup=numbers, output_format="object")
    return {
        setup.setup_id: [
            (p.flow_name, p.parameter_name, p.value)
            for p in (setup.parameters or {}).values()
        ]
        for setup in found.values()
    }
