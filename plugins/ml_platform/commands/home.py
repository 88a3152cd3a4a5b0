"""`ml-platform home`: the users of the home page, in `.env`."""

import json
import re
from typing import Annotated, Any

import typer

from ml_platform.commands.support import print_table
from ml_platform.home.settings import Role

app = typer.Typer(help="The home page: who may log in.", no_args_is_help=True)

VARIABLE = "HOME_USERS"
APPLY = "It counts from the next `make up`, or `docker compose up -d --wait`."
SHORTEST = 8  # characters of a password

Name = Annotated[str, typer.Argument(help="under which the person logs in, and actions are recorded")]


@app.command(name="users")
def list_users() -> None:
    """List the users and their roles."""
    from stack.config import load

    config = load()
    entries = [(name, entry["role"]) for name, entry in sorted(_users().items())]
    print_table(("user", "role"), [(config.home_admin_user, "operator, the administrator of .env"), *entries])


@app.command()
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option(help="a viewer reads; an operator acts, too")] = "viewer",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="asked for if not given")
    ] = "",
) -> None:
    """Add a user, or give one another role and password."""
    from ml_platform.home import passwords
    from ml_platform.home.settings import USER_NAME
    from stack.config import load

    if not re.fullmatch(USER_NAME, name):
        raise typer.BadParameter("a name has letters, digits and . _ @ + - only, at most 100")
    if name == load().home_admin_user:
        raise typer.BadParameter(f"{name} is the administrator, with HOME_ADMIN_PASSWORD in .env")
    if len(password) < SHORTEST:
        raise typer.BadParameter(f"a password has at least {SHORTEST} characters")
    _write(_users() | {name: {"role": role, "password": passwords.hash_of(password)}})
    typer.echo(f"{name} is {role}. {APPLY}")


@app.command()
def remove_user(name: Name) -> None:
    """Remove a user; what the person did stays recorded."""
    users = _users()
    if name not in users:
        typer.echo(f"there is no user {name!r}; there are: {', '.join(users) or 'none'}", err=True)
        raise typer.Exit(1)
    del users[name]
    _write(users)
    typer.echo(f"{name} is removed. {APPLY}")


def _users() -> dict[str, Any]:
    from stack import secrets
    from stack.config import env_path

    secrets.ensure(env_path())
    users: dict[str, Any] = json.loads(secrets.read(env_path())[VARIABLE])
    return users


def _write(users: dict[str, Any]) -> None:
    from stack import secrets
    from stack.config import env_path

    line = f"{VARIABLE}={json.dumps(users, separators=(',', ':'))}"
    lines = env_path().read_text().splitlines()
    text = "\n".join(line if one.startswith(f"{VARIABLE}=") else one for one in lines)
    secrets.write_private(env_path(), f"{text}\n")
