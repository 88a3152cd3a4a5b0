"""One vocabulary of commands, and a start on a machine that has only Python and make."""

import hashlib
import os
import re
import shutil
import subprocess

import pytest

from stack.config import ROOT

COMMANDS = ("up", "down", "status", "logs", "reset", "check", "test", "demo", "lint", "bench", "dataset", "eda")
CHOICES = ("ENV_FILE", "DATASETS_DIR", "KAFKA", "SOURCE")  # of the caller
UV_ON_PATH = {key: value for key, value in os.environ.items() if key not in CHOICES} | {"PATH": os.defpath}


@pytest.fixture
def project(tmp_path):
    """A folder with nothing but what the Makefile reads."""
    for name in ("Makefile", *(f"requirements-{name}.lock" for name in ("embedded", "sources", "dev"))):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder, *arguments):
    command = ["make", "-C", str(folder), *arguments]
    return subprocess.run(command, env=UV_ON_PATH, capture_output=True, text=True, check=False)


def program(folder, text):
    path = folder / "stand-in"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_help_lists_every_command(project):
    listed = make(project, "help").stdout
    assert [name for name in COMMANDS if not re.search(rf"^{name} ", listed, re.MULTILINE)] == []


def test_an_old_python_is_refused_before_anything_is_made(project):
    old = program(project, '[ "$1" = --version ] && echo Python 3.9.2 && exit; exit 1')
    done = make(project, "up", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed; this is Python 3.9.2" in done.stdout
    assert not (project / ".uv").exists()


def test_a_python_without_venv_names_the_package_to_install(project):
    bare = program(project, 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    done = make(project, "up", f"PYTHON={bare}", "UV=.uv/bin/uv")
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stdout


def test_development_packages_serve_the_demo_too(project):
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").touch()
    digest = subprocess.run(
        ["sha256sum", project / "requirements-dev.lock"], capture_output=True, text=True, check=True
    )
    (project / ".venv" / f".installed-dev-{digest.stdout[:16]}").touch()
    assert "pip sync" not in make(project, "-n", "demo", "UV=true").stdout
    (project / "requirements-dev.lock").write_text("changed\n")
    assert "pip sync" in make(project, "-n", "test", "UV=true").stdout


def installed(folder, *arguments):
    """Return the lock file from which a command would install."""
    said = make(folder, "-n", *arguments, "UV=true").stdout
    (name,) = re.findall(r"pip sync .* (requirements-\w+\.lock)$", said, re.MULTILINE)
    return name


def write_spec(folder, text):
    (folder / "datasets").mkdir()
    (folder / "datasets" / "orders.yaml").write_text(text)


def test_without_a_source_only_the_servers_are_installed(project):
    write_spec(project, "name: orders\ndescription: |\n  source: none\n")
    assert installed(project, "up") == installed(project, "up", "KAFKA=0") == "requirements-embedded.lock"


@pytest.mark.parametrize(
    "arguments", [["up", "KAFKA=1"], ["dataset", "FILE=a", "NAME=a", "SOURCE=kafka"], ["demo", "SOURCE=sql"]]
)
def test_whoever_asks_for_a_source_gets_its_packages(project, arguments):
    assert installed(project, *arguments) == "requirements-sources.lock"


def test_the_demo_passes_on_its_sample_and_its_source(project):
    said = make(project, "-n", "demo", "DATASET=penguins", "SOURCE=kafka", "UV=true").stdout
    assert './ml-platform demo penguins --source "kafka"\n' in said
    assert "--source" not in make(project, "-n", "demo", "UV=true").stdout


@pytest.mark.parametrize("option", ["source: {kind: kafka}", "stream: true", "alerts: {channels: {}}"])
def test_a_data_set_with_a_source_a_stream_or_alerts_brings_its_packages(project, option):
    write_spec(project, f"name: orders\n{option}\n")
    assert installed(project, "up") == "requirements-sources.lock"


def test_kafka_in_the_env_file_brings_its_packages(project):
    (project / ".env").write_text("KAFKA=1\n")
    assert installed(project, "up") == "requirements-sources.lock"
    assert installed(project, "up", "KAFKA=0") == "requirements-embedded.lock"


def test_packages_of_sources_stay_while_they_are_current(project):
    """A broker may run on them that another shell has asked for."""
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").touch()
    lock = project / "requirements-sources.lock"
    (project / ".venv" / f".installed-sources-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}").touch()
    assert "pip sync" not in make(project, "-n", "down", "UV=true").stdout
