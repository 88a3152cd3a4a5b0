"""Measure how long a task waits for its libraries: if it imports them, and if it inherits them from the executor.

Both are measured as in Airflow, in a fork of a process that has loaded Airflow.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "plugins"
SCRIPT = """
import os, sys, time
from ml_platform.airflow import executor
if sys.argv[1] == "inherited":
    executor.load_library()
begin = time.perf_counter()
if (child := os.fork()) == 0:
    executor.load_library()
    os._exit(0)
os.waitpid(child, 0)
print(time.perf_counter() - begin)
"""


def seconds(how: str) -> float:
    """Return the seconds until the libraries of a forked task are loaded; `how` is imported or inherited."""
    environment = os.environ | {"PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 – our own
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure each way in turn; print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    measured: dict[str, list[float]] = {"imported": [], "inherited": []}
    for _ in range(times):
        for how, durations in measured.items():
            durations.append(seconds(how))
    imported, inherited = (statistics.median(measured[how]) for how in ("imported", "inherited"))
    sys.stdout.write(
        f"libraries of a task, median of {times}: imported {imported:.2f} s, inherited {inherited:.3f} s, "
        f"ratio {imported / inherited:.0f}\n"
    )


if __name__ == "__main__":
    main()
