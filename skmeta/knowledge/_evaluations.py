"""Turn public runs on OpenML into knowledge."""

import tempfile
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import sklearn

from skmeta._files import read_file
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge._flows import read_setup
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
_N_SETUPS = 100  # in one request, as the server allows


@dataclass
class _Runs:
    """What runs have found, by setup and task."""

    scores: dict = field(default_factory=dict)  # (setup, task) to a list
    flow_of: dict = field(default_factory=dict)  # setup to the name of its flow

    def add(self, task, evaluations):
        for setup, flow, score in evaluations:
            if score is not None and np.isfinite(score):
                self.scores.setdefault((setup, task), []).append(score)
                self.flow_of[setup] = flow

    def count(self, setup):
        return sum(len(s) for (other, _), s in self.scores.items() if other == setup)


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
        Numbers of flows. None asks for the runs of all flows.
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
        ``provenance["left_out"]``, with the reason.
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
        If nothing was found, or OpenML could not be asked.
    """
    if function not in _SCORERS:
        raise ValueError(
            f"function must be one of {list(_SCORERS)}, got: {function!r}."
        )
    if flows is not None:
        flows = read_numbers("flows", flows)
    if client is not None:
        return _import(client, flows, tasks, function, on_progress)
    with tempfile.TemporaryDirectory() as directory:
        return _import(OpenMLClient(directory), flows, tasks, function, on_progress)


def _import(client, flows, tasks, function, on_progress):
    sources, left_out = fetch_openml(client, tasks=tasks, on_progress=on_progress)
    runs = _Runs()
    for source in sources:
        request = {
            "task": source.details["openml_task"],
            "function": function,
            "flows": flows,
        }
        answer = client.ask({"evaluations": request})
        runs.add(source.name, answer["evaluations"])
    configuration_of, unmapped = _map_setups(runs, client)
    cells = _average(runs, configuration_of)
    described, refused = _describe([s for s in sources if s.name in cells])
    left_out = {str(number): reason for number, reason in left_out.items()} | refused
    left_out |= {
        source.name: "no run of it became a configuration."
        for source in sources
        if source.name not in cells
    }
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
        "versions": {"scikit-learn": sklearn.__version__},
        "left_out": left_out,
    }
    return _assemble(described, cells, _SCORERS[function], provenance), unmapped


def _map_setups(runs, client):
    """Return the configuration of each setup that is one, and the others."""
    configuration_of, unmapped = {}, []
    setups = sorted(runs.flow_of)
    for start in range(0, len(setups), _N_SETUPS):
        numbers = setups[start : start + _N_SETUPS]
        known = client.ask({"setups": numbers})["setups"]
        for setup in numbers:
            flow = runs.flow_of[setup]
            try:
                configuration_of[setup] = read_setup(flow, known.get(str(setup), ()))
            except ValueError as error:
                unmapped.append((setup, flow, runs.count(setup), str(error)))
    frame = pd.DataFrame(unmapped, columns=["setup", "flow", "n_runs", "reason"])
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


def _describe(sources):
    """Return what is known of each table, and why some cannot be described."""
    described, refused = {}, {}
    for source in sources:
        frame = read_file(source.path)
        try:
            X, y = prepare_task(frame, source.target, Protocol())
        except ValueError as error:
            refused[source.name] = str(error)
            continue
        known = describe_task(frame, source.target, X, y)
        # Runs have seen all rows, however many the meta-features are of.
        known["n_rows_evaluated"] = known["n_rows"]
        known |= {"family": source.family, "domain": source.domain, **source.details}
        described[source.name] = known
    return described, refused


def _assemble(described, cells, metric, provenance):
    meta_features = {name: d.pop("meta_features") for name, d in described.items()}
    configurations = list(dict.fromkeys(c for name in described for c in cells[name]))
    scores = np.full((len(described), len(configurations), 2), np.nan)
    for row, name in enumerate(described):
        for configuration, (mean, deviation) in cells[name].items():
            column = configurations.index(configuration)
            scores[row, column] = mean - deviation, mean + deviation
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
