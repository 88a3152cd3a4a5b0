"""What is found on this machine, without servers."""

import os
import shutil
import socket
from collections import namedtuple

import psutil
import pytest

from ml_platform.doctor import machine
from stack.runners import compose

Usage = namedtuple("Usage", "free")
Memory = namedtuple("Memory", "available")


def test_a_full_disk_and_a_full_memory_are_found(config, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(0.1e9))
    disk, memory = machine.little_space(config)
    assert disk.endswith("has 1.0 GB left")
    assert memory == "the machine has 0.1 GB of memory left"


def test_there_is_nothing_to_say_about_free_space(config, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(9e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(9e9))
    assert list(machine.little_space(config)) == []


def test_files_with_secrets_that_others_can_read_are_found(config, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    assert list(machine.open_secrets(config)) == []
    backup = tmp_path / "backups" / "2026" / ".env"
    backup.parent.mkdir(parents=True)
    backup.touch(mode=0o600)
    os.chmod(config.env_file, 0o644)  # noqa: PTH101 – the path may be replaced
    (problem,) = machine.open_secrets(config)
    assert problem == f"{config.env_file} has the mode 0644, so that others can read it: chmod 600 {config.env_file}"


@pytest.mark.sockets
def test_listeners_on_all_addresses_are_found(config, monkeypatch):
    monkeypatch.setattr(machine.processes, "stack_processes", lambda folder: [psutil.Process()])
    with socket.create_server(("127.0.0.1", 0)):
        assert [text for text in machine.open_ports(config) if "on 0.0" in text] == []
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 – what is to be found
        port = server.getsockname()[1]
        assert [text for text in machine.open_ports(config) if text.endswith(f"listens on 0.0.0.0, port {port}")]


def test_published_ports_of_containers_are_found(config, monkeypatch):
    ports = [{"URL": "127.0.0.1", "PublishedPort": 1}, {"URL": "0.0.0.0", "PublishedPort": 2}]  # noqa: S104
    entries = [{"Service": "a", "Publishers": [*ports, {"URL": "", "PublishedPort": 0}]}, {"Service": "b"}]
    monkeypatch.setattr(compose, "containers", lambda config: entries)
    found = machine.open_ports(config.model_copy(update={"target": "compose"}))
    assert list(found) == ["a listens on 0.0.0.0, port 2"]


def test_packages_that_differ_from_the_lock_file_are_found(config, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    lines = ["psutil==0.0.1 \\", "    --hash=sha256:0", "no-such-package==1", "other==1 ; python_version < '3'"]
    (tmp_path / machine.LOCK).write_text("\n".join([*lines, f"pytest=={pytest.__version__}"]))
    old, absent = machine.other_packages(config)
    assert old == f"psutil is {psutil.__version__}; the lock file says ==0.0.1"
    assert absent == "no-such-package is not installed; the lock file says ==1"
    assert list(machine.other_packages(config.model_copy(update={"target": "compose"}))) == []


def test_an_older_image_is_found(config, monkeypatch):
    monkeypatch.setattr(compose, "output", lambda config, *arguments: "abc")
    monkeypatch.setattr(machine, "revision", lambda folder: "def")
    found = machine.old_code(config.model_copy(update={"target": "compose"}))
    assert list(found) == ["the image is of the commit abc, this folder has def"]


def test_a_server_that_started_before_the_code_changed_is_found(config, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    (tmp_path / "plugins").mkdir()
    code = tmp_path / "plugins" / "a.py"
    code.touch()
    monkeypatch.setattr(machine.Supervisor, "pid", lambda self: 1)
    monkeypatch.setattr(machine, "main_process", lambda folder, name: psutil.Process() if name == "serving" else None)
    (problem,) = machine.old_code(config)
    assert problem == "serving runs older code: it started before the last change in plugins/"
    os.utime(code, (1, 1))
    assert list(machine.old_code(config)) == []
