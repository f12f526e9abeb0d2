"""The same code on a real cluster of dask or Ray, on this machine."""

import os
import signal
import time
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold

from skmeta import MetaLearnerClassifier, load_knowledge
from skmeta.__main__ import main
from skmeta._evaluation import Work, evaluate_candidates
from skmeta._schedule import Schedule
from skmeta._workers import DIED, Workers

N_WORKERS = 2


class Deadly(LogisticRegression):
    """Ends the process that it is fitted in."""

    def fit(self, X, y, sample_weight=None):
        os._exit(1)


class Slow(LogisticRegression):
    """Takes its time."""

    def fit(self, X, y, sample_weight=None):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.01)
        return super().fit(X, y)


class Sent:
    """A table that counts how often it is sent."""

    n_times = 0

    def __init__(self, values):
        self.values = values
        self.shape = values.shape

    def __getitem__(self, rows):
        return self.values[rows]

    def __reduce__(self):
        Sent.n_times += 1
        return Sent, (self.values,)


@contextmanager
def dask():
    distributed = pytest.importorskip("distributed")
    import dask

    # A candidate that ends its process is not to be tried four times.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=N_WORKERS,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield partial(parallel_config, backend="dask")


@contextmanager
def ray():
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(
        num_cpus=N_WORKERS,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.path.dirname(__file__)}},
    )
    register_ray()
    try:
        yield partial(parallel_config, backend="ray", n_jobs=N_WORKERS)
    finally:
        ray.shutdown()


@pytest.fixture(scope="module", params=[dask, ray], ids=["dask", "ray"])
def cluster(request):
    with request.param() as config:
        yield config


@pytest.fixture(scope="module")
def table():
    return make_classification(300, 6, random_state=0)


def classifier(**params):
    defaults = {"n_candidates": 6, "random_state": 0, "ensemble_size": 2}
    return MetaLearnerClassifier(**(defaults | params))


def work_on(X, y):
    splits = list(StratifiedKFold(3).split(np.zeros(len(y)), y))
    return Work(X, y, splits, get_scorer("accuracy"))


def test_the_result_is_that_of_one_process(cluster, table):
    """Counting candidates, to the last bit."""
    X, y = table
    here = classifier().fit(X, y)
    with cluster():
        there = classifier().fit(X, y)
    np.testing.assert_array_equal(there.predict_proba(X), here.predict_proba(X))
    np.testing.assert_array_equal(
        there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
    )
    assert there.honest_score_ == here.honest_score_


def score_or_die(estimator, X, y, flag, spared):
    """Score, but end the first process that comes here, except one."""
    if os.getpid() != spared and not os.path.exists(flag):
        with open(flag, "w"):
            os.kill(os.getpid(), signal.SIGKILL)
    return estimator.score(X, y)


def test_a_worker_that_is_killed(cluster, table, tmp_path):
    """What it was at is done again."""
    X, y = table
    flag = tmp_path / "killed"
    scoring = partial(score_or_die, flag=flag, spared=os.getpid())
    here = classifier(scoring=scoring).fit(X, y)
    assert not flag.exists()
    with cluster():
        there = classifier(scoring=scoring).fit(X, y)
    assert flag.exists()
    assert there.leaderboard_["error"].isna().all()
    np.testing.assert_array_equal(there.predict_proba(X), here.predict_proba(X))


def test_a_candidate_that_ends_its_worker(cluster, table):
    """It has a row that says so, and the others have their scores."""
    candidates = [LogisticRegression(), Deadly(), LogisticRegression(C=0.1)]
    with cluster(), Workers(N_WORKERS) as workers:
        evaluations = evaluate_candidates(candidates, work_on(*table), workers=workers)
    assert evaluations.errors == (None, DIED, None)
    assert (evaluations.mean_scores[[0, 2]] > 0.5).all()


def test_the_deadline_is_kept(cluster, table):
    """What runs over it is left behind, and the workers go on with something else."""
    work = work_on(*table)
    with cluster(), Workers(N_WORKERS) as workers:
        evaluate_candidates([LogisticRegression()], work, workers=workers)  # warm
        start = time.monotonic()
        evaluations = evaluate_candidates(
            [LogisticRegression(), Slow()],
            work,
            workers=workers,
            schedule=Schedule(5, n_workers=N_WORKERS),
        )
        assert time.monotonic() - start < 20
        assert evaluations.errors[0] is None
        assert "Stopped" in evaluations.errors[1]
        again = evaluate_candidates([LogisticRegression()], work, workers=workers)
        assert again.errors == (None,)


def test_the_table_is_sent_once(cluster, table):
    """However many candidates and rounds there are."""
    X, y = table
    work = work_on(Sent(X), y)
    Sent.n_times = 0
    with cluster(), Workers(N_WORKERS) as workers:
        for _ in range(3):
            evaluations = evaluate_candidates(
                [LogisticRegression(C=C) for C in (0.1, 1.0, 10.0)],
                work,
                workers=workers,
            )
            assert evaluations.errors == (None,) * 3
    assert Sent.n_times == 1


def test_a_time_budget(cluster, table):
    """A search by the clock runs there too."""
    X, y = table
    with cluster():
        clf = classifier(n_candidates=None, time_budget=12).fit(X, y)
    assert clf.leaderboard_["error"].isna().any()
    assert clf.score(X, y) > 0.6


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_building_knowledge(name, tmp_path, capsys):
    """The command line evaluates tables on a cluster, with the same scores."""
    pytest.importorskip({"dask": "distributed"}.get(name, name))
    for seed in range(2):
        X, y = make_classification(60, 4, random_state=seed)
        frame = pd.DataFrame(X, columns=list("abcd")).assign(target=y)
        frame.to_csv(tmp_path / f"table{seed}.csv", index=False)
    outputs = tmp_path / "here.zip", tmp_path / "there.zip"
    command = ["build", str(tmp_path), "--target", "target", "--n-folds", "2"]
    command += ["--base-learners", "gaussian_nb", "linear_discriminant_analysis"]
    for output, more in zip(outputs, [[], ["--cluster", name]], strict=True):
        assert main([*command, "--output", str(output), *more]) == 0
    here, there = map(load_knowledge, outputs)
    assert list(there.tasks.index) == ["table0", "table1"]
    for metric in here.metrics:
        np.testing.assert_array_equal(
            there.fold_scores(metric), here.fold_scores(metric)
        )
