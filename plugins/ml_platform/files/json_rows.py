"""The rows of JSON objects, one per line of a file or a list of them; numbers keep the digits that stand there."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import Fault, Format, Native, shown
from ml_platform.files.text_lines import ROW_CHARACTERS, TextLines

MOST_KEYS = 10_000
MOST_LEVELS = 100  # lists and objects in each other; Python writes no more than some nine hundred
TOO_DEEP = f"nested too deeply; allowed are {MOST_LEVELS} levels"
NO_OBJECT = 'not a JSON object such as {"a": 1}'


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twins = sorted(key for key, count in counts.items() if count > 1)
        raise ValueError(f"names a key twice: {shown(', '.join(twins))}")
    return found


def _no_number(literal: str) -> Any:
    raise ValueError(f"{literal} is no number in JSON; write null if the value is missing")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=Native, parse_constant=_no_number, object_pairs_hook=_unique)


def decoded(text: str) -> Any:
    """Return what a JSON text says, numbers as their texts, those that are not written as whole ones `Native`.

    Raises:
        ValueError: it is not valid JSON, an object names a key twice, or it has more than `MOST_LEVELS`; the text says
            why.
    """
    try:
        said = _DECODER.decode(text.strip())
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    is_simple = text.count("[") + text.count("{") <= MOST_LEVELS  # quicker to see
    if not is_simple and _levels(said) > MOST_LEVELS:
        raise ValueError(TOO_DEEP)
    return said


def _levels(said: Any) -> int:
    """Return how many lists and objects stand in each other, counted without a call per level."""
    levels, level = 0, _containers([said])
    while level:
        levels, level = levels + 1, [inner for outer in level for inner in _containers(outer)]
    return levels


def _containers(value: list[Any] | dict[str, Any]) -> list[list[Any] | dict[str, Any]]:
    inside = value.values() if isinstance(value, dict) else value
    return [one for one in inside if isinstance(one, dict | list)]


def _object(line: str) -> dict[str, Any]:
    said = decoded(line)
    if not isinstance(said, dict):
        raise ValueError(NO_OBJECT)  # noqa: TRY004 – a fault of the data
    return said


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class ObjectRows(ABC):
    """The rows of JSON objects; see `formats.Rows`. They are gone through twice, as any may bring another key."""

    native: frozenset[str] = frozenset()

    def __init__(self, name: str, form: Format, wanted: Collection[str]) -> None:
        """Take what is known before any row is read; `collect_keys` reads them for the first time."""
        self.name, self.format = name, form
        self.line, self.size = 1, 0
        self.faults: tuple[Fault, ...] = ()
        self._row = ""
        self._wanted = frozenset(wanted)

    @abstractmethod
    def _objects(self) -> Iterator[dict[str, Any]]:
        """Yield from the beginning what each row says, {} with `faults` where it is no object."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what the rows are read from."""

    def collect_keys(self) -> None:
        """Find the header in all rows.

        Raises:
            ContractError: no row holds a value, or all together too many keys.
        """
        keys: dict[str, None] = {}
        nested: set[str] = set()
        for said in self._objects():
            keys |= dict.fromkeys(said)
            nested.update(key for key, value in said.items() if type(value) in (dict, list))
            if len(keys) > MOST_KEYS:
                where = f"{self.format.unit} {self.line}"
                raise ContractError(f"{self.name}: {where}: the rows have more than {MOST_KEYS:,} different keys")
        if not keys:
            reason = self.faults[0].reason if self.faults else "the objects are empty"
            unit = self.format.unit
            raise ContractError(f"{self.name}: no {unit} holds a JSON object with values; the last one: {reason}")
        self.header = list(keys)
        self.nested = frozenset(nested)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the values of each row; of one that is no JSON object, its text.

        Raises:
            ContractError: bytes cannot be decoded.
        """
        for said in self._objects():
            self.size = max(self.size, len(self.header))
            if not self.faults and not self.nested.isdisjoint(said):
                self.faults = tuple(self._nested(said))
            yield [_text(said.get(key)) for key in self.header] if said or not self.faults else [self._row]

    def _nested(self, said: dict[str, Any]) -> Iterator[Fault]:
        for key, value in said.items():
            if isinstance(value, dict | list) and key.strip() in self._wanted:
                yield Fault(shown(key.strip()), shown(_text(value)), "not a single value")


class JsonRows(ObjectRows):
    """The rows of JSON lines. The file is read twice."""

    def __init__(self, lines: Callable[[], TextLines], name: str, form: Format, wanted: Collection[str]) -> None:
        """Collect the keys of all rows.

        Args:
            lines: opens the file's lines from the beginning.
            name: what errors call the file.
            form: how it is written.
            wanted: the keys whose values must be single ones.

        Raises:
            ContractError: a line is too long, or no line holds a JSON object.
        """
        super().__init__(name, form, wanted)
        self._open = lines
        self._text = lines()
        try:
            self.collect_keys()
        except ContractError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.close()

    def _lines(self) -> Iterator[str]:
        self._text.close()
        self._text = self._open()
        number = 0
        while line := self._text.read(number + 1):
            number += 1
            if len(line) >= ROW_CHARACTERS:
                raise ContractError(f"{self.name}: line {number}: the row is longer than {ROW_CHARACTERS:,} characters")
            if line.strip():
                self.line = number
                yield line

    def _objects(self) -> Iterator[dict[str, Any]]:
        for line in self._lines():
            self._row, self.size = line.rstrip("\r\n"), len(line)
            try:
                said = _object(line)
                self.faults = ()
            except ValueError as reason:
                said = {}
                self.faults = (Fault("", shown(self._row), str(reason)),)
            yield said


class ListRows(ObjectRows):
    """The rows of a list of objects, as `decoded` returns it."""

    def __init__(self, said: list[Any], name: str, wanted: Collection[str]) -> None:
        """Collect the keys of all rows; arguments and errors are those of `JsonRows`."""
        super().__init__(name, Format("json", encoding="utf-8"), wanted)
        self._said = said
        self.collect_keys()

    def close(self) -> None:
        """Do nothing: the list is the caller's."""

    def _objects(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self._said, start=1):
            self.line = number
            if isinstance(one, dict):
                self.faults, self.size = (), len(one)
                yield one
            else:
                self._row, self.size = _text(one), 1
                self.faults = (Fault("", shown(self._row), NO_OBJECT),)
                yield {}
