"""A headless Chromium, logged in where it has been; pictures go to docs/screens/ when SCREENSHOTS=1."""

import os
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pydantic import SecretStr

from stack.config import Config

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "screens"
PATIENCE = 180_000  # milliseconds that a page may take on a busy machine
expect.set_options(timeout=PATIENCE)


def missing(what: str, remedy: str) -> None:
    """Skip, loudly; but fail where everything must be there (REQUIRE_BROWSER=1, as in CI)."""
    message = f"{what} is not on this machine, so this was NOT tested; {remedy}"
    pytest.fail(message) if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip(message)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        missing("Chromium", "Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        options = [*OPTIONS, "--no-sandbox"] if os.geteuid() == 0 else OPTIONS
        yield playwright.chromium.launch(executable_path=path, args=options)


def log_in(context: BrowserContext, port: int, user: str, password: SecretStr) -> None:
    """Send a login to one page only, as a person does who has filled in the browser's dialog."""
    login = b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()
    context.route(
        f"http://localhost:{port}/**",
        lambda route: route.continue_(headers=route.request.headers | {"authorization": f"Basic {login}"}),
    )


@pytest.fixture(scope="module")
def page(chromium: Browser, stack: Config) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_default_timeout(PATIENCE)
    log_in(context, stack.mlflow_port, stack.mlflow_admin_user, stack.mlflow_admin_password)
    log_in(context, stack.feast_port, stack.feast_admin_user, stack.feast_admin_password)
    yield context.new_page()
    context.close()


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """Take a picture of the page as it is now, where the run is about pictures."""

    def take(name: str) -> None:
        if os.environ.get("SCREENSHOTS"):
            page.wait_for_timeout(1500)  # charts and tables fade in
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png")

    return take


@pytest.fixture(autouse=True)
def picture_of_a_failure(request: pytest.FixtureRequest, page: Page, tmp_path: Path) -> Iterator[None]:
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        page.screenshot(path=tmp_path / "failure.png")
        print(f"what the browser showed: {tmp_path / 'failure.png'} ({page.url})")  # noqa: T201
