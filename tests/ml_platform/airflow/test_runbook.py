"""A DAG's documentation: fields are filled in, and links lead to pages whose address the environment names."""

import pytest

from ml_platform.airflow.runbook import runbook

URLS = {
    "MLFLOW_URL": "http://localhost:5000/",
    "FEAST_URL": "http://localhost:8888",
    "CONSOLE_URL": "http://localhost:9001",
    "BUCKETS_URL": "http://localhost:9001/browser/",
    "ADMINER_URL": "http://localhost:8081/?pgsql=127.0.0.1%3A15432&username=reader&db=platform&ns=uploads&select=ledger&order%5B0%5D=claimed_at&desc%5B0%5D=1",
}


@pytest.fixture(autouse=True)
def no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in URLS:
        monkeypatch.delenv(variable, raising=False)


def test_fields_are_filled_in_and_other_braces_stay() -> None:
    text = runbook('Load {name}, such as {"INDEX": 1}, {}, {NAME}.', name="auto")
    assert text == 'Load auto, such as {"INDEX": 1}, {}, {NAME}.'


def test_a_field_may_hold_a_link() -> None:
    assert runbook("{next_step}", next_step="[train](dag:train_auto)") == "[train](/dags/train_auto)"


def test_a_field_that_is_not_given_is_an_error() -> None:
    with pytest.raises(KeyError, match="names"):
        runbook("Load {names}.", name="auto")


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("bucket:train", "http://localhost:9001/browser/train/"),
        ("bucket:train/processed", "http://localhost:9001/browser/train/processed/"),
        ("experiment:{name}", "http://localhost:5000/#/experiments?experimentSearchFilter=auto"),
        ("model:{name}", "http://localhost:5000/#/models/auto"),
        ("feast:{name}", "http://localhost:8888/p/ml_platform/feature-view/auto"),
        (
            "table:models.decisions",
            "http://localhost:8081/?pgsql=127.0.0.1%3A15432&username=reader&db=platform&ns=models&select=decisions",
        ),
        ("dag:test_{name}", "/dags/test_auto"),
    ],
)
def test_a_link_leads_to_the_page(monkeypatch: pytest.MonkeyPatch, target: str, url: str) -> None:
    for variable, address in URLS.items():
        monkeypatch.setenv(variable, address)
    assert runbook(f"see [the `page`]({target}).", name="auto") == f"see [the `page`]({url})."


@pytest.mark.parametrize("scheme", ["bucket", "experiment", "model", "feast", "table"])
def test_without_an_address_only_the_text_stays(scheme: str) -> None:
    assert runbook(f"see [the `page`]({scheme}:auto).") == "see the `page`."


def test_a_bucket_without_an_address_of_its_folders_leads_to_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_URL", URLS["CONSOLE_URL"])
    assert runbook("[results](bucket:result/auto)") == "[results](http://localhost:9001)"


def test_other_links_stay() -> None:
    text = "[Airflow](https://airflow.apache.org) and [a heading](#how)"
    assert runbook(text) == text
