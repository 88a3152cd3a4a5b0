"""A data report: one HTML page. Texts from the data are escaped, so they cannot run scripts."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

import pandas as pd
from skrub import TableReport

from ml_platform.eda import html_page, pictures
from ml_platform.eda.drift import SOME, STRONG, drift
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.task import Task
from ml_platform.training.leakage import LEAK_SCORE, label_scores

MOST_PICTURES = 40
MOST_GROUPS, MOST_LABELS = 30, 8  # of a table of the label by group


@dataclass(frozen=True)
class ReportData:
    """The rows that a report describes.

    Attributes:
        name: of the data set or feature table.
        description: of the data set, for people.
        source: where `rows` come from, for people.
        rows: the training rows: numbers and booleans as float64, times as datetime64, others as objects of str; NaN is
            missing.
        features: the columns that a model sees; drift compares them with `test`.
        label: the label's column in `rows`; None for a feature table.
        test: the rows to score, with the same features; None without a test file.
        test_source: where `test` comes from, for people.
        task: the kind of problem.
        groups: of each sensitive column the group of each row, named as the column, shape (n_rows,).
    """

    name: str
    description: str
    source: str
    rows: pd.DataFrame
    features: tuple[str, ...]
    label: str | None = None
    test: pd.DataFrame | None = None
    test_source: str = ""
    task: type[Task] = Multiclass
    groups: tuple[pd.Series, ...] = ()


def render_page(data: ReportData) -> str:
    """Return the report as one HTML page."""
    return html_page.document(f"Data report: {data.name}", _parts(data))


def _parts(data: ReportData) -> Iterator[str]:
    yield f"<p>{escape(data.description)}</p><p>{len(data.rows):,} rows from {escape(data.source)}.</p>"
    if data.label is not None and data.rows[data.label].isna().all():
        yield f"<h2>The label {escape(data.label)}</h2><p>No row has a label yet.</p>"
    elif data.label is not None:
        yield from _label(data, data.label)
    if data.test is not None:
        yield from _drift(data, data.test)
    yield "<h2>All columns: types, gaps, distributions, associations</h2>"
    yield f'<iframe sandbox="allow-scripts" title="All columns" srcdoc="{escape(table_report(data.rows))}"></iframe>'


def _label(data: ReportData, label: str) -> Iterator[str]:
    labelled = data.rows[data.rows[label].notna()]
    labels = data.task.label_groups(labelled[label])
    counts = ", ".join(
        f"{escape(str(one))} {share:.1%}" for one, share in labels.value_counts(normalize=True)[:20].items()
    )
    yield f"<h2>The label {escape(label)}</h2><p>{counts}</p>"
    columns = labelled.drop(columns=label).select_dtypes(exclude="datetime")
    if scores := label_scores(columns, labelled[label], data.task):
        yield html_page.picture(pictures.label_scores(scores), "How well each column alone predicts the label")
        high = [name for name, score in scores.items() if score >= LEAK_SCORE]
        suspected = [name for name in high if name in data.features]
        listed = (
            f"Suspected leaks: {', '.join(map(escape, suspected))}. Columns known only after the label belong in "
            "<code>leaks</code>."
        )
        if others := ", ".join(escape(name) for name in high if name not in data.features):
            yield f"<p>High too, but no features: {others}.</p>"
        yield f"<p>{listed if suspected else 'No leak is suspected.'} 0 is chance, 1 is always right.</p>"
    yield from _label_by_group(data.groups, labels)
    yield "<h2>Features by label</h2>"
    names = [name for name in scores if name in data.features] or list(data.features)
    yield from html_page.pictures(
        {name: pictures.by_label(name, labelled[name], labels) for name in names[:MOST_PICTURES]}
    )


def _label_by_group(columns: Iterable[pd.Series], labels: pd.Series) -> Iterator[str]:
    """Yield a table per sensitive column: which share of its rows has which label."""
    frequent = labels.value_counts().index[:MOST_LABELS]
    for groups in columns:
        counts = pd.crosstab(groups[labels.index], labels)
        rows = counts.sum(axis=1)
        shares = counts[frequent].div(rows, axis=0).head(MOST_GROUPS)
        yield f"<h2>The label by {escape(str(groups.name))}</h2>"
        heads = "".join(f"<th>{escape(str(label))}</th>" for label in frequent)
        yield f"<table><tr><th>group</th><th>rows</th>{heads}</tr>"
        for (name, row), count in zip(shares.iterrows(), rows, strict=False):
            cells = "".join(f"<td>{share:.1%}</td>" for share in row)
            yield f"<tr><td>{escape(str(name))}</td><td>{count:,}</td>{cells}</tr>"
        yield "</table>"
        if len(counts) > MOST_GROUPS:
            yield f"<p>{len(counts) - MOST_GROUPS:,} more groups are not shown.</p>"


def _drift(data: ReportData, test: pd.DataFrame) -> Iterator[str]:
    features = [name for name in data.features if name in test.columns]
    table = drift(data.rows[features], test[features])
    yield f"<h2>Drift: train and test</h2><p>{len(test):,} rows to score, from {escape(data.test_source)}.</p>"
    yield (
        f"<p>PSI, the population stability index: below {SOME} no drift, from {STRONG} strong drift. The tests are "
        "Kolmogorov-Smirnov for numbers, chi² for categories.</p>"
    )
    heads = ("feature", "PSI", "test", "statistic", "p", "missing in train", "missing in test")
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for name, row in table.iterrows():
        strength = "strong" if row["psi"] >= STRONG else "some" if row["psi"] >= SOME else "none"
        cells = (
            escape(str(name)), f"{row['psi']:.3f}", row["test"], f"{row['statistic']:.3f}", f"{row['p_value']:.3g}",
            f"{row['missing_train']:.1%}", f"{row['missing_test']:.1%}",
        )  # fmt: skip
        yield f'<tr class="{strength}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    yield "</table>"
    names = [str(name) for name in table.index[:MOST_PICTURES]]
    yield from html_page.pictures({name: pictures.overlay(name, data.rows[name], test[name]) for name in names})


def table_report(rows: pd.DataFrame) -> str:
    """Return skrub's report on a frame as HTML: types, missing values, distributions, associations."""
    safe = rows.set_axis([pictures.plain(name) for name in rows.columns], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # characters without a glyph, constant columns: the report shows both
        html: str = TableReport(safe, title="All columns", verbose=0).html()
    return html
