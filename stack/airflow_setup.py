"""Migrate Airflow's database, and set its two logins to those in `.env`; runs in Airflow's environment.

One process does both, because most of the time of `airflow db migrate` and `airflow users create` is the import of
Airflow. The password comes from the environment, because a process list shows arguments.
"""

import os
from typing import Any

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers_manager import ProvidersManager
from airflow.utils import db
from airflow.utils.session import create_session
from sqlalchemy import text

READ_BY_ALERTS = {
    "dag": ("dag_id", "is_stale"),
    "dag_run": ("dag_id", "run_id", "state", "end_date"),
    "task_instance": ("id", "dag_id", "run_id", "state"),
    "hitl_detail": ("ti_id", "subject", "responded_at"),
}
READ_BY_METRICS = {
    "dag_run": ("dag_id", "run_id", "run_after", "state", "start_date", "end_date"),
    "task_instance": ("dag_id", "run_id", "task_id", "state", "duration", "end_date"),
    "job": ("job_type", "state", "latest_heartbeat"),
}
NAMES = ("Platform", "Administrator")  # the first and last name of the login
HOME = "home"  # the login of the home page, and its role; ml_platform.records.persons trusts it
HOME_RIGHTS = {
    # runs, tasks and their logs are read
    *(("can_read", name) for name in ("DAGs", "DAG Runs", "Task Instances", "Task Logs", "HITL Detail")),
    # a DAG is switched on and triggered, a failed task cleared, a question answered; Airflow has no smaller rights
    *(("can_edit", name) for name in ("DAGs", "DAG Runs", "Task Instances", "HITL Detail")),
    ("can_create", "DAG Runs"),
    ("can_read", "Connections"),  # the names of environments; Airflow's API never gives their passwords
    ("can_read", "Website"),  # Airflow gives this to every role
}


def main() -> None:
    """Migrate the database, grant the rights in it, then create the users or set their passwords."""
    ProvidersManager().initialize_providers_configuration()  # type: ignore[no-untyped-call]
    db.upgradedb()
    grant_reading()
    set_login(os.environ["ADMIN_USER"], os.environ["ADMIN_PASSWORD"])
    set_home_login(os.environ["HOME_AIRFLOW_PASSWORD"])


def grant_reading() -> None:
    """Let the roles `alerts` and `metrics` read how runs ended, and which questions wait, and nothing else."""
    with create_session() as session:
        for role, tables in (("alerts", READ_BY_ALERTS), ("metrics", READ_BY_METRICS)):
            for table, columns in tables.items():
                session.execute(text(f"GRANT SELECT ({', '.join(columns)}) ON {table} TO {role}"))


def set_login(name: str, password: str) -> None:
    """Create the administrator `name`, or set the password of the existing one; deactivate those of other names.

    Raises:
        SystemExit: the name is that of the home page's login, or Airflow did not change a user; its log says why.
    """
    if name == HOME:
        raise SystemExit(f"AIRFLOW_ADMIN_USER may not be {HOME}: that is the login of the home page. Choose another.")
    with get_application_builder() as builder:
        security = builder.sm
        user = security.find_user(username=name)
        if user:
            security.reset_password(user.id, password)
            _set_active(security, user, active=True)
        else:
            role = security.find_role("Admin")
            security.add_user(name, *NAMES, f"{name}@localhost", role, password)
        for other in security.get_all_users():
            if other.username != name and _is_ours(other):
                _set_active(security, other, active=False)


def set_home_login(password: str) -> None:
    """Create the login of the home page, or set its password; it has the role `home` and nothing else.

    Raises:
        SystemExit: Airflow did not change the user; its log says why.
    """
    with get_application_builder() as builder:
        security = builder.sm
        role = _home_role(security)
        user = security.find_user(username=HOME)
        if user is None:
            security.add_user(HOME, "Home", "Page", f"{HOME}@localhost", role, password)
            return
        security.reset_password(user.id, password)
        user.roles, user.active = [role], True
        if not security.update_user(user):
            raise SystemExit(f"Airflow's user {HOME} could not be given its role.")


def _home_role(security: Any) -> Any:
    """Return the role `home`, with exactly its rights."""
    security.bulk_sync_roles([{"role": HOME, "perms": sorted(HOME_RIGHTS)}])
    role = security.find_role(HOME)
    for right in list(role.permissions):
        if (right.action.name, right.resource.name) not in HOME_RIGHTS:
            security.remove_permission_from_role(role, right)
    return role


def _is_ours(user: Any) -> bool:
    """Return whether this step has created a user; those that people created have other names."""
    return (user.first_name, user.last_name, user.email) == (*NAMES, f"{user.username}@localhost")


def _set_active(security: Any, user: Any, *, active: bool) -> None:
    if user.active == active:
        return
    user.active = active
    if not security.update_user(user):
        raise SystemExit(f"Airflow's user {user.username} could not be {'' if active else 'de'}activated.")


if __name__ == "__main__":
    main()
