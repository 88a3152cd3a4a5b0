"""The README is complete and correct: every DAG, command, port and file that it should name, and no dead link."""

import re
from pathlib import Path
from typing import Any

import pytest

from ml_platform.specs.catalog import catalog

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STARTS = {
    "ContinuousTimetable": "one run always waits for a file",
    "AssetTriggeredTimetable": "when new rows are loaded, or by hand",
    "AssetOrTimeSchedule": "by schedule, after a large enough scored file, after new training rows, or by hand",
    "NullTimetable": "by hand",
}


def dag_table(dags: dict[str, Any]) -> str:
    lines = ["| DAG | starts | does | tasks |", "|---|---|---|---|"]
    verbs = ("ingest", "train", "test", "monitor", "rollback", "withdraw", "promote")
    for dag_id in sorted(dags, key=lambda name: verbs.index(name.partition("_")[0])):
        dag = dags[dag_id]
        tasks = " → ".join(task.task_id.rpartition(".")[2] for task in dag.topological_sort())
        starts = STARTS[type(dag.timetable).__name__]
        lines.append(f"| `{dag_id}`: {dag.dag_display_name} | {starts} | {dag.description} | {tasks} |")
    return "\n".join(lines)


def test_the_table_of_dags_is_the_one_that_airflow_would_show(dag_bag) -> None:
    own = {name: dag for name, dag in dag_bag.dags.items() if name.endswith("_auto")}
    between = re.search(r"<!-- dags:.*?-->\n(.*?)\n<!-- /dags -->", README, re.DOTALL)
    assert between is not None
    assert between[1] == dag_table(own), f"put this there:\n{dag_table(own)}"


def test_it_leads_to_every_data_set() -> None:
    found = catalog()
    assert not found.problems
    assert [one.name for one in (*found.datasets, *found.tables) if f"(datasets/{one.name}.yaml)" not in README] == []


def test_it_names_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    missing = [command for command in commands if command != "help" and f"make {command}" not in README]
    assert missing == []


def test_it_names_every_port_and_password_of_a_screen() -> None:
    variables = re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    wanted = [name for name in variables if name.endswith("_PORT") and not name.endswith("_INNER_PORT")]
    wanted += [
        f"{screen}_PASSWORD" for screen in ("AIRFLOW_ADMIN", "CONSOLE", "MLFLOW_ADMIN", "FEAST_ADMIN", "READER_DB")
    ]
    assert [name for name in wanted if name not in README] == []
    assert set(wanted) <= set(variables)


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README)
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_it_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= 202


@pytest.mark.parametrize("folder", ["datasets", "dags", "plugins", "feast_repo", "dbinit", "minio", "stack", "eda"])
def test_it_says_what_each_folder_is_for(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert f"\n{folder}/" in README
