"""What displays hold and draw; how they look is for people to judge."""

import pickle
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skmeta import (
    Configuration,
    KnowledgeBase,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
    load_knowledge,
    plotting,
)
from skmeta.plotting._reliability import _count_rows
from skmeta.recommendation import PortfolioRecommender
from skmeta.recommendation._task_space import COMPARED

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

OF_SEARCHES = (
    plotting.LeaderboardDisplay,
    plotting.AnytimeDisplay,
    plotting.SimilarTasksDisplay,
    plotting.MetaFeaturesDisplay,
)
OF_KNOWLEDGE = (plotting.KnowledgeDisplay, plotting.PortfolioDisplay)


@pytest.fixture(autouse=True)
def closed_figures():
    """Figures are closed after each test, and nothing global is changed by one."""
    plt.close("all")
    before = matplotlib.rcParams.copy()
    yield
    assert matplotlib.rcParams == before
    plt.close("all")


@pytest.fixture(scope="module")
def cheap():
    """Knowledge of two quick learners, one configuration of which always fails."""
    known = load_knowledge().select_learners(["gaussian_nb", "logistic_regression"])
    values = list(known.configuration_values)
    first = next(i for i, c in enumerate(values) if c.learner == "gaussian_nb")
    values[first] = Configuration("gaussian_nb", {"var_smoothing": -1.0})
    return KnowledgeBase(
        tasks=known.tasks,
        meta_features=known.meta_features,
        configurations=values,
        fold_scores={"accuracy": known.fold_scores("accuracy")},
        fit_seconds=known.fit_seconds,
        predict_seconds=known.predict_seconds,
    )


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    y = y.astype(float)  # and classes are "0" and "1" all the same
    return train_test_split(X, y, train_size=200, stratify=y, random_state=0)


@pytest.fixture(scope="module")
def clf(cheap, cancer):
    """It has tried everything, and one candidate has failed."""
    clf = MetaLearnerClassifier(knowledge=cheap, n_candidates=99, random_state=0)
    return clf.fit(cancer[0], cancer[2])


@pytest.fixture(scope="module")
def selector(cheap, cancer):
    selector = MetaHyperparamSelector(
        GaussianNB(), knowledge=cheap, n_candidates=4, random_state=0
    )
    return selector.fit(cancer[0], cancer[2])


@pytest.fixture(scope="module")
def untested(cheap, cancer):
    """The first recommendation, fitted without cross-validation."""
    clf = MetaLearnerClassifier(
        knowledge=cheap,
        base_learners=["logistic_regression"],
        n_candidates=1,
        random_state=0,
    )
    return clf.fit(cancer[0], cancer[2])


# All of them


@pytest.mark.parametrize("display", OF_SEARCHES)
@pytest.mark.parametrize("name", ["clf", "selector", "untested"])
def test_displays_draw_on_axes_given(display, name, request):
    """With axes none is opened; without, a figure is. Both can be rendered."""
    estimator = request.getfixturevalue(name)
    figure, ax = plt.subplots()
    opened = plt.get_fignums()
    shown = display.from_estimator(estimator, ax=ax)
    assert (shown.ax_, shown.figure_) == (ax, figure)
    assert plt.get_fignums() == opened
    again = shown.plot()
    assert again is shown
    assert len(plt.get_fignums()) == 2
    assert shown.figure_ is not figure
    shown.figure_.canvas.draw()


@pytest.mark.parametrize("display", OF_KNOWLEDGE)
def test_displays_of_knowledge_draw_on_axes_given(display, tiny_knowledge):
    """The same for knowledge; nothing is drawn beyond that figure."""
    figure, ax = plt.subplots()
    shown = display.from_knowledge(tiny_knowledge, ax=ax)
    assert (shown.ax_, shown.figure_) == (ax, figure)
    assert plt.get_fignums() == [figure.number]
    figure.canvas.draw()


@pytest.mark.parametrize("display", OF_SEARCHES)
def test_pickled_estimator_is_drawn_the_same(display, clf):
    """What was stored and loaded has the same data."""
    loaded = display.from_estimator(pickle.loads(pickle.dumps(clf)))
    for name, value in vars(display.from_estimator(clf)).items():
        if not name.endswith("_"):
            assert _is_equal(getattr(loaded, name), value), name


def _is_equal(one, two):
    if isinstance(one, (pd.DataFrame, pd.Series)):
        return one.equals(two)
    return np.array_equal(one, two, equal_nan=not isinstance(one, (str, list)))


@pytest.mark.parametrize(
    "display", [*OF_SEARCHES, plotting.EnsembleWeightsDisplay], ids=lambda d: d.__name__
)
def test_unfitted_and_other_estimators_are_refused(display):
    """What was not fitted, and what is none of ours, has errors that say so."""
    with pytest.raises(NotFittedError, match="MetaLearnerClassifier"):
        display.from_estimator(MetaLearnerClassifier())
    with pytest.raises(TypeError, match="must be a MetaLearnerClassifier"):
        display.from_estimator(LogisticRegression())


def test_axes_must_be_axes(clf):
    """An array of axes, as plt.subplots gives, is refused with what to do."""
    _, axes = plt.subplots(2)
    with pytest.raises(TypeError, match=r"ax must be a matplotlib Axes .* plt\.subp"):
        plotting.LeaderboardDisplay.from_estimator(clf, ax=axes)


# Leaderboard


def test_leaderboard_shows_its_scores(clf):
    """Dots are the mean scores and the splits, the best candidate on top."""
    shown = plotting.LeaderboardDisplay.from_estimator(clf)
    scores = clf.leaderboard_["score"].to_numpy()
    drawn = np.full(len(scores), np.nan)
    for container in shown.containers_:
        x, y = container.lines[0].get_data()
        drawn[np.asarray(y)] = x
    np.testing.assert_array_equal(drawn, scores)
    folds = np.ma.getdata(shown.folds_.get_offsets())[:, 0].reshape(len(scores), -1)
    has_score = np.isfinite(scores)
    np.testing.assert_allclose(folds[has_score].mean(axis=1), scores[has_score])
    # Deviations may go beyond the best and the worst split, where no score may be.
    left, right = shown.ax_.get_xlim()
    margin = 0.04 * np.ptp(folds[has_score])
    assert (left, right) == pytest.approx(
        (folds[has_score].min() - margin, folds[has_score].max() + margin)
    )
    low, high = shown.ax_.get_ylim()
    assert low > high
    assert shown.ax_.get_xlabel() == "accuracy"


def test_leaderboard_marks_what_predicts(clf, selector):
    """Of a classifier that is the ensemble, of a selector the best candidate."""
    shown = plotting.LeaderboardDisplay.from_estimator(clf)
    assert len(shown.members) == len(clf.ensemble_.weights) > 1
    assert shown.containers_[0].lines[0].get_xdata().size == len(shown.members)
    alone = plotting.LeaderboardDisplay.from_estimator(selector)
    assert alone.members == [selector.best_index_]


def test_leaderboard_says_why_there_is_no_score(clf, untested):
    """A failed candidate is a row with its error, one not tested says so."""
    [failed] = plotting.LeaderboardDisplay.from_estimator(clf).ax_.texts
    error = clf.leaderboard_["error"].iloc[-1]
    assert failed.get_text()[:40] == error[:40]
    assert failed.get_position()[1] == len(clf.leaderboard_) - 1
    [text] = plotting.LeaderboardDisplay.from_estimator(untested).ax_.texts
    assert text.get_text() == "not cross-validated"


def test_leaderboard_has_room_for_a_long_reason(untested):
    """In two lines; a third is left out."""
    board = untested.leaderboard_.assign(error="word " * 20)
    shown = plotting.LeaderboardDisplay(
        leaderboard=board, fold_scores=np.empty((len(board), 0)), members=[]
    ).plot()
    text = shown.ax_.texts[0].get_text()
    assert text.count("\n") == 1
    assert text.count("word") == 20


def test_leaderboard_of_the_best_few(clf):
    """What is left out is counted; the candidates shown are the best."""
    shown = plotting.LeaderboardDisplay.from_estimator(clf, max_candidates=3)
    pd.testing.assert_frame_equal(shown.leaderboard, clf.leaderboard_.head(3))
    n_more = len(clf.leaderboard_) - 3
    assert f"{n_more} more candidates" in shown.ax_.get_xlabel()
    labels = [text.get_text() for text in shown.ax_.get_yticklabels()]
    assert len(labels) == 3
    assert labels[0].endswith(f"[{clf.best_index_}]")
    with pytest.raises(ValueError, match="max_candidates must be an integer >= 1"):
        plotting.LeaderboardDisplay.from_estimator(clf, max_candidates=0)


def test_candidates_of_one_learner_are_named_by_what_differs(selector):
    """All labels are different, although the learner is the same."""
    shown = plotting.LeaderboardDisplay.from_estimator(selector)
    labels = [text.get_text() for text in shown.ax_.get_yticklabels()]
    assert all("var_smoothing=" in label for label in labels)
    assert len(set(labels)) == len(labels)


# Score against seconds


def test_anytime_curve_worked_example():
    """The best so far stays where a candidate is worse or has failed."""
    shown = plotting.AnytimeDisplay(
        seconds=np.array([1.0, 3.0, 3.0, 6.0]),
        scores=np.array([0.7, 0.6, np.nan, 0.9]),
        expected_scores=np.array([0.8, 0.8, 0.8, np.nan]),
    )
    assert shown.best_scores.tolist() == [0.7, 0.7, 0.7, 0.9]
    [line] = shown.plot().lines_
    np.testing.assert_array_equal(line.get_xdata(), shown.seconds)
    np.testing.assert_array_equal(line.get_ydata(), shown.best_scores)
    assert line.get_drawstyle() == "steps-post"


def test_anytime_adds_up_all_splits_in_the_order_tried(clf):
    """The last second is the sum of all fits and scores that are known."""
    shown = plotting.AnytimeDisplay.from_estimator(clf)
    results = clf.cv_results_
    of_a_split = results["mean_fit_time"] + results["mean_score_time"]
    total = clf.n_splits_ * np.nansum(of_a_split)
    assert shown.seconds[-1] == pytest.approx(total)
    np.testing.assert_array_equal(shown.scores, results["mean_test_score"])
    assert shown.best_scores[-1] == clf.best_score_
    np.testing.assert_array_equal(
        shown.expected_scores, clf.recommendation_.expected_scores
    )


def test_anytime_has_no_expectation_by_another_metric(cancer):
    """Scores by a metric that is not known are not compared with known ones."""
    clf = MetaLearnerClassifier(
        knowledge=load_knowledge().select_learners("gaussian_nb"),
        scoring="precision",
        n_candidates=2,
        random_state=0,
    ).fit(cancer[0], cancer[2])
    shown = plotting.AnytimeDisplay.from_estimator(clf)
    assert shown.expected_scores is None
    assert shown.ax_.get_ylabel() == "precision"


def test_anytime_draws_what_is_far_off_at_the_edge():
    """One hopeless candidate does not press the others flat."""
    scores = np.array([0.90, 0.91, 0.10, 0.92])
    shown = plotting.AnytimeDisplay(seconds=np.arange(1.0, 5.0), scores=scores).plot()
    assert shown.ax_.get_ylim()[0] > 0.8
    assert _legend_of(shown) == ["best so far", "a candidate", "far below"]


def test_anytime_says_what_triangles_mean():
    """In the legend, once for each direction, and only if there are some."""
    seconds, scores = np.arange(1.0, 5.0), np.array([0.90, 0.91, 0.10, 0.92])
    expected = np.array([0.91, 0.10, 2.0, 0.92])
    usual = ["best so far", "a candidate", "expected when tried"]
    shown = plotting.AnytimeDisplay(
        seconds=seconds, scores=scores, expected_scores=expected
    ).plot()
    assert _legend_of(shown) == [*usual, "far above", "far below"]
    alike = np.full(4, 0.9)
    shown = plotting.AnytimeDisplay(
        seconds=seconds, scores=alike, expected_scores=alike
    ).plot()
    assert _legend_of(shown) == usual


def _legend_of(shown):
    return [text.get_text() for text in shown.ax_.get_legend().get_texts()]


def test_anytime_of_untested_candidate(untested):
    """Without cross-validation there is no curve, and the plot says so."""
    shown = plotting.AnytimeDisplay.from_estimator(untested)
    assert shown.lines_ == []
    ax = shown.ax_
    assert "no candidate was cross-validated" in ax.get_title(loc="right")
    boxes = [each.get_window_extent() for each in (ax._right_title, ax.get_legend())]
    assert not boxes[0].overlaps(boxes[1])


# Known tasks


def test_similar_tasks_have_weights_that_sum_to_one(clf, cheap):
    """Every known task is a point, and the greatest weights are named."""
    shown = plotting.SimilarTasksDisplay.from_estimator(clf)
    assert set(shown.points.index) == set(cheap.tasks.index)
    assert shown.task_weights.sum() == pytest.approx(1)
    assert shown.task_weights.index.equals(shown.points.index)
    assert len(shown.tasks_.get_offsets()) == len(cheap.tasks)
    named = {text.get_text().split("\n")[0] for text in shown.texts_}
    assert named == set(clf.recommendation_.task_weights.index[:5])
    assert np.sum(np.greater(shown.tasks_.get_linewidths(), 1)) == 5
    heights = [text.get_position()[1] for text in shown.texts_]
    assert (-np.diff(heights) > 0.1).all()


def test_map_puts_a_known_task_where_it_is(clf, cheap):
    """A new task with the meta-features of a known one lies on that one."""
    twin = pickle.loads(pickle.dumps(clf))
    twin.meta_features_ = cheap.meta_features.loc["iris"]
    shown = plotting.SimilarTasksDisplay.from_estimator(twin)
    np.testing.assert_allclose(shown.new_point, shown.points.loc["iris"])


def test_map_of_a_table_like_no_other(clf):
    """What is infinite or missing is drawn at the edge or in the middle."""
    strange = pickle.loads(pickle.dumps(clf))
    strange.meta_features_["nr_inst"] = np.inf
    strange.meta_features_["can_cor.max"] = np.nan
    shown = plotting.SimilarTasksDisplay.from_estimator(strange)
    assert np.isfinite(shown.new_point).all()
    positions = plotting.MetaFeaturesDisplay.from_estimator(strange)
    assert positions.percentiles["nr_inst"] == 100
    assert np.isnan(positions.percentiles["can_cor.max"])
    assert positions.percentiles.index[-1] == "can_cor.max"


def test_nothing_is_named_where_all_count_alike(clf):
    """Equal weights make no task more similar than another."""
    shown = plotting.SimilarTasksDisplay.from_estimator(clf)
    shown.task_weights[:] = 1 / len(shown.task_weights)
    shown.task_weights.iloc[:2] /= 2  # of one family
    assert shown.plot().texts_ == []
    assert shown.ax_.get_title() == "all known tasks count alike"
    assert len(np.unique(shown.tasks_.get_sizes())) == 1


def test_map_of_one_meta_feature(clf, cheap):
    """One meta-feature makes a line of tasks."""
    narrow = KnowledgeBase(
        tasks=cheap.tasks,
        meta_features=cheap.meta_features[["nr_inst"]],
        configurations=cheap.configuration_values,
        fold_scores={"accuracy": cheap.fold_scores("accuracy")},
        fit_seconds=cheap.fit_seconds,
        predict_seconds=cheap.predict_seconds,
    )
    shown = plotting.SimilarTasksDisplay.from_estimator(clf, knowledge=narrow)
    assert (shown.points["second"] == 0).all()
    assert shown.explained_variance_ratio.tolist() == [1, 0]


def test_percentiles_count_lower_values_and_half_of_equal_ones(clf, cheap):
    """They are sorted, and equal an independent count."""
    shown = plotting.MetaFeaturesDisplay.from_estimator(clf)
    assert set(shown.percentiles.index) == set(COMPARED)
    for name, percentile in shown.percentiles.items():
        known, value = cheap.meta_features[name], clf.meta_features_[name]
        expected = 100 * ((known < value).mean() + (known == value).mean() / 2)
        assert percentile == pytest.approx(expected), name
    assert shown.percentiles.is_monotonic_decreasing
    [line] = shown.lines_
    np.testing.assert_array_equal(line.get_xdata(), shown.percentiles)
    labels = [text.get_text() for text in shown.ax_.get_yticklabels()]
    assert labels == shown.percentiles.index.tolist()
    written = dict(zip(labels, [t.get_text() for t in shown.texts_], strict=True))
    assert written["nr_inst"] == "200"


def test_known_tasks_of_another_knowledge_are_refused(clf, tiny_knowledge):
    """A knowledge base with none of the tasks of the fit is the wrong one."""
    with pytest.raises(ValueError, match=r"must hold the tasks .* fitted with"):
        plotting.SimilarTasksDisplay.from_estimator(clf, knowledge=tiny_knowledge)


def test_known_tasks_need_meta_features(clf):
    """A fit without time for meta-features stands nowhere."""
    hurried = pickle.loads(pickle.dumps(clf))
    hurried.meta_features_ = pd.Series(dtype=np.float64)
    with pytest.raises(ValueError, match="must have meta-features"):
        plotting.MetaFeaturesDisplay.from_estimator(hurried)


# Ensemble


def test_ensemble_weights_are_those_of_the_ensemble(clf):
    """Bars sum to one, the longest on top."""
    shown = plotting.EnsembleWeightsDisplay.from_estimator(clf)
    widths = [bar.get_width() for bar in shown.bars_]
    assert sum(widths) == pytest.approx(1)
    assert widths == sorted(clf.ensemble_.weights, reverse=True)
    for label, index in zip(shown.labels, shown.weights.index, strict=True):
        assert label.startswith(clf.leaderboard_["learner"][index])


def test_ensemble_weights_need_an_ensemble(selector, cheap, cancer):
    """A selector has none, nor has a classifier without refit."""
    with pytest.raises(TypeError, match="got: MetaHyperparamSelector"):
        plotting.EnsembleWeightsDisplay.from_estimator(selector)
    clf = MetaLearnerClassifier(knowledge=cheap, n_candidates=2, refit=False)
    clf.fit(cancer[0], cancer[2])
    with pytest.raises(ValueError, match="refit=True"):
        plotting.EnsembleWeightsDisplay.from_estimator(clf)
    with pytest.raises(ValueError, match="refit=True"):
        plotting.ReliabilityDisplay.from_estimator(clf, cancer[1], cancer[3])
    shown = plotting.LeaderboardDisplay.from_estimator(clf)
    assert shown.members == [clf.best_index_]


# Reliability


def test_reliability_of_two_classes(clf, cancer):
    """The curves are those of scikit-learn, for the second class."""
    _, X, _, y = cancer
    shown = plotting.ReliabilityDisplay.from_estimator(clf, X, y, n_bins=5)
    predictors = [clf.best_estimator_, clf.ensemble_]
    assert len(shown.curves) == 2
    for predictor, name, line in zip(
        predictors, shown.curves, shown.lines_, strict=True
    ):
        probability = predictor.predict_proba(X)[:, 1]
        share, mean = calibration_curve(y, probability, n_bins=5, strategy="quantile")
        np.testing.assert_array_equal(line.get_data(), [mean, share])
        assert shown.curves[name][2].sum() == len(y)
        brier = np.mean((probability - y) ** 2)
        assert shown.brier_scores[name] == pytest.approx(brier)
    assert shown.ax_.get_xlabel() == "mean probability of class 1"


@pytest.mark.parametrize("n_bins", [3, 6, 12, 19])
def test_rows_on_the_edges_of_bins(n_bins):
    """They are counted in the bin where scikit-learn has them."""
    rng = np.random.default_rng(0)
    for n_rows in range(20, 60):
        probability = rng.integers(1, 10, n_rows) / 10
        y = rng.random(n_rows) < probability
        share, _ = calibration_curve(y, probability, n_bins=n_bins, strategy="quantile")
        counts = _count_rows(probability, n_bins)
        np.testing.assert_allclose(share * counts, np.round(share * counts), atol=1e-9)
        assert counts.sum() == n_rows


def test_reliability_of_few_rows():
    """What chance may do: of 20 rows at 10 %, none to three may be so."""
    shown = plotting.ReliabilityDisplay(
        curves={"best candidate": tuple(np.array([[0.1, 0.9], [0.0, 0.5], [20, 20]]))},
        brier_scores={"best candidate": 0.1},
    ).plot()
    [[low, rare], [less, more]] = [
        line[:, 1] for line in shown.intervals_[0].get_segments()
    ]
    assert low == pytest.approx(0)
    assert 0.1 < rare < 0.2
    assert less + more == pytest.approx(1)


def test_reliability_of_three_classes(cheap):
    """Of more classes it is the most probable one, right or wrong."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    y = y.map({0: "a", 1: "b", 2: "c"})
    clf = MetaLearnerClassifier(
        knowledge=cheap, ensemble_size=1, n_candidates=2, random_state=0
    ).fit(X[::2], y[::2])
    X, y = X[1::2], y[1::2]
    shown = plotting.ReliabilityDisplay.from_estimator(clf, X, y)
    assert list(shown.curves) == ["best candidate"]
    probabilities = clf.predict_proba(X)
    is_right = clf.classes_[probabilities.argmax(axis=1)] == y
    brier = np.mean((probabilities.max(axis=1) - is_right) ** 2)
    assert shown.brier_scores["best candidate"] == pytest.approx(brier)
    assert "predicted class" in shown.ax_.get_xlabel()


def test_reliability_of_a_selector(selector, cancer):
    """There is one curve, of what predicts."""
    shown = plotting.ReliabilityDisplay.from_estimator(selector, cancer[1], cancer[3])
    assert len(shown.lines_) == 1
    _, ax = plt.subplots()
    assert shown.plot(ax).ax_ is ax


def test_reliability_refuses_what_does_not_fit(clf, cancer):
    """Classes that were never seen, and another number of rows."""
    _, X, _, y = cancer
    with pytest.raises(ValueError, match=r"hold the classes .* got also: \[7\.0\]"):
        plotting.ReliabilityDisplay.from_estimator(clf, X, np.where(y == 1, 7, y))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        plotting.ReliabilityDisplay.from_estimator(clf, X, y[:-1])
    with pytest.raises(NotFittedError):
        plotting.ReliabilityDisplay.from_estimator(MetaLearnerClassifier(), X, y)


def test_reliability_needs_probabilities(cancer):
    """The error says what to put around an estimator that has none."""
    selector = MetaHyperparamSelector(LinearSVC(), n_candidates=1)
    selector.fit(cancer[0], cancer[2])
    with pytest.raises(ValueError, match="CalibratedClassifierCV"):
        plotting.ReliabilityDisplay.from_estimator(selector, cancer[1], cancer[3])


# Knowledge


def test_knowledge_map_worked_example(tiny_knowledge):
    """Regret is what each task loses; what failed is blank, and last."""
    shown = plotting.KnowledgeDisplay.from_knowledge(tiny_knowledge, "accuracy")
    forest, linear, neighbors = tiny_knowledge.configurations.index
    assert shown.values.loc["heart", [forest, linear]].tolist() == pytest.approx(
        [0.3, 0.1]
    )
    assert shown.values.loc["storm", linear] == 0
    assert shown.values.loc[["storm", "wheat_b"], neighbors].isna().all()
    assert shown.values.min(axis=1).tolist() == [0, 0, 0, 0]
    drawn = np.ma.filled(shown.image_.get_array(), np.nan)
    np.testing.assert_array_equal(drawn, shown.values)
    assert shown.colorbar_.ax.get_ylabel() == "regret by accuracy"
    # The wheats, where the same does well, are neighbours.
    places = [shown.values.index.get_loc(name) for name in ("wheat_a", "wheat_b")]
    assert abs(np.diff(places)) == 1


def test_knowledge_map_of_ranks(tiny_knowledge):
    """Ranks go from 0, the best of a task, to 1, the worst with a score."""
    shown = plotting.KnowledgeDisplay.from_knowledge(
        tiny_knowledge, "accuracy", kind="rank"
    )
    assert sorted(shown.values.loc["heart"]) == [0, 0.5, 1]
    assert sorted(shown.values.loc["storm"].dropna()) == [0, 1]


@pytest.mark.parametrize("kind", ["regret", "rank"])
def test_knowledge_map_of_what_ships(kind):
    """Every task and configuration is there, and labels are few enough to read."""
    known = load_knowledge()
    shown = plotting.KnowledgeDisplay.from_knowledge(None, kind=kind)
    assert shown.metric == "balanced_accuracy_tuned"
    assert set(shown.values.index) == set(known.tasks.index)
    assert set(shown.values.columns) == set(known.configurations.index)
    learners = known.configurations["learner"]
    assert shown.learners == learners[shown.values.columns].tolist()
    n_groups = 1 + np.sum(np.array(shown.learners[1:]) != shown.learners[:-1])
    assert n_groups == learners.nunique()
    assert len(shown.ax_.get_xticks()) == n_groups
    assert len(shown.ax_.get_yticks()) <= 24
    assert f"{len(known.tasks)} tasks" in shown.ax_.get_ylabel()


def test_portfolio_regret_is_that_of_the_best_of_the_first(cheap):
    """The curve equals a computation task by task, with families weighing alike."""
    shown = plotting.PortfolioDisplay.from_knowledge(cheap, size=5)
    scores = cheap.scores("accuracy")
    regret = (scores.rsub(scores.max(axis=1), axis=0)).clip(upper=0.25).fillna(0.25)
    for k in range(1, 6):
        best = regret[shown.configurations[:k]].min(axis=1)
        by_family = best.groupby(cheap.tasks["family"]).mean()
        assert shown.mean_regret[k - 1] == pytest.approx(by_family.mean())
    order = PortfolioRecommender().fit(cheap, "accuracy").recommend({})
    names = [c.name for c in order.configurations]
    assert shown.configurations == names[:5]
    np.testing.assert_array_equal(shown.lines_[0].get_ydata(), shown.mean_regret)
    np.testing.assert_array_equal(shown.lines_[1].get_ydata(), shown.random_regret)


def test_random_order_is_the_mean_of_all_orders(tiny_knowledge):
    """Three configurations have six orders; with all of them nothing is lost."""
    shown = plotting.PortfolioDisplay.from_knowledge(tiny_knowledge, "accuracy")
    known = PortfolioRecommender().fit(tiny_knowledge, "accuracy")
    best = known.scores_.max(axis=1, where=~np.isnan(known.scores_), initial=-1)
    regret = np.nan_to_num(best[:, np.newaxis] - known.scores_, nan=0.25)
    regret = np.minimum(regret, 0.25)
    orders = [
        known.task_weights_ @ np.minimum.accumulate(regret[:, order], axis=1)
        for order in permutations(range(regret.shape[1]))
    ]
    np.testing.assert_allclose(shown.random_regret, np.mean(orders, axis=0))
    assert shown.random_regret[-1] == pytest.approx(0)


def test_knowledge_displays_refuse_what_is_not_known(tiny_knowledge):
    """Metrics, kinds, sizes and knowledge must be ones there are."""
    for display in OF_KNOWLEDGE:
        with pytest.raises(ValueError, match="metric must be one of"):
            display.from_knowledge(tiny_knowledge, "l3")
        with pytest.raises(TypeError, match="knowledge must be a KnowledgeBase"):
            display.from_knowledge(3)
    with pytest.raises(ValueError, match="kind must be one of"):
        plotting.KnowledgeDisplay.from_knowledge(tiny_knowledge, kind="heat")
    with pytest.raises(ValueError, match="size must be an integer >= 1"):
        plotting.PortfolioDisplay.from_knowledge(tiny_knowledge, size=0)


def test_dollars_in_names_are_no_formulas(clf):
    """A task or class with dollars in its name is written as it is."""
    shown = plotting.SimilarTasksDisplay.from_estimator(clf)
    first = shown.task_weights.index[0]
    shown.points = shown.points.rename(index={first: "$\\bad$"})
    shown.task_weights = shown.task_weights.rename({first: "$\\bad$"})
    shown.plot().figure_.canvas.draw()
    reliability = plotting.ReliabilityDisplay(
        curves={"best candidate": tuple(np.array([[0.1], [0.2], [9]]))},
        brier_scores={"best candidate": 0.1},
        of="class $\\bad$",
    )
    reliability.plot().figure_.canvas.draw()


@pytest.mark.parametrize("kind", ["regret", "rank"])
def test_knowledge_of_one_task_and_configuration(tiny_parts, kind):
    """The smallest knowledge base there is can be drawn."""
    one = {
        "tasks": tiny_parts["tasks"][:1],
        "meta_features": tiny_parts["meta_features"][:1],
        "configurations": tiny_parts["configurations"][:1],
        "fold_scores": {"accuracy": tiny_parts["fold_scores"]["accuracy"][:1, :1]},
        "fit_seconds": np.ones((1, 1)),
        "predict_seconds": np.ones((1, 1)),
    }
    shown = plotting.KnowledgeDisplay.from_knowledge(KnowledgeBase(**one), kind=kind)
    assert shown.values.to_numpy().tolist() == [[0]]
    shown.figure_.canvas.draw()
    portfolio = plotting.PortfolioDisplay.from_knowledge(KnowledgeBase(**one))
    assert portfolio.mean_regret.tolist() == [0]
    portfolio.figure_.canvas.draw()
