"""The data sets whose rows come from our own Kafka, found in the YAML files without the library that reads them."""

from pathlib import Path

import yaml

CONNECTION = "kafka"  # of Airflow, and of a source that names none


def datasets(folder: Path) -> list[str]:
    """Return the names of the data sets in a folder that have this broker as a source, sorted."""
    return sorted(path.stem for path in folder.glob("[!.]*.yaml") if _reads_from_here(path))


def _reads_from_here(path: Path) -> bool:
    """Return whether a spec has a source of kind kafka without another connection; a broken spec has none."""
    text = path.read_text(errors="replace")
    if "\nsource:" not in f"\n{text}":  # most specs: to look is quicker than to parse
        return False
    try:
        source = yaml.safe_load(text)["source"]
    except (yaml.YAMLError, KeyError, TypeError):
        return False
    parts = [source, *source.values()] if isinstance(source, dict) else []
    return any(isinstance(part, dict) and _is_ours(part) for part in parts)


def _is_ours(source: dict[str, object]) -> bool:
    return source.get("kind") == "kafka" and source.get("connection") in (None, CONNECTION)
