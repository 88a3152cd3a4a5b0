"""The users of the home page: the administrator of `.env`, and those of a file."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.home.login import passwords
from ml_platform.home.settings import HomeSettings

Role = Literal["viewer", "operator"]
NAME = r"^[\w.@+-]{1,100}$"


def _hash(text: str) -> str:
    if not passwords.is_valid(text):
        raise ValueError("this is not the hash of a password; `ml-platform home add-user` makes one")
    return text


@dataclass(frozen=True)
class User:
    """A person who may use the home page.

    Attributes:
        name: under which actions are recorded.
        role: a viewer reads and downloads; an operator acts, too.
        stamp: changes with the password and the role; a session with another stamp has ended.
    """

    name: str
    role: Role
    stamp: str

    @property
    def may_act(self) -> bool:
        """Whether this person may change anything."""
        return self.role == "operator"


class Entry(BaseModel):
    """A user in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    password: Annotated[str, AfterValidator(_hash)]


class UsersFile(BaseModel):
    """The file of users: `users:`, then a name, its role, and the hash of its password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: dict[Annotated[str, Field(pattern=NAME)], Entry] = {}


def read(path: Path) -> UsersFile:
    """Return the users of a file; none if there is no file.

    Raises:
        ConfigurationError: the file is invalid; the text names it and the field.
    """
    try:
        return UsersFile.model_validate(yaml.safe_load(path.read_text()) or {})
    except FileNotFoundError:
        return UsersFile()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{path} is invalid ({problems})") from None


def find(settings: HomeSettings, name: str) -> User | None:
    """Return the user of a name; None if there is none. The file is read each time, so changes count at once.

    Raises:
        ConfigurationError: the file of users is invalid. The administrator is found nevertheless.
    """
    if name == settings.home_admin_user:
        return User(name, "operator", _stamp(settings, "operator", settings.home_admin_password.get_secret_value()))
    entry = _entry(settings, name)
    return User(name, entry.role, _stamp(settings, entry.role, entry.password)) if entry else None


def log_in(settings: HomeSettings, name: str, password: str) -> User | None:
    """Return the user of a name if the password is right, else None.

    Raises:
        ConfigurationError: the file of users is invalid, and the name is not the administrator's.
    """
    if name == settings.home_admin_user:
        expected = settings.home_admin_password.get_secret_value()
        right = hmac.compare_digest(password.encode(), expected.encode())
    else:
        entry = _entry(settings, name)
        # a name that is unknown takes as long as a wrong password
        kept = entry.password if entry else passwords.hash_of("")
        right = passwords.matches(password, kept) and entry is not None
    return find(settings, name) if right else None


def _entry(settings: HomeSettings, name: str) -> Entry | None:
    return read(settings.home_users_file).users.get(name) if settings.home_users_file else None


def _stamp(settings: HomeSettings, role: Role, secret: str) -> str:
    key = settings.home_session_key.get_secret_value().encode()
    return hmac.new(key, f"{role} {secret}".encode(), hashlib.sha256).hexdigest()[:16]
