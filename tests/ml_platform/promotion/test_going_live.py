"""Which of the trained models goes live, and which is replaced, on real servers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.rollback import rollback
from ml_platform.registry import registry
from ml_platform.specs.holdout import holdout_by_entity
from ml_platform.storage import mlflow_client
from ml_platform.training import steps
from tests.ml_platform.training.trainings import (
    ONE,
    artifact_store,
    files_of,
    make_dataset,
    make_frame,
    make_training_set,
    searched_with,
    train,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "smoke_test_here")]


def worse(name, frame):
    """Return the frame with shuffled labels; the hold-out stays as it is."""
    shuffled = frame.copy()
    is_trained_on = ~holdout_by_entity(frame["id"], name, 0.2)
    shuffled.loc[is_trained_on, "buys"] = np.random.default_rng(0).permutation(frame.loc[is_trained_on, "buys"])
    return shuffled


def test_the_champion_moves_only_on_a_win(mlflow_server):
    bad, _ = train("moves", worse("moves", make_frame()))
    good, _ = train("moves", make_frame())
    assert (good.decision, good.champion_before) == ("promoted", bad.version)
    assert good.challenger_score > good.champion_score
    late, _ = train("moves", worse("moves", make_frame()), attempt_id="late")
    assert (late.decision, late.champion_before) == ("kept", good.version)
    live = {
        alias: int(registry.alias_version("moves", alias).version) for alias in ("champion", "previous", "challenger")
    }
    assert live == {"champion": good.version, "previous": bad.version, "challenger": late.version}


def delete_files(version):
    for key in files_of(version):
        artifact_store().delete_object(Bucket="mlflow", Key=key)


def change_file(version):
    (key,) = (key for key in files_of(version) if key.endswith("model.skops"))
    artifact_store().put_object(Bucket="mlflow", Key=key, Body=b"changed")


def add_pickle(version):
    key = f"{files_of(version)[0].rsplit('/', 1)[0]}/model.pkl"
    artifact_store().put_object(Bucket="mlflow", Key=key, Body=b"cos\nsystem\n(S'true'\ntR.")


def drop_digest(version):
    mlflow_client.connect().delete_model_version_tag(version.name, version.version, "model_sha256")


def spoil_threshold(version):
    mlflow_client.connect().set_model_version_tag(version.name, version.version, "threshold", "nan")


def spoil_classes(version):
    """The probabilities of three classes would be read as those of two."""
    mlflow_client.connect().set_model_version_tag(version.name, version.version, "classes", '["a", "b", "c"]')


def move_threshold(version):
    mlflow_client.connect().set_model_version_tag(version.name, version.version, "threshold", "0.123")


def swap_classes(version):
    mlflow_client.connect().set_model_version_tag(version.name, version.version, "classes", '["1", "0"]')


@pytest.fixture(scope="module")
def with_champion(mlflow_server, smoke_test_here):
    """The name of a data set with a model that is live."""
    train("damaged", make_frame(), attempt_id="first")
    return "damaged"


def edit_candidate(version):
    """A text that no load needs."""
    mlflow_client.connect().set_model_version_tag(version.name, version.version, "candidate", "a better one")


FILE_DAMAGES = [change_file, delete_files, add_pickle]
TAG_DAMAGES = [move_threshold, swap_classes, drop_digest, spoil_threshold, spoil_classes, edit_candidate]


def first_only(damages):
    """Return the damages as parameters; the quick tests take the first."""
    return [damages[0], *(pytest.param(damage, marks=pytest.mark.prove) for damage in damages[1:])]


@pytest.mark.parametrize("damage", first_only([*FILE_DAMAGES, *TAG_DAMAGES]))
def test_a_damaged_challenger_never_goes_live(with_champion, damage):
    name, live = with_champion, registry.load_champion(with_champion).version
    training_set = make_training_set(make_dataset(name, ONE))
    refitted = steps.refit(training_set, searched_with(training_set, attempt_id=damage.__name__))
    damage(registry.get_version(name, refitted.version))
    card = promotion_steps.promote(training_set, refitted)
    assert (card.decision, card.version) == ("refused", refitted.version)
    assert registry.load_champion(name).version == live


@pytest.mark.parametrize("damage", first_only(FILE_DAMAGES))
def test_a_champion_with_damaged_files_is_replaced(with_champion, damage):
    name, live = with_champion, registry.load_champion(with_champion).version
    damage(registry.get_version(name, live))
    sound, _ = train(name, make_frame(), attempt_id=f"{damage.__name__} sound")
    assert (sound.decision, sound.champion_before) == ("promoted", live)
    assert "cannot be used" in sound.reason
    with pytest.raises(RegistryError):
        rollback(name, reason="it was worse", by="test")
    assert registry.load_champion(name).version == sound.version


@pytest.mark.parametrize("damage", first_only(TAG_DAMAGES))
def test_a_champion_whose_tags_were_edited_is_still_compared_with(mlflow_server, damage):
    name = f"retagged_{damage.__name__}"
    good, _ = train(name, make_frame())
    damage(registry.get_version(name, good.version))
    late, _ = train(name, worse(name, make_frame()), attempt_id="late")
    assert (late.decision, late.champion_before, late.champion_score) == ("kept", good.version, good.challenger_score)


def test_racing_promotions_end_with_the_best_model(mlflow_server):
    frames = [worse("race", make_frame()), make_frame(), worse("race", make_frame()).iloc[::-1].reset_index(drop=True)]
    training_sets = [make_training_set(make_dataset("race", ONE), frame) for frame in frames]
    refitted = [steps.refit(one, searched_with(one, attempt_id=str(i))) for i, one in enumerate(training_sets)]
    with ThreadPoolExecutor(3) as threads:
        cards = list(threads.map(promotion_steps.promote, training_sets, refitted))
    best = max(cards, key=lambda card: card.challenger_score)
    assert registry.load_champion("race").version == best.version
