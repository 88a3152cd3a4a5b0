"""A file becomes typed batches: rows, lines, and the reasons of bad values."""

import csv
import io
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform import ROOT
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.files.json_rows import ListRows, decode_json
from ml_platform.parsing import batches as parsing
from ml_platform.parsing.batches import BadValue, read_batches, typed_batches
from ml_platform.parsing.conversion import BLANKS
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import FeatureTable
from tests.ml_platform.ingestion.upload_cases import (
    GOOD,
    as_files,
    csv_bytes,
    json_lines,
    make_dataset,
    parquet,
)
from tests.ml_platform.keyless import csv_of, without_key
from tests.ml_platform.parsing.table_cases import HEADER, ROW, only_bad, parse, text

SAMPLE = ROOT / "minio" / "samples" / "train_auto.csv"


def test_rows_are_typed() -> None:
    table, bad = parse(text(ROW))
    assert not bad
    expected = {"line": 2, "ID": 1, "LABEL": 0, "COST": 0.0, "COUNT": 3, "RATIO": 0.5, "PRICE": 67349.0}
    assert table.to_pylist() == [expected | {"KIND": "Blue Collar", "FLAG": True, "NOTE": "any text"}]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + text(ROW),
        text(ROW).replace(b"\n", b"\r\n"),
        text(ROW, end=""),
        b"\n\n" + text("", ROW, "", "   ", ""),
        text(ROW).replace(b"ID", b" ID ", 1),
    ],
    ids=["byte order mark", "CRLF", "no last line break", "blank lines", "blanks in the header"],
)
def test_what_does_not_matter_is_ignored(data: bytes) -> None:
    table, bad = parse(data)
    assert (table.num_rows, bad) == (1, [])


def test_lines_are_physical_lines() -> None:
    table, bad = parse(text(ROW, ROW.replace("any text", '"two\nlines"'), "", ROW, ROW.replace("3", "x", 1)))
    assert table["line"].to_pylist() == [2, 3, 6]
    assert [value.line for value in bad] == [7]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (text(), "no rows follow the header"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (text(ROW, '2,0,0,3,0.5,1,"never closed', "3,0"), "line 3: a quote opens here and is never closed"),
        (text(ROW, '2,0,0,3,0.5,1,"ok\nok","open', "x"), "line 4: a quote opens here and is never closed"),
        (text(ROW, '2,0,0,3,0.5,1,"a" b,yes,t'), "line 3: text follows a closing quote"),
        (text(ROW, '2,0,0,3,0.5,1,"a', '3,0,0,3,0.5,1,"b",yes,t'), r"line 4: text follows .*begins on line 3"),
        (text("1,0,0,3,0.5,1,k,yes," + "x" * 140_000), "line 2: a cell is longer than 131,072 characters"),
        (text('1,0,0,3,0.5,1,k,yes,"' + "x\n" * 140_000), "line 2: a cell is longer.*opened on line 2 is not closed"),
        (text("1," * 3_000_000), "line 2: the row is longer than 4,194,304 characters"),
    ],
    ids=range(12),
)
def test_a_broken_file_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(ContractError, match=f"^sample.csv: .*{problem}"):
        parse(data)


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (ROW.replace("1,", "007,", 1), "ID", "007", "leading zeros would be lost"),
        (ROW.replace("1,", ",", 1), "ID", "", "a value is required"),
        (ROW.replace("0,", ",", 1), "LABEL", "", "a value is required"),
        (ROW.replace("0.5", "NA"), "RATIO", "NA", "leave the cell empty"),
        (ROW.replace("any", "a\0b"), "NOTE", "a\\x00b text", "NUL"),
        (ROW.replace("any", "\udcff"), "NOTE", "\\xff text", "not valid UTF-8"),
        (ROW.replace(",3,", ",11,"), "COUNT", "11", "more than 10, the most allowed"),
        (ROW + ",9", "", f"{ROW},9\n", "10 cells, but the header names 9 columns"),
        (ROW.removesuffix(",any text"), "NOTE", ROW.removesuffix("any text").removesuffix(",") + "\n", "8 cells, but"),
    ],
)
def test_a_bad_row_says_why(row: str, column: str, value: str, reason: str) -> None:
    bad = only_bad(text(row))
    assert (bad.line, bad.column, bad.value) == (2, column, value)
    assert reason in bad.reason


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_the_delimiter_is_detected_unless_it_is_declared(sign: str) -> None:
    data = csv_bytes({}, {"NOTE": "a, b; c"}, delimiter=sign)
    assert parse(data)[0].num_rows == 2
    assert parse(data, make_dataset(delimiter=sign))[0].num_rows == 2
    with pytest.raises(ContractError, match=r"seem to be separated by .*, but datasets/sample.yaml says ','"):
        parse(csv_bytes({}, delimiter=sign), make_dataset(delimiter=","))


def test_another_encoding_is_declared() -> None:
    data = csv_bytes({"NOTE": "Größe"}).decode().encode("cp1252")
    assert only_bad(data).reason == "not valid UTF-8; declare the file's `encoding` if it is another"
    assert parse(data, make_dataset(encoding="cp1252"))[0]["NOTE"].to_pylist() == ["Größe"]
    assert only_bad(data.replace(b"\xf6", b"\x81"), make_dataset(encoding="cp1252")).reason == "not valid CP1252"


def test_the_label_has_its_declared_values() -> None:
    of = make_dataset(label={"column": "LABEL", "positive": 1, "negative": 0})
    assert only_bad(csv_bytes({"LABEL": "2"}), of).reason == "not allowed; allowed are 0, 1"
    assert parse(csv_bytes({"LABEL": "0"}, {"ID": "2", "LABEL": "1.0"}), of)[0]["LABEL"].to_pylist() == [0, 1]
    of = make_dataset(label={"column": "KIND", "classes": ["a", "b", "c"]}, leaks=[])
    table, bad = parse(csv_bytes({"KIND": "z_a"}, {"ID": "2", "KIND": "d"}), of)
    assert (table["KIND"].to_pylist(), [value.value for value in bad]) == (["a"], ["d"])


def test_an_allowed_value_of_another_type_is_a_mistake_in_the_yaml() -> None:
    of = make_dataset(label={"column": "LABEL", "positive": "yes", "negative": "no"})
    problem = r"datasets/sample.yaml: columns.LABEL: values: 'no' is no integer: not a whole number"
    with pytest.raises(ConfigurationError, match=problem):
        parse(csv_bytes({}), of)


def test_words_for_missing_values() -> None:
    of = make_dataset(missing=["NA", -1], columns={"RATIO": {"type": "number", "missing": ["?", 9.5]}})
    table, bad = parse(csv_bytes({"RATIO": " ? ", "COUNT": "-1", "NOTE": "NA"}, {"RATIO": "9.5", "NOTE": "?"}), of)
    assert not bad
    assert table.select(["RATIO", "COUNT", "NOTE"]).to_pylist() == [
        {"RATIO": None, "COUNT": None, "NOTE": None},
        {"RATIO": None, "COUNT": 3, "NOTE": "?"},
    ]
    assert "a value is required" in only_bad(csv_bytes({"ID": "NA"}), of).reason


def test_a_key_of_several_columns() -> None:
    of = make_dataset(entity={"name": "thing", "key": ["ID", "NOTE"]})
    assert only_bad(csv_bytes({"NOTE": ""}), of).column == "NOTE"
    assert parse(csv_bytes({"NOTE": "k" * 499}), of)[0].num_rows == 1
    assert only_bad(csv_bytes({"NOTE": "k" * 500}), of).reason == "a key of more than 500 characters"


def test_a_feature_table_has_no_label() -> None:
    of = FeatureTable.model_validate(
        {
            "kind": "table",
            "name": "weather",
            "description": "hourly",
            "entity": {"name": "place", "key": "PLACE"},
            "event_time": "AT",
            "columns": {"PLACE": "text", "AT": {"type": "timestamp", "zone": "Europe/Berlin"}, "TEMP": "number"},
        }
    )
    table, bad = parse(b"PLACE,AT,TEMP\nJFK,2026-07-01 12:00,1.5\nJFK,2026-03-29 02:30,1\nJFK,,1\n", of)
    assert table["AT"].to_pylist() == [datetime(2026, 7, 1, 10, tzinfo=UTC)]
    assert [(value.line, value.column) for value in bad] == [(3, "AT"), (4, "AT")]


def test_the_same_rows_in_every_format() -> None:
    rows = [GOOD | {"ID": str(i), "NOTE": f"ä, b; {i}", "RATIO": "" if i % 2 else "0.25"} for i in range(5)]
    expected = parse(csv_bytes(*rows))[0]
    for name, data in as_files(rows).items():
        table, bad = parse(data)
        assert not bad, name
        numbered = table.set_column(0, "line", expected["line"])
        assert numbered.equals(expected), name


def test_floats_and_times_of_parquet_and_json_are_written_in_one_way() -> None:
    columns = {"PRICE": {"type": "money", "decimal": ","}, "AT": {"type": "timestamp", "format": "%d.%m.%Y"}}
    of = make_dataset(columns=columns)
    row = {"ID": 1, "LABEL": 0, "COST": 0.5, "COUNT": 3, "RATIO": 0.5, "KIND": "k", "FLAG": True, "NOTE": "t"}
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    table, _ = parse(parquet([row | {"PRICE": 1.234, "AT": moment}]), of)
    assert table.select(["PRICE", "AT"]).to_pylist() == [{"PRICE": 1.234, "AT": moment}]
    table, _ = parse(json_lines([row | {"PRICE": 1.25, "AT": "31.01.2026"}]), of)
    assert table.select(["PRICE", "AT"]).to_pylist() == [{"PRICE": 1.25, "AT": moment}]
    table, _ = parse(csv_bytes({"PRICE": "1.234,5", "AT": "31.01.2026"}), of)
    assert table.select(["PRICE", "AT"]).to_pylist() == [{"PRICE": 1234.5, "AT": moment}]


def test_bad_rows_of_json_lines_and_parquet() -> None:
    rows: list[dict[str, Any]] = [GOOD | {"ID": i} for i in range(4)]
    rows[1]["RATIO"] = "x"
    rows[2]["NOTE"] = {"a": [1]}
    data = json_lines(rows[:3]) + b"[1]\n" + json_lines(rows[3:])
    table, bad = parse(data)
    assert table["line"].to_pylist() == [1, 5]
    assert [(value.line, value.column, value.value) for value in bad] == [
        (2, "RATIO", "x"),
        (3, "NOTE", '{"a": ["1"]}'),
        (4, "", "[1]"),
    ]
    table, bad = parse(parquet([GOOD | {"ID": str(i), "RATIO": "x" if i == 1 else "1"} for i in range(3)]))
    assert table["line"].to_pylist() == [1, 3]
    assert [(value.line, value.column, value.value) for value in bad] == [(2, "RATIO", "x")]


def test_half_a_character_is_a_bad_value() -> None:
    assert only_bad(json_lines([GOOD | {"NOTE": "a\ud800"}])) == BadValue(
        1, "NOTE", "a\\ud800", "has half of a character (a lone surrogate)"
    )


def test_a_cut_last_row_is_suspected() -> None:
    assert "may be cut off" in only_bad(text(ROW[:11], end="")).reason


def test_an_overlong_key_is_refused() -> None:
    of = make_dataset(columns={"ID": "text"})
    assert only_bad(csv_bytes({"ID": "k" * 501}), of).reason == "a key of more than 500 characters"
    assert parse(csv_bytes({"ID": "k" * 500}), of)[0].num_rows == 1


def test_a_long_value_is_shortened_in_reports() -> None:
    assert only_bad(csv_bytes({"RATIO": "x" * 1000})).value == "x" * 200 + "… (1,000 characters)"


def test_a_row_with_several_bad_values_counts_once() -> None:
    table, bad = parse(csv_bytes({"RATIO": "x", "COUNT": "y"}, {"ID": "2"}))
    assert table["ID"].to_pylist() == [2]
    assert [(value.line, value.column) for value in bad] == [(2, "COUNT"), (2, "RATIO")]


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "BATCH_ROWS", 10)
    data = csv_bytes(*({"ID": str(i), "RATIO": "x" if i % 7 == 0 else "1"} for i in range(25)))
    batches = list(read_batches(io.BytesIO(data), make_dataset(), "train", "sample.csv"))
    assert [batch.rows_read for batch in batches] == [10, 10, 5]
    table, bad = parse(data)
    assert table["ID"].to_pylist() == [i for i in range(25) if i % 7]
    assert [value.line for value in bad] == [i + 2 for i in range(25) if i % 7 == 0]


def test_the_stream_stays_open() -> None:
    stream = io.BytesIO(text(ROW))
    list(read_batches(stream, make_dataset(), "train", "sample.csv"))
    assert not stream.closed


BY_ITSELF = make_dataset(
    columns={
        "PRICE": {"type": "money", "decimal": ",", "missing": [-9.5], "min": -10},
        "RATIO": {"type": "number", "decimal": ","},
        "COST": {"type": "money", "required": True},
        "AT": {"type": "timestamp", "format": "%Y.%m%d"},
    }
)


ANY_VALUE = st.sampled_from(
    [None, 12, 1234567, 1.234, 1234.5, -9.5, -1e3, 2026.0131, "12", "1.234", "1,234", "$1,234", "1234,5", "-9,5", "x"]
)


ANY_ROWS = st.lists(
    st.fixed_dictionaries(dict.fromkeys(["PRICE", "RATIO", "COST", "AT"], ANY_VALUE)), min_size=1, max_size=3
)


def read_of_json(rows: list[dict[str, Any]]) -> list[Any]:
    """Return of each row its values, or what is wrong with it; a request's rows and those of a file read the same."""
    whole = [GOOD | row | {"ID": i} for i, row in enumerate(rows)]
    from_file = list(read_batches(io.BytesIO(json_lines(whole)), BY_ITSELF, "train", "x"))
    request = ListRows(decode_json(json.dumps(whole)), "x", ())
    assert list(typed_batches(request, BY_ITSELF, "train")) == from_file
    read: list[Any] = [[] for _ in rows]
    for batch in from_file:
        for value in batch.bad:
            read[value.line - 1].append((value.column, value.value, value.reason))
        for row in batch.rows.to_pylist():
            read[row["line"] - 1] = [row[name] for name in ("PRICE", "RATIO", "COST", "AT")]
    return read


@given(ANY_ROWS)
def test_a_row_of_json_is_read_by_itself(rows: list[dict[str, Any]]) -> None:
    assert read_of_json(rows) == [read for row in rows for read in read_of_json([row])]


def test_a_number_of_json_and_its_text_are_read_each_as_it_is() -> None:
    rows = [{"PRICE": 1.234, "COST": 1234.5}, {"PRICE": "1.234", "COST": "$1,234"}, {"PRICE": -9.5, "COST": 0.5}]
    assert [read[0:3:2] for read in read_of_json([row | {"RATIO": 1, "AT": None} for row in rows])] == [
        [1.234, 1234.5],
        [1234.0, 1234.0],
        [None, 0.5],
    ]


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.lists(CELLS, min_size=1, max_size=30))
def test_any_text_comes_through_with_its_line(notes: list[str]) -> None:
    data = csv_bytes(*({"ID": str(i), "NOTE": note} for i, note in enumerate(notes)))
    table, bad = parse(data)
    assert not bad
    assert table["ID"].to_pylist() == list(range(len(notes)))
    assert [note or "" for note in table["NOTE"].to_pylist()] == [_trimmed(note) for note in notes]


def _trimmed(note: str) -> str:
    return note.strip(BLANKS) if note.strip() else ""


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    try:
        parse(HEADER.encode() + b"\n" + data)
    except ContractError as error:
        assert str(error).startswith("sample.csv: ")  # noqa: PT017


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("AGE", "-5", "16"),
        ("AGE", "999", "110"),
        ("TRAVTIME", "-1", "0"),
        ("INCOME", "-$1", "0"),
        ("MVR_PTS", "99", "50"),
    ],
)
def test_a_value_that_no_customer_has_is_a_bad_row(column: str, value: str, allowed: str) -> None:
    header, first, *_ = SAMPLE.read_text("utf-8-sig").splitlines()
    (row,) = csv.DictReader(io.StringIO(f"{header}\n{first}\n"))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, row)
    writer.writeheader()
    writer.writerows([row, row | {"INDEX": "99999", column: value}])
    rows, (bad,) = parse(text.getvalue().encode(), dataset("auto"))
    assert rows.num_rows == 1
    assert (bad.line, bad.column, bad.value) == (3, column, value)
    assert bad.reason in (f"less than {allowed}, the least allowed", f"more than {allowed}, the most allowed")


def test_the_sample_file_is_read_whole() -> None:
    auto = dataset("auto")
    with SAMPLE.open("rb") as stream:
        batches = list(read_batches(stream, auto, "train", SAMPLE.name))
    assert sum(batch.rows.num_rows for batch in batches) == sum(batch.rows_read for batch in batches) == 8161
    assert batches[0].rows.schema.field("INCOME").type == pa.float64()
    assert batches[0].rows.schema.field("INDEX").type == pa.int64()


KEYLESS = without_key(make_dataset())


def ids_of(data: bytes) -> list[str]:
    ids: list[str] = parse(data, KEYLESS)[0]["row_id"].to_pylist()
    return ids


def test_rows_without_a_key_are_numbered_over_all_batches_and_bad_rows_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "BATCH_ROWS", 4)
    data = csv_of({"RATIO": "x" if i % 5 == 0 else str(i)} for i in range(11)) + b"1,2\n"
    table, bad = parse(data, KEYLESS)
    assert [int(row_id.split(":")[1]) for row_id in table["row_id"].to_pylist()] == [2, 3, 4, 5, 7, 8, 9, 10]
    assert [value.line for value in bad] == [2, 7, 12, 13]


def test_lines_are_physical_and_numbers_are_not() -> None:
    data = csv_of([{"NOTE": "two\nlines"}, {}]).replace(b"\r\n", b"\r\n\r\n")
    table, _ = parse(data, KEYLESS)
    assert [row_id.split(":")[1] for row_id in table["row_id"].to_pylist()] == ["1", "2"]
    assert table["line"].to_pylist() == [3, 6]


@pytest.mark.parametrize("ending", as_files([{}]))
def test_the_same_rows_have_equal_digests_in_every_format_and_ids_of_their_own(ending: str) -> None:
    rows = [{}, {"COUNT": "4"}, {}]
    ids, of_csv = ids_of(as_files(rows)[ending]), ids_of(as_files(rows)[".csv"])
    assert [row_id.split(":")[1:] for row_id in ids] == [row_id.split(":")[1:] for row_id in of_csv]
    assert [row_id.split(":")[0] for row_id in ids] == [sha256(as_files(rows)[ending]).hexdigest()[:16]] * 3
    assert ids[0].split(":")[2] == ids[2].split(":")[2] != ids[1].split(":")[2]


def test_label_leaks_and_texts_make_no_difference_to_a_digest() -> None:
    ids = ids_of(csv_of([{}, {"LABEL": "1", "COST": "7", "NOTE": "other"}]))
    assert len({row_id.split(":")[2] for row_id in ids}) == 1
    for_test, _ = parse(csv_of([{}]), KEYLESS, "test")
    assert for_test["row_id"][0].as_py().split(":")[2] == ids[0].split(":")[2]


COUNTS = st.sampled_from(["1", "2", "x", ""])


@given(st.lists(st.fixed_dictionaries({"COUNT": COUNTS, "NOTE": st.text("ab", max_size=2)}), min_size=1, max_size=8))
def test_reading_again_gives_the_same_identities_in_the_order_of_the_file(rows: list[dict[str, str]]) -> None:
    data = csv_of(rows)
    table, _ = parse(data, KEYLESS)
    good = [i for i, row in enumerate(rows, start=1) if row["COUNT"] != "x"]
    ids = table["row_id"].to_pylist()
    assert [int(row_id.split(":")[1]) for row_id in ids] == good
    assert table["NOTE"].to_pylist() == [rows[i - 1]["NOTE"] or None for i in good]
    assert ids_of(data) == ids


def test_rows_without_a_key_need_the_hash_of_their_bytes() -> None:
    rows = ListRows([{"RATIO": 1}], "the request", ())
    with pytest.raises(ValueError, match="sample has no key: its rows get ids, which need the SHA-256 of their bytes"):
        list(typed_batches(rows, KEYLESS, "train"))


def rows_of_a_source(*rows: dict[str, Any], **changes: Any) -> tuple[list[dict[str, Any]], list[BadValue]]:
    lines = json_lines({"_position": f"offset {i}", **row} for i, row in enumerate(rows))
    found = list(read_batches(io.BytesIO(lines), make_dataset(**changes), "train", "x"))
    return [row for batch in found for row in batch.rows.to_pylist()], [bad for batch in found for bad in batch.bad]


def test_a_reason_says_where_the_row_is_in_its_source() -> None:
    rows, bad = rows_of_a_source(GOOD, GOOD | {"ID": "x"}, on_extra_column="reject_file")
    assert [row["ID"] for row in rows] == [1]
    assert [(one.line, one.column, one.reason) for one in bad] == [(2, "ID", "not a whole number (offset 1)")]


def test_rows_of_a_source_that_lack_a_column_are_rejected_one_by_one() -> None:
    """Which of them come together in a file is chance, so a column that all of them lack rejects no file."""
    row = {name: value for name, value in GOOD.items() if name not in ("ID", "RATIO")}
    rows, bad = rows_of_a_source(row, row)
    assert rows == []
    reason = "the value is missing, but a value is required"
    assert [(one.line, one.column, one.reason) for one in bad] == [
        (1, "ID", f"{reason} (offset 0)"),
        (2, "ID", f"{reason} (offset 1)"),
    ]
    rows, bad = rows_of_a_source({name: value for name, value in GOOD.items() if name != "RATIO"})
    assert ([row["RATIO"] for row in rows], bad) == ([None], [])


def test_entries_of_a_source_that_are_no_rows_are_rejected_alone() -> None:
    broken = {"_fault": "not valid JSON", "_value": "{"}
    rows, bad = rows_of_a_source(broken)
    assert rows == []
    assert bad == [BadValue(1, "", "{", "not valid JSON (offset 0)")]
    rows, bad = rows_of_a_source(broken, GOOD)
    assert ([row["ID"] for row in rows], len(bad)) == ([1], 1)
