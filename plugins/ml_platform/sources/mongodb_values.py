"""Documents of MongoDB as lines of JSON, with all digits of their values; and values as positions."""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, ObjectId, json_util
from bson.binary import UUID_SUBTYPE
from bson.codec_options import DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError

from ml_platform.files.source_rows import FAULT, POSITION, VALUE
from ml_platform.files.text_lines import ROW_CHARACTERS
from ml_platform.sources.row_files import fault_line

SHOWN_PARTS, SHOWN_CHARACTERS = 10, 80  # of what is no single value
UUID_BYTES = 16
ABSENT = object()  # a document has no such field
RESERVED = {POSITION, FAULT, VALUE}
EXTENDED_JSON = json_util.CANONICAL_JSON_OPTIONS.with_options(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
# The types that a watermark may have, by the names of MongoDB's `$type`. Values of one type have an order; the
# comparisons of a query never cross from one type to another.
TYPES: dict[str, tuple[type, ...]] = {
    "binData": (bytes, Binary),
    "date": (datetime, DatetimeMS),
    "number": (int, float, Int64, Decimal128),
    "objectId": (ObjectId,),
    "string": (str,),
}


def type_of(value: Any) -> str:
    """Return the type of a value as `TYPES` names it; empty if no watermark may have it."""
    return next((name for name, types in TYPES.items() if type(value) in types), "")


def is_nan(value: Any) -> bool:
    """Return whether a value is a number that compares with nothing."""
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    return type_of(value) == "number" and math.isnan(number)


def position_text(value: Any) -> str:
    """Return a value as canonical extended JSON, from which `position_value` gets the same value and type."""
    return json_util.dumps(value, json_options=EXTENDED_JSON)


def position_value(text: str) -> Any:
    """Return the value of a position.

    Raises:
        ValueError: the text is no extended JSON.
    """
    try:
        return json_util.loads(text, json_options=EXTENDED_JSON)
    except (TypeError, BSONError) as error:
        raise ValueError(str(error)) from error


def value_named(text: str, kind: str) -> Any:
    """Return the value that a person names: extended JSON, or as `plain_text` shows it.

    Raises:
        ValueError: the text is no value of this type.
    """
    value = position_value(text) if text.startswith(("{", '"')) else _NAMED[kind](text)
    if type_of(value) != kind:
        raise ValueError(f"{text!r} is no {kind}")
    return value


def _object_id(text: str) -> ObjectId:
    if not ObjectId.is_valid(text):
        raise ValueError(f"{text!r} is no ObjectId, which has 24 hexadecimal digits")
    return ObjectId(text)


def _named_number(text: str) -> Int64 | float:
    return Int64(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else float(text)


def _named_date(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_NAMED: dict[str, Callable[[str], Any]] = {
    "binData": lambda text: Binary.from_uuid(UUID(text)),
    "date": _named_date,
    "number": _named_number,
    "objectId": _object_id,
    "string": str,
}


def plain_text(value: Any) -> str:
    """Return a value as a text for people."""
    return value if isinstance(value, str) else json_text(value).strip('"')


def field_at(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path; `ABSENT` if there is none. A list on the way is the value: it has several."""
    value: Any = document
    for name in path.split("."):
        if isinstance(value, list):
            return value
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def document_line(document: Mapping[str, Any], place: str, fields: Mapping[str, str]) -> bytes:
    """Return a document as a line of JSON.

    Args:
        document: as pymongo decodes it.
        place: where it is, for people.
        fields: columns and the paths of their fields; if it is empty, all fields at the top are columns. A field that
            is missing is no key of the line.
    """
    found = {column: field_at(document, path) for column, path in fields.items()} if fields else document
    row = {column: value for column, value in found.items() if value is not ABSENT}
    if reserved := RESERVED & row.keys():
        names = ", ".join(sorted(reserved))
        return fault_line(b"", place, f"the document has a field with a name that the platform uses itself: {names}")
    # A text of bytes that are no UTF-8 has surrogates in their place: write these bytes, so that its cell is rejected.
    line = _object_text({POSITION: place, **row}).encode("utf-8", "surrogateescape")
    if len(line) >= ROW_CHARACTERS:
        shown = line[:SHOWN_CHARACTERS]
        return fault_line(shown, place, f"longer than {ROW_CHARACTERS:,} bytes; name the columns in `source.fields`")
    return line


def json_text(value: Any) -> str:
    """Return a value as JSON. What is no single value becomes an object or a list, which the parser rejects."""
    write = _TEXTS.get(type(value))
    return write(value) if write else _typed(type(value).__name__, repr(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _typed(name: str, text: str) -> str:
    return _object_text({name: text[:SHOWN_CHARACTERS]})


def _object_text(content: Mapping[str, Any]) -> str:
    return f"{{{','.join(f'{_quoted(key)}:{json_text(value)}' for key, value in content.items())}}}"


def _float(value: float) -> str:
    return (
        repr(value)
        if math.isfinite(value)
        else _quoted({math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN"))
    )


def _decimal(value: Decimal128) -> str:
    return str(value) if value.to_decimal().is_finite() else _quoted(str(value))


def _date(value: datetime) -> str:
    return _quoted(value.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _binary(value: bytes) -> str:
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE and len(value) == UUID_BYTES:
        return _quoted(str(UUID(bytes=bytes(value))))
    return _typed("Binary", f"{len(value):,} bytes")


def _shown(value: Any) -> Any:
    """Return a part of what is no single value, for a report."""
    if isinstance(value, dict | list):
        return "…"
    return value[:SHOWN_CHARACTERS] if isinstance(value, str) else value


def _document(value: dict[str, Any]) -> str:
    return _object_text({key[:SHOWN_CHARACTERS]: _shown(part) for key, part in islice(value.items(), SHOWN_PARTS)})


def _list(value: list[Any]) -> str:
    return f"[{','.join(json_text(_shown(part)) for part in value[:SHOWN_PARTS])}]"


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: _quoted,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    int: int.__repr__,
    Int64: int.__repr__,
    float: _float,
    Decimal128: _decimal,
    ObjectId: lambda value: f'"{value}"',
    datetime: _date,
    DatetimeMS: lambda value: _typed("Date", f"{int(value)} milliseconds since 1970, outside of the years 1 to 9999"),
    bytes: _binary,
    Binary: _binary,
    dict: _document,
    list: _list,
}
