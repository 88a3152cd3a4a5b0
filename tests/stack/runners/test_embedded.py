"""Up and down on this machine, as far as no server is needed; tests/stack/test_lifecycle.py starts real ones."""

import os
import subprocess
import sys
from unittest.mock import Mock

import psutil
import pytest

from stack import marks
from stack.errors import PortTakenError, StackError
from stack.runners import embedded
from stack.runners.startup import Startup
from stack.runners.supervisor import Supervisor
from stack.servers.node import Server, Step, base_environment


@pytest.fixture
def process(config):
    """A process of the stack that no supervisor started."""
    command = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"]
    with subprocess.Popen(command, env=base_environment(config), stdout=subprocess.PIPE) as started:
        started.stdout.readline()
        yield started
        started.kill()


@pytest.fixture
def supervisor(monkeypatch):
    """Let a stand-in take the place of supervisord; return the names of its calls, with their arguments."""
    calls = []

    class StandIn(Supervisor):
        def pid(self):
            return None

        def ensure(self, servers):
            calls.append(("ensure", len(list(servers))))
            return True

        def start(self, name):
            calls.append(("start", name))

        def stop(self, names):
            calls.append(("stop", sorted(names)))

        def shutdown(self):
            calls.append(("shutdown",))

        def kill_orphans(self):
            calls.append(("kill_orphans",))

    monkeypatch.setattr(embedded, "Supervisor", StandIn)
    return calls


@pytest.mark.sockets
def test_a_taken_port_is_reported_before_anything_starts(config, monkeypatch, supervisor):
    monkeypatch.setattr(embedded.ports, "_user_of", lambda port, ours: "another program")
    with pytest.raises(PortTakenError, match="set POSTGRES_PORT to a free one"):
        embedded.up(config, ["postgres"])
    assert supervisor == []
    assert not config.state_dir.exists()


@pytest.mark.sockets
def test_only_the_named_servers_and_their_needs_start(config, monkeypatch, supervisor):
    started = []
    monkeypatch.setattr(embedded.ports, "check", lambda needed, ours: started.extend(needed))
    monkeypatch.setattr(Startup, "run", lambda self, nodes: started.extend(nodes))
    assert embedded.up(config, ["dbinit"]) is True
    assert started == ["POSTGRES_PORT", "postgres", "dbinit"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mongo", "there is no server 'mongo'; there are: postgres, objects, "),
        ("stream", "stream cannot be started: no data set says `stream: true`"),
    ],
)
def test_a_server_that_is_not_there_is_named_before_anything_starts(config, supervisor, name, said):
    with pytest.raises(StackError, match=said):
        embedded.up(config, ["postgres", name])
    assert supervisor == []


def test_an_interrupted_first_start_stops_everything_again(config, monkeypatch, supervisor):
    def interrupt(self, nodes):
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded.ports, "check", lambda needed, ours: None)
    monkeypatch.setattr(Startup, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        embedded.up(config, [])
    assert [call[0] for call in supervisor] == ["ensure", "stop", "stop", "shutdown"]


def test_servers_that_need_others_stop_first(config, supervisor):
    embedded.down(config)
    (_, first), (_, rest), last = supervisor
    assert "mlflow" in first
    assert not {"postgres", "objects"} & set(first)
    assert {"postgres", "objects"} <= set(rest)
    assert last == ("shutdown",)


def test_a_pause_stops_the_servers_and_then_their_tasks(config, supervisor):
    embedded.pause(config, ["airflow-scheduler"])
    assert supervisor == [("stop", ["airflow-scheduler"]), ("kill_orphans",)]


def test_a_pause_of_nothing_stops_nothing(config, supervisor):
    embedded.pause(config, [])
    assert supervisor == []


def test_resume_starts_all_before_it_waits_for_one(config, monkeypatch, supervisor):
    monkeypatch.setattr(Startup, "wait_until_healthy", lambda self, server: supervisor.append(("wait", server.name)))
    embedded.resume(config, ["objects", "mlflow"])
    assert supervisor == [("start", "objects"), ("start", "mlflow"), ("wait", "objects"), ("wait", "mlflow")]


def test_nothing_runs_before_the_first_start(config):
    assert embedded.running(config) == set()


def test_a_server_without_a_healthy_probe_is_not_up(config):
    def server(name, problem):
        return Server(name, (), {}, probe=lambda: problem, version="1")

    nodes = {"good": server("good", None)}
    assert embedded._all_healthy(nodes, {"good"})
    assert not embedded._all_healthy(nodes, set())
    assert not embedded._all_healthy(nodes | {"bad": server("bad", "broken")}, {"good", "bad"})


def test_up_goes_on_until_every_step_is_done():
    def server(name, done):
        step = Step(f"{name}-setup", (), {}, is_done=lambda: done)
        return Server(name, (), {}, probe=lambda: None, version="1", setup=step)

    assert embedded._all_done({"a": Step("a", (), {}, is_done=lambda: True), "b": server("b", done=True)})
    assert not embedded._all_done({"a": Step("a", (), {}, is_done=lambda: False), "b": server("b", done=True)})
    assert not embedded._all_done({"b": server("b", done=False)})


@pytest.fixture
def restart(monkeypatch):
    """Return a function that restarts a server because of a change; it returns what is said, and the waits."""
    monkeypatch.setattr(embedded.time, "sleep", lambda seconds: None)

    def of(changed, *work, live=("store", "worker", "page")):
        left = list(work)

        def in_flight():
            return left.pop(0) if left else []

        def server(name, **fields):
            return Server(name, (), {}, probe=lambda: None, version="1", **fields)

        class Changed:
            def states(self):
                return dict.fromkeys(live, "RUNNING")

            def changed_settings(self, servers):
                return changed

        worker = server("worker", needs=("store",), in_flight=in_flight)
        nodes = {"store": server("store"), "worker": worker, "page": server("page", needs=("store",))}
        said = []
        embedded._prepare_restarts(Changed(), nodes, lambda *event: said.append(" ".join(event)))
        return said, len(work) - len(left)

    return of


def test_without_a_change_nothing_is_said_and_nothing_awaited(restart):
    assert restart({}, ["a.load"]) == ([], 0)


def test_a_restart_is_said_with_its_reason_and_waits_for_the_work_that_it_would_interrupt(restart):
    said, waits = restart({"store": ["S3_PORT", "command"]}, ["a.load", "b.score"], ["b.score"], ["b.score"])
    assert said == [
        "store is restarted, because settings have changed: S3_PORT, command",
        "waiting for work in flight: a.load, b.score",
        "waiting for work in flight: b.score",
    ]
    assert waits == 3


def test_a_restart_that_interrupts_nothing_waits_for_nothing(restart):
    assert restart({"page": ["PORT"]}, ["a.load"]) == (["page is restarted, because settings have changed: PORT"], 0)


def test_a_server_that_does_not_run_is_not_restarted(restart):
    assert restart({"store": ["PORT"]}, ["a.load"], live=("page",)) == ([], 0)


def test_work_that_takes_too_long_is_interrupted(restart, monkeypatch):
    monkeypatch.setattr(embedded, "WAIT_FOR_WORK", -1)
    assert restart({"store": ["PORT"]}, ["a.load"])[1] == 1


def test_a_server_that_is_stopped_for_good_is_said_with_its_reason():
    class Running:
        def states(self):
            return {"page": "RUNNING", "old": "RUNNING", "stopped": "STOPPED", "store": "RUNNING"}

    said = []
    nodes = {"store": Server("store", (), {}, probe=lambda: None, version="1")}
    reasons = {"page": "nothing asks for it"}
    embedded._report_removals(Running(), nodes, reasons, lambda *event: said.append(" ".join(event)))
    assert said == [
        "page is stopped, because nothing asks for it",
        "old is stopped, because this version does not have it",
    ]


def test_a_server_that_is_not_there_has_a_reason(config, monkeypatch):
    monkeypatch.setattr(embedded, "absent", lambda config: {"page": "install PHP"})
    assert embedded._reasons(config) == {
        "page": "it cannot run here; install PHP",
        "kafka": "no data set has it as its source, and KAFKA is not 1",
        "stream": "no data set says `stream: true`",
        "alerts": "datasets/platform.yaml names no channel for alerts",
        "airflow-cleanup": "datasets/platform.yaml has no `retention.airflow`",
        "metrics": "METRICS is not 1",
        "airflow-metrics": "AIRFLOW__METRICS__STATSD_ON is not True",
        "backup": "datasets/platform.yaml has no `backup`",
    }


def test_a_server_that_cannot_run_stops_no_other_one(config, monkeypatch, supervisor):
    monkeypatch.setattr(embedded.ports, "check", lambda needed, ours: None)
    monkeypatch.setattr(Startup, "run", lambda self, nodes: None)
    check = Mock(side_effect=StackError("it is not installed"))
    bad = Server("bad", (), {}, probe=lambda: None, version="1", check=check)
    good = Server("good", (), {}, probe=lambda: None, version="1")
    monkeypatch.setattr(embedded, "all_nodes", lambda config: {"bad": bad, "good": good})
    with pytest.raises(StackError, match="not installed"):
        embedded.up(config, [])
    assert supervisor == []
    embedded.up(config, ["good"])
    assert supervisor == [("ensure", 2)]


def test_down_ends_every_process_of_the_stack_and_keeps_the_data(config, process):
    config.state_dir.mkdir()
    (config.state_dir / "data").touch()
    assert psutil.Process(process.pid).environ()[marks.STATE] == str(config.state_dir)
    embedded.down(config)
    assert not psutil.pid_exists(process.pid)
    assert (config.state_dir / "data").exists()


def test_wipe_removes_the_data_and_can_be_repeated(config, process):
    config.state_dir.mkdir()
    (config.state_dir / "data").touch()
    embedded.wipe(config)
    assert not psutil.pid_exists(process.pid)
    assert not config.state_dir.exists()
    embedded.wipe(config)


def test_postgres_programs_log_in_as_the_superuser_by_their_environment(config):
    command, environment = embedded.postgres_program(config, "pg_dump", "--format=custom", "feast")
    password = config.postgres_superuser_password.get_secret_value()
    assert os.access(command[0], os.X_OK)
    assert command[1:] == ["--format=custom", "feast"]
    assert (environment["PGUSER"], environment["PGPASSWORD"]) == ("postgres", password)
    assert (environment["PGHOST"], environment["PGPORT"]) == ("127.0.0.1", str(config.postgres_port))
    assert password not in " ".join(command)


def node(name, needs=(), problem=None):
    return Server(name, ("true",), {}, lambda: problem, "1", needs=needs)


def test_a_server_that_only_lacks_another_one_is_no_problem_of_its_own(config, monkeypatch):
    nodes = {
        "stopped": node("stopped"),
        "waiting": node("waiting", needs=("stopped",), problem="no answer"),
        "also stopped": node("also stopped", needs=("stopped",)),
        "ill": node("ill", problem="it is full"),
        "healthy": node("healthy"),
    }
    states = dict.fromkeys(("waiting", "ill", "healthy"), "RUNNING") | {"stopped": "STOPPED"}
    monkeypatch.setattr(embedded, "all_nodes", lambda config: nodes)
    monkeypatch.setattr(Supervisor, "states", lambda self: states)
    problems = {"stopped": "STOPPED", "also stopped": "not running", "ill": "it is full"}
    assert embedded.problems(config) == problems


def test_a_server_is_unhealthy_only_at_two_looks_in_a_row(monkeypatch):
    monkeypatch.setattr(embedded, "SECOND_LOOK", 0.01)
    looks = {"slow": ["timed out", None], "ill": ["it is full", "it is full"], "healthy": [None], "stopped": []}
    servers = [Server(name, ("true",), {}, lambda left=left: left.pop(0), "1") for name, left in looks.items()]
    states = dict.fromkeys(("slow", "ill", "healthy"), "RUNNING") | {"stopped": "STOPPED"}
    found = {"slow": None, "ill": "it is full", "healthy": None, "stopped": "STOPPED"}
    assert embedded.look(servers, states) == found


def test_a_step_of_a_start_is_in_use_and_what_a_server_left_is_not(config, process, monkeypatch):
    monkeypatch.setattr(Supervisor, "pid", lambda self: None)
    assert embedded.is_in_use(config)
    process.kill()
    process.wait()
    environment = {**base_environment(config), marks.SERVER: "airflow-scheduler"}
    command = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as left:
        left.stdout.readline()
        assert not embedded.is_in_use(config)
        left.kill()
