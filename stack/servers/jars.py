"""The jars of Kafka: by Maven coordinates, each with the checksum that `kafka-jars.lock` records.

`python -m stack.servers.jars` resolves `ROOTS` again, and writes the lock file.
"""

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import StackError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

VERSION = "4.3.1"
ROOTS = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36")
LOCK = Path(__file__).with_name("kafka-jars.lock")
FOLDER = Path(sys.prefix) / "share" / "ml-platform" / "kafka-jars"  # beside the packages: `make reset` leaves it
AT_ONCE = 4  # downloads side by side
TIMEOUT = 60  # seconds until a server of jars must have answered


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Return the SHA-256 of each jar by its coordinates, group:artifact:version."""
    return dict(line.partition(" ")[::2] for line in lock.read_text().splitlines())


def path_of(coordinates: str, folder: Path = FOLDER) -> Path:
    """Return where a jar is, or will be."""
    _, artifact, version = coordinates.split(":")
    return folder / f"{artifact}-{version}.jar"


def classpath(folder: Path = FOLDER) -> str:
    """Return the locked jars, and no other file of the folder, as Java wants them."""
    return ":".join(str(path_of(coordinates, folder)) for coordinates in locked())


def fetch(folder: Path = FOLDER, lock: Path = LOCK) -> None:
    """Download the jars that are missing or damaged; needs no network if there are none.

    Raises:
        StackError: a jar cannot be downloaded, or its content is not what the lock file records.
    """
    missing = {name: digest for name, digest in locked(lock).items() if _sha256(path_of(name, folder)) != digest}
    if not missing:
        return
    print(f"  Kafka: {len(missing)} jars are downloaded, once", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary, ThreadPoolExecutor(AT_ONCE) as pool:
        context = _context(Path(temporary))
        for name, path in zip(missing, pool.map(lambda name: _download(name, context), missing), strict=True):
            if _sha256(path) != missing[name]:
                raise StackError(f"The jar {name} is not the one in {lock.name}: its SHA-256 is {_sha256(path)}.")
            path.replace(path_of(name, folder))


def write_lock(lock: Path = LOCK) -> None:
    """Resolve what `ROOTS` need at run time, and record each jar's checksum."""
    with tempfile.TemporaryDirectory() as folder:
        context = _context(Path(folder))
        roots = [context.create_dependency(coordinates) for coordinates in ROOTS]
        artifacts = [dependency.artifact for part in context.resolver.resolve(roots) for dependency in part]
        names = sorted(f"{one.groupId}:{one.artifactId}:{one.version}" for one in artifacts)
        lock.write_text("".join(f"{name} {_sha256(_download(name, context))}\n" for name in names))


def _download(coordinates: str, context: "MavenContext") -> Path:
    try:
        return context.create_dependency(coordinates).artifact.resolve()
    except (OSError, RuntimeError) as error:
        raise StackError(f"The jar {coordinates} of Kafka cannot be downloaded: {error}") from error


def _context(folder: Path) -> "MavenContext":
    try:
        from jgo.maven import MavenContext
    except ImportError:
        raise StackError("The package jgo is not installed; `make up KAFKA=1` installs it.") from None
    return MavenContext(repo_cache=folder, timeout=TIMEOUT)


def _sha256(path: Path) -> str | None:
    with suppress(FileNotFoundError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None


if __name__ == "__main__":
    write_lock()
