"""Under whose name something is recorded."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.records.persons import needed, person


def test_a_name_that_came_along_counts_only_from_the_home_page() -> None:
    assert person("home", "ann") == "ann"
    assert person("mallory", "ann") == "mallory"
    assert person("Home", "ann") == "Home"
    assert person(None, "ann") is None


@pytest.mark.parametrize("name", [None, "", "  ", 7, ["ann"], {"name": "ann"}])
def test_without_a_name_it_was_the_login(name: object) -> None:
    assert person("home", name) == "home"


def test_a_name_is_one_short_line() -> None:
    assert person("home", " ann\nlee ") == "ann lee"
    assert len(person("home", "x" * 999) or "") == 200


def test_a_reason_may_not_be_empty() -> None:
    assert needed(" better ", "the reason") == "better"
    for nothing in (None, "", " \n"):
        with pytest.raises(ConfigurationError, match="the reason is missing"):
            needed(nothing, "the reason")
