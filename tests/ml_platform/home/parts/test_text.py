"""Texts on pages."""

from datetime import UTC, datetime, timedelta

import pytest
from markdown_it import MarkdownIt

from ml_platform.home.parts.text import ago, counted, duration, plain, size, when

NOW = datetime(2026, 5, 4, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["[a](http://evil)", "![](http://evil/x.png)", "<script>alert(1)</script>", "**b** _i_ `c` ~~s~~", "# h", "$x$",
     ":red[x] :smile: :material/home:", "www.evil.example", "http://evil.example", "a@b.example", "- x", "1. x",
     "a\nb"],
)  # fmt: skip
def test_markdown_shows_a_foreign_text_as_it_is(text):
    shown = MarkdownIt("commonmark").render(plain(text))
    assert shown.count("<") == 2  # the paragraph
    assert ":" not in plain(text).replace("\\:", "")
    assert "$" not in plain(text).replace("\\$", "")


@pytest.mark.parametrize(
    ("passed", "text"),
    [(0, "just now"), (61, "1 minute ago"), (7200, "2 hours ago"), (86400 * 3, "3 days ago"), (-5, "just now")],
)
def test_how_long_ago(passed, text):
    assert ago(NOW - timedelta(seconds=passed), NOW) == text


def test_other_texts():
    assert ago(None) == "never"
    assert (counted(1, "row"), counted(2000, "row"), counted(0, "entity", "entities")) == (
        "1 row", "2,000 rows", "0 entities",
    )  # fmt: skip
    assert duration(timedelta(seconds=40)) == "40 seconds"
    assert (when(NOW), when(None)) == ("2026-05-04 13:05 UTC", "–")
    assert (size(512), size(1_200_000), size(3_400)) == ("512 bytes", "1.2 MB", "3.4 kB")
