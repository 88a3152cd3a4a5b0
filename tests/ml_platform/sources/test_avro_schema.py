"""Records of Avro become the same lines each time, and no message or schema ends the process that reads it."""

import io
import json
from typing import Any

import fastavro
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.files.json_rows import MOST_LEVELS, decode_json
from ml_platform.sources.avro_schema import AvroSchema
from ml_platform.sources.wire_format import UndecodableError

PLACE = "topic t, partition 0, offset 7"


def record(name: str = "Row", **fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields.items()]}


def encoded(schema: Any, row: Any) -> bytes:
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema), row)
    return file.getvalue()


def line_of(schema: Any, content: bytes, **extra: Any) -> dict[str, Any]:
    line = AvroSchema(json.dumps(schema)).line(content, PLACE, extra)
    found = json.loads(line)
    assert found.pop("_position") == PLACE
    return found  # type: ignore[no-any-return]


def test_types_and_logical_types_are_written_by_the_writers_schema() -> None:
    millis = {"type": "long", "logicalType": "timestamp-millis"}
    schema = record(
        ID="long", SHARE="float", TOTAL={"type": "float"}, NAME=["null", "string"],
        DAY=["null", {"type": "int", "logicalType": "date"}, millis],
        PRICE={"type": "fixed", "name": "Money", "size": 4, "logicalType": "decimal", "precision": 6, "scale": 2},
        OLD_PRICE=["null", "Money"], KIND={"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, RAW="bytes",
        WHO={"type": "string", "logicalType": "uuid"}, MORE={"type": "long", "logicalType": "of-others"},
        ODD={"type": "bytes", "logicalType": "decimal"}, INNER=record("Inner", x="float", kind="Kind"),
    )  # fmt: skip
    plain = json.loads(json.dumps(schema).replace('"logicalType"', '"was"'))
    row = {
        "ID": 2**53 + 1, "SHARE": 0.1, "TOTAL": 16777216.0, "NAME": None, "DAY": 20_000, "PRICE": b"\0\0\x30\x39",
        "OLD_PRICE": b"\xff\xff\xff\x9c", "KIND": "B", "RAW": b"\0a", "WHO": "any text", "MORE": 5, "ODD": b"\1",
        "INNER": {"x": 0.3, "kind": "A"},
    }  # fmt: skip
    content = AvroSchema(json.dumps(schema)).line(encoded(plain, row), PLACE, {"key": "k", "ID": "not this one"})
    assert content.decode() == (
        '{"_position":"topic t, partition 0, offset 7","key":"k","ID":9007199254740993,"SHARE":0.1,"TOTAL":16777216.0,'
        '"NAME":null,"DAY":"2024-10-04","PRICE":123.45,"OLD_PRICE":-1.00,"KIND":"B","RAW":"\\\\x0061","WHO":"any text",'
        '"MORE":5,"ODD":"\\\\x01","INNER":{"x":0.3,"kind":"A"}}'
    )


def test_a_moment_in_a_union_is_not_taken_for_another_type() -> None:
    moment = {"type": "long", "logicalType": "timestamp-millis"}
    schema = record(AT=["null", {"type": "int", "logicalType": "date"}, moment])
    content = b"\x04" + encoded("long", 1_767_323_045_678)  # the third type of the union
    assert line_of(schema, content) == {"AT": "2026-01-02T03:04:05.678Z"}


kinds = st.sampled_from(["null", "boolean", "int", "long", "double", "string"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(),
}


@st.composite
def written_rows(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a schema, and a row of it."""
    names = draw(
        st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True), unique=True, min_size=1, max_size=6)
    )
    fields, row = {}, {}
    for number, field in enumerate(names):
        kind, shape = draw(kinds), draw(st.sampled_from(["plain", "optional", "array", "map", "record"]))
        value = VALUES[kind]
        if shape == "optional":
            fields[field], row[field] = ["null", kind] if kind != "null" else kind, draw(st.none() | value)
        elif shape == "array":
            fields[field] = {"type": "array", "items": ["null", kind] if kind != "null" else "int"}
            row[field] = draw(st.lists(value if kind != "null" else VALUES["int"], max_size=3))
        elif shape == "map":
            fields[field], row[field] = (
                {"type": "map", "values": kind},
                draw(st.dictionaries(st.text(), value, max_size=3)),
            )
        elif shape == "record":
            fields[field], row[field] = record(f"Inner{number}", a=kind), {"a": draw(value)}
        else:
            fields[field], row[field] = kind, draw(value)
    return record(**fields), row


@given(written_rows())
def test_a_row_is_read_back_as_it_was_written(case: tuple[dict[str, Any], dict[str, Any]]) -> None:
    schema, row = case
    line = AvroSchema(json.dumps(schema)).line(encoded(schema, row), PLACE, {})
    assert b"\n" not in line
    assert decode_json(line.decode()) == decode_json(json.dumps({"_position": PLACE, **row}))


@given(written_rows(), st.binary(max_size=60))
def test_any_bytes_are_a_row_or_come_back_with_a_reason(case: tuple[dict[str, Any], Any], content: bytes) -> None:
    schema = AvroSchema(json.dumps(case[0]))
    try:
        decode_json(schema.line(content, PLACE, {}).decode())
    except UndecodableError as error:
        assert str(error)  # noqa: PT017 – either of the two is right


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x02\x06ab", "ends before its schema does"),
        (b"", "ends before its schema does"),
        (b"\x02\x04ab!", "has 1 bytes after the end of its schema"),
        (b"\x02\x04\xff\xff", "does not fit its schema: 'utf-8' codec can't decode"),
        (b"\x08\x04ab", "does not fit its schema: list index out of range"),
    ],
)
def test_bytes_that_do_not_fit_say_why(content: bytes, problem: str) -> None:
    with pytest.raises(UndecodableError, match=problem):
        line_of(record(a=["null", "string"]), content)


def test_types_of_other_schemas_are_known_by_their_names() -> None:
    city = record("Place", city="string") | {"namespace": "geo"}
    home = record("Home", place="geo.Place") | {"namespace": "geo"}
    main = record(home="geo.Home", work=["null", "geo.Place"])
    schema = AvroSchema(json.dumps(main), [("geo.Place", json.dumps(city)), ("geo.Home", json.dumps(home))])
    found = json.loads(schema.line(b"\x02a\x02\x02b", PLACE, {}))
    assert found == {"_position": PLACE, "home": {"place": {"city": "a"}}, "work": {"city": "b"}}


def test_null_needs_no_quotation_marks_in_yaml() -> None:
    schema = yaml.safe_load("{type: record, name: Row, fields: [{name: a, type: [null, int], default: null}]}")
    assert line_of(schema, b"\x00") == {"a": None}


def test_any_record_of_a_union_is_a_row() -> None:
    schema = ["null", record("One", a="int"), record("Two", b="string")]
    assert line_of(schema, b"\x04\x02x") == {"b": "x"}
    with pytest.raises(UndecodableError, match="is no record, but a single value"):
        line_of(schema, b"\x00")


def test_bytes_of_a_key_that_are_no_text_are_written_as_they_are() -> None:
    key = b"\xff".decode("utf-8", "surrogateescape")
    assert b'"k":"\xff"' in AvroSchema(json.dumps(record(a="int"))).line(b"\x02", PLACE, {"k": key})


def nested(levels: int) -> Any:
    schema: Any = record("Row0", a="int")
    for level in range(levels):
        schema = record(f"Row{level + 1}", a=schema)
    return schema


def doubled(levels: int) -> Any:
    """Return a schema whose types each contain the one before twice."""
    schema: Any = record("Row0", a="int")
    for level in range(levels):
        schema = record(f"Row{level + 1}", a=schema, b=f"Row{level}")
    return schema


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (record("Node", next=["null", "Node"]), "contains itself: Node"),
        (record("Node", next={"type": "array", "items": "Node"}), "contains itself: Node"),
        (record("Node", next="Node"), "contains itself"),
        (record(a={"type": "array", "items": "null"}), "a list of values that take no bytes"),
        (record(a={"type": "array", "items": record("Empty", b="null")}), "a list of values that take no bytes"),
        (doubled(20), "more than 10,000 values or 100 levels"),
        (nested(200), "nested too deeply"),
        (record(a="nothing"), "not valid Avro: nothing"),
        (record(a={"type": "fixed", "name": "F"}), "not valid Avro"),
        ({"type": "record"}, "not valid Avro"),
        ({}, "not valid Avro"),
        (7, "not valid Avro"),
    ],
)
def test_a_schema_that_cannot_be_read_safely_is_refused(schema: Any, problem: str) -> None:
    with pytest.raises(UndecodableError, match=problem):
        AvroSchema(json.dumps(schema))


def test_many_small_schemas_do_not_make_a_deep_one() -> None:
    references = [("Row0", json.dumps(record("Row0", a="int")))]
    references += [(f"Row{i}", json.dumps(record(f"Row{i}", a=f"Row{i - 1}"))) for i in range(1, MOST_LEVELS + 10)]
    with pytest.raises(UndecodableError, match="100 levels"):
        AvroSchema(json.dumps(record("Top", a=references[-1][0])), references)


def test_schemas_that_are_deep_together_are_refused() -> None:
    """Each is measured before the next one refers to it: Python's own limit of levels is never reached."""

    def lists(levels: int, of: str) -> Any:
        return of if levels == 0 else {"type": "array", "items": lists(levels - 1, of)}

    references = [("Row0", json.dumps(record("Row0", a=lists(50, "int"))))]
    references += [(f"Row{i}", json.dumps(record(f"Row{i}", a=lists(50, f"Row{i - 1}")))) for i in range(1, 100)]
    with pytest.raises(UndecodableError, match="100 levels"):
        AvroSchema(json.dumps(record("Top", a="Row99")), references)


def test_names_that_the_platform_uses_are_refused() -> None:
    with pytest.raises(UndecodableError, match="a name that the platform uses itself: _fault"):
        line_of(record(_fault="string"), b"\x02a")
