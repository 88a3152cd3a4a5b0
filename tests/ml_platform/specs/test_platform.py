"""The options of the whole platform, in `datasets/platform.yaml`."""

from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog, parse_table, platform_options
from ml_platform.specs.platform import PLATFORM_FILE, PlatformOptions


def test_without_the_file_the_options_are_the_defaults(tmp_path: Path) -> None:
    assert platform_options(tmp_path) == PlatformOptions()


def test_the_file_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / PLATFORM_FILE).write_text("kind: platform\n")
    assert catalog(tmp_path).datasets == catalog(tmp_path).problems == ()
    assert platform_options(tmp_path) == PlatformOptions()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: platform\nalarms: {}\n", "alarms: no such field; there are: kind"),
        ("kind: platform\nlineage: {url: marquez}\n", "lineage.url: not an address such as http://marquez:5000"),
        ("kind: platform\nlineage: {url: 'http://a:b@c'}\n", "has a login in it; put a key into the variable"),
        ("kind: table\n", "kind: Input should be 'platform' (got 'table')"),
        ("- kind\n", "must be a mapping that begins with `kind: platform`"),
        ("kind: [\n", "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place_like_those_of_data_sets(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / PLATFORM_FILE
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        platform_options(tmp_path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert catalog(tmp_path).problems == (str(caught.value),)


def test_no_data_set_can_have_the_name_of_the_file() -> None:
    with pytest.raises(ConfigurationError, match=r"options of the whole platform: choose another name"):
        parse_table("name: platform\n", Path(PLATFORM_FILE))
