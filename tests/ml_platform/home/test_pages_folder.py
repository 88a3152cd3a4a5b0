"""The modules of pages are no scripts of Streamlit, also at the first visit after a start."""

import pytest
from streamlit.runtime.pages_manager import PagesManager

from ml_platform.home import server
from ml_platform.home.settings import HomeSettings


def test_the_first_visit_can_be_to_any_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    settings = HomeSettings(
        home_hosts="localhost:8501", home_admin_user="admin", home_admin_password="administrator",
        home_session_key="k" * 32,
    )  # fmt: skip
    server.create_app(settings)
    manager = PagesManager(str(server.SCRIPT))
    assert PagesManager.uses_pages_directory is False
    assert manager.main_script_path == str(server.SCRIPT)
