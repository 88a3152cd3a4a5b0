"""The values between the tasks of a promotion."""

import json

import pytest

from ml_platform.environments.values import CopiedVersion, PromotionRequest
from ml_platform.exceptions import ConfigurationError
from ml_platform.storage.json_values import from_json, to_json

COPY = CopiedVersion("shop", 4, "production", 2, "00ff", "run 1")


@pytest.mark.parametrize("value", [COPY, PromotionRequest("alice", "good"), PromotionRequest("a", "b", "c", "run 1")])
def test_a_value_survives_the_way_between_two_tasks(value) -> None:
    assert from_json(type(value), json.loads(json.dumps(to_json(value)))) == value


def test_a_copy_is_named_by_both_versions() -> None:
    assert f"{COPY} is live" == "shop version 4, in production version 2, is live"


def test_a_bad_value_is_named() -> None:
    with pytest.raises(ConfigurationError, match="target_version"):
        from_json(CopiedVersion, to_json(COPY) | {"target_version": "two"})
