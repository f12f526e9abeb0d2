"""What there is has its place in the documentation, and a description."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
MODULES = [
    "skmeta",
    "skmeta.exceptions",
    "skmeta.knowledge",
    "skmeta.metafeatures",
    "skmeta.multitask",
    "skmeta.plotting",
    "skmeta.progress",
    "skmeta.recommendation",
]


def public_names(module):
    shown = [name for name in vars(module) if not name.startswith("_")]
    return set(getattr(module, "__all__", shown)) - {"__version__"}


def listed():
    """Return the names in docs/api.md, by module."""
    names, module = set(), None
    for line in (DOCS / "api.md").read_text().splitlines():
        if ".. currentmodule::" in line:
            module = line.split()[-1]
        elif re.fullmatch(r"   \w+", line):
            names.add((module, line.strip()))
    return names


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_on_the_page(module):
    """Under the module that shows it, or under another one that does."""
    on_page = {name for _, name in listed()}
    assert public_names(importlib.import_module(module)) <= on_page


def test_what_is_on_the_page_is_public():
    for module, name in listed():
        assert hasattr(importlib.import_module(module), name), (module, name)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_described(module):
    """So are the methods and properties of classes, there or in their base class."""
    module = importlib.import_module(module)
    for name in public_names(module):
        thing = getattr(module, name)
        assert inspect.getdoc(thing), name
        for attribute, value in inspect.getmembers(thing):
            if inspect.isfunction(value) or isinstance(value, property):
                is_private = attribute.startswith("_")
                assert is_private or inspect.getdoc(value), (name, attribute)


@pytest.mark.parametrize(
    "page", [*DOCS.glob("*.md"), *DOCS.glob("how-to/*.md")], ids=lambda page: page.name
)
def test_every_page_is_in_a_table_of_contents(page):
    in_contents = {
        index.with_name(f"{name}.md") if "/" not in name else DOCS / f"{name}.md"
        for index in [DOCS / "index.md", DOCS / "how-to" / "index.md"]
        for name in re.findall(r"^[\w/-]+$", index.read_text(), flags=re.MULTILINE)
    }
    assert page == DOCS / "index.md" or page in in_contents
