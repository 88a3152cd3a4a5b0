"""`make bench`: run the benchmarks on servers that are started for them and removed afterwards.

A benchmark is a file `bench_<name>.py` of this folder, and a program with arguments of its own.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from stack.runners import embedded
from tests.conftest import fresh_config

SCRIPTS = {path.stem.removeprefix("bench_"): path for path in sorted(Path(__file__).parent.glob("bench_*.py"))}


def command_line() -> argparse.ArgumentParser:
    """Return the parser of `python -m benchmarks`; its help lists the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=SCRIPTS, help="the benchmark to run; all of them if not given")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of that benchmark, such as --labels 100000")
    return parser


def run(name: str, arguments: list[str]) -> bool:
    """Run one benchmark; return whether it succeeded."""
    sys.stdout.write(f"\n{name.replace('_', ' ')}\n")
    sys.stdout.flush()
    command = [sys.executable, str(SCRIPTS[name]), *arguments]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 – our own


def main() -> int:
    """Start the servers, run the benchmarks, stop the servers; return how many benchmarks failed."""
    options = command_line().parse_args()
    with fresh_config() as config:
        embedded.up(config, ["postgres", "objects", "dbinit"])
        os.environ.update(config.environment() | {"ENV_FILE": str(config.env_file)})
        names = [options.name] if options.name else list(SCRIPTS)
        return sum(not run(name, options.arguments) for name in names)


if __name__ == "__main__":
    sys.exit(main())
