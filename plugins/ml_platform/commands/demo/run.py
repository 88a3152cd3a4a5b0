"""`ml-platform demo`: start what does not run, show the demo of a sample, leave the servers running.

`make demo DATASET=flights SOURCE=kafka` runs `ml-platform demo flights --source kafka`.

Exit codes: 0 success; 1 a stage failed, named with its task and its log; 130 interrupted.
"""

import os
from importlib import import_module

import httpx
from rich.console import Console
from rich.markup import escape

from ml_platform.commands.demo.sample_source import SampleSource
from ml_platform.commands.demo.source_stages import SourceDemo
from ml_platform.commands.demo.stages import Demo, DemoError
from ml_platform.commands.support import relative
from ml_platform.exceptions import ConfigurationError, PlatformError
from stack.airflow_api import AirflowError
from stack.config import Config, load
from stack.errors import StackError
from stack.target import runner
from stack.terminal import interrupt_on_terminate

SOURCES = {  # only the packages of the kind are loaded
    "kafka": ("ml_platform.commands.demo.sample_kafka", "KafkaSample"),
    "mongodb": ("ml_platform.commands.demo.sample_mongodb", "MongoSample"),
    "sql": ("ml_platform.commands.demo.sample_sql", "SqlSample"),
}


def run(name: str, kind: str = "") -> int:
    """Start the stack if it is not running, run the demo of a sample, leave the stack running; return the exit code.

    Args:
        name: of the sample.
        kind: of the source that the training rows come from; empty: they come as a file.
    """
    console = Console()
    interrupt_on_terminate()
    config = load()
    os.environ.update(config.environment())
    platform, started = runner(config), False

    def report(server: str, event: str) -> None:
        console.print(f"  {server:<22} {event}", highlight=False)

    try:
        source = _prepared(console, open_source(kind, config, name)) if kind else None
        ran_before = bool(platform.running(config))
        changed = platform.up(config, [], report)
        started = changed and not ran_before
        console.print("[green]✓[/] the stack is up" if changed else "[green]✓[/] the stack was up already")
        if source is None:
            Demo(config, console, name).run()
        else:
            source.start()
            SourceDemo(config, console, source).run()
    except (StackError, DemoError, AirflowError, PlatformError, httpx.HTTPError) as error:
        console.print(f"[red]✗[/] {escape(str(error))}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted." + (" Stopping what this command started." if started else ""))
        if started:
            platform.down(config)
        return 130
    return 0


def open_source(kind: str, config: Config, name: str) -> SampleSource:
    """Return the source of a kind, for the rows of a sample.

    Raises:
        ConfigurationError: there is no such sample, or this source cannot be used here; the text says what to do.
    """
    module, class_name = SOURCES[kind]
    try:
        source: SampleSource = getattr(import_module(module), class_name)(config, name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the package {error.name} is not installed; `make demo SOURCE={kind}` installs it"
        ) from error
    return source


def _prepared(console: Console, source: SampleSource) -> SampleSource:
    """Write the YAML of a source's data set, before the stack starts what it needs; say so."""
    path = source.write_spec()
    if path:
        undo = f"./ml-platform dataset remove {source.dataset_name} --reason demo"
        console.print(f"[green]✓[/] wrote {relative(path)}: the sample's YAML with a source. To undo it: {undo}")
    return source
