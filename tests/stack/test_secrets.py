"""`.env` from `.env.example`: new secrets, nothing of the user's lost, readable by its owner only."""

import base64
import os
import stat
import subprocess
import sys

import pytest

from stack import secrets

SCRIPT = secrets.EXAMPLE.with_name("stack") / "secrets.py"


@pytest.fixture
def example(tmp_path, monkeypatch):
    """A small example in place of the real one; return a function that writes it."""

    def write(text):
        (tmp_path / "example").write_text(text)

    monkeypatch.setattr(secrets, "EXAMPLE", tmp_path / "example")
    write("# the password\nDB_PASSWORD=\nPORT=5000\n")
    return write


@pytest.fixture
def env_file(tmp_path):
    return tmp_path / ".env"


def test_empty_values_of_the_example_become_secrets(example, env_file):
    secrets.ensure(env_file)
    values = secrets.read(env_file)
    assert list(values) == ["DB_PASSWORD", "PORT"]
    assert values["PORT"] == "5000"
    assert len(values["DB_PASSWORD"]) == 24
    assert env_file.read_text().startswith("# the password\n")


def test_the_variables_of_a_newer_example_are_added_at_the_end(example, env_file):
    secrets.ensure(env_file)
    before = env_file.read_text()
    example("DB_PASSWORD=\nPORT=5000\nTOKEN=\nHOST=here\n")
    secrets.ensure(env_file)
    assert env_file.read_text().startswith(before)
    assert list(secrets.read(env_file)) == ["DB_PASSWORD", "PORT", "TOKEN", "HOST"]
    assert secrets.read(env_file)["TOKEN"]


@pytest.mark.parametrize("line", ["DB_PASSWORD=mine", "DB_PASSWORD='mine'", ' DB_PASSWORD = "mine"'])
def test_a_value_of_the_user_stays(example, env_file, line):
    env_file.write_text(f"{line}\nPORT=1\n")
    secrets.ensure(env_file)
    assert env_file.read_text() == f"{line}\nPORT=1\n"
    assert secrets.read(env_file) == {"DB_PASSWORD": "mine", "PORT": "1"}


@pytest.mark.parametrize("line", ["DB_PASSWORD=", "DB_PASSWORD=''", "#DB_PASSWORD=mine"])
def test_an_empty_or_disabled_secret_is_filled(example, env_file, line):
    env_file.write_text(f"{line}\n")
    secrets.ensure(env_file)
    assert len(secrets.read(env_file)["DB_PASSWORD"]) == 24


def test_an_empty_variable_that_is_no_secret_stays_empty(example, env_file):
    env_file.write_text("PORT=\nOWN=\n")
    secrets.ensure(env_file)
    assert (secrets.read(env_file)["PORT"], secrets.read(env_file)["OWN"]) == ("", "")


def test_values_are_read_as_they_are_without_expansion(env_file):
    env_file.write_text("HOME_URL=${HOME}/x\nNAME='a b'\nNONE\n")
    assert secrets.read(env_file) == {"HOME_URL": "${HOME}/x", "NAME": "a b", "NONE": ""}


def test_the_file_is_private_from_its_first_moment_and_no_temporary_file_stays(example, env_file):
    secrets.ensure(env_file)
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert sorted(path.name for path in env_file.parent.iterdir()) == [".env", "example"]


def test_a_file_without_changes_is_not_written_again(example, env_file):
    secrets.ensure(env_file)
    before = env_file.stat()
    env_file.chmod(0o644)
    secrets.ensure(env_file)
    assert env_file.stat().st_ino == before.st_ino
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_secrets_are_random_and_safe_in_shells_and_urls():
    names = ("A_PASSWORD", "A_PASSWORD", "A_TOKEN", "A_SECRET_KEY")
    made = [secrets.random_secret(name) for name in names]
    assert len(set(made)) == len(made)
    assert all(secret.isalnum() for secret in made)
    assert [len(secret) for secret in made] == [24, 24, 64, 64]


def test_a_fernet_key_has_the_form_that_fernet_requires():
    assert len(base64.urlsafe_b64decode(secrets.random_secret("AIRFLOW_FERNET_KEY"))) == 32


def run(*arguments, **variables):
    """Run the script with a Python that sees no installed package."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), *arguments]
    environment = {"PATH": os.defpath, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_script_needs_no_packages_and_prints_no_secret(env_file):
    done = run(str(env_file))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Settings and secrets: {env_file} (readable by you only)\n"
    assert secrets.read(env_file)["PLATFORM_DB_PASSWORD"]


def test_the_script_takes_the_file_of_the_variable(env_file):
    assert run(ENV_FILE=str(env_file)).returncode == 0
    assert env_file.exists()
