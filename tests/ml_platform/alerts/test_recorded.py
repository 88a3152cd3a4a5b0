"""What is taken from the records: no cell of a file. What is found, and that it is found once: test_delivery.py."""

from typing import Any

import pytest

from ml_platform.alerts.recorded import _rejection


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ([{"line": 3, "column": "AGE", "value": "Ada Lovelace", "reason": "no number"}], "4 of 9 rows are rejected."),
        ([{"line": None, "column": "", "value": "", "reason": "The header lacks AGE."}], "The header lacks AGE."),
    ],
)
def test_a_rejection_names_no_cell(reasons: list[dict[str, Any]], says: str) -> None:
    report = {"key": "f.csv", "bucket": "train", "report_key": "r", "rows_rejected": 4, "rows_read": 9}
    facts = _rejection(report | {"reasons": reasons})
    assert facts["reason"] == says
    assert "Ada" not in str(facts)
