import io

import pytest

from ml_platform.drafts import spec_check
from ml_platform.drafts.spec_check import Trial, try_file, try_stream
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.specs.catalog import DATASETS_DIR, find_table, parse_table

SPEC = """
name: shops
description: Which shop closes?
entity: {name: shop, key: shop_id}
label: {column: closed, positive: 1}
columns: {shop_id: text, size: integer, closed: integer}
"""
TABLE = """
kind: table
name: rents
description: Rents by town
entity: {name: town, key: town}
event_time: month
columns: {town: text, month: timestamp, rent: {type: number, values: [1.5, 2.5]}}
"""


@pytest.fixture
def shops(tmp_path):
    return parse_table(SPEC, tmp_path / "shops.yaml")


def csv_file(tmp_path, *lines):
    path = tmp_path / "made.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_specs(folder, **specs):
    for name, text in specs.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_committed_specs_have_no_problems():
    assert spec_check.problems(DATASETS_DIR) == []


def test_valid_specs_have_no_problems(tmp_path):
    write_specs(tmp_path, shops=SPEC, rents=TABLE)
    assert spec_check.problems(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("size: integer", "size: {type: integer, values: [1, b]}", "shops.yaml: columns.size: "),
        ("positive: 1", "positive: x", "shops.yaml: label.positive is 'x'"),
        ("columns:", "search: {candidates: {no_such_model: {}}}\ncolumns:", "shops.yaml: search.candidates"),
        ("size: integer", "size: int", "shops.yaml: columns.size.type"),
        ("name: shops", "name: [", "shops.yaml: not valid YAML"),
    ],
)
def test_each_kind_of_mistake_names_file_and_field(tmp_path, old, new, problem):
    assert old in SPEC
    write_specs(tmp_path, shops=SPEC.replace(old, new))
    (text,) = spec_check.problems(tmp_path)
    assert text.startswith(str(tmp_path / problem))


def test_the_values_of_a_feature_table_are_checked_too(tmp_path):
    write_specs(tmp_path, rents=TABLE.replace("2.5", "cheap"))
    (text,) = spec_check.problems(tmp_path)
    assert text.startswith(f"{tmp_path / 'rents.yaml'}: columns.rent: ")


def test_all_mistakes_are_listed_and_a_name_selects_those_of_one_spec(tmp_path):
    write_specs(tmp_path, shops=SPEC.replace("positive: 1", "positive: x"), rents=TABLE.replace("2.5", "cheap"))
    assert len(spec_check.problems(tmp_path)) == 2
    (text,) = spec_check.problems(tmp_path, "rents")
    assert "rents.yaml" in text


def test_a_file_that_fits_is_read_whole(shops, tmp_path):
    trial = try_file(shops, csv_file(tmp_path, "shop_id,size,closed", "a,1,0", "b,2,1"), "train")
    assert trial == Trial(rows_read=2, format="CSV, separated by commas, UTF-8")
    assert trial.share == 0.0


def test_bad_values_are_listed_with_line_column_value_and_reason(shops, tmp_path):
    trial = try_file(shops, csv_file(tmp_path, "shop_id,size,closed", "a,big,0", "b,2,1"), "train")
    assert (trial.rows_read, trial.rows_rejected, trial.share) == (2, 1, 0.5)
    (bad,) = trial.bad_values
    assert (bad.line, bad.column, bad.value) == (2, "size", "big")
    assert bad.reason


def test_only_the_first_bad_values_are_kept(shops, tmp_path):
    lines = [f"s{i},big,0" for i in range(spec_check.SHOWN + 5)]
    trial = try_file(shops, csv_file(tmp_path, "shop_id,size,closed", *lines), "train")
    assert len(trial.bad_values) == spec_check.SHOWN
    assert trial.rows_rejected == trial.rows_read == len(lines)


def test_a_repeated_key_is_a_duplicate_in_a_training_file_only(shops, tmp_path):
    file = csv_file(tmp_path, "shop_id,size,closed", "a,1,0", "a,2,1", "a,3,1", "b,1,0")
    trial = try_file(shops, file, "train")
    assert (trial.duplicate_rows, trial.rows_rejected) == (2, 2)
    assert try_file(shops, file, "test").duplicate_rows == 0


def test_rows_of_one_entity_at_different_event_times_are_no_duplicates(tmp_path):
    rents = parse_table(TABLE, tmp_path / "rents.yaml")
    file = csv_file(tmp_path, "town,month,rent", "a,2026-01-01,1.5", "a,2026-02-01,1.5", "a,2026-02-01,2.5")
    assert try_file(rents, file, "train").duplicate_rows == 1


def test_equal_rows_without_a_key_are_no_duplicates(tmp_path):
    text = SPEC.replace("{name: shop, key: shop_id}", "{name: row}")
    file = csv_file(tmp_path, "shop_id,size,closed", "a,1,0", "a,1,0", "a,1,1")
    trial = try_file(parse_table(text, tmp_path / "shops.yaml"), file, "train")
    assert (trial.rows_read, trial.rows_rejected, trial.duplicate_rows) == (3, 0, 0)


def test_a_label_that_is_a_number_may_have_any_value_and_must_have_one(tmp_path):
    text = SPEC.replace("closed, positive: 1", "size, kind: number")
    file = csv_file(tmp_path, "shop_id,size,closed", "a,1,0", "b,27,0", "c,,1")
    trial = try_file(parse_table(text, tmp_path / "shops.yaml"), file, "train")
    assert (trial.rows_read, trial.rows_rejected) == (3, 1)
    assert trial.bad_values[0].column == "size"


def test_a_test_file_needs_no_label(shops, tmp_path):
    file = csv_file(tmp_path, "shop_id,size", "a,1")
    assert try_file(shops, file, "test").rows_rejected == 0
    with pytest.raises(ContractError, match="closed"):
        try_file(shops, file, "train")


def test_without_rows_no_share_is_rejected_and_the_file_is_no_valid_one(shops, tmp_path):
    assert Trial().share == 0.0
    with pytest.raises(ContractError, match="no rows follow the header"):
        try_file(shops, csv_file(tmp_path, "shop_id,size,closed"), "train")


def test_a_file_that_is_not_there(shops, tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.csv: No such file or directory"):
        try_file(shops, tmp_path / "none.csv", "train")


def test_the_sample_fits_its_spec():
    auto = find_table("auto", DATASETS_DIR)
    sample = DATASETS_DIR.parent / "minio" / "samples" / "test_auto.csv"
    trial = try_file(auto, sample, "test")
    assert (trial.rows_read, trial.rows_rejected, trial.warnings, trial.refusal) == (2141, 0, [], "")


def test_a_third_label_value_is_counted_and_shown_with_its_first_line(tmp_path):
    shops = parse_table(SPEC + "max_bad_rows: 0.4\n", tmp_path / "shops.yaml")
    lines = ["a,1,0", "b,2,1", "c,1,0", "d,1,2", "e,1,2", "f,1,0"]
    trial = try_file(shops, csv_file(tmp_path, "shop_id,size,closed", *lines), "train")
    assert (trial.rows_rejected, trial.refusal) == (2, "")
    (bad,) = trial.bad_values
    assert (bad.line, bad.column, bad.value) == (5, "closed", "2")
    assert bad.reason == "not allowed, in 2 rows; allowed are 0, 1"


def test_an_open_file_is_read_the_same_and_columns_that_the_spec_does_not_list_are_named(shops):
    stream = io.BytesIO(b"shop_id,size,closed,owner\na,1,0,x\nb,2,1,y\n")
    trial = try_stream(shops, stream, "train", "made.csv")
    assert trial.warnings == ["1 column is ignored, which datasets/shops.yaml does not list: owner"]
    assert not stream.closed


def test_too_many_rejected_rows_are_a_refusal_with_its_reason(shops, tmp_path):
    trial = try_file(shops, csv_file(tmp_path, "shop_id,size,closed", "a,big,0", "b,2,1"), "train")
    assert trial.refusal.startswith("1 of 2 rows are bad; ")
