"""The page of a check for drift: first the verdict in one sentence, then pictures, then every test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd
from matplotlib.figure import Figure

from ml_platform.eda import html_page, pictures
from ml_platform.evaluation.charts import BLUE, GREY, ORANGE, labelled_axes
from ml_platform.monitoring.comparison import ALPHA, EFFECTS, LIMITS, Finding, has_drift, relative_effect
from ml_platform.monitoring.reference import Reference
from ml_platform.monitoring.verdict import effect, sentence, status, subject
from ml_platform.monitoring.window import MOST_ROWS, Features, Window

MOST_PICTURES, MOST_BARS = 12, 20
MOST_PER_UNIT = 4.0  # a longer bar is cut
TITLES = ("training", "now")


@dataclass(frozen=True)
class DriftPage:
    """What a page shows.

    Attributes:
        window: which rows were scored.
        reference_name: what they are compared with, for people.
        rows: how many were scored.
        reference: the rows of the training.
        features: of the scored rows.
        predictions: of the scored rows.
        findings: as `compare` returns them.
    """

    window: Window
    reference_name: str
    rows: int
    reference: Reference
    features: Features
    predictions: pd.Series
    findings: Sequence[Finding]


def render_page(data: DriftPage) -> str:
    """Return the page as HTML."""
    return html_page.document(f"Drift of {data.window.model}", _parts(data))


def _parts(data: DriftPage) -> Iterator[str]:
    mark = "strong" if has_drift(data.findings) else ""
    verdict = sentence(data.window.model, data.window.version, data.rows, data.findings)
    yield f'<p class="{mark}" style="font-size: 1.25em; padding: 10px 14px"><b>{escape(verdict)}</b></p>'
    yield f"<p>{escape(_compared(data))}</p>"
    yield html_page.picture(_effects(data.findings), "The effect of each difference over its limit")
    yield "<p>Orange is drift; blue is significant, but too small to matter; grey is not significant.</p>"
    yield "<h2>Training and now</h2>"
    yield from html_page.pictures(_overlays(data))
    yield from _table(data.findings)
    yield f"<p>{escape(_how(data))}</p>"


def _compared(data: DriftPage) -> str:
    where = "the rows of its training" if data.reference_name == "training set" else "those of earlier seasons"
    start, end = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (data.window.start, data.window.end))
    text = f"Rows scored after {start} and until {end}, beside {where}: {data.reference.rows:,} rows. "
    text += f"{data.features.rows:,} of the {data.rows:,} rows came in files"
    if data.features.rows < data.rows:
        text += "; the features of the others are not kept, so only their predictions are compared"
    if missing := data.features.missing_files:
        text += f"; {len(missing)} files are not there any more"
    return f"{text}."


def _effects(findings: Sequence[Finding]) -> Figure:
    shown = sorted(findings, key=lambda one: (one.is_drift, relative_effect(one)))[-MOST_BARS:]
    figure, axes = labelled_axes(
        "Size of each difference", "Effect, as a multiple of its limit", "", 1.4 + 0.26 * len(shown), 8.4
    )
    colours = [ORANGE if one.is_drift else BLUE if one.is_significant else GREY for one in shown]
    lengths = [min(MOST_PER_UNIT, max(0.0, relative_effect(one))) for one in shown]
    axes.barh(range(len(shown)), lengths, color=colours)
    axes.set_yticks(range(len(shown)), [pictures.plain(subject(one)) for one in shown], fontsize=8)
    for place, (length, one) in enumerate(zip(lengths, shown, strict=True)):
        axes.annotate(effect(one), (length, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(1.0, color=GREY, linestyle="--")
    axes.set_xlim(0, MOST_PER_UNIT * 1.15)
    return figure


def _overlays(data: DriftPage) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    if data.reference.predictions is not None:
        figures["predictions"] = pictures.overlay("predictions", data.reference.predictions, data.predictions, TITLES)
    if (rows := data.features.frame) is None:
        return figures
    names = dict.fromkeys(one.feature for one in data.findings if one.feature)  # the strongest first
    for name in list(names)[:MOST_PICTURES]:
        figures[f"feature {name}"] = pictures.overlay(name, data.reference.frame[name], rows[name], TITLES)
    return figures


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    heads = ("what", "measured by", "effect", "limit", "p", "p, adjusted", "verdict")
    yield f"<h2>All tests</h2><table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for one in findings:
        cells = (
            escape(subject(one)), EFFECTS[one.kind], effect(one), f"{LIMITS[one.kind]:g}", f"{one.p_value:.3g}",
            f"{one.q_value:.3g}", status(one),
        )  # fmt: skip
        mark = "strong" if one.is_drift else "some" if one.is_significant else "none"
        yield f'<tr class="{mark}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    yield "</table>"


def _how(data: DriftPage) -> str:
    text = (
        "A difference is drift if it is significant and large. Significant: its p-value, adjusted for the false "
        f"discoveries among all tests of this page (Benjamini-Hochberg), is at most {ALPHA}. Large: its effect is over "
        "the limit. Tests: Kolmogorov-Smirnov for numbers, chi² for categories and missing values; for all features "
        "together, a classifier that tries to tell rows of now from rows of the training, out of fold. Predictions are "
        "compared with those for the hold-out, which the model was not fitted on."
    )
    if max(data.reference.rows, data.features.rows, data.rows) > MOST_ROWS:
        text += f" Of more than {MOST_ROWS:,} rows a sample was taken, the same one each time."
    return text
