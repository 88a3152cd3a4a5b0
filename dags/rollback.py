"""Let the model that was live before, or a given version, score the files again.

**Starts** by hand: *Trigger* opens a form that asks for the reason and, if it is not to be the previous champion, for
the version. `make rollback DATASET=<data set> REASON="..."` does the same from a shell.

**Goes out**: the alias `champion` names that version, and `previous` the one that was live until now; a row in
`models.movements` says who did it, when and why. `./ml-platform models history <data set>` shows it.

**How**: the version is loaded and its files are checked by digest first; only then the alias moves. Files that are
scored from then on are scored by it, as before. No file is scored anew.

**When it fails**: there is no previous champion, no such version, or its files are not what was recorded at its
training; nothing has moved then. Choose another version, or train anew. Cleared and run again, it moves nothing twice.
"""

from airflow.sdk import dag, get_current_context, task

from ml_platform.airflow import forms
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
        description=f"Let the previous champion of {dataset.name}, or a given version, be live again",
        schedule=None,
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=forms.rollback(),
        doc_md=__doc__,
        tags=["ml-platform", dataset.name],
    )
    def rollback() -> None:
        move_alias()

    rollback()


for found in catalog().datasets:
    make_rollback(found)
