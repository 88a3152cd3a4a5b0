"""Versions that another platform promoted into this registry, on real servers."""

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.promotion.acceptance import accept
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry
from tests.ml_platform.promotion.champions import aliases, promoted, refit, roll_back, train

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "essentials")]


def test_a_promoted_version_is_live_after_its_acceptance_and_not_before(mlflow_server):
    own = train("accepted").version
    copied = promoted("accepted")
    assert registry.load_champion("accepted").version == own
    problem = str(registry.load_champion("accepted").problem)
    assert f"./ml-platform models accept accepted {copied.version} --reason" in problem
    live = accept("accepted", int(copied.version), reason="it was good in the test environment", by="carol")
    assert live == aliases("accepted") == LiveVersions(int(copied.version), own)
    assert (registry.load_champion("accepted").version, registry.load_champion("accepted").problem) == (2, None)
    last = history("accepted")[-1]
    assert (last.version, last.version_before, last.moved_by, last.why) == (2, own, "carol", "promotion")
    assert roll_back("accepted") == LiveVersions(own, 2)
    assert roll_back("accepted", to=2) == LiveVersions(2, own)
    with pytest.raises(RegistryError, match="accepted version 2 is already recorded; to make it live, roll back to it"):
        accept("accepted", 2, reason="again", by="carol")


def test_a_version_that_is_not_what_its_tags_say_is_not_accepted(mlflow_server):
    train("unsound")
    promoted("unsound", model_sha256="0" * 64)
    for version, reason, text in ((2, "good", "unsound version 2: .* digest"), (2, " ", "needs a reason"),
                                  (9, "good", "there is no version 9")):  # fmt: skip
        with pytest.raises(RegistryError, match=text):
            accept("unsound", version, reason=reason, by="carol")
    assert registry.load_champion("unsound").version == 1


def test_the_champion_that_meets_a_challenger_is_the_one_that_was_judged(mlflow_server):
    """A version that is only named by the alias does not lower the bar, and the next win puts the alias right."""
    train("barred", 0.0)
    training = refit("barred", attempt_id="never judged")
    registry.set_alias("barred", registry.CHAMPION, training[1].version)
    card = train("barred", attempt_id="sound")
    assert (card.decision, card.champion_before) == ("promoted", 1)
    assert card.champion_score is not None
    assert aliases("barred") == LiveVersions(3, 1)
    assert [(one.version, one.why) for one in history("barred")] == [(1, "gate"), (3, "gate")]
