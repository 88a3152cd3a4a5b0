"""The templates of a spec in the bucket `reports`: files with the right header and an example row, to start from."""

from ml_platform.parsing.allowed import template
from ml_platform.specs.label_files import LabelFiles, label_files
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store

BUCKET = "reports"


def template_key(table: Table) -> str:
    """Return the key of a spec's template in the bucket `reports`; label files have one of their own."""
    return f"templates/{'labels/' if isinstance(table, LabelFiles) else ''}{table.name}.csv"


def publish(table: Table) -> None:
    """Write the templates of a spec, unless those that are there are the same.

    Raises:
        ServiceError: the object store failed.
    """
    specs = [table, *([label_files(table)] if isinstance(table, Dataset) and table.has_key else [])]
    for spec in specs:
        object_store.replace(BUCKET, template_key(spec), template(spec), "text/csv")
