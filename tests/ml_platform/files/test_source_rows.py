"""The keys of a source's rows that are no columns of the data."""

from ml_platform.files.source_rows import FAULT, POSITION, VALUE, source_keys


def test_they_are_no_columns_in_the_rows_of_a_source() -> None:
    assert source_keys(["a", POSITION]) == {POSITION, FAULT, VALUE}


def test_in_other_files_they_are_columns_like_any_other() -> None:
    assert source_keys(["a", FAULT, VALUE]) == set()
