"""The list of all servers and steps."""

from collections.abc import Iterator

from stack.config import Config
from stack.servers import (
    adminer,
    airflow,
    airflow_cleanup,
    airflow_metrics,
    alerts,
    backup_schedule,
    feast,
    home,
    kafka,
    metrics,
    mlflow,
    objects,
    postgres,
    serving,
    stream,
)
from stack.servers.node import Node, Nodes


def all_nodes(config: Config) -> dict[str, Node]:
    """Return every server and step by name, in the order of the data's way: stores first, screens last."""
    return {node.name: node for node in _nodes(config)}


def _nodes(config: Config) -> Iterator[Node]:
    yield postgres.server(config)
    yield objects.server(config)
    if kafka.is_wanted(config):
        yield kafka.server(config)
    yield postgres.dbinit(config)
    yield mlflow.server(config)
    yield from airflow.nodes(config)
    yield from feast.nodes(config)
    yield serving.server(config)
    if stream.is_wanted(config):
        yield stream.server(config)
    yield home.server(config)
    yield from adminer.nodes(config)
    if alerts.is_wanted(config):
        yield alerts.server(config)
    if airflow_cleanup.is_wanted(config):
        yield airflow_cleanup.server(config)
    if metrics.is_wanted(config):
        yield metrics.server(config)
    if airflow_metrics.is_wanted(config) and airflow_metrics.is_installed(config):
        yield airflow_metrics.server(config)
    if backup_schedule.is_wanted(config):
        yield backup_schedule.server(config)


def absent(config: Config) -> dict[str, str]:
    """Return the servers that this machine cannot run, with what to do about it."""
    missing = {} if adminer.is_installed(config) else {"adminer": adminer.REMEDY}
    if airflow_metrics.is_wanted(config) and not airflow_metrics.is_installed(config):
        missing[airflow_metrics.NAME] = airflow_metrics.REMEDY
    return missing


def optional(config: Config) -> dict[str, str]:
    """Return the servers that nothing asks for, with the reason."""
    optional_ones = (kafka, stream, alerts, metrics, airflow_metrics, airflow_cleanup, backup_schedule)
    return {module.NAME: module.NOT_WANTED for module in optional_ones if not module.is_wanted(config)}


def with_needs(nodes: Nodes, names: list[str]) -> dict[str, Node]:
    """Return the named nodes and all that they need; all nodes if none is named."""
    chosen: set[str] = set()
    queue = list(names or nodes)
    while queue:
        name = queue.pop()
        if name not in chosen:
            chosen.add(name)
            queue += nodes[name].needs
    return {name: node for name, node in nodes.items() if name in chosen}
