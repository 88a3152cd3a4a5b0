"""The model card on its page."""

import pytest

from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.models.model_cases import has


def test_the_card_of_the_chosen_version_is_in_a_frame(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto", view="Model card")
    frame = page.get("iframe")[0].proto
    assert (frame.src, frame.srcdoc) == ("/documents/model_card/auto/2", "")
