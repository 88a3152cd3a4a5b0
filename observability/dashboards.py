"""The two dashboards; `python -m observability.dashboards` writes the files that Grafana reads."""

import json
from pathlib import Path

from observability.panels import Dashboard, Panel

FOLDER = Path(__file__).parent / "grafana" / "dashboards"


def of_dataset(name: str, more: str = "") -> str:
    """Return a metric of the chosen data sets."""
    return f'{name}{{dataset=~"$dataset"{more}}}'


def increase(name: str, by: str) -> str:
    """Return how much a counter of the chosen data sets grew per point of the graph."""
    return f"sum by ({by}) (increase({of_dataset(name)}[$__rate_interval]))"


def mean(name: str, by: str, chosen: str) -> str:
    """Return the mean of a summary in the shown time; nothing where nothing ended."""
    total, number = (f"sum by ({by}) (increase({name}_{part}{{{chosen}}}[$__range]))" for part in ("sum", "count"))
    return f"{total} / ({number} > 0)"


def age(metric: str) -> str:
    """Return the seconds since a moment."""
    return f"time() - {metric}"


DATASET = {"dataset": "label_values(ml_platform_stored_rows, dataset)"}
RUNS = 'dag=~".*_($dataset)"'

FILES = (
    Panel("Files", "Files that were settled: loaded, scored, rejected, or there before.", "short",
          {"{{outcome}}": increase("ml_platform_files_total", "outcome")}, "bars"),
    Panel("Rows loaded", "Rows of files that came into the tables.", "short",
          {"{{dataset}}": increase("ml_platform_rows_loaded_total", "dataset")}, "bars"),
    Panel("Rows rejected", "Share of the rows read that broke the contract. It should be near 0.", "percentunit",
          {"{{dataset}}": f"{increase('ml_platform_rows_rejected_total', 'dataset')}"
                          f" / ({increase('ml_platform_rows_read_total', 'dataset')} > 0)"}),
    Panel("From upload to settled", "How long a file waited and was worked on, the mean in the shown time.", "s",
          {"{{dataset}} {{purpose}}": mean("ml_platform_file_wait_seconds", "dataset, purpose",
                                           'dataset=~"$dataset"')}, "bar gauge"),
    Panel("Since the last load", "Time since a file was loaded. It should not exceed what you expect of the sender.",
          "s", {"{{dataset}}": age(of_dataset("ml_platform_last_load_timestamp_seconds"))}, "number"),
    Panel("Files in work or waiting", "Files that are read now, wait for their next attempt, or for another spec.",
          "short", {"{{bucket}}: {{state}}": "sum by (bucket, state) (ml_platform_files_waiting)"}),
    Panel("Lag of sources", "Rows, or files, of a source that wait to be read. It should return to 0.", "short",
          {"{{dataset}} {{purpose}}": of_dataset("ml_platform_source_lag")}),
    Panel("Since a source answered", "Time since a source could be read.", "s",
          {"{{dataset}} {{purpose}}": age(of_dataset("ml_platform_source_seen_timestamp_seconds"))}),
    Panel("Rows stored", "Rows that were loaded and not erased.", "short",
          {"{{dataset}}": of_dataset("ml_platform_stored_rows")}, "number"),
)  # fmt: skip

STAGES = (
    Panel("Seconds per task", "Mean duration of a task in the shown time: where a pipeline spends its time.", "s",
          {"{{dag}} {{task}}": mean("ml_platform_task_seconds", "dag, task", RUNS)}, "bar gauge"),
    Panel("Runs", "DAG runs that ended, by their state.", "short",
          {"{{state}}": f"sum by (state) (increase(ml_platform_run_seconds_count{{{RUNS}}}[$__rate_interval]))"},
          "bars"),
    Panel("Tasks that are not over", "By their state. Many in `queued` mean that the machine is full.", "short",
          {"{{state}}": "ml_platform_tasks"}),
    Panel("Failed tasks", "Tasks that failed after all their attempts.", "short",
          {"{{dag}} {{task}}": "sum by (dag, task) (increase(ml_platform_task_seconds_count"
                               f'{{state="failed", {RUNS}}}[$__rate_interval])) > 0'}, "bars"),
    Panel("Seconds per run", "Mean duration of a DAG run in the shown time.", "s",
          {"{{dag}}": mean("ml_platform_run_seconds", "dag", RUNS)}, "bar gauge"),
)  # fmt: skip

SERVERS = (
    Panel("Servers that work", "1 if the health page of a server says that it works.", "short",
          {"{{server}}": "ml_platform_server_up", "database {{database}}": "ml_platform_database_up"}),
    Panel("Since the last heartbeat", "Of Airflow's components, which write one every few seconds.", "s",
          {"{{component}}": age("ml_platform_component_heartbeat_timestamp_seconds")}),
    Panel("Open alerts", "Alerts that are not over, by their event.", "short",
          {"{{event}}": "sum by (event) (ml_platform_alerts_open)"}, "number", alarm=1),
    Panel("HTTP requests", "Requests to the HTTP service per second, by the status of the answer.", "reqps",
          {"{{status}}": "sum by (status) (rate(serving_requests_total[$__rate_interval]))"}),
    Panel("HTTP times", "Time in which half, and 95 of 100, requests for predictions were answered.", "s",
          {f"{share:.0%}": f"histogram_quantile({share}, sum by (le) (rate(serving_seconds_bucket"
                           '{route="/v1/{dataset}/predict"}[$__rate_interval])))' for share in (0.5, 0.95)}),
    Panel("Time to collect", "How long the platform took to compute its metrics. Above 5 s something is slow.", "s",
          {"seconds": "ml_platform_collection_seconds"}),
)  # fmt: skip

LIVE = (
    Panel("Age of the live model", "Time since it was trained.", "s",
          {"{{dataset}}": age(of_dataset("ml_platform_champion_trained_timestamp_seconds"))}, "number"),
    Panel("Live since", "Time since the live model went live.", "s",
          {"{{dataset}}": age(of_dataset("ml_platform_champion_live_since_timestamp_seconds"))}, "number"),
    Panel("Live version", "Number of the version in the registry.", "none",
          {"{{dataset}}": of_dataset("ml_platform_champion_version")}, "number"),
    Panel("Predictions", "Predictions in the log, over HTTP, in result files and in streams.", "short",
          {"{{dataset}} {{source}}": increase("ml_platform_predictions_total", "dataset, source")}, "bars"),
    Panel("Decisions of the gate", "Challengers that were promoted or refused, or that the champion was kept against.",
          "short", {"{{dataset}} {{decision}}": increase("ml_platform_gate_decisions_total", "dataset, decision")},
          "bars"),
    Panel("Changes of the live model", "By the gate, by a rollback or by hand.", "short",
          {"{{dataset}} {{why}}": increase("ml_platform_champion_changes_total", "dataset, why")}, "bars"),
    Panel("Models that may not be the live one", "1 while the HTTP service answers with a version that is not, or may"
          " not be, the live one.", "short", {"{{dataset}}": of_dataset("serving_model_degraded")}, "number", alarm=1),
)  # fmt: skip

QUALITY = (
    Panel("Score on the hold-out", "Of the live model, at the gate: what it promises.", "none",
          {"{{dataset}} {{metric}}": of_dataset("ml_platform_champion_holdout_score")}, "number"),
    Panel("Performance beside the promise", "Score of the last check: promised by the hold-out, seen where the truth is"
          " known, else expected.", "none",
          {"{{dataset}} {{metric}} {{of}}": of_dataset("ml_platform_performance_score")}),
    Panel("Checks with an alarm", "1 if the last check found drift, or a score below the promise.", "short",
          {"{{dataset}} {{kind}}": of_dataset("ml_platform_check_alarm")}, "number", alarm=1),
    Panel("Largest differences", "The ten largest in the last check for drift: PSI of a feature (0.2 is large), AUC of"
          " all together, share of missing values.", "none",
          {"{{dataset}} {{test}} {{feature}}": f"topk(10, {of_dataset('ml_platform_drift_effect')})"}, "bar gauge"),
    Panel("Tests for drift", "Of the last check, by their verdict.", "short",
          {"{{dataset}} {{verdict}}": of_dataset("ml_platform_drift_tests")}, "number"),
    Panel("Since the last check", "Until when the rows were checked.", "s",
          {"{{dataset}} {{kind}}": age(of_dataset("ml_platform_check_timestamp_seconds"))}, "number"),
)  # fmt: skip

DASHBOARDS = (
    Dashboard(
        "operations", "Operations", "What comes in, what the pipelines do, and whether the servers work.",
        {"Files and sources": FILES, "Pipelines": STAGES, "Servers": SERVERS}, DATASET,
    ),
    Dashboard(
        "models", "Models", "Which models are live, what they predict, and whether they keep their promise.",
        {"Live models": LIVE, "Quality": QUALITY}, DATASET,
    ),
)  # fmt: skip


def text(dashboard: Dashboard) -> str:
    """Return the content of a dashboard's file."""
    return json.dumps(dashboard.model(), indent=1) + "\n"


def main() -> None:
    """Write the files."""
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.name}.json").write_text(text(dashboard))


if __name__ == "__main__":
    main()
