"""The page Label, drawn without a browser; what it keeps on real servers: labelling/test_drafts.py."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.home.views.label import shortcuts
from ml_platform.labelling import drafts
from ml_platform.records import predictions, questions
from ml_platform.records.predictions import Prediction
from ml_platform.records.questions import Progress, Question
from ml_platform.specs.spec import Dataset
from tests.ml_platform.home.conftest import VIEWER, Draw

NOW = datetime.now(UTC)
HOSTILE = "[x](http://evil) <b>"


@dataclass
class Kept:
    """Answers in memory, in place of Postgres."""

    ids: list[str] = field(default_factory=lambda: ["ask-1", "ask-2", "ask-3"])
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)

    def next_question(self, dataset: Dataset, person: str, skipped: tuple[str, ...]) -> Question | None:
        rest = [one for one in self.ids if one not in self.answers]
        rest.sort(key=lambda one: one in skipped)
        values = {"AGE": 36, "JOB": HOSTILE, "INCOME": None}
        return Question(rest[0], {"INDEX": int(rest[0][-1])}, values, NOW, 4, "ann", NOW) if rest else None

    def progress(self, dataset: Dataset, person: str) -> Progress:
        return Progress(len(self.ids), len(self.ids) - len(self.answers), len(self.answers), 0)

    def keep(self, dataset: Dataset, ask_id: str, label: str, by: str) -> str:
        return self.answers.setdefault(ask_id, (label, by))[1]

    def take_back(self, dataset: Dataset, by: str) -> str | None:
        return self.answers.popitem()[0] if self.answers else None


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    made = Kept()
    monkeypatch.setattr(questions, "next_question", made.next_question)
    monkeypatch.setattr(questions, "progress", made.progress)
    monkeypatch.setattr(questions, "handed_in", lambda dataset: [])
    monkeypatch.setattr(drafts, "keep", made.keep)
    monkeypatch.setattr(drafts, "take_back", made.take_back)
    monkeypatch.setattr(drafts, "choices", lambda dataset: () if dataset.label.kind else ("0", "1"))
    return made


def click(page: AppTest, label: str) -> None:
    next(one for one in page.button if one.label == label).click().run()
    assert not page.exception


def test_rows_are_answered_one_after_the_other(draw: Draw, kept: Kept) -> None:
    page = draw("label", "auto")
    assert page.dataframe[0].value.to_dict("list") == {
        "column": ["INDEX", "AGE", "INCOME", "JOB"], "value": ["1", "36", "missing", HOSTILE],
    }  # fmt: skip
    assert not [one for one in page.markdown if "evil" in one.value]
    click(page, "1")
    click(page, "Skip")
    assert page.dataframe[0].value["value"][0] == "3", "a row that was skipped comes last"
    click(page, "0")
    assert page.dataframe[0].value["value"][0] == "2"
    assert kept.answers == {"ask-1": ("1", "olga"), "ask-3": ("0", "olga")}
    click(page, "Undo")
    assert kept.answers == {"ask-1": ("1", "olga")}
    click(page, "0")
    click(page, "0")
    assert page.info[0].value == "Every row that was asked about has an answer. Ask for more below."


def test_a_label_of_one_digit_is_its_own_key() -> None:
    assert shortcuts(["0", "1"]) == ["0", "1"]
    assert shortcuts(["no", "1"]) == ["1", "2"]
    assert shortcuts([f"class {i}" for i in range(11)])[8:] == ["9", None, None]


def test_another_persons_answer_counts_if_it_was_first(draw: Draw, kept: Kept) -> None:
    page = draw("label", "auto")
    kept.answers["ask-1"] = ("0", "bob")
    click(page, "1")
    assert page.error[0].value == "The answer was not kept."
    assert page.text[0].value == "bob has answered this row already; that answer counts."


def test_the_models_answer_is_shown_only_on_request(draw: Draw, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = [Prediction(5, "http", NOW, NOW, "0", 0.1, None, None, None),
              Prediction(4, "batch", NOW, NOW, "1", 0.75, None, None, "auto/r.csv")]  # fmt: skip
    monkeypatch.setattr(predictions, "of_entity", lambda dataset, key: logged)
    page = draw("label", "auto")
    assert not [one for one in page.text if "said" in one.value]
    page.toggle[0].set_value(True).run()
    assert page.text[0].value == "Version 4 said 1, probability 0.750."


def test_a_number_is_typed(draw: Draw, kept: Kept) -> None:
    page = draw("label", "penguin_mass")
    page.number_input[0].set_value(4125.5)
    click(page, "Keep")
    assert kept.answers["ask-1"] == ("4125.5", "olga")
    click(page, "Keep")
    assert page.text[0].value == "Enter a number."


def test_a_viewer_sees_the_rows_and_cannot_answer(draw: Draw, kept: Kept) -> None:
    page = draw("label", "auto", VIEWER)
    disabled = {one.label: one.disabled for one in page.button}
    assert disabled == {"0": True, "1": True, "Skip": False, "Undo": True, "Hand in": True, "Choose rows": True}
