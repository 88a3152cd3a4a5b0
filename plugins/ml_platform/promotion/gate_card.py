"""The gate's decision for people: a card in Markdown and two charts, stored with the run."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ml_platform.evaluation.charts import BLUE, INK, ORANGE, labelled_axes
from ml_platform.promotion.approval import Question
from ml_platform.promotion.decision import Decision
from ml_platform.promotion.gate import GateOutcome
from ml_platform.specs.parts import Gate
from ml_platform.specs.tasks import ERRORS, METRIC_TITLES
from ml_platform.storage import mlflow_client

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "gate"


def log_card(name: str, run_id: str, outcome: GateOutcome, *, is_open: bool = False) -> None:
    """Store `gate/card.md` and its charts with a run. A chart without data now keeps its earlier picture."""
    figures = charts(outcome)
    with tempfile.TemporaryDirectory() as folder:
        for title, figure in figures.items():
            figure.savefig(Path(folder) / f"{title}.png")
        shown = [f"![{title}]({title}.png)" for title in _titles(outcome.decision)]
        text = "\n\n".join([card(name, outcome.decision, is_open=is_open), *shown, ""])
        (Path(folder) / "card.md").write_text(text, "utf-8")
        mlflow_client.connect().log_artifacts(run_id, folder, FOLDER)


def card(name: str, decision: Decision, *, is_open: bool = False) -> str:
    """Return a decision with all its figures, in Markdown; `is_open` while it waits for an approval."""
    metric = METRIC_TITLES[decision.metric]
    rows = {
        "challenger": f"version {decision.version}",
        "champion before": "none" if decision.champion_before is None else f"version {decision.champion_before}",
        "hold-out rows": "–" if decision.rows is None else f"{decision.rows:,}",
        f"{metric} of the challenger": _figure(decision.challenger_score),
        f"{metric} of the champion": _figure(decision.champion_score),
        "gain": _figure(decision.gain, "+.4f"),
        f"gain, {decision.confidence:.0%} interval": _interval(decision),
        "required gain": f"more than {decision.min_gain:g}",
    }
    heading = "waits for approval" if is_open else decision.decision
    lines = [f"# {name}: {heading}", "", decision.reason, "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {title} | {value} |" for title, value in rows.items())])


def question(name: str, decision: Decision, rule: Gate, *, url: str, card_url: str | None) -> Question:
    """Return the question to a person before a challenger goes live.

    Args:
        name: of the data set.
        decision: of the gate, in favour of the challenger.
        rule: the gate's part of the spec; it limits the time to answer.
        url: of the challenger's run.
        card_url: of its model card; None if it has none.
    """
    version, champion = decision.version, decision.champion_before
    stays = "no model goes live" if champion is None else f"version {champion} stays"
    choices = (
        f"**Approve**: from then on version {version} scores the files. "
        f"**Reject**, or no answer within {rule.approval_within}: {stays}."
    )
    run = f"[Its run]({url}) has every candidate and, under *Artifacts*, `gate`, this card with charts."
    if card_url:
        run = f"[Its model card]({card_url}): its data, metrics and limits. {run}"
    body = "\n\n".join([card(name, decision, is_open=True), choices, run])
    return Question(f"{name}: may version {version} go live?", body)


def _figure(value: float | None, form: str = ".4f") -> str:
    return "–" if value is None else format(value, form)


def _interval(decision: Decision) -> str:
    if decision.gain_low is None or decision.gain_high is None:
        return "–"
    return f"{decision.gain_low:+.4f} to {decision.gain_high:+.4f}"


def _titles(decision: Decision) -> list[str]:
    shown = {"scores": decision.challenger_score, "gain": decision.gain_low}
    return [title for title, figure in shown.items() if figure is not None]


def charts(outcome: GateOutcome) -> dict[str, "Figure"]:
    """Return the charts for which there are data, by name: the scores of both models, and the resampled gains."""
    decision, gains = outcome.decision, outcome.gains
    figures = {}
    if decision.challenger_score is not None:
        figures["scores"] = _scores_chart(decision)
    if gains is not None:
        figures["gain"] = _gain_chart(decision, gains)
    return figures


def _scores_chart(decision: Decision) -> "Figure":
    rivals = (
        ("challenger", decision.version, decision.challenger_score, ORANGE),
        ("champion", decision.champion_before, decision.champion_score, BLUE),
    )
    bars = {f"{role}\nversion {version}": (score, color) for role, version, score, color in rivals if score is not None}
    figure, axes = labelled_axes("On the hold-out rows", METRIC_TITLES[decision.metric], "", 1.4 + 0.7 * len(bars))
    drawn = axes.barh(list(bars), [score for score, _ in bars.values()], color=[color for _, color in bars.values()])
    axes.bar_label(drawn, fmt="%.4f", padding=4, color=INK)
    axes.set_xlim(0, 1.1 * (max(score for score, _ in bars.values()) if decision.metric in ERRORS else 1))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return figure


def _gain_chart(decision: Decision, gains: NDArray[np.float64]) -> "Figure":
    title, unit = "Is the gain statistically significant?", f"Gain in {METRIC_TITLES[decision.metric]}"
    figure, axes = labelled_axes(title, unit, f"of {len(gains):,} resamples of the rows")
    axes.hist(gains, bins=40, color=BLUE, alpha=0.75)
    if decision.gain_low is not None and decision.gain_high is not None:
        label = f"{decision.confidence:.0%} interval"
        axes.axvspan(decision.gain_low, decision.gain_high, color=ORANGE, alpha=0.2, label=label)
    axes.axvline(decision.min_gain, color=INK, linestyle="--", label=f"required: more than {decision.min_gain:g}")
    if decision.gain is not None:
        axes.axvline(decision.gain, color=ORANGE, label=f"gain {decision.gain:+.4f}")
    figure.legend(frameon=False, ncols=3, loc="outside lower center")
    return figure
