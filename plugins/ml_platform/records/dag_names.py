"""The parts of the name of a DAG: `<verb>_<data set or feature table>`."""

from typing import NamedTuple

VERBS = ("ingest", "train", "test", "pull", "pull_test", "monitor", "rollback", "promote", "withdraw")
WITHOUT_DATASET = ("housekeeping",)


class DagName(NamedTuple):
    """What a DAG does, and with which data set or feature table; `dataset` is None if it is about all of them."""

    verb: str
    dataset: str | None


def parts(dag_id: str) -> DagName | None:
    """Return the parts of a DAG's name; None for a DAG that is not of the platform.

    `pull_test_x` is read as the pull of rows to be scored of `x`.
    """
    if dag_id in WITHOUT_DATASET:
        return DagName(dag_id, None)
    for verb in sorted(VERBS, key=len, reverse=True):
        name = dag_id.removeprefix(f"{verb}_")
        if name and name != dag_id:
            return DagName(verb, name)
    return None
