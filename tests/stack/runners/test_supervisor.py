"""The supervisord of one stack: a private configuration, a socket with a short path, and its states."""

import contextlib
import os
import stat
import time
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from stack.logs import files
from stack.runners import embedded, supervisor, supervisor_config
from stack.servers.inventory import all_nodes
from stack.servers.node import Server, base_environment


def test_the_configuration_of_all_servers_is_private_and_supervisord_reads_it(config, monkeypatch):
    monkeypatch.setattr(supervisor, "_ensure_os_user", lambda name: None)
    servers = [node for node in all_nodes(config).values() if isinstance(node, Server) and not node.user]
    ours = supervisor.Supervisor(config)
    ours.write(servers)
    assert stat.S_IMODE(ours.conf.stat().st_mode) == 0o600
    for server in servers:  # supervisord opens the folders in its configuration
        server.directory.mkdir(parents=True, exist_ok=True)

    options = ServerOptions()
    options.realize(["-c", str(ours.conf)])
    programs = {group.name: group.process_configs[0] for group in options.process_group_configs}
    for server in servers:
        assert programs[server.name].environment == {**server.environment, "ML_PLATFORM_SERVER": server.name}


def test_the_socket_of_a_folder_with_a_long_path_is_elsewhere():
    assert supervisor.socket_path(Path("/short")) == Path("/short/supervisor.sock")
    deep = Path("/" + "deep/" * 40)
    assert len(str(supervisor.socket_path(deep))) < supervisor.LONGEST_SOCKET
    assert supervisor.socket_path(deep) != supervisor.socket_path(deep / "er")


def test_a_stack_that_never_ran_has_no_state(config):
    ours = supervisor.Supervisor(config)
    assert ours.pid() is None
    assert ours.states() == {}
    assert ours.processes() == []


@pytest.mark.parametrize("content", ["", "no number", "999999999"])
def test_a_pid_file_without_a_live_process_is_not_running(config, content):
    ours = supervisor.Supervisor(config)
    ours.state.mkdir()
    ours.pid_file.write_text(content)
    assert ours.pid() is None
    assert ours.states() == {}


def test_a_process_of_another_stack_is_not_our_supervisor(config):
    ours = supervisor.Supervisor(config)
    ours.state.mkdir()
    ours.pid_file.write_text(str(os.getpid()))
    assert ours.pid() is None


def test_the_folders_of_a_stack_are_closed_to_other_users(config):
    ours = supervisor.Supervisor(config)
    ours.write([])
    root = os.geteuid() == 0
    assert stat.S_IMODE(ours.state.stat().st_mode) == (0o711 if root else 0o700)
    assert stat.S_IMODE(ours.logs.stat().st_mode) == 0o700


def test_shutdown_of_a_stack_that_does_not_run_removes_its_socket(config):
    ours = supervisor.Supervisor(config)
    ours.write([])
    ours.socket.touch()
    ours.shutdown()
    assert not ours.socket.exists()


@pytest.mark.servers
@pytest.mark.parametrize("command", [("sleep", "60"), ("false",)], ids=["starts", "is restarted"])
def test_a_server_that_is_about_to_run_counts_as_running(config, command):
    def server(name):
        return Server(name, command, base_environment(config), probe=lambda: None, version="1")

    ours = supervisor.Supervisor(config)
    ours.ensure([server("begun"), server("not_begun")])
    try:
        ours.start("begun")
        assert embedded.running(config) == {"begun"}
        embedded.pause(config, ["begun"])
        assert embedded.running(config) == set()
    finally:
        ours.shutdown()


@pytest.mark.servers
def test_a_server_that_writes_without_end_does_not_fill_the_disk(config, monkeypatch):
    monkeypatch.setattr(supervisor_config, "LOG_MEGABYTES", 1)
    command = ("seq", "-f", "%0400.0f", "1000000000")
    chatty = Server("chatty", command, base_environment(config), probe=lambda: None, version="1")
    ours = supervisor.Supervisor(config)
    ours.ensure([chatty])
    oldest = ours.logs / f"chatty.log.{supervisor_config.LOG_BACKUPS}"
    try:
        ours.start("chatty")
        deadline = time.monotonic() + 30
        while is_first(oldest):  # then the first megabyte has been removed
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        ours.shutdown()
    sizes = [path.stat().st_size for path in ours.logs.glob("chatty.log*")]
    assert len(sizes) <= 1 + supervisor_config.LOG_BACKUPS
    assert sum(sizes) < 1.2e6 * (1 + supervisor_config.LOG_BACKUPS)
    numbers = [int(entry.text) for entry in files.entries(ours.logs, "chatty")][1:-1]  # the ends may be parts
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))  # no line is lost between two files


def is_first(path):
    with contextlib.suppress(FileNotFoundError, ValueError):  # not there yet, or it is being rotated
        return int(path.read_text().split("\n", 1)[0]) == 1
    return True
