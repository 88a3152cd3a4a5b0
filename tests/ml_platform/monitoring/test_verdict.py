"""The verdict in one sentence."""

from ml_platform.monitoring.comparison import Finding
from ml_platform.monitoring.verdict import effect, sentence, status

CALM = Finding("values", "age", 0.02, 0.4, 0.6)
SMALL = Finding("values", "income", 0.03, 1e-6, 1e-5)
LARGE = [Finding("missing", "age", -0.2, 1e-9, 1e-8), Finding("together", "", 0.7, 1e-9, 1e-8)]


def test_drift_is_named_with_its_size() -> None:
    assert sentence("auto", 3, 1200, [*LARGE, SMALL]) == (
        "Drift: the 1,200 rows that version 3 of auto scored differ from those of its training in "
        "the missing values of age (-20.0%), all features together (AUC 0.70)."
    )


def test_no_drift_says_which_differences_are_too_small() -> None:
    assert sentence("auto", 3, 1200, [CALM]) == (
        "No drift: the 1,200 rows that version 3 of auto scored are like those of its training."
    )
    assert "(1 of 2 differences are significant, but too small to matter)" in sentence("auto", 3, 9, [SMALL, CALM])


def test_many_findings_are_counted() -> None:
    many = [Finding("values", f"x{i}", 0.5, 1e-9, 1e-8) for i in range(7)]
    assert sentence("auto", 3, 1200, many).endswith("the values of x3 (PSI 0.50) and 3 more.")


def test_a_finding_has_a_status_and_a_unit() -> None:
    assert [status(one) for one in (CALM, SMALL, LARGE[0])] == ["not significant", "too small", "drift"]
    assert effect(Finding("predictions", "", 0.123, 0.1)) == "PSI 0.12"
