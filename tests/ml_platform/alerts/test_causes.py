"""Causes: texts of a bounded length."""

from ml_platform.alerts.causes import MAX_TEXT, shortened


def test_a_long_text_is_cut() -> None:
    assert shortened("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert shortened("x" * (MAX_TEXT + 1)) == "x" * (MAX_TEXT - 1) + "…"
