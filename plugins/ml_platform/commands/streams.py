"""`ml-platform stream` and `ml-platform produce`: score the rows of a topic as they come, and send rows to it."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ml_platform.commands.support import exit_on_error, use_servers, use_specs_folder
from ml_platform.exceptions import ConfigurationError

Name = Annotated[str, typer.Argument(help="a data set")]
COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TaskProgressColumn(),
    TimeRemainingColumn(),
)


def stream(
    name: Name,
    instance: Annotated[str, typer.Option(help="a name; scorers of one data set with different names share it")] = "0",
) -> None:
    """Score the rows of the topic NAME.rows as they come, until Ctrl-C. Predictions go to NAME.predictions."""
    import logging

    use_specs_folder()
    with exit_on_error():
        use_servers()
        use_kafka("stream")
        from ml_platform.specs.catalog import dataset  # here and below: only what a command needs is loaded
        from ml_platform.streaming.server import serve

        found = dataset(name)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        serve(lambda: [found], instance)


def produce(
    name: Name,
    file: Annotated[Path, typer.Option(help="rows: CSV, JSON lines or Parquet", exists=True, dir_okay=False)],
    rate: Annotated[str, typer.Option(help="how many rows, such as 100/s, 30/m; by default as fast as possible")] = "",
    topic: Annotated[str, typer.Option(help="by default NAME.rows")] = "",
) -> None:
    """Send the rows of a file to a topic, one message each, with the entity's key as the key of the message."""
    use_specs_folder()
    with exit_on_error():
        use_kafka("producer")
        from ml_platform.specs.catalog import find_table
        from ml_platform.streaming.producing import count_rows, produce_file
        from ml_platform.streaming.topics import client_settings, topics_of

        table, target = find_table(name), topic or topics_of(name).rows
        with Progress(*COLUMNS, console=Console(stderr=True)) as progress:
            task = progress.add_task(target, total=count_rows(file))
            sent = produce_file(table, file, target, client_settings("producer"), rate, lambda: progress.advance(task))
    typer.echo(f"{sent:,} rows of {file} are in the topic {target}")


def use_kafka(role: str) -> None:
    """Put the settings of a role for the broker of this folder into the environment, unless there are others.

    Raises:
        ConfigurationError: there are none, and no broker of ours is wanted.
    """
    from ml_platform.streaming.topics import VARIABLES

    if VARIABLES[role] in os.environ:
        return
    from stack.config import load
    from stack.servers import kafka

    config = load()
    if not kafka.is_wanted(config):
        raise ConfigurationError(
            f"there is no broker: no data set has Kafka as its source or says `stream: true`. Start one with "
            f"`make up KAFKA=1`, or set {VARIABLES[role]} to the settings of a client of yours"
        )
    os.environ[VARIABLES[role]] = json.dumps(kafka.client_settings(config, role))
