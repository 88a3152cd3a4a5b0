"""Where events about lineage go."""

import pytest
from pydantic import ValidationError

from ml_platform.specs.lineage import LineageOptions


def test_by_default_they_go_to_a_file_and_to_no_server() -> None:
    assert (LineageOptions().file, LineageOptions().url) == (True, None)


@pytest.mark.parametrize("url", ["http://marquez:5000", "https://lineage.example.org/base"])
def test_an_address_is_that_of_a_web_server(url: str) -> None:
    assert LineageOptions(url=url).url == url


@pytest.mark.parametrize("url", ["marquez:5000", "kafka://broker", "http://", "http://user:password@marquez"])
def test_another_address_or_one_with_a_login_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        LineageOptions(url=url)
