"""What the command prints, and its exit code."""

import json

import pytest
from typer.testing import CliRunner

from ml_platform.commands import doctor as command
from ml_platform.commands import main
from ml_platform.doctor.check import Diagnosis, Finding
from stack.errors import StackError

HEALTHY = Diagnosis(("buckets exist",), (), {})
ILL = Diagnosis(("ports",), (Finding("buckets exist", "no train", "make it"),) * 2, {"models": "needs mlflow"})


@pytest.fixture
def doctor(config, monkeypatch):
    """Return a function that runs the command on a platform with this diagnosis."""
    monkeypatch.setenv("ENV_FILE", str(config.env_file))

    def run(diagnosis, *arguments):
        monkeypatch.setattr(command, "examine", lambda config: diagnosis)
        return CliRunner().invoke(main.app, ["doctor", *arguments], catch_exceptions=False)

    return run


def test_a_healthy_platform_has_exit_code_0(doctor):
    done = doctor(HEALTHY)
    assert (done.exit_code, done.stdout) == (0, "ok         buckets exist\n\nNo problem was found.\n")


def test_problems_are_shown_once_per_check_with_what_to_do(doctor):
    done = doctor(ILL)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        *("ok         ports", "unchecked  models: needs mlflow", "PROBLEM    buckets exist"),
        *("             no train", "             no train", "           To fix it: make it.", "", "2 problems."),
    ]


def test_programs_get_json(doctor):
    done = doctor(ILL, "--json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert (answer["healthy"], answer["passed"], answer["skipped"]) == (False, ["ports"], {"models": "needs mlflow"})
    assert answer["findings"][0] == {"check": "buckets exist", "problem": "no train", "fix": "make it"}


def test_without_docker_the_reason_is_all_that_is_shown(doctor, monkeypatch):
    def fail(config):
        raise StackError("The program `docker` is not installed here.")

    doctor(HEALTHY)
    monkeypatch.setattr(command, "examine", fail)
    done = CliRunner().invoke(main.app, ["doctor"])
    assert (done.exit_code, done.stderr) == (1, "The program `docker` is not installed here.\n")
