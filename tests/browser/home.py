"""The home page as a person uses it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from stack.config import Config
from tests.people import PASSWORDS

# Vega draws the marks of a chart as images without a name; the whole chart has one.
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"svg-img-alt": {"enabled": False}},
}


def url(stack: Config, path: str = "") -> str:
    """Return the address of a page."""
    return f"http://localhost:{stack.home_port}/{path}"


def log_in(page: Page, stack: Config, name: str, password: str | None = None) -> None:
    """Fill in the form of the login."""
    page.goto(url(stack, "login"))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password or PASSWORDS[name])
    page.get_by_role("button", name="Log in").click()


def visit(page: Page, stack: Config, path: str) -> None:
    """Open a page, and wait until it is drawn; no part of it may have failed."""
    page.goto(url(stack, path))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def barriers(page: Page) -> list[str]:
    """Return what axe finds on a page that keeps people with disabilities from using it."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}" for one in found]
