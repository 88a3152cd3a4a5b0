"""Promote a version of the model of {name} to another environment, such as production.

**Starts** by hand: **Trigger** opens a form that asks for the environment, the reason and, optionally, the version.
An environment is another MLflow server with its own database and bucket. The environment `production` is the Airflow
connection `mlflow_production`; `docs/environments.md` explains how to create it.

**Comes in**: a version of the [registered model {name}](model:{name}); by default the champion.

**Goes out**:

- in the other environment, a version of the model `{name}` with the same files, byte by byte, and a run with its
  parameters, metrics, training set, git commit and origin;
- there, the alias `champion` names this version, and `previous` the one that was live until now;
- a row in [models.promotions](table:models.promotions) that records user, time and reason.

**How**: `copy` checks the files by their digest and registers them in the other environment. `check` loads the copy
from there in a new process and compares its predictions on the hold-out with those of the original. `move` moves the
aliases. With `promotion.approval: true` a person is asked before, under **Required Actions**. To roll back in the
other environment, promote the version before.

**When it fails**: there is no such connection, the login is refused, or the files in the other environment are not
those of the original. The log says what to do, and no alias has moved. If the other server is away, the task is
retried. Every task is idempotent: you can clear it at any time.
"""

from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow import approval_task, forms
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, started_by
from ml_platform.environments.values import CopiedVersion, PromotionRequest
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.promotion.approval import Question, with_reason
from ml_platform.promotion.results import LiveVersions
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset

MAX_WAITING_RUNS = 16  # promotions that may wait for an approval; they use no worker


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
            raise AirflowSkipException(f"{answer.sentence}: no alias has moved")
        context = get_current_context()
        reason = with_reason(context["params"]["reason"], answer)
        request = PromotionRequest(started_by(), reason, answer.by if answer else None, context["run_id"])
        return go_live(environment(copied.environment), copied, request)

    @dag(
        dag_id=f"promote_{dataset.name}",
        dag_display_name=f"Promote {dataset.name}",
        description=f"Copy a version of the model of {dataset.name} to another environment, as its champion",
        schedule=None,
        start_date=START,
        max_active_runs=MAX_WAITING_RUNS if dataset.promotion.approval else 1,
        default_args=DEFAULT_ARGS,
        params=forms.promotion(dataset.name),
        doc_md=runbook(__doc__, name=dataset.name),
        tags=["ml-platform", dataset.name],
    )
    def promote() -> None:
        copied = copy()
        question = check(copied)
        if dataset.promotion.approval:
            approval = approval_task.ask(dataset.promotion, question_from="check")
            question >> approval
            move(copied, approval.output)
        else:
            question >> move(copied)

    promote()


for spec in catalog().datasets:
    make_promote(spec)
