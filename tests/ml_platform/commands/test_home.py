"""`ml-platform home`: users are written to `.env`, with the hashes of their passwords only."""

import json

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.home import passwords
from stack import secrets

PASSWORD = "correct horse"


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    return tmp_path / ".env"


def run(*arguments, typed=""):
    return CliRunner().invoke(app, ["home", *arguments], input=typed)


def users(env_file):
    return json.loads(secrets.read(env_file)["HOME_USERS"]) if env_file.exists() else {}


def test_a_user_is_added_changed_listed_and_removed(env_file):
    done = run("add-user", "anna", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "anna is viewer" in done.stdout
    kept = users(env_file)["anna"]
    assert kept["role"] == "viewer"
    assert passwords.matches(PASSWORD, kept["password"])
    assert PASSWORD not in env_file.read_text()
    assert run("add-user", "anna", "--role", "operator", "--password", PASSWORD).exit_code == 0
    lines = run("users").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["user", "role"], ["admin", "operator,"], ["anna", "operator"]]
    assert run("remove-user", "anna").exit_code == 0
    assert users(env_file) == {}


def test_the_other_settings_stay(env_file):
    secrets.ensure(env_file)
    before = secrets.read(env_file)
    run("add-user", "anna", "--password", PASSWORD)
    after = secrets.read(env_file)
    assert {name: after[name] for name in before if name != "HOME_USERS"} == {
        name: value for name, value in before.items() if name != "HOME_USERS"
    }
    assert env_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["add-user", "an na", "--password", PASSWORD], "a name has letters"),
        (["add-user", "admin", "--password", PASSWORD], "is the administrator"),
        (["add-user", "anna", "--password", "short"], "at least 8 characters"),
        (["add-user", "anna", "--role", "boss", "--password", PASSWORD], "boss"),
        (["remove-user", "anna"], "there is no user 'anna'; there are: none"),
    ],
)
def test_a_mistake_changes_nothing(env_file, arguments, problem):
    done = run(*arguments)
    assert done.exit_code != 0
    assert problem in " ".join(done.output.replace("│", " ").split())
    assert users(env_file) == {}
