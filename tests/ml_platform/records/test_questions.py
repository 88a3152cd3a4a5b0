"""What is read about questions without any answer; with answers: labelling/test_drafts.py."""

import pytest

from ml_platform.records import questions
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_nobody_was_asked_yet() -> None:
    dataset = make_dataset(new_name())
    assert questions.next_question(dataset, "ann") is None
    assert questions.progress(dataset, "ann") == questions.Progress(0, 0, 0, 0)
    assert questions.handed_in(dataset) == []
