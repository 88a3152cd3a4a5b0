"""Markdown with texts of people in it."""

import pytest

from ml_platform.home.parts.document_text import tamed


@pytest.fixture(autouse=True)
def _screens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_URL", "http://localhost:5000")


def test_tables_and_links_to_our_screens_stay() -> None:
    text = "| **F1** | 0.6 |\n|---|---|\n\n[Its run](http://localhost:5000/#/runs/1)"
    assert tamed(text) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("![x](http://evil/p.png)", r"\!\[x]\(http://evil/p.png)"),
        ("[sure](http://evil)", r"[sure]\(http://evil)"),
        ("[x](http://localhost:5000.evil/)", r"[x]\(http://localhost:5000.evil/)"),
        ("[x](http://localhost:5000@evil/)", r"[x]\(http://localhost:5000@evil/)"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("![x](http://localhost:5000/p.png)", r"\!\[x](http://localhost:5000/p.png)"),
    ],
)
def test_pictures_html_and_links_elsewhere_are_plain_text(hostile: str, shown: str) -> None:
    assert tamed(hostile) == shown


def test_without_screens_no_link_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIRFLOW_URL", "MLFLOW_URL", "FEAST_URL", "CONSOLE_URL", "BUCKETS_URL", "ADMINER_URL"):
        monkeypatch.delenv(name, raising=False)
    assert tamed("[a](http://localhost:5000)") == r"[a]\(http://localhost:5000)"
