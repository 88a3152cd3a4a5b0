"""The dialog of a withdrawal says what would change, and needs a reason."""

from contextlib import nullcontext
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.records import actions, withdrawals
from ml_platform.records.withdrawals import Preview
from ml_platform.removal import withdraw_upload
from ml_platform.removal.withdraw_upload import Withdrawal
from tests.ml_platform.home.conftest import OPERATOR, VIEWER


def _script() -> None:
    from ml_platform.home.files import withdrawal
    from ml_platform.home.parts import acting
    from ml_platform.specs.catalog import dataset

    acting.show_message()
    withdrawal.ask(dataset("auto"), "<b>[x](y).csv", "ab" * 32)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was recorded and withdrawn."""
    found: list[tuple[Any, ...]] = []

    def withdraw(table: Any, upload: str, *, reason: str, by: str) -> Withdrawal:
        found.append((table.name, upload, reason, by))
        return Withdrawal(table.name, upload, "x.csv", 97, 90, ("later.csv",), ("2",))

    def recorded(person: str, action: str, **others: Any) -> Any:
        found.append((person, action, *others.values()))
        return nullcontext()

    monkeypatch.setattr(withdrawals, "preview", lambda table, sha256: Preview(97, 90, ("2", "3")))
    monkeypatch.setattr(withdraw_upload, "withdraw", withdraw)
    monkeypatch.setattr(actions, "recorded", recorded)
    monkeypatch.setattr("ml_platform.home.parts.person.current", lambda: OPERATOR)
    return found


def test_it_is_done_with_a_reason_in_the_persons_name(done: list[tuple[Any, ...]]) -> None:
    page = AppTest.from_function(_script, default_timeout=30).run()
    assert page.text[0].value == "<b>[x](y).csv"
    assert "97 rows" in page.markdown[0].value
    assert page.markdown[1].value.startswith("Versions trained with it stay as they are: 2, 3.")
    assert page.button[0].disabled
    page.text_area[0].set_value("a wrong export").run()
    page.button[0].click().run()
    assert done == [
        ("olga", "withdraw a file", "auto", "<b>[x](y).csv", "a wrong export"),
        ("auto", "ab" * 32, "a wrong export", "olga"),
    ]
    assert page.text[0].value.startswith("x.csv is withdrawn, with 97 rows of 90 entities. Drop these files again")


def test_a_viewer_cannot(done: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.home.parts.person.current", lambda: VIEWER)
    page = AppTest.from_function(_script, default_timeout=30).run()
    page.text_area[0].set_value("a wrong export").run()
    assert page.button[0].disabled
    assert not done
