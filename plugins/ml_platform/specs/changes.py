"""The changes between two versions of a spec: which are compatible with rows already loaded. No I/O."""

from dataclasses import dataclass
from typing import Any

_FIXED = {  # identify every loaded row and its label
    "entity": {"key"},
    "label": {"column"},
}
_TIMESTAMPS = ("event_time", "known_at")
# these have changes of their own, or none that concern rows
_CHANGED_OTHERWISE = {
    *("columns", "sensitive", "search", "gate", "result", "description", "tables", "source", "stream"),
    *("monitor", "shadow", "alerts", "expect", "retention"),
}
_IDENTITY_OPTIONS = {"zone", "strip_prefix"}  # options of keys and timestamps that change the identity of a loaded row
_SAME_VALUES = ({"number", "money"}, {"category", "text"})  # parsed differently, but stored with the same type


@dataclass(frozen=True)
class Changes:
    """The changes, one sentence each.

    Attributes:
        compatible: changes that leave rows already loaded valid.
        incompatible: changes that would silently damage rows already loaded.
    """

    compatible: tuple[str, ...]
    incompatible: tuple[str, ...]


def compare_specs(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Compare two specs, each as `Table.model_dump(mode="json")` gives it."""
    incompatible = [
        f"{part}.{field} was {_value(old[part][field])} and is now {_value(new[part][field])}"
        for part, fields in _FIXED.items()
        for field in sorted(fields)
        if old.get(part) and new.get(part) and old[part][field] != new[part][field]
    ]
    incompatible += [
        f"{timestamp} was {_value(old.get(timestamp))} and is now {_value(new.get(timestamp))}"
        for timestamp in _TIMESTAMPS
        if old.get(timestamp) != new.get(timestamp)
    ]
    if bool(old.get("label")) != bool(new.get("label")):
        incompatible.append("a feature table became a data set with a label, or the other way round")
    compatible = _column_changes(old, new, incompatible) + _sensitive_changes(old, new)
    old, new = _stated(old), _stated(new)
    others = (set(old) | set(new)) - {*_TIMESTAMPS, *_CHANGED_OTHERWISE}
    compatible += [
        f"{field} was {_value(old.get(field))} and is now {_value(new.get(field))}"
        for field in sorted(others)
        if old.get(field) != new.get(field) and not any(text.startswith(f"{field}.") for text in incompatible)
    ]
    return Changes(tuple(compatible), tuple(incompatible))


def _stated(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec whose label has only options that are given: a newer version may know more of them."""
    given = (spec.get("label") or {}).items()
    label = {option: value for option, value in given if value is not None and value is not False}
    return spec | {"label": label or spec.get("label")}


def _column_changes(old: dict[str, Any], new: dict[str, Any], incompatible: list[str]) -> list[str]:
    before, after = old["columns"], new["columns"]
    identifying = {*new["entity"]["key"], *(new.get(timestamp) for timestamp in _TIMESTAMPS)}
    compatible = [f"columns.{name} is new; rows loaded before lack it" for name in after if name not in before]
    compatible += [
        f"columns.{name} was removed; its values stay in the table, but no model uses them"
        for name in before
        if name not in after
    ]
    for name in (name for name in after if name in before):
        was, now = before[name]["type"], after[name]["type"]
        if was != now and {was, now} not in _SAME_VALUES:
            incompatible.append(f"columns.{name} was of type {was} and is now {now}; give the column a new name")
        options = [o for o in sorted({*before[name], *after[name]}) if before[name].get(o) != after[name].get(o)]
        for option in options:
            text = (
                f"columns.{name}.{option} was {_value(before[name].get(option))} "
                f"and is now {_value(after[name].get(option))}"
            )
            if name in identifying and option in _IDENTITY_OPTIONS:
                incompatible.append(f"{text}; keys or timestamps of rows already loaded depend on it")
            elif option != "type" or {was, now} in _SAME_VALUES:
                compatible.append(text)
    return compatible


def _sensitive_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Describe what becomes of columns by which a model is judged; a spec of an earlier version has none."""
    before, after = ({one["column"]: one for one in spec.get("sensitive") or ()} for spec in (old, new))
    none = {"feature": True, "cuts": None}  # as a column that is not sensitive
    texts = [f"sensitive.{name} is new: models are judged by it" for name in after if name not in before]
    texts += [
        f"sensitive.{name} was removed: models are no longer judged by it" for name in before if name not in after
    ]
    for name in {**before, **after}:
        was, now = before.get(name, none), after.get(name, none)
        if was["feature"] != now["feature"]:
            texts.append(
                f"columns.{name} is {'a' if now['feature'] else 'no'} feature of models that are trained from now on; "
                "the live model goes on as it was trained"
            )
        if name in before and name in after and was["cuts"] != now["cuts"]:
            texts.append(f"sensitive.{name}.cuts was {_value(was['cuts'])} and is now {_value(now['cuts'])}")
    return texts


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return repr(value)
