"""The frame of a page, and figures inside it."""

from matplotlib.figure import Figure

from ml_platform.eda.html_page import document, picture, pictures


def test_a_page_fetches_nothing_and_its_title_is_a_text() -> None:
    html = document("a <b>", ["<p>one</p>", "<p>two</p>"])
    assert html.startswith("<!DOCTYPE html>")
    assert "<title>a &lt;b&gt;</title>" in html
    assert "<h1>a &lt;b&gt;</h1>\n<p>one</p>\n<p>two</p>" in html
    assert "default-src &#x27;none&#x27;" in html


def test_a_figure_is_inside_the_page() -> None:
    assert picture(Figure(), 'x"y').startswith('<img alt="x&quot;y" src="data:image/png;base64,')
    assert "".join(pictures({"a": Figure(), "b": Figure()})).count("<img") == 2
