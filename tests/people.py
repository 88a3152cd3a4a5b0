"""People of the home page in tests: an operator and a viewer, beside the administrator."""

import json

from ml_platform.home import passwords

PASSWORDS = {"olga": "in charge here", "victor": "only looking"}
ROLES = {"olga": "operator", "victor": "viewer"}


def home_users() -> str:
    """Return the value of HOME_USERS."""
    users = {name: {"role": ROLES[name], "password": passwords.hash_of(PASSWORDS[name])} for name in ROLES}
    return json.dumps(users, separators=(",", ":"))
