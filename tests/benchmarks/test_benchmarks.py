import subprocess
import sys
from importlib import import_module

import pytest

from benchmarks import __main__ as benchmarks
from stack.config import ROOT

NAMES = sorted(path.stem.removeprefix("bench_") for path in (ROOT / "benchmarks").glob("bench_*.py"))


def test_there_are_benchmarks():
    assert NAMES
    assert list(benchmarks.SCRIPTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_is_imported_and_says_what_it_measures(name):
    module = import_module(f"benchmarks.bench_{name}")
    assert callable(module.main)
    assert module.__doc__.startswith(("Measure ", "Compare "))


def test_help_names_every_benchmark(capsys):
    with pytest.raises(SystemExit) as exited:
        benchmarks.command_line().parse_args(["--help"])
    assert exited.value.code == 0
    listed = capsys.readouterr().out
    assert [name for name in NAMES if name not in listed] == []


def test_a_benchmark_gets_its_own_arguments():
    options = benchmarks.command_line().parse_args(["point_in_time", "--labels", "100"])
    assert (options.name, options.arguments) == ("point_in_time", ["--labels", "100"])
    options = benchmarks.command_line().parse_args([])
    assert (options.name, options.arguments) == (None, [])


def test_an_unknown_benchmark_is_refused_before_a_server_starts(capsys):
    with pytest.raises(SystemExit) as exited:
        benchmarks.command_line().parse_args(["nothing"])
    assert exited.value.code == 2
    error = capsys.readouterr().err
    assert "'nothing'" in error
    assert "features_from" in error


@pytest.mark.slow
def test_a_benchmark_is_a_program_of_its_own():
    """Its script runs with the library on the path and nothing else of the tests."""
    script = benchmarks.SCRIPTS["task_start"]
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--times" in done.stdout


def test_a_failed_benchmark_is_counted(monkeypatch, tmp_path, capfd):
    for name, code in (("good", 0), ("bad", 3)):
        (tmp_path / name).write_text(f"import sys; sys.exit({code})")
        monkeypatch.setitem(benchmarks.SCRIPTS, name, tmp_path / name)
    assert benchmarks.run("good", [])
    assert not benchmarks.run("bad", [])
    assert "\nbad\n" in capfd.readouterr().out
