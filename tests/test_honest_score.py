import json
import time

import numpy as np
import pytest
from joblib import parallel_config
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GroupShuffleSplit,
    LeaveOneGroupOut,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB

from skmeta import MetaHyperparamSelector, MetaLearnerClassifier
from skmeta._decision import EXPONENTS, LOG_WEIGHTS
from skmeta._honesty import (
    corrected_interval,
    deal_out,
    jackknife_interval,
    make_parts,
    scores_of_choice,
)
from skmeta._limits import OutOfTime
from skmeta._out_of_fold import OutOfFold
from skmeta._refit import fit_members
from skmeta._schedule import Schedule

CHEAP = ["gaussian_nb", "linear_discriminant_analysis", "logistic_regression"]
METRICS = [
    "accuracy",
    "balanced_accuracy",
    "neg_log_loss",
    "roc_auc_ovr_weighted",
    "f1_macro",
]


def cheap_classifier(**params):
    """Return a classifier whose candidates take milliseconds."""
    defaults = {"base_learners": CHEAP, "n_candidates": 3, "random_state": 0}
    return MetaLearnerClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


# Parts


def test_folds_are_parts():
    """Where splits do not overlap each is a part, however rows are ordered."""
    tests = [np.array([5, 0]), np.array([1, 4]), np.array([3])]
    assert make_parts(tests, np.zeros(6, dtype=int)).tolist() == [0, 0, 1, 1, 2]


def test_repeats_of_a_row_are_in_one_part():
    """The parts of repeated folds are the folds of the first time."""
    y = np.arange(40) % 2
    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)
    tests = [test for _, test in cv.split(y, y)]
    parts = make_parts(tests, y)
    part_of = dict(zip(np.concatenate(tests[:4]), parts[:40], strict=True))
    assert [part_of[row] for row in np.concatenate(tests)] == parts.tolist()
    assert np.bincount(parts).tolist() == [30, 30, 30, 30]


def test_rows_of_a_group_are_in_one_part():
    """With overlapping splits by group, and with a single one."""
    y, groups = np.arange(60) % 2, np.arange(60) // 4
    for n_splits in (1, 6):
        cv = GroupShuffleSplit(n_splits, test_size=0.5, random_state=0)
        tests = [test for _, test in cv.split(y, y, groups)]
        parts = make_parts(tests, y, groups)
        tested = groups[np.concatenate(tests)]
        assert parts.max() > 0
        for group in np.unique(tested):
            assert len(set(parts[tested == group])) == 1


def test_many_splits_make_ten_parts():
    """Leaving out one row at a time is not done a hundred times."""
    tests = list(np.arange(100)[:, np.newaxis])
    parts = make_parts(tests, np.zeros(100, dtype=int))
    assert np.bincount(parts).tolist() == [10] * 10


def test_rows_of_a_holdout_are_dealt_out_by_class():
    """Every part has its share of each class."""
    y = np.repeat([0, 1], [90, 10])
    parts = make_parts([np.arange(100)], y)
    assert np.bincount(parts[y == 0]).tolist() == [18] * 5
    assert np.bincount(parts[y == 1]).tolist() == [2] * 5


def test_nothing_to_divide():
    """Without splits, with one row and with one group there is no second part."""
    one = np.zeros(4, dtype=int)
    assert make_parts([], one).size == 0
    assert make_parts([np.array([2])], one).tolist() == [0]
    assert set(make_parts([np.arange(4)], one, groups=one)) == {0}


def test_jackknife_of_a_mean_is_students_interval():
    """Blocks of one row and the mean: the textbook formula."""
    values = np.random.default_rng(0).normal(size=30)
    without = (values.sum() - values) / 29
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    np.testing.assert_allclose(jackknife_interval(values.mean(), without), expected)


# The estimate


def test_score_of_a_lucky_choice():
    """Each is best on one split: who chooses by the others has the worse one there."""
    tests = [np.arange(3), np.arange(3, 6), np.arange(6, 9)]
    scores = np.array([[0.9, 0.6, 0.6], [0.7, 0.7, 0.7], [np.nan, 1.0, 1.0]])
    assert scores_of_choice(scores, tests).tolist() == [0.7, 0.6, 0.6]
    repeated = scores_of_choice(np.tile(scores, 2), tests * 2)
    assert repeated.tolist() == [0.7, 0.6, 0.6] * 2
    assert len(scores_of_choice(scores[:, :1], tests[:1])) == 0
    assert len(scores_of_choice(scores[:, :2], [tests[0], tests[0]])) == 0
    assert len(scores_of_choice(scores[2:], tests)) == 0
    assert len(scores_of_choice(np.empty((2, 0)), [])) == 0


def test_score_of_a_choice_among_noise_is_chance():
    rng = np.random.default_rng(0)
    scores = rng.normal(0.5, 0.1, size=(200, 20, 5))
    tests = np.arange(100).reshape(5, 20)
    honest = np.mean([scores_of_choice(each, list(tests)) for each in scores])
    assert honest == pytest.approx(0.5, abs=0.01)
    assert np.mean(scores.mean(axis=2).max(axis=1)) > 0.57


def test_the_selector_has_one(iris):
    """By whatever scorer, since nothing has to be predicted for it."""

    def own(estimator, X, y):
        return estimator.score(X, y)

    search = MetaHyperparamSelector(
        LogisticRegression(), n_candidates=3, scoring=own, random_state=0
    ).fit(*iris)
    assert 0.9 < search.honest_score_ <= search.best_score_
    low, high = search.honest_interval_
    assert low < search.honest_score_ < high
    shown = f"{search.honest_score_:.4f} ({low:.4f} to {high:.4f})."
    assert shown in search._repr_html_()
    search.set_params(scoring="accuracy").fit(*iris)
    assert search.honest_interval_[1] == 1  # where perfect predictions end
    search.set_params(n_candidates=1).fit(*iris)
    assert np.isnan([search.honest_score_, *search.honest_interval_]).all()


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr"])
def test_the_interval_of_a_selector_ends_at_the_best_score(iris, scoring):
    """Whatever that is, and where the splits overlap, too."""
    search = MetaHyperparamSelector(
        LogisticRegression(),
        n_candidates=2,
        scoring=scoring,
        cv=RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        random_state=0,
    ).fit(*iris)
    low, high = search.honest_interval_
    best = {"neg_log_loss": 0, "roc_auc_ovr": 1}[scoring]
    assert low < search.honest_score_ < high <= best + 1e-9


def test_the_interval_where_a_split_has_no_such_class():
    """There even perfect predictions have no recall, and elsewhere they do."""
    X, y = load_breast_cancer(return_X_y=True)
    groups = np.where(y == 0, np.arange(len(y)) % 5, 1 + np.arange(len(y)) % 4)
    search = MetaHyperparamSelector(
        GaussianNB(), n_candidates=2, scoring="recall", cv=LeaveOneGroupOut()
    ).fit(X, y, groups=groups)
    low, high = search.honest_interval_
    assert low < search.honest_score_ < high == 1


def test_the_interval_of_common_rows():
    """Of two splits into halves their error is that of one score."""
    splits = [(np.arange(5), np.arange(5, 10)), (np.arange(5, 10), np.arange(5))]
    low, high = corrected_interval(np.array([0.6, 0.8]), splits)
    half = stats.t.ppf(0.975, 1) * np.sqrt((1 / 2 + 1) * 0.02)
    assert (low, high) == pytest.approx((0.7 - half, 0.7 + half))
    assert np.isnan(corrected_interval(np.array([0.6]), splits)).all()


def make_out_of_fold(y, splits, scoring, weights=None):
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    params = {} if weights is None else {"sample_weight": weights}
    return OutOfFold(y, splits, scorer, scoring, True, params, weights)


def halves_of_eight():
    rows = np.arange(8)
    return [(rows[4:], rows[:4]), (rows[:4], rows[4:])]


def test_worked_example_of_two_lucky_candidates():
    """Each is right on one half: who chooses by the other half is always wrong."""
    y = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    right = np.eye(2)[y] * 0.8 + 0.1
    wrong = 1 - right
    probabilities = [[right[:4], wrong[4:]], [wrong[:4], right[4:]]]
    scores = np.array([[1.0, 0.0], [0.0, 1.0]])
    out_of_fold = make_out_of_fold(y, halves_of_eight(), "accuracy")
    score, chosen = out_of_fold.honest_score(scores, probabilities, 1)
    assert score == 0
    assert out_of_fold.honest_interval(score, chosen).tolist() == [0, 0]


def test_one_candidate_has_nothing_to_be_honest_about():
    """Without a choice it is the mean score, also if another one has failed."""
    X, y = make_classification(120, random_state=0)
    splits = list(StratifiedKFold(4).split(X, y))
    values = [
        GaussianNB().fit(X[train], y[train]).predict_proba(X[test])
        for train, test in splits
    ]
    scores = [
        accuracy_score(y[test], v.argmax(axis=1))
        for v, (_, test) in zip(values, splits, strict=True)
    ]
    out_of_fold = make_out_of_fold(y, splits, "accuracy")
    honest, chosen = out_of_fold.honest_score(
        np.array([[np.nan] * 4, scores]), [None, values], 5
    )
    low, high = out_of_fold.honest_interval(honest, chosen)
    assert honest == pytest.approx(np.mean(scores))
    assert honest - 0.2 < low < honest < high < honest + 0.2


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "neg_log_loss"])
def test_a_row_without_weight_is_no_row(scoring):
    """What is chosen and scored is as if it were not there."""
    X, y = make_classification(200, flip_y=0.2, weights=[0.7], random_state=0)
    weights = (np.arange(len(y)) % 3 > 0).astype(float)
    splits = list(StratifiedKFold(4).split(X, y))
    kept = [(train, test[weights[test] > 0]) for train, test in splits]

    def honest(splits):
        probabilities = [
            [
                model.fit(X[train], y[train]).predict_proba(X[test])
                for train, test in splits
            ]
            for model in (GaussianNB(), LogisticRegression())
        ]
        scores = np.tile([[0.5], [0.6]], len(splits))
        out_of_fold = make_out_of_fold(y, splits, scoring, weights)
        return out_of_fold.honest_score(scores, probabilities, 5)[0]

    assert honest(splits) == pytest.approx(honest(kept), abs=0.02)
    assert np.isfinite(honest(splits))


def test_noise():
    """The best of 20 candidates looks better than chance, the honest score not."""
    best, honest = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(90, 5)), rng.permutation(np.arange(90) % 2)
        clf = cheap_classifier(
            base_learners=[*CHEAP, "k_nearest_neighbors", "decision_tree"],
            n_candidates=20,
            scoring="balanced_accuracy",
            random_state=seed,
        ).fit(X, y)
        best.append(clf.best_score_)
        honest.append(clf.honest_score_)
    # The mean of four has a standard error of .026 by the rows alone.
    assert abs(np.mean(honest) - 0.5) < 0.06
    assert np.mean(best) - np.mean(honest) > 0.02


# In the classifier


@pytest.mark.parametrize("scoring", METRICS)
def test_every_metric(iris, scoring):
    """It is a score of that metric, inside its interval."""
    clf = cheap_classifier(scoring=scoring).fit(*iris)
    low, high = clf.honest_interval_
    assert low < clf.honest_score_ < high
    assert clf.honest_score_ == pytest.approx(clf.best_score_, abs=0.05)


def test_any_metric_of_make_scorer(iris):
    """Also with another sign, and of a kind that scikit-learn does not know."""
    scorer = make_scorer(lambda y, p: np.mean(y != p), greater_is_better=False)
    assert -0.1 < cheap_classifier(scoring=scorer).fit(*iris).honest_score_ < 0


def test_time_is_kept_for_it(iris, monkeypatch):
    """For a call of the scorer for each weighting of the classes in each part."""

    def slow(y_true, y_pred):
        time.sleep(0.002)
        return accuracy_score(y_true, y_pred)

    reserved = []
    monkeypatch.setattr(Schedule, "reserve", lambda self, s: reserved.append(s))
    cheap_classifier(scoring=make_scorer(slow), time_budget=20).fit(*iris)
    assert max(reserved) > 0.002 * 6 * len(EXPONENTS)


def test_it_comes_before_fits_that_take_all_the_time(iris, monkeypatch):
    """Where it is soon found, and they could be on fewer rows."""

    def fit_to_the_end(*arguments):
        outcomes = fit_members(*arguments)
        monkeypatch.setattr(Schedule, "left", lambda schedule: 0.0)
        return outcomes

    monkeypatch.setattr("skmeta._search.fit_members", fit_to_the_end)
    clf = cheap_classifier(time_budget=60).fit(*iris)
    assert 0.9 < clf.honest_score_ <= 1
    assert np.isnan(clf.honest_interval_).all()


def test_an_interruption_while_it_is_found_loses_nothing(iris, monkeypatch):
    """The best candidate predicts, without an honest score."""

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(OutOfFold, "honest_score", interrupt)
    clf = cheap_classifier(time_budget=600).fit(*iris)
    assert clf.score(*iris) > 0.9
    assert np.isnan(clf.honest_score_)
    assert (clf.leaderboard_["weight"] > 0).sum() == 1


def test_labels_are_not_tuned_for_long_when_time_is_over(monkeypatch):
    """And when replayed, with all the time there is, they are the same."""
    calls = []

    def slow(y_true, y_pred):
        calls.append(1)
        time.sleep(0.01)
        return f1_score(y_true, y_pred)

    def fit_to_the_end(*arguments):
        outcomes = fit_members(*arguments)
        patch.setattr(Schedule, "left", lambda schedule: 0.0)
        calls.clear()
        return outcomes

    X, y = make_classification(300, weights=[0.9], flip_y=0.2, random_state=0)
    params = {"scoring": make_scorer(slow), "time_budget": 60, "cv": 2}
    with monkeypatch.context() as patch:
        patch.setattr("skmeta._search.fit_members", fit_to_the_end)
        clf = cheap_classifier(**params).fit(X, y)
    assert len(calls) < len(LOG_WEIGHTS)
    assert clf.ensemble_.class_weights is None
    log = json.loads(json.dumps(clf.trial_log_))
    again = cheap_classifier(**params).replay(X, y, log)
    np.testing.assert_array_equal(again.predict(X), clf.predict(X))
    del log["class_weights"]
    tuned = cheap_classifier(**params).replay(X, y, log)
    assert tuned.ensemble_.class_weights is not None


def test_few_parts_take_less_time():
    """Each chooses the weights of the classes anew, which the scorer tells."""
    calls = []

    def count(y_true, y_pred):
        calls.append(len(y_true))
        return accuracy_score(y_true, y_pred)

    X, y = make_classification(200, flip_y=0.2, random_state=0)
    splits = list(StratifiedKFold(5).split(X, y))
    values = [
        GaussianNB().fit(X[train], y[train]).predict_proba(X[test])
        for train, test in splits
    ]
    scorer = make_scorer(count)
    out_of_fold = OutOfFold(y, splits, scorer, "f1_macro", False, {}, None)
    scores = np.full((1, 5), 0.5)
    all_parts, _ = out_of_fold.honest_score(scores, [values], 1)
    n_calls = len(calls)
    few_parts, _ = out_of_fold.honest_score(scores, [values], 1, n_parts=2)
    assert len(calls) - n_calls < n_calls / 2
    assert few_parts == pytest.approx(all_parts, abs=0.05)


def test_how_often_a_class_comes_is_chance_too():
    """Where one class is predicted for all, the interval is that of its share."""
    X, y = np.random.default_rng(0).normal(size=(400, 3)), np.arange(400) % 10 < 7
    clf = cheap_classifier(base_learners=["linear_svc"], n_candidates=1, cv=5)
    clf.set_params(n_candidates=2).fit(X, y)
    assert np.mean(clf.predict(X)) > 0.9
    low, high = clf.honest_interval_
    expected = 2 * stats.norm.ppf(0.975) * np.sqrt(0.7 * 0.3 / 400)
    assert 0.5 * expected < high - low < 2 * expected


def test_the_interval_of_a_class_with_a_row_in_each_split():
    """Log loss needs every class in every split: those rows are not left out."""
    y = np.repeat([0, 1, 2], [120, 75, 5])
    X = y[:, np.newaxis] + np.random.default_rng(0).normal(size=(200, 2))
    clf = cheap_classifier(scoring="neg_log_loss", cv=5).fit(X, y)
    low, high = clf.honest_interval_
    assert low < clf.honest_score_ < high <= 0


def test_no_interval_goes_beyond_perfect_predictions():
    """An accuracy is at most 1."""
    y = np.arange(100) % 2
    X = 4.0 * y[:, np.newaxis] + np.random.default_rng(0).normal(size=(100, 1))
    clf = cheap_classifier(cv=5).fit(X, y)
    assert 0.9 < clf.honest_interval_[0] < clf.honest_score_ < 1
    assert clf.honest_interval_[1] == 1


def test_the_interval_is_given_up_first(iris, monkeypatch):
    """Where the time is over by then, the score is there all the same."""

    def run_out(*_):
        raise OutOfTime

    monkeypatch.setattr("skmeta._out_of_fold.deal_out", run_out)
    clf = cheap_classifier().fit(*iris)
    assert 0.9 < clf.honest_score_ <= 1
    assert np.isnan(clf.honest_interval_).all()


def test_no_estimate(iris):
    """There is none for a scorer of unknown needs, and without cross-validation."""

    def own(estimator, X, y):
        return estimator.score(X, y)

    for params in ({"scoring": own}, {"n_candidates": 1}):
        clf = cheap_classifier(**params).fit(*iris)
        assert np.isnan(clf.honest_score_)
        assert np.isnan(clf.honest_interval_).all()
    assert not hasattr(cheap_classifier(refit=False).fit(*iris), "honest_score_")


def test_the_same_again(iris):
    """It depends on the seed alone, not on workers, and disturbs no generator."""
    X, y = iris
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - it must not change
    cv = ShuffleSplit(1, test_size=0.4, random_state=0)
    with parallel_config("threading"):
        scores = [
            cheap_classifier(cv=cv, n_jobs=n_jobs).fit(X, y).honest_score_
            for n_jobs in (1, 1, 2)
        ]
    assert len(set(scores)) == 1
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    "cv",
    [
        ShuffleSplit(1, test_size=0.4, random_state=0),
        ShuffleSplit(3, test_size=0.4, random_state=0),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        2,
    ],
    ids=["holdout", "shuffled", "repeated", "two folds"],
)
def test_any_splits(iris, cv):
    """Holdouts, repeats and overlaps are divided as well."""
    clf = cheap_classifier(cv=cv, scoring="roc_auc_ovr_weighted").fit(*iris)
    assert 0.85 < clf.honest_score_ <= 1
    assert np.isfinite(clf.honest_interval_).all()


def test_groups_stay_together_in_a_holdout():
    """They are what is divided; the only group that is tested cannot be."""
    clf = cheap_classifier(cv=GroupShuffleSplit(1, test_size=0.5, random_state=0))
    X, y = make_classification(120, flip_y=0.3, random_state=0)
    assert np.isfinite(clf.fit(X, y, groups=np.arange(120) // 10).honest_score_)
    assert np.isnan(clf.fit(X, y, groups=np.arange(120) % 2).honest_score_)


def test_sample_weights(iris):
    """Rows that weigh more count more in the score."""
    X, y = iris
    y = np.where(np.arange(len(y)) % 5 == 0, (y + 1) % 3, y)  # every fifth is wrong
    trusted = np.where(np.arange(len(y)) % 5 == 0, 1e-3, 1.0)
    plain = cheap_classifier().fit(X, y)
    weighted = cheap_classifier().fit(X, y, sample_weight=trusted)
    assert plain.honest_score_ < 0.85
    assert weighted.honest_score_ > 0.9


@pytest.mark.parametrize("scoring", METRICS[1::2])
def test_two_rows_of_each_class(scoring):
    """As little as there can be gives a number or NaN, and no error."""
    X, y = np.arange(8.0).reshape(4, 2), np.array([0, 0, 1, 1])
    clf = cheap_classifier(scoring=scoring).fit(X, y)
    assert isinstance(clf.honest_score_, float)


@pytest.mark.parametrize("scoring", METRICS[1::2])
def test_a_class_that_parts_lack(iris, scoring):
    """A class with two rows in a holdout is chosen without, and scored."""
    X, y = iris
    y = np.where(np.arange(150) >= 146, 3, y)
    test = np.r_[0:140:3, 148, 149]
    split = [(np.setdiff1d(np.arange(150), test), test)]
    clf = cheap_classifier(cv=split, scoring=scoring).fit(X, y)
    assert np.isfinite(clf.honest_score_)
    assert np.isfinite(clf.honest_interval_).all()


def test_leave_one_out():
    """Splits of one row are merged for choosing, and have an interval."""
    X, y = make_classification(24, random_state=0)
    clf = cheap_classifier(cv=LeaveOneOut(), n_candidates=2).fit(X, y)
    low, high = clf.honest_interval_
    assert 0.3 < low < clf.honest_score_ < high


def test_deal_out_keeps_repeats_together():
    """A row that is tested twice has one part."""
    rows = np.array([3, 1, 3, 0, 1, 2])
    parts = deal_out(rows, 4, np.zeros(4, dtype=int))
    assert parts[0] == parts[2]
    assert parts[1] == parts[4]
    assert len(set(parts)) == 4
