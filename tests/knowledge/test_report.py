import pytest

from skmeta import load_knowledge
from skmeta.knowledge._report import compare, describe


def test_summary_counts_by_learner(tiny_knowledge):
    """See `tiny_knowledge`: who is best where, and what failed."""
    summary = tiny_knowledge.summary()
    assert summary.index.name == "learner"
    assert summary.index[0] == "random_forest"  # best on both wheats
    assert summary["best_on"].to_dict() == {
        "random_forest": 2,
        "logistic_regression": 1,
        "k_neighbors": 1,
    }
    assert summary["failed"].to_dict()["k_neighbors"] == 2
    assert summary["evaluated"].to_dict()["k_neighbors"] == 2
    assert summary["fit_seconds"].to_dict()["logistic_regression"] == 0.5
    with pytest.raises(ValueError, match=r"metric must be one of \['accuracy', 'neg_"):
        tiny_knowledge.summary("f1")


def test_description_says_what_there_is(tiny_knowledge):
    text = describe(tiny_knowledge, with_tasks=True)
    assert "4 tasks of 3 families x 3 configurations" in text
    assert "Domains: farming 2, weather 1, medicine 1." in text
    assert "Rows: 50 to 1,000" in text
    assert "2 folds, numpy 2.0" in text
    (storm,) = [x for x in text.splitlines() if x.split()[:1] == ["storm"]]
    assert "logistic_regression" in storm
    assert storm.endswith("0.75")
    assert "wheat_a" not in describe(tiny_knowledge)


def test_description_of_a_merged_one_names_its_parts(tiny_knowledge):
    merged = tiny_knowledge + load_knowledge().without("iris")
    text = describe(merged)
    assert "Merged from 2 parts" in text
    assert tiny_knowledge.digest[:8] in text


def test_comparison(tiny_knowledge):
    assert compare(tiny_knowledge, tiny_knowledge, "a", "b") == "a and b hold the same."
    less = tiny_knowledge.without("storm").select_learners("random_forest")
    text = compare(tiny_knowledge, less, "a", "b")
    assert "Tasks: 3 in both." in text
    assert "only in a: 1 (storm)" in text
    assert "only in b" not in text
    assert "the same by accuracy, neg_log_loss" in text


def test_comparison_says_where_scores_differ(tiny_parts, tiny_knowledge):
    """One score of one task, in one fold of two."""
    accuracy = tiny_parts["fold_scores"]["accuracy"].copy()
    accuracy[0, 1, 0] -= 0.2
    scores = tiny_parts["fold_scores"] | {"accuracy": accuracy}
    other = type(tiny_knowledge)(**tiny_parts | {"fold_scores": scores})
    text = compare(tiny_knowledge, other, "a", "b")
    assert max(map(len, text.splitlines())) <= 80
    text = " ".join(text.split())
    assert "1 differ, by 0.1 in the mean; most logistic_regression" in text
    assert "on wheat_a, 0.7 in a and 0.6 in b" in text
