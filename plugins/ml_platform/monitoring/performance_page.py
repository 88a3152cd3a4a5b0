"""The page of a check of the performance: the verdict in one sentence, a picture over time, and every figure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ml_platform.eda import html_page
from ml_platform.evaluation.charts import BLUE, GREY, ORANGE, labelled_axes
from ml_platform.monitoring.checks import BROKEN
from ml_platform.monitoring.performance import ALPHA, CONFIDENCE, MistakeTest, Score
from ml_platform.monitoring.performance_verdict import (
    Performance,
    Period,
    score_text,
    sentence,
    since_text,
    verdict,
)
from ml_platform.monitoring.segments import Segment
from ml_platform.specs.tasks import METRIC_TITLES

Cells = tuple[str, ...]
NOTHING = "–"


def render_page(found: Performance) -> str:
    """Return the page as HTML."""
    return html_page.document(f"Performance of {found.window.model}", _parts(found))


def _parts(found: Performance) -> Iterator[str]:
    mark = "strong" if verdict(found) == BROKEN else ""
    yield f'<p class="{mark}" style="font-size: 1.25em; padding: 10px 14px"><b>{escape(sentence(found))}</b></p>'
    start, end = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (found.window.start, found.window.end))
    yield (
        f"<p>Predictions that were made after {start} and until {end}: {found.predictions:,}. The truth of "
        f"{found.labels:,} came later.</p>"
    )
    if found.periods:
        yield html_page.picture(_over_time(found), "The metric over time")
    yield from _mistakes(found)
    yield from _table(found)
    yield from _segments(found)
    yield from _versions(found)
    yield f"<p>{escape(_how(found))}</p>"


def _over_time(found: Performance) -> Figure:
    title = METRIC_TITLES[found.task.gate_metric]
    figure, axes = labelled_axes(f"{title} over time", "", title, 4.0, 8.4)
    axes.axhspan(found.promised.interval.low, found.promised.interval.high, color=GREY, alpha=0.25)
    axes.axhline(found.promised.value, color=GREY, linestyle="--", label="promised on the hold-out")
    is_same = found.task.event_metric == found.task.gate_metric
    if is_same and (expected := [one for one in found.periods if one.expected]):
        values = [one.expected.value for one in expected if one.expected]
        axes.plot(_dates(expected), values, color=BLUE, linestyle=":", label="expected")
    if seen := [(one.start, one.seen) for one in found.periods if one.seen]:
        values = [score.value for _, score in seen]
        ends = [
            [score.value - score.interval.low for _, score in seen],
            [score.interval.high - score.value for _, score in seen],
        ]
        axes.errorbar(
            _dates([one for one in found.periods if one.seen]),
            values,
            ends,
            color=ORANGE,
            fmt="o-",
            capsize=3,
            label="by the truth",
        )
    for number, moment in enumerate(sorted(found.since.values())):
        label = "since then more mistakes than promised" if number == 0 else None
        axes.axvline(_naive(moment), color=GREY, linestyle="-.", label=label)  # type: ignore[arg-type] # matplotlib takes times
    axes.legend(fontsize=8)
    figure.autofmt_xdate()
    return figure


def _dates(periods: Sequence[Period]) -> NDArray[np.datetime64]:
    return np.array([_naive(one.start) for one in periods], dtype="datetime64[s]")


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _mistakes(found: Performance) -> Iterator[str]:
    if not found.tests:
        return
    yield "<h2>Mistakes</h2>"
    heads = ("mistakes", "rate on the hold-out", "promised at most", "seen", "verdict")
    yield from _rows(heads, ((one.is_broken, _mistake(found, one)) for one in found.tests))


def _mistake(found: Performance, one: MistakeTest) -> Cells:
    text = f"more than promised{since_text(found, one.kind).replace(', more', '')}" if one.is_broken else "as promised"
    return one.kind, f"{one.on_holdout:.1%}", f"{one.promised:.1%}", f"{one.seen:.1%}", text


def _table(found: Performance) -> Iterator[str]:
    expected = METRIC_TITLES[found.task.event_metric] if found.task.event_metric else "metric"
    yield "<h2>Period by period</h2>"
    heads = (
        "from", "predictions", "labels", METRIC_TITLES[found.task.gate_metric],
        f"{expected} expected", f"{expected} by the truth",
    )  # fmt: skip
    yield from _rows(heads, ((False, _period(one)) for one in found.periods))


def _period(one: Period) -> Cells:
    true_events = NOTHING if one.event_score is None else f"{one.event_score:.3g}"
    start = f"{one.start:%Y-%m-%d %H:%M}"
    return start, f"{one.predictions:,}", f"{one.labels:,}", _known(one.seen), _known(one.expected), true_events


def _segments(found: Performance) -> Iterator[str]:
    if not found.segments:
        return
    yield "<h2>Segment by segment</h2><p>Those with the largest losses against the hold-out come first.</p>"
    title = METRIC_TITLES[found.task.gate_metric]
    heads = ("column", "value", "labels", f"{title} on the hold-out", f"{title} by the truth", "verdict")
    yield from _rows(heads, ((one.is_worse, _segment(one)) for one in found.segments))


def _segment(one: Segment) -> Cells:
    text = "worse" if one.is_worse else "no significant difference"
    return one.column, one.group, f"{one.labels:,}", score_text(one.promised), score_text(one.seen), text


def _versions(found: Performance) -> Iterator[str]:
    if not found.versions:
        return
    yield "<h2>Version by version</h2><p>Each scored other rows, so that their figures compare only roughly.</p>"
    heads = ("version", "predictions", "labels", METRIC_TITLES[found.task.gate_metric])
    cells = ((str(one.version), f"{one.predictions:,}", f"{one.labels:,}", _known(one.seen)) for one in found.versions)
    yield from _rows(heads, ((False, one) for one in cells))


def _known(one: Score | None) -> str:
    return score_text(one) if one else NOTHING


def _rows(heads: Cells, rows: Iterable[tuple[bool, Cells]]) -> Iterator[str]:
    """Yield a table; a row whose mark is true stands out."""
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for is_marked, cells in rows:
        mark = "strong" if is_marked else "none"
        yield f'<tr class="{mark}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
    yield "</table>"


def _how(found: Performance) -> str:
    text = (
        "A promise is broken if a kind of mistake is more frequent than the upper confidence bound of its rate on the "
        "hold-out, by a sequential test. However often it is looked at, a model that keeps its promise is "
        f"called broken with a probability of {ALPHA:.0%} at most. Intervals hold {CONFIDENCE:.0%} of the bootstrap "
        "resamples."
    )
    if found.task.event_metric:
        text += " The expected metric follows from the calibrated probabilities, as if each were true."
    return text
