"""How long Airflow's records are kept, as `stack` reads it; and the server, which runs only where it is said."""

from datetime import timedelta

import pytest

from stack.servers import airflow_cleanup
from stack.servers.airflow_cleanup import NAME, NOT_WANTED, kept
from stack.servers.inventory import all_nodes, optional


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("retention: {airflow: 90d}", timedelta(days=90)),
        ("retention: {airflow: 2w}", timedelta(days=14)),
        ("retention: {airflow: forever}", None),
        ("retention: {airflow: 6d}", None),
        ("retention: {results: 90d}", None),
        ("retention: 90d", None),
        ("- retention", None),
        ("[", None),
        ("", None),
    ],
)
def test_how_long_records_are_kept(tmp_path, text, expected):
    (tmp_path / "platform.yaml").write_text(text)
    assert kept(tmp_path) == expected


def test_without_the_option_there_is_no_server(config):
    assert kept(config.datasets_dir) is None
    assert NAME not in all_nodes(config)
    assert optional(config)[NAME] == NOT_WANTED


def test_the_server_has_airflow_s_login_and_no_key_of_tokens(config, tmp_path):
    (tmp_path / "platform.yaml").write_text("retention: {airflow: 90d}")
    config = config.model_copy(update={"datasets_dir": tmp_path})
    environment = all_nodes(config)[airflow_cleanup.NAME].environment
    assert environment["DATASETS_DIR"] == str(tmp_path)
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://airflow:")
    assert "AIRFLOW__API_AUTH__JWT_SECRET" not in environment
