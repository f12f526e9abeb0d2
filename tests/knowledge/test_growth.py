import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmeta import Configuration, KnowledgeBase, load_knowledge
from skmeta.__main__ import main
from skmeta._base_learners import default_configurations
from skmeta._decision import TEMPERATURES, log_probabilities, tempered_losses
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge import Protocol, TaskSource, build_knowledge, find_tasks
from skmeta.knowledge._fingerprint import fingerprint
from skmeta.knowledge._scoring import METRICS, score_folds
from skmeta.knowledge._worker import evaluate_configuration, prepare_task

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks at processes by /proc"
)

FAILING = Configuration("sklearn.tree:DecisionTreeClassifier", {"max_depth": -1})
CONFIGURATIONS = [
    *(
        default_configurations([name])[0]
        for name in ("gaussian_nb", "decision_tree", "k_nearest_neighbors")
    ),
    FAILING,
]
TWO_FOLDS = Protocol(n_folds=2)
OPTIONS = {"configurations": CONFIGURATIONS, "protocol": TWO_FOLDS}


def write_table(path, seed, n_classes=2, n_rows=48):
    """Write a table of numbers, a category and gaps, whose classes can be learned."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n_rows) % n_classes
    frame = pd.DataFrame(
        {
            "length": classes + rng.normal(size=n_rows),
            "width": np.where(rng.random(n_rows) < 0.1, np.nan, rng.random(n_rows)),
            "colour": rng.choice(["red", "green", "blue"], n_rows),
            "__target__": [f"class {c}" for c in classes],
        }
    )
    frame.to_csv(path, index=False)


def names_in(line):
    """Return the task and the outcome that a line of progress tells."""
    return line.partition("] ")[2].rpartition(" in ")[0].split(": ", 1)


def assert_same_but_for_seconds(first, second):
    assert first.tasks.equals(second.tasks)
    assert first.meta_features.equals(second.meta_features)
    assert first.configuration_values == second.configuration_values
    for metric in METRICS:
        np.testing.assert_array_equal(
            first.fold_scores(metric), second.fold_scores(metric)
        )
    assert first.failures.equals(second.failures)
    assert first.provenance == second.provenance


# Finding tasks


@pytest.fixture
def directory(tmp_path):
    for name in ("b.csv", "a.csv", "c.parquet", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def test_find_tasks_in_a_directory(directory):
    """Every CSV and parquet file is a task of its own family, sorted by name."""
    tasks = find_tasks([directory])
    assert [task.name for task in tasks] == ["a", "b", "c"]
    assert tasks[0] == TaskSource(
        name="a", path=str(directory / "a.csv"), target="__target__", family="a"
    )


def test_find_tasks_by_file(directory):
    """Files may be named themselves, and one that is named twice is one task."""
    paths = [directory / "b.csv", str(directory / "b.csv"), directory / "c.parquet"]
    tasks = find_tasks(paths, target="class")
    assert [task.name for task in tasks] == ["b", "c"]
    assert {task.target for task in tasks} == {"class"}


def test_find_tasks_with_an_index(directory):
    """The index says family, domain and origin; a table it lacks is its own family."""
    index = directory / "index.csv"
    index.write_text(
        "name,family,domain,source,openml_did,comment\n"
        "a,letters,writing,OpenML,6,kept out\n"
        "b,letters,,,,\n"
        "elsewhere,letters,writing,OpenML,7,\n"
    )
    first, second, third = find_tasks([directory], index=index)
    assert (first.family, first.domain) == ("letters", "writing")
    assert first.details == {"source": "OpenML", "openml_did": 6}
    assert (second.family, second.domain, second.details) == ("letters", "", {})
    assert (third.name, third.family, third.domain) == ("c", "c", "")


def test_find_tasks_matches_names_that_look_like_numbers(tmp_path):
    """The table 2024.csv is the row 2024 of the index."""
    (tmp_path / "2024.csv").touch()
    (tmp_path / "index.csv").write_text("name,family,domain\n2024,years,calendar\n")
    (task,) = find_tasks([tmp_path], index=tmp_path / "index.csv")
    assert (task.name, task.family, task.domain) == ("2024", "years", "calendar")


def test_find_tasks_refuses_two_of_one_name(directory):
    """Two files of one name, in whatever directories or formats, are an error."""
    (directory / "a.parquet").touch()
    with pytest.raises(ValueError, match=r"got more than one of \['a'\]\. Rename"):
        find_tasks([directory])


def test_find_tasks_without_any_table(tmp_path):
    """A directory without tables is an error that shows it."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"at least one \.csv, \.tsv or"):
        find_tasks([tmp_path])


def test_find_tasks_in_a_missing_path(tmp_path):
    """A path where nothing is is an error that shows it."""
    with pytest.raises(FileNotFoundError, match=r"No file or directory '.*nowhere'"):
        find_tasks([tmp_path / "nowhere"])


def test_index_must_have_names(directory):
    """An index without a column of names is an error that shows its columns."""
    index = directory / "index.csv"
    index.write_text("family,domain\nletters,writing\n")
    with pytest.raises(ValueError, match=r"index\.csv must have a column 'name', got"):
        find_tasks([directory], index=index)


# The rows that are evaluated


def table_of(classes):
    return pd.DataFrame({"x": np.arange(len(classes)), "class": list(classes)})


def test_prepare_task_numbers_the_classes():
    """Classes become numbers in their order, and the index starts anew."""
    frame = table_of("bbabaa").set_index(np.arange(10, 16))
    X, y = prepare_task(frame, "class", TWO_FOLDS)
    assert y.tolist() == [1, 1, 0, 1, 0, 0]
    assert X.columns.tolist() == ["x"]
    assert X.index.tolist() == list(range(6))


def test_prepare_task_leaves_out_what_has_no_class_or_too_few_rows():
    """Rows without a class go, and classes with fewer rows than folds."""
    frame = table_of(["a", "b", None, "a", "b", "rare"])
    X, y = prepare_task(frame, "class", TWO_FOLDS)
    assert X["x"].tolist() == [0, 1, 3, 4]
    assert y.tolist() == [0, 1, 0, 1]


def test_prepare_task_samples_large_tables():
    """Of 200 rows, three quarters of them a, 40 are taken and 30 of them are a."""
    protocol = Protocol(n_folds=2, max_rows=40)
    X, y = prepare_task(table_of("aaab" * 50), "class", protocol)
    assert np.bincount(y).tolist() == [30, 10]
    again, _ = prepare_task(table_of("aaab" * 50), "class", protocol)
    assert X.equals(again)


@pytest.mark.parametrize(
    "classes",
    ["ab" * 10 + "a", "ab" * 10 + "r"],
    ids=["one_row_beyond_the_limit", "at_the_limit_without_a_rare_class"],
)
def test_prepare_task_takes_tables_barely_beyond_the_limit(classes):
    """A table of 21 rows, of which 20 may be evaluated, is not refused."""
    X, y = prepare_task(table_of(classes), "class", Protocol(n_folds=2, max_rows=20))
    assert 18 <= len(X) == len(y) <= 20
    assert np.bincount(y).min() >= 9


@pytest.mark.parametrize(
    ("classes", "n_found"), [("aaaa", 1), ("aaab", 1), ("abcd", 0), ([None, None], 0)]
)
def test_prepare_task_needs_two_classes(classes, n_found):
    """Fewer than two classes with a row for each fold are an error."""
    message = f"at least two classes of 2 rows or more, got: {n_found}"
    with pytest.raises(ValueError, match=message):
        prepare_task(table_of(classes), "class", TWO_FOLDS)


def test_prepare_task_needs_the_target():
    """A target that is no column is an error that lists the columns."""
    message = r"target must be a column .* got: 'kind'\. Its columns are \['x', 'class'"
    with pytest.raises(ValueError, match=message):
        prepare_task(table_of("abab"), "kind", TWO_FOLDS)


@pytest.mark.parametrize(
    ("n_folds", "n_rows", "expected"), [(5, 5000, 5), (5, 5001, 3), (2, 5001, 2)]
)
def test_protocol_takes_three_folds_of_many_rows(n_folds, n_rows, expected):
    """Above 5,000 rows there are three folds at most, each with its part of a class."""
    y = np.arange(n_rows) % 10 // 9
    fold_of = Protocol(n_folds).split(y)
    of_class = np.stack([np.bincount(fold_of[y == c]) for c in (0, 1)])
    assert of_class.shape == (2, expected)
    assert np.ptp(of_class, axis=1).max() <= 1
    assert (fold_of == Protocol(n_folds).split(y)).all()
    assert (fold_of != Protocol(n_folds, random_state=1).split(y)).any()


# Scores of folds


def overconfident(n_rows=300, n_folds=3, n_classes=3, seed=0):
    """Return classes, folds and probabilities that are surer than they should be."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(n_classes, 0.6), n_rows)
    y = np.array([rng.choice(n_classes, p=row) for row in probabilities])
    sure = probabilities**3
    return y, np.arange(n_rows) % n_folds, sure / sure.sum(axis=1, keepdims=True)


def test_score_folds_worked_example():
    """Two of four right; of the four pairs of a 0 and a 1, two and a half in order.

    The second fold is as the first one.
    """
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5], [0.25, 0.75]])
    scores = score_folds(
        np.array([0, 0, 1, 1] * 2), np.repeat([0, 1], 4), np.tile(probabilities, (2, 1))
    )
    assert set(scores) == set(METRICS)
    assert scores["accuracy"] == [0.5, 0.5]
    assert scores["balanced_accuracy"] == [0.5, 0.5]
    assert scores["f1_macro"] == [0.5, 0.5]
    assert scores["roc_auc_ovr_weighted"] == [0.625, 0.625]
    expected = np.mean(np.log([0.75, 0.25, 0.5, 0.75]))
    assert scores["neg_log_loss"] == pytest.approx([expected, expected])


def test_score_folds_of_a_fold_without_a_class():
    """A class of the task that a fold lacks has a column and makes no NaN."""
    probabilities = np.tile(0.1 + 0.7 * np.eye(3), (2, 1))
    y, fold_of = np.array([0, 1, 1, 0, 1, 2]), np.repeat([0, 1], 3)
    scores = score_folds(y, fold_of, probabilities)
    assert scores["accuracy"] == pytest.approx([2 / 3, 1])
    assert scores["balanced_accuracy"] == [0.75, 1]
    first = pytest.approx(1 / 3 * 1 + 2 / 3 * 0.75)
    assert scores["roc_auc_ovr_weighted"] == [first, 1]
    assert np.isfinite([scores[metric] for metric in METRICS]).all()


def test_score_folds_tunes_the_temperature_on_the_other_folds():
    """Each fold is scored at the temperature that is best for all the others."""
    y, fold_of, probabilities = overconfident()
    scores = score_folds(y, fold_of, probabilities)
    losses = tempered_losses(log_probabilities(probabilities), y)
    for fold, score in enumerate(scores["neg_log_loss_calibrated"]):
        best = losses[:, fold_of != fold].sum(axis=1).argmin()
        assert TEMPERATURES[best] > 1.5
        assert score == pytest.approx(-losses[best, fold_of == fold].mean())
        assert score > scores["neg_log_loss"][fold]


def test_score_folds_tunes_labels_for_the_metric():
    """On skewed classes, weights raise balanced accuracy and leave accuracy be."""
    rng = np.random.default_rng(0)
    rare = rng.beta(0.5, 4.5, 3000)
    y, fold_of = (rng.random(3000) < rare).astype(int), np.arange(3000) % 3
    scores = score_folds(y, fold_of, np.column_stack([1 - rare, rare]))
    scores = {metric: np.mean(values) for metric, values in scores.items()}
    assert scores["balanced_accuracy_tuned"] > scores["balanced_accuracy"] + 0.1
    assert scores["f1_macro_tuned"] > scores["f1_macro"] + 0.02
    assert scores["accuracy_tuned"] == pytest.approx(scores["accuracy"], abs=0.005)


def test_score_folds_of_shuffled_rows():
    """The order of the rows does not matter."""
    y, fold_of, probabilities = overconfident()
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = score_folds(y[order], fold_of[order], probabilities[order])
    for metric, scores in score_folds(y, fold_of, probabilities).items():
        assert shuffled[metric] == pytest.approx(scores)


@pytest.mark.filterwarnings("ignore:Only one class is present")
def test_score_folds_refuses_what_is_not_finite():
    """A score that is no number, as of a fold with one class, is an error."""
    y, fold_of = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    with pytest.raises(ValueError, match="roc_auc_ovr_weighted is nan"):
        score_folds(y, fold_of, np.full((4, 2), 0.5))


def test_evaluate_configuration_gives_what_it_scored():
    """The scores are those of the probabilities, and every row has some."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = pd.DataFrame({"x": y + rng.normal(size=60), "z": rng.normal(size=60)})
    fold_of, begun = TWO_FOLDS.split(y), []
    cell, probabilities = evaluate_configuration(
        CONFIGURATIONS[0], X, y, fold_of, 0, on_fold=lambda: begun.append(1)
    )
    assert len(begun) == 2
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert cell["scores"] == score_folds(y, fold_of, probabilities)
    assert min(cell["fit_seconds"], cell["predict_seconds"]) > 0


# Building


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three tables, one of them of three classes, and one that has a single class."""
    directory = tmp_path_factory.mktemp("tables")
    write_table(directory / "alpha.csv", seed=1)
    write_table(directory / "beta.csv", seed=2, n_classes=3)
    write_table(directory / "gamma.csv", seed=3)
    write_table(directory / "one_class.csv", seed=4, n_classes=1)
    return directory


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """The directory of the probabilities of `built`."""
    return tmp_path_factory.mktemp("predictions") / "not there before"


@pytest.fixture(scope="module")
def built(tables, predictions, tmp_path_factory):
    """What is built from the tables in one go, its file, and the lines it said."""
    output = tmp_path_factory.mktemp("built") / "built.zip"
    lines = []
    knowledge = build_knowledge(
        find_tasks([tables]),
        output,
        predictions=predictions,
        on_progress=lines.append,
        **OPTIONS,
    )
    return knowledge, output, lines


def test_build_has_a_score_for_every_task_and_configuration(built):
    """Scores are finite, and in range, wherever a configuration can be fitted."""
    knowledge, _, _ = built
    assert knowledge.tasks.index.tolist() == ["alpha", "beta", "gamma"]
    assert knowledge.configuration_values == tuple(CONFIGURATIONS)
    assert knowledge.metrics == sorted(METRICS)
    for metric in METRICS:
        folds = knowledge.fold_scores(metric)
        assert folds.shape == (3, 4, 2)
        assert np.isfinite(folds[:, :3]).all()
        if not metric.startswith("neg_log_loss"):
            assert folds[:, :3].min() >= 0
            assert folds[:, :3].max() <= 1
    assert (knowledge.fit_seconds.iloc[:, :3] > 0).all(axis=None)
    assert (knowledge.predict_seconds.iloc[:, :3] > 0).all(axis=None)


def test_build_describes_the_tasks(built):
    """Sizes and meta-features are those of the tables."""
    knowledge, _, _ = built
    assert knowledge.tasks["n_rows"].tolist() == [48, 48, 48]
    assert knowledge.tasks["n_features"].tolist() == [3, 3, 3]
    assert knowledge.tasks["n_classes"].tolist() == [2, 3, 2]
    assert knowledge.tasks["family"].tolist() == ["alpha", "beta", "gamma"]
    assert knowledge.meta_features["nr_inst"].tolist() == [48, 48, 48]


def test_build_knows_the_tables_again(built, tables):
    """By the hash of the file and of the target's name, and by their content."""
    for name, task in built[0].tasks.iterrows():
        content = (tables / f"{name}.csv").read_bytes() + b"__target__"
        assert task["file_hash"] == hashlib.sha256(content).hexdigest()
        frame = pd.read_csv(tables / f"{name}.csv")
        target = frame.pop("__target__")
        assert task["fingerprint"] == fingerprint(frame, target)


def test_build_records_failures(built):
    """A configuration that cannot be fitted has no score and the error says why."""
    knowledge, _, _ = built
    failures = knowledge.failures
    assert failures["task"].tolist() == ["alpha", "beta", "gamma"]
    assert set(failures["configuration"]) == {FAILING.name}
    assert failures["error"].str.contains("max_depth").all()
    assert knowledge.scores("accuracy")[FAILING.name].isna().all()
    assert knowledge.fit_seconds[FAILING.name].isna().all()


def test_build_leaves_out_what_cannot_be_used(built):
    """A table of one class is left out, and the provenance says why."""
    knowledge, _, lines = built
    (name, reason), *others = knowledge.provenance["left_out"].items()
    assert not others
    assert name == "one_class"
    assert reason.startswith("the target must have at least two classes")
    assert sum("one_class: left out: the target must" in line for line in lines) == 1


def test_build_tells_where_it_comes_from(built):
    """The provenance holds the protocol and the versions of what was used."""
    provenance = built[0].provenance
    assert provenance["protocol"]["n_folds"] == 2
    assert provenance["protocol"]["time_limit"] == 60
    assert {"python", "numpy", "scikit-learn"} <= set(provenance["versions"])


def test_build_tells_its_progress(built):
    """One line a task, counted up to the last."""
    _, _, lines = built
    assert [line.split("]")[0] for line in lines] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert sum("3 evaluated, 1 failed" in line for line in lines) == 3


def test_build_begins_with_the_smallest_files(built, tables):
    """With one process the order is that of the sizes."""
    order = [names_in(line)[0] for line in built[2]]
    sizes = [(tables / f"{name}.csv").stat().st_size for name in order]
    assert len(set(sizes)) > 1
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("task", ["alpha", "beta", "gamma"])
def test_build_writes_predictions(built, predictions, task):
    """They are those that were scored, with the classes and folds of their rows."""
    knowledge = built[0]
    directory = predictions / task
    names = [c.name for c in CONFIGURATIONS if c is not FAILING]
    assert {path.stem for path in directory.glob("*.npy")} == {"y", "fold", *names}
    y, fold_of = np.load(directory / "y.npy"), np.load(directory / "fold.npy")
    accuracy = knowledge.fold_scores("accuracy")
    row = knowledge.tasks.index.get_loc(task)
    for column, name in enumerate(names):
        probabilities = np.load(directory / f"{name}.npy")
        assert probabilities.dtype == np.float16
        assert probabilities.shape == (48, knowledge.tasks.loc[task, "n_classes"])
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=2e-3)
        right = probabilities.argmax(axis=1) == y
        for fold in (0, 1):
            mean = right[fold_of == fold].mean()
            assert accuracy[row, column, fold] == pytest.approx(mean, abs=1e-5)


def test_build_without_usable_rows_writes_no_predictions(built, predictions):
    """A table that is left out has no directory."""
    assert sorted(os.listdir(predictions)) == ["alpha", "beta", "gamma"]


def test_build_writes_what_it_returns(built):
    """The file loads equal, and no partial file is left beside it."""
    knowledge, output, _ = built
    assert load_knowledge(output) == knowledge
    assert os.listdir(output.parent) == ["built.zip"]


def test_build_does_not_depend_on_n_jobs(built, tables, tmp_path):
    """Two processes give the scores of one."""
    in_two = build_knowledge(
        find_tasks([tables]), tmp_path / "two.zip", n_jobs=2, **OPTIONS
    )
    assert_same_but_for_seconds(in_two, built[0])


def test_build_of_nothing_usable(tables, tmp_path):
    """If no table can be used the error gives the reasons."""
    message = r"No task could be evaluated\. one_class: the target must have at least"
    with pytest.raises(KnowledgeError, match=message):
        build_knowledge(
            find_tasks([tables / "one_class.csv"]),
            tmp_path / "nothing.zip",
            configurations=CONFIGURATIONS,
        )
    assert not (tmp_path / "nothing.zip").exists()


def test_mended_table_is_taken_when_resumed(tmp_path):
    """A table that was refused is tried again, and a vain build leaves nothing."""
    table = tmp_path / "table.csv"
    pd.DataFrame({"x": range(9), "__target__": "one class"}).to_csv(table, index=False)
    output = tmp_path / "out.zip"
    build = {"configurations": CONFIGURATIONS[:1], "protocol": TWO_FOLDS}
    with pytest.raises(KnowledgeError, match="No task could be evaluated"):
        build_knowledge(find_tasks([table]), output, **build)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    write_table(table, seed=0)
    knowledge = build_knowledge(find_tasks([table]), output, resume=True, **build)
    assert knowledge.tasks.index.tolist() == ["table"]


def test_build_with_all_cores(tables, tmp_path):
    """A negative number of jobs means what it means in joblib; zero is refused."""
    tasks, output = find_tasks([tables]), tmp_path / "out.zip"
    build = {"configurations": CONFIGURATIONS[:1], "protocol": TWO_FOLDS}
    assert len(build_knowledge(tasks, output, n_jobs=-1, **build).tasks) > 0
    with pytest.raises(ValueError, match="n_jobs"):
        build_knowledge(tasks, tmp_path / "other.zip", n_jobs=0, **build)


def test_build_refuses_other_endings(tables, tmp_path):
    """An output that does not end in .zip is refused before anything is done."""
    with pytest.raises(
        ValueError, match=r"ends in one of \['\.zip'\], got: 'out\.npz'"
    ):
        build_knowledge(find_tasks([tables]), tmp_path / "out.npz")
    assert os.listdir(tmp_path) == []


def test_build_refuses_a_missing_directory(tables, tmp_path):
    """An output in a directory that is not there is refused, and says what to do."""
    output = tmp_path / "nowhere" / "out.zip"
    with pytest.raises(FileNotFoundError, match=r"No directory '.*nowhere'.*Create it"):
        build_knowledge(find_tasks([tables]), output)


# Fits that go wrong

TROUBLED = """
    import os
    import signal
    import sys
    import time
    from pathlib import Path

    import numpy as np
    from sklearn.naive_bayes import GaussianNB

    class SleepyClassifier(GaussianNB):
        def fit(self, X, y):
            Path(__file__).with_name("asleep").touch()
            time.sleep(300)

    class BusyClassifier(GaussianNB):
        def fit(self, X, y):
            while True:
                pass

    class KilledClassifier(GaussianNB):
        def fit(self, X, y):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    class TalkativeClassifier(GaussianNB):
        def fit(self, X, y):
            print('{"event": "done"}', flush=True)
            sys.stdout.write("and no newline")
            os.write(1, b"not JSON at all")
            return super().fit(X, y)

    class HungryClassifier(GaussianNB):
        def fit(self, X, y):
            np.ones(2**34)

    class UncertainClassifier(GaussianNB):
        def predict_proba(self, X):
            return np.full((len(X), len(self.classes_)), np.nan)
"""


@pytest.fixture(scope="module")
def troubled_classifiers(tmp_path_factory):
    """A directory on the path of new processes with a module of such classifiers."""
    directory = tmp_path_factory.mktemp("troubled")
    (directory / "troubled.py").write_text(textwrap.dedent(TROUBLED))
    with pytest.MonkeyPatch.context() as patch:
        before = os.environ.get("PYTHONPATH")
        after = [str(directory)] if before is None else [str(directory), before]
        patch.setenv("PYTHONPATH", os.pathsep.join(after))
        yield directory


@pytest.fixture(scope="module")
def survived(tables, troubled_classifiers, tmp_path_factory):
    """What is built when fits hang, kill their process, print and take all memory."""
    on_linux = sys.platform.startswith("linux")
    names = ["Sleepy", "Busy", "Killed", "Talkative", "Uncertain"]
    names += ["Hungry"] * on_linux
    return build_knowledge(
        find_tasks([tables / "alpha.csv"]),
        tmp_path_factory.mktemp("survived") / "survived.zip",
        configurations=[
            *(Configuration(f"troubled:{name}Classifier") for name in names),
            Configuration("sklearn.naive_bayes:GaussianNB"),
        ],
        protocol=TWO_FOLDS,
        time_limit=1.5,
        memory_limit=8192 if on_linux else None,
    )


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Sleepy", "Stopped after 9 s by the clock."),
        ("Busy", "Stopped after 1.5 s."),
        ("Killed", "The process ended, perhaps for want of memory."),
        pytest.param("Hungry", "MemoryError", marks=on_linux),
        ("Uncertain", "ValueError: Input contains NaN"),
    ],
)
def test_build_survives(survived, name, error):
    """A fit that goes wrong is recorded with its reason and has no score."""
    name = Configuration(f"troubled:{name}Classifier").name
    by_name = survived.failures.set_index("configuration")["error"]
    assert error in by_name[name]
    assert survived.scores("accuracy")[name].isna().all()


def test_build_survives_what_fits_print(survived):
    """Printing to standard output does not disturb: the scores are those without it."""
    talkative = Configuration("troubled:TalkativeClassifier").name
    silent = Configuration("sklearn.naive_bayes:GaussianNB").name
    scores = survived.scores("accuracy").loc["alpha"]
    assert np.isfinite(scores[silent])
    assert scores[talkative] == scores[silent]


# Going on after a stop


def partial_of(output):
    return output.with_name(output.name + ".partial")


def tasks_in(partial):
    """Return the records of tasks in a partial file, in the order they were done."""
    records = [json.loads(line) for line in partial.read_text().splitlines()]
    assert list(records[0]) == ["protocol"]
    return [record for record in records if "task" in record]


def stop_after_the_first_task(line):
    raise KeyboardInterrupt


def test_interrupted_build_saves_what_is_done_and_resumes(built, tables, tmp_path):
    """Ctrl-C saves the finished task; going on does the others, and only those.

    A last line cut short, as by a kill, does no harm.
    """
    output = tmp_path / "out.zip"
    tasks = find_tasks([tables])
    with pytest.raises(KeyboardInterrupt, match="by --resume"):
        build_knowledge(tasks, output, on_progress=stop_after_the_first_task, **OPTIONS)
    begun = load_knowledge(output)
    assert len(begun.tasks) + len(begun.provenance["left_out"]) == 1
    finished = partial_of(output).read_bytes()
    assert len(tasks_in(partial_of(output))) == 1
    partial_of(output).write_bytes(finished + b'{"task": {"name": "alp')

    seen = []

    def look(line):
        seen.append(line)
        assert partial_of(output).read_bytes().startswith(finished)

    resumed = build_knowledge(tasks, output, resume=True, on_progress=look, **OPTIONS)
    assert len(seen) == 3
    assert_same_but_for_seconds(resumed, built[0])
    assert load_knowledge(output) == resumed
    assert not partial_of(output).exists()


def test_resumed_build_does_other_tables_again(tmp_path):
    """What was done of another target, or before the table changed, is not taken."""
    table, output = tmp_path / "table.csv", tmp_path / "out.zip"
    build = {"configurations": CONFIGURATIONS[:1], "protocol": TWO_FOLDS}

    def begin():
        with pytest.raises(KeyboardInterrupt):
            build_knowledge(
                find_tasks([table]),
                output,
                on_progress=stop_after_the_first_task,
                resume=True,
                **build,
            )
        return len(tasks_in(partial_of(output)))

    write_table(table, seed=0)
    assert begin() == 1
    write_table(table, seed=1)
    assert begin() == 2
    target = build_knowledge(
        find_tasks([table], target="colour"), output, resume=True, **build
    )
    assert target.tasks.loc["table", "n_classes"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_limit": -1}, "time_limit must be a number > 0, got: -1"),
        ({"memory_limit": 0}, "memory_limit must be a number > 0, got: 0"),
        ({"configurations": [Configuration("forest")]}, "must be one or more of"),
        (
            {"configurations": [Configuration("gaussian_nb", {"smoothing": 1})]},
            "hyperparameter must be one of",
        ),
    ],
)
def test_build_checks_what_it_is_given(tables, tmp_path, options, message):
    """What cannot work is refused before any table is read."""
    with pytest.raises(ValueError, match=message):
        build_knowledge(find_tasks([tables]), tmp_path / "out.zip", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("values", [{"n_folds": 1}, {"max_rows": 3}])
def test_protocol_checks_its_numbers(values):
    """Fewer than two folds, or rows for them, are no protocol."""
    with pytest.raises(ValueError, match="must be at least"):
        Protocol(**values)


def write_partial(output, protocol):
    partial_of(output).write_text(json.dumps({"protocol": asdict(protocol)}) + "\n")


def test_partial_file_without_resume(tables, tmp_path):
    """An unfinished build is not overwritten unasked; the error says what to do."""
    output = tmp_path / "out.zip"
    write_partial(output, TWO_FOLDS)
    content = partial_of(output).read_bytes()
    message = r"out\.zip\.partial holds an unfinished build\. .*resume.*or delete it"
    with pytest.raises(KnowledgeError, match=message):
        build_knowledge(find_tasks([tables]), output, **OPTIONS)
    assert partial_of(output).read_bytes() == content


def test_partial_file_of_another_protocol(tables, tmp_path):
    """Going on with other folds is an error, and changes nothing."""
    output = tmp_path / "out.zip"
    write_partial(output, Protocol(n_folds=5))
    content = partial_of(output).read_bytes()
    message = r"out\.zip\.partial was begun with another protocol"
    with pytest.raises(KnowledgeError, match=message):
        build_knowledge(find_tasks([tables]), output, resume=True, **OPTIONS)
    assert partial_of(output).read_bytes() == content


def test_partial_file_that_is_something_else(tables, tmp_path):
    """Going on with a file of another kind is an error that names it."""
    output = tmp_path / "out.zip"
    partial_of(output).write_text("not a build\nat all\n")
    with pytest.raises(KnowledgeError, match=r"out\.zip\.partial"):
        build_knowledge(find_tasks([tables]), output, resume=True)
    assert partial_of(output).read_text() == "not a build\nat all\n"


@on_linux
def test_two_builds_of_one_output_are_refused(tables, tmp_path):
    """While one build writes its partial file, another cannot go on with it."""
    import fcntl

    output = tmp_path / "out.zip"
    with partial_of(output).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(KnowledgeError, match="being written by another build"):
            build_knowledge(find_tasks([tables]), output, resume=True)


# Growing what is there


@pytest.fixture
def grown(built, tmp_path):
    """A copy of the file of `built`, to be gone on from."""
    return Path(shutil.copy(built[1], tmp_path / "grown.zip"))


def usable(tables):
    """Return the tasks of the tables that are not left out."""
    return [task for task in find_tasks([tables]) if task.name != "one_class"]


def grow(tasks, output, **options):
    """Go on from a file; return the knowledge, and task and outcome of each line."""
    lines = []
    knowledge = build_knowledge(
        tasks, output, resume=True, on_progress=lines.append, **(OPTIONS | options)
    )
    return knowledge, dict(map(names_in, lines))


def same_parts(knowledge, **changes):
    """Return a knowledge base with some of its parts replaced."""
    parts = {
        "tasks": knowledge.tasks,
        "meta_features": knowledge.meta_features,
        "configurations": knowledge.configuration_values,
        "fold_scores": {m: knowledge.fold_scores(m) for m in knowledge.metrics},
        "fit_seconds": knowledge.fit_seconds.to_numpy(),
        "predict_seconds": knowledge.predict_seconds.to_numpy(),
        "failures": knowledge.failures,
        "provenance": knowledge.provenance,
    }
    return KnowledgeBase(**(parts | changes))


def test_grown_knowledge_is_that_of_one_build(built, tables, tmp_path):
    """Tables and configurations are added by evaluating them and nothing else."""
    output = tmp_path / "grown.zip"
    grow(usable(tables)[1:], output, configurations=CONFIGURATIONS[:2])
    begun = load_knowledge(output)
    assert (len(begun.tasks), len(begun.configurations)) == (2, 2)

    knowledge, outcomes = grow(
        find_tasks([tables]), output, predictions=tmp_path / "predictions"
    )
    assert_same_but_for_seconds(knowledge, built[0])
    assert load_knowledge(output) == knowledge
    assert set(outcomes) == {"alpha", "beta", "gamma", "one_class"}
    first, second, third, _ = (c.name for c in CONFIGURATIONS)
    assert {
        path.name: {file.stem for file in path.glob("*.npy")} - {"y", "fold"}
        for path in (tmp_path / "predictions").iterdir()
    } == {"alpha": {first, second, third}, "beta": {third}, "gamma": {third}}
    # Seconds never repeat, so equal ones are those that were measured before.
    kept = knowledge.fit_seconds.loc[["beta", "gamma"], [first, second]]
    assert kept.equals(begun.fit_seconds)


def test_grown_by_nothing(built, tables, grown):
    """If all is there nothing is evaluated and everything stays, to the seconds."""
    knowledge, outcomes = grow(usable(tables), grown)
    assert outcomes == {}
    assert knowledge == same_parts(built[0], provenance=knowledge.provenance)
    assert os.listdir(grown.parent) == ["grown.zip"]


def test_grown_keeps_what_was_not_asked_for(built, tables, grown):
    """Tables and configurations that are left out this time stay as they are."""
    knowledge, outcomes = grow(
        usable(tables)[:1], grown, configurations=CONFIGURATIONS[2:]
    )
    assert outcomes == {}
    assert knowledge == same_parts(built[0], provenance=knowledge.provenance)


def test_grown_under_other_limits(tables, grown):
    """Limits may change, and those of the last build are told."""
    knowledge, outcomes = grow(usable(tables), grown, time_limit=30, memory_limit=4096)
    assert outcomes == {}
    assert knowledge.provenance["protocol"] == asdict(TWO_FOLDS) | {
        "time_limit": 30,
        "memory_limit": 4096,
    }


def test_grown_takes_what_the_index_says_by_now(built, tables, grown, tmp_path):
    """Families and origins may be told later, without evaluating anything."""
    index = tmp_path / "index.csv"
    index.write_text("name,family,domain,source\nalpha,greek,letters,own\n")
    tasks = find_tasks([tables / "alpha.csv"], index=index)
    knowledge, outcomes = grow(tasks, grown)
    assert outcomes == {}
    assert knowledge.tasks["family"].tolist() == ["greek", "beta", "gamma"]
    assert knowledge.tasks["source"].tolist() == ["own", None, None]
    assert knowledge.fit_seconds.equals(built[0].fit_seconds)


def test_grown_evaluates_a_changed_table_again(built, tables, grown, tmp_path):
    """Rows put into another table's place get the scores that these rows have."""
    changed = tmp_path / "tables"
    shutil.copytree(tables, changed)
    shutil.copy(tables / "alpha.csv", changed / "gamma.csv")
    knowledge, outcomes = grow(usable(changed), grown)
    assert outcomes == {"gamma": "3 evaluated, 1 failed"}
    for metric in METRICS:
        alpha, beta, gamma = knowledge.fold_scores(metric)
        np.testing.assert_array_equal(gamma, alpha)
        np.testing.assert_array_equal([alpha, beta], built[0].fold_scores(metric)[:2])
    for column in ("fingerprint", "file_hash"):
        assert knowledge.tasks[column]["gamma"] == knowledge.tasks[column]["alpha"]
    assert knowledge.fit_seconds[:2].equals(built[0].fit_seconds[:2])


@pytest.mark.parametrize(
    "protocol",
    [
        Protocol(n_folds=3),
        Protocol(n_folds=2, max_rows=40),
        Protocol(n_folds=2, random_state=1),
    ],
)
def test_grown_by_another_protocol(tables, grown, protocol):
    """Scores of other folds, rows or seeds are not mixed, and the file stays."""
    content = grown.read_bytes()
    with pytest.raises(KnowledgeError, match=r"another protocol .*or another output"):
        grow(usable(tables), grown, protocol=protocol)
    assert grown.read_bytes() == content


def test_grown_without_a_protocol(built, tables, grown):
    """A knowledge base that does not say how it came about is not gone on from."""
    same_parts(built[0], provenance={}).save(grown)
    with pytest.raises(KnowledgeError, match="another protocol"):
        grow(usable(tables), grown)


def test_refused_growth_leaves_nothing(tables, grown):
    """After the refusal a fresh build with that protocol can begin."""
    with pytest.raises(KnowledgeError, match="another protocol"):
        grow(usable(tables), grown, protocol=Protocol(n_folds=3))
    assert os.listdir(grown.parent) == ["grown.zip"]


@pytest.mark.parametrize("renamed", [{}, {"f1_macro_tuned": "f1"}])
def test_grown_from_other_metrics(built, tables, grown, renamed):
    """Scores of a version that lacked a metric, or had another, are not left so."""
    scores = {m: built[0].fold_scores(m) for m in METRICS if m != "f1_macro_tuned"}
    scores |= {new: built[0].fold_scores(old) for old, new in renamed.items()}
    same_parts(built[0], fold_scores=scores).save(grown)
    knowledge, _ = grow(usable(tables), grown)
    assert knowledge.metrics == sorted(METRICS)
    for metric in METRICS:
        np.testing.assert_array_equal(
            knowledge.fold_scores(metric), built[0].fold_scores(metric)
        )


def test_predictions_of_a_changed_table_replace_all_earlier_ones(
    tables, grown, predictions, tmp_path
):
    """None of other rows stays beside the classes and folds of the new ones."""
    shutil.copytree(predictions, tmp_path / "predictions")
    write_table(tmp_path / "gamma.csv", seed=3, n_rows=60)
    grow(
        find_tasks([tmp_path / "gamma.csv"]),
        grown,
        configurations=CONFIGURATIONS[:1],
        predictions=tmp_path / "predictions",
    )
    files = (tmp_path / "predictions" / "gamma").glob("*.npy")
    assert {file.name: len(np.load(file)) for file in files} == {
        "y.npy": 60,
        "fold.npy": 60,
        f"{CONFIGURATIONS[0].name}.npy": 60,
    }


def with_old_meta_features(knowledge):
    """Return the knowledge as of an extractor that had another name for a number."""
    old = knowledge.meta_features.rename(columns={"nr_inst": "number_of_rows"})
    return same_parts(knowledge, meta_features=old + 1)


def test_grown_computes_old_meta_features_anew(built, tables, grown, tmp_path):
    """Tables are described again, without fitting anything."""
    with_old_meta_features(built[0]).save(grown)
    knowledge, outcomes = grow(usable(tables), grown, predictions=tmp_path / "none")
    assert set(outcomes) == {"alpha", "beta", "gamma"}
    assert knowledge == same_parts(built[0], provenance=knowledge.provenance)
    written = {path.stem for path in (tmp_path / "none").glob("*/*.npy")}
    assert written == {"y", "fold"}


def test_grown_from_old_meta_features_of_a_table_not_asked_for(built, tables, grown):
    """What cannot be described again is an error that names it, and nothing is lost."""
    with_old_meta_features(built[0]).save(grown)
    content = grown.read_bytes()
    with pytest.raises(KnowledgeError, match="beta"):
        grow(usable(tables)[:1], grown)
    assert grown.read_bytes() == content


def test_interrupted_growth_from_old_meta_features(built, tables, grown):
    """Ctrl-C before all are described again is told as such, and can be gone on."""
    with_old_meta_features(built[0]).save(grown)
    with pytest.raises(KeyboardInterrupt):
        build_knowledge(
            usable(tables),
            grown,
            resume=True,
            on_progress=stop_after_the_first_task,
            **OPTIONS,
        )


def test_a_finished_file_is_not_overwritten(built, tables, tmp_path):
    """Without resume its tasks would be gone."""
    output = tmp_path / "out.zip"
    built[0].save(output)
    content = output.read_bytes()
    with pytest.raises(KnowledgeError, match=r"out\.zip is there already\. Add to it"):
        build_knowledge(usable(tables), output, **OPTIONS)
    assert output.read_bytes() == content
    assert not partial_of(output).exists()


def test_partial_file_with_old_meta_features(built, tables, tmp_path):
    """An unfinished build of an earlier extractor is described again too."""
    output = tmp_path / "out.zip"
    tasks = usable(tables)[:2]
    with pytest.raises(KeyboardInterrupt):
        build_knowledge(tasks, output, on_progress=stop_after_the_first_task, **OPTIONS)
    output.unlink()
    partial = partial_of(output)
    partial.write_text(partial.read_text().replace('"nr_inst"', '"number_of_rows"'))
    knowledge, _ = grow(tasks, output)
    assert knowledge.meta_features.equals(built[0].meta_features[:2])


def test_interrupted_growth_keeps_what_was_there(built, tables, grown):
    """After Ctrl-C the file is as before, and what is done by then is not lost."""
    configurations = [
        *CONFIGURATIONS,
        Configuration("sklearn.naive_bayes:GaussianNB"),
    ]
    before = grown.read_bytes()
    with pytest.raises(KeyboardInterrupt, match=r"Go on from .*partial by --resume"):
        build_knowledge(
            usable(tables),
            grown,
            configurations=configurations,
            protocol=TWO_FOLDS,
            resume=True,
            on_progress=stop_after_the_first_task,
        )
    assert grown.read_bytes() == before
    names = [c.name for c in configurations]

    knowledge, outcomes = grow(usable(tables), grown, configurations=configurations)
    assert sorted(outcomes.values()) == ["4 evaluated, 1 failed"] * 2
    assert knowledge.scores("accuracy")[names[4]].notna().all()
    assert knowledge.fit_seconds[names[:4]].equals(built[0].fit_seconds)
    assert not partial_of(grown).exists()


def test_large_tables_have_three_folds(tmp_path):
    """Among five-fold tasks they have NaN for the others, also when gone on from."""
    write_table(tmp_path / "large.csv", seed=0, n_rows=5001)
    write_table(tmp_path / "small.csv", seed=1)
    tasks, output = find_tasks([tmp_path]), tmp_path / "out.zip"
    build = {"configurations": CONFIGURATIONS[:1], "protocol": Protocol()}
    knowledge = build_knowledge(tasks, output, **build)
    for metric in METRICS:
        exists = np.isfinite(knowledge.fold_scores(metric)[:, 0])
        assert exists.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
        assert np.isfinite(knowledge.scores(metric)).all(axis=None)
    again, outcomes = grow(tasks, output, **build)
    assert outcomes == {}
    assert again == knowledge


# Interrupted at bad moments


def test_interrupted_after_a_table_that_was_left_out(tables, tmp_path):
    """Ctrl-C is told as such also when nothing could be used so far."""
    small, output = tmp_path / "small.csv", tmp_path / "out.zip"
    small.write_text("x,__target__\n1,one class\n2,one class\n")
    tasks = find_tasks([small, tables / "alpha.csv"])
    with pytest.raises(KeyboardInterrupt, match="by --resume"):
        build_knowledge(tasks, output, on_progress=stop_after_the_first_task, **OPTIONS)
    assert [r["task"]["name"] for r in tasks_in(partial_of(output))] == ["small"]
    assert not output.exists()


def test_interrupted_build_resumes_while_its_error_is_kept(tables, tmp_path):
    """As in a notebook, which keeps the last error and all that it refers to."""
    tasks, output = usable(tables)[:2], tmp_path / "out.zip"
    build = {"configurations": CONFIGURATIONS[:1], "protocol": TWO_FOLDS}
    with pytest.raises(KeyboardInterrupt) as kept:
        build_knowledge(tasks, output, on_progress=stop_after_the_first_task, **build)
    knowledge, outcomes = grow(tasks, output, **build)
    assert len(outcomes) == 1
    assert len(knowledge.tasks) == 2
    assert kept.type is KeyboardInterrupt


def test_build_of_a_missing_table_leaves_nothing(tables, tmp_path):
    """A table that has gone since it was listed is an error before anything begins."""
    gone = TaskSource("gone", str(tmp_path / "gone.csv"), "__target__", "gone")
    with pytest.raises(FileNotFoundError):
        build_knowledge([*usable(tables), gone], tmp_path / "out.zip", **OPTIONS)
    assert os.listdir(tmp_path) == []


# Killed


def workers_of(parent):
    """Return the process numbers of the workers that a process has started."""
    found = []
    for directory in Path("/proc").iterdir():
        try:
            # The name in parentheses may hold spaces.
            stat = (directory / "stat").read_text().rpartition(")")[2].split()
            command = (directory / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if int(stat[1]) == parent and b"skmeta.knowledge._worker" in command:
            found.append(int(directory.name))
    return found


def is_running(number):
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    # One that has ended may wait for someone to ask how.
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(condition, seconds=60):
    """Poll a condition, far longer than it should take, and return what it gave."""
    deadline = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return result


def kill_and_count_workers_left(process, workers, seconds):
    """Kill a build as the system would, and return how many workers outlive it."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        wait_until(lambda: not any(map(is_running, workers)), seconds)
        return sum(map(is_running, workers))
    finally:
        for worker in filter(is_running, workers):
            os.kill(worker, signal.SIGKILL)


@on_linux
def test_workers_do_not_outlive_a_build(built):
    """When a build is done its processes are gone."""
    assert workers_of(os.getpid()) == []


@on_linux
def test_killed_build_resumes(tmp_path):
    """After kill -9 the finished tasks are kept, and the end is as without it."""
    tables = tmp_path / "tables"
    tables.mkdir()
    for seed in range(6):
        write_table(tables / f"table_{seed}.csv", seed)
    killed, whole = tmp_path / "killed.zip", tmp_path / "whole.zip"
    options = ["--base-learners", "svc", "--n-folds", "2"]
    command = ["build", str(tables), *options, "--output"]

    process = subprocess.Popen(
        [sys.executable, "-m", "skmeta", *command, str(killed), "--n-jobs", "2"],
        stderr=subprocess.DEVNULL,
    )
    try:
        partial = partial_of(killed)
        # The protocol, the configurations and two tasks.
        wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 4)
        workers = workers_of(process.pid)
        n_left = kill_and_count_workers_left(process, workers, seconds=30)
    finally:
        process.kill()
    assert len(workers) == 2
    assert n_left == 0
    assert not killed.exists()
    finished = tasks_in(partial)
    assert 2 <= len(finished) < 6

    assert main([*command, str(killed), "--resume"]) == 0
    assert main([*command, str(whole)]) == 0
    resumed = load_knowledge(killed)
    assert_same_but_for_seconds(resumed, load_knowledge(whole))
    # Seconds never repeat, so equal ones are those that were measured before.
    for record in finished:
        measured = [cell["fit_seconds"] for cell in record["cells"].values()]
        kept = resumed.fit_seconds.loc[record["task"]["name"]]
        np.testing.assert_allclose(kept, measured, rtol=0.01)


@on_linux
def test_workers_do_not_outlive_a_killed_build_in_a_fit_that_hangs(
    tables, troubled_classifiers, tmp_path
):
    """Workers notice that nobody listens also while a fit goes on."""
    marker = troubled_classifiers / "asleep"
    marker.unlink(missing_ok=True)
    program = f"""
    from skmeta import Configuration
    from skmeta.knowledge import build_knowledge, find_tasks

    build_knowledge(
        find_tasks([{str(tables / "alpha.csv")!r}]),
        {str(tmp_path / "out.zip")!r},
        configurations=[Configuration("troubled:SleepyClassifier")],
    )
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    try:
        wait_until(marker.exists)
        workers = workers_of(process.pid)
        n_left = kill_and_count_workers_left(process, workers, seconds=15)
    finally:
        process.kill()
    assert len(workers) == 1
    assert n_left == 0
