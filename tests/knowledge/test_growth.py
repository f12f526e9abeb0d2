import json
import os
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

from skmeta import Configuration, load_knowledge
from skmeta.__main__ import main
from skmeta._base_learners import default_configurations
from skmeta.exceptions import KnowledgeError
from skmeta.knowledge import Protocol, TaskSource, build_knowledge, find_tasks
from skmeta.knowledge._worker import METRICS, prepare_task, score_probabilities

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
    with pytest.raises(ValueError, match=r"at least one \.csv or \.parquet file, got"):
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


def test_score_probabilities_worked_example():
    """Three of four right; of the four pairs of a 0 and a 1, three are in order."""
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5], [0.25, 0.75]])
    scores = score_probabilities(np.array([0, 0, 1, 1]), probabilities)
    assert set(scores) == set(METRICS)
    assert scores["accuracy"] == 0.5
    assert scores["balanced_accuracy"] == 0.5
    assert scores["roc_auc_ovr_weighted"] == 0.625
    expected = np.mean(np.log([0.75, 0.25, 0.5, 0.75]))
    assert scores["neg_log_loss"] == pytest.approx(expected)


def test_score_probabilities_of_a_fold_without_a_class():
    """A class of the task that the fold lacks has a column and makes no NaN."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    scores = score_probabilities(np.array([0, 1, 1]), probabilities)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["balanced_accuracy"] == 0.75
    assert scores["roc_auc_ovr_weighted"] == pytest.approx(1 / 3 * 1 + 2 / 3 * 0.75)


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
def built(tables, tmp_path_factory):
    """What is built from the tables in one go, its file, and the lines it said."""
    output = tmp_path_factory.mktemp("built") / "built.zip"
    lines = []
    knowledge = build_knowledge(
        find_tasks([tables]),
        output,
        configurations=CONFIGURATIONS,
        protocol=TWO_FOLDS,
        on_progress=lines.append,
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
        if metric != "neg_log_loss":
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


def test_build_writes_what_it_returns(built):
    """The file loads equal, and no partial file is left beside it."""
    knowledge, output, _ = built
    assert load_knowledge(output) == knowledge
    assert os.listdir(output.parent) == ["built.zip"]


def test_build_does_not_depend_on_n_jobs(built, tables, tmp_path):
    """Two processes give the scores of one."""
    in_two = build_knowledge(
        find_tasks([tables]),
        tmp_path / "two.zip",
        configurations=CONFIGURATIONS,
        protocol=TWO_FOLDS,
        n_jobs=2,
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
        build_knowledge(tasks, output, n_jobs=0, **build)


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
    names = ["Sleepy", "Killed", "Talkative", "Uncertain", *["Hungry"] * on_linux]
    return build_knowledge(
        find_tasks([tables / "alpha.csv"]),
        tmp_path_factory.mktemp("survived") / "survived.zip",
        configurations=[
            *(Configuration(f"troubled:{name}Classifier") for name in names),
            Configuration("sklearn.naive_bayes:GaussianNB"),
        ],
        protocol=TWO_FOLDS,
        time_limit=4,
        memory_limit=8192 if on_linux else None,
    )


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Sleepy", "Stopped after 4 s."),
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


def stop_after_the_first_task(line):
    raise KeyboardInterrupt


def test_interrupted_build_saves_what_is_done_and_resumes(built, tables, tmp_path):
    """Ctrl-C saves the finished task; going on does the others, and only those.

    A last line cut short, as by a kill, does no harm.
    """
    output = tmp_path / "out.zip"
    tasks = find_tasks([tables])
    options = {"configurations": CONFIGURATIONS, "protocol": TWO_FOLDS}
    with pytest.raises(KeyboardInterrupt, match="by --resume"):
        build_knowledge(tasks, output, on_progress=stop_after_the_first_task, **options)
    begun = load_knowledge(output)
    assert len(begun.tasks) + len(begun.provenance["left_out"]) == 1
    finished = partial_of(output).read_bytes()
    assert finished.count(b"\n") == 2
    partial_of(output).write_bytes(finished + b'{"task": {"name": "alp')

    seen = []

    def look(line):
        seen.append(line)
        assert partial_of(output).read_bytes().startswith(finished)

    resumed = build_knowledge(tasks, output, resume=True, on_progress=look, **options)
    assert len(seen) == 3
    assert_same_but_for_seconds(resumed, built[0])
    assert load_knowledge(output) == resumed
    assert not partial_of(output).exists()


def test_interrupted_build_leaves_what_is_there(built, tables, tmp_path):
    """A complete file is not replaced by the beginning of another build."""
    output = tmp_path / "out.zip"
    built[0].save(output)
    with pytest.raises(KeyboardInterrupt, match="by --resume"):
        build_knowledge(
            find_tasks([tables]),
            output,
            configurations=CONFIGURATIONS,
            protocol=TWO_FOLDS,
            on_progress=stop_after_the_first_task,
        )
    assert load_knowledge(output) == built[0]


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
        return len(partial_of(output).read_text().splitlines()) - 1

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


def write_partial(output, protocol, *lines):
    header = {
        "configurations": [c.to_dict() for c in CONFIGURATIONS],
        "protocol": asdict(protocol) | {"time_limit": 60.0, "memory_limit": None},
    }
    partial_of(output).write_text("\n".join([json.dumps(header), *lines, ""]))


def test_partial_file_without_resume(tables, tmp_path):
    """An unfinished build is not overwritten unasked; the error says what to do."""
    output = tmp_path / "out.zip"
    write_partial(output, TWO_FOLDS)
    content = partial_of(output).read_bytes()
    message = r"out\.zip\.partial holds an unfinished build\. .*resume.*or delete it"
    with pytest.raises(KnowledgeError, match=message):
        build_knowledge(
            find_tasks([tables]),
            output,
            configurations=CONFIGURATIONS,
            protocol=TWO_FOLDS,
        )
    assert partial_of(output).read_bytes() == content


@pytest.mark.parametrize(
    ("configurations", "protocol"),
    [(CONFIGURATIONS, Protocol(n_folds=5)), (CONFIGURATIONS[:2], TWO_FOLDS)],
    ids=["protocol", "configurations"],
)
def test_partial_file_of_another_build(tables, tmp_path, configurations, protocol):
    """Going on with other configurations or folds is an error, and changes nothing."""
    output = tmp_path / "out.zip"
    write_partial(output, TWO_FOLDS)
    content = partial_of(output).read_bytes()
    message = r"out\.zip\.partial was begun with other configurations or another prot"
    with pytest.raises(KnowledgeError, match=message):
        build_knowledge(
            find_tasks([tables]),
            output,
            configurations=configurations,
            protocol=protocol,
            resume=True,
        )
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


@pytest.mark.slow
@on_linux
def test_killed_build_resumes(tmp_path):
    """After kill -9 the finished tasks are kept, and the end is as without it."""
    tables = tmp_path / "tables"
    tables.mkdir()
    for seed in range(6):
        write_table(tables / f"table_{seed}.csv", seed)
    killed, whole = tmp_path / "killed.zip", tmp_path / "whole.zip"
    options = ["--base-learners", "rbf_svc", "--n-folds", "2", "--n-jobs", "2"]
    command = ["build", str(tables), *options, "--output"]

    process = subprocess.Popen(
        [sys.executable, "-m", "skmeta", *command, str(killed)],
        stderr=subprocess.DEVNULL,
    )
    try:
        partial = partial_of(killed)
        wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 3)
        workers = workers_of(process.pid)
        n_left = kill_and_count_workers_left(process, workers, seconds=30)
    finally:
        process.kill()
    assert len(workers) == 2
    assert n_left == 0
    assert not killed.exists()
    finished = [json.loads(line) for line in partial.read_text().splitlines()[1:]]
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
