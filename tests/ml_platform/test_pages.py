"""The addresses of pages; those that runbooks use are tested there."""

import pytest

from ml_platform.pages import PAGES, address

AIRFLOW = {"AIRFLOW_URL": "http://localhost:8082/", "MLFLOW_URL": "http://localhost:5000"}


@pytest.mark.parametrize(
    ("scheme", "target", "url"),
    [
        ("dag", "train_auto", "http://localhost:8082/dags/train_auto"),
        ("run", "train_auto/manual__2026-05-04T12:00:00+00:00", "http://localhost:8082/dags/train_auto/runs/manual__2026-05-04T12%3A00%3A00%2B00%3A00"),
        ("approvals", "train_auto/r1", "http://localhost:8082/dags/train_auto/runs/r1/required_actions"),
        ("screen", "mlflow", "http://localhost:5000"),
        ("versions", "auto", "http://localhost:8082/"),  # the environment names no home page
        ("screen", "postgres", "http://localhost:8082/"),
        ("bucket", "train/rejected", "http://localhost:8082/"),  # the environment names no console
    ],
)  # fmt: skip
def test_an_address_is_whole(scheme: str, target: str, url: str) -> None:
    assert address(AIRFLOW, scheme, target) == url


def test_no_target_leaves_its_page() -> None:
    for scheme in PAGES:
        assert "<" not in address(AIRFLOW, scheme, '"><script>')
