"""The file in the address is shown until it is settled, and why it waits."""

from datetime import timedelta

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.home.files import followed_file
from ml_platform.records import switches
from ml_platform.records.files import File
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.file_cases import LOADED, NOW, WAITING, Platform, button, drawn_with_file


def test_a_file_waits_because_its_dag_is_off(draw: Draw, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.found, platform.off = WAITING, True
    page = drawn_with_file(draw)
    assert page.warning[0].value == "ingest_penguins is switched off in Airflow, so the file waits."
    switched: list[str] = []
    monkeypatch.setattr(switches, "switch_on", switched.append)
    button(page, "Switch it on").click().run()
    assert switched == ["ingest_penguins"]
    assert platform.recorded == [("olga", "switch on a DAG", "ingest_penguins", "")]


def test_airflow_is_away_and_the_file_waits_long(
    draw: Draw, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(dag_id: str) -> bool:
        raise ServiceError("Airflow is not reachable")

    monkeypatch.setattr(switches, "is_off", fail)
    platform.found = File(**{**vars(WAITING), "uploaded_at": NOW - timedelta(minutes=2)})
    page = drawn_with_file(draw)
    assert page.code[0].value == "ingest_penguins: Airflow is not reachable"


def test_another_data_sets_file_is_not_shown(draw: Draw, platform: Platform) -> None:
    platform.found = LOADED
    for bucket, key in (("train", "train_auto.csv"), ("mlflow", "train_penguins"), ("train", "../train_penguins.csv")):
        page = drawn_with_file(draw, key, bucket)
        assert "Your file" not in [one.value for one in page.header]
        assert followed_file.KEY not in page.query_params
