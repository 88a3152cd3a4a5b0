"""Helpers of the commands: exit codes, the addresses of the servers, and tables."""

import os

import pytest
import typer

from ml_platform.commands import support
from ml_platform.exceptions import ConfigurationError, PlatformError, RegistryError, ServiceError


@pytest.mark.parametrize("kind", [ConfigurationError, RegistryError, ServiceError, PlatformError])
def test_an_error_of_the_platform_is_printed_and_the_exit_code_is_1(capsys, kind) -> None:
    with pytest.raises(typer.Exit) as end, support.exit_on_error():
        raise kind("auto.yaml: label.column names 'x'")
    assert end.value.exit_code == 1
    assert capsys.readouterr() == ("", "auto.yaml: label.column names 'x'\n")


def test_any_other_error_is_a_bug_and_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), support.exit_on_error():
        raise KeyError("x")


def test_without_an_error_nothing_happens(capsys) -> None:
    with support.exit_on_error():
        pass
    assert capsys.readouterr() == ("", "")


def test_one_is_singular() -> None:
    assert support.counted(1, "row") == "1 row"
    assert support.counted(2000, "row") == "2,000 rows"
    assert support.counted(0, "entity", "entities") == "0 entities"


def test_the_addresses_come_from_the_settings_of_this_folder(monkeypatch, tmp_path) -> None:
    for name in list(os.environ):
        monkeypatch.setenv(name, os.environ[name])  # restores every variable at the end
    monkeypatch.delenv("S3_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    (tmp_path / ".env").write_text("S3_PORT=29000\n")
    support.use_servers()
    assert os.environ["S3_ENDPOINT_URL"] == "http://127.0.0.1:29000"
    assert "MLFLOW_TRACKING_URI" in os.environ


def test_addresses_that_are_in_the_environment_stay(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://objects.test")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    support.use_servers()
    assert os.environ["S3_ENDPOINT_URL"] == "http://objects.test"
    assert not (tmp_path / ".env").exists()


def test_a_table_keeps_each_row_on_one_line_and_shows_markup_as_text(capsys) -> None:
    support.print_table(("name", "reason"), [("auto", "[bold]not markup[/]"), ("flights", "x " * 60)])
    title, first, second = (line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert title.split() == ["name", "reason"]
    assert first.split(maxsplit=1) == ["auto", "[bold]not markup[/]"]
    assert second.split() == ["flights", *["x"] * 60]
