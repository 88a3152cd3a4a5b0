"""The schema of a message is named before its value or in a header, by a number or by a global id."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.sources.wire_format import UndecodableError, split_message

GUID = UUID("89791762-2336-4186-9674-299b90a802e2")


@given(st.integers(0, 2**32 - 1), st.binary())
def test_an_id_comes_before_the_value_or_in_the_header(number: int, content: bytes) -> None:
    name = b"\0" + number.to_bytes(4)
    assert split_message(name + content, None) == (f"ids/{number}", content)
    assert split_message(content, name) == (f"ids/{number}", content)


def test_a_global_id_has_sixteen_bytes() -> None:
    name = b"\1" + GUID.bytes
    assert split_message(name + b"row", None) == split_message(b"row", name) == (f"guids/{GUID}", b"row")


@pytest.mark.parametrize("value", [b"", b"\0", b"\0\0\0\1", b'{"a": 1}', b"\2\0\0\0\1row", b"\1" + bytes(15)])
def test_what_names_no_schema_is_refused(value: bytes) -> None:
    with pytest.raises(UndecodableError, match="begins with a zero byte and the id"):
        split_message(value, None)
    with pytest.raises(UndecodableError):
        split_message(b"row", value)


def test_a_header_holds_nothing_but_the_id() -> None:
    with pytest.raises(UndecodableError, match="longer than an id"):
        split_message(b"row", b"\0\0\0\0\1x")
