"""A dashboard of Grafana as plain values: rows of panels, each with a title, a unit and a description."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT = 8, 7  # of a panel, in Grafana's grid of 24 columns
COLUMNS = 24


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: in plain English.
        description: what it shows, and what is good.
        unit: Grafana's name of the unit, such as `s` or `percentunit`.
        queries: in PromQL, by the legend of their lines.
        kind: lines over time, bars over time, the last value as a number, or the last values as bars.
        alarm: a value from which on a number is red; None: no value is bad.
    """

    title: str
    description: str
    unit: str
    queries: dict[str, str]
    kind: Literal["lines", "bars", "number", "bar gauge"] = "lines"
    alarm: float | None = None


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: the panels by the title of their row, and the labels that one can choose by."""

    name: str
    title: str
    description: str
    rows: dict[str, tuple[Panel, ...]]
    choices: dict[str, str] = field(default_factory=dict)

    @property
    def panels(self) -> list[Panel]:
        """All panels, in their order."""
        return [panel for panels in self.rows.values() for panel in panels]

    def model(self) -> dict[str, Any]:
        """Return the JSON model that Grafana reads."""
        return {
            "uid": f"ml-platform-{self.name}",
            "title": self.title,
            "description": self.description,
            "tags": ["ml-platform"],
            "schemaVersion": 41,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "templating": {"list": [_choice(name, query) for name, query in self.choices.items()]},
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[dict[str, Any]]:
        number, y = 1, 0
        for title, panels in self.rows.items():
            yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
                   "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}}  # fmt: skip
            number, y = number + 1, y + 1
            for place, panel in enumerate(panels):
                line, column = divmod(place * WIDTH, COLUMNS)
                grid = {"x": column, "y": y + line * HEIGHT, "w": WIDTH, "h": HEIGHT}
                yield {"id": number, "gridPos": grid, **_model(panel)}
                number += 1
            y += HEIGHT * -(-len(panels) * WIDTH // COLUMNS)


def _choice(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name, "label": name.replace("_", " ").capitalize(), "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
        "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def _model(panel: Panel) -> dict[str, Any]:
    is_now = panel.kind in ("number", "bar gauge")
    targets = [
        {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend,
         "instant": is_now, "range": not is_now}
        for place, (legend, query) in enumerate(panel.queries.items())
    ]  # fmt: skip
    return {
        "title": panel.title,
        "description": panel.description,
        "type": {"lines": "timeseries", "bars": "timeseries", "number": "stat", "bar gauge": "bargauge"}[panel.kind],
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.alarm is not None:
        steps.append({"color": "red", "value": panel.alarm})
    custom = {
        "lines": {"drawStyle": "line", "fillOpacity": 5, "showPoints": "auto", "spanNulls": 120_000},
        "bars": {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}},
    }.get(panel.kind, {})
    return {
        "unit": panel.unit, "min": 0, "custom": custom, "noValue": "none",
        "color": {"mode": "thresholds" if panel.alarm is not None and not custom else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }  # fmt: skip


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "number":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name", "colorMode": "value",
                "graphMode": "none", "wideLayout": False}  # fmt: skip
    if panel.kind == "bar gauge":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal", "displayMode": "basic"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
