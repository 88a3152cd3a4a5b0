"""Formats and cells as texts for people and for tables."""

import pytest

from ml_platform.files.formats import (
    SHOWN_CHARACTERS,
    UNPACKED_BYTES,
    UNPACKED_RATIO,
    Format,
    Native,
    display_text,
    escape_text,
    unpacked_limit,
)


@pytest.mark.parametrize(
    ("form", "text", "unit"),
    [
        (Format("csv", ",", "utf-8-sig"), "CSV, separated by commas, UTF-8", "line"),
        (Format("csv", ":", "cp1252", gzip=True), "CSV, separated by ':', CP1252, gzip", "line"),
        (Format("jsonl", None, "utf-16"), "JSON lines, UTF-16", "line"),
        (Format("parquet"), "Parquet", "row"),
        (Format("json", encoding="utf-8"), "JSON, UTF-8", "row"),
    ],
)
def test_a_format_has_a_text_and_a_unit(form: Format, text: str, unit: str) -> None:
    assert (str(form), form.unit) == (text, unit)


def test_a_native_cell_is_an_ordinary_text() -> None:
    assert Native("1.5") == "1.5"
    assert isinstance(Native("1.5"), str)
    assert not isinstance("1.5", Native)


def test_a_cell_for_a_report_is_short_and_has_no_invalid_characters() -> None:
    assert display_text("a\0\udcff\ud800") == "a\\x00\\xff\\ud800"
    assert display_text("x" * SHOWN_CHARACTERS) == "x" * SHOWN_CHARACTERS
    assert len(display_text("x" * 10_000)) < SHOWN_CHARACTERS + 30


def test_a_shortened_cell_gives_its_length() -> None:
    assert display_text("x" * 10_000).endswith("x… (10,000 characters)")


def test_a_text_for_a_table_is_escaped_but_not_shortened() -> None:
    assert escape_text("ä漢🎉" * 1000) == "ä漢🎉" * 1000
    assert escape_text("a\0\udc80\udfff") == "a\\x00\\x80\\udfff"
    escape_text("a\0\udc80\udfff").encode()


def test_small_files_may_unpack_to_a_fixed_size_and_large_ones_to_a_multiple() -> None:
    assert unpacked_limit(0) == unpacked_limit(10) == UNPACKED_BYTES
    assert unpacked_limit(UNPACKED_BYTES) == UNPACKED_RATIO * UNPACKED_BYTES
