"""Time formats: accepted if they give a whole date and lose nothing."""

import pytest
from pydantic import ValidationError

from ml_platform.specs.parts import Column
from ml_platform.specs.time_formats import check_time_format


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d", "%d.%m.%Y %H:%M", "%m/%d/%y %I:%M %p", "%Y%j", "%G-W%V-%u", "%c", "%Y-%m-%dT%H:%M:%S%z",
     "%%Z %Y %m %d", "%d %B %Y %H"],
)  # fmt: skip
def test_a_format_with_a_whole_date_is_accepted(form: str) -> None:
    assert check_time_format(form) == form


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("%d.%m.", "must contain year, month and day"),
        ("%Y-%m", "must contain year, month and day"),
        ("%H:%M", "must contain year, month and day"),
        ("%d.%m.%Y %I:%M", "with %I also %p"),
        ("%Y-%m-%d %Z", "%Z ignores the meaning of a zone's letters; use %z"),
        ("%Q", "not a format that strptime can read"),
        ("%", "not a format that strptime can read"),
        ("%Y %Y-%m-%d", "not a format that strptime can read"),
        ("day", "must contain year, month and day"),
        ("", "must contain year, month and day"),
    ],
)
def test_a_format_that_leaves_something_to_guess_says_what(form: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_time_format(form)


@pytest.mark.parametrize("form", ["%d.%m.", "%H:%M", "%d.%m.%Y %I:%M", "%Y-%m-%d %Z", "%Q", "day", "%"])
def test_a_format_that_leaves_the_day_open_is_refused(form: str) -> None:
    with pytest.raises(ValidationError, match="format"):
        Column(type="timestamp", format=form)
