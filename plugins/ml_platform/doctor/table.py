"""The table of all checks."""

from ml_platform.doctor import alerts, backups, buckets, dags, endpoints, machine, models, postgres, uploads
from ml_platform.doctor.check import Check
from stack.target import runner

START = (
    "`make up` starts what is stopped and creates buckets that are missing, empty; `make logs server=NAME` shows why a "
    "server stopped"
)
RESTART = "`make down` and `make up`"
SERVERS = Check("every server answers", lambda config: runner(config).problems(config).values(), START)
CHECKS = (
    Check(
        "the pages answer where people open them",
        endpoints.silent_pages,
        START,
        ("postgres", "objects", "mlflow", "airflow-api", "feast", "serving"),
    ),
    Check("MLflow answers its own names only", endpoints.mlflow_hosts, RESTART, ("postgres", "mlflow")),
    Check(
        "the servers have the time of this machine",
        endpoints.clock_skew,
        "set the time of both machines, for example by NTP: from 15 minutes, S3 refuses every request",
        ("postgres", "objects"),
    ),
    Check(
        "all buckets exist",
        buckets.missing_buckets,
        f"{RESTART} create it, empty; `make restore` brings back what was in it",
        ("objects",),
    ),
    Check("each S3 identity has its rights, and no more", buckets.rights, RESTART, ("objects",)),
    Check(
        "each role of Postgres has its rights, and no more",
        postgres.role_rights,
        "GRANT or REVOKE it as the user postgres; dbinit/cluster/ has the right ones",
        ("postgres",),
    ),
    Check(
        "no role changes tables that it should not",
        postgres.table_rights,
        "GRANT or REVOKE it as the user postgres; dbinit/platform/ has the right ones",
        ("postgres",),
    ),
    Check("all migrations are applied", postgres.missing_migrations, "`make up` applies them", ("postgres",)),
    Check(
        "Postgres has the version of its package",
        postgres.server_version,
        "`make backup` with the old version, then `make restore` with the new one",
        ("postgres",),
    ),
    Check(
        "no transaction is left open",
        postgres.idle_transactions,
        "end the program that opened it, or SELECT pg_terminate_backend(PID) as the user postgres",
        ("postgres",),
    ),
    Check("the specs have no mistakes", uploads.mistakes_in_specs, "edit the file; `./ml-platform dataset check`"),
    Check(
        "no file waits for long",
        uploads.waiting_files,
        "read the log of the task `load` or `score` in Airflow, and correct the spec or the file",
        ("postgres", "objects"),
    ),
    Check(
        "every file that was read has left its inbox",
        uploads.unsettled_files,
        "clear the task `load` or `score` in Airflow: it moves the file, and loads nothing twice",
        ("postgres", "objects"),
    ),
    Check(
        "Airflow imports all DAG files",
        dags.import_errors,
        "correct the file that is named",
        ("postgres", "airflow-api"),
    ),
    Check(
        "the DAGs with work are on",
        dags.paused_dags,
        "switch the DAG on in Airflow",
        ("postgres", "objects", "airflow-api"),
    ),
    Check(
        "every live model loads and is the recorded one",
        models.bad_champions,
        "`./ml-platform models history NAME`, then `make rollback DATASET=NAME REASON=...`, or train again",
        ("postgres", "objects", "mlflow", "airflow-scheduler"),
        is_heavy=True,
    ),
    Check(
        "backups are made as often as they should be",
        backups.late_backups,
        "`make logs server=backup` shows why; for containers see docs/operations.md",
    ),
    Check(
        "alerts reach their channels",
        alerts.waiting_messages,
        "correct the channel in datasets/platform.yaml or its secret in .env; `./ml-platform alerts test CHANNEL`",
        ("postgres",),
    ),
    Check(
        "Airflow's records are removed when they are old",
        dags.old_records,
        "`make logs server=airflow-cleanup` shows why they are not; for containers see docs/operations.md",
        ("postgres",),
    ),
    Check("there is free disk and memory", machine.little_space, "remove files, or end other programs"),
    Check("only their owner reads files with secrets", machine.open_secrets, "change the mode as shown"),
    Check("only this machine reaches the ports", machine.open_ports, "listen on 127.0.0.1; see docs/containers.md"),
    Check("the packages are those of the lock file", machine.other_packages, "`make packages`, then `make up`"),
    Check(
        "the code that runs is the current one",
        machine.old_code,
        f"{RESTART}; for containers `docker compose up -d --build --wait`",
        ("airflow-scheduler",),
    ),
)
