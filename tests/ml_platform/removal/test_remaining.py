"""What an erasure cannot reach is named."""

from pathlib import Path

import pytest

from ml_platform.removal.entities import Entities
from ml_platform.removal.forget_entity import Erasure
from ml_platform.removal.remaining import ALWAYS, remaining
from ml_platform.removal.stored_files import SearchedFiles
from ml_platform.removal.training_files import TrainingFiles
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

OTHER = """
name: {name}
description: the same things
entity: {{name: {entity}, key: ID}}
label: {{column: LABEL, positive: 1}}
columns: {{ID: integer, LABEL: integer, SIZE: number}}
"""


def erasure(dataset: Dataset, versions: tuple[int, ...] = (), unreadable: tuple[str, ...] = ()) -> Erasure:
    entities = Entities(dataset, frozenset({(1,)}), {})
    return Erasure(entities, {}, SearchedFiles((), unreadable, frozenset()), TrainingFiles(), versions)


def test_where_there_is_nothing_only_what_is_always_out_of_reach_is_named(tmp_path: Path) -> None:
    assert remaining(erasure(make_dataset(new_name())), tmp_path) == [ALWAYS]


def test_models_copies_files_reports_and_other_data_sets_are_named(tmp_path: Path) -> None:
    name = new_name()
    (tmp_path / "other.yaml").write_text(OTHER.format(name="other", entity="thing"))
    (tmp_path / "strange.yaml").write_text(OTHER.format(name="strange", entity="person"))
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO models.promotions (model, version, run_id, model_sha256, environment, target_version,"
            " promoted_by, reason, is_done) VALUES ($1, 2, 'r', repeat('a', 64), 'production', 7, 'ann', 'x', true)",
            (name,),
        )
    object_store.put_new("reports", f"{name}/eda.html", b"x")
    models, copy, unreadable, report, other, always = remaining(
        erasure(make_dataset(name), (1, 2), ("train/x.png: the file is a picture",)), tmp_path
    )
    assert "these versions were trained with them: 1, 2;" in models
    assert copy == "version 2 is in the environment production too, as version 7"
    assert unreadable == "could not be searched: train/x.png: the file is a picture"
    assert f"reports/{name}/eda.html may show values" in report
    assert other == "other is about the same thing: ml-platform dataset forget other ..."
    assert always == ALWAYS
