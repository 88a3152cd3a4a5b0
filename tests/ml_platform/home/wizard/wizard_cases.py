"""What tests of the page New data set share: a small file, and how it is dropped."""

from typing import Any

from streamlit.testing.v1 import AppTest

SALES = "id,kind,sales,price\n" + "".join(f"k{i},{'ab'[i % 2]},{i * 37 % 60}.5,{i * 41 % 61}.5\n" for i in range(60))


def dropped(page: AppTest, name: str, content: bytes) -> AppTest:
    """Return the page after a file was dropped on it."""
    page.file_uploader[0].upload(name, content).run()
    assert not page.exception, page.exception
    return page


def labelled(page: AppTest, kind: str, label: str) -> Any:
    return next(widget for widget in page.get(kind) if widget.label == label)
