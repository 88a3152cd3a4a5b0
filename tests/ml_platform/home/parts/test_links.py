"""Links to other pages."""

from streamlit.testing.v1 import AppTest


def _script() -> None:
    from ml_platform.home.parts.links import link

    link("try_it", "Try a row", "auto")
    link("runs", "Runs")


def test_a_page_that_is_drawn_alone_shows_where_a_link_leads():
    page = AppTest.from_function(_script).run()
    assert [one.value for one in page.text] == ["→ Try a row: /try_it?dataset=auto", "→ Runs: /runs"]
