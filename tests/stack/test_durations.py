"""Durations, as YAML files and the command line have them."""

from datetime import timedelta

import pytest

from stack import durations


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30m", timedelta(minutes=30)), ("2w", timedelta(days=14)), ("0d", None), ("1", None), ("1 d", None), ("", None)],
)
def test_durations(text, expected):
    assert durations.parse(text) == expected
