"""Where a card is beside its result."""

import pytest

from ml_platform.scoring.result_keys import card_key


@pytest.mark.parametrize("key", ["auto/a.20260101T000000Z.csv", "auto/a.20260101T000000Z.parquet"])
def test_the_card_has_the_name_of_the_result(key: str) -> None:
    assert card_key(key) == "auto/a.20260101T000000Z.json"
