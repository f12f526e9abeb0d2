"""Write the pages that are generated from the catalogue and the registry.

    python docs/make_reference.py

A test fails when the pages in this folder are not what the code says.
"""

from pathlib import Path

from skmeta._base_learners import BASE_LEARNERS, default_configurations
from skmeta.metafeatures._registry import feature_table

HERE = Path(__file__).parent


def base_learners_page():
    """Return the page of the catalogue as Markdown."""
    lines = [
        "# Base learners and their hyperparameters",
        "",
        "Written by `python docs/make_reference.py`; do not edit. Each is a pipeline "
        "of an encoder for tables and a classifier. `table__` stands before what is "
        "meant for the encoder.",
    ]
    for name, learner in BASE_LEARNERS.items():
        classifier = learner.estimator.replace(":", ".")
        lines += ["", f"## {name}", "", f"`{classifier}`.", ""]
        if learner.max_rows < float("inf"):
            lines += [f"Offered up to {learner.max_rows:,} rows.", ""]
        lines += ["| hyperparameter | default | values |", "|---|---|---|"]
        lines += [
            f"| `{h.name}` | `{h.default!r}` | {h.describe()} |"
            for h in learner.space.hyperparameters
        ]
        lines += ["", "Configurations that knowledge is built from:", ""]
        lines += [
            f"- `{dict(configuration.hyperparameters)}`"
            for configuration in default_configurations([name])
        ]
    return "\n".join(lines) + "\n"


def meta_features_page():
    """Return the page of the meta-features as Markdown."""
    lines = [
        "# Meta-features",
        "",
        "Written by `python docs/make_reference.py`; do not edit. n rows, d columns, "
        "k classes, b bins, m = min(n, 20000) rows. Names shared with pymfe have its "
        "definition, computed exactly.",
    ]
    return "\n".join([*lines, "", feature_table()]) + "\n"


PAGES = {
    "base-learners.md": base_learners_page,
    "meta-features.md": meta_features_page,
}


def write():
    """Write every page."""
    for name, make in PAGES.items():
        (HERE / name).write_text(make())


if __name__ == "__main__":
    write()
