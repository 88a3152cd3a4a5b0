"""`ml-platform demo`: what it starts, what it leaves running, and its exit codes. No server is used."""

import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.demo import run as run_demo
from ml_platform.commands.demo.run import open_source, run
from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from stack.errors import StackError


class Platform:
    """A platform of which these servers run."""

    def __init__(self, *running: str) -> None:
        self.servers = set(running)
        self.calls: list[str] = []

    def running(self, _: Any) -> set[str]:
        return self.servers

    def up(self, *_: Any) -> bool:
        self.calls.append("up")
        return True

    def down(self, _: Any) -> None:
        self.calls.append("down")


class Shown:
    """A demo that ends as `ends` says; `names` has the data sets."""

    names: list[str] = []  # noqa: RUF012
    ends: BaseException | None = None

    def __init__(self, config: Any, console: Any, what: Any) -> None:
        self.names.append(what if isinstance(what, str) else what.dataset_name)

    def run(self) -> None:
        if self.ends:
            raise self.ends


@pytest.fixture
def platform(config, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    found = Platform()
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "penguins.yaml").write_text((config.datasets_dir / "penguins.yaml").read_text())
    monkeypatch.setattr(run_demo, "load", lambda: config.model_copy(update={"datasets_dir": folder}))
    monkeypatch.setattr(run_demo, "runner", lambda _: found)
    monkeypatch.setattr(run_demo, "interrupt_on_terminate", lambda: None)
    monkeypatch.setattr(run_demo, "Demo", Shown)
    monkeypatch.setattr(run_demo, "SourceDemo", Shown)
    monkeypatch.setattr(Shown, "names", [])
    monkeypatch.setattr(Shown, "ends", None)
    return found


def test_the_demo_of_a_file_writes_no_spec(platform: Platform, tmp_path) -> None:
    assert run("auto") == 0
    assert (Shown.names, platform.calls) == (["auto"], ["up"])
    assert [path.name for path in (tmp_path / "specs").iterdir()] == ["penguins.yaml"]


def test_the_spec_is_written_before_the_stack_starts_what_it_needs(
    platform: Platform, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    path = tmp_path / "specs" / "sql_penguins.yaml"
    monkeypatch.setattr(platform, "up", lambda *_: path.exists())
    assert run("penguins", "sql") == 0
    assert Shown.names == ["sql_penguins"]
    out = " ".join(capsys.readouterr().out.split())
    assert "the stack is up " in f"{out} "
    assert "To undo it: ./ml-platform dataset remove sql_penguins" in out


@pytest.mark.parametrize(("running", "calls"), [([], ["up", "down"]), (["postgres"], ["up"])])
def test_an_interrupted_demo_stops_only_what_did_not_run_before(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, running: list[str], calls: list[str]
) -> None:
    monkeypatch.setattr(Shown, "ends", KeyboardInterrupt())
    platform.servers = set(running)
    assert run("auto") == 130
    assert platform.calls == calls


def test_an_error_is_named_and_exits_with_1(platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(Shown, "ends", StackError("a port is taken [1]"))
    assert run("auto") == 1
    assert "a port is taken [1]" in capsys.readouterr().out
    assert run("birds", "sql") == 1
    assert "there is no sample train_birds" in capsys.readouterr().out
    assert platform.calls == ["up"]


def test_a_package_that_is_missing_is_named(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ml_platform.commands.demo.sample_mongodb", raising=False)
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(ConfigurationError, match=r"the package pymongo is not installed; `make demo SOURCE=mongodb`"):
        open_source("mongodb", config, "penguins")


def test_the_command_names_the_kinds_of_source() -> None:
    result = CliRunner().invoke(app, ["demo", "penguins", "--source", "s3"])
    assert result.exit_code == 2
    for kind in run_demo.SOURCES:
        assert kind in result.stderr
