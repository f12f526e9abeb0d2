import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from skmeta import (
    KnowledgeBase,
    MetaLearnerClassifier,
    SimilarTasksRecommender,
    load_knowledge,
)
from skmeta.knowledge import Journal, Protocol
from skmeta.knowledge._sharing import (
    _FACTORS,
    _NOISY_METRICS,
    _STEPS,
    DELTA,
    noise_scale,
    sensitivity,
)
from skmeta.metafeatures._registry import REGISTRY
from skmeta.recommendation._task_space import COMPARED


@pytest.fixture(scope="module")
def known():
    """A part of what ships, with what must not leave."""
    knowledge = load_knowledge()
    few = knowledge.with_configurations(knowledge.configurations.index[::12])
    return few


def secrets_of(knowledge):
    tasks = knowledge.tasks
    words = {
        *tasks.index,
        *tasks["family"],
        *tasks["domain"],
        *tasks["source"].dropna(),
    }
    words |= {*tasks.get("fingerprint", []), *tasks.get("file_hash", [])}
    return {word for word in words if isinstance(word, str) and len(word) > 5}


@pytest.mark.parametrize("epsilon", [None, 1.0])
def test_no_names_leave(known, epsilon, tmp_path):
    """No name of a task, family or domain, no source and no hash."""
    known.pack(epsilon=epsilon).save(tmp_path / "pack.zip")
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    learners = {*known.configurations["learner"]}
    for word in secrets_of(known) - learners:
        assert word.encode() not in content, word


def test_names_leave_where_that_is_wanted(known):
    pack = known.pack(names=True)
    assert set(pack.tasks.index) <= set(known.tasks.index)
    assert "medical" in set(pack.tasks["domain"])
    assert "fingerprint" not in pack.tasks


def test_families_are_kept_under_pseudonyms(known):
    pack = known.pack(min_rows=0)
    sizes = sorted(pack.tasks["family"].value_counts())
    assert sizes == sorted(known.tasks["family"].value_counts())
    assert len(set(known.pack().tasks.index) & set(pack.tasks.index)) == 0


def test_small_tables_are_left_out(known):
    rows = known.tasks["n_rows_evaluated"]
    assert len(known.pack(min_rows=1000).tasks) == (rows >= 1000).sum()


def test_the_order_says_nothing(known):
    """Pseudonyms in the order of the names would give these away."""
    one, two = (known.pack(min_rows=0, random_state=seed) for seed in (0, 1))
    assert one.tasks["n_rows"].tolist() != two.tasks["n_rows"].tolist()
    assert sorted(one.tasks["n_rows"]) == sorted(two.tasks["n_rows"])


def test_what_leaves_is_coarse(known):
    """Few different values, in public ranges, near what they stand for."""
    pack = known.pack(min_rows=0, names=True)
    assert set(pack.meta_features) == set(COMPARED)
    before = known.meta_features.loc[pack.tasks.index]
    for name, values in pack.meta_features.items():
        _, low, high = (_FACTORS | _STEPS)[name]
        assert values.between(low, high).mean() > 0.999 or (values == 0).any(), name
        assert values.nunique() <= 45, name
        assert stats.spearmanr(values, before[name]).statistic > 0.9, name
    scores = known.scores("accuracy").loc[pack.tasks.index]
    np.testing.assert_allclose(pack.scores("accuracy"), scores, atol=0.00501)
    seconds = pack.fit_seconds.to_numpy()
    text = [f"{value:.6e}" for value in seconds[~np.isnan(seconds)]]
    assert all(each[2:8].strip("0") == "" or each[2:8] == "999999" for each in text)
    assert set(pack.failures["error"]) <= {"Failed."}
    assert (pack.scores("neg_log_loss").min() >= -5).all()


def test_steps_are_those_of_known_meta_features():
    names = {feature.name for feature in REGISTRY}
    assert set(_FACTORS) | set(_STEPS) == set(COMPARED)
    assert set(COMPARED) <= names


def test_preview_is_what_is_written(known, tmp_path):
    """Every member of the file, and every number in it."""
    pack = known.pack()
    pack.save(tmp_path / "pack.zip")
    preview = pack.preview()
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        members = set(archive.namelist())
        assert set(preview) == members
        provenance = json.loads(archive.read("provenance.json"))
    assert preview["provenance.json"] == provenance
    loaded = load_knowledge(tmp_path / "pack.zip")
    pd.testing.assert_frame_equal(
        preview["meta_features.npy"], loaded.meta_features, check_names=False
    )
    folds = preview["fold_scores.accuracy.npy"]
    np.testing.assert_array_equal(folds, loaded.fold_scores("accuracy")[:, :, 0])
    assert preview["tasks.json"].shape == loaded.tasks.shape


def test_preview_of_a_merged_one(known, tiny_knowledge):
    preview = (known + tiny_knowledge).preview()
    assert "0/tasks.json" in preview
    assert preview["1/fold_scores.accuracy.npy"].shape == (4, 6)


def test_packs_merge_and_recommend(known):
    """With each other, and with knowledge that has all the rest."""
    half = known.without(list(known.tasks.index[::2]))
    rest = known.without(list(half.tasks.index))
    for epsilon in (None, 10.0):
        merged = half + rest.pack(epsilon=epsilon)
        recommender = SimilarTasksRecommender().fit(merged, "accuracy")
        meta_features = known.meta_features.iloc[0]
        assert len(recommender.recommend(meta_features, 3).configurations) == 3
        alone = SimilarTasksRecommender().fit(rest.pack(epsilon=epsilon), "accuracy")
        assert len(alone.recommend(meta_features, 3).configurations) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_rows": -1}, "min_rows must be an integer >= 0"),
        ({"min_rows": 10**9}, "min_rows must leave a table to share"),
        ({"epsilon": 0}, "epsilon must be a number > 0"),
        ({"epsilon": 1e7}, "epsilon must be at most 10000"),
        ({"epsilon": float("inf")}, "epsilon must be at most 10000"),
        ({"epsilon": 1.0}, "'freq_class.min' must be known"),
        ({"influence": 0.5}, "influence must be an integer >= 0"),
    ],
)
def test_wrong_arguments(tiny_knowledge, parameters, message):
    with pytest.raises(ValueError, match=message):
        tiny_knowledge.pack(**parameters)


# Noise


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0, 10.0])
def test_noise_keeps_its_promise(epsilon):
    """By the exact condition for two Gaussians a distance of 1 apart."""
    deviation = noise_scale(epsilon)

    def broken(scale):
        noise = stats.norm(scale=scale)
        # The outcomes beyond this are more than exp(epsilon) times as likely.
        threshold = 0.5 + epsilon * scale**2
        return noise.sf(threshold - 1) - np.exp(epsilon) * noise.sf(threshold)

    assert broken(deviation) <= DELTA * 1.001
    assert broken(0.98 * deviation) > DELTA  # and not by wasting noise


def test_noise_is_as_large_as_it_must_be():
    """Over many packs of one table, for every value that leaves."""
    n_rows, share, n_packs = 80, 0.25, 600
    knowledge = a_table(n_rows, share)
    packs = [
        knowledge.pack(min_rows=0, epsilon=50.0, influence=2, random_state=seed)
        for seed in range(n_packs)
    ]
    n_values = 3 * 2 + 1
    unit = noise_scale(50.0) * np.sqrt(n_values)
    for metric, rows in [
        ("accuracy", n_rows),
        ("balanced_accuracy_tuned", n_rows * share),
        ("roc_auc_ovr_weighted", n_rows * share),
    ]:
        values = np.array([pack.scores(metric).to_numpy()[0] for pack in packs])
        expected = np.hypot(unit * 3 / rows, 0.01 / np.sqrt(12))  # rounded, too
        assert values.std() == pytest.approx(expected, rel=0.1)
        assert abs(values.mean() - 0.5) < 4 * expected / np.sqrt(values.size)
        # Independent of each other.
        assert abs(np.corrcoef(values.T)[0, 1]) < 0.15


def a_table(n_rows, share):
    names = ["t"]
    tasks = {"family": names, "domain": "", "n_rows": n_rows, "n_features": 3}
    meta_features = {"nr_inst": n_rows, "freq_class.min": share, "pct_missing": 0.1}
    tiny = load_knowledge().configuration_values[:2]
    return KnowledgeBase(
        tasks=pd.DataFrame(tasks | {"n_classes": 2}, index=names),
        meta_features=pd.DataFrame(meta_features, index=names),
        configurations=tiny,
        fold_scores={m: np.full((1, 2, 1), 0.5) for m in _NOISY_METRICS},
        fit_seconds=np.ones((1, 2)),
        predict_seconds=np.ones((1, 2)),
        provenance={"protocol": {"n_folds": 1}},
    )


def test_neighbours_are_hard_to_tell_apart():
    """The best test between two tables that differ by a row errs as often as promised.

    Scores of neighbours are a sensitivity apart; the likelihood ratio of what leaves
    decides. For epsilon 1 hits may not exceed exp(1) times the false alarms.
    """
    n_rows, influence, epsilon = 400, 2, 1.0
    one = a_table(n_rows, 0.5)
    apart = {
        metric: 0.5 + sensitivity(metric, n_rows, n_rows / 2, 1, influence)
        for metric in _NOISY_METRICS
    }
    other = KnowledgeBase(
        tasks=one.tasks,
        meta_features=one.meta_features,
        configurations=one.configuration_values,
        fold_scores={m: np.full((1, 2, 1), value) for m, value in apart.items()},
        fit_seconds=one.fit_seconds,
        predict_seconds=one.predict_seconds,
        provenance=one.provenance,
    )

    def statistic(knowledge, seed):
        pack = knowledge.pack(0, epsilon, influence, random_state=seed)
        # Each divided by its sensitivity: what tells most.
        return sum(
            (pack.scores(m).to_numpy() - 0.5).sum() / (apart[m] - 0.5)
            for m in _NOISY_METRICS
        )

    false = np.array([statistic(one, seed) for seed in range(500)])
    hits = np.array([statistic(other, seed) for seed in range(500, 1000)])
    for threshold in np.quantile(false, [0.5, 0.7, 0.9]):
        rate, alarm = np.mean(hits > threshold), np.mean(false > threshold)
        assert rate <= np.exp(epsilon) * alarm + 3 * np.sqrt(0.25 / 500)


def test_sensitivities_are_never_more_than_all_there_is():
    assert sensitivity("accuracy", np.array([5.0]), np.array([1.0]), 5, 10) == 1.0
    with pytest.raises(KeyError):
        sensitivity("neg_log_loss", np.array([5.0]), np.array([1.0]), 5, 10)


@pytest.mark.parametrize("n_rare", [9, 14, 19, 40])
def test_a_row_counts_within_its_fold(n_rare):
    """No row of a stratified fold changes a mean over folds by more than is said."""
    rng = np.random.default_rng(0)
    y = np.arange(100) < n_rare
    fold_of = Protocol(n_folds=5).split(y.astype(int))
    n_rows, n_folds = np.array([100.0]), np.array([5])
    score_of = {
        "accuracy": lambda y, p: np.mean((p > 0.5) == y),
        "balanced_accuracy_tuned": lambda y, p: balanced_accuracy_score(y, p > 0.5),
        "roc_auc_ovr_weighted": roc_auc_score,
    }
    for metric, score in score_of.items():
        bound = sensitivity(metric, n_rows, np.array([float(n_rare)]), n_folds, 0)[0]
        most = 0.0
        for row in range(100):
            p = np.where(y, 0.6, 0.4) + rng.normal(size=100) * 0.01
            found = []
            for value in (0.0, 1.0):
                p[row] = value
                found.append(
                    np.mean([score(y[fold_of == f], p[fold_of == f]) for f in range(5)])
                )
            most = max(most, abs(found[0] - found[1]))
        assert most <= bound + 1e-9
        assert most > 0.4 * bound  # and it says not much more


def test_noise_needs_to_know_the_folds(known, tmp_path):
    """In a journal, and with given splits, a row may count for more."""
    journal = Journal(tmp_path / "mine.db")
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=journal.path, n_candidates=2, random_state=0
    )
    classifier.fit(*load_iris(return_X_y=True))
    for other in (journal.knowledge(), known.pack()):
        with pytest.raises(ValueError, match="stratified folds of a build"):
            (known + other).pack(epsilon=1.0)


def test_what_is_in_a_pack_may_be_packed_again(known):
    """Where it is not said on how many rows, all rows count."""
    both = known + known.pack(min_rows=0)
    assert len(both.pack(min_rows=0).tasks) == 2 * len(known.tasks)


def test_failures_are_in_an_order_that_says_nothing():
    for names in (True, False):
        pack = load_knowledge().pack(min_rows=0, names=names)
        order = list(dict.fromkeys(pack.failures["task"]))
        assert order == sorted(order)
        assert len(order) > 9
