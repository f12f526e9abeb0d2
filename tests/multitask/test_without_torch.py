import subprocess
import sys

import pytest
from sklearn.base import clone

from skmeta.multitask import MetaGradientClassifier, SharedRepresentationClassifier


def test_torch_is_not_loaded_before_it_is_needed():
    code = (
        "import sys, skmeta.multitask as m; m.MetaGradientClassifier(); "
        "print('torch' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown == "False\n"


@pytest.mark.parametrize(
    "cls", [MetaGradientClassifier, SharedRepresentationClassifier]
)
def test_without_torch_it_is_said_what_to_install(monkeypatch, cls):
    """Classifiers can be made, and say so when they are fitted."""
    monkeypatch.setitem(sys.modules, "torch", None)
    clf = clone(cls())
    with pytest.raises(
        ImportError,
        match=rf"{cls.__name__} requires torch\. .*: pip install torch",
    ):
        clf.fit([[0.0], [1.0]], [0, 1])
