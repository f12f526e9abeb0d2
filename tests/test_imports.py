import subprocess
import sys

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
