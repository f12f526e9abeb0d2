import subprocess
import sys

import pytest

from skmeta.plotting import KnowledgeDisplay

# The audit hook sees every file, socket and process that Python opens.
_WATCH = """
import sys
import sklearn.ensemble, sklearn.svm, sklearn.neural_network, sklearn.neighbors
import sklearn.discriminant_analysis, sklearn.naive_bayes, sklearn.calibration
import sklearn.utils.estimator_checks
import pandas, joblib, hashlib, zipfile, sqlite3, tempfile, subprocess, queue

seen = []

def hook(event, arguments):
    if event == "open":
        path = str(arguments[0])
        if not path.endswith((".py", ".pyc", ".so", ".pyd")) and "pycache" not in path:
            seen.append((event, path))
    elif event.startswith(("socket.", "subprocess.", "os.fork", "os.system")):
        seen.append((event, str(arguments)))

sys.addaudithook(hook)
import skmeta
optional = {"matplotlib", "openml", "lightgbm", "xgboost", "catboost", "torch"}
print(seen)
print(sorted(optional & set(sys.modules)))
"""


def test_import_opens_nothing():
    """In a fresh process, importing skmeta opens no file, socket or process."""
    lines = subprocess.run(
        [sys.executable, "-c", _WATCH], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines == ["[]", "[]"]


def test_plotting_is_loaded_when_asked_for():
    """Neither `import skmeta` nor its displays load matplotlib."""
    code = (
        "import sys, skmeta; print('skmeta.plotting' in sys.modules); "
        "import skmeta.plotting; print('matplotlib' in sys.modules)"
    )
    lines = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert lines == ["False", "False"]


def test_plotting_without_matplotlib_says_what_to_install(monkeypatch, tiny_knowledge):
    """The error names the display and the command."""
    for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.axes"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ImportError,
        match=r"KnowledgeDisplay requires matplotlib\..* pip install matplotlib",
    ):
        KnowledgeDisplay.from_knowledge(tiny_knowledge)
