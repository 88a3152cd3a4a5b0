"""Where traces go: an address without a login."""

from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import platform_options
from ml_platform.specs.platform import PLATFORM_FILE


def options(folder: Path, url: str) -> str | None:
    (folder / PLATFORM_FILE).write_text(f"kind: platform\ntraces: {{url: '{url}'}}\n")
    return platform_options(folder).traces.url


def test_the_address_of_a_collector(tmp_path: Path) -> None:
    assert platform_options(tmp_path).traces.url is None
    assert options(tmp_path, "http://collector:4318") == "http://collector:4318"


@pytest.mark.parametrize(
    "url", ["collector:4318", "grpc://collector:4317", "http://", "http://me:secret@collector:4318"]
)
def test_what_is_no_address_or_has_a_login_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="not an address without a login"):
        options(tmp_path, url)
