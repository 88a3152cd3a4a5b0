"""The page Data of a data set: reports on its data, and the checks whether rows or performance have changed."""

import streamlit as st

from ml_platform.home.data import check_history, data_report
from ml_platform.home.parts import screens, specs
from ml_platform.home.parts.missing import may_be_missing

REPORT, DRIFT, PERFORMANCE = "Report", "Drift", "Performance"


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Data of {dataset.name}")
    view = st.segmented_control(
        "View", [REPORT, DRIFT, PERFORMANCE], default=REPORT, required=True, key="view", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    with may_be_missing("This view"):
        if view == DRIFT:
            check_history.show(dataset, "drift")
        elif view == PERFORMANCE:
            check_history.show(dataset, "performance", "estimated performance")
        else:
            data_report.show(dataset)
    name = dataset.name
    screens.show(
        ("bucket reports", "bucket", f"reports/{name}"),
        (f"DAG monitor_{name}", "dag", f"monitor_{name}"),
        ("feature view", "feast", name),
        ("table monitoring.checks", "table", "monitoring.checks"),
    )
