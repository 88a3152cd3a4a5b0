"""The editor of a spec on its page: checked, compared with what others did meanwhile, and saved with a reason."""

from pathlib import Path
from typing import Any

import pytest

from ml_platform.specs import saving
from tests.ml_platform.home.conftest import VIEWER, Draw


def edited(page: Any, text: str, reason: str = "more folds") -> Any:
    """Return the page with a draft of this text, and a reason."""
    page.button(key="edit spec").click().run()
    page.text_area[0].set_value(text).run()
    if reason:
        page.text_input[0].set_value(reason).run()
    assert not page.exception, page.exception
    return page


def named(page: Any, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def test_a_change_is_checked_shown_and_saved_with_a_reason(
    draw: Draw, spec_folder: Path, recorded: list[tuple[str | None, ...]]
) -> None:
    text = (spec_folder / "penguins.yaml").read_text()
    page = edited(draw("spec", "penguins"), text.replace("folds: 5", "folds: 4"), reason="")
    assert "+  folds: 4" in page.code[1].value
    assert page.code[0].value == "search: used from the next training on"
    assert named(page, "Save").disabled  # a reason is missing
    page.text_input[0].set_value("fewer folds").run()
    named(page, "Save").click().run()
    assert (spec_folder / "penguins.yaml").read_text() == text.replace("folds: 5", "folds: 4")
    assert recorded == [("olga", "save the spec", "penguins", "penguins.yaml", "fewer folds")]
    assert page.success[0].value == "Done."


def test_a_mistake_is_not_saved(draw: Draw, spec_folder: Path) -> None:
    text = (spec_folder / "penguins.yaml").read_text()
    page = edited(draw("spec", "penguins"), text.replace("folds: 5", "folds: many"))
    assert page.error[0].value == "The draft has a mistake, and cannot be saved."
    assert "search.folds" in page.code[0].value
    assert named(page, "Save").disabled


def test_two_people_at_once(draw: Draw, spec_folder: Path, recorded: list[tuple[str | None, ...]]) -> None:
    path = spec_folder / "penguins.yaml"
    text = path.read_text()
    page = edited(draw("spec", "penguins"), text.replace("folds: 5", "folds: 4"))
    path.write_text(theirs := text.replace("C: [1.0, 0.1]", "C: [1.0]"))
    named(page, "Save").click().run()  # the page of this person does not know of it yet
    assert path.read_text() == theirs
    assert page.warning[0].value.startswith("penguins\\.yaml was changed while you edited it")
    assert "+      C: [1.0]" in page.code[0].value
    assert named(page, "Save").disabled
    named(page, "Keep my text").click().run()
    named(page, "Save").click().run()
    assert "folds: 4" in path.read_text()


def test_their_text_can_be_taken(draw: Draw, spec_folder: Path) -> None:
    path = spec_folder / "penguins.yaml"
    text = path.read_text()
    page = edited(draw("spec", "penguins"), text.replace("folds: 5", "folds: 4"))
    path.write_text(f"{text}# theirs\n")
    page.run()
    named(page, "Begin again from their text").click().run()
    assert page.text_area[0].value == f"{text}# theirs\n"
    assert not page.warning


def test_a_viewer_edits_and_downloads_but_does_not_save(draw: Draw, spec_folder: Path) -> None:
    text = (spec_folder / "penguins.yaml").read_text()
    page = edited(draw("spec", "penguins", VIEWER), text.replace("folds: 5", "folds: 4"))
    assert named(page, "Save").disabled
    assert [button.label for button in page.download_button] == ["Download the draft"]


def test_a_read_only_folder_says_so(draw: Draw, spec_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "refusal", lambda _: "Read-only file system")
    text = (spec_folder / "penguins.yaml").read_text()
    page = edited(draw("spec", "penguins"), text.replace("folds: 5", "folds: 4"))
    assert page.info[0].value.startswith("The folder of the specs cannot be written from here.")
    assert named(page, "Save").disabled
    assert [button.label for button in page.download_button] == ["Download the draft"]
