"""What a change of a spec means before it is saved."""

import shutil
from pathlib import Path

import pytest

from ml_platform.drafts import spec_edit
from ml_platform.drafts.spec_edit import check_edit
from ml_platform.exceptions import ServiceError
from stack.config import ROOT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("auto", "flights", "weather"):
        shutil.copy(ROOT / "datasets" / f"{name}.yaml", tmp_path)
    monkeypatch.setattr(spec_edit.tables, "incompatible_changes", lambda table: [])
    return tmp_path


def test_a_change_says_what_it_means(folder: Path) -> None:
    before = (folder / "auto.yaml").read_text()
    after = before.replace("description: ", "description: New. ").replace("folds: 5", "folds: 3")
    checked = check_edit(folder, "auto.yaml", before, after)
    assert checked.is_good
    assert "description: shown from now on" in checked.effects
    assert checked.problems == checked.refused == ()


def test_a_mistake_names_field_and_value(folder: Path) -> None:
    before = (folder / "auto.yaml").read_text()
    checked = check_edit(folder, "auto.yaml", before, before.replace("name: auto", "name: autos"))
    assert not checked.is_good
    assert "name is 'autos', but the file's name says 'auto'" in checked.problems[0]


def test_a_mistake_that_a_change_causes_elsewhere_counts_and_an_older_one_does_not(folder: Path) -> None:
    (folder / "bad.yaml").write_text("name: [\n")
    before = (folder / "weather.yaml").read_text()
    good = check_edit(folder, "weather.yaml", before, f"{before}# a comment\n")
    assert good.is_good
    checked = check_edit(folder, "weather.yaml", before, before.replace("name: weather", "name: wind"))
    assert len(checked.problems) == 2  # its own name, and flights, which joins it
    assert any("flights.yaml" in text for text in checked.problems)


def test_a_change_that_loaded_rows_forbid_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_edit.tables, "incompatible_changes", lambda table: ["entity.key was INDEX"])
    text = (folder / "auto.yaml").read_text()
    checked = check_edit(folder, "auto.yaml", text, text)
    assert (checked.is_good, checked.refused) == (False, ("entity.key was INDEX",))


def test_without_postgres_it_can_be_saved_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(table: object) -> list[str]:
        raise ServiceError("Postgres: connection refused")

    monkeypatch.setattr(spec_edit.tables, "incompatible_changes", fail)
    text = (folder / "auto.yaml").read_text()
    checked = check_edit(folder, "auto.yaml", text, text)
    assert (checked.is_good, checked.not_compared) == (True, "Postgres: connection refused")


def test_the_options_of_the_platform_are_checked_too(folder: Path) -> None:
    assert check_edit(folder, "platform.yaml", "", "kind: platform\n").is_good
    checked = check_edit(folder, "platform.yaml", "", "kind: platform\nalert: {}\n")
    assert "alert" in checked.problems[0]


def test_a_new_file_has_no_effects(folder: Path) -> None:
    text = (folder / "auto.yaml").read_text()
    (folder / "auto.yaml").unlink()
    assert check_edit(folder, "auto.yaml", "", text) == spec_edit.EditCheck(())
