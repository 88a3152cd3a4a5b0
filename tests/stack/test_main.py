"""The commands of `python -m stack`, as far as no server is needed; tests/stack/test_lifecycle.py starts real ones."""

import json
import signal

import pytest

from stack import __main__ as main
from stack.errors import NotHealthyError
from stack.runners import compose, embedded


@pytest.fixture(autouse=True)
def _signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def run(config, capsys, monkeypatch):
    """Run a command on a stack that has never run; return its exit code and its output without line breaks."""
    monkeypatch.setattr(main.console, "width", 200, raising=False)

    def command(*arguments):
        code = main.main(["--env-file", str(config.env_file), *arguments])
        return code, " ".join(capsys.readouterr().out.split())

    return command


def test_up_starts_all_servers_and_shows_where_they_are(run, config, monkeypatch):
    monkeypatch.setattr(embedded, "up", lambda config, only, report: report("postgres", "1.0 s") or True)
    code, output = run("up")
    assert "postgres 1.0 s Up after 0 s." in output
    assert config.screens()[0].url in output
    assert code == main.NOT_STARTED  # nothing runs, so the status after it is not good


def test_up_of_some_servers_shows_no_status(run, monkeypatch):
    wanted = []
    monkeypatch.setattr(embedded, "up", lambda config, only, report: wanted.extend(only))
    assert run("up", "--only", "postgres,,objects") == (0, "Already up.")
    assert wanted == ["postgres", "objects"]


def test_an_error_is_printed_without_a_traceback(run, monkeypatch):
    def fail(*_):
        raise NotHealthyError("postgres is not healthy [/tmp]")

    monkeypatch.setattr(embedded, "up", fail)
    assert run("up") == (1, "postgres is not healthy [/tmp]")


def test_an_interrupt_ends_with_its_own_exit_code(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "up", interrupt)
    assert run("up") == (130, "Interrupted.")


def test_down_names_the_folder_of_the_data(run, config):
    assert run("down") == (0, f"Down. The data stays in {config.state_dir}")


def test_status_of_a_stack_that_does_not_run(run):
    code, output = run("status")
    assert code == main.NOT_STARTED
    assert "mlflow not running" in output
    assert "mlflow: " not in output  # the table shows it already


def test_status_says_how_to_get_adminer(run, monkeypatch):
    monkeypatch.setattr(main, "absent", lambda config: {"adminer": "install PHP"})
    assert "adminer: not installed; install PHP" in run("status")[1]


def test_logs_shows_the_end_of_one_log_or_of_all(config, capfd):
    logs = config.state_dir / "logs"
    logs.mkdir(parents=True)
    (logs / "mlflow.log").write_text("first\nsecond\nthird\n")
    (logs / "postgres.log").write_text("of postgres\n")
    assert main.main(["--env-file", str(config.env_file), "logs", "mlflow", "-n", "2"]) == 0
    assert [line.split()[-1] for line in capfd.readouterr().out.splitlines()] == ["second", "third"]
    assert main.main(["--env-file", str(config.env_file), "logs"]) == 0
    shown = capfd.readouterr().out
    assert "third" in shown
    assert "of postgres" in shown


def test_a_log_that_does_not_exist_is_answered_with_the_names_of_the_others(run, config):
    assert run("logs", "mlflo") == (1, "There is no log of 'mlflo'. Logs: none yet")
    (config.state_dir / "logs").mkdir(parents=True)
    (config.state_dir / "logs" / "mlflow.log").touch()
    assert run("logs", "mlflo") == (1, "There is no log of 'mlflo'. Logs: mlflow, tasks")


def test_logs_shows_all_with_a_text_since_a_time_and_as_json(config, capsys):
    logs = config.state_dir / "logs"
    logs.mkdir(parents=True)
    lines = [
        {"timestamp": f"2026-11-30T0{hour}:00:00Z", "event": "loaded", "file": f"{hour}.csv"} for hour in (1, 2, 3)
    ]
    (logs / "serving.log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = ["--env-file", str(config.env_file), "logs", "serving"]
    assert main.main([*command, "--grep", "FILE=2"]) == 0
    assert capsys.readouterr().out == "2026-11-30T02:00:00.000Z serving                        loaded  file=2.csv\n"
    assert main.main([*command, "--since", "2026-11-30T02:30", "--json"]) == 0
    assert [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()] == ["3.csv"]
    assert main.main([*command, "--since", "soon"]) == 1
    assert "since=soon is neither a duration" in capsys.readouterr().out


def test_logs_of_containers_come_from_compose(config, capsys, monkeypatch):
    monkeypatch.setenv("TARGET", "compose")
    wanted = []

    def log_lines(config, *options):
        wanted.extend(options)
        yield "mlflow-1  | 2026-11-30T02:00:00.5Z second\n"
        yield "serving-1  | 2026-11-30T01:00:00.5Z first\n"

    monkeypatch.setattr(compose, "log_lines", log_lines)
    assert main.main(["--env-file", str(config.env_file), "logs", "--since", "2026-11-30"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["first", "second"]
    assert wanted == ["--since", "2026-11-30T00:00:00+00:00"]


def test_reset_needs_the_word_yes(run, config, monkeypatch):
    config.state_dir.mkdir()
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert run("reset") == (1, "Nothing was removed.")
    assert config.state_dir.exists()
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    assert run("reset") == (0, f"Removed {config.state_dir}")
    assert not config.state_dir.exists()


def test_reset_with_yes_does_not_ask(run, config, monkeypatch):
    config.state_dir.mkdir()
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))
    assert run("reset", "--yes")[0] == 0
    assert not config.state_dir.exists()


@pytest.mark.parametrize("command", ["up", "down", "status", "reset"])
def test_no_command_touches_the_containers(run, monkeypatch, command):
    monkeypatch.setenv("TARGET", "compose")
    for name in ("up", "down", "wipe"):
        monkeypatch.setattr(embedded, name, lambda *_: pytest.fail("called"))
    code, output = run(command)
    assert code == 1
    assert output.startswith(f"`{command}` is for the servers of this machine.")
    assert "docker compose up -d --wait" in output


def test_wrong_settings_are_reported(run, config):
    config.env_file.write_text("MLFLOW_PORT=high\n")
    code, output = run("status")
    assert code == 1
    assert "MLFLOW_PORT" in output
