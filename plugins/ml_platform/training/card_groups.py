"""The part of a model card about groups: a sentence per sensitive column, its groups, and their differences. No I/O."""

import re
from collections.abc import Iterable, Iterator

from ml_platform.evaluation.group_intervals import MIN_MEASURED, MIN_ROWS
from ml_platform.evaluation.group_report import Difference, GroupReport
from ml_platform.files.formats import display_text
from ml_platform.training.group_reports import estimate_text, sentence

TOO_FEW = "too few rows"


def card_groups(name: str, reports: Iterable[GroupReport]) -> Iterator[str]:
    """Yield the lines of the part, as Markdown; `name` is that of the data set."""
    found = list(reports)
    if not found:
        yield f"None are asked for. `sensitive: [COLUMN]` in `datasets/{name}.yaml` measures the next model by groups."
        return
    yield from (f"- {_plain(sentence(report))}" for report in found)
    yield ""
    yield (
        "On the hold-out; in brackets the 90 % interval of a bootstrap. Those of all differences of a column hold "
        f"together. {TOO_FEW.capitalize()}: fewer than {MIN_ROWS} in the group, or fewer than {MIN_MEASURED} that a "
        "measure is about, such as positive rows for the recall. Whether a difference is fair is for people to judge."
    )
    for report in found:
        yield from _column(report)


def _column(report: GroupReport) -> Iterator[str]:
    yield f"\n### {_plain(report.column)}: {'a feature' if report.is_feature else 'no feature'} of the model\n"
    yield from _table(
        ["group", "rows", *report.titles.values()], [_group(report, i) for i in range(len(report.groups))]
    )
    if report.other_groups:
        yield f"\n{report.other_groups:,} more groups, with {report.other_rows:,} rows together, are not shown."
    for title, explanation in report.explanations.items():
        yield f"\n{title[0].upper()}{title[1:]}: {explanation}."
    if report.differences:
        yield ""
        heads = ["measure", "between", "largest difference", "significant", "also called"]
        yield from _table(heads, [_difference(report, one) for one in report.differences])


def _difference(report: GroupReport, one: Difference) -> list[str]:
    between = f"{display_text(one.higher)} and {display_text(one.lower)}"
    significant = "yes" if one.is_significant else "no"
    return [report.titles[one.measure], between, estimate_text(one.estimate), significant, ", ".join(one.criteria)]


def _group(report: GroupReport, index: int) -> list[str]:
    group = report.groups[index]
    estimates = (group.estimates.get(name) for name in report.titles)
    return [
        display_text(group.name),
        f"{group.rows:,}",
        *(TOO_FEW if one is None else estimate_text(one) for one in estimates),
    ]


def _table(heads: list[str], rows: list[list[str]]) -> Iterator[str]:
    for cells in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is: values of the data may hold any characters."""
    return re.sub(r"([\\`*_\[\]<>|&#])", r"\\\1", " ".join(text.split()))
