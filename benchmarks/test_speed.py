"""What users wait for, each group beside a yardstick: read the ratios in brackets.

    pip install pytest-benchmark
    pytest benchmarks/test_speed.py

``--benchmark-autosave`` and ``--benchmark-compare`` compare with an earlier version on
the same machine.
"""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from skmeta import MetaFeatureExtractor, MetaLearnerClassifier, load_knowledge
from skmeta.recommendation import Observation, SimilarTasksRecommender


def table(n_rows, n_columns=20):
    return make_classification(n_rows, n_columns, n_informative=8, random_state=0)


def boost(X, y):
    return HistGradientBoostingClassifier(random_state=0).fit(X, y)


# Import


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("module", ["sklearn.ensemble", "skmeta"])
def test_import(benchmark, module):
    command = [sys.executable, "-c", f"import {module}"]
    benchmark.pedantic(subprocess.run, [command], {"check": True}, rounds=5)


# What comes before the first fit, beside one fit of boosting


@pytest.mark.benchmark(group="before the first fit, 1,000 x 20")
class TestBeforeTheFirstFit:
    def test_boosting(self, benchmark):
        benchmark(boost, *table(1_000))

    def test_open_the_knowledge(self, benchmark):
        benchmark(load_knowledge)

    @pytest.mark.parametrize("level", ["fast", "full"])
    def test_meta_features(self, benchmark, level):
        X, y = table(1_000)
        benchmark(lambda: MetaFeatureExtractor(level=level).fit(X, y))

    def test_recommend(self, benchmark, recommender, meta_features):
        benchmark(recommender.recommend, meta_features)

    def test_recommend_again(self, benchmark, recommender, meta_features):
        first = recommender.recommend(meta_features).configurations[:8]
        scores = np.linspace(0.7, 0.9, len(first))
        observed = [
            Observation(configuration, score, 1.0)
            for configuration, score in zip(first, scores, strict=True)
        ]
        benchmark(recommender.recommend, meta_features, observed=observed)


@pytest.fixture(scope="module")
def recommender():
    return SimilarTasksRecommender().fit(load_knowledge(), "balanced_accuracy")


@pytest.fixture(scope="module")
def meta_features():
    extractor = MetaFeatureExtractor(level="full").fit(*table(1_000))
    names = extractor.get_feature_names_out()
    return dict(zip(names, extractor.meta_features_, strict=True))


@pytest.mark.benchmark(group="meta-features, 100,000 x 20")
@pytest.mark.parametrize("what", ["boosting", "meta-features"])
def test_a_large_table(benchmark, what):
    X, y = table(100_000)
    run = {"boosting": boost, "meta-features": describe}[what]
    benchmark.pedantic(run, (X, y), rounds=3)


def describe(X, y):
    return MetaFeatureExtractor(level="full").fit(X, y)


# What the search adds to the fits


@pytest.mark.benchmark(group="one candidate, 1,000 x 20")
@pytest.mark.parametrize("what", ["its pipeline", "the classifier"])
def test_one_candidate(benchmark, what):
    X, y = table(1_000)
    clf = MetaLearnerClassifier(n_candidates=1, random_state=0).fit(X, y)
    pipeline = clf.to_sklearn()
    benchmark((pipeline if what == "its pipeline" else clf).fit, X, y)


# Predictions


@pytest.mark.parametrize("n_rows", [1, 100_000])
@pytest.mark.parametrize("form", ["plain", "skmeta"])
def test_prediction(benchmark, fitted, form, n_rows):
    benchmark.group = f"prediction by the ensemble, rows: {n_rows}"
    estimator = fitted if form == "skmeta" else fitted.to_sklearn()
    X, _ = table(n_rows)
    benchmark.pedantic(estimator.predict_proba, [X], rounds=5, warmup_rounds=1)


@pytest.fixture(scope="module")
def fitted():
    return MetaLearnerClassifier(n_candidates=8, random_state=0).fit(*table(2_000))
