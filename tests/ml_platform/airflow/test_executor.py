"""The executor imports the library once, and exactly the modules that the tasks import."""

import ast
from pathlib import Path

from airflow.executors.local_executor import LocalExecutor

from ml_platform.airflow import executor
from stack import secrets

ROOT = Path(__file__).resolve().parents[3]


def imports_of_tasks() -> set[str]:
    """Return the modules of the library that functions in dags/ import."""
    found = set()
    for path in (ROOT / "dags").glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ml_platform"):
                    package = ROOT / "plugins" / node.module.replace(".", "/")
                    found |= {f"{node.module}.{a.name}" for a in node.names} if package.is_dir() else {node.module}
    return found


def test_it_imports_what_the_tasks_import():
    assert imports_of_tasks() == {f"ml_platform.{name}" for name in executor.LIBRARY}


def test_the_library_is_imported_before_the_workers_are_forked(monkeypatch):
    order = []
    monkeypatch.setattr(executor, "load_library", lambda: order.append("loaded"))
    monkeypatch.setattr(LocalExecutor, "start", lambda _: order.append("forked"))
    one = executor.PreloadedLocalExecutor(parallelism=1)
    one.start()
    assert order == (["loaded", "forked"] if one.is_mp_using_fork else ["forked"])


def test_airflows_settings_name_it():
    setting = secrets.read(ROOT / "stack" / "airflow.env")["AIRFLOW__CORE__EXECUTOR"]
    assert setting == f"{executor.__name__}.{executor.PreloadedLocalExecutor.__name__}"
