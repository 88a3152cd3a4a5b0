"""The files of the Kafka node: its settings, which have a secret, and its formatted data folder.

`python -m stack.servers.kafka_node FOLDER` writes the settings of a node that runs in a container.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

from stack import secrets
from stack.config import HOST
from stack.errors import StackError
from stack.servers.kafka_roles import INNER_USER, SUPER_USER

CONTAINER = {  # the listeners of a node in a container: HOST is the published one
    "CLIENTS": "0.0.0.0:9092",
    "HOST": "0.0.0.0:9093",
    "INNER": f"{HOST}:19310",
    "CONTROLLER": f"{HOST}:19311",
}
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "INNER",
    "controller.listener.names": "CONTROLLER",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": f"User:{SUPER_USER};User:{INNER_USER}",
    "auto.create.topics.enable": "false",
    # one node has one copy of everything
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    # for a laptop: the newest 1 GiB of a partition is kept. Kafka counts the age of a message from the time that its
    # producer gives it. So with a limit of age, rows with old event times would be deleted before they are read.
    "log.retention.ms": "-1",
    "log.retention.bytes": str(2**30),
    "log.segment.bytes": str(2**27),
    "log.cleaner.dedupe.buffer.size": str(2**24),
    "offsets.topic.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # a killed broker that starts again is refused until the session of its earlier start has ended
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
}


def settings_file(home: Path) -> Path:
    """Return the path of the settings."""
    return home / "server.properties"


def prepare(
    home: Path, listeners: Mapping[str, str], password: str, java: Path, environment: Mapping[str, str]
) -> None:
    """Write the settings, and format the data folder before the first start.

    Args:
        home: the folder of the node, closed to other users.
        listeners: their addresses.
        password: the one with which the node logs in at itself.
        java: the program.
        environment: with the CLASSPATH.

    Raises:
        StackError: the data folder cannot be formatted.
    """
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    shutil.rmtree(home / "tmp", ignore_errors=True)  # libraries that a killed broker has unpacked
    (home / "tmp").mkdir()
    secrets.write_private(settings_file(home), settings(home, listeners, password))
    if (home / "data" / "meta.properties").exists():
        return
    shutil.rmtree(home / "data", ignore_errors=True)  # left by an interrupted format
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    which = f"--cluster-id={cluster}"  # as one argument: one id in 64 begins with a dash
    _run(java, environment, "kafka.tools.StorageTool", "format", which, "--config", str(settings_file(home)))


def topics(home: Path) -> set[str]:
    """Return the names of the topics in the data folder, without Kafka's own; it may run or not."""
    names = {folder.name.rpartition("-")[0] for folder in home.glob("data/*-[0-9]*") if folder.is_dir()}
    return {name for name in names if not name.startswith("__")}


def settings(
    home: Path, listeners: Mapping[str, str], password: str, advertised: Mapping[str, str] | None = None
) -> str:
    """Return the settings as Java's properties.

    Args:
        home: the folder of the node.
        listeners: the address of each: INNER and CONTROLLER are for the node itself, the others for clients.
        password: the one with which the node logs in at itself.
        advertised: the addresses that clients are told, where they differ.
    """
    told = {name: address for name, address in {**listeners, **(advertised or {})}.items() if name != "CONTROLLER"}
    values = SETTINGS | {
        "listeners": _addresses(listeners),
        "advertised.listeners": _addresses(told),
        "listener.security.protocol.map": ",".join(f"{name}:SASL_PLAINTEXT" for name in listeners),
        "controller.quorum.voters": f"1@{listeners['CONTROLLER']}",
        "log.dirs": str(home / "data"),
    }
    for name in listeners:
        values |= _login(f"listener.name.{name.lower()}", password if name in ("INNER", "CONTROLLER") else None)
    return "".join(f"{key}={_escaped(value)}\n" for key, value in values.items())


def _addresses(listeners: Mapping[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())


def _login(prefix: str, password: str | None) -> dict[str, str]:
    """Return how users log in on a listener: by SCRAM, or as the node itself with this password."""
    if password is None:
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            f"{prefix}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            f"{prefix}.scram-sha-512.sasl.jaas.config": module,
        }
    quoted = json.dumps(password, ensure_ascii=False)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    users = f'username="{INNER_USER}" password={quoted} user_{INNER_USER}={quoted};'
    return {f"{prefix}.sasl.enabled.mechanisms": "PLAIN", f"{prefix}.plain.sasl.jaas.config": f"{module} {users}"}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")


def _run(java: Path, environment: Mapping[str, str], *words: str) -> None:
    done = subprocess.run([str(java), *words], env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"Kafka's data folder cannot be formatted:\n{done.stdout}{done.stderr}")


def main(home: Path, environment: Mapping[str, str]) -> None:
    """Write the settings of a node in a container: other containers call it `broker`."""
    advertised = {"CLIENTS": "broker:9092", "HOST": f"{HOST}:{environment['KAFKA_PORT']}"}
    home.mkdir(exist_ok=True)
    text = settings(home, CONTAINER, environment["KAFKA_INNER_PASSWORD"], advertised)
    secrets.write_private(settings_file(home), text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), os.environ)
