"""`python -m stack.backup make|restore`: the commands behind `make backup` and `make restore`."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from stack.backup.folder import SETTINGS, LogProgress, megabytes, private_file
from stack.backup.make import make_backup
from stack.backup.manifest import verify
from stack.backup.restore import restore_backup
from stack.config import ROOT, env_path, load
from stack.errors import StackError
from stack.terminal import interrupt_on_terminate


def make(options: argparse.Namespace, log_progress: LogProgress) -> None:
    """Make a backup."""
    began = time.monotonic()
    folder = Path(options.to or ROOT / "backups" / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ"))
    manifest = make_backup(load(), folder, log_progress)
    total = megabytes(sum(file.bytes for file in manifest.files().values()))
    log_progress(
        f"Backup {folder}: {total}, {time.monotonic() - began:.0f} s. It contains all secrets: protect it like "
        f"{SETTINGS}."
    )


def restore(options: argparse.Namespace, log_progress: LogProgress) -> None:
    """Check a backup and restore it; its settings too, where there are none."""
    began = time.monotonic()
    folder: Path = options.folder
    manifest = verify(folder)
    if not env_path().exists():
        with private_file(env_path()) as file:
            file.write((folder / SETTINGS).read_bytes())
        log_progress(f"settings: {env_path()}, from the backup")
    restore_backup(load(), folder, manifest, log_progress, replace=options.replace)
    log_progress(f"Restored {folder}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC, {time.monotonic() - began:.0f} s.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    interrupt_on_terminate()
    try:
        options.run(options, lambda text: console.print(text, markup=False, soft_wrap=True))
    except (StackError, OSError) as error:
        console.print(str(error), markup=False, style="red", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack.backup", description=__doc__)
    commands = parser.add_subparsers(required=True)
    make_parser = commands.add_parser("make", help=make.__doc__)
    make_parser.add_argument("--to", help="a folder that does not exist yet; by default backups/<UTC time>")
    make_parser.set_defaults(run=make)
    restore_parser = commands.add_parser("restore", help=restore.__doc__)
    restore_parser.add_argument("folder", type=Path)
    restore_parser.add_argument(
        "--replace", action="store_true", help="remove the data of a platform that is not empty"
    )
    restore_parser.set_defaults(run=restore)
    return parser


if __name__ == "__main__":
    sys.exit(main())
