"""The page Spec, drawn without a browser: each file of the folder, with its mistakes."""

from pathlib import Path

from tests.ml_platform.home.conftest import Draw


def test_a_file_is_shown_with_its_mistakes(draw: Draw, spec_folder: Path) -> None:
    (spec_folder / "bad.yaml").write_text("name: bad\ncolumns: {a: integr}\n")
    page = draw("spec", "penguins")
    assert page.selectbox(key="spec file").value == "penguins.yaml"
    assert page.code[0].value == (spec_folder / "penguins.yaml").read_text().rstrip()  # as Streamlit shows it
    assert page.success[0].value == "This file is valid."
    page.selectbox(key="spec file").set_value("bad.yaml").run()
    assert page.error[0].value.startswith("This file has a mistake")
    assert "integr" in page.code[1].value


def test_there_is_no_file_yet(draw: Draw, spec_folder: Path) -> None:
    for path in spec_folder.glob("*.yaml"):
        path.unlink()
    assert draw("spec").info[0].value.startswith("There is no spec yet.")


def test_a_file_that_is_no_text_does_not_break_the_page(draw: Draw, spec_folder: Path) -> None:
    (spec_folder / "penguins.yaml").write_bytes(b"\xff")
    page = draw("spec")
    page.selectbox(key="spec file").set_value("penguins.yaml").run()
    assert page.error[0].value == "This file cannot be shown."


def test_the_options_of_the_platform_are_a_file_too(draw: Draw, spec_folder: Path) -> None:
    (spec_folder / "platform.yaml").write_text("kind: platform\n")
    page = draw("spec", "auto")
    assert page.selectbox(key="spec file").options == ["auto.yaml", "penguins.yaml", "platform.yaml"]
