"""The dashboards: their files are current, every panel explains itself, and Prometheus understands every query."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from ml_platform.metrics.definitions import METRICS, OWN
from observability.dashboards import DASHBOARDS, FOLDER, text
from tests import prometheus

ROOT = FOLDER.parents[2]
PANELS = [(board, panel) for board in DASHBOARDS for panel in board.panels]
SERVING = {
    "serving_requests_total": ("route", "dataset", "status"),
    "serving_seconds_bucket": ("route", "le"),
    "serving_model_degraded": ("dataset",),
}  # of ml_platform.serving.metrics
VALUES = {"dataset": "auto", "dag": "train_auto", "kind": "drift", "route": "/v1/{dataset}/predict"}


def series():
    """Return the labels of each series by its name, as on the pages."""
    found = dict(SERVING)
    for one in (*METRICS, *OWN):
        names = [f"{one.full_name}_{part}" for part in ("sum", "count")] if one.kind == "summary" else [one.full_name]
        found |= dict.fromkeys(names, one.labels)
    return found


def ids(value):
    return getattr(value, "title", None)


@pytest.mark.parametrize("board", DASHBOARDS, ids=ids)
def test_the_file_of_a_dashboard_is_current(board):
    """`python -m observability.dashboards` writes it."""
    assert (FOLDER / f"{board.name}.json").read_text() == text(board)


def test_there_is_no_other_dashboard():
    assert {path.stem for path in FOLDER.glob("*")} == {board.name for board in DASHBOARDS}


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=ids)
def test_a_panel_has_a_title_a_unit_a_description_and_queries(board, panel):
    model = next(one for one in board.model()["panels"] if one["title"] == panel.title)
    assert panel.title[0].isupper()
    assert panel.description.endswith(".")
    assert model["fieldConfig"]["defaults"]["unit"] == panel.unit
    assert [target["expr"] for target in model["targets"]] == list(panel.queries.values())
    assert panel.queries


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=ids)
def test_a_query_and_its_legend_name_what_is_on_a_page(board, panel):
    known = series()
    for legend, query in panel.queries.items():
        names = re.findall(r"\b(?:ml_platform|serving)_\w+", query)
        assert names
        assert set(names) <= set(known)
        labels = {label for name in names for label in known[name]}
        assert set(re.findall(r"{{(\w+)}}", legend)) <= labels, query


@pytest.mark.parametrize("board", DASHBOARDS, ids=ids)
def test_panels_do_not_overlap_and_have_ids_of_their_own(board):
    panels = board.model()["panels"]
    taken = [
        (x, y)
        for grid in (panel["gridPos"] for panel in panels)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert max(x for x, _ in taken) < 24


def test_the_settings_name_what_the_containers_have():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    names = {alias for one in services.values() for net in _networks(one) for alias in net.get("aliases", ())}
    settings = yaml.safe_load((ROOT / "observability" / "prometheus.yml").read_text())
    hosts = {
        host.partition(":")[0] for job in settings["scrape_configs"] for host in job["static_configs"][0]["targets"]
    }
    sources = yaml.safe_load((ROOT / "observability" / "grafana" / "datasources.yml").read_text())["datasources"]
    hosts |= {one["url"].split("/")[2].partition(":")[0] for one in sources}
    assert hosts <= names
    assert {target["datasource"]["uid"] for board in DASHBOARDS for panel in board.model()["panels"]
            for target in panel.get("targets", ())} == {sources[0]["uid"]}  # fmt: skip


def _networks(service):
    networks = service.get("networks", {})
    return [net for net in networks.values() if net] if isinstance(networks, dict) else []


class Page(BaseHTTPRequestHandler):
    """All series of the dashboards; they grow with time."""

    def do_GET(self):
        number = time.monotonic() - self.server.started
        lines = []
        for name, labels in series().items():
            values = ",".join(f'{label}="{VALUES.get(label, "+Inf" if label == "le" else "one")}"' for label in labels)
            lines.append(f"{name}{{{values}}} {number}\n")
            if "state" in labels:
                lines.append(f"{name}{{{values.replace('one', 'failed')}}} {number}\n")
        body = "".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as pages:
        pages.started = time.monotonic()
        thread = threading.Thread(target=pages.serve_forever, args=(0.01,))
        thread.start()
        try:
            with prometheus.running(tmp_path_factory.mktemp("prometheus"), [f"127.0.0.1:{pages.server_port}"]) as one:
                one.wait_for("count_over_time(ml_platform_tasks[30s]) > 5")
                yield one
        finally:
            pages.shutdown()
            thread.join()


def filled_in(query):
    """Return a query with Grafana's variables replaced."""
    for name, value in {"$__rate_interval": "10s", "$__range": "30s", "$dataset": ".*"}.items():
        query = query.replace(name, value)
    assert "$" not in query
    return query


@pytest.mark.prove
@pytest.mark.sockets
@pytest.mark.parametrize(("board", "panel"), PANELS, ids=ids)
def test_prometheus_answers_every_query_with_lines(server, board, panel):
    for legend, query in panel.queries.items():
        found = server.get("query", query=filled_in(query))["result"]
        assert found, query
        assert all(set(re.findall(r"{{(\w+)}}", legend)) <= set(one["metric"]) for one in found), query


@pytest.mark.prove
@pytest.mark.sockets
@pytest.mark.parametrize("board", DASHBOARDS, ids=ids)
def test_prometheus_has_the_values_that_one_chooses_by(server, board):
    for query in board.choices.values():
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()
        assert server.get(f"label/{label}/values", **{"match[]": metric}) == ["auto"]


def test_the_files_are_json_that_grafana_reads():
    for path in FOLDER.glob("*.json"):
        model = json.loads(path.read_text())
        assert model["uid"].startswith("ml-platform-")
        assert model["schemaVersion"] >= 39
