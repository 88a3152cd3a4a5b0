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
from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, started_by
from ml_platform.environments.values import CopiedVersion, PromotionRequest
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.promotion.approval import Question
from ml_platform.promotion.results import LiveVersions
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset

MAY_WAIT = 16  # promotions that wait for an approval; they hold no worker


def make_promote(dataset: Dataset) -> None:
    """Define `promote_<data set>`."""

    @task
    @fail_at_once_on(ConfigurationError, RegistryError)
    @passes_dataclasses
    def copy() -> CopiedVersion:
        from ml_platform.airflow.connections import environment
        from ml_platform.environments import copy_version

        form = get_current_context()["params"]
        return copy_version.copy(dataset.name, environment(form["environment"]), form["version"])

    @task
    @fail_at_once_on(ConfigurationError, RegistryError)
    @passes_dataclasses
    def check(copied: CopiedVersion) -> Question:
        from ml_platform.airflow.connections import environment
        from ml_platform.environments import copy_version
        from ml_platform.environments.approval_question import question

        target = environment(copied.environment)
        rows = copy_version.check(target, copied)
        reason = get_current_context()["params"]["reason"]
        return question(target, copied, dataset.promotion, rows=rows, by=started_by(), reason=reason)

    @task
    @fail_at_once_on(ConfigurationError, RegistryError)
    @passes_dataclasses
    def move(copied: CopiedVersion, response: dict[str, Any] | None = None) -> LiveVersions:
        from ml_platform.airflow.connections import environment
        from ml_platform.environments.go_live import go_live

        answer = approval_task.answer_of(response) if response else None
        if answer and not answer.approved:
            raise AirflowSkipException(f"{answer.said}: no alias has moved")
        context = get_current_context()
        approved_by = answer.by if answer else None
        request = PromotionRequest(started_by(), context["params"]["reason"], approved_by, context["run_id"])
        return go_live(environment(copied.environment), copied, request)

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
        copied = copy()
        checked = check(copied)
        if dataset.promotion.approval:
            approval = approval_task.ask(dataset.promotion, question_from="check")
            checked >> approval
            move(copied, approval.output)
        else:
            checked >> move(copied)

    promote()


for found in catalog().datasets:
    make_promote(found)
