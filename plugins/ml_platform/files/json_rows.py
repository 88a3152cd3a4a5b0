"""The rows of JSON objects, one per line of a file or from a list; numbers keep their digits exactly."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import Fault, Format, Native, display_text
from ml_platform.files.source_rows import FAULT, POSITION, VALUE
from ml_platform.files.text_lines import ROW_CHARACTERS, TextLines

MOST_KEYS = 10_000
MOST_LEVELS = 100  # of nested lists and objects; Python's encoder reaches about nine hundred
TOO_DEEP = f"nested too deeply; allowed are {MOST_LEVELS} levels"
NO_OBJECT = 'not a JSON object such as {"a": 1}'


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        duplicates = sorted(key for key, count in counts.items() if count > 1)
        raise ValueError(f"names a key twice: {display_text(', '.join(duplicates))}")
    return mapping


def _reject_constant(literal: str) -> Any:
    raise ValueError(f"{literal} is no number in JSON; write null if the value is missing")


_DECODER = json.JSONDecoder(
    parse_int=str, parse_float=Native, parse_constant=_reject_constant, object_pairs_hook=_unique_keys
)


def decode_json(text: str) -> Any:
    """Return the content of a JSON text. Numbers stay texts; those with a fraction or an exponent are `Native`.

    Raises:
        ValueError: the text is not valid JSON, an object has a duplicate key, or there are more than `MOST_LEVELS`
            levels; the error says which.
    """
    try:
        content = _DECODER.decode(text.strip())
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    is_flat = text.count("[") + text.count("{") <= MOST_LEVELS  # quicker than counting the levels
    if not is_flat and _levels(content) > MOST_LEVELS:
        raise ValueError(TOO_DEEP)
    return content


def _levels(content: Any) -> int:
    """Return the depth of nested lists and objects, without recursion."""
    levels, level = 0, _containers([content])
    while level:
        levels, level = levels + 1, [inner for outer in level for inner in _containers(outer)]
    return levels


def _containers(value: list[Any] | dict[str, Any]) -> list[list[Any] | dict[str, Any]]:
    inside = value.values() if isinstance(value, dict) else value
    return [one for one in inside if isinstance(one, dict | list)]


def _object(line: str) -> dict[str, Any]:
    content = decode_json(line)
    if not isinstance(content, dict):
        raise ValueError(NO_OBJECT)  # noqa: TRY004 – a fault of the data
    return content


def _source_faults(row: dict[str, Any]) -> tuple[Fault, ...]:
    """Return the fault of an entry of a source that is no row."""
    if POSITION not in row or FAULT not in row:
        return ()
    return (Fault("", display_text(_text(row.get(VALUE))), _text(row[FAULT])),)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class ObjectRows(ABC):
    """The rows of JSON objects; see `formats.Rows`. They are read twice, because any row may have new keys."""

    native: frozenset[str] = frozenset()

    def __init__(self, name: str, form: Format, wanted: Collection[str]) -> None:
        """Store the arguments; `collect_keys` then reads the rows for the first time."""
        self.name, self.format = name, form
        self.line, self.size = 1, 0
        self.faults: tuple[Fault, ...] = ()
        self._row = ""
        self._wanted = frozenset(wanted)

    @abstractmethod
    def _objects(self) -> Iterator[dict[str, Any]]:
        """Yield the object of each row, from the beginning; {} with `faults` if the row is no object."""

    @abstractmethod
    def close(self) -> None:
        """Detach from the source of the rows."""

    def collect_keys(self) -> None:
        """Set `header` and `nested` from the keys of all rows.

        Raises:
            ContractError: no row has a value, or the rows together have too many keys.
        """
        keys: dict[str, None] = {}
        nested: set[str] = set()
        for row in self._objects():
            keys |= dict.fromkeys(row)
            nested.update(key for key, value in row.items() if type(value) in (dict, list))
            if len(keys) > MOST_KEYS:
                where = f"{self.format.unit} {self.line}"
                problem = f"the rows have more than {MOST_KEYS:,} different keys"
                raise ContractError(f"{self.name}: {where}: {problem}", line=self.line)
        if not keys:
            reason = self.faults[0].reason if self.faults else "the objects are empty"
            unit = self.format.unit
            raise ContractError(f"{self.name}: no {unit} holds a JSON object with values; the last one: {reason}")
        self.header = list(keys)
        self.nested = frozenset(nested)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the values of each row; for a row that is no JSON object, its text.

        Raises:
            ContractError: some bytes cannot be decoded.
        """
        for row in self._objects():
            self.size = max(self.size, len(self.header))
            if not self.faults and not self.nested.isdisjoint(row):
                self.faults = tuple(self._nested_faults(row))
            yield [_text(row.get(key)) for key in self.header] if row or not self.faults else [self._row]

    def _nested_faults(self, row: dict[str, Any]) -> Iterator[Fault]:
        for key, value in row.items():
            if isinstance(value, dict | list) and key.strip() in self._wanted:
                yield Fault(display_text(key.strip()), display_text(_text(value)), "not a single value")


class JsonRows(ObjectRows):
    """The rows of JSON lines. The file is read twice."""

    def __init__(self, lines: Callable[[], TextLines], name: str, form: Format, wanted: Collection[str]) -> None:
        """Collect the keys of all rows.

        Args:
            lines: opens the file's lines from the beginning.
            name: the file's name in errors.
            form: how the file is written.
            wanted: the keys whose values must not be lists or objects.

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
        """Detach from the stream; it stays open."""
        self._text.close()

    def _lines(self) -> Iterator[str]:
        self._text.close()
        self._text = self._open()
        number = 0
        while line := self._text.read(number + 1):
            number += 1
            if len(line) >= ROW_CHARACTERS:
                problem = f"the row is longer than {ROW_CHARACTERS:,} characters"
                raise ContractError(f"{self.name}: line {number}: {problem}", line=number)
            if line.strip():
                self.line = number
                yield line

    def _objects(self) -> Iterator[dict[str, Any]]:
        for line in self._lines():
            self._row, self.size = line.rstrip("\r\n"), len(line)
            try:
                content = _object(line)
                self.faults = _source_faults(content)
            except ValueError as reason:
                content = {}
                self.faults = (Fault("", display_text(self._row), str(reason)),)
            yield content


class ListRows(ObjectRows):
    """The rows of a list of objects that `decode_json` returned."""

    def __init__(self, objects: list[Any], name: str, wanted: Collection[str]) -> None:
        """Collect the keys of all rows; arguments and errors are those of `JsonRows`."""
        super().__init__(name, Format("json", encoding="utf-8"), wanted)
        self._list = objects
        self.collect_keys()

    def close(self) -> None:
        """Do nothing: the list is the caller's."""

    def _objects(self) -> Iterator[dict[str, Any]]:
        for number, one in enumerate(self._list, start=1):
            self.line = number
            if isinstance(one, dict):
                self.faults, self.size = (), len(one)
                yield one
            else:
                self._row, self.size = _text(one), 1
                self.faults = (Fault("", display_text(self._row), NO_OBJECT),)
                yield {}
