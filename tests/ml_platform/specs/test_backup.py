"""The schedule of backups in `datasets/platform.yaml`."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.backup import Backup
from ml_platform.specs.catalog import platform_options
from ml_platform.specs.platform import PLATFORM_FILE


def test_by_default_there_is_none(tmp_path) -> None:
    assert platform_options(tmp_path).backup is None
    (tmp_path / PLATFORM_FILE).write_text("kind: platform\nbackup: {}\n")
    assert platform_options(tmp_path).backup == Backup(every="1d", keep=7, to=None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("{every: daily}", "backup.every: "),
        ("{keep: 0}", "backup.keep: "),
        ("{folder: x}", "backup.folder: no such field; there are: every, keep, to"),
    ],
)
def test_a_mistake_is_named(tmp_path, options: str, says: str) -> None:
    (tmp_path / PLATFORM_FILE).write_text(f"kind: platform\nbackup: {options}\n")
    with pytest.raises(ConfigurationError) as caught:
        platform_options(tmp_path)
    assert says in str(caught.value)
