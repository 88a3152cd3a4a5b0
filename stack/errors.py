"""The errors of the stack; each text is written for the person who ran the command.

StackError
├── ConfigError       a setting or a policy is missing or invalid
├── PortTakenError    another program listens on one of our ports
├── NotHealthyError   a server did not become healthy in time, or a step failed
└── BackupError       a backup is damaged, or cannot be made or restored
"""


class StackError(Exception):
    """A problem that the user can solve; its text is the whole message."""


class ConfigError(StackError):
    """A setting in `.env` or a policy in `minio/` is missing or invalid."""


class PortTakenError(StackError):
    """Another program listens on one of our ports."""


class NotHealthyError(StackError):
    """A server did not become healthy in time, or a step failed."""


class BackupError(StackError):
    """A backup is damaged, or cannot be made or restored."""
