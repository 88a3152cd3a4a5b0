"""The choice of the data set, and specs that change while the page is open."""

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.home.parts import specs

SPEC = """name: {0}
description: d
entity: {{name: {0}, key: id}}
label: {{column: y, positive: 1}}
columns: {{id: integer, x: number, y: integer}}
"""


def _script() -> None:
    import streamlit as st

    from ml_platform.home.parts import specs

    specs.choose()
    st.title(specs.current().name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("apples", "pears"):
        (tmp_path / f"{name}.yaml").write_text(SPEC.format(name))
    monkeypatch.setattr(specs, "DATASETS_DIR", tmp_path)
    return tmp_path


def test_the_first_is_chosen_and_the_choice_stays(folder):
    page = AppTest.from_function(_script).run()
    assert page.title[0].value == "apples"
    page.selectbox[0].select("pears").run()
    assert page.title[0].value == "pears"
    assert page.run().title[0].value == "pears"


def test_an_address_names_the_data_set(folder):
    page = AppTest.from_function(_script)
    page.query_params["dataset"] = "pears"
    assert page.run().title[0].value == "pears"
    page.query_params["dataset"] = "apples"
    assert page.run().title[0].value == "apples"
    page.selectbox[0].select("pears").run()
    assert (page.title[0].value, page.query_params["dataset"]) == ("pears", "pears")


def test_an_unknown_data_set_in_the_address_is_none(folder):
    page = AppTest.from_function(_script)
    page.query_params["dataset"] = "<script>"
    assert page.run().title[0].value == "apples"


def test_a_changed_file_counts_at_once(folder):
    assert [one.name for one in specs.catalog().datasets] == ["apples", "pears"]
    (folder / "plums.yaml").write_text(SPEC.format("plums"))
    assert [one.name for one in specs.catalog().datasets] == ["apples", "pears", "plums"]
    (folder / "apples.yaml").write_text("name: [")
    assert len(specs.catalog().problems) == 1
    (folder / "pears.yaml").unlink()
    assert [one.name for one in specs.catalog().datasets] == ["plums"]


def test_without_data_sets_the_page_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setattr(specs, "DATASETS_DIR", tmp_path)
    page = AppTest.from_function(_script).run()
    assert page.info[0].value.startswith("There is no data set yet.")
    assert not page.title
