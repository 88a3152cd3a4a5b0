"""Where the platform runs: as servers of this machine, or in containers (TARGET=compose)."""

from types import ModuleType

from stack import compose, lifecycle
from stack.config import Config


def runner(config: Config) -> ModuleType:
    """Return the module that starts (`up`) and stops (`down`) the platform there."""
    return compose if config.target == "compose" else lifecycle
