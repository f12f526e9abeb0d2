"""The command line: ``python -m skmeta COMMAND``.

Commands are fit, predict, recommend, build, merge, show and diff.
"""

import argparse
import os
import re
import signal
import sys
import warnings
from contextlib import contextmanager, suppress
from functools import reduce
from importlib.util import find_spec
from operator import add
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import type_of_target

import skmeta
from skmeta._base_learners import default_configurations
from skmeta._classifier import MetaLearnerClassifier
from skmeta._files import (
    SUFFIXES,
    check_output,
    is_table_name,
    read_file,
    write_file,
)
from skmeta._messages import did_you_mean, error_line, wrap
from skmeta._workers import calm
from skmeta.exceptions import SkmetaError
from skmeta.knowledge import (
    OpenMLClient,
    Protocol,
    build_knowledge,
    fetch_openml,
    find_tasks,
    load_knowledge,
)
from skmeta.knowledge._report import compare, describe
from skmeta.progress import ProgressBar

_LONGEST_ERROR = 200
_USER_ERRORS = (SkmetaError, ValueError, TypeError, OSError, ImportError)
_N_COLUMNS_NAMED = 20
# What is quoted, and calls.
_NOT_OURS = re.compile(r"((?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|\w+\([^)]*\))")


def main(arguments=None):
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : list of str, default=None
        None takes those of the process.

    Returns
    -------
    exit_code : int
        0 when it worked, 2 when what the user gave cannot be used, 130 when
        Ctrl-C left something undone.
    """
    parser = _make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        with _warnings_as_lines(options):
            options.run(options)
    except _USER_ERRORS as error:
        said = _with_options(error_line(error), options)
        print(f"skmeta {options.command}: {said}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(
            f"skmeta {options.command}: interrupted. {interrupt}".rstrip(),
            file=sys.stderr,
        )
        return 130
    return 0


@contextmanager
def _warnings_as_lines(options):
    """Print each warning once and in a line: whoever reads has no code to look at."""
    told = set()

    def show(message, *where, **more):
        line = _with_options(" ".join(str(message).split()), options)
        if line not in told:
            told.add(line)
            print(f"skmeta {options.command}: warning: {line}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _with_options(text, options):
    """Return a message with the options of a command for the parameters they set.

    Only where the name can be nothing else: not a word such as knowledge, and not in
    quotes, a call or a path, where it is of the user's.
    """
    parts = _NOT_OURS.split(text)
    for name in vars(options):
        if "_" in name:
            option = f"--{name.replace('_', '-')}"
            alone = rf"(?<![\w./\\-]){name}(?![\w/\\-]|\.\w)"
            for i in range(0, len(parts), 2):
                parts[i] = re.sub(f"{alone}=", f"{option} ", parts[i])
                parts[i] = re.sub(alone, option, parts[i])
    return "".join(parts)


class _CommandParser(argparse.ArgumentParser):
    """Says of options that a command does not have which one of it may be meant."""

    def parse_known_args(self, args=None, namespace=None):
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:  # which the parser of all commands would show its own usage for
            options = [name for name in unknown if name.startswith("-")]
            known = re.findall(r"--[\w-]+", self.format_usage())
            question = did_you_mean(options, known)
            self.error(f"unrecognized arguments: {' '.join(unknown)}.{question}")
        return namespace, unknown


def _make_parser():
    parser = argparse.ArgumentParser(
        prog="python -m skmeta",
        description="AutoML that has seen other tables: fit chooses a classifier for "
        "a table and writes it to a file, with which predict predicts.",
    )
    parser.add_argument("--version", action="version", version=skmeta.__version__)
    commands = parser.add_subparsers(dest="command", parser_class=_CommandParser)
    _add_fit(commands)
    _add_predict(commands)
    _add_recommend(commands)
    _add_build(commands)
    _add_merge(commands)
    _add_show(commands)
    _add_diff(commands)
    return parser


# fit


def _add_fit(commands):
    fit = commands.add_parser(
        "fit",
        help="recommend, try and fit a classifier",
        description="Choose a classifier for a table: try what was best on similar "
        "tables, say what it scores on a quarter of the rows set apart, and write it, "
        "fitted on all rows. Ctrl-C or SIGTERM ends the trials: the best so far is "
        "fitted and written, with a warning and exit code 0. If there is nothing to "
        "write yet, the code is 130.",
    )
    _add_search(fit)
    fit.add_argument("--output", help="file to write the fitted classifier to")
    fit.add_argument("--memory-limit", type=float, help="megabytes per fit, Linux")
    fit.add_argument("--experience", help="journal of what fits have learned, which "
                     "this one learns from and adds to")  # fmt: skip
    fit.add_argument("--random-state", type=int, default=0, help="seed, default: 0")
    fit.add_argument("--verbose", action="store_true", help="a line per candidate")
    fit.set_defaults(run=_fit)


def _add_search(command):
    """Add the arguments that decide what is tried."""
    command.add_argument("table", help="CSV, TSV or parquet file")
    command.add_argument("--target", required=True, help="column of the classes")
    command.add_argument("--scoring", help="metric to maximize, default: accuracy")
    command.add_argument(
        "--n-candidates", type=int, help="how many to try, default: 8 or 16"
    )
    command.add_argument("--time-budget", type=float, help="seconds to choose a "
                         "classifier and judge it, default: no limit")  # fmt: skip
    command.add_argument("--knowledge", help="knowledge file, default: the shipped one")
    command.add_argument("--n-jobs", type=int, help="fits at the same time")


def _fit(options):
    if options.output is not None:
        _check_model_output(options)
    X, y = _read_training_table(options.table, options.target)
    # Before the fit, which may take long, and also into a pipe.
    print(f"{options.table}: {X.shape[0]} rows, {X.shape[1]} columns, "
          f"{y.nunique()} classes of {options.target!r}\n", flush=True)  # fmt: skip
    X_train, X_test, y_train, y_test = _hold_out(X, y, options.random_state)
    classifier = MetaLearnerClassifier(
        knowledge=options.knowledge,
        experience=options.experience,
        scoring=options.scoring,
        n_candidates=options.n_candidates,
        time_budget=options.time_budget,
        memory_limit=options.memory_limit,
        n_jobs=options.n_jobs,
        random_state=options.random_state,
        verbose=int(options.verbose),
        callback=None if options.verbose else _make_bar(),
    ).fit(X_train, y_train)

    n_tried = len(classifier.leaderboard_)
    print(f"{classifier.recommendation_.first(n_tried)}\n")
    how = f"cross-validated {options.scoring or 'accuracy'}"
    if classifier.n_splits_ == 0:
        how = "one candidate that nothing was compared with"
    print(f"Leaderboard, {how}:")
    print(f"{format_leaderboard(classifier.leaderboard_)}\n")
    print(f"Honest score, on {len(y_test)} rows that took no part in the choice:")
    scores = _honest_scores(classifier, X_test, y_test)
    if options.scoring is not None:
        scores = {options.scoring: classifier.score(X_test, y_test)} | scores
    for name, value in scores.items():
        print(f"  {name:<20s} {value:.4f}")
    if options.output is not None:
        _write(classifier, options.output)
        members = classifier.trial_log_["members"]
        if any(member["fitted_on"] != len(y_train) for member in members):
            why = (
                f"There was no time to fit it on all {len(y)} rows: it has learned "
                f"from {len(y_train)} at most, without those of the honest score. "
                f"Give it a longer --time-budget."
            )
            print(f"\nWritten to {options.output}\n{wrap(why)}")
            return
        with calm():
            ensemble = clone(classifier.ensemble_).fit(X, y)
        classifier.ensemble_ = ensemble
        classifier.best_estimator_ = ensemble.estimators_[0]
        del classifier.trial_log_  # of other rows than those it would be replayed on
        _write(classifier, options.output)
        print(f"\nFitted on all rows and written to {options.output}")


def _check_model_output(options):
    inputs = (options.table, options.knowledge, options.experience)
    check_output(options.output, inputs=inputs)
    if is_table_name(options.output):
        raise ValueError(
            f"The output must be a file for a model, which is no table, got: "
            f"{options.output!r}. Name it so, for instance "
            f"{str(Path(options.output).with_suffix('.joblib'))!r}."
        )


def _make_bar():
    """Return a bar where someone is looking, and it can be drawn."""
    is_watched = sys.stderr.isatty() and find_spec("rich") is not None
    return ProgressBar() if is_watched else None


def _write(classifier, path):
    joblib.dump(classifier, f"{path}.tmp", compress=3)
    os.replace(f"{path}.tmp", path)


def _list_columns(frame):
    names = [repr(name) for name in frame.columns]
    if len(names) > _N_COLUMNS_NAMED:  # the target is often the last one
        names[_N_COLUMNS_NAMED - 1 : -1] = [f"{len(names) - _N_COLUMNS_NAMED} more"]
    return ", ".join(names)


def _read_training_table(path, target):
    frame = read_file(path)
    frame.columns = frame.columns.astype(str)
    if target not in frame.columns:
        raise ValueError(
            f"--target must be a column of {path}, got: {target!r}. Its columns are: "
            f"{_list_columns(frame)}.{did_you_mean([target], frame.columns)}"
        )
    known = frame[target].notna()
    n_left_out = (~known).sum()
    if n_left_out:
        print(
            f"Left out {n_left_out} row{'s' if n_left_out > 1 else ''} without a value "
            f"of {target!r}.",
            file=sys.stderr,
        )
    # Without the gaps, whole numbers and booleans are what they are again.
    X, y = frame.loc[known].drop(columns=target), frame.loc[known, target]
    if isinstance(y.dtype, pd.CategoricalDtype):
        y = y.astype(y.cat.categories.dtype)  # without levels that no row has
    y = y.infer_objects()
    if pd.api.types.is_float_dtype(y) and (y % 1 == 0).all():
        y = y.astype(int)
    _check_target(y, target)
    if X.shape[1] == 0:
        raise ValueError(f"{path} must have columns besides {target!r}, got none.")
    return X, y


def _check_target(y, target):
    counts = y.value_counts()
    if len(counts) < 2:
        raise ValueError(
            f"{target!r} must have at least two classes, got: "
            f"{len(counts)} ({', '.join(map(str, counts.index))})."
        )
    is_number = type_of_target(y.to_numpy()).startswith("continuous")
    if is_number or len(counts) > len(y) / 2:
        raise ValueError(
            f"{target!r} must hold classes that repeat, got: {len(counts)} different "
            f"values in {len(y)} rows. Give a column of classes."
        )


def _hold_out(X, y, random_state):
    """Set a quarter of the rows apart; of a class with one row none is."""
    repeated = y.map(y.value_counts()) > 1
    n_test = max(int(0.25 * repeated.sum()), y[repeated].nunique())
    train, test = train_test_split(
        np.flatnonzero(repeated),
        test_size=n_test,
        stratify=y[repeated],
        random_state=random_state,
    )
    train = np.concatenate([train, np.flatnonzero(~repeated)])
    return X.iloc[train], X.iloc[test], y.iloc[train], y.iloc[test]


def _honest_scores(classifier, X, y):
    predicted = classifier.predict(X)
    scores = {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced accuracy": metrics.balanced_accuracy_score(y, predicted),
    }
    if set(y) == set(classifier.classes_):
        probabilities = classifier.predict_proba(X)
        scores["log loss"] = metrics.log_loss(y, probabilities)
        if len(classifier.classes_) == 2:
            probabilities = probabilities[:, 1]
        scores["ROC AUC"] = metrics.roc_auc_score(
            y, probabilities, multi_class="ovr", average="weighted"
        )
    return scores


def format_leaderboard(leaderboard):
    """Return a leaderboard as text that fits a terminal.

    Parameters
    ----------
    leaderboard : DataFrame
        The attribute ``leaderboard_`` of a fitted classifier.

    Returns
    -------
    text : str
    """
    shown = pd.DataFrame(
        {
            "order": leaderboard.index + 1,
            "learner": leaderboard["learner"],
            "score": leaderboard["score"].map("{:.4f}".format),
            "std": leaderboard["std"].map("{:.4f}".format),
            "weight": leaderboard["weight"].map("{:.2f}".format),
            "expected": leaderboard["expected_score"].map("{:.3f}".format),
            "seconds": leaderboard["fit_seconds"].map("{:.2f}".format),
        }
    ).replace("nan", "")
    # Below it, since there is no room beside it.
    errors = [
        wrap(error[:_LONGEST_ERROR], f"{index + 1:6d}  ")
        for index, error in leaderboard["error"].dropna().items()
    ]
    return "\n".join([shown.to_string(index=False), *errors])


# predict


def _add_predict(commands):
    predict = commands.add_parser("predict", help="predict with a fitted classifier")
    predict.add_argument("model", help="file written by fit; as with any pickle, "
                         "open only what you trust")  # fmt: skip
    predict.add_argument("table", help="CSV, TSV or parquet file")
    predict.add_argument(
        "--output", help="CSV, TSV or parquet file, default: standard output"
    )
    predict.set_defaults(run=_predict)


def _predict(options):
    if options.output is not None:
        check_output(options.output, SUFFIXES, (options.model, options.table))
    if is_table_name(options.model) and not is_table_name(options.table):
        raise ValueError(
            f"The model comes before the table, got {options.model} for the model and "
            f"{options.table} for the table. Swap them."
        )
    model = _load_model(options.model)
    frame = read_file(options.table)
    frame.columns = frame.columns.astype(str)
    missing = [name for name in model.feature_names_in_ if name not in frame.columns]
    if missing:
        raise ValueError(
            f"{options.table} must have the columns that {options.model} was fitted "
            f"on, but lacks: {', '.join(missing)}."
        )
    X = frame[list(model.feature_names_in_)]
    predictions = pd.DataFrame({"prediction": model.predict(X)})
    probabilities = model.predict_proba(X)
    for j, label in enumerate(model.classes_):
        predictions[f"probability_{label}"] = probabilities[:, j]
    if options.output is None:
        with suppress(BrokenPipeError):  # whoever reads has seen enough
            predictions.to_csv(sys.stdout, index=False)
    else:
        write_file(predictions, options.output)


def _load_model(path):
    try:
        model = joblib.load(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"No file {path!r}. Check the path.") from None
    except Exception as error:
        raise ValueError(
            f"{path} must be a classifier written by python -m skmeta fit, got what "
            f"joblib cannot load."
        ) from error
    if not isinstance(model, MetaLearnerClassifier):
        raise ValueError(
            f"{path} must hold a MetaLearnerClassifier, got: {type(model).__name__}."
        )
    if not hasattr(model, "ensemble_") or not hasattr(model, "feature_names_in_"):
        raise ValueError(
            f"{path} must hold a classifier that was fitted, with refit, on a table "
            f"with names of columns. Fit it on a DataFrame, or by python -m skmeta fit."
        )
    return model


# recommend


def _add_recommend(commands):
    recommend = commands.add_parser(
        "recommend", help="say what fit would try, and what that takes"
    )
    _add_search(recommend)
    recommend.set_defaults(run=_recommend)


def _recommend(options):
    X, y = _read_training_table(options.table, options.target)
    plan = MetaLearnerClassifier(
        knowledge=options.knowledge,
        scoring=options.scoring,
        n_candidates=options.n_candidates,
        time_budget=options.time_budget,
        n_jobs=options.n_jobs,
        random_state=0,
    ).preview(X, y)
    print(
        f"What would be tried on {len(X)} rows: the {options.scoring or 'accuracy'} "
        f"expected from known tables,\nseconds on one core, those elapsed by then, "
        f"megabytes of copies of the table:\n\n{plan}"
    )


# build


def _add_build(commands):
    build = commands.add_parser("build", help="build a knowledge base from tables")
    build.add_argument("paths", nargs="*", help="CSV, TSV or parquet files, or "
                       "directories")  # fmt: skip
    build.add_argument("--openml-suite", help="suite of OpenML to fetch, by its number "
                       "or alias")  # fmt: skip
    build.add_argument("--openml-tasks", help="tasks of OpenML to fetch, such as 3,31")
    build.add_argument("--openml-directory", help="where fetched tables are kept, "
                       "default: beside the output")  # fmt: skip
    build.add_argument("--output", required=True, help="knowledge file, ends in .zip")
    build.add_argument("--target", default="__target__",
                       help="column of the classes, default: __target__")  # fmt: skip
    build.add_argument("--index", help="CSV file with name, family, domain, source")
    build.add_argument("--base-learners", nargs="+", help="default: all installed")
    build.add_argument("--n-jobs", type=int, help="tasks at the same time, default: 1 "
                       "here, and as many as a cluster can do")  # fmt: skip
    build.add_argument("--cluster", choices=["dask", "ray"],
                       help="evaluate on a cluster")  # fmt: skip
    build.add_argument("--address", help="of the cluster's scheduler, default: start "
                       "one here")  # fmt: skip
    build.add_argument("--resume", action="store_true", help="go on after a stop, "
                       "or add tables and configurations to the output")  # fmt: skip
    build.add_argument("--predictions",
                       help="directory for out-of-fold probabilities")  # fmt: skip
    build.add_argument("--n-folds", type=int, default=Protocol.n_folds)
    build.add_argument("--max-rows", type=int, default=Protocol.max_rows,
                       help="rows evaluated per table, default: "
                       f"{Protocol.max_rows}")  # fmt: skip
    build.add_argument("--time-limit", type=float, default=60.0,
                       help="seconds per fit, default: 60")  # fmt: skip
    build.add_argument("--memory-limit", type=float, help="megabytes per process")
    build.set_defaults(run=_build)


def _build(options):
    def tell(line):
        print(line, file=sys.stderr, flush=True)

    check_output(options.output, (".zip",))
    tasks = []
    if options.paths:
        tasks += find_tasks(options.paths, options.target, options.index)
    if options.openml_suite or options.openml_tasks:
        directory = options.openml_directory or f"{options.output}.openml"
        fetched, _ = fetch_openml(
            OpenMLClient(directory),
            suite=options.openml_suite,
            tasks=[n for n in (options.openml_tasks or "").split(",") if n],
            on_progress=tell,
        )
        tasks += fetched
    if not tasks:
        raise ValueError(
            "build needs a table: give files or directories, --openml-suite or "
            "--openml-tasks, of which at least one can be used."
        )
    with _on_cluster(options.cluster, options.address):
        knowledge = build_knowledge(
            tasks,
            options.output,
            configurations=default_configurations(options.base_learners),
            protocol=Protocol(options.n_folds, options.max_rows),
            n_jobs=-1 if options.cluster else options.n_jobs,
            time_limit=options.time_limit,
            memory_limit=options.memory_limit,
            resume=options.resume,
            predictions=options.predictions,
            on_progress=tell,
        )
    print(f"{options.output}: {knowledge}")


@contextmanager
def _on_cluster(name, address):
    """Let joblib's workers be those of a cluster, if one is named."""
    if name is None:
        yield
        return
    package = {"dask": "distributed"}.get(name, name)
    if find_spec(package) is None:
        raise ImportError(
            f"--cluster {name} needs {package}, which is not installed: pip install "
            f"{package}."
        )
    if name == "dask":
        from distributed import Client

        with Client(address), joblib.parallel_config("dask"):
            yield
        return
    import ray
    from ray.util.joblib import register_ray

    is_ours = not ray.is_initialized()
    if is_ours:
        ray.init(address=address, log_to_driver=False)
    try:
        register_ray()
        with joblib.parallel_config("ray", n_jobs=-1):
            yield
    finally:
        if is_ours:
            ray.shutdown()


# merge, show, diff


def _add_merge(commands):
    merge = commands.add_parser("merge", help="unite knowledge bases")
    merge.add_argument("knowledge", nargs="+", help="knowledge files")
    merge.add_argument("--output", required=True, help="knowledge file, ends in .zip")
    merge.set_defaults(run=_merge)


def _merge(options):
    check_output(options.output, (".zip",))
    merged = reduce(add, [load_knowledge(path) for path in options.knowledge])
    merged.save(options.output)
    print(f"{options.output}: {merged}")


def _add_show(commands):
    show = commands.add_parser("show", help="say what a knowledge base holds")
    show.add_argument("knowledge", nargs="?", help="knowledge file, default: the "
                      "shipped one")  # fmt: skip
    show.add_argument("--metric", help="what learners are best by, default: balanced "
                      "accuracy, if known")  # fmt: skip
    show.add_argument("--tasks", action="store_true", help="list every task")
    show.set_defaults(run=_show)


def _show(options):
    print(describe(load_knowledge(options.knowledge), options.metric, options.tasks))


def _add_diff(commands):
    diff = commands.add_parser("diff", help="say where two knowledge bases differ")
    diff.add_argument("first", help="knowledge file")
    diff.add_argument("second", help="knowledge file")
    diff.set_defaults(run=_diff)


def _diff(options):
    pair = [load_knowledge(path) for path in (options.first, options.second)]
    print(compare(*pair, options.first, options.second))


if __name__ == "__main__":
    # Who ends this politely wants what there is, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
