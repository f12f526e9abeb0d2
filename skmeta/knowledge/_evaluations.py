"""Turn public runs on OpenML into knowledge."""

import tempfile
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from skmeta._files import read_file
from skmeta._messages import did_you_mean
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._flows import effect, read_flow, read_setup, wants_labels
from skmeta.knowledge._knowledge_base import KnowledgeBase
from skmeta.knowledge._openml import OpenMLClient, fetch_openml, read_numbers
from skmeta.knowledge._worker import Protocol, describe_task, prepare_task

# OpenML's names of what scikit-learn's scorers compute.
_SCORERS = {
    "predictive_accuracy": "accuracy",
    "area_under_roc_curve": "roc_auc_ovr_weighted",
    "unweighted_recall": "balanced_accuracy",
    "f_measure": "f1_weighted",
    "precision": "precision_weighted",
    "recall": "recall_weighted",
}
_OF_PROBABILITIES = "area_under_roc_curve"

# In one request, as the server allows.
_N_SETUPS = 100
_N_RUNS = 10_000


@dataclass
class _Runs:
    """What runs have found, by setup and task."""

    scores: dict = field(default_factory=dict)  # (setup, task) to a list
    flow_of: dict = field(default_factory=dict)  # setup to the name of its flow
    n_of: Counter = field(default_factory=Counter)  # runs of a setup

    def add(self, task, evaluations):
        for setup, flow, score in evaluations:
            if score is not None and np.isfinite(score):
                self.scores.setdefault((setup, task), []).append(score)
                self.flow_of[setup] = flow
                self.n_of[setup] += 1


def import_evaluations(
    *,
    flows=None,
    tasks,
    function="predictive_accuracy",
    client=None,
    on_progress=None,
):
    """Turn public runs of scikit-learn flows on OpenML into knowledge.

    A setup of a flow becomes a configuration if skmeta has a base learner of that
    class, today's class takes its hyperparameters, and what comes before it only
    prepares columns, which base learners do in a way of their own. Several runs of one
    configuration on one task are averaged.

    Parameters
    ----------
    flows : sequence of int, default=None
        Numbers of flows, at least one. None asks for the runs of all flows.
    tasks : sequence of int
        Numbers of tasks.
    function : str, default="predictive_accuracy"
        Evaluation measure of OpenML: also ``"area_under_roc_curve"``,
        ``"unweighted_recall"``, ``"f_measure"``, ``"precision"`` or ``"recall"``.
    client : OpenMLClient, default=None
        How to ask, and where to keep the tables of the tasks. None asks as by default
        and keeps nothing.
    on_progress : callable, default=None
        Called with a line of text for each task.

    Returns
    -------
    knowledge : KnowledgeBase
        With a score by one metric and no seconds. Its two folds are the mean of the
        runs less, and plus, their standard deviation. Tasks without a score are in
        ``provenance["left_out"]``, by number, with the reason.
    unmapped : DataFrame
        Indexed by ``setup``, for those that became no configuration: ``flow``,
        ``n_runs`` and ``reason``. The most frequent come first.

    Raises
    ------
    ImportError
        If the package `openml` is not installed.
    ValueError
        If a number is none, or the function is not known.
    KnowledgeError
        If nothing was found.
    """
    if function not in list(_SCORERS):
        raise ValueError(
            f"function must be one of {list(_SCORERS)}, got: {function!r}."
            f"{did_you_mean([function], _SCORERS)}"
        )
    if flows is not None:
        flows = read_numbers("flows", flows)
        if not flows:
            raise ValueError("flows must hold at least one number, or be None.")
    if client is not None:
        return _import(client, flows, tasks, function, on_progress)
    with tempfile.TemporaryDirectory() as directory:
        return _import(OpenMLClient(directory), flows, tasks, function, on_progress)


def _import(client, flows, tasks, function, on_progress):
    sources, left_out = fetch_openml(client, tasks=tasks, on_progress=on_progress)
    number_of = {source.name: source.details["openml_task"] for source in sources}
    runs = _Runs()
    for name, number in number_of.items():
        try:
            found = _list_runs(client, number, function, flows)
        except KnowledgeError as error:
            left_out[number] = str(error)
            continue
        runs.add(name, found)
        left_out[number] = "it has no runs."
        if found:
            left_out[number] = "none of its runs became a configuration."
        if on_progress is not None:
            on_progress(f"task {number}: {len(found)} runs")
    configuration_of, unmapped = _map_setups(runs, client, function)
    cells = _average(runs, configuration_of)
    described = {}
    for source in sources:
        if source.name in cells:
            try:
                described[source.name] = _describe(source)
            except Exception as error:  # whatever a table may do
                left_out[number_of[source.name]] = str(error) or type(error).__name__
            else:
                del left_out[number_of[source.name]]
    if not described:
        raise KnowledgeError(
            f"No run by {function} on the tasks given could be used: {left_out}. "
            f"Give other tasks or flows."
        )
    provenance = {
        "source": "runs on OpenML",
        "function": function,
        "flows": flows,
        "n_runs": sum(map(len, runs.scores.values())),
        "n_runs_unmapped": int(unmapped["n_runs"].sum()),
        "left_out": {str(number): reason for number, reason in left_out.items()},
    }
    return _assemble(described, cells, _SCORERS[function], provenance), unmapped


def _list_runs(client, task, function, flows):
    """Return setup, flow and value of every run on a task, a page a request."""
    found = []
    while len(found) % _N_RUNS == 0:
        request = {"task": task, "function": function, "flows": flows}
        request |= {"offset": len(found), "size": _N_RUNS}
        page = client.ask({"evaluations": request})["evaluations"]
        if not page:
            break
        found += page
    return found


def _map_setups(runs, client, function):
    """Return the configuration of each setup that is one, and the others."""
    configuration_of, reasons, first = {}, {}, {}
    for setup, flow in runs.flow_of.items():
        try:
            read_flow(flow)
        except ValueError as error:
            reasons[setup] = str(error)
    setups = sorted(set(runs.flow_of) - set(reasons))
    for start in range(0, len(setups), _N_SETUPS):
        numbers = setups[start : start + _N_SETUPS]
        try:
            known = client.ask({"setups": numbers})["setups"]
        except KnowledgeError as error:
            reasons |= dict.fromkeys(numbers, str(error))
            continue
        for setup in numbers:
            parameters = known.get(str(setup), ())
            try:
                found = read_setup(runs.flow_of[setup], parameters)
                if function == _OF_PROBABILITIES and wants_labels(
                    runs.flow_of[setup], parameters
                ):
                    raise ValueError("without probabilities, its AUC is that of labels")
                # What does the same is the same.
                configuration_of[setup] = first.setdefault(effect(found), found)
            except ValueError as error:
                reasons[setup] = str(error)
    rows = [(s, runs.flow_of[s], runs.n_of[s], reasons[s]) for s in sorted(reasons)]
    frame = pd.DataFrame(rows, columns=["setup", "flow", "n_runs", "reason"])
    frame = frame.astype({"setup": int, "n_runs": int}).set_index("setup")
    return configuration_of, frame.sort_values("n_runs", ascending=False, kind="stable")


def _average(runs, configuration_of):
    """Return mean and standard deviation of each configuration, by task."""
    scores = {}
    for (setup, task), found in runs.scores.items():
        if setup in configuration_of:
            of_task = scores.setdefault(task, {})
            of_task.setdefault(configuration_of[setup], []).extend(found)
    return {
        task: {c: (np.mean(found), np.std(found)) for c, found in of_task.items()}
        for task, of_task in scores.items()
    }


def _describe(source):
    """Return what is known of a table."""
    frame = read_file(source.path)
    X, y = prepare_task(frame, source.target, Protocol())
    known = describe_task(frame, source.target, X, y)
    # Runs have seen all rows, however many the meta-features are of.
    known["n_rows_evaluated"] = known["n_rows"]
    return known | {
        "family": source.family,
        "domain": source.domain,
        **source.details,
    }


def _assemble(described, cells, metric, provenance):
    meta_features = {name: d.pop("meta_features") for name, d in described.items()}
    configurations = list(dict.fromkeys(c for name in described for c in cells[name]))
    column_of = {configuration: i for i, configuration in enumerate(configurations)}
    scores = np.full((len(described), len(configurations), 2), np.nan)
    for row, name in enumerate(described):
        for configuration, (mean, deviation) in cells[name].items():
            scores[row, column_of[configuration]] = mean - deviation, mean + deviation
    unknown = np.full(scores.shape[:2], np.nan)
    return KnowledgeBase(
        tasks=pd.DataFrame.from_dict(described, orient="index"),
        meta_features=pd.DataFrame.from_dict(meta_features, orient="index"),
        configurations=configurations,
        fold_scores={metric: scores},
        fit_seconds=unknown,
        predict_seconds=unknown,
        provenance=provenance,
    )
