"""The entities of some keys, as people write them."""

import io
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.reading import open_rows
from ml_platform.removal import entities
from ml_platform.removal.entities import find_entities
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import make_dataset
from tests.ml_platform.keyless import without_key


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str]]:
    """The headers in earlier versions of the spec."""
    found: list[tuple[str | None, str]] = []
    monkeypatch.setattr(entities, "fetch", lambda *_: found)
    return found


def composite() -> Dataset:
    return make_dataset(entity={"name": "place", "key": ["NOTE", "COUNT"]}, columns={"COUNT": "integer"})


@pytest.mark.usefixtures("earlier")
def test_keys_are_read_as_in_the_files() -> None:
    assert find_entities(make_dataset(), ["7", " 8 ", "7"]).keys == {(7,), (8,)}
    kinds = make_dataset(entity={"name": "thing", "key": "KIND"})
    assert find_entities(kinds, ["z_Blue Collar", "a,b"]).keys == {("Blue Collar",), ("a,b",)}


@pytest.mark.usefixtures("earlier")
@pytest.mark.parametrize("limit", [{"min": 1}, {"max": 3}, {"values": [1, 2]}], ids=str)
def test_keys_beyond_the_limits_of_the_spec_may_be_stored(limit: dict[str, Any]) -> None:
    dataset = make_dataset(columns={"ID": {"type": "integer"} | limit})
    found = find_entities(dataset, ["-5", "9"])
    assert found.keys == {(-5,), (9,)}
    assert list(found.lines_in(open_rows(io.BytesIO(b"ID,NOTE\n1,x\n-5,y\n9,z\n"), "a.csv"))) == [(3, 1), (4, 1)]


@pytest.mark.usefixtures("earlier")
def test_the_values_of_several_columns_are_separated_by_commas() -> None:
    found = find_entities(composite(), ["JFK,0", '"New York, NY",1'])
    assert found.keys == {("JFK", 0), ("New York, NY", 1)}
    assert found.batch().to_pydict() == {"NOTE": ["JFK", "New York, NY"], "COUNT": [0, 1]}


@pytest.mark.usefixtures("earlier")
@pytest.mark.parametrize(
    ("dataset", "key", "error"),
    [
        (make_dataset(), "seven", "ID 'seven': not a whole number"),
        (make_dataset(), "", "ID '': the value is missing"),
        (composite(), "JFK", "'JFK' has 1 values, but a key of sample is NOTE, COUNT"),
        (composite(), "JFK,x", "COUNT 'x': not a whole number"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused(dataset: Dataset, key: str, error: str) -> None:
    with pytest.raises(ConfigurationError, match=error):
        find_entities(dataset, [key])


def test_the_names_of_a_key_in_earlier_specs_are_known(earlier: list[Any]) -> None:
    earlier += [("number", "ID"), (None, "ID")]
    assert find_entities(make_dataset(), ["1"]).headers == {"ID": ("ID", "number")}


def test_without_a_key_no_entity_can_be_found() -> None:
    with pytest.raises(ConfigurationError, match=r"sample has no key .*; take back the uploads .*withdraw sample ID"):
        find_entities(without_key(make_dataset()), ["7"])
