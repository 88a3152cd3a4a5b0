"""Carry a version to a higher environment: another MLflow registry, with a bucket and a database of its own.

**Starts** by hand: *Trigger* opens a form that asks for the environment, for the reason, and, if it is not to be the
champion, for the version. The environment `production` is the Airflow connection `mlflow_production`;
`docs/environments.md` says how to make it.

**Goes out**: in the other registry, a version of the model `<data set>` with the same files, byte by byte, with its run
(parameters, metrics, training set, git commit) and where it comes from; there the alias `champion` names it, and
`previous` the one that was live until then. A row in `models.promotions` says who did it, when and why.

**How**: `carry` checks the files by digest and registers them there; `check` has a fresh process load them from there
and answer the hold-out as the model here does; only then `move` moves the aliases. With `promotion.approval: true` a
person is asked between them, under *Required Actions*. To go back, promote the version before.

**When it fails**: there is no connection, or the login is refused, or the files there are not those from here; the task
says what to do, and no alias has moved. A registry that is away is waited for. Cleared and run again, nothing is
carried or moved twice.
"""

from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow import approval_task, forms
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, started_by
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset

MAY_WAIT = 16  # promotions that wait for an approval; they hold no worker


def make_promote(dataset: Dataset) -> None:
    """Define `promote_<data set>`."""

    @task
    @fail_at_once_on(ConfigurationError, RegistryError)
    def carry() -> dict[str, Any]:
        from dataclasses import asdict

        from ml_platform.airflow.connections import environment
        from ml_platform.environments import copy_version

        asked = get_current_context()["params"]
        return asdict(copy_version.carry(dataset.name, environment(asked["environment"]), asked["version"]))

    @task
    @fail_at_once_on(ConfigurationError, RegistryError)
    def check(version: dict[str, Any]) -> dict[str, str]:
        from ml_platform.airflow.connections import environment
        from ml_platform.environments import copy_version
        from ml_platform.environments.approval_question import question

        reason, carried = get_current_context()["params"]["reason"], copy_version.Carried(**version)
        target = environment(carried.environment)
        rows = copy_version.check(target, carried)
        return question(target, carried, dataset.promotion, rows=rows, by=started_by(), reason=reason)

    @task
    @fail_at_once_on(ConfigurationError, RegistryError)
    def move(version: dict[str, Any], response: dict[str, Any] | None = None) -> dict[str, Any]:
        from ml_platform.airflow.connections import environment
        from ml_platform.environments import copy_version, go_live

        answer = approval_task.answered(response) if response else None
        if answer and not answer.approved:
            raise AirflowSkipException(f"{answer.said}: nothing has moved")
        context, carried = get_current_context(), copy_version.Carried(**version)
        approved_by = answer.by if answer else None
        asked = go_live.Asked(started_by(), context["params"]["reason"], approved_by, context["run_id"])
        return go_live.move(environment(carried.environment), carried, asked)

    @dag(
        dag_id=f"promote_{dataset.name}",
        description=f"Carry a version of {dataset.name} to a higher environment, and let it be live there",
        schedule=None,
        start_date=START,
        max_active_runs=MAY_WAIT if dataset.promotion.approval else 1,
        default_args=DEFAULT_ARGS,
        params=forms.promotion(),
        doc_md=__doc__,
        tags=["ml-platform", dataset.name],
    )
    def promote() -> None:
        version = carry()
        checked = check(version)
        if dataset.promotion.approval:
            asked = approval_task.ask(dataset.promotion, told_by="check")
            checked >> asked
            move(version, asked.output)
        else:
            checked >> move(version)

    promote()


for found in catalog().datasets:
    make_promote(found)
