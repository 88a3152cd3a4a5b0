"""The users of the home page: the administrator, and those that HOME_USERS in `.env` lists."""

import hashlib
import hmac
from dataclasses import dataclass

from ml_platform.home import passwords
from ml_platform.home.settings import HomeSettings, Role


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


def find(settings: HomeSettings, name: str) -> User | None:
    """Return the user of a name; None if there is none."""
    if name == settings.home_admin_user:
        return User(name, "operator", _stamp(settings, "operator", settings.home_admin_password.get_secret_value()))
    entry = settings.home_users.get(name)
    return User(name, entry.role, _stamp(settings, entry.role, entry.password)) if entry else None


def log_in(settings: HomeSettings, name: str, password: str) -> User | None:
    """Return the user of a name if the password is right, else None."""
    if name == settings.home_admin_user:
        expected = settings.home_admin_password.get_secret_value()
        return find(settings, name) if hmac.compare_digest(password.encode(), expected.encode()) else None
    entry = settings.home_users.get(name)
    # an unknown name takes as long as a wrong password
    is_right = passwords.matches(password, entry.password if entry else passwords.NOBODY)
    return find(settings, name) if is_right else None


def _stamp(settings: HomeSettings, role: Role, secret: str) -> str:
    key = settings.home_session_key.get_secret_value().encode()
    return hmac.new(key, f"{role} {secret}".encode(), hashlib.sha256).hexdigest()[:16]
