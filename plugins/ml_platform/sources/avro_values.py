"""Values of Avro as JSON, with all their digits: readers of logical types, which fastavro calls, and the texts."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

import numpy as np
from fastavro.read import LOGICAL_READERS

OURS = "ml-platform-"  # before the name of a logical type: fastavro's own readers round, and lack some types
EPOCH = datetime(1970, 1, 1)  # the zone is written apart
SECOND_DIGITS = {"millis": 3, "micros": 6, "nanos": 9}
MOST_DIGITS = 4300  # of a whole number that Python turns into a text
OUTSIDE = "outside of the years 1 to 9999"
UUID_BYTES, DURATION_BYTES = 16, 12
Schema = Mapping[str, Any]
Reader = Callable[[Any, Any, object], Any]  # of what fastavro decodes, the writer's schema, and the reader's


def _shortest(value: float, _: Schema, __: object) -> float:
    """Return the double with the shortest text of all that give the same single-precision number."""
    return float(str(np.float32(value)))


def _decimal(value: bytes, schema: Schema, _: object) -> Decimal:
    unscaled = int.from_bytes(value, signed=True)
    return Decimal(f"{unscaled}E-{schema.get('scale', 0)}")


def _date(value: int, _: Schema, __: object) -> Any:
    try:
        return date.fromordinal(EPOCH.toordinal() + value).isoformat()
    except (ValueError, OverflowError):
        return {"date": f"{value} days since 1970, {OUTSIDE}"}


def _time_reader(digits: int) -> Reader:
    def read(value: int, _: Schema, __: object) -> str:
        seconds, fraction = divmod(value, 10**digits)
        minutes, second = divmod(seconds, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}.{fraction:0{digits}}"

    return read


def _timestamp_reader(unit: str, zone: str) -> Reader:
    digits = SECOND_DIGITS[unit]

    def read(value: int, _: Schema, __: object) -> Any:
        seconds, fraction = divmod(value, 10**digits)
        try:
            moment = EPOCH + timedelta(seconds=seconds)
        except OverflowError:
            return {"timestamp": f"{value} {unit} since 1970, {OUTSIDE}"}
        return f"{moment.isoformat()}.{fraction:0{digits}}{zone}"

    return read


def _uuid(value: bytes, _: Schema, __: object) -> str:
    return str(UUID(bytes=value))


def _duration(value: bytes, _: Schema, __: object) -> str:
    months, days, milliseconds = (int.from_bytes(value[i : i + 4], "little") for i in (0, 4, 8))
    return f"P{months}M{days}DT{milliseconds // 1000}.{milliseconds % 1000:03}S"


def is_valid_decimal(schema: Schema) -> bool:
    """Return whether scale and precision are those of a decimal; if not, it is read as bytes, as Avro demands."""
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    return type(precision) is int and type(scale) is int and 0 <= scale <= precision <= MOST_DIGITS


def _has_size(size: int) -> Callable[[Schema], bool]:
    return lambda schema: schema.get("size") == size


# by Avro's type and its logical type: what reads a value, and what a schema must have for that
READERS: dict[tuple[str, str], Reader] = {
    ("float", "shortest"): _shortest,  # no logical type of Avro's
    ("bytes", "decimal"): _decimal,
    ("fixed", "decimal"): _decimal,
    ("int", "date"): _date,
    ("fixed", "uuid"): _uuid,
    ("fixed", "duration"): _duration,
    ("int", "time-millis"): _time_reader(3),
    ("long", "time-micros"): _time_reader(6),
    **{("long", f"timestamp-{unit}"): _timestamp_reader(unit, "Z") for unit in SECOND_DIGITS},
    **{("long", f"local-timestamp-{unit}"): _timestamp_reader(unit, "") for unit in SECOND_DIGITS},
}
NEEDS: dict[tuple[str, str], Callable[[Schema], bool]] = {
    ("bytes", "decimal"): is_valid_decimal,
    ("fixed", "decimal"): is_valid_decimal,
    ("fixed", "uuid"): _has_size(UUID_BYTES),
    ("fixed", "duration"): _has_size(DURATION_BYTES),
}
LOGICAL_READERS.update({f"{kind}-{OURS}{logical}": reader for (kind, logical), reader in READERS.items()})


def object_text(values: Mapping[str, Any]) -> str:
    """Return a record or a map as JSON."""
    return f"{{{','.join([f'{encode_basestring(key)}:{json_text(value)}' for key, value in values.items()])}}}"


def json_text(value: Any) -> str:
    """Return a value that fastavro has read as JSON."""
    return _TEXTS[type(value)](value)


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'


def _list(values: list[Any]) -> str:
    return f"[{','.join(map(json_text, values))}]"


_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    float: _float,
    Decimal: str,
    str: encode_basestring,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    list: _list,
    dict: object_text,
}
