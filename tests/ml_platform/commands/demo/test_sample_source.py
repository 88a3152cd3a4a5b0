"""What all sources of the demo share, on one that is a list."""

from collections.abc import Iterable

import pytest

from ml_platform.commands.demo.sample_source import Row, SampleSource, sample_rows, setting
from ml_platform.commands.samples import sample
from ml_platform.exceptions import ConfigurationError
from stack.airflow_api import Airflow


class Listed(SampleSource):
    kind = "kafka"
    spec = {"kind": "kafka", "topic": "demo-penguins"}  # noqa: RUF012
    place = "a list"

    def connect(self, airflow: Airflow) -> None: ...

    def count(self) -> int:
        return len(self.found)

    def add(self, first: int, rows: Iterable[Row]) -> None:
        assert first == len(self.found)
        self.found += rows

    found: list[Row] = []  # noqa: RUF012


@pytest.fixture
def listed(config) -> Listed:
    source = Listed(config, "penguins")
    source.found = []
    return source


def test_all_rows_are_added_once_and_in_their_order(listed: Listed) -> None:
    assert listed.fill() == 224
    assert listed.found == list(sample_rows(sample("train_penguins")))
    assert listed.fill() == 0
    assert len(listed.found) == 224


def test_after_an_interruption_the_rest_is_added(listed: Listed) -> None:
    listed.found += list(sample_rows(listed.path))[:100]
    assert listed.fill() == 124
    assert listed.found == list(sample_rows(listed.path))


def test_empty_cells_have_no_value(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("id,town\n1,\n,Kiel\n")
    assert list(sample_rows(tmp_path / "a.csv")) == [{"id": "1", "town": None}, {"id": None, "town": "Kiel"}]


def test_the_data_set_has_a_name_of_its_own(listed: Listed, tmp_path) -> None:
    (tmp_path / "specs").mkdir()
    text = (listed.config.datasets_dir / "penguins.yaml").read_text()
    (tmp_path / "specs" / "penguins.yaml").write_text(text)
    listed.config = listed.config.model_copy(update={"datasets_dir": tmp_path / "specs"})
    assert listed.write_spec() == tmp_path / "specs" / "kafka_penguins.yaml"
    assert listed.write_spec() is None


def test_only_a_sample_can_fill_a_source(config) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no sample train_churn"):
        Listed(config, "churn")


def test_a_setting_of_containers_is_in_the_environment_or_in_the_env_file(config, monkeypatch) -> None:
    assert setting(config, "COMPOSE_PROFILES") == ""
    config.env_file.write_text(config.env_file.read_text() + "COMPOSE_PROFILES=kafka\n")
    assert setting(config, "COMPOSE_PROFILES") == "kafka"
    monkeypatch.setenv("COMPOSE_PROFILES", "mongodb")
    assert setting(config, "COMPOSE_PROFILES") == "mongodb"
