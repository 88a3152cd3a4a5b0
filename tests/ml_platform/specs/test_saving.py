"""A file is saved in one step, and only over the text that was changed."""

import errno
import threading
from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs import saving


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "churn.yaml"
    path.write_text("name: churn\n")
    path.chmod(0o640)
    saving.save(path, "name: churn\n# ä\n", expected=saving.read(path).stamp)
    assert path.read_bytes().decode() == "name: churn\n# ä\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "churn.yaml"
    saving.save(path, "name: churn\n", expected=saving.NOT_THERE)
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_ends_of_lines_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "churn.yaml"
    path.write_bytes(b"a: 1\r\nb: 2\r\n")
    text = saving.read(path)
    assert text.text == "a: 1\nb: 2\n"
    saving.save(path, "a: 1\nb: 3\n", expected=text.stamp)
    assert path.read_bytes() == b"a: 1\r\nb: 3\r\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "churn.yaml", tmp_path / "churn.yaml"
    target.write_text("a: 1\n")
    link.symlink_to(target)
    saving.save(link, "a: 2\n", expected=saving.read(link).stamp)
    assert link.is_symlink()
    assert target.read_text() == "a: 2\n"


@pytest.mark.parametrize(
    ("now", "expected", "what"),
    [("a: 2\n", "a: 1\n", "was changed"), (None, "a: 1\n", "was removed"), ("a: 1\n", None, "was created")],
)
def test_what_somebody_else_did_is_not_overwritten(
    tmp_path: Path, now: str | None, expected: str | None, what: str
) -> None:
    path = tmp_path / "churn.yaml"
    stamp = saving.NOT_THERE
    if expected is not None:
        path.write_text(expected)
        stamp = saving.read(path).stamp
        path.unlink()
    if now is not None:
        path.write_text(now)
    with pytest.raises(ConfigurationError, match=f"churn.yaml {what} by somebody else"):
        saving.save(path, "a: 3\n", expected=stamp)
    assert (path.read_text() if path.exists() else None) == now


def test_of_many_at_once_one_saves(tmp_path: Path) -> None:
    path = tmp_path / "churn.yaml"
    path.write_text("a: 0\n")
    stamp, done, refused = saving.read(path).stamp, list[int](), list[int]()

    def save(number: int) -> None:
        try:
            saving.save(path, f"a: {number}\n", expected=stamp)
            done.append(number)
        except ConfigurationError:
            refused.append(number)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 7)
    assert path.read_text() == f"a: {done[0]}\n"


def test_a_folder_that_cannot_be_written_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    assert saving.refusal(tmp_path) == ""
    path = tmp_path / "churn.yaml"
    path.write_text("a: 1\n")
    monkeypatch.setattr(saving.tempfile, "mkstemp", refuse)
    monkeypatch.setattr(saving.tempfile, "NamedTemporaryFile", refuse)
    assert saving.refusal(tmp_path) == "Read-only file system"
    with pytest.raises(ConfigurationError, match=r"churn\.yaml cannot be written: Read-only file system"):
        saving.save(path, "a: 2\n", expected=saving.read(path).stamp)
    assert path.read_text() == "a: 1\n"


def test_a_full_disk_leaves_the_old_text_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "churn.yaml"
    path.write_text("a: 1\n")
    monkeypatch.setattr(saving.os, "fsync", fail)
    with pytest.raises(ConfigurationError, match="No space left"):
        saving.save(path, "a: 2\n", expected=saving.read(path).stamp)
    assert (path.read_text(), list(tmp_path.iterdir())) == ("a: 1\n", [path])


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "churn.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        saving.read(path)
