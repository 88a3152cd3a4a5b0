"""The place where the platform runs: processes of this machine, or containers (TARGET=compose)."""

from collections.abc import Callable
from typing import Protocol

from stack.config import Config
from stack.runners import compose, embedded


class Runner(Protocol):
    """The functions that every module in `stack.runners` that starts and stops a platform has."""

    def up(self, config: Config, only: list[str], report: Callable[[str, str], None] = ...) -> bool:
        """Start it, and wait until it is healthy; return whether anything had to be started."""

    def up_stores(self, config: Config) -> None:
        """Start the stores, and create their roles, databases and buckets."""

    def down(self, config: Config) -> None:
        """Stop it; data stays."""

    def running(self, config: Config) -> set[str]:
        """Return the names of the servers that run or are about to run."""

    def problems(self, config: Config) -> dict[str, str]:
        """Return why servers are not healthy, by name."""

    def is_in_use(self, config: Config) -> bool:
        """Return whether a person is starting it, or debugs a task: a pause would end that."""

    def pause(self, config: Config, names: list[str]) -> None:
        """Stop servers, and the tasks that they run."""

    def resume(self, config: Config, names: list[str]) -> None:
        """Start servers again as they were, and wait until they are healthy."""

    def wipe(self, config: Config) -> None:
        """Stop it and remove all data."""

    def postgres_program(self, config: Config, name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """Return the command line and the environment of a client such as pg_dump, logged in as the superuser."""


def runner(config: Config) -> Runner:
    """Return the module that starts and stops the platform there."""
    return compose if config.target == "compose" else embedded
