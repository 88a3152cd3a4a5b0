"""The configuration file of supervisord: supervisord reads the same values that were written."""

import getpass
import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from stack import marks
from stack.errors import StackError
from stack.runners.supervisor_config import LAUNCH, changed_settings, config_text, quoted
from stack.servers.node import Server

HOSTILE = {
    "PLAIN": "plain",
    "PERCENT": "100% sure %(here)s",
    "COMMA": "a b,c=d",
    "DOUBLE": 'say "hi" to',
    "SINGLE": "it's",
}


def server(name, tmp_path, **changes):
    fields = {"command": ("sleep", "60"), "environment": HOSTILE, "probe": lambda: None, "version": "1"}
    return Server(name, **(fields | {"directory": tmp_path} | changes))


def read(tmp_path, *servers):
    """Return supervisord's options, from a file with these servers."""
    text = config_text(servers, socket=tmp_path / "s.sock", pid_file=tmp_path / "s.pid", logs=tmp_path)
    (tmp_path / "supervisor.conf").write_text(text)
    options = ServerOptions()
    options.realize(["-c", str(tmp_path / "supervisor.conf")])
    return options


def test_supervisord_reads_every_program_with_its_environment(tmp_path):
    options = read(tmp_path, server("one", tmp_path), server("two", tmp_path, environment={"A": "1"}))
    programs = {group.name: group.process_configs[0] for group in options.process_group_configs}
    assert {name: program.environment for name, program in programs.items()} == {
        "one": HOSTILE | {marks.SERVER: "one"},
        "two": {"A": "1", marks.SERVER: "two"},
    }


def test_programs_restart_after_a_crash_and_are_stopped_with_their_children(tmp_path):
    program = read(tmp_path, server("one", tmp_path, stop_signal="INT")).process_group_configs[0].process_configs[0]
    assert program.autorestart
    assert not program.autostart
    assert program.stopasgroup
    assert program.killasgroup
    assert program.stopsignal.name == "SIGINT"


def test_a_command_with_spaces_stays_one_argument(tmp_path):
    options = read(tmp_path, server("one", tmp_path, command=("/bin/echo", "two words", "50%")))
    program = options.process_group_configs[0].process_configs[0]
    assert shlex.split(program.command) == [*LAUNCH, "/bin/echo", "two words", "50%"]


def test_our_program_becomes_the_user_of_a_server(tmp_path):
    """That user may not read our files."""
    options = read(tmp_path, server("one", tmp_path, user=getpass.getuser()))
    program = options.process_group_configs[0].process_configs[0]
    assert shlex.split(program.command) == [*LAUNCH, "sleep", "60"]
    assert program.uid is None
    assert program.environment[marks.USER] == getpass.getuser()


def test_each_program_has_a_log_of_its_own(tmp_path):
    options = read(tmp_path, server("one", tmp_path), server("two", tmp_path))
    logs = {group.process_configs[0].stdout_logfile for group in options.process_group_configs}
    assert logs == {str(tmp_path / "one.log"), str(tmp_path / "two.log")}


def test_the_socket_is_closed_to_other_users(tmp_path):
    (listener,) = read(tmp_path).server_configs
    assert (listener["file"], listener["chmod"]) == (str(tmp_path / "s.sock"), 0o700)


@pytest.mark.parametrize("value", HOSTILE.values())
def test_values_are_quoted(value):
    text = quoted(value)
    assert text[0] == text[-1]
    assert text[1:-1].replace("%%", "%") == value


@pytest.mark.parametrize("value", ['it\'s "so" x', "two\nlines", 'ends with "', "'begins with"])
def test_a_value_that_supervisord_cannot_read_is_refused(value):
    with pytest.raises(StackError, match="quotes, a line break") as error:
        config_text(
            [server("one", Path("/"), environment={"SECRET": value})], socket=Path("s"), pid_file=Path("p"), logs=Path()
        )
    assert value not in str(error.value)


def text_of(*servers):
    return config_text(servers, socket=Path("s"), pid_file=Path("p"), logs=Path("logs"))


def test_the_settings_that_a_restart_is_for_are_named_without_their_values(tmp_path):
    old = text_of(server("same", tmp_path), server("one", tmp_path), server("gone", tmp_path))
    changes = {"environment": {**HOSTILE, "PLAIN": "other", "NEW": "1"}, "stop_signal": "INT"}
    new = text_of(server("same", tmp_path), server("one", tmp_path, **changes), server("added", tmp_path))
    assert changed_settings(old, new) == {"one": ["NEW", "PLAIN", "stopsignal"]}


def test_equal_configurations_restart_nothing(tmp_path):
    text = text_of(server("one", tmp_path), server("two", tmp_path))
    assert changed_settings(text, text) == {}
