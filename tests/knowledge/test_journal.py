import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

import skmeta
from skmeta import (
    Configuration,
    MetaHyperparamSelector,
    MetaLearnerClassifier,
    load_knowledge,
)
from skmeta._guard import learn_from, mean_loss
from skmeta.exceptions import KnowledgeError, SkmetaWarning
from skmeta.knowledge import Journal
from skmeta.knowledge._fingerprint import fingerprint

METRIC = "accuracy"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.db"


@pytest.fixture(scope="module")
def known():
    """Part of what ships, so that recommending takes little time."""
    knowledge = load_knowledge()
    few = knowledge.configurations.index[::6]
    return knowledge.with_configurations(few).without(["iris"])


def key_of(knowledge):
    return f"{knowledge.digest} {skmeta.__version__}"


def an_experience(number=0, scores=(0.8, 0.9), name="t"):
    return {
        "fingerprint": f"{name}{number}",
        "table": f"{name}{number}",
        "sizes": {"n_rows": 9, "n_features": 2, "n_classes": 2, "n_rows_evaluated": 9},
        "meta_features": {"nr_inst": 9.0 + number},
        "versions": {},
        "trials": [
            {
                "configuration": Configuration("svc", {"C": 1.0}).to_dict(),
                "scores": {METRIC: list(scores)},
                "fit_seconds": 1.0,
                "predict_seconds": None,
                "error": None,
            },
            {
                "configuration": Configuration("svc", {"C": 2.0}).to_dict(),
                "scores": {},
                "fit_seconds": None,
                "predict_seconds": None,
                "error": "ValueError",
            },
        ],
    }


# The file


def test_nothing_is_made_before_something_is_recorded(path):
    journal = Journal(path)
    assert len(journal) == 0
    with pytest.raises(KnowledgeError, match=r"mine\.db must hold a fit, got none"):
        journal.knowledge()
    assert journal.losses("base", METRIC) == {}
    assert os.listdir(path.parent) == []
    journal.record(an_experience())
    assert os.listdir(path.parent) == ["mine.db"]
    assert repr(journal) == "Journal: 1 fits in mine.db"


def test_what_is_recorded_is_knowledge(path):
    journal = Journal(path)
    for number in (0, 1, 0):
        journal.record(an_experience(number, scores=(0.8, 0.9 - number / 10)))
    knowledge = journal.knowledge()
    assert knowledge.tasks["fingerprint"].tolist() == ["t0", "t1", "t0"]
    assert knowledge.tasks["family"].nunique() == 2
    assert knowledge.meta_features["nr_inst"].tolist() == [9, 10, 9]
    scores = knowledge.scores(METRIC).to_numpy()
    np.testing.assert_allclose(scores[:, 0], [0.85, 0.8, 0.85], rtol=1e-6)
    assert np.isnan(scores[:, 1]).all()
    assert knowledge.failures["error"].tolist() == ["ValueError"] * 3
    assert knowledge.provenance["journal"]["n_fits"] == 3
    assert len(journal.knowledge(2).tasks) == 2


def test_states_of_one_journal_merge(path, tiny_knowledge):
    """What both hold is one evaluation, and nothing is lost of either."""
    journal = Journal(path)
    journal.record(an_experience(0, scores=(0.5, 0.7)))
    first = journal.knowledge()
    journal.record(an_experience(1))
    second = journal.knowledge()
    journal.record(an_experience(0, scores=(0.9, 0.9)))
    third = journal.knowledge()
    merged = first + second + third
    assert merged == third + first + second
    assert sorted(merged.tasks["fingerprint"]) == ["t0", "t1"]
    scores = merged.scores(METRIC).set_axis(merged.tasks["fingerprint"])
    assert scores.loc["t0"].iloc[0] == pytest.approx((0.6 + 0.9) / 2)
    # Parts of it, too: the earlier state is not whole any more.
    assert len((first.without(first.tasks.index) + second).tasks) == 2


def test_losses_are_remembered(path):
    journal = Journal(path)
    journal.add_loss("base", METRIC, 0, 0.5)
    journal.add_loss("base", METRIC, 3, 0.4)
    journal.add_loss("base", METRIC, 3, 0.3)
    assert Journal(path).losses("base", METRIC) == {0: 0.5, 3: 0.3}
    assert Journal(path).losses("other", METRIC) == {}


def test_foreign_and_damaged_files(path, tmp_path):
    path.write_text("Not a database at all, but long enough to look at. " * 40)
    with pytest.raises(KnowledgeError, match=r"mine\.db is no journal, or it is damag"):
        Journal(path)
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mail (text)")
    connection.commit()
    connection.close()
    before = other.read_bytes()
    with pytest.raises(KnowledgeError, match="of another program"):
        Journal(other)
    with pytest.raises(KnowledgeError, match="of another program"):
        MetaLearnerClassifier(experience=other).fit(*load_iris(return_X_y=True))
    assert other.read_bytes() == before
    with pytest.raises(KnowledgeError, match="is a directory"):
        Journal(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"Create it first"):
        Journal(tmp_path / "missing" / "mine.db")


def test_newer_version(path):
    Journal(path).record(an_experience())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(KnowledgeError, match=r"version 99, .* up to 1\. Upgrade"):
        Journal(path)


def test_an_empty_file_is_a_new_journal(path):
    path.touch()
    assert len(Journal(path)) == 0
    Journal(path).record(an_experience())
    assert len(Journal(path)) == 1


def test_threads_begin_a_journal_together(path):
    def write(name):
        for number in range(5):
            Journal(path).record(an_experience(number, name=name))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, "ABCDEFGH"))
    assert len(Journal(path)) == 40


@pytest.mark.parametrize("name", [":memory:", "file:x.db", "ö %?#.db"])
def test_odd_names_of_files(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Journal(name).record(an_experience())
    assert len(Journal(name)) == 1
    assert os.listdir(tmp_path) == [name]


def test_damaged_records(path):
    Journal(path).record(an_experience())
    connection = sqlite3.connect(path)
    connection.execute("UPDATE fits SET experience = substr(experience, 1, 50)")
    connection.commit()
    connection.close()
    with pytest.raises(KnowledgeError, match=r"mine\.db is damaged"):
        Journal(path).knowledge()


@pytest.mark.parametrize(
    "change",
    [
        {"trials": []},
        {"meta_features": {}},
        {"meta_features": {"nr_inst": np.nan}},
        {"fingerprint": None},
        {"sizes": {"n_rows": 3}},
    ],
)
def test_what_cannot_be_learned_from_is_not_recorded(path, change):
    with pytest.raises(ValueError, match="An experience must hold"):
        Journal(path).record(an_experience() | change)
    assert not path.exists()


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="may write to any file"
)
def test_a_journal_that_may_only_be_read(path):
    Journal(path).record(an_experience())
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert len(Journal(path)) == 1
        with pytest.raises(OSError, match="cannot be used"):
            Journal(path).record(an_experience())
    finally:
        path.parent.chmod(0o700)


WRITER = """
import json, sys
from skmeta.knowledge import Journal
path, name, experience = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
for number in range(10**6):
    experience["fingerprint"] = f"{name} {number}"
    Journal(path).record(experience)
    print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_nothing_acknowledged_is_lost_to_kills(path):
    """Eight writers begin at once and are killed, one after the other, at random."""
    text = json.dumps(an_experience())
    writers = {
        name: subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name, text],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ABCDEFGH"
    }
    for writer in writers.values():
        assert writer.stdout.readline() == "0\n"  # all of them are writing
    rng = random.Random(0)
    acknowledged = {}
    for name in rng.sample(sorted(writers), len(writers)):
        time.sleep(rng.uniform(0, 0.2))
        writers[name].send_signal(signal.SIGKILL)
        said, _ = writers[name].communicate()
        # A number without its end of line was cut short.
        acknowledged[name] = said.rpartition("\n")[0].split("\n")[-1] or "0"
    journal = Journal(path)
    rows = journal.knowledge().tasks["fingerprint"].tolist()
    for name, last in acknowledged.items():
        numbers = [int(row.split()[1]) for row in rows if row.startswith(name)]
        assert numbers == list(range(len(numbers)))  # each once, in order
        assert len(numbers) - 1 >= int(last)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    before = len(journal)
    journal.record(an_experience())
    assert len(journal) == before + 1


# Growth


def test_a_fit_learns_from_those_before(path, known):
    """The same table again: what won there is tried first."""
    X, y = load_iris(return_X_y=True)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, n_candidates=4, random_state=0
    )
    first = classifier.fit(X, y)
    assert "fits in" not in first.recommendation_.reason
    Journal(path).add_loss(key_of(known), METRIC, 0, 1.0)  # so that anything is better
    reason = classifier.fit(X, y).recommendation_.reason
    assert reason.endswith(" 1 of 1 fits in mine.db count.")
    [own] = Journal(path).knowledge().tasks["family"].unique()
    assert own in classifier.recommendation_.task_weights.index[:3]
    assert len(Journal(path)) == 2


def test_what_is_recorded_of_a_fit(path, known):
    """Sizes, meta-features, configurations, scores and seconds."""
    X, y = load_iris(return_X_y=True)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, n_candidates=3, random_state=0
    ).fit(X, y)
    knowledge = Journal(path).knowledge()
    [task] = knowledge.tasks.to_dict("records")
    assert task["fingerprint"] == fingerprint(X, y)
    assert (task["n_rows"], task["n_features"], task["n_classes"]) == (150, 4, 3)
    assert knowledge.metrics == known.metrics
    tried = classifier.recommendation_.configurations
    assert knowledge.configuration_values == tried
    scores = knowledge.scores(METRIC).to_numpy()[0]
    found = classifier.cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, found, atol=1e-4)
    assert (knowledge.fit_seconds > 0).all(axis=None)
    pd.testing.assert_series_equal(
        knowledge.meta_features.iloc[0],
        classifier.meta_features_,
        check_names=False,
    )


def test_nothing_of_the_table_is_in_the_file(path, known):
    """No cell, no name of a column, no name of a class, and no message that may be."""
    rng = np.random.default_rng(0)
    secret = ["Xylophone", "Quetzalcoatl", "Brontosaurus"]
    X = pd.DataFrame({"secretcolumn": rng.choice(secret, 80), "b": rng.normal(size=80)})
    X["c"] = 123456.789 + (X["b"] > 0)
    y = np.where(X["b"] > 0, "secretclass", "otherclass")
    MetaLearnerClassifier(
        knowledge=known,
        experience=path,
        n_candidates=4,
        random_state=0,
    ).fit(X, y)
    content = path.read_bytes()
    assert b"svc" in content or b"hist" in content or b"logistic" in content
    for word in [*secret, "secretcolumn", "secretclass", "otherclass", "123456.789"]:
        assert word.encode() not in content


class XylophoneMistake(Exception):
    """What no library raises; its name may be of the user's making."""


@pytest.mark.parametrize(
    ("kind", "kept"), [(ValueError, "ValueError"), (XylophoneMistake, "Error")]
)
def test_messages_are_not_kept(path, known, kind, kept):
    """The message of a failure may quote a cell; its kind says enough."""
    X, y = make_classification(60, 4, random_state=0)
    X = pd.DataFrame(X, columns=list("abcd")).assign(text="Xylophone")
    MetaLearnerClassifier(
        knowledge=known,
        experience=path,
        n_candidates=3,
        random_state=0,
        scoring=_FailsOnce(kind),
    ).fit(X, y)
    assert Journal(path).knowledge().failures["error"].tolist() == [kept]
    assert b"Xylophone" not in path.read_bytes()


class _FailsOnce:
    """A scorer that raises at its first call, and quotes what it saw."""

    def __init__(self, kind):
        self.kind = kind
        self.n_calls = 0

    def __call__(self, estimator, X, y):
        self.n_calls += 1
        if self.n_calls == 1:
            word = X["text"].iloc[0]
            raise self.kind(f"cannot score {word}\n{word} here,\n{word}: there")
        return np.mean(estimator.predict(X) == y)


@pytest.mark.parametrize("case", ["weights", "one candidate", "replay"])
def test_what_is_not_recorded(path, known, case):
    X, y = load_iris(return_X_y=True)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, n_candidates=2, random_state=0
    )
    if case == "weights":
        classifier.fit(X, y, sample_weight=np.ones(150))
    elif case == "one candidate":
        classifier.set_params(n_candidates=1).fit(X, y)
    else:
        log = classifier.fit(X, y).trial_log_
        path.unlink()
        classifier.replay(X, y, log)
    assert not path.exists()


def test_a_fit_survives_a_journal_that_cannot_be_written(path, known, monkeypatch):
    """As on a full disk."""

    def refuse(self, experience):
        raise OSError("The journal cannot be used: disk full.")

    monkeypatch.setattr(Journal, "record", refuse)
    X, y = load_iris(return_X_y=True)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, n_candidates=2, random_state=0
    )
    with pytest.warns(SkmetaWarning, match=r"not recorded\. .* disk full"):
        classifier.fit(X, y)
    assert classifier.score(X, y) > 0.9


def test_experience_must_be_a_path():
    with pytest.raises(TypeError, match="experience must be the path of a journal"):
        MetaLearnerClassifier(experience=3).fit(*load_iris(return_X_y=True))


def test_the_selector_learns_too(path, known):
    """Under a name of its own: its pipeline is not the base learner's."""
    X, y = load_iris(return_X_y=True)
    shipped = load_knowledge().without(["iris"])
    search = MetaHyperparamSelector(
        SVC(), knowledge=shipped, experience=path, n_candidates=3, random_state=0
    ).fit(X, y)
    knowledge = Journal(path).knowledge()
    assert knowledge.metrics == [METRIC]
    assert set(knowledge.configurations["learner"]) == {"svc"}
    assert knowledge.tasks["fingerprint"].iloc[0] != fingerprint(X, y)
    np.testing.assert_allclose(
        knowledge.scores(METRIC).max(axis=None), search.best_score_, atol=1e-4
    )
    assert len(search.suggest(X, y, 2)) == 2


def test_fits_on_one_table_are_one_family(path, known):
    """With any estimator of the user's: else `without` would leave the table in."""
    X, y = load_iris(return_X_y=True)
    shipped = load_knowledge().without(["iris"])
    common = {"experience": path, "n_candidates": 2, "random_state": 0}
    for gamma in (0.5, 2.0):
        MetaHyperparamSelector(SVC(gamma=gamma), knowledge=shipped, **common).fit(X, y)
    for factor in (1.0, 2.0):
        # Functions have an address in their text, which says nothing of them.
        preprocessor = FunctionTransformer(lambda X, factor=factor: factor * X)
        MetaLearnerClassifier(knowledge=known, preprocessor=preprocessor, **common).fit(
            X, y
        )
    MetaLearnerClassifier(knowledge=known, **common).fit(X, y)
    own = Journal(path).knowledge()
    assert own.tasks["family"].nunique() == 1
    assert own.tasks["fingerprint"].nunique() == 4
    # The plain table is known elsewhere under another name.
    [plain] = own.tasks.index[own.tasks["fingerprint"] == own.tasks["table"]]
    elsewhere = an_experience(name="other family ")
    elsewhere["fingerprint"] = own.tasks["fingerprint"][plain]
    other = Journal(path.with_name("other.db"))
    other.record(elsewhere)
    for knowledge in (own, own + known, own + other.knowledge() + known):
        assert set(knowledge.without(plain).tasks.index) <= set(known.tasks.index)
    selected = own.without("none").parts[0]
    assert len((selected + other.knowledge()).without(plain).tasks) == 0


def test_a_budget_that_is_over_at_once(path, known):
    X, y = load_iris(return_X_y=True)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, time_budget=0.01, random_state=0
    )
    with pytest.warns(SkmetaWarning, match="No candidate had its scores"):
        classifier.fit(X, y)
    assert classifier.predict(X).shape == (150,)


def test_a_lock_does_not_break_a_time_budget(path, known):
    """Another process holds the journal: it is not waited for."""
    Journal(path).record(an_experience())
    X, y = load_iris(return_X_y=True)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, time_budget=2, random_state=0
    )
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        start = time.monotonic()
        with pytest.warns(SkmetaWarning, match="not recorded"):
            classifier.fit(X, y)
        assert time.monotonic() - start < 10
    finally:
        connection.close()
    assert len(Journal(path)) == 1


def test_experience_does_not_break_a_time_budget(path, known):
    X, y = make_classification(400, 6, random_state=0)
    classifier = MetaLearnerClassifier(
        knowledge=known, experience=path, time_budget=3, random_state=0
    )
    start = time.monotonic()
    classifier.fit(X, y)
    assert time.monotonic() - start < 10
    [task] = Journal(path).knowledge().tasks.to_dict("records")
    assert task["n_rows"] == 400


# The guard


def test_what_makes_it_worse_is_refused(path):
    """Fits that say of every task that the worst is best, many of them."""
    base = load_knowledge()
    base = base.with_configurations(base.configurations.index[::3])
    journal = Journal(path)
    scores, meta_features = base.scores(METRIC), base.meta_features
    for number, task in enumerate(base.tasks.index):
        experience = an_experience(number, name=f"poison {task}")
        experience["meta_features"] = meta_features.loc[task].to_dict()
        template = experience["trials"][0]
        experience["trials"] = [
            template
            | {
                "configuration": configuration.to_dict(),
                "scores": {
                    METRIC: [float(1 - scores.at[task, configuration.name])] * 2
                },
            }
            for configuration in base.configuration_values
            if not np.isnan(scores.at[task, configuration.name])
        ]
        journal.record(experience)
    learned, n_fits, n_used = learn_from(base, journal, METRIC)
    assert (n_fits, n_used) == (len(base.tasks), 0)
    assert learned == base
    with pytest.warns(SkmetaWarning, match="0 of .* fits were learned from"):
        assert base.learn_from(path, METRIC) == base
    poisoned = base + journal.knowledge()
    assert mean_loss(base, poisoned, METRIC) > 1.1 * mean_loss(base, base, METRIC)


def test_what_was_accepted_stays_until_asked_again(path, known):
    """Two judged, one refused: the first two count, and the third when it is time."""
    journal = Journal(path)
    for number in range(3):
        journal.record(an_experience(number))
    for n_fits, loss in [(0, 0.5), (2, 0.5), (3, 0.6)]:
        journal.add_loss(key_of(known), METRIC, n_fits, loss)
    learned, n_fits, n_used = learn_from(known, journal, METRIC)
    assert (n_fits, n_used) == (3, 2)
    assert learned == known + journal.knowledge(2)
    # Now there is a fourth, but no time to judge.
    journal.record(an_experience(3))
    assert learn_from(known, journal, METRIC, seconds=1e-6)[1:] == (4, 2)
    learn_from(known, journal, METRIC)
    assert set(journal.losses(key_of(known), METRIC)) == {0, 2, 3, 4}


def test_nothing_that_the_base_knows_is_recommended(path, known):
    """Of what it does not know nobody can say what it would lose."""
    few = known.with_configurations(known.configurations.index[:1])
    others = known.with_configurations(known.configurations.index[1:])
    assert mean_loss(few, others, METRIC) == 0


def test_a_base_of_few_families_learns_anything(path, tiny_knowledge):
    journal = Journal(path)
    journal.record(an_experience())
    assert tiny_knowledge.learn_from(journal) == tiny_knowledge + journal.knowledge()
    assert tiny_knowledge.learn_from(path.with_name("none.db")) == tiny_knowledge
