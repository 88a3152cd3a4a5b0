"""Start, crash, stop, start again: on a small stack of its own, through the commands that people use."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import psutil
import psycopg2
import pytest
from confluent_kafka.admin import AdminClient

from stack import config as settings
from stack.__main__ import NOT_STARTED, OUTAGE
from stack.runners.supervisor import Supervisor
from stack.servers import kafka, kafka_setup
from stack.servers.kafka_roles import SUPER_USER
from stack.servers.kafka_specs import STREAM_TOPICS
from stack.servers.probes import query
from tests.conftest import write_env_file

pytestmark = pytest.mark.servers

PATIENCE = 300  # seconds, which only a program that hangs takes
ACTIVE = "SELECT state FROM pg_stat_activity WHERE pid = %s"
SMALL = ("up", "--only", "postgres,objects,dbinit")


@pytest.fixture(scope="module")
def folder():
    made = Path(tempfile.mkdtemp(prefix="mlp"))
    made.chmod(0o711)
    yield made
    run(made / ".env", "down")
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def small(folder):
    config = settings.load(write_env_file(folder))
    done = run(config.env_file, *SMALL)
    assert done.returncode == 0, done.stdout
    return config


def run(env_file, *arguments, **variables):
    command = [sys.executable, "-m", "stack", "--env-file", str(env_file), *arguments]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{settings.ROOT / 'plugins'}:{settings.ROOT}",
        "COLUMNS": "200",
        **variables,
    }
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, env=environment, cwd=settings.ROOT, timeout=PATIENCE, check=False, **output)


def wait_until(true):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def postmaster(config):
    return int((config.state_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def pids(config):
    """The servers that supervisord has started."""
    return {info["name"]: info["pid"] for info in Supervisor(config).call("getAllProcessInfo") if info["pid"]}


def answers(config):
    try:
        return query(config.database_uri("platform"), "SELECT 1") == [(1,)]
    except psycopg2.OperationalError:
        return False


def suppressed(call, *arguments):
    with suppress(psycopg2.Error):
        call(*arguments)


def keep_something(config):
    connection = psycopg2.connect(config.database_uri("platform"))
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS features.kept AS SELECT 42 AS answer")
    connection.close()


def kept(config):
    return query(config.database_uri("platform"), "SELECT answer FROM features.kept")


def test_a_second_up_is_harmless(small):
    before = postmaster(small)
    done = run(small.env_file, *SMALL)
    assert (done.returncode, done.stdout.strip()) == (0, "Already up.")
    assert postmaster(small) == before


def test_status_tells_a_server_that_was_not_started_from_an_outage(small):
    done = run(small.env_file, "status")
    assert done.returncode == NOT_STARTED
    assert "mlflow: STOPPED" in done.stdout


def test_status_reports_an_outage(small):
    (server,) = [process for process in Supervisor(small).processes() if process.pid == postmaster(small)]
    server.suspend()
    try:
        done = run(small.env_file, "status")
    finally:
        server.resume()
    assert done.returncode == OUTAGE
    assert "postgres: " in done.stdout


def test_a_killed_server_comes_back(small):
    before = postmaster(small)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: answers(small) and postmaster(small) != before)


def test_a_killed_postgres_comes_back_while_an_orphan_of_it_computes(small):
    """The orphan does not notice the death of its parent before its query ends, which takes hours."""
    before = postmaster(small)
    with closing(psycopg2.connect(small.database_uri("platform"))) as connection, connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        backend = psutil.Process(connection.get_backend_pid())
        asking = Thread(
            target=lambda: suppressed(cursor.execute, "SELECT count(*) FROM generate_series(1, 1000000000000)")
        )
        asking.start()
        wait_until(lambda: query(small.database_uri("postgres"), ACTIVE, backend.pid) == [("active",)])
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: answers(small) and postmaster(small) != before)
        asking.join()
    assert not backend.is_running()


def test_state_is_closed_to_other_users(small):
    for path in (small.env_file, small.state_dir / "supervisor.conf"):
        assert path.stat().st_mode & 0o077 == 0
    for path in small.state_dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_another_stack_is_told_who_holds_a_port(small, folder):
    other = folder / "other.env"
    text = small.env_file.read_text().replace(f"STATE_DIR={small.state_dir}", f"STATE_DIR={folder / 'o'}")
    other.write_text(text)
    done = run(other, *SMALL)
    assert done.returncode == 1
    assert f"port {small.postgres_port} is taken by process" in done.stdout
    assert "set POSTGRES_PORT to a free one" in done.stdout
    assert not (folder / "o").exists()


def test_a_supervisor_that_was_killed_is_replaced_and_its_orphans_end(small):
    keep_something(small)
    old = {process.pid for process in Supervisor(small).processes()}
    os.kill(Supervisor(small).pid(), signal.SIGKILL)
    done = run(small.env_file, *SMALL)
    assert done.returncode == 0, done.stdout
    assert kept(small) == [(42,)]
    assert not old & set(psutil.pids())


def test_a_server_that_does_not_start_is_named_with_its_log(small, folder):
    run(small.env_file, "down")
    file = small.state_dir / "postgres" / "data" / "postgresql.conf"
    sound = file.read_text()
    file.write_text(sound + "no_such_setting = 1\n")
    done = run(small.env_file, *SMALL)
    file.write_text(sound)
    assert done.returncode == 1
    assert "postgres is not healthy" in done.stdout
    assert "no_such_setting" in done.stdout
    assert str(small.state_dir / "logs" / "postgres.log") in done.stdout.replace("\n", "")


def test_down_leaves_no_process_and_keeps_the_data(small):
    assert run(small.env_file, *SMALL).returncode == 0
    assert run(small.env_file, "down").returncode == 0
    assert Supervisor(small).processes() == []
    assert run(small.env_file, *SMALL).returncode == 0
    assert kept(small) == [(42,)]


def test_new_passwords_in_the_file_are_taken_over(small):
    text = small.env_file.read_text()
    old = small.reader_db_password.get_secret_value()
    small.env_file.write_text(text.replace(f"READER_DB_PASSWORD={old}", "READER_DB_PASSWORD=another"))
    run(small.env_file, "down")
    assert run(small.env_file, *SMALL).returncode == 0
    changed = settings.load(small.env_file)
    assert query(changed.database_uri("reader", "platform"), "SELECT 1") == [(1,)]
    with pytest.raises(psycopg2.OperationalError):
        query(small.database_uri("reader", "platform"), "SELECT 1")


def test_a_password_is_also_changed_while_the_servers_run(small):
    before = postmaster(small)
    text = small.env_file.read_text()
    old = settings.load(small.env_file).reader_db_password.get_secret_value()
    small.env_file.write_text(text.replace(f"READER_DB_PASSWORD={old}", "READER_DB_PASSWORD=a-third"))
    assert run(small.env_file, *SMALL).returncode == 0
    assert query(settings.load(small.env_file).database_uri("reader", "platform"), "SELECT 1") == [(1,)]
    assert postmaster(small) == before
    assert run(small.env_file, *SMALL).stdout.strip() == "Already up."


def test_another_shell_restarts_nothing(small):
    before = pids(small)
    path = f"{os.environ['PATH']}:/nothing"
    done = run(small.env_file, *SMALL, PATH=path, HOME="/", TZ="Asia/Tokyo", LANG="C")
    assert (done.returncode, done.stdout.strip()) == (0, "Already up.")
    assert pids(small) == before


def test_a_restart_is_for_a_change_that_concerns_the_server_and_says_so(small):
    before = postmaster(small)
    with small.env_file.open("a") as file:
        file.write("\nS3_SECRET_KEY=anothersecretofatleastfortycharacterslength\n")
    done = run(small.env_file, *SMALL)
    assert done.returncode == 0, done.stdout
    restarted = [line.split()[0] for line in done.stdout.splitlines() if "is restarted, because settings" in line]
    assert restarted == ["objects"]  # the others that have this setting do not run
    assert "anothersecret" not in done.stdout
    assert postmaster(small) == before


def broker_of(config):
    return AdminClient(kafka.client_settings(config, SUPER_USER) | {"log_level": 0})


@pytest.mark.prove
def test_a_data_set_that_asks_for_a_stream_while_the_broker_runs_gets_its_topics_by_another_up(small):
    with small.env_file.open("a") as file:
        file.write("\nKAFKA=1\n")
    assert run(small.env_file, "up", "--only", "kafka").returncode == 0
    config, before = settings.load(small.env_file), pids(small)
    (config.datasets_dir / "orders.yaml").write_text("name: orders\nstream: true\n")
    done = run(small.env_file, "up", "--only", "kafka")
    assert done.returncode == 0, done.stdout
    names = [f"orders.{topic}" for topic in STREAM_TOPICS]
    assert kafka_setup.has_topics(broker_of(config), names)
    assert kafka_setup.has_rights(broker_of(config), ["orders"])
    assert pids(small)["kafka"] == before["kafka"]
    assert run(small.env_file, "up", "--only", "kafka").stdout.strip() == "Already up."


@pytest.mark.prove
def test_the_server_of_the_streams_starts_beside_those_that_run(small):
    before = pids(small)
    assert "stream" not in before
    done = run(small.env_file, "up", "--only", "stream")
    assert done.returncode == 0, done.stdout
    after = pids(small)
    assert {name: after[name] for name in before} == before
    assert "stream" in after


def _heed_interrupts():
    """In the background of a shell the tests ignore Ctrl-C, and what they start inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_start_leaves_nothing_running(small):
    run(small.env_file, "down")
    environment = {**os.environ, "PYTHONPATH": f"{settings.ROOT / 'plugins'}:{settings.ROOT}"}
    command = [sys.executable, "-m", "stack", "--env-file", str(small.env_file), "up"]
    starting = subprocess.Popen(
        command, env=environment, cwd=settings.ROOT, stdout=subprocess.DEVNULL, preexec_fn=_heed_interrupts
    )
    wait_until(lambda: Supervisor(small).states().get("postgres") == "RUNNING")
    starting.send_signal(signal.SIGINT)
    assert starting.wait(PATIENCE) == 130
    assert Supervisor(small).processes() == []


def test_reset_asks_and_then_removes_the_state(small):
    assert run(small.env_file, "reset", "--yes").returncode == 0
    assert not small.state_dir.exists()
