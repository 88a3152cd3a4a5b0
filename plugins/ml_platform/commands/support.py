"""What the commands share: errors without a traceback, and where the servers are."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ml_platform.exceptions import PlatformError


@contextmanager
def reported_errors() -> Iterator[None]:
    """Tell the platform's own errors without a traceback, and end with code 1."""
    try:
        yield
    except PlatformError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def connected() -> None:
    """Let the environment say where the servers of this folder are; in a container it does already."""
    if "S3_ENDPOINT_URL" not in os.environ:
        from stack.config import load

        os.environ.update(load().environment())
