import gzip
import io
from itertools import islice

import pytest

from ml_platform.eda import data_report, html_page, page
from ml_platform.eda.page import render_page
from ml_platform.exceptions import ConfigurationError, DegenerateDataError
from ml_platform.ingestion import uploads
from ml_platform.specs.catalog import DATASETS_DIR, find_table
from ml_platform.specs.spec import Dataset, FeatureTable
from ml_platform.storage import object_store, tables
from ml_platform.storage.database import transaction
from stack.config import ROOT
from tests.ml_platform.ingestion.upload_cases import csv_bytes, make_dataset, new_name
from tests.ml_platform.keyless import csv_of, without_key

pytestmark = pytest.mark.servers

SAMPLES = ROOT / "minio" / "samples"


def first_lines(name, count):
    with gzip.open(SAMPLES / name, "rb") as file:
        return b"".join(islice(file, count))


@pytest.fixture(scope="module")
def flights(servers):
    """The data set flights: its rows and the weather are loaded, and a test file waits in the inbox."""
    for name in ("weather", "flights"):
        tables.ensure_tables(find_table(name, DATASETS_DIR))
    flights = find_table("flights", DATASETS_DIR)
    with pytest.raises(DegenerateDataError, match="no rows yet"):
        data_report.report_data(flights)
    samples = {"weather": ("weather.csv", "weather.csv.gz"), "flights": ("train_flights.csv", "train_flights.csv.gz")}
    for name, (key, sample) in samples.items():
        object_store.put_new("train", key, first_lines(sample, 2001))
        assert uploads.ingest(find_table(name, DATASETS_DIR), key)["outcome"] == "loaded"
    object_store.put_new("test", "test_flights_1.csv", first_lines("test_flights.csv.gz", 501))
    return flights


@pytest.fixture
def without_pictures(monkeypatch):
    """Leave out the dozens of pictures of a page; one test here, and the unit tests, have them."""
    monkeypatch.setattr(html_page, "png", lambda figure: b"")
    monkeypatch.setattr(page, "table_report", lambda rows: "")


def test_loaded_rows_come_with_leaks_and_joined_features_test_rows_with_features(flights):
    data = data_report.report_data(flights)
    assert len(data.rows) == 2000
    assert data.source == "the database"
    assert {"late", "arr_delay", "sched_dep", "weather__temp"} <= set(data.rows.columns)
    assert data.rows["weather__temp"].notna().any()
    assert len(data.test) == 500
    assert set(data.features) <= set(data.test.columns)
    assert "test_flights_1.csv" in data.test_source


def test_the_groups_of_sensitive_columns_come_with_the_rows(flights, without_pictures):
    sensitive = ["dest", {"column": "distance", "feature": True, "cuts": [1000]}]
    judged = type(flights).model_validate(flights.model_dump() | {"sensitive": sensitive})
    data = data_report.report_data(judged)
    dest, distance = data.groups
    assert dest.astype(str).tolist() == data.rows["dest"].tolist()
    assert (distance == "1000 or more").tolist() == (data.rows["distance"] >= 1000).tolist()
    assert ("dest" in data.features, "distance" in data.features) == (False, True)
    assert "<h2>The label by dest</h2>" in render_page(data)


def test_the_report_is_in_the_folder_of_the_console_that_is_named(flights, monkeypatch):
    monkeypatch.setenv("BUCKETS_URL", "http://console/files?path=/buckets/")
    message = data_report.publish("flights")
    (report,) = object_store.list_objects("reports", "flights/eda.")
    folder = "http://console/files?path=/buckets/reports/flights/"
    assert message == f"{report.key} is in the bucket reports; open it in the console: {folder}"
    kept = object_store.client().get_object(Bucket="reports", Key=report.key)
    assert kept["ContentType"] == "text/html; charset=utf-8"
    page = kept["Body"].read().decode()
    assert "Data report: flights" in page
    assert "2,000 rows from the database." in page
    assert "weather__temp" in page


def test_a_feature_table_is_reported_on_too(flights, tmp_path):
    out = tmp_path / "weather.html"
    assert str(out) in data_report.publish("weather", out)
    assert "wind_gust" in out.read_text(encoding="utf-8")


def test_before_a_load_the_newest_valid_file_is_read(servers):
    penguins = find_table("penguins", DATASETS_DIR)
    object_store.put_new("train", "train_penguins_1.csv", (SAMPLES / "train_penguins.csv").read_bytes())
    object_store.put_new("train", "train_penguins_2.csv", io.BytesIO(b"broken\n1\n"))
    data = data_report.report_data(penguins)
    assert data.source == "the file 'train_penguins_1.csv'"
    assert data.test is None
    assert len(data.rows) > 200


def test_rows_without_a_key_are_reported_on_without_their_ids(servers):
    sample = without_key(make_dataset(new_name()))
    object_store.put_new("train", f"train_{sample.name}.csv", csv_of([{}, {}, {"COUNT": "4"}]))
    waiting = data_report.report_data(sample)
    assert uploads.ingest(sample, f"train_{sample.name}.csv")["rows_loaded"] == 3
    loaded = data_report.report_data(sample)
    assert (waiting.source, loaded.source) == (f"the file 'train_{sample.name}.csv'", "the database")
    for data in (waiting, loaded):
        assert set(data.rows.columns) == set(sample.columns)
        assert sorted(data.rows["COUNT"]) == [3, 3, 4]


def test_labels_that_come_later_are_those_of_their_rows(servers):
    late = make_dataset(new_name(), label={"column": "LABEL", "positive": 1, "late": True})
    object_store.put_new(
        "train", f"train_{late.name}.csv", csv_bytes({"ID": "1", "LABEL": ""}, {"ID": "2", "LABEL": ""})
    )
    assert "No row has a label yet" in render_page(data_report.report_data(late))
    uploads.ingest(late, f"train_{late.name}.csv")
    assert "No row has a label yet" in render_page(data_report.report_data(late))
    object_store.put_new("train", f"labels/{late.name}.csv", b"ID,LABEL\n2,1\n")
    uploads.ingest(late, f"labels/{late.name}.csv")
    labels = data_report.report_data(late).rows.set_index("ID")["LABEL"]
    assert labels.isna().to_dict() == {1: True, 2: False}


def test_a_column_that_the_spec_has_and_the_tables_lack_is_missing(flights, tmp_path, without_pictures):
    text = (DATASETS_DIR / "flights.yaml").read_text(encoding="utf-8")
    text = text.replace("leaks: [", "leaks: [delay_reason, ", 1)
    text = text.replace("columns:\n", "columns:\n  seats: integer\n  delay_reason: category\n", 1)
    weather = (DATASETS_DIR / "weather.yaml").read_text(encoding="utf-8")
    (tmp_path / "flights.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "weather.yaml").write_text(weather.replace("columns:\n", "columns:\n  uv: number\n", 1), "utf-8")
    data = data_report.report_data(find_table("flights", tmp_path))
    assert data.source == "the database"
    for column in ("seats", "delay_reason", "weather__uv"):
        assert data.rows[column].isna().all()
    assert data.rows["distance"].notna().any()
    out = tmp_path / "flights.html"
    assert data_report.publish("flights", out, tmp_path) == f"{out} is written"


def test_the_features_of_a_table_without_rows_are_missing(flights, tmp_path):
    for name in ("flights", "weather"):
        text = (DATASETS_DIR / f"{name}.yaml").read_text(encoding="utf-8").replace("weather", "climate")
        (tmp_path / f"{name.replace('weather', 'climate')}.yaml").write_text(text, encoding="utf-8")
    data = data_report.report_data(find_table("flights", tmp_path))
    assert data.rows["climate__temp"].isna().all()


def test_without_an_event_time_loaded_rows_are_joined_as_of_their_load(servers):
    depots = FeatureTable.model_validate(
        {
            "kind": "table", "name": "depots", "description": "d", "entity": {"name": "depot", "key": "depot"},
            "event_time": "at", "columns": {"depot": "text", "at": "timestamp", "stock": "integer"},
        }
    )  # fmt: skip
    shops = Dataset.model_validate(
        {
            "name": "depotshops", "description": "d", "entity": {"name": "depotshop", "key": "shop"},
            "label": {"column": "y", "positive": 1}, "features_from": ["depots"],
            "columns": {"shop": "text", "depot": "text", "y": "integer"},
        }
    ).model_copy(update={"tables": (depots,)})  # fmt: skip
    for table, key, text in (
        (depots, "depots.csv", "depot,at,stock\nd,2020-01-01,1\n"),
        (shops, "train_depotshops.csv", "shop,depot,y\na,d,1\nb,d,0\n"),
    ):
        tables.ensure_tables(table)
        object_store.put_new("train", key, text.encode())
        assert uploads.ingest(table, key)["outcome"] == "loaded"
    assert list(data_report.report_data(shops).rows["depots__stock"]) == [1, 1]
    with transaction() as cursor:  # as if they had been loaded before there was a stock
        for schema in ("features", "labels"):
            cursor.execute(f"UPDATE {schema}.depotshops SET event_timestamp = '2019-01-01Z'")
    assert data_report.report_data(shops).rows["depots__stock"].isna().all()


def test_an_unknown_name_lists_the_existing_ones(servers):
    with pytest.raises(ConfigurationError, match=r"no 'nothing'.*auto"):
        data_report.publish("nothing")
