"""The template of a spec in the bucket `reports`: a file with the right header and an example row, to start from."""

from ml_platform.parsing.allowed import template
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store

BUCKET = "reports"


def template_key(table: Table) -> str:
    """Return the key of a spec's template in the bucket `reports`."""
    return f"templates/{table.name}.csv"


def publish(table: Table) -> None:
    """Write the template of a spec, unless the one that is there is the same.

    Raises:
        ServiceError: the object store failed.
    """
    object_store.replace(BUCKET, template_key(table), template(table), "text/csv")
