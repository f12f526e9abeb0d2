import pytest

from skmeta.knowledge import _openml


@pytest.fixture(scope="session")
def _openml_process():
    return _openml._Process()


@pytest.fixture
def one_openml_process(_openml_process, monkeypatch):
    """One process for the clients of all tests: to import openml takes seconds."""
    pytest.importorskip("openml")
    monkeypatch.setattr(_openml, "_Process", lambda: _openml_process)
