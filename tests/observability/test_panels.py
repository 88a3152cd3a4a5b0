"""The model of a dashboard: rows, places and kinds of panels."""

import pytest

from observability.panels import Dashboard, Panel


def board(*panels):
    return Dashboard("name", "Title", "What it shows.", {"Row": panels}, {"dataset": "label_values(up, dataset)"})


def panel(**changed):
    values = {"title": "Title", "description": "What.", "unit": "s", "queries": {"{{a}}": "up"}} | changed
    return Panel(**values)


def test_panels_stand_three_in_a_line_below_their_row():
    row, *panels = board(*(panel(title=str(number)) for number in range(4))).model()["panels"]
    assert row["type"] == "row"
    assert [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels] == [(0, 1), (8, 1), (16, 1), (0, 8)]


@pytest.mark.parametrize(
    ("kind", "kind_of_grafana", "instant"),
    [("lines", "timeseries", False), ("bars", "timeseries", False), ("number", "stat", True),
     ("bar gauge", "bargauge", True)],
)  # fmt: skip
def test_a_number_asks_for_now_and_a_graph_for_a_time(kind, kind_of_grafana, instant):
    model = board(panel(kind=kind)).model()["panels"][1]
    assert model["type"] == kind_of_grafana
    assert model["targets"][0]["instant"] is instant
    assert model["targets"][0]["range"] is not instant


def test_a_value_from_the_alarm_on_is_red():
    steps = [board(panel(alarm=one)).model()["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"]
             for one in (None, 1)]  # fmt: skip
    assert [len(one) for one in steps] == [1, 2]
    assert steps[1][1] == {"color": "red", "value": 1}


def test_a_choice_is_a_list_of_names_from_prometheus():
    choice = board(panel()).model()["templating"]["list"][0]
    assert (choice["name"], choice["label"], choice["allValue"]) == ("dataset", "Dataset", ".*")
    assert choice["query"]["query"] == "label_values(up, dataset)"
