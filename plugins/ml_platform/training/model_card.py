"""The model card of a version: one page that says what it is, how good it is, and where its limits are. No I/O.

Source of the form: M. Mitchell et al., Model Cards for Model Reporting (2019).
"""

import base64
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
from markdown_it import MarkdownIt

from ml_platform.evaluation.bootstrap import Interval
from ml_platform.evaluation.holdout_report import HoldoutReport
from ml_platform.specs.parts import NUMERIC_TYPES
from ml_platform.specs.tasks import METRIC_TITLES
from ml_platform.training.candidates import Candidate
from ml_platform.training.card_groups import card_groups
from ml_platform.training.results import SearchResult
from ml_platform.training.split import Split
from ml_platform.training.training_set import TrainingSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 10  # features and uploads that are listed
PICTURES = (
    *("calibration", "coverage", "predicted_actual", "confusion_matrix"),
    *("feature_importance", "partial_dependence"),
)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #2b2f36; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #b8bec6 }
table { border-collapse: collapse } th, td { padding: .2rem .9rem .2rem 0; text-align: left; vertical-align: top }
td + td { font-variant-numeric: tabular-nums } code { background: #f1f3f5; padding: 0 .25rem }
pre code { padding: 0 }
img { max-width: 100%; margin: .5rem 0 } pre { background: #f1f3f5; padding: .6rem }
"""
CARD_PAGE = "model_card.html"
CARD_FILES = (CARD_PAGE, "model_card.md")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class ModelCard:
    """What a card is made of.

    Attributes:
        training_set: it was trained and evaluated on.
        parts: the training set, split by the hold-out.
        candidate: that was fitted.
        search: that chose it.
        report: on the hold-out.
        intervals: of the metrics on the hold-out, by name.
        run_url: page of the training's run.
        trained: when the training began (UTC).
    """

    training_set: TrainingSet
    parts: Split
    candidate: Candidate
    search: SearchResult
    report: HoldoutReport
    intervals: Mapping[str, Interval]
    run_url: str
    trained: datetime

    def texts(self) -> dict[str, str]:
        """Return the card by the name of its file, as a page and as Markdown."""
        return dict(zip(CARD_FILES, (self.html(), self.markdown()), strict=True))

    def markdown(self) -> str:
        """Return the card as Markdown."""
        dataset = self.training_set.dataset
        sections = {
            "Data": self._data(),
            "Metrics": self._metrics(),
            "Groups": card_groups(dataset.name, self.report.groups),
            "What it relies on": self._importance(),
            "Limits": self._limits(),
            "How it was chosen": self._choice(),
            "How to roll back": self._rollback(),
        }
        heading = f"# {self._title()}\n\n{dataset.description}"
        return (
            "\n\n".join([heading, *(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())]) + "\n"
        )

    def html(self) -> str:
        """Return the card as a page of its own, with the pictures in it."""
        text = MarkdownIt("commonmark", {"html": False}).enable("table").render(self.markdown())
        pictures = "".join(_picture(name, self.report.charts[name]) for name in PICTURES if name in self.report.charts)
        title = escape(self._title())
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}"><style>{_STYLE}</style></head>'
            f"<body>{text}<h2>Pictures</h2>{pictures}</body></html>\n"
        )

    def _title(self) -> str:
        return f"{self.training_set.dataset.name}: model of {self.trained:%Y-%m-%d %H:%M} UTC"

    def _data(self) -> Iterator[str]:
        training_set, parts = self.training_set, self.parts
        dataset, held = training_set.dataset, parts.in_holdout
        tables = ", ".join(f"`{table.name}`" for table in dataset.tables)
        by = "the latest rows" if parts.rule.by == "time" else f"by {dataset.entity.name}"
        yield from _table({
            "label": f"`{dataset.label.column}`: {parts.task.described(parts.labels.to_numpy())}",
            "training rows": f"{int((~held).sum()):,}, {_period(parts.times[~held])}",
            "hold-out": f"{int(held.sum()):,} rows, {_period(parts.times[held])}; {by}",
            "features": f"{len(dataset.features)}" + (f", also from {tables}" if tables else ""),
            "training set": f"`{training_set.sha256[:16]}` ({training_set.uri})",
            "spec": f"`{dataset.sha256[:16]}`",
        })  # fmt: skip
        sources = training_set.sources
        newest = f"; the newest {SHOWN}" if len(sources) > SHOWN else ""
        yield f"\nUploads that it was made of: {len(sources)}{newest}:\n"
        yield from (f"- `{one.key}`, {one.rows:,} rows, `{one.sha256[:12]}`" for one in sources[-SHOWN:])

    def _metrics(self) -> Iterator[str]:
        figures = {}
        for name, value in self.report.metrics.items():
            interval = self.intervals.get(name)
            figures[METRIC_TITLES.get(name, name.replace("_", " "))] = f"{value:.4g}" + (
                f" ({interval.low:.4g} to {interval.high:.4g})" if interval and interval.low < interval.high else ""
            )
        yield "On the hold-out, which no training has seen; in brackets the 90 % interval of a bootstrap over its rows."
        yield ""
        yield from _table(figures)
        yield ""
        yield f"In short: {self.report.task.summary(self.report.metrics)}."

    def _importance(self) -> Iterator[str]:
        ranked = self.report.importance
        yield f"Loss in {ranked.metric} when a feature is shuffled: mean, lowest and highest of the repeats."
        yield ""
        rows = zip(ranked.names, ranked.means, ranked.lows, ranked.highs, strict=True)
        yield from _table({
            name: f"{mean:.3g} ({low:.3g} to {high:.3g})" for name, mean, low, high in list(rows)[:SHOWN]
        })  # fmt: skip

    def _limits(self) -> Iterator[str]:
        dataset, trained = self.training_set.dataset, self.parts.features[~self.parts.in_holdout]
        empty = [name for name in dataset.features if trained[name].isna().all()]
        types = {name: column.type for name, column in dataset.features.items() if name not in empty}
        numbers = [name for name, kind in types.items() if kind in NUMERIC_TYPES]
        yield "- It knows rows like those of its training. Each result's card warns about values that it does not know."
        if empty:
            yield f"- Without any value in the training: {_names(empty)}."
        if numbers:
            ranges = (f"`{name}` {trained[name].min():g} to {trained[name].max():g}" for name in numbers[:SHOWN])
            more = f", and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
            yield f"- Ranges of its training: {', '.join(ranges)}{more}."
        if leaks := self.search.suspected_leaks:
            yield f"- Suspected leaks, which would make it look better than it is: {_names(leaks)}."
        held = int(self.parts.in_holdout.sum())
        yield f"- The hold-out has {held:,} rows: the intervals above say how sure the metrics are."

    def _choice(self) -> Iterator[str]:
        search = self.search
        failed = f", {search.failed} failed" if search.failed else ""
        yield from _table({
            "candidate": f"{self.candidate}",
            **(self._members() if self.candidate.is_ensemble else {}),
            "of": f"{search.total} candidates{failed}",
            f"{METRIC_TITLES[search.scoring]} in the cross-validation":
                f"{search.score:.4g} ± {search.score_sd:.4g} over {search.folds} folds",
            "run": f"[in MLflow]({self.run_url})",
        })  # fmt: skip

    def _members(self) -> dict[str, str]:
        return {name.replace("_", " "): text for name, text in self.candidate.texts().items()}

    def _rollback(self) -> Iterator[str]:
        name = self.training_set.dataset.name
        yield f"In Airflow, trigger `rollback_{name}`, or:"
        yield ""
        yield "```console"
        yield f'$ ./ml-platform models rollback {name} --reason "..."'
        yield f'$ ./ml-platform models rollback {name} --to VERSION --reason "..."    # to any version that was live'
        yield "```"


def _period(times: pd.Series) -> str:
    if not len(times):
        return "no times"
    first, last = times.min(), times.max()
    return f"of {first:%Y-%m-%d %H:%M}" if first == last else f"from {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(rows: Mapping[str, str]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {_cell(title)} | {_cell(value)} |" for title, value in rows.items())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _picture(name: str, figure: "Figure") -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=86)
    alt = escape(name.replace("_", " "))
    return f'<img alt="{alt}" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'
