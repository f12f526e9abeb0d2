import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path, monkeypatch):
    """Every example runs from any folder, without a warning, and writes nothing."""
    draws = "skmeta.plotting" in path.read_text()
    if draws:
        pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    if draws:
        sys.modules["matplotlib.pyplot"].close("all")
    assert not list(tmp_path.iterdir())


def test_examples_are_found():
    """The list above is not empty."""
    assert len(EXAMPLES) >= 2
