"""The folder of a backup: outside of what a restore removes, and private."""

import pytest

from stack.backup.folder import check_place, megabytes, private_file
from stack.errors import BackupError


def test_a_folder_elsewhere_is_allowed(config, tmp_path):
    check_place(config, tmp_path / "backups" / "b")
    check_place(config, config.state_dir.with_name(f"{config.state_dir.name}-backups"))


def test_the_state_folder_is_refused_by_every_path_to_it(config, tmp_path):
    config.state_dir.mkdir()
    (tmp_path / "link").symlink_to(config.state_dir)
    for folder in (config.state_dir, config.state_dir / "b", tmp_path / "link" / "b", tmp_path / "x" / ".." / ".state"):
        with pytest.raises(BackupError, match="which a restore removes"):
            check_place(config, folder)


def test_a_private_file_is_new_and_only_its_owner_can_read_it(tmp_path):
    with private_file(tmp_path / "secret") as file:
        file.write(b"hush")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        private_file(tmp_path / "secret")
    assert (tmp_path / "secret").read_bytes() == b"hush"


@pytest.mark.parametrize(("size", "text"), [(0, "0.0 MB"), (1_234_567, "1.2 MB"), (12_345_678_900, "12,345.7 MB")])
def test_sizes_are_in_megabytes(size, text):
    assert megabytes(size) == text
