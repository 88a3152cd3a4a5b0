"""Roll back the model of {name} to the previous champion, or to a given version.

**Starts** by hand: **Trigger** opens a form that asks for the reason and, optionally, for the version. From a shell:
`make rollback DATASET={name} REASON="..."`.

**Comes in**: a version of the [registered model {name}](model:{name}); by default the one with the alias `previous`.

**Goes out**: the alias `champion` names this version, and `previous` the one that was live until now. A row in
[models.movements](table:models.movements) records user, time and reason; `./ml-platform models history {name}` shows
the history.

**How**: the version is loaded and its files are checked by their digest. Only then the alias moves. From then on
[test_{name}](dag:test_{name}) and the HTTP service score with this version. Files that were scored before are not
scored again. `docs/gate.md` explains rollbacks.

**When it fails**: there is no previous champion, no such version, or its files are not what was recorded at its
training. No alias has moved. Choose another version, or train again with [train_{name}](dag:train_{name}). The task
is idempotent: you can clear it at any time.
"""

from airflow.sdk import dag, get_current_context, task

from ml_platform.airflow import forms
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, champion, fail_at_once_on, started_by
from ml_platform.exceptions import RegistryError
from ml_platform.promotion.results import LiveVersions
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset


def make_rollback(dataset: Dataset) -> None:
    """Define `rollback_<data set>`."""

    @task(outlets=[champion(dataset)])
    @fail_at_once_on(RegistryError)
    @passes_dataclasses
    def move_alias() -> LiveVersions:
        from ml_platform.promotion.rollback import rollback

        context = get_current_context()
        form, request = context["params"], context["run_id"]
        return rollback(dataset.name, reason=form["reason"], to=form["to"], by=started_by(), request=request)

    @dag(
        dag_id=f"rollback_{dataset.name}",
        dag_display_name=f"Roll back {dataset.name}",
        description=f"Roll back the model of {dataset.name} to the previous champion or to a given version",
        schedule=None,
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=forms.rollback(dataset.name),
        doc_md=runbook(__doc__, name=dataset.name),
        tags=["ml-platform", dataset.name],
    )
    def rollback() -> None:
        move_alias()

    rollback()


for spec in catalog().datasets:
    make_rollback(spec)
