"""Markdown of the platform with texts of people in it: without pictures, and with links to our own screens only."""

import os
import re

_SCREENS = ("AIRFLOW_URL", "MLFLOW_URL", "FEAST_URL", "CONSOLE_URL", "BUCKETS_URL", "ADMINER_URL")


def tamed(markdown: str) -> str:
    """Return Markdown in which pictures, and links to other addresses than the platform's screens, are plain text."""
    own = [re.escape(url.rstrip("/")) for name in _SCREENS if (url := os.environ.get(name))]
    others = rf"\]\((?!(?:{'|'.join(own)})[/#?)])" if own else r"\]\("
    return re.sub(others, r"]\\(", markdown.replace("![", r"\!\[").replace("<", "&lt;"))
