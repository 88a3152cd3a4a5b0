"""The YAML of a data set of `make demo SOURCE=...`: that of the sample, with another name and a source."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog, dataset
from ml_platform.specs.sources import Sources

NAME_LINE = re.compile(r"^name:.*$", re.MULTILINE)


def write_spec(folder: Path, sample: str, name: str, source: Mapping[str, str]) -> Path | None:
    """Write the YAML of a data set with a source; return its path, or None if it is there already.

    Args:
        folder: of the specs.
        sample: the data set that is copied, with its comments; it stays as it is.
        name: of the new data set.
        source: what `source:` says.

    Raises:
        ConfigurationError: there is no such sample, it has a source, the new name is taken by other data, or it does
            not go together with the other specs.
    """
    path = folder / f"{name}.yaml"
    if path.exists():
        _check_source(path, name, source)
        return None
    if dataset(sample, folder).source:
        raise ConfigurationError(f"{folder / sample}.yaml has a source already; the demo needs a sample without one")
    problems = set(catalog(folder).problems)
    path.write_text(spec_text((folder / f"{sample}.yaml").read_text(encoding="utf-8"), name, source), encoding="utf-8")
    if new := set(catalog(folder).problems) - problems:
        path.unlink()
        raise ConfigurationError("\n".join(sorted(new)))
    return path


def spec_text(text: str, name: str, source: Mapping[str, str]) -> str:
    """Return the text of a YAML with another name, and with a source behind it."""
    content = yaml.safe_dump(dict(source), default_flow_style=True, sort_keys=False, width=1000).strip()
    return NAME_LINE.sub(lambda _: f"name: {name}\nsource: {content}   # filled by `make demo`", text, count=1)


def _check_source(path: Path, name: str, source: Mapping[str, str]) -> None:
    """Raise ConfigurationError if the YAML that is there has another source."""
    wanted = Sources.model_validate({"train": source}).of("train")
    there = dataset(name, path.parent).source_of("train")
    if there is None or wanted is None or there.origin != wanted.origin:
        raise ConfigurationError(f"{path} is there already, and its source is none that the demo fills; move it away")
