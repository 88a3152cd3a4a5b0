"""`ml-platform dataset`: drafts, checks and lists, with exit codes and texts; no server is needed."""

import json
from shutil import copy

import pytest
import yaml
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.drafts import spec_check
from ml_platform.exceptions import ServiceError
from ml_platform.specs.catalog import find_table
from ml_platform.storage.tables import ensure_tables
from stack.config import ROOT
from tests.ml_platform.ingestion.upload_cases import new_name

DATASETS, SAMPLES = ROOT / "datasets", ROOT / "minio" / "samples"
AUTO = SAMPLES / "train_auto.csv"
KIDSDRIV = "KIDSDRIV: {type: integer, min: 0, max: 20}"  # in auto.yaml
RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(autouse=True)
def without_servers(monkeypatch, tmp_path):
    monkeypatch.delenv("S3_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "none" / ".env"))


@pytest.fixture
def folder(tmp_path):
    """A folder with the spec of the sample."""
    copy(DATASETS / "auto.yaml", tmp_path)
    return tmp_path


def change(folder, old, new):
    path = folder / "auto.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_draft_is_written_once_and_passes_its_own_check(tmp_path):
    done = run("dataset", "draft", AUTO, "cars", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "label.column: TARGET_FLAG" in done.output
    assert "8,161 rows, 0 would be rejected" in done.output
    assert run("dataset", "check", tmp_path / "cars.yaml", "--file", AUTO).exit_code == 0
    again = run("dataset", "draft", AUTO, "cars", "--out", tmp_path)
    assert again.exit_code == 1
    assert "is there already" in again.stderr


def test_a_draft_asks_for_the_label_if_several_columns_could_be_it(tmp_path):
    file = tmp_path / "shops.csv"
    rows = [f"{i * 37 % 60}.5,{i * 41 % 60}.5,{i // 9},{i % 9}" for i in range(81)]
    file.write_text("\n".join(["sales,price,store,week", *rows]))
    asked = run("dataset", "draft", file, "shops", "--out", tmp_path)
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert "shops.csv: 2 columns could be the label; nothing is written" in asked.stderr
    assert "--label sales  a number, 60 different values" in asked.stderr
    assert not (tmp_path / "shops.yaml").exists()
    done = run("dataset", "draft", file, "shops", "--out", tmp_path, "--label", "sales", "--key", "store, week")
    assert done.exit_code == 0, done.output
    spec = find_table("shops", tmp_path)
    assert (spec.keys, spec.label.column, spec.label.kind) == (("store", "week"), "sales", "number")


def test_a_draft_of_a_missing_file_is_an_error(tmp_path):
    done = run("dataset", "draft", tmp_path / "none.csv", "cars", "--out", tmp_path)
    assert (done.exit_code, done.stderr) == (1, f"{tmp_path / 'none.csv'}: No such file or directory\n")


def test_the_committed_specs_are_valid():
    done = run("dataset", "check")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"all specs in {DATASETS} are valid; not compared with rows already loaded, ")
    assert done.output.endswith("because there are no servers yet\n")


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (KIDSDRIV, "KIDSDRIV: int", "auto.yaml: columns.KIDSDRIV.type: Input should be 'integer'"),
        ("leaks: [TARGET_AMT]", "leaks: [TARGET]", "leaks.0 names the column 'TARGET'"),
        ("positive: 1", "positive: yes", "auto.yaml: label.positive is 'yes': not a whole number"),
        ("C: [0.1, 1.0]", "C: [-1.0]", "auto.yaml: search.candidates.logistic_regression: The 'C' parameter"),
        ("C: [0.1, 1.0]", "depth: [1]", "search.candidates.logistic_regression.depth: no such parameter"),
        ("name: auto", "name: car", "name is 'car', but the file's name says 'auto'"),
        ("columns:", "columns: [", "not valid YAML"),
    ],
)
def test_every_mistake_is_named_with_its_file_and_field(folder, old, new, text):
    change(folder, old, new)
    for arguments in ((), ("auto",), (folder / "auto.yaml",)):
        done = run("dataset", "check", *arguments, "--folder", folder)
        assert done.exit_code == 1
        assert text in done.stderr
        assert "has a mistake" in done.stderr.splitlines()[0]
        assert str(folder) in done.stderr


def test_allowed_values_of_the_wrong_type_are_named_in_feature_tables_too(folder):
    change(folder, KIDSDRIV, "KIDSDRIV: {type: integer, values: [a, 2]}")
    copy(DATASETS / "weather.yaml", folder)
    weather = folder / "weather.yaml"
    weather.write_text(weather.read_text().replace("temp: number", "temp: {type: number, values: [hot]}", 1))
    done = run("dataset", "check", "--folder", folder)
    assert "auto.yaml: columns.KIDSDRIV: values: 'a' is no integer" in done.stderr
    assert "weather.yaml: columns.temp: values: 'hot' is no number" in done.stderr


def test_a_mistake_in_one_spec_does_not_affect_another(folder):
    change(folder, KIDSDRIV, "KIDSDRIV: int")
    copy(DATASETS / "penguins.yaml", folder)
    assert run("dataset", "check", "penguins", "--folder", folder).exit_code == 0
    assert run("dataset", "check", "--folder", folder).exit_code == 1


def test_an_unknown_name_lists_the_known_ones(folder):
    done = run("dataset", "check", "cars", "--folder", folder)
    assert done.exit_code == 1
    assert "there are: auto" in done.stderr


def test_a_file_is_checked_against_a_spec(folder, tmp_path):
    lines = AUTO.read_text(encoding="utf-8-sig").splitlines()[:40]
    file = tmp_path / "cars.csv"
    file.write_text("\n".join([*lines, lines[5].replace(lines[5].split(",")[0], "x", 1), lines[6]]) + "\n")
    done = run("dataset", "check", "auto", "--file", file, "--folder", folder)
    assert done.exit_code == 0
    assert done.output.splitlines()[0] == f"{file} would be loaded: 41 rows, 2 would be rejected"
    assert "line 41, INDEX: 'x': not a whole number" in done.output
    assert "1 of them repeat the key" in done.output
    file.write_text("\n".join([*lines[:20], *lines[1:20]]) + "\n")
    done = run("dataset", "check", "auto", "--file", file, "--folder", folder)
    assert done.exit_code == 1, "more duplicates than a load accepts"
    file.write_text("\n".join([*lines[:3], *(line.replace(line[0], "x", 1) for line in lines[3:6])]) + "\n")
    done = run("dataset", "check", "auto", "--file", file, "--folder", folder)
    assert done.exit_code == 1
    verdict = f"{file} would be rejected as a whole by {folder / 'auto.yaml'}: 3 of 5 rows are bad; "
    assert done.stderr.splitlines()[0].startswith(verdict)
    assert len(done.stderr.splitlines()) == 4
    (refused,) = run("dataset", "check", "auto", "--file", SAMPLES / "weather.csv.gz").stderr.splitlines()
    assert "weather.csv.gz would be rejected as a whole by" in refused
    assert "lacks INDEX, TARGET_FLAG" in refused


def test_a_third_label_value_of_a_file_is_shown(folder, tmp_path):
    lines = AUTO.read_text(encoding="utf-8-sig").splitlines()[:100]
    third = [lines[1].replace(lines[1].split(",")[0], f"9999990{i}", 1).split(",") for i in range(2)]
    file = tmp_path / "cars.csv"
    file.write_text("\n".join([*lines, *(",".join([row[0], "2", *row[2:]]) for row in third)]) + "\n")
    change(folder, "max_bad_rows: 0.05", "max_bad_rows: 0.1")
    done = run("dataset", "check", "auto", "--file", file, "--folder", folder)
    assert done.output.splitlines() == [
        f"{file} would be loaded: 101 rows, 2 would be rejected",
        "  line 101, TARGET_FLAG: '2': not allowed, in 2 rows; allowed are 0, 1",
    ]
    done = run("dataset", "check", "auto", "--file", file, "--folder", folder, "--purpose", "test")
    assert done.output.splitlines() == [f"{file} would be loaded: 101 rows, 0 would be rejected"]


@pytest.mark.servers
def test_a_spec_that_the_next_load_refuses_is_not_valid(servers, folder, monkeypatch):
    name = new_name()
    spec = yaml.safe_load((folder / "auto.yaml").read_text()) | {"name": name}
    (folder / "auto.yaml").unlink()
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(spec))
    monkeypatch.setenv("S3_ENDPOINT_URL", servers.s3_url)
    done = run("dataset", "check", path)
    assert (done.exit_code, done.output) == (0, f"{path} is valid, and compatible with the rows already loaded\n")
    ensure_tables(find_table(name, folder))
    path.write_text(yaml.safe_dump(spec | {"columns": spec["columns"] | {"KIDSDRIV": "text"}}))
    for arguments in ((path,), ("--folder", folder)):
        done = run("dataset", "check", *arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        verdict, reason = done.stderr.splitlines()[:2]
        assert "would be refused by the next load" in verdict
        assert reason.startswith(f"datasets/{name}.yaml: columns.KIDSDRIV")


@pytest.mark.parametrize("name", ["auto", None])
def test_without_postgres_the_verdict_says_that_nothing_was_compared(folder, monkeypatch, name):
    def refuse(*_):
        raise ServiceError("Postgres: connection refused")

    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(spec_check, "incompatible_changes", refuse)
    done = run("dataset", "check", *([name] if name else []), "--folder", folder)
    assert done.exit_code == 0
    assert done.output.endswith("because Postgres does not answer\n")


def test_a_test_file_needs_no_label(folder):
    file = SAMPLES / "test_flights.csv.gz"
    assert run("dataset", "check", "flights", "--file", file, "--purpose", "test").exit_code == 0
    assert "lacks late" in run("dataset", "check", "flights", "--file", file).stderr


def test_the_list_names_data_sets_tables_and_mistakes(folder):
    listed = run("dataset", "list").output
    for word in ("auto", "TARGET_FLAG", "customer: INDEX", "weather*", "train_auto*", "feature table"):
        assert word in " ".join(listed.split())
    change(folder, KIDSDRIV, "KIDSDRIV: int")
    refused = run("dataset", "list", "--folder", folder)
    assert refused.exit_code == 1
    assert "columns.KIDSDRIV" in refused.stderr


def test_rows_without_a_key_are_listed_and_checked_and_equal_ones_are_no_duplicates(folder, tmp_path):
    change(folder, "key: INDEX", "key: null")
    assert "customer: no key" in " ".join(run("dataset", "list", "--folder", folder).output.split())
    lines = (SAMPLES / "train_auto.csv").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "train_auto.csv"
    file.write_text("\n".join([lines[0], *lines[1:101], *lines[1:101]]), encoding="utf-8")
    checked = run("dataset", "check", folder / "auto.yaml", "--file", file)
    assert checked.exit_code == 0, checked.output
    assert "would be loaded: 200 rows, 0 would be rejected" in checked.output
    assert "repeat the key" not in checked.output


def test_the_schema_is_written(tmp_path):
    assert run("dataset", "schema", "--out", tmp_path / "schema.json").exit_code == 0
    assert json.loads((tmp_path / "schema.json").read_text())["$defs"]["Dataset"]


def test_the_listing_has_one_line_per_table_where_it_is_no_terminal():
    listed = run("dataset", "list").output.splitlines()
    names = [line.split()[0] for line in listed[1:] if line[0] != " "]
    assert names == ["auto", "ecg", "flights", "penguin_mass", "penguins", "weather"]


def test_a_file_needs_the_name_of_its_data_set():
    done = run("dataset", "check", "--file", AUTO)
    assert done.exit_code == 2
    assert "name the data set of the file" in " ".join(done.output.split())


def test_rows_of_an_unknown_table_are_not_written_online(monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:9")
    done = run("dataset", "materialize", "cars")
    assert (done.exit_code, "there is no 'cars'" in done.stderr) == (1, True)
