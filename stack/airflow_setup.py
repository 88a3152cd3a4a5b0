"""Migrate Airflow's database, and set the password of its one login to that in `.env`; runs in Airflow's environment.

One process does both, because most of the time of `airflow db migrate` and `airflow users create` is the import of
Airflow. The password comes from the environment, because a process list shows arguments.
"""

import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers_manager import ProvidersManager
from airflow.utils import db


def main() -> None:
    """Migrate the database, then create the user or set its password."""
    ProvidersManager().initialize_providers_configuration()  # type: ignore[no-untyped-call]
    db.upgradedb()
    set_login(os.environ["ADMIN_USER"], os.environ["ADMIN_PASSWORD"])


def set_login(name: str, password: str) -> None:
    """Create the administrator `name`, or set the password of the existing one."""
    with get_application_builder() as builder:
        security = builder.sm
        user = security.find_user(username=name)
        if user:
            security.reset_password(user.id, password)
        else:
            role = security.find_role("Admin")
            security.add_user(name, "Platform", "Administrator", f"{name}@localhost", role, password)


if __name__ == "__main__":
    main()
