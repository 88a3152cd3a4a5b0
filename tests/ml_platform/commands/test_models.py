"""`ml-platform models` against real servers: history and rollback, as a user types them."""

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from tests.ml_platform.promotion.champions import promoted, train
from tests.ml_platform.training.trainings import essentials

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def run(*arguments):
    return CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def shell(mlflow_server):
    """A model whose second version is live."""
    with essentials():
        train("shell", 0.0)
        train("shell")
    return "shell"


def test_a_rollback_is_reported_and_in_the_history(shell):
    done = run("rollback", shell, "--reason", "too many alarms")
    assert (done.exit_code, done.stdout) == (0, "shell: version 1 is live, 2 is the previous champion\n")
    lines = run("history", shell).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["version", "1", "2", "1"]
    assert lines[-1].rstrip().endswith("too many alarms")
    assert " now " in lines[-1]


def test_the_history_at_a_moment_is_one_period(shell):
    title, period = run("history", shell, "--at", "2999-12-31T23:59:59").stdout.splitlines()
    assert title.startswith("version")
    assert " now " in period


def test_before_the_first_model_nothing_was_live(shell):
    done = run("history", shell, "--at", "2020-01-01")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("shell: nothing was live at 2020-01-01T00:00:00")
    assert run("history", "nobody").stderr == "nobody: nothing was live yet\n"


def test_a_rollback_to_a_version_that_does_not_exist_is_an_error(shell):
    done = run("rollback", shell, "--reason", "x", "--to", "9")
    assert (done.exit_code, done.stderr) == (1, "shell: there is no version 9\n")


def test_a_rollback_needs_a_reason(shell):
    assert run("rollback", shell).exit_code == 2
    assert run("rollback", shell, "--reason", " ").stderr.startswith("shell: a rollback needs a reason")


def test_a_version_from_another_platform_is_accepted_with_a_reason(shell):
    promoted(shell)
    done = run("accept", shell, "3", "--reason", "it was good in the test environment")
    assert (done.exit_code, done.stdout) == (0, "shell: version 3 is live, 1 is the previous champion\n")
    assert run("accept", shell, "3", "--reason", "again").stderr.startswith("shell version 3 is already recorded")
    assert run("accept", shell, "3").exit_code == 2
