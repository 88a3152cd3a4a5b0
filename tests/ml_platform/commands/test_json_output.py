"""What programs read: one JSON document, times in UTC, and null for what is no number."""

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest

from ml_platform.commands.json_output import print_json


@dataclass(frozen=True)
class Thing:
    at: datetime
    score: float
    names: tuple[str, ...]


def test_dataclasses_become_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    print_json({"things": [Thing(moment, math.nan, ("ä", "b"))]})
    assert json.loads(capsys.readouterr().out) == {
        "things": [{"at": "2026-01-02T01:00:00Z", "score": None, "names": ["ä", "b"]}]
    }
