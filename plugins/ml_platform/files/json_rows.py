"""The rows of a file with one JSON object per line; numbers keep the digits that stand in the file."""

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import Fault, Format, shown
from ml_platform.files.text_lines import ROW_CHARACTERS, TextLines

MOST_KEYS = 10_000


class _Fraction(str):
    """The text of a number that is not written as a whole one."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twins = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"names a key twice: {', '.join(map(shown, twins))}")
    return found


def _no_number(literal: str) -> Any:
    raise ValueError(f"{literal} is no number in JSON; write null if the value is missing")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=_Fraction, parse_constant=_no_number, object_pairs_hook=_unique)


def _object(line: str) -> dict[str, Any]:
    """Return what a line says, numbers as their texts.

    Raises:
        ValueError: it is no JSON object; the text says why.
    """
    try:
        found = _DECODER.decode(line.strip())
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("not valid JSON: it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError('not a JSON object such as {"a": 1}')  # noqa: TRY004 – a fault of the data
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class JsonRows:
    """The rows of JSON lines; see `formats.Rows`. The file is read twice, as any row may bring another key."""

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
        self.name, self.format = name, form
        self.line, self.size = 1, 0
        self.faults: tuple[Fault, ...] = ()
        self._line = ""
        self._open, self._wanted = lines, frozenset(wanted)
        self._text = lines()
        try:
            self._collect_keys()
        except ContractError:
            self.close()
            raise

    def _collect_keys(self) -> None:
        keys: dict[str, None] = {}
        nested: set[str] = set()
        native: set[str] = set()
        for said in self._objects():
            keys |= dict.fromkeys(said)
            for key, value in said.items():
                if type(value) is not str:
                    nested.update([key] if isinstance(value, dict | list) else ())
                    native.update([key] if type(value) is _Fraction else ())
            if len(keys) > MOST_KEYS:
                raise ContractError(
                    f"{self.name}: line {self.line}: the rows have more than {MOST_KEYS:,} different keys"
                )
        if not keys:
            reason = self.faults[0].reason if self.faults else "the objects are empty"
            raise ContractError(f"{self.name}: no line holds a JSON object with values; the last one: {reason}")
        self.header = list(keys)
        self.nested, self.native = frozenset(nested), frozenset(native)

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.close()

    def _lines(self) -> Iterator[str]:
        number = 0
        while line := self._text.read(number + 1):
            number += 1
            if len(line) >= ROW_CHARACTERS:
                raise ContractError(f"{self.name}: line {number}: the row is longer than {ROW_CHARACTERS:,} characters")
            if line.strip():
                self.line = number
                yield line

    def _objects(self) -> Iterator[dict[str, Any]]:
        """Yield what each line says, {} with `faults` where it is no object."""
        for line in self._lines():
            self._line, self.size = line.rstrip("\r\n"), len(line)
            try:
                said = _object(line)
                self.faults = ()
            except ValueError as reason:
                said = {}
                self.faults = (Fault("", shown(self._line), str(reason)),)
            yield said

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the values of each row; of a line that is no JSON object, the line.

        Raises:
            ContractError: bytes cannot be decoded.
        """
        self._text.close()
        self._text = self._open()
        for said in self._objects():
            self.size = max(self.size, len(self.header))
            if not self.faults and not self.nested.isdisjoint(said):
                self.faults = tuple(self._nested(said))
            yield [_text(said.get(key)) for key in self.header] if said or not self.faults else [self._line]

    def _nested(self, said: dict[str, Any]) -> Iterator[Fault]:
        for key, value in said.items():
            if isinstance(value, dict | list) and key.strip() in self._wanted:
                yield Fault(shown(key.strip()), shown(_text(value)), "not a single value")
