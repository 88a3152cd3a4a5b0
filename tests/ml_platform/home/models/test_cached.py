"""What never changes is read once for all people."""

from dataclasses import replace

import pytest

from ml_platform.home.models import cached
from ml_platform.records import holdout
from tests.ml_platform.home.models.model_cases import DETAILS, FACTS, HOLDOUT, has


def test_a_hold_out_is_read_once_for_each_version(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    read: list[int] = []
    monkeypatch.setattr(holdout, "holdout", lambda version: read.append(version.version) or HOLDOUT)
    for version in (DETAILS, DETAILS, replace(DETAILS, version=3), DETAILS):
        assert cached.predictions(version) is HOLDOUT
    assert read == [2, 3]
    assert cached.curve(DETAILS).at(0.5).true_positives == 1
    assert cached.facts(DETAILS) == FACTS
