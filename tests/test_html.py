import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from skmeta import MetaHyperparamSelector, MetaLearnerClassifier, load_knowledge
from skmeta._html import page, table

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OFFLINE = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--virtual-time-budget=3000"),
]

# What the browser says of the page, in an attribute that --dump-dom shows.
PROBE = """<script>
window.onload = () => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const wide = [...document.querySelectorAll(".skmeta, .skmeta *")].filter(
    each => !each.closest(".scroll") && !each.closest("[class^=sk-]")
      && each.getBoundingClientRect().right > window.innerWidth);
  const own = [...document.querySelectorAll(".skmeta")];
  document.body.setAttribute("data-seen", JSON.stringify({
    wide: wide.map(each => each.tagName),
    text: own.map(each => each.innerText).join("\\n"),
    color: own.length ? getComputedStyle(own[0]).color : "",
    width: document.documentElement.scrollWidth,
    isCut: [...document.querySelectorAll(".skmeta .scroll")].some(
      each => each.scrollWidth > each.clientWidth),
    requests: performance.getEntriesByType("resource").map(each => each.name),
  }));
};
</script>"""


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def fitted(wine):
    return MetaLearnerClassifier(n_candidates=3, random_state=0).fit(*wine)


@pytest.fixture(scope="module")
def shown(wine, fitted):
    """What can be shown, and words that must be there."""
    selector = MetaHyperparamSelector(RandomForestClassifier(), n_candidates=2)
    recommendation = fitted.recommendation_
    explanation = recommendation.explain()
    return {
        "unfitted": (MetaLearnerClassifier(), []),
        "fitted": (
            fitted,
            [
                "3 candidates tried on 5 splits",
                f"{fitted.best_score_:.4f}",
                f"{fitted.honest_score_:.4f}",
                *fitted.leaderboard_["learner"],
                recommendation.reason,
            ],
        ),
        "selector": (selector.fit(*wine), ["2 candidates tried", "random_forest"]),
        "recommendation": (
            recommendation,
            [recommendation.reason, recommendation.configurations[2].learner],
        ),
        "explanation": (
            explanation,
            [
                explanation.similar.index[7],
                explanation.drivers.index[0],
                "10 times the rows",
            ],
        ),
        "knowledge": (
            load_knowledge(),
            ["274 tasks", "hist_gradient_boosting", "iris"],
        ),
    }


def _numbered(html):
    """Every diagram of scikit-learn has a number of its own."""
    return re.sub(r"(sk-container-id-|sk-estimator-id-)\d+", r"\1n", html)


def html_of(thing):
    return thing._repr_html_()


def test_notebooks_get_both(fitted):
    """HTML and text, or text alone where scikit-learn is told so."""
    bundle = fitted._repr_mimebundle_()
    assert bundle["text/plain"] == repr(fitted)
    assert _numbered(bundle["text/html"]) == _numbered(fitted._repr_html_())
    assert "sk-top-container" in bundle["text/html"]  # scikit-learn's diagram
    with config_context(display="text"):
        assert not hasattr(fitted, "_repr_html_")
        assert list(fitted._repr_mimebundle_()) == ["text/plain"]


def test_what_is_shown_of_a_fit(shown):
    for thing, words in shown.values():
        text = html_of(thing)
        for word in words:
            assert word in text
        assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "<style>" in html_of(shown["unfitted"][0])
    assert 'class="skmeta"' not in html_of(shown["unfitted"][0])


def test_candidates_are_numbered_as_they_were_recommended(fitted):
    """From 1, in both tables."""
    best = fitted.leaderboard_.iloc[0]
    assert f'<td>{best.name + 1}</td><td class="text">{best["learner"]}' in (
        fitted._repr_html_()
    )


def test_failures_are_shown(wine):
    """With the error, and without one that nobody had."""
    X, y = wine
    selector = MetaHyperparamSelector(RandomForestClassifier(), n_candidates=2)
    fitted = selector.fit(X, y)
    fitted.leaderboard_.loc[1, "error"] = "ValueError: <b>no</b>"
    text = fitted._repr_html_()
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in text
    one = MetaLearnerClassifier(n_candidates=1).fit(X, y)
    assert "compared with nothing" in one._repr_html_()


def test_cells():
    """Text is escaped, gaps are empty, and what is left out is counted."""
    frame = pd.DataFrame(
        {
            "learner": ["<script>", "b", "c"],
            "score": [0.5, np.nan, 1.0],
            "n_rows": [1597.0, 0.123456, 3],
            "hyperparameters": [{"C": 0.30000000000000004}, {}, {}],
        },
        index=pd.Index(["x", "y", "z"], name="task"),
    )
    text = table(frame, n_rows=2)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<td>0.5000</td>" in text
    assert "<td></td>" in text
    assert "<td>1597</td>" in text
    assert "<td>0.1235</td>" in text
    assert ">C=0.3<" in text
    assert "and 1 more" in text
    assert "more" not in table(frame)
    assert ">n rows<" in text
    assert '<table class="narrow">' in table(frame, is_narrow=True)
    assert load_knowledge()._repr_html_().count('<table class="narrow">') == 1


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser(shown, tmp_path, dark):
    """At 800 pixels nothing hangs over, all is there, in the colour of the page."""
    colors = "background: #111; color: #ddd" if dark else "background: #fff"
    for name, (thing, words) in shown.items():
        path = tmp_path / f"{name}.html"
        path.write_text(
            f"<!doctype html><meta charset=utf-8><body style='{colors}'>"
            f"{html_of(thing)}{PROBE}",
            encoding="utf-8",
        )
        dumped = subprocess.run(
            [CHROMIUM, *OFFLINE, f"--user-data-dir={tmp_path / 'profile'}",
             "--window-size=800,1200", "--dump-dom", path.as_uri()],
            capture_output=True, text=True, timeout=120, check=True,
        ).stdout  # fmt: skip
        attribute = re.search(r'data-seen="([^"]*)"', dumped)[1]
        seen = json.loads(attribute.replace("&quot;", '"').replace("&amp;", "&"))
        assert seen["wide"] == [], name
        assert seen["requests"] == [], name
        assert seen["width"] <= 800, name
        assert not seen["isCut"], name
        for word in words:
            assert " ".join(word.split()) in " ".join(seen["text"].split()), name
        if words:
            assert seen["color"] == ("rgb(221, 221, 221)" if dark else "rgb(0, 0, 0)")


def test_page_has_its_style_once():
    assert page("a", "b").count("<style>") == 1
