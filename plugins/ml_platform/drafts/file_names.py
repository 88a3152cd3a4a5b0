"""The names that a file brings: of a data set that is made from it, and of its copy on this machine."""

import re

LONGEST_NAME = 41  # characters
FALLBACK = "data"


def suggested_name(file_name: str) -> str:
    """Return a name for the data set of a file: `churn` for `train_churn.csv.gz`."""
    stem = re.sub("[^a-z0-9]+", "_", file_name.lower().partition(".")[0]).strip("_")
    stem = re.sub("^(train|test)_+", "", stem).lstrip("_0123456789")
    return stem[:LONGEST_NAME].rstrip("_") or FALLBACK


def safe_file_name(name: str) -> str:
    """Return a file's name without what a file system or a comment might misread: folders, spaces, line feeds."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name.replace("\\", "/").rpartition("/")[2])[-100:].lstrip(".")
    return safe or FALLBACK


def ending(name: str) -> str:
    """Return the ending of a file's name, which may say that it is compressed: `.csv`, `.csv.gz`, or ""."""
    found = re.search(r"(\.[A-Za-z0-9]+)?\.(gz|[A-Za-z0-9]+)$", name)
    if not found:
        return ""
    return found[0] if found[2] == "gz" else f".{found[2]}"
