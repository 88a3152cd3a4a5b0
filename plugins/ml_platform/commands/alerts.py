"""`ml-platform alerts`: which alerts there are, what was sent when to which channel, and a test of a channel."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers, use_specs_folder
from ml_platform.exceptions import ConfigurationError, ServiceError

if TYPE_CHECKING:
    from ml_platform.alerts.store import Entry

app = typer.Typer(help="Alerts: what needs a person, and who was told.", no_args_is_help=True)
PREFIX = "ALERTS_"


@app.command("list")
def list_(
    most: Annotated[int, typer.Option(min=1, help="how many alerts, beside those that are open")] = 20,
) -> None:
    """List the open alerts, then the newest others, with what was sent to which channel."""
    use_specs_folder()
    with exit_on_error():
        entries, look = _read(most)
        print_table(("event", "data set", "began", "state", "channel", "sent"), [_row(entry) for entry in entries])
    typer.echo(f"last look: {look}")


@app.command()
def test(channel: Annotated[str, typer.Argument(help="a channel of datasets/platform.yaml")]) -> None:
    """Send a test message to a channel now. Exits with 1, and says why, if it was not taken."""
    from uuid import uuid4

    use_specs_folder()
    with exit_on_error():
        use_servers()
        from ml_platform.alerts import channels, messages  # here and below: only what a command needs is loaded
        from ml_platform.specs.catalog import platform_options

        known = platform_options().alerts.channels
        if channel not in known:
            raise ConfigurationError(f"there is no channel {channel!r}; there are: {', '.join(known) or 'none'}")
        environment = os.environ | secrets_of_channels()
        channels.send(known[channel], messages.trial_message(uuid4(), channel, environment), environment)
    typer.echo(f"a message was sent to {channel}")


def secrets_of_channels() -> dict[str, str]:
    """Return the variables with the secrets of channels: of this process, or of the settings of this folder."""
    from stack import secrets
    from stack.config import env_path

    path = env_path()
    found = (secrets.read(path) if path.exists() else {}) | dict(os.environ)
    return {name: value for name, value in found.items() if name.startswith(PREFIX) and value}


def _read(most: int) -> tuple[list["Entry"], str]:
    """Return the entries, and when the server looked last, as text.

    Raises:
        ServiceError: Postgres does not answer.
    """
    from contextlib import closing

    import psycopg

    from ml_platform.alerts import store

    try:
        with closing(store.connect(_database())) as connection:
            look = store.last_look(connection)
            return store.entries(connection, most), f"{look:%Y-%m-%d %H:%M:%S} UTC" if look else "never"
    except psycopg.Error as error:
        raise ServiceError(f"Postgres: {error}") from None


def _database() -> str:
    """Return the address of the database: that of the server in its container, else that of this folder."""
    if address := os.environ.get("ALERTS_DATABASE"):
        return address
    use_servers()
    from ml_platform.settings import settings

    return settings().platform_database_uri.get_secret_value()


def _row(entry: "Entry") -> tuple[str, ...]:
    part = entry.part
    state = "once" if not entry.is_state else f"over {part.ended_at:%m-%d %H:%M}" if part.ended_at else "open"
    channel = f"{entry.channel or 'none'}{' (all-clear)' if part.is_over else ''}"
    return (part.event, part.dataset or "", f"{part.began_at:%Y-%m-%d %H:%M}", state, channel, _sent(entry))


def _sent(entry: "Entry") -> str:
    if entry.sent_at:
        return f"{entry.sent_at:%Y-%m-%d %H:%M:%S}" + (f", but {entry.problem}" if entry.problem else "")
    if entry.channel is None:
        return ""
    if entry.problem and entry.next_attempt:
        return f"not yet, again at {entry.next_attempt:%H:%M:%S}: {entry.problem}"
    return "not yet"
