"""The columns of a draft, and the uses that a person gives them."""

from ml_platform.drafts.column_review import column_rows, with_uses
from ml_platform.drafts.draft_text import draft_text
from ml_platform.drafts.drafting import choose
from ml_platform.specs.catalog import parse_yaml
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
PROFILE = profile_of(
    id=[f"k{i}" for i in ROWS],
    amount=[100 * (i % 2) for i in ROWS],
    age=[20 + i * 7 % 50 for i in ROWS],
    unit=["m" for _ in ROWS],
    sex=["fm"[i * 3 % 5 % 2] for i in ROWS],
    target=[i % 2 for i in ROWS],
)
GUESSED = choose(PROFILE, is_table=False)


def test_what_is_guessed() -> None:
    rows = {row.name: row for row in column_rows(PROFILE, with_uses(PROFILE, GUESSED, {}, ()))}
    assert {name: row.role or row.use for name, row in rows.items()} == {
        "id": "key", "amount": "leak", "age": "feature", "unit": "ignore", "sex": "feature", "target": "label",
    }  # fmt: skip
    assert [name for name, row in rows.items() if row.may_be_sensitive] == ["amount", "age", "unit", "sex"]
    assert rows["age"].evidence.startswith("60 of 60 cells")


def test_what_a_person_says_counts() -> None:
    uses = {"amount": "feature", "age": "leak", "unit": "feature", "sex": "feature", "target": "ignore"}
    choices = with_uses(PROFILE, GUESSED, uses, {"sex", "age", "id"})  # type: ignore[arg-type]
    assert (choices.leaks, choices.ignored, choices.sensitive) == ({"age": "a person says so"}, (), ("sex",))
    spec = parse_yaml(draft_text(PROFILE, choices, name="made", entity="thing"))
    assert (spec["leaks"], spec["sensitive"], "ignore" in spec) == (["age"], ["sex"], False)
    assert spec["label"]["column"] == "target"


def test_a_text_cannot_be_sensitive() -> None:
    profile = profile_of(id=[f"k{i}" for i in ROWS], name=[f"n {i}" for i in ROWS], target=[i % 2 for i in ROWS])
    guessed = choose(profile, is_table=False, key=["id"])
    assert with_uses(profile, guessed, {}, {"name"}).sensitive == ()
