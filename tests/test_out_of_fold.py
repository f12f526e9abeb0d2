import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, get_scorer, make_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

from skmeta import MetaLearnerClassifier
from skmeta._evaluation import Work, evaluate_candidates
from skmeta._out_of_fold import OutOfFold

N_FOLDS = 4


@pytest.fixture(scope="module")
def skewed():
    """Nine rows of ten in one class, probabilities of two classes to learn."""
    X, y = make_classification(
        800, 6, n_informative=3, weights=[0.9], flip_y=0.02, random_state=0
    )
    splits = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(X, y))
    return X, np.array(["common", "rare"])[y], splits


def make(task, scoring, metric, *, is_exact=True, score_params=None, weights=None):
    _, y, splits = task
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    return OutOfFold(y, splits, scorer, metric, is_exact, score_params or {}, weights)


def probabilities_of(estimator, task):
    X, y, splits = task
    return [
        estimator.fit(X[train], y[train]).predict_proba(X[test])
        for train, test in splits
    ]


def test_who_is_judged(skewed):
    """Metrics that labels gain for by class weights have a judge, others none."""
    assert make(skewed, "accuracy", "accuracy").judge is None
    assert make(skewed, "neg_log_loss", "neg_log_loss").judge is None
    assert make(skewed, "balanced_accuracy", "balanced_accuracy").judge is not None
    # Who knows what a function of the user's gains by.
    assert make(skewed, "f1", "f1_macro", is_exact=False).judge is None


def test_a_judge_does_not_flatter_a_moved_threshold(skewed):
    """Balanced classes in training win plain balanced accuracy, not the judged."""
    X, y, splits = skewed
    candidates = [
        LogisticRegression(),
        LogisticRegression(class_weight="balanced"),
    ]
    scorer = get_scorer("balanced_accuracy")
    plain = evaluate_candidates(candidates, Work(X, y, splits, scorer))
    out_of_fold = make(skewed, "balanced_accuracy", "balanced_accuracy")
    work = Work(X, y, splits, scorer, classes=out_of_fold.classes)
    judged = evaluate_candidates(candidates, work, judge=out_of_fold.judge)
    assert np.diff(plain.mean_scores)[0] > 0.1
    assert np.diff(judged.mean_scores)[0] < 0.02
    assert judged.mean_scores.min() > plain.mean_scores[0] + 0.1


@pytest.mark.parametrize("way", ["one split", "weights"])
def test_without_other_folds_or_with_weights_labels_are_by_the_shares(skewed, way):
    """Then class weights are not tuned but one over the shares."""
    X, y, splits = skewed
    params = {"sample_weight": np.ones(len(y))} if way == "weights" else {}
    splits = splits[:1] if way == "one split" else splits
    out_of_fold = make(
        (X, y, splits),
        "balanced_accuracy",
        "balanced_accuracy",
        score_params=params,
        weights=params.get("sample_weight"),
    )
    assert out_of_fold.judge is None
    work = Work(
        X,
        y,
        splits,
        get_scorer("balanced_accuracy"),
        classes=out_of_fold.classes,
        class_weights=out_of_fold.start,
    )
    evaluations = evaluate_candidates([GaussianNB()], work)
    shares = np.array([np.mean(y == c) for c in out_of_fold.classes])
    for score, values, (_, test) in zip(
        evaluations.scores[0], evaluations.probabilities[0], splits, strict=True
    ):
        labels = out_of_fold.classes[(values / shares).argmax(axis=1)]
        assert score == pytest.approx(balanced_accuracy_score(y[test], labels))


def test_class_weights_follow_the_metric(skewed):
    """They are about one over the shares for balanced accuracy, none for accuracy."""
    X, y, splits = skewed
    cv = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    tested = np.concatenate([test for _, test in splits])
    mean = cross_val_predict(LogisticRegression(), X, y, cv=cv, method="predict_proba")[
        tested
    ]
    assert make(skewed, "accuracy", "accuracy").weigh_classes(mean) is None
    assert make(skewed, "roc_auc", "roc_auc_ovr_weighted").weigh_classes(mean) is None
    balanced = make(skewed, "balanced_accuracy", "balanced_accuracy")
    common, rare = balanced.weigh_classes(mean)
    assert rare == 1.0
    assert common < 0.4
    # Without any row predicted, what is best if the probabilities are right.
    common, rare = balanced.weigh_classes(None)
    assert common / rare == pytest.approx(np.mean(y == "rare") / np.mean(y == "common"))


def test_any_scorer_on_labels_is_tuned(skewed):
    """Also one that scikit-learn does not know; one on probabilities is not."""
    _, y, splits = skewed
    mean = np.concatenate(probabilities_of(LogisticRegression(), skewed))
    tested = np.concatenate([test for _, test in splits])

    def score_of(class_weights):
        labels = np.array(["common", "rare"])[(mean * class_weights).argmax(axis=1)]
        return f1_score(y[tested], labels, pos_label="rare")

    mine = make_scorer(f1_score, pos_label="rare")
    weights = make(skewed, mine, "f1_macro", is_exact=False).weigh_classes(mean)
    assert score_of(weights) > score_of(np.ones(2)) + 0.02
    log_loss = get_scorer("neg_log_loss")
    unknown = make(skewed, log_loss, "f1_macro", is_exact=False)
    assert unknown.weigh_classes(mean) is None

    def broken(estimator, X, y):
        raise RuntimeError("It never works.")

    assert make(skewed, broken, "f1_macro", is_exact=False).weigh_classes(mean) is None


def test_members(skewed):
    """The best candidate comes first, one that failed is none."""
    good = probabilities_of(LogisticRegression(), skewed)
    bad = probabilities_of(GaussianNB(), skewed)
    out_of_fold = make(skewed, "accuracy", "accuracy")
    weights = out_of_fold.weigh_members([None, bad, good], 5, best=1)
    assert next(iter(weights)) == 1
    assert set(weights) == {1, 2}
    assert sum(weights.values()) == pytest.approx(1)
    expected = weights[1] * np.concatenate(bad) + weights[2] * np.concatenate(good)
    mean = out_of_fold.mean([None, bad, good], weights)
    np.testing.assert_allclose(mean, expected)
    X, y, _ = skewed
    nothing = make((X, y, []), "accuracy", "accuracy")
    assert nothing.weigh_members((), 5, 0) == {0: 1.0}
    assert nothing.mean((), {0: 1.0}) is None


def test_classes_that_are_never_tested(skewed):
    """A class of one row has no part in the splits, and no wild weight."""
    X, y, splits = skewed
    y = y.astype(object)
    y[splits[0][0][0]] = "single"
    kept = y != "single"
    splits = [(train[kept[train]], test[kept[test]]) for train, test in splits]
    task = (X, y.astype(str), splits)
    out_of_fold = make(task, "balanced_accuracy", "balanced_accuracy")
    probabilities = [
        np.c_[values, np.zeros(len(values))]
        for values in probabilities_of(GaussianNB(), task)
    ]
    assert np.isfinite(out_of_fold.judge(probabilities)).all()
    weights = out_of_fold.weigh_classes(np.concatenate(probabilities))
    assert weights[2] == weights[1]


@pytest.mark.parametrize("costly", [0, 1])
def test_a_metric_of_one_s_own_moves_the_threshold(costly):
    """A class that is costly to miss is predicted more often, if not more frequent."""
    X, y = make_classification(400, 5, flip_y=0.3, random_state=0)

    def gain(truth, labels):
        missed = (truth == costly) & (labels != costly)
        return -np.mean(np.where(missed, 10.0, truth != labels))

    def share(scoring):
        clf = MetaLearnerClassifier(
            base_learners=["gaussian_nb"],
            scoring=scoring,
            n_candidates=2,
            cv=3,
            random_state=0,
        )
        return (clf.fit(X, y).predict(X) == costly).mean()

    assert share(make_scorer(gain)) > share("accuracy") + 0.15
