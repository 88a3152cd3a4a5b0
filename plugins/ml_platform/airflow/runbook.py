"""The documentation that Airflow shows with a DAG: the docstring of its file, filled in for one data set.

A docstring names a field as `{name}` and another page as a Markdown link with a scheme of ours:
`[bucket train](bucket:train)`. The text of a link is plain: Airflow shows code in a link like code that is no link.
"""

import os
import re

from ml_platform.pages import PAGES

FIELD = re.compile(r"\{([a-z_]+)\}")
LINK = re.compile(r"\[([^\]]+)\]\((bucket|dag|experiment|feast|model|table):([^)]+)\)")


def runbook(docstring: str, **fields: str) -> str:
    """Return the documentation of one DAG, in Markdown.

    Where the environment does not name the address of a page, only the text of its link stays.

    Args:
        docstring: of the DAG file.
        fields: text by field; it may hold links of the same kind.

    Raises:
        KeyError: the docstring names a field that is not given.
    """
    return LINK.sub(_link, FIELD.sub(lambda field: fields[field[1]], docstring))


def _link(match: re.Match[str]) -> str:
    text, scheme, target = match.groups()
    url = PAGES[scheme](os.environ, target)
    return f"[{text}]({url})" if url else text
