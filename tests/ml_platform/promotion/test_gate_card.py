"""The card of a decision: its text, its charts, and the question to a person. No server is used."""

from dataclasses import replace

import numpy as np
import pytest

from ml_platform.promotion.decision import Decision
from ml_platform.promotion.gate import GateOutcome
from ml_platform.promotion.gate_card import card, charts, question
from ml_platform.specs.parts import Gate

RULE = Gate(approval=True, approval_within="90m")
WON = Decision("promoted", "version 4 is better", 4, 3, 0.01, 0.9, 1200, 0.6, 0.5, 0.02, 0.2)
FIRST = Decision("promoted", "version 1 is the first to go live", 1, None, rows=200, challenger_score=0.6)
REFUSED = Decision("refused", "version 4 is not fit to go live: its files are missing", 4, 3)
GAINS = np.random.default_rng(0).normal(0.1, 0.05, 2000)


def cells(text: str) -> dict[str, str]:
    rows = [
        line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and " | " in line[2:-2]
    ]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def test_the_card_has_every_figure_of_the_decision() -> None:
    text = card("shop", WON)
    assert text.splitlines()[:3] == ["# shop: promoted", "", "version 4 is better"]
    assert cells(text) == {
        "challenger": "version 4",
        "champion before": "version 3",
        "hold-out rows": "1,200",
        "F1 of the challenger": "0.6000",
        "F1 of the champion": "0.5000",
        "gain": "+0.1000",
        "gain, 90% interval": "+0.0200 to +0.2000",
        "required gain": "more than 0.01",
    }


def test_what_was_not_measured_is_a_dash() -> None:
    figures = cells(card("shop", REFUSED))
    assert figures["champion before"] == "version 3"
    for title in ("hold-out rows", "F1 of the challenger", "F1 of the champion", "gain", "gain, 90% interval"):
        assert figures[title] == "–", title
    assert cells(card("shop", FIRST))["champion before"] == "none"


@pytest.mark.parametrize(("is_open", "heading"), [(True, "waits for approval"), (False, "promoted")])
def test_the_heading_says_whether_a_person_has_answered(is_open: bool, heading: str) -> None:
    assert card("shop", WON, is_open=is_open).startswith(f"# shop: {heading}\n")


@pytest.mark.parametrize(
    ("decision", "gains", "names"),
    [(WON, GAINS, ["gain", "scores"]), (WON, None, ["scores"]), (FIRST, None, ["scores"]), (REFUSED, None, [])],
)
def test_only_what_was_measured_is_drawn(decision, gains, names) -> None:
    assert sorted(charts(GateOutcome(decision, gains))) == names


def test_the_chart_of_f1_has_a_bar_for_each_model() -> None:
    for decision, count in ((WON, 2), (FIRST, 1)):
        (axes,) = charts(GateOutcome(decision))["scores"].axes
        assert len(axes.patches) == count
        assert axes.get_xlim() == (0, 1.1)


def test_the_chart_of_the_gain_marks_the_interval_and_the_required_gain() -> None:
    figure = charts(GateOutcome(WON, GAINS))["gain"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "90% interval", "required: more than 0.01", "gain +0.1000",
    ]  # fmt: skip


def test_the_question_has_the_figures_the_choices_and_a_link_to_the_run() -> None:
    run = "http://mlflow/#/experiments/1/runs/2"
    asked = question("shop", WON, RULE, url=run, card_url=f"{run}/artifacts/card.html")
    assert asked.subject == "shop: may version 4 go live?"
    for part in (
        "0.6000",
        "0.5000",
        "+0.0200 to +0.2000",
        "version 3 stays",
        "within 90m",
        "experiments/1/runs/2",
        "[Its model card](",
        "/#/experiments/1/runs/2/artifacts/card.html)",
    ):
        assert part in asked.body


def test_the_first_model_has_no_champion_to_keep() -> None:
    assert "no model goes live" in question("shop", replace(FIRST, reason=""), RULE, url="", card_url=None).body


def test_a_version_from_before_there_were_cards_has_no_link_to_one() -> None:
    assert "model card" not in question("shop", WON, RULE, url="http://mlflow", card_url=None).body


NUMBERS = Decision("promoted", "version 4 is better", 4, 3, 0.01, 0.9, 1200, 1234.5, 1500.0, 0.1, 0.2, "mae")


def test_an_error_is_named_and_has_its_own_size() -> None:
    figures = cells(card("houses", NUMBERS))
    assert figures["mean absolute error of the challenger"] == "1234.5000"
    assert figures["gain"] == "+0.1770"  # of the champion's error
    axes = charts(GateOutcome(NUMBERS, GAINS))["scores"].axes[0]
    assert axes.get_xlabel() == "mean absolute error"
    assert axes.get_xlim()[1] > 1500
