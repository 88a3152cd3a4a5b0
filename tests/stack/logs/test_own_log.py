"""What our small servers write, and what a person or cron sees instead."""

import json

from stack import marks
from stack.logs import own_log


def test_a_server_writes_json(capsys, monkeypatch):
    monkeypatch.setenv(marks.SERVER, "backup")
    own_log.write("the backup failed: é", "error")
    entry = json.loads(capsys.readouterr().out)
    assert (entry["level"], entry["event"]) == ("error", "the backup failed: é")


def test_people_see_a_line(capsys, monkeypatch):
    monkeypatch.delenv(marks.SERVER, raising=False)
    own_log.write("done")
    assert capsys.readouterr().out.endswith(" done\n")
