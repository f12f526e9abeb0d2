"""What the pages say is up to date, runs, and leads somewhere."""

import re
import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GENERATED = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))["PAGES"]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("docs/how-to/*.md")),
]

# Blocks that run: marks are those of Sybil.
CODE = re.compile(
    r"^(?<!<!-- skip: next -->\n)(```python|<!-- invisible-code-block: python)\n"
    r"(?P<code>.*?)^(```|-->)$",
    flags=re.DOTALL | re.MULTILINE,
)
FENCED = re.compile(r"^```.*?^```$", flags=re.DOTALL | re.MULTILINE)


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def code_of(page):
    """Return the code of a page, on the lines where it stands there."""
    text, code = page.read_text(), ""
    for block in CODE.finditer(text):
        line = text.count("\n", 0, block.start("code"))
        code += "\n" * (line - code.count("\n")) + block["code"]
    return code


def anchors_of(page):
    """Return what links to the headings of a page end in, as GitHub makes it."""
    headings = re.findall(
        r"^#+ (.+)$", FENCED.sub("", page.read_text()), flags=re.MULTILINE
    )
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def targets_of(page):
    """Return where links and images lead to, other than to the web."""
    text = FENCED.sub("", page.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    targets += re.findall(r"""\b(?:href|src|srcset)=["']([^"']+)["']""", text)
    return [target for target in targets if not re.match(r"\w+:", target)]


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_up_to_date(name):
    """What is generated from the code says what the code says."""
    assert (ROOT / "docs" / name).read_text() == GENERATED[name](), (
        "run: python docs/make_reference.py"
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Every relative link points at a file of the project, and a heading in it."""
    for target in targets_of(page):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors_of(file), target


@pytest.mark.parametrize("page", [*filter(code_of, PAGES)], ids=name_of)
def test_code_runs(page, tmp_path, monkeypatch):
    """The blocks of a page run, one after the other, in a folder with the tables."""
    code = code_of(page)
    if "skmeta.plotting" in code:
        pytest.importorskip("matplotlib").use("Agg")
    if "skmeta.multitask" in code:
        pytest.importorskip("torch")
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_table_that_is_made_out_of_sight_is_explained(page):
    """What code is copied from a page needs is said above it."""
    above, _, _ = page.read_text().partition("```python")
    prose, _, hidden = above.partition("<!-- invisible-code-block")
    if "\nX, y = " in hidden:
        assert "`X`" in prose


def test_code_of_a_page(tmp_path):
    """Blocks stay on their lines; what is marked is left out, what is hidden runs."""
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n"
        "<!-- invisible-code-block: python\n"
        "hidden\n"
        "-->\n"
        "```python\n"
        "shown\n"
        "```\n"
        "<!-- skip: next -->\n"
        "```python\n"
        "marked\n"
        "```\n"
        "```bash\n"
        "command\n"
        "```\n"
        "```python\n"
        "shown\n"
        "```\n"
    )
    code = dict(enumerate(code_of(page).splitlines(), start=1))
    assert {line: text for line, text in code.items() if text} == {
        3: "hidden",
        6: "shown",
        16: "shown",
    }


def test_links_and_anchors_of_a_page(tmp_path):
    """Those of Markdown and of HTML, but for the web; code has none."""
    page = tmp_path / "page.md"
    page.write_text(
        "## What, and `why`?\n"
        "[a](a.md#b) ![c](c.png) [d](https://d.org) <img src='e.png'>\n"
        "```python\n"
        "# [f](g.md)\n"
        "```\n"
    )
    assert anchors_of(page) == {"what-and-why"}
    assert targets_of(page) == ["a.md#b", "c.png", "e.png"]
