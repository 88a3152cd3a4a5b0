"""The jars of Kafka: only those of the lock file are used, and a second start needs no network."""

import hashlib
import socket
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from stack.errors import StackError
from stack.servers import jars

CONTENT = {"org.one:one:1.0": b"first", "org.two:two_2.13:2.0": b"second"}


@pytest.fixture
def lock(tmp_path):
    """A lock file of two jars."""
    path = tmp_path / "jars.lock"
    path.write_text("".join(f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in CONTENT.items()))
    return path


@pytest.fixture
def registry(monkeypatch):
    """Jars that can be downloaded, in place of the network: their content by coordinates; `asked` has the requests."""
    content, asked = dict(CONTENT), []

    class Context:
        def __init__(self, folder):
            self.folder = folder

        def create_dependency(self, coordinates):
            def resolve():
                asked.append(coordinates)
                if coordinates not in content:
                    raise RuntimeError("not found")
                path = jars.path_of(coordinates, self.folder)
                path.write_bytes(content[coordinates])
                return path

            return SimpleNamespace(artifact=SimpleNamespace(resolve=resolve))

    monkeypatch.setattr(jars, "_context", Context)
    return SimpleNamespace(content=content, asked=asked)


def test_missing_jars_are_downloaded_once(tmp_path, lock, registry):
    jars.fetch(tmp_path / "jars", lock)
    assert sorted(registry.asked) == sorted(CONTENT)
    assert {path.name for path in (tmp_path / "jars").iterdir()} == {"one-1.0.jar", "two_2.13-2.0.jar"}
    jars.fetch(tmp_path / "jars", lock)
    assert len(registry.asked) == 2


def test_a_damaged_jar_is_downloaded_again(tmp_path, lock, registry):
    jars.fetch(tmp_path / "jars", lock)
    path = jars.path_of("org.one:one:1.0", tmp_path / "jars")
    path.write_bytes(b"half")
    jars.fetch(tmp_path / "jars", lock)
    assert (registry.asked[2:], path.read_bytes()) == (["org.one:one:1.0"], b"first")


def test_a_jar_that_is_not_the_locked_one_is_named_and_not_kept(tmp_path, lock, registry):
    registry.content["org.two:two_2.13:2.0"] = b"other"
    with pytest.raises(StackError, match=r"The jar org\.two:two_2\.13:2\.0 is not the one in jars\.lock"):
        jars.fetch(tmp_path / "jars", lock)
    assert not jars.path_of("org.two:two_2.13:2.0", tmp_path / "jars").exists()


def test_a_jar_that_cannot_be_downloaded_is_named(tmp_path, lock, registry):
    del registry.content["org.one:one:1.0"]
    with pytest.raises(StackError, match=r"The jar org\.one:one:1\.0 of Kafka cannot be downloaded: not found"):
        jars.fetch(tmp_path / "jars", lock)


def test_without_a_network_the_first_start_says_so(tmp_path, lock, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=OSError("no network")))
    with pytest.raises(StackError, match=r"The jar org\.one:one:1\.0 of Kafka cannot be downloaded: "):
        jars.fetch(tmp_path / "jars", lock)


def test_the_class_path_has_the_locked_jars_and_nothing_else(tmp_path):
    (tmp_path / "stranger.jar").touch()
    names = [path.rpartition("/")[2] for path in jars.classpath(tmp_path).split(":")]
    assert f"kafka_2.13-{jars.VERSION}.jar" in names
    assert "stranger.jar" not in names
    assert len(set(names)) == len(jars.locked())


def test_every_root_is_locked_with_a_checksum():
    locked = jars.locked()
    assert set(jars.ROOTS) <= set(locked)
    assert {len(bytes.fromhex(digest)) for digest in locked.values()} == {32}


def test_the_lock_file_has_all_that_the_roots_need(tmp_path, monkeypatch):
    def artifact(name):
        group, identifier, version = name.split(":")
        path = tmp_path / f"{identifier}.jar"
        path.write_bytes(CONTENT[name])
        return SimpleNamespace(groupId=group, artifactId=identifier, version=version, resolve=lambda: path)

    class Context:
        def __init__(self, _):
            self.resolver = SimpleNamespace(
                resolve=lambda roots: (roots, [self.create_dependency("org.two:two_2.13:2.0")])
            )

        def create_dependency(self, name):
            return SimpleNamespace(artifact=artifact(name))

    monkeypatch.setattr(jars, "_context", Context)
    monkeypatch.setattr(jars, "ROOTS", ("org.one:one:1.0",))
    jars.write_lock(tmp_path / "new.lock")
    assert jars.locked(tmp_path / "new.lock") == {
        name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()
    }
