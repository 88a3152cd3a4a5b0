"""The result that a person means, by its key, the name of its file, or a copy."""

from pathlib import Path
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.lineage import find
from ml_platform.lineage.chain import Chain, Model

KEY = "auto/test_auto.20260301T120000Z.csv"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer each key with a chain without a result; return the keys."""
    keys: list[str] = []

    def of_result(key: str) -> Chain:
        keys.append(key)
        return Chain("auto", None, None, Model("auto", 1, None, None, []), None)

    monkeypatch.setattr(find.chain, "of_result", of_result)
    return keys


def named(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    monkeypatch.setattr(find.records, "result_keys_named", lambda name: list(keys))


@pytest.mark.parametrize("text", [KEY, f"result/{KEY}", f"s3://result/{KEY}"])
def test_a_key_may_have_its_bucket(asked: list[str], text: str) -> None:
    find.by_result(text)
    assert asked == [KEY]


def test_a_copy_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch, asked: list[str], tmp_path: Path) -> None:
    named(monkeypatch, KEY)
    copy = tmp_path / KEY.rpartition("/")[2]
    copy.write_text("")
    for text in (copy.name, str(copy)):
        find.by_result(text)
    assert asked == [KEY, KEY]


@pytest.mark.parametrize(
    ("keys", "says"),
    [((), "no result is named"), ((KEY, "other/x.csv"), "2 results are named 'x.csv'; name one of them")],
)
def test_a_name_that_none_or_several_have_is_an_error(monkeypatch: pytest.MonkeyPatch, keys: Any, says: str) -> None:
    named(monkeypatch, *keys)
    with pytest.raises(ConfigurationError, match=says):
        find.by_result("x.csv")
