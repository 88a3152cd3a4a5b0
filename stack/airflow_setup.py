"""Migrate Airflow's database and keep its one login in step with `.env`; runs in Airflow's environment.

One process for both, because importing Airflow is most of the time that `airflow db migrate` and `airflow users create`
take; and the password comes from the environment, where no process list shows it.
"""

import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers_manager import ProvidersManager
from airflow.utils import db


def main() -> None:
    """Migrate, then create the user or set its password."""
    ProvidersManager().initialize_providers_configuration()  # type: ignore[no-untyped-call]
    db.upgradedb()
    set_login(os.environ["ADMIN_USER"], os.environ["ADMIN_PASSWORD"])


def set_login(name: str, password: str) -> None:
    """Make `name` an administrator with this password."""
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
