"""The page Activity, drawn without a browser."""

from datetime import UTC, datetime

from ml_platform.records import actions
from ml_platform.records.actions import Action

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def test_nobody_has_done_anything(draw, monkeypatch):
    monkeypatch.setattr(actions, "newest", lambda limit: [])
    assert draw("activity").info[0].value == "Nobody has done anything here yet."


def test_every_action_has_its_outcome(draw, monkeypatch):
    known = [
        Action("olga", "roll back", "auto", "version 1", "worse", NOW, NOW, None),
        Action("olga", "drop", None, "<b>x</b>.csv", "", NOW, NOW, "no space"),
        Action("olga", "label", "auto", "row 7", "", NOW, None, None),
    ]
    monkeypatch.setattr(actions, "newest", lambda limit: known)
    table = draw("activity").dataframe[0].value
    assert list(table["outcome"]) == ["done", "no space", "not finished"]
    assert list(table["target"]) == ["version 1", "<b>x</b>.csv", "row 7"]
