"""The test matrix: ``python -m pip install nox && nox``."""

import nox

nox.options.sessions = ["lint", "newest", "oldest", "docs"]

# The floors of pyproject.toml, together.
FLOORS = [
    "scikit-learn==1.6.0",
    "numpy==1.24.1",
    "pandas==2.1.0",
    "scipy==1.10.0",
    "joblib==1.4.0",
    "threadpoolctl==3.1.0",
    "pyarrow==14.0.1",
]
TESTS = ["hypothesis", "numpydoc", "psutil", "pytest", "pytest-xdist"]


@nox.session
def lint(session):
    """Check the style."""
    session.install("ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def newest(session):
    """Test with the newest versions of everything."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def oldest(session):
    """Test with the oldest versions that are supported."""
    session.install(*FLOORS, *TESTS)
    session.install("-e", ".", "--no-deps")
    session.run("pytest", "-q", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def extras(session):
    """Test what needs other packages: boosters, plots, SMOTE."""
    session.install("-e", ".[test,boosters,plot,progress]", "imbalanced-learn")
    session.run("pytest", "-q", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def slow(session):
    """Run the tests that take minutes."""
    session.install("-e", ".[test]")
    session.run("pytest", "-q", "-m", "slow", *session.posargs)


@nox.session(python="3.11")
def clusters(session):
    """Test on local clusters of dask and Ray."""
    session.install("-e", ".[test,dask,ray]")
    session.run("pytest", "-q", "tests/test_clusters.py", *session.posargs)


@nox.session(python="3.11")
def multitask(session):
    """Test what needs torch."""
    session.install("-e", ".[test,torch]")
    tests = ["skmeta/multitask", "tests/multitask", "tests/test_docs.py"]
    session.run("pytest", "-q", *tests, *session.posargs)


@nox.session(python="3.11")
def speed(session):
    """Time what users wait for, each beside a yardstick in the same run."""
    session.install("-e", ".[parquet]", "pytest-benchmark")
    session.run("pytest", "benchmarks/test_speed.py", *session.posargs)


@nox.session(python="3.11")
def docs(session):
    """Build the documentation without a warning."""
    session.install("-e", ".[docs]")
    session.run("python", "-m", "sphinx", "-W", "-q", "docs", "docs/_build")
