"""The groups of a new model's hold-out: a report per sensitive column, as tables and as sentences. No I/O."""

import math

import numpy as np
import pandas as pd

from ml_platform.evaluation.group_report import Difference, Estimate, GroupReport, group_report
from ml_platform.evaluation.holdout_report import HoldoutReport, outputs_in
from ml_platform.evaluation.sensitive_groups import groups_of
from ml_platform.files.formats import display_text
from ml_platform.training.split import Split

NAMED = 3  # differences in a sentence


def group_reports(report: HoldoutReport, parts: Split) -> tuple[GroupReport, ...]:
    """Return how a model differs between the groups of each sensitive column; none if an output is not finite."""
    labels, outputs = report.predictions["label"].to_numpy(), outputs_in(report.predictions)
    if not np.isfinite(outputs).all():
        return ()
    reports = []
    for one in parts.dataset.sensitive:
        values, kind = parts.sensitive[one.column], parts.dataset.columns[one.column].type
        groups = groups_of(values[parts.in_holdout], kind, values[~parts.in_holdout], one.cuts)
        reports.append(group_report(report.task, labels, outputs, groups, is_feature=one.feature))
    return tuple(reports)


def groups_table(reports: tuple[GroupReport, ...]) -> pd.DataFrame:
    """Return a row per column, group and measure; value and interval are missing where there are too few rows."""
    rows = [
        (report.column, group.name, group.rows, name, *_figures(group.estimates.get(name)))
        for report in reports
        for group in report.groups
        for name in report.titles
    ]
    return pd.DataFrame(rows, columns=["column", "group", "rows", "measure", "value", "low", "high"])


def differences_table(reports: tuple[GroupReport, ...]) -> pd.DataFrame:
    """Return a row per difference, with its simultaneous interval."""
    rows = [
        (report.column, one.measure, one.higher, one.lower, *_figures(one.estimate), ", ".join(one.criteria))
        for report in reports
        for one in report.differences
    ]
    return pd.DataFrame(
        rows, columns=["column", "measure", "higher", "lower", "difference", "low", "high", "also_called"]
    )


def _figures(estimate: Estimate | None) -> tuple[float | None, ...]:
    return (None, None, None) if estimate is None else (estimate.value, estimate.interval.low, estimate.interval.high)


def sentence(report: GroupReport) -> str:
    """Return in plain words which measures differ significantly between groups: the clearest ones."""
    if not report.differences:
        return f"By {report.column}, nothing can be compared: fewer than two groups have enough rows."
    significant = [one for one in report.differences if one.is_significant]
    if not significant:
        return f"By {report.column}, no difference is significant."
    significant.sort(key=lambda one: one.estimate.interval.low / one.estimate.value, reverse=True)
    more = f"; {len(significant) - NAMED} more below" if len(significant) > NAMED else ""
    return f"By {report.column}, {'; '.join(_difference(report, one) for one in significant[:NAMED])}{more}."


def _difference(report: GroupReport, one: Difference) -> str:
    values = {
        group.name: group.estimates[one.measure].value for group in report.groups if one.measure in group.estimates
    }
    ends = _rounded(one.estimate, values[one.higher], values[one.lower])
    between = " and ".join(
        f"{display_text(name)} ({value})" for name, value in zip((one.higher, one.lower), ends, strict=True)
    )
    return f"{report.titles[one.measure]} differs by {estimate_text(one.estimate)} between {between}"


def estimate_text(estimate: Estimate) -> str:
    """Return a value and its interval, with as many digits as the interval bears."""
    value, low, high = _rounded(estimate, estimate.value, estimate.interval.low, estimate.interval.high)
    return f"{value} ({low} to {high})"


def _rounded(estimate: Estimate, *values: float) -> list[str]:
    width = estimate.interval.high - estimate.interval.low
    if not 0 < width < float("inf"):
        return [f"{value:.3g}" for value in values]
    decimals = max(0, 1 - math.floor(math.log10(width)))
    return [f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in values]  # + 0.0: no "-0.00"
