"""datasets/*.yaml: what is accepted, and that every refusal names file, field and value."""

from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import DATASETS_DIR, catalog, dataset, datasets, parse_yaml, read_table
from ml_platform.specs.spec import Dataset

AUTO = (DATASETS_DIR / "auto.yaml").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str, name: str = "auto") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def test_auto_has_its_26_columns_and_23_features() -> None:
    auto = dataset("auto")
    assert len(auto.columns) == 26
    assert len(auto.features) == 23
    assert not {"INDEX", "TARGET_FLAG", "TARGET_AMT"} & set(auto.features)


def test_a_leak_is_never_a_feature_but_is_kept_with_the_label() -> None:
    assert dataset("auto").label_columns == ("TARGET_FLAG", "TARGET_AMT")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("AGE: integer", "AGE: integr", ["columns.AGE.type", "'integr'", "integer"]),
        ("key: INDEX", "key: ID", ["entity.key", "'ID'"]),
        ("leaks: [TARGET_AMT]", "leaks: [AMOUNT]", ["leaks.0", "'AMOUNT'"]),
        ("folds: 5", "folds: 1", ["search.folds", "1", "2"]),
        ("random_forest:", "random_jungle:", ["random_jungle"]),
        ("on_bad_row: reject_row", "on_bad_row: shrug", ["on_bad_row", "'shrug'", "reject_file"]),
        ("event_time: null", "event_time: AGE", ["event_time", "'AGE'", "timestamp"]),
        ("name: auto\n", "name: car\n", ["'car'", "auto"]),
        ("  AGE: integer\n", "  AGE: integer\n  AGE: number\n", ["'AGE'", "twice"]),
        ("  AGE: integer\n", "  AGE: integer\n  event_timestamp: number\n", ["event_timestamp"]),
        ('  AGE: integer\n', '  AGE: integer\n  \'A"; DROP\': number\n', ['A"; DROP']),
        ("AGE: integer", "AGE: {type: category, min: 3}", ["AGE", "min"]),
        ("gate:", "gates:", ["gates: no such field; there are: ", "gate, promotion"]),
        ("folds: 5", "fold: 5", ["search.fold: no such field; there are: scoring, folds, jobs, candidates (got 5)"]),
        ("AGE: integer", "AGE: {type: integer, mim: 3}", ["columns.AGE.mim: no such field; ", "min, max", "(got 3)"]),
        ("AGE: integer", "AGE: {type: number, max: 1e999}", ["columns.AGE.max", "finite"]),
        ("AGE: integer", "AGE: {type: integer, max: 9223372036854775807}", ["AGE", "leave out such a min or max"]),
        ("AGE: integer", "AGE: {type: integer, max: 9007199254740993}", ["AGE.max", "9007199254740992"]),
        ("name: auto", "name: [auto", ["YAML"]),
        ("positive: 1}", "positive: 1, classes: [a, b, c]}", ["label", "positive", "classes"]),
        ("positive: 1}", "classes: [a, b]}", ["label.classes", "3"]),
        ("positive: 1}", "positive: 1, negative: 1}", ["label", "twice"]),
        ("key: INDEX", "key: [INDEX, INDEX]", ["entity", "twice", "INDEX"]),
        ("key: INDEX", "key: [INDEX, ID]", ["entity.key.1", "'ID'"]),
        ("key: INDEX", "key: INCOME", ["entity.key", "'INCOME'", "integer, text, category"]),
        ("key: INDEX", "key: INDEX, features: [AGE]", ["entity", "AGE", "key"]),
        ("INDEX: integer", "INDEX: {type: integer, zone: Europe/Berlin}", ["INDEX", "zone", "timestamp", "integer"]),
        ("AGE: integer", "AGE: {type: timestamp, zone: Mars}", ["AGE.zone", "'Mars'", "Europe/Berlin"]),
        ("AGE: integer", "AGE: {type: integer, min: 9, max: 3}", ["AGE", "min 9", "max 3"]),
        ("AGE: integer", "AGE: {type: integer, header: INCOME}", ["columns", "INCOME", "two"]),
        ("AGE: integer", "A__B: integer", ["A__B", "header"]),
        ("leaks: [TARGET_AMT]", "leaks: [INDEX]", ["leaks", "INDEX", "key"]),
        ("leaks: [TARGET_AMT]", "ignore: [AGE]", ["ignore", "AGE"]),
        ("leaks: [TARGET_AMT]", "encoding: klingon", ["encoding", "'klingon'", "cp1252"]),
        ("leaks: [TARGET_AMT]", "encoding: base64", ["encoding", "'base64'", "cp1252"]),
        ("leaks: [TARGET_AMT]", "delimiter: ':'", ["delimiter", "':'", "';'"]),
        ("leaks: [TARGET_AMT]", "tables: []", ["tables", "features_from"]),
        ("leaks: [TARGET_AMT]", "kind: data", ["kind", "'data'", "'table'"]),
        ("holdout: 0.2 ", "holdout_by: day #", ["gate.holdout_by", "'day'", "'entity' or 'time'"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_field_and_value(write, old: str, new: str, says: list[str]) -> None:
    assert old in AUTO
    path = write(AUTO.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_table(path)
    for part in [str(path), *says]:
        assert part in str(caught.value)


def test_two_data_sets_never_claim_the_same_upload(write, tmp_path: Path) -> None:
    write(AUTO)
    write(AUTO.replace("name: auto", "name: auto_eu", 1), "auto_eu")
    with pytest.raises(ConfigurationError, match="auto_eu"):
        datasets(tmp_path)


def test_an_unknown_data_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"there are: .*auto"):
        dataset("boats")


@pytest.mark.parametrize(
    ("key", "owned"),
    [
        ("train_auto.csv", True),
        ("train_auto_2026-11.csv", True),
        ("processed/train_auto.csv", False),
        ("train_auto.csv.gz", True),
        ("train_auto.xlsx", True),
        ("test_auto.csv", False),
    ],
)
def test_settled_and_foreign_files_are_not_taken(key: str, owned: bool) -> None:
    assert dataset("auto").owns(key, "train") is owned


def test_one_entity_has_one_key(write) -> None:
    write(AUTO)
    path = write(AUTO.replace("name: auto", "name: bikes").replace("key: INDEX", "key: OTHER", 1), "bikes")
    path.write_text(path.read_text().replace("INDEX:", "OTHER:", 1))
    with pytest.raises(
        ConfigurationError, match=r"'customer' is integer INDEX in 'auto', but integer OTHER in 'bikes'"
    ):
        datasets(path.parent)
    path.write_text(path.read_text().replace("name: customer", "name: cyclist"))
    assert [one.name for one in datasets(path.parent)] == ["auto", "bikes"]


def test_yaml_is_read_as_editors_read_it() -> None:
    said = parse_yaml("a: [no, 007, 12:30, 2026-01-31, NA, ~, 1_000, +1, 1e3, .5, true, 0x1F]")
    assert said == {"a": ["no", "007", "12:30", "2026-01-31", "NA", None, "1_000", 1, 1000.0, 0.5, True, "0x1F"]}


def test_the_event_time_may_be_said_to_be_the_upload(write) -> None:
    assert read_table(write(AUTO.replace("event_time: null", "event_time: upload"))) == dataset("auto")


def test_the_samples_are_declared() -> None:
    found = catalog()
    assert not found.problems
    assert [one.name for one in found.tables] == ["weather"]
    flights = dataset("flights")
    assert flights.keys == ("carrier", "flight", "origin")
    assert {"carrier", "origin", "dest", "weather__temp"} < set(flights.features)
    assert not {"flight", "tailnum", "late", "arr_delay", "sched_dep"} & set(flights.features)
    assert flights.join_columns == {"weather__origin": "origin"}
    assert (flights.holdout_by, dataset("auto").holdout_by) == ("time", "entity")


def test_a_spec_survives_the_way_to_json_and_back() -> None:
    for one in datasets():
        assert Dataset.model_validate_json(one.model_dump_json()) == one
        assert Dataset.model_validate_json(one.model_dump_json()).sha256 == one.sha256


WEATHER = (DATASETS_DIR / "weather.yaml").read_text(encoding="utf-8")
FLIGHTS = (DATASETS_DIR / "flights.yaml").read_text(encoding="utf-8")


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
def test_a_wrong_join_is_named_and_holds_up_nobody_else(write, tmp_path: Path, old: str, new: str, says) -> None:
    write(AUTO)
    write(WEATHER, "weather")
    path = write(FLIGHTS.replace(old, new, 1), "flights")
    found = catalog(tmp_path)
    assert [one.name for one in found.datasets] == ["auto"]
    assert [one.name for one in found.tables] == ["weather"]
    (problem,) = found.problems
    for part in [str(path), *says]:
        assert part in problem


def test_a_broken_file_holds_up_nobody_else_and_is_told_to_who_asks(write, tmp_path: Path) -> None:
    write(AUTO)
    path = write("name: [bikes", "bikes")
    assert [one.name for one in catalog(tmp_path).datasets] == ["auto"]
    assert dataset("auto", tmp_path).name == "auto"
    with pytest.raises(ConfigurationError, match=f"{path}: not valid YAML"):
        datasets(tmp_path)
    with pytest.raises(ConfigurationError, match=f"there are: auto\n{path}"):
        dataset("bikes", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  AGE: integer\n", "  {AGE}: integer\n", ["a name cannot be a list or a mapping"]),
        ("description: ", "description: {{ what }} #", ["a name cannot be a list or a mapping"]),
        ("event_time: ", "? [a, b]\n: 1\nevent_time: ", ["a name cannot be a list or a mapping"]),
        ("folds: 5", "folds: !!int five", ["not valid YAML", "five"]),
        ("folds: 5", f"folds: {'1' * 5000}", ["not valid YAML", "digits"]),
        ("folds: 5", "folds: !!int ''", ["not valid YAML"]),
        ("description: ", "description: !!timestamp ", ["not valid YAML"]),
        ("description: ", "description: !!bool ", ["not valid YAML"]),
        ("description: ", f"description: {'[' * 3000} #", ["not valid YAML", "nested too deeply"]),
    ],
)  # fmt: skip
def test_whatever_stands_in_a_file_it_holds_up_nobody_else(write, tmp_path: Path, old: str, new: str, says) -> None:
    assert old in AUTO
    write(AUTO)
    write(AUTO.replace("name: auto\n", "name: bad\n", 1).replace(old, new, 1), "bad")
    found = catalog(tmp_path)
    assert [one.name for one in found.datasets] == ["auto"]
    (problem,) = found.problems
    assert all(part in problem for part in [str(tmp_path / "bad.yaml"), *says])


def test_a_folder_or_a_link_to_nowhere_holds_up_nobody_else(write, tmp_path: Path) -> None:
    write(AUTO)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".#auto.yaml").symlink_to("somebody@here.4711")  # an editor's, while the file is not saved
    found = catalog(tmp_path)
    assert [one.name for one in found.datasets] == ["auto"]
    assert [problem.rpartition("/")[2] for problem in found.problems] == [
        "folder.yaml: Is a directory",
        "gone.yaml: No such file or directory",
    ]


@pytest.mark.parametrize("name", ["xmin", "CTID", "tableoid"])
def test_a_column_may_not_be_called_as_postgres_calls_its_own(write, name: str) -> None:
    path = write(AUTO.replace("  AGE: integer\n", f"  {name}: integer\n", 1))
    with pytest.raises(ConfigurationError, match=rf"columns.{name}: .* are reserved; .*another name, .*`header`"):
        read_table(path)


def test_a_name_may_not_look_like_another_file_of_the_buckets(write) -> None:
    path = write(AUTO.replace("name: auto", "name: train_auto", 1), "train_auto")
    with pytest.raises(ConfigurationError, match="name: may not begin with train_"):
        read_table(path)


@pytest.mark.parametrize("name", ["proc", "processed", "re", "t", "train", "test"])
def test_a_feature_table_never_takes_what_is_settled_or_anothers(write, name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        read_table(write(WEATHER.replace("name: weather", f"name: {name}"), name))


def test_a_feature_table_needs_features_and_has_its_own_inbox(write) -> None:
    weather = read_table(write(WEATHER, "weather"))
    assert weather.owns("weather_2013.csv.gz", "train")
    assert not weather.owns("train_weather.csv", "train")
    with pytest.raises(ConfigurationError, match=r"ttl.*'3 hours'"):
        read_table(write(WEATHER.replace("ttl: 3h", "ttl: 3 hours"), "weather"))
    with pytest.raises(ConfigurationError, match=r"label: no such field; there are: name, .*, kind, ttl$"):
        read_table(write(WEATHER + "label: {column: temp, positive: 1}\n", "weather"))
