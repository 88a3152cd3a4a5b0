"""datasets/*.yaml: how files are read, and that a mistake in one file does not block the others."""

from pathlib import Path

import pytest
import yaml

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import (
    catalog,
    dataset,
    datasets,
    find_table,
    parse_table,
    parse_yaml,
    read_table,
    spec_files,
)
from tests.ml_platform.specs.spec_cases import AGE, AGE_LINE, AUTO, FLIGHTS, WEATHER, write_spec


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: auto\n", "name: car\n", ["'car'", "auto"]),
        (AGE_LINE, "  AGE: integer\n  AGE: number\n", ["'AGE'", "twice"]),
        ("name: auto", "name: [auto", ["YAML"]),
        ("leaks: [TARGET_AMT]", "tables: []", ["tables", "features_from"]),
        ("leaks: [TARGET_AMT]", "kind: data", ["kind", "'data'", "'table'"]),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named_with_its_place(tmp_path: Path, old: str, new: str, says: list[str]) -> None:
    assert old in AUTO
    path = write_spec(tmp_path, AUTO.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_table(path)
    for part in [str(path), *says]:
        assert part in str(caught.value)


def test_yaml_is_read_as_editors_read_it() -> None:
    content = parse_yaml("a: [no, 007, 12:30, 2026-01-31, NA, ~, 1_000, +1, 1e3, .5, true, 0x1F]")
    assert content == {"a": ["no", "007", "12:30", "2026-01-31", "NA", None, "1_000", 1, 1000.0, 0.5, True, "0x1F"]}


@pytest.mark.parametrize("text", ["a: 1\na: 2", "[", "{a}: 1", "!!int x", "[" * 5000])
def test_a_text_that_is_no_valid_yaml_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["", "- name: auto", "auto", "3"])
def test_a_spec_is_a_mapping(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^auto.yaml: must be a mapping that begins with `name:`"):
        parse_table(text, Path("auto.yaml"))


def test_a_file_must_be_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "auto.yaml"
    path.write_bytes("name: Größe".encode("cp1252"))
    with pytest.raises(ConfigurationError, match=f"^{path}: not valid YAML: 'utf-8' codec"):
        read_table(path)


def test_the_event_time_may_be_the_upload(tmp_path: Path) -> None:
    assert read_table(write_spec(tmp_path, AUTO.replace("event_time: null", "event_time: upload"))) == dataset("auto")


def test_the_committed_specs_are_valid() -> None:
    found = catalog()
    assert not found.problems
    assert [one.name for one in found.tables] == ["weather"]
    flights = dataset("flights")
    assert flights.keys == ("carrier", "flight", "origin")
    assert {"carrier", "origin", "dest", "weather__temp"} < set(flights.features)
    assert not {"flight", "tailnum", "late", "arr_delay", "sched_dep"} & set(flights.features)
    assert flights.join_columns == {"weather__origin": "origin"}
    assert (flights.holdout_by, dataset("auto").holdout_by) == ("time", "entity")


def test_an_unknown_data_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"there are: .*auto"):
        dataset("boats")


def test_files_are_sorted_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("b", "a", ".#a"):
        write_spec(tmp_path, "", name)
    (tmp_path / "schema.json").touch()
    assert [path.name for path in spec_files(tmp_path)] == ["a.yaml", "b.yaml"]


def test_an_empty_folder_has_no_data_sets(tmp_path: Path) -> None:
    assert datasets(tmp_path) == catalog(tmp_path).tables == catalog(tmp_path / "none").problems == ()


def test_a_table_is_found_by_its_name_and_its_own_mistakes_are_reported(tmp_path: Path) -> None:
    write_spec(tmp_path, WEATHER, "weather")
    bikes, boats = write_spec(tmp_path, "name: [", "bikes"), write_spec(tmp_path, "name: [", "boats")
    assert find_table("weather", tmp_path).name == "weather"
    with pytest.raises(ConfigurationError) as caught:
        find_table("bikes", tmp_path)
    assert str(bikes) in str(caught.value)
    assert str(boats) not in str(caught.value)
    with pytest.raises(ConfigurationError, match=f"^there is no 'cars' in {tmp_path}; there are: weather$"):
        find_table("cars", tmp_path)


def test_two_data_sets_never_claim_the_same_upload(tmp_path: Path) -> None:
    write_spec(tmp_path, AUTO)
    write_spec(tmp_path, AUTO.replace("name: auto", "name: auto_eu", 1), "auto_eu")
    with pytest.raises(ConfigurationError, match="auto_eu"):
        datasets(tmp_path)


def test_one_entity_has_one_key(tmp_path: Path) -> None:
    write_spec(tmp_path, AUTO)
    path = write_spec(
        tmp_path, AUTO.replace("name: auto", "name: bikes").replace("key: INDEX", "key: OTHER", 1), "bikes"
    )
    path.write_text(path.read_text().replace("INDEX:", "OTHER:", 1))
    with pytest.raises(
        ConfigurationError, match=r"'customer' is integer INDEX in 'auto', but integer OTHER in 'bikes'"
    ):
        datasets(tmp_path)
    path.write_text(path.read_text().replace("name: customer", "name: cyclist"))
    assert [one.name for one in datasets(tmp_path)] == ["auto", "bikes"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("features_from: [weather]", "features_from: [wether]", ["features_from.0", "'wether'", "weather"]),
        ("features_from: [weather]", "features_from: [weather, weather]", ["features_from.0", "twice"]),
        ("features_from: [weather]", "features_from: [{table: weather, on: {city: dest}}]", ["city", "origin"]),
        ("features_from: [weather]", "features_from: [{table: weather, on: {origin: flight}}]",
         ["'flight'", "text or category"]),
        ("features_from: [weather]", "features_from: [{table: weather, on: {origin: late}}]", ["'late'", "label"]),
        ("features_from: [weather]", "features_from: [{table: weather, on: {origin: town}}]", ["'town'"]),
    ],
)  # fmt: skip
def test_an_invalid_join_is_named_and_blocks_no_other_data_set(tmp_path: Path, old: str, new: str, says) -> None:
    write_spec(tmp_path, AUTO)
    write_spec(tmp_path, WEATHER, "weather")
    path = write_spec(tmp_path, FLIGHTS.replace(old, new, 1), "flights")
    found = catalog(tmp_path)
    assert [one.name for one in found.datasets] == ["auto"]
    assert [one.name for one in found.tables] == ["weather"]
    (problem,) = found.problems
    for part in [str(path), *says]:
        assert part in problem


def test_a_feature_name_that_postgres_would_cut_is_rejected(tmp_path: Path) -> None:
    name = "A" * 57
    path = write_spec(tmp_path, AUTO.replace(AGE_LINE, f"{AGE_LINE}  {name}: integer\n", 1))
    assert f"auto__{name}" not in str(catalog(tmp_path).problems)
    path.write_text(path.read_text().replace(name, name + "A"))
    (problem,) = catalog(tmp_path).problems
    assert problem.startswith(f"{path}: the feature's full name 'auto__{name}A' is longer than 63 characters")


def test_a_broken_file_holds_up_nobody_else_and_is_told_to_who_asks(tmp_path: Path) -> None:
    write_spec(tmp_path, AUTO)
    path = write_spec(tmp_path, "name: [bikes", "bikes")
    assert [one.name for one in catalog(tmp_path).datasets] == ["auto"]
    assert dataset("auto", tmp_path).name == "auto"
    with pytest.raises(ConfigurationError, match=f"{path}: not valid YAML"):
        datasets(tmp_path)
    with pytest.raises(ConfigurationError, match=f"there are: auto\n{path}"):
        dataset("bikes", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (AGE_LINE, "  {AGE}: integer\n", ["a name cannot be a list or a mapping"]),
        ("description: ", "description: {{ what }} #", ["a name cannot be a list or a mapping"]),
        ("event_time: ", "? [a, b]\n: 1\nevent_time: ", ["a name cannot be a list or a mapping"]),
        ("folds: 5", "folds: !!int five", ["not valid YAML", "five"]),
        ("folds: 5", f"folds: {'1' * 5000}", ["not valid YAML", "digits"]),
        ("folds: 5", "folds: !!int ''", ["not valid YAML"]),
        ("description: ", "description: !!timestamp ", ["not valid YAML"]),
        ("description: ", "description: !!bool ", ["not valid YAML"]),
        ("description: ", f"description: {'[' * 3000} #", ["not valid YAML", "nested too deeply"]),
        (AGE, "AGE: {type: timestamp, format: '%Y %Y-%m-%d'}", ["columns.AGE.format", "strptime"]),
    ],
)  # fmt: skip
def test_no_content_of_a_file_blocks_the_other_files(tmp_path: Path, old: str, new: str, says) -> None:
    assert old in AUTO
    write_spec(tmp_path, AUTO)
    write_spec(tmp_path, AUTO.replace("name: auto\n", "name: bad\n", 1).replace(old, new, 1), "bad")
    found = catalog(tmp_path)
    assert [one.name for one in found.datasets] == ["auto"]
    (problem,) = found.problems
    assert all(part in problem for part in [str(tmp_path / "bad.yaml"), *says])


def test_a_folder_or_a_broken_link_blocks_no_other_file(tmp_path: Path) -> None:
    write_spec(tmp_path, AUTO)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "removed.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".#auto.yaml").symlink_to("somebody@here.4711")  # an editor's, while the file is not saved
    found = catalog(tmp_path)
    assert [one.name for one in found.datasets] == ["auto"]
    assert [problem.rpartition("/")[2] for problem in found.problems] == [
        "folder.yaml: Is a directory",
        "removed.yaml: No such file or directory",
    ]


def test_data_sets_without_a_key_may_share_an_entity_but_not_with_one_that_has_a_key(tmp_path: Path) -> None:
    keyless = AUTO.replace("key: INDEX", "key: null")
    assert keyless != AUTO
    for name in ("auto", "bikes"):
        write_spec(tmp_path, keyless.replace("name: auto", f"name: {name}"), name)
    assert catalog(tmp_path).problems == ()
    write_spec(tmp_path, AUTO.replace("name: auto", "name: cars"), "cars")
    (problem,) = catalog(tmp_path).problems
    assert "is without a key in 'auto', but integer INDEX in 'cars'; an entity has one key" in problem
