"""Settings of the documentation: ``python -m sphinx -W docs docs/_build``."""

import re
import warnings

import skmeta

project = "skmeta"
version = release = skmeta.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
nitpicky = False

html_title = "skmeta"
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "header_links_before_dropdown": 5,
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False
# Pages that stand alone have no section to navigate.
html_sidebars = {"*": []}

# The pages are read on their own, too, so that links are those of files.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autosummary_generate = True
numpydoc_show_class_members = False
# What base classes give is shown too, but for those of exceptions.
autodoc_default_options = {"members": True, "inherited-members": "BaseException"}


def _is_of_scikit_learn(app, what, name, member, skip, options):
    """Leave out methods that scikit-learn makes, with references to its own pages."""
    is_inherited = (getattr(member, "__module__", None) or "").startswith("sklearn.")
    is_made = name == "get_metadata_routing" or name.endswith("_request")
    return skip or is_inherited or is_made


def _without_references_elsewhere(app, what, name, member, options, lines):
    """Keep the words of references of scikit-learn to its own pages."""
    lines[:] = [re.sub(r":ref:`([^`<]*?)\s*<[^`]*>`", r"\1", line) for line in lines]


def setup(app):
    """Connect what is done while the documentation is built."""
    app.connect("autodoc-process-docstring", _without_references_elsewhere)
    app.connect("autodoc-skip-member", _is_of_scikit_learn)


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "within_subsection_order": "FileNameSortKey",
    "show_memory": False,
    "min_reported_time": 1e9,
    "abort_on_example_error": True,
}
suppress_warnings = ["config.cache"]

# The plots of the gallery are drawn without a screen.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
