"""What cannot work is said at once, and not by a library deep below."""

import datetime
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmeta import (
    MetaDecisionTreeClassifier,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
    load_knowledge,
)
from skmeta.__main__ import main
from skmeta._base_learners import check_learners
from skmeta.exceptions import NoCandidateError, SkmetaWarning
from skmeta.metafeatures import MetaFeatureExtractor
from skmeta.recommendation import get_recommender

CHEAP = ["gaussian_nb", "decision_tree"]


@pytest.fixture(scope="module")
def table():
    X = np.random.default_rng(0).normal(size=(150, 4))
    return X, (X[:, 0] > 0).astype(int)


def cheap(**parameters):
    parameters = {"base_learners": CHEAP, "n_candidates": 2} | parameters
    return MetaLearnerClassifier(random_state=0, **parameters)


@pytest.mark.parametrize("X", [None, "table.csv", {"a": [1] * 150}])
def test_what_is_no_table(table, X):
    """Neither a path nor a dict is searched on, and nothing long is printed."""
    with pytest.raises(TypeError, match="X must be a table: a DataFrame") as raised:
        cheap().fit(X, table[1])
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize("estimator", ["random_forest", None, 3])
def test_what_is_no_estimator(table, estimator):
    """The selector takes an instance, not a name."""
    with pytest.raises(TypeError, match="estimator must be a classifier, or hold one"):
        MetaHyperparamSelector(estimator).fit(*table)


@pytest.mark.parametrize("n_candidates", [1, 2])
def test_a_preprocessor_that_does_not_take_the_table(table, n_candidates):
    """Nothing is made of text in front of it, which one may not know."""
    X, y = pd.DataFrame(table[0], columns=list("abcd")).assign(d="x y"), table[1]
    search = cheap(preprocessor=StandardScaler(), n_candidates=n_candidates)
    message = r"could not convert string to float: 'x y'\. preprocessor is given "
    with pytest.raises(NoCandidateError, match=message):
        search.fit(X, y)


class WantsNumbers(GaussianNB):
    """Takes no classes but numbers, as XGBClassifier does."""

    def fit(self, X, y, sample_weight=None):
        raise ValueError(f"Expected: [0 1], got {np.unique(y)}")


@pytest.mark.parametrize("n_candidates", [1, 2])
def test_an_estimator_that_does_not_take_the_classes(table, n_candidates):
    """No step in front of it makes others of them."""
    X, y = table
    search = MetaHyperparamSelector(WantsNumbers(), n_candidates=n_candidates)
    numbers = "Some want classes that are numbers from 0 to 1, which LabelEncoder()"
    message = r"got \['no' 'yes'\]\. The estimator is given the table as it is: .*"
    with pytest.raises(NoCandidateError, match=message + re.escape(numbers)):
        search.fit(X, np.where(y, "yes", "no"))
    with pytest.raises(NoCandidateError) as raised:
        search.fit(X, y)
    assert numbers not in str(raised.value)


def never(progress):
    raise AssertionError("a candidate was tried")


@pytest.mark.parametrize(
    ("scoring", "classes", "message"),
    [
        ("roc_auc", "abc", r"for these 3 classes, got: 'roc_auc' \(multi_class"),
        ("f1", "yn", r"for these 2 classes, got: 'f1' \(pos_label=1"),
        ("r2", "abc", "got: 'r2' .* of quantities; for classes .* 'roc_auc_ovr_weig"),
        ("neg_mean_squared_error", "yn", "of quantities; for classes there are 'bal"),
        ("average_precision", "yn", r"make_scorer\(f1_score, pos_label='y'\)"),
        ("jaccard", "abc", "For more than two classes there are 'balanced_accuracy'"),
        ("log_los", "yn", "got: 'log_los'. Did you mean 'neg_log_loss'?"),
        (
            "max error",
            "yn",
            "scoring must be one metric .a name of sklearn.metrics.g",
        ),
        (accuracy_score, "yn", "looks like it is a metric function"),
    ],
)
def test_metrics_that_cannot_score(table, scoring, classes, message):
    """Before anything is fitted."""
    X, _ = table
    y = np.array(list(classes))[np.arange(150) % len(classes)]
    with pytest.raises(ValueError, match=message):
        cheap(scoring=scoring, callback=never).fit(X, y)


def divide(estimator, X, y):
    return len(X) / 0


def test_a_scorer_that_fails(table):
    """It is told from an estimator that does."""
    message = "The first one: RuntimeError: scoring failed: ZeroDivisionError: divis"
    with pytest.raises(NoCandidateError, match=message):
        cheap(scoring=divide).fit(*table)
    search = MetaHyperparamSelector(
        GaussianNB(), n_candidates=2, scoring=lambda estimator, X, y: "good"
    )
    with pytest.raises(NoCandidateError, match="scoring failed: ValueError") as raised:
        search.fit(*table)
    assert "given the table as it is" not in str(raised.value)


def test_a_preview_without_classes(table):
    """As of a fit, and not with the name of a class that nobody knows."""
    with pytest.raises(ValueError, match="requires y to be passed, but the target y i"):
        cheap().preview(table[0])


def test_metrics_that_can(table):
    """A class is named, and what wants more than predictions is left alone."""
    X, y = table
    named = make_scorer(f1_score, pos_label="yes")
    assert cheap(scoring=named).fit(X, np.where(y, "yes", "no")).best_score_ > 0.9

    def own(estimator, X, y):
        return float(estimator[-1].n_features_in_)

    assert cheap(scoring=own).fit(X, y).best_score_ == 4


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: get_recommender("similar-task"), "Did you mean 'similar_tasks'?"),
        (lambda: check_learners(["SVC", "random_forrest"]), "'svc', 'random_forest'?"),
        (lambda: check_learners("sklearn.svm.SVC"), "Did you mean 'sklearn.svm:SVC'?"),
        (lambda: MetaFeatureExtractor(["landmark"]).fit([[1]], [0]), "'landmarking'?"),
        (lambda: MetaFeatureExtractor(level="ful").fit([[1]], [0]), "'full'?"),
        (lambda: load_knowledge().scores("acuracy"), "Did you mean 'accuracy'?"),
        (lambda: load_knowledge().summary("acuracy"), "Did you mean 'accuracy'?"),
    ],
    ids=["recommender", "learners", "path", "groups", "level", "scores", "summary"],
)
def test_misspelt_names(use, message):
    """The one that was meant is named."""
    with pytest.raises(ValueError, match=re.escape(message)):
        use()


def test_a_learner_that_nothing_is_known_of(table):
    """Named by its path, so that it exists; how it becomes known is said."""
    learners = ["sklearn.ensemble:AdaBoostClassifier"]
    with pytest.raises(ValueError, match=r"To teach .* Configuration\('sklearn.ens"):
        cheap(base_learners=learners, callback=never).fit(*table)


def test_metrics_of_quantities_take_numbers(table):
    """Which may be grades, but are names more often."""
    X, y = table
    with pytest.warns(SkmetaWarning, match="If these are only names, use 'balanced"):
        fitted = cheap(scoring="neg_mean_absolute_error").fit(X, y)
    assert -0.2 < fitted.best_score_ <= 0


ROWS = np.arange(150)
NONE = np.array([], dtype=int)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([], "cv must give at least one split, got none"),
        ([(ROWS[:100], NONE)], "got: 0 rows and 2 classes in split 0"),
        ([(ROWS[:100], ROWS[100:] + 9)], "cv must give row numbers below 150"),
        ([(ROWS, ROWS), (ROWS[:1], ROWS)], "150 rows and 1 classes in split 1"),
    ],
)
def test_splits_that_cannot_work(table, cv, message):
    with pytest.raises(ValueError, match=message):
        cheap(cv=cv, callback=never).fit(*table)


@pytest.mark.parametrize("cv", [1, 0, True, "five", 3.5, StratifiedKFold])
def test_what_makes_no_splits(table, cv):
    with pytest.raises(ValueError, match=r"cv must be an integer >= 2, .*got: .*One"):
        cheap(cv=cv, callback=never).fit(*table)
    with pytest.raises(ValueError, match="cv must be an integer >= 2"):
        MetaDecisionTreeClassifier(cv=cv).fit(*table)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sample_weight": "balanced"}, "got: 'balanced'.* scoring='balanced_acc"),
        ({"sample_weight": {0: 1, 1: 2}}, "number per row, got: {0: 1, 1: 2}"),
        ({"sample_weight": np.ones(3)}, "sample_weight must .* 150 rows of X, got: 3"),
        ({"groups": np.ones(3)}, "groups must have .* 150 rows of X, got: 3"),
        ({"groups": 3}, "groups must have .* 150 rows of X, got: 3"),
        ({"groups": np.array(3)}, r"groups must .* rows of X, got: array\(3\)"),
        ({"groups": "Year"}, r"groups must .* 'Year'.* give its values, X\['Year'\]"),
    ],
)
def test_what_is_not_one_value_for_each_row(table, given, message):
    with pytest.raises(ValueError, match=message):
        cheap(callback=never).fit(*table, **given)


DATE = datetime.date(2024, 1, 31)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(2)[ROWS % 2], r"class of each row, got: shape \(150, 2\)\. Of a Data"),
        ("species", r"class of each row, got: 'species'\. Of a DataFrame give the col"),
        (np.where(ROWS > 99, np.inf, 1.0), "y must have .*, got: infinity in 50 rows"),
        (ROWS / 10, r"got: continuous numbers such as 0\.1\. For a quantity use a"),
        (np.array(ROWS / 10, dtype=object), "continuous numbers such as 0.1"),
        ([DATE, DATE.replace(2025)] * 75, r"got: date, datetime.date\(2024, 1, 31\)"),
    ],
)
def test_what_is_no_class(table, y, message):
    with pytest.raises(ValueError, match=message):
        cheap(callback=never).fit(table[0], y)


def test_classes_as_objects(table):
    """A column of a mixed table has whole numbers that are objects to NumPy."""
    X, y = table
    assert cheap(n_candidates=1).fit(X, y.astype(object)).classes_.dtype.kind == "i"


def test_classes_that_may_be_none(table):
    """Dates and empty strings are classes, and it is said; of each thing once."""
    X, is_so = table
    many = np.datetime64("2024-01-01") + ROWS // 2
    for y, message in [
        (np.where(is_so, "yes", ""), "y is an empty string in .* of 150 rows"),
        (many, "75 different dates or durations in 150 rows"),
        (ROWS // 1.2, "125 different numbers in 150 rows"),
        ((ROWS // 2).astype(str), "75 different strings .* name the rows, take an"),
    ]:
        with pytest.warns(SkmetaWarning, match=message) as said:
            cheap(n_candidates=1).fit(X, y)
        assert len(said) == 1


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc", "roc_auc_ovr"])
@pytest.mark.parametrize(
    ("cv", "groups"), [(KFold(5), None), (GroupKFold(5), ROWS // 30)]
)
def test_splits_that_lack_a_class_the_metric_needs(scoring, cv, groups):
    """Said at once, where all candidates would fail; metrics of labels will do."""
    X, y = np.random.default_rng(0).normal(size=(150, 2)), np.repeat([0, 1], 75)
    with pytest.raises(ValueError, match=r"split 0, which has 2 .* StratifiedKFold"):
        cheap(cv=cv, scoring=scoring, callback=never).fit(X, y, groups=groups)
    assert len(cheap(cv=cv, scoring="f1_macro").preview(X, y, groups=groups)) == 2


@pytest.mark.parametrize("parameters", [{}, {"time_budget": 5, "n_candidates": None}])
def test_groups_that_are_classes(table, parameters):
    """Whatever ends the search: nothing can be learned without the other class."""
    X, y = table
    with pytest.raises(ValueError, match="1 classes in split 0"):
        cheap(callback=never, **parameters).fit(X, y, groups=y)


@pytest.mark.parametrize(
    "cv", [GroupKFold(3), StratifiedGroupKFold(3), LeaveOneGroupOut()]
)
def test_a_splitter_of_groups_without_groups(table, cv):
    """Whatever it says itself: not all of them say that groups are missing."""
    message = rf"groups must be given for cv={type(cv).__name__}.* fit\("
    with pytest.raises(ValueError, match=message):
        cheap(callback=never, cv=cv).fit(*table)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([None] * 150, "got: 150 missing ones, the first in row 0"),
        (np.where(ROWS > 100, np.nan, ROWS // 10), "49 missing ones, the first in"),
        (["a", 1, 2] * 50, "groups must be of one type, got: int, str"),
    ],
)
def test_groups_with_gaps(table, groups, message):
    with pytest.raises(ValueError, match=message):
        cheap(callback=never).fit(*table, groups=groups)


def test_other_parameters(table):
    X, y = table
    with pytest.raises(TypeError, match="callback must be a function"):
        cheap(callback="bar").fit(X, y)
    with pytest.raises(ValueError, match="memory_limit must be at least 100"):
        cheap(memory_limit=20).fit(X, y)
    twice = pd.DataFrame(X, columns=["a", "b", "a", "c"])
    with pytest.raises(ValueError, match=r"more than once: \['a'\]. Rename them"):
        cheap().fit(twice, y)
    with pytest.raises(TypeError, match=r"MetaLearnerClassifier\.score must"):
        cheap(n_candidates=1).fit(X, y).score(X)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([1, 2], r"got: list in column 'b', \[1, 2\]\. Make columns"),
        ({"k": "v"}, "got: dict in column 'b', {'k': 'v'}"),
        (np.zeros(2), "got: ndarray in column 'b', array"),
    ],
)
def test_cells_of_several_values(table, cell, message):
    """Which cell it is, and what to make of it."""
    X, y = table
    X = pd.DataFrame({"a": X[:, 0], "b": [cell] * 150})
    with pytest.raises(TypeError, match=message):
        cheap(callback=never).fit(X, y)


class Ends(TransformerMixin, BaseEstimator):
    """Ends the process that it is fitted in, politely."""

    def __init__(self, is_first=True):
        self.is_first = is_first

    def fit(self, X, y=None):
        sys.exit("I want to leave")

    def transform(self, X):
        return X


def test_a_candidate_that_exits_is_one_that_failed(table):
    with pytest.raises(ValueError, match="I want to leave"):
        cheap(preprocessor=Ends()).fit(*table)


@pytest.mark.parametrize("ordered", [False, True])
def test_categorical_target_on_the_command_line(tmp_path, ordered, capsys):
    """As parquet keeps it, with levels that no row has."""
    pytest.importorskip("pyarrow")
    y = pd.Categorical(
        np.repeat(["a", "b", "c"], [40, 30, 20]), list("cbaxy"), ordered=ordered
    )
    frame = pd.DataFrame({"x": np.repeat([0.0, 1.0, 2.0], [40, 30, 20]), "y": y})
    frame.to_parquet(tmp_path / "table.parquet")
    command = f"fit {tmp_path / 'table.parquet'} --target y --n-candidates 1"
    assert main(command.split()) == 0
    assert "3 classes" in capsys.readouterr().out


def test_a_quantity_is_not_taken_for_classes_in_silence():
    """It is, since it could be, but with a warning."""
    y = np.repeat(np.arange(30.0), 3)
    X = np.random.default_rng(0).normal(size=(90, 2))
    with pytest.warns(SkmetaWarning, match="30 different numbers in 90 rows") as said:
        make_pipeline(StandardScaler(), cheap()).fit(X, y)
    assert {each.filename for each in said} == {__file__}  # and not a line of skmeta


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_jobs": "two"}, "n_jobs must be an integer other than 0"),
        ({"n_jobs": 0}, "n_jobs must be an integer other than 0"),
        ({"verbose": "yes"}, "verbose must be an integer >= 0 or a boolean, got: 'y"),
        ({"verbose": -1}, "verbose must be an integer >= 0 or a boolean, got: -1"),
        ({"preprocessor": "scale"}, "preprocessor must be a transformer"),
        ({"preprocessor": never}, "preprocessor must be a transformer"),
        ({"preprocessor": StandardScaler}, r"as StandardScaler\(\), got: the class"),
    ],
    ids=["jobs", "no jobs", "word", "negative", "scale", "never", "StandardScaler"],
)
def test_parameters_of_another_kind(table, parameters, message):
    """Before anything is fitted, and with what they must be."""
    with pytest.raises((TypeError, ValueError), match=message):
        cheap(**parameters).fit(*table)


@pytest.mark.parametrize(
    "name",
    ["knowledge", "recommender", "explorer", "experience", "n_candidates", "refit",
     "time_budget", "preprocessor", "n_jobs", "random_state", "verbose", "callback",
     "scoring"],
)  # fmt: skip
def test_data_in_the_place_of_a_parameter(table, name):
    """It is not printed in full."""
    given = pd.DataFrame(table[0])
    with pytest.raises((TypeError, ValueError), match=f"{name} must be") as raised:
        cheap().set_params(**{name: given}).fit(*table)
    assert "got: DataFrame of shape (150, 4)" in str(raised.value)


def test_classes_in_the_place_of_the_number_of_rows(table):
    """As whoever thinks that the small model is fitted to them would give them."""
    fitted = cheap(n_candidates=1).fit(*table)
    message = r"n_rows must be .* or None, got: ndarray of shape \(150,\)\.$"
    with pytest.raises(ValueError, match=message):
        fitted.distil(*table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[:, 0], r"Expected 2D .* got: ndarray of shape \(150,\)\. R"),
        (lambda X: X + 1j, r"Complex data .* got: ndarray of shape \(150, 4\)\. Give"),
    ],
)
def test_arrays_that_are_no_tables(table, change, message):
    """Not printed in full either."""
    X, y = table
    with pytest.raises(ValueError, match=message):
        cheap().fit(change(X), y)


def test_a_function_of_classes_is_no_scorer(table):
    """Found before anything is fitted, with the way to make it one."""
    with pytest.raises(ValueError, match="make_scorer"):
        cheap(scoring=lambda y_true, y_pred: 0.5, callback=never).fit(*table)


@pytest.mark.parametrize(
    ("copy", "is_said"),
    [
        (lambda y: y, True),
        (lambda y: np.array(["no", "yes"])[y], True),
        (lambda y: np.where(y, 2.5, np.nan).astype(object), True),
        (lambda y: np.r_[1 - y[:1], y[1:]], False),
        (lambda y: y + np.linspace(0, 0.5, len(y)), False),
        (lambda y: y * np.arange(len(y)), False),
    ],
    ids=["same", "words", "gaps", "nearly", "separated", "many"],
)
def test_the_target_by_another_name(table, copy, is_said):
    """Said before anything is fitted, and only where it is certain."""
    X, y = table
    X = pd.DataFrame(X, columns=list("abcd")).assign(leak=copy(y))
    rare = ROWS > 145
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", SkmetaWarning)
        cheap().preview(X, y)
        cheap().preview(X[:40], y[:40])  # neither on few rows, nor of few of a class
        cheap().preview(X.assign(leak=rare), rare)
    said = [each for each in said if "'leak' stands for the classes" in str(each)]
    assert len(said) == is_said
    # Of a large table it is a sample.
    assert all("in all of the 150 rows looked at" in str(each) for each in said)
