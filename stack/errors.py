"""What can go wrong with the stack, in words for the person who ran the command.

StackError
├── ConfigError      .env is missing a variable or has a wrong one
├── PortTakenError        somebody else listens on a port of ours
├── NotHealthyError       a server did not become healthy in time, or a one-shot step failed
└── BackupError           a backup is damaged, or cannot be made or restored
"""


class StackError(Exception):
    """A problem that the user can act on; its text is the whole message."""


class ConfigError(StackError):
    """`.env` is missing a variable or has a wrong one."""


class PortTakenError(StackError):
    """Somebody else listens on a port of ours."""


class NotHealthyError(StackError):
    """A server did not become healthy in time, or a one-shot step failed."""


class BackupError(StackError):
    """A backup is damaged, or cannot be made or restored."""
