"""What changed between two versions of a spec, and whether rows loaded by the older one can bear it. No I/O."""

from dataclasses import dataclass
from typing import Any

_FIXED = {  # what every loaded row is stamped by
    "entity": {"key"},
    "label": {"column"},
}
_TIMESTAMPS = ("event_time", "known_at")
_STAMPED = {"zone", "strip_prefix"}  # options of clocks and keys that change what a loaded row is
_SAME_VALUES = ({"number", "money"}, {"category", "text"})  # read differently, but kept alike


@dataclass(frozen=True)
class Changes:
    """What changed, in words.

    Attributes:
        recorded: changes that older rows can bear.
        refused: changes that would silently damage them.
    """

    recorded: tuple[str, ...]
    refused: tuple[str, ...]


def changes(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Compare two specs, each as `Table.model_dump(mode="json")` gives it."""
    refused = [
        f"{part}.{field} was {_said(old[part][field])} and is now {_said(new[part][field])}"
        for part, fields in _FIXED.items()
        for field in sorted(fields)
        if old.get(part) and new.get(part) and old[part][field] != new[part][field]
    ]
    refused += [
        f"{clock} was {_said(old.get(clock))} and is now {_said(new.get(clock))}"
        for clock in _TIMESTAMPS
        if old.get(clock) != new.get(clock)
    ]
    if bool(old.get("label")) != bool(new.get("label")):
        refused.append("a feature table became a data set with a label, or the other way round")
    recorded = _column_changes(old, new, refused)
    others = (set(old) | set(new)) - {"columns", "search", "gate", "description", "tables", *_TIMESTAMPS}
    recorded += [
        f"{field} was {_said(old.get(field))} and is now {_said(new.get(field))}"
        for field in sorted(others)
        if old.get(field) != new.get(field) and not any(text.startswith(f"{field}.") for text in refused)
    ]
    return Changes(tuple(recorded), tuple(refused))


def _column_changes(old: dict[str, Any], new: dict[str, Any], refused: list[str]) -> list[str]:
    before, after = old["columns"], new["columns"]
    stamps = {*new["entity"]["key"], *(new.get(clock) for clock in _TIMESTAMPS)}
    recorded = [f"columns.{name} is new; rows loaded before lack it" for name in after if name not in before]
    recorded += [
        f"columns.{name} was removed; the values that were loaded stay in the table, no model sees them"
        for name in before
        if name not in after
    ]
    for name in (name for name in after if name in before):
        was, now = before[name]["type"], after[name]["type"]
        if was != now and {was, now} not in _SAME_VALUES:
            refused.append(f"columns.{name} was of type {was} and is now {now}; give the column a new name")
        options = [o for o in sorted({*before[name], *after[name]}) if before[name].get(o) != after[name].get(o)]
        for option in options:
            text = (
                f"columns.{name}.{option} was {_said(before[name].get(option))} "
                f"and is now {_said(after[name].get(option))}"
            )
            if name in stamps and option in _STAMPED:
                refused.append(f"{text}, by which the rows that are loaded were stamped")
            elif option != "type" or {was, now} in _SAME_VALUES:
                recorded.append(text)
    return recorded


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else repr(value)
