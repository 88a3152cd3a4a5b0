"""The platform in containers, run by Docker Compose: the same `.env`, the same addresses on this machine."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from stack.config import ROOT, Config
from stack.errors import NotHealthyError, StackError
from stack.servers import probes

JOBS = ("dbinit", "objects-setup", "kafka-settings", "airflow-setup", "feast-apply")  # services that end
LOG_LINES = 10  # of a container that did not start
REMEDY = "Install Docker with Compose v2 (`docker compose version`), or unset TARGET: `make up` needs no containers."
NO_DOCKER = f"The program `docker` is not installed here. {REMEDY}"
LOGGED_IN = 'export PGHOST=127.0.0.1 PGUSER=postgres PGPASSWORD="$POSTGRES_PASSWORD"; exec "$@"'


def up(config: Config, only: list[str], report: Callable[[str, str], None] = lambda name, event: None) -> bool:
    """Build missing images, start what does not run, and wait until it is healthy; Compose shows the progress.

    Args:
        config: the platform.
        only: names of services, which are started with all that they need; empty for all services.
        report: not called.

    Returns:
        Whether nothing ran before.

    Raises:
        StackError: there is no Docker, or no Compose.
        NotHealthyError: a service did not start; the others are left running.
    """
    ran_before = bool(output(config, "ps", "--quiet", "--status", "running"))
    done = subprocess.run(
        command(config, "up", "--detach", "--wait", "--build", "--remove-orphans", *only),
        env=environment(config),
        check=False,
    )
    if done.returncode:
        raise NotHealthyError(_failures(config))
    return not ran_before


def _failures(config: Config) -> str:
    """Return, for each container that failed, the output of its last health check and the end of its log."""
    lines = ["The containers did not all become healthy."]
    for container in containers(config):
        if (problem := _problem(container)) is None:
            continue
        name, state = container["Service"], container["Health"] or container["State"]
        log = output(config, "logs", "--no-color", "--no-log-prefix", "--tail", str(LOG_LINES), name)
        lines.append(f"{name} is {state}: {problem}\nThe end of its log:\n{log}")
    return "\n".join([*lines, "More: `docker compose ps --all`, `docker compose logs`."])


def containers(config: Config) -> list[dict[str, Any]]:
    """Return Compose's entry of each container: service, state, health, published ports and more."""
    return [json.loads(line) for line in output(config, "ps", "--all", "--format", "json").splitlines()]


def _problem(container: dict[str, Any]) -> str | None:
    state, code = container["State"], container["ExitCode"]
    if container["Health"] == "unhealthy":
        return probes.with_remedy(_last_check(container["ID"]))
    if state == "restarting" or (state == "exited" and code):
        return f"exit code {code}"
    return None


def _last_check(container: str) -> str:
    command = ("docker", "inspect", "--format", "{{json .State.Health.Log}}", container)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    checks = json.loads(done.stdout or "[]")  # empty: the container has been removed meanwhile
    return str(checks[-1]["Output"]).strip() if checks else "no check has ended yet"


def up_stores(config: Config) -> None:
    """Start the stores, and create their roles, databases and buckets.

    Raises:
        NotHealthyError: a job failed; its output is on the terminal.
    """
    for job in ("dbinit", "objects-setup"):  # `up --wait` does not wait until a job has ended
        done = subprocess.run(
            command(config, "run", "--rm", "--no-TTY", "--build", job),
            env=environment(config),
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise NotHealthyError(
                f"The job {job} failed, or a service that it needs is not healthy: see `docker compose logs`."
            )
    up(config, ["objects"])  # MinIO is set up while it runs, SeaweedFS before it starts


def down(config: Config) -> None:
    """Stop and remove the containers; the volumes with the data stay."""
    output(config, "down")


def running(config: Config) -> set[str]:
    """Return the names of the services that run or are about to run."""
    return set(output(config, "ps", "--services", "--status", "running", "--status", "restarting").split())


def problems(config: Config) -> dict[str, str]:
    """Return why services are not healthy, by name."""
    there = {container["Service"]: container for container in containers(config)}
    found = {name: _problem(container) for name, container in there.items()}
    for name in output(config, "config", "--services").split():
        state = there[name]["State"] if name in there else "not started"
        if name not in JOBS and state != "running":
            found[name] = found.get(name) or state
    return {name: problem for name, problem in found.items() if problem}


def is_in_use(config: Config) -> bool:
    """Return False: a pause stops whole services, and no program of a person beside them."""
    return False


def pause(config: Config, names: list[str]) -> None:
    """Stop services, and the tasks that they run."""
    if names:
        output(config, "stop", *names)


def resume(config: Config, names: list[str]) -> None:
    """Start services again as they were, and wait until they are healthy."""
    if names:
        output(config, "up", "--detach", "--wait", "--no-deps", "--no-recreate", *names)


def wipe(config: Config) -> None:
    """Kill and remove the containers, and all data: what is removed need not be saved."""
    output(config, "down", "--volumes", "--timeout", "0")


def postgres_program(config: Config, name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of a client such as pg_dump, logged in as the superuser."""
    inside = ("sh", "-c", LOGGED_IN, "sh", name, *arguments)
    return command(config, "exec", "-T", "postgres", *inside), environment(config)


def log_lines(config: Config, *options: str) -> Iterator[str]:
    """Return the lines of the logs of all containers, each with the name of its container and its time.

    Args:
        config: the platform.
        options: of `docker compose logs`, such as `--follow`.

    Raises:
        StackError: there is no Docker. What else fails, Compose says itself.
    """
    arguments = command(config, "logs", "--no-color", "--timestamps", *options)
    try:
        logs = subprocess.Popen(arguments, env=environment(config), stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise StackError(NO_DOCKER) from None
    with logs:
        yield from logs.stdout or ()


def output(config: Config, *arguments: str) -> str:
    """Run a command of Compose and return its output.

    Raises:
        StackError: it failed; the text has its error output.
    """
    try:
        done = subprocess.run(
            command(config, *arguments), env=environment(config), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise StackError(NO_DOCKER) from None
    if done.returncode:
        raise StackError(f"`docker compose {' '.join(arguments)}` failed:\n{done.stderr.strip()}\n{REMEDY}")
    return done.stdout.strip()


def command(config: Config, *arguments: str) -> list[str]:
    """Return the command line of Compose for this platform's project folder and settings."""
    return ["docker", "compose", "--project-directory", str(ROOT), "--env-file", str(config.env_file), *arguments]


def environment(config: Config) -> dict[str, str]:
    """Return this process's environment with the ports of the settings, which may differ from those in `.env`."""
    ports = {name.upper(): str(value) for name, value in config if name.endswith("_port")}
    return {**os.environ, **ports}
