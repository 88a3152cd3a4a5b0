"""The data sets that use our own Kafka, found in the YAML files without the library that reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CONNECTION = "kafka"  # of Airflow, and of a source that names none
STREAM_TOPICS = ("rows", "predictions", "rejected")  # of a data set whose rows are scored as they come


def datasets(folder: Path) -> list[str]:
    """Return the names of the data sets in a folder that have this broker as a source or stream through it, sorted."""
    return sorted(name for name, spec in _specs(folder) if _is_streamed(spec) or list(_topics_of_sources(spec)))


def streamed(folder: Path) -> list[str]:
    """Return the names of the data sets in a folder that say `stream: true`, sorted."""
    return sorted(name for name, spec in _specs(folder) if _is_streamed(spec))


def topics(folder: Path) -> list[str]:
    """Return the topics that the data sets in a folder need, sorted."""
    found = {topic for _, spec in _specs(folder) for topic in _topics_of_sources(spec)}
    found |= {f"{name}.{topic}" for name in streamed(folder) for topic in STREAM_TOPICS}
    return sorted(found - {""})  # a spec without a topic is not valid; the catalog says so


def _specs(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and content of each spec that may use Kafka; a broken one uses nothing."""
    for path in folder.glob("[!.]*.yaml"):
        text = path.read_text(errors="replace")
        if "\nsource:" not in f"\n{text}" and "\nstream:" not in f"\n{text}":  # to look is quicker than to parse
            continue
        try:
            spec = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if isinstance(spec, dict):
            yield path.stem, spec


def _is_streamed(spec: dict[str, Any]) -> bool:
    return spec.get("stream") is True


def _topics_of_sources(spec: dict[str, Any]) -> Iterator[str]:
    """Yield the topic of each source of kind kafka without another connection."""
    source = spec.get("source")
    for part in [source, *source.values()] if isinstance(source, dict) else []:
        if isinstance(part, dict) and part.get("kind") == "kafka" and part.get("connection") in (None, CONNECTION):
            yield str(part.get("topic", ""))
