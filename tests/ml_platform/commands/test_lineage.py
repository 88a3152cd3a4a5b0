"""`ml-platform lineage` as it is typed; its answers are tested in tests/ml_platform/lineage."""

import json

import pytest
from typer.testing import CliRunner

from ml_platform.commands import lineage
from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from ml_platform.lineage import find
from ml_platform.lineage.chain import Chain, Model

CHAIN = Chain("auto", None, None, Model("auto", 3, None, None, []), None, ["its training was not recorded"])


def run(*arguments: str):
    return CliRunner().invoke(app, ["lineage", *arguments], catch_exceptions=False)


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "use_servers", lambda: None)


def test_a_result_or_an_entity_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "by_result", lambda text: CHAIN)
    monkeypatch.setattr(find, "by_entity", lambda name, key: CHAIN)
    lines = ["model         auto version 3", "note          its training was not recorded"]
    assert run("auto/a.csv").stdout.splitlines() == lines
    assert run("auto", "--entity", "7").stdout.splitlines() == lines
    assert json.loads(run("auto/a.csv", "--json").stdout)["model"]["version"] == 3


def test_what_is_not_found_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> Chain:
        raise ConfigurationError(f"no result is named {text!r}")

    monkeypatch.setattr(find, "by_result", fail)
    done = run("a.csv")
    assert (done.exit_code, done.stderr) == (1, "no result is named 'a.csv'\n")
