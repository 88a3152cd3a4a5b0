"""The bucket console, as a person uses it: log in, see a folder, upload, download. Each S3 server brings its own."""

from pathlib import Path
from typing import Protocol

from playwright.sync_api import Download, Page

from stack.config import Config


class Console(Protocol):
    """What the tests do in a bucket console."""

    title: str

    def files(self, folder: str, holding: str) -> list[str]:
        """Return the names in a folder (`bucket` or `bucket/prefix`) that hold this text; log in where it asks."""

    def upload(self, bucket: str, name: str, file: Path) -> None:
        """Upload a file under another name, with the console's own dialog."""

    def download(self, folder: str, name: str) -> Download:
        """Download a file by a click."""


class SeaweedFS:
    title = "SeaweedFS"

    def __init__(self, page: Page, stack: Config) -> None:
        self.page, self.stack = page, stack
        self.address = f"http://localhost:{stack.console_port}"

    def files(self, folder: str, holding: str = "") -> list[str]:
        where = f"{self.address}/files?path=/buckets/{folder}&limit=200"
        self.page.goto(where, wait_until="networkidle")
        if self.page.url.endswith("/login"):
            self.page.locator("input[name=username]").fill(self.stack.console_user)
            self.page.locator("input[name=password]").fill(self.stack.console_password.get_secret_value())
            self.page.locator("button[type=submit]").click()
            self.page.wait_for_load_state("networkidle")
            self.page.goto(where, wait_until="networkidle")
        names = self.page.locator("table tbody tr td:nth-child(2)").all_inner_texts()
        return [name.strip() for name in names if holding in name]

    def upload(self, bucket: str, name: str, file: Path) -> None:
        self.files(bucket)
        self.page.get_by_role("button", name="Upload").first.click()
        content = {"name": name, "mimeType": "text/csv", "buffer": file.read_bytes()}
        self.page.locator("#fileInput").set_input_files(content)
        with self.page.expect_response(lambda response: response.request.method == "POST") as answer:
            self.page.get_by_role("button", name="Upload Files").click()
        assert answer.value.ok

    def download(self, folder: str, name: str) -> Download:
        self.files(folder)
        with self.page.expect_download() as download:
            self.page.locator("tr", has_text=name).get_by_title("Download").click()
        return download.value


class MinIO:
    title = "MinIO"

    def __init__(self, page: Page, stack: Config) -> None:
        self.page, self.stack = page, stack
        self.address = f"http://localhost:{stack.console_port}"
        self.names = page.locator("[role=gridcell][aria-colindex='2']")

    def files(self, folder: str, holding: str = "") -> list[str]:
        self._open(folder)
        self.page.locator("#search-resource").fill(holding)  # only the rows in view are in the page
        self.names.or_(self.page.get_by_text("This location is empty")).first.wait_for()
        return [name.strip() for name in self.names.all_inner_texts() if holding in name]

    def upload(self, bucket: str, name: str, file: Path) -> None:
        self._open(bucket)
        self.page.locator("#upload-main").click()
        with self.page.expect_response(lambda response: response.request.method == "POST") as answer:
            with self.page.expect_file_chooser() as chooser:
                self.page.get_by_text("Upload File", exact=True).click()
            content = {"name": name, "mimeType": "text/csv", "buffer": file.read_bytes()}
            chooser.value.set_files(content)
        assert answer.value.ok

    def download(self, folder: str, name: str) -> Download:
        self.files(folder, name)
        self.names.get_by_text(name, exact=True).click()
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Download").click()
        return download.value

    def _open(self, folder: str) -> None:
        bucket, _, prefix = folder.partition("/")
        self.page.goto(f"{self.address}/browser/{bucket}/{prefix and prefix + '/'}", wait_until="networkidle")
        login = self.page.locator("#accessKey")
        login.or_(self.page.locator("#upload-main")).first.wait_for()
        if login.is_visible():
            login.fill(self.stack.console_user)
            self.page.locator("#secretKey").fill(self.stack.console_password.get_secret_value())
            self.page.locator("button[type=submit]").click()
            self.page.locator("#acknowledge-confirm").click()  # the licence, shown once


CONSOLES: dict[str, type[Console]] = {"seaweedfs": SeaweedFS, "minio": MinIO}
