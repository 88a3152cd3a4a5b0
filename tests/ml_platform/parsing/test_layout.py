"""The header of a file: which columns are read, which are missing, duplicate or extra."""

import io

import pytest

from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.files.reading import open_rows
from ml_platform.parsing.batches import arrow_schema
from ml_platform.parsing.layout import check_values, columns_of, find_layout, needed_columns, required_columns
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset, FeatureTable
from tests.ml_platform.ingestion.upload_cases import GOOD, csv_bytes, json_lines, make_dataset, parquet, timed_dataset
from tests.ml_platform.parsing.table_cases import ROW, parse, text


def test_the_layout_gives_the_position_of_each_column() -> None:
    of = make_dataset(on_missing_column="missing_values")
    layout = find_layout(open_rows(io.BytesIO(b" LABEL ,MORE,ID\n"), "a.csv"), of, "train")
    assert layout.header == ["LABEL", "MORE", "ID"]
    assert layout.positions == {"ID": 2, "LABEL": 0}
    assert list(layout.columns) == list(of.columns)


def test_only_columns_with_a_notation_of_their_own_treat_native_cells_differently() -> None:
    of = make_dataset(columns={"RATIO": {"type": "number", "decimal": ","}})
    layout = find_layout(open_rows(io.BytesIO(csv_bytes({})), "a.csv"), of, "train")
    assert {name: (column.type, column.decimal) for name, column in layout.native.items()} == {
        "RATIO": ("number", "."),
        "PRICE": ("number", "."),
    }


def test_the_header_must_name_all_columns_or_only_those_that_need_a_value() -> None:
    of = make_dataset(columns={"RATIO": {"type": "number", "required": True}})
    assert needed_columns(of, "train") == set(of.columns)
    lenient = of.model_copy(update={"on_missing_column": "missing_values"})
    assert needed_columns(lenient, "train") == required_columns(of, "train") == {"ID", "LABEL", "RATIO"}
    assert needed_columns(lenient, "test") == {"ID", "RATIO"}


def test_a_file_to_be_scored_needs_no_column_by_which_the_model_is_only_judged() -> None:
    of = make_dataset(sensitive=["KIND", {"column": "COUNT", "feature": True}])
    assert set(columns_of(of, "train")) - set(columns_of(of, "test")) == {"LABEL", "COST", "KIND"}
    needed = needed_columns(of, "test")
    layout = find_layout(open_rows(io.BytesIO(csv_bytes({}, columns=tuple(needed))), "a.csv"), of, "test")
    assert ("KIND" in layout.columns, "COUNT" in layout.columns) == (False, True)
    strict = of.model_copy(update={"on_extra_column": "reject_file"})
    assert "KIND" not in find_layout(open_rows(io.BytesIO(csv_bytes({})), "a.csv"), strict, "test").columns


def test_a_column_on_which_a_table_is_joined_is_needed_also_if_the_model_is_only_judged_by_it() -> None:
    flights = dataset("flights")
    raw = flights.model_dump() | {"sensitive": ["dest"]}
    assert "dest" not in columns_of(Dataset.model_validate(raw), "test")
    table = FeatureTable(
        kind="table", name="rates", description="", entity={"name": "place", "key": "dest"},
        columns={"dest": "category", "rate": "number"},
    )  # fmt: skip
    joined = raw | {"tables": [table], "features_from": ["rates"]}
    assert "dest" in columns_of(Dataset.model_validate(joined), "test")


def test_the_label_column_allows_the_values_of_the_label() -> None:
    of = make_dataset(label={"column": "LABEL", "positive": 1, "negative": 0})
    assert columns_of(of, "train")["LABEL"].values == (0, 1)
    assert columns_of(make_dataset(), "train")["LABEL"].values is None


def test_a_value_of_the_spec_that_is_not_of_its_type_is_named() -> None:
    of = make_dataset(columns={"COUNT": {"type": "integer", "values": [1, "x"]}})
    with pytest.raises(ConfigurationError, match=r"^datasets/sample.yaml: columns.COUNT: values: 'x' is no integer"):
        check_values(of, "train")
    check_values(make_dataset(), "train")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (text(ROW).replace(b"ID,", b"id,"), r"the header lacks ID \(id is there: case counts\)"),
        (text(ROW).replace(b"COUNT", b"ID"), "the header lacks COUNT"),
        (text(ROW).replace(b"NOTE", b"NOTE,NOTE"), "names a column twice: NOTE"),
    ],
    ids=range(3),
)
def test_a_header_that_breaks_the_contract_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(ContractError, match=f"^sample.csv: .*{problem}"):
        parse(data)


def test_columns_may_be_reordered() -> None:
    columns = tuple(reversed(GOOD))
    table, _ = parse(csv_bytes({"ID": "5"}, columns=columns))
    assert table.column_names == ["line", *GOOD]
    assert table["ID"].to_pylist() == [5]


def test_extra_columns_follow_the_contract() -> None:
    data = csv_bytes({"MORE": "1", "": "2"})
    assert parse(data)[0].num_rows == 1
    with pytest.raises(ContractError, match=r"line 1: columns that .* does not list: MORE, \(no name\)"):
        parse(data, make_dataset(on_extra_column="reject_file"))


def test_a_header_in_another_encoding_is_suspected() -> None:
    data = text(ROW).replace(b"NOTE", "Größe".encode("cp1252"))
    of = make_dataset(columns={"NOTE": {"type": "text", "header": "Größe"}})
    with pytest.raises(
        ContractError, match=r"the header lacks Größe; .*not valid utf-8: declare the file's `encoding`"
    ):
        parse(data, of)
    assert parse(data, make_dataset(columns={"NOTE": {"type": "text", "header": "Größe"}}, encoding="cp1252"))[
        0
    ].num_rows


def test_a_column_may_have_another_name_in_the_file() -> None:
    of = make_dataset(columns={"RATIO": {"type": "number", "header": " Ratio (%) "}})
    data = csv_bytes({}, {"ID": "2", "RATIO": "x"}).replace(b"RATIO", b"Ratio (%)")
    table, bad = parse(data, of)
    assert table["RATIO"].to_pylist() == [0.5]
    assert [(value.column, value.value) for value in bad] == [("Ratio (%)", "x")]
    with pytest.raises(ContractError, match=r"the header lacks Ratio \(%\)"):
        parse(csv_bytes({}), of)


def test_many_columns_are_checked_quickly() -> None:
    more = ",".join(f"c{i}" for i in range(100_000))  # takes minutes if each column is compared with all others
    data = text(ROW).replace(b"NOTE", f"NOTE,{more},c0".encode(), 1)
    with pytest.raises(ContractError, match=r"the header names a column twice: c0$"):
        parse(data)


def test_ignored_columns_are_no_extra_ones() -> None:
    of = make_dataset(on_extra_column="reject_file", ignore=["MORE"])
    assert parse(csv_bytes({"MORE": "1"}), of)[0].num_rows == 1
    with pytest.raises(ContractError, match="does not list: OTHER"):
        parse(csv_bytes({"MORE": "1", "OTHER": "2"}), of)


def test_a_missing_column_may_stand_for_missing_values() -> None:
    of = timed_dataset(on_missing_column="missing_values", columns={"RATIO": {"type": "number", "required": True}})
    lacking = {"KIND", "COUNT", "PRICE", "COST"}
    table, bad = parse(csv_bytes({"AT": "2026-01-01"}, columns=tuple({**GOOD, "AT": ""}.keys() - lacking)), of)
    assert not bad
    assert table.column_names == arrow_schema(of, "train").names
    assert {name for name in table.column_names if table[name].null_count} == lacking
    for name in ("ID", "LABEL", "AT", "RATIO"):
        with pytest.raises(ContractError, match=f"the header lacks {name};"):
            parse(csv_bytes({"AT": "2026-01-01"}, columns=tuple({**GOOD, "AT": ""}.keys() - {name})), of)


def test_a_column_that_json_rows_lack_is_missing() -> None:
    rows = [{name: value for name, value in GOOD.items() if name != "RATIO"}]
    with pytest.raises(ContractError, match=r"^sample.csv: the rows lack RATIO; they name ID, "):
        parse(json_lines(rows))
    with pytest.raises(ContractError, match=r"^sample.csv: the rows lack RATIO"):
        parse(parquet(rows))
    assert parse(json_lines([*rows, GOOD | {"ID": "2"}]))[0]["RATIO"].to_pylist() == [None, 0.5]


def test_a_test_file_needs_no_label() -> None:
    columns = tuple(name for name in GOOD if name not in ("LABEL", "COST"))
    table, bad = parse(csv_bytes({}, columns=columns), purpose="test")
    assert (table.num_rows, bad) == (1, [])
    assert "LABEL" not in table.column_names
    assert not parse(csv_bytes({"LABEL": "?", "COST": "NA"}), purpose="test")[1]
    with pytest.raises(ContractError, match="lacks LABEL"):
        parse(csv_bytes({}, columns=columns))


def test_a_row_needs_its_event_time_for_training_only() -> None:
    data = csv_bytes({"AT": ""})
    assert [value.column for value in parse(data, timed_dataset())[1]] == ["AT"]
    assert not parse(data, timed_dataset(), "test")[1]


def test_a_test_file_needs_its_event_time_only_for_joins() -> None:
    reported = timed_dataset(known_at="SEEN", columns={"SEEN": "timestamp"})
    joined = dataset("flights")
    assert "SEEN" not in columns_of(reported, "test")
    assert "AT" not in required_columns(reported, "test")
    assert {"AT", "SEEN"} <= required_columns(reported, "train")
    assert "sched_dep" in required_columns(joined, "test")
