"""Guess the type of a column from its texts, with the evidence: a type fits if `conversion` accepts the texts."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.parsing.conversion import FALSE, TRUE, convert
from ml_platform.specs.parts import NUMERIC_TYPES, TEXT_TYPES, Column, ColumnType

MISFITS = 0.02  # a type fits if at most this share of the cells is invalid
SAMPLE = 200  # distinct texts that decide which types are tried on all of them
CATEGORIES, CATEGORY_CHARACTERS = 1000, 60
REPEATS = 5  # texts that occur so often on average are categories, however long they are
FEWEST = 2
FEW = 20  # at most this many distinct texts are categories in a file of any size
MISSING_LOOKING = frozenset({"na", "n/a", "#n/a", "nan", "null", "?", "-", "--", ".", "missing", "(blank)", r"\n"})
MISSING_NUMBERS = MISSING_LOOKING | {"none", "nil", "unknown", "inf", "-inf"}  # may be categories, but never numbers

_LOSSY = re.compile(r"[+-]?(0[0-9]+|[0-9]{19,})")  # leading zeros, or more digits than are safe in every program
_NINES = re.compile(r"-?9{2,}(\.0+)?")
_BOOLEAN_WORDS = {word for word in (*TRUE, *FALSE) if not word.isdigit()}
_DATES = (
    "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y", "%d-%m-%Y", "%m-%d-%Y",
    "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%y", "%d %B %Y", "%B %d, %Y", "%B %d %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


@dataclass(frozen=True)
class Guess:
    """The likely type of one column, and the evidence.

    Attributes:
        header: the column's name in the file.
        column: type and options as a spec declares them, `missing` among them.
        rows: number of cells.
        counts: how often each value occurs; neither empty nor `missing`.
        missing: how often each text that means a missing value occurs; "" for empty cells.
        misfits: texts that the type does not accept, and how often they occur.
        notes: what a person must check, one sentence each.
    """

    header: str
    column: Column
    rows: int
    counts: Counter[str]
    missing: Counter[str]
    misfits: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    @property
    def present(self) -> int:
        """How many cells hold a value."""
        return self.counts.total()

    @property
    def is_unique(self) -> bool:
        """Whether every cell holds a value, and no two are equal."""
        return self.present == self.rows == len(self.counts)

    @property
    def is_constant(self) -> bool:
        """Whether all cells are equal; one value beside empty cells, such as X for yes, is not constant."""
        return not self.counts or (len(self.counts) == 1 and not self.missing)

    def evidence(self) -> str:
        """Return one line for people: how many cells fit, how many are missing, and examples."""
        fitting = f"{self.present - self.misfits.total():,} of {self.present:,} cells"
        missing = f"{self.missing.total():,} missing" if self.missing else ""
        misfits = f"does not fit: {_listed(list(self.misfits), 3)}" if self.misfits else ""
        facts = ", ".join(filter(None, (fitting, missing, self.examples())))
        return "; ".join(filter(None, (facts, misfits, self._doubt())))

    def _doubt(self) -> str:
        """Return what the values leave open, as a question; "" if nothing."""
        different = len(self.counts)
        if self.column.type == "integer" and FEWEST < different <= FEW and self.present >= REPEATS * different:
            return f"{different} different: a quantity, or codes (category)?"
        if self.column.type == "category" and different > FEW and self.present < 2 * REPEATS * different:
            return "many: categories, or names (text)?"
        if self.column.type == "text" and different < self.present / 2:
            return "they repeat: names, or a category?"
        return ""

    def examples(self) -> str:
        """Return the least and the greatest number or time, or else the most frequent texts."""
        if not self.counts:
            return "no values"
        if self.column.type in (*NUMERIC_TYPES, "timestamp"):
            texts = [text for text in self.counts if text not in self.misfits]
            values = convert(pa.array(texts, pa.string()), self.column)[0].to_pylist()
            order = sorted((value, text) for value, text in zip(values, texts, strict=True) if value is not None)
            return f"{quoted(order[0][1])} … {quoted(order[-1][1])}" if order else "no values"
        common = [text for text, _ in self.counts.most_common(4)]
        return f"{len(self.counts):,} different: {_listed(common, 3)}"


def quoted(text: str) -> str:
    """Return a text of the data in quotes, short and escaped, so that it fits in one line of a comment."""
    short = text if len(text) <= 30 else f"{text[:29]}…"
    return f'"{repr(short)[1:-1]}"'


def _listed(texts: Sequence[str], most: int) -> str:
    return ", ".join(map(quoted, texts[:most])) + (", …" if len(texts) > most else "")


def guess_column(header: str, cells: Sequence[str], *, decimal: str = ".") -> Guess:
    """Return the likely type of a column: the one that fits most values, at least 98 %, and of those the most specific.

    Args:
        header: the column's name in the file.
        cells: its texts as in the file.
        decimal: the decimal sign to prefer if texts such as 1.234 are ambiguous; "," also prefers day before month.
    """
    counts = Counter(cell.strip() for cell in cells)
    missing = Counter({"": counts.pop("")}) if "" in counts else Counter()
    tokens = Counter({t: n for t, n in counts.items() if t.lower() in MISSING_NUMBERS})
    present = counts - tokens
    fitting = [(_misfits(present, column), column) for column in _candidates(header, counts, decimal)]
    misfits, column = min(fitting, key=lambda fit: fit[0].total(), default=(present, None))
    if column and misfits.total() <= MISFITS * present.total():
        with_missing = column.model_copy(update={"missing": tuple(sorted(tokens))})
        notes = tuple(_notes(present - misfits, column, decimal))
        return Guess(header, with_missing, len(cells), present, missing + tokens, misfits, notes)
    tokens = Counter({t: n for t, n in counts.items() if t.lower() in MISSING_LOOKING})
    present = counts - tokens
    column = Column(type=_text_type(present), missing=tuple(sorted(tokens)))
    notes = tuple(f"{quoted(t)} is read as a missing value: or is it one of the categories?" for t in sorted(tokens))
    return Guess(header, column, len(cells), present, missing + tokens, notes=notes)


def guess_as(header: str, cells: Sequence[str], kind: ColumnType, *, decimal: str = ".") -> Guess:
    """Return a column as the type that a person says: with the options, such as a format, that fit most values.

    Args:
        header: the column's name in the file.
        cells: its texts as in the file.
        kind: the type.
        decimal: as for `guess_column`.
    """
    counts = Counter(cell.strip() for cell in cells)
    missing = Counter({"": counts.pop("")}) if "" in counts else Counter()
    words = MISSING_LOOKING if kind in TEXT_TYPES else MISSING_NUMBERS
    tokens = Counter({text: n for text, n in counts.items() if text.lower() in words})
    present = counts - tokens
    texts = list(present)
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    tried = [column for column in _types_to_try(header, sample, decimal) if column.type == kind] if sample else []
    fitting = [(_misfits(present, column), column) for column in tried or [Column(type=kind)]]
    misfits, column = min(fitting, key=lambda fit: fit[0].total())
    with_missing = column.model_copy(update={"missing": tuple(sorted(tokens))})
    return Guess(header, with_missing, len(cells), present, missing + tokens, misfits)


def _text_type(present: Counter[str]) -> Any:
    rows = present.total()
    is_repeated = rows >= REPEATS * len(present)
    is_short = max(map(len, present), default=0) <= CATEGORY_CHARACTERS
    is_few = len(present) <= FEW or (is_repeated and len(present) <= CATEGORIES)
    is_id = len(present) == rows > FEW
    return "category" if is_few and (is_short or is_repeated) and not is_id else "text"


def _candidates(header: str, counts: Counter[str], decimal: str) -> Iterator[Column]:
    """Yield the types that fit a sample of the texts, the most specific first; category and text are not among them."""
    texts = [text for text in counts if text.lower() not in MISSING_NUMBERS]
    if not texts or any(_LOSSY.fullmatch(text) for text in texts):
        return
    if len({text.lower() for text in texts}) > 1 and all(text.lower() in _BOOLEAN_WORDS for text in texts):
        yield Column(type="boolean")
    sample = Counter(texts[:: max(1, len(texts) // SAMPLE)])
    for column in _types_to_try(header, list(sample), decimal):
        if _misfits(sample, column).total() <= 5 * MISFITS * sample.total():
            yield column


def _types_to_try(header: str, sample: list[str], decimal: str) -> Iterator[Column]:
    if re.search("date|day|datum", header, re.IGNORECASE) and all(re.fullmatch("(19|20)[0-9]{6}", t) for t in sample):
        yield Column(type="timestamp", format="%Y%m%d")
    yield Column(type="integer")
    if decimal == ",":
        yield from (Column(type="number", decimal=","), Column(type="money", decimal=","))
    yield from (Column(type="number"), Column(type="money"))
    if decimal == ".":
        yield from (Column(type="number", decimal=","), Column(type="money", decimal=","))
    yield Column(type="timestamp")
    yield from (Column(type="timestamp", format=form) for form in _date_formats(sample, decimal))


def _date_formats(sample: list[str], decimal: str) -> Iterator[str]:
    order = sorted(_DATES, key=lambda date: decimal == "," and date.startswith("%m"))
    for date, time in product(order, _TIMES):
        if sum(_has_format(text, date + time) for text in sample) >= 0.9 * len(sample):
            yield date + time


def _has_format(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _misfits(counts: Counter[str], column: Column) -> Counter[str]:
    texts = list(counts)
    _, reasons = convert(pa.array(texts, pa.string()), column)
    return Counter({texts[row]: counts[texts[row]] for row in reasons})


def _notes(present: Counter[str], column: Column, decimal: str) -> Iterator[str]:
    texts = list(present)
    if column.type in NUMERIC_TYPES:
        yield from _placeholders(present, column)
    if column.type in ("number", "money") and all(re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", t) for t in texts):
        yield "the sign before three digits may separate thousands or decimals: see `decimal`"
    if column.type == "timestamp":
        moments = pa.array(texts, pa.string())
        if not pc.any(pc.match_substring_regex(moments, r"(Z|[+-][0-9]{2}:?[0-9]{2})$")).as_py() or column.format:
            yield "no time zone is given: UTC is assumed; see `zone`"
        others = {f for f in _date_formats(texts[:SAMPLE], decimal) if f != column.format}
        if column.format and (
            swapped := others & {column.format.replace("%d", "%§").replace("%m", "%d").replace("%§", "%m")}
        ):
            yield f"day and month may be swapped: {swapped.pop()} fits too"


def _placeholders(present: Counter[str], column: Column) -> Iterator[str]:
    """Yield a note on a number such as -999 that is far from all others: it may stand for a missing value."""
    values = convert(pa.array(list(present), pa.string()), column)[0].to_pylist()
    order = sorted((value, text) for value, text in zip(values, present, strict=True) if value is not None)
    for (value, text), others in ((order[0], order[1:]), (order[-1], order[:-1])) if len(order) > 2 else ():
        low, high = others[0][0], others[-1][0]
        if _NINES.fullmatch(text) and present[text] > 1 and min(abs(value - low), abs(value - high)) > high - low:
            yield (
                f"{quoted(text)} in {present[text]:,} cells is far from all other values: if it means a missing value, "
                "list it under `missing`"
            )
