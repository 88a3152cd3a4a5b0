"""JSON Schema: a message must fit the schema that it was written with. Nothing is fetched for that."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

import jsonschema_rs

from ml_platform.files.formats import display_text
from ml_platform.files.json_rows import decode_json
from ml_platform.sources.row_files import object_line, parse_object
from ml_platform.sources.wire_format import UndecodableError

MOST_STEPS = 100_000  # of a pattern on one text; some patterns never end


class JsonSchema:
    """Checks rows against one schema."""

    def __init__(self, text: str, references: Iterable[tuple[str, str]] = ()) -> None:
        """Parse the schema.

        Args:
            text: the schema.
            references: the addresses by which it refers to others, relative to its own `$id` or absolute, and their
                texts.

        Raises:
            UndecodableError: it is no valid schema, or refers to another one that is not among the references.
        """
        try:
            schema = _decoded(text)
            base = schema.get("$id", "") if isinstance(schema, dict) else ""
            known = [(urljoin(str(base), name), _decoded(reference)) for name, reference in references]
            self._validator = jsonschema_rs.validator_for(
                schema,
                registry=jsonschema_rs.Registry(known, retriever=_refuse),
                retriever=_refuse,
                validate_formats=False,  # in newer drafts a format is only a note
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=MOST_STEPS),
            )
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise UndecodableError(f"its schema is not valid JSON Schema: {reason}") from error

    def line(self, content: bytes, position: str, extra: Mapping[str, Any]) -> bytes:
        """Return a row as a line, as `row_files.text_line` does.

        Raises:
            UndecodableError: the bytes are no JSON object, or it does not fit the schema.
        """
        try:
            text, row = parse_object(content)
            problem = next(self._validator.iter_errors(json.loads(text)), None)
        except ValueError as error:
            raise UndecodableError(str(error)) from error
        if problem is not None:
            place = "".join(f"/{part}" for part in problem.instance_path)
            reason = display_text(problem.message)
            raise UndecodableError(f"does not fit its JSON Schema{' at ' if place else ''}{place}: {reason}")
        return object_line(text, row, position, extra)


def _decoded(text: str) -> Any:
    decode_json(text)  # refuses duplicate keys, and levels that could end the process
    return json.loads(text)


def _refuse(address: str) -> Any:
    raise ValueError(f"{address} is not among the references of the schema")
