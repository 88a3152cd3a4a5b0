import runpy
import sys

import airflow.__main__

from ml_platform.airflow import executor, scheduler


def test_the_library_is_loaded_before_airflow_s_scheduler_starts(monkeypatch):
    order = []
    monkeypatch.setattr(executor, "load_library", lambda: order.append("loaded"))
    monkeypatch.setattr(airflow.__main__, "main", lambda: order.append(sys.argv[1:]))
    monkeypatch.setattr(sys, "argv", ["scheduler.py", "--skip-serve-logs"])
    monkeypatch.delitem(sys.modules, scheduler.__name__)
    runpy.run_module(scheduler.__name__, run_name="__main__")
    assert order == ["loaded", ["scheduler", "--skip-serve-logs"]]
