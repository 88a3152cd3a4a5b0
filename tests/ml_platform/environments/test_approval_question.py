"""The question before a version goes live in another environment, on two real MLflow servers."""

import pytest

from ml_platform.environments.approval_question import question
from ml_platform.environments.copy_version import copy
from ml_platform.specs.parts import Promotion
from tests.ml_platform.environments.copies import register

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def test_the_question_has_the_facts_and_the_choices(production, two_copies):
    (first, _), _ = two_copies
    asked = question(production, first, Promotion(approval=True), rows=1640, by="alice", reason="a | b\nc")
    assert asked.subject == "approval_question: may version 1 go live in production?"
    parts = (
        *("| requested by | alice |", "| reason | a \\| b c |", "| live in production now | version 2 there |"),
        *(
            "same predictions there and here for 1,640 rows",
            "| commit | c0ffee |",
            first.model_sha256,
            "/artifacts/model_card.html). [Its run in MLflow](",
            "within 3d: version 2 stays",
        ),
    )
    for part in parts:
        assert part in asked.body


def test_where_nothing_is_live_a_rejection_keeps_it_so(production):
    register("newcomer")
    asked = question(
        production, copy("newcomer", production), Promotion(approval_within="90m"), rows=3, by="alice", reason="x"
    )
    for part in (
        "| live in production now | nothing |",
        "within 90m: nothing goes live",
    ):
        assert part in asked.body
