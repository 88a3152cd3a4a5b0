"""Supervisord's configuration: private, and read back as it was meant."""

import stat
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from stack import lifecycle, supervisor
from stack.errors import StackError
from stack.servers import Server, all_nodes, base_environment


def test_supervisord_reads_what_we_wrote(config, monkeypatch):
    monkeypatch.setattr(supervisor, "_ensure_os_user", lambda name: None)
    servers = [node for node in all_nodes(config).values() if isinstance(node, Server) and not node.user]
    ours = supervisor.Supervisor(config)
    ours.write(servers)
    assert stat.S_IMODE(ours.conf.stat().st_mode) == 0o600
    for server in servers:  # supervisord opens the folders that it is told
        server.directory.mkdir(parents=True, exist_ok=True)

    options = ServerOptions()
    options.realize(["-c", str(ours.conf)])
    understood = {group.name: group.process_configs[0] for group in options.process_group_configs}
    for server in servers:
        assert understood[server.name].environment == server.environment
        assert understood[server.name].autorestart
        assert not understood[server.name].autostart


@pytest.mark.parametrize("value", ["plain", "100% sure", "a b,c=d", 'say "hi"', "it's"])
def test_values_are_quoted(value):
    quoted = supervisor._quoted(value)
    assert quoted[0] == quoted[-1]
    assert quoted[1:-1].replace("%%", "%") == value


@pytest.mark.parametrize("value", ["'\"", "two\nlines"])
def test_what_supervisord_cannot_read_is_refused(value):
    with pytest.raises(StackError, match="quotes or a line break"):
        supervisor._quoted(value)


def test_a_deep_folder_gets_its_socket_elsewhere():
    assert supervisor._socket_path(Path("/short")) == Path("/short/supervisor.sock")
    deep = Path("/" + "deep/" * 40)
    assert len(str(supervisor._socket_path(deep))) < supervisor.LONGEST_SOCKET
    assert supervisor._socket_path(deep) != supervisor._socket_path(deep / "er")


def test_a_stack_that_never_ran_has_no_state(config):
    ours = supervisor.Supervisor(config)
    assert ours.pid() is None
    assert ours.states() == {}
    assert ours.processes() == []


@pytest.mark.servers
@pytest.mark.parametrize("command", [("sleep", "60"), ("false",)], ids=["starts", "is tried again"])
def test_a_server_that_is_about_to_run_counts_as_running(config, command):
    def server(name):
        return Server(name, command, base_environment(config), probe=lambda: None, version="1")

    ours = supervisor.Supervisor(config)
    ours.ensure([server("begun"), server("not_begun")])
    try:
        ours.start("begun")
        assert lifecycle.running(config) == {"begun"}
        lifecycle.pause(config, ["begun"])
        assert lifecycle.running(config) == set()
    finally:
        ours.shutdown()
