"""No document leads into nothing: each relative link, anchor and image exists, and each page is in the menu."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "minio/samples/README.md", ".ci/README.md"]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
ADRS = ROOT / "docs" / "adr"
FOLDERS = ("benchmarks", "dags", "dbinit", "feast_repo", "minio", "observability", "plugins", "stack", "tests")
WRITTEN = {"reliability.md"}  # by `make prove`, on the machine that runs it
HEADINGS = ("## Context", "## Decision", "## Consequences")


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))


def links(text: str) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(text)) + re.findall(r'(?:src|href)="([^"]+)"', text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    wrong = []
    for link in links(text):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("name", [*OUTSIDE, *PAGES])
def test_every_link_and_image_of_a_document_exists(name: str) -> None:
    assert dead(ROOT / name) == []


def test_a_dead_link_a_dead_anchor_and_a_dead_image_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n## Two words, and more\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[a](other.md) [b](none.md) [c](other.md#two-words-and-more) [d](other.md#none) [e](#page)\n"
        '`[f](code.md)` ![g](none.png) <img src="none.jpg"> [h](https://example.org/none)\n```\n[i](fence.md)\n```\n'
    )
    assert dead(page) == ["none.md", "other.md#none", "none.png", "none.jpg"]


def test_the_menu_of_the_site_has_every_page() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    reachable = {name.removeprefix("docs/") for name in PAGES if not re.match(r"docs/adr/\d", name)}
    assert set(_pages(config["project"]["nav"])) - WRITTEN == reachable - WRITTEN


def _pages(menu: Any) -> list[str]:
    if isinstance(menu, str):
        return [menu]
    return [page for entry in menu for value in entry.values() for page in _pages(value)]


def test_every_decision_has_the_one_form_and_stands_in_the_index() -> None:
    index = (ADRS / "index.md").read_text(encoding="utf-8")
    records = sorted(ADRS.glob("0*.md"))
    assert records
    for record in records:
        text = record.read_text(encoding="utf-8")
        title = re.match(r"# (\d+)\. (.+)\n\n\*\*Status:\*\* ", text)
        assert title is not None, record.name
        assert int(title[1]) == int(record.name[:4]), record.name
        assert [line for line in text.splitlines() if line.startswith("## ")] == list(HEADINGS), record.name
        assert f"| {title[1]} | [{title[2]}]({record.name}) |" in index, record.name


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_every_module_that_a_document_names_exists(name: str) -> None:
    files = {path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    named = set(re.findall(r"`([\w./]+\.py)`", (ROOT / name).read_text(encoding="utf-8")))
    assert {path for path in named if not any(f"/{file}".endswith(f"/{path}") for file in files)} == set()
