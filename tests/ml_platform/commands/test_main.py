"""The program `ml-platform`: its commands, its exit codes, and that it runs from any folder."""

import os
import subprocess

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from stack.config import ROOT


def run(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_help_lists_every_command():
    text = run("--help").output
    for command in ("dataset", "models", "demo", "eda"):
        assert f" {command} " in text


@pytest.mark.parametrize(
    "arguments", [("dataset", "draft"), ("dataset", "check", "--file", "x.csv"), ("dataset", "drop"), ("eda",)]
)
def test_a_mistake_in_the_command_exits_with_2(arguments):
    assert run(*arguments).exit_code == 2


def test_the_program_runs_from_any_folder_and_through_a_link(tmp_path):
    program = tmp_path / "mlp"
    program.symlink_to(ROOT / "ml-platform")
    done = subprocess.run([program, "dataset", "list"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "auto" in done.stdout


def test_the_specs_are_read_from_the_folder_that_the_settings_name(tmp_path):
    """`dataset remove` would else move another file than that of the DAGs."""
    (tmp_path / ".env").write_text(f"DATASETS_DIR={tmp_path / 'specs'}\n")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "auto.yaml").write_text((ROOT / "datasets" / "auto.yaml").read_text())
    environment = os.environ | {"ENV_FILE": str(tmp_path / ".env")}
    environment.pop("DATASETS_DIR", None)
    done = subprocess.run([ROOT / "ml-platform", "dataset", "list"], env=environment, capture_output=True, text=True)
    assert ("auto" in done.stdout, "penguins" in done.stdout) == (True, False)


@pytest.mark.slow
def test_a_report_without_servers_names_the_server_that_is_missing(tmp_path):
    (tmp_path / ".env").write_text("POSTGRES_PORT=9\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("S3_", "PLATFORM_"))}
    done = subprocess.run(
        [ROOT / "ml-platform", "eda", "auto"],
        env=clean | {"ENV_FILE": str(tmp_path / ".env")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Postgres" in done.stderr
    assert "Traceback" not in done.stderr
