import pickle
import time

import numpy as np
import pandas as pd
import pytest

import skmeta._text
from skmeta import MetaLearnerClassifier
from skmeta._text import TextMemo, learn_texts, transform_texts

SOME = np.array(
    ["a red bird", "a blue bird", "one red fish", "", "\ud800"], dtype=object
)


def as_arrays(encoded):
    return encoded.toarray() if hasattr(encoded, "toarray") else encoded


@pytest.fixture
def counted(monkeypatch):
    """The texts whose n-grams were counted, one array for each time."""
    counted, count = [], skmeta._text._count_ngrams

    def count_and_note(texts):
        counted.append(texts)
        return count(texts)

    monkeypatch.setattr(skmeta._text, "_count_ngrams", count_and_note)
    return counted


@pytest.mark.parametrize("n_components", [None, 2])
def test_what_is_remembered_is_what_would_be_found(n_components, counted):
    """To the bit, for the texts learned from and for others."""
    others = ["a green bird", "red"]
    steps, encoded = learn_texts(SOME, n_components)
    expected = [encoded, transform_texts(steps, others)]
    memo = TextMemo()
    with memo.in_use():
        for _ in range(2):
            steps, encoded = learn_texts(SOME.copy(), n_components)
            got = [encoded, transform_texts(steps, others)]
            for one, other in zip(got, expected, strict=True):
                np.testing.assert_array_equal(as_arrays(one), as_arrays(other))
    assert len(counted) == 2
    assert memo.seconds > 0


def test_other_texts_are_not_taken_for_these(counted):
    """Not even those that give the same characters in a row."""
    with TextMemo().in_use():
        for texts in (["a bird", "c"], ["a bir", "dc"]):
            learn_texts(np.array(texts, dtype=object))
    assert len(counted) == 2


def test_the_oldest_is_forgotten_where_memory_ends(counted, monkeypatch):
    """What was used last stays."""
    monkeypatch.setattr(skmeta._text, "_MOST_BYTES", 100_000)
    many = [np.array([f"{word} {i}" for i in range(30)]) for word in "abcdefgh"]
    with TextMemo().in_use():
        for texts in many:
            learn_texts(SOME)
            learn_texts(texts)
        n_counted = len(counted)
        learn_texts(many[0])
    assert n_counted == 1 + len(many)
    assert len(counted) == n_counted + 1


def test_in_each_process_a_memo_of_its_own():
    """What is sent is empty there, and the same for all that comes from one search."""
    memo = TextMemo()
    with memo.in_use():
        learn_texts(SOME)
    sent = [pickle.loads(pickle.dumps(memo)) for _ in range(2)]
    assert sent[0] is sent[1]
    assert sent[0].seconds == 0.0
    assert pickle.loads(pickle.dumps(TextMemo())) is not sent[0]


def articles(n_rows=60):
    random = np.random.default_rng(0)
    words = [f"word{i}" for i in range(300)]
    y = np.arange(n_rows) % 2
    texts = [
        " ".join(random.choice(words[150 * label :][:200], size=40)) for label in y
    ]
    return pd.DataFrame({"text": texts, "x": random.normal(size=n_rows)}), y


def test_a_search_encodes_the_texts_of_a_split_once(counted):
    """However many candidates there are; and once more for what predicts."""
    X, y = articles()
    clf = MetaLearnerClassifier(n_candidates=4, cv=3, random_state=0).fit(X, y)
    assert len(counted) == 3 + 1
    assert clf.score(X, y) > 0.9


def test_the_first_candidate_is_given_the_time_that_texts_take(monkeypatch):
    """Known tasks have none, and so their seconds say nothing of it."""
    recommend, seen = MetaLearnerClassifier._recommend, []

    def note(self, recommender, observed, task, *of_texts):
        found = recommend(self, recommender, observed, task, *of_texts)
        seen.append((task.text_seconds, found.expected_seconds.min()))
        return found

    monkeypatch.setattr(MetaLearnerClassifier, "_recommend", note)
    MetaLearnerClassifier(time_budget=4, random_state=0).fit(*articles())
    text_seconds, least = seen[0]
    assert 0 < text_seconds < least


def test_preview_counts_the_seconds_of_texts_once(counted, monkeypatch):
    """They are the first candidate's; the others find them encoded."""
    X, y = articles()
    clf = MetaLearnerClassifier(n_candidates=4, random_state=0)
    n_splits = 5
    without = clf.preview(X[["x"]], y)["seconds"]
    count = skmeta._text._count_ngrams

    def count_slowly(texts):
        time.sleep(0.2)
        return count(texts)

    monkeypatch.setattr(skmeta._text, "_count_ngrams", count_slowly)
    plan = clf.preview(X, y)
    assert len(counted) == 1
    seconds = plan["seconds"].to_numpy()
    assert (seconds - without.to_numpy())[0] > n_splits * 0.2
    assert seconds[1:].min() < n_splits * 0.2
