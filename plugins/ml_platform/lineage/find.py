"""Find the result that a person means: by its key, by a downloaded file, or by an entity."""

import hashlib
from pathlib import Path

from ml_platform.exceptions import ConfigurationError
from ml_platform.lineage import chain, records
from ml_platform.lineage.chain import Chain
from ml_platform.removal.entities import find_entities
from ml_platform.scoring.result_keys import BUCKET
from ml_platform.specs.catalog import dataset
from ml_platform.storage import object_store

PREFIXES = (f"s3://{BUCKET}/", f"{BUCKET}/")


def by_result(text: str) -> Chain:
    """Return the chain of a result.

    Args:
        text: its key, with or without the bucket, the name of its file, or the path of a copy on this machine. The
            copy must have its name; whether it has the same bytes is noted in the chain.

    Raises:
        ConfigurationError: there is no such result.
        ServiceError: Postgres or the object store failed.
    """
    path = Path(text)
    if "/" in text and not path.is_file():
        return chain.of_result(_without_bucket(text))
    found = chain.of_result(_key_named(path.name))
    if path.is_file() and (problem := _difference(path, found)):
        found.notes.append(problem)
    return found


def by_entity(name: str, key: str) -> Chain:
    """Return the chain of the newest prediction about an entity.

    Args:
        name: of the data set.
        key: as in the files; of a key of several columns the values, separated by commas and quoted as in CSV.

    Raises:
        ConfigurationError: there is no such data set, the key does not fit, or there is no prediction about it.
        ServiceError: Postgres or the object store failed.
    """
    spec = dataset(name)
    (values,) = find_entities(spec, [key]).keys
    return chain.of_entity(spec, dict(zip(spec.keys, values, strict=True)))


def _without_bucket(text: str) -> str:
    for prefix in PREFIXES:
        if text.startswith(prefix):
            return text.removeprefix(prefix)
    return text


def _key_named(name: str) -> str:
    keys = records.result_keys_named(name)
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise ConfigurationError(f"{len(keys)} results are named {name!r}; name one of them: {', '.join(keys)}")
    raise ConfigurationError(
        f"no result is named {name!r}; name its key, s3://{BUCKET}/DATASET/FILE, or a copy that has its name"
    )


def _difference(path: Path, found: Chain) -> str | None:
    if found.result is None or not (stored := object_store.head(BUCKET, found.result.key)):
        return None
    with object_store.local_copy(stored) as copy, path.open("rb") as file:
        same = copy.sha256 == hashlib.file_digest(file, "sha256").hexdigest()
    return None if same else f"{path} differs from the result in the bucket: it was changed after it was downloaded"
