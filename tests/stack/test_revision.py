"""The commit of HEAD, found without the program git."""

import subprocess

import pytest

from stack.config import ROOT
from stack.revision import revision

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def git(tmp_path):
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path


def test_a_branch_that_has_its_own_file(git):
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
    assert revision(git) == COMMIT


def test_a_branch_that_git_has_packed(git):
    (git / "packed-refs").write_text(
        f"# pack-refs with: peeled\n{'f' * 40} refs/tags/v1\n^{'e' * 40}\n{COMMIT} refs/heads/main\n"
    )
    assert revision(git) == COMMIT


def test_a_checked_out_commit(git):
    (git / "HEAD").write_text(f"{COMMIT}\n")
    assert revision(git) == COMMIT


def test_a_folder_without_git(tmp_path):
    assert revision(tmp_path) == "unknown"


def test_it_agrees_with_git():
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode == 0 and (ROOT / ".git").is_dir():
        assert revision(ROOT / ".git") == said.stdout.strip()
