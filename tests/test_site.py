"""What the pages of the documentation name and link is there."""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
MODULES = [
    "skmeta",
    "skmeta.knowledge",
    "skmeta.recommendation",
    "skmeta.plotting",
    "skmeta.progress",
]


def listed():
    """Return the names in docs/api.md, by module."""
    names, module = set(), None
    for line in (DOCS / "api.md").read_text().splitlines():
        if ".. currentmodule::" in line:
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            names.add((module, line.strip()))
    return names


def test_every_public_name_is_on_the_page():
    """Under the module that shows it, or under another one that does."""
    on_page = {name for _, name in listed()}
    for module in MODULES:
        public = set(importlib.import_module(module).__all__) - {"__version__"}
        assert public <= on_page, module


def test_what_is_on_the_page_is_public():
    for module, name in listed():
        assert hasattr(importlib.import_module(module), name), (module, name)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_page_is_in_the_table_of_contents(page):
    index = (DOCS / "index.md").read_text()
    assert page.stem == "index" or f"\n{page.stem}\n" in index
