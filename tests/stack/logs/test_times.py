"""Times at the beginning of lines, in every form in which our servers write them."""

from datetime import UTC, datetime

import pytest

from stack.errors import StackError
from stack.logs.times import begin_of, since

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
MOMENT = datetime(2026, 11, 30, 6, 11, 46, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("2026-11-30T06:11:46Z a text", "a text"),
        ("2026-11-30T07:11:46.000000+01:00 a text", "a text"),
        ("2026-11-30 06:11:46.000 UTC [12324] @ LOG:  a text", "[12324] @ LOG:  a text"),
    ],
)
def test_a_time_with_a_zone(line, rest):
    assert begin_of(line, 2026) == (MOMENT, rest)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-30 06:11:46,000 a text",
        "2026/11/30 06:11:46 a text",
        "[2026-11-30 06:11:46,000] a text",
        "[Mon Nov 30 06:11:46 2026] a text",
        "I1130 06:11:46.000000 a text",
    ],
)
def test_a_time_without_a_zone_is_of_this_machine(line):
    assert begin_of(line, 2026) == (MOMENT.replace(tzinfo=None).astimezone(UTC), "a text")


@pytest.mark.parametrize(
    "line", ["a text", "", "INFO:     Started", "2026-13-41 99:11:46 a text", "I9930 06:11:46.0 a"]
)
def test_a_line_without_a_time(line):
    assert begin_of(line, 2026) == (None, line)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", datetime(2026, 11, 30, 11, 30, tzinfo=UTC)),
        ("2d", datetime(2026, 11, 28, 12, 0, tzinfo=UTC)),
        ("2026-11-30T06:11:46", MOMENT),
        ("2026-11-30T07:11:46+01:00", MOMENT),
    ],
)
def test_since(text, moment):
    assert since(text, NOW) == moment


@pytest.mark.parametrize("text", ["soon", "1", "-1h", "0h", "1y"])
def test_since_that_is_no_time(text):
    with pytest.raises(StackError, match="neither a duration"):
        since(text, NOW)
