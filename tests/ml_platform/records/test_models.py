"""The versions of a model, with the decision about each, and who made it live."""

import pytest

from ml_platform.records import models
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.promotion.champions import train
from tests.ml_platform.training.trainings import essentials

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def test_versions_have_their_figures_and_who_made_them_live() -> None:
    name = new_name()
    with essentials():
        first = train(name)
        train(name, 0.5)  # of worse data
    kept, live = models.versions(name)
    assert [(one.version, one.decision) for one in (kept, live)] == [(2, "kept"), (1, "promoted")]
    assert (live.is_champion, kept.is_champion, kept.aliases) == (True, False, ("challenger",))
    assert (live.made_live_by, live.made_live_why, kept.made_live_at) == ("alice", "gate", None)
    assert live.metric == "f1"
    assert live.score == live.metrics["f1"]
    assert live.score_low is not None
    assert live.score_high is not None
    assert live.score_low <= live.score_high
    assert live.training_set_sha256 == first.training_set_sha256
    assert (kept.champion_before, kept.champion_score) == (1, live.score)
    assert kept.gain is not None
    assert kept.gain < 0
    assert models.versions(name, limit=1, offset=1) == [live]
    assert models.version(name, 1) == live
    assert models.version(name, 9) is None
    assert [one.version for one in models.champions() if one.model == name] == [1]
    assert models.versions("nobody") == []
