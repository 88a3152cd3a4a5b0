"""The pages that there are: each has a module, and each module is a page."""

from pathlib import Path

from ml_platform import home
from ml_platform.home.navigation import PAGES


def test_every_page_has_a_module_and_every_module_is_a_page():
    folder = Path(home.__file__).with_name("views")
    modules = {path.stem for path in folder.iterdir() if not path.name.startswith("__")}
    assert modules == {module for listed in PAGES.values() for module, _, _ in listed}


def test_no_two_pages_have_the_same_title():
    titles = [title for listed in PAGES.values() for _, title, _ in listed]
    assert len(set(titles)) == len(titles)
