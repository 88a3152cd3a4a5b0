"""`make bench`: run the benchmarks, on servers that are started for them and removed afterwards.

python -m benchmarks [NAME] [ARGUMENT ...]: all of them, or the one of that name with its arguments, such as
`point_in_time --labels 100000`.
"""

import os
import subprocess
import sys
from pathlib import Path

from stack.runners import embedded
from tests.conftest import fresh_config

HERE = Path(__file__).parent


def run(script: Path, arguments: list[str]) -> int:
    """Run one benchmark and return its exit code."""
    sys.stdout.write(f"\n{script.stem.removeprefix('bench_').replace('_', ' ')}\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, str(script), *arguments], check=False).returncode  # noqa: S603 – our own


def main(name: str = "*", *arguments: str) -> int:
    """Start the servers, run what is asked for, stop them; return how many benchmarks failed."""
    scripts = sorted(HERE.glob(f"bench_{name}.py"))
    if not scripts:
        sys.exit(f"no benchmark {name!r}; there are: {', '.join(p.stem[6:] for p in sorted(HERE.glob('bench_*.py')))}")
    with fresh_config() as config:
        embedded.up(config, ["postgres", "objects", "dbinit"])
        os.environ.update(config.environment() | {"ENV_FILE": str(config.env_file)})
        return sum(run(script, list(arguments)) != 0 for script in scripts)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
