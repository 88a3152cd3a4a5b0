"""Helpers of the commands: errors without a traceback, the addresses of the servers, and tables on the terminal."""

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ml_platform.exceptions import PlatformError

FILE_WIDTH = 240  # columns where the output is no terminal: other programs get each row on one line


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print an error of the platform to stderr, without a traceback, and exit with code 1."""
    try:
        yield
    except PlatformError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def servers_are_known() -> bool:
    """Return whether there are settings of servers, in the environment or in this folder."""
    from stack.config import env_path

    return "S3_ENDPOINT_URL" in os.environ or env_path().exists()


def use_specs_folder() -> None:
    """Read the specs from the folder that the settings name, as the DAGs do; call it before the catalog is imported."""
    from stack import secrets
    from stack.config import ROOT, env_path

    path = env_path()
    if path.exists() and (folder := secrets.read(path).get("DATASETS_DIR")):
        os.environ.setdefault("DATASETS_DIR", str(ROOT / folder))


def use_servers() -> None:
    """Put the addresses of this folder's servers into the environment. In a container they are there already."""
    if "S3_ENDPOINT_URL" not in os.environ:
        from stack.config import load

        os.environ.update(load().environment())


def relative(path: Path) -> Path:
    """Return a path relative to the current folder if it is inside."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def counted(number: int, one: str, more: str = "") -> str:
    """Return a number with its noun: `1 row`, `2,000 rows`; `more` is the plural if it does not end in s."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def user() -> str:
    """Return the name of the user who runs the command, for the records."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have a number only
        return f"uid {os.getuid()}"


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of plain texts under their titles."""
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=None if sys.stdout.isatty() else FILE_WIDTH).print(table)
