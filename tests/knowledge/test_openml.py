import gc
import json
import os
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from skmeta import Configuration, load_knowledge
from skmeta.__main__ import main
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge import Protocol, TaskSource, _openml, build_knowledge
from skmeta.knowledge._openml import OpenMLClient, fetch_openml

sys.path.insert(0, os.path.dirname(__file__))

from openml_server import OpenMLServer

# Of recorded datasets: iris, kr-vs-kp, and one that was deactivated.
IRIS, CHESS, GLASS = 61, 3, 40675


@pytest.fixture
def server():
    server = OpenMLServer({10: IRIS, 11: GLASS})
    yield server
    server.close()


@pytest.fixture
def client(server, tmp_path, one_openml_process):
    return OpenMLClient(tmp_path, server.url, timeout=60, n_tries=3, pause=0.01)


def fetch(client, *tasks, **parameters):
    return fetch_openml(client, tasks=tasks, **parameters)


def test_a_suite(client, server):
    """What can be used is fetched once, what cannot is said."""
    said = []
    sources, skipped = fetch(client, suite="OpenML-CC18", on_progress=said.append)
    assert [source.name for source in sources] == ["iris-10"]
    assert skipped == {11: f"dataset {GLASS} is not active."}
    assert said[0] == "[1/2] task 10: iris, 150 rows"
    assert said[1].startswith("[2/2] task 11: dataset")
    [source] = sources
    assert source.family == "iris"
    assert source.details["openml_did"] == IRIS
    assert source.details["openml_task"] == 10
    assert source.details["licence_note"].lower() == "public"
    frame = pd.read_parquet(source.path)
    assert frame.shape == (150, 5)
    assert frame["__target__"].nunique() == 3
    np.testing.assert_array_equal(np.load(source.splits), np.arange(150) % 5)
    known = json.loads((client.directory / "task-10.json").read_text())
    assert known["qualities"]["NumberOfInstances"] == 150
    n_requests = len(server.requests)
    assert fetch(client, 10) == (sources, {})
    assert len(server.requests) == n_requests
    # What was refused may be otherwise by now.
    server.descriptions[GLASS]["status"] = "active"
    assert len(fetch(client, 11)[0]) == 1


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("/task/10", "database busy"),
        ("/data/61", "unavailable"),
        ("/data/61", "well-formed 502"),
        ("/data/61", "empty"),
        ("/data/61", "half"),
        ("/data/features/61", "half"),  # which stays in the cache of the package
        ("/download/61/", "half"),  # its checksum is wrong
        ("/download/61/", "cut"),
        ("/download/61/", "reset"),
        ("/splits/10", "plain 412"),
        ("/splits/10", "half"),
        ("/splits/10", "half the lines"),
    ],
)
def test_faults_that_pass(client, server, part, fault):
    """What goes wrong once is asked for again, and what was damaged is thrown out."""
    server.faults[part] = [fault]
    [source], skipped = fetch(client, 10)
    assert skipped == {}
    assert len(pd.read_parquet(source.path)) == 150
    np.testing.assert_array_equal(np.load(source.splits), np.arange(150) % 5)
    assert server.faults[part] == []  # it did happen


@pytest.mark.parametrize("fault", ["no qualities", "qualities failed", "unavailable"])
def test_qualities_may_be_missing(client, server, fault):
    server.faults["/qualities/"] = [fault] * 9
    [source], _ = fetch(client, 10)
    known = json.loads((client.directory / "task-10.json").read_text())
    assert known["qualities"] == {}
    assert source.name == "iris-10"


def test_a_silent_server(client, server):
    """It is not waited for for ever, and asked again."""
    server.faults["/data/61"] = ["silent"]
    impatient = OpenMLClient(client.directory, server.url, 5, n_tries=3, pause=0.01)
    [source], _ = fetch(impatient, 10)
    assert source.name == "iris-10"


def test_a_process_that_ends(server, tmp_path):
    """It answers as long as its client lives, and another one takes over if it dies."""
    pytest.importorskip("openml")
    client = OpenMLClient(tmp_path, server.url)
    refused = {11: f"dataset {GLASS} is not active."}
    assert fetch(client, 11)[1] == refused
    first = client._process._child
    assert fetch(client, 11)[1] == refused
    assert client._process._child is first
    first.kill()
    assert fetch(client, 11)[1] == refused
    second = client._process._child
    assert first.poll() is not None
    assert second.poll() is None
    copy = pickle.loads(pickle.dumps(client))
    assert copy == client
    assert copy._process._child is None
    del client
    gc.collect()
    assert second.poll() is not None


def test_faults_that_stay(client, server):
    """One task that cannot be had does not stop the others, and is tried next time."""
    server.tasks[12] = IRIS
    server.faults["/task/10"] = ["unavailable"] * 9
    sources, skipped = fetch(client, 10, 12)
    assert [source.name for source in sources] == ["iris-12"]
    assert "did not give {'task': 10} in 3 tries" in skipped[10]
    server.faults.clear()
    sources, skipped = fetch(client, 10, 12)
    assert len(sources) == 2


@pytest.mark.parametrize(
    ("target", "reason"), [("", "no target"), ("sepallength,class", "several targets")]
)
def test_tasks_that_cannot_be_used(client, server, target, reason):
    server.targets[10] = target
    sources, skipped = fetch(client, 10)
    assert sources == []
    assert reason in skipped[10]


def test_unknown_task_and_suite(client, server):
    _, skipped = fetch(client, 999)
    assert "Unknown task" in skipped[999]
    assert sum("/task/999" in path for path in server.requests) == 1  # not again
    with pytest.raises(KnowledgeError, match="did not give"):
        fetch(client, suite="no-such-suite")


@pytest.mark.parametrize("damage", ["label", "table", "gone"])
def test_what_was_damaged_is_fetched_again(client, damage):
    [source], _ = fetch(client, 10)
    if damage == "label":
        (client.directory / "task-10.json").write_text("")
    elif damage == "table":
        content = (client.directory / "task-10.parquet").read_bytes()
        (client.directory / "task-10.parquet").write_bytes(content[:-50])
    else:
        (client.directory / "task-10.parquet").unlink()
    [again], _ = fetch(client, 10)
    assert again == source
    assert len(pd.read_parquet(again.path)) == 150


def test_numbers_of_tasks(tmp_path):
    pytest.importorskip("openml")
    with pytest.raises(ValueError, match="must be numbers, such as 3,31"):
        fetch_openml(OpenMLClient(tmp_path / "new"), tasks=["3", "abc"])
    assert list(tmp_path.iterdir()) == []


def given_splits(tmp_path, y, fold_of):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(len(y), 2)), columns=["a", "__fold__"])
    frame.assign(target=y).to_csv(tmp_path / "t.csv", index=False)
    np.save(tmp_path / "folds.npy", fold_of)
    source = TaskSource(
        "t", str(tmp_path / "t.csv"), "target", "t", splits=str(tmp_path / "folds.npy")
    )
    return build_knowledge(
        [source],
        tmp_path / "kb.zip",
        configurations=[Configuration("gaussian_nb", {"var_smoothing": 1e-9})],
        protocol=Protocol(n_folds=3),
        resume=(tmp_path / "kb.zip").exists(),
    )


def test_given_splits(tmp_path):
    """As many folds as there are; other folds are another evaluation."""
    y = np.arange(60) % 2
    knowledge = given_splits(tmp_path, y, np.arange(60) // 2 % 6)
    assert knowledge.fold_scores("accuracy").shape == (1, 1, 6)
    assert knowledge.tasks["splits"].tolist() == ["given"]
    assert knowledge.tasks["n_features"].tolist() == [2]
    again = given_splits(tmp_path, y, np.arange(60) // 2 % 2)
    assert np.isfinite(again.fold_scores("accuracy")).sum() == 2


def test_splits_that_lack_a_class_are_not_used(tmp_path):
    """All rows of the second class are in one fold: those of the protocol are used."""
    y = np.arange(60) < 8
    knowledge = given_splits(tmp_path, y, (~y).astype(int) * (1 + np.arange(60) % 3))
    assert knowledge.fold_scores("accuracy").shape == (1, 1, 3)
    assert "splits" not in knowledge.tasks


def test_build_uses_the_splits_of_the_task(client, tmp_path):
    """Scores are those on OpenML's folds, and the licence is kept."""
    sources, _ = fetch(client, 10)
    knowledge = build_knowledge(
        sources,
        tmp_path / "kb.zip",
        configurations=[Configuration("gaussian_nb", {"var_smoothing": 1e-9})],
    )
    [task] = knowledge.tasks.to_dict("records")
    assert task["licence_note"].lower() == "public"
    assert task["splits"] == "given"
    from sklearn.naive_bayes import GaussianNB

    frame = pd.read_parquet(sources[0].path)
    y = frame.pop("__target__").to_numpy()
    fold_of = np.arange(150) % 5
    expected = [
        GaussianNB().fit(frame[fold_of != f], y[fold_of != f]).score(
            frame[fold_of == f], y[fold_of == f]
        )
        for f in range(5)
    ]  # fmt: skip
    found = knowledge.fold_scores("accuracy")[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_command_line(server, tmp_path, monkeypatch, capsys, one_openml_process):
    """One command from a suite to a knowledge base; the second has nothing to fetch."""
    command = (
        f"build --openml-suite 99 --openml-tasks 10 --output {tmp_path / 'kb.zip'} "
        f"--base-learners gaussian_nb"
    )
    monkeypatch.setattr(
        "skmeta.__main__.OpenMLClient",
        lambda directory: OpenMLClient(directory, server.url),
    )
    assert main(command.split()) == 0
    captured = capsys.readouterr()
    assert "1 tasks of 1 families" in captured.out
    assert "not active" in captured.err
    assert load_knowledge(tmp_path / "kb.zip").tasks.index.tolist() == ["iris-10"]
    n_requests = len(server.requests)
    assert main([*command.split(), "--resume"]) == 0
    more = server.requests[n_requests:]
    # The suite, and again the dataset that is not active.
    assert not [path for path in more if "/61" in path or "/task/10" in path]


def test_without_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(_openml, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install openml"):
        fetch_openml(OpenMLClient(tmp_path / "new"), tasks=[3])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.network
def test_the_live_server(tmp_path):
    """Task 59 is iris; run by pytest -m network."""
    pytest.importorskip("openml")
    sources, skipped = fetch_openml(OpenMLClient(tmp_path), tasks=[59])
    assert skipped == {}
    assert len(pd.read_parquet(sources[0].path)) == 150
