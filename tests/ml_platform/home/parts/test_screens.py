"""Links to the other screens have whole addresses, and their labels no effect."""

import pytest
from streamlit.testing.v1 import AppTest


def _script() -> None:
    from ml_platform.home.parts import screens

    screens.show(("DAG ingest_a_b", "dag", "ingest_a_b"), ("bucket [x](y)", "bucket", "train"))


def test_each_link_names_its_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_URL", "http://localhost:8082")
    monkeypatch.setenv("BUCKETS_URL", "http://localhost:9001/files?path=/buckets/")
    page = AppTest.from_function(_script).run()
    assert page.markdown[0].value == (
        ":small[For engineers: [DAG ingest\\_a\\_b](http://localhost:8082/dags/ingest_a_b)"
        " · [bucket \\[x\\]\\(y\\)](http://localhost:9001/files?path=/buckets/train/)]"
    )
