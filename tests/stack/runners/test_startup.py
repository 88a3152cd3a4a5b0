"""One start: the order of needs, steps with their logs, and the end of all waiting after a failure."""

import os
import socket
import sys
import threading
import time

import pytest

from stack.errors import NotHealthyError, PortTakenError
from stack.runners.startup import Startup, tail
from stack.servers.node import Server, Step


class Supervisor:
    """A supervisor that records the names of started programs; their state is RUNNING unless set otherwise."""

    def __init__(self, logs):
        self.logs = logs
        self.started = []
        self.failed = {}

    def start(self, name):
        self.started.append(name)

    def process_ids(self):
        return set()

    def states(self):
        return dict.fromkeys(self.started, "RUNNING") | self.failed


@pytest.fixture
def supervisor(tmp_path):
    return Supervisor(tmp_path)


def server(name, *, needs=(), probe=lambda: None, **fields):
    return Server(name, ("true",), {}, probe=probe, version="1", needs=needs, **fields)


def step(name, code, *, needs=(), **fields):
    return Step(name, (sys.executable, "-c", code), {}, needs=needs, **fields)


def run(supervisor, *nodes):
    events = []
    Startup(supervisor, lambda name, event: events.append(name)).run({node.name: node for node in nodes})
    return events


def test_a_server_starts_after_those_that_it_needs(supervisor):
    nodes = [server("screen", needs=("api",)), server("api", needs=("store",)), server("store")]
    assert run(supervisor, *nodes) == ["store", "api", "screen"]
    assert supervisor.started == ["store", "api", "screen"]


def test_independent_servers_start_side_by_side(supervisor):
    both = threading.Barrier(2, timeout=5)  # each waits until the other is there too

    def meet():
        both.wait()

    assert set(run(supervisor, server("a", prepare=meet), server("b", prepare=meet))) == {"a", "b"}


def test_a_server_is_up_when_its_probe_finds_no_problem(supervisor):
    problems = iter(["starting", "starting", None])
    assert run(supervisor, server("slow", probe=lambda: next(problems, None))) == ["slow"]
    assert next(problems, "all used") == "all used"


def test_a_server_that_became_slow_while_others_started_is_waited_for(supervisor):
    problems = iter([None, "timed out", "timed out"])
    run(supervisor, server("first", probe=lambda: next(problems, None)), server("second", needs=("first",)))
    assert next(problems, "all used") == "all used"


def test_a_server_in_its_first_second_is_not_up_yet(supervisor):
    states = iter(["STARTING", "STARTING", "RUNNING"])
    supervisor.states = lambda: {"a": next(states, "RUNNING")}
    assert run(supervisor, server("a")) == ["a"]
    assert next(states, "all used") == "all used"


@pytest.mark.sockets
@pytest.mark.parametrize("answer", [None, "403"], ids=["its answer looks right", "its answer is wrong"])
def test_a_stranger_that_took_a_port_after_the_first_check_is_named(supervisor, answer):
    """It may even answer as our server would."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        node = server("mlflow", ports={"MLFLOW_PORT": stranger.getsockname()[1]}, probe=lambda: answer)
        with pytest.raises(PortTakenError, match=f"is taken by process {os.getpid()}"):
            run(supervisor, node)


def test_preparation_comes_before_the_start_and_the_set_up_after_it(supervisor, tmp_path):
    order = []
    node = server(
        "objects",
        prepare=lambda: order.append(("prepare", list(supervisor.started))),
        setup=step("objects-setup", "print('buckets made')", after=lambda: order.append("set up")),
        probe=lambda: order.append("probe"),
    )
    run(supervisor, node)
    assert order == [("prepare", []), "set up", "probe", "probe"]  # at last all servers are looked at together
    assert (tmp_path / "objects-setup.log").read_text() == "buckets made\n"


def test_a_failure_names_the_server_and_shows_the_end_of_its_log(supervisor, tmp_path):
    supervisor.failed = {"bad": "FATAL"}
    (tmp_path / "bad.log").write_text("no_such_setting\n")
    with pytest.raises(NotHealthyError) as error:
        run(supervisor, server("bad", probe=lambda: "connection refused"))
    assert "bad is not healthy (FATAL: connection refused)" in str(error.value)
    assert str(tmp_path / "bad.log") in str(error.value)
    assert "no_such_setting" in str(error.value)


def test_a_server_that_exceeds_its_timeout_is_reported(supervisor):
    with pytest.raises(NotHealthyError, match=r"slow is not healthy \(RUNNING: not yet\)"):
        run(supervisor, server("slow", probe=lambda: "not yet", timeout=0))


def test_after_a_failure_nothing_else_starts_and_no_thread_waits(supervisor):
    supervisor.failed = {"bad": "FATAL"}
    began = time.monotonic()
    nodes = [
        server("bad", probe=lambda: "broken"),
        server("waits", probe=lambda: "not yet"),
        server("later", needs=("bad",)),
    ]
    with pytest.raises(NotHealthyError, match="bad is not healthy"):
        run(supervisor, *nodes)
    assert "later" not in supervisor.started
    assert time.monotonic() - began < 10


def test_after_a_failure_running_steps_are_stopped(supervisor):
    began = time.monotonic()
    with pytest.raises(NotHealthyError, match="The step bad failed"):
        run(supervisor, step("bad", "raise SystemExit(3)"), step("long", "import time; time.sleep(60)"))
    assert time.monotonic() - began < 10


def test_a_step_that_fails_shows_its_exit_code_and_its_output(supervisor):
    with pytest.raises(NotHealthyError, match=r"The step bad failed \(3\)\.(.|\n)*no database"):
        run(supervisor, step("bad", "print('no database'); raise SystemExit(3)"))


def test_a_step_that_exceeds_its_timeout_is_stopped(supervisor):
    began = time.monotonic()
    with pytest.raises(NotHealthyError, match="stopped after at most 0 s"):
        run(supervisor, step("long", "import time; time.sleep(60)", timeout=0))
    assert time.monotonic() - began < 10


def test_a_step_that_is_done_does_not_run_again(supervisor, tmp_path):
    assert run(supervisor, step("done", "raise SystemExit(1)", is_done=lambda: True)) == ["done"]
    assert not (tmp_path / "done.log").exists()


def test_after_runs_only_after_a_successful_step(supervisor):
    after = []
    run(supervisor, step("good", "", after=lambda: after.append("good")))
    with pytest.raises(NotHealthyError):
        run(supervisor, step("bad", "raise SystemExit(1)", after=lambda: after.append("bad")))
    assert after == ["good"]


def test_the_log_of_a_step_is_closed_to_other_users(supervisor, tmp_path):
    run(supervisor, step("quiet", ""))
    assert (tmp_path / "quiet.log").stat().st_mode & 0o077 == 0


def test_the_end_of_a_log(tmp_path):
    log = tmp_path / "x.log"
    assert tail(log) == "(no log yet)"
    log.write_bytes(b"first\n" + b"\xff\n" * 3 + b"last\n")
    assert tail(log, lines=2) == "\ufffd\nlast"


def test_the_end_of_a_log_shows_json_as_lines(tmp_path):
    log = tmp_path / "serving.log"
    log.write_text('{"timestamp": "2026-11-30T06:00:00Z", "level": "error", "event": "no model"}\nTraceback\n')
    assert tail(log) == "2026-11-30T06:00:00.000Z serving               error    no model\nTraceback"
