"""Print the commit of HEAD in a `.git` folder, without the program git: `python revision.py FOLDER`."""

import sys
from pathlib import Path


def revision(git: Path) -> str:
    """Return the commit's hash; "unknown" where the folder is no repository."""
    head = git / "HEAD"
    if not head.exists():
        return "unknown"
    name = head.read_text().strip()
    if not name.startswith("ref: "):
        return name
    reference = name.removeprefix("ref: ")
    loose = git / reference
    return loose.read_text().strip() if loose.exists() else _packed(git / "packed-refs").get(reference, "unknown")


def _packed(file: Path) -> dict[str, str]:
    """Return the hashes of the references that git keeps in one file; its other lines begin with `#` or `^`."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: commit for commit, _, name in (line.partition(" ") for line in lines if line[:1] not in "#^")}


if __name__ == "__main__":
    sys.stdout.write(revision(Path(sys.argv[1])) + "\n")
