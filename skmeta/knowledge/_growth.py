"""Build a knowledge base by evaluating configurations on tables."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import sklearn

from skmeta._base_learners import default_configurations, get_learner
from skmeta._configuration import Configuration
from skmeta._files import SUFFIXES, check_output
from skmeta._workers import is_on_cluster
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._knowledge_base import KnowledgeBase
from skmeta.knowledge._pools import ClusterPool, ProcessPool, TaskProgress
from skmeta.knowledge._scoring import METRICS
from skmeta.knowledge._storage import load_knowledge
from skmeta.knowledge._worker import Protocol
from skmeta.metafeatures._registry import select_features


@dataclass(frozen=True)
class TaskSource:
    """Where the table of a task is found, and what is known of it.

    Parameters
    ----------
    name : str
        Name of the task in the knowledge base.
    path : str
        CSV, TSV or parquet file.
    target : str
        Column of the classes.
    family : str
        Variants of one dataset have the same family. They count as one task,
        and are left out together.
    domain : str, default=""
        Subject, such as ``"medicine"``.
    details : dict
        Anything else worth keeping, such as source and licence.
    splits : str, default=""
        NumPy file with the number of the fold in which each row of the table is
        tested. Without one the protocol decides.
    """

    name: str
    path: str
    target: str
    family: str
    domain: str = ""
    details: dict = field(default_factory=dict)
    splits: str = ""


def find_tasks(paths, target="__target__", index=None):
    """List the tasks in directories and files.

    Parameters
    ----------
    paths : sequence of str or Path
        CSV, TSV and parquet files, or directories of them.
    target : str, default="__target__"
        Column of the classes in every table.
    index : str or Path, default=None
        CSV file with a column ``name`` (the file's name without its ending) and,
        where known, ``family``, ``domain``, ``source``, ``licence_note`` and
        ``openml_did``. Tables that it does not list are a family of their own.

    Returns
    -------
    tasks : list of TaskSource
        Sorted by name.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    ValueError
        If there is no table, or two have one name.
    """
    known = {} if index is None else _read_index(index)
    files = sorted({file for path in paths for file in _table_files(Path(path), index)})
    if not files:
        raise ValueError(
            f"paths must hold at least one .csv, .tsv or .parquet file, "
            f"got: {[str(path) for path in paths]}."
        )
    tasks = [_describe_source(file, target, known) for file in files]
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Every table must have a name of its own, got more than one of {twice}. "
            f"Rename the files."
        )
    return sorted(tasks, key=lambda task: task.name)


def _table_files(path, index):
    if path.is_dir():
        found = [f for f in path.iterdir() if f.suffix.lower() in SUFFIXES]
        return [f for f in found if index is None or not f.samefile(index)]
    if not path.is_file():
        raise FileNotFoundError(f"No file or directory {str(path)!r}. Check the path.")
    return [path]


def _read_index(index):
    frame = pd.read_csv(index, dtype={"name": str, "family": str, "domain": str})
    if "name" not in frame.columns:
        raise ValueError(
            f"{Path(index).name} must have a column 'name', got: {list(frame.columns)}."
        )
    return frame.set_index("name").to_dict("index")


def _describe_source(file, target, known):
    row = {
        key: value
        for key, value in known.get(file.stem, {}).items()
        if not pd.isna(value)
    }
    kept = ("source", "licence_note", "openml_did")
    return TaskSource(
        name=file.stem,
        path=str(file),
        target=target,
        family=str(row.get("family", file.stem)),
        domain=str(row.get("domain", "")),
        details={key: row[key] for key in kept if key in row},
    )


def build_knowledge(
    tasks,
    output,
    *,
    configurations=None,
    protocol=None,
    n_jobs=None,
    time_limit=60.0,
    memory_limit=None,
    resume=False,
    predictions=None,
    on_progress=None,
):
    """Evaluate configurations on tasks and save what came of it.

    Each task that is finished is written at once to ``<output>.partial``. After
    a kill, `resume` goes on from there; at most the tasks that were being
    evaluated are lost. On Ctrl-C the tasks finished so far are saved to
    `output`, unless another knowledge base is there already, and the partial
    file stays for a later `resume`.

    Parameters
    ----------
    tasks : sequence of TaskSource
        From `find_tasks`. The smallest files come first, so that an interrupted
        build holds as many of them as it can.
    output : str or Path
        Knowledge file to write, ending in ``.zip``.
    configurations : sequence of Configuration, default=None
        None takes `default_configurations`.
    protocol : Protocol, default=None
        Folds, rows and seed. None takes its defaults.
    n_jobs : int, default=None
        Tasks evaluated at the same time, each in a process of its own with one
        thread, as in joblib. Under ``joblib.parallel_config(backend="dask")`` or
        ``"ray"`` the processes are on the machines of that cluster, which must
        find the tables, and `predictions`, where this one does.
    time_limit : float, default=60.0
        Processor seconds one fit and its predictions may take before the process
        is ended and the configuration recorded as failed on that task. By the
        clock it may take six times as long, on a busy machine, and on Windows
        as long; reading a table ten times.
    memory_limit : float, default=None
        Megabytes of address space one process may have; beyond it fits fail.
        Not enforced on Windows.
    resume : bool, default=False
        Go on from what `output` and ``<output>.partial`` hold: only tables that
        are new or have changed, and configurations that are new, are evaluated.
        What they hold besides is kept. Without it an existing partial file or
        output is an error.
    predictions : str or Path, default=None
        Directory for out-of-fold probabilities: ``<task>/<configuration>.npy``
        (float16), with ``y.npy`` and ``fold.npy`` beside them. With them
        ensembles can be studied without fitting anything again. None keeps none.
    on_progress : callable, default=None
        Called with a line of text whenever a task is done.

    Returns
    -------
    knowledge : KnowledgeBase
        What was saved.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when what is done has been saved.
    KnowledgeError
        If what is to be resumed comes from another protocol, the output or a partial
        file is there without `resume`, or no task could be evaluated.
    ValueError
        If a configuration, a limit or the output cannot be used.
    """
    output = Path(output)
    check_output(output, (".zip",))
    if configurations is None:
        configurations = default_configurations()
    _check_build(configurations, time_limit, memory_limit)
    protocol = asdict(protocol or Protocol())
    limits = {"time_limit": time_limit, "memory_limit": memory_limit}
    file_hashes = {task.name: _hash_file(task) for task in tasks}
    with _Records(output, protocol, configurations, resume) as records:
        todo = [
            TaskProgress(task, file_hashes[task.name], records, configurations)
            for task in _smallest_first(tasks)
        ]
        records.check_descriptions(file_hashes)
        todo = [p for p in todo if p.left or p.description is None]
        pool = ClusterPool if is_on_cluster() else ProcessPool
        finished = _evaluate(
            pool(todo, protocol | limits, n_jobs, predictions), records, on_progress
        )
        is_usable = not all(r["refused"] for r in records.by_name.values())
        if not finished and (output.exists() or not is_usable):
            # What is there may be more than what is done by now.
            raise KeyboardInterrupt(f"Go on from {records.path.name} by --resume.")
        if not is_usable:
            records.remove()  # there is nothing in it to go on with
        knowledge = _assemble(records, protocol | limits)
        knowledge.save(output)
        if not finished:
            raise KeyboardInterrupt(
                f"{output.name} holds the {len(knowledge.tasks)} tasks done so far. "
                f"Go on from {records.path.name} by --resume."
            )
        records.remove()
    return knowledge


def _evaluate(pool, records, on_progress):
    """Record each task as it is finished; return whether all were."""
    try:
        for record in pool.run():
            records.add(record)
            if on_progress is not None:
                on_progress(_progress_line(record, pool))
        return True
    except KeyboardInterrupt:
        return False  # raised again when what is done has been saved
    finally:
        pool.close()


def _check_build(configurations, time_limit, memory_limit):
    for configuration in configurations:
        get_learner(configuration.learner).check(configuration.hyperparameters)
    for name, limit in [("time_limit", time_limit), ("memory_limit", memory_limit)]:
        if limit is not None and not limit > 0:
            raise ValueError(f"{name} must be a number > 0, got: {limit!r}.")


def _smallest_first(tasks):
    return sorted(tasks, key=lambda task: (os.path.getsize(task.path), task.name))


def _progress_line(record, pool):
    task = record["task"]["name"]
    if record["refused"]:
        outcome = f"left out: {record['refused']}"
    else:
        n_failed = len(record["failures"])
        outcome = f"{len(record['cells'])} evaluated, {n_failed} failed"
    return (
        f"[{pool.n_done}/{pool.n_tasks}] {task}: {outcome} in {record['seconds']:.0f} s"
    )


class _Records:
    """The finished tasks of a build, each on disk before the next step is taken.

    The first line of the file is the protocol; each of the others lists
    configurations, or is the record of a task and replaces the ones before it.
    """

    def __init__(self, output, protocol, configurations, resume):
        self.path = output.with_name(output.name + ".partial")
        self.by_name = {}
        self.left_out = {}  # by an earlier build
        self._configurations = {}
        if self.path.exists() and not resume:
            raise KnowledgeError(
                f"{self.path.name} holds an unfinished build. Go on with it by "
                f"resume=True (--resume), or delete it."
            )
        if output.exists() and not resume:
            raise KnowledgeError(
                f"{output.name} is there already. Add to it by resume=True "
                f"(--resume), delete it, or write to another file."
            )
        if output.exists():
            self._take_over(load_knowledge(output), protocol)
        self._file = self.path.open("a", encoding="utf-8")
        try:
            self._lock()
            self._read(protocol)
        except KnowledgeError:
            self._file.close()
            raise
        if self.path.stat().st_size == 0:
            self._write({"protocol": protocol})
        self._learn([c.to_dict() for c in configurations])
        self._write({"configurations": [c.to_dict() for c in configurations]})

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    @property
    def configurations(self):
        """Every configuration that was asked for, in that order."""
        return list(self._configurations.values())

    def _lock(self):
        """Keep other builds away until this process ends, except on Windows."""
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise KnowledgeError(
                f"{self.path.name} is being written by another build. Wait for its "
                f"end, or give another output."
            ) from None

    def _take_over(self, knowledge, protocol):
        """Go on from a finished knowledge base."""
        if len(knowledge.parts) > 1:
            raise KnowledgeError(
                f"A merged knowledge base cannot be gone on with, got one of "
                f"{len(knowledge.parts)} parts. Build another, and merge that with it."
            )
        earlier = knowledge.provenance.get("protocol", {})
        if {name: earlier.get(name) for name in protocol} != protocol:
            raise KnowledgeError(
                f"The knowledge base was built by another protocol ({earlier}, now "
                f"{protocol}). Give it the same one, or another output."
            )
        self._learn([c.to_dict() for c in knowledge.configuration_values])
        self.left_out = knowledge.provenance.get("left_out", {})
        for record in _disassemble(knowledge):
            self._keep(record)

    def _read(self, protocol):
        complete = self.path.read_bytes().rpartition(b"\n")[0]
        lines = complete.splitlines()
        if lines and _parse(lines[0]) != {"protocol": protocol}:
            raise KnowledgeError(
                f"{self.path.name} was begun with another protocol. Give it the same "
                f"one, or delete it."
            )
        for line in lines[1:]:
            record = json.loads(line)
            if "configurations" in record:
                self._learn(record["configurations"])
            else:
                self._keep(record)
        # A line cut short by a kill would spoil the one written after it.
        os.truncate(self.path, len(complete) + bool(complete))

    def _learn(self, configurations):
        for values in configurations:
            configuration = Configuration.from_dict(values)
            self._configurations.setdefault(configuration.name, configuration)

    def _keep(self, record):
        """Take over a record, but for what this version would have found otherwise."""
        description = record["description"]
        names = [feature.name for feature in select_features(None, "full")]
        if description is not None and (
            list(description["meta_features"]) != names
            or description.get("fingerprint") is None
        ):
            record["description"] = None
        is_scored = {
            set(cell["scores"]) == set(METRICS) for cell in record["cells"].values()
        }
        if is_scored != {True}:
            record["cells"] = {}
        self.by_name[record["task"]["name"]] = record

    def check_descriptions(self, given):
        """Raise an error if a table is needed that was not given."""
        missing = sorted(
            name
            for name, record in self.by_name.items()
            if record["description"] is None
            and not record["refused"]
            and name not in given
        )
        if missing:
            raise KnowledgeError(
                f"The meta-features of {missing[:8]} were computed by another version "
                f"of skmeta. Give these tables too, or another output."
            )

    def get(self, task, file_hash):
        """Return what is known of a task, None if its table is not the same."""
        record = self.by_name.get(task.name)
        # A table that could not be used may have been mended since.
        if record is None or record["refused"] or record["file_hash"] != file_hash:
            self.by_name.pop(task.name, None)
            return None
        # The index may say more of it by now.
        record["task"] = asdict(task)
        return record

    def add(self, record):
        self.by_name[record["task"]["name"]] = record
        self._write(record)

    def _write(self, values):
        self._file.write(json.dumps(values) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def remove(self):
        self.path.unlink(missing_ok=True)


def _hash_file(task):
    """Return a hash of the table's file and of the column that is its target."""
    with open(task.path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(task.target.encode())
    if task.splits:
        digest.update(Path(task.splits).read_bytes())
    return digest.hexdigest()


def _parse(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


def _assemble(records, protocol):
    """Arrange the records of a build as a knowledge base, whatever their order."""
    known = [record for _, record in sorted(records.by_name.items())]
    used = [record for record in known if not record["refused"]]
    if not any(record["cells"] for record in used):
        refused = [record for record in known if record["refused"]]
        reasons = [f"{r['task']['name']}: {r['refused']}" for r in refused[:3]]
        reasons += [f"{r['task']['name']}: {_first_failure(r)}" for r in used[:3]]
        raise KnowledgeError(f"No task could be evaluated. {' '.join(reasons)}")
    configurations = records.configurations
    column = {c.name: i for i, c in enumerate(configurations)}
    shape = (len(used), len(configurations))
    n_folds = max(len(s) for r in used for c in r["cells"].values()
                  for s in c["scores"].values())  # fmt: skip
    fold_scores = {
        m: np.full((*shape, n_folds), np.nan, dtype=np.float32) for m in METRICS
    }
    seconds = {
        name: np.full(shape, np.nan, dtype=np.float32)
        for name in ("fit_seconds", "predict_seconds")
    }
    failures = []
    for row, record in enumerate(used):
        for name, cell in record["cells"].items():
            for metric, scores in cell["scores"].items():
                values = np.round(scores, 5)
                fold_scores[metric][row, column[name], : len(values)] = values
            for key, values in seconds.items():
                values[row, column[name]] = np.float32(f"{cell[key]:.3g}")
        failures.extend(
            {"task": record["task"]["name"], "configuration": name, "error": error}
            for name, error in sorted(record["failures"].items())
        )
    return KnowledgeBase(
        tasks=_task_frame(used),
        meta_features=_meta_feature_frame(used),
        configurations=configurations,
        fold_scores=fold_scores,
        failures=failures,
        provenance=_provenance(protocol, records.left_out, known),
        **seconds,
    )


# What a description holds besides the meta-features.
_DESCRIPTION = ("fingerprint", "n_rows", "n_features", "n_classes", "n_rows_evaluated")


def _disassemble(knowledge):
    """Return the records that a knowledge base was assembled from.

    Tables are found again by the hashes of their files.
    """
    meta_features = knowledge.meta_features
    scores = {metric: knowledge.fold_scores(metric) for metric in knowledge.metrics}
    seconds = {
        name: getattr(knowledge, name).to_numpy()
        for name in ("fit_seconds", "predict_seconds")
    }
    names = [c.name for c in knowledge.configuration_values]
    failures = {task: {} for task in knowledge.tasks.index}
    for failure in knowledge.failures.to_dict("records"):
        failures[failure["task"]][failure["configuration"]] = failure["error"]
    for row, task in enumerate(knowledge.tasks.to_dict("records")):
        name = knowledge.tasks.index[row]
        details = {
            key: value
            for key, value in task.items()
            if value is not None
            and key not in ("family", "domain", "splits", *_DESCRIPTION)
        }
        description = {name: task.get(name) for name in (*_DESCRIPTION, "splits")}
        description["meta_features"] = meta_features.iloc[row].to_dict()
        cells = {
            names[column]: {
                "scores": {m: _present(s[row, column]) for m, s in scores.items()},
                **{key: float(s[row, column]) for key, s in seconds.items()},
            }
            for column in np.flatnonzero(~np.isnan(seconds["fit_seconds"][row]))
        }
        yield {
            "task": {
                "name": name,
                "family": task["family"],
                "domain": task["domain"],
                "details": details,
            },
            "file_hash": details.pop("file_hash", None),
            "description": description,
            "cells": cells,
            "failures": failures[name],
            "refused": None,
        }


def _present(values):
    return values[~np.isnan(values)].tolist()


def _first_failure(record):
    return next(iter(record["failures"].values()), "nothing was tried")


def _task_frame(records):
    rows = []
    for record in records:
        task, description = record["task"], record["description"]
        known = {name: description[name] for name in _DESCRIPTION}
        if description.get("splits") is not None:
            known["splits"] = description["splits"]
        rows.append(
            {"family": task["family"], "domain": task["domain"]}
            | known
            | task["details"]
            | {"file_hash": record["file_hash"]}
        )
    names = [record["task"]["name"] for record in records]
    return pd.DataFrame(rows, index=pd.Index(names, name="task"))


def _meta_feature_frame(records):
    values = [record["description"]["meta_features"] for record in records]
    names = [record["task"]["name"] for record in records]
    return pd.DataFrame(values, index=pd.Index(names, name="task"))


def _provenance(protocol, left_out_before, known):
    left_out = dict(left_out_before)
    for record in known:
        left_out.pop(record["task"]["name"], None)
        if record["refused"]:
            left_out[record["task"]["name"]] = record["refused"]
    return {
        "protocol": protocol,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "scikit-learn": sklearn.__version__,
            "scipy": scipy.__version__,
        },
        "left_out": left_out,
    }
