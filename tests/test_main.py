import re
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from skmeta import MetaLearnerClassifier
from skmeta.__main__ import _with_options, format_leaderboard, main

PENGUINS = Path(__file__).parents[1] / "examples" / "data" / "penguins.csv"
KNOWLEDGE = Path(__file__).parent / "knowledge" / "knowledge_v1.zip"


@pytest.fixture
def penguins():
    return pd.read_csv(PENGUINS)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "penguins.joblib"
    arguments = ["fit", str(PENGUINS), "--target", "species", "--output", str(path)]
    assert main([*arguments, "--n-candidates", "2"]) == 0
    return path


def test_fit_prints_recommendation_leaderboard_and_honest_score(capsys):
    """The main job shows what was recommended, what was tried and what it is worth."""
    arguments = ["fit", str(PENGUINS), "--target", "species", "--n-candidates", "3"]
    assert main([*arguments, "--scoring", "balanced_accuracy"]) == 0
    out = capsys.readouterr().out
    assert "344 rows, 7 columns, 3 classes" in out
    assert "Recommended by SimilarTasksRecommender for balanced_accuracy" in out
    assert "Leaderboard, cross-validated balanced_accuracy" in out
    assert "Honest score, on 86 rows" in out
    (accuracy,) = (line for line in out.splitlines() if "  accuracy " in line)
    assert float(accuracy.split()[-1]) > 0.9
    assert max(map(len, out.splitlines()[1:])) <= 80  # the path is before


def test_predict_to_standard_output(model, capsys, penguins):
    """Predictions are CSV: the class and the probability of each class."""
    assert main(["predict", str(model), str(PENGUINS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "prediction,probability_Adelie,probability_Chinstrap,probability_Gentoo"
    )
    predicted = [line.partition(",")[0] for line in lines[1:]]
    assert (np.array(predicted) == penguins["species"]).mean() > 0.95


def test_model_predicts_the_same_in_python(model, penguins, capsys):
    """The file holds a classifier that was refitted on all rows."""
    classifier = joblib.load(model)
    X = penguins.drop(columns="species")
    assert not hasattr(classifier, "trial_log_")  # which is of fewer rows
    main(["predict", str(model), str(PENGUINS)])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert classifier.predict(X).tolist() == [line.partition(",")[0] for line in lines]


def test_csv_and_parquet_give_the_same(model, tmp_path, penguins):
    """Both kinds of table are read and written."""
    pytest.importorskip("pyarrow")
    penguins.to_parquet(tmp_path / "penguins.parquet")
    for source, output in [
        (PENGUINS, "a.csv"),
        (tmp_path / "penguins.parquet", "b.parquet"),
    ]:
        command = ["predict", str(model), str(source)]
        assert main([*command, "--output", str(tmp_path / output)]) == 0
    a = pd.read_csv(tmp_path / "a.csv")
    b = pd.read_parquet(tmp_path / "b.parquet")
    assert a["prediction"].tolist() == b["prediction"].tolist()
    np.testing.assert_allclose(a.iloc[:, 1:], b.iloc[:, 1:])


def test_extra_and_reordered_columns_do_not_matter(model, tmp_path, penguins, capsys):
    """Columns are found by name."""
    shuffled = penguins[penguins.columns[::-1]].assign(extra=1)
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    main(["predict", str(model), str(PENGUINS)])
    expected = capsys.readouterr().out
    assert main(["predict", str(model), str(tmp_path / "shuffled.csv")]) == 0
    assert capsys.readouterr().out == expected


def test_warnings_are_lines_on_standard_error(model, tmp_path, penguins, capsys):
    """One for each, without the code that it comes from."""
    path = tmp_path / "words.csv"
    penguins.assign(body_mass_g="heavy").to_csv(path, index=False)
    assert main(["predict", str(model), str(path)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("skmeta predict: warning: Columns must hold cells of the")
    assert line.endswith("'body_mass_g' (as 'heavy'). Convert them.")


def test_rows_without_a_target_are_left_out_and_counted(tmp_path, penguins, capsys):
    """A missing target is not a class."""
    penguins.loc[:9, "species"] = None
    penguins.to_csv(tmp_path / "holes.csv", index=False)
    arguments = ["fit", str(tmp_path / "holes.csv"), "--target", "species"]
    assert main([*arguments, "--n-candidates", "1"]) == 0
    captured = capsys.readouterr()
    assert "Left out 10 rows" in captured.err
    assert "334 rows" in captured.out


def test_rare_classes_do_not_stop_it(tmp_path, penguins, capsys):
    """A class of one row and a class of two rows are learned, where they can be."""
    penguins.loc[0, "species"] = "single"
    penguins.loc[1:2, "species"] = "pair"
    penguins.to_csv(tmp_path / "rare.csv", index=False)
    arguments = ["fit", str(tmp_path / "rare.csv"), "--target", "species"]
    assert main([*arguments, "--n-candidates", "2"]) == 0
    assert "5 classes" in capsys.readouterr().out


def test_booleans_and_integers_with_gaps_are_classes(tmp_path, penguins, capsys):
    """A gap in the target makes neither objects nor floats of its classes."""
    penguins["heavy"] = (penguins["body_mass_g"] > 4000).astype(object)
    penguins["legs"] = np.where(penguins["island"] == "Dream", 2.0, 3.0)
    penguins.loc[:3, ["heavy", "legs"]] = None
    penguins.to_csv(tmp_path / "gaps.csv", index=False)
    for target, classes in [("heavy", [False, True]), ("legs", [2, 3])]:
        fit = f"fit {tmp_path / 'gaps.csv'} --target {target} --n-candidates 1"
        output = tmp_path / f"{target}.joblib"
        assert main([*fit.split(), "--output", str(output)]) == 0
        assert joblib.load(output).classes_.tolist() == classes
    assert "Left out 4 rows" in capsys.readouterr().err


def test_the_metric_asked_for_is_judged_first(capsys):
    """What was maximized is the first of the honest scores."""
    fit = f"fit {PENGUINS} --target species --n-candidates 1 --scoring f1_macro"
    assert main(fit.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    (heading,) = (i for i, line in enumerate(lines) if line.startswith("Honest"))
    assert lines[heading + 1].split()[0] == "f1_macro"


def test_only_what_was_tried_is_shown(capsys, tmp_path):
    """With no time for more than one candidate, one is printed, and what it is."""
    fit = f"fit {PENGUINS} --target species --time-budget 0.001"
    assert main([*fit.split(), "--output", str(tmp_path / "model.joblib")]) == 0
    out = capsys.readouterr().out
    assert "  1. expected unknown  " in out
    assert "nobody" not in out
    assert "  2. " not in out
    assert "nan" not in out
    assert "There was no time to fit it on all 344 rows: it has learned from 258" in out


def test_errors_are_below_the_leaderboard():
    """Where there is no room for them beside it."""
    learners = ["svc", "quadratic_discriminant_analysis"]
    board = pd.DataFrame(
        {"learner": learners, "score": [-10.5, np.nan], "error": [None, "why " * 30]}
    ).assign(std=0.25, weight=1.0, expected_score=-0.5, fit_seconds=100.0)
    lines = format_leaderboard(board).splitlines()
    assert len(lines) == 5
    assert lines[3].startswith("     2  why why")
    assert max(map(len, lines)) <= 80


@pytest.fixture
def bad_tables(tmp_path, penguins, monkeypatch):
    """Tables that cannot be used, by what is wrong with them."""
    monkeypatch.chdir(tmp_path)
    penguins.assign(species="one").to_csv(tmp_path / "one_class.csv", index=False)
    ids = [f"p{max(i, 2)}" for i in range(len(penguins))]
    penguins.assign(id=ids).to_csv(tmp_path / "ids.csv", index=False)
    penguins.head(0).to_csv(tmp_path / "no_rows.csv", index=False)
    penguins[["species"]].to_csv(tmp_path / "no_features.csv", index=False)
    penguins.drop(columns=["sex", "year"]).to_csv(tmp_path / "fewer.csv", index=False)
    (tmp_path / "directory").mkdir()
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "binary.parquet").write_bytes(b"\0\1\2")
    (tmp_path / "table.xlsx").write_bytes(b"PK")
    (tmp_path / "text.joblib").write_text("not a model")
    (tmp_path / "ragged.csv").write_text("species,a\nx,1\ny,2,3\n")
    (tmp_path / "latin.csv").write_bytes(b"species,a\nx,\xe9\x81\n")
    unnamed = MetaLearnerClassifier(base_learners=["gaussian_nb"], n_candidates=1)
    joblib.dump(unnamed.fit([[1.0], [2.0], [3.0]] * 4, [0, 1, 0] * 4), "array.joblib")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("fit missing.csv --target species", "No file .*missing.csv"),
        ("fit directory --target species", "directory 'directory'. Give a file in it"),
        ("fit {penguins} --target nothing", "'nothing'. Its columns are: 'species'"),
        ("fit {penguins} --target bill_length_mm", "classes that repeat, got: 164"),
        ("fit ids.csv --target id", "'id' must hold classes that repeat, got: 342"),
        ("fit one_class.csv --target species", r"at least two classes, got: 1 \(one\)"),
        ("fit no_rows.csv --target species", "got: 0 rows"),
        ("fit no_features.csv --target species", "columns besides 'species'"),
        ("fit empty.csv --target species", "an empty file"),
        ("fit binary.parquet --target species", "cannot be read as a table"),
        ("fit table.xlsx --target species", "ends in one of"),
        ("fit {penguins} --target species --scoring foo", "scoring must be .*'foo'"),
        ("fit {penguins} --target species --n-candidates 0", "--n-candidates must"),
        ("fit {penguins} --target species --time-budget 0", ": --time-budget must be"),
        ("fit {penguins} --target species --knowledge no.zip", "No knowledge file"),
        ("fit {penguins} --target species --output no/where.joblib", "No directory"),
        ("fit {penguins} --target species --output .", "must be a file"),
        ("fit {penguins} --target species --scoring roc_auc", "multi_class must be"),
        ("fit ragged.csv --target species", "Expected 2 fields in line 3, saw 3"),
        ("fit latin.csv --target species", "encoded as UTF-8"),
        ("predict {model} {penguins} --output no/where.csv", "No directory"),
        ("predict array.joblib {penguins}", "with names of columns"),
        ("predict {model} fewer.csv", "lacks: sex, year"),
        ("predict {model} missing.csv", "No file"),
        ("predict {penguins} {model}", "The model comes before .* Swap them"),
        ("predict missing.joblib {penguins}", "No file"),
        ("predict text.joblib {penguins}", "must be a classifier written by"),
        ("predict {model} {penguins} --output x.txt", "ends in one of"),
        ("build missing --output kb.zip", "No file or directory"),
        ("build {penguins} --output kb.txt", r"ends in one of \['\.zip'\]"),
        ("build {penguins} --output kb.zip --target no", "No task could be evaluated"),
        ("merge missing.zip --output kb.zip", "No knowledge file 'missing.zip'"),
        ("merge {knowledge} --output kb.txt", r"ends in one of \['\.zip'\]"),
        ("show {penguins}", "is not a knowledge file"),
        ("show --metric f2", "metric must be one of"),
        ("diff {knowledge} missing.zip", "No knowledge file"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence_and_code_2(
    bad_tables, model, capsys, command, message
):
    """Errors of the user's are one line on standard error, without a traceback."""
    arguments = command.format(
        penguins=PENGUINS, model=model, knowledge=KNOWLEDGE
    ).split()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    # Of the table, where it could be read, before what is wrong with the rest.
    assert re.fullmatch(r"(\S+: \d+ rows, \d+ columns, 3 classes of 'species'\n\n)?",
                        captured.out)  # fmt: skip
    (line,) = [x for x in captured.err.splitlines() if not x.startswith("[")][-1:]
    assert line.startswith(f"skmeta {arguments[0]}: ")
    assert re.search(message, line)


@pytest.mark.parametrize(
    "command",
    [
        "fit table.csv --target species --output table.csv",
        "fit table.csv --target species --output ../{here}/table.csv",
        "fit table.csv --target species --output link.csv",
        "fit table.csv --target species --knowledge kb.zip --output kb.zip",
        "fit table.csv --target species --experience new.db --output ./new.db",
        "predict model.joblib table.csv --output table.csv",
        "predict model.joblib table.csv --output link.csv",
        "predict model.csv table.csv --output model.csv",
    ],
)
def test_no_input_is_overwritten(tmp_path, monkeypatch, capsys, model, command):
    """By whatever name it is called; what could be written there is nothing yet."""
    monkeypatch.chdir(tmp_path)
    for name, source in [("table.csv", PENGUINS), ("kb.zip", KNOWLEDGE),
                         ("model.joblib", model), ("model.csv", model)]:  # fmt: skip
        shutil.copy(source, name)
    Path("link.csv").symlink_to("table.csv")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(command.format(here=tmp_path.name).split()) == 2
    said = capsys.readouterr().err
    assert re.search("output must be a file that is not an input, got: .* lost", said)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["m.csv", "m.TSV", "m.parquet", "m.pq", "m.csv.gz"])
def test_a_model_is_not_written_as_a_table(tmp_path, capsys, name):
    """It could be read as one by nobody, and may be one that is there."""
    fit = f"fit {PENGUINS} --target species --output {tmp_path / name}"
    assert main(fit.split()) == 2
    assert re.search(r"for a model, .* got: .*m\..* instance .*\.joblib'\.",
                     capsys.readouterr().err)  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_merge_may_add_to_one_of_its_inputs(tmp_path, capsys):
    """All are read before anything is written, and nothing of them is lost."""
    output = tmp_path / "mine.zip"
    shutil.copy(KNOWLEDGE, output)
    other = KNOWLEDGE.with_name("knowledge_v2.zip")
    assert main(["merge", str(output), str(other), "--output", str(output)]) == 0
    assert "4 tasks of 3 families" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Give it more time_budget.", "Give it more --time-budget."),
        ("Use n_jobs=2, with knowledge.", "Use --n-jobs 2, with knowledge."),
        ("No file n_jobs/time_budget.csv.", "No file n_jobs/time_budget.csv."),
        ("Column 'n_jobs' is constant.", "Column 'n_jobs' is constant."),
        ("It has n_jobs_max.", "It has n_jobs_max."),
        ("Got: 'a n_jobs b', n_jobs=2.", "Got: 'a n_jobs b', --n-jobs 2."),
        ("Got: SVC(C=1, n_jobs=2).", "Got: SVC(C=1, n_jobs=2)."),
        ("It's n_jobs that isn't.", "It's --n-jobs that isn't."),
    ],
)
def test_parameters_are_said_as_options(text, said):
    """Of what the user typed, and not what has the same name in the table."""
    options = Namespace(command="fit", knowledge=None, n_jobs=None, time_budget=3)
    assert _with_options(text, options) == said


def test_the_last_column_is_named(tmp_path, capsys):
    """Of many it is often the target."""
    path = tmp_path / "wide.csv"
    pd.DataFrame([range(30)], columns=[f"c{i}" for i in range(30)]).to_csv(path)
    assert main(["fit", str(path), "--target", "nothing"]) == 2
    assert "'c17', 11 more, 'c29'." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--outpt x", "unrecognized arguments: --outpt x. Did you mean '--output'?"),
        ("--outpt=x", "unrecognized arguments: --outpt=x. Did you mean '--output'?"),
        ("--zzz", "unrecognized arguments: --zzz."),
        ("other.csv", "unrecognized arguments: other.csv."),
    ],
)
def test_misspelt_options(capsys, option, said):
    """The usage is that of the command."""
    with pytest.raises(SystemExit) as end:
        main(f"fit {PENGUINS} --target species {option}".split())
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("usage: python -m skmeta fit ")
    assert lines[-1] == f"python -m skmeta fit: error: {said}"


def test_without_a_command_it_says_what_there_is(capsys):
    assert main([]) == 2
    assert "fit chooses a classifier for a table" in capsys.readouterr().err


def test_help_of_fit_says_what_an_interruption_does(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    assert "Ctrl-C or SIGTERM ends the trials" in " ".join(
        capsys.readouterr().out.split()
    )


def test_recommend(capsys):
    """It says what fit would try."""
    arguments = [str(PENGUINS), "--target", "species", "--n-candidates", "3"]
    assert main(["recommend", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("What would be tried on 344 rows")
    assert main(["fit", *arguments]) == 0
    out = capsys.readouterr().out
    expected = r"^ +[123]\. expected +\S+(?: here \S+)? +(\w+)"
    tried = re.findall(expected, out, re.MULTILINE)
    # Later ones may differ: a quarter of the rows takes no part in the fit.
    numbered = [line for line in lines[4:] if line[:5].strip()]
    assert f"  {tried[0]}: " in numbered[0]
    assert len(tried) == len(numbered) == 3


def test_build_and_use(tmp_path, penguins, capsys):
    """A knowledge base built from a folder serves fit."""
    for seed in range(3):
        part = penguins.sample(60, random_state=seed)
        part.to_csv(tmp_path / f"part{seed}.csv", index=False)
    output = tmp_path / "kb.zip"
    command = f"build {tmp_path} --target species --output {output} --n-folds 2"
    learners = "--base-learners gaussian_nb logistic_regression"
    assert main(f"{command} {learners}".split()) == 0
    captured = capsys.readouterr()
    assert "3 tasks of 3 families" in captured.out
    assert "[3/3]" in captured.err
    fit = f"fit {PENGUINS} --target species --n-candidates 1 --knowledge {output}"
    assert main(fit.split()) == 0


def test_fits_learn_from_each_other(tmp_path, capsys):
    journal = tmp_path / "mine.db"
    fit = f"fit {PENGUINS} --target species --n-candidates 2 --experience {journal}"
    assert main(fit.split()) == 0
    assert "mine.db" not in capsys.readouterr().out
    assert main(fit.split()) == 0
    assert " of 1 fits in mine.db count." in capsys.readouterr().out


def test_merge_show_and_diff(tmp_path, capsys):
    """Two files become one, which can be looked at and compared."""
    output = tmp_path / "both.zip"
    other = KNOWLEDGE.with_name("knowledge_v2.zip")
    assert main(["merge", str(KNOWLEDGE), str(other), "--output", str(output)]) == 0
    assert "4 tasks of 3 families" in capsys.readouterr().out
    assert main(["show", str(output), "--tasks", "--metric", "accuracy"]) == 0
    shown = capsys.readouterr().out
    assert "Merged from 2 parts" in shown
    assert "iris_two" in shown
    assert main(["diff", str(output), str(other)]) == 0
    assert capsys.readouterr().out == f"{output} and {other} hold the same.\n"
    assert main(["diff", str(output), str(KNOWLEDGE)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"only in {output}: 1 (heart)" in shown


def test_show_without_a_file_shows_what_ships(capsys):
    assert main(["show"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"hist_gradient_boosting +\d+ +\d{4}", out)
    assert max(map(len, out.splitlines())) <= 80
    assert main(["show", "--tasks"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"\n +abalone +4177 +8 +3 +[a-z_]+ +0\.\d+\n", out)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_terminated_fit_writes_the_best_so_far(tmp_path):
    """As after Ctrl-C: what was tried by then is compared, fitted and written."""
    output = tmp_path / "model.joblib"
    fit = f"fit {PENGUINS} --target species --n-candidates 80 --verbose"
    process = subprocess.Popen(
        [sys.executable, "-m", "skmeta", *fit.split(), "--output", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "344 rows, 7 columns" in process.stdout.readline()  # before the fit
    for line in process.stdout:
        if line.startswith("[3/"):
            process.terminate()
            break
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Interrupted: the best of the candidates tried so far is kept" in errors
    assert "Honest score" in printed
    table = pd.read_csv(PENGUINS).drop(columns="species")
    assert joblib.load(output).predict(table).shape == (len(table),)
